"""Attention: softmax(q k^T) v. With several heads and projections around it: multi_head_attention.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg import random
from npg._words import c_name, scalar_name, shape_text
from npg.engine import is_grad_enabled, wrap
from npg.functional._arguments import canonical_dim, checked_array
from npg.functional._public import apply_floating, public_function, to_dtype
from npg.functional._types import T
from npg.functional.copy import clone
from npg.functional.elementwise import add, mul
from npg.functional.indexing import getitem
from npg.functional.reduction import sum
from npg.functional.shape import expand, reshape, unsqueeze
from npg.kernels.meta import MetaArray
from npg.ops import attention as ops

_NAME = "scaled_dot_product_attention"


class _AttentionBias:
    """A mask that has attention computed in its own way; see npg/nn/attention/bias.py."""

    __slots__ = ()

    def _dispatch(self, query: Any, key: Any, value: Any, *settings: Any) -> Any:
        """Return the attention with this mask, given the arguments behind attn_mask."""
        raise NotImplementedError


@public_function
def scaled_dot_product_attention(
    query: T,
    key: T,
    value: T,
    attn_mask: T | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> T:
    """Return softmax(query key^T scale + mask) value.

    Args:
        query: (..., T, E) float32 or float64; with four dimensions (B, nh, T, E).
        key: (..., S, E). value: (..., S, Ev). Leading dimensions broadcast.
        attn_mask: broadcasts to (..., T, S). Bool: True where a query may attend; floating: added to the scores.
        dropout_p: the probability of zeroing each output of the softmax, whether training or not.
        is_causal: query t attends to the keys up to t only. Not beside attn_mask, except where PyTorch's kernel takes
            both: four dimensions that need no broadcasting, no dropout, a mask without gradient.
        scale: a number; None means 1 / sqrt(E).
        enable_gqa: key and value may have fewer heads, each shared by a group of consecutive heads of query.
    Returns: (..., T, Ev). A query that may attend to no key gives 0. Memory grows with T and S, not with T S: of a mask
        each block of queries takes its part, and dropout keeps a bit for each score.
    Raises: RuntimeError: when dtypes or shapes do not fit, or both attn_mask and is_causal are given.
    Source: torch.nn.functional.scaled_dot_product_attention; dropout draws the same numbers as PyTorch on a CPU, which
        refuses a mask of no dimension or one beside some inputs.
    """
    if isinstance(attn_mask, _AttentionBias):
        return attn_mask._dispatch(query, key, value, dropout_p, is_causal, scale, enable_gqa)
    return attend(query, key, value, attn_mask, None, dropout_p, is_causal, scale, enable_gqa)


def attend(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any,
    padding: Any,
    dropout_p: float,
    is_causal: bool,
    scale: float | None = None,
    enable_gqa: bool = False,
    layout: str = "",
    keeps: bool = False,
) -> Any:
    """Return scaled_dot_product_attention of its arguments.

    Args:
        padding: one more mask, or None.
        layout: of the result, see ops.attention; "": PyTorch's.
        keeps: whether the masks may be saved for the backward as they are: nobody writes into them.
    """
    q = checked_array(_NAME, query, "query")
    k = checked_array(_NAME, key, "key", 2)
    v = checked_array(_NAME, value, "value", 3)
    if not q.dtype == k.dtype == v.dtype or q.ndim < 2 or k.ndim < 2 or v.ndim < 2:
        _refuse(q, k, v)
    mask = None if attn_mask is None else _checked_mask(attn_mask, q)
    if padding is not None:
        _checked_mask(padding, q)
    if not v.size or 0 in q.shape[:-1]:  # before all other checks, as in PyTorch
        return _nothing(query, key, value, (*q.shape[:-1], v.shape[-1]))
    if mask is not None and is_causal and not _is_fused(q, k, v, attn_mask, mask, dropout_p, enable_gqa):
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if q.dtype.kind != "f":
        raise RuntimeError(f"expected scalar type Float but found {scalar_name(q)}")
    if scale is None:
        scale = 1.0 / math.sqrt(q.shape[-1] or 1)
    if not layout:  # the kernel's result lies in memory like query
        is_plain = q.flags.c_contiguous or not _is_fused(q, k, v, attn_mask, mask, dropout_p, enable_gqa)
        layout = "contiguous" if is_plain else "query"
    if enable_gqa:
        for a in (q, k, v):
            canonical_dim(-3, a.ndim)
        if k.shape[-3] != q.shape[-3] or v.shape[-3] != q.shape[-3]:
            if _is_one_query(q, k, v, mask) and not (is_causal or dropout_p):
                return _attend_in_groups(query, key, value, attn_mask, padding, scale)
            key, value = _repeated(key, k, q), _repeated(value, v, q)
            k, v = checked_array(_NAME, key), checked_array(_NAME, value)
    if k.shape[:-1] != v.shape[:-1] or q.shape[:-2] != k.shape[:-2] or q.shape[-1] != k.shape[-1]:
        query, key, value = _broadcast(query, key, value, q, k, v)
        q, k = checked_array(_NAME, query), checked_array(_NAME, key)
    if mask is not None:
        attn_mask = _fitting(attn_mask, mask, (*q.shape[:-1], k.shape[-2]), q.dtype, keeps)
    settings: dict[str, Any] = {"is_causal": bool(is_causal), "scale": float(scale), "layout": layout}
    bits = None
    if dropout_p:
        bits = None if isinstance(q, MetaArray) else random.dropout_bits((*q.shape[:-1], k.shape[-2]), dropout_p)
        settings["kept"] = _kept(dropout_p, q.dtype)
    return apply_floating(ops.attention, (query, key, value, attn_mask, padding, bits), settings, "baddbmm")


def _refuse(q: Any, k: Any, v: Any) -> None:
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{q.ndim} key.dim: {k.ndim} and value.dim: {v.ndim} instead."
        )
    raise RuntimeError(
        f"Expected query, key, and value to have the same dtype, but got query.dtype: {c_name(q)} "
        f"key.dtype: {c_name(k)} and value.dtype: {c_name(v)} instead."
    )


def _nothing(query: Any, key: Any, value: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros that depend on the three, with gradients of 0."""
    zeros = wrap(np.zeros(shape, checked_array(_NAME, query).dtype))
    return add(zeros, mul(add(add(sum(query), sum(key)), sum(value)), 0))


