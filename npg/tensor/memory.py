"""A tensor's memory: strides, storage, resizing, and replacement."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, overload

import numpy as np

from npg._refusal import refusing
from npg._words import c_name, shape_text
from npg.engine import TensorBase, bump_version, check_in_place
from npg.functional._arguments import dim_index
from npg.functional._attributes import memory_format
from npg.functional._factory import parse_sizes
from npg.functional._public import public_function
from npg.functional._types import T
from npg.kernels import meta
from npg.kernels.layouts import address
from npg.kernels.meta import MetaArray
from npg.ops.strided import contiguous_strides, offset_of, root
from npg.tensor.conversion import is_contiguous
from npg.tensor.storage import Storage, TypedStorage, UntypedStorage

# ----- Layout -----


@overload
def stride(tensor: Any) -> tuple[int, ...]: ...
@overload
def stride(tensor: Any, dim: int) -> int: ...
@overload
def stride(tensor: Any, dim: int | None) -> int | tuple[int, ...]: ...
def stride(tensor: Any, dim: int | None = None) -> Any:
    """Return the strides in elements, or the stride of one dimension."""
    array = tensor._array
    size = array.itemsize
    if array.size:
        steps = tuple(s // size for s in array.strides)
        if 0 in steps and 1 in array.shape:
            steps = _of_new_dimensions(array.shape, steps)
    else:  # NumPy's strides are zero here
        steps = contiguous_strides(array.shape)
    return steps if dim is None else steps[dim_index("stride", dim, array.ndim)]


def _of_new_dimensions(shape: tuple[int, ...], steps: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, with PyTorch's for the dimensions from x[None], where NumPy's are 0."""
    adjusted = list(steps)
    for d in reversed(range(len(shape))):
        if shape[d] == 1 and not adjusted[d]:
            adjusted[d] = shape[d + 1] * adjusted[d + 1] if d + 1 < len(shape) else 1
    return tuple(adjusted)


def data_ptr(tensor: Any) -> int:
    """Return the address of the first element."""
    return address(tensor._array) if tensor._array.size and not isinstance(tensor._array, MetaArray) else 0


def storage_offset(tensor: Any) -> int:
    """Return the number of elements between the start of the memory and the first element."""
    return offset_of(tensor._array)


@public_function
def is_set_to(tensor: Any, other: Any) -> bool:
    """Tell whether both tensors have the same memory, shape and strides."""
    a, b = tensor._array, other._array
    return a.shape == b.shape and a.strides == b.strides and data_ptr(tensor) == data_ptr(other)


