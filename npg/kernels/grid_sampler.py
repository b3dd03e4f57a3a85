"""Sums of weighted pixels, read at given places: images as rows of their channels, one image after the other.

For images x (N, C, S) of S pixels, K pixels v (N, K, P) around each of P places, their weights w (N, K, P) and results
y (N, C, P)

    read    (x, w) -> y    y[n, c, p] = sum over k of w[n, k, p] x[n, c, v[n, k, p]]
    spread  (y, w) -> x    its adjoint in x
    weigh   (y, x) -> w    its adjoint in w

Pixel S lies outside: it is zero. To read rows takes a fraction of the time of reading single numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels.parallel import split
from npg.kernels.sums import add_at

Array = np.ndarray[Any, Any]

_READ, _ADDED, _WEIGHED = 0.5, 1.5, 0.4  # nanoseconds for a number of a pixel


def _rows(image: Array, more: int = 0) -> Array:
    """Return an image (C, S) as rows of channels (S, C), then as many zeros."""
    channels, size = image.shape
    rows = np.empty((size + more, channels), image.dtype)
    rows[:size] = image.T
    rows[size:] = 0
    return rows


def read(x: Array, weight: Array, index: Array) -> Array:
    """Return the weighted sums of pixels, (N, C, P)."""
    channels, (n, taps, places) = x.shape[1], index.shape
    y = np.empty((n, channels, places), x.dtype)

    def work(start: int, stop: int) -> None:
        total, part = np.empty((places, channels), x.dtype), np.empty((places, channels), x.dtype)
        for i in range(start, stop):
            rows = _rows(x[i], 1)
            total[...] = 0
            for k in range(taps):
                rows.take(index[i, k], axis=0, out=part, mode="clip")
                np.multiply(part, weight[i, k, :, None], out=part)
                np.add(total, part, out=total)
            y[i] = total.T

    split(n, work, y.size * taps * _READ)
    return y


def spread(y: Array, weight: Array, index: Array, size: int) -> Array:
    """Return results added, weighted, where their pixels are: (N, C, size)."""
    channels, (n, taps, _) = y.shape[1], index.shape
    x = np.empty((n, channels, size), y.dtype)

    def work(start: int, stop: int) -> None:
        for i in range(start, stop):
            rows, total = _rows(y[i]), np.zeros((size + 1, channels), y.dtype)
            for k in range(taps):
                add_at(total, index[i, k], rows * weight[i, k, :, None])
            x[i] = total[:size].T

    split(n, work, y.size * taps * _ADDED)
    return x


def weigh(y: Array, x: Array, index: Array) -> Array:
    """Return the products of results and their pixels, summed over the channels: (N, K, P)."""
    n, taps, places = index.shape
    weight = np.empty((n, taps, places), y.dtype)

    def work(start: int, stop: int) -> None:
        part = np.empty((places, x.shape[1]), x.dtype)
        for i in range(start, stop):
            rows, pixels = _rows(y[i]), _rows(x[i], 1)
            for k in range(taps):
                pixels.take(index[i, k], axis=0, out=part, mode="clip")
                np.einsum("pc,pc->p", rows, part, out=weight[i, k])

    split(n, work, y.size * taps * _WEIGHED)
    return weight
