"""Sums that keep their digits, however many numbers are added and along whichever dimension: the one place for them.

np.add.reduce adds pairwise along the dimension whose elements are contiguous, and row after row along any other: after
10^6 rows of numbers near 1000 not one digit of a float32 sum is right. BLAS's products with ones, which take a third
of the time where rows are as long as those of a network, add in much the same way. Here rows are added in blocks, and
the sums of the blocks, which are few, in float64, so that no number is rounded more than some `ADDED_SINGLY` times.
How the work is cut depends on shapes and strides alone, and so do the bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg.kernels.buffers import constants
from npg.kernels.keys import keys
from npg.kernels.limits import ADDED_IN_A_RUN, ADDED_SINGLY, UNSHARED_VECTOR
from npg.kernels.openblas import SHARES
from npg.kernels.products import multiply

Array = np.ndarray[Any, Any]

_ROWS = ADDED_SINGLY // 2  # rows that are added one after the other, at most
_WIDE = 1024  # elements; shorter rows are merged, because NumPy's loop has a cost for each row
_SHORT = 32  # elements; shorter runs are added last
_LONG = 1 << 14  # elements
_TALL = 128  # rows up to which one product with ones keeps its digits: BLAS adds four at a time
_NARROW = 64  # columns; with more, a tile of npg/kernels/tiles.py has at most `_TALL` rows, and the tiles are added up
_PRODUCT = ADDED_SINGLY * UNSHARED_VECTOR  # elements of `ADDED_SINGLY` tiles
_SLAB = 1 << 20  # elements; for more, the sums of blocks would take much memory at once
_PLACES = 1 << 16  # elements whose positions are computed at a time
_HALF, _SINGLE, _DOUBLE = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
_reduce: Any = np.add.reduce  # NumPy's stubs allow no dtype of None

_ones_cache = constants()
_CACHED_LENGTH = 1 << 16  # longer rows are made each time, so that the memory held here is bounded


# ----- Sums of arrays of any layout -----


def add_up(x: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Return np.add.reduce(x, dim, keepdims=keepdim) for floating numbers.

    Args:
        x: any shape and layout, floating.
        dim: an int or a tuple of ints, not negative; None for all.
        keepdim: keep these dimensions, with size 1.
    Returns: the sums, in any memory layout; dtype of x, but float32 for float16, in which they are computed.
    """
    if x.size > ADDED_SINGLY:
        if dim is None:
            if not x.flags.forc:
                return _in_blocks(x, tuple(range(x.ndim)), keepdim)
        else:
            if dim.__class__ is not int:
                if len(dim) != 1:
                    return _in_blocks(x, dim, keepdim)
                dim = dim[0]
            is_last = dim == x.ndim - 1
            if x.flags.c_contiguous:
                if x.ndim == 2 and not is_last and x.dtype != _HALF:
                    y = _by_products(x)
                    return y[None] if keepdim else y
                if not is_last:
                    return _in_blocks(x, (dim,), keepdim)
            elif x.shape[dim] > ADDED_SINGLY:
                return _in_blocks(x, (dim,), keepdim)
    return _sum_directly(x, dim, keepdim)


def _sum_directly(x: Array, dim: Any, keepdim: bool) -> Any:
    """Return the sums over dimensions along which NumPy adds pairwise, or few numbers; long float32 runs in pieces."""
    if x.size >= _LONG and x.dtype == _SINGLE and x.flags.c_contiguous:
        n = x.size if dim is None else math.prod(x.shape[d] for d in (dim if isinstance(dim, tuple) else (dim,)))
        if n >= _LONG:  # pairwise sums of equal numbers would be rounded alike at each level
            rows = x.reshape(-1, n)
            blocked = n - n % _WIDE
            total = np.add.reduce(np.add.reduce(rows[:, :blocked].reshape(len(rows), -1, _WIDE), 2), 1, _DOUBLE)
            if blocked < n:
                total += np.add.reduce(rows[:, blocked:], 1)
            dims = tuple(range(x.ndim)) if dim is None else dim if isinstance(dim, tuple) else (dim,)
            sizes = [1 if d in dims else k for d, k in enumerate(x.shape) if keepdim or d not in dims]
            return total.astype(_SINGLE).reshape(sizes)
    return _reduce(x, dim, _SINGLE if x.dtype == _HALF else None, None, keepdim)


