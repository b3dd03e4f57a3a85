"""Looking up rows of a table, and adding their gradients up."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._floating import silent
from npg.ops._half import cast, widen
from npg.ops._kinds import linear
from npg.ops._op import Op, movement, primitive
from npg.ops.indexing import add_rows, index_batch

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


@silent()
def renorm_rows(weight: Array, index: Array, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up, and whose norm is larger, down to max_norm, in place."""
    used = np.unique(_flat(index, weight.shape[0]))
    rows = widen(weight[used], cast)
    norms = np.linalg.norm(rows, norm_type, axis=1)
    large = norms > max_norm
    weight[used[large]] = rows[large] * (max_norm / (norms[large] + 1e-7)).astype(rows.dtype)[:, None]
