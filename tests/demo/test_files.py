"""Atomic writing and the safetensors format, held against the safetensors package."""

import errno
import json

import files
import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from config import DemoError
from files import check_folder, listed, load_safetensors, replacing, save_safetensors

ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "strided": np.arange(12.0).reshape(3, 4).T,
    "scalar": np.array(3.5, np.float32),
    "empty": np.zeros((0, 4), np.int64),
    "half": np.array([1.5, -2], np.float16),
    "bytes": np.arange(5, dtype=np.uint8),
    "bool": np.array([True, False]),
}


def same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert (ours[name].dtype, ours[name].shape) == (theirs[name].dtype, theirs[name].shape), name
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


# ----- replacing -----


def test_replacing_an_error_in_the_block_keeps_the_old_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b"half of the new")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_the_old_file_is_there_until_the_end(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("there", [True, False])
def test_replacing_on_a_full_disk_raises_naming_the_file_and_keeps_the_old_one(tmp_path, monkeypatch, there):
    path = tmp_path / "f"
    if there:
        path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(DemoError) as error, replacing(path) as file:
        file.write(b"half of the new")
    kept = "; the file that was there is unchanged" if there else ""
    assert str(error.value) == f"cannot write {path} (No space left on device){kept}; make room or take another folder"
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == ([("f", b"old")] if there else [])


def test_replacing_in_a_folder_that_is_missing_raises_naming_the_file(tmp_path):
    with pytest.raises(DemoError, match=r"cannot write .*/none/f \(No such file or directory\)"):
        with replacing(tmp_path / "none" / "f"):
            pass


def test_check_folder_makes_nothing_and_refuses_a_file(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    check_folder(tmp_path / "a" / "b", "out_dir")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    with pytest.raises(DemoError, match=r"--out_dir: expected a folder, got the file .*/f; give another --out_dir"):
        check_folder(tmp_path / "f", "out_dir")


def test_check_folder_that_may_not_be_written_raises(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)
    with pytest.raises(DemoError, match=r"--dataset: cannot write to .* \(Permission denied\); give another --dataset"):
        check_folder(tmp_path, "dataset")


def test_listed_many_names_are_cut():
    assert listed(["a", "b"]) == "['a', 'b']"
    assert listed(list("abcdefg")) == "['a', 'b', 'c', 'd'] and 3 more"


# ----- safetensors -----


def test_save_is_read_by_the_package(tmp_path):
    save_safetensors(tmp_path / "f", ARRAYS, {"note": "é"})
    same(safetensors.numpy.load_file(tmp_path / "f"), ARRAYS)
    with safetensors.safe_open(tmp_path / "f", "np") as file:
        assert file.metadata() == {"note": "é"}


def test_load_reads_the_packages_file_into_arrays_that_own_their_memory(tmp_path):
    packed = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in ARRAYS.items()}
    safetensors.numpy.save_file(packed, tmp_path / "f", {"k": "v"})
    arrays, metadata = load_safetensors(tmp_path / "f")
    same(arrays, ARRAYS)
    assert metadata == {"k": "v"}
    assert all(array.flags.owndata and array.flags.writeable for array in arrays.values())


def test_load_bfloat16_is_widened_exactly(tmp_path):
    values = torch.tensor([1.0, -2.5, 3.140625, float("inf")], dtype=torch.bfloat16)
    safetensors.torch.save_file({"w": values}, tmp_path / "f")
    arrays, _ = load_safetensors(tmp_path / "f")
    assert arrays["w"].dtype == np.float32
    np.testing.assert_array_equal(arrays["w"], values.float().numpy())


def test_save_dtype_without_a_code_raises_and_writes_nothing(tmp_path):
    with pytest.raises(DemoError, match="got dtype complex64 for 'z'"):
        save_safetensors(tmp_path / "f", {"z": np.zeros(1, np.complex64)}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [0, 4, 8, 40, -1])
def test_load_truncated_anywhere_raises(tmp_path, keep):
    save_safetensors(tmp_path / "f", ARRAYS, {})
    content = (tmp_path / "f").read_bytes()
    (tmp_path / "f").write_bytes(content[:keep])
    with pytest.raises(DemoError, match="truncated"):
        load_safetensors(tmp_path / "f")


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + b"\0" * 100,
        b"hello, this is a text file\n" * 9,
        (200_000).to_bytes(8, "little") + b"[" * 200_000,  # deeper than the JSON reader goes
    ],
)
def test_load_foreign_file_raises(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(DemoError, match="expected a safetensors file"):
        load_safetensors(tmp_path / "f")


def test_load_missing_file_raises(tmp_path):
    with pytest.raises(DemoError, match="f: no such file"):
        load_safetensors(tmp_path / "f")
    with pytest.raises(DemoError, match="expected a file, got a folder"):
        load_safetensors(tmp_path)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}, "expected 3 values of F32 for 'w', got bytes 0 to 8"),
        ({"dtype": "F32", "shape": [-1, -2], "data_offsets": [0, 8]}, "for 'w', got bytes 0 to 8"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}, "got 8"),
        ({"dtype": "F4", "shape": [2], "data_offsets": [0, 8]}, "got dtype 'F4' for 'w'"),
        ({"shape": [2], "data_offsets": [0, 8]}, "a header that cannot be read"),
        ("w", "a header that cannot be read"),
    ],
)
def test_load_header_that_lies_raises(tmp_path, entry, message):
    header = json.dumps({"w": entry}).encode()
    (tmp_path / "f").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 8)
    with pytest.raises(DemoError) as error:
        load_safetensors(tmp_path / "f")
    assert message in str(error.value)
