"""Filling a tensor with one value: fill_, zero_."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.engine import TensorBase, apply, apply_in_place, array_of, bump_version, check_in_place, is_grad_enabled
from npg.functional._factory import fill_number
from npg.functional._in_place import each_once
from npg.functional._public import as_tensor_input, public_function, to_dtype
from npg.functional._types import T
from npg.ops import fill as ops
from npg.ops.elementwise import clone
from npg.ops.strided import overlaps


def _recorded(*tensors: Any) -> bool:
    return is_grad_enabled() and any(isinstance(t, TensorBase) and t.requires_grad for t in tensors)


@public_function
def zero_(input: T) -> T:
    """Set every element of input to zero, in place.

    Returns: input.
    Source: torch.Tensor.zero_.
    """
    if overlaps(input._array):
        zero_(each_once(input))
        return input
    if _recorded(input):
        return apply_in_place(ops.zero, (input,), {})
    check_in_place(input)
    input._array.fill(0)
    bump_version(input)
    return input


@public_function
def fill_(input: T, value: Any) -> T:
    """Set every element of input to value, in place.

    Args:
        value: a number, or a 0-d tensor, through which gradients flow.
    Returns: input.
    Raises: RuntimeError: when value has dimensions, or does not fit in the dtype.
    Source: torch.Tensor.fill_.
    """
    array = input._array
    if isinstance(value, (TensorBase, np.ndarray)):
        ndim = np.ndim(array_of(value))
        if ndim:
            raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {ndim} dimensions.")
        if _recorded(input, value):
            return apply_in_place(ops.fill_tensor, (input, to_dtype(value, array.dtype)), {})
        new = array_of(value).astype(array.dtype)
    elif isinstance(value, (bool, int, float, np.generic)):
        new = fill_number(value.item() if isinstance(value, np.generic) else value, array.dtype)
        if overlaps(array):
            fill_(each_once(input), value)
            return input
        if _recorded(input):
            return apply_in_place(ops.fill, (input, new), {})
    else:
        raise TypeError(f"fill_(): argument 'value' (position 1) must be Number or Tensor, not {type(value).__name__}")
    check_in_place(input)
    array.fill(new)
    bump_version(input)
    return input


@public_function
def fill(input: T, value: Any) -> T:
    """Return a tensor like input with every element set to value (see fill_)."""
    return fill_(apply(clone, (as_tensor_input("fill", input),), {}), value)
