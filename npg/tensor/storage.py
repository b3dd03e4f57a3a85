"""Storages: a tensor's memory as a flat sequence of bytes or of elements."""

from __future__ import annotations

import operator
from typing import Any, Self

import numpy as np

from npg import _naming, dtypes
from npg._naming import named
from npg._words import type_name
from npg.functional._attributes import CPU, NO_CUDA, device as device_type
from npg.ops.strided import address

_BYTE = np.dtype(np.uint8)


class Storage:
    """Memory as a flat sequence, shared with the tensors that are views of it: the base of the two classes below.

    Source: torch.storage._StorageBase.
    """

    _array: np.ndarray[Any, Any]
    is_cuda = is_hpu = is_sparse = is_sparse_csr = False
    device = CPU

    @classmethod
    def _over(cls, array: np.ndarray[Any, Any]) -> Self:
        """Return the storage whose memory is that of a flat array."""
        storage = object.__new__(cls)
        storage._array = array
        return storage

    def __len__(self) -> int:
        return self._array.size

    def __getitem__(self, index: Any) -> Any:
        item = self._array[index]
        return self._over(item) if isinstance(item, np.ndarray) else item.item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[index] = value._array if isinstance(value, Storage) else value

    def __iter__(self) -> Any:
        return iter(self._array.tolist())

    def _text(self, words: str) -> str:
        lines = "\n ".join(str(x) for x in self._array.tolist())
        return f" {lines}\n[{_naming.library}.storage.{type(self).__name__}({words}device=cpu) of size {len(self)}]"

    @property
    def _cdata(self) -> int:
        return self.data_ptr()

    def size(self) -> int:
        """Return the number of elements."""
        return self._array.size

    def nbytes(self) -> int:
        """Return the number of bytes."""
        return self._array.nbytes

    def element_size(self) -> int:
        """Return the bytes per element."""
        return self._array.itemsize

    def tolist(self) -> list[Any]:
        """Return the elements as Python numbers."""
        return self._array.tolist()

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return address(self._array)

    def clone(self) -> Self:
        """Return a storage with its own memory and the same elements."""
        return self._over(self._array.copy())

    def copy_(self, source: Storage, non_blocking: bool | None = None) -> Self:
        """Copy the elements of another storage of this size."""
        self._array[...] = source._array
        return self

    def fill_(self, value: Any) -> Self:
        """Set every element."""
        self._array[...] = value
        return self

    def untyped(self) -> UntypedStorage:
        """Return the same memory, byte by byte."""
        return UntypedStorage._over(self._array.view(_BYTE))

    # ----- Where it lies -----

    def cpu(self) -> Self:
        """Return the storage itself."""
        return self

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Self:
        """Raise AssertionError: npg computes on the CPU."""
        raise AssertionError(NO_CUDA)

    def to(self, *, device: Any, non_blocking: bool = False) -> Self:
        """Return the storage itself for the CPU.

        Raises: AssertionError: for CUDA. RuntimeError: for another device.
        """
        target = device if isinstance(device, device_type) else device_type(device)
        if target.type == "cuda":
            raise AssertionError(NO_CUDA)
        if target.type != "cpu":
            raise RuntimeError(named(f"npg.UntypedStorage(): Storage device not recognized: {target.type}"))
        return self

    def get_device(self) -> int:
        """Return -1: the storage is on no accelerator."""
        return -1

    def is_shared(self) -> bool:
        """Return False: the memory is this process's own."""
        return False

    def is_pinned(self, device: Any = None) -> bool:
        """Return False: only accelerators need pinned memory."""
        return False

    def share_memory_(self) -> Self:
        """Return the storage unchanged; npg has no memory shared between processes."""
        return self


class UntypedStorage(Storage):
    """Memory as a flat sequence of bytes.

    Calls:
        UntypedStorage(): an empty one.
        UntypedStorage(16): 16 uninitialised bytes.
        UntypedStorage([1, 2, 3]): these bytes.
    Source: torch.UntypedStorage.
    """

    def __init__(self, *args: Any, device: Any = None) -> None:
        self._array = _made("UntypedStorage", args, _BYTE)
        if device is not None:
            self.to(device=device)

    def __repr__(self) -> str:
        return self._text("")

    def _seen_as(self, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """Return the memory as an array of as many whole elements of a dtype as it holds."""
        return self._array[: self._array.size // dtype.itemsize * dtype.itemsize].view(dtype)


class TypedStorage(Storage):
    """Memory as a flat sequence of elements of one dtype.

    Args:
        args: nothing, a number of elements, or the elements.
        wrap_storage: an UntypedStorage to show as elements of the dtype.
        dtype: the element type; without it the default dtype.
    Source: torch.TypedStorage. The warning that it is deprecated is left out.
    """

    def __init__(
        self, *args: Any, wrap_storage: Any = None, dtype: Any = None, device: Any = None, _internal: bool = False
    ) -> None:
        if not (dtype is None or isinstance(dtype, dtypes.dtype)):
            raise TypeError(named(f"TypedStorage(): argument 'dtype' must be npg.dtype, not {type_name(dtype)}"))
        kind = (dtypes.get_default_dtype() if dtype is None else dtype).dtype
        if wrap_storage is None:
            self._array = _made("TypedStorage", args, kind)
        elif isinstance(wrap_storage, UntypedStorage):
            self._array = wrap_storage._seen_as(kind)
        else:
            raise TypeError(f"Argument 'wrap_storage' must be UntypedStorage, but got {type(wrap_storage)}")
        if device is not None:
            self.to(device=device)

    def __repr__(self) -> str:
        return self._text(f"dtype={self.dtype!r}, ")

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        return dtypes.from_numpy(self._array.dtype)

    @property
    def _untyped_storage(self) -> UntypedStorage:
        return self.untyped()


def _made(name: str, args: tuple[Any, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return the flat array of a call: of nothing, of a number of elements, or of the elements."""
    if not args:
        return np.empty(0, dtype)
    if len(args) > 1:
        raise TypeError(f"{name}() takes 1 positional argument but {len(args)} were given")
    (given,) = args
    if hasattr(given, "__index__"):
        return _empty(operator.index(given), dtype)
    if not isinstance(given, (list, tuple, range, bytes, bytearray, np.ndarray)):
        raise RuntimeError(f"{name}(): Expected a sequence type, but got {type_name(given)}")
    try:
        return np.array([*given], dtype).reshape(-1)
    except (TypeError, ValueError, OverflowError) as reason:
        raise RuntimeError(
            f"{name}(): tried to construct a storage from a sequence ({type_name(given)}), but one of the items is no "
            f"number of its dtype: {reason}"
        ) from reason


def _empty(count: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    if count < 0:
        raise RuntimeError(f"Storage size must not be negative, got {count}")
    if count >= 2**63:
        raise ValueError("Overflow when unpacking long long")
    try:
        return np.empty(count, dtype)
    except (MemoryError, ValueError) as reason:
        raise RuntimeError(
            f"DefaultCPUAllocator: can't allocate memory: you tried to allocate {count * dtype.itemsize} bytes. Error "
            "code 12 (Cannot allocate memory)"
        ) from reason
