"""DLPack in both directions: memory shared with other libraries, which keep it alive while they use it."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.engine import wrap
from npg.functional._attributes import check_device
from npg.kernels.meta import MetaArray
from npg.ops.strided import Window
from npg.tensor.data import check_shareable

_CPU = (1, 0)  # kDLCPU
_SPENT = (
    "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might have "
    "already constructed a tensor from it once."
)


def to_dlpack(
    tensor: Any, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
) -> Any:
    """Return a DLPack capsule that shares the tensor's memory.

    Args:
        stream: None or -1: a CPU has none.
        max_version: the latest version that the consumer supports, such as (1, 0); None: the unversioned protocol.
        dl_device: None or (1, 0), the CPU.
        copy: True exports a copy; False and None share.
    Raises: BufferError: when the tensor requires grad, for another device, and for read-only memory without versions.
    Source: the array API standard, `__dlpack__`.
    """
    if tensor.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream is not None and not isinstance(stream, int):
        raise TypeError("stream must be ``int`` or ``none``")
    if stream not in (None, -1):
        raise AssertionError("stream should be None on cpu.")
    if dl_device is not None and tuple(map(int, dl_device)) != _CPU:
        raise BufferError(f"expected dl_device (1, 0), the CPU, got {dl_device}; npg has no other device")
    array = tensor._array
    if isinstance(array, MetaArray):
        raise BufferError("Cannot pack tensors on meta")
    try:
        return array.__dlpack__(max_version=max_version, copy=copy)
    except TypeError:  # NumPy 2.0 supports the unversioned protocol only
        return (array.copy() if copy else array).__dlpack__()


class _Producer:
    """A DLPack producer, for NumPy, of an existing capsule."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return _CPU


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """Return a tensor that shares memory with an object that supports DLPack, such as another library's tensor.

    Args:
        ext_tensor: the object, or its capsule, which can be used once.
        device: None or the CPU.
        copy: True copies; False or None shares.
    Returns: a tensor, writable unless the producer marks the memory as read-only.
    Raises: RuntimeError: when the object does not support DLPack, the capsule was used, or the device is not the CPU.
        TypeError: for a dtype that npg does not have. ValueError: for negative strides.
    Source: torch.from_dlpack.
    """
    check_device(device)
    if hasattr(ext_tensor, "__dlpack__"):
        where = tuple(map(int, ext_tensor.__dlpack_device__())) if hasattr(ext_tensor, "__dlpack_device__") else _CPU
        if where[0] != _CPU[0]:
            raise RuntimeError(f"expected an object in the memory of the CPU, got one on DLPack device {where}")
        capsule = _capsule_of(ext_tensor)
    elif type(ext_tensor).__name__ == "PyCapsule":
        capsule = ext_tensor
    else:
        kind = type(ext_tensor).__name__
        raise RuntimeError(f"expected an object with __dlpack__ and __dlpack_device__, or its capsule, got {kind}")
    name = repr(capsule).partition('"')[2].partition('"')[0]
    if name not in ("dltensor", "dltensor_versioned"):
        raise RuntimeError(_SPENT)
    array = np.from_dlpack(_Producer(capsule))
    if not array.flags.writeable and name == "dltensor" and not isinstance(ext_tensor, np.ndarray):
        array = _writeable(array)
    return wrap(check_shareable(array).copy() if copy else check_shareable(array))


def _capsule_of(x: Any) -> Any:
    try:
        return x.__dlpack__(max_version=(1, 0))
    except TypeError:  # a producer without versions
        return x.__dlpack__()


def _writeable(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    # The unversioned protocol cannot mark memory as read-only: NumPy treats all of it as read-only, PyTorch none.
    interface = dict(array.__array_interface__)
    interface["data"] = (interface["data"][0], False)
    return np.asarray(Window(interface, array))
