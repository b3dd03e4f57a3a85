"""Trigonometric and hyperbolic functions, their inverses, angles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.ops._dtypes import no_integers
from npg.ops._kinds import ELEMENTWISE
from npg.ops._op import ARITHMETIC, FLOAT, elementwise, primitive, ufunc
from npg.ops.division import reciprocal
from npg.ops.elementwise import rsqrt
from npg.ops.selection import mask, where

# ----- Trigonometric -----


@ufunc(np.sin, lambda g, _y, x: g * np.cos(x), promote=FLOAT)
def sin(input: Any) -> Any:
    """Return the sine of each element, in radians."""


@ufunc(np.cos, lambda g, _y, x: g * -np.sin(x), promote=FLOAT)
def cos(input: Any) -> Any:
    """Return the cosine of each element, in radians."""


@ufunc(np.tan, lambda g, y, _x: g * (1.0 + y * y), promote=FLOAT)
def tan(input: Any) -> Any:
    """Return the tangent of each element, in radians."""


@ufunc(np.arcsin, lambda g, _y, x: g * rsqrt(1.0 - x * x), promote=FLOAT)
def asin(input: Any) -> Any:
    """Return the inverse sine of each element, in [-pi/2, pi/2]."""


@ufunc(np.arccos, lambda g, _y, x: -g * rsqrt(1.0 - x * x), promote=FLOAT)
def acos(input: Any) -> Any:
    """Return the inverse cosine of each element, in [0, pi]."""


@ufunc(np.arctan, lambda g, _y, x: g / (x * x + 1.0), promote=FLOAT)
def atan(input: Any) -> Any:
    """Return the inverse tangent of each element, in (-pi/2, pi/2)."""


def _inverse_square(a: Any, b: Any) -> Any:
    """Return 1 / (a^2 + b^2), 0 where that is infinite."""
    square = a * a + b * b
    return mask(reciprocal(square), square != 0)


@ufunc(
    np.arctan2,
    lambda g, _y, a, b: g * (b * _inverse_square(a, b)),
    lambda g, _y, a, b: g * (-a * _inverse_square(a, b)),
    promote=FLOAT,
)
def atan2(input: Any, other: Any) -> Any:
    """Return the angle of the point (other, input), in [-pi, pi]."""


# ----- Hyperbolic -----


@ufunc(np.sinh, lambda g, _y, x: g * np.cosh(x), promote=FLOAT)
def sinh(input: Any) -> Any:
    """Return the hyperbolic sine of each element."""


@ufunc(np.cosh, lambda g, _y, x: g * np.sinh(x), promote=FLOAT)
def cosh(input: Any) -> Any:
    """Return the hyperbolic cosine of each element."""


@ufunc(np.tanh, lambda g, y, _x: g * (1.0 - y * y), promote=FLOAT)
def tanh(input: Any) -> Any:
    """Return the hyperbolic tangent of each element."""


@ufunc(np.arcsinh, lambda g, _y, x: g * rsqrt(x * x + 1.0), promote=FLOAT)
def asinh(input: Any) -> Any:
    """Return the inverse hyperbolic sine of each element."""


@ufunc(np.arccosh, lambda g, _y, x: g * rsqrt(x * x - 1.0), promote=FLOAT)
def acosh(input: Any) -> Any:
    """Return the inverse hyperbolic cosine of each element, nan below 1."""


@ufunc(np.arctanh, lambda g, _y, x: g / (1.0 - x * x), promote=FLOAT)
def atanh(input: Any) -> Any:
    """Return the inverse hyperbolic tangent of each element, nan outside [-1, 1]."""


# ----- Angles and lengths -----


@primitive(
    lambda g, _y, _x: g * (math.pi / 180.0),
    promote=FLOAT,
    node="Deg2Rad",
    kind=ELEMENTWISE,
    numpy=(np.deg2rad, np.radians),
)
def deg2rad(input: Any) -> Any:
    """Return the input in radians."""
    return input * (math.pi / 180.0)


@primitive(
    lambda g, _y, _x: g * (180.0 / math.pi),
    promote=FLOAT,
    node="Rad2Deg",
    kind=ELEMENTWISE,
    numpy=(np.degrees, np.rad2deg),
)
def rad2deg(input: Any) -> Any:
    """Return the input in degrees."""
    return input * (180.0 / math.pi)


@ufunc(
    np.hypot,
    lambda g, _y, a, b: g * (a / np.hypot(a, b)),  # not y, which is rounded for float16
    lambda g, _y, a, b: g * (b / np.hypot(a, b)),
    promote=ARITHMETIC,
)
def hypot(input: Any, other: Any) -> Any:
    """Return sqrt(input**2 + other**2) without overflow."""


hypot.refuses(no_integers("hypot_cpu"))


# The slope of sin(z) / z with z = pi x, over x, in powers of z^2.
_SINC_SLOPE = tuple(math.pi**2 * (-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(1, 7))


def _sinc_vjp(g: Any, _y: Any, x: Any) -> Any:
    """gx = g (cos(pi x) - sinc(x)) / x; near 0, where that cancels, by its series."""
    near = np.abs(x) < 0.1
    apart = where(near, 1.0, x)
    t = math.pi * (apart - 2.0 * np.rint(apart * 0.5))
    square = (math.pi * math.pi) * (x * x)
    series = square * _SINC_SLOPE[-1]
    for coefficient in _SINC_SLOPE[-2:0:-1]:
        series = (series + coefficient) * square
    slope = (np.cos(t) - np.sin(t) / (math.pi * apart)) / apart
    return g * where(near, (series + _SINC_SLOPE[0]) * x, slope)


@primitive(_sinc_vjp, promote=FLOAT, kind=ELEMENTWISE)
def sinc(input: Any) -> Any:
    """Return sin(pi input) / (pi input), 1 at 0."""
    x = input * math.pi
    return np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x))


elementwise(sinc)
