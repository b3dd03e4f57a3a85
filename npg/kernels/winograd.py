"""Correlations of images with kernels of 3 x 3 numbers, by Winograd's F(2 x 2, 3 x 3): 16 products instead of 36.

Four places of a result, in two rows, depend on 4 x 4 numbers of each channel. With d those numbers, w a kernel and *
elementwise products,

    y = A^T ((G w G^T) * (B^T d B)) A

         1  0 -1  0          1    0    0
    B^T  0  1  1  0     G   1/2  1/2  1/2     A^T  1  1  1  0
         0 -1  1  0         1/2 -1/2  1/2          0  1 -1 -1
         0  1  0 -1          0    0    1

and the sum over channels makes one product of matrices of each of the 16 elements: (filters, channels) times (channels,
tiles). The adjoint in the weight is G^T ((A y A^T) * (B^T d B)) G, summed over tiles. Transforms are sums and
differences of whole rows of tiles. Where a number is infinite, or nearly so, they give nan for what is infinite: then
the caller computes otherwise.

Source: A. Lavin, S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from npg.kernels import core
from npg.kernels.moving import transposed
from npg.kernels.products import multiply_one_of_many as multiply
from npg.kernels.tiles import KERNELS

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]

_ROOM = 1 << 18  # numbers of the transformed images and results of a part: they fit in a second-level cache
_FEWEST, _MOST = 64, 512  # columns of a product
# It pays from so many channels of images and results on, and from so many tiles of all images, for the weight is
# transformed too. Fewer where a multiplication takes longer beside the additions.
_CHANNELS, _TILES, _TILES_A_CHANNEL = (24, 512, 4) if KERNELS else (16, 256, 2)
_SIDE = 12  # rows and columns of a result, from which moving numbers to short rows of tiles and back pays
_PARTS = 4  # parts into which the work is cut at least
_LEAST = 16  # filters of a part that is cut for that
_SUMS = 1 << 22  # numbers of the sums over images that are kept apart


class Plan(NamedTuple):
    """How the work is cut: images and rows of tiles of a part; its filters, or the parts whose sum is one."""

    images: int
    rows: int
    block: int
    share: int


class Shape(NamedTuple):
    """The number of images, channels, filters; sizes of an image, of the result, and of the zeros before the image."""

    number: int
    channels: int
    filters: int
    size: Pair
    out: Pair
    before: Pair

    @property
    def rows(self) -> int:
        """Those of the tiles of an image."""
        return -(-self.out[0] // 2)

    @property
    def tiles(self) -> int:
        """Those of a row."""
        return -(-self.out[1] // 2)


def shape_of(window: Any, number: int, channels: int, filters: int) -> Shape | None:
    """Return the sizes for a window of convolution.py, or None where this is not the way to compute it."""
    if window.kernel != (1, 3, 3) or window.stride[1:] != (1, 1) or window.dilation[1:] != (1, 1):
        return None
    if window.size[0] != 1 or window.out[0] != 1 or window.before[0]:
        return None
    shape = Shape(number, channels, filters, window.size[1:], window.out[1:], window.before[1:])
    return shape if pays(shape) else None


def pays(shape: Shape) -> bool:
    """Tell whether this is faster than products of columns."""
    fewest = max(_TILES, _TILES_A_CHANNEL * max(shape.channels, shape.filters))
    tiles = shape.number * shape.rows * shape.tiles
    return min(shape.channels, shape.filters) >= _CHANNELS and tiles >= fewest and min(shape.out) >= _SIDE


@functools.lru_cache(maxsize=1024)
def plan_of(shape: Shape, of_weight: bool) -> Plan:
    """Return how a correlation, or its adjoint in the weight, is cut."""
    most = min(max(_ROOM // (16 * (shape.channels + shape.filters)), _FEWEST), _MOST)
    images, rows = min(most // (shape.rows * shape.tiles), -(-shape.number // _PARTS)), shape.rows
    if images < 2:
        images = 1
        rows = -(-rows // -(-rows // max(1, most // shape.tiles)))
    parts = -(-shape.number // images) * -(-shape.rows // rows)
    block, share = shape.filters, 1
    if of_weight:
        shares = min(2 * _PARTS, max(1, _SUMS // (16 * shape.channels * shape.filters)))
        share = -(-parts // min(shares, parts))
    elif parts < _PARTS:
        block = max(_LEAST, -(-shape.filters // -(-_PARTS // parts)))
    return Plan(images, rows, block, share)


# ----- The weight -----


def _points_of(taps: Array, out: Array) -> None:
    """Write G w into out."""
    a, b, c = taps
    half = b.dtype.type(0.5)
    ends, middle = (a + c) * half, b * half
    out[0], out[3] = a, c
    np.add(ends, middle, out=out[1])
    np.subtract(ends, middle, out=out[2])


def _taps_from(points: Array) -> tuple[Array, ...]:
    """Return G^T u."""
    a, b, c, d = points
    half = a.dtype.type(0.5)
    middle = (b + c) * half
    return a + middle, (b - c) * half, middle + d


def _transform_weight(taps: Array) -> Array:
    """Return G w G^T, (16, O, C), of the numbers of each tap, (3, 3, O, C)."""
    down = np.empty((4, *taps.shape[1:]), taps.dtype)
    _points_of(taps, down)
    u = np.empty((4, 4, *taps.shape[2:]), taps.dtype)
    for row, out in zip(down, u, strict=True):
        _points_of(row, out)
    return u.reshape(16, *taps.shape[2:])


def _weight_of_sums(u: Array) -> Array:
    """Return G^T u G: (16, O, C) gives (O, C, 3, 3)."""
    _, filters, channels = u.shape
    planes = np.empty((3, 3, filters, channels), u.dtype)
    for row, parts in zip(planes, _taps_from(u.reshape(4, 4, filters, channels)), strict=True):
        row[...] = _taps_from(parts)
    return transposed(planes.reshape(9, -1)).reshape(filters, channels, 3, 3)


# ----- Calls -----


def correlate(x: Array, w: Array, bias: Array | None, shape: Shape) -> Array | None:
    """Return the correlation of images with a weight; None where some number is not finite.

    Args:
        x: C-contiguous (N, C, H, W). w: (O, C, 3, 3). bias: (O,) or None.
    Returns: (N, O, places along height and width).
    """
    filters, channels = w.shape[:2]
    taps = transposed(np.ascontiguousarray(w).reshape(filters * channels, 9))
    return _correlate(x, _transform_weight(taps.reshape(3, 3, filters, channels)), bias, shape)


def spread(y: Array, w: Array, shape: Shape) -> Array | None:
    """Return the adjoint in the images; None where some number is not finite.

    Args:
        y: C-contiguous results. w: (O, C, 3, 3).
        shape: of the correlation of the results with the mirrored weight.
    """
    filters, channels = w.shape[:2]
    taps = transposed(np.ascontiguousarray(w).reshape(filters, channels * 9)).reshape(channels, 3, 3, filters)
    return _correlate(y, _transform_weight(taps[:, ::-1, ::-1].transpose(1, 2, 0, 3)), None, shape)


def _correlate(x: Array, u: Array, bias: Array | None, shape: Shape) -> Array | None:
    y = np.empty((shape.number, shape.filters, *shape.out), x.dtype)
    plan = plan_of(shape, False)
    if core.winograd is not None:
        done = core.winograd(x, u, bias, y, shape, plan)
        if done is not None:
            return y if done else None
    for images, rows in _parts(shape, plan):
        v = _transformed(x[images], shape, rows)
        for first in range(0, shape.filters, plan.block):
            block = slice(first, first + plan.block)
            m = np.stack([multiply(u[i, block], v[i]) for i in range(16)])
            if not _write(m, None if bias is None else bias[block], y[images, block], shape, rows):
                return None
    return y


def weigh(x: Array, y: Array, shape: Shape) -> Array | None:
    """Return the adjoint in the weight, (O, C, 3, 3), of the results y; None where some number is not finite."""
    plan = plan_of(shape, True)
    parts = -(-shape.number // plan.images) * -(-shape.rows // plan.rows)
    sums = np.empty((-(-parts // plan.share), 16, shape.filters, shape.channels), x.dtype)
    done = None if core.winograd_weigh is None else core.winograd_weigh(x, y, sums, shape, plan)
    if done is None:
        for number, (images, rows) in enumerate(_parts(shape, plan)):
            v = _transformed(x[images], shape, rows)
            m = _expanded(y[images], shape, rows)
            total = sums[number // plan.share]
            for i in range(16):
                part = multiply(m[i], v[i].T.copy())
                if number % plan.share:
                    total[i] += part
                else:
                    total[i] = part
    u = sums[0] if len(sums) == 1 else np.add.reduce(sums, 0)
    return _weight_of_sums(u) if np.isfinite(u.sum()) else None


# ----- The same without C -----


def _parts(shape: Shape, plan: Plan) -> Iterator[tuple[slice, range]]:
    """Yield some images, and some rows of tiles."""
    for image in range(0, shape.number, plan.images):
        for start in range(0, shape.rows, plan.rows):
            yield slice(image, min(image + plan.images, shape.number)), range(start, min(start + plan.rows, shape.rows))


def _taken(x: Array, top: int, left: int, height: int, width: int) -> Array:
    """Return the numbers of images from (top, left) on, zeros outside: (C, N, height, width)."""
    y = np.zeros((x.shape[1], len(x), height, width), x.dtype)
    low, first = max(0, -top), max(0, -left)
    part = x[:, :, top + low : top + height, left + first : left + width].swapaxes(0, 1)
    y[:, :, low : low + part.shape[2], first : first + part.shape[3]] = part
    return y


def _differences(d: Sequence[Array]) -> list[Array]:
    """Return B^T d."""
    return [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]


def _sums(m: Array) -> tuple[Array, Array]:
    """Return A^T m."""
    return m[0] + m[1] + m[2], m[1] - m[2] - m[3]


def _expansion(first: Array, second: Array) -> list[Array]:
    """Return A y."""
    return [first, first + second, first - second, -second]


def _transformed(x: Array, shape: Shape, rows: range) -> Array:
    """Return B^T d B of all tiles, (16, C, tiles)."""
    (above, before), height, width = shape.before, 2 * len(rows), 2 * shape.tiles
    d = _taken(x, 2 * rows.start - above, -before, height + 2, width + 2)
    down = _differences([d[:, :, i : i + height : 2] for i in range(4)])
    across = [_differences([t[..., i : i + width : 2] for i in range(4)]) for t in down]
    return np.stack([part.reshape(len(part), -1) for parts in across for part in parts])


def _write(m: Array, bias: Array | None, y: Array, shape: Shape, rows: range) -> bool:
    """Write A^T m A plus bias into y; return whether all of it is finite."""
    finite = True
    for i, s in enumerate(_sums(m.reshape(4, 4, *m.shape[1:]))):
        for j, part in enumerate(_sums(s)):
            if bias is not None:
                part = part + bias[:, None]
            finite &= bool(np.isfinite(part.sum(1)).all())
            out = y[:, :, 2 * rows.start + i : 2 * rows.stop : 2, j::2]
            tiles = part.reshape(len(part), len(y), len(rows), shape.tiles).swapaxes(0, 1)
            out[...] = tiles[:, :, : out.shape[2], : out.shape[3]]
    return finite


def _expanded(y: Array, shape: Shape, rows: range) -> Array:
    """Return A y A^T of all tiles, zeros outside the results: (16, O, tiles)."""
    d = _taken(y, 2 * rows.start, 0, 2 * len(rows), 2 * shape.tiles)
    down = _expansion(d[:, :, ::2], d[:, :, 1::2])
    across = [_expansion(t[..., ::2], t[..., 1::2]) for t in down]
    return np.stack([part.reshape(len(part), -1) for parts in across for part in parts])
