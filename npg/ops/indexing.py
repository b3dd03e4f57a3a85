"""Reading and writing parts of an array by index: basic indices are views, integer arrays and masks are copies.

npg/functional/indexing.py turns what users write in brackets into what these ops take: a *basic* index is a tuple for
NumPy; an *advanced* one is a list of integer arrays and `at`, the dimension that each of them indexes (or one boolean
mask of the leading dimensions, `at` = (0,)). Ints and None have been applied before, as a view, because PyTorch places
the dimensions of a result as if they were not there.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg.kernels import blocks
from npg.kernels.sums import add_at
from npg.ops._broadcast import unbroadcast
from npg.ops._half import HALF
from npg.ops._kinds import ASSIGNMENT, linear, moved, padded, rank_of, written
from npg.ops._op import Op, movement, primitive
from npg.ops.elementwise import cast, zeros
from npg.ops.shape import as_batch, c_order, copied, overload


def like_dtype(g: Any, dtype: np.dtype[Any]) -> Any:
    """Return g in this dtype; g itself where it already has it."""
    return g if g.dtype == dtype else cast(g, dtype=dtype)


def writing(op: Op, forward: Callable[..., Any]) -> Op:
    """Return a twin of the op whose forward writes into its first input and returns it.

    engine.apply_in_place then has nothing to copy. The rules must not need the old values of that input.
    """
    twin = copy.copy(op)
    twin.forward = forward
    return twin


# ----- Sums of rows -----


def add_rows(g: np.ndarray[Any, Any], index: np.ndarray[Any, Any], rows: int) -> np.ndarray[Any, Any]:
    """Return an array whose row r is the sum of the rows of g whose index is r.

    Args:
        g: (N, C). The rows, added in this order.
        index: (N,) integers from -rows to rows - 1.
        rows: V, the number of rows of the result.
    Returns: (V, C), dtype of g.
    Raises: IndexError: when an index is out of range.
    """
    out = np.zeros((rows, g.shape[1]), g.dtype)
    add_at(out, index, g)
    return out


# ----- Basic indices: views -----


@primitive(
    lambda g, _y, x_like, *, index: getitem_backward(g, shape=x_like.shape, index=index),
    view=True,
    node="Slice",
    tangent=linear,
    aten="slice",
)
def getitem(input: Any, *, index: Any) -> Any:
    """Return the view input[index]; the index holds ints, slices, None and Ellipsis only, and always gives an array."""
    return input[index]


@getitem.batch
def _getitem_batch(op: Op, xs: Any, batched: Any, size: int, /, *, index: Any) -> Any:
    return getitem(*xs, index=_in_examples(index))


def _in_examples(index: Any) -> tuple[Any, ...]:
    """Return the basic index into a batch for one into each example."""
    return (slice(None), *index) if type(index) is tuple else (slice(None), index)


# PyTorch applies the items of an index one by one; its node is named after the last.
getitem_select = overload(getitem, "SelectBackward0", aten="select")
getitem_unsqueeze = overload(getitem, "UnsqueezeBackward0", aten="unsqueeze")
getitem_alias = overload(getitem, "AliasBackward0", aten="alias")


@movement(lambda g, _y, _x, *, shape, index: getitem(g, index=index), tangent=linear, aten=None)
def getitem_backward(input: Any, *, shape: tuple[int, ...], index: Any) -> Any:
    """Return zeros of a shape with the input at a basic index: the adjoint of getitem."""
    out = np.zeros(shape, input.dtype)
    out[index] = input
    return out


@getitem_backward.batch
def _getitem_backward_batch(op: Op, xs: Any, batched: Any, size: int, /, *, shape: tuple[int, ...], index: Any) -> Any:
    return op(*xs, shape=(size, *shape), index=_in_examples(index))


def _source_rule(g: Any, _y: Any, _x: Any, source_like: Any) -> Any:
    return like_dtype(g, source_like.dtype)  # the engine sums it down


@movement(lambda g, _y, _x, _source: zeros(g), _source_rule, broadcasts=True, kind=ASSIGNMENT, aten="copy")
def assign(input: Any, source: Any) -> Any:
    """Return source in the shape and dtype of input: what `input.copy_(source)` leaves there."""
    source = np.asarray(source)
    if source.dtype != input.dtype:
        source = cast.forward(source, dtype=input.dtype)
    return source if source.shape == input.shape else np.broadcast_to(source, input.shape)


assign.node_name = "CopyBackwards"
# For a slice that is made only to be written to: the gradient of its old values is never needed.
assign_view = copy.copy(assign)
assign_view._saves = {}
assign_view._set_vjps((None, _source_rule))


# ----- Advanced indices: copies -----


def _key(indices: Any, at: tuple[int, ...]) -> tuple[Any, ...]:
    if len(at) == at[-1] + 1:
        return tuple(indices)
    key: list[Any] = [slice(None)] * (at[-1] + 1)
    for d, i in zip(at, indices, strict=True):
        key[d] = i
    return tuple(key)


def _read(input: np.ndarray[Any, Any], indices: Any, at: tuple[int, ...]) -> np.ndarray[Any, Any]:
    # Along one dimension take needs half the time of brackets, but it would copy an input with gaps.
    if len(at) == 1 and input.ndim > 1 and indices[0].dtype.kind != "b" and input.flags.c_contiguous:
        return input.take(indices[0], at[0])
    return input[_key(indices, at)]


def _wrapped(index: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    index = index.astype(np.intp, copy=False)
    if index.size:
        low, high = int(index.min()), int(index.max())
        if low < -size or high >= size:
            raise IndexError(f"index {low if low < -size else high} is out of bounds for axis 0 with size {size}")
        if low < 0:
            index = np.where(index < 0, index + size, index)
    return index


def _flatten(indices: Any, sizes: Any) -> np.ndarray[Any, Any]:
    """Return the integer arrays, broadcast, as flat positions in an array of these sizes; negative ones wrap around."""
    flat: Any = None
    for i, n in zip(indices, sizes, strict=True):
        i = _wrapped(i, n)
        flat = i if flat is None else flat * n + i
    return flat


def _as_rows(
    values: Any, flat: np.ndarray[Any, Any], at: tuple[int, ...], rest: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    """Return values, laid out as the result of indexing, as (number of indices, product of the other dimensions)."""
    b = flat.ndim
    adjacent = at[-1] - at[0] == len(at) - 1
    start = at[0] if adjacent else 0  # NumPy's and PyTorch's rule for where the dimensions of the indices go
    shape = rest[:start] + flat.shape + rest[start:]
    values = np.broadcast_to(values, shape)
    if start:
        values = np.moveaxis(values, range(start, start + b), range(b))
    columns = 1
    for n in rest:
        columns *= n
    return values.reshape(flat.size, columns)


def _add(out: np.ndarray[Any, Any], values: Any, indices: Any, at: tuple[int, ...]) -> None:
    """Add values at an advanced index of out; repeated indices accumulate."""
    if indices[0].dtype.kind == "b":  # a mask names every place once
        out[indices[0]] += values
        return
    k = len(at)
    moved = np.moveaxis(out, at, range(k))
    if 0 in moved.shape[k:]:
        return
    flat = _flatten(indices, moved.shape[:k])
    g = _as_rows(values, flat, at, moved.shape[k:])
    rows = 1
    for n in moved.shape[:k]:
        rows *= n
    if moved.flags.c_contiguous:
        add_at(moved.reshape(rows, g.shape[1]), flat.reshape(-1), g)
    else:
        moved += add_rows(g, flat.reshape(-1), rows).reshape(moved.shape)


@movement(tangent=linear)
def index(input: Any, *indices: Any, at: tuple[int, ...]) -> Any:
    """Return a copy of the input's elements at an advanced index."""
    return c_order(_read(input, indices, at))  # NumPy puts the indexed dimensions first in memory


