"""Reductions: sums, means, variances, extrema.

`dim` is None for all dimensions, or a tuple of dimensions counted from the front (an int where only one is possible).
Integers and bools are accumulated in int64, as PyTorch does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.moments import variance
from npg.kernels.sums import add_up
from npg.ops._kinds import ELEMENTWISE, REDUCTION, flattened, linear, reduced
from npg.ops._op import Op, movement, primitive
from npg.ops.selection import mask as keep, where
from npg.ops.shape import c_order, expand, overload, reshape

Array = np.ndarray[Any, Any]

# ----- What the ops share -----


def kept_shape(shape: tuple[int, ...], dim: tuple[int, ...] | int | None) -> tuple[int, ...]:
    """Return the shape with the reduced dimensions as 1."""
    if dim is None:
        return (1,) * len(shape)
    if isinstance(dim, int):
        dim = (dim,)
    return tuple(1 if i in dim else n for i, n in enumerate(shape))


def spread(g: Any, shape: tuple[int, ...], dim: tuple[int, ...] | int | None, keepdim: bool) -> Any:
    """Return g, reduced over `dim`, as a view of the unreduced shape: the adjoint of a sum."""
    if not keepdim and dim is not None and shape:
        g = reshape(g, shape=kept_shape(shape, dim))
    return expand(g, shape=shape)


def count(shape: tuple[int, ...], dim: tuple[int, ...] | int | None) -> int:
    """Return the number of elements that are reduced into one."""
    if dim is None or isinstance(dim, int):
        return math.prod(shape) if dim is None else shape[dim]
    return math.prod(shape[d] for d in dim)


def _reduce(ufunc: Any, x: Array, dim: tuple[int, ...] | None, keepdim: bool, dtype: Any = None) -> Any:
    return c_order(ufunc.reduce(x, dim, dtype, None, keepdim))


def _total(x: Array, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    if x.dtype.kind != "f":
        return _reduce(np.add, x, dim, keepdim, np.int64)
    return c_order(add_up(x, dim, keepdim))


# ----- Sums -----


@primitive(lambda g, _y, x_like, *, dim, keepdim: spread(g, x_like.shape, dim, keepdim), kind=REDUCTION, tangent=linear)
def sum_(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return the sum over `dim`; int64 for integers and bools."""
    return _total(input, dim, keepdim)


sum_dim = overload(sum_, "SumBackward1")


def _divided(g: Any, n: int) -> Any:
    """Return g / n; g where n is 0."""
    return g / (n or 1)


