"""The writer of checkpoints in torch's zip format.

Records are stored in one folder, their bytes at multiples of the alignment, so that a map of the file can be used as
tensors. What torch.save writes differs from it in nothing but the order of the pickle's memo and the serialization id.
Source: APPNOTE.TXT, the description of the zip format; caffe2::serialize::PyTorchStreamWriter for the records.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from npg.kernels.checksums import crc32

_FULL32 = 0xFFFFFFFF
_BLOCK = 1 << 20  # bytes checked and written at once: they stay in the cache in between
_UTF8, _SIZES_FOLLOW = 0x800, 8
FORMAT_VERSION, VERSION = b"1", b"3\n"


class ZipWriter:
    """Writes the records of a checkpoint one after the other.

    Args:
        write: takes bytes or a memoryview, and writes all of it.
        skip: leaves out so many bytes, which become zero.
        folder: the name of the folder.
        compute_crc: whether to compute checksums; they are 0 otherwise.
        alignment: the records start at multiples of this.
    """

    def __init__(
        self,
        write: Callable[[Any], object],
        skip: Callable[[int], object],
        folder: str,
        compute_crc: bool = True,
        alignment: int = 64,
    ) -> None:
        self._write, self._skip = write, skip
        self._folder, self._compute_crc, self._alignment = folder, compute_crc, alignment
        self._at = 0
        self._entries: list[tuple[bytes, int, int, int]] = []
        self._names_crc = self._bytes_crc = 0

    def _put(self, data: Any) -> None:
        self._write(data)
        self._at += len(data)

    def add(self, name: str, data: Any) -> None:
        """Write a record: bytes or a flat memoryview of them."""
        header = self._put_header(name, len(data))
        view, crc = memoryview(data), 0
        for at in range(0, len(view), _BLOCK):
            block: Any = view[at : at + _BLOCK]
            if self._compute_crc:
                block = bytes(block)  # another thread may go on with training: what is written has the checksum
                crc = crc32(block, crc)
            self._put(block)
        self._put_entry(name, header, len(data), crc)

    def leave_room(self, name: str, size: int) -> None:
        """Write a record of zeros, without a checksum."""
        header = self._put_header(name, size)
        self._skip(size)
        self._at += size
        self._put_entry(name, header, size, 0)

    def _put_header(self, name: str, size: int) -> int:
        header, raw = self._at, f"{self._folder}/{name}".encode()
        wide = struct.pack("<HHQQ", 1, 16, 0, 0) if size >= _FULL32 else b""
        before = header + 30 + len(raw) + len(wide) + 4
        padding = -before % self._alignment
        extra = wide + struct.pack("<2sH", b"FB", padding) + b"Z" * padding
        flags = _UTF8 | (_SIZES_FOLLOW if size else 0)
        short = _FULL32 if wide else 0
        self._put(
            struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 0, flags, 0, 0, 0, 0, short, short, len(raw), len(extra))
            + raw
            + extra
        )
        return header

    def _put_entry(self, name: str, header: int, size: int, crc: int) -> None:
        if size:
            form = "<4sIQQ" if size >= _FULL32 or header >= _FULL32 else "<4sIII"
            self._put(struct.pack(form, b"PK\7\10", crc, size, size))
        raw = f"{self._folder}/{name}".encode()
        self._entries.append((raw, header, size, crc))
        if name != ".data/serialization_id":
            self._names_crc = crc32(name.encode(), self._names_crc)
            self._bytes_crc = crc32(struct.pack("<I", crc), self._bytes_crc)

    def finish(self) -> None:
        """Write the last records and the directory."""
        self.add("version", VERSION)
        self.add(".data/serialization_id", b"%020d%020d" % (self._names_crc, self._bytes_crc))
        start = self._at
        for raw, header, size, crc in self._entries:
            numbers = [n for n in (size, size, header) if n >= _FULL32]
            extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
            short, place = min(size, _FULL32), min(header, _FULL32)
            flags = _UTF8 | (_SIZES_FOLLOW if size else 0)
            self._put(
                struct.pack(
                    "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 0, 0, flags, 0, 0, 0, crc, short, short, len(raw), len(extra),
                    0, 0, 0, 0, place,
                )
                + raw
                + extra
            )  # fmt: skip
        end, count = self._at, len(self._entries)
        size = end - start
        self._put(struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 0x31E, 45, 0, 0, count, count, size, start))
        self._put(struct.pack("<4sIQI", b"PK\6\7", 0, end, 1))
        few = min(count, 0xFFFF)
        self._put(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, few, few, min(size, _FULL32), min(start, _FULL32), 0))
