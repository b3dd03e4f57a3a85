"""Memory shared with NumPy and torch: __array__, from_numpy, DLPack in both directions; its lifetime."""

import gc
import weakref

import numpy as np
import pytest
import torch

import npg

from ..expressions import check, check_error

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
LAYOUTS = {
    "whole": lambda x: x,
    "offset": lambda x: x[1:],
    "steps": lambda x: x[:, ::2],
    "transposed": lambda x: x.T,
    "inner": lambda x: x[1:, 1:3],
    "row": lambda x: x[1],
    "0-d": lambda x: x[1, 2],
    "empty": lambda x: x[:0],
    "no columns": lambda x: x[:, 4:],
}


def numbers(dtype):
    return (np.arange(12).reshape(3, 4) % 5).astype(dtype)


# ----- NumPy -----


def test_array_is_the_memory_itself_both_ways():
    x = npg.arange(6.0).view(2, 3)
    for a in (x.numpy(), np.asarray(x), np.array(x, copy=False), np.asarray(x, dtype=np.float32), x.__array__()):
        assert type(a) is np.ndarray and np.shares_memory(a, x.numpy())
        a[0, 1] += 1
    assert x[0, 1].item() == 6
    x[1] = 9
    assert np.asarray(x)[1].tolist() == [9, 9, 9]
    x.t()[0] = 4
    assert np.asarray(x)[:, 0].tolist() == [4, 4]


def test_array_follows_numpy_2s_copy():
    x = npg.arange(3.0)
    a = np.array(x, copy=True)
    a[0] = 9
    assert x.tolist() == [0, 1, 2] and not np.shares_memory(np.array(x), x.numpy())
    assert np.array(x, dtype=np.float64).dtype == np.float64 and x.__array__(np.int64, copy=True).tolist() == [0, 1, 2]
    for call in (lambda: np.asarray(x, np.int64, copy=False), lambda: x.__array__(np.dtype(">f4"), copy=False)):
        with pytest.raises(ValueError, match="Unable to avoid copy"):
            call()
    assert np.asarray(x, ">f4").dtype == np.dtype(">f4")
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        npg.ones(2).__array__(np.float64, copy=False)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
@pytest.mark.parametrize(
    "call",
    [
        "np.array([x, x])", "np.array([x[0], x[1]])", "np.asarray(x)", "np.array(x, dtype=np.int64)",
        "x.numpy()", "x.__array__()", "(x * 2).__array__(np.float64)", "np.asarray(x[0])", "np.array([[x], [x]])",
    ],
)  # fmt: skip
def test_array_of_what_requires_grad_raises_torchs_error(call):
    check_error(f"x = lib.ones(2, requires_grad=True); r = {call}")


def test_array_of_a_list_of_tensors_is_torchs():
    check(
        "x = lib.arange(3.0); r = np.array([x, x]), np.array([x[0], x[1]]), np.array([[x, x]]), np.asarray([x.long()])"
    )
    check("x = lib.ones(2, requires_grad=True); r = np.array([x.detach(), x.detach()])")


@pytest.mark.parametrize("lib", [npg, torch])
def test_array_of_what_requires_grad_is_had_where_nothing_is_recorded(lib):
    x = lib.ones(2, requires_grad=True)
    with lib.no_grad():
        arrays = np.array([x, x]), np.array([x[0], x[1]]), np.asarray(x), x.numpy()
    assert [a.tolist() for a in arrays] == [[[1, 1], [1, 1]], [1, 1], [1, 1], [1, 1]]
    assert np.shares_memory(arrays[3], x.detach().numpy())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_from_numpy_and_numpy_share_every_layout(layout, dtype):
    a = LAYOUTS[layout](numbers(dtype))
    a = np.asarray(a) if layout != "0-d" else numbers(dtype)[1, 2:3].reshape(())
    x = npg.from_numpy(a)
    assert x.numpy().dtype == a.dtype and np.array_equal(x.numpy(), a) and tuple(x.shape) == a.shape
    back = torch.from_numpy(x.numpy())
    assert tuple(back.shape) == a.shape and torch.equal(back, torch.from_numpy(a.copy()))
    if a.size:
        a[...] = 1
        assert (x == 1).all() and bool((back == 1).all())
        x.fill_(0)
        assert not a.any() and not back.any()
        back.fill_(1)
        assert a.all() and x.all()


def test_version_is_not_told_of_writes_through_the_array():
    check("x = lib.arange(3.0); a = x.numpy(); a[0] = 5; r = x, x._version")


def test_read_only_array_is_shared_and_stays_read_only():
    a = np.arange(3.0)
    a.flags.writeable = False
    x = npg.from_numpy(a)
    assert np.shares_memory(x.numpy(), a) and x.sum().item() == 3 and not x.numpy().flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        x.add_(1)
    assert x._version == 0 and a.tolist() == [0, 1, 2]
    assert npg.tensor(a).add_(1).tolist() == [1, 2, 3] and x.clone().add_(1).tolist() == [1, 2, 3]


