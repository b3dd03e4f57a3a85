"""The functions that rebuild tensors from what a checkpoint says, which names them; PyTorch's wrapper of exceptions;
several tensors as one.

Everything is checked before anything is built: what a file says may be wrong, or chosen to do harm.
Source: torch._utils and torch._tensor, whose names checkpoints hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from npg import dtypes
from npg._words import shape_text
from npg.functional import cat
from npg.kernels import meta
from npg.kernels.meta import MetaArray
from npg.nn.parameter import Parameter
from npg.tensor import Tensor
from npg.tensor.copies import _ENGINE_NAMES, rebuild
from npg.tensor.storage import TypedStorage, UntypedStorage
from npg.utils._exceptions import ExceptionWrapper as ExceptionWrapper, KeyErrorMessage as KeyErrorMessage

_MOST = 2**63 - 1  # bytes and elements that a tensor can show

# ----- Tensors -----


def _sizes(sizes: Any, what: str) -> tuple[int, ...]:
    if not isinstance(sizes, (tuple, list)) or len(sizes) > 64 or not all(type(n) is int for n in sizes):
        raise TypeError(f"expected the {what} of a tensor as a tuple of at most 64 ints, got {_kind(sizes)}")
    if not all(0 <= n <= _MOST for n in sizes):
        raise RuntimeError(f"Trying to create tensor with negative dimension or stride: {shape_text(sizes)}")
    return tuple(sizes)


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"  # not its text, which can be as long as a file wants


def _placed(storage: Any, dtype: Any, offset: Any, size: Any, stride: Any) -> np.ndarray[Any, Any]:
    """Return the view of a storage with this layout, in elements of the dtype.

    Raises: TypeError: for arguments of other types. RuntimeError: when the view would leave the storage.
    """
    if not isinstance(storage, (TypedStorage, UntypedStorage)):
        raise TypeError(f"expected a storage, got {_kind(storage)}")
    if not isinstance(dtype, dtypes.dtype):
        raise TypeError(f"expected a dtype, got {_kind(dtype)}")
    shape, steps = _sizes(size, "size"), _sizes(stride, "stride")
    if type(offset) is not int or not 0 <= offset <= _MOST:
        raise RuntimeError(f"Tensor: invalid storage offset {offset if type(offset) is int else _kind(offset)}")
    if len(shape) != len(steps):
        raise RuntimeError(
            f"unequal size length ({len(shape)}) and stride length ({len(steps)}) in the layout of a tensor"
        )
    memory, width = storage._array, dtype.itemsize
    reach = 1 + sum((n - 1) * s for n, s in zip(shape, steps)) if 0 not in shape else 0
    needed = (offset + reach) * width if reach else 0
    if needed > memory.nbytes:
        raise RuntimeError(
            f"setStorage: sizes {shape_text(shape)}, strides {shape_text(steps)}, storage offset {offset}, and "
            f"itemsize {width} requiring a storage size of {needed} are out of bounds for storage of size "
            f"{memory.nbytes}"
        )
    if math.prod(n or 1 for n in shape) * width > _MOST:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={shape_text(shape)}")
    if isinstance(memory, MetaArray):
        return meta.empty(shape, dtype.dtype, tuple([s * width for s in steps]))
    if not reach:
        return np.empty(shape, dtype.dtype)
    return np.ndarray(shape, dtype.dtype, memory, offset * width, [s * width for s in steps])


def _leaf(array: np.ndarray[Any, Any], requires_grad: Any, metadata: Any) -> Tensor:
    if type(requires_grad) is not bool:
        raise TypeError(f"expected requires_grad to be bool, got {_kind(requires_grad)}")
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    if metadata:
        raise RuntimeError("npg has no views with the conj or neg bit; call resolve_conj().resolve_neg() before saving")
    tensor: Tensor = rebuild(Tensor, array, requires_grad)
    return tensor


def _rebuild_tensor(storage: Any, storage_offset: Any, size: Any, stride: Any) -> Tensor:
    """Return a tensor on a typed storage, laid out in elements."""
    dtype = storage.dtype if isinstance(storage, TypedStorage) else dtypes.uint8
    return _leaf(_placed(storage, dtype, storage_offset, size, stride), False, None)


def _rebuild_tensor_v2(
    storage: Any,
    storage_offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    metadata: Any = None,
) -> Tensor:
    """Return a tensor on a typed storage; hooks are not restored, as PyTorch has not saved any since 1.0."""
    dtype = storage.dtype if isinstance(storage, TypedStorage) else dtypes.uint8
    return _leaf(_placed(storage, dtype, storage_offset, size, stride), requires_grad, metadata)


def _rebuild_tensor_v3(
    storage: Any,
    storage_offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Tensor:
    """Return a tensor of a dtype on a storage of bytes."""
    if dtype is dtypes.bool_:  # bools have storages of their own, whose bytes are checked to be 0 or 1
        raise TypeError("expected a dtype that has no storages of its own, got bool")
    return _leaf(_placed(storage, dtype, storage_offset, size, stride), requires_grad, metadata)


def _rebuild_meta_tensor_no_storage(dtype: Any, size: Any, stride: Any, requires_grad: Any) -> Tensor:
    """Return a tensor of the device "meta", of which a file holds no data."""
    if not isinstance(dtype, dtypes.dtype):
        raise TypeError(f"expected a dtype, got {_kind(dtype)}")
    shape, steps, width = _sizes(size, "size"), _sizes(stride, "stride"), dtype.itemsize
    if len(shape) != len(steps):
        raise RuntimeError(f"unequal size length ({len(shape)}) and stride length ({len(steps)}) of a tensor")
    if (1 + sum((n - 1) * s for n, s in zip(shape, steps) if n)) * width > _MOST or math.prod(shape) * width > _MOST:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={shape_text(shape)}")
    return _leaf(meta.empty(shape, dtype.dtype, tuple([s * width for s in steps])), requires_grad, None)


# ----- Parameters, subclasses and attributes -----


def _rebuild_parameter(data: Any, requires_grad: Any, backward_hooks: Any) -> Parameter:
    """Return a parameter on the memory of a tensor."""
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(data: Any, requires_grad: Any, backward_hooks: Any, state: Any) -> Parameter:
    """Return a parameter with attributes of its own."""
    parameter: Parameter = _with_attributes(Parameter(data, requires_grad), state)
    return parameter


def _with_attributes(tensor: Any, state: Any) -> Any:
    """Set a tensor's own attributes: a dict, or a tuple of one and of the values of slots.

    Raises: TypeError: when they are anything else. ValueError: for a name of the engine.
    """
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    for part in parts:
        if part is not None and not isinstance(part, Mapping):
            raise TypeError(f"expected the attributes of a tensor as a dict, got {_kind(part)}")
        for name in part or ():
            if type(name) is not str:
                raise TypeError(f"expected the name of an attribute, got {_kind(name)}")
            if name in _ENGINE_NAMES or name[:2] == "__":
                raise ValueError(f"expected the name of an attribute of a tensor, got {name[:100]!r}")
    vars(tensor).update(parts[0] or {})
    for name, value in (parts[1] or {}).items():
        setattr(tensor, name, value)
    return tensor


def _rebuild_from_type_v2(func: Any, new_type: Any, args: Any, state: Any) -> Any:
    """Return a tensor of a subclass, with attributes of its own; `func` rebuilds the plain tensor."""
    if not any(func is plain for plain in PLAIN.values()):
        raise TypeError(f"expected a function that rebuilds tensors, got {_kind(func)}")
    if not isinstance(new_type, type) or not issubclass(new_type, Tensor):
        raise TypeError(f"expected a class of tensors, got {_kind(new_type)}")
    tensor = func(*args)
    if type(tensor) is not new_type:
        tensor = rebuild(new_type, tensor._array, tensor.requires_grad)  # as_subclass would give no leaf
    if new_type.__setstate__ is not Tensor.__setstate__:  # a subclass that restores itself
        tensor.__setstate__(state)
        return tensor
    return _with_attributes(tensor, state)


def _rebuild_device_tensor_from_cpu_tensor(data: Any, dtype: Any, device: Any, requires_grad: Any) -> Tensor:
    """Return a tensor that was saved on a device without storages, such as XLA; here it stays on the CPU."""
    if not isinstance(data, Tensor) or not isinstance(dtype, dtypes.dtype):
        raise TypeError(f"expected a tensor and a dtype, got {_kind(data)} and {_kind(dtype)}")
    if not data.is_contiguous():  # as XLA writes it; a view of one element can show 2**62 of them
        raise RuntimeError("expected a contiguous tensor of another device")
    return _leaf(data.to(dtype)._array, requires_grad, None)


# ----- What npg does not have -----


def _refusal(name: str, what: str) -> Any:
    def refuse(*args: Any) -> Any:
        raise RuntimeError(f"npg has no {what}, and the file holds one ({name})")

    refuse.__name__ = refuse.__qualname__ = name
    return refuse


# Under the names that checkpoints have for them.
PLAIN = {f.__name__: f for f in (_rebuild_tensor, _rebuild_tensor_v2, _rebuild_tensor_v3, _rebuild_parameter)}
REBUILDING = {
    **PLAIN,
    "_rebuild_parameter_with_state": _rebuild_parameter_with_state,
    "_rebuild_meta_tensor_no_storage": _rebuild_meta_tensor_no_storage,
    "_rebuild_device_tensor_from_cpu_tensor": _rebuild_device_tensor_from_cpu_tensor,
    **{
        name: _refusal(name, what)
        for name, what in (
            ("_rebuild_qtensor", "quantized tensors"),
            ("_rebuild_sparse_tensor", "sparse tensors"),
            ("_rebuild_nested_tensor", "nested tensors"),
            ("_rebuild_wrapper_subclass", "wrapper subclasses of tensors"),
            ("_rebuild_device_tensor_from_numpy", "tensors of other devices"),
        )
    },
}


# ----- Several tensors as one -----


def _flatten_dense_tensors(tensors: Iterable[Tensor]) -> Any:
    """Return the numbers of tensors of one dtype, one after the other, in a new one-dimensional tensor."""
    return cat([x.contiguous().view(-1) for x in tensors])


def _unflatten_dense_tensors(flat: Tensor, tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Return views of a one-dimensional tensor, one after the other, that have the shapes of tensors."""
    found, start = [], 0
    for x in tensors:
        found.append(flat.narrow(0, start, x.numel()).view(x.shape))
        start += x.numel()
    return tuple(found)


def _take_tensors(tensors: Iterable[Tensor], size_limit: int) -> Iterator[list[Tensor]]:
    """Yield lists of tensors of one dtype, of at most size_limit bytes where they are several."""
    some: dict[str, list[Tensor]] = {}
    size: dict[str, int] = {}
    for x in tensors:
        kind = x.type()
        if size.get(kind) and size[kind] + x.nbytes > size_limit:
            yield some[kind]
            some[kind], size[kind] = [], 0
        some.setdefault(kind, []).append(x)
        size[kind] = size.get(kind, 0) + x.nbytes
    yield from some.values()


def __getattr__(name: str) -> Any:
    if name in REBUILDING:
        return REBUILDING[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
