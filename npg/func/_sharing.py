"""What the batching rules share: batches in other shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npg.creation import zeros
from npg.engine import TensorBase, apply, wrap
from npg.ops import shape

__all__ = ["aligned_to", "as_vectors", "full", "padded", "rank_of", "reshaped", "zeros_of"]


def rank_of(x: Any, flag: bool) -> int:
    """Return the number of dimensions of one example."""
    return (x._array.ndim if isinstance(x, TensorBase) else np.ndim(x)) - flag


def reshaped(x: Any, sizes: tuple[int, ...]) -> Any:
    """Return a tensor in another shape; itself where it has it."""
    return x if tuple(x._array.shape) == sizes else apply(shape.reshape, (x,), {"shape": sizes})


def padded(x: Any, rank: int) -> Any:
    """Return a batch whose examples have that many dimensions, new ones of size 1 in front."""
    size, *rest = x._array.shape
    return reshaped(x, (size, *(1,) * (rank - len(rest)), *rest))


def full(x: Any, flag: bool, size: int) -> Any:
    """Return x with a batch in front."""
    if flag:
        return x
    x = x if isinstance(x, TensorBase) else wrap(np.asarray(x))
    return apply(shape.expand, (x,), {"shape": (size, *x._array.shape)})


def zeros_of(x: Any) -> Any:
    """Return a batch of one example of zeros like those of x, which has none."""
    return zeros((1, *x._array.shape[1:]), dtype=x.dtype)


def aligned_to(xs: Any, flags: Any) -> Any:
    """Return operands that broadcast example by example to those of the first one, None where that is not sure."""
    rank = rank_of(xs[0], flags[0])
    if any(rank_of(x, flag) > rank for x, flag in zip(xs, flags, strict=True)):
        return None
    return tuple([padded(x, rank) if flag else x for x, flag in zip(xs, flags, strict=True)])


def as_vectors(x: Any) -> Any:
    """Return a batch of examples as a batch of vectors."""
    size, *rest = x._array.shape
    return reshaped(x, (size, math.prod(rest)))
