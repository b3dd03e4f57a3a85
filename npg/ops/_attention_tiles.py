"""The parts of attention's work: tiles of some batches and one block of queries, what is added there, what is dropped.

The scores of a tile lie in memory as (B, keys, nh, queries), see ops/attention.py.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from npg.kernels.buffers import constants
from npg.kernels.layouts import address, memory_order
from npg.kernels.parallel import split
from npg.ops._broadcast import unbroadcast

Array = np.ndarray[Any, Any]

BLOCK = 64  # queries in a tile
TILE = 1 << 19  # bytes of scores in a tile: it stays in the L2 cache while it is worked on

_diagonals = constants()
_KEPT_DIAGONALS = 64


class Tile(NamedTuple):
    """The batches [b0, b1), the queries [start, stop), and the keys up to `visible`."""

    b0: int
    b1: int
    start: int
    stop: int
    visible: int


@functools.lru_cache(maxsize=32)
def tiles_of(batch: int, heads: int, queries: int, keys: int, is_causal: bool, itemsize: int) -> tuple[Tile, ...]:
    """Return the tiles, the late queries first.

    Every block of queries is cut at the same batches, into parts of equal size, for threads.
    """
    step = max(1, TILE // max(1, heads * keys * min(BLOCK, queries) * itemsize))
    step = -(-batch // -(-batch // step))
    tiles = []
    for start in reversed(range(0, queries, BLOCK)):
        stop = min(start + BLOCK, queries)
        visible = min(stop, keys) if is_causal else keys
        tiles += [Tile(b, min(b + step, batch), start, stop, visible) for b in range(0, batch, step)]
    return tuple(tiles)


def run_tiles(tiles: Sequence[Tile], run: Callable[[int], None], in_order: bool = False) -> None:
    """Run each tile by its number: those of different sequences in parallel, those of one sequence in order.

    Args:
        in_order: run all of them in order.
    """
    if len(tiles) == 1 or in_order:
        for number in range(len(tiles)):
            run(number)
        return
    firsts = sorted({tile.b0 for tile in tiles})
    scores = sum([(b1 - b0) * (stop - start) * visible for b0, b1, start, stop, visible in tiles])

    def part(begin: int, end: int) -> None:
        chosen = set(firsts[begin:end])
        for number, tile in enumerate(tiles):
            if tile.b0 in chosen:
                run(number)

    split(len(firsts), part, 8.0 * scores)


# ----- Shapes -----


def as_4d(x: Array) -> Array:
    """Return (..., T, n) as (B, nh, T, n); a 3-D input is a batch of single heads."""
    if x.ndim == 4:
        return x
    return x[:, None] if x.ndim == 3 else x.reshape(math.prod(x.shape[:-3]), *(1,) * (3 - x.ndim), *x.shape[-3:])


def _shape_4d(shape: tuple[int, ...], lead: tuple[int, ...]) -> tuple[int, ...]:
    """Return (B or 1, nh or 1, T or 1, S or 1) for a shape that broadcasts to (*lead, T, S)."""
    shape = (1,) * (len(lead) + 2 - len(shape)) + shape
    if len(lead) < 2:
        return (*shape[:-2], 1, *shape[-2:]) if lead else (1, 1, *shape)
    batches = math.prod(lead[:-1]) if any(n != 1 for n in shape[:-3]) else 1
    return batches, *shape[-3:]


def scores_4d(x: Array | None, lead: tuple[int, ...]) -> Array | None:
    """Return an array that broadcasts to (*lead, T, S) as a 4-D array that broadcasts to (B, nh, T, S)."""
    if x is None:
        return None
    shape = _shape_4d(x.shape, lead)
    if len(lead) > 2 and shape[0] != 1:
        x = np.broadcast_to(x, (*lead[:-1], *shape[1:]))
    return x.reshape(shape)


def masks_4d(masks: Sequence[Array | None], lead: tuple[int, ...]) -> list[Array]:
    """Return those masks that there are as scores_4d does, each dimension along which one was expanded of size 1."""
    found = [x for x in (scores_4d(mask, lead) for mask in masks) if x is not None]
    return [x[tuple([slice(None, None if step else 1) for step in x.strides])] for x in found]


def _places(x: Array, tile: Tile) -> tuple[slice, ...]:
    wanted = (tile.b0, tile.b1), (0, x.shape[1]), (tile.start, tile.stop), (0, tile.visible)
    return tuple([slice(None) if n == 1 else slice(*span) for n, span in zip(x.shape, wanted, strict=True)])


# ----- What is added to the scores -----


def diagonal(keys: int, heads: int, queries: int, dtype: np.dtype[Any]) -> Array:
    """Return what is added to the scores on the diagonal of a tile: -inf where the key is later than the query."""
    mask = _diagonals.get((keys, heads, queries, dtype))
    if mask is not None:
        return mask
    later = np.arange(keys)[:, None] > np.arange(queries)
    mask = np.where(later, -math.inf, 0.0).astype(dtype)[:, None, :]
    # Written out for every head, because NumPy then adds a whole tile in one contiguous line.
    mask = np.ascontiguousarray(np.broadcast_to(mask, (keys, heads, queries)))
    mask.flags.writeable = False
    if len(_diagonals) >= _KEPT_DIAGONALS:
        _diagonals.clear()
    _diagonals[keys, heads, queries, dtype] = mask
    return mask


def addend(masks: Sequence[Array], tile: Tile, dtype: np.dtype[Any]) -> Array | None:
    """Return the sum of masks, 4-D, as what is added to a tile's scores.

    Returns: (B or 1, keys or 1, nh or 1, queries or 1), contiguous; -inf where a bool mask is False. None: no masks.
    """
    total: Array | None = None
    for mask in masks:
        x: Array = mask[_places(mask, tile)].transpose(0, 3, 1, 2)
        if x.dtype.kind == "b":
            x = np.where(x, dtype.type(0), dtype.type(-math.inf))
        total = x if total is None else total + x
    return None if total is None else np.ascontiguousarray(total)


class MaskGradient:
    """The gradient of a mask, the sum of those of its tiles.

    Args:
        mask: floating, as it was given.
        lead: the leading dimensions of the scores.
    """

    def __init__(self, mask: Array, lead: tuple[int, ...]) -> None:
        self.mask, self.lead = mask, lead
        shape = _shape_4d(mask.shape, lead)
        # Where many batches, or blocks of queries, add to the same numbers, the sums keep their digits.
        self.total = np.zeros(shape, np.float64 if 1 in (shape[0], shape[2]) else mask.dtype)

    def add(self, gs: Array, tile: Tile) -> None:
        """Add the gradient of a tile's scores, (B, keys, nh, queries)."""
        part = self.total[_places(self.total, tile)]
        part += unbroadcast(gs.transpose(0, 2, 3, 1), part.shape)

    def result(self) -> Array:
        """Return the sum in the shape and dtype of the mask."""
        total, mask, lead = self.total, self.mask, self.lead
        if len(lead) < 2:
            total = total[:, 0] if lead else total[0, 0]
        else:
            total = total.reshape(*(lead[:-1] if len(total) > 1 else (1,) * (len(lead) - 1)), *total.shape[1:])
        full = (1,) * (total.ndim - mask.ndim) + mask.shape
        return unbroadcast(total, full).reshape(mask.shape).astype(mask.dtype, copy=False)


