"""Indices and counts: nonzero elements, unique values and their counts, positions in sorted sequences.

Indices and counts have no gradient, and are never recorded.
"""

from __future__ import annotations

import math
from typing import Any, Literal, overload

import numpy as np

from npg import dtypes
from npg._errors import OUT_DTYPE
from npg._floating import silent
from npg._naming import named
from npg._words import scalar_name, shape_text, type_name
from npg.engine import apply, array_of, wrap
from npg.engine._arguments import is_number
from npg.functional._arguments import checked_array, dim_index
from npg.functional._factory import beside
from npg.functional._public import public_function, writes
from npg.functional._types import Scalar, T
from npg.kernels import meta
from npg.kernels.keys import keys
from npg.kernels.meta import MetaArray, needs_data
from npg.ops import extrema as ops

Array = np.ndarray[Any, Any]

_LARGE = 1 << 16  # elements
_PLACES = (
    "npg.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on whether "
    "out_int32 flag is True, but we got output tensor's dtype {wanted}"
)


# ----- Not zero -----


@overload
def nonzero(input: T, *, as_tuple: Literal[False] = ..., out: Any = ...) -> T: ...
@overload
def nonzero(input: T, *, as_tuple: Literal[True]) -> tuple[T, ...]: ...
@overload
def nonzero(input: T, *, as_tuple: bool) -> T | tuple[T, ...]: ...
@public_function
@writes("nonzero: Expected out tensor to have scalar type Long but got scalar type{wanted}")
def nonzero(input: Any, *, as_tuple: bool = False, out: Any = None) -> Any:
    """Return the indices of the elements that are not zero.

    Args:
        input: any shape and dtype.
        as_tuple: return one vector per dimension, usable as an index; a 0-d input counts as 1-d.
    Returns: (n, number of dimensions) int64, or the tuple.
    Source: torch.nonzero.
    """
    array = checked_array("nonzero", input)
    needs_data("nonzero", array)
    if as_tuple:
        return tuple(wrap(places) for places in np.atleast_1d(array).nonzero())
    return wrap(_argwhere(array))


def _argwhere(array: Array) -> Array:
    """Return np.argwhere(array); a large array is processed in blocks, without a second copy of the indices."""
    if array.size <= _LARGE:
        return np.argwhere(array)
    places = np.empty((array.ndim, np.count_nonzero(array)), np.intp)
    end = 0
    for key in keys(array.shape, _LARGE):
        block = array[key].nonzero()
        start, end = end, end + len(block[0])
        for target, part, along in zip(places, block, key, strict=True):
            np.add(part, along.start or 0, out=target[start:end])
    return places.T


@public_function
def argwhere(input: T) -> T:
    """Return the indices of the elements that are not zero, one per row. Source: torch.argwhere."""
    return nonzero(input)


@public_function
@writes(OUT_DTYPE)
def isin(
    elements: T | Scalar, test_elements: T | Scalar, *, assume_unique: bool = False, invert: bool = False,
    out: Any = None,
) -> T:  # fmt: skip
    """Tell of each element whether it is among others; nan never is.

    Args:
        elements: a tensor or a number.
        test_elements: those that are looked for; a tensor, or a number where elements is a tensor.
        assume_unique: that neither has an element twice; it is then faster.
        invert: tell whether it is not among them.
    Returns: bool, of the shape of elements.
    Raises: TypeError: for two numbers, or for lists. RuntimeError: for bools. NotImplementedError: for uint16, uint32
        and uint64.
    Source: torch.isin.
    """
    given = [x if is_number(x) else array_of(x) for x in (elements, test_elements)]
    if all(is_number(x) for x in given) or not all(is_number(x) or isinstance(x, np.ndarray) for x in given):
        kinds = ", ".join("Tensor" if isinstance(x, np.ndarray) else type_name(x) for x in given)
        raise TypeError(
            f"isin() received an invalid combination of arguments - got ({kinds}), but expected a Tensor and a Tensor "
            "or Number"
        )
    if any(isinstance(x, bool) or getattr(x, "dtype", np.int64) == np.bool_ for x in given):
        raise RuntimeError("Unsupported input type encountered for isin(): Bool")
    common = dtypes.common_dtype(given)
    if common in dtypes.UNSIGNED:
        raise NotImplementedError(f"\"isin_default_cpu\" not implemented for '{scalar_name(common)}'")
    with silent():  # a number that the dtype cannot hold wraps around, as in PyTorch
        sought, among = (np.asarray(x).astype(common.dtype, copy=False) for x in given)
    return beside(np.asarray(np.isin(sought, among, assume_unique=assume_unique, invert=invert)), *given)


