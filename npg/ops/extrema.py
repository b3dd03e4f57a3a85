"""Indices, and values with their indices: extrema along a dimension, medians, the k-th smallest, the most frequent.

`dim` is an int counted from the front; a 0-d input is its own result, at index 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.ops._kinds import REDUCTION_OF_ONE, along_dims, chosen, reduced
from npg.ops._op import movement, primitive
from npg.ops._quickselect import place_in_order, place_of_search
from npg.ops.reduction import evenly_vjp
from npg.ops.scatter import scatter_sum
from npg.ops.shape import along, c_order, unsqueeze

Array = np.ndarray[Any, Any]

# ----- What the ops share -----


def values_vjp(
    g: Any, y: Any, x_like: Any, *, needs: tuple[bool, ...], dim: int, keepdim: bool = True, **_: Any
) -> tuple[Any, ...]:
    """gx = g of the values, added at the indices they came from."""
    g, index = g[0], y[1]
    if not keepdim and x_like.shape:
        g, index = unsqueeze(g, dim=dim), unsqueeze(index, dim=dim)
    return (scatter_sum(g, index, shape=x_like.shape, dim=dim),)


def _values_at(x: Array, index: Array, dim: int, keepdim: bool) -> tuple[Any, ...]:
    results = np.take_along_axis(x, index, dim), index
    return tuple(c_order(y if keepdim else y.squeeze(dim)) for y in results)


def _extreme(ufunc: Any, place: Any, x: Array, dim: int, keepdim: bool) -> tuple[Any, Any]:
    axis = dim if x.ndim else None
    return c_order(ufunc.reduce(x, axis, None, None, keepdim)), c_order(place(x, axis=axis, keepdims=keepdim))


# ----- Extrema -----


@movement(kind=REDUCTION_OF_ONE)
def argmax(input: Any, *, dim: int | None, keepdim: bool) -> Any:
    """Return the index of the largest element over `dim` (an int or None), the first of equal ones."""
    return c_order(np.argmax(input, axis=dim, keepdims=keepdim))


@movement(kind=REDUCTION_OF_ONE)
def argmin(input: Any, *, dim: int | None, keepdim: bool) -> Any:
    """Return the index of the smallest element over `dim` (an int or None), the first of equal ones."""
    return c_order(np.argmin(input, axis=dim, keepdims=keepdim))


@movement(multi=True, reads=(1,), node="Max", kind=along_dims("dim", tangent=chosen), aten="max")
def max_dim(input: Any, *, dim: int, keepdim: bool) -> tuple[Any, ...]:
    """Return the largest elements along a dimension and their indices, the first of equal ones."""
    return _extreme(np.maximum, np.argmax, input, dim, keepdim)


@movement(multi=True, reads=(1,), node="Min", kind=along_dims("dim", tangent=chosen), aten="min")
def min_dim(input: Any, *, dim: int, keepdim: bool) -> tuple[Any, ...]:
    """Return the smallest elements along a dimension and their indices, the first of equal ones."""
    return _extreme(np.minimum, np.argmin, input, dim, keepdim)


# ----- Order statistics -----


@movement(multi=True, reads=(1,), kind=along_dims("dim", tangent=chosen))
def kthvalue(input: Any, *, k: int, dim: int, keepdim: bool) -> tuple[Any, ...]:
    """Return the k-th smallest elements along a dimension, counted from 1, and their indices."""
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    value = np.partition(input, k - 1, axis=dim)[along(dim, slice(k - 1, k))]
    return _values_at(input, place_of_search(input, value, k - 1, dim), dim, keepdim)


def _median_values(x: Array, dim: int, skip_nan: bool) -> tuple[Array, Any]:
    """Return the medians (the lower of two middle ones) and the number of elements before each, the dimension kept."""
    ordered = np.sort(x, axis=dim)  # nan comes last
    if x.dtype.kind != "f":
        k = (x.shape[dim] - 1) // 2
        return ordered[along(dim, slice(k, k + 1))], k
    count = x.shape[dim] - np.isnan(x).sum(axis=dim, keepdims=True)
    k = np.maximum(count - 1, 0) // 2
    value = np.take_along_axis(ordered, k, dim)
    return value if skip_nan else np.where(count < x.shape[dim], x.dtype.type(np.nan), value), k


def _median(x: Array, skip_nan: bool) -> Any:
    if not x.size:
        return x.dtype.type(np.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).min)
    return _median_values(x.reshape(-1), 0, skip_nan)[0].reshape(())


@primitive(evenly_vjp, tangent=reduced)
def median(input: Any) -> Any:
    """Return the median, the lower of two middle elements; nan if any is. The gradient is shared by equal elements."""
    return _median(input, False)


@primitive(evenly_vjp, tangent=reduced)
def nanmedian(input: Any) -> Any:
    """Return the median of the elements that are not nan. The gradient is shared by equal elements."""
    return _median(input, True)


def _median_along(x: Array, dim: int, keepdim: bool, skip_nan: bool) -> tuple[Any, ...]:
    if not x.ndim:
        return x.copy(), np.zeros((), np.int64)
    value, k = _median_values(x, dim, skip_nan)
    places = place_in_order(x, value, k, dim)
    if not skip_nan and x.dtype.kind == "f":
        places = np.where(np.isnan(value), np.argmax(np.isnan(x), axis=dim, keepdims=True), places)
    return _values_at(x, places, dim, keepdim)


@movement(multi=True, reads=(1,), kind=along_dims("dim", tangent=chosen), aten="median")
def median_dim(input: Any, *, dim: int, keepdim: bool) -> tuple[Any, ...]:
    """Return the medians along a dimension (the lower of two middle elements; nan if any is) and their indices."""
    return _median_along(input, dim, keepdim, False)


@movement(multi=True, reads=(1,), kind=along_dims("dim", tangent=chosen), aten="nanmedian")
def nanmedian_dim(input: Any, *, dim: int, keepdim: bool) -> tuple[Any, ...]:
    """Return the medians of the elements that are not nan along a dimension, and their indices."""
    return _median_along(input, dim, keepdim, True)


median_dim.node_name, nanmedian_dim.node_name = "MedianBackward1", "NanmedianBackward1"


@movement(multi=True, reads=(1,), kind=along_dims("dim", tangent=chosen))
def mode(input: Any, *, dim: int, keepdim: bool) -> tuple[Any, ...]:
    """Return the most frequent elements along a dimension (of several the smallest) and their last indices.

    nan equals nothing and sorts last, so it is the result, at index 0, only where all elements are nan. PyTorch's
    result depends on the positions of nan, because its sort compares with nan.
    """
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    n = input.shape[dim]
    ordered = np.moveaxis(np.sort(input, axis=dim), dim, -1)
    at = np.arange(n)
    starts = np.ones(ordered.shape, bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    length = at - np.maximum.accumulate(np.where(starts, at, 0), axis=-1)
    best = np.take_along_axis(ordered, length.argmax(axis=-1, keepdims=True), -1)
    equal = (input == np.moveaxis(best, -1, dim))[along(dim, slice(None, None, -1))]
    place = np.where(equal.any(axis=dim, keepdims=True), n - 1 - equal.argmax(axis=dim, keepdims=True), 0)
    return _values_at(input, place, dim, keepdim)


for _op in (max_dim, min_dim, kthvalue, median_dim, nanmedian_dim, mode):
    _op.vjp(values_vjp)


# ----- Unique elements -----


def _no_derivative(name: str) -> Any:
    def rule(g: Any, _y: Any, _input: Any, *, values: Any) -> Any:
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    return rule


@movement(_no_derivative("_unique2"), node="Unique2", aten="_unique2")
def unique(input: Any, *, values: Any) -> Any:
    """Return `values`, the unique elements: PyTorch records that they come from the input, but has no derivative."""
    return values


@movement(_no_derivative("unique_dim"))
def unique_dim(input: Any, *, values: Any) -> Any:
    """Return `values`, the unique slices along a dimension."""
    return values


@movement(_no_derivative("unique_consecutive"))
def unique_consecutive(input: Any, *, values: Any) -> Any:
    """Return `values`, the elements or slices that differ from the one before."""
    return values
