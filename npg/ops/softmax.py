"""Softmax and its logarithm. Only the output is kept for the backward.

`dim` is counted from the front and checked.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.ops._op import fused
from npg.ops._program import program
from npg.ops._scratch import scratch
from npg.ops._sums import add_up, ones, row_sum
from npg.ops.elementwise import exp
from npg.ops.reduce import sum_

__all__ = ["SAFE", "log_softmax", "softmax"]

Array = np.ndarray[Any, Any]

_LARGE = 1 << 12  # elements
# Up to here no maximum need be subtracted: exp(-87) and exp(-708) are the smallest that keep all digits.
SAFE = {"f": 20.0, "d": 200.0}


# ----- What the two share -----


def _sum(x: Array, dim: int) -> Array:
    """Return the sum over dim, which is kept as 1; by BLAS where the rows lie one after the other."""
    if x.size >= _LARGE and dim == x.ndim - 1 and x.flags.c_contiguous:
        n = x.shape[dim]
        return row_sum(x.reshape(x.size // n, n)).reshape(*x.shape[:dim], 1)
    total: Array = add_up(x, dim, True)
    return total


def _shifted(x: Array, dim: int) -> Array:
    """Return x minus its maximum over dim, so that no exponential overflows; nan where that is infinite."""
    top = np.maximum.reduce(x, dim, None, None, True)  # type: ignore[call-overload]
    return np.subtract(x, top)


def _exponentials(x: Array, dim: int, out: Array | None = None) -> tuple[Array, Array] | None:
    """Return the exponentials of x without shifting it, and their sums over dim; None where that is not safe.

    The largest number of all is found ten times as fast as that of each row, and mostly it is small. If it is, and no
    sum is tiny, then nothing has overflown, and only what is less than exp(-67) of a sum has lost digits.
    """
    if x.size < _LARGE:
        return None
    limit = SAFE[x.dtype.char]
    if not np.maximum.reduce(x, axis=None) < limit:
        return None
    e = np.exp(x, out=np.empty(x.shape, x.dtype) if out is None else out)
    total = _sum(e, dim)
    return (e, total) if np.minimum.reduce(total, axis=None) > math.exp(-limit) else None


def _is_small(x: Array, dim: int) -> bool:
    return x.size < _LARGE and dim == x.ndim - 1


@program(rows=("ones",))
def _softmax_of_rows(x: Any, ones: Any) -> Any:
    e = np.exp(x - np.maximum.reduce(x, axis=-1, keepdims=True))
    return e / np.vecdot(e, ones)


@program(rows=("ones",))
def _log_softmax_of_rows(x: Any, ones: Any) -> Any:
    d = x - np.maximum.reduce(x, axis=-1, keepdims=True)
    return d - np.log(np.vecdot(np.exp(d), ones))


# ----- The ops -----


@fused()
def softmax(input: Any, *, dim: int) -> tuple[Any, tuple[()]]:
    """Return exp(input), divided by its sum over dim."""
    if input.ndim == 0:
        return softmax.forward(input.reshape(1), dim=0)[0].reshape(()), ()
    if not input.size:
        return input.copy(), ()
    input = np.ascontiguousarray(input)  # so that the result is, as PyTorch's
    if _is_small(input, dim):
        return _softmax_of_rows(input, ones(input.shape[dim], input.dtype)), ()
    found = _exponentials(input, dim)
    if found is None:
        y = _shifted(input, dim)
        np.exp(y, out=y)
        found = y, _sum(y, dim)
    y, total = found
    y /= total
    return y, ()


@softmax.backward
def _softmax_backward(g: Any, y: Any, _x: Any, *, saved: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    """y (g - sum(g y))."""
    if y.ndim == 0 or not y.size:
        return (np.zeros_like(y),)
    t = np.multiply(g, y, out=scratch(0, y.shape, y.dtype))
    gx = y * _sum(t, dim)
    return (np.subtract(t, gx, out=gx),)


@softmax.vjp
def _softmax_vjp(g: Any, y: Any, _x: Any, *, saved: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    """The same on tensors."""
    return (y * (g - sum_(g * y, dim=(dim,), keepdim=True)),) if y.shape else (g * 0.0,)


@softmax.compose
def _softmax(input: Any, *, dim: int) -> Any:
    e = exp(input)
    return e / sum_(e, dim=(dim,), keepdim=True)


@fused()
def log_softmax(input: Any, *, dim: int) -> tuple[Any, tuple[()]]:
    """Return input minus the logarithm of the sum of exp(input) over dim."""
    if input.ndim == 0:
        return log_softmax.forward(input.reshape(1), dim=0)[0].reshape(()), ()
    if not input.size:
        return input.copy(), ()
    input = np.ascontiguousarray(input)  # so that the result is, as PyTorch's
    if _is_small(input, dim):
        return _log_softmax_of_rows(input, ones(input.shape[dim], input.dtype)), ()
    found = _exponentials(input, dim, scratch(0, input.shape, input.dtype))
    if found is not None:
        return input - np.log(found[1]), ()
    y = _shifted(input, dim)
    y -= np.log(_sum(np.exp(y, out=scratch(0, y.shape, y.dtype)), dim))
    return y, ()


@log_softmax.backward
def _log_softmax_backward(g: Any, y: Any, _x: Any, *, saved: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    """g - exp(y) sum(g)."""
    if y.ndim == 0 or not y.size:
        return (np.zeros_like(y),)
    gx = np.exp(y)
    gx *= _sum(g, dim)
    return (np.subtract(g, gx, out=gx),)


@log_softmax.vjp
def _log_softmax_vjp(g: Any, y: Any, _x: Any, *, saved: Any, needs: tuple[bool, ...], dim: int) -> tuple[Any, ...]:
    """The same on tensors."""
    return (g - exp(y) * sum_(g, dim=(dim,), keepdim=True),) if y.shape else (g * 0.0,)


@log_softmax.compose
def _log_softmax(input: Any, *, dim: int) -> Any:
    e = exp(input)
    return input - (sum_(e, dim=(dim,), keepdim=True)).log()
