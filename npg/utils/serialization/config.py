"""The settings of npg.load and npg.save. Source: torch.utils.serialization.config."""

from __future__ import annotations

import sys
from typing import Any

__all__: list[str] = []


class load:
    """Settings of npg.load.

    Attributes:
        mmap: whether files are mapped, where the call does not say it.
        endianness: the LoadEndianness of files that do not name theirs; None is little.
        mmap_flags: mmap.MAP_PRIVATE or mmap.MAP_SHARED; None on Windows.
        calculate_storage_offsets: without effect: npg reads every offset from the file and checks it.
    """

    mmap: bool = False
    endianness: Any = None
    mmap_flags: int | None = None if sys.platform == "win32" else 2
    calculate_storage_offsets: bool = False


class save:
    """Settings of npg.save.

    Attributes:
        compute_crc32: whether the checksums of the records are computed and written.
        use_pinned_memory_for_d2h: without effect: npg computes on the CPU.
        storage_alignment: the storages start at multiples of this many bytes.
    """

    compute_crc32: bool = True
    use_pinned_memory_for_d2h: bool = False
    storage_alignment: int = 64