# ----- DLPack -----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_dlpack_shares_every_layout_in_both_directions(layout, dtype):
    take = LAYOUTS[layout]
    x, t, a = take(npg.from_numpy(numbers(dtype))), take(torch.from_numpy(numbers(dtype))), take(numbers(dtype))
    a = np.asarray(a)
    out, array = torch.from_dlpack(x), np.from_dlpack(x)
    assert out.dtype == t.dtype and tuple(out.shape) == tuple(t.shape) and torch.equal(out, t)
    assert np.array_equal(array, a) and array.dtype == a.dtype
    again, back, of_array = npg.from_dlpack(x), npg.from_dlpack(t), npg.from_dlpack(a)
    for shared in (again, back, of_array):
        assert repr(shared.dtype) == repr(t.dtype).replace("torch", "npg") and tuple(shared.shape) == tuple(t.shape)
        assert np.array_equal(shared.numpy(), a)
    if not a.size:
        return
    assert out.data_ptr() == again.data_ptr() == x.data_ptr() == array.ctypes.data
    assert back.data_ptr() == t.data_ptr()
    assert all(n == 1 or s == r for n, s, r in zip(x.shape, back.stride(), t.stride(), strict=True))
    x.fill_(1)
    assert out.all() and array.all() and again.all()
    out.fill_(0)
    assert not x.any()
    back.fill_(1)
    assert t.all()
    t.fill_(0)
    assert not back.any()
    array[...] = 1
    assert x.all()
    if layout != "0-d":  # NumPy's a[1, 2] is a copy
        of_array.fill_(1)
        assert a.all()


def test_dlpack_of_an_expanded_tensor_keeps_its_steps_of_0():
    x = npg.arange(3.0).expand(2, 3)
    assert torch.from_dlpack(x).stride() == (0, 1) and np.from_dlpack(x).strides == (0, 4)
    assert npg.from_dlpack(torch.arange(3.0).expand(2, 3)).stride() == (0, 1)


def capsule_name(capsule):
    return repr(capsule).split('"')[1]


def test_dlpack_speaks_both_protocols():
    x, t = npg.ones(2), torch.ones(2)
    for version in (None, (0, 8), (1, 0), (1, 9), (2, 0)):
        expected = capsule_name(t.__dlpack__(max_version=version))
        assert capsule_name(x.__dlpack__(max_version=version)) == expected, version
    assert tuple(x.__dlpack_device__()) == (1, 0) == tuple(map(int, t.__dlpack_device__()))
    assert capsule_name(x.__dlpack__(dl_device=(1, 0), stream=None)) == "dltensor"
    assert capsule_name(x.__dlpack__(stream=-1, copy=False)) == "dltensor"


def test_dlpack_copies_when_asked_to():
    x, t = npg.arange(3.0), torch.arange(3.0)
    copied = torch.from_dlpack(x.__dlpack__(copy=True))
    assert copied.data_ptr() != x.data_ptr() and copied.tolist() == [0, 1, 2]
    assert np.from_dlpack(x, copy=True).ctypes.data != x.data_ptr()
    assert torch.from_dlpack(x, copy=True).data_ptr() != x.data_ptr()
    assert npg.from_dlpack(t, copy=True).data_ptr() != t.data_ptr()
    for copy in (False, None):
        assert npg.from_dlpack(t, copy=copy).data_ptr() == t.data_ptr()
        assert torch.from_dlpack(x, copy=copy).data_ptr() == x.data_ptr()
    assert npg.from_dlpack(x, device="cpu").data_ptr() == x.data_ptr()


@pytest.mark.parametrize(
    "call",
    [
        "x = lib.ones(2, requires_grad=True); x.__dlpack__()",
        "x = lib.ones(2, requires_grad=True); np.from_dlpack(x * 2)",
        "x = lib.ones(2, requires_grad=True); lib.from_dlpack(x)", "lib.ones(2).__dlpack__(stream=3)",
        "lib.ones(2).__dlpack__(stream='a')", "c = lib.ones(2).__dlpack__(); lib.from_dlpack(c); lib.from_dlpack(c)",
    ],
)  # fmt: skip
def test_dlpack_refuses_in_torchs_words(call):
    check_error(call)


class Elsewhere:
    def __dlpack__(self, **kwargs):
        raise AssertionError("its device was not asked for")

    def __dlpack_device__(self):
        return (2, 0)


def test_dlpack_module_has_torchs_names():
    x = npg.arange(3.0)
    assert torch.utils.dlpack.from_dlpack(npg.utils.dlpack.to_dlpack(x)).data_ptr() == x.data_ptr()
    assert npg.utils.dlpack.from_dlpack(npg.utils.dlpack.to_dlpack(x)).data_ptr() == x.data_ptr()