def dim_order(tensor: Any, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """Return the dimensions in the order in which they lie in memory, the one with the largest steps first.

    Args:
        ambiguity_check: True: raise where dimensions of size 1 or of equal steps allow several orders. A list of memory
            formats: return that of the only one of them that the tensor has.
    Raises: RuntimeError: when the order is not unique. TypeError: for another ambiguity_check.
    Source: torch.Tensor.dim_order.
    """
    formats = ambiguity_check if isinstance(ambiguity_check, list) else None
    if not isinstance(ambiguity_check, bool) and (
        formats is None or not all(isinstance(format, memory_format) for format in formats)
    ):
        raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
    array = tensor._array
    steps = stride(tensor)
    if formats is not None:
        ambiguous = sum(is_contiguous(tensor, memory_format=format) for format in formats) != 1
    else:
        ambiguous = len({*steps}) != len(steps) or 1 in array.shape
    if ambiguous and ambiguity_check is not False:
        raise RuntimeError(
            "The tensor does not have unique dim order, or cannot map to exact one of the given memory formats."
        )
    order = [*reversed(range(array.ndim))]  # the innermost first
    for i in range(1, array.ndim):
        for before in reversed(range(i)):
            a, b = order[before], order[i]
            if 0 in (steps[a], steps[b]) or (steps[a] == steps[b] and array.shape[a] <= array.shape[b]):
                continue  # either is right
            if steps[a] < steps[b]:
                break
            order[before], order[i] = b, a
            i = before
    return tuple(reversed(order))


@refusing(RuntimeError, "record_stream: the CPU, on which npg computes, has no streams that free memory later")
def record_stream(tensor: Any, stream: Any) -> None: ...


# ----- Storage -----


def storage(tensor: Any) -> TypedStorage:
    """Return the memory that this tensor is a view of, element by element."""
    return TypedStorage._over(_flat(tensor._array, tensor._array.dtype))


def untyped_storage(tensor: Any) -> UntypedStorage:
    """Return the memory that this tensor is a view of, byte by byte."""
    return UntypedStorage._over(_flat(tensor._array, np.dtype(np.uint8)))


def _flat(array: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    memory = root(array)
    if isinstance(memory, MetaArray):
        reach = sum((n - 1) * s for n, s in zip(memory.shape, memory.strides)) + memory.itemsize if memory.size else 0
        return meta.empty((reach // dtype.itemsize,), dtype)
    if memory.flags.c_contiguous:
        return memory.reshape(-1).view(dtype)
    if memory.flags.f_contiguous:
        return memory.T.reshape(-1).view(dtype)
    if any(s < 0 or s % memory.itemsize for s in memory.strides):
        return np.ascontiguousarray(array).reshape(-1).view(dtype)
    # The memory is not owned by an ndarray: take everything from the first element to the last.
    reach = 1 + sum((n - 1) * s // memory.itemsize for n, s in zip(memory.shape, memory.strides))
    return np.lib.stride_tricks.as_strided(memory, (reach,), (memory.itemsize,)).view(dtype)


@public_function
def resize_(tensor: T, *sizes: Any, memory_format: Any = None) -> T:
    """Resize the tensor to another shape, contiguous; elements beyond the old ones are uninitialised.

    The memory is kept if it is large enough; otherwise the tensor moves to a new one.
    Raises: RuntimeError: when the tensor requires grad.
    Source: torch.Tensor.resize_.
    """
    shape = parse_sizes("resize_", sizes)
    if tensor.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    check_in_place(tensor)
    array = tensor._array
    if shape == array.shape:
        return tensor
    flat = _flat(array, array.dtype)
    start = storage_offset(tensor) if np.shares_memory(flat, array) else 0
    count = 1
    for n in shape:
        count *= n
    if isinstance(array, MetaArray):
        tensor._swap_array(meta.empty(shape, array.dtype))
        return tensor
    if start + count <= flat.size:
        tensor._swap_array(flat[start : start + count].reshape(shape))
        return tensor
    larger = np.empty(count, array.dtype)
    old = flat[start:]
    larger[: old.size] = old
    tensor._swap_array(larger.reshape(shape))
    return tensor


@public_function
def resize_as_(tensor: T, the_template: Any, memory_format: Any = None) -> T:
    """Resize the tensor to the shape of another; see resize_."""
    return resize_(tensor, the_template._array.shape)


@public_function
def resize(tensor: Any, *sizes: Any) -> Any:
    """Return the tensor in another shape with equally many elements. Source: torch.Tensor.resize (deprecated there)."""
    shape = parse_sizes("resize", sizes)
    return tensor.reshape(shape)


@public_function
def set_(tensor: T, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> T:
    """Make the tensor share the memory of another, or without an argument none.

    Args:
        source: a tensor or a storage of the same dtype.
        storage_offset, size, stride: which part of it, in elements.
    Raises: RuntimeError: for another dtype, or when the part is larger than the memory.
    Source: torch.Tensor.set_.
    """
    check_in_place(tensor)
    before = tensor._counter.value
    if source is None:
        tensor._swap_array(meta.empty_beside(tensor._array, (0,)))
        tensor._counter.value = before + 1
        return tensor
    array = source._array
    if isinstance(source, UntypedStorage):
        array = source._seen_as(tensor._array.dtype)
    if isinstance(array, MetaArray) is not isinstance(tensor._array, MetaArray):
        here, there = ("meta", "cpu") if isinstance(tensor._array, MetaArray) else ("cpu", "meta")
        raise RuntimeError(
            f'Attempted to set the storage of a tensor on device "{here}" to a storage on different device "{there}".  '
            "This is no longer allowed; the devices must match."
        )
    if array.dtype != tensor._array.dtype:
        raise RuntimeError(f"Could not set tensor of type {c_name(array)} to a tensor of type {c_name(tensor._array)}")
    if size is not None or isinstance(source, Storage):
        flat = _flat(array, array.dtype)
        shape = (flat.size,) if size is None else tuple(size)
        if stride is None:
            stride = contiguous_strides(shape)
        end = storage_offset + (1 + sum((n - 1) * s for n, s in zip(shape, stride)) if 0 not in shape else 0)
        if end > flat.size:
            raise RuntimeError(
                f"setStorage: sizes {shape_text(shape)}, strides {shape_text(stride)}, storage offset {storage_offset} "
                f"require {end} elements, but the storage has {flat.size}"
            )
        steps = tuple(s * array.itemsize for s in stride)
        array = np.lib.stride_tricks.as_strided(flat[storage_offset:], shape, steps, subok=True)
    tensor._swap_array(array)
    if isinstance(source, TensorBase):
        tensor._share_version(source)
    # A node that saved this tensor must notice that its memory is another: the version must change.
    tensor._counter.value = max(tensor._counter.value, before + 1)
    return tensor


# ----- Python functions on elements -----


@public_function
def apply_(tensor: T, callable: Callable[[Any], Any]) -> T:
    """Replace every element by callable(element), in place. It is slow, for tests and small tensors."""
    if tensor.requires_grad:
        raise RuntimeError("Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead.")
    check_in_place(tensor)
    array = tensor._array
    if isinstance(array, MetaArray):
        return tensor
    array[...] = np.array([callable(v) for v in array.reshape(-1).tolist()], array.dtype).reshape(array.shape)
    bump_version(tensor)
    return tensor


@public_function
def map_(tensor: T, other: Any, callable: Callable[[Any, Any], Any]) -> T:
    """Replace every element by callable(element, element of other), in place. It is slow."""
    if tensor.requires_grad or other.requires_grad:
        raise RuntimeError("Can't call map_() on Variable that requires grad. Use var.detach().map_() instead.")
    check_in_place(tensor)
    array = tensor._array
    if isinstance(array, MetaArray):
        return tensor
    pairs = zip(array.reshape(-1).tolist(), np.broadcast_to(other._array, array.shape).reshape(-1).tolist())
    array[...] = np.array([callable(a, b) for a, b in pairs], array.dtype).reshape(array.shape)
    bump_version(tensor)
    return tensor


# ----- Where it lies -----


def share_memory_(tensor: T) -> T:
    """Move the tensor into memory that processes share, where there is a fork; views of it stay where they are.

    A forked child has the memory too, and a process that is sent the tensor by multiprocessing maps it. On Windows the
    tensor stays as it is.
    Raises: OSError: when there is no such memory.
    Source: torch.Tensor.share_memory_, which moves the tensors that share this one's memory too.
    """
    from npg.tensor.sharing import share  # only loaded when it is used

    share(tensor)
    return tensor


def is_shared(tensor: Any) -> bool:
    """Tell whether the tensor lies in memory that processes share."""
    if "npg.tensor.sharing" not in sys.modules:
        return False
    from npg.tensor.sharing import memory_of

    return memory_of(tensor._array) is not None


def is_pinned(tensor: Any, device: Any = None) -> bool:
    """Return False: only accelerators need pinned memory."""
    return False


def pin_memory(tensor: T, device: Any = None) -> T:
    """Raise RuntimeError: only accelerators need pinned memory."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


def get_device(tensor: Any) -> int:
    """Return -1: the tensor is on no accelerator."""
    return -1
