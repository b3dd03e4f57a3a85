"""Picking elements one by one: gather and scatter along a dimension, take and put in a flattened array, masks.

gather(x, index, dim)[i, j] is x[index[i, j], j] for dim = 0, and scatter writes where gather reads. The index may be
smaller than the input in the other dimensions. Indices must not be negative; reading and writing check that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from npg.kernels import blocks
from npg.kernels.buffers import scratch
from npg.kernels.limits import ADDED_SINGLY
from npg.kernels.meta import needs_data
from npg.kernels.moving import SMALL
from npg.kernels.sums import add_at
from npg.ops._broadcast import unbroadcast
from npg.ops._half import HALF
from npg.ops._kinds import ELEMENTWISE, Kind, flattened, linear, rank_of, reshaped, written
from npg.ops._op import Op, movement, primitive
from npg.ops.indexing import index_backward_batch, index_batch, index_put, index_put_batch, like_dtype, writing
from npg.ops.selection import mask as keep
from npg.ops.shape import as_batch, copied, overload

Array = np.ndarray[Any, Any]


# ----- Positions -----


def _checked(index: np.ndarray[Any, Any], dim: int, size: int) -> np.ndarray[Any, Any]:
    # Read as unsigned, a negative index is a very large one: one pass checks both bounds.
    if index.size and index.view(f"u{index.itemsize}").max() >= size:
        wrong = index[(index < 0) | (index >= size)].flat[0]
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")
    return index.astype(np.intp, copy=False)


def _parts(index: Array, shape: tuple[int, ...], dim: int) -> Iterator[tuple[slice, Array]]:
    """Yield slices of the first dimension of index, and for each the positions in a flattened array of this shape."""
    index = _checked(index, dim, shape[dim])
    height = max(1, blocks.BLOCK * len(index) // max(1, index.size))
    ahead = 0 if dim == 0 else math.prod(shape[1:])
    for start in range(0, len(index), height):
        part = slice(start, start + height)
        places = _places(index[part], shape, dim)
        yield part, places + start * ahead if start and ahead else places


def _places(index: np.ndarray[Any, Any], shape: tuple[int, ...], dim: int) -> np.ndarray[Any, Any]:
    """Return the positions in a flattened array of this shape; index has as many dimensions and was checked."""
    step = 1
    steps = [1] * len(shape)
    for d in reversed(range(len(shape))):
        steps[d] = step
        step *= shape[d]
    places = index if steps[dim] == 1 else index * steps[dim]
    offset: Any = 0
    for d, n in enumerate(index.shape):
        if d != dim and n > 1:
            offset = offset + (np.arange(n) * steps[d]).reshape((n,) + (1,) * (index.ndim - 1 - d))
    return places + offset


def _grid(index: np.ndarray[Any, Any], size: int, dim: int) -> tuple[Any, ...]:
    """Return the same positions as a NumPy index, for arrays that cannot be flattened without a copy."""
    grid = np.ogrid[tuple(slice(n) for n in index.shape)]
    return tuple(_checked(index, dim, size) if d == dim else g for d, g in enumerate(grid))


def _one_dimensional(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return x if x.ndim else x.reshape(1)


# ----- gather and scatter -----


def _batch(op: Op, xs: Any, batched: Any, size: int, /, *, dim: int, **settings: Any) -> Any:
    # The source may be a number.
    arrays = [not isinstance(x, (bool, int, float, np.generic)) for x in xs]
    if not all(rank_of(x, flag) for x, flag, is_array in zip(xs, batched, arrays, strict=True) if is_array):
        return NotImplemented
    parts = zip(xs, batched, arrays, strict=True)
    return op(*[as_batch(x, flag, size) if is_array else x for x, flag, is_array in parts], dim=dim + 1, **settings)


GATHER = Kind("gather", _batch, linear)
SCATTER, SCATTER_REDUCE = Kind("scatter", _batch, written), Kind("scatter_reduce", _batch)


@movement(
    lambda g, _y, x_like, index, *, dim: scatter_sum(g, index, shape=x_like.shape, dim=dim),
    None,
    kind=GATHER,
    tangent=linear,
)
def gather(input: Any, index: Any, *, dim: int) -> Any:
    """Return the elements of the input at index along a dimension, in the shape of index."""
    x, i = _one_dimensional(input), _one_dimensional(index)
    if x.flags.c_contiguous:  # flat positions need half the time of a grid
        flat, values = x.reshape(-1), np.empty(i.shape, x.dtype)
        for part, places in _parts(i, x.shape, dim):
            flat.take(places, out=values[part], mode="clip")  # checked already; "raise" would buffer the output
    else:
        values = x[_grid(i, x.shape[dim], dim)]
    return values.reshape(index.shape)


@primitive(lambda g, _y, _src, index, *, shape, dim, distinct=False: gather(g, index, dim=dim), None, aten=None)
def scatter_sum(input: Any, index: Any, *, shape: tuple[int, ...], dim: int, distinct: bool = False) -> Any:
    """Return zeros of a shape with the input added at index (no position twice if distinct): the adjoint of gather."""
    out = np.zeros(shape, input.dtype)
    return _write_into(out, index, input, dim=dim) if distinct else _add_into(out, index, input, dim=dim)


@scatter_sum.batch
def _scatter_sum_batch(op: Op, xs: Any, batched: Any, size: int, /, *, shape: tuple[int, ...], **params: Any) -> Any:
    return _batch(op, xs, batched, size, shape=(size, *shape), **params) if shape else NotImplemented


def _write_into(input: Array, index: Array, src: Any, *, dim: int) -> Array:
    x, i = _one_dimensional(input), _one_dimensional(index)
    src = src.reshape(i.shape) if isinstance(src, np.ndarray) and src.ndim != i.ndim and src.ndim == 0 else src
    if x.flags.c_contiguous:
        flat, values = x.reshape(-1), np.broadcast_to(src, i.shape)
        for part, places in _parts(i, x.shape, dim):
            flat[places] = values[part]
    else:
        x[_grid(i, x.shape[dim], dim)] = src
    return input


def _accumulate(ufunc: Any, x: Array, index: Array, src: Array, dim: int) -> None:
    """Combine the elements of src one by one with those of x at index, by ufunc.at."""
    if x.flags.c_contiguous:
        # ufunc.at has a fast loop only for one-dimensional arrays.
        if ufunc is np.add and index.size > 2 * ADDED_SINGLY * x.size:
            places = _places(_checked(index, dim, x.shape[dim]), x.shape, dim).reshape(-1)
            add_at(x.reshape(-1, 1), places, src.reshape(-1, 1))
            return
        for part, places in _parts(index, x.shape, dim):
            ufunc.at(x.reshape(-1), places.reshape(-1), np.ascontiguousarray(src[part]).reshape(-1))
    elif ufunc is np.add:
        y = np.ascontiguousarray(x)
        _accumulate(ufunc, y, index, src, dim)
        x[...] = y
    else:
        ufunc.at(x, _grid(index, x.shape[dim], dim), src)


def _add_into(input: Array, index: Array, src: Any, *, dim: int) -> Array:
    index = _one_dimensional(index)
    _accumulate(np.add, _one_dimensional(input), index, np.broadcast_to(src, index.shape), dim)
    return input


def _scatter_src_rule(g: Any, _y: Any, _x: Any, index: Any, src_like: Any, *, dim: int) -> Any:
    return unbroadcast(gather(g, index, dim=dim), src_like.shape)


@movement(lambda g, _y, _x, index, _src, *, dim: scatter(g, index, 0.0, dim=dim), None, _scatter_src_rule, kind=SCATTER)
def scatter(input: Any, index: Any, src: Any, *, dim: int) -> Any:
    """Return a copy of the input with src (an array of the shape of index, or a number) written at index."""
    return _write_into(np.array(input, order="C"), index, src, dim=dim)


@primitive(lambda g, _y, _x, _index, _src, *, dim: g, None, _scatter_src_rule, kind=SCATTER)
def scatter_add(input: Any, index: Any, src: Any, *, dim: int) -> Any:
    """Return a copy of the input with src added at index."""
    return _add_into(np.array(input, order="C"), index, src, dim=dim)


scatter_into = writing(scatter, _write_into)
scatter_value, scatter_value_into = (overload(op, "ScatterBackward1") for op in (scatter, scatter_into))
scatter_add_into = writing(scatter_add, _add_into)


# ----- scatter_reduce -----

_REDUCE = {"sum": np.add, "mean": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def _identity(reduce: str, dtype: np.dtype[Any]) -> Any:
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind == "f":
        return -np.inf if reduce == "amax" else np.inf
    if dtype.kind == "b":
        return reduce == "amin"
    return np.iinfo(dtype).min if reduce == "amax" else np.iinfo(dtype).max


def _count(like: Any, index: Any, dim: int, include_self: bool) -> Any:
    """Return the number of elements reduced at each position, 1 where there are none; dtype of `like`."""
    ones = np.ones(index.shape, like.dtype)
    if include_self:
        return scatter_add(np.ones(like.shape, like.dtype), index, ones, dim=dim)
    counts = scatter_sum(ones, index, shape=like.shape, dim=dim)
    return counts + like_dtype(counts == 0, like.dtype)


@primitive(node="ScatterReduce", kind=SCATTER_REDUCE)
def scatter_reduce(input: Any, index: Any, src: Any, *, dim: int, reduce: str, include_self: bool) -> Any:
    """Return a copy of the input, each element reduced together with the elements of src that index sends there."""
    out = np.array(input, order="C")
    if not include_self:
        _write_into(out, index, _identity(reduce, out.dtype), dim=dim)
    i = _one_dimensional(index)
    _accumulate(_REDUCE[reduce], _one_dimensional(out), i, src.reshape(i.shape), dim)
    if reduce == "mean":
        counts = _count(input, index, dim, include_self)
        if out.dtype.kind == "f":
            out /= counts
        else:
            out //= counts
    return out


@scatter_reduce.vjp
def _scatter_reduce_rule(
    g: Any, y: Any, x: Any, index: Any, src: Any, *, needs: tuple[bool, ...], dim: int, reduce: str, include_self: bool
) -> tuple[Any, ...]:
    """sum: g; mean: g / count; amax, amin: g shared by elements equal to the extreme; prod: g times the others."""
    if reduce == "sum":
        gx, gsrc = g, gather(g, index, dim=dim)
    elif reduce == "mean":
        g = g / _count(x, index, dim, include_self)
        gx, gsrc = g, gather(g, index, dim=dim)
    elif reduce == "prod":
        gx, gsrc = _prod_rule(g, y, x, index, src, dim, include_self)
    else:
        x_hit = like_dtype(x == y, g.dtype)
        if not include_self:
            x_hit = scatter(x_hit, index, 0.0, dim=dim)
        src_hit = like_dtype(src == gather(y, index, dim=dim), g.dtype)
        shared = g / scatter_add(x_hit, index, src_hit, dim=dim)
        gx, gsrc = x_hit * shared, src_hit * gather(shared, index, dim=dim)
    if not include_self:
        gx = scatter(gx, index, 0.0, dim=dim)
    return gx, None, gsrc


def _prod_rule(g: Any, y: Any, x: Any, index: Any, src: Any, dim: int, include_self: bool) -> tuple[Any, Any]:
    """Return g times the product of all other factors, which is y / factor unless that is 0."""
    settings = {"dim": dim, "reduce": "prod", "include_self": include_self}
    x_zero, src_zero = x == 0, src == 0
    nonzero = masked_fill(x, x_zero, 1.0)
    gx = g * scatter_reduce(nonzero, index, src, **settings) / nonzero
    # Where one zero of src is sent to a position, only that zero gets a gradient from it: the product of the others.
    zeros = like_dtype(src_zero, g.dtype)
    count = scatter_sum(zeros, index, shape=g.shape, dim=dim)
    alone = src_zero & (gather(count, index, dim=dim) == 1)
    others = scatter_reduce(x, index, masked_fill(src, alone, 1.0), **settings)
    nonzero = masked_fill(src, src_zero, 1.0)
    gsrc = np.where(alone, gather(g * others, index, dim=dim), gather(g * y, index, dim=dim) / nonzero)
    return gx, gsrc


# ----- take and put: positions in the flattened array -----


def _flat_index(index: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """Return the indices with negative ones wrapped around."""
    if index.size:
        low, high = int(index.min()), int(index.max())
        if low < -size or high >= size:
            wrong = index[(index < -size) | (index >= size)].flat[0]
            raise IndexError(f"out of range: tried to access index {wrong} on a tensor of {size} elements.")
        if low < 0:
            index = np.where(index < 0, index + size, index)
    return index


@movement(lambda g, _y, x_like, index: take_backward(g, index, shape=x_like.shape), None, tangent=linear)
def take(input: Any, index: Any) -> Any:
    """Return the elements at these positions of the flattened input, in the shape of index."""
    if not input.size and index.size:
        raise IndexError("take(): tried to take from an empty tensor")
    return np.asarray(input.take(_flat_index(index, input.size)))


# A rule that reads or writes by an index of all examples would not say which index is wrong: the loop does.


@take.batch
def _take_batch(op: Op, xs: Any, batched: Any, size: int, /) -> Any:
    x, index = xs
    x = flattened(x) if batched[0] else reshaped(x, (math.prod(x.shape),))
    try:
        return index_batch(op, (x, index), batched, size, at=(0,))
    except IndexError:
        return NotImplemented


@primitive(lambda g, _y, _x, index, *, shape: take(g, index), None, aten=None)
def take_backward(input: Any, index: Any, *, shape: tuple[int, ...]) -> Any:
    """Return zeros of a shape with the input added at flat positions: the adjoint of take."""
    out = np.zeros(shape, input.dtype)
    add_at(out.reshape(-1, 1), _flat_index(index, out.size).reshape(-1), input.reshape(-1, 1))
    return out


@take_backward.batch
def _take_backward_batch(op: Op, xs: Any, batched: Any, size: int, /, *, shape: tuple[int, ...]) -> Any:
    return reshaped(index_backward_batch(op, xs, batched, size, shape=(math.prod(shape),), at=(0,)), (size, *shape))


def _put_into(input: Array, index: Array, source: Any, *, accumulate: bool) -> Array:
    flat = input.reshape(-1)
    places = _flat_index(index, flat.size).reshape(-1)
    if accumulate and input.dtype == HALF:
        flat = flat.astype(np.float32)  # values are accumulated in float32
    if accumulate:
        add_at(flat.reshape(-1, 1), places, np.broadcast_to(source, index.shape).reshape(-1, 1))
    else:
        flat[places] = source.reshape(-1) if isinstance(source, np.ndarray) else source
    if not np.shares_memory(flat, input):
        input[...] = flat.reshape(input.shape)
    return input


@movement(
    lambda g, _y, _x, index, _source, *, accumulate: g if accumulate else put(g, index, 0.0, accumulate=False),
    None,
    lambda g, _y, _x, index, source_like, *, accumulate: np.reshape(take(g, index), source_like.shape),
    tangent=written,
)
def put(input: Any, index: Any, source: Any, *, accumulate: bool) -> Any:
    """Return a copy of the input with source written (or added) at positions of the flattened array."""
    return _put_into(copied(input, input.dtype), index, source, accumulate=accumulate)


@put.batch
def _put_batch(op: Op, xs: Any, batched: Any, size: int, /, *, accumulate: bool) -> Any:
    x, index, source = xs
    x = as_batch(x, batched[0], size)
    if hasattr(source, "shape"):
        sizes = tuple(index.shape[1:] if batched[1] else index.shape)
        source = reshaped(source, (size, *sizes) if batched[2] else sizes)
    flags = (True, batched[2], batched[1])
    try:
        y = index_put_batch(index_put, (flattened(x), source, index), flags, size, at=(0,), accumulate=accumulate)
    except IndexError:
        return NotImplemented
    return reshaped(y, tuple(x.shape))


put_into = writing(put, _put_into)


# ----- Masks -----


def _masked_fill_into(input: Array, mask: Array, value: Any) -> Array:
    np.copyto(input, value, where=mask, casting="unsafe")
    return input


@movement(
    lambda g, _y, _x, mask, _value: masked_fill(g, mask, 0.0),
    None,
    lambda g, _y, _x, mask, value_like: like_dtype(unbroadcast(keep(g, mask), ()), value_like.dtype),
    broadcasts=True,
    kind=ELEMENTWISE,
)
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """Return the input with value (a number or 0-d array) where the mask is True; mask and input broadcast."""
    if input.shape != mask.shape:
        # Masks that broadcast are those of padding and causality: long runs of ones and zeros, which copy fast.
        shape = np.broadcast_shapes(input.shape, mask.shape)
        return _masked_fill_into(np.array(np.broadcast_to(input, shape), order="C"), mask, value)
    if input.dtype.kind != "f" or input.size <= SMALL:
        return _masked_fill_into(np.array(input, order="C"), mask, value)
    # By bits, x ^ ((x ^ value) & mask): copying would branch on every element.
    integer = np.dtype(f"i{input.dtype.itemsize}")
    bits = scratch(0, mask.shape, integer)
    np.copyto(bits, mask.view(np.int8))
    np.negative(bits, out=bits)  # all ones where the mask is True
    input_bits = input.view(integer)
    out = np.bitwise_xor(input_bits, np.asarray(value, input.dtype).view(integer), order="C")
    out &= bits
    out ^= input_bits
    return out.view(input.dtype)


masked_fill_into = writing(masked_fill, _masked_fill_into)
# Where the value is a tensor.
masked_fill_tensor, masked_fill_tensor_into = (
    overload(op, "MaskedFillBackward1") for op in (masked_fill, masked_fill_into)
)


@movement(
    lambda g, _y, x_like, mask: unbroadcast(
        masked_put(g, mask, shape=np.broadcast_shapes(x_like.shape, mask.shape)), x_like.shape
    ),
    None,
    tangent=linear,
)
def masked_select(input: Any, mask: Any) -> Any:
    """Return the elements of the input where the mask is True, one-dimensional; mask and input broadcast."""
    if input.shape != mask.shape:
        input, mask = np.broadcast_arrays(input, mask)
    return input[mask] if input.ndim else input.reshape(1)[mask.reshape(1)]


@masked_select.shape
def _masked_shape(input: Any, mask: Any) -> tuple[int, ...]:
    needs_data("masked_select", input, mask)
    return ()


@movement(lambda g, _y, _x, mask, *, shape: masked_select(g, mask), None, aten=None)
def masked_put(input: Any, mask: Any, *, shape: tuple[int, ...]) -> Any:
    """Return zeros of a shape with the elements of the input where the mask is True: the adjoint of masked_select."""
    out = np.zeros(shape, input.dtype)
    out[np.broadcast_to(mask, shape)] = input
    return out


def _masked_scatter_into(input: Array, mask: Array, source: Array) -> Array:
    mask = np.broadcast_to(mask, input.shape)
    count = int(np.count_nonzero(mask))
    if count > source.size:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    input[mask] = source.reshape(-1)[:count]
    return input


@movement(
    lambda g, _y, x_like, mask, _source: unbroadcast(masked_fill(g, mask, 0.0), x_like.shape),
    None,
    lambda g, _y, _x, mask, source_like: padded(masked_select(g, mask), shape=source_like.shape),
    tangent=written,
)
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """Return the input with the first elements of source where the mask is True, in order; mask and input broadcast."""
    return _masked_scatter_into(
        np.broadcast_to(input, np.broadcast_shapes(input.shape, mask.shape)).copy(), mask, source
    )


masked_scatter_into = writing(masked_scatter, _masked_scatter_into)


@movement(lambda g, _y, x_like, *, shape: np.reshape(g, -1)[: x_like.shape[0]], aten=None)
def padded(input: Any, *, shape: tuple[int, ...]) -> Any:
    """Return an array of this shape that begins with the elements of the one-dimensional input; the rest is zero."""
    out = np.zeros(shape, input.dtype)
    out.reshape(-1)[: input.size] = input
    return out
