"""Arrays as rows in a layout for BLAS, for the fused kernels. Sums of rows are in sums.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from npg.kernels.buffers import LIMIT
from npg.kernels.products import for_blas

Array = np.ndarray[Any, Any]


def as_rows(x: Array, n: int) -> Array:
    """Return x as (rows, n), ready for BLAS, with n the size of its last dimension (or of several, merged).

    It is copied only where its strides require that.
    """
    if x.ndim != 2 or x.shape[1] != n:
        x = x.reshape(x.size // n if n else math.prod(x.shape[:-1]), n)
    return for_blas(x)


def row_blocks(*arrays: Array | None) -> Iterator[tuple[Any, ...]]:
    """Yield the same rows of all arrays, so few that a temporary of the first array's part fits in scratch memory.

    None stays None.
    """
    first = arrays[0]
    assert first is not None
    if first.nbytes <= LIMIT:
        yield arrays
        return
    height = max(1, LIMIT // (first.nbytes // len(first)))
    for start in range(0, len(first), height):
        yield tuple([a if a is None else a[start : start + height] for a in arrays])
