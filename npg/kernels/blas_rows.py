"""What the fused kernels share: arrays as rows in a layout that BLAS takes as it is. Their sums are in sums.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from npg.kernels.buffers import LIMIT, scratch
from npg.kernels.products import for_blas

Array = np.ndarray[Any, Any]

_LARGE = 1 << 17  # elements from which it pays to copy a row several times before it is added to all
_LINE = 1 << 13  # elements of such copies


def as_rows(x: Array, n: int) -> Array:
    """Return an array as (rows, n), ready for BLAS, n the size of its last dimension (or of several, taken as one).

    It is copied only where its strides ask for it.
    """
    if x.ndim != 2 or x.shape[1] != n:
        x = x.reshape(x.size // n if n else math.prod(x.shape[:-1]), n)
    return for_blas(x)


def row_blocks(*arrays: Array | None) -> Iterator[tuple[Any, ...]]:
    """Yield arrays by the same rows of each, so few that a temporary like a part of the first array is scratch.

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


def add_row(x: Array, row: Array) -> None:
    """Add a row to each row of a C-contiguous (rows, n), in place."""
    rows, n = x.shape
    if x.size >= _LARGE:
        # For each row NumPy's loop costs as much again as some hundred additions: take several rows as one.
        several = math.gcd(rows, 1 << (_LINE // n).bit_length() - 1) if n <= _LINE else 1
        if several > 1:
            line = scratch(0, (several, n), x.dtype)
            line[...] = row
            x, row = x.reshape(rows // several, several * n), line.reshape(-1)
    x += row
