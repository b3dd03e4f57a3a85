"""npg.random against PyTorch's CPU generator: numbers, dtypes, layouts, states, errors.

Numbers are compared bit for bit wherever they come from basic arithmetic alone. What needs log, log1p, exp, tan, sin or
cos in float64 is held to a relative 1e-12 (1e-6 in float32, one step in float16), since NumPy may compute these in its
own way.
"""

import copy
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from npg import random
from npg.random import _filling, _generator
from tests import processes

torch = pytest.importorskip("torch", reason="PyTorch is the reference for these streams")

ROOT = Path(__file__).resolve().parent.parent
SIZES = (0, 1, 2, 5, 15, 16, 17, 31, 32, 33, 100, 1000, 12345)
SEEDS = (5, -3)
FLOATS = ("float16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")
DTYPES = (*FLOATS, *INTEGERS, "bool")
AVX2 = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")  # normal numbers have no AVX512 kernel
fused = pytest.mark.skipif(not AVX2, reason="PyTorch rounds differently in its kernels for other processors")


def draws_bernoulli_from_mkl() -> bool:
    before = torch.Generator().manual_seed(1)
    torch.empty(4).bernoulli_(0.5, generator=before)
    return bool(before.get_state()[16] != 8)  # the words drawn so far


own_stream = pytest.mark.skipif(
    draws_bernoulli_from_mkl(),
    reason="on processors by Intel, PyTorch draws bernoulli_(p) and dropout from MKL's stream",
)


def seed_both(seed: int) -> None:
    random.manual_seed(seed)
    torch.manual_seed(seed)


def torch_dtype(name: str) -> "torch.dtype":
    return getattr(torch, name)


def assert_same_state() -> None:
    assert random.get_state().tobytes() == torch.get_rng_state().numpy().tobytes()


def assert_close(actual: np.ndarray, tensor: "torch.Tensor") -> None:
    expected = tensor.numpy()
    assert actual.dtype == expected.dtype and actual.shape == expected.shape
    if AVX2:
        np.testing.assert_array_equal(actual, expected, strict=True)
        return
    # Where PyTorch's kernels round products and sums apart, adding a mean that cancels shows it in more digits.
    rtol, atol = {"float16": (2e-3, 2e-3), "float32": (1e-6, 4e-6), "float64": (1e-12, 1e-14)}[expected.dtype.name]
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


def assert_equal(actual: np.ndarray, tensor: "torch.Tensor") -> None:
    expected = tensor.numpy()
    assert actual.dtype == expected.dtype and actual.shape == expected.shape
    np.testing.assert_array_equal(actual, expected, strict=True)


# Each fills an array, or a tensor: (npg's, PyTorch's).
EXACT_FILLS = {
    "uniform_": (lambda a: random.uniform_(a), lambda t: t.uniform_()),
    "uniform_ around 0": (lambda a: random.uniform_(a, -0.1, 0.1), lambda t: t.uniform_(-0.1, 0.1)),
    "uniform_ from 2": (lambda a: random.uniform_(a, 2, 7.3), lambda t: t.uniform_(2, 7.3)),
    "uniform_ up to 1e-3": (lambda a: random.uniform_(a, 0, 1e-3), lambda t: t.uniform_(0, 1e-3)),
    "random_": (lambda a: random.random_(a), lambda t: t.random_()),
    "random_ below 100": (lambda a: random.random_(a, 0, 100), lambda t: t.random_(100)),
    "random_ from -7": (lambda a: random.random_(a, -7, 120), lambda t: t.random_(-7, 120)),
    "bernoulli_ of float32": (
        lambda a: random.bernoulli_(a, np.float32(0.3) * np.ones(1, np.float32)),
        lambda t: t.bernoulli_(torch.tensor([0.3])),
    ),
    "bernoulli_ of float64": (
        lambda a: random.bernoulli_(a, np.array(0.3)),
        lambda t: t.bernoulli_(torch.tensor(0.3, dtype=torch.float64)),
    ),
}
NORMAL_FILLS = {
    "normal_": (lambda a: random.normal_(a), lambda t: t.normal_()),
    "normal_ 0.02": (lambda a: random.normal_(a, 0, 0.02), lambda t: t.normal_(0, 0.02)),
    "normal_ 1.3 0.7": (lambda a: random.normal_(a, 1.3, 0.7), lambda t: t.normal_(1.3, 0.7)),
    "normal_ -2 1": (lambda a: random.normal_(a, -2, 1), lambda t: t.normal_(-2, 1)),
    "normal_ 3 0": (lambda a: random.normal_(a, 3, 0), lambda t: t.normal_(3, 0)),
}
CLOSE_FILLS = {
    "log_normal_": (lambda a: random.log_normal_(a, 0.3, 0.7), lambda t: t.log_normal_(0.3, 0.7)),
    "exponential_": (lambda a: random.exponential_(a), lambda t: t.exponential_()),
    "exponential_ 2.5": (lambda a: random.exponential_(a, 2.5), lambda t: t.exponential_(2.5)),
    "cauchy_": (lambda a: random.cauchy_(a), lambda t: t.cauchy_()),
    "cauchy_ 1.5 0.25": (lambda a: random.cauchy_(a, 1.5, 0.25), lambda t: t.cauchy_(1.5, 0.25)),
}
INTEL_FILLS = {
    "bernoulli_": (lambda a: random.bernoulli_(a), lambda t: t.bernoulli_()),
    "bernoulli_ 0.1": (lambda a: random.bernoulli_(a, 0.1), lambda t: t.bernoulli_(0.1)),
    "bernoulli_ 1": (lambda a: random.bernoulli_(a, 1), lambda t: t.bernoulli_(1)),
    "bernoulli_ 0": (lambda a: random.bernoulli_(a, 0), lambda t: t.bernoulli_(0)),
}


