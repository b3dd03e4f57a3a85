"""Tensors from data, and the typed constructors."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _lazy, dtypes
from npg._naming import named
from npg._words import scalar_name
from npg.engine import TensorBase, is_grad_enabled
from npg.functional._attributes import DEFAULTS, META, NO_CUDA
from npg.functional._factory import check_options, dtype_of, fill_number, leaf, number, placed
from npg.functional._public import new_function
from npg.functional.copy import clone
from npg.tensor import Tensor
from npg.tensor.constructing import constructed
from npg.tensor.conversion import NEEDS_DETACH, converted, type_dtype
from npg.tensor.data import check_shareable, copied, shared

# ----- From data -----


@new_function
def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """Return a new leaf with a copy of the data.

    Args:
        data: a number, an ndarray, a tensor, or nested sequences of these.
        dtype: None means that of an array, the default dtype for floats, int64 for ints, bool for bools.
        device: None or the CPU.
        requires_grad: record operations on the tensor, for its gradient.
    Raises: ValueError: for ragged sequences. TypeError, RuntimeError: for elements that are not numeric or do not fit.
    Source: torch.tensor.
    """
    place = check_options(None, device, pin_memory)
    return leaf(placed(copied(data, None if dtype is None else dtypes.to_numpy(dtype)), place), requires_grad)


@new_function
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the data as a tensor, which shares memory and history with a tensor or ndarray of this dtype.

    Source: torch.as_tensor.
    """
    place = check_options(device=device)
    kind = None if dtype is None else dtypes.to_numpy(dtype)
    if isinstance(data, TensorBase):
        return converted(data, kind, place=_asked(device, place))
    return leaf(placed(shared(data, kind), place))


def _asked(device: Any, place: Any) -> Any:
    """Return the device of a tensor from a tensor: its own unless another was asked for."""
    return None if device is None and not DEFAULTS else place


@new_function
def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """Return any data as a tensor.

    Args:
        obj: a tensor, an ndarray, an object with DLPack or the buffer protocol, a number or nested sequences.
        copy: True always copies, False never (it raises instead), None if necessary.
        requires_grad: make the result a leaf that requires grad.
    Raises: ValueError: when copy=False and memory cannot be shared.
    Source: torch.asarray.
    """
    place = check_options(device=device)
    kind = None if dtype is None else dtypes.to_numpy(dtype)
    if isinstance(obj, TensorBase):
        result: Any = converted(obj, kind, place=_asked(device, place))
        if result is not obj and copy is False:
            raise ValueError("can't alias tensor with dtype '{}' into dtype '{}'.".format(*_names(obj, result)))
        if result is obj and copy:
            result = clone(obj)
        if requires_grad and not result.requires_grad:
            result = result.detach().requires_grad_()
        return result if requires_grad or not result.requires_grad else result.detach()
    if isinstance(obj, np.ndarray) and not obj.ndim:
        if copy is False:
            raise ValueError("can't alias NumPy scalars. \nEither remove copy=False or transform it in a ndarray. ")
        return leaf(placed(copied(obj, kind), place), requires_grad)
    if isinstance(obj, np.ndarray):
        array = shared(obj, kind)
    elif isinstance(obj, (bytes, bytearray, memoryview)):
        array = np.frombuffer(obj, dtype_of(dtype))
    elif hasattr(obj, "__dlpack__"):
        array = shared(_lazy.load("npg.tensor.exchange", "from_dlpack")(obj)._array, kind)
    else:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        return leaf(placed(copied(obj, kind), place), requires_grad)
    if place is META:
        return leaf(placed(array, place), requires_grad)
    if copy is False and isinstance(obj, np.ndarray) and array.dtype != obj.dtype:
        raise ValueError(f"can't alias tensor with dtype '{obj.dtype}' into dtype '{array.dtype}'.")
    return leaf(array.copy() if copy and np.shares_memory(array, obj) else array, requires_grad)


def _names(*tensors: Any) -> list[str]:
    return [scalar_name(t._array) for t in tensors]


@new_function
def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """Return a tensor that shares the memory of an ndarray, or of a tensor, as NumPy's functions return for tensors.

    Raises: TypeError: when it is no ndarray, or of a dtype that npg does not have. ValueError: for negative strides.
        RuntimeError: for a tensor that requires grad.
    Source: torch.from_numpy.
    """
    if isinstance(ndarray, Tensor):
        if ndarray.requires_grad and is_grad_enabled():
            raise RuntimeError(NEEDS_DETACH)
        return ndarray.detach()
    if not isinstance(ndarray, np.ndarray):
        kind = type(ndarray)
        name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        raise TypeError(f"expected np.ndarray (got {name})")
    return leaf(check_shareable(ndarray))


