"""The reader of checkpoints in torch's zip format: every number in the file is checked against the file.

A checkpoint is a zip archive whose records are stored, not compressed, in one folder. The reader takes no record that
reaches beyond the file or into another one, and nothing of a file whose two descriptions of a record differ.
Source: APPNOTE.TXT, the description of the zip format; caffe2::serialize::PyTorchStreamReader for the error texts.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple, NoReturn

import numpy as np

from npg.kernels.checksums import crc32

_END = struct.Struct("<4sHHHHIIH")  # the end of the central directory
_END64_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_ENTRY = struct.Struct("<4sHHHHHHIIIHHHHHII")  # in the central directory
_LOCAL = struct.Struct("<4sHHHHHIIIHH")  # before a record
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF  # the number stands in the zip64 extra
_ENCRYPTED, _SIZES_FOLLOW = 1, 8
_BLOCK = 1 << 20  # bytes read and checked at once: they stay in the cache in between
_PER_RECORD = 400  # bytes of memory for what is known of a record
_ALLOWANCE = 64 << 20


def refuse(what: str) -> NoReturn:
    """Raise RuntimeError: the archive is damaged."""
    raise RuntimeError(
        f"PytorchStreamReader failed {what}. There is a high likelihood that your checkpoint file is corrupted. This "
        "can happen if the checkpoint was not saved properly, was transferred incorrectly, or the file was modified "
        "after saving."
    )


# ----- The bytes -----


class Source:
    """The bytes of a file from where it stands to its end.

    Args:
        file: open, binary and seekable.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.start = file.tell()
        file.seek(0, 2)
        self.size: int = file.tell() - self.start
        self._into = getattr(file, "readinto", None)

    def fill(self, offset: int, target: memoryview) -> None:
        """Read bytes into memory, as many as it has.

        Raises: RuntimeError: when the file ends before.
        """
        done, count = 0, len(target)
        self._file.seek(self.start + offset)
        while done < count:
            if self._into is None:
                piece = self._file.read(min(count - done, _BLOCK))
                got = len(piece)
                target[done : done + got] = piece
            else:
                got = self._into(target[done:])
            if not got:
                refuse(f"reading {count} bytes at {offset}: the file ends {count - done} bytes before")
            done += got

    def read(self, offset: int, count: int) -> bytes:
        """Return bytes; more than the file has are refused before memory is taken for them."""
        if not 0 <= offset <= self.size - count:
            refuse(f"reading {count} bytes at {offset}: the file has {self.size}")
        self._file.seek(self.start + offset)
        pieces, missing = [], count
        while missing:
            piece = self._file.read(missing)
            if not piece:
                refuse(f"reading {count} bytes at {offset}: the file ends {missing} bytes before")
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


# ----- The records -----


class Record(NamedTuple):
    """Where a record's bytes are."""

    name: str
    header: int
    start: int
    size: int
    crc: int