def _kept(p: float, dtype: np.dtype[Any]) -> float:
    """Return what dropout multiplies by what it keeps, rounded as PyTorch's: 1 / (1 - p)."""
    single = np.dtype(np.float32) if dtype == np.float16 else dtype
    return float(dtype.type(single.type(1.0) / single.type(1.0 - p))) if p < 1.0 else 0.0


def _is_fused(q: Any, k: Any, v: Any, attn_mask: Any, mask: Any, dropout_p: float, enable_gqa: bool) -> bool:
    """Tell whether PyTorch computes these by its kernel, not by products and a softmax."""
    if dropout_p or not q.ndim == k.ndim == v.ndim == 4 or not q.shape[3] == k.shape[3] == v.shape[3]:
        return False
    if not q.shape[0] == k.shape[0] == v.shape[0] or k.shape[1] != v.shape[1]:
        return False
    if k.shape[1] != q.shape[1] and not enable_gqa:
        return False
    if any(a.strides[-1] != a.itemsize for a in (q, k, v)):
        return False
    return mask is None or (mask.ndim in (2, 4) and not getattr(attn_mask, "requires_grad", False))


# ----- Groups of heads -----


def _is_one_query(q: Any, k: Any, v: Any, mask: Any) -> bool:
    """Tell whether the query heads of a group may stand as the queries of one head of key and value."""
    if q.shape[-2] != 1 or q.ndim != 4 or k.shape[:3] != v.shape[:3] or k.shape[0] != q.shape[0]:
        return False
    return q.shape[1] % k.shape[1] == 0 and (mask is None or mask.ndim < 3 or mask.shape[-3] == 1)


