"""Losses that compare an input with a target element by element, and then reduce: "mean", "sum" or "none".

Input and target have the same shape and dtype. A rule multiplies the slope of the loss by the gradient, spread over
the elements.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.blocks import blockwise
from npg.kernels.sums import add_up
from npg.ops._kinds import ELEMENTWISE, Kind, loss, padded, rank_of
from npg.ops._op import Op, elementwise, primitive
from npg.ops.activation import logsigmoid
from npg.ops.elementwise import log
from npg.ops.reduction import reduced_examples
from npg.ops.selection import clamp
from npg.ops.shape import as_batch
from npg.ops.special import sigmoid

# ----- What the losses share -----


def _reduced(losses: np.ndarray[Any, Any], reduction: str) -> np.ndarray[Any, Any]:
    """Reduce the losses to the result; nan for the mean of nothing."""
    if reduction == "none":
        return losses
    total = np.asarray(add_up(losses))
    if reduction == "mean":
        total = total / losses.size if losses.size else total * math.nan
    return total


def _spread(g: Any, x: Any, reduction: str) -> Any:
    """Return the gradient of the loss of each element of x."""
    return g / (math.prod(x.shape) or 1) if reduction == "mean" else g


def _weighted(x: Any, weight: Any) -> Any:
    return x if weight is None else x * weight


def _batch(op: Op, xs: Any, batched: Any, size: int, /, *, reduction: str, **params: Any) -> Any:
    rank = rank_of(xs[0], batched[0])
    operands = [as_batch(x, flag, size) for x, flag in zip(xs[:2], batched, strict=False)]
    weights = [padded(x, rank) if flag else x for x, flag in zip(xs[2:], batched[2:], strict=True)]
    return reduced_examples(op(*operands, *weights, reduction="none", **params), reduction)


LOSS = Kind("loss", _batch, loss)

# ----- Regression -----


def _product_of_difference(a: Any, b: Any, factor: Any) -> Any:
    return (a - b) * factor


@primitive(
    lambda g, _y, x, t, *, reduction: blockwise(_product_of_difference, x, t, _spread(g, x, reduction) * 2.0),
    lambda g, _y, x, t, *, reduction: blockwise(_product_of_difference, t, x, _spread(g, x, reduction) * 2.0),
    kind=LOSS,
)
def mse_loss(input: Any, target: Any, *, reduction: str) -> Any:
    """Return (input - target)^2."""
    d = np.asarray(input - target)
    d *= d
    return _reduced(d, reduction)


def _smooth_l1_vjp(g: Any, _y: Any, x: Any, t: Any, *, reduction: str, beta: float) -> Any:
    """clamp((x - t) / beta, -1, 1)."""
    return blockwise(lambda g, x, t: clamp((x - t) / beta, low=-1.0, high=1.0) * g, _spread(g, x, reduction), x, t)


@primitive(_smooth_l1_vjp, lambda g, _y, x, t, **settings: -_smooth_l1_vjp(g, _y, x, t, **settings), kind=LOSS)
def smooth_l1_loss(input: Any, target: Any, *, reduction: str, beta: float) -> Any:
    """Return d^2 / (2 beta) where d = |input - target| < beta, else d - beta / 2."""
    return _reduced(blockwise(lambda x, t: _huber(x, t, beta) / beta, input, target), reduction)


def _huber_vjp(g: Any, _y: Any, x: Any, t: Any, *, reduction: str, delta: float) -> Any:
    """clamp(x - t, -delta, delta)."""
    return blockwise(lambda g, x, t: clamp(x - t, low=-delta, high=delta) * g, _spread(g, x, reduction), x, t)


@primitive(_huber_vjp, lambda g, _y, x, t, **settings: -_huber_vjp(g, _y, x, t, **settings), kind=LOSS)
def huber_loss(input: Any, target: Any, *, reduction: str, delta: float) -> Any:
    """Return d^2 / 2 where d = |input - target| < delta, else delta (d - delta / 2)."""
    return _reduced(blockwise(lambda x, t: _huber(x, t, delta), input, target), reduction)


def _huber(x: np.ndarray[Any, Any], t: np.ndarray[Any, Any], delta: float) -> np.ndarray[Any, Any]:
    d = np.abs(x - t)
    near = np.minimum(d, delta)
    return near * (d - near * 0.5)  # both cases at once


# ----- Classification -----


_TINY = float(np.float32(1e-12))  # PyTorch's limit in the first derivative, a float32 there
_EPS = 1e-12  # what PyTorch adds in the second derivative


def _from_0_and_1(x: Any) -> Any:
    """Return x (1 - x), at least about 1e-12, as in PyTorch's second derivative."""
    return (x + _EPS) * (1.0 - x + _EPS)


