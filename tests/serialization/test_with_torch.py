"""What npg.save writes torch.load opens, and what torch.save writes npg.load opens: the same values and memory."""

import collections
import importlib
import io
import mmap
import pickle
import sys
import warnings
import zipfile

import numpy as np
import pytest
import torch

import npg
from npg.serialization._zip_reading import ZipReader
from tests.helpers import assert_same_error

DTYPES = "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool".split()
BOTH = pytest.mark.parametrize(("writer", "reader"), [(npg, torch), (torch, npg), (npg, npg)])
FORMATS = pytest.mark.parametrize("zipped", [True, False])


def through(writer, reader, obj, zipped=True, **options):
    """Return the object, saved by one library and loaded by the other."""
    buffer = io.BytesIO()
    writer.save(obj, buffer, _use_new_zipfile_serialization=zipped)
    buffer.seek(0)
    return reader.load(buffer, **options)


def bits(tensor):
    """Return what must be the same: dtype, shape, strides, values as bytes, and whether it requires grad."""
    array = tensor.detach().numpy()
    name = str(tensor.dtype).partition(".")[2]
    return name, tuple(tensor.shape), tensor.stride(), array.tobytes(), tensor.requires_grad


# ----- Tensors -----


@BOTH
@FORMATS
@pytest.mark.parametrize("kind", DTYPES)
def test_every_dtype_and_layout(writer, reader, zipped, kind):
    values = np.random.default_rng(0).integers(0, 2 if kind == "bool" else 100, (3, 4)).astype(kind)
    x = writer.from_numpy(values)
    views = [x, x.t(), x[1:], x[:, ::2], x[:1].expand(3, 4), x[0, 0], x[:0], x.reshape(-1)[5:].reshape(7, 1)]
    if kind.startswith("float"):
        views.append((x * float("nan")).requires_grad_())
        views.append(x.detach().clone().requires_grad_())
    found = through(writer, reader, views, zipped)
    assert [bits(t) for t in found] == [bits(t) for t in views]
    assert all(type(t) is reader.Tensor and t.is_leaf for t in found)


@BOTH
@FORMATS
def test_views_share_memory(writer, reader, zipped):
    base = writer.arange(12.0)
    first, second, whole = through(writer, reader, [base[:6], base[6:].view(2, 3), base], zipped)
    whole[0], whole[11] = 50.0, 60.0
    assert first[0] == 50 and second[1, 2] == 60
    assert first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr()
    assert second.storage_offset() == 6 and second.untyped_storage().nbytes() == 48


@BOTH
def test_a_view_keeps_the_whole_memory(writer, reader):
    found = through(writer, reader, writer.arange(1000.0)[10:12])
    assert found.untyped_storage().nbytes() == 4000 and found.storage_offset() == 10 and found.tolist() == [10, 11]


@BOTH
def test_special_values_bit_for_bit(writer, reader):
    patterns = np.array([0, 1 << 31, 0x7F800000, 0xFF800000, 0x7FC00001, 0x7F800001, 1, 0x80000001], np.uint32)
    found = through(writer, reader, writer.from_numpy(patterns.view(np.float32)))
    assert (found.numpy().view(np.uint32) == patterns).all()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", ["bfloat16", "complex64", "complex128"])
def test_dtypes_that_npg_lacks_are_named(name, zipped):
    with pytest.raises(TypeError, match=f"npg has no dtype {name}, which the file uses; where PyTorch is installed"):
        through(torch, npg, {"w": torch.ones(2).to(getattr(torch, name))}, zipped)
    with pytest.raises(TypeError, match=name):
        through(torch, npg, getattr(torch, name))
    with pytest.raises(TypeError, match=name):
        through(torch, npg, torch.ones(2).to(getattr(torch, name)), weights_only=False)


def test_float8_sparse_and_quantized_are_named():
    with pytest.raises(TypeError, match="float8_e4m3fn"):
        through(torch, npg, torch.ones(2).to(torch.float8_e4m3fn))
    with pytest.raises(
        RuntimeError, match="npg has strided tensors only, the file names the layout 'torch.sparse_coo'"
    ):
        through(torch, npg, torch.eye(2).to_sparse())


