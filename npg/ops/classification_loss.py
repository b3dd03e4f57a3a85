"""Cross-entropy and negative log-likelihood of class indices: (N, C, d1, ...) with a target (N, d1, ...).

The kernels see (rows, C), one row per target. `target` holds int64 indices, `weight` one number per class or is None.

The settings together are coefficients K: the loss is -sum(K log p), where each row of K is s w / C, with the label
smoothing s, plus w[t] (1 - s) at the target t; rows with t = ignore_index are zero. "mean" divides by the sum of w[t].
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.kernels.blas_rows import as_rows
from npg.kernels.programs import program
from npg.kernels.sums import ones
from npg.ops._kinds import Kind, loss, reshaped
from npg.ops._op import Op, fused, primitive
from npg.ops.elementwise import cast
from npg.ops.indexing import index
from npg.ops.reduction import reduced_examples, sum_
from npg.ops.selection import where
from npg.ops.shape import as_batch, overload
from npg.ops.softmax import log_softmax

Array = np.ndarray[Any, Any]


# ----- Rows and targets -----


def _rows_of(x: Array) -> Array:
    """Return (N, C, d1, ...) as (rows, C), in the order of a target (N, d1, ...)."""
    classes = x.shape[1]
    return as_rows(x if x.ndim == 2 else np.moveaxis(x, 1, -1), classes)


def _from_rows(rows: Array, shape: tuple[int, ...]) -> Array:
    """Return (rows, C) in the input's shape (N, C, d1, ...), contiguous as PyTorch's."""
    if len(shape) == 2:
        return rows
    return np.ascontiguousarray(np.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1))


def _targets(target: Array, classes: int, ignore_index: int) -> tuple[Array, Array | None]:
    """Return the flat target with 0 in place of ignore_index, and a mask of those not ignored (None: all).

    Raises: IndexError: for a class out of range.
    """
    flat = target.reshape(-1)
    # Read as unsigned, a negative index is larger than any class: one reduction checks both bounds.
    if flat.size and not 0 <= ignore_index < classes and np.maximum.reduce(flat.view(np.uint64)) < classes:
        return flat, None
    valid = flat != ignore_index
    stray = valid & ((flat < 0) | (flat >= classes))
    if stray.any():
        raise IndexError(f"Target {flat[stray][0]} is out of bounds.")
    return np.where(valid, flat, 0), valid


def _row_weights(target: Array, valid: Array | None, weight: Array | None, dtype: np.dtype[Any]) -> Array | None:
    """Return w[t] of each row, 0 where it is ignored; None where all are 1."""
    if weight is not None:
        w = weight[target]
        return w if valid is None else w * valid
    return None if valid is None else valid.astype(dtype)


def _divisor(reduction: str, row_weights: Array | None, rows: int) -> float:
    if reduction != "mean":
        return 1.0
    return float(rows if row_weights is None else np.add.reduce(row_weights))


def _prepared(
    input: Array, target: Array, weight: Array | None, reduction: str, ignore_index: int
) -> tuple[Array, Array, Array | None, Array | None, float]:
    """Return the rows, the flat position of each target, the mask and weights of the targets, and the divisor."""
    x = _rows_of(input)
    rows, classes = x.shape
    flat, valid = _targets(target, classes, ignore_index)
    w = _row_weights(flat, valid, weight, x.dtype)
    return x, np.arange(0, x.size, classes or 1) + flat if x.size else flat, valid, w, _divisor(reduction, w, rows)


def _reduced(losses: Array, reduction: str, divisor: float, shape: tuple[int, ...]) -> Array:
    """Reduce the losses of the rows to the result; nan for the mean of nothing."""
    if reduction == "none":
        return losses.reshape(shape)
    total = np.add.reduce(losses)
    if reduction == "sum":
        return np.asarray(total)
    return np.asarray(total / divisor if divisor else total * math.nan)


def _row_gradients(g: Array, reduction: str, divisor: float) -> Array:
    """Return the gradient of the loss of each row: an array, or one number for all."""
    if reduction == "none":
        return g.reshape(-1)
    each = g / divisor if reduction == "mean" and divisor else g  # without a divisor every row is ignored
    return np.asarray(each)


@primitive(aten=None)
def coefficients(
    target: Any,
    weight: Any,
    *,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    reduction: str,
    ignore_index: int,
    label_smoothing: float,
) -> Any:
    """Return -K in the shape of the input, divided as the reduction says."""
    classes = shape[1]
    flat, valid = _targets(target, classes, ignore_index)
    w = _row_weights(flat, valid, weight, dtype)
    k = np.zeros((len(flat), classes), dtype)
    if label_smoothing:
        k += (label_smoothing / classes) * (1.0 if weight is None else weight)
        if valid is not None:
            k *= valid[:, None]
    if k.size:
        k[np.arange(len(flat)), flat] += (1.0 - label_smoothing) * (1.0 if w is None else w)
    divisor = _divisor(reduction, w, len(flat))
    k *= -1.0 / (divisor or 1.0)
    return _from_rows(k, shape)


def _weighted(log_p: Any, target: Any, weight: Any, **settings: Any) -> Any:
    losses = log_p * coefficients(target, weight, shape=log_p.shape, dtype=log_p.dtype, **settings)
    return sum_(losses, dim=(1,) if settings["reduction"] == "none" else None, keepdim=False)


def _batch(
    op: Op,
    xs: Any,
    batched: Any,
    size: int,
    /,
    *,
    reduction: str,
    ignore_index: int,
    label_smoothing: float | None = None,
) -> Any:
    if batched[2]:
        return NotImplemented
    weight = xs[2]
    x, target = (as_batch(t, flag, size) for t, flag in zip(xs[:2], batched, strict=False))
    rows = tuple(target.shape)  # (examples, N, ...)
    merged = rows[0] * rows[1]
    smoothing = {} if label_smoothing is None else {"label_smoothing": label_smoothing}
    losses = op(
        reshaped(x, (merged, *x.shape[2:])),
        reshaped(target, (merged, *rows[2:])),
        weight,
        reduction="none",
        ignore_index=ignore_index,
        **smoothing,
    )
    losses = reshaped(losses, rows)
    if reduction != "mean":
        return reduced_examples(losses, reduction)
    counted = target != ignore_index
    if weight is not None:
        counted = index(weight, where(counted, target, 0), at=(0,)) * counted
    return reduced_examples(losses, "sum") / reduced_examples(cast(counted, dtype=x.dtype), "sum")


LOSS = Kind("loss of classes", _batch, loss)

# ----- The ops -----


@fused(node="NllLoss", kind=LOSS)
def nll_loss(input: Any, target: Any, weight: Any, *, reduction: str, ignore_index: int) -> Any:
    """Return the negative log-likelihood of the targets, the input being log-probabilities."""
    x, places, valid, w, divisor = _prepared(input, target, weight, reduction, ignore_index)
    if not x.size:
        return _reduced(np.zeros(len(x), x.dtype), reduction, divisor, target.shape), ()
    losses = -x.reshape(-1)[places]
    if w is not None:
        losses *= w
    if valid is not None:
        losses[~valid] = 0
    return _reduced(losses, reduction, divisor, target.shape), (places, w, divisor)


@nll_loss.backward
def _nll_loss_backward(
    g: Any,
    _y: Any,
    input: Any,
    target: Any,
    weight: Any,
    *,
    saved: Any,
    needs: tuple[bool, ...],
    reduction: str,
    ignore_index: int,
) -> Any:
    """gx = g times -w[t] at the target, 0 elsewhere."""
    if not saved:
        return np.zeros(input.shape, input.dtype), None, None
    places, w, divisor = saved
    each = _row_gradients(g, reduction, divisor)
    gx = np.zeros((len(places), input.shape[1]), input.dtype)
    gx.reshape(-1)[places] = -each if w is None else -each * w
    return _from_rows(gx, input.shape), None, None


@nll_loss.compose
def _nll_loss(input: Any, target: Any, weight: Any, *, reduction: str, ignore_index: int) -> Any:
    return _weighted(input, target, weight, reduction=reduction, ignore_index=ignore_index, label_smoothing=0.0)


@program(rows=("ones",))
def _exponentials_of_rows(x: Any, ones: Any) -> Any:
    top = np.maximum.reduce(x, axis=-1, keepdims=True)
    e = np.exp(x - top)
    return e, top, np.vecdot(e, ones)


@program(rows=("ones", "weight"))
def _exponentials_and_spread_of_rows(x: Any, ones: Any, weight: Any) -> Any:
    """Return the above, and sum of w (x - max)."""
    top = np.maximum.reduce(x, axis=-1, keepdims=True)
    shifted = x - top
    spread = np.vecdot(shifted, weight)
    e = np.exp(shifted)
    return e, top, np.vecdot(e, ones), spread


@program(columns=("factor",))
def _times(x: Any, factor: Any) -> Any:
    return x * factor


@fused(node="NllLoss", kind=LOSS, aten="cross_entropy_loss")
def cross_entropy(
    input: Any, target: Any, weight: Any, *, reduction: str, ignore_index: int, label_smoothing: float
) -> Any:
    """Return the cross-entropy between softmax(input) and the targets."""
    x, places, valid, w, divisor = _prepared(input, target, weight, reduction, ignore_index)
    if not x.size:
        return _reduced(np.zeros(len(x), x.dtype), reduction, divisor, target.shape), ()
    x, classes = np.ascontiguousarray(x), x.shape[1]
    if label_smoothing:
        of_classes = ones(classes, x.dtype) if weight is None else np.ascontiguousarray(weight)
        e, top, total, spread = _exponentials_and_spread_of_rows(x, ones(classes, x.dtype), of_classes)
        spread, spread_weight = spread[:, 0], float(np.add.reduce(of_classes))
    else:
        e, top, total = _exponentials_of_rows(x, ones(classes, x.dtype))
    picked, total = x.reshape(-1)[places] - top[:, 0], total[:, 0]
    log_total = np.log(total)
    losses = log_total - picked
    if w is not None:
        losses *= w
    if valid is not None:
        losses[~valid] = 0
    if label_smoothing:
        smooth = spread_weight * log_total - spread
        if valid is not None:
            smooth[~valid] = 0
        losses *= 1.0 - label_smoothing
        losses += (label_smoothing / classes) * smooth
    return _reduced(losses, reduction, divisor, target.shape), (e, total, places, w, valid, divisor)


@cross_entropy.backward
def _cross_entropy_backward(
    g: Any,
    _y: Any,
    input: Any,
    target: Any,
    weight: Any,
    *,
    saved: Any,
    needs: tuple[bool, ...],
    reduction: str,
    ignore_index: int,
    label_smoothing: float,
) -> Any:
    """gx = g (sum(K) p - K), with K as at the top of this file."""
    if not saved:
        return np.zeros(input.shape, input.dtype), None, None
    e, total, places, w, valid, divisor = saved
    classes = e.shape[1]
    each = _row_gradients(g, reduction, divisor)
    at_target = each if w is None else each * w
    if label_smoothing:
        at_target = at_target * (1.0 - label_smoothing)
        over_all = each * (label_smoothing / classes)
        if valid is not None:
            over_all = over_all * valid
        spread_weight = float(classes if weight is None else np.add.reduce(weight))
        row = (at_target + over_all * spread_weight) / total
    else:
        row = at_target / total
    gx = _times(e, row)
    if label_smoothing:
        over_all = np.broadcast_to(over_all, total.shape)[:, None]
        gx -= over_all if weight is None else over_all * weight
    gx.reshape(-1)[places] -= at_target
    return _from_rows(gx, input.shape), None, None


@cross_entropy.compose
def _cross_entropy(input: Any, target: Any, weight: Any, **settings: Any) -> Any:
    return _weighted(log_softmax(input, dim=1), target, weight, **settings)


# PyTorch takes other paths for images, for inputs that it reshapes to images, and for smoothed targets; its node is
# named after the last step.
of_images = {op: overload(op, "NllLoss2DBackward0") for op in (nll_loss, cross_entropy)}
of_flattened = {op: overload(op, "ViewBackward0") for op in (nll_loss, cross_entropy)}
cross_entropy_smoothed = overload(cross_entropy, "AddBackward0")
