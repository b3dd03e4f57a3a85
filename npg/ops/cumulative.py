"""Products, and running sums, products and extrema along one dimension.

`dim` is counted from the front; a 0-d input is its own result.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels import blocks
from npg.kernels.keys import keys
from npg.ops._kinds import REDUCTION_OF_ONE, along_dims, chosen, linear
from npg.ops._op import movement, primitive
from npg.ops.extrema import values_vjp
from npg.ops.rearrange import constant_pad, flip
from npg.ops.reduction import spread
from npg.ops.selection import where
from npg.ops.shape import along, batches_along, c_order, overload, reshape, slice_

_LINE = 1 << 12  # adjacent elements that are processed at once, where dim is not the last


def _part(x: Any, dim: int, start: int, stop: int) -> Any:
    return slice_(x, dim=dim, start=start, stop=stop, step=1)


def _running_total(ufunc: np.ufunc, x: np.ndarray[Any, Any], dim: int, out: Any) -> Any:
    """Write the running results into out: accumulated in float64, a block of elements along dim at a time."""
    lines = (*x.shape[:dim], 1, *x.shape[dim + 1 :])
    across = 1 if dim == x.ndim - 1 else _LINE
    for key in keys(lines, max(blocks.BLOCK // x.shape[dim], across)):
        line = (*key[:dim], slice(None), *key[dim + 1 :])
        source, target = np.moveaxis(x[line], dim, 0), np.moveaxis(out[line], dim, 0)
        height = max(1, blocks.BLOCK * x.shape[dim] // source.size) if source.size else 1
        last = None
        for start in range(0, len(source), height):
            part = source[start : start + height].astype(np.float64)
            if last is not None:
                ufunc(last, part[:1], out=part[:1])
            ufunc.accumulate(part, axis=0, out=part)
            target[start : start + height] = part
            last = part[-1:].copy()
    return out


def _accumulate(ufunc: np.ufunc, x: np.ndarray[Any, Any], dim: int) -> np.ndarray[Any, Any]:
    # In float64 and rounded once: a running float32 sum would lose a digit for every tenfold of elements.
    if not x.ndim:
        return x.copy()
    if x.dtype.kind != "f":
        return c_order(ufunc.accumulate(x, axis=dim, dtype=np.int64))
    if x.dtype != np.float64 and x.size > blocks.BLOCK:
        return _running_total(ufunc, x, dim, np.empty(x.shape, x.dtype))
    return c_order(ufunc.accumulate(x, axis=dim, dtype=np.float64).astype(x.dtype, copy=False))


# ----- Running sums -----


@primitive(lambda g, _y, _x, *, dim: reverse_cumsum(g, dim=dim), kind=along_dims("dim", tangent=linear))
def cumsum(input: Any, *, dim: int) -> Any:
    """Return the running sums; int64 for integers and bools."""
    return _accumulate(np.add, input, dim)


@primitive(lambda g, _y, _x, *, dim: cumsum(g, dim=dim), aten=None, kind=along_dims("dim", tangent=linear))
def reverse_cumsum(input: Any, *, dim: int) -> Any:
    """Return the sums from each element to the last: the adjoint of cumsum."""
    if not input.ndim:
        return input.copy()
    back = along(dim, slice(None, None, -1))
    if input.dtype == np.float32 and input.size > blocks.BLOCK:
        out = np.empty(input.shape, input.dtype)
        _running_total(np.add, input[back], dim, out[back])
        return out
    return np.ascontiguousarray(_accumulate(np.add, input[back], dim)[back])


@primitive(
    lambda g, y, decay, _b, *, dim, reverse: _decay_vjp(g, y, decay, dim, reverse),
    lambda g, _y, decay, _b, *, dim, reverse: recurrence(decay, g, dim=dim, reverse=not reverse),
    aten=None,
)
def recurrence(decay: Any, input: Any, *, dim: int, reverse: bool) -> Any:
    """Return s[k] = input[k] + decay[k - 1] s[k - 1] along a dimension; reverse: s[k] = input[k] + decay[k] s[k + 1].

    decay[j] links j and j + 1, so there is one fewer of them. vjp: the recurrence in the other direction.
    """
    out = input.copy()
    b, a = np.moveaxis(out, dim, 0), np.moveaxis(decay, dim, 0)
    for k in range(len(b) - 2, -1, -1) if reverse else range(1, len(b)):
        b[k] += a[k] * b[k + 1] if reverse else a[k - 1] * b[k - 1]
    return out


recurrence.batch(batches_along)


def _decay_vjp(g: Any, y: Any, decay: Any, dim: int, reverse: bool) -> Any:
    """gdecay = the gradient that arrives at one end of each link times the value at the other."""
    t = recurrence(decay, g, dim=dim, reverse=not reverse)
    n = g.shape[dim]
    if reverse:
        return _part(t, dim, 0, n - 1) * _part(y, dim, 1, n)
    return _part(t, dim, 1, n) * _part(y, dim, 0, n - 1)


def _logcumsumexp_vjp(g: Any, y: Any, x: Any, *, dim: int) -> Any:
    # sum over i >= k of g[i] exp(x[k] - y[i]); y never falls, so every factor exp(y[k] - y[k + 1]) is at most 1.
    if not x.shape or not x.shape[dim]:
        return g * np.exp(x - y)
    n = x.shape[dim]
    this, following = _part(y, dim, 0, n - 1), _part(y, dim, 1, n)
    decay = np.exp(where(this == following, 0.0, this - following))
    return recurrence(decay, g, dim=dim, reverse=True) * np.exp(x - y)


@primitive(_logcumsumexp_vjp, kind=along_dims("dim"))
def logcumsumexp(input: Any, *, dim: int) -> Any:
    """Return the logarithms of the running sums of exp(input)."""
    return _accumulate(np.logaddexp, input, dim)


# ----- Products -----


@movement(aten=None)
def has_zero(input: Any) -> Any:
    """Tell whether any element is 0."""
    return np.asarray(not input.all())


def _products_before(x: Any, dim: int) -> Any:
    """Return, for each element, the product of those before it."""
    pad = [(0, 0)] * len(x.shape)
    pad[dim] = (1, 0)
    return constant_pad(cumprod(_part(x, dim, 0, x.shape[dim] - 1), dim=dim), pad=tuple(pad), value=1.0)


def _cumprod_vjp(g: Any, y: Any, x: Any, *, dim: int) -> Any:
    """gx[k] = x[0] .. x[k - 1] times the sum over i >= k of g[i] x[k + 1] .. x[i]."""
    if math.prod(x.shape) <= 1:
        return g
    if not has_zero(x):
        return reverse_cumsum(g * y, dim=dim) / x
    return _products_before(x, dim) * recurrence(_part(x, dim, 1, x.shape[dim]), g, dim=dim, reverse=True)


@primitive(_cumprod_vjp, kind=along_dims("dim"))
def cumprod(input: Any, *, dim: int) -> Any:
    """Return the running products; int64 for integers and bools."""
    return _accumulate(np.multiply, input, dim)


def _prod_vjp(g: Any, y: Any, x: Any, *, dim: int | None, keepdim: bool) -> Any:
    """gx = g times the product of the other elements: y / x, or with zeros that of the products before and after."""
    if not has_zero(x):
        return spread(g * y, x.shape, dim, keepdim) / x
    if not x.shape:
        return g
    line, d = (reshape(x, shape=(-1,)), 0) if dim is None else (x, dim)
    after = flip(_products_before(flip(line, dims=(d,)), d), dims=(d,))
    others = _products_before(line, d) * after
    return spread(g, x.shape, dim, keepdim) * reshape(others, shape=x.shape)


@primitive(_prod_vjp, kind=REDUCTION_OF_ONE)
def prod(input: Any, *, dim: int | None, keepdim: Any) -> Any:
    """Return the product over `dim` (an int or None); int64 for integers and bools."""
    wide = None if input.dtype.kind == "f" else np.int64
    return c_order(np.multiply.reduce(input, axis=dim, dtype=wide, keepdims=keepdim))


prod_dim = overload(prod, "ProdBackward1")


# ----- Running extrema -----


def _running(ufunc: np.ufunc, x: np.ndarray[Any, Any], dim: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    if not x.ndim:
        return x.copy(), np.zeros((), np.int64)
    values = ufunc.accumulate(x, axis=dim)
    at = np.arange(x.shape[dim]).reshape((-1,) + (1,) * (x.ndim - dim - 1))
    attains = (x == values) | np.isnan(x)
    return c_order(values), c_order(np.maximum.accumulate(np.where(attains, at, 0), axis=dim))


@movement(multi=True, reads=(1,), kind=along_dims("dim", tangent=chosen))
def cummax(input: Any, *, dim: int) -> Any:
    """Return the running maxima, and the index of the last element so far that equals each."""
    return _running(np.maximum, input, dim)


@movement(multi=True, reads=(1,), kind=along_dims("dim", tangent=chosen))
def cummin(input: Any, *, dim: int) -> Any:
    """Return the running minima, and the index of the last element so far that equals each."""
    return _running(np.minimum, input, dim)


for _op in (cummax, cummin):
    _op.vjp(values_vjp)
