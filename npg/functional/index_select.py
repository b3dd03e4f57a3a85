"""Slices along a dimension, selected by a vector of indices: read, added to, copied, filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._errors import OUT_DTYPE
from npg._words import scalar_name, shape_text
from npg.engine import apply, apply_in_place, array_of
from npg.functional._arguments import checked_array, dim_index, without
from npg.functional._factory import fill_number, fill_value
from npg.functional._index import explained, refuse_meeting
from npg.functional._public import public_function, writes
from npg.functional._types import T
from npg.ops import indexing as ops, shape
from npg.ops.elementwise import mul


def _lined(x: Any) -> Any:
    """Return x, or a one-dimensional view of a 0-d x."""
    return x if array_of(x).ndim else apply(shape.reshape, (x,), {"shape": (1,)})


def _inside(index: np.ndarray[Any, Any], size: int) -> Any:
    """Return the first index that is negative or too large; None if all are valid."""
    if index.size and index.view(f"u{index.itemsize}").max() >= size:
        return index[(index < 0) | (index >= size)].flat[0]
    return None


@public_function
@writes("index_select(): self and result must have the same scalar type", apart=("input", "index"))
def index_select(input: T, dim: Any, index: Any, *, out: Any = None) -> T:
    """Return the slices of input at these indices of a dimension, in their order.

    Args:
        input: any shape and dtype.
        dim: the dimension that index refers to.
        index: 0-d or 1-d, int64 or int32, not negative.
    Returns: shape of input with the size of dim replaced by that of index; a copy.
    Raises: IndexError: when index is no vector or out of range. RuntimeError: for another dtype.
    Source: torch.index_select.
    """
    array, places = checked_array("index_select", input), checked_array("index_select", index, "index", 3)
    dim = dim_index("index_select", dim, array.ndim)
    if places.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if places.dtype.char not in "lqi":
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not array.ndim and places.size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {places.size} value(s)")
    if places.size and array.ndim and not array.shape[dim]:
        raise RuntimeError("index_select(): self indexing axis dim should be positive")
    if _inside(places, array.shape[dim] if array.ndim else 1) is not None:
        raise IndexError("index out of range in self")
    slices = apply(ops.index_select, (_lined(input), _lined(index)), {"at": (dim,)})
    return slices if array.ndim else apply(shape.reshape, (slices,), {"shape": ()})


def _indexed(op: Any, into: Any, in_place: bool, x: Any, index: Any, source: Any, dim: int, accumulate: bool) -> Any:
    """Apply an op of the index_put family to slices along one dimension; a 0-d tensor counts as one of size 1."""
    settings = {"at": (dim,), "accumulate": accumulate}
    inputs = (_lined(x), source, _lined(index))
    if not in_place:
        result = apply(op, inputs, settings)
        return result if array_of(x).ndim else apply(shape.reshape, (result,), {"shape": ()})
    refuse_meeting(array_of(x), (array_of(source) if array_of(source).ndim else None, array_of(index)))
    apply_in_place(into, inputs, settings)
    return x


def _index_add(name: str, input: Any, dim: Any, index: Any, source: Any, alpha: Any) -> Any:
    array, places, values = (
        checked_array(name, input),
        checked_array(name, index, "index", 3),
        checked_array(name, source, "source", 4),
    )
    dim = dim_index(name, dim, array.ndim)
    if places.ndim > 1:
        raise IndexError(
            f"index_add_(): Index is supposed to be a vector, but got dim: {places.ndim} with type: "
            f"{scalar_name(places)} and size: {shape_text(places.shape)}"
        )
    if places.dtype.char not in "lqi":
        raise RuntimeError(f"index_add_(): Expected dtype int32/int64 for index but got: {scalar_name(places)}")
    if values.dtype != array.dtype:
        raise RuntimeError(
            f"index_add_(): self ({scalar_name(array)}) and source ({scalar_name(values)}) must have the same scalar "
            "type"
        )
    size = values.shape[dim] if values.ndim > dim else 1
    if values.ndim == array.ndim and places.size != size:
        raise RuntimeError(
            f"index_add_(): Number of indices ({places.size}) should be equal to source.size(dim): ({size}), for "
            f"dim: {dim}"
        )
    if (values.ndim != array.ndim and array.ndim > 1) or without(values.shape, dim) != without(array.shape, dim):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{shape_text(array.shape)} source.shape = {shape_text(values.shape)}"
        )
    invalid = _inside(places, array.shape[dim] if array.ndim else 1)
    if invalid is not None:
        if array.ndim < 2 or places.itemsize == 4:  # PyTorch's other kernel
            raise IndexError("index out of range in self")
        raise RuntimeError(f"index {invalid} is out of bounds for dimension {dim} with size {array.shape[dim]}")
    if alpha != 1:
        factor = fill_number(alpha, array.dtype)
        source = apply(mul, (source, factor.item() if array.dtype.kind == "f" else factor), {})
    in_place = name.endswith("_")
    return _indexed(ops.index_add, ops.index_add_into, in_place, input, index, _lined(source), dim, True)


@public_function
@writes(OUT_DTYPE, apart=("index", "source"))
def index_add(input: T, dim: Any, index: Any, source: Any, *, alpha: Any = 1, out: Any = None) -> T:
    """Return input with alpha * source added to the slices at these indices; repeated indices accumulate.

    Args:
        input: any shape and dtype.
        dim: the dimension that index refers to.
        index: 0-d or 1-d, int64 or int32, not negative.
        source: dtype and shape of input, except that dim has the size of index.
        alpha: number.
    Raises: RuntimeError, IndexError: when dtypes, shapes or indices do not fit.
    Source: torch.index_add.
    """
    return _index_add("index_add", input, dim, index, source, alpha)


@public_function
def index_add_(input: T, dim: Any, index: Any, source: Any, *, alpha: Any = 1) -> T:
    """Add alpha * source to slices of input, in place; see index_add."""
    return _index_add("index_add_", input, dim, index, source, alpha)


def _index_copy(name: str, input: Any, dim: Any, index: Any, source: Any) -> Any:
    array, places, values = (
        checked_array(name, input),
        checked_array(name, index, "index", 3),
        checked_array(name, source, "source", 4),
    )
    dim = dim_index(name, dim, array.ndim)
    if places.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {places.ndim})")
    if values.ndim == 0 and places.size != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {places.size})")
    if values.ndim and array.ndim and values.ndim != array.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({values.ndim}), destination dimensionality ({array.ndim})"
        )
    if places.dtype.char not in "lq":
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {scalar_name(places)}")
    if values.dtype != array.dtype:
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {scalar_name(array)} "
            f"and (source) {scalar_name(values)}"
        )
    own, other = without(array.shape, dim), without(values.shape, dim)
    if own != other:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, own))} at dimension {dim} and source slice shape: {' '.join(map(str, other))} at "
            "dimension 0."
        )
    size = values.shape[dim] if values.ndim else 1
    if places.size != size:
        raise IndexError(
            f"index_copy_(): Number of indices ({places.size}) should be equal to source.size(dim) ({size})"
        )
    size = array.shape[dim] if array.ndim else 1
    invalid = _inside(places, size)
    if invalid is not None:
        raise IndexError(f"index_copy_(): index {invalid} is out of bounds for dimension {dim} with size {size}")
    in_place = name.endswith("_")
    return _indexed(ops.index_copy, ops.index_copy_into, in_place, input, index, _lined(source), dim, False)


@public_function
@writes(OUT_DTYPE, apart=("index", "source"))
def index_copy(input: T, dim: Any, index: Any, source: Any, *, out: Any = None) -> T:
    """Return input with the slices at these indices replaced by those of source; arguments as in index_add.

    Source: torch.index_copy.
    """
    return _index_copy("index_copy", input, dim, index, source)


@public_function
def index_copy_(input: T, dim: Any, index: Any, source: Any) -> T:
    """Copy slices of source into input, in place; see index_copy."""
    return _index_copy("index_copy_", input, dim, index, source)


def _index_fill(name: str, input: Any, dim: Any, index: Any, value: Any) -> Any:
    array, places = checked_array(name, input), checked_array(name, index, "index", 3)
    dim = dim_index(name, dim, array.ndim)
    value = fill_value("index_fill_", value, array.dtype)
    if places.dtype.char not in "lq":
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if places.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    in_place = name.endswith("_")
    try:
        return _indexed(ops.index_fill, ops.index_fill_into, in_place, input, index, value, dim, False)
    except IndexError as error:
        raise explained(error, array, index, (index,)) from None


@public_function
def index_fill(input: T, dim: Any, index: Any, value: Any, *, out: Any = None) -> T:
    """Return input with the slices at these indices (negative: from the end) filled with a number or 0-d tensor.

    Raises: IndexError: when an index is out of range or not int64. RuntimeError: when value is no number and not 0-d.
    Source: torch.index_fill.
    """
    return _index_fill("index_fill", input, dim, index, value)


@public_function
def index_fill_(input: T, dim: Any, index: Any, value: Any) -> T:
    """Fill slices of input, in place; see index_fill."""
    return _index_fill("index_fill_", input, dim, index, value)
