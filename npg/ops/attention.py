"""Scaled dot-product attention: softmax(q k^T scale + mask) v, in tiles of a few batches and one block of queries.

The scores of a tile lie in memory as (B, keys, nh, queries). A row of the softmax is then a column, so that its
maximum, its sum, the subtraction and the division run over long contiguous lines: in NumPy that is three times as fast
as along rows of one head's length, and the matrix products take this layout as it is.

With a causal mask a block sees only the keys up to its last query, and needs a mask only on its diagonal. Short
sequences save the probabilities for the backward; long ones save the logarithm of each sum and recompute the
probabilities, so that memory grows linearly with the length, also with masks, of which a tile takes its part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg.kernels import core
from npg.kernels.buffers import scratch
from npg.kernels.limits import ADDED_SINGLY
from npg.kernels.products import for_blas, multiply
from npg.ops._attention_tiles import (
    BLOCK,
    MaskGradient,
    Tile,
    addend,
    as_4d,
    diagonal,
    empty_like,
    factors,
    gradients_like,
    masks_4d,
    run_tiles,
    scores_4d,
    tiles_of,
)
from npg.ops._kinds import ELEMENTWISE, MATRICES, padded, rank_of
from npg.ops._op import Op, fused, movement, primitive
from npg.ops.elementwise import exp
from npg.ops.matmul import matmul
from npg.ops.reduction import sum_
from npg.ops.selection import where
from npg.ops.shape import as_batch, transpose
from npg.ops.softmax import SAFE

Array = np.ndarray[Any, Any]

KEPT = 256 * 256  # scores of one head up to which the probabilities are saved
_BOUNDS = {char: (limit, math.exp(-limit)) for char, limit in SAFE.items()}  # of scores, and of the sums

# These compute tiles without dropout; see csrc/kernels/attention.pxi and attention_gradients.pxi.
_attend: Callable[..., bool] | None = core.attend
_attend_back: Callable[..., bool] | None = core.attend_back


# ----- The kernel -----


def _scaled(q: Array, tile: Tile, scale: float) -> Array:
    """Return the queries of a tile times the scale, in a scratch array: usually there are fewer of them than scores."""
    part = q[tile.b0 : tile.b1, :, tile.start : tile.stop]
    b, nh, queries, n = part.shape
    out = scratch(3, (b, queries, nh, n), q.dtype).transpose(0, 2, 1, 3)
    return np.multiply(part, scale, out=out)


def _scores(scaled: Array, k: Array, bias: Array | None, is_causal: bool, tile: Tile, keep: bool) -> Array:
    """Return the masked scores of a tile, (B, keys, nh, queries), in a scratch array unless `keep`."""
    b0, b1, start, stop, visible = tile
    heads = scaled.shape[1]
    shape = (b1 - b0, visible, heads, stop - start)
    s = np.empty(shape, scaled.dtype) if keep else scratch(0, shape, scaled.dtype)
    multiply(k[b0:b1, :, :visible], scaled.swapaxes(2, 3), s.transpose(0, 2, 1, 3))  # (B, nh, S, T)
    if bias is not None:
        s += bias
    if is_causal and visible > start:
        s[:, start:] += diagonal(visible - start, heads, stop - start, s.dtype)
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
    total = np.add.reduce(sums, axis=1, keepdims=True, dtype=np.float64)
    if blocked < keys:
        total += np.add.reduce(p[:, blocked:], axis=1, keepdims=True)
    return total.astype(p.dtype, copy=False)


def _exponentials(
    scaled: Array, k: Array, bias: Array | None, is_causal: bool, tile: Tile, keep: bool
) -> tuple[Array, Array, Array | float]:
    """Return exp(scores - top) of a tile, the sums for each query, and top: each query's largest score, or 0.0.

    Subtracting top keeps the exponentials from overflowing. The maximum of the whole tile takes a third of the time and
    usually shows that none can; where no sum is tiny either, no digits were lost, and top is 0.0.
    """
    limit = SAFE[scaled.dtype.char]
    p = _scores(scaled, k, bias, is_causal, tile, keep)
    if np.maximum.reduce(p, axis=None) < limit:
        np.exp(p, out=p)
        total = _sum_over_keys(p)
        if np.minimum.reduce(total, axis=None) > math.exp(-limit):
            return p, total, 0.0
        p = _scores(scaled, k, bias, is_causal, tile, keep)
    top = np.maximum.reduce(p, axis=1, keepdims=True)
    if bias is not None:
        np.maximum(top, np.finfo(p.dtype).min, out=top)  # a query that may attend to nothing
    p -= top
    np.exp(p, out=p)
    total = _sum_over_keys(p)
    if bias is not None:
        total += total == 0
    return p, total, top


def _attend_tile(
    q: Array,
    k: Array,
    v: Array,
    y: Array,
    bias: Array | None,
    scale: float,
    is_causal: bool,
    tile: Tile,
    keep: bool,
    keeps_probabilities: bool,
) -> tuple[bool, Array | None]:
    """Compute a tile in C. Return whether that was possible, and what is saved of the tile."""
    b0, b1, start, stop, visible = tile
    heads, queries = q.shape[1], stop - start
    if y.shape[0] != b1 - b0 or y.shape[2] != queries or k.shape[2] != visible:
        q, y = q[b0:b1, :, start:stop], y[b0:b1, :, start:stop]
        k, v = k[b0:b1, :, :visible], v[b0:b1, :, :visible]
    p = None
    if keep and keeps_probabilities:  # each head's in one piece
        p = np.empty((b1 - b0, heads, visible, queries), q.dtype).transpose(0, 2, 1, 3)
    total = np.empty((b1 - b0, 1, heads, queries), q.dtype) if keep and not keeps_probabilities else None
    bias = _bias_of_tile(bias, is_causal, tile, q.dtype)
    assert _attend is not None
    is_done = _attend(q, k, v, y, p, total, bias, scale, *_BOUNDS.get(q.dtype.char, (0.0, 0.0)))
    return is_done, np.log(total) if is_done and total is not None else p


def _bias_of_tile(bias: Array | None, is_causal: bool, tile: Tile, dtype: np.dtype[Any]) -> Array | None:
    """Return what is added to the scores of the last keys of a tile, for C."""
    _, _, start, stop, visible = tile
    if bias is None:
        return diagonal(visible - start, 1, stop - start, dtype)[None] if is_causal and visible > start else None
    return bias if bias.shape[1] == visible else np.broadcast_to(bias, (bias.shape[0], visible, *bias.shape[2:]))


@fused(node="ScaledDotProductFlashAttentionForCpu", aten="scaled_dot_product_attention")
def attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    padding: Any,
    bits: Any,
    *,
    is_causal: bool,
    scale: float,
    kept: float = 1.0,
    layout: str = "contiguous",
    keep: bool = True,
) -> Any:
    """Return softmax(query key^T scale + mask + padding), dropped out, times value.

    query (..., T, n), key (..., S, n) and value (..., S, m) have the same leading dimensions. mask and padding are
    bool, False where a query may not attend, or are added to the scores; each broadcasts to (..., T, S), or is None.
    bits are those of random.dropout_bits, (..., T, bytes), or None: the probabilities are multiplied by `kept` where
    they are set, by 0 elsewhere. A query that may attend to nothing gives 0. The result lies in memory as `layout`
    says: "contiguous", "query": like a query of four dimensions, or "time": as (T, B, nh, m).
    """
    q, k, v = for_blas(as_4d(query)), for_blas(as_4d(key)), for_blas(as_4d(value))
    batch, heads, queries, _ = q.shape
    keys = k.shape[2]
    if layout == "time":
        y = np.empty((queries, batch, heads, v.shape[3]), q.dtype).transpose(1, 2, 0, 3)
    elif layout == "query" and query.ndim == 4:
        y = empty_like(q, v.shape[3])
    else:
        y = np.empty((batch, heads, queries, v.shape[3]), q.dtype)
    lead = query.shape[:-2]
    masks = [] if mask is padding is None else masks_4d((mask, padding), lead)
    attends = _attend is not None and bits is None and not (is_causal and masks)
    if attends and not keep and queries <= BLOCK:
        # One block, and nothing is saved, which would depend on how the batch is cut.
        tile = Tile(0, batch, 0, queries, min(queries, keys) if is_causal else keys)
        if _attend_tile(q, k, v, y, addend(masks, tile, q.dtype), scale, is_causal, tile, False, False)[0]:
            return y.reshape(*lead, queries, v.shape[3]), ()
        attends = False
    drop = scores_4d(bits, lead)
    keeps_probabilities = queries * keys <= KEPT
    tiles = tiles_of(batch, heads, queries, keys, is_causal, q.itemsize)
    saved: list[Any] = [None] * len(tiles) if keep else []

    def run(number: int) -> None:
        tile = tiles[number]
        b0, b1, start, stop, visible = tile
        bias = addend(masks, tile, q.dtype)
        if attends:
            is_done, part = _attend_tile(q, k, v, y, bias, scale, is_causal, tile, keep, keeps_probabilities)
            if is_done:
                if keep:
                    saved[number] = part
                return
        scaled = _scaled(q, tile, scale)
        p, total, top = _exponentials(scaled, k, bias, is_causal, tile, keep and keeps_probabilities)
        p /= total
        if keep:
            saved[number] = p if keeps_probabilities else top + np.log(total)
        if drop is not None:
            p = np.multiply(p, factors(drop, tile, kept, p.dtype), out=scratch(1, p.shape, p.dtype))
        p = p.transpose(0, 2, 3, 1)
        if stop - start == 1:  # as in C: what a vector is multiplied with depends on how it lies
            p = np.ascontiguousarray(p)
        multiply(p, v[b0:b1, :, :visible], y[b0:b1, :, start:stop])  # (B, nh, T, m)

    run_tiles(tiles, run, attends)  # C shares each tile among threads
    return y.reshape(*lead, queries, v.shape[3]), tuple(saved)


@attention.shape
def _attention_shape(query: Any, _key: Any, value: Any, *_others: Any, **_settings: Any) -> tuple[int, ...]:
    return (*query.shape[:-1], value.shape[-1])


@attention.batch
def _attention_batch(op: Op, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
    *operands, mask, padding, bits = xs
    ranks = {rank_of(x, flag) for x, flag in zip(operands, batched, strict=False)}
    if bits is not None or len(ranks) > 1:
        return NotImplemented
    masks = [
        padded(x, *ranks) if flag and x is not None else x
        for x, flag in zip((mask, padding), batched[3:5], strict=True)
    ]
    operands = [as_batch(x, flag, size) for x, flag in zip(operands, batched, strict=False)]
    return op(*operands, *masks, None, **{**params, "layout": "contiguous"})


@attention.backward
def _attention_backward(
    g: Any,
    _y: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    padding: Any,
    bits: Any,
    *,
    saved: Any,
    needs: tuple[bool, ...],
    is_causal: bool,
    scale: float,
    kept: float = 1.0,
    layout: str = "contiguous",
) -> Any:
    """With p the probabilities, gp = g v^T, gs = p (gp - sum(p gp)): gq = scale gs k, gk = scale gs^T q, gv = p^T g."""
    q, k, v = (for_blas(as_4d(x)) for x in (query, key, value))
    g = as_4d(g)
    batch, heads, queries, _ = q.shape
    keys = k.shape[2]
    lead = query.shape[:-2]
    masks = masks_4d((mask, padding), lead)
    drop = scores_4d(bits, lead)
    gq, gk, gv = gradients_like(q, k, v, needs[:3])
    gm = [MaskGradient(x, lead) if need else None for x, need in zip((mask, padding), needs[3:5], strict=True)]
    tiles = tiles_of(batch, heads, queries, keys, is_causal, q.itemsize) if saved else ()
    if not tiles or (is_causal and keys > queries):
        for part in (gq, gk, gv):
            if part is not None:
                part[...] = 0

    saves = queries * keys <= KEPT
    shares = _attend_back is not None and drop is None and not any(gm) and (saves or not (is_causal and masks))

    def is_done_in_c(tile: Tile, part: Array) -> bool:
        b0, b1, start, stop, visible = tile
        p, logs = (part, None) if saves else (None, part)
        bias = None if saves else _bias_of_tile(addend(masks, tile, q.dtype), is_causal, tile, q.dtype)
        seen, of_tile = (slice(b0, b1), slice(None), slice(visible)), (slice(b0, b1), slice(None), slice(start, stop))
        into = [None if x is None else x[at] for x, at in ((gq, of_tile), (gk, seen), (gv, seen))]
        assert _attend_back is not None
        return _attend_back(
            q[of_tile], k[seen], v[seen], for_blas(g[of_tile]), p, logs, *into, bias, scale, stop != queries
        )

    def run(number: int) -> None:
        tile, saved_tile = tiles[number], saved[number]
        if shares and is_done_in_c(tile, saved_tile):
            return
        b0, b1, start, stop, visible = tile
        # The gradient of a sum is one number with strides of 0: what BLAS cannot read is copied tile by tile.
        scaled, gt = _scaled(q, tile, scale), for_blas(g[b0:b1, :, start:stop])
        if saves:
            p = saved_tile
        else:
            p = _scores(scaled, k, addend(masks, tile, q.dtype), is_causal, tile, False)
            p -= saved_tile
            np.exp(p, out=p)
        first = stop == queries  # late queries come first: this tile writes, the others add
        dropped = None if drop is None else factors(drop, tile, kept, p.dtype)
        if gv is not None:
            pd = p if dropped is None else np.multiply(p, dropped, out=scratch(1, p.shape, p.dtype))
            _write_product(gv[b0:b1, :, :visible], pd.transpose(0, 2, 1, 3), gt, first)
        if gq is None and gk is None and not any(gm):
            return
        gs = scratch(1, p.shape, p.dtype)
        multiply(v[b0:b1, :, :visible], gt.swapaxes(2, 3), gs.transpose(0, 2, 1, 3))  # (B, nh, S, T)
        if dropped is not None:
            gs *= dropped
        t = np.multiply(gs, p, out=scratch(2, p.shape, p.dtype))
        gs -= _sum_over_keys(t)
        gs *= p
        for total in gm:
            if total is not None:
                total.add(gs, tile)
        if gq is not None:
            part = gq[b0:b1, :, start:stop]
            multiply(gs.transpose(0, 2, 3, 1), k[b0:b1, :, :visible], part)
            part *= scale
        if gk is not None:
            _write_product(gk[b0:b1, :, :visible], gs.transpose(0, 2, 1, 3), scaled, first)

    # Sequences that add to the gradient of one mask do so one after the other.
    run_tiles(tiles, run, shares or any(x is not None and len(x.total) < batch for x in gm))  # C shares each tile
    grads = [None if a is None else a.reshape(x.shape) for a, x in zip((gq, gk, gv), (query, key, value), strict=True)]
    return (*grads, *[None if a is None else a.result() for a in gm], None)


def _write_product(out: Array, a: Array, b: Array, first: bool) -> None:
    """Write the product of a and b into out, or add it where this is not the first."""
    if first:
        multiply(a, b, out)
    else:
        out += multiply(a, b)


# ----- In primitives -----


@primitive(kind=MATRICES, aten=None)
def row_top(input: Any) -> Any:
    """Return the maximum of each row, a finite number; no gradient, because a softmax does not depend on a shift."""
    return np.maximum.reduce(input, axis=-1, keepdims=True, initial=np.finfo(input.dtype).min)


@movement(kind=ELEMENTWISE, aten=None)
def is_zero(input: Any) -> Any:
    """Return 1 where the input is 0, else 0, in its dtype."""
    return (input == 0).astype(input.dtype)


@attention.compose
def _attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    padding: Any,
    bits: Any,
    *,
    is_causal: bool,
    scale: float,
    kept: float = 1.0,
    layout: str = "contiguous",
) -> Any:
    queries, keys, n = query.shape[-2], key.shape[-2], len(query.shape)
    s = matmul(query, transpose(key, dim0=n - 2, dim1=n - 1)) * scale
    hidden = np.full((), -math.inf, query.dtype)
    for x in (mask, padding):
        if x is not None:
            s = s + (where(x, np.zeros_like(hidden), hidden) if x.dtype == np.bool_ else x)
    if is_causal:
        s = s + np.where(np.arange(queries)[:, None] < np.arange(keys), hidden, np.zeros_like(hidden))
    e = exp(s - row_top(s))
    total = sum_(e, dim=(n - 1,), keepdim=True)
    p = e / (total + is_zero(total))
    if bits is not None:
        p = p * (np.unpackbits(bits, axis=-1, count=keys) * np.full((), kept, query.dtype))
    return matmul(p, value)