def fill_both(fills, size, dtype: str, seed: int):
    actual, expected = np.zeros(size, dtype), torch.zeros(size, dtype=torch_dtype(dtype))
    seed_both(seed)
    for _ in range(2):  # the second time from the middle of a block, and perhaps with a number kept
        assert fills[0](actual) is actual
        fills[1](expected)
    return actual, expected


# ----- The generator -----


@pytest.mark.parametrize("seed", [0, 1, -1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -(2**63), np.int64(12)])
def test_manual_seed_any_integer_gives_torchs_words(seed):
    actual, expected = random.Generator(), torch.Generator()
    assert actual.manual_seed(seed) is actual
    expected.manual_seed(int(seed))
    assert actual.initial_seed() == expected.initial_seed()
    words = random.randint(0, 2**20, 2000, generator=actual)
    assert_equal(words, torch.randint(0, 2**20, (2000,), generator=expected))
    assert actual.get_state().tobytes() == expected.get_state().numpy().tobytes()


@pytest.mark.parametrize("seed", [1.5, True, "a", None, 2**64, -(2**63) - 1])
def test_manual_seed_bad_seed_raises_as_torch_and_keeps_the_stream(seed):
    generator = random.Generator().manual_seed(3)
    before = generator.get_state()
    with pytest.raises((RuntimeError, ValueError)) as actual:
        generator.manual_seed(seed)
    with pytest.raises((RuntimeError, ValueError)) as expected:
        torch.Generator().manual_seed(seed)
    assert actual.type is expected.type and str(actual.value) == str(expected.value)
    assert np.array_equal(generator.get_state(), before)


@pytest.mark.parametrize("seed", [-1, 2.7, True, "3"])
def test_module_manual_seed_takes_what_int_takes(seed):
    assert random.manual_seed(seed) is random.default_generator
    assert random.initial_seed() == torch.manual_seed(seed).initial_seed()
    assert_equal(random.rand(5), torch.rand(5))


@pytest.mark.parametrize("seed", ["a", None, 2**64])
def test_module_manual_seed_bad_seed_raises_as_torch(seed):
    with pytest.raises((TypeError, ValueError)) as actual:
        random.manual_seed(seed)
    with pytest.raises((TypeError, ValueError)) as expected:
        torch.manual_seed(seed)
    assert actual.type is expected.type and str(actual.value) == str(expected.value)


def test_generator_unseeded_starts_where_torchs_does():
    actual, expected = random.Generator(), torch.Generator()
    assert actual.initial_seed() == expected.initial_seed()
    assert_equal(random.rand(700, generator=actual), torch.rand(700, generator=expected))


def test_generator_seed_gives_a_fresh_stream_that_can_be_repeated():
    generator = random.Generator()
    first = generator.seed()
    samples = random.rand(5, generator=generator)
    second = generator.seed()
    assert first != second and generator.initial_seed() == second
    assert_equal(random.rand(5, generator=generator.manual_seed(first)), torch.from_numpy(samples))


def test_module_seed_restarts_the_default_generator():
    started = random.seed()
    assert random.initial_seed() == started == random.default_generator.initial_seed()


def test_generator_device_is_the_cpu():
    assert random.Generator("cpu").device == random.Generator().device == "cpu"
    with pytest.raises(RuntimeError, match="expected device cpu, got cuda"):
        random.Generator("cuda")


def test_draw_with_a_generator_leaves_the_default_one_alone():
    random.manual_seed(1)
    before = random.get_state()
    random.normal_(np.empty(17), generator=random.Generator().manual_seed(1))
    assert np.array_equal(random.get_state(), before)


def test_draw_with_no_generator_raises():
    with pytest.raises(TypeError, match="expected a Generator or None for argument 'generator', got int"):
        random.rand(3, generator=5)


def test_import_does_not_load_numpy_random():
    code = "import sys; import npg.random; sys.exit('numpy.random' in sys.modules)"
    assert processes.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_generator_shared_by_threads_gives_each_word_once():
    generator = random.Generator().manual_seed(9)
    words: list[np.ndarray] = []

    def draw() -> None:
        words.extend(random.random_(np.empty(7, np.int32), generator=generator) for _ in range(200))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = random.random_(np.empty((800, 7), np.int32), generator=random.Generator().manual_seed(9))
    assert sorted(map(bytes, words)) == sorted(map(bytes, alone))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("generator", [None, random.Generator()], ids=["default", "own"])
def test_fork_during_another_threads_draw_gives_the_child_whole_streams_that_it_can_draw_from(generator):
    (generator or random.default_generator).manual_seed(9)
    alone = random.rand((8,), generator=random.Generator().manual_seed(9)).tolist()
    begun, results = threading.Event(), []

    def make(g: random.Generator, count: int) -> np.ndarray:
        begun.set()
        time.sleep(0.2)  # the fork falls into this draw
        return _filling.uniform32(g, count)

    def draw() -> None:
        results.extend(_filling.fill(np.empty(4, np.float32), generator or random.default_generator, make).tolist())

    thread = threading.Thread(target=draw)
    thread.start()
    begun.wait()
    child = os.fork()
    if not child:
        try:
            signal.alarm(60)  # a child that waits for a lock for ever is killed
            parent_draws = random.rand((4,), generator=generator).tolist()
            later = random.Generator().manual_seed(1)  # new ones can be made
            os._exit(0 if parent_draws == alone[4:] and random.rand((1,), generator=later).size else 1)
        finally:
            os._exit(2)
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert results == alone[:4] and random.rand((4,), generator=generator).tolist() == alone[4:]


def test_what_ends_a_fork_in_the_parent_runs_no_python_in_which_an_interrupt_would_be_lost():
    generators = [random.Generator() for _ in range(3)]
    handlers, called, drawn = _generator._fork, [], []
    handlers.before()
    sys.setprofile(lambda frame, event, argument: called.append(event) if event == "call" else None)
    try:
        handlers.in_parent()
    finally:
        sys.setprofile(None)
    assert not called
    thread = threading.Thread(target=lambda: drawn.extend(g.seed() for g in generators), daemon=True)
    thread.start()
    thread.join(10)
    assert len(drawn) == 3  # all locks are free


