"""The gradients that a backward pass starts from, and the copies that it hands out."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _errors
from npg._words import size_text
from npg.kernels import meta
from npg.kernels.meta import MetaArray
from npg.ops.indexing import assign
from npg.ops.shape import contiguous
from npg.ops.strided import overlaps


def check_gradient(index: int, root: Any, g: Any, recorded: bool, wrap: Any) -> Any:
    """Return the gradient to start from at a root: an ndarray, or a tensor for a recorded backward.

    Raises: RuntimeError: when its shape is not the root's.
    """
    array = root._array
    if g is None:
        ones = meta.like(array) if isinstance(array, MetaArray) else np.ones(array.shape, array.dtype)
        return wrap(ones) if recorded else ones
    shape = g._array.shape
    if shape != array.shape:
        raise RuntimeError(
            _errors.GRADIENT_SHAPE.format(
                index=index,
                given=size_text(shape),
                expected=size_text(array.shape),
            )
        )
    if g._array.dtype != array.dtype:
        return g.to(array.dtype) if recorded else g._array.astype(array.dtype)
    return g if recorded else g._array


def _is_dense(array: Any) -> bool:
    order = sorted(range(array.ndim), key=lambda d: -array.strides[d])
    return bool(array.transpose(order).flags.c_contiguous)


def copy_in_layout(g: Any, array: Any) -> Any:
    """Return a copy of a gradient with the strides of the leaf's array where that is dense, else in C order."""
    if isinstance(g, MetaArray):
        return g
    if not _is_dense(array):
        return np.array(g, order="C")
    copy = np.empty_like(array)
    copy[...] = g
    return copy


def recorded_copy(g: Any, array: Any, wrap: Any, apply_in_place: Any) -> Any:
    """Return a recorded copy of a gradient with the strides of `copy_in_layout`, and nodes as in PyTorch."""
    if not _is_dense(array):
        return contiguous(g)
    return apply_in_place(assign, (wrap(np.empty_like(array)), g), {})


def own_copy(g: Any) -> Any:
    """Return a copy of a gradient to hand out, with the same strides, or in C order where it was expanded."""
    if isinstance(g, MetaArray):
        return g
    return np.array(g, order="C" if overlaps(g) else "K")
