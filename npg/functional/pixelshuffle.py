"""Channels as places and back, and channels in another order."""

from __future__ import annotations

from typing import Any

from npg.engine import apply
from npg.functional._arguments import checked_array
from npg.functional._public import public_function
from npg.functional._types import T
from npg.ops import pixelshuffle as ops
from npg.ops._op import Op


def _checked(name: str, input: Any, factor: Any, argument: str) -> tuple[tuple[int, ...], int]:
    """Return the shape of images and the factor.

    Raises: TypeError, RuntimeError: when one is none, in PyTorch's words.
    """
    shape = checked_array(name, input).shape
    if type(factor) is not int:
        if isinstance(factor, bool) or not hasattr(factor, "__index__"):
            raise TypeError(f"{name}(): argument '{argument}' (position 2) must be int, not {type(factor).__name__}")
        factor = factor.__index__()
    if name == "channel_shuffle":
        return shape, factor
    if len(shape) < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {argument}, but got {factor}")
    return shape, factor


@public_function
def pixel_shuffle(input: T, upscale_factor: int) -> T:
    """Return images r times as high and wide, each block of r x r pixels made of r^2 channels.

    Args:
        input: (..., C * r^2, H, W), any dtype.
        upscale_factor: r.
    Returns: (..., C, H * r, W * r).
    Raises: RuntimeError: when the channels are no multiple of r^2.
    Source: torch.nn.functional.pixel_shuffle.
    """
    shape, factor = _checked("pixel_shuffle", input, upscale_factor, "upscale_factor")
    if shape[-3] % (factor * factor):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={shape[-3]} is not divisible by {factor * factor}"
        )
    return apply(ops.pixel_shuffle, (input,), {"factor": factor})


@public_function
def pixel_unshuffle(input: T, downscale_factor: int) -> T:
    """Return images whose pixels are blocks of r x r pixels, as r^2 channels: undoes pixel_shuffle.

    Args:
        input: (..., C, H * r, W * r), any dtype.
        downscale_factor: r.
    Returns: (..., C * r^2, H, W).
    Raises: RuntimeError: when height or width is no multiple of r.
    Source: torch.nn.functional.pixel_unshuffle.
    """
    shape, factor = _checked("pixel_unshuffle", input, downscale_factor, "downscale_factor")
    for dim, side in ((-2, "height"), (-1, "width")):
        if shape[dim] % factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {side} to be divisible by downscale_factor, but input.size({dim})="
                f"{shape[dim]} is not divisible by {factor}"
            )
    return apply(ops.pixel_unshuffle, (input,), {"factor": factor})


def _shuffled(op: Op, input: Any, groups: Any) -> Any:
    shape, groups = _checked("channel_shuffle", input, groups, "groups")
    if len(shape) < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} groups."
        )
    return apply(op, (input,), {"groups": groups})


@public_function
def channel_shuffle(input: T, groups: int) -> T:
    """Return images with the channels of several groups interleaved.

    Args:
        input: (N, C, ...) with one or more dimensions in space, any dtype.
        groups: how many groups of consecutive channels there are; the result has the first of each, then the second.
    Raises: RuntimeError: when groups do not divide the channels.
    Source: torch.nn.functional.channel_shuffle.
    """
    return _shuffled(ops.channel_shuffle, input, groups)


@public_function
def native_channel_shuffle(input: T, groups: int) -> T:
    """Return images with the channels of several groups interleaved, as channel_shuffle.

    Source: torch.nn.functional.native_channel_shuffle, which has no gradient.
    """
    return _shuffled(ops.native_channel_shuffle, input, groups)
