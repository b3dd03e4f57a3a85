"""Scaled dot-product attention: softmax(q k^T scale + mask) v, in tiles of a few batches and one block of queries.

The scores of a tile lie in memory as (B, keys, nh, queries). A row of the softmax is then a column, so that its
maximum, its sum, the subtraction and the division run over long contiguous lines: in NumPy that is three times as fast
as along rows of one head's length, and the matrix products take this layout as it is.

With a causal mask a block sees only the keys up to its last query, and needs a mask only on its diagonal. Short
sequences save the probabilities for the backward; long ones save the logarithm of each sum and recompute the
probabilities, so that memory grows linearly with the length.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npg.kernels import core
from npg.kernels.buffers import constants, scratch
from npg.kernels.limits import ADDED_SINGLY
from npg.kernels.parallel import split
from npg.kernels.products import for_blas, multiply
from npg.ops._broadcast import unbroadcast
from npg.ops._kinds import ELEMENTWISE, rank_of
from npg.ops._op import Op, fused, movement, primitive
from npg.ops.elementwise import exp
from npg.ops.matmul import matmul
from npg.ops.reduction import sum_
from npg.ops.shape import as_batch, transpose
from npg.ops.softmax import SAFE

Array = np.ndarray[Any, Any]

BLOCK = 64  # queries in a tile
TILE = 1 << 19  # bytes of scores in a tile: it stays in the L2 cache while it is worked on
KEPT = 256 * 256  # scores of one head up to which the probabilities are saved

_attend: Callable[..., bool] | None = core.attend  # computes tiles without a mask; see csrc/kernels/attention.pxi

_masks = constants()
_KEPT_MASKS = 64


# ----- Tiles and masks -----


def _tiles(
    batch: int, heads: int, queries: int, keys: int, is_causal: bool, itemsize: int
) -> list[tuple[int, int, int, int, int]]:
    """Return (first batch, end, first query, end, number of visible keys) of each tile, the late queries first.

    Every block of queries is cut at the same batches, into parts of equal size, for threads.
    """
    step = max(1, TILE // max(1, heads * keys * min(BLOCK, queries) * itemsize))
    step = -(-batch // -(-batch // step))
    tiles = []
    for start in reversed(range(0, queries, BLOCK)):
        stop = min(start + BLOCK, queries)
        visible = min(stop, keys) if is_causal else keys
        tiles += [(b, min(b + step, batch), start, stop, visible) for b in range(0, batch, step)]
    return tiles


def _diagonal(keys: int, heads: int, queries: int, dtype: np.dtype[Any]) -> Array:
    """Return the mask added to the scores on the diagonal of a tile: -inf where the key is later than the query."""
    mask = _masks.get((keys, heads, queries, dtype))
    if mask is not None:
        return mask
    later = np.arange(keys)[:, None] > np.arange(queries)
    mask = np.where(later, -math.inf, 0.0).astype(dtype)[:, None, :]
    # Written out for every head, because NumPy then adds a whole tile in one contiguous line.
    mask = np.ascontiguousarray(np.broadcast_to(mask, (keys, heads, queries)))
    mask.flags.writeable = False
    if len(_masks) >= _KEPT_MASKS:
        _masks.clear()
    _masks[keys, heads, queries, dtype] = mask
    return mask


def _as_4d(x: Array) -> Array:
    """Return (..., T, n) as (B, nh, T, n); a 3-D input is a batch of single heads."""
    if x.ndim == 3:
        return x[:, None]
    return x if x.ndim == 4 else x.reshape(math.prod(x.shape[:-3]), *(1,) * (3 - x.ndim), *x.shape[-3:])


def _scores_4d(x: Array | None, lead: tuple[int, ...], queries: int, keys: int) -> Array | None:
    """Return an array that broadcasts to (*lead, T, S) as a 4-D array that broadcasts to (B, nh, T, S)."""
    if x is None:
        return None
    if len(lead) > 2:
        x = np.broadcast_to(x, (*lead, queries, keys))
        return x.reshape(-1, *x.shape[-3:])
    x = x.reshape((1,) * (len(lead) + 2 - x.ndim) + x.shape)
    return x if len(lead) == 2 else x[:, None] if len(lead) == 1 else x[None, None]


def _part(x: Array, b0: int, b1: int, start: int, stop: int, visible: int) -> Array:
    """Return the tile's part of a mask or noise as (B, keys, nh, queries)."""
    return np.broadcast_to(x, x.shape)[
        slice(b0, b1) if x.shape[0] != 1 else slice(None),
        :,
        slice(start, stop) if x.shape[2] != 1 else slice(None),
        slice(0, visible) if x.shape[3] != 1 else slice(None),
    ].transpose(0, 3, 1, 2)