# ----- Counts -----


@public_function
def bincount(input: T, weights: Any = None, minlength: int = 0) -> T:
    """Return the number of times that each of 0, 1, 2, ... occurs, or the sum of its weights.

    Args:
        input: (n,) integers, not negative.
        weights: (n,) or None.
        minlength: the minimal size of the result.
    Returns: int64 counts; with weights, float32 if they are float32, else float64.
    Raises: RuntimeError: when input is negative or not 1-d, or the weights do not fit. NotImplementedError: for floats.
    Source: torch.bincount.
    """
    array = checked_array("bincount", input)
    needs_data("bincount", array)
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if array.dtype.kind not in "iu":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{scalar_name(array)}'")
    if array.ndim == 1 and not array.size:
        return wrap(np.zeros(minlength, np.int64))
    if array.ndim != 1 or array.min() < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return wrap(np.bincount(array, minlength=minlength))
    w = checked_array("bincount", weights, "weights", 2)
    if w.shape != array.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    dtype = np.float32 if w.dtype == np.float32 else np.float64
    return wrap(np.bincount(array, w.astype(np.float64), minlength).astype(dtype))


@public_function
@writes(
    "npg.histogram: input tensor and hist tensor should have the same dtype, but got input {c_result} and hist "
    "{c_wanted}",
    looks=(),
    grad=False,
    expanded=True,
)
def histc(input: T, bins: int = 100, min: Any = 0, max: Any = 0, *, out: Any = None) -> T:
    """Return the number of elements in each of `bins` equal parts of [min, max]; others and nan are ignored.

    Args:
        input: any shape, floating.
        bins: the number of parts.
        min, max: numbers; if equal, the extremes of input are used.
    Returns: (bins,), dtype of input.
    Raises: RuntimeError: when bins is not positive, max below min or the range not finite.
    Source: torch.histc.
    """
    array = checked_array("histc", input)
    if array.dtype.kind != "f":
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{scalar_name(array)}'")
    if bins <= 0:
        raise RuntimeError(named(f"npg.histogram(): bins must be > 0, but got {bins} for dimension 0"))
    if isinstance(array, MetaArray):
        return wrap(meta.empty((bins,), array.dtype))
    low, high = float(min), float(max)
    if low == high and array.size:
        low, high = float(np.min(array)), float(np.max(array))
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(named(f"npg.histc: range of [{low:g}, {high:g}] is not finite"))
    if low > high:
        raise RuntimeError(named("npg.histc: max must be larger than min"))
    inside = array[(array >= low) & (array <= high)]
    low, high = array.dtype.type(low), array.dtype.type(high)
    with silent():
        part = ((inside - low) * bins / (high - low)).astype(np.intp)
    counts = np.bincount(np.minimum(part, bins - 1), minlength=bins)  # max itself is in the last part
    return wrap(counts.astype(array.dtype))


# ----- Different values -----


