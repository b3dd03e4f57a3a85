"""Distances and similarities of pairs of vectors."""

from __future__ import annotations

from npg import dtypes
from npg._words import scalar_name
from npg.functional._arguments import checked_array
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.functional.division import div
from npg.functional.elementwise import add, mul, sub
from npg.functional.norm import norm
from npg.functional.reduction import sum
from npg.functional.selection import clamp_min
from npg.functional.shape import broadcast_tensors


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
    return norm(add(sub(x1, x2), float(eps)), p, -1, keepdim)