def test_fork_rng_is_torchs_and_leaves_other_threads_alone():
    seed_both(4)
    draws = []
    for lib, draw in ((random, lambda: random.rand((3,)).tolist()), (torch.random, lambda: torch.rand(3).tolist())):
        steps = [draw()]
        for enabled in (True, False):
            with lib.fork_rng(enabled=enabled):
                steps.append(draw())
                lib.manual_seed(8)
                steps += [draw(), lib.initial_seed()]
                with lib.fork_rng():
                    steps.append(draw())
            steps += [draw(), lib.initial_seed()]
        draws.append(steps)
    assert draws[0] == draws[1]
    assert_same_state()
    random.manual_seed(4)
    alone = random.rand((6,)).tolist()
    random.manual_seed(4)
    elsewhere = []
    with random.fork_rng():
        assert random.rand((6,)).tolist() == alone
        thread = threading.Thread(target=lambda: elsewhere.extend(random.rand((3,)).tolist()))
        thread.start()
        thread.join()
    assert elsewhere + random.rand((3,)).tolist() == alone


# ----- States -----


@pytest.mark.parametrize("words", [0, 1, 3, 623, 624, 625, 1248, 2000])
def test_get_state_after_any_number_of_words_equals_torchs(words):
    seed_both(11)
    random.uniform_(np.empty(words, np.float32))
    torch.empty(words).uniform_()
    assert_same_state()


@pytest.mark.parametrize("words", [0, 1, 623, 624, 1000])
@pytest.mark.parametrize("normals", [0, 1, 2, 3])
def test_set_state_from_torch_continues_torchs_stream(words, normals):
    torch.manual_seed(4)
    torch.empty(words).uniform_()
    torch.empty(normals).normal_()
    random.manual_seed(99)
    random.set_state(torch.get_rng_state().numpy())
    assert random.initial_seed() == 4
    assert_same_state()
    for n in (1, 20, 4):
        assert_close(random.randn(n), torch.randn(n))
    assert_same_state()


@pytest.mark.parametrize("normals", [0, 1, 2, 5])
def test_get_state_given_to_torch_continues_our_stream(normals):
    random.manual_seed(21)
    random.randn(normals)
    torch.set_rng_state(torch.from_numpy(random.get_state()))
    for n in (1, 20, 4):
        assert_close(random.randn(n), torch.randn(n))
    assert_same_state()


def test_get_state_is_a_copy():
    generator = random.Generator()
    state = generator.get_state()
    assert state.dtype == np.uint8 and state.shape == (5056,)
    before = state.copy()
    random.rand(3, generator=generator)
    assert np.array_equal(state, before)
    generator.set_state(state)
    state[:] = 0
    assert np.array_equal(generator.get_state(), before)


def changed(offset: int, value: int) -> np.ndarray:
    state = random.Generator().get_state()
    state[offset] = value
    return state


@pytest.mark.parametrize(
    "state",
    [
        np.zeros(5, np.uint8),
        np.zeros(5064, np.uint8),
        np.zeros(5056, np.uint8),
        np.zeros(5056, np.float32),
        [0] * 5056,
        changed(12, 0),  # not seeded
        changed(8, 0),  # left
        changed(9, 255),
        changed(17, 255),  # next
    ],
    ids=str,
)
def test_set_state_bad_state_raises_as_torch_and_changes_nothing(state):
    generator = random.Generator().manual_seed(6)
    random.randn(3, generator=generator)
    before = generator.get_state()
    with pytest.raises((RuntimeError, TypeError)) as actual:
        generator.set_state(state)
    with pytest.raises((RuntimeError, TypeError)) as expected:
        torch.Generator().set_state(torch.from_numpy(state) if isinstance(state, np.ndarray) else state)
    assert actual.type is expected.type and str(actual.value).startswith(str(expected.value).partition("\n")[0])
    assert np.array_equal(generator.get_state(), before)


def test_set_state_inconsistent_place_raises():
    state = random.Generator().get_state()
    state[8] = 200  # left, while next is 0: torch would read 200 words and then skip the others
    with pytest.raises(RuntimeError, match=r"Invalid mt19937 state: .* got seeded=1, left=200, next=0"):
        random.Generator().set_state(state)


@pytest.mark.parametrize(
    "copied", [random.Generator.clone_state, copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))]
)
def test_copy_of_a_generator_continues_the_same_stream_on_its_own(copied):
    generator = random.Generator().manual_seed(8)
    random.randn(5, generator=generator)
    twin = copied(generator)
    assert type(twin) is random.Generator and twin.initial_seed() == 8
    expected = random.randn(9, generator=generator)
    assert np.array_equal(random.randn(9, generator=twin), expected)


def test_copy_of_a_subclass_keeps_its_class():
    class Mine(random.Generator):
        def get_state(self):
            return "another view of it"

    twin = Mine().manual_seed(3).clone_state()
    assert type(twin) is Mine and type(copy.deepcopy(twin)) is Mine


# ----- Fills -----


def exact_cases():
    for name in EXACT_FILLS:
        dtypes = FLOATS if name.startswith("uniform_") else DTYPES
        if name.startswith("random_ "):
            dtypes = [d for d in dtypes if d != "bool" and (d, name) != ("uint8", "random_ from -7")]
        marks = fused if name.startswith("uniform_ ") else ()
        yield from (pytest.param(name, dtype, marks=marks) for dtype in dtypes)


