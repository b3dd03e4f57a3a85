"""Losses on distributions, margins and distances in the torch namespace, composed of simpler functions.

`reduction` is a number: 0 for none, 1 for mean, 2 for sum. The default is 0, although PyTorch's stubs say 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.functional._arguments import checked_array
from npg.functional._losses import reduced, reduction_name
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.functional.comparison import eq, le, ne
from npg.functional.distance import pairwise_distance
from npg.functional.division import div
from npg.functional.elementwise import add, exp, log, mul, neg, sqrt, square, sub
from npg.functional.reduction import sum
from npg.functional.selection import clamp_min, minimum, where
from npg.functional.special import xlogy
from npg.ops._half import HALF, SINGLE


def _reduced(losses: Any, reduction: int) -> Any:
    return reduced(losses, reduction_name(reduction))


# ----- Distributions -----


@public_function
def kl_div(input: T, target: T, reduction: int = 0, *, log_target: bool = False) -> T:
    """Return the Kullback-Leibler divergence, elementwise target (log(target) - input).

    Args:
        input: log-probabilities.
        target: probabilities, or their logarithms if log_target.
    Raises: RuntimeError: for integers and bools.
    Source: torch.kl_div.
    """
    x, t = checked_array("kl_div", input), checked_array("kl_div", target, "target", 2)
    if x.dtype.kind != "f" or t.dtype.kind != "f":
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        losses = mul(exp(target), sub(target, input))
    elif x.dtype == t.dtype == HALF:  # the difference of rounded terms would lose digits
        wide_target, wide_input = to_dtype(target, SINGLE), to_dtype(input, SINGLE)
        losses = to_dtype(sub(xlogy(wide_target, wide_target), mul(wide_target, wide_input)), HALF)
    else:
        losses = sub(xlogy(target, target), mul(target, input))
    return _reduced(losses, reduction)


@public_function
def poisson_nll_loss(input: T, target: T, log_input: bool, full: bool, eps: float, reduction: int) -> T:
    """Return the negative log-likelihood of the target under Poisson distributions.

    Args:
        input: logarithms of the rates, for exp(input) - target input; or rates, for input - target log(input + eps).
        target: counts.
        log_input: input holds logarithms, otherwise rates.
        full: add Stirling's approximation of log(target!) where target > 1.
    Source: torch.poisson_nll_loss.
    """
    eps = float(eps)
    if log_input:
        losses = sub(exp(input), mul(target, input))
    else:
        losses = sub(input, mul(target, log(add(input, eps))))
    if full:
        if checked_array("poisson_nll_loss", target, "target", 2).dtype == np.bool_:
            sub(input, target)  # raises the error for bools
        # 1 replaces the targets that do not count, so that no logarithm of 0 makes a gradient nan.
        small = le(target, 1)
        t = where(small, 1.0, target)
        stirling = add(sub(mul(t, log(t)), t), mul(log(mul(t, 2.0 * math.pi)), 0.5))
        losses = add(losses, to_dtype(where(small, 0.0, stirling), checked_array("poisson_nll_loss", losses).dtype))
    return _reduced(losses, reduction)


# ----- Margins -----


@public_function
def hinge_embedding_loss(
    input: T,
    target: T,
    margin: float = 1.0,
    reduction: int = 0,
) -> T:
    """Return input where target is 1, and max(0, margin - input) where it is -1.

    Source: torch.hinge_embedding_loss.
    """
    checked_array("hinge_embedding_loss", input)
    hinge = where(ne(target, 1), clamp_min(sub(float(margin), input), 0), 0)
    return _reduced(add(hinge, where(ne(target, -1), input, 0)), reduction)


@public_function
def margin_ranking_loss(
    input1: T,
    input2: T,
    target: T,
    margin: float = 0,
    reduction: int = 0,
) -> T:
    """Return max(0, -target (input1 - input2) + margin): target 1 means that input1 should be larger.

    Source: torch.margin_ranking_loss.
    """
    for x in (input1, input2, target):
        checked_array("margin_ranking_loss", x)
    return _reduced(clamp_min(add(mul(neg(target), sub(input1, input2)), float(margin)), 0), reduction)


# ----- Distances -----


@public_function
def cosine_embedding_loss(
    input1: T,
    input2: T,
    target: T,
    margin: float = 0,
    reduction: int = 0,
) -> T:
    """Return 1 - cos(input1, input2) where target is 1, and max(0, cos - margin) where it is -1.

    Args:
        input1, input2: (N, D) or (D,). target: (N,) or ().
    Raises: RuntimeError: when the shapes do not fit.
    Source: torch.cosine_embedding_loss.
    """
    a, b, t = (checked_array("cosine_embedding_loss", x) for x in (input1, input2, target))
    if t.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not a.ndim == b.ndim == t.ndim + 1:
        raise RuntimeError(
            f"{t.ndim}D target tensor expects {t.ndim + 1}D input tensors, but found inputs with sizes {list(a.shape)} "
            f"and {list(b.shape)}."
        )
    first, second = (add(sum(square(x), -1), 1e-12) for x in (input1, input2))
    cosine = div(sum(mul(input1, input2), -1), sqrt(mul(first, second)))
    near = where(eq(target, 1), sub(1, cosine), 0)
    return _reduced(add(near, where(eq(target, -1), clamp_min(sub(cosine, margin), 0), 0)), reduction)


def triplet(near: Any, far: Any, swapped: Any, margin: float) -> Any:
    """Return max(0, near - far + margin) of distances; swapped, if given, replaces far where it is less."""
    if swapped is not None:
        far = minimum(far, swapped)
    return clamp_min(sub(add(near, margin), far), 0)


def check_triplet(anchor: Any, positive: Any, negative: Any) -> None:
    """Raise RuntimeError when the numbers of dimensions differ."""
    a, p, n = (checked_array("triplet_margin_loss", x).ndim for x in (anchor, positive, negative))
    if not a == p == n:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {a}D, positive {p}D, and negative {n}D inputs"
        )


@public_function
def triplet_margin_loss(
    anchor: T,
    positive: T,
    negative: T,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = 0,
) -> T:
    """Return max(0, d(anchor, positive) - d(anchor, negative) + margin), d the pairwise distance.

    Args:
        anchor, positive, negative: (N, D) or (D,).
        p, eps: as in pairwise_distance.
        swap: use d(positive, negative) where it is smaller than d(anchor, negative).
    Raises: RuntimeError: when the numbers of dimensions differ.
    Source: Balntas et al., Learning shallow convolutional feature descriptors with triplet losses, 2016;
        torch.nn.functional.triplet_margin_loss.
    """
    check_triplet(anchor, positive, negative)
    swapped = pairwise_distance(positive, negative, p, eps) if swap else None
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    return _reduced(triplet(near, far, swapped, margin), reduction)
