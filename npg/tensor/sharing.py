"""Tensors in memory that processes share: a forked child has it, and one that is sent such a tensor maps it.

The memory is an anonymous file, which is gone with the last process that has it: nothing is left in a folder. Source:
torch.Tensor.share_memory_, with PyTorch's strategy "file_descriptor".
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from collections.abc import Iterator
from multiprocessing import reduction
from typing import Any

import numpy as np

from npg.engine import TensorBase
from npg.kernels.meta import MetaArray
from npg.ops.strided import root
from npg.tensor.copies import own_attributes, rebuild


class Shared(mmap.mmap):
    """Memory that processes share.

    Attributes:
        descriptor: of its file.
    """

    descriptor: int


def _mapped(descriptor: int, size: int) -> Shared:
    """Map a file, whose descriptor is closed with the memory."""
    memory = Shared(descriptor, size)
    memory.descriptor = descriptor
    weakref.finalize(memory, os.close, descriptor)
    return memory


def new_file(size: int) -> int:
    """Return the descriptor of a new file without a name. Raises: OSError: when there is no memory or descriptor."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("npg")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        os.ftruncate(descriptor, size)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)  # an error now, not a bus error when it is written
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def new_memory(size: int) -> Shared:
    """Return new memory that processes share, all zero. Raises: OSError: when there is none."""
    return _mapped(new_file(size), size)


def memory_of(array: np.ndarray[Any, Any]) -> Shared | None:
    """Return the shared memory on which an array lies, None where its memory is this process's own."""
    base = root(array).base
    while base is not None and not isinstance(base, Shared):
        base = base.obj if isinstance(base, memoryview) else getattr(base, "base", None)
    return base


def share(tensor: Any) -> None:
    """Move a tensor into memory that processes share; other tensors on its memory stay where they are.

    Raises: OSError: when there is none; the tensor is then as it was. RuntimeError: when it has no data.
    """
    array = tensor._array
    if isinstance(array, MetaArray):
        raise RuntimeError("_share_fd_: only available on CPU")
    if os.name == "nt" or memory_of(array) is not None:
        return
    size = max(array.nbytes, 1)
    memory = new_memory(size)
    moved = np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)
    moved[...] = array
    before = tensor._counter.value
    tensor._swap_array(moved)
    tensor._counter.value = before
    for cls in _classes(TensorBase):  # a Parameter whose data was moved is sent so too
        reduction.ForkingPickler.register(cls, _reduce)


def _classes(base: Any) -> Iterator[Any]:
    """Yield the classes of tensors."""
    for cls in base.__subclasses__():
        yield cls
        yield from _classes(cls)


# ----- Sending to another process -----


def _reduce(tensor: Any) -> Any:
    """Return what makes a tensor in another process: its memory, where that is shared."""
    array = tensor._array
    memory = memory_of(array)
    if memory is None or tensor.grad_fn is not None or own_attributes(tensor):
        return tensor.__reduce_ex__(4)
    start = array.__array_interface__["data"][0] - np.frombuffer(memory, np.uint8).__array_interface__["data"][0]
    place = (array.dtype.str, array.shape, array.strides, start)
    sent = reduction.DupFd(memory.descriptor)
    return _rebuild, (type(tensor), sent, len(memory), place, tensor.requires_grad)


def _rebuild(cls: Any, sent: Any, size: int, place: Any, requires_grad: bool) -> Any:
    memory = _mapped(sent.detach(), size)
    dtype, shape, strides, start = place
    array: Any = np.ndarray(shape, np.dtype(dtype), memory, start, strides)
    return rebuild(cls, array, requires_grad)