@pytest.mark.parametrize(("name", "dtype"), list(exact_cases()))
def test_fill_exact_kinds_equal_torch_bit_for_bit(name, dtype):
    for size in SIZES:
        for seed in SEEDS:
            assert_equal(*fill_both(EXACT_FILLS[name], size, dtype, seed))
            assert_same_state()


@pytest.mark.parametrize("name", INTEL_FILLS)
@pytest.mark.parametrize("dtype", DTYPES)
@own_stream
def test_bernoulli_number_equals_torch_bit_for_bit(name, dtype):
    for size in SIZES:
        for seed in SEEDS:
            assert_equal(*fill_both(INTEL_FILLS[name], size, dtype, seed))
            assert_same_state()


@pytest.mark.parametrize("name", NORMAL_FILLS)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
@fused
def test_normal_from_16_elements_on_equals_torch_bit_for_bit(name, dtype):
    for size in (*(n for n in SIZES if n >= 16), 32768, 32769, 100_003):
        for seed in SEEDS:
            assert_equal(*fill_both(NORMAL_FILLS[name], size, dtype, seed))
            assert_same_state()


@pytest.mark.parametrize("name", {**NORMAL_FILLS, **CLOSE_FILLS})
@pytest.mark.parametrize("dtype", FLOATS)
def test_fill_kinds_with_functions_agree_with_torch(name, dtype):
    for size in SIZES:
        for seed in SEEDS:
            assert_close(*fill_both({**NORMAL_FILLS, **CLOSE_FILLS}[name], size, dtype, seed))
            assert_same_state()


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("p", [0.3, 0.999, 0.01])
def test_geometric_agrees_with_torch(dtype, p):
    for size in SIZES:
        for seed in SEEDS:
            assert_equal(*fill_both((lambda a: random.geometric_(a, p), lambda t: t.geometric_(p)), size, dtype, seed))
            assert_same_state()


def test_fill_longer_than_a_block_equals_torch():
    for fills in (*EXACT_FILLS.values(), CLOSE_FILLS["log_normal_"], CLOSE_FILLS["exponential_"]):
        assert_close(*fill_both(fills, 70_001, "float64", 3))
        assert_same_state()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("high", [101, 1001, 1000.5])
def test_uniform_never_yields_the_upper_end(dtype, high):
    # Rounding reaches it: in float16 in every 30th draw. PyTorch puts the lower end there.
    actual, expected = np.empty(200_000, dtype), torch.empty(200_000, dtype=torch_dtype(dtype))
    seed_both(3)
    random.uniform_(actual, high - 1, high)
    expected.uniform_(high - 1, high)
    assert_equal(actual, expected)
    assert not np.any(actual == np.dtype(dtype).type(high))


@fused
@pytest.mark.parametrize("bounds", [(-1e300, 7e299), (0, 1.7e308), (1e-310, 1e-300), (-1.0, 1e16), (5.0, 5.0)])
def test_uniform_float64_extreme_bounds_equal_torch(bounds):
    actual, expected = np.empty(1000), torch.empty(1000, dtype=torch.float64)
    seed_both(3)
    assert_equal(random.uniform_(actual, *bounds), expected.uniform_(*bounds))


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_kept_sample_survives_other_draws(dtype):
    seed_both(17)
    for n in (1, 20, 2, 16, 3, 1, 40, 1):
        assert_close(random.randn(n, dtype), torch.randn(n, dtype=torch_dtype(dtype)))
        random.rand(3)
        torch.rand(3)
        assert_same_state()


def test_manual_seed_forgets_the_kept_sample():
    seed_both(17)
    random.randn(1)
    torch.randn(1)
    seed_both(17)
    assert_close(random.randn(2), torch.randn(2))
    assert_same_state()


def test_log_normal_takes_the_sample_that_normal_kept():
    seed_both(17)
    random.randn(1)
    torch.randn(1)
    assert_close(random.log_normal_(np.empty(4)), torch.empty(4, dtype=torch.float64).log_normal_())
    assert_same_state()


def test_fill_too_large_for_the_dtype_becomes_infinite_without_a_warning():
    seed_both(2)
    assert_close(random.normal_(np.empty(40, np.float16), 0, 1e5), torch.empty(40).half().normal_(0, 1e5))
    assert_close(random.normal_(np.empty(4, np.float16), 0, 1e5), torch.empty(4).half().normal_(0, 1e5))
    assert_close(random.log_normal_(np.empty(40, np.float32), 80, 9), torch.empty(40).log_normal_(80, 9))
    assert_close(random.log_normal_(np.empty(40), 700, 99), torch.empty(40).double().log_normal_(700, 99))


# ----- Layouts -----

