"""The memory of new storages: of numbers, of a buffer, of a file, and shared between processes."""

from __future__ import annotations

import mmap
import operator
import os
import sys
from typing import Any

import numpy as np

from npg._words import type_name

Array = np.ndarray[Any, Any]


def of_call(name: str, args: tuple[Any, ...], dtype: np.dtype[Any]) -> Array:
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


def _empty(count: int, dtype: np.dtype[Any]) -> Array:
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


def of_buffer(buffer: Any, byte_order: str | None, count: int, offset: int, dtype: np.dtype[Any]) -> Array:
    """Return a copy of elements in a buffer of bytes.

    Args:
        byte_order: "native", "little" or "big"; needed for all but integers of a byte.
        count: the number of elements; -1 for all.
        offset: where they start, in bytes.
    Raises: RuntimeError: without a byte order. ValueError: for another one, or where the buffer is too small.
        TypeError: when it is no buffer.
    """
    if byte_order is None:
        if dtype.itemsize > 1 or dtype.kind == "b":
            raise RuntimeError("function missing required argument 'byte_order' (pos 2)")
        byte_order = "native"
    if byte_order not in ("native", "little", "big"):
        raise ValueError(f"invalid byte_order '{byte_order}' (expected 'big', 'little', or 'native')")
    if isinstance(buffer, str):
        raise TypeError("a bytes-like object is required, not 'str'")
    data, size = memoryview(buffer).cast("B"), dtype.itemsize
    if offset < 0 or offset > len(data):
        raise ValueError(
            f"offset must be non-negative and no greater than buffer length ({len(data)}), but got {offset}"
        )
    if count < 0:
        if (len(data) - offset) % size:
            raise ValueError(f"buffer size ({len(data)}) must be a multiple of element size ({size})")
        count = (len(data) - offset) // size
    if offset + count * size > len(data):
        raise ValueError(
            f"buffer has only {len(data) - offset} elements after offset {offset}, but specified a size of {count}"
        )
    elements = np.frombuffer(data, np.uint8, count * size, offset)
    if dtype.kind == "b":
        return elements != 0
    found = elements.copy().view(dtype)
    return found.byteswap(inplace=True) if byte_order not in ("native", sys.byteorder) else found


def of_file(filename: Any, shared: bool, nbytes: int) -> Array:
    """Return the first `nbytes` bytes of a mapped file: private, or shared with the file, made as long as needed.

    Raises: RuntimeError: when the file cannot be opened, or is too small for a private map.
    """
    if nbytes < 0:
        raise RuntimeError(f"unable to mmap {nbytes} bytes from file <{filename}>: Cannot allocate memory (12)")
    if not nbytes:  # there is no map of nothing
        return np.empty(0, np.uint8)
    path, mode = os.fsdecode(filename), "read-write" if shared else "read-only"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT if shared else os.O_RDONLY, 0o600)
    except OSError as error:
        raise RuntimeError(f"unable to open file <{path}> in {mode} mode: {error.strerror} ({error.errno})") from None
    try:
        size = os.fstat(descriptor).st_size
        if size < nbytes:
            if not shared:
                raise RuntimeError(f"file <{path}> size <{size}> is smaller than the required mapping size <{nbytes}>")
            os.ftruncate(descriptor, nbytes)
        access = mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY
        return np.frombuffer(mmap.mmap(descriptor, nbytes, access=access), np.uint8)
    finally:
        os.close(descriptor)


def swapped(memory: Array, width: int) -> None:
    """Reverse each `width` bytes of some memory."""
    memory[: memory.size // width * width].view(f"u{width}").byteswap(inplace=True)
