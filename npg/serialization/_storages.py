"""The storages of a checkpoint: read, mapped or left out, and put where map_location says."""

from __future__ import annotations

import contextlib
import mmap
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from npg import dtypes
from npg.serialization import _names, _options
from npg.serialization._zip_reading import Record, ZipReader
from npg.tensor.storage import Storage, TypedStorage, UntypedStorage
from npg.utils.serialization import config

Array = np.ndarray[Any, Any]
_LARGE = 1 << 22  # bytes from which NumPy asks for huge pages
_POPULATE_WRITE = 23  # of Linux's madvise: take pages now, many at once; mmap has no name for it
_BLOCK = 1 << 20


def persistent_id(pid: Any, count: int) -> tuple[dtypes.dtype, str, str, int, Any]:
    """Return (dtype, key, location, number of elements, what follows) of a storage's persistent id.

    Raises: RuntimeError: when it is no tuple of so many parts. TypeError: when a part has another type, or the dtype is
        none of npg's.
    """
    if not isinstance(pid, tuple) or len(pid) != count:
        raise RuntimeError(f"saved_id must be a tuple of {count}, got a {type(pid).__name__}")
    _, kind, key, location, numel = pid[:5]
    if isinstance(location, bytes):  # a string of Python 2
        location = location.decode("ascii", "replace")
    if isinstance(key, bytes):
        key = key.decode("ascii", "replace")
    if kind is UntypedStorage:
        kind = _names.STORAGE_TYPES["UntypedStorage"]
    if not isinstance(kind, _names.StorageType) or type(key) is not str or type(location) is not str:
        parts = ", ".join(type(part).__name__ for part in (kind, key, location))
        raise TypeError(f"expected the kind, key and location of a storage, got ({parts})")
    if type(numel) is not int or numel < 0:
        raise TypeError(f"expected the number of elements of storage {key[:50]!r}, got a {type(numel).__name__}")
    return kind.dtype, key, location, numel, pid[5:]


def placed(memory: Array, location: str, restore: Callable[[Any, str], Any]) -> UntypedStorage:
    """Return the storage of some memory where `restore` puts it. Raises TypeError when that is no storage."""
    storage = restore(UntypedStorage._over(memory.view(np.uint8)), location)
    if isinstance(storage, Storage):
        return storage.untyped()
    raise TypeError(f"expected map_location to return a storage, got {type(storage)}")


def typed(storage: UntypedStorage, dtype: dtypes.dtype) -> TypedStorage:
    """Return a storage as elements of a dtype."""
    return TypedStorage._over(storage._seen_as(dtype.dtype))


def corrected(memory: Array, swap: bool) -> Array:
    """Return memory with its elements in this machine's byte order, and bools that are 0 or 1."""
    if swap:
        memory.byteswap(inplace=True)
    if memory.dtype.kind == "b":
        raw = memory.view(np.uint8)
        if raw.size and raw.max() > 1:  # NumPy's loops take any other byte for true, or not
            np.minimum(raw, 1, out=raw)
    return memory


class Storages:
    """The storages of a zip archive, each read when a pickle first names it.

    Args:
        reader: of the archive.
        restore: puts a storage where its tag says.
        mapped: the map of the file, or None to read.
    """

    def __init__(self, reader: ZipReader, restore: Callable[[Any, str], Any], mapped: mmap.mmap | None) -> None:
        self._reader, self._restore, self._mapped = reader, restore, mapped
        self._swap = _byte_order(reader) != sys.byteorder
        self._loaded: dict[str, TypedStorage] = {}

    def load(self, pid: Any) -> TypedStorage:
        """Return the storage of a persistent id.

        Raises: RuntimeError: when the archive has no such record, or one of another size.
        """
        dtype, key, location, numel, _ = persistent_id(pid, 5)
        known = self._loaded.get(key)
        if known is not None:
            return known
        record, width = self._reader.find(f"data/{key}"), dtype.itemsize
        if record.size != numel * width:
            raise RuntimeError(
                f"record size ({record.size} bytes) does not match expected size ({numel * width} bytes = {numel} "
                f"elements * {width} bytes/element) for dtype {dtype.scalar_name}"
            )
        memory = corrected(self._memory(record, numel, dtype.dtype), self._swap)
        self._loaded[key] = storage = typed(placed(memory, location, self._restore), dtype)
        return storage

    def _memory(self, record: Record, numel: int, dtype: np.dtype[Any]) -> Array:
        if _options.local.skip_data:
            return np.zeros(numel, dtype)
        if self._mapped is None or not numel:
            memory = _room_for(numel, dtype)
            self._reader.fill(record, memory)
            return memory
        memory = np.frombuffer(self._mapped, dtype, numel, record.start)
        # Files of torch start storages at multiples of 64. A storage of bytes may hold elements of up to 8.
        return memory.copy() if record.start % 8 else memory


def _room_for(numel: int, dtype: np.dtype[Any]) -> Array:
    """Return memory for a storage.

    NumPy asks for huge pages where an array is large. A machine that has to put them together first, or whose host has
    taken them back, takes several times as long for them; each is used once here, so small pages are as good.
    """
    size = numel * dtype.itemsize
    if size < _LARGE or not hasattr(mmap, "MAP_ANONYMOUS"):  # Windows has neither
        return np.empty(numel, dtype)
    private = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # else forks would share it
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # since Linux 5.14
            for at in range(0, size, _BLOCK):  # other threads may run in between
                private.madvise(_POPULATE_WRITE, at, min(_BLOCK, size - at))
    return np.frombuffer(private, dtype, numel)


def _byte_order(reader: ZipReader) -> str:
    if "byteorder" in reader:
        order = reader.read("byteorder") if reader.find("byteorder").size < 100 else b"a longer text"
        if order not in (b"little", b"big"):
            raise ValueError(f"Unknown endianness type: {order.decode('ascii', 'replace')}")
        return order.decode()
    default = config.load.endianness
    if default is _options.LoadEndianness.NATIVE:
        return sys.byteorder
    return "big" if default is _options.LoadEndianness.BIG else "little"


def map_of(path: Any) -> mmap.mmap:
    """Return a map of a file: private, so that writing to the tensors leaves the file alone, unless set otherwise."""
    if config.load.mmap_flags is not None and config.load.mmap_flags == _options.MAP_SHARED:
        with open(path, "r+b") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_WRITE)
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