@BOTH
def test_tensors_without_data(writer, reader):
    made = writer.nn.Parameter(writer.empty(2, 3, device="meta", dtype=writer.float64).t())
    found = through(writer, reader, {"a": made, "b": writer.empty(0, 2, device="meta")})
    assert found["a"].is_meta and found["a"].requires_grad and type(found["a"]) is reader.nn.Parameter
    assert (found["a"].shape, found["a"].stride(), found["a"].dtype) == ((3, 2), (1, 3), reader.float64)
    assert found["b"].is_meta and found["b"].shape == (0, 2)


# ----- What else a checkpoint holds -----


def containers(lib):
    return {
        "numbers": [0, -1, 255, 256, 65535, 65536, 2**31, -(2**31), 2**63, 2**70, -(2**70), 1.5, float("inf"), 2 + 3j],
        "words": ["", "é", "日本", "\U0001f600", "a\0b", "\ud800"],
        "constants": (None, True, False, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        "empty": [[], {}, (), b"ab", bytearray(b"xyz"), {1, 2}],
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "counter": collections.Counter("abracadabra"),
        "size": lib.ones(2, 3).shape,
        "no size": lib.tensor(1).shape,
        "dtypes": [getattr(lib, name) for name in DTYPES],
        "devices": [lib.device("cpu"), lib.device("cuda", 1), lib.device("cuda:0")],
        "layout": lib.strided,
        (1, "tuple"): {lib.float32: 1, None: 2, 3: 4, 2.5: 5, True: 6},
    }


def plain(value):
    """Return a value without the library that made it, with its types."""
    if type(value).__module__.partition(".")[0] in ("torch", "npg"):
        return str(value).replace("npg", "torch")
    if isinstance(value, dict):
        return type(value), [(plain(k), plain(v)) for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [plain(v) for v in value]
    return type(value), value


@BOTH
@FORMATS
def test_containers_and_numbers(writer, reader, zipped):
    expected = containers(writer)
    assert plain(through(writer, reader, expected, zipped)) == plain(expected)


def test_shared_and_circular_containers():
    inner: list = [1]
    inner.append(inner)
    for writer, reader in ((npg, torch), (torch, npg)):
        found = through(writer, reader, {"a": inner, "b": inner})
        assert found["a"] is found["b"] and found["a"][1] is found["a"]


@pytest.mark.parametrize("writer", [npg, torch])
def test_defaultdict_opens_with_plain_factories(writer):
    for factory in (list, dict, int, float, set, None):
        found = through(writer, npg, collections.defaultdict(factory, {"a": 1}))
        assert type(found) is collections.defaultdict and found == {"a": 1} and found.default_factory is factory
    with pytest.raises(pickle.UnpicklingError, match="eval was not an allowed global"):
        through(writer, npg, collections.defaultdict(eval))
    assert through(writer, npg, b"") == b""  # torch refuses these two


@BOTH
@FORMATS
def test_parameters_and_attributes(writer, reader, zipped):
    plain_one = writer.nn.Parameter(writer.ones(2, 3).t())
    frozen = writer.nn.Parameter(writer.arange(3), requires_grad=False)
    named = writer.nn.Parameter(writer.ones(2))
    named.note = {"key": [1, 2]}
    marked = writer.ones(3, requires_grad=True)
    marked.note = "hello"
    buffer = writer.nn.Buffer(writer.ones(1), persistent=False)
    found = through(writer, reader, [plain_one, frozen, named, marked, buffer, plain_one], zipped)
    assert [type(t) for t in found[:3]] == [reader.nn.Parameter] * 3
    assert [bits(t) for t in found[:4]] == [bits(t) for t in (plain_one, frozen, named, marked)]
    assert found[2].note == {"key": [1, 2]} and found[3].note == "hello" and found[3].is_leaf
    assert isinstance(found[4], reader.nn.Buffer) and found[4].persistent is False
    assert found[5] is found[0]


@BOTH
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_themselves(writer, reader):
    x = writer.arange(4.0)
    typed, untyped, tensor = through(
        writer, reader, [x.storage(), writer.ones(2, dtype=writer.int8).untyped_storage(), x]
    )
    assert typed.tolist() == [0, 1, 2, 3] and untyped.tolist() == [1, 1]
    tensor[0] = 9.0
    assert typed[0] == 9


# ----- Models, optimizers, generators -----


def trained(lib):
    lib.manual_seed(3)
    model = lib.nn.Sequential(lib.nn.Linear(4, 8), lib.nn.ReLU(), lib.nn.LayerNorm(8), lib.nn.Linear(8, 2))
    optimizer = lib.optim.AdamW(model.parameters(), lr=0.01)
    scheduler = lib.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for _ in range(3):
        optimizer.zero_grad()
        model(lib.randn(5, 4)).square().mean().backward()
        optimizer.step()
        scheduler.step()
    return model, optimizer, scheduler


@BOTH
@FORMATS
def test_a_training_checkpoint_goes_on_in_the_other_library(writer, reader, zipped):
    model, optimizer, scheduler = trained(writer)
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "random": writer.get_rng_state(),
        "generator": writer.Generator().manual_seed(5).get_state(),
    }
    found = through(writer, reader, state, zipped)
    assert type(found["model"]) is collections.OrderedDict
    assert found["model"]._metadata == model.state_dict()._metadata
    twin, twin_optimizer, twin_scheduler = trained(reader)
    twin.load_state_dict(found["model"])
    twin_optimizer.load_state_dict(found["optimizer"])
    twin_scheduler.load_state_dict(found["scheduler"])
    reader.set_rng_state(found["random"])
    writer.set_rng_state(state["random"])
    assert found["generator"].tolist() == state["generator"].tolist()
    draws = []
    for lib, m, o, s in ((writer, model, optimizer, scheduler), (reader, twin, twin_optimizer, twin_scheduler)):
        if lib is reader and writer is reader:
            lib.set_rng_state(state["random"])
        o.zero_grad()
        x = lib.randn(5, 4)
        m(x).square().mean().backward()
        o.step()
        s.step()
        draws.append((x.tolist(), [p.detach().numpy() for p in m.parameters()], s.get_last_lr()))
    assert draws[0][0] == draws[1][0] and draws[0][2] == draws[1][2]
    for a, b in zip(draws[0][1], draws[1][1]):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@BOTH
@FORMATS
def test_whole_modules(writer, reader, zipped):
    model, _, _ = trained(writer)
    found = through(writer, reader, model, zipped, weights_only=False)
    assert type(found) is reader.nn.Sequential and type(found[2]) is reader.nn.LayerNorm
    assert str(found) == str(model)
    for a, b in zip(found.parameters(), model.parameters()):
        assert bits(a) == bits(b)
    x = np.ones((2, 4), np.float32)
    result = found(reader.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(result, model(writer.from_numpy(x)).detach().numpy(), rtol=1e-5)


def test_whole_modules_are_refused_by_default_in_torchs_words():
    for writer in (npg, torch):
        buffer = io.BytesIO()
        writer.save(writer.nn.Linear(2, 2), buffer)
        with pytest.raises(pickle.UnpicklingError) as npgs:
            npg.load(io.BytesIO(buffer.getvalue()))
        with pytest.raises(pickle.UnpicklingError) as torchs:
            torch.load(io.BytesIO(buffer.getvalue()))
        assert str(npgs.value).replace("npg.", "torch.") == str(torchs.value)


def test_modules_open_when_their_classes_are_added():
    for writer in (npg, torch):
        with npg.serialization.safe_globals([npg.nn.Linear]):
            assert type(through(writer, npg, writer.nn.Linear(2, 2))) is npg.nn.Linear
        with npg.serialization.safe_globals([(npg.nn.Linear, "torch.nn.modules.linear.Linear")]):
            assert type(through(writer, npg, writer.nn.Linear(2, 2))) is npg.nn.Linear
        assert npg.serialization.get_safe_globals() == []


@pytest.mark.parametrize("room", ["nn", "optim", "optim.lr_scheduler", "utils.benchmark"])
def test_classes_have_torchs_paths_in_files(room):
    from npg.serialization._names import find, torch_path

    ours, theirs = importlib.import_module(f"npg.{room}"), importlib.import_module(f"torch.{room}")
    checked = 0
    for name in sorted(ours.__all__ if hasattr(ours, "__all__") else dir(ours)):
        kind = getattr(ours, name)
        if isinstance(kind, type) and isinstance(getattr(theirs, name, None), type):
            path = torch_path(kind)
            twin = getattr(theirs, name)
            module = __import__(path[0], fromlist=[path[1]])
            assert getattr(module, path[1]) is twin, path
            assert find(path[0], path[1]) is find(twin.__module__, twin.__qualname__) is kind
            checked += 1
    assert checked > 3


@pytest.mark.parametrize("name", ["relu", "softmax", "tanh"])
def test_functions_by_name(name):
    assert through(npg, torch, getattr(npg, name), weights_only=False) is getattr(torch, name)
    assert through(npg, torch, getattr(npg.nn.functional, name), weights_only=False) in (
        getattr(torch.nn.functional, name),
        getattr(torch, name),
    )
    ours = through(torch, npg, getattr(torch, name), weights_only=False)
    assert ours(npg.ones(2), *([0] if name == "softmax" else [])).shape == (2,)
    assert through(torch, npg, getattr(torch.nn.functional, name), weights_only=False).__name__ == name


def test_what_npg_does_not_have_is_named():
    with pytest.raises(AttributeError, match=r"npg has no torch.*FloatFunctional, which the file"):
        through(torch, npg, torch.ao.nn.quantized.FloatFunctional(), weights_only=False)


# ----- Arguments -----


def test_map_location():
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(3)}, buffer)
    data = buffer.getvalue()
    seen = []

    def place(storage, location):
        seen.append((type(storage), location, storage.nbytes()))
        return storage

    for where in (None, "cpu", npg.device("cpu"), {"cpu": "cpu"}, {"cuda": "cpu"}, place, lambda storage, tag: None):
        assert npg.load(io.BytesIO(data), map_location=where)["a"].tolist() == [1, 1, 1]
    assert seen == [(npg.UntypedStorage, "cpu", 12)]
    for where in ("cuda", "cuda:1", "xla", "hpu", "xpu"):
        assert_same_error(
            lambda where=where: npg.load(io.BytesIO(data), map_location=where),
            lambda where=where: torch.load(io.BytesIO(data), map_location=where),
        )
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        npg.load(io.BytesIO(data), map_location=lambda storage, tag: storage.cuda())
    with pytest.raises(TypeError, match="expected map_location to return a storage, got <class 'int'>"):
        npg.load(io.BytesIO(data), map_location=lambda storage, tag: 3)


