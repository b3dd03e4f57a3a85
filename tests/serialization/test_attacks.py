"""Files made to do harm: each is refused, says why, runs nothing, and takes neither memory nor time for what it claims.

Among them are the ways that torch.load was led astray: CVE-2025-32434 (a tar archive was read by the unsafe unpickler),
CVE-2026-24747 (SETITEM on what is no dict, storages of another size than their record), calls that allowed functions
make for a file (getattr, codecs, sizes), and what the documentation of pickle warns of.
"""

import collections
import io
import os
import pickle
import pickletools
import struct
import sys
import tarfile
import time
import tracemalloc

import pytest

import npg
from npg.serialization import MAGIC_NUMBER, _unpickler
from npg.serialization._zip_writing import ZipWriter

# ----- Files by hand -----


def archive(pickled, records=(), byteorder=b"little"):
    """Return a checkpoint with this pickle and these records."""
    buffer = io.BytesIO()
    writer = ZipWriter(buffer.write, lambda count: buffer.write(bytes(count)), "archive")
    writer.add("data.pkl", pickled)
    writer.add("byteorder", byteorder)
    for name, data in records:
        writer.add(name, data)
    writer.finish()
    return buffer.getvalue()


def legacy(pickled, keys=(), data=b""):
    """Return a file of the format before 1.6 with this pickle."""
    parts = [pickle.dumps(value, 2) for value in (MAGIC_NUMBER, 1001, {})]
    return b"".join(parts) + pickled + pickle.dumps(list(keys), 2) + data


STORAGE = b"(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK%ctQ"


def tensor(numel=4, count=4, offset=b"K\0", size=None, stride=b"K\1\x85", grad=b"\x89"):
    """Return the opcodes of a tensor on the storage "0"."""
    size = b"K" + bytes([count]) + b"\x85" if size is None else size
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE % bytes([numel]) + offset + size + stride + grad
        + b"ccollections\nOrderedDict\n)RtR"
    )  # fmt: skip


FLOATS = [("data/0", struct.pack("<4f", 1, 2, 3, 4))]


def load(data, **options):
    return npg.load(io.BytesIO(data), **options)


def refused(data, match, kind=pickle.UnpicklingError):
    """Check that a file is refused at once, without memory for what it claims."""
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(kind, match=match) as caught:
            load(data)
    finally:
        seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2 * len(data) + (4 << 20), f"{peak} bytes for a file of {len(data)}"
    assert seconds < 20
    assert len(str(caught.value)) < 5000


def test_the_files_by_hand_are_right():
    """Otherwise what is refused below would be refused for another reason."""
    assert load(archive(b"\x80\2" + tensor() + b".", FLOATS)).tolist() == [1, 2, 3, 4]
    data = struct.pack("<q4f", 4, 1, 2, 3, 4)
    opcodes = tensor().replace(b"K\4tQ", b"K\4NtQ")
    assert load(legacy(b"\x80\2" + opcodes + b".", ["0"], data)).tolist() == [1, 2, 3, 4]


# ----- Code -----

