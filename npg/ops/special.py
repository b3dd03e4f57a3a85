"""Special functions: the error function, sigmoid and logit, logarithms of sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.layouts import memory_order
from npg.kernels.programs import program
from npg.ops._dtypes import no_integers
from npg.ops._kinds import ELEMENTWISE
from npg.ops._op import ARITHMETIC, FLOAT, elementwise, primitive, ufunc
from npg.ops.division import reciprocal
from npg.ops.elementwise import exp, exp2, log
from npg.ops.selection import mask, where

# ----- The error function -----

# W. J. Cody, Rational Chebyshev approximations for the error function, Mathematics of Computation 23 (1969), 631-637:
# three ranges, each a quotient of polynomials with errors below 1e-17. Coefficients from the highest power down.
#
# erf(x) / x = A / B in t = x^2 for small x. Stored is (A - B) / B, because x + x * 0.128 loses less than x * 1.128.
# His range ends at 0.46875, but the quotient is as good up to 0.478, where erf passes 1/2 and 1 - erfc loses nothing.
_SMALL, _LARGE = 0.478, 4.0
_ERF_EXCESS = (
    (-8.14222293815396847e-1, -2.04401672084735553e01, -1.30160483783394017e02, -9.05131288392070259e02,
     3.6514075569929885e02),
    (1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03),
)  # fmt: skip
_ERFC_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01,
     2.98635138197400131e02, 8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03,
     1.23033935479799725e03),
    (1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
     3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03),
)  # fmt: skip
_ERFC_TAIL = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e00, 1.87295284992346725e00, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip
# For float32: erf(x) / x as one quotient in x^2 for |x| <= 3.95, beyond which erf rounds to 1. Relative error 2.3e-9, a
# least-squares fit with Lawson's weights; computed in float64, so that only the last rounding shows.
_SINGLE_BOUND = 3.95
_ERF_SINGLE = (
    (6.658590782127041e-06, 4.0765192048541123e-04, 4.205962687132481e-03, 5.564130665901065e-02,
     1.9261471970919258e-01, 1.128379169711349),
    (2.5298044362036534e-07, 7.161118703891042e-05, 1.412329656391026e-03, 1.6242273695447288e-02,
     1.1732148446680596e-01, 5.040337762576365e-01, 1.0),
)  # fmt: skip
_BLOCK = 8192  # elements at a time, so that the temporaries stay in the cache


def _polynomial(coefficients: tuple[float, ...], t: Any) -> Any:
    """Return the polynomial at t by Horner's rule."""
    y = coefficients[0] * t
    for c in coefficients[1:-1]:
        y += c
        y *= t
    y += coefficients[-1]
    return y


def _quotient(pair: tuple[tuple[float, ...], tuple[float, ...]], t: Any) -> Any:
    y = _polynomial(pair[0], t)
    y /= _polynomial(pair[1], t)
    return y


def _erf_single(x: Any) -> Any:
    x = np.clip(x, -_SINGLE_BOUND, _SINGLE_BOUND, dtype=np.float64)
    y = _quotient(_ERF_SINGLE, x * x)
    y *= x
    return y


def _erfc_above(y: Any) -> Any:
    """Return erfc(y) of float64 y > _SMALL."""
    y = np.minimum(y, 28.0)  # erfc is 0 beyond, and inf - inf must not occur below
    far = y > _LARGE
    result = _quotient(_ERFC_MIDDLE, y)
    if far.any():
        f = y[far]
        t = 1.0 / (f * f)
        result[far] = (1.0 / math.sqrt(math.pi) - t * _quotient(_ERFC_TAIL, t)) / f
    # exp(-y^2) without the rounding error of y^2: with h = y to four binary places, h^2 is exact.
    h = np.trunc(y * 16.0) / 16.0
    result *= np.exp(-h * h) * np.exp((h - y) * (h + y))
    return result


def _erf_small(x: Any) -> Any:
    """Return erf(x) of float64 |x| <= _SMALL, and something finite elsewhere."""
    y = _quotient(_ERF_EXCESS, np.minimum(x * x, _SMALL**2))
    y *= x
    y += x
    return y


def _erf_double(x: Any) -> Any:
    result = _erf_small(x)
    large = ~(np.abs(x) <= _SMALL)  # includes nan, which stays nan
    if large.any():
        v = x[large]
        result[large] = np.copysign(0.5 + (0.5 - _erfc_above(np.abs(v))), v)
    return result


def _erfc_double(x: Any) -> Any:
    result = 1.0 - _erf_small(x)
    large = ~(np.abs(x) <= _SMALL)
    if large.any():
        v = x[large]
        tail = _erfc_above(np.abs(v))
        result[large] = np.where(v < 0, 2.0 - tail, tail)
    return result


