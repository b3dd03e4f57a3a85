"""Products of matrices in tiles, where OpenBLAS spends more on preparing a product than on multiplying.

OpenBLAS copies both matrices into the order in which its kernels read them, and its threads share a product only along
its long side. For a thousand rows that is nothing; for a batch of some ten it takes as long as the product. On
processors with AVX-512 it has other kernels, which read small matrices where they lie: a product that is cut into
tiles small enough for them takes 0.6 to 0.8 of the time on one thread, and is shared evenly by any number of them.
Elsewhere tiles of all rows and some columns let threads share a product of few rows.

How a product is cut depends on its shapes, its dtype and the BLAS, never on the number of threads. Each tile is one
call of BLAS, here as one item of a batch for NumPy's matmul; csrc/engine/products.pxi makes the same calls.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.ops._openblas import kernels
from npg.ops._parallel import products_held

__all__ = ["AREA", "cut", "in_tiles"]

Array = np.ndarray[Any, Any]

AREA = 1024  # elements of a tile; OpenBLAS takes up to 1,200 where both matrices are read along their lines
_EDGE = 32  # rows of a tile, and columns where it has that many rows
_STEPS = 1_000_000  # multiplications of a tile that OpenBLAS takes
_LINE = 4096  # bytes of a row of the first matrix, from which the first cache is too small for what a tile reads
_SHORT = 32  # numbers in a row, up to which those kernels are not used where both matrices are read along their lines
_LARGE = 1 << 24  # multiplications of a product that it does not pay to cut
_BOTH = 256  # rows and columns of such a product
_FEW, _COLUMNS = 64, 64  # rows of a product that is cut without those kernels, and columns of its tiles


KERNELS = kernels() in ("SkylakeX", "Cooperlake", "SapphireRapids")  # for small matrices


def cut(m: int, k: int, n: int, itemsize: int, along_lines: bool) -> tuple[int, int]:
    """Return the rows and columns of a tile of the product of (m, k) and (k, n): (m, n) where it is not to be cut.

    Args:
        along_lines: whether k runs along contiguous numbers in both matrices.
    """
    if m * n <= AREA or min(m, k, n) < 2:
        return m, n
    if not KERNELS:
        if m > _FEW:
            return m, n
        rows, columns = m, _COLUMNS
    else:
        short = k < (_SHORT if along_lines else 4)
        if short or k * itemsize > _LINE or min(m, n) > _BOTH or m * n * k > _LARGE:
            return m, n
        rows = min(m, _EDGE if _EDGE * _EDGE * k <= _STEPS else _EDGE // 2)
        columns = min(n, AREA // rows if _EDGE * _EDGE * k <= _STEPS else _EDGE)
    rows, columns = _even(m, rows), _even(n, columns)
    # A last row or column by itself would be a product with a vector, which BLAS computes in another way.
    return (m, n) if m % rows == 1 or n % columns == 1 else (rows, columns)


def _even(n: int, most: int) -> int:
    """Return the size of the fewest parts of at most this size that cover n."""
    return -(-n // -(-n // most))


def in_tiles(a: Array, b: Array, rows: int, columns: int) -> Array:
    """Return the product of two matrices, computed in tiles of (rows, columns)."""
    (m, k), n = a.shape, b.shape[1]
    y = np.empty((m, n), a.dtype)
    whole, wide = m - m % rows, n - n % columns
    with products_held():
        for top, bottom in ((0, whole), (whole, m)):
            for left, right in ((0, wide), (wide, n)):
                if top < bottom and left < right:
                    r, c = min(rows, bottom - top), min(columns, right - left)
                    out = _blocks(y[top:bottom, left:right], r, c)
                    np.matmul(_blocks(a[top:bottom], r, k), _blocks(b[:, left:right], k, c), out=out)
    return y


def _blocks(x: Array, rows: int, columns: int) -> Array:
    """Return a view of a matrix as a matrix of matrices of this shape."""
    m, n = x.shape
    return x.reshape(m // rows, rows, n // columns, columns).transpose(0, 2, 1, 3)