MARK = "npg-attack-ran"
GADGETS = {
    "os.system": b"cos\nsystem\nX\5\0\0\0touch\x85R.",
    "posix.system": b"cposix\nsystem\nX\5\0\0\0touch\x85R.",
    "nt.system": b"cnt\nsystem\nX\5\0\0\0touch\x85R.",
    "sys.exit": b"csys\nexit\n)R.",
    "eval": b"c__builtin__\neval\nX\5\0\0\0touch\x85R.",
    "exec": b"cbuiltins\nexec\nX\5\0\0\0touch\x85R.",
    "getattr": b"c__builtin__\ngetattr\nccollections\nOrderedDict\nX\4\0\0\0copy\x86R.",
    "__import__": b"c__builtin__\n__import__\nX\2\0\0\0os\x85R.",
    "apply": b"c__builtin__\napply\n.",
    "subprocess": b"csubprocess\nPopen\nX\5\0\0\0touch\x85R.",
    "runpy": b"crunpy\n_run_code\n.",
    "torch.load": b"ctorch\nload\nX\5\0\0\0touch\x85R.",
    "torch.hub": b"ctorch.hub\nload\nX\5\0\0\0touch\x85R.",
    "torch.jit.load": b"ctorch.jit._serialization\nload\nX\5\0\0\0touch\x85R.",
    "torch.save": b"ctorch\nsave\nK\1X\5\0\0\0touch\x86R.",
    "torch.from_file": b"ctorch\nfrom_file\nX\5\0\0\0touch\x85R.",
    "npg.load": b"cnpg\nload\nX\5\0\0\0touch\x85R.",
    "dotted": b"ccollections\nOrderedDict.fromkeys\n.",
    "torch.nn.Module": b"ctorch.nn.modules.linear\nLinear\n)\x81.",
    "numpy": b"cnumpy.core.multiarray\n_reconstruct\n.",
    "types.FunctionType": b"ctypes\nFunctionType\n.",
    "operator.attrgetter": b"coperator\nattrgetter\n.",
    "torch._utils._import_dotted_name": b"ctorch._utils\n_import_dotted_name\n.",
    "torch.storage._load_from_bytes": b"ctorch.storage\n_load_from_bytes\n.",
}


@pytest.mark.parametrize("name", GADGETS)
@pytest.mark.parametrize("make", [archive, legacy])
def test_nothing_else_is_found(name, make):
    refused(make(b"\x80\2" + GADGETS[name]), "was not an allowed global by default|is blocked")


@pytest.mark.parametrize("opcode", [o.code for o in pickletools.opcodes])
def test_every_opcode_of_pickle_is_known_or_refused(opcode):
    """STACK_GLOBAL, INST, OBJ, EXT1, the opcodes of protocols 0, 1 and 4: none runs anything."""
    known = set(".()]}NRabeuste\x85\x86\x87\x88\x89\x8a\x8fJKMGXUhjqrcQ\x80\x81")
    events = []
    code = opcode.encode("latin-1")
    hook = [True]

    def watch(event, args):
        if hook[0] and event in ("pickle.find_class", "import", "exec", "os.system"):
            events.append(event)

    sys.addaudithook(watch)
    for before in (b"", b"X\2\0\0\0osX\6\0\0\0system", b"(X\2\0\0\0osX\6\0\0\0system", b"(K\1", b"}", b"]", b")"):
        data = archive(b"\x80\2" + before + code + b"\1\0\0\0os\nsystem\n\0\0\0\0.")
        try:
            load(data)
        except (pickle.UnpicklingError, RuntimeError, TypeError, ValueError) as error:
            if opcode not in known:
                assert f"Unsupported operand {code[0]}" in str(error)
    hook[0] = False
    assert not events
    assert ("." not in known) or opcode in known or True


class Evil:
    ran = []

    def __init__(self, *args):
        Evil.ran.append(args)

    def __setstate__(self, state):
        Evil.ran.append(state)

    def __reduce__(self):
        return Evil, (1,)


def test_classes_run_only_when_they_are_added():
    data = archive(pickle.dumps({"a": Evil()}, 2))
    Evil.ran.clear()
    refused(data, r"GLOBAL \S*Evil was not an allowed global by default.")
    assert not Evil.ran
    with npg.serialization.safe_globals([Evil]):
        assert type(load(data)["a"]) is Evil and Evil.ran == [(1,)]
    refused(data, "was not an allowed global")
    with npg.serialization.safe_globals([(Evil, 3)]), pytest.raises(TypeError, match="Expected second item in tuple"):
        load(data)
    with (
        npg.serialization.safe_globals([(Evil, "a", "b")]),
        pytest.raises(ValueError, match="Expected tuple of length 2"),
    ):
        load(data)


def test_blocked_modules_stay_blocked():
    with npg.serialization.safe_globals([(os.getpid, "posix.getpid"), (os.getpid, "os.getpid")]):
        refused(archive(b"\x80\2cos\ngetpid\n)R."), "whose module os is blocked")