@pytest.mark.parametrize("tag", ["cuda:0", "mps:0", "xla:1"])
def test_files_of_other_devices(tag):
    class OnDevice(npg.UntypedStorage):
        pass

    npg.serialization.register_package(1, lambda storage: tag, lambda storage, location: None)
    try:
        buffer = io.BytesIO()
        npg.save(npg.ones(2), buffer)
    finally:
        from npg.serialization import _locations

        del _locations._registry[0]
    data = buffer.getvalue()
    with pytest.raises(RuntimeError):
        npg.load(io.BytesIO(data))
    if tag != "mps:0":  # where PyTorch says another thing
        assert_same_error(lambda: npg.load(io.BytesIO(data)), lambda: torch.load(io.BytesIO(data)))
    for where in ("cpu", {tag: "cpu"}, npg.device("cpu"), lambda storage, location: storage):
        assert npg.load(io.BytesIO(data), map_location=where).tolist() == [1, 1]


def test_registered_packages_restore():
    from npg.serialization import _locations

    npg.serialization.register_package(
        1, lambda s: None, lambda s, where: s.clone().fill_(0) if where == "zero" else None
    )
    try:
        assert through(npg, npg, npg.ones(2), map_location="zero").tolist() == [0, 0]
        assert through(npg, npg, npg.ones(2)).tolist() == [1, 1]
        assert npg.serialization.location_tag(npg.ones(1).untyped_storage()) == "cpu"
    finally:
        del _locations._registry[0]


