"""Images with their channels innermost in memory, which PyTorch calls channels_last."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def is_channels_last(x: Array, dims: int = 0) -> bool:
    """Tell whether the channels of images (N, C, *size) are innermost in memory, and the rest in order.

    Where a plain order has the same strides (one channel, no numbers), they are not.

    Args:
        dims: the spatial dimensions that x must have; 0: two or three.
    """
    fits = x.ndim == dims + 2 if dims else x.ndim in (4, 5)
    return fits and not x.flags.c_contiguous and bool(np.moveaxis(x, 1, -1).flags.c_contiguous)


def filled_like(shape: tuple[int, ...], value: float, x: Array) -> Array:
    """Return a new array of one number, of the dtype of images x and with its channels innermost where theirs are."""
    is_last = is_channels_last(x)
    sizes = (shape[0], *shape[2:], shape[1]) if is_last else shape
    y = np.zeros(sizes, x.dtype) if value == 0 else np.full(sizes, value, x.dtype)
    return np.moveaxis(y, -1, 1) if is_last else y


def with_channels_last(x: Array) -> Array:
    """Return images, copied where their channels are not innermost in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
