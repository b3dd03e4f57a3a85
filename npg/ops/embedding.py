"""Looking up rows of a table, and adding their gradients up."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._floating import silent
from npg.ops._half import cast, widen
from npg.ops._kinds import linear
from npg.ops._op import Op, movement, primitive
from npg.ops.indexing import add_rows, index_backward_batch, index_batch
from npg.ops.scatter import scatter_sum
from npg.ops.selection import mask
from npg.ops.shape import reshape

Array = np.ndarray[Any, Any]


def _flat(index: Array, rows: int) -> Array:
    """Return the flat indices.

    Raises: IndexError: when an index is out of range.
    """
    flat = index.reshape(-1)
    # Read as unsigned, a negative index is larger than any row: one reduction checks both bounds.
    if flat.size and np.maximum.reduce(flat.view(np.uint64)) >= rows:
        raise IndexError("index out of range in self")
    return flat


@movement(
    lambda g, _y, weight_like, index, *, padding_idx, scale_grad_by_freq: embedding_backward(
        g, index, rows=weight_like.shape[0], padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq
    ),
    None,
    tangent=linear,
)
def embedding(weight: Any, index: Any, *, padding_idx: int | None, scale_grad_by_freq: bool) -> Any:
    """Return the rows of weight (V, C) at int64 indices (...): (..., C). The other settings are for the gradient."""
    return weight.take(_flat(index, weight.shape[0]), axis=0).reshape(*index.shape, weight.shape[1])


@embedding.batch
def _embedding_batch(op: Op, xs: Any, batched: Any, size: int, /, **settings: Any) -> Any:
    if not batched[0]:
        return op(*xs, **settings)
    if settings["padding_idx"] is not None or settings["scale_grad_by_freq"]:
        return NotImplemented
    return index_batch(op, xs, batched, size, at=(0,))


@primitive(
    lambda g, _y, _g, index, *, rows, padding_idx, scale_grad_by_freq: embedding_double_backward(
        g, index, padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq
    ),
    None,
)
def embedding_backward(input: Any, index: Any, *, rows: int, padding_idx: int | None, scale_grad_by_freq: bool) -> Any:
    """Return (rows, C) with each row of the input (..., C) added at its index: the adjoint of embedding.

    Row padding_idx stays 0 (None: no such row). scale_grad_by_freq divides by how often an index occurs.
    """
    flat = _flat(index, rows)
    g = input.reshape(flat.size, input.shape[-1])
    out = add_rows(g, flat, rows)
    if scale_grad_by_freq:
        out /= _frequency(flat, rows).astype(out.dtype)[:, None]
    if padding_idx is not None:
        out[padding_idx] = 0
    return out


@embedding_backward.batch
def _embedding_backward_batch(op: Op, xs: Any, batched: Any, size: int, /, *, rows: int, **settings: Any) -> Any:
    if settings["padding_idx"] is not None or settings["scale_grad_by_freq"]:
        return NotImplemented
    return index_backward_batch(op, xs, batched, size, shape=(rows, xs[0].shape[-1]), at=(0,))


def _frequency(flat: Array, rows: int) -> Array:
    return np.maximum(np.bincount(flat, minlength=rows), 1)


@primitive(
    lambda g, _y, x_like, index, *, padding_idx, scale_grad_by_freq: embedding_backward(
        g, index, rows=x_like.shape[0], padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq
    ),
    None,
    aten=None,
)
def embedding_double_backward(input: Any, index: Any, *, padding_idx: int | None, scale_grad_by_freq: bool) -> Any:
    """Return the rows of the input at the indices, scaled and zeroed as embedding_backward does: its adjoint."""
    flat = _flat(index, input.shape[0])
    out = input.take(flat, axis=0)
    if scale_grad_by_freq:
        out /= _frequency(flat, input.shape[0])[flat].astype(out.dtype)[:, None]
    if padding_idx is not None:
        out[flat == padding_idx] = 0
    return out.reshape(*index.shape, input.shape[1])


embedding_double_backward.batch(_embedding_batch)


@silent()
def renorm_rows(weight: Array, index: Array, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up, and whose norm is larger, down to max_norm, in place."""
    used = np.unique(_flat(index, weight.shape[0]))
    rows = widen(weight[used], cast)
    norms = np.linalg.norm(rows, norm_type, axis=1)
    large = norms > max_norm
    weight[used[large]] = rows[large] * (max_norm / (norms[large] + 1e-7)).astype(rows.dtype)[:, None]


