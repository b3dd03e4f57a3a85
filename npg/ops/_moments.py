"""Mean and variance. float32 comes out as if computed in float64, as PyTorch has it: also of numbers whose squares
overflow or vanish, and of numbers far from 0. Large arrays are read in blocks, for which there is memory already.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.ops._blocks import keys
from npg.ops._scratch import scratch
from npg.ops._sums import add_up, inner

__all__ = ["variance"]

Array = np.ndarray[Any, Any]

_SMALL = 1 << 16  # elements, up to which everything is computed in float64 at once
_BLOCK = 1 << 17  # elements
_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
_ALL = slice(None)


def variance(
    x: Array, dim: tuple[int, ...] | None, correction: float, keepdim: bool, with_mean: bool = False
) -> tuple[Any, Any]:
    """Return the variance over `dim` in float64, and with_mean the mean with the reduced dimensions kept, too.

    The sum of squares is divided by n - correction; where that is not above 0, by 0.
    """
    is_double = x.dtype == _DOUBLE
    if x.size <= _SMALL and not is_double and x.size:
        d = x.astype(_DOUBLE)
        center = add_up(d, dim, True)
        n = x.size // center.size
        center /= n
        d = np.subtract(d, center, out=d)
        total = add_up(np.multiply(d, d, out=d), dim, keepdim)
        return np.true_divide(total, max(n - correction, 0)), center
    dims = tuple(range(x.ndim)) if dim is None else dim
    n = math.prod(x.shape[d] for d in dims)
    moved: Any = None
    if x.size <= _SMALL or not x.ndim:
        d = x.astype(_DOUBLE)
        center = add_up(d, dims, True) / n if n else np.full(_kept(x.shape, dims), math.nan)
        d = np.subtract(d, center, out=d)
        moved = add_up(d, dims, True)
        total = add_up(np.multiply(d, d, out=d), dims, True)
    else:
        center = np.asarray(add_up(x, dims, True), _DOUBLE) / n
        moved = np.zeros(center.shape) if is_double or with_mean else None
        total = _squares(x, dims, center, moved, moved is not None)  # float32 would round all differences alike
        # The mean of float32 is a digit short, which shows where it is some thousand times the deviation.
        if not (is_double or (total > center * center * (n * 1e-6)).all()):
            moved = np.zeros(center.shape)
            _squares(x, dims, np.zeros(center.shape), moved, True)
            center, moved = moved / n, None
            total = _squares(x, dims, center, None, True)
    if moved is not None and n:
        moved = moved / n
        center = center + moved
        if is_double:
            rest = total - moved * moved * n
            total = np.where(rest <= total * 1e-13, 0.0, rest)  # what is left of equal numbers is the rounding alone
    if not keepdim:
        total = total.reshape([k for d, k in enumerate(x.shape) if d not in dims])
    return np.true_divide(total, max(n - correction, 0)), center


def _kept(shape: tuple[int, ...], dims: tuple[int, ...]) -> list[int]:
    return [1 if d in dims else n for d, n in enumerate(shape)]


def _squares(x: Array, dims: tuple[int, ...], center: Array, moved: Array | None, wide: bool) -> Array:
    """Return the sums of (x - center)^2 over dims, which are kept, in float64.

    Args:
        moved: where the sums of x - center are added to.
        wide: take the differences in float64, too.
    """
    total = np.zeros(center.shape)
    order = sorted(range(x.ndim), key=lambda d: -abs(x.strides[d]))
    added = tuple(i for i, d in enumerate(order) if d in dims)
    x, c, sums = x.transpose(order), center.transpose(order), total.transpose(order)
    c = c if wide else c.astype(_SINGLE)
    sums_of_differences = None if moved is None else moved.transpose(order)
    is_last = added == tuple(range(x.ndim - len(added), x.ndim))
    for block in keys(x.shape, _BLOCK):
        kept = tuple([_ALL if i in added else part for i, part in enumerate(block)])
        part = x[block]
        d = scratch(0, part.shape, _DOUBLE)
        if wide:
            np.subtract(part, c[kept], out=d)
        else:
            np.copyto(d, np.subtract(part, c[kept], out=scratch(1, part.shape, _SINGLE)))
        if sums_of_differences is not None:
            sums_of_differences[kept] += add_up(d, added, True)
        target = sums[kept]
        if is_last:
            rows = d.reshape(target.size, -1)
            target += inner(rows, rows).reshape(target.shape)
        else:
            target += add_up(np.multiply(d, d, out=d), added, True)
    return total
