"""Windows over images: their largest numbers and where those lie, their sums, and the adjoints of both.

An image has three dimensions (one or two have sizes of 1 in front). Along each of them a window has a first tap inside
the image, others `step` apart, and a number that they stay below; the windows of an image are all combinations of
those. csrc/kernels/pooling.pxi does the same as `largest` and `put`; sums are correlations with ones where windows lie
evenly (npg/kernels/depthwise.py).
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from npg.kernels import core, depthwise
from npg.kernels.convolution import Window
from npg.kernels.phases import Sizes, phases_of

Array = np.ndarray[Any, Any]
Ints = tuple[int, ...]

_FEW = 16  # numbers of a window up to which those of all windows are put back tap by tap
_MANY = 64  # numbers of a window up to which they are added one after the other, as PyTorch does
_LONG = 2048  # numbers that are added at once, about
_SHARED = 4  # parts into which images are cut at least, for threads to share
_SPARSE = 4  # phases larger than this many times an image and its windows are not made


class Windows(NamedTuple):
    """How windows lie on an image.

    Attributes:
        size, out, step: along depth, height and width: sizes of the image, numbers of windows, distance of taps.
        first, last: for each window, int64: its first tap inside the image, and the number that its taps stay below; or
            (planes, windows), where each image has its own.
        most, numbers: the numbers of a window along each dimension, and in all, at most.
        taps, before, stride: along width: numbers of a window, zeros before the image, distance of windows; stride is 0
            where windows do not lie evenly.
        window: the same for npg/kernels/phases.py, where windows lie evenly; else None.
        is_apart: no number lies in two windows.
    """

    size: Ints
    out: Ints
    step: Ints
    first: tuple[Array, Array, Array]
    last: tuple[Array, Array, Array]
    most: Ints
    numbers: int
    taps: int
    before: int
    stride: int
    window: Window | None
    is_apart: bool


def _volume(sizes: Ints, fill: int) -> Ints:
    return (fill,) * (3 - len(sizes)) + sizes


_UNEVEN: dict[str, Any] = {"taps": 0, "before": 0, "stride": 0, "window": None, "is_apart": False}


def _made(size: Ints, out: Ints, step: Ints, first: list[Array], last: list[Array], **rest: Any) -> Windows:
    most = tuple(int((-(-(b - a) // d)).max(initial=0)) for a, b, d in zip(first, last, step, strict=True))
    ends = tuple(map(np.ascontiguousarray, first)), tuple(map(np.ascontiguousarray, last))
    return Windows(size, out, step, *ends, most, math.prod(most), **rest)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=1024)
def even_windows(size: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> Windows:
    """Return the windows of a kernel: settings for one to three dimensions. `padding`: the numbers before the image."""
    size, kernel, stride = _volume(size, 1), _volume(kernel, 1), _volume(stride, 1)
    padding, dilation, out = _volume(padding, 0), _volume(dilation, 1), _volume(out, 1)
    first, last = [], []
    for n, k, s, p, d, count in zip(size, kernel, stride, padding, dilation, out, strict=True):
        start = np.arange(count) * s - p
        first.append(start + -(np.minimum(start, 0) // d) * d)
        last.append(np.minimum(start + (k - 1) * d + 1, n))
    is_apart = all(s > (k - 1) * d or count == 1 for k, s, d, count in zip(kernel, stride, dilation, out, strict=True))
    return _made(
        size, out, dilation, first, last, taps=kernel[2], before=padding[2], stride=stride[2],
        window=Window(size, kernel, stride, dilation, padding, out), is_apart=is_apart,  # type: ignore[arg-type]
    )  # fmt: skip


@functools.lru_cache(maxsize=1024)
def adaptive_windows(size: Ints, out: Ints) -> Windows:
    """Return `out` windows that cover an image, as equal as can be."""
    if all(count and n % count == 0 for n, count in zip(size, out, strict=True)):
        kernel = tuple(n // count for n, count in zip(size, out, strict=True))
        return even_windows(size, kernel, kernel, (0,) * len(size), (1,) * len(size), out)
    size, out = _volume(size, 1), _volume(out, 1)
    first, last = [], []
    for n, count in zip(size, out, strict=True):
        places = np.arange(count)
        first.append(places * n // max(count, 1))
        last.append(-(-(places + 1) * n // max(count, 1)))
    return _made(size, out, (1, 1, 1), first, last, **_UNEVEN)


# ----- The largest numbers -----


def largest(x: Array, windows: Windows, with_index: bool) -> tuple[Array, Any]:
    """Return the largest number of each window, and its number in the image.

    Of equal numbers that is the first; of several nan the last.

    Args:
        x: (planes, numbers of an image), C-contiguous, of any dtype.
    Returns: two arrays (planes, windows), the second one int64, or None.
    """
    if x.dtype.char == "e":  # exact, and faster
        y, index = largest(x.astype(np.float32), windows, with_index)
        return y.astype(x.dtype), index
    shape = len(x), math.prod(windows.out)
    y, index = np.empty(shape, x.dtype), np.empty(shape, np.int64) if with_index else None
    if not y.size:
        return y, index
    if core.largest is not None and core.largest(x, y, index, windows):
        return y, index
    places = np.empty(shape, np.int64) if index is None else index
    places[...] = _numbers(windows.first, windows.size)
    y[...] = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    for tap in np.ndindex(windows.most):
        at = [a + i * step for a, i, step in zip(windows.first, tap, windows.step, strict=True)]
        inside = [a < last for a, last in zip(at, windows.last, strict=True)]
        number = _numbers([np.minimum(a, n - 1) for a, n in zip(at, windows.size, strict=True)], windows.size)
        value = x[:, number] if number.ndim == 1 else np.take_along_axis(x, number, 1)
        takes = (value > y) | (value != value)
        if not all(part.all() for part in inside):
            takes &= (inside[0][:, None, None] & inside[1][:, None] & inside[2]).reshape(-1)
        np.copyto(y, value, where=takes)
        np.copyto(places, number, where=takes)
    return y, index


def _numbers(at: Any, size: Ints) -> Array:
    """Return the numbers in an image of all combinations of places along its dimensions."""
    z, y, x = at
    numbers = (z[..., :, None, None] * size[1] + y[..., None, :, None]) * size[2] + x[..., None, None, :]
    result: Array = numbers.reshape(*z.shape[:-1], math.prod(numbers.shape[-3:]))
    return result


def put(g: Array, index: Array, pixels: int, is_sum: bool, windows: Windows | None = None) -> Array:
    """Return images of zeros with numbers at their places.

    Args:
        g, index: (planes, numbers), C-contiguous, index int64.
        pixels: the numbers of an image.
        is_sum: numbers of one place are added, in their order; otherwise the last one stays.
        windows: those in which the places lie, if known.
    Returns: (planes, pixels).
    Raises: IndexError: when a place does not exist.
    """
    x = np.empty((len(g), pixels), g.dtype)
    if not x.size:
        return x
    if is_sum and windows is not None and _adds_in_phases(x, g, index, windows):
        return x
    if core.put is not None and core.put(x, g, index, is_sum, windows is not None and windows.is_apart):
        return x
    if index.size and not (index.min() >= 0 and index.max() < pixels):
        raise IndexError("an index lies outside the image")
    x[...] = 0
    flat = (index + np.arange(len(g))[:, None] * pixels).reshape(-1)
    if is_sum:
        np.add.at(x.reshape(-1), flat, g.reshape(-1))
    else:
        x.reshape(-1)[flat] = g.reshape(-1)
    return x


def _adds_in_phases(x: Array, g: Array, index: Array, windows: Windows) -> bool:
    """Add numbers of windows that overlap, tap by tap; return whether it was done."""
    window = windows.window
    if core.put_even is None or windows.is_apart or window is None or window.taps > _FEW or not g.size:
        return False
    return _is_dense(window) and bool(core.put_even(x, g, index, phases_of(window), _distances(window)))


@functools.lru_cache(maxsize=1024)
def _distances(window: Window) -> Ints:
    """Return for each tap its distance from the first one in an image."""
    steps = (window.size[1] * window.size[2], window.size[2], 1)
    return tuple(
        sum(i * d * n for i, d, n in zip(tap, window.dilation, steps, strict=True)) for tap in np.ndindex(window.kernel)
    )


def _is_dense(window: Window) -> bool:
    """Tell whether the phases of an image are about as large as the image and its windows."""
    return phases_of(window).numbers <= _SPARSE * max(math.prod(window.size), window.places)


def fractional_windows(samples: Array, size: Ints, kernel: Ints, out: Ints) -> Windows:
    """Return windows at pseudo-random distances, for each image its own.

    Args:
        samples: (planes, dimensions), in [0, 1), of the dtype in which the places are computed.
    """
    first = [np.zeros((len(samples), 1), np.int64)] * (3 - len(size))
    for sample, n, k, count in zip(samples.T, size, kernel, out, strict=True):
        start = np.zeros((len(samples), count), np.int64)
        if count > 1:
            slope = sample.dtype.type(n - k) / sample.dtype.type(count - 1)
            places = (np.arange(count, dtype=sample.dtype) + sample[:, None]) * slope
            start[...] = places.astype(np.int64) - (sample * slope).astype(np.int64)[:, None]
        start[:, -1:] = n - k
        first.append(start)
    last = [start + k for start, k in zip(first, _volume(kernel, 1), strict=True)]
    return _made(_volume(size, 1), _volume(out, 1), (1, 1, 1), first, last, **_UNEVEN)


# ----- Sums -----


def total(x: Array, windows: Windows) -> Array:
    """Return the sum of each window: (planes, numbers of an image) give (planes, windows)."""
    if not x.size or not math.prod(windows.out):
        return np.zeros((len(x), math.prod(windows.out)), x.dtype)
    if windows.window is not None and x.dtype.kind == "f":
        if windows.window == _whole(windows.size):
            return np.add.reduce(x, 1, keepdims=True)
        parts = _parts(windows.window)
        if parts is not None:
            y = x
            for part in parts:
                part = _stacked(part, len(x))
                y = y.reshape(-1, 1, *part.size)
                y = depthwise.correlate(y, np.ones((1, part.taps), x.dtype), None, phases_of(part))
            return y.reshape(len(x), -1)
    return _along_each(x, windows.size, windows.first, windows.last)


def spread(y: Array, windows: Windows) -> Array:
    """Return the adjoint of `total`: (planes, windows) give (planes, numbers of an image)."""
    pixels = math.prod(windows.size)
    if not y.size or not pixels:
        return np.zeros((len(y), pixels), y.dtype)
    if windows.window is not None and y.dtype.kind == "f":
        if windows.window == _whole(windows.size):
            return np.repeat(y, pixels, 1)
        parts = _parts(windows.window)
        if parts is not None:
            x = y
            for part in reversed(parts):
                part = _stacked(part, len(y))
                x = x.reshape(-1, 1, *part.out)
                x = depthwise.spread(x, np.ones((1, part.taps), y.dtype), 1, phases_of(part))
            return x.reshape(len(y), -1)
    first, last = _met(windows)
    return _along_each(y, windows.out, first, last)


def _sizes(given: Any) -> Sizes:
    z, y, x = given
    return z, y, x


def _whole(size: Ints) -> Window:
    """Return the window that is the whole image."""
    return Window(size, size, size, (1, 1, 1), (0, 0, 0), (1, 1, 1))  # type: ignore[arg-type]


@functools.lru_cache(maxsize=1024)
def _parts(window: Window) -> tuple[Window, ...] | None:
    """Return the correlations, one after the other, that sum windows; None where those take much memory."""
    parts = [window]
    if window.taps > _MANY:
        parts, whole = [], window
        for dim in (0, 1, 2):  # rows before columns: fewer numbers are gathered one by one
            if window.kernel[dim] > 1 or window.stride[dim] > 1:
                after = whole.size[:dim] + window.out[dim : dim + 1] + whole.size[dim + 1 :]
                k, s, p = ([other] * 3 for other in (1, 1, 0))
                k[dim], s[dim], p[dim] = window.kernel[dim], window.stride[dim], window.before[dim]
                parts.append(Window(whole.size, *map(_sizes, (k, s, (1, 1, 1), p, after))))
                whole = whole._replace(size=_sizes(after))
    return tuple(parts) if all(map(_is_dense, parts)) else None


@functools.lru_cache(maxsize=1024)
def _stacked(window: Window, planes: int) -> Window:
    """Return the window over several small images as one that is deep, so that what is added at once is long."""
    if window.size[0] > 1 or window.kernel[0] > 1:
        return window
    phases = phases_of(window)
    most = max(1, min(_LONG // (phases.extent[1] * phases.extent[2]), planes // _SHARED))
    deep = next(n for n in range(most, 0, -1) if planes % n == 0)
    return window._replace(size=(deep, *window.size[1:]), out=(deep, *window.out[1:]))


def _met(windows: Windows) -> tuple[list[Array], list[Array]]:
    """Return for each number along each dimension the first window that has it, and the one that no longer has it."""
    first, last = [], []
    for n, a, b in zip(windows.size, windows.first, windows.last, strict=True):
        places = np.arange(n)
        first.append(np.searchsorted(b, places, "right"))
        last.append(np.searchsorted(a, places, "right"))
    return first, last


def _along_each(x: Array, size: Ints, first: Any, last: Any) -> Array:
    """Sum the numbers from first to last along each dimension of (planes, *size)."""
    x = x.reshape(len(x), *size)
    for axis, (a, b) in enumerate(zip(first, last, strict=True), 1):
        if not (len(a) == x.shape[axis] and (a == np.arange(len(a))).all() and (b == a + 1).all()):
            x = _along(x, axis, a, b)
    return np.ascontiguousarray(x).reshape(len(x), -1)


def _along(x: Array, axis: int, first: Array, last: Array) -> Array:
    y, n = np.zeros((*x.shape[:axis], len(first), *x.shape[axis + 1 :]), x.dtype), x.shape[axis]
    for i in range(int((last - first).max(initial=0))):
        at = first + i
        inside = at < last
        if inside.all():
            y += x.take(at, axis)
        else:
            shape = [1] * x.ndim
            shape[axis] = -1
            y += np.where(inside.reshape(shape), x.take(np.minimum(at, n - 1), axis), x.dtype.type(0))
    return y
