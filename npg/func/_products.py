"""Batching rules of products, of the layers made of them, and of losses; see _rules.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg import functional as F
from npg.engine import TensorBase, apply, wrap
from npg.func._sharing import as_vectors, full, padded, rank_of, reshaped
from npg.ops import linalg, reduce
from npg.ops.contract import contract as contract_op

__all__ = [
    "added",
    "attention",
    "class_loss",
    "contract",
    "first_only",
    "layer_norm",
    "linear",
    "matrices",
    "pointwise_loss",
    "product",
    "rms_norm",
]

# ----- Products -----


def product(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    a, b = xs
    ranks = [rank_of(x, flag) for x, flag in zip(xs, flags, strict=True)]
    if ranks == [2, 1] and not flags[0]:  # the vectors as the rows of one matrix
        return apply(linalg.matmul, (b, a.mT), {})
    if all(flags) and sorted(ranks) == [1, 2]:
        # The gradient of the matrix is then a product element by element, a quarter of the time of matmul's.
        matrix = ranks.index(2)
        labels = ((0, 1, 2), (0, 2), (0, 1)) if not matrix else ((0, 1), (0, 1, 2), (0, 2))
        return apply(contract_op, (a, b), dict(zip(("left", "right", "out"), labels, strict=True)))
    if not all(isinstance(x, TensorBase) for x in xs):
        a, b = (x if isinstance(x, TensorBase) else wrap(np.asarray(x)) for x in xs)
    if ranks[0] == 1:
        a = reshaped(a, (*a._array.shape[:-1], 1, a._array.shape[-1]))
    if ranks[1] == 1:
        b = reshaped(b, (*b._array.shape, 1))
    rank = max(*ranks, 2)
    a, b = (padded(x, rank) if flag else x for x, flag in zip((a, b), flags, strict=True))
    y = apply(linalg.matmul, (a, b), {})
    sizes = list(y._array.shape)
    if ranks[1] == 1:
        del sizes[-1]
    if ranks[0] == 1:
        del sizes[-1 if ranks[1] == 1 else -2]
    return reshaped(y, tuple(sizes))


def contract(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    left, right, out = params["left"], params["right"], params["out"]
    label = max((*left, *right, *out), default=-1) + 1
    settings = {
        "left": (label, *left) if flags[0] else left,
        "right": (label, *right) if flags[1] else right,
        "out": (label, *out),
    }
    return apply(op, tuple(xs), settings)


def first_only(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    # linear, layer_norm, rms_norm: leading dimensions of the input do not matter.
    return NotImplemented if any(flags[1:]) else apply(op, tuple(xs), params)


def linear(op: Any, x: Any, weight: Any, bias: Any) -> Any:
    *rows, n = x._array.shape
    if math.prod(rows) == 1:
        y = F.reshape(F.matmul(weight, F.reshape(x, (n,))), (*rows, weight._array.shape[0]))
    else:
        y = F.matmul(x, F.transpose(weight, 0, 1))
    return y if bias is None else y + bias


def layer_norm(op: Any, x: Any, weight: Any, bias: Any, **params: Any) -> Any:
    y = apply(op, (x, None, None), params)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def rms_norm(op: Any, x: Any, weight: Any, **params: Any) -> Any:
    return apply(op, (x, None), params) * weight


def added(op: Any, x: Any, a: Any, b: Any, *, beta: Any, alpha: Any) -> Any:
    y = F.outer(a, b) if op.name == "addr" else F.matmul(a, b)
    y = y if alpha == 1 else y * alpha
    return y if not beta else y + (x if beta == 1 else x * beta)


def attention(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    query, key, value, mask, noise = xs
    if mask is not None or noise is not None:
        return NotImplemented
    if len({rank_of(x, flag) for x, flag in zip(xs[:3], flags, strict=False)}) > 1:
        return NotImplemented
    wholes = [full(x, flag, size) for x, flag in zip((query, key, value), flags, strict=False)]
    return apply(op, (*wholes, None, None), params)


def matrices(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    return apply(op, tuple(xs), params)  # any leading dimensions


# ----- Losses -----


def _reduced_rows(losses: Any, reduction: str) -> Any:
    if reduction == "none":
        return losses
    op = reduce.sum_ if reduction == "sum" else reduce.mean
    return apply(op, (as_vectors(losses),), {"dim": (1,), "keepdim": False})


def pointwise_loss(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    rank = rank_of(xs[0], flags[0])
    wholes = [full(x, flag, size) for x, flag in zip(xs[:2], flags, strict=False)]
    rest = [padded(x, rank) if flag else x for x, flag in zip(xs[2:], flags[2:], strict=True)]
    return _reduced_rows(apply(op, (*wholes, *rest), {**params, "reduction": "none"}), params["reduction"])


def class_loss(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if flags[2]:
        return NotImplemented
    weight = xs[2]
    x, target = (full(t, flag, size) for t, flag in zip(xs[:2], flags, strict=False))
    rows = target._array.shape  # (B, N, ...)
    merged = rows[0] * rows[1]
    flat = reshaped(target, (merged, *rows[2:]))
    settings = {**params, "reduction": "none"}
    losses = apply(op, (reshaped(x, (merged, *x._array.shape[2:])), flat, weight), settings)
    losses = reshaped(losses, tuple(rows))
    reduction = params["reduction"]
    if reduction != "mean":
        return _reduced_rows(losses, reduction)
    counted = F.ne(target, params["ignore_index"])
    if weight is not None:
        counted = F.getitem(weight, F.where(counted, target, 0)) * counted
    divisor = _reduced_rows(counted.to(losses.dtype), "sum")
    return _reduced_rows(losses, "sum") / divisor
