"""Norms and distances. `dim` is None for all dimensions or a tuple of dimensions counted from the front."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.sums import add_up, inner
from npg.ops._broadcast import unbroadcast
from npg.ops._kinds import REDUCTION
from npg.ops._op import ARITHMETIC, primitive
from npg.ops.elementwise import sign
from npg.ops.reduction import count, kept_shape, shared_vjp, spread
from npg.ops.selection import mask as keep, where
from npg.ops.shape import c_order

Array = np.ndarray[Any, Any]


def _over(g: Any, y: Any, p: float = 1) -> Any:
    """Return g / y^p, 0 where y is 0, in derivatives of every order."""
    return keep(g, y != 0) / where(y == 0, 1.0, y) ** p


def _norm_vjp(g: Any, y: Any, x: Any, p: float, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return the gradient of the p-norm: 0 where it has none, and for p = 0."""
    shape = x.shape
    if p == 0:
        return None
    if count(shape, dim) == 1 and p not in (1, 2) and not math.isinf(p):
        return spread(_over(g, y), shape, dim, keepdim) * x  # without powers, which overflow
    if p == 1:
        return spread(g, shape, dim, keepdim) * sign(x)
    if math.isinf(p):
        size = abs(x)
        return shared_vjp(g, y, size, dim, keepdim, 1.0) * sign(x)
    if p < 1:  # |x|^(p - 1) has a pole at 0, where the gradient is taken to be 0
        slope = sign(x) * where(x == 0, 1.0, abs(x)) ** (p - 1)
        return slope * spread(g * y ** (1 - p), shape, dim, keepdim)
    if p == 2:
        return spread(g / where(y == 0, math.inf, y), shape, dim, keepdim) * x
    g = spread(_over(g, y, p - 1), shape, dim, keepdim)
    return g * (sign(x) * abs(x) ** (p - 1) if p < 2 else x * abs(x) ** (p - 2))


def _norm(x: Array, p: float, dim: tuple[int, ...] | None, keepdim: Any) -> Any:
    if p != 0 and count(x.shape, dim) == 1:  # without powers, which overflow
        return np.maximum.reduce(np.abs(x), axis=dim, keepdims=keepdim)
    if p == 2:
        if dim is None and x.flags.c_contiguous:  # one pass, no temporary
            flat = x.reshape(-1)
            total = inner(flat, flat)
            return np.reshape(np.sqrt(total), kept_shape(x.shape, None) if keepdim else ())
        return np.sqrt(add_up(x * x, dim, keepdim))
    size = np.abs(x)
    if p == 1:
        return add_up(size, dim, keepdim)
    if p == 0:
        return np.asarray(np.count_nonzero(x, dim, keepdims=keepdim), x.dtype)
    if p == math.inf:
        return np.maximum.reduce(size, axis=dim, keepdims=keepdim)
    if p == -math.inf:
        return np.minimum.reduce(size, axis=dim, keepdims=keepdim)
    return add_up(size**p, dim, keepdim) ** (1 / p)


@primitive(
    lambda g, y, x, *, p, dim, keepdim: _norm_vjp(g, y, x, p, dim, keepdim),
    node="LinalgVectorNorm",
    kind=REDUCTION,
    namespace="linalg",
)
def vector_norm(input: Any, *, p: float, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return sum(|x|^p)^(1/p) over `dim`; the largest or smallest |x| for p = inf or -inf, the nonzero count for 0."""
    return c_order(_norm(input, p, dim, keepdim))


def _dist_vjp(g: Any, y: Any, x: Any, other: Any, p: float) -> Any:
    """Return the gradient of x, summed down here: from a 0-d result the engine cannot see that x was broadcast."""
    gx = _norm_vjp(g, y, x - other, p, None, False)
    return None if gx is None else unbroadcast(gx, x.shape)


@primitive(
    lambda g, y, x, other, *, p: _dist_vjp(g, y, x, other, p),
    lambda g, y, x, other, *, p: _dist_vjp(g, y, other, x, p),
    promote=ARITHMETIC,
    broadcasts=True,
)
def dist(input: Any, other: Any, *, p: float) -> Any:
    """Return the p-norm of input - other."""
    return _norm(np.asarray(input - other), p, None, False)
