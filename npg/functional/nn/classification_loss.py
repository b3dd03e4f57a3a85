"""Losses of class indices, of probabilities, and of two classes.

`reduction` is "mean", "sum" or "none". The older size_average and reduce are accepted as in PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg._words import scalar_name, shape_text, size_text
from npg.functional import classification_loss
from npg.functional._arguments import checked_array, index_of
from npg.functional._losses import checked_reduction, reduction_number
from npg.functional._public import apply_floating, public_function, refuse_gradient, to_dtype
from npg.functional._types import T
from npg.functional.ctc_loss import ctc_loss as of_sequences
from npg.functional.division import div
from npg.functional.elementwise import add, mul, neg
from npg.functional.reduction import sum
from npg.functional.shape import reshape
from npg.functional.softmax import log_softmax
from npg.ops import classification_loss as ops, regression_loss

# ----- Class indices and probabilities -----


def checked_classes(x: Any, target: Any, t: Any, weight: Any) -> tuple[Any, Any]:
    """Return target in int64 and weight in the input's dtype.

    Raises: ValueError, RuntimeError: when shapes or dtypes do not fit, in PyTorch's words.
    """
    if not x.ndim:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    is_of_images = x.ndim > 2  # PyTorch has kernels of their own for these
    refuse_gradient("nll_loss2d_forward" if is_of_images else "nll_loss_forward", "weight", weight)
    if x.ndim > 1 and t.ndim and x.shape[0] != t.shape[0]:
        raise ValueError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({t.shape[0]}).")
    if x.ndim <= 2:
        if t.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if x.ndim == 1 and t.ndim == 1 and t.shape[0] != 1:
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {t.shape[0]}")
        if x.ndim == 2 and not t.ndim:
            raise RuntimeError(f"size mismatch (got input: {shape_text(x.shape)}, target: [])")
    elif x.ndim == 4 and t.ndim != 3:
        raise RuntimeError(
            f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {t.ndim}"
        )
    elif x.ndim == 4 and t.shape != (x.shape[0], *x.shape[2:]):
        raise RuntimeError(f"size mismatch (got input: {shape_text(x.shape)} , target: {shape_text(t.shape)}")
    elif t.shape != (x.shape[0], *x.shape[2:]):
        raise RuntimeError(f"Expected target size {shape_text((x.shape[0], *x.shape[2:]))}, got {shape_text(t.shape)}")
    if t.dtype != np.int64:
        if t.dtype != np.uint8:
            raise RuntimeError(f"expected target dtype to be Long or Byte, but got {scalar_name(t)}")
        if is_of_images:
            raise RuntimeError(f"expected scalar type Long but found {scalar_name(t)}")
        target = to_dtype(target, np.dtype(np.int64))
    if weight is not None:
        w = checked_array("nll_loss", weight, "weight", 3)
        classes = x.shape[0] if x.ndim == 1 else x.shape[1]
        if w.shape != (classes,):
            text = "weight tensor should be defined either for all {}or no classes{}"
            found = (f"{classes} classes ", f" but got weight tensor of shape: {shape_text(w.shape)}")
            raise RuntimeError(text.format(*(("", "") if is_of_images else found)))
        if w.dtype != x.dtype:
            raise RuntimeError(f"expected scalar type {scalar_name(x)} but found {scalar_name(w)}")
    return target, weight


def _of_classes(op: Any, input: Any, target: Any, weight: Any, x: Any, t: Any, kernel: str, settings: Any) -> Any:
    target, weight = checked_classes(x, target, t, weight)
    if settings.get("label_smoothing"):
        op = ops.cross_entropy_smoothed
    elif x.ndim > 2:
        op = (ops.of_images if x.ndim == 4 or settings["reduction"] != "none" else ops.of_flattened)[op]
    if x.ndim > 1:
        return apply_floating(op, (input, target, weight), settings, kernel)
    inputs = (reshape(input, (1, x.shape[0])), reshape(target, (1,)), weight)
    y = apply_floating(op, inputs, settings, kernel)
    return reshape(y, t.shape) if settings["reduction"] == "none" else y


@public_function
def nll_loss(
    input: T,
    target: T,
    weight: T | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> T:
    """Return the negative log-likelihood: -weight[target] * input[target].

    Args:
        input: (N, C), (C,) or (N, C, d1, ...) log-probabilities.
        target: (N,), () or (N, d1, ...) class indices.
        weight: (C,) or None.
        ignore_index: targets that do not count.
        reduction: "mean" divides by the sum of the weights of the targets.
    Raises: IndexError: for a class out of range. ValueError, RuntimeError: when shapes or dtypes do not fit.
    Source: torch.nn.functional.nll_loss.
    """
    reduction = checked_reduction(reduction, size_average, reduce)
    x, t = checked_array("nll_loss_nd", input), checked_array("nll_loss_nd", target, "target", 2)
    settings = {"reduction": reduction, "ignore_index": index_of(ignore_index)}
    kernel = "nll_loss2d_forward_out_frame" if x.ndim > 2 else "nll_loss_out_frame"
    return _of_classes(ops.nll_loss, input, target, weight, x, t, kernel, settings)


@public_function
def cross_entropy(
    input: T,
    target: T,
    weight: T | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> T:
    """Return the cross-entropy between softmax(input) and the target.

    Args:
        input: (N, C), (C,) or (N, C, d1, ...), unnormalised logarithms of probabilities.
        target: (N,), () or (N, d1, ...) class indices; or probabilities in the shape of input.
        weight: (C,) or None.
        ignore_index: class indices that do not count.
        reduction: "mean" divides by the sum of the weights of the class indices, or by N d1 ... for probabilities.
        label_smoothing: the fraction of each target, from 0 to 1, that is spread over all classes.
    Raises: IndexError: for a class out of range. ValueError, RuntimeError: when shapes or dtypes do not fit.
    Source: torch.nn.functional.cross_entropy.
    """
    reduction = checked_reduction(reduction, size_average, reduce)
    x = checked_array("cross_entropy_loss", input)
    t = checked_array("cross_entropy_loss", target, "target", 2)
    if x.shape == t.shape:
        return _of_probabilities(input, target, weight, x, t, ignore_index, reduction, label_smoothing)
    if label_smoothing > 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    kernel = f"log_softmax{'_lastdim' if x.ndim <= 2 else ''}_kernel_impl"
    settings = {
        "reduction": reduction,
        "ignore_index": index_of(ignore_index),
        "label_smoothing": max(label_smoothing, 0.0),
    }
    return _of_classes(ops.cross_entropy, input, target, weight, x, t, kernel, settings)


def _of_probabilities(
    input: Any, target: Any, weight: Any, x: Any, t: Any, ignore_index: int, reduction: str, label_smoothing: float
) -> Any:
    if t.dtype.kind != "f":
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {scalar_name(t)}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    dim = 0 if x.ndim == 1 else 1
    classes = x.shape[dim]
    log_p = log_softmax(input, dim)
    if label_smoothing > 0.0:
        if label_smoothing > 1.0:
            raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
        target = add(mul(target, 1.0 - label_smoothing), label_smoothing / classes)
    losses = mul(log_p, target)
    if weight is not None:
        w = checked_array("cross_entropy_loss", weight, "weight", 3)
        if w.shape != (classes,):
            raise RuntimeError(
                f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but "
                f"got weight tensor of shape: {shape_text(w.shape)}"
            )
        losses = mul(losses, reshape(weight, (classes, *(1,) * (x.ndim - 1 - dim))))
    if reduction == "none":
        return neg(sum(losses, dim))
    total = neg(sum(losses))
    if reduction == "sum":
        return total
    return div(total, x.size / classes) if x.size else add(total, math.nan)


# ----- Sequences -----


@public_function
def ctc_loss(
    log_probs: T,
    targets: T,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> T:
    """Return the negative logarithm of the probability of labels, however they are spread over the frames.

    Args:
        reduction: "mean" averages the losses, each divided by its number of labels.
        The others: as of torch.ctc_loss.
    Source: torch.nn.functional.ctc_loss.
    """
    number = reduction_number(reduction)
    return of_sequences(log_probs, targets, input_lengths, target_lengths, blank, number, zero_infinity)


# ----- Two classes -----


@public_function
def binary_cross_entropy(
    input: T,
    target: T,
    weight: T | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> T:
    """Return -(target log(input) + (1 - target) log(1 - input)) weight, with logarithms of at least -100.

    Args:
        input: probabilities. target: of the shape and dtype of input.
        weight: broadcasts to input, or None.
    Raises: RuntimeError: when an element of input or target is not in [0, 1], or dtypes differ. ValueError: when
        shapes differ.
    Source: torch.nn.functional.binary_cross_entropy.
    """
    reduction = checked_reduction(reduction, size_average, reduce)
    x, t = checked_array("binary_cross_entropy", input), checked_array("binary_cross_entropy", target, "target", 2)
    if x.shape != t.shape:
        raise ValueError(
            f"Using a target size ({size_text(t.shape)}) that is different to the input size ({size_text(x.shape)}) is "
            "deprecated. Please ensure they have the same size."
        )
    refuse_gradient("binary_cross_entropy", "weight", weight)
    if weight is not None:
        weight = to_dtype(classification_loss.expanded_weight(weight, x.shape), x.dtype)
    if t.dtype != x.dtype:
        raise RuntimeError(f"Found dtype {scalar_name(t)} but expected {scalar_name(x)}")
    inputs = (input, target, weight)
    return apply_floating(
        regression_loss.binary_cross_entropy, inputs, {"reduction": reduction}, "binary_cross_entropy"
    )


@public_function
def binary_cross_entropy_with_logits(
    input: T,
    target: T,
    weight: T | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: T | None = None,
) -> T:
    """Return the binary cross-entropy of sigmoid(input), computed without overflow.

    Args:
        input: any real numbers. target: of the shape of input, floating.
        weight: broadcasts to input, or None.
        pos_weight: broadcasts to input, or None: the factor of the term with target.
    Returns: dtype of target.
    Raises: ValueError: when the shapes of input and target differ. RuntimeError: when another shape does not fit.
    Source: torch.nn.functional.binary_cross_entropy_with_logits.
    """
    number = reduction_number(reduction, size_average, reduce)
    name = "binary_cross_entropy_with_logits"
    x, t = checked_array(name, input), checked_array(name, target, "target", 2)
    if x.shape != t.shape:
        raise ValueError(f"Target size ({size_text(t.shape)}) must be the same as input size ({size_text(x.shape)})")
    return classification_loss.binary_cross_entropy_with_logits(input, target, weight, pos_weight, number)
