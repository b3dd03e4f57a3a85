"""A tensor in another dtype or another form: to() and its short forms, NumPy, Python numbers, DLPack, pickles."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from npg import dtypes
from npg.engine import TensorBase, wrap
from npg.functional._attributes import (
    NO_CUDA,
    channels_last,
    channels_last_3d,
    check_device,
    contiguous_format,
    device,
    memory_format,
    preserve_format,
)
from npg.functional._public import to_dtype
from npg.functional.copying import clone, laid_out
from npg.functional.shaping import contiguous as contiguous_
from npg.tensor.data import check_shareable
from npg.tensor.memory import is_contiguous

__all__ = ["from_dlpack", "numpy", "rebuild", "to", "tolist", "type_"]


# ----- dtype and device -----


def to(tensor: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the tensor in another dtype; the tensor itself where nothing changes.

    Calls: to(dtype, non_blocking=False, copy=False), to(device=None, dtype=None, ...), to(other, ...); memory_format=.
    Raises: AssertionError, RuntimeError: for a device other than the CPU.
    Source: torch.Tensor.to.
    """
    target, make_copy, layout = parse_to(args, kwargs)
    return converted(tensor, target, make_copy, layout)


def parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[np.dtype[Any] | None, bool, Any]:
    """Return (NumPy dtype or None, copy, memory_format or None) of the arguments of to()."""
    given = dict(kwargs)
    layout = given.pop("memory_format", None)
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
        if name in given:
            raise TypeError(f"to() got multiple values for argument '{name}'")
        given[name] = value
    other = given.pop("other", None)
    dtype = given.pop("dtype", None)
    check_device(given.pop("device", None))
    make_copy = given.pop("copy", False)
    given.pop("non_blocking", None)
    if given:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(given))}'")
    if layout is not None and not isinstance(layout, memory_format):
        raise TypeError(f"to(): argument 'memory_format' must be npg.memory_format, not {type(layout).__name__}")
    if other is not None:
        return other._array.dtype, make_copy, layout
    return None if dtype is None else dtypes.to_numpy(dtype), make_copy, layout


def converted(tensor: Any, dtype: np.dtype[Any] | None, make_copy: bool = False, layout: Any = None) -> Any:
    """Return the tensor in a NumPy dtype and a memory format; the tensor itself where nothing changes."""
    found = tensor if dtype is None else to_dtype(tensor, dtype)
    if layout is not None and layout is not preserve_format and not is_contiguous(found, layout):
        found = clone(found) if found is tensor else found
        laid_out(found, layout)
    return clone(tensor) if make_copy and found is tensor else found


def contiguous(tensor: Any, memory_format: Any = contiguous_format) -> Any:
    """Return the tensor itself if its elements lie in order in memory, else such a copy.

    Args:
        memory_format: which order; npg.contiguous_format or npg.channels_last.
    Source: torch.Tensor.contiguous.
    """
    if memory_format in (channels_last, channels_last_3d):
        return converted(tensor, None, layout=memory_format)
    return contiguous_(tensor)


_TYPE_NAMES = {d.scalar_name + "Tensor": d for d in dtypes.ALL}