@pytest.mark.parametrize("writer", [npg, torch])
def test_mmap(writer, tmp_path):
    path = tmp_path / "map.pt"
    x = writer.arange(100_000.0)
    state = {"a": x, "b": x[5:7], "c": writer.ones(3).to(writer.uint8), "d": writer.ones(3).bool()}
    writer.save(state, path)
    before = path.read_bytes()
    found = npg.load(path, mmap=True)
    assert [bits(t) for t in found.values()] == [bits(t) for t in state.values()]
    found["a"][5] = -1.0
    assert found["b"][0] == -1 and path.read_bytes() == before  # private
    path.unlink()
    assert found["a"][99_999] == 99_999
    npg.save(found, path)  # over the file that it is a map of
    assert torch.load(path)["a"][5] == -1
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        npg.load(io.BytesIO(before), mmap=True)
    legacy = tmp_path / "legacy.pt"
    writer.save(state, legacy, _use_new_zipfile_serialization=False)
    assert_same_error(lambda: npg.load(str(legacy), mmap=True), lambda: torch.load(str(legacy), mmap=True), text=False)


def test_mmap_options(tmp_path):
    path = tmp_path / "shared.pt"
    torch.save(torch.zeros(4), path)
    with npg.serialization.set_default_mmap_options(mmap.MAP_SHARED):
        npg.load(path, mmap=True)[1] = 7.0
    assert npg.serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
    assert torch.load(path).tolist() == [0, 7, 0, 0]
    assert_same_error(
        lambda: npg.serialization.set_default_mmap_options(9), lambda: torch.serialization.set_default_mmap_options(9)
    )


