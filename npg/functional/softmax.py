"""Softmax and its logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import dtypes
from npg._errors import OUT_DTYPE
from npg.engine import apply
from npg.functional._arguments import checked_array, dim_index
from npg.functional._public import apply_floating, public_function, to_dtype, writes
from npg.functional._types import T
from npg.ops import softmax as ops
from npg.ops._op import Op
from npg.ops.elementwise import clone


def apply_softmax(op: Op, name: str, input: Any, dim: Any, dtype: Any) -> Any:
    """Apply softmax or its logarithm; name is the function's name in messages."""
    array = checked_array(name, input)
    if type(dim) is int and -array.ndim <= dim < array.ndim:
        dim %= array.ndim
    else:
        dim = dim_index(name, dim, array.ndim)
    if dtype is not None:
        input = to_dtype(input, dtypes.to_numpy(dtype))
        array = checked_array(name, input)
    if array.dtype.char in "fd":
        return apply(op, (input,), {"dim": dim})
    if not array.size and array.dtype != np.float16:
        return apply(clone, (input,), {})  # PyTorch runs no kernel
    last = "_lastdim" if dim == max(array.ndim, 1) - 1 else ""
    kernel = op.name + last + "_kernel_impl"
    return apply_floating(op, (input,), {"dim": dim}, kernel)


@public_function
@writes(OUT_DTYPE, looks=())
def softmax(input: T, dim: int, dtype: Any = None, *, out: Any = None) -> T:
    """Return exp(input) / sum(exp(input)) over a dimension.

    Args:
        input: floating, any shape.
        dim: the dimension along which the results sum to 1.
        dtype: cast the input to this dtype first.
    Returns: the shape of input.
    Raises: IndexError: when dim is out of range. NotImplementedError: for integers without dtype=.
    Source: torch.softmax.
    """
    return apply_softmax(ops.softmax, "softmax", input, dim, dtype)


@public_function
@writes(OUT_DTYPE, looks=())
def log_softmax(input: T, dim: int, dtype: Any = None, *, out: Any = None) -> T:
    """Return the logarithm of softmax, computed without overflow.

    Args as in softmax.
    Source: torch.log_softmax.
    """
    return apply_softmax(ops.log_softmax, "log_softmax", input, dim, dtype)