# ----- The layout of results -----


def _empty_like(x: Array, width: int) -> Array:
    """Return an uninitialised (B, nh, T, width), in memory (B, T, nh, width) where x is laid out like that."""
    batch, heads, length, _ = x.shape
    if x.strides[2] > x.strides[1]:
        return np.empty((batch, length, heads, width), x.dtype).transpose(0, 2, 1, 3)
    return np.empty((batch, heads, length, width), x.dtype)


def _address(x: Array) -> int:
    return x.__array_interface__["data"][0]


def _gradients_like(q: Array, k: Array, v: Array, needs: tuple[bool, ...]) -> tuple[Array | None, ...]:
    """Return uninitialised gradients of q, k and v (None where not needed).

    Where the three are parts of one projection (B, T, 3, nh, hs), so are their gradients.
    """
    if all(needs) and q.base is not None and q.base is k.base is v.base and q.shape == k.shape == v.shape:
        batch, heads, length, width = q.shape
        part = heads * width * q.itemsize
        if q.strides == k.strides == v.strides == (
            length * 3 * part,
            width * q.itemsize,
            3 * part,
            q.itemsize,
        ) and _address(k) - _address(q) == part == _address(v) - _address(k):
            return tuple(np.empty((batch, length, 3, heads, width), q.dtype).transpose(2, 0, 3, 1, 4))
    return tuple(_empty_like(x, x.shape[3]) if need else None for x, need in zip((q, k, v), needs, strict=True))


# ----- The kernel -----


def _scaled(q: Array, tile: tuple[int, int, int, int, int], scale: float) -> Array:
    """Return the queries of a tile times the scale: usually there are fewer of them than scores."""
    b0, b1, start, stop, _ = tile
    return q[b0:b1, :, start:stop] * scale


def _scores(
    scaled: Array, k: Array, mask: Array | None, is_causal: bool, tile: tuple[int, int, int, int, int], keep: bool
) -> Array:
    """Return the masked scores of a tile, (B, keys, nh, queries), in a scratch array unless `keep`."""
    b0, b1, start, stop, visible = tile
    heads = scaled.shape[1]
    shape = (b1 - b0, visible, heads, stop - start)
    s = np.empty(shape, scaled.dtype) if keep else scratch(0, shape, scaled.dtype)
    multiply(k[b0:b1, :, :visible], scaled.swapaxes(2, 3), s.transpose(0, 2, 1, 3))  # (B, nh, S, T)
    if mask is not None:
        s += _part(mask, *tile)
    if is_causal and visible > start:
        s[:, start:] += _diagonal(visible - start, heads, stop - start, s.dtype)
    return s


