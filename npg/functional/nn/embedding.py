"""Rows of a table looked up by index, and one-hot vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._errors import warn
from npg._words import size_text
from npg.engine import wrap
from npg.functional._arguments import checked_array, index_of
from npg.functional._factory import beside
from npg.functional._public import public_function
from npg.functional._types import T
from npg.functional.embedding import MODES, checked_table, embedding_bag as bags_of, limit_rows, rows_of
from npg.functional.shape import reshape
from npg.kernels.meta import needs_data


@public_function
def embedding(
    input: T,
    weight: T,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> T:
    """Return the rows of weight at the indices.

    Args:
        input: (...) int64 or int32 indices.
        weight: (V, C).
        padding_idx: a row whose gradient is 0; counted from the end if negative.
        max_norm: scale looked-up rows of larger norm down to it, in place in weight.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide a row's gradient by the number of times its index occurs.
        sparse: has no effect: gradients are dense.
    Returns: (..., C).
    Raises: IndexError: when an index is out of range. RuntimeError: for another dtype of input or shape of weight.
    Source: torch.nn.functional.embedding.
    """
    w, index = checked_table(weight, input)
    if padding_idx is not None:
        padding_idx = index_of(padding_idx)
        if not -w.shape[0] <= padding_idx < w.shape[0]:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= w.shape[0]
    if max_norm is not None:
        limit_rows(weight, index.astype(np.int64, copy=False), max_norm, norm_type)
    return rows_of(weight, input, index, padding_idx, scale_grad_by_freq)


@public_function
def embedding_bag(
    input: T,
    weight: T,
    offsets: T | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: T | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> T:
    """Return the sums, means or maxima of bags of rows of a table.

    Args:
        input: (B, N) int64 or int32 indices, B bags; or (N,), the indices of all bags, with offsets.
        weight: (V, C).
        offsets: (B,), where in a 1-D input each bag begins, from 0.
        max_norm, norm_type: scale looked-up rows of larger norm down to it, in place in weight.
        scale_grad_by_freq: divide a row's gradient by the number of times its index occurs; not for "max".
        mode: "sum", "mean" or "max".
        sparse: has no effect: gradients are dense.
        per_sample_weights: of the shape of input: the factor of each row, for "sum".
        include_last_offset: offsets has one element more, the end of the last bag.
        padding_idx: an index that does not count, from the end if negative.
    Returns: (B, C), 0 for an empty bag.
    Raises: ValueError, NotImplementedError, RuntimeError: when arguments do not fit.
    Source: torch.nn.functional.embedding_bag.
    """
    name = "embedding_bag"
    index, w = checked_array(name, input), checked_array(name, weight, "weight", 2)
    if w.dtype == np.int64 and index.dtype.kind == "f":
        warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`."
        )
        weight, input, w, index = input, weight, index, w
    if per_sample_weights is not None:
        sizes = checked_array(name, per_sample_weights, "per_sample_weights", 9).shape
        if sizes != index.shape:
            raise ValueError(
                f"embedding_bag: If per_sample_weights ({size_text(sizes)}) is not None, then it must have the same "
                f"shape as the input ({size_text(index.shape)})"
            )
    if w.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {w.ndim}")
    starts: Any = offsets
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        if not index.shape[1]:
            raise RuntimeError("step must be nonzero")
        starts = wrap(np.arange(0, index.size, index.shape[1], dtype=index.dtype))
        include_last_offset = False
        input = reshape(input, (-1,))
        if per_sample_weights is not None:
            per_sample_weights = reshape(per_sample_weights, (-1,))
    elif index.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {index.ndim}")
    elif offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    elif checked_array(name, offsets, "offsets", 3).ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    if mode not in MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        limit_rows(weight, index.astype(np.int64, copy=False), max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    return bags_of(
        weight, input, starts, scale_grad_by_freq, MODES.index(mode), sparse, per_sample_weights, include_last_offset,
        padding_idx,
    )[0]  # fmt: skip


@public_function
def one_hot(input: T, num_classes: int = -1) -> T:
    """Return zeros with a one at each class.

    Args:
        input: classes, int64, any shape, not negative.
        num_classes: -1 means the largest class plus one.
    Returns: shape of input and a last dimension of num_classes; int64.
    Raises: RuntimeError: for another dtype, a class that is negative or too large, or nothing to infer the number from.
    Source: torch.nn.functional.one_hot.
    """
    array = checked_array("one_hot", input)
    if num_classes == -1:
        needs_data("one_hot", array)
    if array.dtype.char not in "lq":
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if not array.size:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return wrap(np.zeros((*array.shape, num_classes), np.int64))
    if array.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    largest = int(array.max())
    if num_classes == -1:
        num_classes = largest + 1
    elif largest >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    out = np.zeros((array.size, num_classes), np.int64)
    out[np.arange(array.size), array.reshape(-1)] = 1
    return beside(out.reshape(*array.shape, num_classes), array)
