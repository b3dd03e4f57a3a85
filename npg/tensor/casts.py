"""The short forms of to(), methods named after a dtype or a device."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from npg.dtypes import NAMES_ONLY
from npg.engine import TensorBase
from npg.functional._attributes import CPU, check_device, device as device_type
from npg.functional._public import public_function
from npg.functional._types import T
from npg.tensor.conversion import converted


@public_function
def type_as(tensor: T, other: TensorBase) -> T:
    """Return the tensor cast to the dtype of another."""
    return converted(tensor, other._array.dtype)


def float(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor as float32."""
    return converted(tensor, np.dtype(np.float32), layout=memory_format)


def double(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor as float64."""
    return converted(tensor, np.dtype(np.float64), layout=memory_format)


def half(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor as float16."""
    return converted(tensor, np.dtype(np.float16), layout=memory_format)


def bfloat16(tensor: T, memory_format: Any = None) -> T:
    """Raise TypeError: npg has no bfloat16 tensors, only the name of the dtype."""
    return converted(tensor, NAMES_ONLY["bfloat16"].dtype)


def chalf(tensor: T, memory_format: Any = None) -> T:
    """Raise TypeError: npg has no complex tensors, only the name of the dtype complex32."""
    return converted(tensor, NAMES_ONLY["complex32"].dtype)


def cfloat(tensor: T, memory_format: Any = None) -> T:
    """Raise TypeError: npg has no complex tensors, only the name of the dtype complex64."""
    return converted(tensor, NAMES_ONLY["complex64"].dtype)


def cdouble(tensor: T, memory_format: Any = None) -> T:
    """Raise TypeError: npg has no complex tensors, only the name of the dtype complex128."""
    return converted(tensor, NAMES_ONLY["complex128"].dtype)


def long(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor as int64."""
    return converted(tensor, np.dtype(np.int64), layout=memory_format)


def int(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor as int32."""
    return converted(tensor, np.dtype(np.int32), layout=memory_format)


def short(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor as int16."""
    return converted(tensor, np.dtype(np.int16), layout=memory_format)


def char(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor as int8."""
    return converted(tensor, np.dtype(np.int8), layout=memory_format)


def byte(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor as uint8."""
    return converted(tensor, np.dtype(np.uint8), layout=memory_format)


def bool(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor as bool: True where it is not zero."""
    return converted(tensor, np.dtype(np.bool_), layout=memory_format)


def cpu(tensor: T, memory_format: Any = None) -> T:
    """Return the tensor itself, which is on the CPU.

    Raises: NotImplementedError: for one on the device "meta".
    """
    return converted(tensor, None, layout=memory_format, place=CPU)


def cuda(tensor: T, device: Any = None, non_blocking: builtins.bool = False, memory_format: Any = None) -> T:
    """Raise AssertionError: Torch not compiled with CUDA enabled."""
    return _moved(tensor, "cuda", device)


def xpu(tensor: T, device: Any = None, non_blocking: builtins.bool = False, memory_format: Any = None) -> T:
    """Raise AssertionError: Torch not compiled with XPU enabled."""
    return _moved(tensor, "xpu", device)


def mtia(tensor: T, device: Any = None, non_blocking: builtins.bool = False, memory_format: Any = None) -> T:
    """Raise AssertionError: Torch not compiled with MTIA enabled."""
    return _moved(tensor, "mtia", device)


def ipu(tensor: T, device: Any = None, non_blocking: builtins.bool = False, memory_format: Any = None) -> T:
    """Raise RuntimeError: PyTorch is not linked with support for ipu devices."""
    return _moved(tensor, "ipu", device)


def _moved(tensor: T, kind: str, place: Any) -> T:
    target = device_type(kind if place is None else place)
    if target.type != kind:
        raise RuntimeError(f"Invalid device, must be {kind} device")
    if kind == "ipu":
        raise RuntimeError("PyTorch is not linked with support for ipu devices")
    check_device(target)
    return tensor
