"""New tensors from an existing one (new_zeros and the like), and the arguments of the constructors."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import dtypes
from npg.engine import TensorBase
from npg.functional._attributes import CPU, META, Size, device as device_type, place_of
from npg.functional._factory import (
    check_options,
    fill_number,
    leaf,
    new_array,
    number,
    parse_sizes,
    place_like,
    placed,
)
from npg.functional._public import public_function
from npg.functional._types import T
from npg.kernels import meta
from npg.tensor.data import copied, shared

# ----- The constructors -----


def constructed(
    data: tuple[Any, ...], size: Any, dtype: np.dtype[Any], keep: bool, device: Any = None
) -> np.ndarray[Any, Any]:
    """Return the array for a call of Tensor or of a typed constructor such as FloatTensor, on a device.

    Args:
        dtype: of the result; an ndarray of this dtype is shared, any other cast.
        keep: a tensor keeps its dtype (Tensor); otherwise it must have this one (FloatTensor).
    Raises: TypeError, ValueError: for data that is not numeric, ragged sequences, or an ndarray that cannot be shared.
        AssertionError, RuntimeError: for a device that npg does not have.
    """
    if device is not None and place_of(device) is META:
        raise RuntimeError("legacy constructor expects device type: cpu but device type: meta was passed")
    if size is not None:
        return np.empty(parse_sizes("new", data, size), dtype)
    if not data:
        return np.empty((0,), dtype)
    first = data[0]
    count = isinstance(first, np.ndarray) and not first.ndim and first.dtype.kind in "iu"
    if len(data) > 1 or count or isinstance(first, (Size, int, np.integer)) and not isinstance(first, bool):
        return np.empty(parse_sizes("new", data), dtype)
    if isinstance(first, np.ndarray):
        return shared(first, dtype)
    if isinstance(first, TensorBase):
        if not keep and first._array.dtype != dtype:
            expected, actual = dtypes.from_numpy(dtype), dtypes.from_numpy(first._array.dtype)
            raise TypeError(f"expected a tensor of dtype {expected!r} (got {actual!r}); use tensor.to({expected!r})")
        return first._array
    if isinstance(first, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(first).__name__}'")
    sequence = hasattr(type(first), "__getitem__") and hasattr(type(first), "__len__")
    if not sequence and not hasattr(type(first), "__array__") or isinstance(first, (np.generic, dict)):
        kind = type(first)
        text = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        raise TypeError(f"new(): data must be a sequence (got {text})")
    return copied(first, dtype)


# ----- new_ -----


def _dtype(tensor: Any, dtype: Any) -> np.dtype[Any]:
    return tensor._array.dtype if dtype is None else dtypes.to_numpy(dtype)


@public_function
def new(self: T, *args: Any, device: Any = None) -> T:
    """Return a new tensor of this tensor's dtype from sizes or data, as the constructors do."""
    array = constructed(args, None, self._array.dtype, keep=False, device=device)
    return leaf(placed(array, place_like(self)))


@public_function
def new_tensor(
    self: T,
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> T:
    """Return a new leaf with a copy of the data, in this tensor's dtype. Source: torch.Tensor.new_tensor."""
    place = check_options(layout, place_like(self) if device is None else device, pin_memory)
    return leaf(placed(copied(data, _dtype(self, dtype)), place), requires_grad)


@public_function
def new_zeros(
    self: T,
    *args: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> T:
    """Return a new leaf full of zeros, in this tensor's dtype. Source: torch.Tensor.new_zeros."""
    place = check_options(layout, place_like(self) if device is None else device, pin_memory)
    return leaf(new_array(place, parse_sizes("new_zeros", args, size), _dtype(self, dtype), np.zeros), requires_grad)


@public_function
def new_ones(
    self: T,
    *args: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> T:
    """Return a new leaf full of ones, in this tensor's dtype. Source: torch.Tensor.new_ones."""
    place = check_options(layout, place_like(self) if device is None else device, pin_memory)
    return leaf(new_array(place, parse_sizes("new_ones", args, size), _dtype(self, dtype), np.ones), requires_grad)


@public_function
def new_empty(
    self: T,
    *args: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> T:
    """Return a new uninitialised leaf, in this tensor's dtype. Source: torch.Tensor.new_empty."""
    place = check_options(layout, place_like(self) if device is None else device, pin_memory)
    return leaf(new_array(place, parse_sizes("new_empty", args, size), _dtype(self, dtype)), requires_grad)


@public_function
def new_full(
    self: T,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> T:
    """Return a new leaf full of one number, in this tensor's dtype. Source: torch.Tensor.new_full."""
    place = check_options(layout, place_like(self) if device is None else device, pin_memory)
    kind = _dtype(self, dtype)
    value = fill_number(number("new_full", fill_value, "fill_value", 2), kind)
    filled = lambda shape, kind: np.full(shape, value, kind)
    return leaf(new_array(place, parse_sizes("new_full", (size,)), kind, filled), requires_grad)


@public_function
def new_empty_strided(
    self: T,
    size: Any,
    stride: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> T:
    """Return a new uninitialised leaf with these strides. Source: torch.Tensor.new_empty_strided."""
    place = check_options(layout, place_like(self) if device is None else device, pin_memory)
    return leaf(strided_array("new_empty_strided", size, stride, _dtype(self, dtype), place), requires_grad)


def strided_array(
    name: str, size: Any, stride: Any, dtype: np.dtype[Any], place: device_type = CPU
) -> np.ndarray[Any, Any]:
    """Return an uninitialised array with these strides, in elements, on a device.

    Raises: RuntimeError: when there are not as many strides as sizes, or one is negative.
    """
    shape, strides = parse_sizes(name, (tuple(size),)), tuple(int(s) for s in stride)
    if len(shape) != len(strides):
        raise RuntimeError(
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides ({len(strides)})"
        )
    if any(s < 0 for s in strides):
        raise RuntimeError(f"Negative strides are not supported at the moment, got strides: {list(strides)}")
    reach = 1 + sum((n - 1) * s for n, s in zip(shape, strides)) if 0 not in shape else 0
    steps = tuple(s * dtype.itemsize for s in strides)
    if place is META:
        return meta.empty(shape, dtype, steps)
    return np.ndarray(shape, dtype, np.empty(reach, dtype), 0, steps)
