"""The order of an array's dimensions in memory, and new arrays in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels import core, meta
from npg.kernels.meta import MetaArray


def _address(array: np.ndarray[Any, Any]) -> int:
    """Return the address of an array's first element."""
    start: int = array.__array_interface__["data"][0]
    return start


address = core.address or _address  # NumPy's interface is a dict, and takes a microsecond


def memory_order(shape: tuple[int, ...], strides: tuple[int, ...]) -> list[int]:
    """Return the dimensions, the outermost first, in the order in which PyTorch traverses an array with these strides.

    The smallest stride is innermost; strides of 0 are ignored, and of equal strides the longer dimension is outer.
    Source: the sorting of dimensions in at::TensorIterator.
    """
    order = list(range(len(shape)))  # the innermost last, kept sorted from the end
    for i in range(len(order) - 2, -1, -1):
        at = i
        for j in range(i + 1, len(order)):
            swap = _is_inner(order[at], order[j], shape, strides)
            if swap is None:
                continue
            if not swap:
                break
            order[at], order[j] = order[j], order[at]
            at = j
    return order


def _is_inner(a: int, b: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bool | None:
    # Whether dimension a must lie inside b; None where their strides do not decide.
    s, t = abs(strides[a]), abs(strides[b])
    if s == 0 or t == 0:
        return None
    if s == t:
        return True if shape[a] < shape[b] else None
    return s < t


def empty_like(x: np.ndarray, dtype: Any = None) -> np.ndarray:
    """Return an uninitialised array with the shape and the memory order of x."""
    if isinstance(x, MetaArray):
        return meta.like(x, dtype)
    if x.flags.c_contiguous:
        return np.empty_like(x, dtype, subok=False)  # a batched tensor's stand-in answers this itself
    order = memory_order(x.shape, x.strides)
    dense = np.empty([x.shape[d] for d in order], dtype or x.dtype)
    return dense.transpose(sorted(range(x.ndim), key=order.__getitem__))