def type_(tensor: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Return the name of the tensor's type, such as "npg.FloatTensor", or the tensor cast to a dtype or such a type.

    Source: torch.Tensor.type; names that begin with "torch." are understood.
    """
    if dtype is None:
        return f"npg.{dtypes.from_numpy(tensor._array.dtype).scalar_name}Tensor"
    return converted(tensor, type_dtype(dtype))


def type_dtype(given: Any) -> np.dtype[Any]:
    """Return the NumPy dtype of a dtype, a type such as npg.FloatTensor, or the name of one.

    Raises: ValueError: for a name of no type. TypeError: for anything else.
    """
    if isinstance(given, str):
        prefix, _, name = given.rpartition(".")
        if prefix in ("torch.cuda", "npg.cuda"):
            raise AssertionError(NO_CUDA)
        if prefix not in ("torch", "npg") or (name not in _TYPE_NAMES and name != "Tensor"):
            raise ValueError(f"invalid type: {given!r}")
        return (dtypes.get_default_dtype() if name == "Tensor" else _TYPE_NAMES[name]).dtype
    if isinstance(given, dtypes.dtype) or given in (float, int, bool):
        return dtypes.to_numpy(given)
    if isinstance(getattr(given, "dtype", None), dtypes.dtype):
        return given.dtype.dtype
    raise TypeError("dtype must be a type, str, or dtype object")


# ----- Numbers and arrays -----


NEEDS_DETACH = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."


def numpy(tensor: Any, *, force: bool = False) -> np.ndarray[Any, Any]:
    """Return the tensor's own ndarray: writing to it writes to the tensor.

    Args:
        force: also from a tensor that requires grad.
    Raises: RuntimeError: when the tensor requires grad.
    """
    if not force and tensor.requires_grad:
        raise RuntimeError(NEEDS_DETACH)
    return tensor._array


def array(tensor: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    """Return the tensor as an ndarray for np.asarray and np.array (NumPy 2's `copy`)."""
    found = numpy(tensor)
    if dtype is not None and found.dtype != dtype:
        if copy is False:
            raise ValueError(f"Unable to avoid copy while creating an array of dtype {dtype} from {found.dtype}.")
        return found.astype(dtype)
    return found.copy() if copy else found


def item(tensor: Any) -> Any:
    """Return the only element as a Python number.

    Raises: RuntimeError: when there is not exactly one.
    """
    found = tensor._array
    if found.size != 1:
        raise RuntimeError(f"a Tensor with {found.size} elements cannot be converted to Scalar")
    return found.item()


def only_element(tensor: Any) -> Any:
    """Return the only element, for int() and float().

    Raises: ValueError: when there is not exactly one.
    """
    if tensor._array.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return tensor._array.item()


def truth(tensor: Any) -> bool:
    """Return the only element as a bool.

    Raises: RuntimeError: when there is not exactly one.
    """
    found = tensor._array
    if found.size != 1:
        values = "more than one value" if found.size else "no values"
        raise RuntimeError(f"Boolean value of Tensor with {values} is ambiguous")
    return bool(found.item())


def tolist(tensor: Any) -> Any:
    """Return the elements as nested lists of Python numbers; a number for a 0-d tensor."""
    return tensor._array.tolist()


# ----- DLPack -----


def to_dlpack(tensor: Any, **kwargs: Any) -> Any:
    """Return a DLPack capsule that shares the tensor's memory.

    Raises: BufferError: when the tensor requires grad.
    """
    if tensor.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if kwargs.get("stream") in (-1, None):
        kwargs.pop("stream", None)
    return tensor._array.__dlpack__(**kwargs)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """Return a tensor that shares memory with any object that speaks DLPack: an ndarray, a tensor of another library.

    Args:
        device: None or the CPU.
        copy: True copies; False or None shares.
    Raises: RuntimeError: when the object does not speak it. TypeError: for a dtype that npg does not have.
    Source: torch.from_dlpack.
    """
    check_device(device)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise RuntimeError(f"expected an object with __dlpack__ and __dlpack_device__, got {type(ext_tensor).__name__}")
    found = np.from_dlpack(ext_tensor)
    if not found.flags.writeable and not copy:
        found = _writeable(found, ext_tensor)
    return wrap(check_shareable(found).copy() if copy else check_shareable(found))


def _writeable(found: np.ndarray[Any, Any], owner: Any) -> np.ndarray[Any, Any]:
    # NumPy marks what it imports as read-only when the other side speaks an early version; the memory is the tensor's
    # to write all the same, as in PyTorch.
    if isinstance(owner, np.ndarray):
        return found
    interface = dict(found.__array_interface__)
    interface["data"] = (interface["data"][0], False)
    return np.asarray(_Memory(interface, found))


class _Memory:
    def __init__(self, interface: dict[str, Any], owner: Any) -> None:
        self.__array_interface__ = interface
        self.owner = owner


# ----- Copies and pickles -----

# What the engine keeps in a tensor: not the user's own attributes.
_ENGINE_NAMES = frozenset(
    ("_array", "_grad", "_requires_grad", "_fn", "_nr", "_counter", "_base", "_kind", "_seen", "_hooks")
    + ("_post_hooks", "_retains", "_inference")
)


def own_attributes(tensor: Any) -> dict[str, Any]:
    """Return the attributes that a user has set on a tensor."""
    return {k: v for k, v in getattr(tensor, "__dict__", {}).items() if k not in _ENGINE_NAMES}


def rebuild(cls: Any, values: np.ndarray[Any, Any], requires_grad: bool) -> Any:
    """Return a leaf of class `cls` on an array; pickles call this."""
    made = cls.__new__(cls)
    made._set_array(values)
    if requires_grad:
        made._set_requires_grad(True)
    return made


def reduce(tensor: Any) -> tuple[Any, ...]:
    """Return how a tensor is pickled: values, whether it requires grad, its own attributes; no graph, no .grad."""
    state = own_attributes(tensor)
    return rebuild, (type(tensor), tensor._array, tensor.requires_grad), state or None


def deepcopy(tensor: Any, memo: dict[int, Any]) -> Any:
    """Return a copy of a leaf with its own memory, .grad and attributes.

    Raises: RuntimeError: for a tensor that is no leaf.
    """
    found = memo.get(id(tensor))
    if found is not None:
        return found
    if not tensor.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001"
        )
    made = rebuild(type(tensor), tensor._array.copy(order="K"), tensor.requires_grad)
    memo[id(tensor)] = made
    if tensor._grad is not None:
        made._grad = copy.deepcopy(tensor._grad, memo)
    vars(made).update(copy.deepcopy(own_attributes(tensor), memo))
    return made


def shallow_copy(tensor: Any) -> Any:
    """Return a leaf that shares the tensor's memory and attributes, for copy.copy."""
    made = rebuild(type(tensor), tensor._array, tensor.requires_grad)
    made._share_version(tensor)
    vars(made).update(own_attributes(tensor))
    return made
