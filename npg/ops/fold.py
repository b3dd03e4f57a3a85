"""Blocks of images as columns, and columns added up to images: each is the other's rule.

A kernel is laid at (rows, columns) places on an image that has `padding` zeros around it; its elements there are a
column. All settings are pairs, for height and width.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.ops._kinds import MATRICES, Kind, linear
from npg.ops._op import movement, primitive

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]

_MATRICES = Kind("matrices", MATRICES.batch, linear)


def blocks(size: Pair, kernel: Pair, dilation: Pair, padding: Pair, stride: Pair) -> Pair:
    """Return the number of places along height and width."""
    rows, columns = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(size, kernel, dilation, padding, stride, strict=True)
    )
    return rows, columns


def _taps(wide: Array, places: Pair, kernel: Pair, dilation: Pair, stride: Pair) -> list[Array]:
    """Return for each element of the kernel the view of what it meets at all places."""
    return [
        wide[
            ...,
            i * dilation[0] : i * dilation[0] + (places[0] - 1) * stride[0] + 1 : stride[0],
            j * dilation[1] : j * dilation[1] + (places[1] - 1) * stride[1] + 1 : stride[1],
        ]
        for i, j in np.ndindex(kernel)
    ]


@movement(
    lambda g, _y, x_like, **settings: col2im(g, size=x_like.shape[-2:], **settings), node="Im2Col", kind=_MATRICES
)
def im2col(input: Any, *, kernel: Pair, dilation: Pair, padding: Pair, stride: Pair) -> Any:
    """Return (..., C, H, W) as columns (..., C x kernel, places)."""
    *lead, channels, height, width = input.shape
    places = blocks((height, width), kernel, dilation, padding, stride)
    if any(padding):
        input = np.pad(input, [(0, 0)] * (len(lead) + 1) + [(p, p) for p in padding])
    y = np.empty((*lead, channels, math.prod(kernel), *places), input.dtype)
    for i, tap in enumerate(_taps(input, places, kernel, dilation, stride)):
        y[..., i, :, :] = tap
    return y.reshape(*lead, channels * math.prod(kernel), math.prod(places))


@primitive(lambda g, _y, _x, *, size, **settings: im2col(g, **settings), node="Col2Im", kind=_MATRICES)
def col2im(input: Any, *, size: Pair, kernel: Pair, dilation: Pair, padding: Pair, stride: Pair) -> Any:
    """Return columns (..., C x kernel, places), added where they lie on images, as (..., C, *size)."""
    *lead, depth, _ = input.shape
    places = blocks(size, kernel, dilation, padding, stride)
    columns = input.reshape(*lead, depth // math.prod(kernel), math.prod(kernel), *places)
    wide = np.zeros((*columns.shape[:-3], *(n + 2 * p for n, p in zip(size, padding, strict=True))), input.dtype)
    for i, tap in enumerate(_taps(wide, places, kernel, dilation, stride)):
        tap += columns[..., i, :, :]
    if not any(padding):
        return wide
    return np.ascontiguousarray(wide[..., padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]])
