"""What npg keeps for later calls: counted, bounded, and dropped without touching anything else."""

import gc
import platform
import sys
import threading

import numpy as np
import pytest

import npg
from npg.kernels import buffers, heap, programs
from npg.ops._attention_tiles import _KEPT_DIAGONALS, _diagonals, diagonal
from npg.utils.memory import empty_cache, memory_stats
from tests import processes

F = npg.nn.functional
GLIBC = platform.libc_ver()[0] == "glibc" and tuple(map(int, platform.libc_ver()[1].split("."))) >= (2, 33)
needs_glibc = pytest.mark.skipif(not GLIBC, reason="the C library does not tell what its heap holds")


@pytest.fixture(autouse=True)
def emptied():
    empty_cache()
    yield
    empty_cache()


def kernels(x):
    """Return what the kernels with temporaries and constants give for x, (B, T, C), and the gradient of their sum."""
    x = x.detach().requires_grad_()
    heads = x.unflatten(-1, (2, -1)).transpose(1, 2)
    found = [
        F.gelu(x),
        F.layer_norm(x, x.shape[-1:]),
        F.softmax(x, -1),
        F.log_softmax(x, -1),
        F.scaled_dot_product_attention(heads, heads, heads, is_causal=True),
    ]
    sum((y * y).sum() for y in found).backward()
    return [y.detach().numpy() for y in found] + [x.grad.numpy()]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def kept():
    stats = memory_stats()
    return stats["scratch_bytes"], stats["constant_bytes"]


# ----- Counting and dropping -----


def test_stats_are_ints_by_name():
    stats = npg.memory_stats()
    assert npg.memory_stats is memory_stats and npg.empty_cache is empty_cache
    assert list(stats)[:2] == ["scratch_bytes", "constant_bytes"]
    assert all(type(n) is int and n >= 0 for n in stats.values())


def test_kernels_raise_the_counts_and_empty_cache_lowers_them():
    x = npg.rand(2, 100, 64)
    assert kept() == (0, 0)
    expected = kernels(x)
    scratch, constants = kept()
    assert scratch >= x.numpy().nbytes and constants >= 64 * 2 * 36 * 4
    again = kernels(x)
    assert kept() == (scratch, constants)  # the same memory serves every call
    assert empty_cache() is None
    assert kept() == (0, 0)
    assert_same(again, expected)
    assert_same(kernels(x), expected)
    assert kept() == (scratch, constants)


def test_count_is_of_the_memory_that_is_held():
    buffers.scratch(0, (30_000,), np.dtype(np.uint8))
    assert kept() == (buffers._this_thread.buffers[0].base.nbytes, 0)
    mine = buffers.constants()
    try:
        mine["a"], mine["b"] = np.ones(10), np.ones(3, np.float32)
        assert kept()[1] == 92
        empty_cache()
        assert mine == {}
    finally:
        buffers._all.remove(mine)


def test_what_is_in_use_and_what_is_the_users_survives():
    users = npg.full((10_000,), 4.0, requires_grad=True)
    y = F.gelu(users)
    in_use = buffers.scratch(0, (10_000,), np.dtype(np.float64))
    in_use[...] = 3.0
    empty_cache()
    other = buffers.scratch(0, (10_000,), np.dtype(np.float64))
    other[...] = 5.0
    assert not np.shares_memory(in_use, other) and (in_use == 3.0).all()
    y.sum().backward()
    assert (users == 4.0).all() and users.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [npg.float32, npg.float64])
def test_counts_stay_bounded_over_many_sizes(dtype):
    slots = 4
    bound = slots * (buffers.LIMIT + 2 * 4096)
    if npg.engine.name == "python":  # which keeps the temporaries of programs there too, four blocks of them at most
        bound += 4 * (2 * programs.BLOCK * 8 + 2 * 4096)
    highest = 0
    for n in [*range(10, 600, 47), 1000, 3000]:
        x = npg.rand(1, n, 64, dtype=dtype)
        kernels(x)
        scratch, constants = kept()
        highest = max(highest, scratch)
        assert scratch <= bound and constants < 8 << 20
    assert highest > buffers.LIMIT // 2


def test_masks_of_attention_are_bounded():
    for n in range(1, 2 * _KEPT_DIAGONALS):
        mask = diagonal(n, 1, 3, np.dtype(np.float32))
        assert mask is diagonal(n, 1, 3, np.dtype(np.float32))
        assert len(_diagonals) <= _KEPT_DIAGONALS
    with pytest.raises(ValueError, match="read-only"):
        mask[0] = 0.0


