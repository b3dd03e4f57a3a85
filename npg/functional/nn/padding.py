"""Padding of the last dimensions."""

from __future__ import annotations

from npg.engine import apply
from npg.functional._arguments import checked_array, sizes_of
from npg.functional._factory import fill_number
from npg.functional._public import public_function
from npg.functional._types import Scalar, Sizes, T
from npg.ops import rearrange as ops


@public_function
def pad(input: T, pad: Sizes, mode: str = "constant", value: Scalar | None = None) -> T:
    """Return the input padded before and after the last dimensions; negative numbers remove elements.

    Args:
        input: any shape; for modes other than constant one to three padded dimensions, after one or two others.
        pad: (before, after) of the last dimension, then of the one before it, and so on, in one flat sequence.
        mode: "constant"; "reflect": mirrored at the border, which is not repeated; "replicate": the border repeated;
            "circular": continued from the other end.
        value: the constant of mode "constant", 0 by default.
    Raises: RuntimeError: when pad does not fit the input. NotImplementedError: for another mode.
    Source: torch.nn.functional.pad.
    """
    shape = checked_array("pad", input).shape
    sizes = sizes_of("pad", (pad,), "pad")
    if len(sizes) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(sizes) > 2 * len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(sizes)} and input of dimension {len(shape)}"
        )
    pairs = tuple((sizes[2 * i], sizes[2 * i + 1]) for i in reversed(range(len(sizes) // 2)))
    lead = len(shape) - len(pairs)
    if mode == "constant":
        _check_size(shape, pairs, lead)
        filled = ((0, 0),) * lead + pairs
        # Through a float, as in PyTorch.
        fill = 0 if value is None else fill_number(float(value), checked_array("pad", input).dtype)
        return apply(ops.constant_pad, (input,), {"pad": filled, "value": fill})
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if lead not in (1, 2) or not pairs:
        raise NotImplementedError(
            f"Padding size {len(sizes)} is not supported for {len(shape)}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if mode != "circular" and 0 in shape[lead > 1 :]:
        raise RuntimeError(
            f"Expected {len(pairs) + 1}D or {len(pairs) + 2}D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(shape)}"
        )
    _check_mode(mode, shape, pairs, lead)
    for i, (before, after) in enumerate(pairs):
        if before or after:
            settings = {"dim": lead + i, "before": before, "after": after, "mode": mode}
            input = apply(ops.index_pad, (input,), settings)
    return input


def _check_size(shape: tuple[int, ...], pairs: tuple[tuple[int, int], ...], lead: int) -> None:
    for d, (before, after) in enumerate(pairs, lead):
        if shape[d] + min(before, 0) + min(after, 0) < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
        if shape[d] + before + after < 0:
            raise RuntimeError(
                f"The input size {shape[d]}, plus negative padding {before} and {after} resulted in a negative output "
                f"size, which is invalid. Check dimension {d} of your input."
            )


def _check_mode(mode: str, shape: tuple[int, ...], pairs: tuple[tuple[int, int], ...], lead: int) -> None:
    for d, (before, after) in enumerate(pairs, lead):
        n = shape[d]
        if mode == "reflect" and (before >= n or after >= n):
            raise RuntimeError(
                "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({before}, {after}) at dimension {d} of input {list(shape)}"
            )
        if mode == "circular" and (before > n or after > n):
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if n + before + after < (0 if mode == "circular" else 1) or n + min(before, 0) + min(after, 0) < 0:
            raise RuntimeError(
                f"{mode} padding of ({before}, {after}) leaves nothing of dimension {d} of input {list(shape)}"
            )
