"""Reading and writing of single elements: by index along a dimension, or at positions of the flattened tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _errors
from npg._errors import OUT_DTYPE, warn
from npg._naming import named
from npg._words import scalar_name, shape_text, type_name
from npg.engine import TensorBase, apply, apply_in_place, array_of
from npg.engine._arguments import is_number
from npg.functional._arguments import broadcast, checked_array, dim_index, without
from npg.functional._factory import fill_number
from npg.functional._index import refuse_meeting
from npg.functional._public import public_function, writes
from npg.functional._types import T
from npg.ops import indexing as rows, scatter as ops, shape

# ----- gather and scatter -----


def _check_index(name: str, x: Any, index: Any, dim: Any, other: str) -> tuple[Any, Any, int]:
    """Return the arrays of x and index, and dim as a non-negative index, for gather and scatter."""
    array, places = checked_array(name, x), checked_array(name, index, "index", 3)
    dim = dim_index(name, dim, array.ndim)
    if not places.size:
        return array, places, dim
    if places.dtype.char not in "lqi":
        raise RuntimeError(f"{name.removesuffix('_')}(): Expected dtype int32/int64 for index")
    if max(places.ndim, 1) != max(array.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {other} tensor")
    return array, places, dim


@public_function
@writes(OUT_DTYPE, apart=("input",))
def gather(input: T, dim: Any, index: Any, *, sparse_grad: bool = False, out: Any = None) -> T:
    """Return the elements of input at these indices along a dimension.

    out[i, j] = input[index[i, j], j] for dim = 0, input[i, index[i, j]] for dim = 1, and so on.

    Args:
        input: any shape and dtype.
        dim: the dimension that index refers to.
        index: int64 or int32, as many dimensions as input, no larger than it except in dim.
        sparse_grad: ignored.
    Returns: shape of index, dtype of input.
    Raises: RuntimeError: when the shapes do not fit or an index is negative or out of range.
    Source: torch.gather.
    """
    array, places, dim = _check_index("gather", input, index, dim, "input")
    if not places.size:
        flat = apply(shape.reshape, (input,), {"shape": (-1,)})
        return apply(rows.index, (flat, places.astype(np.intp)), {"at": (0,)})
    if array.ndim:
        for d, (n, m) in enumerate(zip(places.shape, array.shape)):
            if d != dim and n > m:
                raise RuntimeError(
                    f"Size does not match at dimension {d} expected index {shape_text(places.shape)} to be no larger "
                    f"than self {shape_text(array.shape)} apart from dimension {dim}"
                )
    return apply(ops.gather, (input, index), {"dim": dim})


def _scatter_arguments(name: str, x: Any, dim: Any, index: Any, src: Any) -> tuple[Any, Any, int]:
    """Return (index, src cut to its shape or a number, dim); an empty index gets input's number of dimensions."""
    array, places, dim = _check_index(name, x, index, dim, "self")
    if isinstance(src, (TensorBase, np.ndarray)):
        source = array_of(src)
        if source.dtype != array.dtype:
            raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
        if places.size and max(source.ndim, 1) != max(places.ndim, 1):
            raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    elif is_number(src):
        source = None
        src = fill_number(src.item() if isinstance(src, np.generic) else src, array.dtype)
    else:
        raise TypeError(_errors.NOT_A_TENSOR.format(name=name, argument="src", position=3, kind=type_name(src)))
    if not places.size:
        empty_shape = (0,) * max(array.ndim, 1)
        if not isinstance(src, np.generic):
            empty = apply(rows.getitem, (src,), {"index": (None,) * (source.ndim == 0) + (slice(0),)})
            src = apply(shape.reshape, (empty,), {"shape": empty_shape})
        return np.empty(empty_shape, np.int64), src, dim
    own, index_shape = array.shape or (1,), places.shape or (1,)
    sizes = index_shape if source is None else source.shape or (1,)
    if any(n > m and d != dim for d, (n, m) in enumerate(zip(index_shape, own))) or any(
        n > m for n, m in zip(index_shape, sizes)
    ):
        tail = "" if source is None else f" and to be no larger size than src {shape_text(source.shape)}"
        raise RuntimeError(
            f"Expected index {shape_text(places.shape)} to be no larger than self {shape_text(array.shape)} apart from "
            f"dimension {dim}{tail}"
        )
    if source is not None and sizes != index_shape:
        src = apply(rows.getitem, (src,), {"index": tuple(slice(n) for n in index_shape)})
    if source is not None and source.ndim != places.ndim:
        src = apply(shape.reshape, (src,), {"shape": places.shape})
    return index, src, dim