# ----- Bags of rows -----


def _of_bags(g: Any, bags: Any) -> Any:
    """Return the rows of g (B, C) at the bag of each index: (N, C)."""
    return embedding(g, bags, padding_idx=None, scale_grad_by_freq=False)


def _bag_weight_vjp(
    g: Any, y: Any, weight_like: Any, index: Any, bags: Any, factors: Any, *, mode: str, padding_idx: int | None,
    scale_grad_by_freq: bool, **_count: int,
) -> Any:  # fmt: skip
    """gw = at each row that was looked up, the gradient of its bag times its factor."""
    (g, *_), rows = g, weight_like.shape[0]
    if mode == "max":
        full = (y[1] > 0)[:, None]  # an empty bag gives zeros
        return scatter_sum(mask(g, full), y[2], shape=weight_like.shape, dim=0)
    if mode == "mean":
        g = g / np.maximum(y[1], 1).astype(g.dtype)[:, None]
    each = _of_bags(g, bags)
    if factors is not None:
        each = each * reshape(factors, shape=(-1, 1))
    return embedding_backward(each, index, rows=rows, padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq)


def _bag_factors_vjp(
    g: Any, _y: Any, weight: Any, index: Any, bags: Any, _factors: Any, *, padding_idx: int | None, **_settings: Any
) -> Any:
    """gf = the gradient of the factor's bag times its row, summed."""
    gf = np.sum(_of_bags(g[0], bags) * embedding(weight, index, padding_idx=None, scale_grad_by_freq=False), axis=1)
    return gf if padding_idx is None else mask(gf, index != padding_idx)


@primitive(_bag_weight_vjp, None, None, _bag_factors_vjp, multi=True, reads=(1, 2))
def embedding_bag(
    weight: Any,
    index: Any,
    bags: Any,
    factors: Any,
    *,
    count: int,
    mode: str,
    padding_idx: int | None,
    scale_grad_by_freq: bool,
) -> Any:
    """Return the sum, mean or maximum of the rows of each of `count` bags, the bags' sizes, and of maxima the rows.

    Args:
        weight: (V, C). index: (N,) int64. bags: (N,), the bag of each index, in ascending order.
        factors: (N,), of the rows in a sum, or None.
        padding_idx: an index that does not count.
    Returns: (count, C); (count,) int64, without padding; (count, C) int64 for "max", else (count,).
    """
    rows, places, columns = weight.take(_flat(index, len(weight)), axis=0), bags, weight.shape[1]
    if factors is not None:
        rows *= factors[:, None]
    if padding_idx is not None:
        kept = np.flatnonzero(index != padding_idx)
        if len(kept) != len(index):
            rows, places, index = rows[kept], bags[kept], index[kept]
    sizes = np.bincount(places, minlength=count)
    out = np.zeros((count, columns), weight.dtype)
    full = np.flatnonzero(sizes)
    starts = (np.cumsum(sizes) - sizes)[full]
    if mode != "max":
        if len(full):
            out[full] = np.add.reduceat(rows, starts, axis=0)
        if mode == "mean":
            out /= np.maximum(sizes, 1).astype(out.dtype)[:, None]
        return out, sizes, sizes
    largest = np.zeros((count, columns), np.int64)
    if len(full) and columns:
        out[full] = np.maximum.reduceat(rows, starts, axis=0)
        # The first of the rows that are equal to the maximum; of nan none is, then the last row is taken.
        order = np.arange(len(rows))[:, None]
        first = np.where(rows == out[places], order, len(rows) - 1)
        largest[full] = index[np.minimum.reduceat(first, starts, axis=0)]
    return out, sizes, largest