@index.vjp
def _index_rule(g: Any, _y: Any, x_like: Any, *indices: Any, needs: tuple[bool, ...], at: tuple[int, ...]) -> Any:
    """gx = g, added at the places that were read."""
    return (index_backward(g, *indices, shape=x_like.shape, at=at), *(None for _ in indices))


@index.batch
def index_batch(op: Op, xs: Any, batched: Any, size: int, /, *, at: tuple[int, ...]) -> Any:
    """Return a batch of lookups by integer arrays in the adjacent dimensions `at`."""
    x, *indices = xs
    first, *others = batched
    placed = _places_in_batch(indices, others, size, at)
    if placed is None:
        return NotImplemented
    indices, dims = placed
    return index(x, *indices, at=dims) if first else index(x, *indices[1:], at=at)


def _places_in_batch(indices: Any, flags: Any, size: int, at: tuple[int, ...]) -> Any:
    """Return integer indices into a batch and the dimensions they index, for indices into each example.

    Returns: None where NumPy would not put the examples first.
    """
    if any(i.dtype.kind not in "iu" for i in indices) or at != tuple(range(at[0], at[0] + len(at))):
        return None
    if not any(flags):
        return indices, moved(at)
    if at[0]:
        return None
    rank = _rank_of_places(indices, flags)
    own = np.arange(size).reshape(size, *(1,) * rank)
    return [own, *[padded(i, rank) if flag else i for i, flag in zip(indices, flags, strict=True)]], (0, *moved(at))


