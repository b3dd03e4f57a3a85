"""Softmax and its logarithm. Only the output is saved for the backward.

`dim` is counted from the front and was checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg.kernels.buffers import LIMIT, scratch
from npg.kernels.programs import program
from npg.kernels.sums import add_up, ones, row_sum
from npg.ops._kinds import Kind, own_shape, rank_of
from npg.ops._op import Op, fused
from npg.ops.elementwise import exp
from npg.ops.reduction import sum_
from npg.ops.shape import reshape

Array = np.ndarray[Any, Any]

_LARGE = 1 << 12  # elements
_NARROW = 16  # elements of a row up to which starting a loop on it costs more than it computes
_LINE = 1 << 10  # adjacent elements that a part has at least, where dim is not the last
# Up to here no maximum need be subtracted: exp(-87) and exp(-708) are the smallest normal numbers.
SAFE = {"f": 20.0, "d": 200.0}


# ----- What the two share -----


def _sum(x: Array, dim: int) -> Array:
    """Return the sum over dim, which is kept as 1; by BLAS where the rows are contiguous."""
    if x.size >= _LARGE and dim == x.ndim - 1 and x.flags.c_contiguous:
        n = x.shape[dim]
        return row_sum(x.reshape(x.size // n, n)).reshape(*x.shape[:dim], 1)
    total: Array = add_up(x, dim, True)
    return total


def _top(x: Array, dim: int) -> Array:
    """Return the maximum over dim, which is kept as 1; with it subtracted no exponential overflows."""
    top: Array = np.maximum.reduce(x, dim, None, None, True)  # type: ignore[call-overload]
    return top


def _total(compute: Callable[..., Array], dim: int, *arrays: Array) -> Array:
    """Return the sum over dim, which is kept as 1, of compute(*arrays, out=...), computed part by part.

    The first array is C-contiguous; the others have its shape, or 1 at dim.
    """
    x = arrays[0]
    if x.nbytes <= LIMIT:
        return _sum(compute(*arrays, out=scratch(0, x.shape, x.dtype)), dim)
    outer, n, inner = math.prod(x.shape[:dim]), x.shape[dim], math.prod(x.shape[dim + 1 :])
    folded = [a.reshape(outer, a.shape[dim], *((inner,) if inner > 1 else ())) for a in arrays]
    total = np.empty((outer, 1, *folded[0].shape[2:]))  # in float64, where several parts are added
    most = LIMIT // x.itemsize  # elements of a part: as many outer slices as fit, else a part of one
    width = min(inner, max(most // n, _LINE))
    height = min(n, max(most // width, 1))
    count = max(most // (n * inner), 1)
    for start in range(0, outer, count):
        for left in range(0, inner, width):
            where = (slice(start, start + count), slice(None), slice(left, left + width))[: total.ndim]
            for top in range(0, n, height):
                rows = slice(top, top + height)
                parts = [a[where][:, rows] if a.shape[1] == n else a[where] for a in folded]
                part_sum = _sum(compute(*parts, out=scratch(0, parts[0].shape, x.dtype)), 1)
                if top:
                    total[where] += part_sum
                else:
                    total[where] = part_sum
    return total.astype(x.dtype).reshape(*x.shape[:dim], 1, *x.shape[dim + 1 :])


def _exponentials(x: Array, dim: int, out: Array | None) -> Array | None:
    """Return the sums over dim of the exponentials of x without shifting it; None where that is not safe.

    The maximum of the whole array is found ten times as fast as that of each row, and is usually small. If it is, and
    no sum is tiny, nothing has overflowed, and only terms below exp(-67) of a sum have lost digits.

    Args:
        out: where the exponentials are written; None where they are not needed.
    """
    if x.size < _LARGE:
        return None
    limit = SAFE[x.dtype.char]
    if not np.maximum.reduce(x, axis=None) < limit:
        return None
    total = _total(np.exp, dim, x) if out is None else _sum(np.exp(x, out=out), dim)
    return total if np.minimum.reduce(total, axis=None) > math.exp(-limit) else None


def _shifted_exp(x: Array, top: Array, out: Array) -> Array:
    return np.exp(np.subtract(x, top, out=out), out=out)


def _is_on_rows(x: Array, dim: int) -> bool:
    """Tell whether a program on the rows along dim costs less than passes over all of x."""
    return dim == x.ndim - 1 and (x.shape[dim] > _NARROW or x.size < _LARGE)


@program(rows=("ones",))
def _softmax_of_rows(x: Any, ones: Any) -> Any:
    e = np.exp(x - np.maximum.reduce(x, axis=-1, keepdims=True))
    return e / np.vecdot(e, ones)


@program(rows=("ones",))
def _log_softmax_of_rows(x: Any, ones: Any) -> Any:
    d = x - np.maximum.reduce(x, axis=-1, keepdims=True)
    return d - np.log(np.vecdot(np.exp(d), ones))


@program
def _softmax_backward_of_rows(y: Any, g: Any) -> Any:
    return (g - np.vecdot(y, g)) * y


@program(rows=("ones",))
def _log_softmax_backward_of_rows(y: Any, g: Any, ones: Any) -> Any:
    return g - np.exp(y) * np.vecdot(g, ones)


# ----- The ops -----


def _batch(op: Op, xs: Any, batched: Any, size: int, /, *, dim: int) -> Any:
    (x,) = xs
    if rank_of(x, True):
        return op(x, dim=dim + 1)
    return reshape(op(reshape(x, shape=(size, 1)), dim=1), shape=(size,))


SOFTMAX = Kind("softmax", _batch, shape=own_shape)


@fused(kind=SOFTMAX)
def softmax(input: Any, *, dim: int) -> tuple[Any, tuple[()]]:
    """Return exp(input), divided by its sum over dim."""
    if input.ndim == 0:
        return softmax.forward(input.reshape(1), dim=0)[0].reshape(()), ()
    if not input.size:
        return input.copy(), ()
    input = np.ascontiguousarray(input)  # so that the result is contiguous, as in PyTorch
    if _is_on_rows(input, dim):
        return _softmax_of_rows(input, ones(input.shape[dim], input.dtype)), ()
    y = np.empty(input.shape, input.dtype)
    total = _exponentials(input, dim, y)
    if total is None:
        total = _sum(_shifted_exp(input, _top(input, dim), y), dim)
    y /= total
    return y, ()


@softmax.backward
def _softmax_backward(g: Any, y: Any, _x: Any, *, saved: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    """gx = y (g - sum(g y))."""
    if y.ndim == 0 or not y.size:
        return (np.zeros_like(y),)
    if _is_on_rows(y, dim):
        return (_softmax_backward_of_rows(y, np.ascontiguousarray(g)),)
    gx = np.subtract(g, _total(np.multiply, dim, y, g))
    gx *= y
    return (gx,)


@softmax.vjp
def _softmax_vjp(g: Any, y: Any, _x: Any, *, saved: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    """Compute the same on Tensors."""
    return (y * (g - sum_(g * y, dim=(dim,), keepdim=True)),) if y.shape else (g * 0.0,)


@softmax.compose
def _softmax(input: Any, *, dim: int) -> Any:
    e = exp(input)
    return e / sum_(e, dim=(dim,), keepdim=True)


@fused(kind=SOFTMAX)
def log_softmax(input: Any, *, dim: int) -> tuple[Any, tuple[()]]:
    """Return input minus the logarithm of the sum of exp(input) over dim."""
    if input.ndim == 0:
        return log_softmax.forward(input.reshape(1), dim=0)[0].reshape(()), ()
    if not input.size:
        return input.copy(), ()
    input = np.ascontiguousarray(input)  # so that the result is contiguous, as in PyTorch
    if _is_on_rows(input, dim):
        return _log_softmax_of_rows(input, ones(input.shape[dim], input.dtype)), ()
    total = _exponentials(input, dim, None)
    if total is not None:
        return input - np.log(total), ()
    top = _top(input, dim)
    y = input - top
    y -= np.log(_total(_shifted_exp, dim, input, top))
    return y, ()


@log_softmax.backward
def _log_softmax_backward(g: Any, y: Any, _x: Any, *, saved: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    """gx = g - exp(y) sum(g)."""
    if y.ndim == 0 or not y.size:
        return (np.zeros_like(y),)
    if _is_on_rows(y, dim):
        return (_log_softmax_backward_of_rows(y, np.ascontiguousarray(g), ones(y.shape[dim], y.dtype)),)
    gx = np.exp(y)
    gx *= _sum(g, dim)
    return (np.subtract(g, gx, out=gx),)


@log_softmax.vjp
def _log_softmax_vjp(g: Any, y: Any, _x: Any, *, saved: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    """Compute the same on Tensors."""
    return (g - exp(y) * sum_(g, dim=(dim,), keepdim=True),) if y.shape else (g * 0.0,)


@log_softmax.compose
def _log_softmax(input: Any, *, dim: int) -> Any:
    e = exp(input)
    return input - (sum_(e, dim=(dim,), keepdim=True)).log()


@softmax.tangent
def _softmax_tangent(node: Any, ts: list[Any]) -> Any:
    (t,), y, dim = ts, node.output, node.params["dim"]
    return y * (t - add_up(y * t, dim, True)) if t.ndim else np.zeros_like(t)


@log_softmax.tangent
def _log_softmax_tangent(node: Any, ts: list[Any]) -> Any:
    (t,), y, dim = ts, node.output, node.params["dim"]
    return t - add_up(np.exp(y) * t, dim, True) if t.ndim else np.zeros_like(t)
