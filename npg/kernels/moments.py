"""Mean and variance. float32 results are as if computed in float64, as in PyTorch: also for numbers whose squares
overflow or vanish, and for numbers far from 0. Large arrays are read in blocks, in scratch memory.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.buffers import scratch
from npg.kernels.keys import keys
from npg.kernels.sums import add_up, inner

Array = np.ndarray[Any, Any]

_SMALL = 1 << 16  # elements, up to which everything is computed in float64 at once
_BLOCK = 1 << 17  # elements
_LARGE_MEAN = 1e-7  # the fraction of the mean square from which the variance is computed in one pass
_DOUBLE = np.dtype(np.float64)
_ALL = slice(None)


def variance(x: Array, dim: tuple[int, ...] | None, correction: float, keepdim: bool) -> tuple[Any, Any]:
    """Return the variance over `dim` in float64, and the mean with the reduced dimensions kept.

    The sum of squares is divided by n - correction, or by 0 where that is negative.
    """
    is_double = x.dtype == _DOUBLE
    if 0 < x.size <= _SMALL and not is_double:
        d = x.astype(_DOUBLE)
        center = add_up(d, dim, True)
        n = x.size // center.size
        center /= n
        d = np.subtract(d, center, out=d)
        total = add_up(np.multiply(d, d, out=d), dim, keepdim)
        return np.true_divide(total, max(n - correction, 0)), center
    dims = tuple(range(x.ndim)) if dim is None else dim
    n = math.prod([x.shape[d] for d in dims])
    if x.size and not is_double:
        # float64 holds the squares of float32 exactly, and enough digits of their sums unless the mean is large.
        center = np.zeros(_reduced_shape(x.shape, dims))
        squares = _squares(x, dims, None, center)
        center /= n
        total = squares - center * center * n
        if not (total >= squares * _LARGE_MEAN).all():
            total = _squares(x, dims, center, None)
    else:
        center, moved, total = _of_doubles(x, dims, n)
        if n:
            moved = moved / n
            center = center + moved
            remaining = total - moved * moved * n
            total = np.where(
                remaining <= total * 1e-13, 0.0, remaining
            )  # for equal numbers only rounding errors remain
    if not n:
        total = np.full(total.shape, math.nan)
    if not keepdim:
        total = total.reshape([k for d, k in enumerate(x.shape) if d not in dims])
    return np.true_divide(total, max(n - correction, 0)), center


def _reduced_shape(shape: tuple[int, ...], dims: tuple[int, ...]) -> list[int]:
    return [1 if d in dims else n for d, n in enumerate(shape)]


def _of_doubles(x: Array, dims: tuple[int, ...], n: int) -> tuple[Any, Any, Any]:
    """Return the mean, the sums of x - mean (its rounding error) and of (x - mean)^2, all over dims, which are kept."""
    if x.size <= _SMALL or not x.ndim:
        d = x.astype(_DOUBLE)
        center = add_up(d, dims, True) / n if n else np.full(_reduced_shape(x.shape, dims), math.nan)
        d = np.subtract(d, center, out=d)
        moved = add_up(d, dims, True)
        return center, moved, add_up(np.multiply(d, d, out=d), dims, True)
    center = np.asarray(add_up(x, dims, True)) / n
    moved = np.zeros(center.shape)
    return center, moved, _squares(x, dims, center, moved)


def _squares(x: Array, dims: tuple[int, ...], center: Array | None, sums: Array | None) -> Array:
    """Return the sums of (x - center)^2 over dims, which are kept, in float64.

    Args:
        center: None for 0.
        sums: an array to which the sums of x - center are added, or None.
    """
    total = target = np.zeros(_reduced_shape(x.shape, dims))
    added = dims
    if not x.flags.c_contiguous:
        order = sorted(range(x.ndim), key=lambda d: -abs(x.strides[d]))
        added = tuple([i for i, d in enumerate(order) if d in dims])
        x, target = x.transpose(order), total.transpose(order)
        center, sums = (None if a is None else a.transpose(order) for a in (center, sums))
    is_last = sorted(added) == list(range(x.ndim - len(added), x.ndim))
    for block in keys(x.shape, _BLOCK):
        key = tuple([_ALL if i in added else part for i, part in enumerate(block)])
        part = x[block]
        d = scratch(0, part.shape, _DOUBLE)
        if center is None:
            np.copyto(d, part)
        else:
            np.subtract(part, center[key], out=d)
        if sums is not None:
            sums[key] += add_up(d, added, True)
        if is_last:
            rows = d.reshape(-1, math.prod([part.shape[i] for i in added]))
            target[key] += inner(rows, rows).reshape(target[key].shape)
        else:
            target[key] += add_up(np.multiply(d, d, out=d), added, True)
    return total
