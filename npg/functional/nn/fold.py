"""Sliding blocks of images as columns."""

from __future__ import annotations

from typing import Any

from npg._words import scalar_name
from npg.functional._arguments import checked_array, sizes_of
from npg.functional._public import public_function
from npg.functional._types import T
from npg.functional.indexing import getitem
from npg.functional.nn.padding import pad
from npg.functional.shape import reshape
from npg.functional.split import unfold as windows
from npg.functional.transpose import permute


def _pair(name: str, value: Any) -> tuple[int, int]:
    """Return one number for both height and width, or two, as a pair."""
    pair = sizes_of("im2col", (value,), name)
    if isinstance(value, (tuple, list)) and len(pair) != 2:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(pair)}")
    return pair[0], pair[-1]


def _check(shape: tuple[int, ...], kernel: Any, dilation: Any, padding: Any, stride: Any) -> None:
    """Raise RuntimeError when an argument is too small, or no block fits in the input."""
    for name, short, pair in (("kernel size", "kernel", kernel), ("dilation", "dilation", dilation),
                              ("stride", "stride", stride)):  # fmt: skip
        if min(pair) <= 0:
            raise RuntimeError(
                f"{name} should be greater than zero, but got {short}_height: {pair[0]} {short}_width: {pair[1]}"
            )
    if min(padding) < 0:
        raise RuntimeError(f"padding should be non-negative, but got pad_height: {padding[0]} pad_width: {padding[1]}")
    if len(shape) not in (3, 4) or 0 in shape[len(shape) - 3 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(shape)}"
        )
    blocks = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(shape[-2:], kernel, dilation, padding, stride, strict=True)
    )
    if min(blocks) < 1:
        raise RuntimeError(
            f"Given input with spatial size {shape[-2:]}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, calculated shape of the array of sliding blocks as {blocks}, but its components must "
            "be at least one."
        )


@public_function
def unfold(
    input: T,
    kernel_size: int | tuple[int, ...] | list[int],
    dilation: int | tuple[int, ...] | list[int] = 1,
    padding: int | tuple[int, ...] | list[int] = 0,
    stride: int | tuple[int, ...] | list[int] = 1,
) -> T:
    """Return the blocks that a kernel slides over, as columns (im2col).

    Args:
        input: (N, C, H, W) or (C, H, W), floating or bool.
        kernel_size: height and width of a block; this and the next three are a number for both, or two.
        dilation: the distance between elements of a block.
        padding: the number of zeros added on each side.
        stride: the distance between blocks.
    Returns: (N, C * kernel height * kernel width, blocks) or without N; a view where the strides allow it.
    Raises: RuntimeError: when the arguments leave no block. NotImplementedError: for integers, as in PyTorch.
    Source: torch.nn.functional.unfold.
    """
    array = checked_array("im2col", input)
    kernel, dilation, padding, stride = (
        _pair(name, value)
        for name, value in (("kernel_size", kernel_size), ("dilation", dilation), ("padding", padding),
                            ("stride", stride))
    )  # fmt: skip
    _check(array.shape, kernel, dilation, padding, stride)
    if array.dtype.kind in "iu":
        raise NotImplementedError(f"\"im2col_out_cpu\" not implemented for '{scalar_name(array)}'")
    x: Any = input
    if any(padding):
        x = pad(x, (padding[1], padding[1], padding[0], padding[0]))
    lead = array.ndim - 2
    for i in (0, 1):
        x = windows(x, lead + i, dilation[i] * (kernel[i] - 1) + 1, stride[i])
    x = getitem(x, (..., slice(None, None, dilation[0]), slice(None, None, dilation[1])))
    channels, (rows, columns) = array.shape[lead - 1], checked_array("im2col", x).shape[lead : lead + 2]
    x = permute(x, (*range(lead), lead + 2, lead + 3, lead, lead + 1))  # (N, C, kh, kw, rows, columns)
    return reshape(x, (*array.shape[: lead - 1], channels * kernel[0] * kernel[1], rows * columns))
