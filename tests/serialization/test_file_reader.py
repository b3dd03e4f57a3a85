"""PyTorchFileReader: the records of checkpoints, one by one, as in PyTorch."""

import io

import pytest
import torch

import npg
from tests.helpers import assert_same_error


@pytest.fixture
def path(tmp_path):
    file = str(tmp_path / "x.pt")
    torch.save({"a": torch.arange(3), "b": torch.ones(2)}, file)
    return file


def test_records_are_pytorchs(path):
    with open(path, "rb") as file:
        for given in (path, io.BytesIO(file.read()), file):
            file.seek(0)
            mine, theirs = npg.PyTorchFileReader(given), torch.PyTorchFileReader(path)
            names = mine.get_all_records()
            assert names == theirs.get_all_records()
            for name in names:
                assert mine.get_record(name) == theirs.get_record(name)
                assert mine.get_record_size(name) == theirs.get_record_size(name)
                assert mine.get_record_offset(name) == theirs.get_record_offset(name)
            assert mine.serialization_id() == theirs.serialization_id() != ""
            assert mine.has_record("data/0") and not mine.has_record("data/7")


def test_storage_of_a_record_has_its_elements(path):
    found = npg.PyTorchFileReader(path).get_storage_from_record("data/0", 3, npg.int64)
    assert (found.shape, found.dtype, found.untyped_storage().nbytes()) == ((0,), npg.int64, 24)
    assert npg.TypedStorage(wrap_storage=found.untyped_storage(), dtype=npg.int64).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "reader.get_storage_from_record('data/0', 4, L.int64)",
        "L.PyTorchFileReader('/nowhere/x.pt')",
        "L.PyTorchFileReader(3)",
    ],
)
def test_errors_are_pytorchs(text, path):
    def call(lib):
        return lambda: eval(text, {"L": lib, "reader": lib.PyTorchFileReader(path)})

    assert_same_error(call(npg), call(torch))


def test_absent_records_and_other_files_are_refused(path):
    reader = npg.PyTorchFileReader(path)
    for call in (lambda: reader.get_record("x"), lambda: reader.get_storage_from_record("x", 1, npg.int64)):
        with pytest.raises(RuntimeError, match="PytorchStreamReader failed locating file x: file not found"):
            call()
    with pytest.raises(RuntimeError, match="not a ZIP archive"):
        npg.PyTorchFileReader(io.BytesIO(b"abc"))