class ZipReader:
    """The records of a checkpoint by name, without the folder.

    Args:
        file: open, binary and seekable; the archive starts where it stands.
    Raises: RuntimeError: when the archive is damaged, or no checkpoint.
    """

    def __init__(self, file: Any) -> None:
        self.source = Source(file)
        directory, count, self._end = self._directory()
        if count * _PER_RECORD > 2 * self.source.size + _ALLOWANCE:
            refuse(f"reading zip archive: {count} records in a file of {self.source.size} bytes")
        self.records: dict[str, Record] = {}
        self.folder = ""
        self._read_entries(directory, count)
        self._check_overlaps()

    def _directory(self) -> tuple[bytes, int, int]:
        """Return the central directory, the number of its entries, and where it starts."""
        source = self.source
        if source.size < _END.size:
            refuse(f"reading zip archive: not a ZIP archive, {source.size} bytes are too few")
        tail_start = max(0, source.size - _END.size - _FULL16)
        tail = source.read(tail_start, source.size - tail_start)
        at = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
        if at < 0:
            refuse("reading zip archive: failed finding central directory; the file is truncated or not a ZIP archive")
        _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(tail, at)
        if at + _END.size + comment != len(tail):
            refuse(f"reading zip archive: {len(tail) - at - _END.size - comment} bytes follow the end of the archive")
        end = tail_start + at
        locator_at = end - _END64_LOCATOR.size
        if locator_at >= 0 and source.read(locator_at, 4) == b"PK\6\7":
            _, disk64, end64_at, disks = _END64_LOCATOR.unpack(source.read(locator_at, _END64_LOCATOR.size))
            if not 0 <= end64_at <= locator_at - _END64.size or disk64 or disks > 1:
                refuse(f"reading zip archive: its zip64 end is said to be at {end64_at}")
            found, _, _, _, disk64, first64, here64, count64, size64, start64 = _END64.unpack(
                source.read(end64_at, _END64.size)
            )
            if found != b"PK\6\6":
                refuse(f"reading zip archive: no zip64 end is at {end64_at}")
            for short, full, width in (
                (disk, disk64, _FULL16), (first_disk, first64, _FULL16), (here, here64, _FULL16),
                (count, count64, _FULL16), (size, size64, _FULL32), (start, start64, _FULL32),
            ):  # fmt: skip
                if short not in (width, full):
                    refuse(f"reading zip archive: its two ends differ, {short} and {full}")
            disk, first_disk, here, count, size, start = disk64, first64, here64, count64, size64, start64
            end = end64_at
        if disk or first_disk or here != count:
            refuse("reading zip archive: it has several parts")
        if start + size != end or count * _ENTRY.size > size:
            refuse(f"reading zip archive: {count} records, a directory of {size} bytes at {start}, its end at {end}")
        return source.read(start, size), count, start

    def _read_entries(self, directory: bytes, count: int) -> None:
        at = 0
        for _ in range(count):
            if at + _ENTRY.size > len(directory):
                refuse(f"reading zip archive: its directory ends before {count} records")
            fields = _ENTRY.unpack_from(directory, at)
            magic, _, _, flags, method, _, _, crc, packed, size, n_name, n_extra, n_comment, disk, _, _, header = fields
            name_at = at + _ENTRY.size
            extra_at = name_at + n_name
            at = extra_at + n_extra + n_comment
            if magic != b"PK\1\2" or at > len(directory):
                refuse(f"reading zip archive: its directory is damaged at {name_at - _ENTRY.size}")
            raw = directory[name_at:extra_at]
            name = _decoded(raw)
            size, packed, header = _wide(directory[extra_at : extra_at + n_extra], size, packed, header, name)
            if flags & _ENCRYPTED:
                refuse(f"reading record {name!r}: it is encrypted")
            if method or packed != size:
                refuse(f"reading record {name!r}: it is compressed, and records of checkpoints are not")
            if disk:
                refuse(f"reading record {name!r}: it is in another part of the archive")
            self._add(name, raw, flags, header, size, crc)
        if at != len(directory):
            refuse(f"reading zip archive: its directory has {len(directory) - at} bytes too many")

    def _add(self, name: str, raw: bytes, flags: int, header: int, size: int, crc: int) -> None:
        """Check a record's name and the header before its bytes, and remember where they are."""
        folder, slash, key = name.partition("/")
        if not slash or not folder or ".." in name.split("/") or folder == "." or "\\" in name or "\0" in name:
            refuse(f"reading record {name!r}: file in archive is not in a subdirectory of it")
        if not key:  # the folder itself
            return
        if folder != (self.folder or folder):
            refuse(f"reading record {name!r}: the records before are in {self.folder!r}")
        self.folder = folder
        if key in self.records:
            refuse(f"reading record {name!r}: the archive has two of this name")
        if header + _LOCAL.size + len(raw) > self._end:
            refuse(f"reading record {name!r}: it is said to be at {header}, the records end at {self._end}")
        found = self.source.read(header, _LOCAL.size + len(raw))
        magic, _, own_flags, method, _, _, own_crc, _, own_size, n_name, n_extra = _LOCAL.unpack_from(found)
        start = header + _LOCAL.size + n_name + n_extra
        if magic != b"PK\3\4" or found[_LOCAL.size :] != raw or n_name != len(raw) or own_flags != flags or method:
            refuse(f"reading record {name!r}: another one, or none, is at {header}")
        if not flags & _SIZES_FOLLOW and (own_crc != crc or own_size not in (size, _FULL32)):
            refuse(f"reading record {name!r}: its header says {own_size} bytes, the directory {size}")
        if start + size > self._end:
            refuse(f"reading record {name!r}: {size} bytes at {start}, the records end at {self._end}")
        self.records[key] = Record(name, header, start, size, crc)

    def _check_overlaps(self) -> None:
        end, before = 0, ""
        for record in sorted(self.records.values(), key=lambda record: record.header):
            if record.header < end:
                refuse(f"reading record {record.name!r}: it overlaps with {before!r}")
            end, before = record.start + record.size, record.name

    # ----- Reading -----

    def __contains__(self, name: str) -> bool:
        return name in self.records

    def find(self, name: str) -> Record:
        """Return where a record is. Raises RuntimeError when there is none of this name."""
        record = self.records.get(name)
        if record is None:
            refuse(f"locating file {name[:200]}: file not found")
        return record

    def read(self, name: str) -> bytes:
        """Return the bytes of a record, checked."""
        record = self.find(name)
        data = self.source.read(record.start, record.size)
        self._check(record, crc32(data))
        return data

    def fill(self, record: Record, target: np.ndarray[Any, Any]) -> None:
        """Read a record into memory of its size, and check it."""
        view, crc = target.reshape(-1).view(np.uint8).data, 0
        for at in range(0, record.size, _BLOCK):
            block = view[at : at + _BLOCK]
            self.source.fill(record.start + at, block)
            if record.crc:
                crc = crc32(block, crc)
        self._check(record, crc)

    def _check(self, record: Record, crc: int) -> None:
        # torch.save writes 0 where it is told to compute no checksums.
        if record.crc and crc != record.crc:
            refuse(f"reading record {record.name!r}: its checksum is {crc:08x}, the archive says {record.crc:08x}")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        refuse(f"reading zip archive: the name {raw[:200]!r} is not in UTF-8")


def _wide(extra: bytes, size: int, packed: int, header: int, name: str) -> tuple[int, int, int]:
    """Return the sizes and the place of a record; those that need more than 32 bits stand in the zip64 extra."""
    if _FULL32 not in (size, packed, header):
        return size, packed, header
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            wide = [*struct.iter_unpack("<Q", extra[at + 4 : at + 4 + length - length % 8])]
            numbers = []
            for short in (size, packed, header):
                if short == _FULL32:
                    if not wide:
                        break
                    short = wide.pop(0)[0]
                numbers.append(short)
            if len(numbers) == 3 and at + 4 + length <= len(extra):
                return numbers[0], numbers[1], numbers[2]
            break
        at += 4 + length
    refuse(f"reading record {name!r}: its size or place in 64 bits is missing")
