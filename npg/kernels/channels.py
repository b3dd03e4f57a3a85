"""Channels of images: their means and variances, sums with a gradient, and linear functions of them, for the norms.

x is (N, C, n): N images of C channels with n numbers each, C-contiguous, float32 or float64. Two ways of cutting it
into rows give long ones for any shape:

    long   (N C, n): the numbers of a channel are a column beside the rows, and each row is added up by itself;
    short  (N / r, r C n): r images form a row, the numbers of the channels are a row of that length, and all rows are
           added up before the sums of a channel are. Also what channels in the last dimension need: n is 1 then.

float32 numbers are added in float32 only within a row or a block of rows, the rest in float64; and before squares or
products are added, `shift`, a value near the mean, is subtracted: digits do not depend on how far from 0 numbers are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npg.kernels.blas_rows import row_blocks
from npg.kernels.buffers import scratch
from npg.kernels.programs import Program, program
from npg.kernels.sums import column_sum, ones

Array = np.ndarray[Any, Any]

_SHORT = 128  # numbers in a channel: below, the cost of NumPy's loop for each row is more than that of its numbers
_DOTTED = 32  # numbers in a channel from which an inner product for each row is faster than sums of several rows
_LINE = 4096  # numbers in a row of several images, at most
_FEW = 4  # images, with fewer of which rows of several images would be few
_DOUBLE = np.dtype(np.float64)


# ----- Layouts -----


def channels_of(x: Array, channels_last: bool) -> Array:
    """Return (N, C, ...) as C-contiguous (N, C, n), or as (N n, C, 1) with the channels innermost."""
    if channels_last:
        return np.ascontiguousarray(np.moveaxis(x, 1, -1)).reshape(-1, x.shape[1], 1)
    return np.ascontiguousarray(x).reshape(*x.shape[:2], math.prod(x.shape[2:]))


def images_of(x: Array, shape: tuple[int, ...], channels_last: bool) -> Array:
    """Return what channels_of has returned, or a result for it, in the shape (N, C, ...) and in its layout."""
    if channels_last:
        return np.moveaxis(x.reshape(shape[0], *shape[2:], shape[1]), -1, 1)
    return x.reshape(shape)


def is_short(x: Array) -> bool:
    """Tell whether several images form a row; else numbers beside the channels may differ between images."""
    images, _, n = x.shape
    return n == 1 or (n < _SHORT and images >= _FEW)


def _together(x: Array) -> int:
    """Return how many images form a row."""
    images, channels, n = x.shape
    return math.gcd(images, 1 << (_LINE // (channels * n)).bit_length() - 1) if channels * n <= _LINE else 1


class _Pair(NamedTuple):
    """A program on rows, with the numbers beside the channels as columns and as rows."""

    long: Program
    short: Program


def _pair(*parameters: str) -> Callable[[Callable[..., Any]], _Pair]:
    def declare(function: Callable[..., Any]) -> _Pair:
        return _Pair(program(columns=parameters)(function), program(rows=parameters)(function))

    return declare


def _spread(parameters: tuple[Any, ...], x: Array) -> list[Array]:
    """Return numbers of the channels, (C,), or (N, C) where rows are long, as a column or a row beside x's rows."""
    images, channels, n = x.shape
    k = len(parameters)
    if is_short(x):
        r = _together(x)
        filled = np.empty((k, r, channels, n), x.dtype)
        for target, p in zip(filled, parameters, strict=True):
            target[...] = p[:, None]
        return list(filled.reshape(k, r * channels * n))
    filled = np.empty((k, images, channels), x.dtype)
    for target, p in zip(filled, parameters, strict=True):
        target[...] = p
    return list(filled.reshape(k, images * channels, 1))


def _rows(x: Array) -> Array:
    """Return the rows of x."""
    images, channels, n = x.shape
    return x.reshape((-1, _together(x) * channels * n) if is_short(x) else (images * channels, n))


