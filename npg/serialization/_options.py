"""Settings of saving and loading: byte order, checksums, memory maps, and leaving out the data."""

from __future__ import annotations

import mmap
import sys
import threading
from enum import Enum
from typing import Any

from npg.utils.serialization import config

MAP_PRIVATE: int | None = getattr(mmap, "MAP_PRIVATE", None)  # Windows has none
MAP_SHARED: int | None = getattr(mmap, "MAP_SHARED", None)


class LoadEndianness(Enum):
    """A byte order of files that do not name theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


def get_default_load_endianness() -> LoadEndianness | None:
    """Return the byte order of files that do not name theirs; None is little."""
    endianness: LoadEndianness | None = config.load.endianness
    return endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order of files that do not name theirs.

    Raises: TypeError: when it is neither a LoadEndianness nor None.
    """
    if not isinstance(endianness, LoadEndianness) and endianness is not None:
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    config.load.endianness = endianness


def get_crc32_options() -> bool:
    """Tell whether npg.save computes the checksums of the records."""
    return config.save.compute_crc32


def set_crc32_options(compute_crc32: bool) -> None:
    """Set whether npg.save computes the checksums of the records; without them npg.load cannot see damage."""
    config.save.compute_crc32 = compute_crc32


def get_default_mmap_options() -> int | None:
    """Return the flags of the maps of npg.load(..., mmap=True): mmap.MAP_PRIVATE unless they were set."""
    return config.load.mmap_flags


class set_default_mmap_options:
    """Set the flags of the maps of npg.load(..., mmap=True); as a context manager, until its end.

    Args:
        flags: mmap.MAP_PRIVATE or mmap.MAP_SHARED; with the latter, changes of the tensors are changes of the file.
    Raises: ValueError: for other flags. RuntimeError: on Windows.
    """

    def __init__(self, flags: int) -> None:
        if sys.platform == "win32":
            raise RuntimeError("Changing the default mmap options is currently not supported for Windows")
        if flags not in (MAP_PRIVATE, MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, "
                f"but got {flags}"
            )
        self.prev = config.load.mmap_flags
        config.load.mmap_flags = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        config.load.mmap_flags = self.prev


class _Local(threading.local):
    skip_data = False


local = _Local()


class skip_data:
    """Leave out the bytes of the storages while this context manager is active.

    npg.save reserves their place in the file; npg.load leaves it unread, and the tensors are zero.

    Args:
        materialize_fake_tensors: without effect, as npg has no fake tensors.
    """

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self) -> None:
        self._before = local.skip_data
        local.skip_data = True

    def __exit__(self, *exc: Any) -> None:
        local.skip_data = self._before