def test_endianness():
    big = np.arange(4, dtype=">f4")
    buffer = io.BytesIO()
    npg.save(npg.from_numpy(big.view(np.uint8).view("<f4")), buffer)
    with zipfile.ZipFile(buffer) as archive:
        records = {info.filename: archive.read(info) for info in archive.infolist()}
    for order in (b"big", None):
        changed = io.BytesIO()
        with zipfile.ZipFile(changed, "w") as archive:
            for name, data in records.items():
                if not name.endswith("byteorder"):
                    archive.writestr(name, data)
                elif order:
                    archive.writestr(name, order)
        options = npg.serialization
        if order is None:
            assert npg.load(io.BytesIO(changed.getvalue())).tolist() != [0, 1, 2, 3]
            options.set_default_load_endianness(options.LoadEndianness.BIG)
        try:
            assert npg.load(io.BytesIO(changed.getvalue())).tolist() == [0, 1, 2, 3]
        finally:
            options.set_default_load_endianness(None)
    assert_same_error(
        lambda: npg.serialization.set_default_load_endianness(1),
        lambda: torch.serialization.set_default_load_endianness(1),
    )


@BOTH
def test_without_checksums_and_without_data(writer, reader, tmp_path):
    writer.serialization.set_crc32_options(False)
    try:
        assert not writer.serialization.get_crc32_options()
        assert through(writer, reader, writer.arange(3)).tolist() == [0, 1, 2]
    finally:
        writer.serialization.set_crc32_options(True)
    with writer.serialization.skip_data():
        path = tmp_path / "skipped.pt"
        writer.save(writer.ones(1000), path)
        if writer is npg:
            assert through(writer, reader, writer.ones(3)).tolist() == [0, 0, 0]
    assert reader.load(path).tolist() == [0] * 1000
    with npg.serialization.skip_data():
        assert through(npg, npg, npg.ones(3)).shape == (3,)


@pytest.mark.parametrize("name", ["TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"])
def test_environment(name, monkeypatch):
    buffer = io.BytesIO()
    torch.save(torch.nn.Linear(1, 1), buffer)
    data = buffer.getvalue()
    monkeypatch.setenv(name, "1")
    if "NO" in name:
        with pytest.warns(UserWarning, match="TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected"):
            assert type(npg.load(io.BytesIO(data))) is npg.nn.Linear
        with pytest.raises(pickle.UnpicklingError):
            npg.load(io.BytesIO(data), weights_only=True)
        monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "y")
        with pytest.raises(RuntimeError, match="Only one of"):
            npg.load(io.BytesIO(data))
    else:
        with pytest.raises(pickle.UnpicklingError):
            npg.load(io.BytesIO(data), weights_only=False)


