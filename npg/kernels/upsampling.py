"""Images of another size: along each dimension, weighted sums of some elements of the input.

`taps_of` computes indices and weights as PyTorch's CPU kernels do, in the same precision. Along a dimension of n
elements the sums are products with a matrix that has its weights near the diagonal: it is multiplied in blocks, each of
which needs only some elements of the input, so the work grows with the size of the result. BLAS multiplies a weight of
0 too: where nan or inf is among the numbers, the sums are added up from the elements that they have. So they are where
a block would need many elements that count for nothing. What takes one element for each result is copied, and stretches
of elements that weigh the same, as in the adjoint of repetition, are added as such.

A resize along several dimensions is one after the other, its adjoint the same with the transposed taps.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npg._floating import silent
from npg.kernels.parallel import split
from npg.kernels.products import multiply

Array = np.ndarray[Any, Any]

NEAREST, NEAREST_EXACT, LINEAR, CUBIC, LANCZOS = "nearest", "nearest-exact", "linear", "cubic", "lanczos"
_BLOCK = 64  # results of a block, and about as many elements that they need
_LEAST = 16  # results of a block
_ADDED = 24  # elements multiplied in the time in which one is read and added
_COPY = 1.0  # nanoseconds to copy an element


class Resizing(NamedTuple):
    """How one dimension is resized.

    Attributes:
        n, m: sizes of the input and of the result.
        mode: one of the names above.
        align_corners: the outer elements, not their outer edges, are aligned.
        scale: the ratio m / n, as the caller gave it; None: of the sizes.
        antialias: the filter is stretched where the result is smaller.
        of_images: the nearest elements are those of PyTorch's kernel for two dimensions, which computes in float32 and
            takes the same size, and twice the size, as such whatever the scale.
    """

    n: int
    m: int
    mode: str
    align_corners: bool = False
    scale: float | None = None
    antialias: bool = False
    of_images: bool = False


class Taps:
    """Which elements of the input make up each element of the result.

    Attributes:
        n, m: sizes of the input and of the result.
        index, weight: (m, taps); taps beyond an element's `count` do not count.
        count: (m,) the number of taps of each element.
    """

    def __init__(self, n: int, index: Array, weight: Array, count: Array) -> None:
        self.n, self.m = n, len(index)
        self.index, self.weight, self.count = index, weight, count

    @functools.cached_property
    def picks(self) -> bool:
        """Tell whether each result is an element of the input."""
        return self.index.shape[1] == 1 and bool((self.weight == 1).all()) and bool((self.count == 1).all())

    @functools.cached_property
    def times(self) -> int:
        """How often each element is repeated; 0: not all as often, or not in order."""
        times = self.m // self.n
        is_even = self.picks and times * self.n == self.m
        return times if is_even and bool((self.index[:, 0] == np.arange(self.m) // times).all()) else 0

    @functools.cached_property
    def stretch(self) -> int:
        """How many elements in a row make up each result, all of one weight; 0: not so."""
        size = self.index.shape[1]
        if size < 2 or self.m * size != self.n or not (self.count == size).all():
            return 0
        in_order = (self.index.reshape(-1) == np.arange(self.n)).all() and (self.weight == self.weight[0, 0]).all()
        return size if in_order else 0

    @functools.cached_property
    def is_sparse(self) -> bool:
        """Tell whether single sums of rows are faster than products."""
        width = sum(len(matrix) * matrix.shape[1] for _, _, matrix, _ in self.blocks) / max(1, self.m)
        return width > _ADDED * self.index.shape[1]

    @functools.cached_property
    def is_identity(self) -> bool:
        """Tell whether the result is the input."""
        if self.n != self.m or not (self.count > 0).all():
            return False
        own = (self.index == np.arange(self.m)[:, None]) | (self.weight == 0) | ~self._counts
        return bool(own.all()) and bool((np.where(self._counts, self.weight, 0).sum(1) == 1).all())

    @functools.cached_property
    def _counts(self) -> Array:
        return np.arange(self.index.shape[1]) < self.count[:, None]

    @functools.cached_property
    def transposed(self) -> Taps:
        """The taps of the adjoint."""
        to, tap = np.nonzero(self._counts & (self.weight != 0))
        source, weight = self.index[to, tap], self.weight[to, tap]
        order = np.argsort(source, kind="stable")
        source, to, weight = source[order], to[order], weight[order]
        count = np.bincount(source, minlength=self.n)
        rank = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
        shape = (self.n, max(1, int(count.max(initial=0))))
        indices, weights = np.zeros(shape, np.intp), np.zeros(shape, self.weight.dtype)
        indices[source, rank], weights[source, rank] = to, weight
        return Taps(self.m, indices, weights, count)

    @functools.cached_property
    def blocks(self) -> list[tuple[slice, slice, Array, Array]]:
        """Stretches of the result and of the input, the matrix (results, inputs) between them and its transpose."""
        blocks: list[tuple[slice, slice, Array, Array]] = []
        height = min(_BLOCK, max(_LEAST, _BLOCK * self.m // self.n))
        for start in range(0, self.m, height):
            rows = slice(start, min(start + height, self.m))
            if rows.stop - start < height // 4 and blocks:  # a short rest joins the block before
                rows = slice(blocks.pop()[0].start, self.m)
            used = self.index[rows][self._counts[rows]]
            columns = slice(int(used.min()), int(used.max()) + 1) if len(used) else slice(0, 1)
            matrix = np.zeros((rows.stop - rows.start, columns.stop - columns.start), self.weight.dtype)
            row, tap = np.nonzero(self._counts[rows])
            np.add.at(matrix, (row, self.index[rows][row, tap] - columns.start), self.weight[rows][row, tap])
            blocks.append((rows, columns, matrix, np.ascontiguousarray(matrix.T)))
        return blocks


# ----- Indices and weights -----


@functools.lru_cache(maxsize=1024)
def taps_of(resizing: Resizing, dtype: np.dtype[Any]) -> Taps:
    """Return the taps of a resizing, weights in this dtype: float32 or float64."""
    n, m, mode = resizing.n, resizing.m, resizing.mode
    with silent():
        if mode in (NEAREST, NEAREST_EXACT):
            index = _nearest(resizing, dtype)
            return Taps(n, index[:, None], np.ones((m, 1), dtype), np.ones(m, np.intp))
        if resizing.antialias:
            return _stretched_taps(resizing, dtype)
        return _linear_taps(resizing, dtype) if mode == LINEAR else _cubic_taps(resizing, dtype)


def _ratio(resizing: Resizing, dtype: np.dtype[Any]) -> Any:
    """Return the distance of results in elements of the input."""
    real, n, m = dtype.type, resizing.n, resizing.m
    if resizing.align_corners:
        return real(n - 1) / real(m - 1) if m > 1 else real(0)
    if resizing.scale is not None and resizing.scale > 0:
        return real(1.0 / resizing.scale)
    return real(n) / real(m)


def _nearest(resizing: Resizing, dtype: np.dtype[Any]) -> Array:
    n, m, i = resizing.n, resizing.m, np.arange(resizing.m)
    if resizing.of_images:
        dtype = np.dtype(np.float32)
        if resizing.mode == NEAREST and m in (n, 2 * n):
            return i * n // m
    at = _ratio(resizing, dtype) * (i + (0.5 if resizing.mode == NEAREST_EXACT else 0)).astype(dtype)
    # PyTorch rounds to float32 first, in float64 too.
    return np.minimum(np.floor(at.astype(np.float32)).astype(np.intp), n - 1)


def _sources(resizing: Resizing, dtype: np.dtype[Any]) -> Array:
    """Return the position of each result in the input."""
    ratio, i = _ratio(resizing, dtype), np.arange(resizing.m).astype(dtype)
    return ratio * i if resizing.align_corners else ratio * (i + dtype.type(0.5)) - dtype.type(0.5)


def _linear_taps(resizing: Resizing, dtype: np.dtype[Any]) -> Taps:
    n, m = resizing.n, resizing.m
    at = np.arange(m).astype(dtype) if m == n else np.maximum(_sources(resizing, dtype), 0)
    low = np.minimum(np.floor(at).astype(np.intp), n - 1)
    share = np.clip(at - low.astype(dtype), 0, 1)
    return Taps(
        n, np.stack([low, np.minimum(low + 1, n - 1)], 1), np.stack([1 - share, share], 1), np.full(m, 2, np.intp)
    )


def cubic_weights(t: Any, a: float = -0.75) -> tuple[Any, Any, Any, Any]:
    """Return the weights of the four neighbours of a point that lies t after the second."""
    u, v, w = t + 1, 1 - t, 2 - t
    return (
        ((a * u - 5 * a) * u + 8 * a) * u - 4 * a,
        ((a + 2) * t - (a + 3)) * t * t + 1,
        ((a + 2) * v - (a + 3)) * v * v + 1,
        ((a * w - 5 * a) * w + 8 * a) * w - 4 * a,
    )


def _cubic_taps(resizing: Resizing, dtype: np.dtype[Any]) -> Taps:
    n, m = resizing.n, resizing.m
    at = _sources(resizing, dtype)
    low = np.minimum(np.floor(at).astype(np.intp), n - 1)
    share = np.clip(at - low.astype(dtype), 0, 1)
    index = np.clip(low[:, None] + np.arange(-1, 3), 0, n - 1)
    return Taps(n, index, np.stack(cubic_weights(share), 1).astype(dtype), np.full(m, 4, np.intp))


def _triangle(x: Array) -> Array:
    return np.maximum(1 - np.abs(x), 0)


def _cubic(x: Array, a: float = -0.5) -> Array:
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    return np.where(x < 1, near, np.where(x < 2, (((x - 5) * x + 8) * x - 4) * a, 0))


def _windowed_sinc(x: Array) -> Array:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


# The width of a filter, and the filter.
_FILTERS: dict[str, tuple[int, Callable[[Array], Array]]] = {
    LINEAR: (2, _triangle),
    CUBIC: (4, _cubic),
    LANCZOS: (6, _windowed_sinc),
}


def _stretched_taps(resizing: Resizing, dtype: np.dtype[Any]) -> Taps:
    n, m, real = resizing.n, resizing.m, dtype.type
    if n == m:  # whatever the scale
        return Taps(n, np.arange(n)[:, None], np.ones((n, 1), dtype), np.ones(n, np.intp))
    width, weigh = _FILTERS[resizing.mode]
    ratio = _ratio(resizing, dtype)
    reach = real(width * 0.5) * max(ratio, real(1))
    centre = ratio * (np.arange(m).astype(dtype) + real(0.5))
    first = np.maximum((centre - reach + real(0.5)).astype(np.intp), 0)
    count = np.minimum((centre + reach + real(0.5)).astype(np.intp), n) - first
    count = np.clip(count, 0, 2 * math.ceil(reach) + 1)
    tap = np.arange(max(1, int(count.max(initial=0))))
    stretch = real(1) / ratio if ratio >= 1 else real(1)
    weight = weigh(((tap + first[:, None]).astype(dtype) - centre[:, None] + real(0.5)) * stretch)
    weight = np.where(tap < count[:, None], weight, 0).astype(dtype)
    total = weight.sum(1, keepdims=True)
    weight = np.divide(weight, total, out=weight, where=total != 0)
    return Taps(n, np.minimum(first[:, None] + tap, n - 1), weight, count)


# ----- Sums along one dimension -----


def _copied(x: Array, taps: Taps) -> Array:
    """Return elements (outer, n, inner) at the taps, which are one for each."""
    out = np.empty((len(x), taps.m, x.shape[2]), x.dtype)
    index, times = taps.index[:, 0], taps.times

    def work(start: int, stop: int) -> None:
        if times:
            repeated = out[start:stop].reshape(stop - start, taps.n, times, x.shape[2])
            for k in range(times):
                repeated[:, :, k] = x[start:stop]
            return
        x[start:stop].take(index, axis=1, out=out[start:stop], mode="clip")  # "raise" would buffer the output

    split(len(x), work, out.size * _COPY)
    return out


def _summed(x: Array, taps: Taps) -> Array:
    """Return the sums of stretches, times their weight."""
    outer, _, inner = x.shape
    stretches, out = x.reshape(outer, taps.m, taps.stretch, inner), np.empty((outer, taps.m, inner), x.dtype)

    def work(start: int, stop: int) -> None:
        part, sums = stretches[start:stop], out[start:stop]
        np.add(part[:, :, 0], part[:, :, 1], out=sums)
        for k in range(2, taps.stretch):
            sums += part[:, :, k]
        if taps.weight[0, 0] != 1:
            sums *= taps.weight[0, 0]

    split(outer, work, x.size * _COPY)
    return out


def _multiplied(x: Array, taps: Taps) -> Array:
    outer, _, inner = x.shape
    if taps.stretch:
        return _summed(x, taps)
    if inner >= _LEAST and taps.is_sparse:
        return _added(x, taps)
    out = np.empty((outer, taps.m, inner), x.dtype)
    for rows, columns, matrix, transposed in taps.blocks:
        if inner == 1:
            multiply(x[:, columns, 0], transposed, out[:, rows, 0])
        else:
            multiply(matrix, x[:, columns], out[:, rows])
    return out


def _added(x: Array, taps: Taps) -> Array:
    out = np.zeros((len(x), taps.m, x.shape[2]), x.dtype)

    def work(start: int, stop: int) -> None:
        part, sums = x[start:stop], out[start:stop]
        for k in range(taps.index.shape[1]):
            rows: Any = np.flatnonzero(taps.count > k)
            product = part.take(taps.index[rows, k], axis=1)
            product *= taps.weight[rows, k, None]
            if len(rows) == taps.m:
                sums += product
            else:
                sums[:, rows] += product

    split(len(x), work, out.size * taps.index.shape[1] * _COPY)
    return out


def _along(x: Array, dim: int, taps: Taps, add: Callable[[Array, Taps], Array]) -> Array:
    if taps.is_identity:
        return x
    before, after = x.shape[:dim], x.shape[dim + 1 :]
    lines = x.reshape(math.prod(before), taps.n, math.prod(after))
    return (_copied if taps.picks else add)(lines, taps).reshape(*before, taps.m, *after)


def _all(x: Array, dims: dict[int, Taps], add: Callable[[Array, Taps], Array]) -> Array:
    for dim, taps in dims.items():
        x = _along(x, dim, taps, add)
    return x


def _is_finite(x: Array) -> bool:
    return bool(np.isfinite(np.add.reduce(x, axis=None)))


def resize(x: Array, dims: dict[int, Taps]) -> Array:
    """Return x resized along some dimensions, in the order given.

    Args:
        x: any shape; floating, or any dtype where all taps only pick.
        dims: the taps of each dimension.
    Returns: a new C-contiguous array.
    """
    given, x = x, np.ascontiguousarray(x)
    with silent():
        y = _all(x, dims, _multiplied)
        if x.dtype.kind == "f" and not all(taps.picks or taps.stretch for taps in dims.values()):
            if not _is_finite(min(x, y, key=np.size)) and x.size and y.size:
                y = _all(x, dims, _added)
    return y.copy() if y is given else y


# ----- Bytes -----


@functools.lru_cache(maxsize=1024)
def _byte_taps(resizing: Resizing) -> tuple[Taps, int]:
    """Return taps whose weights are integers, and the number of their bits behind the point."""
    taps = taps_of(resizing, np.dtype(np.float64))
    # Taps of one element, beyond the edge, are joined before they are rounded.
    same = taps.index[:, :, None] == taps.index[:, None, :]
    is_first = np.tril(same, -1).sum(2) == 0
    weight = np.where(is_first, (same * taps.weight[:, None, :]).sum(2), 0)
    top = float(weight.max(initial=0))
    bits = 0
    while bits < 22 and int(0.5 + top * (1 << (bits + 1))) < 1 << 15:
        bits += 1
    scaled = weight * (1 << bits)
    return Taps(taps.n, taps.index, np.trunc(scaled + np.copysign(0.5, scaled)), taps.count), bits


def resize_bytes(x: Array, dims: dict[int, Resizing]) -> Array:
    """Return x of uint8 resized along some dimensions, rounded to uint8 after each.

    Weights are integers of 16 bits, as PyTorch's are; their sums are exact in float64.
    """
    for dim, resizing in dims.items():
        taps, bits = _byte_taps(resizing)
        if resizing.n == resizing.m:
            continue
        sums = _along(x.astype(np.float64), dim, taps, _multiplied)
        x = np.clip((sums.astype(np.int64) + (1 << (bits - 1))) >> bits, 0, 255).astype(np.uint8)
    return np.array(x, order="C")