def test_dlpack_knows_no_other_device():
    with pytest.raises(BufferError, match=r"expected dl_device \(1, 0\), the CPU, got \(2, 0\)"):
        npg.ones(2).__dlpack__(dl_device=(2, 0))
    with pytest.raises(AssertionError, match="CUDA"):
        npg.from_dlpack(npg.ones(2), device="cuda")
    with pytest.raises(RuntimeError, match=r"DLPack device \(2, 0\)"):
        npg.from_dlpack(Elsewhere())
    with pytest.raises(RuntimeError, match="expected an object with __dlpack__"):
        npg.from_dlpack([1])


def test_dlpack_refuses_what_npg_cannot_show():
    with pytest.raises(TypeError, match="The only supported types are"):
        npg.from_dlpack(np.ones(2, np.complex64))
    with pytest.raises(ValueError, match="negative"):
        npg.from_dlpack(np.arange(3.0)[::-1])
    with pytest.raises(BufferError, match="native byte order"):
        npg.from_dlpack(np.ones(2, ">f4"))


def test_dlpack_takes_capsules_of_both_protocols():
    t = torch.arange(3.0)
    for version in (None, (1, 0)):
        x = npg.from_dlpack(t.__dlpack__(max_version=version))
        x[0] += 1
        assert x.data_ptr() == t.data_ptr()
    assert t[0].item() == 2


class Early:
    """A producer without DLPack versions: its __dlpack__ takes a stream only."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __dlpack__(self, stream=None):
        return self.tensor.__dlpack__()

    def __dlpack_device__(self):
        return (1, 0)


def test_dlpack_of_an_early_producer_can_be_written():
    t = torch.arange(3.0)
    x = npg.from_dlpack(Early(t))
    x[1] = 7
    assert t.tolist() == [0, 7, 2]


def test_dlpack_keeps_read_only_memory_read_only():
    a = np.arange(3.0)
    a.flags.writeable = False
    x = npg.from_dlpack(a)
    assert x.data_ptr() == a.ctypes.data and not x.numpy().flags.writeable
    assert not npg.from_dlpack(x).numpy().flags.writeable and not np.from_dlpack(x).flags.writeable
    assert npg.from_dlpack(a, copy=True).add_(1).tolist() == [1, 2, 3]
    with pytest.raises(BufferError, match="readonly"):
        x.__dlpack__()  # the unversioned protocol cannot mark it read-only
    assert capsule_name(x.__dlpack__(max_version=(1, 0))) == "dltensor_versioned"


# ----- Lifetimes -----


@pytest.mark.parametrize(
    "consume",
    [
        torch.from_dlpack, np.from_dlpack, npg.from_dlpack, np.asarray, lambda x: torch.from_numpy(x.numpy()),
        lambda x: npg.from_dlpack(torch.from_dlpack(x)), lambda x: x.__dlpack__(), lambda x: x[2:].numpy(),
        lambda x: x.__dlpack__(max_version=(1, 0)), lambda x: npg.from_numpy(np.from_dlpack(x[1:])),
    ],
)  # fmt: skip
def test_memory_lives_as_long_as_its_consumer(consume):
    gc.disable()
    try:
        x = npg.from_numpy(np.arange(1000.0))
        memory = weakref.ref(x.numpy())
        consumer = consume(x)
        del x
        assert memory() is not None, "the memory was freed while it was in use"
        if hasattr(consumer, "sum"):
            assert float(consumer.sum()) > 0
        del consumer
        assert memory() is None, "the memory was not freed"
    finally:
        gc.enable()


@pytest.mark.parametrize("produce", [npg.from_dlpack, npg.from_numpy, npg.as_tensor, npg.asarray, npg.Tensor])
def test_tensor_holds_the_array_that_it_shows_and_lets_it_go(produce):
    gc.disable()
    try:
        a = np.arange(1000.0, dtype=np.float32)
        reference = weakref.ref(a)
        x = produce(a)
        y = x[10:]
        del a, x
        assert reference() is not None and y[0].item() == 10
        del y
        assert reference() is None
    finally:
        gc.enable()


def test_torchs_memory_lives_as_long_as_the_tensor_on_it():
    t = torch.arange(1000.0)
    memory = weakref.ref(t.untyped_storage())
    x = npg.from_dlpack(t)[5:]
    del t
    gc.collect()
    assert x[0].item() == 5 and x.sum().item() == sum(range(5, 1000))
    del x
    gc.collect()
    assert memory() is None


def test_unused_capsule_frees_its_memory():
    a = np.arange(10.0)
    memory = weakref.ref(a)
    capsules = [npg.from_numpy(a).__dlpack__(max_version=v) for v in (None, (1, 0))]
    del a
    assert memory() is not None
    del capsules
    assert memory() is None
