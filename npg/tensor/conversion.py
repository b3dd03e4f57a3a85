"""Conversions of tensors: to(), to NumPy, to Python numbers. The short forms of to() are in casts.py."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from npg import _errors, _naming, dtypes
from npg._errors import warn
from npg._words import scalar_name
from npg.engine import TensorBase, apply, is_grad_enabled
from npg.functional._attributes import (
    CPU,
    NO_CUDA,
    channels_last,
    channels_last_3d,
    check_memory_format,
    contiguous_format,
    device,
    place_of,
    preserve_format,
)
from npg.functional._factory import channels_last_array, place_like
from npg.functional._public import public_function, to_dtype
from npg.functional._types import T
from npg.functional.copy import clone, laid_out
from npg.functional.shape import contiguous as contiguous_
from npg.kernels.meta import NO_DATA, MetaArray
from npg.ops import elementwise

# ----- dtype and device -----


@public_function
def to(tensor: T, *args: Any, **kwargs: Any) -> T:
    """Return the tensor in another dtype; the tensor itself if nothing changes.

    Calls: to(dtype, non_blocking=False, copy=False), to(device=None, dtype=None, ...), to(other, ...); memory_format=.
    Raises: AssertionError, RuntimeError: for a device that npg does not have. NotImplementedError: for the CPU, when
        the tensor is on the device "meta", without data.
    Source: torch.Tensor.to.
    """
    target, place, make_copy, layout = parse_to(args, kwargs)
    return converted(tensor, target, make_copy, layout, place)


def parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[np.dtype[Any] | None, device | None, bool, Any]:
    """Return (NumPy dtype or None, CPU, META or None, copy, memory_format or None) from the arguments of to()."""
    arguments = dict(kwargs)
    layout = arguments.pop("memory_format", None)
    names = ["dtype", "non_blocking", "copy"]
    first = args[0] if args else None
    if isinstance(first, (str, int, device)) and not isinstance(first, bool):
        names = ["device", "dtype", "non_blocking", "copy"]
    elif isinstance(first, TensorBase):
        names = ["other", "non_blocking", "copy"]
    elif first is None and args:
        names = ["device", "dtype", "non_blocking", "copy"]
    if len(args) > len(names):
        raise TypeError(f"to() takes at most {len(names)} positional arguments, got {len(args)}")
    for name, value in zip(names, args):
        if name in arguments:
            raise TypeError(f"to() got multiple values for argument '{name}'")
        arguments[name] = value
    other = arguments.pop("other", None)
    dtype = arguments.pop("dtype", None)
    target = arguments.pop("device", None)
    place = None if target is None else place_of(target)
    make_copy = arguments.pop("copy", False)
    arguments.pop("non_blocking", None)
    if arguments:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(arguments))}'")
    check_memory_format("to", layout)
    if other is not None:
        return other._array.dtype, place_like(other), make_copy, layout
    return None if dtype is None else dtypes.to_numpy(dtype), place, make_copy, layout


@public_function
def is_contiguous(tensor: Any, memory_format: Any = None) -> bool:
    """Tell whether the elements are contiguous in the order of the dimensions (of the memory format)."""
    check_memory_format("is_contiguous", memory_format)
    array = tensor._array
    if memory_format in (channels_last, channels_last_3d):
        rank = 4 if memory_format is channels_last else 5
        if array.ndim != rank:
            return False
        reference = channels_last_array(array.shape, array.dtype, memory_format)
        return all(n == 1 or s == w for n, s, w in zip(array.shape, array.strides, reference.strides))
    return array.flags.c_contiguous


def converted(
    tensor: Any, dtype: np.dtype[Any] | None, make_copy: bool = False, layout: Any = None, place: device | None = None
) -> Any:
    """Return the tensor in a NumPy dtype and a memory format, on a device; the tensor itself if nothing changes."""
    if place is not None and place is not place_like(tensor):
        if place is CPU:
            raise NotImplementedError(NO_DATA)
        tensor, make_copy = apply(elementwise.to_meta, (tensor,), {}), False
    result = tensor if dtype is None else to_dtype(tensor, dtype)
    if layout is not None and layout is not preserve_format and not is_contiguous(result, layout):
        # contiguous_format only applies to copies and to tensors in channels_last.
        needs_copy = layout is not contiguous_format or any(
            is_contiguous(result, f) for f in (channels_last, channels_last_3d)
        )
        if result is tensor and (make_copy or needs_copy):
            result = clone(result)
        if result is not tensor:
            laid_out(result, layout)
    return clone(tensor) if make_copy and result is tensor else result


def astype(
    tensor: T, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
) -> T:
    """Return the tensor in another dtype, as the method of an ndarray does: a copy unless copy=False.

    Returns: a tensor; for a dtype that npg does not have, an ndarray.
    Raises: TypeError: when the casting is not allowed, or when the dtype is one that npg does not have and the tensor
        requires grad.
    Source: numpy.ndarray.astype.
    """
    from npg.tensor._numpy.nondifferentiable import (  # only loaded when NumPy is used, see tensor.py
        as_tensors,
        has_history,
        refused,
    )

    kind = np.dtype(dtype)
    if not has_history((tensor,)):
        return as_tensors(tensor._array.astype(kind, order, casting, subok, copy), (tensor,))
    if not dtypes.is_known(kind):
        raise refused(f"astype({kind})")
    np.empty(0, tensor._array.dtype).astype(kind, casting=casting)  # raises NumPy's error
    return converted(tensor, kind, copy)


def contiguous(tensor: T, memory_format: Any = contiguous_format) -> T:
    """Return the tensor itself if it is contiguous, else a contiguous copy.

    Args:
        memory_format: the order in memory; npg.contiguous_format or npg.channels_last.
    Source: torch.Tensor.contiguous.
    """
    check_memory_format("contiguous", memory_format)
    if memory_format in (channels_last, channels_last_3d):
        return converted(tensor, None, layout=memory_format)
    return contiguous_(tensor)


_TYPE_NAMES = {d.scalar_name + "Tensor": d for d in dtypes.ALL}


@overload
def type_(tensor: T) -> str: ...
@overload
def type_(tensor: T, dtype: Any, non_blocking: bool = ...) -> T: ...
@public_function
def type_(tensor: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Return the name of the tensor's type, such as "npg.FloatTensor", or the tensor cast to a dtype or such a type.

    Source: torch.Tensor.type; names that begin with "torch." are accepted.
    """
    if dtype is None:
        prefix = _naming.library + (".meta" if isinstance(tensor._array, MetaArray) else "")
        return f"{prefix}.{scalar_name(tensor._array)}Tensor"
    return converted(tensor, type_dtype(dtype))


