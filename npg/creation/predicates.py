"""Predicates on tensors and dtypes in the torch namespace."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import dtypes
from npg.engine import TensorBase
from npg.functional._factory import leaf
from npg.functional._public import as_tensor_input, new_function
from npg.tensor import Tensor
from npg.tensor.storage import Storage


@new_function
def is_tensor(obj: Any) -> bool:
    """Tell whether obj is a tensor."""
    return isinstance(obj, Tensor)


@new_function
def is_storage(obj: Any) -> bool:
    """Tell whether obj is a result of Tensor.storage()."""
    return isinstance(obj, Storage)


def _asked(name: str, input: Any) -> Any:
    x = as_tensor_input(name, input)
    return x if isinstance(x, TensorBase) else leaf(x)


@new_function
def is_floating_point(input: Any) -> bool:
    """Tell whether the dtype of a tensor is float16, float32 or float64."""
    return _asked("is_floating_point", input).is_floating_point()


@new_function
def is_complex(input: Any) -> bool:
    """Return False: npg has no complex dtypes."""
    return _asked("is_complex", input).is_complex()


@new_function
def is_conj(input: Any) -> bool:
    """Return False: npg has no lazy conjugates."""
    return _asked("is_conj", input).is_conj()


@new_function
def is_inference(input: Any) -> bool:
    """Tell whether a tensor was made in inference mode."""
    return _asked("is_inference", input).is_inference()


@new_function
def is_neg(input: Any) -> bool:
    """Return False: npg has no lazy negatives."""
    return _asked("is_neg", input).is_neg()


@new_function
def is_nonzero(input: Any) -> bool:
    """Tell whether the only element of a tensor is not zero."""
    return _asked("is_nonzero", input).is_nonzero()


@new_function
def is_same_size(input: Any, other: Any) -> bool:
    """Tell whether two tensors have the same shape."""
    return _asked("is_same_size", input).is_same_size(_asked("is_same_size", other))


@new_function
def is_signed(input: Any) -> bool:
    """Tell whether the dtype of a tensor has negative values."""
    return _asked("is_signed", input).is_signed()


@new_function
def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """Return the dtype that an operation on two tensors or numbers computes in. Source: torch.result_type."""
    operands = []
    for x in (tensor1, tensor2):
        if isinstance(x, TensorBase):
            x = x._array
        elif not isinstance(x, (np.ndarray, np.generic, bool, int, float)):
            raise TypeError(f"result_type(): arguments must be Tensor or Number, not {type(x).__name__}")
        operands.append(x)
    return dtypes.common_dtype(operands)