# ----- Threads -----


def test_buffers_of_all_threads_are_counted_until_they_end():
    used, end = threading.Barrier(3), threading.Event()

    def work():
        F.log_softmax(npg.rand(100, 100), 0)
        used.wait(60)
        end.wait(60)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    used.wait(60)
    of_two = kept()[0]
    F.log_softmax(npg.rand(100, 100), 0)
    of_three = kept()[0]
    assert of_three * 2 == of_two * 3 > 0
    end.set()
    for thread in threads:
        thread.join()
    gc.collect()
    assert kept()[0] * 3 == of_three
    empty_cache()
    assert kept()[0] == 0


def test_buffers_of_other_threads_are_dropped_and_made_again():
    steps = threading.Barrier(2)
    found = []

    def work():
        x = npg.ones(2, 100, 64)
        found.append(kernels(x))
        steps.wait(60)
        steps.wait(60)  # emptied
        found.append(kernels(x))

    thread = threading.Thread(target=work)
    thread.start()
    steps.wait(60)
    assert kept()[0] > 0
    empty_cache()
    assert kept()[0] == 0
    steps.wait(60)
    thread.join()
    assert_same(*found)


def test_emptying_while_threads_compute_changes_no_result():
    inputs = [npg.rand(2, 70 + n, 64) for n in range(3)]
    expected = [kernels(x) for x in inputs]
    wrong = []

    def work(x, want):
        try:
            for _ in range(15):
                assert_same(kernels(x), want)
        except BaseException as error:
            wrong.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=pair) for pair in zip(inputs, expected, strict=True)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            empty_cache()
            assert min(memory_stats().values()) >= 0
    finally:
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()
    assert not wrong, wrong[0]


def test_threads_that_come_and_go_while_counting():
    def work():
        buffers.scratch(0, (30_000,), np.dtype(np.uint8))

    def many():
        for _ in range(100):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

    starters = [threading.Thread(target=many) for _ in range(2)]
    for thread in starters:
        thread.start()
    while any(thread.is_alive() for thread in starters):
        assert kept()[0] < 1 << 20
        empty_cache()
    assert kept()[0] == 0


# ----- The heap -----

PROGRAM = """
import npg

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def read():
    stats = npg.memory_stats()
    return [stats[f"heap_{name}_bytes"] for name in ("used", "free", "mapped")] + [resident()]

print(*read())
tensors = [npg.ones(1 << 12) for _ in range(2048)]  # 16 kB each, on the heap
last = npg.ones(1 << 12)  # which what is below cannot be cut off without
print(*read())
large = npg.ones(3 << 24)  # 192 MB: pages of its own
print(*read())
del tensors, large
print(*read())
npg.empty_cache()
print(*read())
"""


@needs_glibc
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_heap_is_told_and_given_back():
    run = processes.run([sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, check=True)
    start, small, large, freed, emptied = (list(map(int, line.split())) for line in run.stdout.splitlines())
    used, free, mapped, resident = range(4)
    mb = 1 << 20
    assert small[used] - start[used] > 30 * mb
    assert large[mapped] - small[mapped] >= 192 * mb
    assert freed[mapped] < large[mapped] - 190 * mb
    assert freed[used] < small[used] - 30 * mb and freed[free] > 30 * mb
    assert emptied[resident] < freed[resident] - 25 * mb


@needs_glibc
def test_heap_keys_are_there_with_glibc():
    assert list(memory_stats())[4:] == ["heap_used_bytes", "heap_free_bytes", "heap_mapped_bytes"]


def test_heap_keys_are_absent_where_the_c_library_does_not_tell(monkeypatch):
    monkeypatch.setattr(heap, "_c_function", lambda _name: None)
    F.log_softmax(npg.rand(100, 100), 0)
    assert list(memory_stats()) == ["scratch_bytes", "constant_bytes", "block_bytes", "block_used_bytes"]
    assert kept()[0] > 0
    empty_cache()
    assert kept()[0] == 0


def test_functions_that_the_c_library_has_not_are_none(monkeypatch):
    assert heap._c_function("no_such_function_in_any_c_library") is None

    def refuse(_name):
        raise TypeError("bad argument type")

    monkeypatch.setattr("ctypes.CDLL", refuse)
    assert heap._c_function("malloc_trim") is None
