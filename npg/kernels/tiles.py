"""Products of matrices in tiles: each a call of BLAS that stays in the calling thread.

How a product is cut depends on its shape, layout, dtype and the BLAS, never on the number of threads: so do its bits,
whichever thread computes a tile. Tiles are needed for three things:

*Threads.* OpenBLAS shares a product of more than some 260,000 multiplications among threads of its own, which spin for
a tenth of a second after it: a second thread of npg then finds its processor busy with nothing. Its limit is a setting
of the whole process, which is not npg's to change. But a call below that size stays in the caller's thread, and so does
a batch of one (cblas_?gemm_batch gives each product of a batch to one thread). npg's own threads share the tiles.

*Few rows.* OpenBLAS copies both matrices into the order in which its kernels read them, and its threads share a product
only along its long side. For a thousand rows that is nothing; for a batch of some ten it takes as long as the product.
On processors with AVX-512 it has other kernels, which read small matrices in place: a product that is cut into tiles
small enough for them takes 0.6 to 0.8 of the time on one thread.

*Digits.* A product with a vector, or by a kernel for small matrices, adds up k in blocks, and the blocks in float64.

Each tile is one call of BLAS, here by NumPy's matmul (many tiles as the items of a batch) or by ctypes;
csrc/kernels/products.pxi makes the same calls. With a BLAS other than OpenBLAS nothing is cut.
"""

from __future__ import annotations

import ctypes
import functools
import math
from typing import Any

import numpy as np

from npg.kernels.limits import (
    ADDED_IN_A_KERNEL,
    ADDED_IN_A_RUN,
    DEEP,
    SMALL_TILE,
    UNSHARED_BATCH,
    UNSHARED_GEMM,
    UNSHARED_VECTOR,
)
from npg.kernels.openblas import APART, BATCHES, IS_SEQUENTIAL, SHARES, kernels
from npg.kernels.parallel import split

Array = np.ndarray[Any, Any]

# ----- What OpenBLAS does -----

KERNELS = kernels() in ("SkylakeX", "Cooperlake", "SapphireRapids")  # for small matrices

# ----- How a product is cut -----

_TAKEN = 1200  # elements up to which they take a product of matrices that are both read along their lines
_EDGE = 32  # rows of such a tile, and columns where it has that many rows
_LINE = 4096  # bytes of a row of the first matrix, from which the first cache is too small for what a tile reads
_LONG = 896  # numbers of k that such a tile takes at once, where there are more
_SHORT = 32  # numbers in a row, up to which those kernels are not used where both matrices are read along their lines
_LARGE = 1 << 24  # multiplications of a product that it does not pay to cut for those kernels
_BOTH = 256  # rows and columns of such a product
_ALONE = 1 << 22  # multiplications from which a product that runs beside others, _WIDE_ALONE or wider, is not cut
_WIDE_ALONE = 128
_ROWS, _COLUMNS = 384, 384  # of other tiles, about: copying both matrices costs some hundredths of multiplying then
_SMALLEST = 64  # rows or columns of such a tile that is cut once more, so that there are four to share
_MULTIPLICATIONS = 50  # in a nanosecond of one thread, or fewer
_TOGETHER = 1 << 16  # elements of the products of several depths, if they are small
_FEW = 1 << 8  # elements of a product, up to which those of several depths are copied to be added by one call
_WIDE = 512  # columns of a tile of a matrix whose rows a vector is multiplied with
_CACHED = 1 << 23  # elements of such a matrix; larger ones come from memory, which reads longer pieces of rows faster
_WIDEST = 2048  # columns of a tile of a matrix larger than that


def cut(
    m: int, k: int, n: int, itemsize: int, a_lines: bool, b_lines: bool, is_one: bool = True
) -> tuple[int, int, int]:
    """Return the rows and columns of a tile of the product of (m, k) and (k, n), and how much of k is added at once.

    (m, n, k) where the product is not cut.
    Args:
        a_lines, b_lines: whether k runs along contiguous numbers in the first and in the second matrix.
        is_one: whether it is the only product; threads may share several without tiles.
    """
    return _cut(KERNELS, m, k, n, itemsize, a_lines, b_lines, is_one)