_BY_VALUE = {ops.scatter: ops.scatter_value, ops.scatter_into: ops.scatter_value_into}


def _scattered(name: str, op: Any, x: Any, dim: Any, index: Any, src: Any, **settings: Any) -> Any:
    index, src, dim = _scatter_arguments(name, x, dim, index, src)
    in_place = name.endswith("_")
    if isinstance(src, np.generic):
        if op in _BY_VALUE:
            op = _BY_VALUE[op]
        else:
            src = np.full(array_of(index).shape, src)
    if in_place:
        refuse_meeting(x._array, (array_of(index), array_of(src)))
    return (apply_in_place if in_place else apply)(op, (x, index, src), {"dim": dim, **settings})


def _with_reduce(name: str, input: Any, dim: Any, index: Any, src: Any, value: Any, reduce: Any) -> Any:
    src = value if src is None else src
    in_place = name.endswith("_")
    if reduce is None:
        return _scattered(name, ops.scatter_into if in_place else ops.scatter, input, dim, index, src)
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if isinstance(src, (TensorBase, np.ndarray)):
        warn(
            "The reduce argument of npg.scatter with Tensor src is deprecated and will be removed in a future PyTorch "
            "release. Use npg.scatter_reduce instead for more reduction options."
        )
    if reduce == "add":
        return _scattered(name, ops.scatter_add_into if in_place else ops.scatter_add, input, dim, index, src)
    return _scattered(name, ops.scatter_reduce, input, dim, index, src, reduce="prod", include_self=True)


@public_function
@writes(OUT_DTYPE, apart=("index", "src"))
def scatter(
    input: T, dim: Any, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None, out: Any = None
) -> T:
    """Return a copy of input with src written at these indices; see scatter_."""
    return _with_reduce("scatter", input, dim, index, src, value, reduce)


@public_function
def scatter_(input: T, dim: Any, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> T:
    """Write src into input, in place, at these indices along a dimension.

    input[index[i, j], j] = src[i, j] for dim = 0, input[i, index[i, j]] = src[i, j] for dim = 1, and so on.

    Args:
        input: any shape and dtype.
        dim: the dimension that index refers to.
        index: int64 or int32, as many dimensions as input, no larger than it except in dim, nor than src.
        src: tensor of the dtype of input, or a number.
        value: the number, by keyword.
        reduce: "add" or "multiply": combine with the elements of input.
    Returns: input.
    Raises: RuntimeError: when shapes or dtypes do not fit or an index is out of range.
    Source: torch.Tensor.scatter_. With reduce="multiply" the gradient is that of scatter_reduce; PyTorch has none.
    """
    return _with_reduce("scatter_", input, dim, index, src, value, reduce)


@public_function
@writes(OUT_DTYPE, apart=("index", "src"))
def scatter_add(input: T, dim: Any, index: Any, src: Any, *, out: Any = None) -> T:
    """Return a copy of input with src added at these indices along a dimension; repeated indices accumulate.

    Args, Raises: as scatter_.
    Source: torch.scatter_add.
    """
    checked_array("scatter_add", src, "src", 4)
    return _scattered("scatter_add", ops.scatter_add, input, dim, index, src)


@public_function
def scatter_add_(input: T, dim: Any, index: Any, src: Any) -> T:
    """Add src to input, in place, at these indices; see scatter_add."""
    checked_array("scatter_add_", src, "src", 3)
    return _scattered("scatter_add_", ops.scatter_add_into, input, dim, index, src)


def _reduced(name: str, input: Any, dim: Any, index: Any, src: Any, reduce: Any, include_self: bool) -> Any:
    checked_array(name, src, "src", 4)
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    settings = {"reduce": reduce, "include_self": bool(include_self)}
    return _scattered(name, ops.scatter_reduce, input, dim, index, src, **settings)


@public_function
@writes(OUT_DTYPE, apart=("index", "src"))
def scatter_reduce(
    input: T, dim: Any, index: Any, src: Any, reduce: str, *, include_self: bool = True, out: Any = None
) -> T:
    """Return a copy of input with each element reduced together with the elements of src at its index.

    Args:
        input, dim, index, src: as for scatter_.
        reduce: "sum", "prod", "mean", "amax" or "amin".
        include_self: whether the elements of input take part in the reduction.
    Raises: RuntimeError: when shapes or dtypes do not fit, an index is out of range, or reduce is none of these.
    Source: torch.scatter_reduce.
    """
    return _reduced("scatter_reduce", input, dim, index, src, reduce, include_self)


@public_function
def scatter_reduce_(input: T, dim: Any, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> T:
    """Reduce src into input, in place; see scatter_reduce."""
    return _reduced("scatter_reduce_", input, dim, index, src, reduce, include_self)


# ----- Flat positions -----


@public_function
@writes(
    "take(): self and out expected to have the same dtype, but got self.dtype = {result} and out.dtype = {wanted}",
    apart=("input", "index"),
)
def take(input: T, index: Any, *, out: Any = None) -> T:
    """Return the elements at these positions of the flattened input.

    Args:
        input: any shape and dtype.
        index: int64, any shape; negative ones count from the end.
    Returns: shape of index.
    Raises: IndexError: when an index is out of range. RuntimeError: for another dtype of index.
    Source: torch.take.
    """
    checked_array("take", input)
    places = checked_array("take", index, "index", 2)
    if places.dtype.char not in "lq":
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {scalar_name(places)}")
    return apply(ops.take, (input, index), {})


def _put(name: str, input: Any, index: Any, source: Any, accumulate: bool) -> Any:
    array, places, values = (
        checked_array(name, input),
        checked_array(name, index, "index", 2),
        checked_array(name, source, "source", 3),
    )
    if places.dtype.char not in "lq":
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {scalar_name(places)}")
    if values.dtype != array.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {scalar_name(array)} and "
            f"source.dtype = {scalar_name(values)}"
        )
    if values.size != places.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{values.size}, index.numel() = {places.size}"
        )
    if values.shape != places.shape:
        source = apply(shape.reshape, (source,), {"shape": places.shape})
    settings = {"accumulate": bool(accumulate)}
    if name.endswith("_"):
        refuse_meeting(array, (places, values))
        return apply_in_place(ops.put_into, (input, index, source), settings)
    return apply(ops.put, (input, index, source), settings)


