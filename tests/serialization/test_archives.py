"""Zip archives: damaged, foreign and tampered ones are refused and say what is wrong; large ones are written right."""

import io
import os
import struct
import zipfile

import pytest

import npg
from npg.serialization._zip_reading import ZipReader
from npg.serialization._zip_writing import ZipWriter


def saved(obj=None):
    buffer = io.BytesIO()
    npg.save({"a": npg.arange(4.0), "b": npg.ones(2)} if obj is None else obj, buffer)
    return buffer.getvalue()


def refused(data, match):
    with pytest.raises(RuntimeError, match=match) as caught:
        npg.load(io.BytesIO(data))
    assert "PytorchStreamReader failed" in str(caught.value)


def changed(data, at, new):
    return data[:at] + new + data[at + len(new) :]


def entry_of(data, name):
    """Return where a record's entry in the directory starts."""
    return data.rindex(name.encode()) - 46


# ----- Damage -----


def test_every_truncation_is_refused():
    data = saved()
    for length in range(4, len(data)):
        refused(data[:length], "failed")


def test_every_changed_byte_is_refused_or_harmless():
    """Of a byte of a record the checksum tells, of the rest the other description; flags and times change nothing."""
    data, expected = saved(), [0, 1, 2, 3]
    harmless = 0
    for at in range(len(data)):
        try:
            found = npg.load(io.BytesIO(changed(data, at, bytes([data[at] ^ 0x55]))))
        except (RuntimeError, ValueError, TypeError):
            continue
        except Exception as error:
            assert type(error).__name__ == "UnpicklingError"
            continue
        assert found["a"].tolist() == expected and found["b"].tolist() == [1, 1]
        harmless += 1
    assert harmless < len(data) * 0.6  # padding, versions, times, and the sizes in what follows the records


def test_a_wrong_checksum_names_the_record():
    data = saved()
    at = data.index(struct.pack("<4f", 0, 1, 2, 3))
    refused(changed(data, at, b"\1"), r"reading record 'archive/data/0': its checksum is [0-9a-f]{8}, the archive says")
    at = data.index(b"\x80\2}")
    refused(changed(data, at + 5, b"\0"), "reading record 'archive/data.pkl': its checksum is")


def test_two_of_one_name():
    data = saved().replace(b"archive/data/1", b"archive/data/0")
    refused(data, "reading record 'archive/data/0': the archive has two of this name")


@pytest.mark.parametrize(
    "name", [b"../..../data/1", b"/rchive/data/1", b"archive\\data/1", b"other_1/data/1", b"archive/dat\0/1"]
)
def test_names_with_tricks(name):
    refused(saved().replace(b"archive/data/1", name), "reading record")


def test_compressed_and_encrypted_records():
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(saved())) as old, zipfile.ZipFile(buffer, "w", method) as new:
            for info in old.infolist():
                new.writestr(info.filename, old.read(info))
        refused(buffer.getvalue(), "it is compressed, and records of checkpoints are not")
    data = saved()
    refused(changed(data, entry_of(data, "archive/data/0") + 8, b"\x09"), "it is encrypted")


def test_an_archive_packed_anew_opens():
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as new:
        new.mkdir("archive")
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    assert npg.load(io.BytesIO(buffer.getvalue()))["a"].tolist() == [0, 1, 2, 3]


def test_a_bomb_of_overlapping_records():
    """Many entries for the same bytes: a small file that would take any memory."""
    buffer = io.BytesIO()
    writer = ZipWriter(buffer.write, lambda count: buffer.write(bytes(count)), "archive")
    writer.add("data.pkl", b"\x80\2N.")
    writer.add("data/0", bytes(1000))
    writer._entries += [(raw.replace(b"/0", b"/1"), *rest) for raw, *rest in writer._entries[-1:]]
    writer.finish()
    refused(buffer.getvalue(), "another one, or none, is at|overlaps")


def test_overlaps_with_headers_of_their_own():
    inner = io.BytesIO()
    part = ZipWriter(inner.write, None, "archive")
    part.add("data/1", b"abcd")
    buffer = io.BytesIO()
    writer = ZipWriter(buffer.write, None, "archive")
    writer.add("data.pkl", b"\x80\2N.")
    start = buffer.tell()
    writer.add("data/0", inner.getvalue())
    inside = start + buffer.getvalue()[start:].index(inner.getvalue())
    (raw, header, size, crc) = part._entries[0]
    writer._entries.append((raw, inside + header, size, crc))
    writer.finish()
    refused(buffer.getvalue(), "overlaps with 'archive/data/0'")


