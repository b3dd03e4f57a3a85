"""Rows of a table looked up by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg._naming import named
from npg._words import scalar_name
from npg.engine import apply
from npg.functional._arguments import checked_array
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.ops import embedding as ops


def checked_table(weight: Any, indices: Any) -> tuple[Any, Any]:
    """Return the arrays of a table and of indices into it.

    Raises: RuntimeError: when the table is not 2-D, or the indices are neither int64 nor int32.
    """
    w, index = checked_array("embedding", weight, "weight"), checked_array("embedding", indices, "indices", 2)
    if w.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if index.dtype not in (np.int64, np.int32):
        kind = "CPUBoolType" if index.dtype == bool else named(f"npg.{scalar_name(index)}Tensor")
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but "
            f"got {kind} instead (while checking arguments for embedding)"
        )
    return w, index


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
    if index.dtype != np.int64:
        indices = to_dtype(indices, np.dtype(np.int64))
    padded = padding_idx if 0 <= padding_idx < w.shape[0] else None
    return apply(ops.embedding, (weight, indices), {"padding_idx": padded, "scale_grad_by_freq": scale_grad_by_freq})