LAYOUTS = {
    "transposed": lambda x: x.T if isinstance(x, np.ndarray) else x.permute(*reversed(range(x.ndim))),
    "every second": lambda x: x[..., ::2],
    "middle": lambda x: x[:, 1:4],
    "permuted": lambda x: x.transpose(1, 0, 2) if isinstance(x, np.ndarray) else x.permute(1, 0, 2),
    "permuted slice": lambda x: (x.transpose(1, 2, 0) if isinstance(x, np.ndarray) else x.permute(1, 2, 0))[::2],
    "with a 1": lambda x: x[:, None].T if isinstance(x, np.ndarray) else x[:, None].permute(3, 2, 1, 0),
}
LAYOUT_FILLS = {
    **{k: EXACT_FILLS[k] for k in ("uniform_", "random_", "bernoulli_ of float32")},
    "normal_": NORMAL_FILLS["normal_ 1.3 0.7"],
    "exponential_": CLOSE_FILLS["exponential_"],
    "bernoulli_ of a row": (
        lambda a: random.bernoulli_(a, np.linspace(0, 1, a.shape[-1])),
        lambda t: t.bernoulli_(torch.linspace(0, 1, t.shape[-1], dtype=torch.float64)),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", LAYOUT_FILLS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_fill_not_contiguous_goes_in_torchs_order(name, layout, dtype):
    actual, expected = np.zeros((4, 6, 8), dtype), torch.zeros(4, 6, 8, dtype=torch_dtype(dtype))
    seed_both(12)
    LAYOUT_FILLS[name][0](LAYOUTS[layout](actual))
    LAYOUT_FILLS[name][1](LAYOUTS[layout](expected))
    assert_close(actual, expected)  # what lies outside of the view stays 0
    assert_same_state()


def test_fill_reversed_array_goes_in_the_order_of_its_elements():
    in_order = random.uniform_(np.empty(5), generator=random.Generator().manual_seed(1))
    backwards = random.uniform_(np.empty(5)[::-1], generator=random.Generator().manual_seed(1))
    assert np.array_equal(backwards, in_order)


def test_fill_0_dimensional_array():
    seed_both(3)
    assert_equal(random.uniform_(np.empty((), np.float32)), torch.empty(()).uniform_())
    assert_close(random.normal_(np.empty((), np.float32)), torch.empty(()).normal_())
    assert_same_state()


def test_fill_shared_elements_raises_and_draws_nothing():
    random.manual_seed(1)
    before = random.get_state()
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory"):
        random.uniform_(np.lib.stride_tricks.as_strided(np.empty(3), (2, 3), (0, 8)))
    with pytest.raises(RuntimeError, match="expected an array that can be written, got a read-only one"):
        random.uniform_(np.broadcast_to(np.empty(3), (2, 3)))
    assert np.array_equal(random.get_state(), before)


# ----- Integers -----

RANGES = [
    (0, 2),
    (0, 1),
    (-128, 127),
    (0, 2**28 - 1),
    (0, 2**28),
    (-(2**27), 2**27),
    (0, 2**31),
    (-5, 2**32),
    (0, 2**53),
    (-(2**62), 2**62),
    (-(2**63), 2**63 - 1),
    (0, 2**63 - 1),
    (3, None),
    (-9, None),
    (-(2**63), None),
    (2**24 + 1, 2**24 + 3),
    (2**25 + 1, 2**25 + 3),
    (2**25 + 1, 2**25 + 9),
    (-(2**24) - 3, -(2**24) - 1),
    (2**62, None),
    (5, 5),
    (5, 3),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bounds", RANGES, ids=str)
def test_random_range_gives_torchs_numbers_errors_and_warnings(dtype, bounds):
    actual, expected = np.zeros(17, dtype), torch.zeros(17, dtype=torch_dtype(dtype))
    seed_both(7)
    outcomes = []
    for fill in (lambda: random.random_(actual, *bounds), lambda: expected.random_(*bounds)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                fill()
                error = None
            except (RuntimeError, ValueError) as raised:
                error = (type(raised), str(raised).partition("\n")[0])
        outcomes.append((error, [str(w.message).partition(" (Triggered")[0] for w in caught]))
    (our_error, our_warnings), (their_error, their_warnings) = outcomes
    assert our_error == their_error
    assert their_warnings in (our_warnings, [])  # PyTorch warns of each only once
    assert_equal(actual, expected)
    assert_same_state()


@pytest.mark.parametrize("bad", [1.5, True, 2**63])
def test_random_bound_that_is_no_integer_raises(bad):
    with pytest.raises((TypeError, ValueError)):
        random.random_(np.empty(3), 0, bad)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32", "float16"])
def test_randint_equals_torch(dtype):
    seed_both(0)
    assert_equal(random.randint(3, 90, (5, 7), dtype), torch.randint(3, 90, (5, 7), dtype=torch_dtype(dtype)))
    assert_same_state()


@pytest.mark.parametrize("size", [*SIZES, 127, 128, 255, 256, 257, 258, 40_000, 100_000])
def test_randperm_equals_torch(size):
    for seed in SEEDS:
        seed_both(seed)
        assert_equal(random.randperm(size), torch.randperm(size))
        assert_same_state()


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", *FLOATS])
def test_randperm_dtypes_equal_torch(dtype):
    seed_both(4)
    assert_equal(random.randperm(128, dtype), torch.randperm(128, dtype=torch_dtype(dtype)))


@pytest.mark.parametrize(
    ("size", "dtype"),
    [
        (-1, "int64"),
        (129, "int8"),
        (257, "uint8"),
        (2050, "float16"),
        (2**24 + 2, "float32"),
        (5, "bool"),
        (2**15 + 1, "int16"),
    ],
)
def test_randperm_bad_size_raises_as_torch_and_draws_nothing(size, dtype):
    seed_both(1)
    with pytest.raises(RuntimeError) as actual:
        random.randperm(size, dtype)
    with pytest.raises(RuntimeError) as expected:
        torch.randperm(size, dtype=torch_dtype(dtype))
    assert actual.type is expected.type and str(actual.value) == str(expected.value).partition("\n")[0]
    assert_same_state()


def test_randperm_long_form_takes_two_words_each(monkeypatch):
    # torch.randperm does so from 2**32 / 20 on, too many numbers for a test.
    monkeypatch.setattr("npg.random._integers._LONG_PERMUTATION", 4)
    permutation = random.randperm(9, generator=random.Generator().manual_seed(5))
    words = random.randint(-(2**63), None, 8, generator=random.Generator().manual_seed(5)).view(np.uint64).tolist()
    expected = list(range(9))
    for i, word in enumerate(words):
        j = i + word % (9 - i)
        expected[i], expected[j] = expected[j], expected[i]
    assert permutation.tolist() == expected


# ----- Bernoulli trials and dropout -----


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_of_an_array_equals_torch(dtype):
    p = np.linspace(0, 1, 5000).astype(dtype).reshape(50, 100)
    seed_both(1)
    assert_equal(random.bernoulli(p), torch.bernoulli(torch.from_numpy(p)))
    assert_equal(random.bernoulli(p.T), torch.bernoulli(torch.from_numpy(p).T))
    assert_equal(random.bernoulli(p[:, ::2]), torch.bernoulli(torch.from_numpy(p)[:, ::2]))
    assert_same_state()


def test_bernoulli_tie_of_the_first_word_is_decided_by_the_second():
    # p has the upper 21 bits of the first draw, so that the lower 32 decide; and a draw is not less than itself.
    words = random.randint(-(2**63), None, 1, generator=random.Generator().manual_seed(3)).view(np.uint64)
    first = int(words[0]) % 2**53
    for number, expected in ((first, 0), (first + 1, 1), (first - 1, 0)):
        out = random.bernoulli_(np.empty(1), number * 2.0**-53, random.Generator().manual_seed(3))
        assert out[0] == expected


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 1e-9])
@pytest.mark.parametrize("dtype", FLOATS)
@own_stream
def test_dropout_mask_times_the_array_equals_torchs_dropout(p, dtype):
    for size in SIZES[1:]:
        x = (np.arange(size) % 100 - 3.3).astype(dtype)
        seed_both(size)
        assert_equal(x * random.dropout_mask(x, p), torch.nn.functional.dropout(torch.from_numpy(x), p))
        assert_same_state()


EXPANDED = {
    "transposed": lambda x: x.permute(2, 1, 0),
    "permuted": lambda x: x.permute(1, 0, 2),
    "every second": lambda x: x[:, :, ::2],
    "permuted slice": lambda x: x.permute(1, 2, 0)[::2],
    "rows": lambda x: x[:1].expand(4, 6, 8),
    "columns": lambda x: x[:, :, :1].expand(4, 6, 8),
    "columns transposed": lambda x: x[:, :, :1].expand(4, 6, 8).permute(2, 0, 1),
    "both": lambda x: x[:1, :, :1].expand(4, 6, 8).permute(1, 2, 0),
    "one": lambda x: x[:1, :1, :1].expand(4, 6, 8),
    "with ones": lambda x: x[:, None, :1].permute(3, 1, 2, 0),
}


@pytest.mark.parametrize("layout", EXPANDED)
@own_stream
def test_dropout_mask_layout_goes_in_torchs_order(layout):
    expected = EXPANDED[layout](torch.ones(4, 6, 8))
    actual = np.lib.stride_tricks.as_strided(
        np.ones((4, 6, 8), np.float32), expected.shape, [4 * s for s in expected.stride()], writeable=False
    )
    mask = random.empty_like(actual)
    assert [s // 4 for n, s in zip(mask.shape, mask.strides, strict=True) if n > 1] == [
        s for n, s in zip(expected.shape, torch.empty_like(expected).stride(), strict=True) if n > 1
    ]
    seed_both(2)
    assert_equal(random.dropout_mask(actual, 0.5), torch.nn.functional.dropout(expected, 0.5))
    assert_same_state()


def test_dropout_mask_certain_cases_draw_nothing():
    seed_both(1)
    assert random.dropout_mask(np.ones(3, np.float32), 0.0).tolist() == [1, 1, 1]
    assert random.dropout_mask(np.ones(3, np.float32), 1.0).tolist() == [0, 0, 0]
    assert random.dropout_mask(np.ones(0), 0.5).shape == (0,)
    assert_same_state()


# ----- Means and deviations of their own -----


@pytest.mark.parametrize(
    "dtypes", [("float32", "float32"), ("float64", "float32"), ("float32", "float64"), ("float16", "float16")]
)
@pytest.mark.parametrize(
    "shapes", [((5,), (5,)), ((40,), (40,)), ((4, 1), (5,)), ((), (3, 7)), ((20, 3), ()), ((0,), (0,))]
)
def test_normal_of_arrays_agrees_with_torch(dtypes, shapes):
    source = np.random.default_rng(0)
    mean = np.asarray(source.normal(size=shapes[0])).astype(dtypes[0])
    std = np.asarray(source.uniform(0.5, 2, size=shapes[1])).astype(dtypes[1])
    seed_both(6)
    assert_close(random.normal(mean, std), torch.normal(torch.from_numpy(mean), torch.from_numpy(std)))
    assert_same_state()


def test_normal_of_an_array_and_a_number_agrees_with_torch():
    x = np.linspace(0, 3, 33)
    seed_both(6)
    assert_close(random.normal(x, 0.5), torch.normal(torch.from_numpy(x), 0.5))
    assert_close(random.normal(0.5, x), torch.normal(0.5, torch.from_numpy(x)))
    assert_close(random.normal(x[:3]), torch.normal(torch.from_numpy(x[:3])))
    assert_close(
        random.normal(x.astype("f"), np.arange(33)), torch.normal(torch.from_numpy(x).float(), torch.arange(33))
    )
    assert_same_state()


def test_normal_of_numbers_raises():
    with pytest.raises(TypeError, match="expected an array for mean or std, got two numbers"):
        random.normal(0.0, 1.0)


# ----- Counts -----


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [0, 1, 5, 33, 1000])
def test_poisson_agrees_with_torch(dtype, size):
    rate = np.abs(np.random.default_rng(3).normal(size=size) * 12).astype(dtype)
    rate[::7] = 0
    for seed in SEEDS:
        seed_both(seed)
        assert_equal(random.poisson(rate), torch.poisson(torch.from_numpy(rate)))
        assert_same_state()


def test_poisson_large_rates_and_layouts_agree_with_torch():
    rate = np.geomspace(0.01, 1e9, 60).reshape(6, 10)
    seed_both(1)
    assert_equal(random.poisson(rate.T), torch.poisson(torch.from_numpy(rate).T))
    assert_same_state()


@pytest.mark.parametrize("rate", [-1.0, np.nan, np.inf])
def test_poisson_bad_rate_raises_and_draws_nothing(rate):
    seed_both(1)
    with pytest.raises(RuntimeError, match="invalid Poisson rate, expected rate to be "):
        random.poisson(np.array([1.0, rate]))
    assert_same_state()


# ----- Multinomial -----


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("shape", [(1,), (7,), (65,), (1000,), (3, 7), (12, 65), (300, 4)])
def test_multinomial_equals_torch(dtype, replacement, shape):
    weights = np.random.default_rng(1).uniform(0.1, 1, shape).astype(dtype)
    weights[..., 1::5] = 0
    positive = np.count_nonzero(weights, -1).min()
    for count in sorted({1, 2, 5, 40, 500}):
        if not replacement and (count > positive or (dtype == "float16" and count > 5)):
            continue  # the order among equal ones is open
        seed_both(count)
        expected = torch.multinomial(torch.from_numpy(weights), count, replacement)
        assert_equal(random.multinomial(weights, count, replacement), expected)
        assert_same_state()


def test_multinomial_transposed_weights_equal_torch():
    weights = np.random.default_rng(1).uniform(0.1, 1, (9, 20))
    for count, replacement in ((1, False), (4, False), (9, True)):
        seed_both(count)
        expected = torch.multinomial(torch.from_numpy(weights).T, count, replacement)
        assert_equal(random.multinomial(weights.T, count, replacement), expected)
        assert_same_state()


def test_multinomial_all_categories_is_a_permutation_in_torchs_order():
    weights = np.random.default_rng(1).uniform(0.1, 1, 50)
    seed_both(1)
    samples = random.multinomial(weights, 50)
    assert_equal(samples, torch.multinomial(torch.from_numpy(weights), 50))
    assert sorted(samples.tolist()) == list(range(50))


def test_multinomial_more_samples_than_weights_takes_the_others_last():
    weights = np.array([0, 0, 1.0, 0, 2, 0, 0, 3])
    samples = random.multinomial(weights, 6, generator=random.Generator().manual_seed(1))
    assert sorted(samples[:3].tolist()) == [2, 4, 7] and len(set(samples.tolist())) == 6


def test_multinomial_no_rows_gives_no_rows():
    assert random.multinomial(np.ones((0, 3)), 2).shape == (0, 2)


BAD_WEIGHTS = {
    "0-d": (np.array(1.0), 1, False),
    "3-d": (np.ones((1, 1, 1)), 1, False),
    "integer": (np.ones(3, np.int64), 1, False),
    "no sample": (np.ones(3), 0, False),
    "negative count": (np.ones(3), -2, True),
    "too many": (np.ones(3), 4, False),
    "infinite": (np.array([1, np.inf]), 1, False),
    "nan": (np.array([1, np.nan]), 2, False),
    "negative": (np.array([1, -1.0]), 1, True),
    "zero": (np.zeros(2), 1, False),
    "a zero row": (np.array([[1.0, 1], [0, 0]]), 1, False),
    "infinite, replaced": (np.array([1, np.inf]), 2, True),
    "nan, replaced": (np.array([1, np.nan]), 2, True),
    "negative, replaced": (np.array([1, -1.0]), 2, True),
    "zero, replaced": (np.zeros(2), 2, True),
    "no category": (np.ones(0), 1, True),
    "no category, replaced": (np.ones((2, 0)), 2, True),
    "empty": (np.ones(0), 1, False),
}


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_multinomial_bad_weights_raise_as_torch_and_draw_nothing(case):
    weights, count, replacement = BAD_WEIGHTS[case]
    seed_both(1)
    with pytest.raises(RuntimeError) as actual:
        random.multinomial(weights, count, replacement)
    with pytest.raises(RuntimeError) as expected:
        torch.multinomial(torch.from_numpy(weights), count, replacement)
    assert str(actual.value) == str(expected.value).partition("\n")[0]
    assert_same_state()


# ----- Refusals -----

REFUSED = {
    "uniform_ reversed": (lambda a: random.uniform_(a, 2, 1), lambda t: t.uniform_(2, 1)),
    "uniform_ infinite": (lambda a: random.uniform_(a, -np.inf, 1), lambda t: t.uniform_(-np.inf, 1)),
    "uniform_ nan": (lambda a: random.uniform_(a, 0, np.nan), lambda t: t.uniform_(0, np.nan)),
    "uniform_ wide": (lambda a: random.uniform_(a, -6e4, 6e4), lambda t: t.uniform_(-6e4, 6e4)),
    "uniform_ huge": (lambda a: random.uniform_(a, -1e308, 1e308), lambda t: t.uniform_(-1e308, 1e308)),
    "normal_ negative": (lambda a: random.normal_(a, 0, -1.5), lambda t: t.normal_(0, -1.5)),
    "normal_ nan": (lambda a: random.normal_(a, 0, np.nan), lambda t: t.normal_(0, np.nan)),
    "log_normal_ 0": (lambda a: random.log_normal_(a, 1, 0), lambda t: t.log_normal_(1, 0)),
    "exponential_ 0": (lambda a: random.exponential_(a, 0), lambda t: t.exponential_(0)),
    "exponential_ nan": (lambda a: random.exponential_(a, np.nan), lambda t: t.exponential_(np.nan)),
    "cauchy_ 0": (lambda a: random.cauchy_(a, 0, 0), lambda t: t.cauchy_(0, 0)),
    "geometric_ 0": (lambda a: random.geometric_(a, 0), lambda t: t.geometric_(0)),
    "geometric_ 1": (lambda a: random.geometric_(a, 1), lambda t: t.geometric_(1)),
    "bernoulli_ 1.5": (lambda a: random.bernoulli_(a, 1.5), lambda t: t.bernoulli_(1.5)),
    "bernoulli_ nan": (lambda a: random.bernoulli_(a, np.nan), lambda t: t.bernoulli_(np.nan)),
    "bernoulli_ of 2": (
        lambda a: random.bernoulli_(a, np.array([2.0, 0, 0])),
        lambda t: t.bernoulli_(torch.tensor([2.0, 0, 0])),
    ),
    "bernoulli_ of integers": (
        lambda a: random.bernoulli_(a, np.array([1, 0, 0])),
        lambda t: t.bernoulli_(torch.tensor([1, 0, 0])),
    ),
    "bernoulli_ of two": (
        lambda a: random.bernoulli_(a, np.array([0.5, 0.5])),
        lambda t: t.bernoulli_(torch.tensor([0.5, 0.5])),
    ),
    "bernoulli_ of a matrix": (
        lambda a: random.bernoulli_(a, np.ones((1, 3), np.float32)),
        lambda t: t.bernoulli_(torch.ones(1, 3)),
    ),
    **{f"{name} of integers": fills for name, fills in CLOSE_FILLS.items()},
    "uniform_ of integers": EXACT_FILLS["uniform_"],
    "normal_ of integers": NORMAL_FILLS["normal_"],
    "geometric_ of bools": (lambda a: random.geometric_(a, 0.5), lambda t: t.geometric_(0.5)),
    "poisson of integers": (lambda a: random.poisson(a), lambda t: torch.poisson(t)),
    "dropout 1.1": (lambda a: random.dropout_mask(a, 1.1), lambda t: torch.dropout(t, 1.1, True)),
    "dropout nan": (lambda a: random.dropout_mask(a, np.nan), lambda t: torch.dropout(t, np.nan, True)),
    "dropout of integers": (lambda a: random.dropout_mask(a, 0.5), lambda t: torch.dropout(t, 0.5, True)),
    "normal of negative": (
        lambda a: random.normal(a, -np.ones(3, np.float32)),
        lambda t: torch.normal(t, -torch.ones(3)),
    ),
    "normal of unlike": (
        lambda a: random.normal(a, np.ones(2, np.float32)),
        lambda t: torch.normal(t, torch.ones(2)),
    ),
}
ONLY_FLOAT16 = ("uniform_ wide", "uniform_ huge")


@pytest.mark.parametrize("name", REFUSED)
def test_bad_argument_raises_as_torch_and_changes_nothing(name):
    dtype = "float16" if name in ONLY_FLOAT16 else "float32"
    if name.endswith("of integers") and name != "bernoulli_ of integers":
        dtype = "int64"
    if name.endswith("of bools"):
        dtype = "bool"
    actual, expected = np.zeros(3, dtype), torch.zeros(3, dtype=torch_dtype(dtype))
    seed_both(1)
    before = random.get_state()
    with pytest.raises(RuntimeError) as our_error:
        REFUSED[name][0](actual)
    with pytest.raises(RuntimeError) as their_error:
        REFUSED[name][1](expected)
    assert our_error.type is their_error.type
    assert str(our_error.value) == str(their_error.value).partition("\n")[0]
    assert np.array_equal(random.get_state(), before) and not actual.any()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_continuous_fill_of_integers_names_the_dtype_as_torch(dtype):
    for name in ("exponential_", "cauchy_", "log_normal_"):
        with pytest.raises(RuntimeError) as actual:
            CLOSE_FILLS[name][0](np.zeros(3, dtype))
        with pytest.raises(RuntimeError) as expected:
            CLOSE_FILLS[name][1](torch.zeros(3, dtype=torch_dtype(dtype)))
        assert str(actual.value) == str(expected.value).partition("\n")[0]


def test_fill_of_a_list_raises():
    with pytest.raises(TypeError, match="expected an ndarray to fill, got list"):
        random.uniform_([1.0])


# ----- Interleaved draws -----

PLAYED = {
    **EXACT_FILLS,
    **NORMAL_FILLS,
    **CLOSE_FILLS,
    **({} if draws_bernoulli_from_mkl() else INTEL_FILLS),
}
CALLS = {
    "randperm": (lambda n: random.randperm(n), lambda n: torch.randperm(n)),
    "randint": (lambda n: random.randint(0, 2**40, n), lambda n: torch.randint(0, 2**40, (n,))),
    "multinomial": (
        lambda n: random.multinomial(np.arange(1.0, n + 2), 1),
        lambda n: torch.multinomial(torch.arange(1.0, n + 2, dtype=torch.float64), 1),
    ),
    "poisson": (lambda n: random.poisson(np.full(n, 11.5)), lambda n: torch.poisson(torch.full((n,), 11.5).double())),
}
steps = st.one_of(
    st.tuples(
        st.sampled_from([name for name in PLAYED if name != "random_ from -7"]),
        st.sampled_from(FLOATS),
        st.one_of(st.integers(0, 40), st.integers(600, 1300)),
    ),
    st.tuples(st.sampled_from(list(CALLS)), st.just("int64"), st.integers(0, 40)),
)


@given(seed=st.integers(-(2**63), 2**64 - 1), played=st.lists(steps, max_size=12))
def test_any_sequence_of_draws_stays_in_step_with_torch(seed, played):
    seed_both(seed)
    for name, dtype, size in played:
        if name in PLAYED:
            actual = PLAYED[name][0](np.empty(size, dtype))
            expected = PLAYED[name][1](torch.empty(size, dtype=torch_dtype(dtype)))
        else:
            actual, expected = CALLS[name][0](size), CALLS[name][1](size)
        if actual.dtype.kind == "f":
            assert_close(actual, expected)
        else:
            assert_equal(actual, expected)
    assert_same_state()


@given(st.integers(2, 600), st.integers(0, 2**32 - 1))
def test_randperm_both_ways_of_swapping_agree(size, seed):
    from npg.random import _integers

    generator = random.Generator().manual_seed(seed)
    targets = np.array([i + int(random.randint(0, size - i, (), generator=generator)) for i in range(size - 1)])
    assert np.array_equal(_integers._outcome_of_swaps(targets, size), _integers._swap_in_turn(targets, size))
