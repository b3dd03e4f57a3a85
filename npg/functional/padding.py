"""Padding by a constant; the other modes stand in nn/padding.py."""

from __future__ import annotations

from npg.engine import apply
from npg.functional._arguments import checked_array, sizes_of
from npg.functional._factory import fill_number
from npg.functional._public import public_function
from npg.functional._types import Sizes, T
from npg.functional.copy import clone
from npg.ops import rearrange as ops


@public_function
def constant_pad_nd(input: T, pad: Sizes, value: float = 0) -> T:
    """Return the input with a number added around it.

    Args:
        input: any shape.
        pad: (before, after) of the last dimension, then of the one before it, ...; negative sizes cut elements off.
        value: the number.
    Raises: RuntimeError: when pad does not fit the input.
    Source: torch.constant_pad_nd.
    """
    x = checked_array("constant_pad_nd", input)
    if not isinstance(pad, (tuple, list)):
        kind = type(pad).__name__
        raise TypeError(f"constant_pad_nd(): argument 'pad' (position 2) must be tuple of ints, not {kind}")
    sizes, shape = sizes_of("constant_pad_nd", (pad,), "pad", position=2), x.shape
    if len(sizes) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(sizes)}")
    if len(sizes) > 2 * len(shape):
        raise RuntimeError(
            "Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
            f"{len(sizes)}while the input has {len(shape)}dimensions."
        )
    pairs = tuple((sizes[2 * i], sizes[2 * i + 1]) for i in reversed(range(len(sizes) // 2)))
    lead = len(shape) - len(pairs)
    _check_size(shape, pairs, lead)
    if not pairs:
        return clone(input)
    settings = {"pad": ((0, 0),) * lead + pairs, "value": fill_number(value, x.dtype)}
    return apply(ops.constant_pad, (input,), settings)


def _check_size(shape: tuple[int, ...], pairs: tuple[tuple[int, int], ...], lead: int) -> None:
    for d, (before, after) in enumerate(pairs, lead):
        if shape[d] + min(before, 0) + min(after, 0) < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
        if shape[d] + before + after < 0:
            raise RuntimeError(
                f"The input size {shape[d]}, plus negative padding {before} and {after} resulted in a negative output "
                f"size, which is invalid. Check dimension {d} of your input."
            )