def _rank_of_places(indices: Any, flags: Any) -> int:
    return max(rank_of(i, flag) for i, flag in zip(indices, flags, strict=True))


index_select = overload(index, "IndexSelectBackward0", aten="index_select")


@primitive(aten=None)
def index_backward(input: Any, *indices: Any, shape: tuple[int, ...], at: tuple[int, ...]) -> Any:
    """Return zeros of a shape with the input added at an advanced index: the adjoint of index."""
    first = indices[0]
    if first.dtype.kind == "b" or not input.size:  # nothing was read, so NumPy did not check the indices
        out = np.zeros(shape, input.dtype)
        if input.size:
            out[first] = input
        return out
    if at[0] and at[-1] - at[0] == len(at) - 1 and math.prod(shape) > 2 * blocks.BLOCK and shape[0] > 1:
        # A block of the leading dimension at a time: no second full array with the indexed dimensions first.
        result = np.empty(shape, input.dtype)
        height = max(1, blocks.BLOCK * shape[0] // result.size)
        for start in range(0, shape[0], height):
            part = result[start : start + height]
            part[...] = index_backward.forward(input[start : start + height], *indices, shape=part.shape, at=at)
        return result
    sizes = tuple(shape[d] for d in at)
    rest = tuple(n for d, n in enumerate(shape) if d not in at)
    flat = _flatten(indices, sizes)
    rows = 1
    for n in sizes:
        rows *= n
    out = np.zeros(sizes + rest, input.dtype)
    g = _as_rows(input, flat, at, rest)
    add_at(out.reshape(rows, g.shape[1]), flat.reshape(-1), g)
    return c_order(np.moveaxis(out, range(len(at)), at)) if at[0] or at[-1] != len(at) - 1 else out


@index_backward.vjp
def _index_backward_rule(
    g: Any, _y: Any, _x: Any, *indices: Any, needs: tuple[bool, ...], shape: tuple[int, ...], at: tuple[int, ...]
) -> Any:
    """gg = g, read at the places that were added to."""
    return (index(g, *indices, at=at), *(None for _ in indices))


@index_backward.batch
def index_backward_batch(
    op: Op, xs: Any, batched: Any, size: int, /, *, shape: tuple[int, ...], at: tuple[int, ...]
) -> Any:
    """Return a batch of arrays with the inputs added by integer arrays in the adjacent dimensions `at`."""
    placed = _places_in_batch(xs[1:], batched[1:], size, at)
    if placed is None:
        return NotImplemented
    indices, dims = placed
    return index_backward(as_batch(xs[0], batched[0], size), *indices, shape=(size, *shape), at=dims)


# ----- Writing at an advanced index -----


def _put_into(
    input: np.ndarray[Any, Any], values: Any, *indices: Any, at: tuple[int, ...], accumulate: bool
) -> np.ndarray[Any, Any]:
    if accumulate and input.dtype == HALF:  # accumulated in float32
        wide = input.astype(np.float32)
        _add(wide, values, indices, at)
        input[...] = wide
    elif accumulate:
        _add(input, values, indices, at)
    else:
        input[_key(indices, at)] = values
    return input


def _put_into_copy(input: Any, values: Any, *indices: Any, at: tuple[int, ...], accumulate: bool) -> Any:
    return _put_into(np.array(input, order="C"), values, *indices, at=at, accumulate=accumulate)


@movement(tangent=written)
def index_put(input: Any, values: Any, *indices: Any, at: tuple[int, ...], accumulate: bool) -> Any:
    """Return a copy of the input with values written (the last one wins) or added at an advanced index."""
    return _put_into(copied(input, input.dtype), values, *indices, at=at, accumulate=accumulate)


@index_put.vjp
def _index_put_rule(
    g: Any,
    _y: Any,
    _x: Any,
    values_like: Any,
    *indices: Any,
    needs: tuple[bool, ...],
    at: tuple[int, ...],
    accumulate: bool,
) -> Any:
    """gx = g, with zeros where values were written; gvalues = g at these places."""
    gx = gv = None
    if needs[0]:
        gx = g if accumulate else index_put(g, 0.0, *indices, at=at, accumulate=False)
    if needs[1]:
        gv = like_dtype(unbroadcast(index(g, *indices, at=at), values_like.shape), values_like.dtype)
    return (gx, gv, *(None for _ in indices))


@index_put.batch
def index_put_batch(op: Op, xs: Any, batched: Any, size: int, /, *, at: tuple[int, ...], accumulate: bool) -> Any:
    """Return a batch of arrays with values written by integer arrays in the adjacent dimensions `at`."""
    x, values, *indices = xs
    flags = batched[2:]
    rank = rank_of(x, batched[0]) - len(at) + _rank_of_places(indices, flags)  # of what the index reads
    placed = _places_in_batch(indices, flags, size, at)
    if placed is None or (batched[1] and rank_of(values, True) > rank):
        return NotImplemented
    values = padded(values, rank) if batched[1] else values
    indices, dims = placed
    return op(as_batch(x, batched[0], size), values, *indices, at=dims, accumulate=accumulate)


index_put_into = writing(index_put, _put_into)
in_order = writing(index_put, _put_into_copy)  # the results of PyTorch's index_add and index_copy are contiguous
index_add, index_add_into = (overload(op, "IndexAddBackward0", aten="index_add") for op in (in_order, index_put_into))
index_copy, index_copy_into = (
    overload(op, "IndexCopyBackward0", aten="index_copy") for op in (in_order, index_put_into)
)


@movement()
def index_fill(input: Any, value: Any, *indices: Any, at: tuple[int, ...], accumulate: bool) -> Any:
    """Return a copy of the input with one value written at an advanced index."""
    return _put_into(copied(input, input.dtype), value, *indices, at=at, accumulate=False)


@index_fill.vjp
def _index_fill_rule(
    g: Any, _y: Any, _x: Any, _value: Any, *indices: Any, needs: tuple[bool, ...], at: tuple[int, ...], accumulate: bool
) -> Any:
    """gx = g with zeros where the value was written; gvalue = the sum of g there, each place once."""
    gx = index_fill(g, 0.0, *indices, at=at, accumulate=False)
    return (gx, unbroadcast(g - gx, ()) if needs[1] else None, *(None for _ in indices))


@index_fill.batch
def _index_fill_batch(op: Op, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
    if batched[1]:  # the op takes one value
        return NotImplemented
    return index_put_batch(op, xs, batched, size, **params)


index_fill_into = writing(index_fill, _put_into)