@new_function
def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """Return a one-dimensional tensor that shares the memory of an object with the buffer protocol.

    Args:
        buffer: bytes, bytearray, memoryview, array.array, ...
        dtype: of the elements.
        count: the number of elements; -1 means all.
        offset: the number of bytes to skip.
    Raises: ValueError: when the buffer is empty, too short, or no multiple of the element size.
    Source: torch.frombuffer.
    """
    kind = dtypes.to_numpy(dtype)
    try:
        length = memoryview(buffer).nbytes
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    if length == 0 or count == 0:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    if count < 0 and (length - offset) % kind.itemsize:
        raise ValueError(
            f"buffer length ({length} bytes) after offset ({offset} bytes) must be a multiple of element size "
            f"({kind.itemsize})"
        )
    if count > 0 and offset + count * kind.itemsize > length:
        raise ValueError(
            f"requested buffer length ({count} * {kind.itemsize} bytes) after offset ({offset} bytes) must not be "
            f"greater than actual buffer length ({length} bytes)"
        )
    return leaf(np.frombuffer(buffer, kind, count, offset), requires_grad)


@new_function
def from_file(
    filename: str,
    shared: bool | None = None,
    size: int | None = 0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a one-dimensional tensor whose memory is a file's.

    Args:
        filename: of the file.
        shared: what is written to the tensor is written to the file, which is made where there is none. Otherwise the
            file stays as it is, and must be long enough.
        size: the number of elements.
        dtype: of the elements; None means the default dtype.
    Raises: RuntimeError: when the file cannot be opened, or is too short.
    Source: torch.from_file.
    """
    check_options(layout, device, pin_memory)
    kind = dtype_of(dtype)
    if requires_grad and kind.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    of_file = _lazy.load("npg.tensor.storage_sources", "of_file")
    return leaf(of_file(filename, bool(shared), (size or 0) * kind.itemsize).view(kind), requires_grad)


@new_function
def scalar_tensor(
    s: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a 0-d tensor of a number, in the default dtype unless dtype is given. Source: torch.scalar_tensor."""
    place = check_options(layout, device, pin_memory)
    kind = dtype_of(dtype)
    return leaf(placed(np.array(fill_number(number("scalar_tensor", s, "s", 1), kind)), place), requires_grad)


# ----- Typed constructors -----


class _Typed(type):
    """The metaclass of FloatTensor and the like, which create tensors; isinstance checks the dtype."""

    dtype: dtypes.dtype
    is_cuda = False

    def __call__(cls, *data: Any, size: Any = None, device: Any = None) -> Tensor:
        return leaf(constructed(data, size, cls.dtype.dtype, keep=False, device=device))

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance._array.dtype == cls.dtype.dtype

    def __repr__(cls) -> str:
        return named(f"<class 'npg.{cls.__name__}'>")


def _typed(dtype: dtypes.dtype) -> Any:
    name = dtype.scalar_name + "Tensor"
    doc = f"Make a {dtype.name} tensor from sizes or data, as Tensor does. Source: torch.{name}."
    return _Typed(name, (), {"dtype": dtype, "__module__": "npg", "__doc__": doc})


FloatTensor = _typed(dtypes.float32)
DoubleTensor = _typed(dtypes.float64)
HalfTensor = _typed(dtypes.float16)
LongTensor = _typed(dtypes.int64)
IntTensor = _typed(dtypes.int32)
ShortTensor = _typed(dtypes.int16)
CharTensor = _typed(dtypes.int8)
ByteTensor = _typed(dtypes.uint8)
BoolTensor = _typed(dtypes.bool_)


@new_function
def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype by a type such as npg.DoubleTensor or its name.

    Raises: TypeError: when it is not floating.
    Source: torch.set_default_tensor_type.
    """
    try:
        floating = dtypes.from_numpy(type_dtype(t))
    except AssertionError:
        raise TypeError(f"type {t} not available. {NO_CUDA}.") from None
    except TypeError:
        raise TypeError("invalid type object: only floating-point types are supported as the default type") from None
    if not floating.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    dtypes.set_default_dtype(floating)
