"""CRC-32 of bytes, as zip archives have it."""

from __future__ import annotations

import zlib
from typing import Any

from npg.kernels import core

_WORTH = 1024  # bytes from which a call of C of our own pays
_NO_BITS = 0xFFFFFFFF  # zlib starts from the inverse of this


def crc32(data: Any, crc: int = 0) -> int:
    """Return what zlib.crc32 does; for many bytes in a third of the time where the processor has products for it.

    Args:
        data: bytes or a flat memoryview of bytes.
        crc: the checksum of the bytes before.
    """
    if not core.can_fold or len(data) < _WORTH:
        return zlib.crc32(data, crc)
    return zlib.crc32(memoryview(data)[len(data) & ~63 :], zlib.crc32(core.fold(data, crc), _NO_BITS))
