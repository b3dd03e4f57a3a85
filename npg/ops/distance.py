"""Norms and distances. `dim` is None for all dimensions or a tuple of dimensions counted from the front."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels import blocks
from npg.kernels.programs import program
from npg.kernels.sums import add_up, inner
from npg.ops._broadcast import unbroadcast
from npg.ops._kinds import PAIRS_OF_MATRICES, REDUCTION, flattened, padded, rank_of
from npg.ops._op import ARITHMETIC, Op, primitive
from npg.ops.elementwise import sign
from npg.ops.indexing import index, index_backward
from npg.ops.matmul import matmul
from npg.ops.reduction import count, kept_shape, shared_vjp, spread
from npg.ops.selection import mask as keep, where
from npg.ops.shape import c_order, overload

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


@program
def _length(x: Any) -> Any:
    """Return the norm of each row."""
    return np.sqrt(np.vecdot(x, x))


def _norm(x: Array, p: float, dim: tuple[int, ...] | None, keepdim: Any) -> Any:
    if p != 0 and count(x.shape, dim) == 1:  # without powers, which overflow
        return np.maximum.reduce(np.abs(x), axis=dim, keepdims=keepdim)
    if p == 2:
        if dim is None and x.flags.c_contiguous:  # one pass, no temporary
            flat = x.reshape(1, -1)
            y = _length(flat) if x.size and x.dtype.kind == "f" and x.itemsize > 2 else np.sqrt(inner(flat, flat))
            return y.reshape(kept_shape(x.shape, None) if keepdim else ())
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


def norms(arrays: list[Array], p: float) -> Array:
    """Return the p-norm of each array, as vector_norm computes it, (len(arrays),); all of one dtype, not float16."""
    return np.array([_norm(x, p, None, False) for x in arrays], arrays[0].dtype)


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


@dist.batch
def _dist_batch(op: Op, xs: Any, batched: Any, size: int, /, *, p: float) -> Any:
    rank = max(rank_of(x, flag) for x, flag in zip(xs, batched, strict=True))
    a, b = (padded(x, rank) if flag else x for x, flag in zip(xs, batched, strict=True))
    return vector_norm(flattened(a - b), p=p, dim=(1,), keepdim=False)


# ----- Between the rows of matrices -----


def _row_norms(x: Array, p: float) -> Any:
    """Return the p-norms along the last dimension; of no elements 0."""
    return _norm(x, p, (x.ndim - 1,), False) if x.shape[-1] else np.zeros(x.shape[:-1], x.dtype)


def _slopes(g: Any, y: Any, x: Any, p: float) -> Any:
    """Return g times the derivative of y, the p-norm along the last dimension of x: 0 where it has none.

    Unlike in vector_norm, the largest elements do not share the gradient of the norm for p = inf.
    """
    if p == 1:
        return g * sign(x)
    if math.isinf(p):
        return keep(g * sign(x), abs(x) == y)
    return sign(x) * where(x == 0, 1.0, abs(x)) ** (p - 1) * _over(g, y, p - 1)


def _pull(g: Any, y: Any, x: Any, other: Any, p: float) -> Any:
    """Return the gradient of x (..., P, M), given g of its rows' distances y (..., P, R) from the rows of other."""
    if p == 0:
        return x * 0.0
    if p == 2:
        g = _over(g, y)
        return x * np.sum(g, axis=-1, keepdims=True) - matmul(g, other)
    if isinstance(x, np.ndarray):
        parts = [
            _pull_part(g[..., rows, :], y[..., rows, :], x[..., rows, :], other, p)
            for rows in _row_blocks(x.shape, other.shape)
        ]
        return np.concatenate(parts, axis=-2) if len(parts) != 1 else parts[0]
    return _pull_part(g, y, x, other, p)


def _pull_part(g: Any, y: Any, x: Any, other: Any, p: float) -> Any:
    differences = x[..., :, None, :] - other[..., None, :, :]  # (..., P, R, M)
    return np.sum(_slopes(g[..., None], y[..., None], differences, p), axis=-2)


def _row_blocks(shape: tuple[int, ...], other: tuple[int, ...]) -> list[slice]:
    """Return slices of the rows of the first matrix: as many at a time as make about a block of differences."""
    lead = max(math.prod(shape[:-2]), math.prod(other[:-2]))
    height = max(1, blocks.BLOCK // max(1, lead * other[-2] * shape[-1]))
    return [slice(i, i + height) for i in range(0, shape[-2], height)] or [slice(0, 0)]


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


@primitive(
    lambda g, y, x, other, *, p, products: _pull(g, y, x, other, p),
    lambda g, y, x, other, *, p, products: _pull(_transposed(g), _transposed(y), other, x, p),
    kind=PAIRS_OF_MATRICES,
    broadcasts=True,
    aten="_cdist_forward",
)
def cdist(input: Any, other: Any, *, p: float, products: bool) -> Any:
    """Return the p-norms of the differences of the rows (..., P, M) and (..., R, M): (..., P, R).

    products: for p = 2, by a matrix product, |x|^2 + |z|^2 - 2 x z, which is faster and has fewer digits.
    """
    if products:
        squares, others = (add_up(x * x, (x.ndim - 1,), True) for x in (input, other))
        y = np.asarray(matmul(input, _transposed(other)))
        y *= -2.0
        y += squares
        y += _transposed(others)
        return np.sqrt(np.maximum(y, 0.0, out=y), out=y)
    parts = [
        _row_norms(input[..., rows, None, :] - other[..., None, :, :], p)
        for rows in _row_blocks(input.shape, other.shape)
    ]
    return np.ascontiguousarray(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-2))


cdist.node_name = "CdistBackward0"
euclidean = overload(cdist, "EuclideanDistBackward0", aten="_euclidean_dist")


def _pdist_vjp(g: Any, y: Any, x: Any, *, p: float) -> Any:
    """gx = the gradient of the rows by their distances from all rows."""
    places, at = np.triu_indices(x.shape[0], 1), (0, 1)
    shape = (x.shape[0], x.shape[0])
    g, y = (index_backward(v, *places, shape=shape, at=at) for v in (g, y))
    return _pull(g + g.T, y + y.T, x, x, p)


@primitive(_pdist_vjp, aten="_pdist_forward")
def pdist(input: Any, *, p: float) -> Any:
    """Return the p-norms of the differences of the rows i < j of (N, M): (N (N - 1) / 2,), j counting faster."""
    parts = [_row_norms(input[i + 1 :] - row, p) for i, row in enumerate(input[:-1])]
    return np.concatenate(parts) if parts else np.zeros(0, input.dtype)


@pdist.batch
def _pdist_batch(op: Op, xs: Any, batched: Any, size: int, /, *, p: float) -> Any:
    y = cdist(xs[0], xs[0], p=p, products=False)
    return index(y, *np.triu_indices(xs[0].shape[1], 1), at=(1, 2))