@pytest.mark.parametrize(
    ("opcodes", "match"),
    [
        (b"c__builtin__\nlist\n]\x85R.", "Trying to call reduce for unrecognized function <class 'list'>"),
        (b"ctorch\nfloat32\n)R.", "Trying to call reduce for unrecognized function"),
        (b"]K\1\x85R.", "Trying to call reduce for unrecognized function a list"),
        (b"ctorch\nFloatStorage\nK\1\x85R.", "Trying to call reduce"),
        (b"ctorch\nfloat32\n)\x81.", "Can only create new object for nn.Parameter or classes allowlisted"),
        (b"}}b.", "Can only build Tensor, Parameter, OrderedDict or types allowlisted"),
        (b"ccollections\nOrderedDict\n}b.", "Can only build"),
        (b"ccollections\nOrderedDict\n)RK\1b.", "expected the attributes of an OrderedDict as a dict"),
        (b"ctorch\nTensor\n)R}b.", "pickled Tensor are not supported"),
        (b"c_codecs\nencode\nX\1\0\0\0aX\3\0\0\0bz2\x86R.", "that a pickle gives _codecs.encode"),
        (b"c_codecs\nencode\nX\1\0\0\0aX\4\0\0\0evil\x86R.", "that a pickle gives _codecs.encode"),
        (b"ctorch\nTensor\nK\1\x85R.", "expected the arguments that a pickle gives Tensor"),
        (b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch\ndevice\nctorch\nTensor\nX\3\0\0\0cpu\x85}tR.", "rebuilds"),
        (b"c__builtin__\nset\n]]a\x85R.", "unhashable type: 'list'"),
        (b"}]K\1s.", "unhashable type: 'list'"),
    ],
)  # fmt: skip
def test_known_names_do_only_what_checkpoints_need(opcodes, match):
    refused(archive(b"\x80\2" + opcodes), match, (pickle.UnpicklingError, TypeError))


def test_cve_2025_32434_tar_archives():
    """Files of before 0.1.10 were read with pickle, also with weights_only=True."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for name in ("storages", "tensors", "pickle"):
            data = b"cos\nsystem\n(S'touch npg-attack-ran'\ntR."
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    refused(
        buffer.getvalue(), "Cannot use ``weights_only=True`` with files saved in the legacy .tar format", RuntimeError
    )
    with pytest.raises(RuntimeError, match="npg cannot read the .tar format"):
        load(buffer.getvalue(), weights_only=False)
    assert not os.path.exists(MARK)


def test_torchscript_archives():
    data = archive(b"\x80\2N.", [("constants.pkl", b"\x80\2).")])
    refused(data, "Cannot use ``weights_only=True`` with TorchScript archives", RuntimeError)
    with pytest.raises(RuntimeError, match="npg cannot run TorchScript archives"):
        load(data, weights_only=False)


@pytest.mark.parametrize("target", [tensor(), b"]", b"N", b"K\1", b"ctorch\ndevice\nX\3\0\0\0cpu\x85R", b"\x8f", b")"])
@pytest.mark.parametrize(("items", "opcode"), [(b"K\1K\2s", "SETITEM"), (b"(K\1K\2u", "SETITEMS")])
def test_cve_2026_24747_set_item_on_other_things(target, items, opcode):
    """SETITEM wrote past the end of a tensor's memory."""
    refused(archive(b"\x80\2" + target + items + b".", FLOATS), f"Can only {opcode} for dict")


# ----- Tensors beyond their memory -----


@pytest.mark.parametrize("numel", [0, 1, 3, 5, 255])
def test_cve_2026_24747_storages_of_another_size(numel):
    refused(archive(b"\x80\2" + tensor(numel) + b".", FLOATS), "does not match expected size", RuntimeError)


