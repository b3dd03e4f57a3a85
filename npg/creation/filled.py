"""Filled tensors, and the questions about tensors and dtypes that torch has at top level."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import dtypes
from npg.engine import TensorBase
from npg.functional._attributes import channels_last, channels_last_3d
from npg.functional._factory import (
    channels_last_array,
    check_options,
    dtype_of,
    fill_number,
    finish,
    leaf,
    like_array,
    number,
    parse_sizes,
)
from npg.functional._public import as_tensor_input
from npg.tensor import Tensor
from npg.tensor.constructing import strided_array
from npg.tensor.memory import Storage

__all__ = [
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "eye",
    "full",
    "full_like",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_inference",
    "is_neg",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_storage",
    "is_tensor",
    "ones",
    "ones_like",
    "result_type",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]


# ----- Filled -----


def zeros(
    *args: Any,
    size: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new leaf full of zeros: zeros(2, 3), zeros((2, 3)). Source: torch.zeros."""
    check_options(layout, device, pin_memory)
    return finish("zeros", np.zeros(parse_sizes("zeros", args, size), dtype_of(dtype, out)), out, requires_grad)


def ones(
    *args: Any,
    size: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new leaf full of ones: ones(2, 3), ones((2, 3)). Source: torch.ones."""
    check_options(layout, device, pin_memory)
    return finish("ones", np.ones(parse_sizes("ones", args, size), dtype_of(dtype, out)), out, requires_grad)


def empty(
    *args: Any,
    size: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return a new uninitialised leaf: empty(2, 3), empty((2, 3)). Source: torch.empty."""
    check_options(layout, device, pin_memory)
    shape, kind = parse_sizes("empty", args, size), dtype_of(dtype, out)
    if memory_format in (channels_last, channels_last_3d):
        return finish("empty", channels_last_array(shape, kind, memory_format), out, requires_grad)
    return finish("empty", np.empty(shape, kind), out, requires_grad)


def full(
    size: Any,
    fill_value: Any,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new leaf full of one number, in the dtype that the number implies. Source: torch.full."""
    check_options(layout, device, pin_memory)
    value = number("full", fill_value, "fill_value", 2)
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    kind = dtypes.scalar_dtype(value).dtype if dtype is None and out is None else dtype_of(dtype, out)
    return finish("full", np.full(parse_sizes("full", (size,)), fill_number(value, kind), kind), out, requires_grad)


def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new uninitialised leaf with these strides, in elements. Source: torch.empty_strided."""
    check_options(layout, device, pin_memory)
    return leaf(strided_array("empty_strided", size, stride, dtype_of(dtype)), requires_grad)


def empty_permuted(
    size: Any,
    physical_layout: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new uninitialised leaf whose dimensions lie in this order, outermost first.

    Source: torch.empty_permuted.
    """
    check_options(layout, device, pin_memory)
    shape, order = parse_sizes("empty_permuted", (tuple(size),)), tuple(int(d) for d in physical_layout)
    if sorted(order) != np.arange(len(shape)).tolist():
        raise RuntimeError(f"expected physical_layout to be a permutation of 0 to {len(shape) - 1}, got {order}")
    array = np.empty([shape[d] for d in order], dtype_of(dtype))
    return leaf(array.transpose(np.argsort(order)) if order else array, requires_grad)


# ----- Like another -----


def _like(
    name: str, input: Any, dtype: Any, layout: Any, device: Any, memory_format: Any, pin_memory: bool
) -> np.ndarray[Any, Any]:
    check_options(layout, device, pin_memory)
    x = as_tensor_input(name, input)
    array = x._array if isinstance(x, TensorBase) else x
    return like_array(array, array.dtype if dtype is None else dtypes.to_numpy(dtype), memory_format)


def zeros_like(
    input: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new leaf full of zeros in the shape of input. Source: torch.zeros_like."""
    array = _like("zeros_like", input, dtype, layout, device, memory_format, pin_memory)
    array.fill(0)
    return leaf(array, requires_grad)


def ones_like(
    input: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new leaf full of ones in the shape of input. Source: torch.ones_like."""
    array = _like("ones_like", input, dtype, layout, device, memory_format, pin_memory)
    array.fill(1)
    return leaf(array, requires_grad)


def empty_like(
    input: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new uninitialised leaf in the shape of input. Source: torch.empty_like."""
    return leaf(_like("empty_like", input, dtype, layout, device, memory_format, pin_memory), requires_grad)


def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new leaf full of one number, in the shape and dtype of input. Source: torch.full_like."""
    array = _like("full_like", input, dtype, layout, device, memory_format, pin_memory)
    array.fill(fill_number(number("full_like", fill_value, "fill_value", 2), array.dtype))
    return leaf(array, requires_grad)


# ----- Patterns -----


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a new (n, m) leaf with ones on the diagonal and zeros elsewhere; m is n by default. Source: torch.eye."""
    check_options(layout, device, pin_memory)
    for name, k in (("n", n), ("m", n if m is None else m)):
        if isinstance(k, bool) or not hasattr(k, "__index__"):
            raise TypeError(f"eye(): argument '{name}' (position 1) must be int, not {type(k).__name__}")
        if k < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {k}")
    return finish("eye", np.eye(n, m, dtype=dtype_of(dtype, out)), out, requires_grad)


def _indices(pick: Any, row: int, col: int, offset: int, dtype: Any) -> np.ndarray[Any, Any]:
    for name, k in (("row", row), ("col", col)):
        if k < 0:
            raise RuntimeError(f"{name} must be non-negative, got{k}")
    kind = dtypes.to_numpy(dtype)
    return np.array(pick(row, offset, col), kind).reshape(2, -1)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64, device: Any = None, layout: Any = None
) -> Tensor:
    """Return the (2, N) indices of the lower triangle of a (row, col) matrix. Source: torch.tril_indices."""
    check_options(layout, device)
    return leaf(_indices(np.tril_indices, row, col, offset, dtype))


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64, device: Any = None, layout: Any = None
) -> Tensor:
    """Return the (2, N) indices of the upper triangle of a (row, col) matrix. Source: torch.triu_indices."""
    check_options(layout, device)
    return leaf(_indices(np.triu_indices, row, col, offset, dtype))


# ----- Questions -----


def is_tensor(obj: Any) -> bool:
    """Tell whether obj is a tensor."""
    return isinstance(obj, Tensor)


def is_storage(obj: Any) -> bool:
    """Tell whether obj is what Tensor.storage() returns."""
    return isinstance(obj, Storage)


def _asked(name: str, input: Any) -> Any:
    x = as_tensor_input(name, input)
    return x if isinstance(x, TensorBase) else leaf(x)


def is_floating_point(input: Any) -> bool:
    """Tell whether the dtype of a tensor is float16, float32 or float64."""
    return _asked("is_floating_point", input).is_floating_point()


def is_complex(input: Any) -> bool:
    """Tell that the dtype of a tensor is not complex."""
    return _asked("is_complex", input).is_complex()


def is_conj(input: Any) -> bool:
    """Tell that a tensor is no lazy conjugate: npg has none."""
    return _asked("is_conj", input).is_conj()


def is_inference(input: Any) -> bool:
    """Tell whether a tensor was made in inference mode."""
    return _asked("is_inference", input).is_inference()


def is_neg(input: Any) -> bool:
    """Tell that a tensor is no lazy negative: npg has none."""
    return _asked("is_neg", input).is_neg()


def is_nonzero(input: Any) -> bool:
    """Tell whether the only element of a tensor is not zero."""
    return _asked("is_nonzero", input).is_nonzero()


def is_same_size(input: Any, other: Any) -> bool:
    """Tell whether two tensors have the same shape."""
    return _asked("is_same_size", input).is_same_size(_asked("is_same_size", other))


def is_signed(input: Any) -> bool:
    """Tell whether the dtype of a tensor has negative values."""
    return _asked("is_signed", input).is_signed()


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
