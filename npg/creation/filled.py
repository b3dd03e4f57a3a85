"""Filled tensors: of a given size, like another tensor, and with a pattern."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import dtypes
from npg._words import scalar_name
from npg.functional._attributes import channels_last, channels_last_3d, check_memory_format
from npg.functional._factory import (
    channels_last_array,
    check_options,
    dtype_of,
    empty_array_like,
    fill_number,
    finish,
    leaf,
    new_array,
    number,
    parse_sizes,
    placed,
)
from npg.functional._public import new_function
from npg.tensor import Tensor
from npg.tensor.constructing import strided_array

# ----- Filled -----


@new_function
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
    place = check_options(layout, device, pin_memory)
    shape, kind = parse_sizes("zeros", args, size), dtype_of(dtype, out)
    return finish("zeros", new_array(place, shape, kind, np.zeros), out, requires_grad, True)


@new_function
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
    place = check_options(layout, device, pin_memory)
    shape, kind = parse_sizes("ones", args, size), dtype_of(dtype, out)
    return finish("ones", new_array(place, shape, kind, np.ones), out, requires_grad, True)


@new_function
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
    place = check_options(layout, device, pin_memory)
    check_memory_format("empty", memory_format)
    shape, kind = parse_sizes("empty", args, size), dtype_of(dtype, out)
    if memory_format in (channels_last, channels_last_3d):
        return finish("empty", placed(channels_last_array(shape, kind, memory_format), place), out, requires_grad)
    return finish("empty", new_array(place, shape, kind), out, requires_grad)


@new_function
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
    """Return a new leaf full of one number, in the number's default dtype. Source: torch.full."""
    place = check_options(layout, device, pin_memory)
    value = number("full", fill_value, "fill_value", 2)
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    kind = dtypes.scalar_dtype(value).dtype if dtype is None and out is None else dtype_of(dtype, out)
    filled = lambda shape, kind: np.full(shape, fill_number(value, kind), kind)
    return finish("full", new_array(place, parse_sizes("full", (size,)), kind, filled), out, requires_grad, True)


@new_function
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
    place = check_options(layout, device, pin_memory)
    return leaf(strided_array("empty_strided", size, stride, dtype_of(dtype), place), requires_grad)


@new_function
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
    """Return a new uninitialised leaf with this order of dimensions in memory, outermost first.

    Source: torch.empty_permuted.
    """
    place = check_options(layout, device, pin_memory)
    shape, order = parse_sizes("empty_permuted", (tuple(size),)), tuple(int(d) for d in physical_layout)
    if sorted(order) != np.arange(len(shape)).tolist():
        raise RuntimeError(f"expected physical_layout to be a permutation of 0 to {len(shape) - 1}, got {order}")
    array = new_array(place, tuple([shape[d] for d in order]), dtype_of(dtype))
    return leaf(array.transpose(np.argsort(order)) if order else array, requires_grad)


# ----- Like another -----


@new_function
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
    array = empty_array_like("zeros_like", input, dtype, layout, device, memory_format, pin_memory)
    array.fill(0)
    return leaf(array, requires_grad)


@new_function
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
    array = empty_array_like("ones_like", input, dtype, layout, device, memory_format, pin_memory)
    array.fill(1)
    return leaf(array, requires_grad)


@new_function
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
    return leaf(empty_array_like("empty_like", input, dtype, layout, device, memory_format, pin_memory), requires_grad)


@new_function
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
    array = empty_array_like("full_like", input, dtype, layout, device, memory_format, pin_memory)
    array.fill(fill_number(number("full_like", fill_value, "fill_value", 2), array.dtype))
    return leaf(array, requires_grad)


# ----- Patterns -----


@new_function
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
    place = check_options(layout, device, pin_memory)
    for name, k in (("n", n), ("m", n if m is None else m)):
        if isinstance(k, bool) or not hasattr(k, "__index__"):
            raise TypeError(f"eye(): argument '{name}' (position 1) must be int, not {type(k).__name__}")
        if k < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {k}")
    return finish("eye", placed(np.eye(n, m, dtype=dtype_of(dtype, out)), place), out, requires_grad, True)


def _indices(pick: Any, row: int, col: int, offset: int, dtype: Any) -> np.ndarray[Any, Any]:
    kind = np.dtype(np.int64) if dtype is None else dtypes.to_numpy(dtype)
    for name, k in (("row", row), ("col", col)):
        if k < 0:
            raise RuntimeError(f"{name} must be non-negative, got{k}")
    if kind.char not in "lqi":
        raise NotImplementedError(f"\"{pick.__name__}\" not implemented for '{scalar_name(kind)}'")
    return np.array(pick(row, offset, col), kind).reshape(2, -1)


@new_function
def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = dtypes.int64,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the (2, N) indices of the lower triangle of a (row, col) matrix. Source: torch.tril_indices."""
    place = check_options(layout, device, pin_memory)
    return leaf(placed(_indices(np.tril_indices, row, col, offset, dtype), place))


@new_function
def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = dtypes.int64,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return the (2, N) indices of the upper triangle of a (row, col) matrix. Source: torch.triu_indices."""
    place = check_options(layout, device, pin_memory)
    return leaf(placed(_indices(np.triu_indices, row, col, offset, dtype), place))
