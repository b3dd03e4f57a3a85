"""Tensors and storages on a file's memory: values, what is written, and errors, as PyTorch's."""

import os

import pytest
import torch

import npg
from tests.helpers import assert_same_error


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "bytes"
    file.write_bytes(bytes(range(16)))
    return str(file)


def first(path):
    with open(path, "rb") as file:
        return file.read(1)[0]


def test_private_memory_leaves_the_file_alone(path):
    storage = npg.UntypedStorage.from_file(path, False, 16)
    storage[0] = 99
    assert storage.tolist()[:2] == [99, 1] and first(path) == 0
    x = npg.from_file(path, size=4, dtype=npg.uint8)
    x += 1
    assert x.tolist() == [1, 2, 3, 4] and first(path) == 0


def test_shared_memory_writes_the_file(path):
    storage = npg.UntypedStorage.from_file(path, True, 16)
    storage[0] = 99
    assert first(path) == 99
    npg.from_file(path, True, 4, dtype=npg.uint8).fill_(7)
    assert first(path) == 7 == storage[0]


def test_shared_file_is_made_and_made_longer(path, tmp_path):
    new = str(tmp_path / "new")
    assert npg.UntypedStorage.from_file(new, True, 8).tolist() == [0] * 8 and os.path.getsize(new) == 8
    assert npg.from_file(path, True, 5, dtype=npg.int64).tolist()[2:] == [0] * 3 and os.path.getsize(path) == 40
    assert npg.from_file(path, True, 1, dtype=npg.uint8).shape == (1,) and os.path.getsize(path) == 40


def test_values_are_pytorchs(path):
    for kind in ("uint8", "int16", "float32", "float64"):
        found = [lib.from_file(path, False, 2, dtype=getattr(lib, kind)).tolist() for lib in (npg, torch)]
        assert found[0] == found[1]
    assert npg.from_file(path).shape == (0,) and npg.UntypedStorage.from_file("nowhere").nbytes() == 0
    assert npg.from_file(path, size=1, dtype=npg.float32, requires_grad=True).is_leaf


@pytest.mark.parametrize(
    "text",
    [
        "L.UntypedStorage.from_file(path, False, 17)",
        "L.UntypedStorage.from_file('nowhere', False, 8)",
        "L.UntypedStorage.from_file('nowhere/x', True, 8)",
        "L.UntypedStorage.from_file(path, False, -1)",
        "L.from_file(path, size=300)",
        "L.from_file(path, size=2, dtype=L.int64, requires_grad=True)",
    ],
)
def test_errors_are_the_same(text, path):
    def call(lib):
        return lambda: eval(text, {"L": lib, "path": path})

    assert_same_error(call(npg), call(torch))