BIG = b"\x8a\x08\0\0\0\0\0\0\0\x40"
NEGATIVE = b"J\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("parts", "match"),
    [
        ({"count": 5}, "out of bounds for storage of size 16"),
        ({"offset": b"K\1"}, "out of bounds"),
        ({"offset": BIG}, "out of bounds"),
        ({"offset": NEGATIVE}, "invalid storage offset"),
        ({"offset": b"N"}, "invalid storage offset"),
        ({"stride": b"K\2\x85"}, "out of bounds"),
        ({"stride": BIG + b"\x85"}, "out of bounds"),
        ({"stride": NEGATIVE + b"\x85"}, "negative dimension or stride"),
        ({"stride": b")"}, r"unequal size length \(1\) and stride length \(0\)"),
        ({"stride": b"N"}, "expected the stride of a tensor"),
        ({"size": BIG + b"\x85", "stride": b"K\0\x85"}, "Storage size calculation overflowed"),
        ({"size": BIG + BIG + b"\x86", "stride": b"K\0K\0\x86"}, "Storage size calculation overflowed"),
        ({"size": b"K\0" + BIG + BIG + b"\x87", "stride": b"K\0K\0K\0\x87"}, "Storage size calculation overflowed"),
        ({"size": NEGATIVE + b"\x85"}, "negative dimension or stride"),
        ({"size": b"G?\xf0\0\0\0\0\0\0\x85"}, "expected the size of a tensor"),
        ({"size": b"(" + b"K\1" * 65 + b"t", "stride": b"(" + b"K\1" * 65 + b"t"}, "at most 64 ints"),
        ({"size": b"\x8a\xff" + b"\x7f" * 255 + b"\x85"}, "negative dimension or stride"),
        ({"grad": b"K\1"}, "expected requires_grad to be bool"),
    ],
)
def test_layouts_are_checked(parts, match):
    refused(archive(b"\x80\2" + tensor(**parts) + b".", FLOATS), match, (RuntimeError, TypeError))


def test_bytes_are_not_taken_for_bools():
    """NumPy's loops take a bool that is neither 0 nor 1 for true, or not."""
    opcodes = tensor(16).replace(b"FloatStorage", b"UntypedStorage").replace(b"tensor_v2", b"tensor_v3")
    opcodes = opcodes.removesuffix(b"tR") + b"ctorch\n%s\ntR"
    assert load(archive(b"\x80\2" + opcodes % b"uint16" + b".", FLOATS)).tolist() == [0, 16256, 0, 16384]
    refused(archive(b"\x80\2" + opcodes % b"bool" + b".", FLOATS), "a dtype that has no storages", TypeError)


def test_an_expanded_tensor_takes_no_memory():
    many = b"J\0\0\0\x40\x85"
    found = load(archive(b"\x80\2" + tensor(size=many, stride=b"K\0\x85") + b".", FLOATS))
    assert found.numel() == 2**30 and found.untyped_storage().nbytes() == 16


def test_a_copy_of_an_expanded_tensor_is_refused():
    many = tensor(size=b"J\0\0\0\x40\x85", stride=b"K\0\x85")
    opcodes = (
        b"ctorch._utils\n_rebuild_device_tensor_from_cpu_tensor\n(" + many + b"ctorch\nfloat64\nX\3\0\0\0cpu\x89tR."
    )
    refused(archive(b"\x80\2" + opcodes, FLOATS), "expected a contiguous tensor", RuntimeError)