def _run(pair: _Pair, arrays: tuple[Array, ...], parameters: tuple[Any, ...]) -> Any:
    """Run a program on arrays (N, C, n) and numbers of the channels."""
    x = arrays[0]
    run = pair.short if is_short(x) else pair.long
    return run(*[_rows(a) for a in arrays], *_spread(parameters, x)).reshape(x.shape)


# ----- Linear functions -----


@_pair("scale", "offset")
def _scaled(x: Any, scale: Any, offset: Any) -> Any:
    return x * scale + offset


@_pair("shift", "scale", "offset")
def _shifted(x: Any, shift: Any, scale: Any, offset: Any) -> Any:
    return (x - shift) * scale + offset


@_pair("a", "b", "c")
def _combined(g: Any, x: Any, a: Any, b: Any, c: Any) -> Any:
    return g * a + x * b + c


@_pair("shift", "a", "b", "c")
def _combined_shifted(g: Any, x: Any, shift: Any, a: Any, b: Any, c: Any) -> Any:
    return g * a + (x - shift) * b + c


def scaled(x: Array, scale: Array, offset: Array) -> Array:
    """Return x scale + offset for numbers of each channel, (C,); (N, C) where rows are long."""
    return _run(_scaled, (x,), (scale, offset))


def shifted(x: Array, shift: Array | None, scale: Array, offset: Array) -> Array:
    """Return (x - shift) scale + offset; numbers as in `scaled`."""
    if shift is None:
        return scaled(x, scale, offset)
    return _run(_shifted, (x,), (shift, scale, offset))


def combined(g: Array, x: Array, shift: Array | None, a: Array, b: Array, c: Array) -> Array:
    """Return g a + (x - shift) b + c; numbers as in `scaled`."""
    if shift is None:
        return _run(_combined, (g, x), (a, b, c))
    return _run(_combined_shifted, (g, x), (shift, a, b, c))


# ----- Sums -----


@program(rows=("ones",))
def _row_moments(x: Any, ones: Any, *, n: Any) -> Any:
    mean = np.vecdot(x, ones) / n
    d = x - mean
    return mean, np.vecdot(d, ones), np.vecdot(d, d)


@program(rows=("ones",))
def _row_squares(x: Any, ones: Any) -> Any:
    return np.vecdot(x, ones), np.vecdot(x, x)


@program(rows=("ones",), columns=("shift",))
def _row_deviations(x: Any, ones: Any, shift: Any) -> Any:
    d = x - shift
    return np.vecdot(d, ones), np.vecdot(d, d)


@program(rows=("shift",))
def _deviations(x: Any, shift: Any) -> Any:
    d = x - shift
    return d, d * d


@program(rows=("ones",))
def _row_products(g: Any, x: Any, ones: Any) -> Any:
    return np.vecdot(g, ones), np.vecdot(g, x)


@program(rows=("ones",), columns=("shift",))
def _row_products_shifted(g: Any, x: Any, ones: Any, shift: Any) -> Any:
    return np.vecdot(g, ones), np.vecdot(g, x - shift)


@program(rows=("shift",))
def _products(g: Any, x: Any, shift: Any) -> Any:
    return g * (x - shift)


class Moments(NamedTuple):
    """Means and variances: the mean is shift + moved, in more digits than either dtype has.

    Attributes:
        shift: in the dtype of the numbers; None for 0.
        moved, variance: float64. The variance is divided by the count.
    """

    shift: Array | None
    moved: Array
    variance: Array


def row_moments(x: Array) -> Moments:
    """Return the moments of the rows of (rows, n), each (rows,)."""
    rows, n = x.shape
    found = np.empty((3, rows, 1), x.dtype)
    _row_moments(x, ones(n, x.dtype), n=n, out=(found[0], found[1], found[2]))
    shift = found[0, :, 0]
    moved, variance = _about(found[1:, :, 0].astype(_DOUBLE), n)
    mean = shift + moved
    if (mean * mean <= 4.0 * variance).all():  # as in `moments`
        return Moments(None, mean, variance)
    return Moments(shift, moved, variance)