def type_dtype(kind: Any) -> np.dtype[Any]:
    """Return the NumPy dtype of a dtype, a type such as npg.FloatTensor, or the name of one.

    Raises: ValueError: for an unknown name. TypeError: for anything else.
    """
    if isinstance(kind, str):
        prefix, _, name = kind.rpartition(".")
        if prefix in ("torch.cuda", "npg.cuda"):
            raise AssertionError(NO_CUDA)
        if prefix not in ("torch", "npg") or (name not in _TYPE_NAMES and name != "Tensor"):
            raise ValueError(f"invalid type: {kind!r}")
        return (dtypes.get_default_dtype() if name == "Tensor" else _TYPE_NAMES[name]).dtype
    if isinstance(kind, dtypes.dtype) or kind in (float, int, bool):
        return dtypes.to_numpy(kind)
    if isinstance(getattr(kind, "dtype", None), dtypes.dtype):
        return kind.dtype.dtype
    raise TypeError("dtype must be a type, str, or dtype object")


# ----- Numbers and arrays -----


_NO_ARRAY = "can't convert meta device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
NEEDS_DETACH = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."


@public_function
def numpy(tensor: Any, *, force: bool = False) -> np.ndarray[Any, Any]:
    """Return the tensor's own ndarray: writing to it writes to the tensor.

    Args:
        force: detach a tensor that requires grad.
    Raises: RuntimeError: when the tensor requires grad and recording is on.
    """
    if not force and tensor.requires_grad and is_grad_enabled():
        raise RuntimeError(NEEDS_DETACH)
    if isinstance(tensor._array, MetaArray):
        raise TypeError(_NO_ARRAY)
    return tensor._array


def array(tensor: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    """Return the tensor as an ndarray for np.asarray and np.array.

    Args:
        dtype: of the result; None: the tensor's own.
        copy: True always copies, False never (it raises instead), None if necessary.
    Raises: RuntimeError: when the tensor requires grad and recording is on. ValueError: when copy=False and the dtype
        is another.
    """
    ndarray = numpy(tensor)
    if dtype is not None and ndarray.dtype != dtype:
        if copy is False:
            raise ValueError(f"Unable to avoid copy while creating an array of dtype {dtype} from {ndarray.dtype}.")
        return ndarray.astype(dtype)
    return ndarray.copy() if copy else ndarray


def item(tensor: Any) -> Any:
    """Return the only element as a Python number.

    Raises: RuntimeError: when there is not exactly one.
    """
    array = tensor._array
    if array.size != 1:
        raise RuntimeError(f"a Tensor with {array.size} elements cannot be converted to Scalar")
    return array.item()


def only_element(tensor: Any) -> Any:
    """Return the only element, for int().

    Raises: ValueError: when there is not exactly one.
    """
    if tensor._array.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return tensor._array.item()


_warned_of_history = False  # PyTorch warns once per process, and only while recording is on


def scalar(tensor: Any) -> Any:
    """Return the only element, for float() and complex(), with a warning if the tensor requires grad.

    Raises: ValueError: when there is not exactly one.
    """
    global _warned_of_history
    value = only_element(tensor)
    if (not _warned_of_history or _errors.warn_always) and tensor.requires_grad and is_grad_enabled():
        _warned_of_history = True
        warn(
            "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
            "Consider using tensor.detach() first."
        )
    return value


def to_int(tensor: Any) -> int:
    """Return the only element for int(), truncated."""
    return int(only_element(tensor))


def to_float(tensor: Any) -> float:
    """Return the only element for float()."""
    return float(scalar(tensor))


def to_complex(tensor: Any) -> complex:
    """Return the only element for complex()."""
    return complex(scalar(tensor))


def to_index(tensor: Any) -> int:
    """Return the only element for operator.index(). Raises: TypeError: when it is not a single integer."""
    array = tensor._array
    if array.size != 1 or array.dtype.kind not in "iub":
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(array.item())


def truth(tensor: Any) -> bool:
    """Return the only element as a bool.

    Raises: RuntimeError: when there is not exactly one.
    """
    array = tensor._array
    if array.size != 1:
        values = "more than one value" if array.size else "no values"
        raise RuntimeError(f"Boolean value of Tensor with {values} is ambiguous")
    return bool(array.item())  # item() is refused without data


def tolist(tensor: Any) -> Any:
    """Return the elements as nested lists of Python numbers; a number for a 0-d tensor."""
    return tensor._array.tolist()


def copy(tensor: T, order: str = "C") -> T:
    """Return a recorded copy, as the method of an ndarray."""
    return clone(tensor, memory_format=contiguous_format if order == "C" else preserve_format)


def tobytes(tensor: Any, order: Any = "C") -> bytes:
    """Return the bytes of the elements, as the method of an ndarray."""
    return numpy(tensor).tobytes(order)