@pytest.mark.parametrize(
    ("field", "new", "match"),
    [
        (16, b"\1\2\3\4", "its checksum|its header says"),
        (20, b"\xff\0\0\0\xff\0\0\0", "the records end at|overlaps"),
        (20, b"\xff\xff\xff\xff\xff\xff\xff\xff", "its size or place in 64 bits is missing"),
        (20, b"\1\0\0\0", "it is compressed"),
        (34, b"\1\0", "it is in another part of the archive"),
        (42, b"\xff\xff\xff\x7f", "it is said to be at 2147483647, the records end at"),
        (42, b"\0\0\0\0", "another one, or none, is at 0"),
        (28, b"\xff\xff", "its directory is damaged"),
        (0, b"XX", "its directory is damaged"),
    ],
)
def test_entries_are_checked(field, new, match):
    data = saved()
    refused(changed(data, entry_of(data, "archive/data/0") + field, new), match)


@pytest.mark.parametrize(
    ("mark", "field", "new", "match"),
    [
        (b"PK\5\6", 10, b"\1\0", "its two ends differ"),
        (b"PK\5\6", 16, b"\0\0\0\0", "its two ends differ"),
        (b"PK\5\6", 20, b"\5\0", "bytes follow the end of the archive"),
        (b"PK\5\6", 0, b"XX", "failed finding central directory"),
        (b"PK\6\7", 8, b"\xff" * 8, "its zip64 end is said to be at"),
        (b"PK\6\7", 8, b"\0" * 8, "no zip64 end is at 0"),
        (b"PK\6\6", 32, b"\xff" * 8, "its two ends differ"),
        (b"PK\6\6", 16, b"\1\0\0\0", "its two ends differ"),
    ],
)
def test_the_end_is_checked(mark, field, new, match):
    data = saved()
    refused(changed(data, data.rindex(mark) + field, new), match)


def test_a_million_entries_are_not_believed():
    data = saved()
    for mark, field, width in ((b"PK\5\6", 8, 2), (b"PK\5\6", 10, 2), (b"PK\6\6", 24, 8), (b"PK\6\6", 32, 8)):
        data = changed(data, data.rindex(mark) + field, (60_000).to_bytes(width, "little"))
    refused(data, "60000 records, a directory of")


def test_missing_records_are_named():
    buffer = io.BytesIO()
    writer = ZipWriter(buffer.write, None, "archive")
    writer.finish()
    refused(buffer.getvalue(), "failed locating file data.pkl: file not found")


def test_versions_and_byte_orders_that_do_not_exist():
    for name, content, match in (
        ("byteorder", b"middle", "Unknown endianness type: middle"),
        ("byteorder", b"x" * 10_000, "Unknown endianness type: a longer text"),
        (".data/version", b"11\n", "Attempted to read a PyTorch file with version 11, but the maximum"),
        (".data/version", b"one", "expected the version of the format"),
    ):
        buffer = io.BytesIO()
        writer = ZipWriter(buffer.write, None, "archive")
        writer.add("data.pkl", b"\x80\2ctorch._utils\n_rebuild_tensor_v2\n0.")
        writer.add(name, content)
        writer.finish()
        with pytest.raises((RuntimeError, ValueError), match=match):
            npg.load(io.BytesIO(buffer.getvalue()))


# ----- Places -----


def test_an_archive_after_other_bytes():
    file = io.BytesIO(b"before" + saved())
    file.seek(6)
    assert npg.load(file)["b"].tolist() == [1, 1]


class Slow(io.RawIOBase):
    """A file that gives and takes a few bytes at a time, and has no readinto of its own."""

    def __init__(self, data=b""):
        self._file = io.BytesIO(data)

    def read(self, count=-1):
        return self._file.read(min(count, 7) if count > 0 else count)

    def readinto(self, target):
        return self._file.readinto(memoryview(target)[:7])

    def write(self, data):
        return self._file.write(bytes(data)[:100])

    def seek(self, *args):
        return self._file.seek(*args)

    def tell(self):
        return self._file.tell()

    def readable(self):
        return True

    seekable = readable