def _about(sums: Array, count: int) -> tuple[Array, Array]:
    """Return the mean less the shift, and the variance, given the sums of x - shift and of (x - shift)^2."""
    sums /= count
    moved, squares = sums
    return moved, np.maximum(squares - moved * moved, 0.0)


def moments(x: Array) -> Moments:
    """Return the moments of each channel, each (C,)."""
    images, channels, n = x.shape
    if images == 1 and not is_short(x):
        return row_moments(x[0])
    if n >= _DOTTED or not is_short(x):
        # The first image's mean is at most sqrt(N) standard deviations from the mean of all.
        first, row = x[0], ones(n, x.dtype)
        shift = np.vecdot(first, row) / x.dtype.type(n)
        found = np.empty((2, images * channels, 1), x.dtype)
        # Where it is within about two standard deviations of 0, squares keep their digits as they are.
        is_near = (shift * shift <= np.vecdot(first, first) * x.dtype.type(0.8 / n)).all()
        if is_near or not is_short(x):
            rows, out = x.reshape(-1, n), (found[0], found[1])
            if is_near:
                _row_squares(rows, row, out=out)
            else:
                _row_deviations(rows, row, *_spread((shift,), x), out=out)
            sums = np.add.reduce(found.reshape(2, images, channels), 1, _DOUBLE)
            return Moments(None if is_near else shift, *_about(sums, images * n))
    lines = _rows(x)
    shift = (_gathered(column_sum(lines), channels, n) / (images * n)).astype(x.dtype)
    (row,) = _spread((shift,), x)
    total = np.zeros((2, channels))
    for (part,) in row_blocks(lines):
        d, squares = scratch(0, part.shape, x.dtype), scratch(1, part.shape, x.dtype)
        _deviations(part, row, out=(d, squares))
        total[0] += _gathered(column_sum(d), channels, n)
        total[1] += _gathered(column_sum(squares), channels, n)
    return Moments(shift, *_about(total, images * n))


def _gathered(sums: Array, channels: int, n: int) -> Any:
    """Return the sums of each channel, given those of each place in a row of images."""
    if n > 1:
        sums = np.vecdot(sums.reshape(-1, n), ones(n, sums.dtype))
    return np.add.reduce(sums.reshape(-1, channels), 0, _DOUBLE)


def sums(g: Array, x: Array, shift: Array | None) -> Array:
    """Return the sums of g and of g (x - shift): of each channel, (2, C); or of each row, (2, N, C), for long rows.

    Args: shift: (C,); (N, C) where rows are long; None for 0.
    """
    images, channels, n = x.shape
    if not is_short(x) or (shift is None and n >= _DOTTED):
        found = np.empty((2, images * channels, 1), x.dtype)
        arrays, out = (g.reshape(-1, n), x.reshape(-1, n), ones(n, x.dtype)), (found[0], found[1])
        if shift is None:
            _row_products(*arrays, out=out)
        else:
            _row_products_shifted(*arrays, *_spread((shift,), x), out=out)
        return found.reshape(2, images, channels)
    (beside,) = _spread((np.zeros(channels) if shift is None else shift,), x)
    total = np.zeros((2, channels))
    for gp, xp in row_blocks(_rows(g), _rows(x)):
        products = scratch(0, xp.shape, x.dtype)
        _products(gp, xp, beside, out=(products,))
        total[0] += _gathered(column_sum(gp), channels, n)
        total[1] += _gathered(column_sum(products), channels, n)
    return total


def channel_sums(g: Array, x: Array, shift: Array | None) -> Array:
    """Return the sums of g and of g (x - shift) of each channel, (2, C) in float64, for a shift of each, (C,)."""
    found = sums(g, x, shift)
    return found if found.ndim == 2 else np.add.reduce(found, 1, _DOUBLE)
