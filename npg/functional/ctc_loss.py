"""Connectionist temporal classification in the torch namespace; nn/classification_loss.py has the other form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg._words import scalar_name
from npg.engine import TensorBase, apply, wrap
from npg.functional._arguments import checked_array
from npg.functional._losses import reduced, reduction_name
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.functional.comparison import eq
from npg.functional.division import div
from npg.functional.reduction import mean
from npg.functional.selection import where
from npg.functional.shape import reshape
from npg.ops import ctc_loss as ops

_CHECKING = "(while checking arguments for ctc_loss_allocate_outputs)"
_INT64 = np.dtype(np.int64)


@public_function
def ctc_loss(
    log_probs: T,
    targets: T,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> T:
    """Return the negative logarithm of the probability of labels, however they are spread over the frames.

    Args:
        log_probs: (T, N, C) or (T, C), logarithms of the probabilities of C classes at T frames.
        targets: (N, S), padded, or (sum of target_lengths,) or (S,): the labels, any classes but blank.
        input_lengths, target_lengths: (N,) or () integers, tensors or both tuples: how many frames and labels count.
        blank: the class that stands for no label.
        reduction: 0 for none; 1 for the mean of the losses, each divided by its number of labels; 2 for the sum.
        zero_infinity: let losses that are infinite, for there are too few frames for the labels, be 0.
    Returns: (N,), or () where reduced or without N.
    Raises: RuntimeError: when a shape, length or label does not fit. NotImplementedError: for another dtype.
    Source: torch.ctc_loss. A label that is no class is refused, where PyTorch reads beyond the log-probabilities.
    """
    x, t = checked_array("ctc_loss", log_probs, "log_probs"), checked_array("ctc_loss", targets, "targets", 2)
    frames, lengths = _lengths(input_lengths, target_lengths)
    if not x.size:
        raise RuntimeError("log_probs tensor must not be empty")
    is_batched = x.ndim == 3
    if x.ndim == 2:
        log_probs = reshape(log_probs, (x.shape[0], 1, x.shape[1]))
        x = x.reshape(x.shape[0], 1, x.shape[1])
    frames, lengths = frames.reshape(-1), lengths.reshape(-1)
    _check(x, t, frames, lengths, blank)
    labels, t = _padded(targets, t, lengths)
    counted = np.arange(t.shape[1]) < lengths[:, None]
    wrong = t[counted & ((t < 0) | (t >= x.shape[2]))]
    if wrong.size:
        raise RuntimeError(f"expected targets from 0 to {x.shape[2] - 1}, got {wrong[0]}")
    inputs = (log_probs, labels, wrap(frames), wrap(lengths))
    losses = apply(ops.ctc_loss, inputs, {"blank": blank, "zero_infinity": bool(zero_infinity)})
    if zero_infinity:
        losses = where(eq(losses, math.inf), 0.0, losses)
    if reduction_name(reduction) == "mean":
        return mean(div(losses, wrap(np.maximum(lengths, 1).astype(x.dtype))))
    if not is_batched:
        losses = reshape(losses, ()) if reduction_name(reduction) == "none" else losses
    return reduced(losses, reduction_name(reduction))


def _lengths(frames: Any, lengths: Any) -> list[Any]:
    """Return both lengths as int64 arrays. Raises: RuntimeError: when they are not integers."""
    arrays = []
    for name, value in (("input_lengths", frames), ("target_lengths", lengths)):
        array = value._array if isinstance(value, TensorBase) else np.asarray(value)
        if array.size and array.dtype.kind not in "iub":
            raise RuntimeError(f"{name} must be integral")
        arrays.append(array.astype(np.int64))
    return arrays


def _check(x: Any, t: Any, frames: Any, lengths: Any, blank: int) -> None:
    if x.dtype.kind != "f" or x.dtype == np.float16:
        raise NotImplementedError(f"\"ctc_loss_cpu\" not implemented for '{scalar_name(x)}'")
    if x.ndim != 3:
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {x.ndim + 1}-dimensional tensor for argument #1 'log_probs' "
            f"{_CHECKING}"
        )
    if not 1 <= t.ndim <= 2:
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {t.ndim}-dimensional tensor for argument #2 'targets' {_CHECKING}"
        )
    count, batch, classes = x.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    if len(frames) != batch:
        raise RuntimeError("input_lengths must be of size batch_size")
    if len(lengths) != batch:
        raise RuntimeError("target_lengths must be of size batch_size")
    for value in lengths:
        if value < 0:
            raise RuntimeError(f"Expected target_lengths to have value at least 0, but got value {value} {_CHECKING}")
    if t.ndim == 1:
        if t.shape[0] != lengths.sum():
            raise RuntimeError(
                f"Expected tensor to have size {lengths.sum()} at dimension 0, but got size {t.shape[0]} for argument "
                f"#2 'targets' {_CHECKING}"
            )
    else:
        if t.shape[0] != batch:
            raise RuntimeError(
                f"Expected tensor to have size {batch} at dimension 0, but got size {t.shape[0]} for argument #2 "
                f"'targets' {_CHECKING}"
            )
        if t.shape[1] < lengths.max():
            raise RuntimeError(
                f"Expected tensor to have size at least {lengths.max()} at dimension 1, but got size {t.shape[1]} for "
                f"argument #2 'targets' {_CHECKING}"
            )
    for value in frames:
        if value < 0:
            raise RuntimeError(f"Expected input_lengths to have value at least 0, but got value {value} {_CHECKING}")
        if value > count:
            raise RuntimeError(
                f"Expected input_lengths to have value at most {count}, but got value {value} {_CHECKING}"
            )


def _padded(targets: Any, t: Any, lengths: Any) -> tuple[Any, Any]:
    """Return the targets as (N, S) int64: the tensor, and its array."""
    if t.ndim == 1:
        padded = np.zeros((len(lengths), int(lengths.max())), np.int64)
        padded[np.arange(padded.shape[1]) < lengths[:, None]] = t
        return wrap(padded), padded
    targets = to_dtype(targets, _INT64)
    return targets, t.astype(np.int64)
