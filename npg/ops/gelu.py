"""GELU, x times the normal distribution function, and its tanh form.

Where a backward may follow, the forward also computes the slope, while everything it needs is at hand; the backward is
then one product.
"""

from __future__ import annotations

import math

import numpy as np

from npg.ops._op import fused
from npg.ops._scratch import scratch
from npg.ops.special import erf
from npg.ops.trigonometry import tanh

__all__ = ["gelu", "gelu_tanh"]

BLOCK = 1 << 16  # elements at a time, so that the temporaries are small

_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)  # phi(x) = _DENSITY exp(-x^2 / 2)

# In float32 the tail 1 - Phi(a), a >= 0, is exp(-a^2 / 2) k / (a + b1 + c1 / (a + b2 + c2 / (a + b3))): Mills' ratio as
# a quotient of polynomials of degrees 2 and 3, written as a fraction of fractions, which takes the fewest passes and
# cannot overflow. A weighted least-squares fit with an error below 6e-8; 3e-7 with float32's rounding
# (tests/ops/test_gelu.py compares the whole range with float64). At a = -b3 a division by zero gives inf, and the next
# one the right limit.
_K = 0.4059138164610543
_B1, _C1 = 0.3066109433557891, -1.6539698280477482
_B2, _C2 = 9.065661509875227, 46.38517227763537
_B3 = -3.7590970772059524
_SIGN = np.int32(-(1 << 31))  # the sign bit of a float32

_INNER = math.sqrt(2.0 / math.pi)
_CUBIC = 0.044715


def _blockwise(kernel, x, keep):
    """Return (y, saved) of a kernel `(x, y, slope or None)`, which fills y and slope; all of them are flat."""
    x = np.asarray(x, order="C")
    y = np.empty_like(x)
    slope = np.empty_like(x) if keep else None
    flat = x.reshape(-1), y.reshape(-1), None if slope is None else slope.reshape(-1)
    for start in range(0, x.size, BLOCK):
        kernel(*(None if a is None else a[start : start + BLOCK] for a in flat))
    return y, (slope,) if keep else ()


# ----- With the error function -----


def _gelu_single(x, y, slope):
    a = np.absolute(x, out=scratch(0, x.shape, x.dtype))
    r = np.add(a, _B3, out=scratch(1, x.shape, x.dtype))
    np.divide(_C2, r, out=r)
    r += a
    r += _B2
    np.divide(_C1, r, out=r)
    r += a
    r += _B1
    np.divide(_K, r, out=r)
    e = np.multiply(x, x, out=a if slope is None else slope)
    e *= -0.5
    np.exp(e, out=e)
    r *= e
    np.subtract(0.5, r, out=r)
    # Phi(x) = 1/2 + sign(x) (Phi(|x|) - 1/2). np.copysign takes five times as long as the same on the bits.
    bits = r.view(np.int32)
    bits ^= np.bitwise_and(x.view(np.int32), _SIGN, out=y.view(np.int32))
    r += 0.5
    np.multiply(x, r, out=y)
    if slope is not None:
        slope *= x
        slope *= _DENSITY
        slope += r


def _gelu_any(x, y, slope):
    p = erf.forward(x * math.sqrt(0.5))
    p += 1.0
    p *= 0.5
    np.multiply(x, p, out=y)
    if slope is not None:
        np.multiply(x, x, out=slope)
        slope *= -0.5
        np.exp(slope, out=slope)
        slope *= x
        slope *= _DENSITY
        slope += p


@fused()
def gelu(input, *, keep=True):
    """Return input times the normal distribution function of each element, x (1 + erf(x / sqrt(2))) / 2."""
    return _blockwise(_gelu_single if input.dtype == np.float32 else _gelu_any, input, keep)


@gelu.compose
def _gelu(input):
    return input * (erf(input * math.sqrt(0.5)) + 1.0) * 0.5


# ----- With tanh -----


def _gelu_tanh_kernel(x, y, slope):
    # (1 + tanh(z)) / 2 = 1 / (1 + exp(-2 z)), and NumPy's exp takes half the time of its tanh.
    u = np.multiply(x, x, out=scratch(0, x.shape, x.dtype))
    if slope is not None:
        np.multiply(u, 6.0 * _CUBIC * _INNER, out=slope)
    u *= -2.0 * _CUBIC * _INNER
    u -= 2.0 * _INNER
    u *= x
    np.exp(u, out=u)
    u += 1.0
    np.divide(1.0, u, out=u)
    np.multiply(x, u, out=y)
    if slope is not None:  # the slope is s + x s (1 - s) (2 z)', with s that quotient and x s = y
        slope += 2.0 * _INNER
        slope *= y
        slope *= np.subtract(1.0, u, out=scratch(1, x.shape, x.dtype))
        slope += u


@fused(node="Gelu")
def gelu_tanh(input, *, keep=True):
    """Return x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 of each element."""
    return _blockwise(_gelu_tanh_kernel, input, keep)


@gelu_tanh.compose
def _gelu_tanh(input):
    inner = (input + input * input * input * _CUBIC) * _INNER
    return input * (tanh(inner) + 1.0) * 0.5


# ----- The backward of both -----


@gelu.backward
@gelu_tanh.backward
def _backward(g, _y, x, *, saved, needs):
    """g times the slope, which the forward has left."""
    return (g * saved[0],)
