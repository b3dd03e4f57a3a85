"""Channels as places and back, and channels in another order: copies with the dimensions in another order."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.ops._kinds import Kind, linear
from npg.ops._layouts import is_channels_last, with_channels_last
from npg.ops._op import Op, movement
from npg.ops.shape import overload

Array = np.ndarray[Any, Any]


def _batch(op: Op, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
    return op(*xs, **params)  # any leading dimensions


_IMAGES = Kind("images", _batch, linear)


def _laid_out(y: Array, x: Array) -> Array:
    """Return y contiguous, or with its channels last where those of x are."""
    if not is_channels_last(x, 2):
        return np.ascontiguousarray(y)
    return with_channels_last(y)


@movement(lambda g, _y, _x, *, factor: pixel_unshuffle(g, factor=factor), kind=_IMAGES)
def pixel_shuffle(input: Any, *, factor: int) -> Any:
    """Return (..., C x factor x factor, H, W) as (..., C, H x factor, W x factor)."""
    *lead, channels, height, width = input.shape
    n, channels = len(lead), channels // (factor * factor)
    y = input.reshape(*lead, channels, factor, factor, height, width)
    y = y.transpose(*range(n + 1), n + 3, n + 1, n + 4, n + 2)  # (..., C, H, factor, W, factor)
    y = np.ascontiguousarray(y).reshape(*lead, channels, height * factor, width * factor)
    return _laid_out(y, input)


@movement(lambda g, _y, _x, *, factor: pixel_shuffle(g, factor=factor), kind=_IMAGES)
def pixel_unshuffle(input: Any, *, factor: int) -> Any:
    """Return (..., C, H x factor, W x factor) as (..., C x factor x factor, H, W)."""
    *lead, channels, height, width = input.shape
    n, height, width = len(lead), height // factor, width // factor
    y = input.reshape(*lead, channels, height, factor, width, factor)
    y = y.transpose(*range(n + 1), n + 2, n + 4, n + 1, n + 3)  # (..., C, factor, factor, H, W)
    y = np.ascontiguousarray(y).reshape(*lead, channels * factor * factor, height, width)
    return _laid_out(y, input)


@movement(
    lambda g, _y, x_like, *, groups: channel_shuffle(g, groups=x_like.shape[1] // groups if x_like.shape[1] else 1),
    tangent=linear,
)
def channel_shuffle(input: Any, *, groups: int) -> Any:
    """Return (N, C, ...) with the channels (groups, C / groups) in the order (C / groups, groups)."""
    n, channels, *rest = input.shape
    y = input.reshape(n, groups, channels // groups, *rest).swapaxes(1, 2)
    return _laid_out(np.ascontiguousarray(y).reshape(input.shape), input)


@channel_shuffle.batch
def _channel_shuffle_batch(op: Op, xs: Any, batched: Any, size: int, /, *, groups: int) -> Any:
    (x,) = xs
    return op(x.reshape((size * x.shape[1], *x.shape[2:])), groups=groups).reshape(x.shape)


native_channel_shuffle = overload(channel_shuffle, "NativeChannelShuffleBackward0", aten="native_channel_shuffle")
