"""GELU, x times the normal distribution function, and its tanh form.

Where a backward may follow, the forward also computes the slope, while everything it needs is at hand; the backward is
then one product. For a large array the slope is computed in the backward: saving it would take as much memory again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels import blocks
from npg.kernels.blocks import in_blocks, program_in_blocks
from npg.kernels.processor import HAS_AVX512
from npg.kernels.programs import program
from npg.ops._kinds import ELEMENTWISE
from npg.ops._op import fused
from npg.ops.special import erf, erfc
from npg.ops.trigonometry import tanh

_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)  # phi(x) = _DENSITY exp(-x^2 / 2)

# In float32 Phi(x) = (1 + tanh(z)) / 2 = 1 / (1 + exp(-2 z)) with z = x q(x^2) and a polynomial q. NumPy's float32 tanh
# takes half as long as its exp with AVX-512, and twice as long without. The fit weights an error of q by its effect on
# Phi, which stays below 3e-8; with the rounding of float32 below 1e-7 and 1.3e-7 (tests/ops/test_gelu.py compares the
# whole range with float64). Beyond 6.2 the argument keeps growing.
_Q = (
    0.7978849414638504,
    0.03633308455581037,
    -3.2594952381374414e-05,
    -5.530620479020614e-05,
    3.96474668576003e-06,
    -1.322635375837973e-07,
    1.756176680296084e-09,
)

_MINUS_2_Q = tuple(-2.0 * coefficient for coefficient in _Q)

_INNER = math.sqrt(2.0 / math.pi)
_CUBIC = 0.044715


# ----- With the error function -----


def _times_polynomial(x: Any, square: Any, coefficients: tuple[float, ...]) -> Any:
    """Return x times a polynomial of x^2."""
    q = square * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        q = (q + coefficient) * square
    return (q + coefficients[0]) * x


def _phi_single(x: Any, square: Any) -> Any:
    """Return the normal distribution function of a float32 x, given x^2."""
    if HAS_AVX512:
        return np.tanh(_times_polynomial(x, square, _Q)) * 0.5 + 0.5
    return 1.0 / (np.exp(_times_polynomial(x, square, _MINUS_2_Q)) + 1.0)


@program
def _gelu_single(x: Any) -> Any:
    return x * _phi_single(x, x * x)


@program
def _gelu_single_and_slope(x: Any) -> Any:
    square = x * x
    p = _phi_single(x, square)
    return x * p, np.exp(square * -0.5) * x * _DENSITY + p


def _slope(x: Any, p: Any) -> Any:
    return np.exp(x * x * -0.5) * x * _DENSITY + p


@program
def _gelu_single_gradient(g: Any, x: Any) -> Any:
    square = x * x
    return g * (np.exp(square * -0.5) * x * _DENSITY + _phi_single(x, square))


def _phi(x: Any) -> Any:
    """Return the normal distribution function of a float64 x."""
    p = erf.forward(x * math.sqrt(0.5))
    p += 1.0
    p *= 0.5
    return p


def _gelu_gradient(g: Any, x: Any) -> Any:
    return g * _slope(x, _phi(x))


def _keeps_slope(x: Any, keep: bool) -> bool:
    return keep and x.size <= blocks.LARGE


@fused(kind=ELEMENTWISE)
def gelu(input: Any, *, keep: bool = True) -> tuple[Any, tuple[Any, ...]]:
    """Return input times the normal distribution function of each element, x (1 + erf(x / sqrt(2))) / 2."""
    x = np.asarray(input, order="C")
    if x.dtype == np.float32:
        if not _keeps_slope(x, keep):
            return _gelu_single(x), ()
        y, slope = _gelu_single_and_slope(x)
        return y, (slope,)
    if not _keeps_slope(x, keep):
        return in_blocks(lambda x: x * _phi(x), (x,), {}), ()
    p = _phi(x)
    return x * p, (_slope(x, p),)


@gelu.backward
def _gelu_backward(g: Any, _y: Any, x: Any, *, saved: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    """gx = g times the slope, Phi(x) + x phi(x)."""
    if saved:
        return (g * saved[0],)
    x = np.asarray(x, order="C")  # in the layout the forward used
    if x.dtype == np.float32:
        return (program_in_blocks(_gelu_single_gradient, g, x),)
    return (in_blocks(_gelu_gradient, (g, x), {}),)


@gelu.in_half
def _gelu_half(input: Any, *, keep: bool = True) -> tuple[Any, tuple[Any, ...]]:
    p = erfc.forward(input * -math.sqrt(0.5)) * 0.5  # the float32 kernel's Phi errs by 9e-8, float16 goes down to 6e-8
    return input * p, (_slope(input, p),) if keep else ()


@gelu.compose
def _gelu(input: Any) -> Any:
    return input * (erf(input * math.sqrt(0.5)) + 1.0) * 0.5


# ----- With tanh -----


def _logistic(x: Any) -> tuple[Any, Any]:
    """Return (1 + tanh(z)) / 2 = 1 / (1 + exp(-2 z)), which in float64 takes half the time; and x^2."""
    square = x * x
    return 1.0 / (np.exp((square * (-2.0 * _CUBIC * _INNER) - 2.0 * _INNER) * x) + 1.0), square


@program
def _gelu_tanh_single(x: Any) -> Any:
    return x * _logistic(x)[0]


@program
def _gelu_tanh_and_slope(x: Any) -> Any:
    # The slope is s + x s (1 - s) (2 z)', with s that quotient and x s = y.
    s, square = _logistic(x)
    y = x * s
    return y, (square * (6.0 * _CUBIC * _INNER) + 2.0 * _INNER) * y * (1.0 - s) + s


@program
def _gelu_tanh_gradient(g: Any, x: Any) -> Any:
    s, square = _logistic(x)
    return g * ((square * (6.0 * _CUBIC * _INNER) + 2.0 * _INNER) * (x * s) * (1.0 - s) + s)


@fused(node="Gelu", kind=ELEMENTWISE, aten="gelu")
def gelu_tanh(input: Any, *, keep: bool = True) -> tuple[Any, tuple[Any, ...]]:
    """Return x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 of each element."""
    x = np.asarray(input, order="C")
    if not _keeps_slope(x, keep):
        return _gelu_tanh_single(x), ()
    y, slope = _gelu_tanh_and_slope(x)
    return y, (slope,)


@gelu_tanh.backward
def _gelu_tanh_backward(g: Any, _y: Any, x: Any, *, saved: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    """gx = g times the slope."""
    if saved:
        return (g * saved[0],)
    x = np.asarray(x, order="C")  # in the layout the forward used
    return (program_in_blocks(_gelu_tanh_gradient, g, x),)


@gelu_tanh.compose
def _gelu_tanh(input: Any) -> Any:
    inner = (input + input * input * input * _CUBIC) * _INNER
    return input * (tanh(inner) + 1.0) * 0.5