@public_function
def put_(input: T, index: Any, source: Any, accumulate: bool = False) -> T:
    """Write source to these positions of the flattened input, in place.

    Args:
        input: any shape and dtype.
        index: int64, any shape; negative ones count from the end.
        source: dtype of input, as many elements as index.
        accumulate: add instead.
    Returns: input.
    Raises: IndexError: when an index is out of range or the numbers of elements differ. RuntimeError: for other dtypes.
    Source: torch.Tensor.put_.
    """
    return _put("put_", input, index, source, accumulate)


@public_function
def put(input: T, index: Any, source: Any, accumulate: bool = False) -> T:
    """Return a copy of input with source written to positions of the flattened input; see put_."""
    return _put("put", input, index, source, accumulate)


@public_function
@writes(OUT_DTYPE, apart=("input",))
def take_along_dim(input: T, indices: Any, dim: Any = None, *, out: Any = None) -> T:
    """Return the elements of input at these indices along a dimension, as np.take_along_axis.

    Args:
        input: any shape and dtype.
        indices: int64, as many dimensions as input, broadcast except in dim; negative ones count from the end.
        dim: None flattens both.
    Raises: RuntimeError: for another dtype or number of dimensions. IndexError: when an index is out of range.
    Source: torch.take_along_dim, which takes an index out of range modulo the size.
    """
    array, places = checked_array("take_along_dim", input), checked_array("take_along_dim", indices, "indices", 2)
    if places.dtype.char not in "lq":
        raise RuntimeError(
            named(f"npg.take_along_dim(): dtype of indices should be Long but got {scalar_name(places)}")
        )
    if dim is None:
        return apply(ops.take, (input, apply(shape.reshape, (indices,), {"shape": (-1,)})), {})
    if array.ndim != places.ndim:
        raise RuntimeError(
            named(
                "npg.take_along_dim(): input and indices should have the same number of dimensions, but got "
                f"{array.ndim} dimensions for input, and {places.ndim} dimensions for indices"
            )
        )
    if array.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    dim = dim_index("take_along_dim", dim, array.ndim)
    size = array.shape[dim]
    if places.size and (places.min() < -size or places.max() >= size):
        invalid = places[(places < -size) | (places >= size)].flat[0]
        raise IndexError(f"index {invalid} is out of bounds for dimension {dim} with size {size}")
    sizes = broadcast(without(places.shape, dim), without(array.shape, dim))
    wide = (*sizes[:dim], size, *sizes[dim:])
    if wide != array.shape:
        input = apply(shape.expand, (input,), {"shape": wide})
    wide = (*sizes[:dim], places.shape[dim], *sizes[dim:])
    # A copy with non-negative indices, as gather requires.
    return apply(ops.gather, (input, np.where(places < 0, places + size, np.broadcast_to(places, wide))), {"dim": dim})