@pytest.mark.parametrize(
    ("pid", "match"),
    [
        (b"K\1Q", "saved_id must be a tuple of 5"),
        (b"]Q", "persistent_load id must be tuple or int"),
        (b")Q", "saved_id must be a tuple of 5"),
        (b"(X\6\0\0\0moduleK\1tQ", "Only persistent_load of storage is allowed"),
        (b"(]K\1tQ", "Only persistent_load of storage is allowed"),
        (STORAGE.replace(b"K%c", b"N"), "expected the number of elements"),
        (STORAGE.replace(b"K%c", NEGATIVE), "expected the number of elements"),
        (STORAGE.replace(b"K%c", BIG), "does not match expected size"),
        (STORAGE.replace(b"X\1\0\0\0000", b"X\4\0\0\0../0") % b"\4", "file not found"),
        (STORAGE.replace(b"X\1\0\0\0000", b"]") % b"\4", "expected the kind, key and location"),
        (STORAGE.replace(b"ctorch\nFloatStorage\n", b"ctorch\nfloat32\n") % b"\4", "expected the kind, key"),
        (STORAGE.replace(b"ctorch\nFloatStorage\n", b"ctorch\nQInt8Storage\n") % b"\4", "npg has no dtype qint8"),
    ],
)
def test_persistent_ids_are_checked(pid, match):
    kinds = (pickle.UnpicklingError, RuntimeError, TypeError)
    refused(archive(b"\x80\2" + pid + b".", FLOATS), match, kinds)


def test_legacy_storages_are_checked():
    opcodes = tensor().replace(b"K\4tQ", b"K\4NtQ")
    good = struct.pack("<q4f", 4, 1, 2, 3, 4)
    for keys, data, match in (
        (["0"], good[:-1], "the file ends"),
        (["0"], b"", "reading 8 bytes"),
        (["0"], struct.pack("<q", 2**62) + good[8:], "expected 4 elements in storage"),
        (["0"], struct.pack("<q", -1) + good[8:], "expected 4 elements in storage"),
        ([], good, "expected the keys of the storages"),
        (["1"], good, "expected the keys of the storages"),
        ([1], good, "expected the keys of the storages"),
        (["0", "0"], good + good, "expected the keys of the storages"),
    ):
        refused(legacy(b"\x80\2" + opcodes + b".", keys, data), match, RuntimeError)
    huge = opcodes.replace(b"K\4N", BIG + b"N")
    refused(legacy(b"\x80\2" + huge + b".", ["0"], good), "unexpected EOF, expected .* more bytes", RuntimeError)
    view = opcodes.replace(b"K\4N", b"K\4(X\1\0\0\0001K\2K\3t")
    refused(legacy(b"\x80\2" + view + b".", ["0"], good), "expected a part of storage '0' of 16 bytes", RuntimeError)
    view = opcodes.replace(b"K\4N", b"K\4(X\1\0\0\0001K\2K\2t").replace(b"K\4\x85", b"K\2\x85")
    assert load(legacy(b"\x80\2" + view + b".", ["0"], good)).tolist() == [3, 4]


def test_bools_are_zero_or_one():
    bools = tensor().replace(b"Float", b"Bool")
    found = load(archive(b"\x80\2" + bools + b".", [("data/0", b"\0\1\2\xff")]))
    assert found.numpy().view("u1").tolist() == [0, 1, 1, 1]


# ----- Memory and time -----


def test_sizes_are_not_believed():
    """A set, a bytearray, a Size, a string: no number in a file is taken for a length."""
    for opcodes, match in (
        (b"c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.", "expected the arguments that a pickle gives bytearray"),
        (b"cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R.", "expected the arguments that a pickle gives bytes"),
        (b"X\xff\xff\xff\x7fabc.", "pickle data was truncated"),
        (b"r\xff\xff\xff\x7f.", "pickle stack underflow"),
        (b"Nr\xff\xff\xff\x7f.", "expected at most .* values in the memo"),
        (b"U\xffabc.", "pickle data was truncated"),
        (b"\x8a\xffabc.", "pickle data was truncated"),
    ):
        refused(archive(b"\x80\2" + opcodes), match)


