"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg import random
from npg._words import c_name
from npg.functional._arguments import checked_array
from npg.functional._public import apply_floating, public_function, to_dtype
from npg.functional._types import T
from npg.functional.shape import expand, reshape, unsqueeze
from npg.ops import attention as ops

_NAME = "scaled_dot_product_attention"


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
        is_causal: query t attends to the keys up to t only.
        scale: a number; None means 1 / sqrt(E).
        enable_gqa: key and value may have fewer heads, each shared by a group of consecutive heads of query.
    Returns: (..., T, Ev), laid out in memory like query. A query that may attend to no key gives 0.
    Raises: RuntimeError: when dtypes or shapes do not fit, or both attn_mask and is_causal are given.
    Source: torch.nn.functional.scaled_dot_product_attention; dropout draws the same numbers as PyTorch on a CPU.
    """
    q = checked_array(_NAME, query, "query")
    k = checked_array(_NAME, key, "key", 2)
    v = checked_array(_NAME, value, "value", 3)
    if not q.dtype == k.dtype == v.dtype or q.ndim < 2 or k.ndim < 2 or v.ndim < 2:
        _refuse(q, k, v)
    if enable_gqa:
        key, value = (_repeated(x, a, q) for x, a in ((key, k), (value, v)))
        k, v = checked_array(_NAME, key), checked_array(_NAME, value)
    if q.shape != k.shape or k.shape != v.shape:
        query, key, value = _broadcast(query, key, value, q, k, v)
        q, k = checked_array(_NAME, query), checked_array(_NAME, key)
    if attn_mask is not None:
        if is_causal:
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
            )
        attn_mask = _additive(attn_mask, q, k)
    noise = None
    if dropout_p:
        noise = random.dropout_mask(np.empty((*q.shape[:-1], k.shape[-2]), q.dtype), dropout_p)
    if scale is None:
        scale = 1.0 / math.sqrt(q.shape[-1] or 1)
    settings = {"is_causal": bool(is_causal), "scale": float(scale)}
    return apply_floating(ops.attention, (query, key, value, attn_mask, noise), settings, "baddbmm")


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


def _repeated(x: Any, array: Any, q: Any) -> Any:
    """Return key or value with each head repeated for the query heads that share it."""
    if min(q.ndim, array.ndim) < 3 or array.shape[-3] == q.shape[-3]:
        return x
    heads = array.shape[-3]
    if q.shape[-3] % heads:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in ")
    shape = array.shape
    x = expand(unsqueeze(x, -3), (*shape[:-2], q.shape[-3] // heads, *shape[-2:]))
    return reshape(x, (*shape[:-3], q.shape[-3], *shape[-2:]))


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


def _additive(mask: Any, q: Any, k: Any) -> Any:
    """Return a mask as a term to add to the scores.

    Raises: RuntimeError: when its dtype or shape does not fit.
    """
    array = checked_array(_NAME, mask, "attn_mask", 4)
    if array.dtype not in (np.bool_, np.float32, q.dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{c_name(array)} and  query.dtype: {c_name(q)} instead."
        )
    scores = (*q.shape[:-1], k.shape[-2])
    for i in range(1, array.ndim + 1):
        n = scores[-i] if i <= len(scores) else 1
        if array.shape[-i] not in (1, n):
            raise RuntimeError(
                f"The size of tensor a ({n}) must match the size of tensor b ({array.shape[-i]}) at non-singleton "
                f"dimension {max(len(scores), array.ndim) - i}"
            )
    if array.ndim == 1:
        array = array.reshape(1, -1)
        mask = mask if array.dtype == bool else reshape(mask, (1, -1))
    if array.dtype != bool:
        return to_dtype(mask, q.dtype)
    added = np.zeros(array.shape, q.dtype)
    added[~array] = -math.inf
    return added
