"""The format of PyTorch before 1.6: five pickles, then the bytes of the storages.

The pickles are a magic number, the version of the format, the sizes of C's types, the object, and the keys of the
storages. Each storage is its number of elements, in eight bytes, and the elements, all in little-endian order.
"""

from __future__ import annotations

import io
import pickle
import struct
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from npg import dtypes
from npg.serialization import _files, _options, _storages
from npg.serialization._pickling import Memories, Names, pickler_of
from npg.serialization._scanning import opcodes_of
from npg.serialization._unpickler import Damaged, Unpickler
from npg.serialization._zip_reading import Source
from npg.tensor.storage import UntypedStorage

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
_PICKLES = 5
_FIRST_READ = 1 << 16

# ----- Saving -----


def save(obj: object, f: Any, pickle_module: Any, protocol: int) -> None:
    """Write an object in this format."""
    if _options.local.skip_data:
        raise RuntimeError("Cannot use skip_data=True with _use_new_zipfile_serialization=False")
    pickled, memories = _dumped(obj, pickle_module, protocol, Memories())
    parts = memories.parts()
    if parts:
        pickled, memories = _dumped(obj, pickle_module, protocol, Memories(parts))
    sizes = {"short": struct.calcsize("=h"), "int": struct.calcsize("=i"), "long": struct.calcsize("=l")}
    about = {"protocol_version": PROTOCOL_VERSION, "little_endian": sys.byteorder == "little", "type_sizes": sizes}
    keys = sorted(memories.storages)
    with _files.writing(f) as file:
        for value in (MAGIC_NUMBER, PROTOCOL_VERSION, about):
            file.write(pickle.dumps(value, protocol=2))
        file.write(pickled)
        file.write(pickle.dumps(keys, protocol=2))
        for key in keys:
            data, dtype = memories.storages[key], memories.dtypes[key].dtype
            file.write(struct.pack("<q", data.nbytes // dtype.itemsize))
            if data.size:
                swapped = data if sys.byteorder == "little" else data.view(dtype).byteswap().view(np.uint8)
                file.write(swapped.data)


def _dumped(obj: object, pickle_module: Any, protocol: int, memories: Memories) -> tuple[bytes, Memories]:
    names, buffer = Names(), io.BytesIO()
    pickler_of(pickle_module, names, memories, (None,))(buffer, protocol=protocol).dump(obj)
    return names.put(buffer.getvalue()), memories


# ----- Loading -----


def is_tar(head: bytes) -> bool:
    """Tell whether a file starts as a tar archive: the format of PyTorch before 0.1.10."""
    return head[257:262] == b"ustar" and head[:1] != b"\x80"


class _Reading:
    """The storages that a pickle names, before their bytes are read: they follow it in the file."""

    def __init__(self, file_size: int, restore: Callable[[Any, str], Any]) -> None:
        self._left, self._restore = file_size, restore
        self._loaded: dict[str, tuple[UntypedStorage, dtypes.dtype, int]] = {}

    def load(self, pid: Any) -> Any:
        if isinstance(pid, tuple) and pid and pid[0] in ("module", b"module") and len(pid) == 4:
            return pid[1]  # a class with its source, which is not compared
        dtype, key, location, numel, (view,) = _storages.persistent_id(pid, 6)
        if key not in self._loaded:
            self._left -= numel * dtype.itemsize
            if self._left < 0:
                raise RuntimeError(f"unexpected EOF, expected {-self._left} more bytes. The file might be corrupted.")
            memory = np.zeros(numel, dtype.dtype)
            self._loaded[key] = _storages.placed(memory, location, self._restore), dtype, numel
        storage, _, _ = self._loaded[key]
        if view is None:
            return _storages.typed(storage, dtype)
        if type(view) is not tuple or len(view) != 3 or not all(type(n) is int and n >= 0 for n in view[1:]):
            raise TypeError(f"expected the key, offset and size of a part of a storage, got a {type(view).__name__}")
        start, end = view[1] * dtype.itemsize, (view[1] + view[2]) * dtype.itemsize
        if end > storage.nbytes():
            raise RuntimeError(f"expected a part of storage {key[:50]!r} of {storage.nbytes()} bytes, got one to {end}")
        return _storages.typed(UntypedStorage._over(storage._array[start:end]), dtype)

    def fill(self, keys: Any, source: Source, at: int) -> None:
        """Read the bytes of the storages of these keys."""
        names = [key.decode("ascii", "replace") if isinstance(key, bytes) else key for key in _listed(keys)]
        if not all(type(name) is str for name in names) or sorted(names) != sorted(self._loaded):
            raise RuntimeError("expected the keys of the storages that the pickle names, got others; corrupt file?")
        for key in names:
            storage, dtype, numel = self._loaded[key]
            (count,) = struct.unpack("<q", source.read(at, 8))
            if count != numel:
                raise RuntimeError(f"expected {numel} elements in storage {key!r:.50}, got {count}; corrupt file?")
            elements = storage._seen_as(dtype.dtype)
            target = elements[:numel].view(np.uint8)
            source.fill(at + 8, target.data)
            _storages.corrected(elements, sys.byteorder != "little")
            at += 8 + len(target)


def _listed(keys: Any) -> list[Any]:
    return keys if type(keys) is list else [keys]


def load_safely(file: Any, restore: Callable[[Any, str], Any], encoding: str) -> Any:
    """Return the object of a file in this format, with the safe unpickler."""
    source = Source(file)
    data, ends = _pickles(source)

    def value(i: int, persistent_load: Callable[[Any], Any] = _no_storage) -> Any:
        part = data[ends[i - 1] if i else 0 : ends[i]]
        return Unpickler(part, persistent_load, source.size, encoding).load()

    _check_start(value(0), value(1))
    reading = _Reading(source.size, restore)
    result, keys = value(3, reading.load), value(4)
    if not _options.local.skip_data:
        reading.fill(keys, source, ends[-1])
    return result


def _no_storage(pid: Any) -> Any:
    raise Damaged("expected no storage in this part of the file")


def _pickles(source: Source) -> tuple[bytes, list[int]]:
    """Return the start of a file up to the storages, and where each pickle ends."""
    count = _FIRST_READ
    if not source.size:
        raise EOFError("Ran out of input: the file is empty")
    while True:
        data = source.read(0, min(count, source.size))
        at, ends = 0, []
        try:
            for i in range(_PICKLES):
                for _, _, end in opcodes_of(data, at):
                    at = end
                ends.append(at)
                if i == 0:
                    _check_start(Unpickler(data[:at], _no_storage, source.size).load())
            return data, ends
        except EOFError:
            if count >= source.size:
                raise Damaged("the file ends within its pickles: it is truncated, or no checkpoint") from None
            count *= 4


def _check_start(magic: Any, version: Any = PROTOCOL_VERSION) -> None:
    if type(magic) is not int or magic != MAGIC_NUMBER:
        raise RuntimeError("Invalid magic number; corrupt file?")
    if type(version) is not int or version != PROTOCOL_VERSION:
        raise RuntimeError(f"Invalid protocol version: {version!r:.50}")


def load_any(
    file: Any, restore: Callable[[Any, str], Any], pickle_module: Any, unpickler_of: Any, options: dict[str, Any]
) -> Any:
    """Return the object of a file in this format, with pickle, which runs what the file says."""
    source = Source(file)
    if isinstance(file, io.RawIOBase):
        file = io.BufferedReader(file)  # the unpickler reads lines
    file.seek(source.start)
    _check_start(pickle_module.load(file, **options))
    _check_start(MAGIC_NUMBER, pickle_module.load(file, **options))
    pickle_module.load(file, **options)
    reading = _Reading(source.size, restore)
    result = unpickler_of(file, reading.load).load()
    keys = pickle_module.load(file, **options)
    if not _options.local.skip_data:
        reading.fill(keys, source, file.tell() - source.start)
    return result
