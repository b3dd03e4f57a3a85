"""Storages: what scripts do with them gives what it gives in torch, and refuses what it refuses."""

import os
import pickle

import pytest
import torch

import npg

from ..expressions import check, check_error

pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

F = "s = lib.FloatStorage([1, 2, 3]); "
PAIR = "x = lib.ones(3); a, b = copy.deepcopy([x.untyped_storage(), x.storage()]); "
U = "s = lib.UntypedStorage(list(range(8))); "


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    path = tmp_path_factory.mktemp("storages") / "bytes"
    path.write_bytes(bytes(range(16)))
    return {"path": str(path), "folder": str(path.parent), "os": os}


@pytest.mark.parametrize(
    "call",
    [
        *(
            f"s = lib.{name}([0, 1, 2]); r = (s.tolist(), s.type(), s.dtype, s.pickle_storage_type(), len(s), "
            f"s.nbytes(), repr(s), isinstance(s, lib.{name}), isinstance(s, lib.TypedStorage), lib.{name}.dtype)"
            for name in (
                "DoubleStorage FloatStorage HalfStorage LongStorage IntStorage ShortStorage CharStorage ByteStorage "
                "BoolStorage"
            ).split()
        ),
        F + "r = isinstance(s, (lib.LongStorage, lib.UntypedStorage))",
        F + "r = (type(s).__name__, type(s).__module__, lib.FloatStorage.__module__, lib.is_storage(s))",
        F + "r = (s[0], s[-1], s.is_sparse, s.element_size(), s.size(), s.filename)",
        F + "s[1] = 7; s[2:] = 8; r = s.tolist()",
        F + "r = [getattr(s, kind)().tolist() for kind in 'double half long int short char byte bool'.split()]",
        F + "r = [getattr(s, kind)().dtype for kind in 'double float half long int short char byte bool'.split()]",
        F + "t = s.float(); t[0] = 9; r = s.tolist()",
        F + "r = (s.copy_(lib.FloatStorage([4, 5, 6])).tolist(), s.fill_(2).tolist(), s.clone().tolist())",
        F + "t = lib.IntStorage(3).copy_(s); r = t.tolist()",  # bytes
        F + "r = (lib.FloatTensor(s), lib.Tensor(s), lib.ones(2).new(s))",
        F + "r = (s == s.clone(), hash(s) == hash(s), s.__sizeof__() > 12)",
        F + "r = lib.FloatStorage(wrap_storage=s.untyped()).data_ptr() == s.data_ptr()",
        F + "r = (lib.FloatStorage._new_shared(3).tolist(), s._new_shared(2).tolist(), s._new_shared(2).is_shared())",
        F + "r = (s.is_shared(), s.share_memory_().is_shared(), s.tolist())",
        "x = lib.ones(4); r = x.new(x._typed_storage()._new_shared(8)).resize_(2, 4).zero_()",  # collating
        U + "r = (s[1], s[-1], s[2:4].tolist(), s[5:3].tolist(), s.type(), s.new().size(), s.float().tolist())",
        U + "t = s[2:4]; t[0] = 9; r = s.tolist()",
        U + "s[1] = 7; s[2:4] = 300; r = s.tolist()",
        U + "s.byteswap(lib.int16); r = s.tolist()",
        U + "s.byteswap(lib.int64); r = s.tolist()",
        U + "r = (s.fill_(300).tolist(), s.copy_(lib.UntypedStorage([1] * 8)).tolist(), repr(s))",
        U + "r = lib.asarray(s, dtype=lib.uint8)",
        "lib.UntypedStorage._new_shared(4).is_shared()",
        "lib.ByteTensor(lib.ByteStorage.from_buffer(b'abc'))",
        "lib.BoolStorage.from_buffer(b'\\0\\2\\1', 'little').tolist()",
        "lib.FloatStorage.from_buffer(b'\\0\\0\\x80?' * 2, 'little').tolist()",
        "lib.FloatStorage.from_buffer(b'\\0?\\x80\\0\\0?\\x80\\0\\0', byte_order='big', offset=1, count=1).tolist()",
        "lib.TypedStorage.from_buffer(bytearray(b'abcd'), dtype=lib.uint8).tolist()",
        "lib.UntypedStorage.from_buffer(b'abcd', 'big', dtype=lib.int16).tolist()",
        "lib.FloatStorage.from_buffer(b'', 'native').tolist()",
    ],
)  # fmt: skip
def test_storages_are_torchs(call):
    check(call)