@pytest.mark.parametrize(
    "call",
    [
        lambda lib: lib.load(None),
        lambda lib: lib.load(3),
        lambda lib: lib.save(1, None),
        lambda lib: lib.save(1, "/nonexistent/folder/x.pt"),
        lambda lib: lib.load("/nonexistent.pt"),
        lambda lib: lib.load("x.pt", pickle_module=pickle, weights_only=True),
        lambda lib: lib.load(io.BytesIO(b"\x80\x02K\x01.")),
        lambda lib: lib.load(io.BytesIO(b"\x80\x02cos\nsystem\n.")),
        lambda lib: lib.load(io.BytesIO(pickle.dumps([1], 4))),
        lambda lib: lib.save([x := lib.ones(3), x.view(lib.int32)], io.BytesIO()),
        lambda lib: lib.load(io.BytesIO(b"")),
        lambda lib: lib.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(b"abcd")),
    ],
)
def test_errors_are_torchs(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = True
        try:
            call(torch)
        except EOFError:
            text = False  # torch says nothing
        except Exception:
            pass
        assert_same_error(lambda: call(npg), lambda: call(torch), text)


@pytest.mark.parametrize("writer", [npg, torch])
def test_unsafe_globals_are_listed(writer):
    buffer = io.BytesIO()
    writer.save({"m": writer.nn.Linear(1, 1), "x": writer.ones(1)}, buffer)
    for lib in (npg, torch):
        buffer.seek(0)
        found = lib.serialization.get_unsafe_globals_in_checkpoint(buffer)
        assert found == ["torch.nn.modules.linear.Linear"]


def test_public_names_and_signatures():
    import inspect

    missing = set(torch.serialization.__all__) - set(npg.serialization.__all__)
    assert missing == {
        "SourceChangeWarning", "check_module_version_greater_or_equal", "mkdtemp", "normalize_storage_type",
        "storage_to_tensor_type",
    }  # fmt: skip
    for name in npg.serialization.__all__:
        ours, theirs = getattr(npg.serialization, name), getattr(torch.serialization, name)
        assert ours.__module__ == "npg.serialization"
        if not isinstance(ours, type):
            assert [*inspect.signature(ours).parameters] == [*inspect.signature(theirs).parameters], name
    assert npg.save is npg.serialization.save and npg.load is npg.serialization.load
    defaults = {k: p.default for k, p in inspect.signature(npg.save).parameters.items()}
    assert defaults == {k: p.default for k, p in inspect.signature(torch.save).parameters.items()}


def test_the_archive_is_torchs_byte_for_byte(tmp_path):
    """Only the pickle's memo and the serialization id differ."""
    found = {}
    for lib in (npg, torch):
        path = tmp_path / lib.__name__ / "some.model.pt"
        path.parent.mkdir()
        lib.save([lib.arange(5.0), lib.empty(0), lib.ones(3).to(lib.uint16)], path)
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            found[lib] = [
                (i.filename, i.flag_bits, i.compress_type, i.header_offset % 64 if "data/" in i.filename else 0)
                + (() if "pkl" in i.filename or "serialization_id" in i.filename else (archive.read(i), i.CRC))
                for i in archive.infolist()
            ]
            offsets = [_start(path, i) for i in archive.infolist() if "/data/" in i.filename]
            assert all(offset % 64 == 0 for offset in offsets)
    assert [entry[:3] for entry in found[npg]] == [entry[:3] for entry in found[torch]]
    assert [entry[4:] for entry in found[npg]] == [entry[4:] for entry in found[torch]]


def _start(path, info):
    header = path.read_bytes()[info.header_offset : info.header_offset + 30]
    return info.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")


def test_safetensors(tmp_path):
    numpy_safetensors = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "x.safetensors"
    numpy_safetensors.save_file({"a": np.arange(3, dtype=np.float32)}, path)
    assert npg.load(path)["a"].tolist() == torch.load(path)["a"].tolist() == [0, 1, 2]
    assert_same_error(lambda: npg.load(path, map_location={}), lambda: torch.load(path, map_location={}))
    assert npg.load(path, map_location="meta")["a"].is_meta


@BOTH
def test_whole_generators(writer, reader):
    generator = writer.Generator().manual_seed(5)
    writer.rand(3, generator=generator)
    found = through(writer, reader, generator, weights_only=False)
    assert type(found) is reader.Generator
    assert reader.rand(4, generator=found).tolist() == writer.rand(4, generator=generator).tolist()


# ----- Large files -----


@pytest.mark.skipif(sys.platform != "linux", reason="a file with a hole of four gigabytes")
@pytest.mark.parametrize("writer", [npg, torch])
def test_files_of_more_than_four_gigabytes(writer, tmp_path):
    """Sizes and places of 64 bits; the file is a hole, but for what is written into it here."""
    path, size = tmp_path / "large.pt", (1 << 32) + 8
    with writer.serialization.skip_data():
        writer.save({"large": writer.empty(size, dtype=writer.uint8), "after": writer.empty(2)}, path)
    with open(path, "rb+") as file:
        records = ZipReader(file).records
        for at, data in (
            (records["data/0"].start, b"\1"),
            (records["data/0"].start + size - 1, b"\2"),
            (records["data/1"].start, np.float32([3, 4]).tobytes()),
        ):
            file.seek(at)
            file.write(data)
    for reader in (npg, torch):
        found = reader.load(path, mmap=True)
        large = found["large"]
        assert (len(large), large[0].item(), large[-1].item(), large[1].item()) == (size, 1, 2, 0)
        assert found["after"].tolist() == [3, 4]