def _mean_vjp(g: Any, _y: Any, x_like: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    return spread(_divided(g, count(x_like.shape, dim)), x_like.shape, dim, keepdim)


@primitive(_mean_vjp, kind=REDUCTION, tangent=linear)
def mean(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return the mean over `dim`, nan of nothing."""
    n = count(input.shape, dim)
    total = c_order(add_up(input, dim, keepdim))
    return total / n if n else total + math.nan


mean_dim = overload(mean, "MeanBackward1")


@primitive(lambda g, _y, x, *, dim, keepdim: spread(g, x.shape, dim, keepdim) * (x == x), kind=REDUCTION)
def nansum(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return the sum over `dim`, nan counted as 0."""
    return _total(np.where(np.isnan(input), input.dtype.type(0), input), dim, keepdim)


def _nanmean_vjp(g: Any, _y: Any, x: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    valid = ties(x, x, nan=0.0)
    n = sum_(valid, dim=dim, keepdim=keepdim)
    return spread(g / where(n == 0, math.nan, n), x.shape, dim, keepdim) * valid


@primitive(_nanmean_vjp, node="Div", kind=REDUCTION)
def nanmean(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return the mean over `dim` of the elements that are not nan."""
    valid = _reduce(np.add, ~np.isnan(input), dim, keepdim)
    total = _total(np.where(np.isnan(input), input.dtype.type(0), input), dim, keepdim)
    return total / valid.astype(input.dtype)


@movement(kind=REDUCTION)
def count_nonzero(input: Any, *, dim: tuple[int, ...] | None) -> Any:
    """Return the number of elements over `dim` that are not 0."""
    return c_order(np.asarray(np.count_nonzero(input, axis=dim)))


def reduced_examples(losses: Any, reduction: str) -> Any:
    """Return the sum or mean of the losses of each example of a batch; the losses themselves for "none"."""
    if reduction == "none":
        return losses
    return (sum_ if reduction == "sum" else mean)(flattened(losses), dim=(1,), keepdim=False)


# ----- Variance -----


def _variance_vjp(g: Any, x: Any, dim: tuple[int, ...] | None, correction: float, keepdim: bool) -> Any:
    """gx = 2 g (x - mean) / (n - correction); inf over all dimensions if the divisor is not positive, as in PyTorch."""
    free = count(x.shape, dim) - correction
    if dim is None and free <= 0:
        return g * where(x == mean(x, dim=None, keepdim=False), g * math.nan, math.inf)
    g = g * (2.0 / free if free else math.inf)
    return spread(g, x.shape, dim, keepdim) * (x - mean(x, dim=dim, keepdim=True))


def _of_root(g: Any, y: Any) -> Any:
    """Return the gradient of the radicand of the root y: 0 where y is 0."""
    return keep(g / (y + y), y != 0)


@primitive(lambda g, _y, x, *, dim, correction, keepdim: _variance_vjp(g, x, dim, correction, keepdim), kind=REDUCTION)
def var(input: Any, *, dim: tuple[int, ...] | None, correction: float, keepdim: bool) -> Any:
    """Return the variance over `dim`, with n - correction as the divisor."""
    return c_order(variance(input, dim, correction, keepdim)[0]).astype(input.dtype, copy=False)


@primitive(
    lambda g, y, x, *, dim, correction, keepdim: _variance_vjp(_of_root(g, y), x, dim, correction, keepdim),
    kind=REDUCTION,
)
def std(input: Any, *, dim: tuple[int, ...] | None, correction: float, keepdim: bool) -> Any:
    """Return the square root of the variance over `dim`."""
    return c_order(np.sqrt(variance(input, dim, correction, keepdim)[0])).astype(input.dtype, copy=False)


def _moments(x: Array, dim: tuple[int, ...] | None, correction: float, keepdim: bool, root: bool) -> tuple[Any, Any]:
    total, center = variance(x, dim, correction, keepdim)
    total = np.sqrt(total) if root else total
    center = c_order(center if keepdim else np.squeeze(center, dim))
    return c_order(total).astype(x.dtype, copy=False), center.astype(x.dtype, copy=False)


@primitive(multi=True, kind=REDUCTION)
def var_mean(input: Any, *, dim: tuple[int, ...] | None, correction: float, keepdim: bool) -> tuple[Any, Any]:
    """Return the variance and the mean over `dim`."""
    return _moments(input, dim, correction, keepdim, False)


@var_mean.vjp
def _var_mean_vjp(
    g: Any, _y: Any, x: Any, *, needs: tuple[bool, ...], dim: tuple[int, ...] | None, correction: float, keepdim: bool
) -> tuple[Any, ...]:
    """Add the gradients of both."""
    return (_moments_vjp(g[0], g[1], x, dim, correction, keepdim),)


@primitive(multi=True, reads=(0,), kind=REDUCTION)
def std_mean(input: Any, *, dim: tuple[int, ...] | None, correction: float, keepdim: bool) -> tuple[Any, Any]:
    """Return the standard deviation and the mean over `dim`."""
    return _moments(input, dim, correction, keepdim, True)


@std_mean.vjp
def _std_mean_vjp(
    g: Any, y: Any, x: Any, *, needs: tuple[bool, ...], dim: tuple[int, ...] | None, correction: float, keepdim: bool
) -> tuple[Any, ...]:
    """Add the gradients of both."""
    return (_moments_vjp(None if g[0] is None else _of_root(g[0], y[0]), g[1], x, dim, correction, keepdim),)


def _moments_vjp(gv: Any, gm: Any, x: Any, dim: tuple[int, ...] | None, correction: float, keepdim: bool) -> Any:
    gx = None if gv is None else _variance_vjp(gv, x, dim, correction, keepdim)
    if gm is None:
        return gx
    gm = spread(_divided(gm, count(x.shape, dim)), x.shape, dim, keepdim)
    return gm if gx is None else gx + gm


# ----- Extrema -----


@movement(kind=ELEMENTWISE, aten=None)
def ties(input: Any, extreme: Any, *, nan: float) -> Any:
    """Return 1 where the input is the extreme, else 0, in the input's dtype; where both are nan, `nan` instead of 1."""
    mask = (input == extreme).astype(input.dtype)
    unknown = np.isnan(extreme)
    if unknown.any():
        mask = np.where(unknown, np.where(np.isnan(input), input.dtype.type(1), input.dtype.type(0)) * nan, mask)
    return mask


def shared_vjp(g: Any, y: Any, x: Any, dim: tuple[int, ...] | None, keepdim: bool, nan: float = math.nan) -> Any:
    """gx = g, spread evenly over the elements that equal the extreme."""
    if 0 in x.shape:
        return spread(g, x.shape, dim, keepdim)
    mask = ties(x, spread(y, x.shape, dim, keepdim), nan=nan)
    n = sum_(mask, dim=dim, keepdim=keepdim)
    return spread(g / n, x.shape, dim, keepdim) * mask


def evenly_vjp(g: Any, y: Any, x: Any) -> Any:
    """gx = g, spread evenly over the elements that equal the one extreme; others get 0 even where g is infinite."""
    if 0 in x.shape:
        return spread(g, x.shape, None, False)
    mask = ties(x, spread(y, x.shape, None, False), nan=1.0)
    return keep(spread(g / sum_(mask, dim=None, keepdim=False), x.shape, None, False), mask != 0)


@primitive(evenly_vjp, tangent=reduced)
def max_(input: Any) -> Any:
    """Return the largest element; nan if any is nan."""
    return np.maximum.reduce(input, axis=None)


@max_.batch
def _max_batch(op: Op, xs: Any, batched: Any, size: int) -> Any:
    return amax(flattened(xs[0]), dim=(1,), keepdim=False)


@primitive(evenly_vjp, tangent=reduced)
def min_(input: Any) -> Any:
    """Return the smallest element; nan if any is nan."""
    return np.minimum.reduce(input, axis=None)


@min_.batch
def _min_batch(op: Op, xs: Any, batched: Any, size: int) -> Any:
    return amin(flattened(xs[0]), dim=(1,), keepdim=False)


max_.node_name, min_.node_name = "MaxBackward1", "MinBackward1"


@primitive(lambda g, y, x, *, dim, keepdim: shared_vjp(g, y, x, dim, keepdim), kind=REDUCTION)
def amax(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return the largest elements over `dim`; the gradient is shared by equal ones."""
    return _reduce(np.maximum, input, dim, keepdim)


@primitive(lambda g, y, x, *, dim, keepdim: shared_vjp(g, y, x, dim, keepdim), kind=REDUCTION)
def amin(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return the smallest elements over `dim`; the gradient is shared by equal ones."""
    return _reduce(np.minimum, input, dim, keepdim)


@primitive(multi=True, kind=REDUCTION)
def aminmax(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> tuple[Any, Any]:
    """Return the smallest and the largest elements over `dim`."""
    return _reduce(np.minimum, input, dim, keepdim), _reduce(np.maximum, input, dim, keepdim)


@aminmax.vjp
def _aminmax_vjp(
    g: Any, y: Any, x: Any, *, needs: tuple[bool, ...], dim: tuple[int, ...] | None, keepdim: bool
) -> tuple[Any, ...]:
    """Add both gradients, each shared by equal elements."""
    low, high = (None if gi is None else shared_vjp(gi, yi, x, dim, keepdim) for gi, yi in zip(g, y, strict=True))
    return (low if high is None else high if low is None else low + high,)


@movement(kind=REDUCTION)
def all_(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Tell whether all elements over `dim` are true."""
    return _reduce(np.logical_and, input, dim, keepdim)


@movement(kind=REDUCTION)
def any_(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Tell whether any element over `dim` is true."""
    return _reduce(np.logical_or, input, dim, keepdim)


# ----- Exponentials -----


def _logsumexp_vjp(g: Any, y: Any, x: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    return spread(g, x.shape, dim, keepdim) * np.exp(x - spread(y, x.shape, dim, keepdim))


@primitive(_logsumexp_vjp, kind=REDUCTION)
def logsumexp(input: Any, *, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """Return log(sum(exp(input))) over `dim`; vjp: g exp(x - y)."""
    top = np.maximum.reduce(input, axis=dim, keepdims=True, initial=-math.inf)
    top = np.where(np.isinf(top), 0, top)
    e = input - top
    total = c_order(add_up(np.exp(e, out=e if input.ndim else None), dim, keepdim))
    return np.log(total) + c_order(top if keepdim else np.squeeze(top, dim))
