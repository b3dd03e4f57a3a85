"""Sliding blocks of images as columns, and columns as images."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._words import scalar_name, shape_text
from npg.engine import apply
from npg.functional._arguments import checked_array, sizes_of
from npg.functional._public import public_function
from npg.functional._types import T
from npg.ops import fold as ops


def _pairs(function: str, position: int, **values: Any) -> dict[str, tuple[int, int]]:
    """Return each argument, one number for both height and width or two, as a pair; the first is at a position."""
    pairs = {}
    for i, (name, value) in enumerate(values.items(), position):
        pair = sizes_of(function, (value if isinstance(value, (tuple, list)) else (value,),), name, position=i)
        if isinstance(value, (tuple, list)) and len(pair) != 2:
            raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(pair)}")
        pairs[name] = pair[0], pair[-1]
    return pairs


def _settings(
    *, kernel_size: tuple[int, int], dilation: tuple[int, int], padding: tuple[int, int], stride: tuple[int, int]
) -> dict[str, Any]:
    """Return the settings of the ops.

    Raises: RuntimeError: when one is too small.
    """
    for name, short, pair in (("kernel size", "kernel", kernel_size), ("dilation", "dilation", dilation),
                              ("stride", "stride", stride)):  # fmt: skip
        if min(pair) <= 0:
            raise RuntimeError(
                f"{name} should be greater than zero, but got {short}_height: {pair[0]} {short}_width: {pair[1]}"
            )
    if min(padding) < 0:
        raise RuntimeError(f"padding should be non-negative, but got pad_height: {padding[0]} pad_width: {padding[1]}")
    return {"kernel": kernel_size, "dilation": dilation, "padding": padding, "stride": stride}


def _refuse_integers(kernel: str, array: np.ndarray[Any, Any]) -> None:
    if array.dtype.kind in "iu":
        raise NotImplementedError(f"\"{kernel}_out_cpu\" not implemented for '{scalar_name(array)}'")


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
    Returns: (N, C * kernel height * kernel width, blocks) or without N.
    Raises: RuntimeError: when the arguments leave no block. NotImplementedError: for integers, as in PyTorch.
    Source: torch.nn.functional.unfold.
    """
    array = checked_array("im2col", input)
    given = _pairs("im2col", 2, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    settings, shape = _settings(**given), array.shape
    if len(shape) not in (3, 4) or 0 in shape[len(shape) - 3 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {shape_text(shape)}"
        )
    places = ops.blocks(shape[-2:], **settings)
    if min(places) < 1:
        listed = ", ".join(f"{name}={pair}" for name, pair in given.items() if name != "stride")
        raise RuntimeError(
            f"Given input with spatial size {shape[-2:]}, {listed}, calculated shape of the array of sliding blocks as "
            f"{places}, but its components must be at least one."
        )
    _refuse_integers("im2col", array)
    return apply(ops.im2col, (input,), settings)


@public_function
def fold(
    input: T,
    output_size: int | tuple[int, ...] | list[int],
    kernel_size: int | tuple[int, ...] | list[int],
    dilation: int | tuple[int, ...] | list[int] = 1,
    padding: int | tuple[int, ...] | list[int] = 0,
    stride: int | tuple[int, ...] | list[int] = 1,
) -> T:
    """Return images with columns added up where a sliding kernel lies (col2im): the adjoint of unfold.

    Args:
        input: (N, C * kernel height * kernel width, blocks) or without N, floating or bool.
        output_size: height and width of the result; this and the next four are a number for both, or two.
        kernel_size, dilation, padding, stride: as of unfold.
    Returns: (N, C, *output_size) or without N.
    Raises: RuntimeError: when the sizes do not fit. NotImplementedError: for integers, as in PyTorch.
    Source: torch.nn.functional.fold.
    """
    array = checked_array("col2im", input)
    size = _pairs("col2im", 2, output_size=output_size)["output_size"]
    given = _pairs("col2im", 3, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    settings, shape, kernel = _settings(**given), array.shape, given["kernel_size"]
    if len(shape) not in (2, 3) or 0 in shape[len(shape) - 2 :]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {shape_text(shape)}"
        )
    depth, count = shape[-2:]
    if depth % (kernel[0] * kernel[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={depth} and kernel_size={kernel}."
        )
    places = ops.blocks(size, **settings)
    listed = ", ".join(f"{name}={pair}" for name, pair in {"output_size": size, **given}.items())
    if places[0] * places[1] != count:
        raise RuntimeError(
            f"Given {listed}, expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{places[0]} * {places[1]} = {places[0] * places[1]}, but got input.size(2)={count}."
        )
    if min(places) < 1:  # two numbers below zero, whose product fits
        raise RuntimeError(
            f"Given {listed}, calculated shape of the array of sliding blocks as {places}, which is too small "
            "(non-positive)"
        )
    _refuse_integers("col2im", array)
    return apply(ops.col2im, (input,), {"size": size, **settings})