@pytest.mark.parametrize(
    "call",
    [
        F + "s[1:2]", F + "s[3]", F + "s[-4]", F + "s['a']", F + "s['a'] = 1", F + "s[0] = s.untyped()",
        F + "s.copy_(lib.FloatStorage(2))", F + "s.copy_(lib.DoubleStorage(3))", F + "s._to(3)",
        U + "s[::2]", U + "s[8]", U + "s['a']", U + "s[9] = 1", U + "s.copy_(lib.UntypedStorage(4))",
        "lib.FloatStorage(3, dtype=lib.int64)", "lib.FloatStorage(3, device='cpu')", "lib.FloatStorage(1.5)",
        "lib.FloatStorage(lib.ones(2))",
        "lib.FloatStorage(1, 2)", "lib.storage._LegacyStorage()", "lib.TypedStorage.from_file('x', False, 4)",
        "lib.FloatStorage([1], wrap_storage=lib.UntypedStorage(4))",
        "lib.FloatStorage.from_buffer(b'abcd')", "lib.FloatStorage.from_buffer(b'abcd', 'x')",
        "lib.FloatStorage.from_buffer(b'abcde', 'big')", "lib.FloatStorage.from_buffer(b'abcd', 'big', 2)",
        "lib.FloatStorage.from_buffer(b'abcd', 'big', 1, 3)", "lib.FloatStorage.from_buffer('abcd', 'big')",
        "lib.BoolStorage.from_buffer(b'abc')", U + "s[-1] = 1", U + "s[1] = 1.5", U + "s.fill_(1.5)",
        "lib.UntypedStorage.from_buffer(b'abcd')", "lib.FloatStorage.from_buffer(b'abcd', dtype=lib.int8)",
        "lib.TypedStorage([1], dtype=lib.uint16).pickle_storage_type()",
    ],
)  # fmt: skip
def test_storages_refuse_what_torch_refuses(call):
    check_error(call.replace("; ", "; r = ", 1) if call.endswith("]") and ";" in call else call)


@pytest.mark.parametrize(
    "call",
    [
        "lib.UntypedStorage.from_file(path).nbytes()",
        "lib.UntypedStorage.from_file(path, False, 4).tolist()",
        "U = lib.UntypedStorage.from_file; s = U(path, False, 4); s[0] = 9; r = (s.filename, U(path, False, 2)[0])",
        "lib.ShortStorage.from_file(path, False, 4).tolist()",
        "s = lib.ShortStorage.from_file(path, True, 4); r = s.filename == path;",
        "s = lib.UntypedStorage.from_file(folder + '/new', True, 4); s[1] = 3; r = (s.tolist(), s.is_shared())",
        "lib.UntypedStorage.from_file(folder + '/new', False, 4).tolist()",
    ],
)
def test_maps_of_files_are_torchs(call, names):
    check(call, **names)


def test_places_outside_of_a_buffer():
    for offset in (-1, 5):  # torch's text has the two numbers exchanged
        with pytest.raises(ValueError, match=rf"no greater than buffer length \(4\), but got {offset}"):
            npg.FloatStorage.from_buffer(b"abcd", "big", 1, offset)


def test_files_that_cannot_be_mapped(names):
    check_error("lib.UntypedStorage.from_file(path, False, 40)", **names)
    check_error("lib.UntypedStorage.from_file(folder + '/none', False, 4)", **names)
    check_error("lib.UntypedStorage.from_file(folder, True, 4)", **names)


@pytest.mark.parametrize(
    "call",
    [
        PAIR + "r = (a.data_ptr() == b.data_ptr(), a.data_ptr() == x.data_ptr(), b.tolist(), type(a).__name__)",
        F + "t = copy.copy(s); r = (t.data_ptr() == s.data_ptr(), t.tolist(), t.dtype)",
        F + "t = pickle.loads(pickle.dumps(s)); r = (t.tolist(), t.dtype, type(t).__name__)",
        *(f"pickle.loads(pickle.dumps(lib.ones(3).to(lib.{k}).storage())).tolist()" for k in ("bool", "half", "long")),
    ],
)
def test_copies_and_pickles_are_torchs(call):
    check(call)


def test_pickles_of_torchs_storages_are_loaded_by_their_bytes():
    """PyTorch's pickles of tensors hold storages as what torch.save writes."""
    x = torch.arange(4.0)
    function, (data,) = x.storage().__reduce__()
    assert function is torch.storage._load_from_bytes and npg.storage._load_from_bytes(data).tolist() == x.tolist()
    assert pickle.loads(pickle.dumps(npg.FloatStorage)) is npg.FloatStorage
    copied = pickle.loads(pickle.dumps(npg.UntypedStorage([1, 2])))  # torch cannot
    copied[0] = 5
    assert copied.tolist() == [5, 2]