def _by_blocks(function: Any, x: Any) -> Any:
    if not x.flags.c_contiguous:  # laid out like x, as a ufunc's result is
        axes = memory_order(x.shape, x.strides)
        return _by_blocks(function, np.ascontiguousarray(x.transpose(axes))).transpose(np.argsort(axes))
    result = np.empty(x.shape, x.dtype)
    source, target = x.reshape(-1), result.reshape(-1)
    for start in range(0, source.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        target[part] = function(source[part])
    return result


@primitive(
    lambda g, _y, x: (2.0 / math.sqrt(math.pi)) * g * exp(-(x * x)), promote=FLOAT, kind=ELEMENTWISE, scipy="erf"
)
def erf(input: Any) -> Any:
    """Return 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to each element.

    Source: Cody 1969 in float64, within 2 units in the last place; float32 and float16 are rounded from float64.
    """
    return _by_blocks(_erf_double if input.dtype == np.float64 else _erf_single, input)


@primitive(
    lambda g, _y, x: (-2.0 / math.sqrt(math.pi)) * g * exp(-(x * x)), promote=FLOAT, kind=ELEMENTWISE, scipy="erfc"
)
def erfc(input: Any) -> Any:
    """Return 1 - erf(input), with full relative precision where that is small.

    Source: Cody 1969, in float64 for every dtype; float64 within 6 units in the last place.
    """
    return _by_blocks(lambda x: _erfc_double(x.astype(np.float64)), input)


# ----- Sigmoid and its inverse -----


def _erfinv_double(value: Any) -> Any:
    """Return erfinv by Winitzki's formula (2008), accurate to 2e-3, and three Halley steps, which triple the digits.

    Above 1/2 the steps use erfc(x) and 1 - y, which is exact there: erf(x) is near 1, where its digits are spent.
    """
    y = np.abs(value)
    complement = 1.0 - y
    a = 0.147
    log_part = np.log(complement * (1.0 + y))
    half = 2.0 / (math.pi * a) + 0.5 * log_part
    x = np.sqrt(np.sqrt(half * half - log_part / a) - half)
    for _ in range(3):
        beyond = np.where(y > 0.5, complement - _erfc_double(x), _erf_double(x) - y)  # erf(x) - y
        step = beyond * (0.5 * math.sqrt(math.pi)) * np.exp(x * x)
        x = x - step / (1.0 + x * step)
    # At 1 the steps meet inf - inf; beyond it there is no result.
    return np.copysign(np.where(y < 1.0, x, np.where(y == 1.0, math.inf, math.nan)), value)


def _erfinv_vjp(g: Any, _y: Any, x: Any) -> Any:
    """sqrt(pi) / 2 exp(erfinv(x)^2)."""
    y = erfinv(x)
    return (0.5 * math.sqrt(math.pi)) * g * exp(y * y)


@primitive(_erfinv_vjp, promote=FLOAT, kind=ELEMENTWISE, scipy="erfinv")
def erfinv(input: Any) -> Any:
    """Return the x whose erf is the input, inf at 1 and nan outside [-1, 1]."""
    return _by_blocks(lambda x: _erfinv_double(x.astype(np.float64)), input)


@program
def _sigmoid(x: Any) -> Any:
    return 1.0 / (np.exp(-x) + 1.0)


@primitive(lambda g, y, _x: g * ((1.0 - y) * y), promote=FLOAT, kind=ELEMENTWISE, scipy="expit")
def sigmoid(input: Any) -> Any:
    """Return 1 / (1 + exp(-input))."""
    return _sigmoid.of(input)


def _logit_vjp(g: Any, _y: Any, x: Any, *, eps: float | None) -> Any:
    """gx = g / (x (1 - x)); 0 where x was clamped to [eps, 1 - eps]; without eps, nan outside [0, 1]."""
    slope = g / (x * (1.0 - x))
    if eps != eps:
        return slope
    if eps is None:
        return where((x < 0.0) | (x > 1.0), math.nan, slope)
    return mask(slope, (x >= eps) & (x <= 1.0 - eps))


@primitive(_logit_vjp, promote=FLOAT, kind=ELEMENTWISE, scipy="logit")
def logit(input: Any, *, eps: float | None) -> Any:
    """Return log(x / (1 - x)), x clamped to [eps, 1 - eps] unless eps is None or nan; eps wins where x < eps."""
    if eps is not None and eps == eps:
        input = np.where(input < eps, input.dtype.type(eps), np.minimum(input, 1.0 - eps))
    return np.log(input / (1.0 - input))


# ----- Products with logarithms, logarithms of sums -----


def _log(x: Any) -> Any:
    # A Python float for a number: a NumPy scalar would promote float32.
    return log(x) if hasattr(x, "dtype") else float(np.log(float(x)))


@primitive(
    lambda g, _y, x, other: mask(xlogy(g, other), ~((x == 0) & (other <= 0))),  # a g of 0 stays 0
    lambda g, _y, x, other: g * x / other,
    promote=FLOAT,
    broadcasts=True,
    kind=ELEMENTWISE,
    scipy="xlogy",
)
def xlogy(input: Any, other: Any) -> Any:
    """Return input * log(other), 0 where input is 0 unless other is nan."""
    nan = np.isnan(other) if hasattr(other, "dtype") else other != other
    return np.where((np.asarray(input) == 0) & ~np.asarray(nan), 0.0, input * _log(other))


@ufunc(
    np.logaddexp,
    lambda g, _y, a, b: g * reciprocal(1.0 + exp(b - a)),
    lambda g, _y, a, b: g * reciprocal(1.0 + exp(a - b)),
    promote=ARITHMETIC,
    in_place=False,
)
def logaddexp(input: Any, other: Any) -> Any:
    """Return log(exp(input) + exp(other)) without overflow."""


@ufunc(
    np.logaddexp2,
    lambda g, _y, a, b: g * reciprocal(1.0 + exp2(b - a)),
    lambda g, _y, a, b: g * reciprocal(1.0 + exp2(a - b)),
    promote=ARITHMETIC,
    in_place=False,
)
def logaddexp2(input: Any, other: Any) -> Any:
    """Return log2(2**input + 2**other) without overflow."""


logaddexp.refuses(no_integers("logaddexp_cpu"))
logaddexp2.refuses(no_integers("logaddexp2_cpu"))

elementwise(logit, xlogy)
elementwise(erf, erfc, erfinv, sigmoid, forward=False)  # their forwards work in blocks already
