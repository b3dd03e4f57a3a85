"""Rows of a table looked up by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import engine
from npg._naming import named
from npg._words import scalar_name, shape_text
from npg.engine import TensorBase, apply, array_of, wrap
from npg.functional._arguments import checked_array
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.functional.split import narrow
from npg.ops import embedding as ops


def checked_table(weight: Any, indices: Any) -> tuple[Any, Any]:
    """Return the arrays of a table and of indices into it.

    Raises: RuntimeError: when the table is not 2-D, or the indices are neither int64 nor int32.
    """
    w, index = checked_array("embedding", weight, "weight"), checked_array("embedding", indices, "indices", 2)
    if w.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    _check_scalar_type("embedding", index, "indices", 1, "Long, Int", "lqi")
    return w, index


def _check_scalar_type(name: str, x: Any, argument: str, position: int, allowed: str, chars: str) -> None:
    if x.dtype.char not in chars:
        kind = "CPUBoolType" if x.dtype == bool else named(f"npg.{scalar_name(x)}Tensor")
        raise RuntimeError(
            f"Expected tensor for argument #{position} '{argument}' to have one of the following scalar types: "
            f"{allowed}; but got {kind} instead (while checking arguments for {name})"
        )


@public_function
def embedding(
    weight: T, indices: T, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> T:
    """Return the rows of weight at the indices.

    Args:
        weight: (V, C).
        indices: (...) int64 or int32.
        padding_idx: a row whose gradient is 0; no row if negative.
        scale_grad_by_freq: divide a row's gradient by the number of times its index occurs.
        sparse: has no effect: gradients are dense.
    Returns: (..., C).
    Raises: IndexError: when an index is out of range. RuntimeError: for another dtype of indices or shape of weight.
    Source: torch.embedding.
    """
    w, index = checked_table(weight, indices)
    padded = padding_idx if 0 <= padding_idx < w.shape[0] else None
    return rows_of(weight, indices, index, padded, scale_grad_by_freq)


def rows_of(weight: Any, indices: Any, index: Any, padding_idx: int | None, scale_grad_by_freq: bool) -> Any:
    """Return the rows of a table that was checked, as were the indices, whose array `index` is."""
    if index.dtype != np.int64:
        indices = to_dtype(indices, np.dtype(np.int64))
    settings = {"padding_idx": padding_idx, "scale_grad_by_freq": scale_grad_by_freq}
    return apply(ops.embedding, (weight, indices), settings)


@public_function
def embedding_renorm_(input: T, indices: T, max_norm: float, norm_type: float) -> T:
    """Scale the rows at the indices whose norm is larger than max_norm down to it, in place.

    Args:
        input: (V, C).
        indices: (...) int64 or int32.
        norm_type: the p of the norm.
    Raises: RuntimeError: when input is not 2-D, or indices are of another dtype. IndexError: for an index out of range.
    Source: torch.embedding_renorm_.
    """
    name = "embedding_renorm_"
    w, index = checked_array(name, input), checked_array(name, indices, "indices", 2)
    if engine.is_grad_enabled() and getattr(input, "requires_grad", False):
        engine.check_in_place(input)
    if w.ndim != 2:
        raise RuntimeError(
            f"Expected 2-dimensional tensor, but got {w.ndim}-dimensional tensor for argument #1 'self' (while "
            f"checking arguments for {name})"
        )
    _check_scalar_type(name, index, "indices", 2, "Long, Int", "lqi")
    wrong = index[(index < 0) | (index >= w.shape[0])]
    if wrong.size:
        raise IndexError(
            f"select(): index {wrong.flat[0]} out of range for tensor of size {shape_text(w.shape)} at dimension 0"
        )
    limit_rows(input, index.astype(np.int64, copy=False), max_norm, norm_type)
    return input


def limit_rows(table: Any, index: Any, max_norm: float, norm_type: float) -> None:
    """Scale rows of a tensor or ndarray down in place, unrecorded: see ops.renorm_rows."""
    with engine.no_grad():
        if isinstance(table, TensorBase):
            engine.check_in_place(table)
        ops.renorm_rows(array_of(table), index, max_norm, norm_type)
        if isinstance(table, TensorBase):
            engine.bump_version(table)


# ----- Bags -----

MODES = ("sum", "mean", "max")


@public_function
def embedding_bag(
    weight: T,
    indices: T,
    offsets: T,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: T | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[T, T, T, T]:
    """Return the sums, means or maxima of bags of rows of a table.

    Args:
        weight: (V, C), floating.
        indices: (N,) int64 or int32: the rows of all bags, one bag after the other.
        offsets: (B,) int64 or int32: where in indices each bag begins, from 0, ascending.
        scale_grad_by_freq: divide a row's gradient by the number of times its index occurs.
        mode: 0 for sum, 1 for mean, 2 for max.
        sparse: has no effect: gradients are dense.
        per_sample_weights: (N,), of the dtype of weight: the factor of each row in a sum.
        include_last_offset: offsets has one element more, the end of the last bag.
        padding_idx: an index that does not count, from the end if negative.
    Returns: (B, C), 0 for an empty bag; the bag of each index; the sizes of the bags; for max, the indices of the rows
        that were taken, (B, C). The second and third are as PyTorch's only where its kernel needs them.
    Raises: RuntimeError: when a shape, dtype, index or offset does not fit.
    Source: torch.embedding_bag. Differences: scale_grad_by_freq divides by the frequency of the row itself, where
        PyTorch's kernel takes another row's for most; and what follows the last offset is in no bag, of which
        PyTorch's kernels have two opinions.
    """
    name = "embedding_bag"
    w, index = checked_array(name, weight, "weight"), checked_array(name, indices, "indices", 2)
    starts = checked_array(name, offsets, "offsets", 3)
    factors = None if per_sample_weights is None else checked_array(name, per_sample_weights, "per_sample_weights", 7)
    _check_bags(w, index, starts, factors, mode, include_last_offset)
    if padding_idx is not None:
        if not -w.shape[0] <= padding_idx < w.shape[0]:
            raise RuntimeError(
                f"padding_idx must be within the number of embeddings, {-w.shape[0]} through {w.shape[0] - 1}, but got "
                f"{padding_idx}"
            )
        padding_idx %= w.shape[0]
    count = len(starts) - include_last_offset
    ends = np.append(starts[1:], [] if include_last_offset else [index.size]).astype(np.int64)
    bags = np.repeat(np.arange(count), ends - starts[:count]) if count else np.zeros(0, np.int64)
    dtype = index.dtype
    if len(bags) < index.size:  # what follows the last offset belongs to no bag
        indices = narrow(indices, 0, 0, len(bags))
        per_sample_weights = None if per_sample_weights is None else narrow(per_sample_weights, 0, 0, len(bags))
    settings = {
        "count": count, "mode": MODES[mode], "padding_idx": padding_idx, "scale_grad_by_freq": scale_grad_by_freq,
    }  # fmt: skip
    inputs = (weight, to_dtype(indices, np.dtype(np.int64)), wrap(bags), per_sample_weights)
    output, sizes, largest = apply(ops.embedding_bag, inputs, settings)
    if mode == 0:
        sizes = largest = wrap(np.zeros(count, dtype))
        if padding_idx is None and w.dtype != np.float64:
            bags = bags[:0]  # PyTorch's kernel for these needs none
    return output, wrap(bags.astype(dtype)), to_dtype(sizes, dtype), to_dtype(largest, dtype)


def _check_bags(w: Any, index: Any, starts: Any, factors: Any, mode: int, include_last_offset: bool) -> None:
    name = "embedding_bag"
    if index.ndim not in (1, 2):
        raise RuntimeError(f"input has to be a 1D or 2D Tensor, but got Tensor of dimension {index.ndim}")
    if index.ndim == 1 and starts.ndim != 1:
        raise RuntimeError(f"offsets has to be a 1D Tensor, but got Tensor of dimension {starts.ndim}")
    if w.ndim != 2:
        raise RuntimeError(f"weight has to be a 2D Tensor, but got Tensor of dimension {w.ndim}")
    _check_scalar_type(name, index, "indices", 1, "Long, Int", "lqi")
    _check_scalar_type(name, starts, "indices", 1, "Long, Int", "lqi")  # PyTorch promotes both to one dtype
    _check_scalar_type(name, w, "weight", 1, "Half, BFloat16, Float, Double", "efd")
    if mode not in (0, 1, 2):
        raise RuntimeError("`mode` must be sum, mean, or max.")
    if include_last_offset and not starts.size:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if starts.size and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {starts[0]}"
        )
    if starts.size and starts[-1] > index.shape[0]:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {index.shape[0]} but got offsets[-1] of {starts[-1]}"
        )
    if (starts[1:] < starts[:-1]).any():
        raise RuntimeError(f"expected offsets in ascending order, got {starts.tolist()}")
    if factors is not None:
        if mode != 0:
            raise RuntimeError("embedding_bag: per_sample_weights only supported with mode='sum'")
        if factors.dtype != w.dtype:
            kinds = [named(f"npg.{scalar_name(x)}Tensor") for x in (w, factors)]
            raise RuntimeError(
                "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
                f"'per_sample_weights'; but type {kinds[0]} does not equal {kinds[1]} (while checking arguments for "
                f"{name})"
            )
        for condition, holds in (("dim() == 1", factors.ndim == 1), ("numel() == indices.numel()", factors.size == index.size)):  # fmt: skip  # noqa: E501
            if not holds:
                raise RuntimeError(
                    f"Expected per_sample_weights.value().{condition} to be true, but got false.  (Could this error "
                    "message be improved?  If so, please report an enhancement request to PyTorch.)"
                )
    wrong = np.flatnonzero((index < 0) | (index >= w.shape[0]))
    if wrong.size:
        raise RuntimeError(
            f"Index {wrong[0]} of input takes value {index.flat[wrong[0]]} which is not in the valid range "
            f"[0, {w.shape[0]})"
        )
