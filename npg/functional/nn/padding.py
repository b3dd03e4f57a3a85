"""Padding of the last dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._words import type_name
from npg.engine import apply
from npg.functional._arguments import checked_array, sizes_of
from npg.functional._public import public_function
from npg.functional._types import Scalar, Sizes, T
from npg.functional.padding import constant_pad_nd
from npg.ops import rearrange as ops

Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]
_EMPTY = "Negative padding value is resulting in an empty dimension"


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
    x = checked_array("pad", input)
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"pad(): argument 'pad' (position 2) must be tuple of ints, not {type_name(pad)}")
    shape = x.shape
    sizes = sizes_of("pad", (pad,), "pad", position=2)
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
        return constant_pad_nd(input, sizes, 0 if value is None else float(value))  # a float, as in PyTorch
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if lead not in (1, 2) or not 1 <= len(pairs) <= 3:
        raise NotImplementedError(
            f"Padding size {len(sizes)} is not supported for {len(shape)}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if mode == "circular":
        _check_circular(shape, pairs, lead)
    else:
        _check_border(mode, x, pairs, lead)
    for i, (before, after) in enumerate(pairs):
        if before or after:
            settings = {"dim": lead + i, "before": before, "after": after, "mode": mode}
            input = apply(ops.index_pad, (input,), settings)
    return input


def _check_circular(shape: Ints, pairs: Pairs, lead: int) -> None:
    is_empty = False
    for n, (before, after) in zip(shape[lead:], pairs, strict=True):
        if max(before, after) > n:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        out = n + before + after
        is_empty |= n + min(before, 0) + min(after, 0) < 1 <= out  # PyTorch continues nothing with undefined values
        if out < 0:
            raise RuntimeError(_EMPTY)
    if is_empty:
        raise RuntimeError(_EMPTY)


def _check_border(mode: str, x: Any, pairs: Pairs, lead: int) -> None:
    """Raise when an input cannot be padded by reflection or replication: in the words and the order of PyTorch's."""
    shape, dims = x.shape, len(pairs)
    if 0 in shape[lead > 1 :]:
        raise RuntimeError(
            f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(shape)}"
        )
    for i, (before, after) in enumerate(reversed(pairs)):
        d = len(shape) - 1 - i
        if mode == "reflect" and max(before, after) >= shape[d]:
            raise RuntimeError(
                f"Argument #{4 + 2 * i}: Padding size should be less than the corresponding input dimension, but got: "
                f"padding ({before}, {after}) at dimension {d} of input {list(shape)}"
            )
    out = [n + before + after for n, (before, after) in zip(shape[lead:], pairs, strict=True)]
    if max(out) < 1:
        given, found = (
            " ".join(f"{axis}: {n}" for axis, n in zip("DHW"[-dims:], sizes)) for sizes in (shape[lead:], out)
        )
        space = " " * (mode == "replicate" and dims == 2)
        raise RuntimeError(f"input ({given.replace(' W', ', W')}{space}) is too small. Calculated output {found}")
    if min(out) < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(out)}: {[*shape[:lead], *out]}")
    if x.dtype == np.bool_:
        kernel = "reflection" if mode == "reflect" else "replication"
        raise NotImplementedError(f"\"{kernel}_pad{dims}d\" not implemented for 'Bool'")