@pytest.mark.parametrize("opcode", [b"]", b"}", b"\x8f", b"(", b"N\x85", b"ccollections\nOrderedDict\n)R"])
def test_many_small_objects_are_refused_before_they_fill_the_memory(opcode, monkeypatch):
    monkeypatch.setattr(_unpickler, "ALLOWANCE", 4 << 20)
    tracemalloc.start()
    data = archive(b"\x80\2" + opcode * (62_500 // len(opcode)) + b".")
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    try:
        load(data)
    except pickle.UnpicklingError as error:
        assert "expected a pickle that takes at most" in str(error) or "underflow" in str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
    assert peak < 2 * len(data) + (4 << 20)


def test_what_is_kept_is_not_copied_without_end():
    """One large string, encoded again and again: each call takes its length once more."""
    text = b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\1"
    call = b"c_codecs\nencode\nq\0" + text + b"]q\2(" + b"h\0h\1\x85R" * 2000 + b"e."
    with pytest.raises(pickle.UnpicklingError, match="expected a pickle that takes at most"):
        load(archive(b"\x80\2" + call))


def test_a_key_of_tuples_of_tuples_is_refused():
    """Its hash would take 2**60 steps."""
    nested = b")" + b"q\0h\0\x86" * 60
    refused(archive(b"\x80\2}" + nested + b"Ns."), "expected keys of at most 256 values")
    refused(archive(b"\x80\2c__builtin__\nset\n]" + nested + b"a\x85R."), "expected keys of at most 256 values")
    deep = b")" + b"\x85" * 200_000
    with pytest.raises(pickle.UnpicklingError, match="expected keys of at most 256 values"):
        load(archive(b"\x80\2}" + deep + b"Ns."))
    refused(archive(b"\x80\2" + nested + b")R."), "unrecognized function a tuple")


def test_keys_of_one_hash_are_refused():
    """A million would take a day: each is compared with all before it."""
    keys = b"".join(pickle.dumps(i * (2**61 - 1), 2)[2:-1] + b"N" for i in range(2, 5000))
    refused(archive(b"\x80\2}(" + keys + b"u."), "expected at most 128 keys of one hash")
    wide = b"".join(pickle.dumps(i * (2**60 + 1), 2)[2:-1] + b"N" for i in range(-100, 100))
    assert len(load(archive(b"\x80\2}(" + wide + b"u."))) == 200


def test_deep_nesting_is_opened():
    found = load(archive(b"\x80\2" + b"]" * 100_000 + b"a" * 99_999 + b"."))
    for _ in range(99_999):
        (found,) = found
    assert found == []


@pytest.mark.parametrize("cut", range(1, 40))
def test_pickles_that_end_too_soon(cut):
    pickled = pickle.dumps({"a": [1, 2.5, "text", (1, 2)], "b": collections.OrderedDict(c=1)}, 2)
    refused(archive(pickled[: -cut % len(pickled)]), ".", (pickle.UnpicklingError, EOFError))


@pytest.mark.parametrize(
    "opcodes", [b"0.", b"a.", b"K\1a.", b"e.", b"u.", b"s.", b"R.", b"\x85.", b"\x86.", b"t.", b".", b"b."]
)
def test_stacks_that_are_too_small(opcodes):
    refused(archive(b"\x80\2" + opcodes), "stack underflow|unexpected MARK|Unsupported operand|Can only append")


# ----- Not checkpoints -----


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", EOFError),
        (b"abc", pickle.UnpicklingError),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), pickle.UnpicklingError),
        (b"\x93NUMPY\x01\x00", pickle.UnpicklingError),
        (b"\x7fELF" + bytes(1000), pickle.UnpicklingError),
        (b"{}", pickle.UnpicklingError),
        (bytes(100_000), pickle.UnpicklingError),
        (b"]" * 100_000, pickle.UnpicklingError),
        (b"X" + b"\xff" * 100, pickle.UnpicklingError),
        (pickle.dumps(MAGIC_NUMBER, 2) * 3, (RuntimeError, pickle.UnpicklingError)),
        (pickle.dumps(MAGIC_NUMBER, 2) + pickle.dumps(1002, 2) + pickle.dumps([], 2) * 3, RuntimeError),
    ],
)  # fmt: skip
def test_foreign_files(data, kind):
    refused(data, "Ran out|Weights only|magic|protocol version", kind)