def _attend_in_groups(query: Any, key: Any, value: Any, attn_mask: Any, padding: Any, scale: float) -> Any:
    """Return the attention of one query to keys and values of fewer heads, of which no head is repeated in memory."""
    batch, heads, _, n = query.shape
    groups = key.shape[1]
    grouped = reshape(query, (batch, groups, heads // groups, n))
    y = attend(grouped, key, value, attn_mask, padding, 0.0, False, scale)
    return reshape(y, (batch, heads, 1, value.shape[3]))


def _repeated(x: Any, array: Any, q: Any) -> Any:
    """Return key or value with each head repeated for the query heads that share it."""
    heads = array.shape[-3]
    if heads == q.shape[-3]:
        return x
    if not heads or q.shape[-3] % heads:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in ")
    shape = array.shape
    x = expand(unsqueeze(x, -3), (*shape[:-2], q.shape[-3] // heads, *shape[-2:]))
    return reshape(x, (*shape[:-3], q.shape[-3], *shape[-2:]))


# ----- Shapes -----


def _lead(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        if x != y and 1 not in (x, y):
            raise RuntimeError(
                f"The size of tensor a ({x}) must match the size of tensor b ({y}) at non-singleton dimension {i}"
            )
    return tuple(y if x == 1 else x for x, y in zip(a, b, strict=True))


def _broadcast(query: Any, key: Any, value: Any, q: Any, k: Any, v: Any) -> tuple[Any, Any, Any]:
    """Return query, key and value with the same leading dimensions.

    Raises: RuntimeError: when their shapes do not fit together.
    """
    lead = _lead(_lead(q.shape[:-2], k.shape[:-2]), v.shape[:-2])
    if q.shape[-1] != k.shape[-1]:
        rows = math.prod(lead) * q.shape[-2] if len(lead) == 0 else q.shape[-2]
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{q.shape[-1]} and {k.shape[-1]}x{k.shape[-2]})"
        )
    if k.shape[-2] != v.shape[-2]:
        batch = math.prod(lead)
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {k.shape[-2]}] but got: "
            f"[{batch}, {v.shape[-2]}]."
        )
    return tuple(
        x if a.shape[:-2] == lead else expand(x, (*lead, *a.shape[-2:])) for x, a in ((query, q), (key, k), (value, v))
    )


def _checked_mask(mask: Any, q: Any) -> Any:
    """Return the array of a mask. Raises: RuntimeError: when its dtype does not fit."""
    array = checked_array(_NAME, mask, "attn_mask", 4)
    if array.dtype not in (np.bool_, np.float32, q.dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{c_name(array)} and  query.dtype: {c_name(q)} instead."
        )
    return array


def _fitting(mask: Any, array: Any, scores: tuple[int, ...], dtype: np.dtype[Any], keeps: bool) -> Any:
    """Return a mask for the op. Raises: RuntimeError: when it does not broadcast to the shape of the scores."""
    for i in range(1, array.ndim + 1):
        n = scores[-i] if i <= len(scores) else 1
        if array.shape[-i] not in (1, n) and n != 1:
            raise RuntimeError(
                f"The size of tensor a ({n}) must match the size of tensor b ({array.shape[-i]}) at non-singleton "
                f"dimension {max(len(scores), array.ndim) - i}"
            )
    both = np.broadcast_shapes(array.shape, scores)
    if both != scores:
        raise RuntimeError(
            f"output with shape {shape_text(scores)} doesn't match the broadcast shape {shape_text(both)}"
        )
    if array.dtype != np.bool_:
        return to_dtype(mask, dtype)
    if keeps or not is_grad_enabled():
        return mask
    # A program for PyTorch, which saves a floating copy, may write into its mask before the backward.
    if 0 in array.strides:  # expanded: what it was before is enough
        mask = getitem(mask, tuple([slice(None, None if step else 1) for step in array.strides]))
    return clone(mask)