@functools.lru_cache(maxsize=4096)
def _cut(
    small_kernels: bool, m: int, k: int, n: int, itemsize: int, a_lines: bool, b_lines: bool, is_one: bool
) -> tuple[int, int, int]:
    if not (SHARES or APART) or not m * k * n:
        return m, n, k
    if m == 1 or n == 1:
        return _cut_with_vector(m, k, n, a_lines, b_lines)
    work = m * k * n
    if not is_one and APART and work >= _ALONE and min(m, n) >= _WIDE_ALONE:
        return *_cut_large(m, k, n, 1), k
    both = a_lines and b_lines
    takes = small_kernels and (a_lines or not b_lines)  # the kernels for small matrices support these layouts
    # Of several products none relies on those kernels to stay in its thread: for some layouts OpenBLAS has others.
    most = UNSHARED_BATCH if is_one else UNSHARED_GEMM
    is_taken = takes and work <= most and (not both or (m * n <= _TAKEN and k >= _SHORT))
    stays = work <= UNSHARED_GEMM or is_taken
    if (
        takes
        and (is_one or not stays)
        and m * n > SMALL_TILE
        and k >= (_SHORT if both else 4)
        and k * itemsize <= _LINE
        and min(m, n) <= _BOTH
        and work <= _LARGE
    ):
        is_thin = _EDGE * _EDGE * k <= UNSHARED_BATCH
        rows = min(m, _EDGE if is_thin else _EDGE // 2)
        columns = _even(n, min(n, SMALL_TILE // rows if is_thin else _EDGE))
        rows = _even(m, rows)
        # A single last row or column would be a product with a vector, which BLAS computes in another way.
        if m % rows != 1 and n % columns != 1:
            return rows, columns, k
    if takes and not both and not is_one and k > _LONG and min(m, n) <= _SMALLEST:
        # Copying matrices of which one is narrow takes as long as multiplying: so by those kernels, some of k at once.
        rows, columns, depth = min(m, _EDGE), _even(n, _EDGE), _even(k, _LONG)
        if m % rows != 1 and n % columns != 1:
            return rows, columns, depth
    if stays:
        return m, n, _even(k, ADDED_IN_A_KERNEL) if is_taken and k > DEEP else k
    if work > UNSHARED_BATCH:
        rows, columns = _cut_large(m, k, n) if APART else (m, n)
        if not APART or (rows, columns) != (m, n):
            return rows, columns, k
        tile = _cut_to_lone(m, k, n)  # too small for two batches of one, but worth two threads
        return tile if tile[2] == k else (m, n, k)
    return _cut_to_lone(m, k, n)


def _even(n: int, most: int) -> int:
    """Return the size of a part when n is cut evenly into as few parts of at most this size as possible."""
    return -(-n // -(-n // most))


def _cut_with_vector(m: int, k: int, n: int, a_lines: bool, b_lines: bool) -> tuple[int, int, int]:
    if m * k * n <= UNSHARED_VECTOR or not SHARES:
        return m, n, k
    long, along = (m, a_lines) if n == 1 else (n, b_lines)
    if along or long == 1:  # some lines, each with the whole vector
        part, depth = max(1, UNSHARED_VECTOR // k), _even(k, ADDED_IN_A_RUN if long == 1 else UNSHARED_VECTOR)
    else:  # pieces of some lines
        part = _even(long, _WIDE if k * long <= _CACHED else _WIDEST)
        depth = _even(k, UNSHARED_VECTOR // part)
    part = min(part, long)
    return (part, 1, depth) if n == 1 else (1, part, depth)


def _cut_to_lone(m: int, k: int, n: int) -> tuple[int, int, int]:
    """Cut the longer side, or k, so that the calls stay in their thread."""
    long, short = max(m, n), min(m, n)
    for parts in range(2, long // 2 + 1):
        size = -(-long // parts)
        if size * short * k <= UNSHARED_GEMM and long % size != 1:
            return (size, n, k) if m >= n else (m, size, k)
        if size < 16:
            break
    return m, n, _even(k, max(1, UNSHARED_GEMM // (m * n)))


def _cut_large(m: int, k: int, n: int, least: int = 4) -> tuple[int, int]:
    """Cut into tiles large enough for a batch of one, and into at least so many where that costs little.

    Each side is halved again and again: threads then have equally many tiles of one size.
    """
    down, across = _halves(m, _ROWS), _halves(n, _COLUMNS)
    while down * across > 1 and not _is_large(m, k, n, down, across, UNSHARED_BATCH):
        if across == 1 or (down > 1 and m // down < n // across):
            down //= 2
        else:
            across //= 2
    while down * across < least:
        by_rows = m // down >= n // across
        finer = (2 * down, across) if by_rows else (down, 2 * across)
        edge = m // finer[0] if by_rows else n // finer[1]
        if edge < _SMALLEST or not _is_large(m, k, n, *finer, UNSHARED_BATCH):
            break
        down, across = finer
    return -(-m // down), -(-n // across)


def _halves(n: int, size: int) -> int:
    """Return the power of two that divides n into parts of about this size."""
    return 1 << max(0, round(math.log2(n / size)))


def _is_large(m: int, k: int, n: int, down: int, across: int, least: int) -> bool:
    """Tell whether the smallest tile has more than `least` multiplications, and more than one row and column."""
    rows, columns = -(-m // down), -(-n // across)
    last = (m - 1) % rows + 1, (n - 1) % columns + 1
    return min(last) > 1 and last[0] * last[1] * k > least


# ----- Layouts -----


def lines(x: Array) -> tuple[bool, bool] | None:
    """Tell whether the rows, and the columns, of a matrix or of those of a batch are contiguous; None: not for BLAS.

    A stride counts only where its dimension is longer than one.
    """
    if not x.flags.aligned or not x.dtype.isnative:
        return None
    (rows, columns), (down, right), size = x.shape[-2:], x.strides[-2:], x.itemsize
    by_rows = (columns == 1 or right == size) and (rows == 1 or (down % size == 0 and down >= columns * size))
    by_columns = (rows == 1 or down == size) and (columns == 1 or (right % size == 0 and right >= rows * size))
    return (by_rows, by_columns) if by_rows or by_columns else None


# ----- Multiplying -----


def in_tiles(a: Array, b: Array, out: Array, rows: int, columns: int, depth: int) -> None:
    """Write the products of the matrices of two batches with one shape into out, `depth` of k at once."""
    m, k = a.shape[-2:]
    if rows * columns * depth > UNSHARED_BATCH and not IS_SEQUENTIAL:
        corners = [
            (*index, slice(top, top + rows), slice(left, left + columns))
            for index in np.ndindex(out.shape[:-2])
            for top in range(0, m, rows)
            for left in range(0, out.shape[-1], columns)
        ]

        def work(start: int, stop: int) -> None:
            for *index, here, there in corners[start:stop]:
                _multiply_alone(a[*index, here], b[*index, :, there], out[*index, here, there])

        split(len(corners), work, out.size * k / _MULTIPLICATIONS)
        return
    if depth == k:
        _multiply_blocks(a, b, out, rows, columns)
        return
    # Added one after the other, several depths at a time, because one call of NumPy for each would be slow.
    lead, n = out.shape[:-2], out.shape[-1]
    total = np.zeros(out.shape)
    most, blocked = max(1, _TOGETHER // out.size), k - k % depth
    for start in [*range(0, blocked, most * depth), *([blocked] if blocked < k else [])]:
        height = min(depth, k - start)
        count = min((blocked - start) // depth, most) if start < blocked else 1
        pieces = _along(a, -1, start, count, height), _along(b, -2, start, count, height)
        if m == 1 < n <= columns and not lead:  # sums of columns
            products = np.matmul(pieces[0].reshape(-1, 1, height), pieces[1].reshape(-1, height, n))
        else:
            products = np.empty((count, *lead, m, n), out.dtype)
            _multiply_blocks(*pieces, products, rows, columns)
        if out.size <= _FEW:
            # Not np.add.reduce, which would add contiguous numbers pairwise.
            total = np.add.accumulate(np.concatenate((total[None], products)), 0)[-1]
        else:
            for product in products:
                total += product
    out[...] = total


def _along(x: Array, dim: int, start: int, count: int, height: int) -> Array:
    """Return a view of `count` parts of one of the last two dimensions, with `count` as the first dimension."""
    at, part = x.ndim + dim, slice(start, start + count * height)
    x = x[..., part] if dim == -1 else x[..., part, :]
    x = x.reshape(*x.shape[:at], count, height, *x.shape[at + 1 :])
    return x.transpose(at, *range(at), *range(at + 1, x.ndim))


def _multiply_blocks(a: Array, b: Array, out: Array, rows: int, columns: int) -> None:
    (m, k), n = a.shape[-2:], b.shape[-1]
    if m <= rows and n <= columns:
        np.matmul(a, b, out=out)
        return
    tall, wide = m - m % rows, n - n % columns
    for down in (slice(0, tall), slice(tall, m)):
        for right in (slice(0, wide), slice(wide, n)):
            r, c = min(rows, down.stop - down.start), min(columns, right.stop - right.start)
            if r and c:
                blocks = _blocks(out[..., down, right], r, c)
                np.matmul(_blocks(a[..., down, :], r, k), _blocks(b[..., right], k, c), out=blocks)


def _blocks(x: Array, rows: int, columns: int) -> Array:
    """Return a view of a batch of matrices as a batch of block matrices with blocks of this shape."""
    *lead, m, n = x.shape
    *steps, down, right = x.strides
    shape, strides = (
        (*lead, m // rows, n // columns, rows, columns),
        (*steps, rows * down, columns * right, down, right),
    )
    return np.lib.stride_tricks.as_strided(x, shape, strides)


_ROW_MAJOR, _AS_IT_IS, _TRANSPOSED = 101, 111, 112  # CBLAS's constants


def _multiply_alone(a: Array, b: Array, out: Array) -> None:
    """Write the product of two matrices, laid out for BLAS, into out, whose rows are contiguous."""
    function, width = BATCHES[out.dtype]
    integer = ctypes.c_int64 if width == 8 else ctypes.c_int32
    real = ctypes.c_float if out.itemsize == 4 else ctypes.c_double

    def one(kind: Any, value: Any) -> Any:
        return ctypes.byref(kind(value))

    def matrix(x: Array) -> tuple[Any, Any, Any]:
        """Return a matrix's orientation, address and leading dimension."""
        contiguous = lines(x)
        assert contiguous is not None
        by_rows = contiguous[0]
        count, stride = (x.shape[0], x.strides[0]) if by_rows else (x.shape[1], x.strides[1])
        apart = stride // x.itemsize if count > 1 else x.shape[1] if by_rows else x.shape[0]
        address = x.__array_interface__["data"][0]
        orientation = _AS_IT_IS if by_rows else _TRANSPOSED
        return one(ctypes.c_int, orientation), one(ctypes.c_void_p, address), one(integer, apart)

    (a_order, a_address, a_stride), (b_order, b_address, b_stride), (_, address, stride) = (
        matrix(a),
        matrix(b),
        matrix(out),
    )
    sizes = one(integer, out.shape[0]), one(integer, out.shape[1]), one(integer, a.shape[1])
    factors = one(real, 1.0), one(real, 0.0)
    function(
        *(ctypes.c_int(_ROW_MAJOR), a_order, b_order, *sizes),
        *(factors[0], a_address, a_stride, b_address, b_stride, factors[1], address, stride),
        *(integer(1), one(integer, 1)),
    )
