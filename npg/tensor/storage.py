"""Storages: a tensor's memory as a flat sequence of bytes or of elements."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from npg import _naming, dtypes
from npg._naming import named
from npg._words import type_name
from npg.functional._attributes import CPU, META, NO_CUDA, device as device_type
from npg.kernels import meta
from npg.kernels.layouts import address
from npg.kernels.meta import NO_DATA, MetaArray
from npg.tensor.storage_sources import of_buffer, of_call, of_file, swapped

_BYTE = np.dtype(np.uint8)
# The classes of storages that there were for each dtype.
LEGACY_NAMES = {
    "float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage",
    "int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage",
    "bool": "BoolStorage",
}  # fmt: skip


class Storage:
    """Memory as a flat sequence, shared with the tensors that are views of it: the base of the two classes below.

    Source: torch.storage._StorageBase.
    """

    _array: np.ndarray[Any, Any]
    _filename: str | None
    is_cuda = is_hpu = is_sparse = is_sparse_csr = False

    @property
    def device(self) -> device_type:
        """Where the memory lies: the CPU, or the device "meta", where there is none."""
        return META if isinstance(self._array, MetaArray) else CPU

    @classmethod
    def _over(cls, array: np.ndarray[Any, Any]) -> Self:
        """Return the storage whose memory is that of a flat array."""
        storage = object.__new__(cls)
        storage._array = array
        return storage

    def __len__(self) -> int:
        return self._array.size

    def __iter__(self) -> Any:
        return iter(self._array.tolist())

    def _text(self, words: str) -> str:
        lines = "..." if self.device is META else " " + "\n ".join(str(x) for x in self._array.tolist())
        kind = f"{_naming.library}.storage.{type(self).__name__}"
        return f"{lines}\n[{kind}({words}device={self.device}) of size {len(self)}]"

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
        self._check_data()
        return self._array.tolist()

    def _check_data(self) -> None:
        if self.device is META:
            raise NotImplementedError("Not available for 'meta' device type")

    def data_ptr(self) -> int:
        """Return the address of the first element, 0 where there is no memory."""
        return 0 if self.device is META else address(self._array)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self._array.nbytes

    def clone(self) -> Self:
        """Return a storage with its own memory and the same elements."""
        return self._over(self._array.copy())

    def __copy__(self) -> Self:
        return self.clone()

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        """Return a copy; storages on one memory are copied to one memory."""
        copies: dict[Any, Any] = memo.setdefault("torch", {})
        place = self.data_ptr(), self.nbytes()
        if place not in copies:
            copies[place] = self._array.copy().view(_BYTE)
            copies[id(self)] = self  # the address stays its own meanwhile
        return self._over(copies[place].view(self._array.dtype))

    def __reduce__(self) -> tuple[Any, ...]:
        little = self._array.astype(self._array.dtype.newbyteorder("<"), copy=False)
        return _unpickled, (type(self) is TypedStorage, dtypes.from_numpy(self._array.dtype).name, little.tobytes())

    def copy_(self, source: Storage, non_blocking: bool | None = None) -> Self:
        """Copy the bytes of another storage of as many.

        Raises: RuntimeError: for another number of bytes.
        """
        if self.nbytes() != source.nbytes():
            raise RuntimeError(
                f"size does not match, self was {self.nbytes()} bytes but src was {source.nbytes()} bytes"
            )
        self._array.view(_BYTE)[...] = source._array.view(_BYTE)
        return self

    def fill_(self, value: Any) -> Self:
        """Set every element."""
        self._array[...] = value
        return self

    def untyped(self) -> UntypedStorage:
        """Return the same memory, byte by byte."""
        return UntypedStorage._over(self._array.view(_BYTE))

    def _to(self, dtype: Any) -> TypedStorage:
        """Return a copy with the elements in another dtype."""
        if not isinstance(dtype, dtypes.dtype):
            raise TypeError(named(f"Argument 'dtype' must be npg.dtype, not {type(dtype)}"))
        return TypedStorage._over(self._array.astype(dtype.dtype))

    @property
    def filename(self) -> str | None:
        """The file whose map it is, None for other memory and for private maps."""
        return getattr(self, "_filename", None)

    # ----- Where it lies -----

    def cpu(self) -> Self:
        """Return the storage itself. Raises: NotImplementedError: on the device "meta"."""
        if self.device is META:
            raise NotImplementedError(NO_DATA)
        return self

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Self:
        """Raise AssertionError: npg computes on the CPU."""
        raise AssertionError(NO_CUDA)

    def to(self, *, device: Any, non_blocking: bool = False) -> Self:
        """Return the storage itself for the CPU.

        Raises: AssertionError: for CUDA and "meta". RuntimeError: for another device.
        """
        target = device if isinstance(device, device_type) else device_type(device)
        if target.type == "cuda":
            raise AssertionError(NO_CUDA)
        if target.type == "meta":
            raise AssertionError("META device module is not loaded")
        if target.type != "cpu":
            raise RuntimeError(named(f"npg.UntypedStorage(): Storage device not recognized: {target.type}"))
        return self

    def get_device(self) -> int:
        """Return -1: the storage is on no accelerator."""
        return -1

    def is_shared(self) -> bool:
        """Tell whether the memory is shared between processes."""
        from npg.tensor.sharing import memory_of  # only loaded when it is used

        return memory_of(self._array) is not None or self.filename is not None

    def is_pinned(self, device: Any = None) -> bool:
        """Return False: only accelerators need pinned memory."""
        return False

    def share_memory_(self) -> Self:
        """Move the storage into memory that processes share; tensors that were on its memory stay where they are."""
        if not self.is_shared():
            before = self._array
            self._array = shared_array(before.size, before.dtype)
            self._array[...] = before
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
        self._array = of_call("UntypedStorage", args, _BYTE)
        if device is not None and device_type(device).type == "meta":
            self._array = meta.like(self._array)
        elif device is not None:
            self.to(device=device)

    def __repr__(self) -> str:
        return self._text("")

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, (int, slice)):
            raise TypeError(named(f"can't index a npg.UntypedStorage with {type_name(index)}"))
        if isinstance(index, slice):
            if index.step not in (None, 1):
                raise RuntimeError(f"Trying to slice with a step of {index.step}, but only a step of 1 is supported")
            return self._over(self._array[index])
        _check_index(index, len(self))
        self._check_data()
        return self._array[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, int):
            if not 0 <= index < len(self):
                raise RuntimeError("out of bounds")
        elif not isinstance(index, slice):
            raise TypeError(named(f"can't index a npg.UntypedStorage with {type_name(index)}"))
        elif index.step not in (None, 1):
            raise RuntimeError(f"Trying to slice with a step of {index.step}, but only a step of 1 is supported")
        if not isinstance(value, int):
            raise RuntimeError(f"can only set storage content with a int types, but got {type_name(value)} instead")
        self._array[index] = value & 0xFF

    def fill_(self, value: Any) -> Self:
        """Set every byte to the lowest one of an int."""
        if not isinstance(value, int):
            raise RuntimeError(f"fill_ expects int, but got {type_name(value)}")
        self._array[...] = value & 0xFF
        return self

    def type(self) -> str:
        """Return the name of the class."""
        return f"{_naming.library}.storage.UntypedStorage"

    def new(self) -> UntypedStorage:
        """Return an empty storage."""
        return UntypedStorage()

    def byteswap(self, dtype: dtypes.dtype) -> None:
        """Reverse the bytes of each element of a dtype, in place."""
        swapped(self._array, dtype.itemsize)

    @classmethod
    def from_buffer(
        cls, buffer: Any, byte_order: str | None = None, count: int = -1, offset: int = 0, dtype: Any = None
    ) -> UntypedStorage:
        """Return a copy of elements in a buffer of bytes, in this machine's byte order.

        Args:
            byte_order: "native", "little" or "big"; needed for all but integers of a byte.
            count: the number of elements; -1 for all.
            offset: where they start, in bytes.
            dtype: their type.
        Raises: RuntimeError: without a dtype or byte order. ValueError: where the buffer is too small. TypeError: when
            it is no buffer.
        """
        if not isinstance(dtype, dtypes.dtype):
            raise RuntimeError(f"argument 'dtype' cannot be {dtype}")
        return cls._over(of_buffer(buffer, byte_order, count, offset, dtype.dtype).view(_BYTE))

    @classmethod
    def from_file(cls, filename: Any, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """Return a storage on the map of a file.

        Args:
            shared: whether changes are changes of the file, which is then made as long as needed.
            nbytes: how many bytes.
        Raises: RuntimeError: when the file cannot be opened, or is too small.
        """
        storage = cls._over(of_file(filename, shared, nbytes))
        if shared:
            storage._filename = os.fsdecode(filename)
        return storage

    @classmethod
    def _new_shared(cls, size: int, *, device: Any = "cpu") -> UntypedStorage:
        return cls._over(shared_array(size, _BYTE))

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
            self._array = of_call("TypedStorage", args, kind)
        elif isinstance(wrap_storage, UntypedStorage):
            self._array = wrap_storage._seen_as(kind)
            self._filename = wrap_storage.filename
        else:
            raise TypeError(f"Argument 'wrap_storage' must be UntypedStorage, but got {type(wrap_storage)}")
        if device is not None:
            self.to(device=device)

    def __repr__(self) -> str:
        return self._text(f"dtype={self.dtype!r}, ")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not isinstance(index, int):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        _check_index(index, len(self))
        self._check_data()
        return self._array[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(index, (int, slice)):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        if isinstance(value, Storage):
            raise RuntimeError(f"cannot set item with value type {type(value)}")
        self._array[index] = value

    def type(self) -> str:
        """Return the name of the class that storages of this dtype had."""
        name = LEGACY_NAMES.get(self.dtype.name)
        return f"{_naming.library}.{name or 'storage.TypedStorage'}"

    def pickle_storage_type(self) -> str:
        """Return what files call a storage of this dtype. Raises KeyError where they do not."""
        if self.dtype.name not in LEGACY_NAMES:
            raise KeyError(f"dtype {self.dtype} is not recognized")
        return LEGACY_NAMES[self.dtype.name]

    @classmethod
    def from_buffer(
        cls, buffer: Any, byte_order: str | None = None, count: int = -1, offset: int = 0, dtype: Any = None
    ) -> TypedStorage:
        """Return a copy of elements in a buffer of bytes; see UntypedStorage.from_buffer."""
        kind = dtypes.get_default_dtype() if dtype is None else dtype
        return TypedStorage._over(of_buffer(buffer, byte_order, count, offset, kind.dtype))

    @classmethod
    def from_file(cls, filename: Any, shared: bool = False, size: int = 0) -> TypedStorage:
        """Return a storage on the map of a file, of `size` elements; see UntypedStorage.from_file."""
        raise RuntimeError("from_file can only be called on derived classes")

    def _new_shared(self, size: int, *, device: Any = None) -> TypedStorage:
        return self._over(shared_array(size, self._array.dtype))

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        return dtypes.from_numpy(self._array.dtype)

    @property
    def _untyped_storage(self) -> UntypedStorage:
        return self.untyped()

    @property
    def _dtype(self) -> dtypes.dtype:
        return self.dtype


def _check_index(index: int, size: int) -> None:
    if not -size <= index < size:
        raise IndexError(f"index {index} out of range for storage of size {size}")


def shared_array(count: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return zeros in memory that processes share; in this process's own where there is none."""
    if os.name == "nt" or not count:
        return np.zeros(count, dtype)
    from npg.tensor.sharing import new_memory  # only loaded when it is used

    return np.frombuffer(new_memory(count * dtype.itemsize), dtype, count)


def _unpickled(is_typed: bool, kind: str, data: bytes) -> Any:
    """Return the storage that a pickle holds."""
    dtype = dtypes.by_name(kind).dtype
    array = np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype)
    return (TypedStorage if is_typed else UntypedStorage)._over(array)


# ----- In another dtype -----


def _cast(name: str, kind: str) -> Callable[[Storage], TypedStorage]:
    def cast(self: Storage) -> TypedStorage:
        return self._to(dtypes.by_name(kind))

    cast.__name__, cast.__qualname__ = name, f"Storage.{name}"
    cast.__doc__ = f"Return a copy with the elements as {kind}."
    return cast


for _name, _kind in {
    "double": "float64", "float": "float32", "half": "float16", "long": "int64", "int": "int32", "short": "int16",
    "char": "int8", "byte": "uint8", "bool": "bool",
}.items():  # fmt: skip
    setattr(Storage, _name, _cast(_name, _kind))
