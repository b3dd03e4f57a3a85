"""Filling a whole tensor with zeros or one value: recorded in place, so that the gradient of the old values is zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.ops._broadcast import unbroadcast
from npg.ops._kinds import ELEMENTWISE, FILLING, padded, rank_of
from npg.ops._op import Op, movement
from npg.ops.indexing import assign
from npg.ops.shape import as_batch, overload


@movement(lambda g, _y, _x: np.zeros_like(g), kind=ELEMENTWISE)
def zero(input: Any) -> Any:
    """Return zeros in the shape and dtype of input."""
    return np.zeros_like(input)


@movement(lambda g, _y, _x, _value: np.zeros_like(g), lambda g, _y, _x, _value: unbroadcast(g, ()), kind=FILLING)
def fill(input: Any, value: Any) -> Any:
    """Return the 0-d value in the shape and dtype of input."""
    return np.full_like(input, value)


@fill.batch
def _fill_batch(op: Op, xs: Any, batched: Any, size: int, /) -> Any:
    x, value = xs
    if not batched[1]:
        return op(x, value)
    x = as_batch(x, batched[0], size)
    return assign(x, padded(value, rank_of(x, True)))


# PyTorch's names for the nodes of the two forms.
fill_tensor = overload(fill, "FillBackward3")
fill.node_name = "FillBackward2"
