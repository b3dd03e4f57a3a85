"""Losses of differences.

`reduction` is "mean", "sum" or "none". The older size_average and reduce are accepted as in PyTorch.
"""

from __future__ import annotations

from typing import Any

from npg import dtypes
from npg._errors import warn
from npg._words import size_text
from npg.functional._arguments import checked_array
from npg.functional._losses import checked_reduction, reduced
from npg.functional._public import apply_floating, public_function, to_dtype
from npg.functional._types import T
from npg.functional.division import div
from npg.functional.elementwise import abs, mul, square, sub
from npg.functional.reduction import sum
from npg.functional.shape import broadcast_tensors
from npg.ops import regression_loss

_WEIGHT_SIZE = "Weights and input must have the same size."

# ----- Regression -----


def _pair(input: Any, target: Any, name: str) -> tuple[Any, Any]:
    """Return input and target in one shape; warn if they had to be broadcast."""
    x, t = checked_array(name, input), checked_array(name, target, "target", 2)
    if x.shape == t.shape:
        return input, target
    warn(
        f"Using a target size ({size_text(t.shape)}) that is different to the input size ({size_text(x.shape)}). This "
        "will likely lead to incorrect results due to broadcasting. Please ensure they have the same size."
    )
    return broadcast_tensors(input, target)


def _in_one_dtype(op: Any, input: Any, target: Any, settings: dict[str, Any], kernel: str) -> Any:
    x, t = checked_array(op.name, input), checked_array(op.name, target)
    if x.dtype != t.dtype:
        common = dtypes.common_dtype([x, t]).dtype
        input, target = to_dtype(input, common), to_dtype(target, common)
    return apply_floating(op, (input, target), settings, kernel)


def _reduction(reduction: Any, size_average: Any, reduce: Any, weight: Any, input: Any) -> str:
    """Return the reduction. Raises: ValueError: when there is no such one, or a weight (or None) does not fit."""
    if weight is None or size_average is not None or reduce is not None:
        reduction = checked_reduction(reduction, size_average, reduce)
    if weight is not None:
        if checked_array("loss", weight, "weight").shape != checked_array("loss", input).shape:
            raise ValueError(_WEIGHT_SIZE)
        if reduction not in ("none", "mean", "sum"):
            raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")
    return reduction


def _weighted_mean(losses: Any, weight: Any, reduction: str, plain_mean: bool = False) -> Any:
    losses = mul(losses, weight)
    if reduction != "mean" or plain_mean:
        return reduced(losses, reduction)
    return div(sum(losses), sum(weight))


@public_function
def mse_loss(
    input: T,
    target: T,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: T | None = None,
) -> T:
    """Return (input - target)^2.

    Args:
        input, target: of one shape.
        weight: of the shape of input, or None; "mean" then divides by its sum.
    Raises: ValueError: when weight's shape does not fit.
    Source: torch.nn.functional.mse_loss.
    """
    first, second = _pair(input, target, "mse_loss")
    reduction = _reduction(reduction, size_average, reduce, weight, input)
    if weight is not None:
        return _weighted_mean(square(sub(first, second)), weight, reduction)
    return _in_one_dtype(regression_loss.mse_loss, first, second, {"reduction": reduction}, "mse_cpu")


@public_function
def l1_loss(
    input: T,
    target: T,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: T | None = None,
) -> T:
    """Return |input - target|. Args as in mse_loss. Source: torch.nn.functional.l1_loss."""
    first, second = _pair(input, target, "l1_loss")
    reduction = _reduction(reduction, size_average, reduce, weight, input)
    losses = abs(sub(first, second))
    if weight is not None:
        return _weighted_mean(losses, weight, reduction)
    return reduced(losses, reduction)


@public_function
def smooth_l1_loss(
    input: T,
    target: T,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> T:
    """Return d^2 / (2 beta) where d = |input - target| < beta, else d - beta / 2.

    Args:
        input, target: of one shape.
        beta: not negative; 0 gives l1_loss.
    Raises: RuntimeError: when beta is negative.
    Source: torch.nn.functional.smooth_l1_loss.
    """
    first, second = _pair(input, target, "smooth_l1_loss")
    reduction = checked_reduction(reduction, size_average, reduce)
    if beta == 0:
        return reduced(abs(sub(first, second)), reduction)
    if not beta >= 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    settings = {"reduction": reduction, "beta": float(beta)}
    return _in_one_dtype(regression_loss.smooth_l1_loss, first, second, settings, "smooth_l1_cpu")


@public_function
def huber_loss(input: T, target: T, reduction: str = "mean", delta: float = 1.0, weight: T | None = None) -> T:
    """Return d^2 / 2 where d = |input - target| < delta, else delta (d - delta / 2).

    Args:
        input, target: of one shape.
        delta: positive.
        weight: of the shape of input, or None.
    Raises: RuntimeError: when delta is not positive. ValueError: when weight's shape does not fit.
    Source: torch.nn.functional.huber_loss.
    """
    first, second = _pair(input, target, "huber_loss")
    if weight is None:
        reduction = checked_reduction(reduction)
    elif checked_array("huber_loss", weight, "weight").shape != checked_array("huber_loss", input).shape:
        raise ValueError(_WEIGHT_SIZE)
    if not delta > 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    if weight is not None:
        reduction = _reduction(reduction, None, None, weight, input)
    settings = {"reduction": "none" if weight is not None else reduction, "delta": float(delta)}
    losses = _in_one_dtype(regression_loss.huber_loss, first, second, settings, "huber_cpu")
    losses = to_dtype(losses, checked_array("huber_loss", input).dtype)
    return losses if weight is None else _weighted_mean(losses, weight, reduction, plain_mean=True)