@primitive(
    lambda g, _y, _g, x, t: g * ((x - t) / _from_0_and_1(x)),
    lambda g, _y, g1, x, t: g * g1 * ((x * x - 2.0 * x * t + t) / (_from_0_and_1(x) * _from_0_and_1(x))),
    lambda g, _y, g1, x, _t: -g * g1 / clamp((1.0 - x) * x, low=_TINY, high=None),
    broadcasts=True,
    kind=ELEMENTWISE,
)
def binary_cross_entropy_backward(g: Any, input: Any, target: Any) -> Any:
    """Return g (input - target) / (input (1 - input))."""
    return g * ((input - target) / np.maximum((1.0 - input) * input, _TINY))


def _binary_vjp(g: Any, _y: Any, x: Any, t: Any, weight: Any, *, reduction: str) -> Any:
    """(x - t) / (x (1 - x)) weight."""
    return blockwise(
        lambda g, x, t, weight: _weighted(binary_cross_entropy_backward(g, x, t), weight),
        _spread(g, x, reduction), x, t, weight,
    )  # fmt: skip


def _binary_target_vjp(g: Any, _y: Any, x: Any, _t: Any, weight: Any, *, reduction: str) -> Any:
    """(log(1 - x) - log(x)) weight."""
    return blockwise(
        lambda g, x, weight: _weighted(log(1.0 - x) - log(x), weight) * g, _spread(g, x, reduction), x, weight
    )


@primitive(_binary_vjp, _binary_target_vjp, None, kind=LOSS)
def binary_cross_entropy(input: Any, target: Any, weight: Any, *, reduction: str) -> Any:
    """Return -(target log(input) + (1 - target) log(1 - input)) weight, logarithms at least -100; weight may be None.

    Raises: RuntimeError: when an element of input or target is not in [0, 1].
    """
    for name, x in (("input", input), ("target", target)):
        if not np.all((x >= 0) & (x <= 1)):
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    return _reduced(blockwise(_binary_losses, input, target, weight), reduction)


def _binary_losses(x: Any, t: Any, weight: Any) -> Any:
    losses = (t - 1.0) * np.maximum(np.log1p(-x), -100.0) - t * np.maximum(np.log(x), -100.0)
    return _weighted(losses, weight)


def _logits_vjp(g: Any, _y: Any, x: Any, t: Any, weight: Any, pos_weight: Any, *, reduction: str) -> Any:
    """((1 - t + pos_weight t) sigmoid(x) - pos_weight t) weight."""
    return blockwise(_logits_slope, _spread(g, x, reduction), x, t, weight, pos_weight)


def _logits_slope(g: Any, x: Any, t: Any, weight: Any, pos_weight: Any) -> Any:
    if pos_weight is None:
        slope = sigmoid(x) - t
    else:
        positive = pos_weight * t
        slope = (positive + 1.0 - t) * sigmoid(x) - positive
    return _weighted(slope, weight) * g


def _logits_target_vjp(g: Any, _y: Any, x: Any, _t: Any, weight: Any, pos_weight: Any, *, reduction: str) -> Any:
    """(-x - (pos_weight - 1) log(sigmoid(x))) weight."""
    return blockwise(_logits_target_slope, _spread(g, x, reduction), x, weight, pos_weight)


def _logits_target_slope(g: Any, x: Any, weight: Any, pos_weight: Any) -> Any:
    slope = -x if pos_weight is None else (1.0 - pos_weight) * logsigmoid(x) - x
    return _weighted(slope, weight) * g


@primitive(_logits_vjp, _logits_target_vjp, None, None, kind=LOSS)
def binary_cross_entropy_with_logits(input: Any, target: Any, weight: Any, pos_weight: Any, *, reduction: str) -> Any:
    """Return (1 - target) input - (1 + (pos_weight - 1) target) log(sigmoid(input)), without overflow.

    weight multiplies each element, pos_weight the term with target; both have the input's shape or are None.
    """
    return _reduced(blockwise(_logits_losses, input, target, weight, pos_weight), reduction)


def _logits_losses(x: Any, t: Any, weight: Any, pos_weight: Any) -> Any:
    losses = logsigmoid.forward(x)
    if pos_weight is not None:
        losses = losses * ((pos_weight - 1.0) * t + 1.0)
    return _weighted((1.0 - t) * x - losses, weight)


@primitive(
    lambda g, _y, x, t, *, reduction: blockwise(
        lambda g, x, t: -t * sigmoid(-t * x) * g, _spread(g, x, reduction), x, t
    ),
    None,
    kind=LOSS,
)
def soft_margin_loss(input: Any, target: Any, *, reduction: str) -> Any:
    """Return log(1 + exp(-target input))."""
    return _reduced(blockwise(lambda x, t: np.log1p(np.exp(-t * x)), input, target), reduction)


elementwise(binary_cross_entropy_backward)
