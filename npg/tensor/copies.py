"""Copies of tensors, pickles, and subclasses."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from typing import Any, TypeVar

import numpy as np

from npg import dtypes
from npg.engine import TensorBase, apply
from npg.kernels import meta
from npg.kernels.layouts import address
from npg.kernels.meta import MetaArray
from npg.ops.strided import alias, root

S = TypeVar("S", bound=TensorBase)

# ----- Copies and pickles -----

# Attributes of the engine, as opposed to the user's.
_ENGINE_NAMES = frozenset(
    ("_array", "_grad", "_requires_grad", "_fn", "_nr", "_counter", "_base", "_kind", "_seen", "_hooks")
    + ("_post_hooks", "_retains", "_inference")
)


def own_attributes(tensor: Any) -> dict[str, Any]:
    """Return the attributes that a user has set on a tensor."""
    return {k: v for k, v in getattr(tensor, "__dict__", {}).items() if k not in _ENGINE_NAMES}


def rebuild(cls: Any, values: np.ndarray[Any, Any], requires_grad: bool, shape: Any = None, strides: Any = None) -> Any:
    """Return a leaf of class `cls` on an array, or on a flat array viewed with this shape and strides."""
    tensor = TensorBase.__new__(cls)  # a subclass's constructor may take other arguments
    tensor._set_array(values if shape is None else np.ndarray(shape, values.dtype, values, 0, strides))
    if requires_grad:
        tensor._set_requires_grad(True)
    return tensor


def unpickle(
    cls: Any, kind: str, shape: tuple[int, ...], strides: tuple[int, ...] | None, data: Any, requires_grad: bool
) -> Any:
    """Return the tensor that `reduce` pickled; pickles call this.

    Everything is checked before anything is built. NumPy's own pickles of arrays and dtypes are unchecked: a damaged
    file can crash the process.

    Args:
        kind: the name of the dtype, such as "float32".
        strides: in elements, or None for C order.
        data: the elements in memory order, little-endian.
    Raises: TypeError, ValueError: for anything that `reduce` does not write.
    """
    if not (isinstance(cls, type) and issubclass(cls, TensorBase)):
        raise TypeError(f"expected a class of tensors in a pickle, got {cls!r}")
    dtype = dtypes.by_name(kind).dtype
    size = math.prod(_counts(shape, "shape"))
    if strides is not None:
        if len(_counts(strides, "strides")) != len(shape):
            raise ValueError(f"expected as many strides as sizes in a pickle, got {strides} and {shape}")
        size = 1 + sum((n - 1) * step for n, step in zip(shape, strides)) if size else 0
    memory = pickle.PickleBuffer(data).raw()
    if memory.nbytes != size * dtype.itemsize:
        raise ValueError(f"expected {size * dtype.itemsize} bytes of {kind} in a pickle, got {memory.nbytes}")
    if dtype.kind == "b":
        flat = np.frombuffer(memory, np.uint8) != 0  # a byte other than 0 and 1 is no valid bool
    else:
        flat = np.frombuffer(memory, dtype.newbyteorder("<")).astype(dtype, copy=memory.readonly)
    if strides is None:
        return rebuild(cls, flat.reshape(shape), bool(requires_grad))
    return rebuild(cls, flat, bool(requires_grad), shape, tuple([step * dtype.itemsize for step in strides]))


def unpickle_meta(cls: Any, kind: str, shape: tuple[int, ...], strides: tuple[int, ...], requires_grad: bool) -> Any:
    """Return the tensor without data that `reduce` pickled; arguments as of unpickle."""
    if not (isinstance(cls, type) and issubclass(cls, TensorBase)):
        raise TypeError(f"expected a class of tensors in a pickle, got {cls!r}")
    dtype = dtypes.by_name(kind).dtype
    if len(_counts(strides, "strides")) != len(_counts(shape, "shape")):
        raise ValueError(f"expected as many strides as sizes in a pickle, got {strides} and {shape}")
    array = meta.empty(shape, dtype, tuple([step * dtype.itemsize for step in strides]))
    return rebuild(cls, array, bool(requires_grad))


def _counts(counts: Any, name: str) -> tuple[int, ...]:
    if not isinstance(counts, tuple) or not all(type(n) is int and 0 <= n < 2**62 for n in counts) or len(counts) > 64:
        raise ValueError(f"expected a {name} of counts in a pickle, got {counts!r:.100}")
    return counts


def reduce(tensor: Any, protocol: int) -> tuple[Any, ...]:
    """Return the pickle of a tensor: values, requires_grad and its own attributes; no graph, no .grad."""
    for hook in (tensor._hooks or {}).values():
        warnings.warn(
            f"backward hook {hook!r} on tensor will not be serialized.  Remove it before the tensor is pickled if this "
            "is expected",
            stacklevel=3,
        )
    state = own_attributes(tensor)
    array = tensor._array
    if isinstance(array, MetaArray):
        kind, steps = dtypes.from_numpy(array.dtype).name, tuple([step // array.itemsize for step in array.strides])
        return unpickle_meta, (type(tensor), kind, array.shape, steps, tensor.requires_grad), state or None
    flat, strides = _flat(array)
    flat = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
    data: Any = pickle.PickleBuffer(flat) if protocol >= 5 else flat.tobytes()
    kind = dtypes.from_numpy(array.dtype).name
    return unpickle, (type(tensor), kind, array.shape, strides, data, tensor.requires_grad), state or None


def _flat(array: np.ndarray[Any, Any]) -> tuple[Any, tuple[int, ...] | None]:
    """Return an array's elements in memory order, and its strides in elements if permuted or expanded, else None."""
    size = array.itemsize
    if not array.flags.c_contiguous and array.size and all(step >= 0 and not step % size for step in array.strides):
        strides = tuple([step // size for step in array.strides])
        reach = 1 + sum((n - 1) * step for n, step in zip(array.shape, strides))
        if reach <= array.size:  # otherwise a part of a larger array, which is pickled alone
            return np.lib.stride_tricks.as_strided(array, (reach,), (size,)), strides
    return np.ascontiguousarray(array).reshape(-1), None


def deepcopy(tensor: Any, memo: dict[int, Any]) -> Any:
    """Return a copy of a leaf with its own memory, .grad and attributes; tensors that share memory still do.

    Raises: RuntimeError: for a tensor that is no leaf.
    """
    known = memo.get(id(tensor))
    if known is not None:
        return known
    if not tensor.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001"
        )
    twin = rebuild(type(tensor), _copied_with_its_memory(tensor, memo), tensor.requires_grad)
    memo[id(tensor)] = twin
    if tensor._grad is not None:
        twin._grad = copy.deepcopy(tensor._grad, memo)
    vars(twin).update(copy.deepcopy(own_attributes(tensor), memo))
    return twin


def _copied_with_its_memory(tensor: Any, memo: dict[int, Any]) -> np.ndarray[Any, Any]:
    """Return the same view of a copy of the whole memory, which is made once for all its views.

    The whole memory is that of the view's base: for a tensor on a part of an ndarray, that part alone.
    """
    array = tensor._array
    if isinstance(array, MetaArray):
        return array.copy(order="K")
    own, memory = array if tensor._base is None else tensor._base._array, root(array)
    if id(memory) not in memo and _is_dense(own):
        memory = own
    if not _is_dense(memory):
        return array.copy(order="K")
    twin = memo.get(id(memory))
    if not isinstance(twin, np.ndarray) or twin.strides != memory.strides or twin.dtype != memory.dtype:
        twin = memo[id(memory)] = memory.copy(order="K")
        memo.setdefault(id(memo), []).append(memory)  # keeps it alive: its id stays unique meanwhile
    if array is memory:
        return twin
    flat = (twin if twin.flags.c_contiguous else twin.T).reshape(-1)
    offset = address(array) - address(memory) if array.size else 0
    return np.ndarray(array.shape, array.dtype, flat.view(np.uint8), offset, array.strides)


def _is_dense(array: np.ndarray[Any, Any]) -> bool:
    return array.flags.c_contiguous or array.flags.f_contiguous


def shallow_copy(tensor: Any) -> Any:
    """Return a leaf that shares the tensor's memory and attributes, for copy.copy."""
    twin = rebuild(type(tensor), tensor._array, tensor.requires_grad)
    twin._share_version(tensor)
    vars(twin).update(own_attributes(tensor))
    return twin


# ----- Subclasses -----


def as_subclass(tensor: Any, cls: type[S]) -> S:
    """Return a view of the tensor that is an instance of a subclass of Tensor.

    Raises: TypeError: when cls is not a subclass of Tensor.
    Source: torch.Tensor.as_subclass.
    """
    _check_class(cls)
    view = apply(alias, (tensor,), {})
    view.__class__ = cls
    return view


def make_subclass(cls: Any, data: Any, require_grad: bool = False) -> Any:
    """Return a leaf of a subclass of Tensor on the memory of another tensor; constructors of subclasses call this.

    Raises: TypeError: when cls is not a subclass of Tensor. RuntimeError: when integers should require grad.
    Source: torch.Tensor._make_subclass.
    """
    _check_class(cls)
    instance = rebuild(cls, data._array, False)
    instance._share_version(data)
    if require_grad and data._array.dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    instance._set_requires_grad(require_grad)
    return instance


def _check_class(cls: Any) -> None:
    if not isinstance(cls, type):
        raise TypeError(f"cls must be a type (got {type(cls).__name__})")
    if not issubclass(cls, TensorBase):
        raise TypeError(
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure your "
            "class inherits from Tensor."
        )
