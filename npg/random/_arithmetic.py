"""Arithmetic of PyTorch's kernels that NumPy lacks: fused multiply-add, the C library's functions, a log and sincos.

PyTorch's random kernels are compiled for AVX2 with fused multiply-add, whose result is rounded once. Bounds such as
uniform_(-b, b) cancel, so rounding twice would show: in a third of the values, and near zero in many digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_F32, _F64 = np.float32, np.float64


# ----- Fused multiply-add -----


def fma32(x: np.ndarray, a: float, b: float) -> np.ndarray:
    """Return x * a + b in float32, rounded once; a and b are first rounded to float32.

    The product of two float32 is exact in float64, so the second rounding is harmless except in one case in 2**29.
    """
    factor, summand = _F32(a), _F32(b)
    if summand == 0:
        return x * factor
    wide = x.astype(_F64)
    wide *= _F64(factor)
    wide += _F64(summand)
    return wide.astype(_F32)


def fma64(x: np.ndarray, a: float, b: float) -> np.ndarray:
    """Return x * a + b in float64, rounded once: the errors of product and sum are found exactly and added last.

    Source: T. J. Dekker, "A floating-point technique for extending the available precision", 1971.
    """
    if b == 0:
        return x * a
    if a == 1:
        return x + b
    if abs(a) > 2.0**900:  # splitting would overflow
        return fma64(x, a * 2.0**-128, b * 2.0**-128) * 2.0**128
    x_high, x_low = _split(x)
    a_high, a_low = _split(a)
    product = x * a
    product_error: np.ndarray = ((x_high * a_high - product) + x_high * a_low + x_low * a_high) + x_low * a_low
    total = product + b
    added = total - product
    sum_error: np.ndarray = (product - (total - added)) + (b - added)
    corrected: np.ndarray = total + (sum_error + product_error)
    return corrected


def _split(x: Any) -> tuple[Any, Any]:
    shifted = x * 134217729.0  # 2**27 + 1
    high = shifted - (shifted - x)
    return high, x - high


# ----- The C library's functions -----


def libm(function: Callable[[float], float], x: np.ndarray) -> np.ndarray:
    """Return function, one of the module math, of every element of x: (n,) float64.

    PyTorch's float64 samplers call the C library's log, log1p, exp, tan, cos and sin, and so does Python's math.
    NumPy's are several times faster, but where it has its own implementations they are sometimes off in the last place.
    """
    return np.fromiter(map(function, x.tolist()), _F64, len(x))


# ----- The logarithm, sine and cosine of PyTorch's AVX2 normal kernel -----


# Source: the polynomials of logf and sinf/cosf in S. L. Moshier's Cephes library, single precision, evaluated in the
# order and with the fused multiply-adds of that kernel, so that the results are equal bit for bit.
def _coefficients(*numbers: float) -> tuple[np.float64, ...]:
    return tuple(_F64(_F32(c)) for c in numbers)


_LOG = _coefficients(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
_COS = _coefficients(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_SIN = _coefficients(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_LN2_HIGH, _LN2_LOW = _F32(0.693359375), _F32(-2.12194440e-4)
_FOUR_OVER_PI = _F32(1.27323954473516)
# pi / 4 in three parts, so short that the first two times an octant are exact.
_QUARTER_PI = (_F32(0.78515625), _F32(2.4187564849853515625e-4), _F32(3.77489497744594108e-8))
_SQRT_HALF_BITS = np.int32(_F32(0.707106781186547524).view(np.int32))
_MANTISSA = np.int32(0x007FFFFF)
_ONE, _HALF = _F32(1), _F32(0.5)


class Kernel32:
    """log and sincos of up to `size` values, with buffers for intermediate results: fresh arrays would cost more."""

    def __init__(self, size: int) -> None:
        self._wide = np.empty((3, size), _F64)
        self._narrow = np.empty((3, size), _F32)
        self._bits = np.empty((3, size), np.int32)

    def log(self, x: np.ndarray) -> None:
        """Replace x, float32 values in (0, 1], all of them normal numbers, by their logarithms."""
        wide_m, y, _ = self._wide[:, : len(x)]
        e, m, rounded = self._narrow[:, : len(x)]
        bits = x.view(np.int32)
        # x = m * 2**e with m in [sqrt(1/2), sqrt(2)); from here on m stands for m - 1.
        bits -= _SQRT_HALF_BITS
        np.copyto(e, np.right_shift(bits, 23, out=self._bits[0, : len(x)]))
        bits &= _MANTISSA
        bits += _SQRT_HALF_BITS
        np.subtract(x, _ONE, out=m)
        np.copyto(wide_m, m)
        _polynomial(wide_m, _LOG, y, rounded)
        y *= wide_m
        _round(y, rounded)
        np.multiply(m, m, out=x)
        y *= x
        y += np.multiply(e, _LN2_LOW, out=rounded)
        np.copyto(rounded, y, casting="same_kind")
        x *= _HALF
        np.subtract(rounded, x, out=x)
        x += m
        e *= _LN2_HIGH  # exact, so the sum needs no fusing
        x += e

    def sincos(self, x: np.ndarray, sin: np.ndarray, cos: np.ndarray) -> None:
        """Write sine and cosine of x, float32 values in [0, 2 pi], into sin and cos. x is overwritten."""
        wide, wide_square, y = self._wide[:, : len(x)]
        square, octant32, rounded = self._narrow[:, : len(x)]
        octant, swap, sign = self._bits[:, : len(x)]
        np.copyto(octant, np.multiply(x, _FOUR_OVER_PI, out=octant32), casting="unsafe")
        octant += 1
        octant &= -2
        np.copyto(octant32, octant)
        for part in _QUARTER_PI[:2]:
            x -= np.multiply(octant32, part, out=rounded)
        np.multiply(octant32, _F64(_QUARTER_PI[2]), out=y)
        np.subtract(x, y, out=wide)
        _round(wide, x)
        np.multiply(x, x, out=square)
        np.copyto(wide_square, square)

        _polynomial(wide_square, _COS, y, rounded)
        y *= wide_square
        _round(y, rounded)
        y *= wide_square
        square *= _HALF
        y -= square
        np.copyto(cos, y, casting="same_kind")
        cos += _ONE

        _polynomial(wide_square, _SIN, y, rounded)
        y *= wide_square
        _round(y, rounded)
        y *= wide
        y += wide
        np.copyto(sin, y, casting="same_kind")

        # The octant decides whether the two are swapped, and their signs. Both are done on the bits.
        s, c = sin.view(np.int32), cos.view(np.int32)
        np.bitwise_and(octant, 2, out=swap)
        swap <<= 30
        swap >>= 31  # all ones where bit 1 was set
        swap &= np.bitwise_xor(s, c, out=sign)
        s ^= swap
        c ^= swap
        np.bitwise_and(octant, 4, out=sign)
        sign <<= 29  # to the sign bit
        s ^= sign
        octant += 2
        octant &= 4
        octant <<= 29
        c ^= octant


def _polynomial(x: np.ndarray, coefficients: tuple[np.float64, ...], y: np.ndarray, rounded: np.ndarray) -> None:
    # Horner's rule in float32 with fused steps: float64 holds a product of two float32 exactly, then rounds to float32.
    np.multiply(x, coefficients[0], out=y)
    y += coefficients[1]
    _round(y, rounded)
    for c in coefficients[2:]:
        y *= x
        y += c
        _round(y, rounded)


def _round(wide: np.ndarray, rounded: np.ndarray) -> None:
    np.copyto(rounded, wide, casting="same_kind")
    np.copyto(wide, rounded)