def _sum_over_keys(p: Array) -> Array:
    """Return the sums over the keys of (B, keys, nh, queries), added in the same blocks as in C."""
    keys = p.shape[1]
    if keys <= ADDED_SINGLY:
        return np.add.reduce(p, axis=1, keepdims=True)
    blocked = keys - keys % ADDED_SINGLY
    sums = np.add.reduce(
        p[:, :blocked].reshape(p.shape[0], blocked // ADDED_SINGLY, ADDED_SINGLY, *p.shape[2:]), axis=2
    )
    total = np.add.reduce(sums, axis=1, keepdims=True)
    if blocked < keys:
        total += np.add.reduce(p[:, blocked:], axis=1, keepdims=True)
    return total


def _exponentials(
    scaled: Array, k: Array, mask: Array | None, is_causal: bool, tile: tuple[int, int, int, int, int], keep: bool
) -> tuple[Array, Array, Array | float]:
    """Return exp(scores - top) of a tile, the sums for each query, and top: each query's largest score, or 0.0.

    Subtracting top keeps the exponentials from overflowing. The maximum of the whole tile takes a third of the time and
    usually shows that none can; where no sum is tiny either, no digits were lost, and top is 0.0.
    """
    limit = SAFE[scaled.dtype.char]
    p = _scores(scaled, k, mask, is_causal, tile, keep)
    if np.maximum.reduce(p, axis=None) < limit:
        np.exp(p, out=p)
        total = _sum_over_keys(p)
        if np.minimum.reduce(total, axis=None) > math.exp(-limit):
            return p, total, 0.0
        p = _scores(scaled, k, mask, is_causal, tile, keep)
    top = np.maximum.reduce(p, axis=1, keepdims=True)
    if mask is not None:
        np.maximum(top, np.finfo(p.dtype).min, out=top)  # a query that may attend to nothing
    p -= top
    np.exp(p, out=p)
    total = _sum_over_keys(p)
    if mask is not None:
        total += total == 0
    return p, total, top


def _attend_tile(
    q: Array,
    k: Array,
    v: Array,
    y: Array,
    scale: float,
    is_causal: bool,
    tile: tuple[int, int, int, int, int],
    keep: bool,
    keeps_probabilities: bool,
) -> tuple[bool, Array | None]:
    """Compute a tile in C. Return whether that was possible, and what is saved of the tile."""
    b0, b1, start, stop, visible = tile
    heads, queries = q.shape[1], stop - start
    if y.shape[0] != b1 - b0 or y.shape[2] != queries or k.shape[2] != visible:
        q, y = q[b0:b1, :, start:stop], y[b0:b1, :, start:stop]
        k, v = k[b0:b1, :, :visible], v[b0:b1, :, :visible]
    p = np.empty((b1 - b0, visible, heads, queries), q.dtype) if keep and keeps_probabilities else None
    total = np.empty((b1 - b0, 1, heads, queries), q.dtype) if keep and not keeps_probabilities else None
    mask = _diagonal(visible - start, 1, queries, q.dtype) if is_causal and visible > start else None
    limit = SAFE.get(q.dtype.char, 0.0)
    assert _attend is not None
    is_done = _attend(q, k, v, y, p, total, mask, scale, limit, math.exp(-limit))
    return is_done, np.log(total) if is_done and total is not None else p


@fused(node="ScaledDotProductFlashAttentionForCpu", aten="scaled_dot_product_attention")
def attention(
    query: Any, key: Any, value: Any, mask: Any, noise: Any, *, is_causal: bool, scale: float, keep: bool = True
) -> Any:
    """Return softmax(query key^T scale + mask) noise value.

    query (..., T, n), key (..., S, n) and value (..., S, m) have the same leading dimensions. mask is added to the
    scores; the probabilities are multiplied by noise, the factors of dropout. Both broadcast to (..., T, S) and may be
    None. A query that may attend to nothing gives 0.
    """
    q, k, v = (for_blas(_as_4d(x)) for x in (query, key, value))
    batch, heads, queries, _ = q.shape
    keys = k.shape[2]
    y = _empty_like(q, v.shape[3])
    if not y.size or not keys:
        y[...] = 0
        return y.reshape(*query.shape[:-1], v.shape[3]), ()
    attends = _attend is not None and mask is None and noise is None
    if (
        attends and not keep and queries <= BLOCK
    ):  # one block, and nothing is saved, which would depend on how the batch is cut
        tile = 0, batch, 0, queries, min(queries, keys) if is_causal else keys
        if _attend_tile(q, k, v, y, scale, is_causal, tile, False, False)[0]:
            return (y if query.ndim == 4 else y.reshape(*query.shape[:-1], v.shape[3])), ()
        attends = False
    lead = query.shape[:-2]
    bias, noise = _scores_4d(mask, lead, queries, keys), _scores_4d(noise, lead, queries, keys)
    keeps_probabilities = queries * keys <= KEPT
    tiles = _tiles(batch, heads, queries, keys, is_causal, q.itemsize)
    saved: list[Any] = [None] * len(tiles) if keep else []

    def run(number: int) -> None:
        tile = tiles[number]
        b0, b1, start, stop, visible = tile
        if attends:
            is_done, saved_tile = _attend_tile(q, k, v, y, scale, is_causal, tile, keep, keeps_probabilities)
            if is_done:
                if keep:
                    saved[number] = saved_tile
                return
        scaled = _scaled(q, tile, scale)
        p, total, top = _exponentials(scaled, k, bias, is_causal, tile, keep and keeps_probabilities)
        p /= total
        if keep:
            saved[number] = p if keeps_probabilities else top + np.log(total)
        if noise is not None:
            p = np.multiply(p, _part(noise, *tile), out=scratch(1, p.shape, p.dtype))
        multiply(p.transpose(0, 2, 3, 1), v[b0:b1, :, :visible], y[b0:b1, :, start:stop])  # (B, nh, T, m)

    if attends:  # C shares each tile among threads
        for number in range(len(tiles)):
            run(number)
    else:
        _run_tiles(tiles, run)
    return (y if query.ndim == 4 else y.reshape(*query.shape[:-1], v.shape[3])), tuple(saved)


@attention.batch
def _attention_batch(op: Op, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
    *operands, mask, noise = xs
    if mask is not None or noise is not None:
        return NotImplemented
    if len({rank_of(x, flag) for x, flag in zip(operands, batched, strict=False)}) > 1:
        return NotImplemented
    return op(*[as_batch(x, flag, size) for x, flag in zip(operands, batched, strict=False)], None, None, **params)


@attention.backward
def _attention_backward(
    g: Any,
    _y: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    noise: Any,
    *,
    saved: Any,
    needs: tuple[bool, ...],
    is_causal: bool,
    scale: float,
) -> Any:
    """With p the probabilities, gp = g v^T, gs = p (gp - sum(p gp)): gq = scale gs k, gk = scale gs^T q, gv = p^T g."""
    q, k, v = (for_blas(_as_4d(x)) for x in (query, key, value))
    g = _as_4d(g)
    batch, heads, queries, _ = q.shape
    keys = k.shape[2]
    lead = query.shape[:-2]
    bias, noise = _scores_4d(mask, lead, queries, keys), _scores_4d(noise, lead, queries, keys)
    gq, gk, gv = _gradients_like(q, k, v, needs[:3])
    gm = np.zeros((batch, heads, queries, keys), q.dtype) if needs[3] else None
    tiles = _tiles(batch, heads, queries, keys, is_causal, q.itemsize) if saved else ()
    if not tiles or (is_causal and keys > queries):
        for part in (gq, gk, gv):
            if part is not None:
                part[...] = 0

    def run(number: int) -> None:
        tile, saved_tile = tiles[number], saved[number]
        b0, b1, start, stop, visible = tile
        # The gradient of a sum is one number with strides of 0: what BLAS cannot read is copied tile by tile.
        scaled, gt = _scaled(q, tile, scale), for_blas(g[b0:b1, :, start:stop])
        if queries * keys <= KEPT:
            p = saved_tile
        else:
            p = _scores(scaled, k, bias, is_causal, tile, False)
            p -= saved_tile
            np.exp(p, out=p)
        first = stop == queries  # late queries come first: this tile writes, the others add
        dropped = None if noise is None else _part(noise, *tile)
        if gv is not None:
            pd = p if dropped is None else np.multiply(p, dropped, out=scratch(1, p.shape, p.dtype))
            _write_product(gv[b0:b1, :, :visible], pd.transpose(0, 2, 1, 3), gt, first)
        if gq is None and gk is None and gm is None:
            return
        gs = scratch(1, p.shape, p.dtype)
        multiply(v[b0:b1, :, :visible], gt.swapaxes(2, 3), gs.transpose(0, 2, 1, 3))  # (B, nh, S, T)
        if dropped is not None:
            gs *= dropped
        t = np.multiply(gs, p, out=scratch(2, p.shape, p.dtype))
        gs -= _sum_over_keys(t)
        gs *= p
        if gm is not None:
            gm[b0:b1, :, start:stop, :visible] = gs.transpose(0, 2, 3, 1)
        if gq is not None:
            part = gq[b0:b1, :, start:stop]
            multiply(gs.transpose(0, 2, 3, 1), k[b0:b1, :, :visible], part)
            part *= scale
        if gk is not None:
            _write_product(gk[b0:b1, :, :visible], gs.transpose(0, 2, 1, 3), scaled, first)

    _run_tiles(tiles, run)
    grads = [None if a is None else a.reshape(x.shape) for a, x in zip((gq, gk, gv), (query, key, value), strict=True)]
    gm = None if gm is None else unbroadcast(gm.reshape(*lead, queries, keys), mask.shape)
    return (*grads, gm, None)


def _run_tiles(tiles: Sequence[tuple[int, int, int, int, int]], run: Callable[[int], None]) -> None:
    """Run each tile: those of different sequences in parallel, those of one sequence in order."""
    if len(tiles) == 1:
        run(0)
        return
    firsts = sorted({tile[0] for tile in tiles})
    scores = sum([(b1 - b0) * (stop - start) * visible for b0, b1, start, stop, visible in tiles])

    def part(begin: int, end: int) -> None:
        chosen = set(firsts[begin:end])
        for number, tile in enumerate(tiles):
            if tile[0] in chosen:
                run(number)

    split(len(firsts), part, 8.0 * scores)


def _write_product(out: Array, a: Array, b: Array, first: bool) -> None:
    """Write the product of a and b into out, or add it where this is not the first."""
    if first:
        multiply(a, b, out)
    else:
        out += multiply(a, b)


# ----- In primitives -----


@primitive(aten=None)
def row_top(input: Any) -> Any:
    """Return the maximum of each row, a finite number; no gradient, because a softmax does not depend on a shift."""
    return np.maximum.reduce(input, axis=-1, keepdims=True, initial=np.finfo(input.dtype).min)


@movement(kind=ELEMENTWISE, aten=None)
def is_zero(input: Any) -> Any:
    """Return 1 where the input is 0, else 0, in its dtype."""
    return (input == 0).astype(input.dtype)


@attention.compose
def _attention(query: Any, key: Any, value: Any, mask: Any, noise: Any, *, is_causal: bool, scale: float) -> Any:
    queries, keys, n = query.shape[-2], key.shape[-2], len(query.shape)
    s = matmul(query, transpose(key, dim0=n - 2, dim1=n - 1)) * scale
    if mask is not None:
        s = s + mask
    if is_causal:
        s = s + np.where(np.arange(queries)[:, None] < np.arange(keys), -math.inf, 0.0).astype(query.dtype)
    if not keys:
        return matmul(s, value)  # zeros
    e = exp(s - row_top(s))
    total = sum_(e, dim=(n - 1,), keepdim=True)
    p = e / (total + is_zero(total))
    return matmul(p if noise is None else p * noise, value)
