"""Distances and similarities of pairs of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import dtypes
from npg._words import scalar_name
from npg.engine import apply
from npg.functional._arguments import broadcast, checked_array, index_of
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.functional.division import div
from npg.functional.elementwise import add, mul, sub
from npg.functional.norm import norm
from npg.functional.reduction import sum
from npg.functional.selection import clamp_min
from npg.functional.shape import broadcast_tensors
from npg.ops import distance as ops


@public_function
def cosine_similarity(x1: T, x2: T, dim: int = 1, eps: float = 1e-8) -> T:
    """Return x1 x2 / (max(|x1|, eps) max(|x2|, eps)), product and norms over a dimension.

    Args:
        x1, x2: tensors, broadcast; at least one floating.
        dim: the dimension.
        eps: the lower bound of each norm.
    Returns: the broadcast shape without dim.
    Raises: RuntimeError: when both are integers, the shapes do not fit, or eps is negative.
    Source: torch.cosine_similarity.
    """
    name = "cosine_similarity"
    dim = index_of(dim)
    common = dtypes.common_dtype([checked_array(name, x1, "x1"), checked_array(name, x2, "x2", 2)])
    if not common.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {scalar_name(common)}")
    if not eps >= 0:
        raise RuntimeError(f"eps must be non-negative, got: {eps:g}")
    first, second = broadcast_tensors(to_dtype(x1, common.dtype), to_dtype(x2, common.dtype))
    first, second = (div(x, clamp_min(norm(x, 2.0, dim, keepdim=True), eps)) for x in (first, second))
    return sum(mul(first, second), dim)


@public_function
def pairwise_distance(x1: T, x2: T, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> T:
    """Return the norm of x1 - x2 + eps over the last dimension.

    Args:
        x1, x2: (N, D) or (D,), broadcast.
        p: the norm's exponent.
        keepdim: keep the last dimension, with size 1.
    Source: torch.pairwise_distance.
    """
    for i, x in enumerate((x1, x2), 1):
        checked_array("pairwise_distance", x, f"x{i}", i)
    return norm(add(sub(x1, x2), float(eps)), float(p), -1, keepdim)


# ----- Between the rows of matrices -----

_MODES = {"use_mm_for_euclid_dist_if_necessary": 25, "use_mm_for_euclid_dist": -1, "donot_use_mm_for_euclid_dist": None}


@public_function
def cdist(x1: T, x2: T, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> T:
    """Return the p-norms of the differences between the rows of two matrices.

    Args:
        x1: (..., P, M). x2: (..., R, M), of the same floating dtype; leading dimensions are broadcast.
        p: from 0 to inf.
        compute_mode: whether the norm for p = 2 is computed by a matrix product, which is faster for many rows and has
            fewer digits: where P or R is above 25, always ("use_mm_for_euclid_dist"), or never
            ("donot_use_mm_for_euclid_dist").
    Returns: (..., P, R). The gradient is 0 where rows are equal.
    Raises: ValueError: for another compute_mode. RuntimeError: when shapes or dtypes do not fit, or p is negative.
    Source: torch.cdist.
    """
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    a, b = checked_array("cdist", x1, "x1"), checked_array("cdist", x2, "x2", 2)
    for name, x in (("X1", a), ("X2", b)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a.shape[-1]} X2: {b.shape[-1]}")
    for name, x in (("X1", a), ("X2", b)):
        if x.dtype.kind != "f":
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {scalar_name(x)}")
    _check_norm("cdist", p)
    broadcast(a.shape[:-2], b.shape[:-2])
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(a)} but found {scalar_name(b)}")
    limit = _MODES[compute_mode]
    if p == 2 and limit is not None and max(a.shape[-2], b.shape[-2]) > limit:
        return apply(ops.euclidean, (x1, x2), {"p": 2.0, "products": True})
    _refuse_half("cdist", a)
    return apply(ops.cdist, (x1, x2), {"p": float(p), "products": False})


@public_function
def pdist(input: T, p: float = 2) -> T:
    """Return the p-norms of the differences between the rows of a matrix, each pair once.

    Args:
        input: (N, M), floating.
        p: from 0 to inf.
    Returns: (N (N - 1) / 2,): row 0 with 1, 2, ..., then row 1 with 2, 3, ...
    Raises: RuntimeError: for another number of dimensions or kind of dtype, or a negative p.
    Source: torch.pdist.
    """
    x = checked_array("pdist", input)
    if x.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {x.ndim}D")
    if x.dtype.kind != "f":
        raise RuntimeError("pdist only supports floating-point dtypes")
    _check_norm("pdist", p)
    _refuse_half("pdist", x)
    return apply(ops.pdist, (input,), {"p": float(p)})


def _check_norm(name: str, p: float) -> None:
    if not p >= 0:
        raise RuntimeError(f"{name} only supports non-negative p values")


def _refuse_half(name: str, x: Any) -> None:
    if x.dtype == np.float16 and x.size:
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(x)}'")
