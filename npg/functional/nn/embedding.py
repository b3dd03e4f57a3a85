"""Rows of a table looked up by index, and one-hot vectors."""

from __future__ import annotations

import numpy as np

from npg import engine
from npg.engine import TensorBase, wrap
from npg.functional._arguments import checked_array
from npg.functional._public import public_function
from npg.functional._types import T
from npg.functional.embedding import checked_table, embedding as rows_of
from npg.ops.embedding import renorm_rows


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
        if not -w.shape[0] <= padding_idx < w.shape[0]:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= w.shape[0]
    if max_norm is not None:
        with engine.no_grad():
            if isinstance(weight, TensorBase):
                engine.check_in_place(weight)
            renorm_rows(w, index.astype(np.int64, copy=False), max_norm, norm_type)
            if isinstance(weight, TensorBase):
                engine.bump_version(weight)
    return rows_of(weight, input, -1 if padding_idx is None else padding_idx, scale_grad_by_freq, sparse)


@public_function
def one_hot(tensor: T, num_classes: int = -1) -> T:
    """Return zeros with a one at each class.

    Args:
        tensor: classes, int64, any shape, not negative.
        num_classes: -1 means the largest class plus one.
    Returns: shape of tensor and a last dimension of num_classes; int64.
    Raises: RuntimeError: for another dtype, a class that is negative or too large, or nothing to infer the number from.
    Source: torch.nn.functional.one_hot.
    """
    array = checked_array("one_hot", tensor, "tensor")
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
    return wrap(out.reshape(*array.shape, num_classes))