def _in_blocks(x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    """Return the sums over some dimensions of an array that is not small."""
    if not (dims and x.flags.c_contiguous):
        return _in_any_layout(x, dims, keepdim)
    shape = x.shape
    first, last = min(dims), max(dims)
    n = math.prod(shape[first : last + 1])
    after = math.prod(shape[last + 1 :])
    if last - first + 1 != len(dims) or after == 1:
        inner = x.ndim
        while inner - 1 in dims:
            inner -= 1
        if inner > first and math.prod(shape[inner:]) < _SHORT:
            return _in_any_layout(x, dims, keepdim)
        y = _sum_directly(x, tuple(range(inner, x.ndim)), keepdim)
        outer = tuple(d for d in dims if d < inner)
        return add_up(y, outer, keepdim) if outer else y
    rows = x.reshape(math.prod(shape[:first]), n, after) if first else x.reshape(n, after)
    if x.dtype == _HALF:
        y = _sum_rows(rows, rows.ndim - 2).astype(_SINGLE, copy=False)
    else:
        y = _by_products(rows)
    return y.reshape([*shape[:first], *((1,) * len(dims) if keepdim else ()), *shape[last + 1 :]])


def _in_any_layout(x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    """Return the sums over some dimensions of an array with any strides."""
    strides = x.strides
    shape = x.shape
    times = 1  # an expanded dimension is added once, and multiplied
    order: list[int] = []
    for d, n in enumerate(shape):
        if n != 1:
            if d in dims and not strides[d]:
                times *= n
                x = x[(slice(None),) * d + (slice(0, 1),)]
            else:
                order.append(d)
    order.sort(key=lambda d: -abs(strides[d]))
    # Adjacent dimensions of one kind that are contiguous are merged.
    sizes: list[int] = []
    added: list[bool] = []
    last = 0
    for d in order:
        if added and added[-1] == (d in dims) and last == shape[d] * strides[d]:
            sizes[-1] *= shape[d]
        else:
            sizes.append(shape[d])
            added.append(d in dims)
        last = strides[d]
    order += [d for d in range(x.ndim) if x.shape[d] == 1]
    y = x.transpose(order).reshape(sizes)
    if True not in added:
        y = y.copy()  # a sum is never a view
    while True in added:
        # Contiguous runs first: these are added pairwise. Short ones last.
        if added[-1] and (sizes[-1] >= _SHORT or added.count(True) == 1):
            y = _reduce(y, -1, _SINGLE if y.dtype == _HALF else None)
            at = len(added) - 1
        else:
            at = added.index(True)
            y = _sum_rows(y, at)
        del added[at], sizes[at]
    y = np.asarray(y, _DOUBLE if x.dtype == _DOUBLE else _SINGLE)
    if times > 1:
        y = y * times
    remaining = [d for d in order if d not in dims]
    y = y.reshape([shape[d] for d in remaining])
    y = y.transpose(sorted(range(len(remaining)), key=remaining.__getitem__))
    return y.reshape([1 if d in dims else n for d, n in enumerate(shape)]) if keepdim else y


def _sum_rows(x: Array, dim: int) -> Array:
    """Return the sums over a dimension that is not the last, in blocks; those of float32 may be float64."""
    return _in_slabs(_block_sums, x, dim) if x.size > _SLAB and x.shape[dim] > ADDED_SINGLY else _block_sums(x, dim)


def _block_sums(x: Array, dim: int) -> Array:
    n = x.shape[dim]
    if n <= ADDED_SINGLY:
        return _reduce(x, dim, _SINGLE if x.dtype == _HALF else None)
    before, after = x.shape[:dim], x.shape[dim + 1 :]
    k = after[0]
    together = min(_WIDE // k, max(n // _ROWS, _ROWS)) if len(after) == 1 and k < _WIDE else 1
    if together > 1 and x.strides[dim] == k * x.itemsize == k * x.strides[-1]:
        blocks = n // together
        total = _sum_rows(
            x[(slice(None),) * dim + (slice(blocks * together),)].reshape(*before, blocks, together * k), dim
        )
        total, count = total.reshape(*before, together, k), together
    else:
        count = -(-n // _ROWS)
        blocks = n // count
        stacked = x[(slice(None),) * dim + (slice(blocks * count),)].reshape(*before, count, blocks, *after)
        total = _reduce(stacked, dim + 1, _SINGLE if x.dtype == _HALF else None)
    if count > 8:
        total = total.astype(_DOUBLE, copy=False)
    rest = n - blocks * count  # fewer than the sums
    if rest:
        total[(slice(None),) * dim + (slice(rest),)] += x[(slice(None),) * dim + (slice(n - rest, None),)]
    return _sum_rows(total, dim)


def _in_slabs(function: Callable[[Array, int], Array], x: Array, dim: int) -> Array:
    """Return function(x, dim), the sums over a dimension of a large array, a block of columns and rows at a time."""
    n = x.shape[dim]
    lead = (slice(None),) * dim
    reduced = (*x.shape[:dim], 1, *x.shape[dim + 1 :])
    total = np.empty(reduced, _DOUBLE if x.dtype == _DOUBLE else _SINGLE)
    for key in keys(reduced, max(_WIDE, _SLAB // n)):
        part = x[(*key[:dim], slice(None), *key[dim + 1 :])]
        height = max(_SLAB * n // part.size, ADDED_SINGLY)
        sums = [function(part[(*lead, slice(i, i + height))], dim) for i in range(0, n, height)]
        total[key] = np.expand_dims(_sum_rows(np.stack(sums, dtype=_DOUBLE), 0) if len(sums) > 1 else sums[0], dim)
    return total.reshape(*reduced[:dim], *reduced[dim + 1 :])


# ----- Sums of contiguous rows -----


def ones(n: int, dtype: np.dtype[Any]) -> Array:
    """Return n ones, read-only."""
    row = _ones_cache.get(dtype)
    if row is None or len(row) < n:
        row = np.ones(max(n, 1024), dtype)
        row.flags.writeable = False
        if n <= _CACHED_LENGTH:
            _ones_cache[dtype] = row
    return row[:n]


def _row_of_ones(n: int, dtype: np.dtype[Any]) -> Array:
    return ones(n, dtype)[None]


def row_sum(x: Array) -> Array:
    """Return the sum of each row of (rows, n), which is laid out for BLAS."""
    n = x.shape[1]
    if n > 2 * _TALL or x.dtype == _HALF:
        return add_up(x, 1).astype(x.dtype, copy=False)
    return multiply(x, ones(n, x.dtype))


def column_sum(x: Array) -> Array:
    """Return the sum of each column of (rows, n), which is laid out for BLAS."""
    if x.dtype == _HALF or not x.flags.c_contiguous:
        return add_up(x, 0).astype(x.dtype, copy=False)
    return _by_products(x)


def _by_products(x: Array) -> Array:
    """Return the sums over the rows of a C-contiguous (..., rows, n), float32 or float64, in its dtype."""
    rows, n = x.shape[-2:]
    if n == 1:
        return np.add.reduce(x[..., 0], -1, keepdims=True)
    if not _is_one_product(rows, n):
        return _in_slabs(_sum_tall, x, x.ndim - 2) if x.size > 4 * _SLAB else _sum_tall(x)
    y = multiply(_row_of_ones(rows, x.dtype), x)
    return y[0] if x.ndim == 2 else y[..., 0, :]


def _is_one_product(rows: int, n: int) -> bool:
    """Tell whether one product of a vector and (rows, n) keeps its digits."""
    return rows <= _TALL or (SHARES and n >= _NARROW and rows * n <= _PRODUCT)


def _sum_tall(x: Array, _dim: int = -2) -> Array:
    """Return the sums over many rows: sums of blocks of rows, and the sums of those."""
    *lead, rows, n = x.shape
    count = -(-rows // (_PRODUCT // n if SHARES and n >= _NARROW else _TALL))
    if count == 1:
        return _by_products(x)
    height = rows // count
    blocks = x[..., : count * height, :].reshape(*lead, count, height, n)
    sums = multiply(_row_of_ones(height, x.dtype), blocks)[..., 0, :]
    rest = rows - count * height  # fewer than the blocks
    if rest:
        sums[..., :rest, :] += x[..., -rest:, :]
    if count > ADDED_SINGLY:
        sums = sums.astype(_DOUBLE, copy=False)
    return _by_products(sums).astype(x.dtype, copy=False)


def weighed_column_sum(x: Array, weights: Array) -> Array:
    """Return the sums of the columns of x (rows, n) times weights (rows, 1); x, C-contiguous, may be overwritten."""
    if _is_one_product(*x.shape):
        return multiply(weights.reshape(1, -1), x)[0]
    return column_sum(np.multiply(x, weights, out=x))


def inner(a: Array, b: Array) -> Any:
    """Return the sums of the products of two C-contiguous arrays over their last dimension, float32 or float64."""
    n = a.shape[-1]
    if n < 2 * ADDED_IN_A_RUN:
        return np.vecdot(a, b)
    blocked = n - n % ADDED_IN_A_RUN
    runs = [x[..., :blocked].reshape(*x.shape[:-1], -1, ADDED_IN_A_RUN) for x in (a, b)]
    parts = np.vecdot(*runs)
    # One after the other, like the programs in C.
    total = np.add.accumulate(parts, -1, _DOUBLE)[..., -1]
    if blocked < n:
        total = total + np.vecdot(a[..., blocked:], b[..., blocked:])
    return total.astype(a.dtype, copy=False)


# ----- Sums by index -----


def add_at(out: Array, index: Array, rows: Array) -> None:
    """Add row i of `rows` (N, C) to row index[i] of `out` (V, C), which is C-contiguous.

    Raises: IndexError: when an index is not in -V to V - 1; nothing is added then.
    """
    # np.add.at(out, index, rows) takes 15 ns an element, because its fast loop is for one-dimensional arrays only.
    # With flat positions it takes 2 ns, and half of that when two neighbours are added as one complex number. Sorting
    # the rows and np.add.reduceat, or a product with a one-hot matrix, is as fast at best (few rows, many columns) and
    # up to ten times slower. The positions are computed for as many rows at a time as fit in the cache.
    count, columns = out.shape
    index = index.astype(np.intp, copy=False)
    together = ADDED_SINGLY * count  # rows that are added one by one: on average `ADDED_SINGLY` to each row of `out`
    in_blocks = len(index) > 2 * together and out.dtype.kind == "f" and out.size > 0
    dtype = out.dtype
    if columns % 2 == 0 and dtype.itemsize >= 4 and dtype.kind == "f":
        dtype = np.dtype(f"c{2 * dtype.itemsize}")
        columns //= 2
    along = np.arange(columns)
    height = max(1, _PLACES // max(1, columns))
    # Read as unsigned, a negative index is a very large one: one pass checks both bounds.
    if (in_blocks or len(index) > height) and np.maximum.reduce(index.view(np.uintp)) >= count:
        low, high = int(np.minimum.reduce(index)), int(np.maximum.reduce(index))
        if low < -count or high >= count:
            raise IndexError(f"index {low if low < -count else high} is out of bounds for axis 0 with size {count}")
        if low < 0:
            index = np.where(index < 0, index + count, index)
    if in_blocks:
        total = out.astype(_DOUBLE)
        height = max(height, together)
        first = np.arange(height) // together * count  # the first row of its block's sums
    target = out
    for start in range(0, len(index), height):
        places = index[start : start + height]
        values = np.ascontiguousarray(rows[start : start + height], out.dtype).reshape(-1).view(dtype)
        if in_blocks and out.shape[1] == 1 and out.dtype == _SINGLE:
            total[:, 0] += np.bincount(places, values, count)  # adds in float64
            continue
        if in_blocks:
            target = np.zeros((-(-len(places) // together), *out.shape), out.dtype)
            places = places + first[: len(places)]
        if columns != 1:
            places = (places[:, None] * columns + along).reshape(-1)
        np.add.at(target.reshape(-1).view(dtype), places, values)
        if in_blocks:
            total += add_up(target, 0)
    if in_blocks:
        out[...] = total
