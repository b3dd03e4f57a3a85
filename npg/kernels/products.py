"""Products of float32, float64 and integer arrays by BLAS, in tiles (npg/kernels/tiles.py)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._floating import silent
from npg.kernels import core, limits, tiles
from npg.kernels.buffers import scratch
from npg.kernels.layouts import address
from npg.kernels.openblas import APART

Array = np.ndarray[Any, Any]

_EXACT = 2**53  # float64 holds every integer up to here
_SMALL = 4096  # elements; for smaller arrays finding the largest costs more than it saves

_LARGE = 1 << 17  # elements from which it pays to repeat a row several times before adding it to all rows
_LINE = 1 << 13  # elements of the repeated row

_multiply: Callable[[Array, Array, Array | None, Array | None], Array | None] | None = core.multiply
_is_for_blas: Callable[[Array], bool] | None = core.is_for_blas


def multiply(a: Array, b: Array, out: Array | None = None, row: Array | None = None) -> Array:
    """Return np.matmul(a, b) + row, by BLAS wherever possible, in the tiles of npg/kernels/tiles.py.

    Args:
        out: the array to write into; for floating products of matrices only.
        row: (n,) of the dtype of the product of matrices or batches of matrices, (..., n).
    """
    if _multiply is not None:
        y = _multiply(a, b, out, row)
        if y is not None:
            return y
    if row is not None:
        y = multiply(a, b, out)
        if y.flags.c_contiguous:
            _add_row(y.reshape(math.prod(y.shape[:-1]), y.shape[-1]), row)
        else:
            y += row
        return y
    dtype = a.dtype
    if dtype.kind != "f":
        return _multiply_integers(a, b)
    if a.ndim == 1 or b.ndim == 1:
        y = multiply(a[None] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b)
        y = y[..., 0] if b.ndim == 1 else y
        return np.asarray(y if a.ndim > 1 else y[..., 0, :] if b.ndim > 1 else y[0])
    if out is None:
        shape = () if a.ndim == b.ndim == 2 else np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        out = np.empty((*shape, a.shape[-2], b.shape[-1]), dtype)
        if out.ndim == 2 and a.size and _is_plain(a) and _is_plain(b):
            (m, k), n = a.shape, b.shape[1]
            shallow = k <= limits.DEEP or m == 1 or n == 1
            if m * k * n <= limits.UNSHARED_VECTOR and m * n <= limits.SMALL_TILE and shallow:  # never cut
                return np.matmul(a, b, out=out)
            if m == 1 and k > 1 < n:
                tiles.in_tiles(a, b, out, *tiles.cut(1, k, n, a.itemsize, True, False))
                return out
    if not out.size or not a.shape[-1]:
        out[...] = 0
        return out
    a, b = for_blas(a), for_blas(b)
    if b.ndim == 2 and a.ndim > 2 and a.flags.c_contiguous and out.flags.c_contiguous:
        k, n = b.shape  # one product of all rows instead of one for each matrix
        _multiply_batch(a.reshape(a.size // k, k), b, out.reshape(out.size // n, n))
    else:
        _multiply_batch(a, b, out)
    return out


def _add_row(x: Array, row: Array) -> None:
    """Add a row to each row of a C-contiguous (rows, n), in place."""
    rows, n = x.shape
    if x.size >= _LARGE:
        # Starting NumPy's loop on a row costs as much as some hundred additions: take several rows as one.
        several = math.gcd(rows, 1 << (_LINE // n).bit_length() - 1) if n <= _LINE else 1
        if several > 1:
            line = scratch(0, (several, n), x.dtype)
            line[...] = row
            x, row = x.reshape(rows // several, several * n), line.reshape(-1)
    x += row


def _is_plain(x: Array) -> bool:
    flags = x.flags
    return flags.c_contiguous and flags.aligned and x.dtype.isnative


def multiply_one_of_many(a: Array, b: Array) -> Array:
    """Return the product of two matrices of one floating dtype, cut like those of a batch: others run meanwhile."""
    out = np.empty((len(a), b.shape[1]), a.dtype)
    _multiply_batch(for_blas(a), for_blas(b), out, is_one=False)
    return out


def _multiply_batch(a: Array, b: Array, out: Array, is_one: bool | None = None) -> None:
    """Write the products of the matrices of two batches, which broadcast to each other, into out.

    Args:
        is_one: whether it is the only product that runs; None: if it is one matrix.
    """
    (m, k), n = a.shape[-2:], b.shape[-1]
    if m == n and address(a) == address(b):
        b = b.copy("C")  # for a matrix and its transpose NumPy calls syrk, which would use threads of its own
    a_lines, b_lines = (tiles.lines(x) for x in (a, b))
    assert a_lines is not None and b_lines is not None
    tile = tiles.cut(m, k, n, a.itemsize, a_lines[0], b_lines[1], out.size == m * n if is_one is None else is_one)
    if tile == (m, n, k) and (m * k * n <= limits.UNSHARED_BATCH or not APART):
        np.matmul(a, b, out=out)  # each is a call of BLAS that stays in its thread
        return
    if not (tiles.lines(out) or (False,))[0]:
        out[...] = multiply(a, b)
        return
    lead = out.shape[:-2]
    a, b = np.broadcast_to(a, (*lead, m, k)), np.broadcast_to(b, (*lead, k, n))
    tiles.in_tiles(a, b, out, *tile)


def _multiply_integers(a: Array, b: Array) -> Array:
    # NumPy has no fast loop for integers. float64 is exact where no sum can pass 2**53.
    if a.size > _SMALL or b.size > _SMALL:
        largest = [max(abs(int(x.min())), abs(int(x.max()))) if x.size else 0 for x in (a, b)]
        if largest[0] * largest[1] * a.shape[-1] < _EXACT:
            with silent():
                return np.matmul(a.astype(np.float64), b.astype(np.float64)).astype(np.int64).astype(a.dtype)
    return np.matmul(a, b)


def for_blas(x: Array) -> Array:
    """Return x, or a copy where BLAS cannot read its last two dimensions: NumPy would use a slow loop."""
    if _is_for_blas is not None and _is_for_blas(x):
        return x
    if _is_plain(x) or (x.size and tiles.lines(x)):
        return x
    return np.array(x, x.dtype.newbyteorder("="), order="C")
