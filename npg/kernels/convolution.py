"""Correlations of images with a weight, and their adjoints, as products of the weight with columns.

A *window* says how a kernel lies on an image, along depth, height and width: images of one or two dimensions have sizes
of 1 in front. At a *place* of the result each element of the kernel, a *tap*, meets one number of each channel, or a
zero outside the image. Those numbers, place after place, are the *columns*: (channels x taps, places). Then

    correlate    y = W columns + bias                 the weight W as (filters, channels x taps)
    spread       columns = W^T y, added where the taps lie      its adjoint in the images
    weigh        W^T = the sum of columns y^T over images       its adjoint in the weight

The columns of an image are some ten times larger than the image, and gathering them in memory takes as long as the
product. So they are made for a tile: places of one image, or several small images, few enough that they stay in
the cache. How the work is cut depends on shapes alone, hence so do the bits. csrc/kernels/convolution.pxi does the
same.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from npg.kernels import core, depthwise, winograd
from npg.kernels.limits import UNSHARED_BATCH
from npg.kernels.moving import transposed
from npg.kernels.phases import Phases, in_rows, joined, phases_of
from npg.kernels.products import multiply as multiply_all, multiply_one_of_many as multiply
from npg.kernels.tiles import KERNELS

Array = np.ndarray[Any, Any]
Sizes = tuple[int, int, int]

# Numbers in the columns of a tile: with what the product reads beside them they fit in a second-level cache.
_TILE = 1 << 17
_FEWEST, _MOST = 64, 2048  # places of a tile
_DEEP = 2304  # numbers of a column up to which a tile has twice as many places: the weight is read less often
_HEAVY = 1 << 16  # numbers of a weight whose sums over images are kept apart for as few parts as threads need
_LINE = 256  # places of an image whose numbers are multiplied where they stand
_PARTS = 4  # parts into which the work is cut at least, where it is large enough, for threads to share
_WORTH = 1 << 20  # multiplications of such a part
_SPARSE = 1.3  # images larger than this many times their results are not computed from gathered results
_FEW, _MANY = 2, 64  # filters of a channel, and taps, up to which each is computed by itself
_CHANNELS = 8  # of a block of the adjoints, or more
# Rows of a kernel from which they are multiplied one after the other, because gathering for all of them takes too long,
# and from which they are where a column is short; channels times columns of such a kernel, or more.
_TALL, _TALL_AND_SHORT, _DEEP_ROW = 7, 5, 64
_SHORT = 1024  # numbers of a short column
_TALL_TILE = 1 << 18  # numbers in the columns of a tile of such rows


class Window(NamedTuple):
    """How a kernel lies on images: sizes of the image and the kernel, steps, spacing, zeros before, places."""

    size: Sizes
    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    before: Sizes
    out: Sizes

    @property
    def taps(self) -> int:
        return math.prod(self.kernel)

    @property
    def places(self) -> int:
        return math.prod(self.out)


class Plan(NamedTuple):
    """How the work is cut: a tile's images, rows and columns; filters or channels, and tiles of images, of a part.

    Where the rows of a kernel are multiplied one after the other, columns are gathered along the width alone, for some
    more rows of places: what the next row of the kernel meets is the same, a row of places further on.
    """

    images: int
    rows: int
    columns: int
    block: int
    share: int
    is_plain: bool  # each image is its own columns
    lines: int = 1  # rows of the kernel that are multiplied one after the other


def _even(n: int, most: int) -> int:
    """Return the size of a part when n is cut evenly into as few parts of at most this size as possible."""
    return -(-n // -(-n // most))


def _most_places(high: int, other: int, fewest: int = _FEWEST) -> int:
    """Return the places of a tile, at most: `high` rows of columns, and `other` rows or columns of the other factor."""
    most = min(max(_TILE // high, fewest), _MOST)
    small = UNSHARED_BATCH // (high * other)
    return min(most, small) if KERNELS and small >= _FEWEST else most  # BLAS copies the factors of larger products


def _channel_block(channels: int) -> tuple[int, int]:
    """Return how many channels an adjoint takes at once, and into how many blocks that cuts them."""
    blocks = max(1, min(_PARTS, channels // _CHANNELS))
    return -(-channels // blocks), blocks


@functools.lru_cache(maxsize=1024)
def plan_of(window: Window, count: int, channels: int, filters: int, groups: int, of_weight: bool) -> Plan:
    """Return how `correlate` is cut, or `weigh`, for `count` images; channels and filters of one group."""
    depth, places, (_, _, width) = channels * window.taps, window.places, window.out
    block, blocks, high = filters, 1, depth
    if of_weight:  # columns of some channels at once
        block, blocks = _channel_block(channels) if window.taps > 1 else (channels, 1)
        high = block * window.taps
    lines = window.kernel[1] if _is_tall(window, channels) else 1
    most = _most_places(high, filters, _FEWEST if of_weight or high > _DEEP else 2 * _FEWEST)
    least = -(-_PARTS // (groups * blocks)) if of_weight else _PARTS  # of tiles of images, for threads
    images, rows, columns = 1, math.prod(window.out[:2]), width
    is_plain = (
        window.taps == 1 and window.size == window.out and window.stride == (1, 1, 1)
        and window.before == (0, 0, 0) and places >= _LINE
    )  # fmt: skip
    if lines > 1:
        more = (lines - 1) * window.dilation[1]
        rows = _even(rows, max(more, _TALL_TILE // (high // lines * width) - more))
    elif 2 * places <= most and not is_plain:
        images = min(_even(count, most // places), max(1, -(-count // least)))
    elif places > most:
        rows = _even(rows, max(1, most // width))
        columns = width if width <= most else _even(width, most)
    share = tiles = -(-count // images)
    work = count * groups * filters * depth * places
    if of_weight:
        shares = min(least if depth * filters > _HEAVY else 2 * least, max(1, work // _WORTH), tiles)
        share = -(-tiles // shares)
    else:
        parts = tiles * groups * -(-math.prod(window.out[:2]) // rows) * -(-width // columns)
        lacking = min(-(-_PARTS // parts), work // (_WORTH * parts))
        block = max(1, -(-block // max(1, lacking)))
    return Plan(images, rows, columns, block, share, is_plain, lines)


def _is_tall(window: Window, channels: int) -> bool:
    """Tell whether the rows of a kernel are multiplied one after the other."""
    (deep, down, across), apart = window.kernel, window.dilation[1]
    least = _TALL if channels * window.taps > _SHORT else _TALL_AND_SHORT
    if down < least or channels * across < _DEEP_ROW or window.stride[1] != 1 or (down - 1) * apart > window.out[1]:
        return False
    return window.size[0] == deep == window.out[0] == 1 and not window.before[0]


def _is_dense(window: Window, groups: int) -> bool:
    """Tell whether the kernel covers the image at one place only: all is then one product, of images as rows."""
    return groups == 1 and window.out == (1, 1, 1) and window.kernel == window.size and not any(window.before)


def _dense(x: Array, w: Array, bias: Array | None) -> Array:
    y = multiply_all(x.reshape(len(x), -1), w.reshape(len(w), -1).T)
    return y if bias is None else y + bias


def _of_channels(window: Window, channels: int, filters: int) -> Phases | None:
    """Return the phases for depthwise.py, where it is faster, or None. The numbers are those of one group."""
    if channels > 1 or filters > _FEW or window.taps > _MANY or min(window.before) < 0:
        return None
    phases = phases_of(window)
    return phases if phases.numbers <= 4 * max(math.prod(window.size), window.places) else None


def correlate(x: Array, w: Array, bias: Array | None, window: Window, groups: int) -> Array:
    """Return the correlation of images with a weight.

    Args:
        x: (N, C, D, H, W). w: (O, C / groups, kernel). bias: (O,) or None.
    Returns: (N, O, places along depth, height and width).
    """
    shape = (len(x), len(w), *window.out)
    if not math.prod(shape) or not w.size:
        y = np.empty(shape, x.dtype)
        y[...] = 0 if bias is None else bias[:, None, None, None]
        return y
    bias = None if bias is None else np.ascontiguousarray(bias)
    if _is_dense(window, groups):
        return _dense(x, w, bias).reshape(shape)
    x = np.ascontiguousarray(x)
    tiles = winograd.shape_of(window, len(x), w.shape[1], len(w)) if groups == 1 else None
    if tiles is not None:
        finite = winograd.correlate(x[:, :, 0], w[:, :, 0], bias, tiles)
        if finite is not None:
            return finite.reshape(shape)
    w = np.ascontiguousarray(w)
    layout = _of_channels(window, w.shape[1], len(w) // groups)
    if layout is not None:
        return depthwise.correlate(x, w.reshape(len(w), -1), bias, layout)
    y = np.empty(shape, x.dtype)
    channels, filters = w.shape[1], len(w) // groups
    plan = plan_of(window, len(x), channels, filters, groups, False)
    if plan.lines > 1:
        w = np.ascontiguousarray(w[:, :, 0].transpose(2, 0, 1, 3))
    if core.correlate is not None and core.correlate(x, w, bias, y, window, plan, groups):
        return y
    matrices = w.reshape(plan.lines, groups * filters, -1)
    for group, tile, block in _cut(window, plan, len(x), groups, filters):
        rows = slice(group * filters + block.start, group * filters + block.stop)
        columns = _gathered(x, group, slice(0, channels), window, plan, tile, groups)
        parts = (multiply(w[rows], met) for w, met in zip(matrices, columns, strict=True))
        part = functools.reduce(np.add, parts)
        if bias is not None:
            part += bias[rows, None]
        out = _flat(y)[tile.images, rows, tile.rows, tile.columns]
        out[...] = part.reshape(out.shape[1], out.shape[0], *out.shape[2:]).swapaxes(0, 1)
    return y


def spread(y: Array, w: Array, window: Window, groups: int) -> Array:
    """Return the adjoint of `correlate` in the images.

    Args:
        y: (N, O, places along depth, height and width). w: (O, C / groups, kernel).
    Returns: (N, C, D, H, W).
    """
    channels, filters = w.shape[1], len(w) // groups
    shape = (len(y), channels * groups, *window.size)
    if not math.prod(shape) or not y.size or not w.size:
        return np.zeros(shape, y.dtype)
    if _is_dense(window, groups):
        return multiply_all(y.reshape(len(y), -1), w.reshape(len(w), -1)).reshape(shape)
    layout = _of_channels(window, channels, filters)
    if layout is not None:
        y, w = np.ascontiguousarray(y), np.ascontiguousarray(w)
        return depthwise.spread(y, w.reshape(len(w), -1), groups, layout)
    back = _mirrored_window(window)
    if back is not None and groups == 1:
        tiles = winograd.shape_of(back, len(y), filters, channels)
        if tiles is not None:
            finite = winograd.spread(np.ascontiguousarray(y[:, :, 0]), w[:, :, 0], tiles)
            if finite is not None:
                return finite[:, :, None]
    if back is not None and math.prod(window.size) <= _SPARSE * window.places:
        if groups == 1:
            return correlate(y, _mirrored(w), None, back, 1)
        parts = [_mirrored(part) for part in np.split(w, groups)]
        return correlate(y, np.concatenate(parts), None, back, groups)
    x, y, w = np.empty(shape, y.dtype), np.ascontiguousarray(y), np.ascontiguousarray(w)
    phases = phases_of(window)
    plan = _spread_plan(phases, window, len(y), channels, filters, groups)
    if core.spread is not None and core.spread(x, w, y, window, plan, groups, phases):
        return x
    matrix, (_, _, pitch) = w.reshape(groups, filters, channels, window.taps), phases.extent
    numbers = np.zeros((len(y), groups * channels, phases.numbers), y.dtype)
    rows = in_rows(y, phases)
    for image in range(0, len(y), plan.images):
        for group in range(groups):
            for start in range(0, channels, plan.block):
                block = slice(start, min(start + plan.block, channels))
                w_t = matrix[group, :, block].reshape(filters, -1).T
                to = numbers[
                    image : image + plan.images, group * channels + block.start : group * channels + block.stop
                ]
                for top in range(0, phases.rows, plan.rows):
                    here = slice(top * pitch, min(top + plan.rows, phases.rows) * pitch)
                    part = rows[image : image + plan.images, group * filters : (group + 1) * filters, here]
                    columns = multiply(w_t, part.swapaxes(0, 1).reshape(filters, -1))
                    columns = columns.reshape(to.shape[1], window.taps, len(to), -1)
                    n = min(here.stop, phases.length) - here.start
                    for tap, offset in enumerate(phases.offsets):
                        first = here.start + offset
                        to[..., first : first + n] += columns[:, tap, :, :n].swapaxes(0, 1)
    return joined(numbers, phases)


def _mirrored(w: Array) -> Array:
    """Return a weight with filters and channels swapped, and the taps in reverse order."""
    # The taps as one dimension: NumPy's copy is slow where the last dimensions are short.
    taps = np.ascontiguousarray(w).reshape(*w.shape[:2], -1)[:, :, ::-1].swapaxes(0, 1)
    return np.ascontiguousarray(taps).reshape(w.shape[1], w.shape[0], *w.shape[2:])


def _mirrored_window(window: Window) -> Window | None:
    """Return how the mirrored weight lies on results, to give images; None where the kernel makes larger steps."""
    if window.stride != (1, 1, 1):
        return None
    deep, down, right = (
        d * (k - 1) - p for d, k, p in zip(window.dilation, window.kernel, window.before, strict=True)
    )  # fmt: skip
    return window._replace(size=window.out, before=(deep, down, right), out=window.size)


@functools.lru_cache(maxsize=1024)
def _spread_plan(phases: Phases, window: Window, count: int, channels: int, filters: int, groups: int) -> Plan:
    """Return how `spread` is cut; rows are those of phases."""
    block, _ = _channel_block(channels)
    most = _most_places(block * window.taps, filters)
    images, rows = 1, phases.rows
    if 2 * rows * phases.extent[2] <= most:
        images = min(_even(count, most // (rows * phases.extent[2])), max(1, -(-count // _PARTS)))
    else:
        rows = _even(rows, max(1, most // phases.extent[2]))
    return Plan(images, rows, window.out[2], block, 1, False)


def weigh(x: Array, y: Array, window: Window, groups: int) -> Array:
    """Return the adjoint of `correlate` in the weight.

    Args:
        x: (N, C, D, H, W). y: (N, O, places along depth, height and width).
    Returns: (O, C / groups, kernel).
    """
    channels, filters = x.shape[1] // groups, y.shape[1] // groups
    if not x.size or not y.size:
        return np.zeros((y.shape[1], channels, *window.kernel), x.dtype)
    if _is_dense(window, groups):
        total = multiply_all(y.reshape(len(y), -1).T, x.reshape(len(x), -1))
        return total.reshape(filters, channels, *window.kernel)
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    layout = _of_channels(window, channels, filters)
    if layout is not None:
        return depthwise.weigh(x, y, layout).reshape(groups * filters, 1, *window.kernel)
    shape = winograd.shape_of(window, len(x), channels, filters) if groups == 1 else None
    if shape is not None:
        finite = winograd.weigh(x[:, :, 0], y[:, :, 0], shape)
        if finite is not None:
            return finite[:, :, None]
    plan = plan_of(window, len(x), channels, filters, groups, True)
    tiles = -(-len(x) // plan.images)
    across = window.taps // plan.lines
    parts = np.empty((-(-tiles // plan.share), groups, plan.lines, channels * across, filters), x.dtype)
    if core.weigh is None or not core.weigh(x, y, parts, window, plan, groups):
        begun = set()
        for group, tile, block in _cut(window, plan, len(x), groups, channels):
            share = tile.images.start // plan.images // plan.share
            taken = _taken(y, group, tile, groups).T.copy()
            for row, columns in enumerate(_gathered(x, group, block, window, plan, tile, groups)):
                total = parts[share, group, row, block.start * across : block.stop * across]
                part = multiply(columns, taken)
                if (share, group, block.start) in begun:
                    total += part
                else:
                    total[...] = part
            begun.add((share, group, block.start))
    total = parts[0] if len(parts) == 1 else np.add.reduce(parts, 0)
    total = transposed(total.reshape(groups, channels * window.taps, filters))
    if plan.lines > 1:
        total = total.reshape(groups * filters, plan.lines, channels, -1).swapaxes(1, 2)
    return np.ascontiguousarray(total).reshape(groups * filters, channels, *window.kernel)


# ----- The same without C -----


class _Tile(NamedTuple):
    """Some places of some images: rows along depth and height together, columns along the width."""

    images: slice
    rows: slice
    columns: slice

    def places(self, window: Window, a: int, b: int, k: int) -> tuple[Array, Array, slice]:
        """Return the indices of what a tap meets at these places, counted from the first zero before the image."""
        rows = np.arange(self.rows.start, self.rows.stop)
        (deep, down, right), (further, below, beside) = window.stride, window.dilation
        shift = [max(-n, 0) for n in window.before]
        start = shift[2] + self.columns.start * right + k * beside
        stop = start + (self.columns.stop - self.columns.start - 1) * right + 1
        height = window.out[1]
        return (
            shift[0] + rows // height * deep + a * further,
            shift[1] + rows % height * down + b * below,
            slice(start, stop, right),
        )


def _cut(window: Window, plan: Plan, count: int, groups: int, n: int) -> Iterator[tuple[int, _Tile, slice]]:
    """Yield the parts of the work: a group, a tile, and a block of the n filters or channels of a group."""
    height, width = math.prod(window.out[:2]), window.out[2]
    for image in range(0, count, plan.images):
        for group in range(groups):
            for row in range(0, height, plan.rows):
                for column in range(0, width, plan.columns):
                    tile = _Tile(
                        slice(image, min(image + plan.images, count)),
                        slice(row, min(row + plan.rows, height)),
                        slice(column, min(column + plan.columns, width)),
                    )
                    for start in range(0, n, plan.block):
                        yield group, tile, slice(start, min(start + plan.block, n))


def _of_group(x: Array, group: int, block: slice, tile: _Tile, groups: int) -> Array:
    first = group * (x.shape[1] // groups)
    return x[tile.images, first + block.start : first + block.stop]


def _gathered(
    x: Array, group: int, block: slice, window: Window, plan: Plan, tile: _Tile, groups: int
) -> Iterator[Array]:
    """Yield the columns of some channels of a group: for all taps, or for those of each row of the kernel."""
    places = (tile.rows.stop - tile.rows.start) * (tile.columns.stop - tile.columns.start)
    if plan.lines == 1:
        yield _columns(x, group, block, window, tile, groups)
        return
    apart = window.dilation[1]
    more = (plan.lines - 1) * apart
    (deep, height, width), (_, _, across) = window.out, window.kernel
    row_of_kernel = window._replace(kernel=(1, 1, across), out=(deep, height + more, width))
    columns = _columns(
        x, group, block, row_of_kernel, tile._replace(rows=slice(tile.rows.start, tile.rows.stop + more)), groups
    )
    for row in range(plan.lines):
        yield columns[:, row * apart * width : row * apart * width + places]


def _columns(x: Array, group: int, block: slice, window: Window, tile: _Tile, groups: int) -> Array:
    """Return the columns of some channels of a group."""
    x = _of_group(x, group, block, tile, groups)
    rows, columns = tile.rows.stop - tile.rows.start, tile.columns.stop - tile.columns.start
    y = np.zeros((x.shape[1], *window.kernel, len(x), rows, columns), x.dtype)
    for a, b, k in np.ndindex(window.kernel):
        deep, row, line = tile.places(window, a, b, k)
        met = deep, row, np.arange(line.start, line.stop, line.step)
        deep, row, column = (i - max(before, 0) for i, before in zip(met, window.before, strict=True))
        (depth, height, width), part = window.size, y[:, a, b, k]
        there = np.flatnonzero((deep >= 0) & (deep < depth) & (row >= 0) & (row < height))[:, None]
        here = np.flatnonzero((column >= 0) & (column < width))
        part[:, :, there, here] = x[:, :, deep[there], row[there], column[here]].swapaxes(0, 1)
    return y.reshape(x.shape[1] * window.taps, len(x) * rows * columns)


def _flat(y: Array) -> Array:
    return y.reshape(*y.shape[:2], y.shape[2] * y.shape[3], y.shape[4])


def _taken(y: Array, group: int, tile: _Tile, groups: int) -> Array:
    """Return the filters of a group as (filters, places of the tile)."""
    part = _flat(_of_group(y, group, slice(0, y.shape[1] // groups), tile, groups))[:, :, tile.rows, tile.columns]
    return part.swapaxes(0, 1).reshape(part.shape[1], -1)
