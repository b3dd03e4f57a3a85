"""Rows of a table looked up by index."""

from __future__ import annotations

import numpy as np

from npg import engine
from npg._words import scalar_name
from npg.engine import TensorBase, apply
from npg.functional._arguments import checked_array
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.ops import embedding as embedding_ops

# ----- Embedding -----


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
        max_norm: scale the rows that are looked up, and whose norm is larger, down to it; this changes weight.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide a row's gradient by how often its index occurs.
        sparse: has no effect: gradients are dense.
    Returns: (..., C).
    Raises: IndexError: when an index is out of range. RuntimeError: for another dtype of input or shape of weight.
    Source: torch.nn.functional.embedding; with weight before input it is torch.embedding.
    """
    w = checked_array("embedding", weight, "weight", 2)
    index = checked_array("embedding", input, "indices")
    if index.dtype != np.int64:
        if index.dtype.kind == "f" and w.dtype in (np.int64, np.int32):  # torch.embedding takes the weight first
            return embedding(weight, input, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        if index.dtype != np.int32:
            kind = "CPUBoolType" if index.dtype == bool else f"npg.{scalar_name(index)}Tensor"
            raise RuntimeError(
                "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but "
                f"got {kind} instead (while checking arguments for embedding)"
            )
        input = to_dtype(input, np.dtype(np.int64))
    if w.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if padding_idx is not None:
        if not -w.shape[0] <= padding_idx < w.shape[0]:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= w.shape[0]
    if max_norm is not None:
        with engine.no_grad():
            if isinstance(weight, TensorBase):
                engine.check_in_place(weight)
            embedding_ops.renorm_rows(w, index.astype(np.int64, copy=False), max_norm, norm_type)
            if isinstance(weight, TensorBase):
                engine.bump_version(weight)
    settings = {"padding_idx": padding_idx, "scale_grad_by_freq": scale_grad_by_freq}
    return apply(embedding_ops.embedding, (weight, input), settings)
