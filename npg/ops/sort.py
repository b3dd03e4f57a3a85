"""Sorting along a dimension: sort and topk, with the indices that the elements came from.

Equal elements keep their order, also in descending order, and nan is larger than everything: PyTorch's order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg.kernels.blocks import in_slabs
from npg.ops._kinds import along_dims, chosen
from npg.ops._op import movement
from npg.ops.scatter import scatter_sum

_INDEX = np.uint64(0xFFFFFFFF)


# ----- Keys -----


def _ordered(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return 32-bit unsigned integers, as uint64, that order as the elements do."""
    if x.dtype.kind == "f":
        bits = (x.astype(np.float32) + np.float32(0)).view(np.uint32)  # + 0 turns -0 into 0
        # Flip all bits of a float with the sign bit set, else the sign bit alone: the results order as integers.
        turned = (bits >> np.uint32(31)) * np.uint32(0x7FFFFFFF) + np.uint32(0x80000000)
        turned ^= bits
        unknown = np.isnan(x)
        if unknown.any():
            turned[unknown] = 0xFFFFFFFF
        return turned.astype(np.uint64)
    if x.dtype.kind == "i":
        return (x.astype(np.int64) + 2**31).astype(np.uint64)
    return x.astype(np.uint64)


def _keys(x: np.ndarray[Any, Any], descending: bool) -> np.ndarray[Any, Any]:
    """Return the last dimension as integers with the value in the upper half and the index in the lower.

    Sorting these is stable and gives the indices along with the order; np.sort has a vectorised loop for them, which
    takes a quarter of the time of a stable np.argsort. For dtypes of up to 32 bits.
    """
    keys = _ordered(x)
    if descending:
        np.subtract(_INDEX, keys, out=keys)
    keys <<= np.uint64(32)
    keys |= np.arange(x.shape[-1], dtype=np.uint64)
    return keys


def _has_keys(x: np.ndarray[Any, Any]) -> bool:
    return x.dtype.itemsize <= 4 and x.size >= 512 and x.shape[-1] <= 0xFFFFFFFF  # small arrays sort fast anyway


def _places(x: np.ndarray[Any, Any], descending: bool) -> np.ndarray[Any, Any]:
    """Return the stable argsort of the last dimension."""
    if _has_keys(x):
        keys = _keys(x, descending)
        keys.sort(axis=-1)
        keys &= _INDEX
        return keys.view(np.int64)
    if not descending:
        return np.argsort(x, axis=-1, kind="stable")
    # Reversed before and after, so that equal elements keep their order.
    return x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]


def _largest(x: np.ndarray[Any, Any], k: int, largest: bool) -> np.ndarray[Any, Any]:
    """Return the indices of the first k along the last dimension in descending (or ascending) order."""
    n = x.shape[-1]
    if k == 0 or k == n or n <= 256:  # sorting short rows costs less than calling argpartition
        return np.ascontiguousarray(_places(x, largest)[..., :k])
    at = np.argpartition(x, n - k if largest else k - 1, axis=-1)
    at = np.sort(at[..., n - k :] if largest else at[..., :k], axis=-1)
    return np.take_along_axis(at, _places(np.take_along_axis(x, at, -1), largest), -1)


def _along_last(
    function: Callable[..., np.ndarray[Any, Any]], x: np.ndarray[Any, Any], dim: int, *settings: Any
) -> np.ndarray[Any, Any]:
    """Return the indices that function finds, with dim as the last dimension."""
    if not x.ndim:
        return np.zeros((), np.int64)

    def places(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if dim == x.ndim - 1:
            return function(x, *settings)
        return np.ascontiguousarray(np.moveaxis(function(np.moveaxis(x, dim, -1), *settings), -1, dim))

    return in_slabs(places, x, dim)


# ----- The ops -----


def _values_rule(g: Any, y: Any, x_like: Any, *, dim: int, **_: Any) -> Any:
    # No index occurs twice, so writing replaces adding.
    return scatter_sum(g[0], y[1], shape=x_like.shape, dim=dim, distinct=True)


@movement(_values_rule, multi=True, reads=(1,), kind=along_dims("dim", tangent=chosen))
def sort(input: Any, *, dim: int, descending: bool) -> Any:
    """Return the elements sorted along a dimension, and the indices that they came from."""
    at = _along_last(_places, input, dim, descending)
    return np.take_along_axis(input, at, dim) if input.ndim else input.copy(), at


@movement(kind=along_dims("dim"))
def argsort(input: Any, *, dim: int, descending: bool) -> Any:
    """Return the indices that sort the elements along a dimension."""
    return _along_last(_places, input, dim, descending)


@movement(_values_rule, multi=True, reads=(1,), kind=along_dims("dim", tangent=chosen))
def topk(input: Any, *, k: int, dim: int, largest: bool) -> Any:
    """Return the k largest (or smallest) elements along a dimension, sorted, and their indices."""
    at = _along_last(_largest, input, dim, k, largest)
    return np.take_along_axis(input, at, dim) if input.ndim else input.copy(), at
