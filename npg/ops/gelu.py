"""GELU, x times the normal distribution function, and its tanh form.

Where a backward may follow, the forward also computes the slope, while everything it needs is at hand; the backward is
then one product.
"""

from __future__ import annotations

import math

import numpy as np

from npg.ops._op import fused
from npg.ops._program import program
from npg.ops.special import erf
from npg.ops.trigonometry import tanh

__all__ = ["gelu", "gelu_tanh"]

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
_SIGN = -(1 << 31)  # the sign bit of a float32

_INNER = math.sqrt(2.0 / math.pi)
_CUBIC = 0.044715


# ----- With the error function -----


def _phi_single(x, e):
    """Return the normal distribution function of float32, given e = exp(-x^2 / 2)."""
    a = np.absolute(x)
    r = _C2 / (a + _B3) + a + _B2
    r = _C1 / r + a + _B1
    r = 0.5 - _K / r * e
    # Phi(x) = 1/2 + sign(x) (Phi(|x|) - 1/2). np.copysign takes five times as long as the same on the bits.
    return np.bitwise_xor(r.as_bits(), np.bitwise_and(x.as_bits(), _SIGN)).as_float() + 0.5


@program
def _gelu_single(x):
    return x * _phi_single(x, np.exp(x * x * -0.5))


@program
def _gelu_single_and_slope(x):
    e = np.exp(x * x * -0.5)
    p = _phi_single(x, e)
    return x * p, e * x * _DENSITY + p


@program
def _slope(x, p):
    return np.exp(x * x * -0.5) * x * _DENSITY + p


@fused()
def gelu(input, *, keep=True):
    """Return input times the normal distribution function of each element, x (1 + erf(x / sqrt(2))) / 2."""
    x = np.asarray(input, order="C")
    if x.dtype == np.float32:
        if not keep:
            return _gelu_single(x), ()
        y, slope = _gelu_single_and_slope(x)
        return y, (slope,)
    p = erf.forward(x * math.sqrt(0.5))
    p += 1.0
    p *= 0.5
    return x * p, (_slope(x, p),) if keep else ()


@gelu.compose
def _gelu(input):
    return input * (erf(input * math.sqrt(0.5)) + 1.0) * 0.5


# ----- With tanh -----


def _logistic(x):
    """Return (1 + tanh(z)) / 2 = 1 / (1 + exp(-2 z)), for NumPy's exp takes half the time of its tanh; and x^2."""
    square = x * x
    return 1.0 / (np.exp((square * (-2.0 * _CUBIC * _INNER) - 2.0 * _INNER) * x) + 1.0), square


@program
def _gelu_tanh_single(x):
    return x * _logistic(x)[0]


@program
def _gelu_tanh_and_slope(x):
    # The slope is s + x s (1 - s) (2 z)', with s that quotient and x s = y.
    s, square = _logistic(x)
    y = x * s
    return y, (square * (6.0 * _CUBIC * _INNER) + 2.0 * _INNER) * y * (1.0 - s) + s


@fused(node="Gelu")
def gelu_tanh(input, *, keep=True):
    """Return x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 of each element."""
    x = np.asarray(input, order="C")
    if not keep:
        return _gelu_tanh_single(x), ()
    y, slope = _gelu_tanh_and_slope(x)
    return y, (slope,)


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
