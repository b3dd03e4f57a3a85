"""The cross-entropy of a linear map."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg._errors import warn
from npg._naming import named
from npg._words import scalar_name
from npg.dtypes import from_numpy
from npg.engine import apply
from npg.functional._arguments import checked_array
from npg.functional._losses import reduced
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.functional.division import div
from npg.functional.nn.classification_loss import checked_classes, cross_entropy
from npg.functional.nn.linear import linear
from npg.functional.reduction import sum
from npg.functional.shape import reshape, squeeze, unsqueeze
from npg.ops import linear_cross_entropy as ops
from npg.ops._half import HALF, SINGLE


@public_function
def linear_cross_entropy(
    input: T,
    linear_weight: T,
    target: T,
    *,
    linear_bias: T | None = None,
    weight: T | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> T:
    """Return cross_entropy(linear(input, linear_weight, linear_bias), target).

    Args:
        input: (N, in) or (in,).
        linear_weight: (C, in), or (C, d1, ..., in) for a loss at each of d1 ... places.
        target: class indices, (N, d1, ...) or (); or probabilities of the shape of the logits, (N, C, d1, ...) or (C,).
        linear_bias: linear_weight's shape without its last dimension, or None.
        weight: (C,), the weight of each class, or None.
        reduction, label_smoothing: as of cross_entropy.
        ignore_index: class indices that do not count; None: -100.
        options: LinearCrossEntropyOptions: make the logits of some rows at a time, and again in backward. That takes
            class indices, a 2-D linear_weight and no label smoothing; else there is a warning, and all are made at
            once. Gradients of any order are right, as PyTorch's there are not.
    Raises: RuntimeError: when shapes do not fit.
    Source: torch.nn.functional.linear_cross_entropy.
    """
    name = "linear_cross_entropy"
    x, w = checked_array(name, input), checked_array(name, linear_weight, "linear_weight", 2)
    t = checked_array(name, target, "target", 3)
    b = None if linear_bias is None else checked_array(name, linear_bias, "linear_bias", 4)
    _check(x, w, b)
    classes, places = w.shape[0], w.shape[1:-1]
    shape = (*x.shape[:-1], classes, *places)
    if t.shape == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    index = -100 if ignore_index is None else ignore_index
    if options is None and x.dtype == np.float16:  # the logits of float16 are not rounded
        wide = [_wide(v) for v in (input, linear_weight, target, linear_bias, weight)]
        y = linear_cross_entropy(
            *wide[:3], linear_bias=wide[3], weight=wide[4], reduction=reduction, ignore_index=ignore_index,
            label_smoothing=label_smoothing,
        )  # fmt: skip
        return to_dtype(y, HALF)
    if options is not None:
        if not places and reduction in ("mean", "sum", "none") and not label_smoothing and t.dtype == np.int64:
            return _in_chunks(input, linear_weight, target, linear_bias, weight, reduction, index, options)
        warn(
            "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in {'mean','sum','none'}, "
            f"label_smoothing == 0, target.dtype == int64, out_features == (). Got reduction={reduction!r}, "
            f"label_smoothing={label_smoothing}, target.dtype={named(str(from_numpy(t.dtype)))}, "
            f"out_features={places}, tracing=False, linear_bias.shape={None if b is None else b.shape}."
        )
        if x.dtype == np.float16:
            return linear_cross_entropy(
                input, linear_weight, target, linear_bias=linear_bias, weight=weight, reduction=reduction,
                ignore_index=ignore_index, label_smoothing=label_smoothing,
            )  # fmt: skip
    if places:
        flat = math.prod(places, start=classes)
        linear_weight = reshape(linear_weight, (flat, w.shape[-1]))
        linear_bias = None if linear_bias is None else reshape(linear_bias, (flat,))
    logits = reshape(linear(input, linear_weight, linear_bias), shape)
    return cross_entropy(
        logits, target, weight, ignore_index=index, reduction=reduction, label_smoothing=label_smoothing
    )


def _check(x: Any, w: Any, b: Any) -> None:
    if not 1 <= x.ndim <= 2:
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {x.ndim}")
    if w.ndim < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {w.ndim}")
    if x.shape[-1] != w.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{x.shape[-1]} and {w.shape[-1]}, respectively"
        )
    if b is not None and b.shape != w.shape[:-1]:
        raise RuntimeError(f"expected linear_bias shape {w.shape[:-1]}, got {b.shape}")
    if w.ndim > 2 and x.ndim == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {w.shape} requires batched input, (N, {x.shape[-1]}), "
            f"got unbatched input with shape {x.shape}"
        )


def _wide(x: Any, dtype: np.dtype[Any] = SINGLE) -> Any:
    """Return a float16 tensor in a wider dtype, anything else as it is."""
    return to_dtype(x, dtype) if getattr(x, "dtype", None) == HALF else x


def _in_chunks(
    input: Any, linear_weight: Any, target: Any, linear_bias: Any, weight: Any, reduction: str, ignore_index: int,
    options: Any,
) -> Any:  # fmt: skip
    x, t = checked_array("linear_cross_entropy", input), checked_array("linear_cross_entropy", target)
    for name, other in (("linear_weight", linear_weight), ("linear_bias", linear_bias)):
        if other is not None and (own := checked_array("linear_cross_entropy", other, name)).dtype != x.dtype:
            raise RuntimeError(f"expected {name} of dtype {scalar_name(x)}, got {scalar_name(own)}")
    if x.dtype == np.float16:
        # A small loss, and its gradient, are differences of numbers of which float32 keeps too few digits.
        parts = (input, linear_weight, target, linear_bias, weight)
        input, linear_weight, target, linear_bias, weight = (_wide(v, np.dtype(np.float64)) for v in parts)
        y = _in_chunks(input, linear_weight, target, linear_bias, weight, reduction, ignore_index, options)
        return to_dtype(y, HALF)
    is_batched = x.ndim == 2
    if not is_batched:
        input, target, x, t = unsqueeze(input, 0), unsqueeze(target, 0), x[None], t[None]
    w = checked_array("linear_cross_entropy", linear_weight)
    checked_classes(np.broadcast_to(np.zeros((), x.dtype), (x.shape[0], w.shape[0])), target, t, weight)
    chunk = options._chunk_of(x.shape[0], x.shape[1], w.shape[0])
    inputs = (input, linear_weight, target, linear_bias, weight)
    losses = apply(ops.linear_cross_entropy, inputs, {"ignore_index": ignore_index, "chunk": chunk})
    if reduction == "none":
        return losses if is_batched else squeeze(losses, 0)
    if reduction == "sum":
        return reduced(losses, "sum")
    counted = t != ignore_index
    if weight is None:
        divisor = np.count_nonzero(counted)
    else:
        divisor = checked_array("linear_cross_entropy", weight, "weight", 5)[t[counted]].sum(dtype=np.float64)
    return div(sum(losses), float(divisor or math.nan))
