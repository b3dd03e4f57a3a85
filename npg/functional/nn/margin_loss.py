"""Losses on distributions, margins and distances, composed of simpler functions.

`reduction`, size_average and reduce are as in regression_loss.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg import _errors, dtypes, engine
from npg._errors import warn
from npg._floating import silent
from npg._words import scalar_name, shape_text, size_text
from npg.engine._checks import refuse_broadcast, refuse_shapes
from npg.functional import margin_loss
from npg.functional._arguments import checked_array
from npg.functional._losses import checked_reduction, reduced, reduction_number
from npg.functional._public import apply_floating, public_function, refuse_gradient, to_dtype
from npg.functional._types import T
from npg.functional.comparison import gt, logical_and
from npg.functional.distance import pairwise_distance
from npg.functional.division import div
from npg.functional.elementwise import add, log, mul, neg, square, sub
from npg.functional.nn.activation import logsigmoid
from npg.functional.reduction import sum
from npg.functional.scatter import gather
from npg.functional.selection import where
from npg.functional.shape import broadcast_tensors, reshape, unsqueeze
from npg.ops import regression_loss

# ----- Distributions -----


@public_function
def kl_div(
    input: T,
    target: T,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> T:
    """Return the Kullback-Leibler divergence, elementwise target (log(target) - input).

    Args:
        input: log-probabilities.
        target: probabilities, or their logarithms if log_target.
        reduction: also "batchmean": the sum divided by the first size, which is the divergence's definition.
    Raises: RuntimeError: for integers and bools.
    Source: torch.nn.functional.kl_div.
    """
    batch = reduction == "batchmean"
    if size_average is None and reduce is None and reduction == "mean":
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release."
        )
    number = reduction_number("sum" if batch else reduction, size_average, reduce)
    losses = margin_loss.kl_div(input, target, number, log_target=log_target)
    shape = checked_array("kl_div", input).shape
    return div(losses, shape[0]) if batch and shape else losses


@public_function
def gaussian_nll_loss(
    input: T, target: T, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> T:
    """Return the negative log-likelihood under normal distributions: (log(var) + (input - target)^2 / var) / 2.

    Args:
        input: (..., n) means. target: the same shape, or one that broadcasts.
        var: variances of the shape of input; one per row as (...) or (..., 1); or a number.
        full: add the constant log(2 pi) / 2.
        eps: the lower bound of var, which the gradient ignores.
    Raises: ValueError: when var is negative or its shape does not fit.
    Source: torch.nn.functional.gaussian_nll_loss.
    """
    x = checked_array("gaussian_nll_loss", input)
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = engine.wrap(np.full_like(x, var))
    v = checked_array("gaussian_nll_loss", var, "var", 3)
    if (v < 0).any():
        raise ValueError("var has negative entry/entries")
    if v.shape != x.shape:
        if x.shape[:-1] == v.shape:
            var = unsqueeze(var, -1)
        elif x.ndim != v.ndim or np.sum([n for m, n in zip(x.shape, v.shape, strict=True) if m != n]) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    v = checked_array("gaussian_nll_loss", var)
    if (v < eps).any():
        # Increased by a constant, so that the gradient passes unchanged.
        with silent():
            missing = np.maximum(v, v.dtype.type(eps)) - v
        var = add(var, missing)
    losses = mul(add(log(var), div(square(sub(input, target)), var)), 0.5)
    if full:
        losses = add(losses, 0.5 * math.log(2.0 * math.pi))
    return reduced(losses, reduction)


@public_function
def poisson_nll_loss(
    input: T,
    target: T,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> T:
    """Return the negative log-likelihood of the target under Poisson distributions.

    Args:
        input: logarithms of the rates, for exp(input) - target input; or rates, for input - target log(input + eps).
        target: counts.
        log_input: input holds logarithms, otherwise rates.
        full: add Stirling's approximation of log(target!) where target > 1.
    Source: torch.nn.functional.poisson_nll_loss.
    """
    number = reduction_number(reduction, size_average, reduce)
    return margin_loss.poisson_nll_loss(input, target, log_input, full, eps, number)


# ----- Margins -----


@public_function
def soft_margin_loss(
    input: T, target: T, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> T:
    """Return log(1 + exp(-target input)).

    Args:
        input: any shape. target: 1 or -1 for each.
    Returns: dtype of input.
    Raises: RuntimeError: when target requires grad.
    Source: torch.nn.functional.soft_margin_loss.
    """
    reduction = checked_reduction(reduction, size_average, reduce)
    x, t = checked_array("soft_margin_loss", input), checked_array("soft_margin_loss", target, "target", 2)
    refuse_gradient("soft_margin_loss", "target", target)
    if x.dtype == np.bool_:
        neg(input)  # raises
    if x.shape != t.shape:  # PyTorch computes in place on -input
        refuse_shapes([x, t])
        refuse_broadcast(x, [x, t])
        target = broadcast_tensors(input, target)[1]
    if x.dtype.kind != "f":
        result = dtypes.get_default_dtype().scalar_name
        raise RuntimeError(_errors.NO_CAST_IN_PLACE.format(result=result, wanted=scalar_name(x)))
    if x.dtype != t.dtype:
        common = dtypes.common_dtype([x, t]).dtype
        input, target = to_dtype(input, common), to_dtype(target, common)
    losses = apply_floating(regression_loss.soft_margin_loss, (input, target), {"reduction": reduction}, "exp_vml_cpu")
    return to_dtype(losses, x.dtype)


@public_function
def multilabel_soft_margin_loss(
    input: T,
    target: T,
    weight: T | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> T:
    """Return the mean over classes of -(target log(sigmoid(input)) + (1 - target) log(sigmoid(-input))).

    Args:
        input: (N, C) or (C,). target: the same shape, from 0 to 1.
        weight: (C,) or None.
    Returns: (N,) before the reduction.
    Source: torch.nn.functional.multilabel_soft_margin_loss.
    """
    if size_average is not None or reduce is not None:
        reduction = checked_reduction(reduction, size_average, reduce)
    losses = neg(add(mul(target, logsigmoid(input)), mul(sub(1, target), logsigmoid(neg(input)))))
    if weight is not None:
        losses = mul(losses, weight)
    x = checked_array("multilabel_soft_margin_loss", input)
    if not x.ndim:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    losses = div(sum(losses, x.ndim - 1), x.shape[-1])
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    return reduced(losses, reduction)


@public_function
def hinge_embedding_loss(
    input: T,
    target: T,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> T:
    """Return input where target is 1, and max(0, margin - input) where it is -1.

    Source: torch.nn.functional.hinge_embedding_loss.
    """
    return margin_loss.hinge_embedding_loss(input, target, margin, reduction_number(reduction, size_average, reduce))


@public_function
def margin_ranking_loss(
    input1: T,
    input2: T,
    target: T,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> T:
    """Return max(0, -target (input1 - input2) + margin): target 1 means that input1 should be larger.

    Raises: RuntimeError: when the numbers of dimensions differ.
    Source: torch.nn.functional.margin_ranking_loss.
    """
    number = reduction_number(reduction, size_average, reduce)
    arrays = [checked_array("margin_ranking_loss", x) for x in (input1, input2, target)]
    if len({a.ndim for a in arrays}) != 1:
        first, second, third = (size_text(a.shape) for a in arrays)
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {first}, input2: {second}, target: {third} "
        )
    return margin_loss.margin_ranking_loss(input1, input2, target, margin, number)


def _check_rows(x: Any) -> None:
    if x.ndim > 2 or 0 in x.shape[x.ndim > 1 :]:
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(x.shape)}"
        )


def _class_rows(name: str, input: Any, target: Any, x: Any, t: Any) -> tuple[Any, Any]:
    """Return input as (N, C) and the int64 targets as an array (N, ...)."""
    if t.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {scalar_name(t)}")
    _check_rows(x)
    if name == "multi_margin_loss":
        t = t.reshape(-1)
    elif x.ndim < 2:
        t = t.reshape(1, -1)
    return input if x.ndim == 2 else reshape(input, (1, x.size)), t


def _only_single_and_double(kernel: str, x: Any) -> None:
    if x.dtype.char not in "fd":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(x)}'")


def _positive(z: Any, counts: Any) -> Any:
    """Return z where it counts and is above 0, else 0: no gradient at 0, and inf - inf of infinite logits is 0."""
    return where(logical_and(gt(z, 0), counts), z, 0)


@public_function
def multi_margin_loss(
    input: T,
    target: T,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> T:
    """Return the sum over the other classes j of max(0, margin - input[target] + input[j])^p, divided by C.

    Args:
        input: (N, C) or (C,). target: (N,) or () class indices.
        p: 1 or 2.
        weight: (C,) or None: the factor of each target class.
    Raises: ValueError: for another p. RuntimeError: for a class out of range. NotImplementedError: for float16, as
        in PyTorch.
    Source: torch.nn.functional.multi_margin_loss.
    """
    reduction = checked_reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    x, t = checked_array("multi_margin_loss", input), checked_array("multi_margin_loss", target, "target", 2)
    w = None if weight is None else checked_array("multi_margin_loss", weight, "weight", 5)
    if w is not None and w.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    _check_rows(x)
    count = len(x) if x.ndim == 2 else 1
    if t.size != count or t.ndim > 1:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{count}], but got {shape_text(t.shape)}. Input has shape "
            f"{shape_text(x.shape)}."
        )
    rows, index = _class_rows("multi_margin_loss", input, target, x, t)
    classes = x.shape[-1] if x.ndim else 1
    if w is not None and len(w) != classes:
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {shape_text(w.shape)}")
    _only_single_and_double("multi_margin_loss_cpu_kernel", x)
    if ((index < 0) | (index >= classes)).any():
        raise RuntimeError("target out of range")
    others = index[:, None] != np.arange(classes)
    losses = _positive(add(sub(margin, gather(rows, 1, index[:, None])), rows), others)
    losses = losses if p == 1 else square(losses)
    if w is not None:
        refuse_gradient("multi_margin_loss", "weight", weight)
        losses = mul(losses, w.astype(x.dtype)[index][:, None])
    losses = div(sum(losses, 1), classes)
    return reduced(losses if t.ndim else reshape(losses, ()), reduction)


@public_function
def multilabel_margin_loss(
    input: T, target: T, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> T:
    """Return the sum over target classes i and others j of max(0, 1 - input[i] + input[j]), divided by C.

    Args:
        input: (N, C) or (C,). target: the same shape: the target classes; those after a -1 are ignored.
    Raises: RuntimeError: for a class out of range. NotImplementedError: for float16, as in PyTorch.
    Source: torch.nn.functional.multilabel_margin_loss.
    """
    reduction = checked_reduction(reduction, size_average, reduce)
    name = "multilabel_margin_loss"
    x, t = checked_array(name, input), checked_array(name, target, "target", 2)
    if x.shape != t.shape:
        raise RuntimeError(f"inconsistent target size: {list(t.shape)} for input of size: {list(x.shape)}")
    rows, index = _class_rows(name, input, target, x, t)
    if ((index < -1) | (index >= index.shape[1])).any():
        raise RuntimeError("argument #2 'target' is out of range")
    _only_single_and_double("multilabel_margin_loss_forward_out_frame", x)
    counts = np.logical_and.accumulate(index >= 0, axis=1)
    index = np.where(counts, index, 0)
    other = np.ones(index.shape, bool)
    n, i = np.nonzero(counts)
    other[n, index[n, i]] = False
    pairs = counts[:, :, None] & other[:, None, :]  # (N, targets, others)
    hinge = _positive(add(sub(1.0, unsqueeze(gather(rows, 1, index), 2)), unsqueeze(rows, 1)), pairs)
    losses = div(sum(hinge, (1, 2)), index.shape[1])
    return reduced(losses if x.ndim > 1 else reshape(losses, ()), reduction)


# ----- Distances -----


@public_function
def cosine_embedding_loss(
    input1: T,
    input2: T,
    target: T,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> T:
    """Return 1 - cos(input1, input2) where target is 1, and max(0, cos - margin) where it is -1.

    Args:
        input1, input2: (N, D) or (D,). target: (N,) or ().
    Raises: RuntimeError: when the shapes do not fit.
    Source: torch.nn.functional.cosine_embedding_loss.
    """
    number = reduction_number(reduction, size_average, reduce)
    return margin_loss.cosine_embedding_loss(input1, input2, target, margin, number)


def _check_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


@public_function
def triplet_margin_loss(
    anchor: T,
    positive: T,
    negative: T,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> T:
    """Return max(0, d(anchor, positive) - d(anchor, negative) + margin), d the pairwise distance.

    Args:
        anchor, positive, negative: (N, D) or (D,).
        p, eps: as in pairwise_distance.
        swap: use d(positive, negative) where it is smaller than d(anchor, negative).
    Raises: ValueError: when margin is not positive. RuntimeError: when the numbers of dimensions differ.
    Source: Balntas et al., Learning shallow convolutional feature descriptors with triplet losses, 2016;
        torch.nn.functional.triplet_margin_loss.
    """
    number = reduction_number(reduction, size_average, reduce)
    _check_margin(margin)
    return margin_loss.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, number)


@public_function
def triplet_margin_with_distance_loss(
    anchor: T,
    positive: T,
    negative: T,
    *,
    distance_function: Callable[[T, T], T] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> T:
    """Return triplet_margin_loss with another distance: a function of two tensors, None for pairwise_distance.

    Source: torch.nn.functional.triplet_margin_with_distance_loss.
    """
    reduction = checked_reduction(reduction)
    _check_margin(margin)
    margin_loss.check_triplet(anchor, positive, negative)
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    return reduced(margin_loss.triplet(near, far, distance(positive, negative) if swap else None, margin), reduction)