def _unique_rows(rows: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """Return (indices of the unique rows in order, inverse, counts) of a matrix, rows compared as sequences."""
    if not rows.shape[0]:
        return np.zeros(0, np.intp), np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.lexsort(rows.T[::-1]) if rows.shape[1] else np.arange(rows.shape[0])
    ordered = rows[order]
    starts = np.ones(len(order), bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    kind = np.cumsum(starts) - 1
    inverse = np.empty(len(order), np.int64)
    inverse[order] = kind
    return order[starts], inverse, np.bincount(kind)


def _as_rows(name: str, array: np.ndarray[Any, Any], dim: int) -> np.ndarray[Any, Any]:
    dim = dim_index(name, dim, array.ndim)
    if 0 in array.shape[:dim] + array.shape[dim + 1 :]:
        if array.shape[dim]:
            raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
        return np.empty((0, 0), array.dtype)
    count = array.shape[dim] if array.ndim else 1
    return np.moveaxis(np.atleast_1d(array), dim, 0).reshape(count, array.size // count if count else 0)


def _chosen(
    op: Any, input: Any, values: Any, inverse: Any, counts: Any, return_inverse: bool, return_counts: bool
) -> Any:
    results = []
    if return_inverse:
        results.append(inverse.astype(np.int64, copy=False))
    if return_counts:
        results.append(counts.astype(np.int64, copy=False))
    first = apply(op, (input,), {"values": np.asarray(values)})
    outputs = (first, *(wrap(np.asarray(r)) for r in results))
    return outputs if len(outputs) > 1 else outputs[0]


@overload
def unique(input: T, sorted: bool = ..., *, dim: int | None = ...) -> T: ...
@overload
def unique(input: T, *args: Any, **kwargs: Any) -> Any: ...
@public_function
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """Return the unique elements in ascending order, or the unique slices along a dimension.

    Args:
        input: any shape and dtype. nan differs from nan.
        sorted: has no effect: the result is always sorted.
        return_inverse: also return the index of each element in the result.
        return_counts: also return the number of occurrences of each.
        dim: None compares elements, an int slices.
    Returns: values, or a tuple of values and the requested inverse and counts.
    Raises: IndexError: when dim is out of range. RuntimeError: when slices are empty.
    Source: torch.unique.
    """
    array = checked_array("unique", input)
    needs_data("_unique2", array)
    if dim is None:
        values, inverse, counts = np.unique(array, return_inverse=True, return_counts=True, equal_nan=False)
        inverse = inverse.reshape(array.shape)
        return _chosen(ops.unique, input, values, inverse, counts, return_inverse, return_counts)
    rows = _as_rows("unique", array, dim)
    first, inverse, counts = _unique_rows(rows)
    values = np.take(np.atleast_1d(array), first, axis=dim)
    return _chosen(ops.unique_dim, input, values, inverse, counts, return_inverse, return_counts)


@overload
def unique_consecutive(input: T, *, dim: int | None = ...) -> T: ...
@overload
def unique_consecutive(input: T, *args: Any, **kwargs: Any) -> Any: ...
@public_function
def unique_consecutive(input: Any, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    """Return the input without the elements (or slices) that equal their predecessor.

    Args, Returns, Raises: as for unique.
    Source: torch.unique_consecutive.
    """
    array = checked_array("unique_consecutive", input)
    needs_data("unique_consecutive", array)
    rows = array.reshape(-1, 1) if dim is None else _as_rows("unique_consecutive", array, dim)
    starts = np.ones(len(rows), bool)
    starts[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    inverse = np.cumsum(starts) - 1
    counts = np.bincount(inverse) if inverse.size else inverse
    if dim is None:
        values, inverse = array.reshape(-1)[starts], inverse.reshape(array.shape)
    else:
        values = np.compress(starts, np.atleast_1d(array), axis=dim)
    return _chosen(ops.unique_consecutive, input, values, inverse, counts, return_inverse, return_counts)


# ----- Positions in sorted sequences -----


@public_function
@writes(_PLACES, looks=(), grad=False)
def searchsorted(
    sorted_sequence: T,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
    out: Any = None,
) -> T:
    """Return the positions at which values can be inserted into a sorted sequence, along its last dimension.

    Args:
        sorted_sequence: (n,), or any shape whose dimensions before the last are those of input.
        input: values, a tensor or number.
        out_int32: return int32 instead of int64.
        right: insert after equal elements instead of before.
        side: "left" or "right", the same as a word.
        sorter: int64, shape of sorted_sequence: the order that sorts it.
    Returns: shape of input.
    Raises: RuntimeError: when shapes do not fit, or side and right contradict each other.
    Source: torch.searchsorted.
    """
    sequence = checked_array("searchsorted", sorted_sequence, "sorted_sequence")
    values = np.asarray(input) if is_number(input) else checked_array("searchsorted", input, "input", 2)
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(named(f"npg.searchsorted(): side can only be 'left' or 'right' but got {side}"))
    if side == "left" and right:
        raise RuntimeError(
            named("npg.searchsorted(): side and right can't be set to opposites, got side of left while right was True")
        )
    if not sequence.ndim:
        raise RuntimeError(
            named("npg.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension")
        )
    if not values.ndim and sequence.ndim != 1:
        raise RuntimeError(
            named(
                "npg.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we "
                f"got boundaries tensor dim({sequence.ndim}) and input value's dim(0) numel(1)"
            )
        )
    if sequence.ndim != 1 and sequence.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            named(
                "npg.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
                f"tensor and input value tensor must match, but we got boundaries tensor {shape_text(sequence.shape)} "
                f"and input value tensor {shape_text(values.shape)}"
            )
        )
    order = _sorter(sorter, sequence)
    where: Any = "right" if right or side == "right" else "left"
    dtype = np.int32 if out_int32 else np.int64
    if meta.is_among((sequence, values)):
        return wrap(meta.empty(values.shape, dtype))
    if sequence.ndim == 1:
        return wrap(np.asarray(_places(sequence, values, where, order)).astype(dtype, copy=False))
    out = np.empty(values.shape, dtype)
    for i in np.ndindex(sequence.shape[:-1]):
        out[i] = _places(sequence[i], values[i], where, None if order is None else order[i])
    return wrap(out)


def _places(sequence: np.ndarray[Any, Any], values: Any, where: Any, order: Any) -> Any:
    # NumPy sorts nan as the largest number; in PyTorch's binary search every comparison with nan is False.
    places = np.searchsorted(sequence, values, where, order)
    if not (np.isnan(sequence).any() or np.isnan(values).any()):
        return places
    ordered = sequence if order is None else sequence[order]
    start, end = np.zeros(np.shape(values), np.intp), np.full(np.shape(values), len(ordered))
    while (searching := start < end).any():
        middle = np.where(searching, (start + end) // 2, 0)
        below = ordered[middle] > values if where == "right" else ordered[middle] >= values
        start = np.where(searching & ~below, middle + 1, start)
        end = np.where(searching & below, middle, end)
    return start


def _sorter(sorter: Any, sequence: np.ndarray[Any, Any]) -> Any:
    if sorter is None:
        return None
    order = checked_array("searchsorted", sorter, "sorter", 3)
    if order.shape != sequence.shape:
        raise RuntimeError(
            named(
                "npg.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                f"{shape_text(sequence.shape)}and got sorter tensor {shape_text(order.shape)}"
            )
        )
    if order.dtype.char not in "lq":
        raise RuntimeError(
            named(f"npg.searchsorted(): sorter must be a tensor of long dtype but got dtype {scalar_name(order)}")
        )
    if order.size and (order.min() < 0 or order.max() >= sequence.shape[-1]):
        raise RuntimeError(named("npg.searchsorted(): sorter index out of range"))
    return order


@public_function
@writes(_PLACES, looks=(), grad=False)
def bucketize(input: Any, boundaries: T, *, out_int32: bool = False, right: bool = False, out: Any = None) -> T:
    """Return the index of the interval between sorted boundaries that holds each value, 0 below the first.

    Args:
        input: values, a tensor or number.
        boundaries: (n,), ascending.
        out_int32: return int32 instead of int64.
        right: a value equal to a boundary belongs to the interval above it.
    Returns: shape of input.
    Raises: RuntimeError: when boundaries is not 1-d.
    Source: torch.bucketize.
    """
    ndim = checked_array("bucketize", boundaries, "boundaries", 2).ndim
    if ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
