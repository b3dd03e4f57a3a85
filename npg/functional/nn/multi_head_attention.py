"""Multi-head attention: query, key and value are projected, each head attends, what the heads return is projected."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg._errors import warn
from npg._words import c_name
from npg.engine import wrap
from npg.functional._arguments import checked_array
from npg.functional._attributes import Size
from npg.functional._public import public_function
from npg.functional._types import T
from npg.functional.comparison import logical_not
from npg.functional.elementwise import add, mul
from npg.functional.joining import cat
from npg.functional.masked import masked_fill
from npg.functional.matmul import matmul
from npg.functional.nn.attention import attend
from npg.functional.nn.dropout import dropout
from npg.functional.nn.linear import linear
from npg.functional.nn.padding import pad
from npg.functional.nn.softmax import softmax
from npg.functional.reduction import mean
from npg.functional.shape import expand, flatten, reshape, squeeze, unflatten, unsqueeze
from npg.functional.split import chunk, split
from npg.functional.transpose import permute, transpose

_FORWARD = "multi_head_attention_forward"
_INPUTS = ("query", "key", "value")


@public_function
def multi_head_attention_forward(
    query: T,
    key: T,
    value: T,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: T | None,
    in_proj_bias: T | None,
    bias_k: T | None,
    bias_v: T | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: T,
    out_proj_bias: T | None,
    training: bool = True,
    key_padding_mask: T | None = None,
    need_weights: bool = True,
    attn_mask: T | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: T | None = None,
    k_proj_weight: T | None = None,
    v_proj_weight: T | None = None,
    static_k: T | None = None,
    static_v: T | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[T, T | None]:
    """Project queries, keys and values, let each head attend, and project the heads' outputs.

    Args:
        query: (T, B, E), or (T, E) without a batch. key: (S, B, Ek). value: (S, B, Ev).
        embed_dim_to_check: E. num_heads: nh, a divisor of E; each head has E / nh = hs features.
        in_proj_weight: (3 E, E), of query, key and value in this order. in_proj_bias: (3 E,) or None.
        bias_k, bias_v: (1, 1, E), one more key and value that is learned; both or none.
        add_zero_attn: append a key and a value of zeros.
        dropout_p: the probability of zeroing a weight, while training.
        out_proj_weight: (E, E). out_proj_bias: (E,) or None.
        key_padding_mask: (B, S), or (S,) without a batch. Bool: True where a key is ignored; floating: added to the
            scores of the key.
        need_weights: return the weights too; without them the attention is one fused kernel.
        attn_mask: (T, S) or (B nh, T, S). Bool: True where a query may not attend; floating: added to the scores.
        use_separate_proj_weight: q_proj_weight (E, E), k_proj_weight (E, Ek) and v_proj_weight (E, Ev) stand in for
            in_proj_weight.
        static_k, static_v: (B nh, S, hs), used in place of the projected key and value.
        average_attn_weights: return the mean of the heads' weights.
        is_causal: a hint that attn_mask is the causal mask, which is then not read where only the output is needed.
    Returns: the output, (T, B, E), contiguous; and the weights, (B, T, S), or (B, nh, T, S) of each head, or None.
    Raises: AssertionError, RuntimeError: when shapes or dtypes do not fit, or is_causal is given without attn_mask.
    Source: Vaswani et al., Attention Is All You Need, 2017; torch.nn.functional.multi_head_attention_forward.
    """
    is_batched = _check_dims(query, key, value, key_padding_mask, attn_mask, num_heads)
    q, k, v = _each(lambda x: x if is_batched else unsqueeze(x, 1), query, key, value)
    padding: Any = key_padding_mask if is_batched or key_padding_mask is None else unsqueeze(key_padding_mask, 0)
    dtype = checked_array(_FORWARD, q).dtype
    check_mask(padding, "key_padding_mask", attn_mask, "attn_mask")
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    is_causal = is_causal and padding is None and not need_weights
    mask: Any = None if is_causal else attn_mask
    check_mask(mask, "attn_mask")
    (tgt_len, bsz, embed_dim), src_len, head_dim = q.shape, k.shape[0], q.shape[2] // num_heads
    if embed_dim != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {embed_dim}")
    if head_dim * num_heads != embed_dim:
        raise AssertionError(f"embed_dim {embed_dim} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        weights: Any = (q_proj_weight, k_proj_weight, v_proj_weight)
        _check_separate((q, k, v), weights, in_proj_bias)
    else:
        weights = in_proj_weight
        if k.shape != v.shape:
            raise AssertionError(f"key shape {k.shape} does not match value shape {v.shape}")
        if weights is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    mask = _mask_of_heads(mask, tgt_len, src_len, bsz, num_heads)
    _check_more_keys(bias_k, bias_v, static_k, static_v, bsz * num_heads, head_dim)
    if static_k is None and k.shape[1] != bsz:
        shape, size = [src_len, bsz * num_heads, head_dim], src_len * k.shape[1] * embed_dim
        raise RuntimeError(f"shape '{shape}' is invalid for input of size {size}")
    more = (bias_k is not None) + bool(add_zero_attn)
    src_len = more + (src_len if static_k is None else checked_array(_FORWARD, static_k).shape[1])
    padding = _padding_of_heads(padding, bsz, src_len - more, more)
    mask, padding = _together(mask, padding, q, more, need_weights)

    # Where (B, T, E) is contiguous, all up to the heads is done in that order, so that no step moves data. The output
    # is contiguous as (T, B, E), as PyTorch's: a dropout after it draws in the order of memory.
    batch_first = _is_batch_first(q)
    if batch_first:
        q, k, v = _each(lambda x: transpose(x, 0, 1), q, k, v)
    q, k, v = (
        permute(unflatten(x, 2, (num_heads, head_dim)), (0, 2, 1, 3) if batch_first else (1, 2, 0, 3))
        for x in _projected(q, k, v, weights, in_proj_bias)
    )  # (B, nh, T, hs), (B, nh, S, hs)
    k = k if static_k is None else unflatten(static_k, 0, (bsz, num_heads))
    v = v if static_v is None else unflatten(static_v, 0, (bsz, num_heads))
    if bias_k is not None:
        k, v = _with_one_more(k, bias_k), _with_one_more(v, bias_v)
    if add_zero_attn:
        zero = wrap(np.zeros((1, 1, embed_dim), dtype))
        k, v = _with_one_more(k, zero), _with_one_more(v, zero)
    dropout_p = dropout_p if training else 0.0
    attn: Any = None
    if need_weights:
        y, attn = _attended(q, k, v, mask, dropout_p)
        attn = mean(attn, 1) if average_attn_weights else attn
    else:
        y = attend(q, k, v, mask, padding, dropout_p, is_causal, layout="time", keeps=True)
    y = linear(flatten(permute(y, (2, 0, 1, 3)), 2), out_proj_weight, out_proj_bias)  # (T, B, E)
    if not is_batched:
        y, attn = squeeze(y, 1), None if attn is None else squeeze(attn, 0)
    return y, attn


def _each(change: Callable[[Any], Any], q: Any, k: Any, v: Any) -> tuple[Any, Any, Any]:
    """Return the three changed; what was one tensor stays one."""
    key = change(k)
    return key if q is k else change(q), key, key if v is k else change(v)


def _is_batch_first(x: Any) -> bool:
    array = checked_array(_FORWARD, x)
    return not array.flags.c_contiguous and bool(array.swapaxes(0, 1).flags.c_contiguous)


def _check_dims(query: Any, key: Any, value: Any, padding: Any, mask: Any, num_heads: int) -> bool:
    """Tell whether the inputs have a batch. Raises: AssertionError: when the numbers of dimensions do not fit."""
    names = (*_INPUTS, "key_padding_mask", "attn_mask")
    given = zip((query, key, value, padding, mask), names, strict=True)
    arrays: list[Any] = [None if x is None else checked_array(_FORWARD, x, name) for x, name in given]
    q, k, v, padding, mask = arrays
    if q.ndim not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {q.ndim}-D query tensor")
    n, start = q.ndim, f"For {'batched (3-D)' if q.ndim == 3 else 'unbatched (2-D)'} `query`, expected"
    if k.ndim != n or v.ndim != n:
        raise AssertionError(
            f"{start} `key` and `value` to be {n}-D but found {k.ndim}-D and {v.ndim}-D tensors respectively"
        )
    if padding is not None and padding.ndim != n - 1:
        raise AssertionError(
            f"{start} `key_padding_mask` to be `None` or {n - 1}-D but found {padding.ndim}-D tensor instead"
        )
    if mask is not None and mask.ndim not in (2, 3):
        raise AssertionError(f"{start} `attn_mask` to be `None`, 2-D or 3-D but found {mask.ndim}-D tensor instead")
    if n == 2 and mask is not None and mask.ndim == 3:
        shape = (num_heads, q.shape[0], k.shape[0])
        if mask.shape != shape:
            raise AssertionError(f"Expected `attn_mask` shape to be {shape} but got {Size(mask.shape)}")
    return n == 3


def check_mask(mask: Any, name: str, other: Any = None, other_name: str = "") -> None:
    """Check the dtype of a mask, if there is one.

    Args:
        name: what messages call it.
        other, other_name: a mask that should have the same dtype, else a warning is issued; or None.
    Raises: AssertionError: when its dtype is neither bool nor floating.
    """
    if mask is None:
        return
    array = checked_array(_FORWARD, mask, name)
    if array.dtype.kind not in "bf":
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if other is not None and checked_array(_FORWARD, other, other_name).dtype != array.dtype:
        warn(f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.")


def additive_mask(mask: Any, name: str, like: Any, other: Any = None, other_name: str = "") -> Any:
    """Return a mask as a term to add to the scores: -inf where a bool one, whose True hides, is True.

    Args:
        mask: a tensor, or None, which is returned.
        like: the tensor whose dtype the term of a bool mask gets.
        The others, and errors: see check_mask.
    """
    check_mask(mask, name, other, other_name)
    if mask is None or not _is_bool(mask):
        return mask
    return masked_fill(wrap(np.zeros((), checked_array(_FORWARD, like).dtype)), mask, -math.inf)


def _is_bool(mask: Any) -> bool:
    return bool(checked_array(_FORWARD, mask).dtype == np.bool_)


def _check_separate(inputs: tuple[Any, ...], weights: tuple[Any, ...], bias: Any) -> None:
    query, key, value = inputs
    if key.shape[:2] != value.shape[:2]:
        raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")
    for name, weight in zip("qkv", weights, strict=True):
        if weight is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
    e = query.shape[-1]
    for name, x, weight in zip(_INPUTS, inputs, weights, strict=True):
        if weight.shape != (e, x.shape[-1]):
            raise AssertionError(f"expecting {name} weights shape of {(e, x.shape[-1])}, but got {weight.shape}")
    for name, b in zip(_INPUTS, () if bias is None else chunk(bias, 3), strict=False):
        if b.shape != (e,):
            raise AssertionError(f"expecting {name} bias shape of {(e,)}, but got {b.shape}")


def _mask_of_heads(mask: Any, queries: int, keys: int, batch: int, heads: int) -> Any:
    """Return a mask, (T, S) or (B nh, T, S), as (1, 1, T, S) or (B, nh, T, S).

    Raises: RuntimeError: when it has another shape.
    """
    if mask is None:
        return None
    expected = (queries, keys) if mask.ndim == 2 else (batch * heads, queries, keys)
    if mask.shape != expected:
        raise RuntimeError(f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be {expected}.")
    return reshape(mask, (1, 1, queries, keys) if mask.ndim == 2 else (batch, heads, queries, keys))


def _padding_of_heads(padding: Any, batch: int, keys: int, more: int) -> Any:
    """Return a padding, (B, S), as (B, 1, 1, S). Raises: AssertionError: when it has another shape.

    Args:
        more: keys behind those, which the message counts too.
    """
    if padding is None:
        return None
    for d, n, added in ((0, batch, 0), (1, keys, more)):
        if padding.shape[d] != n:
            text = f"Expected key_padded_mask.shape[{d}] to be {n + added}, but got {padding.shape[d] + added}"
            raise AssertionError(text)
    return reshape(padding, (batch, 1, 1, keys))


def _together(mask: Any, padding: Any, like: Any, more: int, as_one: bool) -> tuple[Any, Any]:
    """Return mask and padding for the attention, which adds them up tile by tile: True where a bool one may be seen.

    Args:
        more: keys behind those of the masks, which are never hidden.
        as_one: return one that is added to the scores, and None.
    """
    given = [x for x in (mask, padding) if x is not None]
    dtypes = {checked_array(_FORWARD, like if _is_bool(x) else x).dtype for x in given}
    if not (as_one or more or len(dtypes) > 1):  # of two dtypes the sum is promoted
        mask, padding = (x if x is None or not _is_bool(x) else logical_not(x) for x in (mask, padding))
        return mask, padding
    terms = [additive_mask(x, "", like) for x in given]
    terms = [pad(x, (0, more)) if more else x for x in terms]
    return (add(*terms) if len(terms) == 2 else terms[0] if terms else None), None


def _check_more_keys(bias_k: Any, bias_v: Any, static_k: Any, static_v: Any, rows: int, head_dim: int) -> None:
    if (bias_k is None) != (bias_v is None):
        there, absent = ("bias_v", "bias_k") if bias_k is None else ("bias_k", "bias_v")
        raise AssertionError(f"{there} is set but {absent} is None")
    for name, kind, x in (("static_k", "key", static_k), ("static_v", "value", static_v)):
        if x is None:
            continue
        if bias_k is not None:
            raise AssertionError(f"bias cannot be added to static {kind}.")
        for d, n in ((0, rows), (2, head_dim)):
            if x.shape[d] != n:
                raise AssertionError(f"expecting {name}.size({d}) of {n}, but got {x.shape[d]}")


def _projected(query: Any, key: Any, value: Any, weights: Any, bias: Any) -> tuple[Any, ...]:
    """Return query, key and value times their weights: in one product what comes from one tensor and one weight."""
    e = query.shape[-1]
    if isinstance(weights, tuple):
        biases = (None,) * 3 if bias is None else chunk(bias, 3)
        return tuple(linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))
    if query is key is value:
        return split(linear(query, weights, bias), e, 2)
    sizes = (e, 2 * e) if key is value else (e, e, e)
    parts = split(weights, sizes)
    biases = (None,) * 3 if bias is None else split(bias, sizes)
    if key is value:
        return linear(query, parts[0], biases[0]), *split(linear(key, parts[1], biases[1]), e, 2)
    return tuple(linear(x, w, b) for x, w, b in zip((query, key, value), parts, biases, strict=True))


def _with_one_more(x: Any, row: Any) -> Any:
    """Return keys or values, (B, nh, S, hs), with a last one of (1, 1, E) for every sequence."""
    batch, heads, _, head_dim = x.shape
    row = expand(reshape(row, (1, heads, 1, head_dim)), (batch, heads, 1, head_dim))
    return cat((x, row), 2)


def _attended(q: Any, k: Any, v: Any, mask: Any, dropout_p: float) -> tuple[Any, Any]:
    """Return the heads' outputs and the weights, (B, nh, T, S), with dropout."""
    # The queries are scaled, not the scores, as in PyTorch: float32 rounds the other order otherwise.
    scores = matmul(mul(q, math.sqrt(1.0 / q.shape[-1])), transpose(k, 2, 3))  # (B, nh, T, S)
    if mask is not None:
        kinds = [c_name(checked_array(_FORWARD, x)) for x in (mask, q, k)]
        if kinds[0] != kinds[1]:
            raise RuntimeError(
                f"Input dtypes must be the same, got: input {kinds[0]}, batch1: {kinds[1]}, batch2: {kinds[2]}"
            )
        scores = add(scores, mask)
    attn = softmax(scores, -1)
    if dropout_p > 0.0:
        attn = dropout(attn, dropout_p)
    return matmul(attn, v), attn