@pytest.mark.parametrize("zipped", [True, False])
def test_files_that_give_and_take_little_at_a_time(zipped):
    file = Slow()
    npg.save({"a": npg.arange(5000.0)}, file, _use_new_zipfile_serialization=zipped)
    data = file._file.getvalue()
    for safe in (True, False):
        assert npg.load(Slow(data), weights_only=safe)["a"][4999] == 4999

    class Reading:  # the least that a file object must have
        def __init__(self, file):
            self.read, self.readline, self.seek, self.tell = file.read, file.readline, file.seek, file.tell

    assert npg.load(Reading(io.BytesIO(data)))["a"][4999] == 4999
    with pytest.raises(io.UnsupportedOperation, match="You can only npg.load from a file that is seekable"):
        reader, writer = os.pipe()
        with open(reader, "rb") as pipe, open(writer, "wb"):
            npg.load(pipe)


def test_open_files(tmp_path):
    path = tmp_path / "x.pt"
    for buffering in (0, -1):
        with open(path, "wb", buffering=buffering) as file:
            npg.save(npg.arange(3), file)
        with open(path, "rb", buffering=buffering) as file:
            assert npg.load(file).tolist() == [0, 1, 2]
    with open(path, "rb") as file, pytest.raises(io.UnsupportedOperation):
        npg.save(1, file)
    with open(path, "w") as file, pytest.raises(TypeError):
        npg.save(1, file)


# ----- Large files -----


class Counting:
    """A file that keeps the headers and the directory of what is written, and counts the rest."""

    def __init__(self):
        self.pieces, self.size = [], 0

    def write(self, data):
        self.pieces.append((self.size, bytes(data)))
        self.size += len(data)

    def skip(self, count):
        self.size += count

    def seek(self, to, whence=0):
        self._at = to if whence == 0 else self.size

    def tell(self):
        return self._at

    def read(self, count):
        data = bytearray(count)
        for start, piece in self.pieces:
            low, high = max(start, self._at), min(start + len(piece), self._at + count)
            if low < high:
                data[low - self._at : high - self._at] = piece[low - start : high - start]
        self._at += count
        return bytes(data)


def test_records_beyond_four_gigabytes():
    file = Counting()
    writer = ZipWriter(file.write, file.skip, "archive")
    writer.add("data.pkl", b"\x80\2N.")
    writer.leave_room("data/0", 5 << 30)
    writer.leave_room("data/1", (1 << 32) - 1)
    writer.add("data/2", b"abcd")
    writer.finish()
    file.seek(0)
    reader = ZipReader(file)
    assert reader.records["data/0"].size == 5 << 30 and reader.records["data/1"].size == (1 << 32) - 1
    assert reader.read("data/2") == b"abcd" and reader.records["data/2"].start > 9 << 30
    assert all(record.start % 64 == 0 for record in reader.records.values())
    assert npg.load(_from_start(file)) is None


def _from_start(file):
    file.seek(0)
    return file


def test_seventy_thousand_records():
    buffer = io.BytesIO()
    writer = ZipWriter(buffer.write, None, "archive", alignment=1)
    writer.add("data.pkl", b"\x80\2N.")
    for i in range(70_000):
        writer.add(f"data/{i}", b"")
    writer.finish()
    assert len(ZipReader(io.BytesIO(buffer.getvalue())).records) == 70_003
    with zipfile.ZipFile(buffer) as archive:
        assert len(archive.infolist()) == 70_003


# ----- Large records -----


def test_damage_anywhere_in_a_large_record(tmp_path):
    path = tmp_path / "large.pt"
    values = npg.arange(1_000_000)
    npg.save(values, path)
    assert npg.equal(npg.load(path), values)
    data = path.read_bytes()
    start = data.index(values[:100].numpy().tobytes())
    for place in (0, 1 << 20, 5_000_000, 7_999_999):
        path.write_bytes(changed(data, start + place, bytes([data[start + place] ^ 1])))
        with pytest.raises(RuntimeError, match="its checksum is"):
            npg.load(path)