# ----- What is dropped -----


def factors(bits: Array, tile: Tile, kept: float, dtype: np.dtype[Any]) -> Array:
    """Return what a tile's probabilities are multiplied by, (B, keys, nh, queries): `kept` where a bit is set, else 0.

    Args:
        bits: (B, nh, T, ceil(S / 8)) uint8, those of a row from the highest bit of its first byte on.
    """
    b0, b1, start, stop, visible = tile
    table = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * dtype.type(kept)
    x = table[bits[b0:b1, :, start:stop, : -(-visible // 8)]]  # (B, nh, queries, bytes, 8)
    return x.reshape(*x.shape[:3], -1)[..., :visible].transpose(0, 3, 1, 2)


# ----- The layout of results -----


def empty_like(x: Array, width: int) -> Array:
    """Return an uninitialised (B, nh, T, width) whose first three dimensions have the order in memory that x has."""
    batch, heads, length, _ = x.shape
    outer, middle, inner, _ = x.strides
    if outer > inner > middle > 0:  # a part of a projection, nearly always
        return np.empty((batch, length, heads, width), x.dtype).transpose(0, 2, 1, 3)
    order = memory_order(x.shape[:3], x.strides[:3])
    if order == [0, 1, 2]:
        return np.empty((batch, heads, length, width), x.dtype)
    back = sorted(range(3), key=order.__getitem__)
    return np.empty((*[x.shape[d] for d in order], width), x.dtype).transpose(*back, 3)


def _like_parts(xs: Sequence[Array]) -> tuple[Array, ...] | None:
    """Return uninitialised arrays like these n parts of one projection, (B, T, n, nh, hs) or (T, B, n, nh, hs).

    They are such parts too: then the gradient of the projection needs no copy. None: xs are no such parts.
    """
    first, n = xs[0], len(xs)
    batch, heads, length, width = first.shape
    part = heads * width * first.itemsize
    start = address(first)
    for i, x in enumerate(xs):
        if x.base is None or x.base is not first.base or x.shape != first.shape or x.strides != first.strides:
            return None
        if address(x) != start + i * part:
            return None
    within = width * first.itemsize, first.itemsize
    if first.strides == (length * n * part, within[0], n * part, within[1]):
        return tuple(np.empty((batch, length, n, heads, width), first.dtype).transpose(2, 0, 3, 1, 4))
    if first.strides == (n * part, within[0], batch * n * part, within[1]):
        return tuple(np.empty((length, batch, n, heads, width), first.dtype).transpose(2, 1, 3, 0, 4))
    return None


def gradients_like(q: Array, k: Array, v: Array, needs: tuple[bool, ...]) -> tuple[Array | None, ...]:
    """Return uninitialised gradients of q, k and v (None where not needed).

    Where all three, or k and v, are parts of one projection, so are their gradients.
    """
    parts = _like_parts((q, k, v)) if all(needs) else None
    if parts is not None:
        return parts
    parts = _like_parts((k, v)) if needs[1] and needs[2] else None
    gq = empty_like(q, q.shape[3]) if needs[0] else None
    if parts is not None:
        return (gq, *parts)
    return (gq, *(empty_like(x, x.shape[3]) if need else None for x, need in zip((k, v), needs[1:], strict=True)))
