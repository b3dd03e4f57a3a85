"""Samplers: PyTorch's orders, seed for seed."""

import copy
import pickle

import pytest
from hypothesis import given, settings, strategies as st

import npg
import npg.utils.data as data
from tests.utils.data.programs import same

SIZES = st.integers(1, 70)


def orders(lib, make, seed, own):
    """Return two passes over a sampler, and the next draws of both generators."""
    lib.manual_seed(seed)
    generator = lib.Generator().manual_seed(seed + 1) if own else None
    sampler = make(lib.utils.data, generator)
    passes = [list(sampler), list(sampler), len(sampler)]
    return [passes, lib.rand(2), lib.rand(2, generator=generator)]


@settings(deadline=None)
@given(n=SIZES, count=st.none() | st.integers(1, 150), replacement=st.booleans(), seed=SIZES, own=st.booleans())
def test_random_sampler(n, count, replacement, seed, own):
    same(lambda lib: orders(lib, lambda d, g: d.RandomSampler(range(n), replacement, count, g), seed, own))


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("n", [1, 2, 31, 1000])
def test_subset_random_sampler(n, own):
    same(lambda lib: orders(lib, lambda d, g: d.SubsetRandomSampler(range(5, n + 5), g), 3, own))


@settings(deadline=None)
@given(n=SIZES, count=st.integers(1, 40), replacement=st.booleans(), own=st.booleans())
def test_weighted_random_sampler(n, count, replacement, own):
    # Of weights 0, which are equally improbable, npg may take others when all else is taken.
    weights = [(i % 7 + (not replacement)) / 4 for i in range(n)]
    same(lambda lib: orders(lib, lambda d, g: d.WeightedRandomSampler(weights, count, replacement, g), 5, own))


@settings(deadline=None)
@given(n=st.integers(0, 40), size=st.integers(1, 45), drop_last=st.booleans())
def test_batch_sampler(n, size, drop_last):
    def program(lib):
        sampler = lib.utils.data.BatchSampler(lib.utils.data.SequentialSampler(range(n)), size, drop_last)
        return [list(sampler), list(sampler), len(sampler), list(lib.utils.data.BatchSampler(iter("abcde"), 2, True))]

    same(program)


def test_batch_sampler_asks_for_no_more_than_a_batch():
    def program(lib):
        taken = []

        def source():
            for i in range(10):
                taken.append(i)
                yield i

        batches = iter(lib.utils.data.BatchSampler(source(), 3, False))
        return [next(batches), list(taken)]

    same(program)


@settings(deadline=None)
@given(
    n=st.integers(0, 30),
    replicas=st.integers(1, 9),
    shuffle=st.booleans(),
    seed=st.integers(0, 3),
    epoch=st.integers(0, 3),
    drop_last=st.booleans(),
)
def test_distributed_sampler(n, replicas, shuffle, seed, epoch, drop_last):
    def program(lib):
        samplers = [
            lib.utils.data.DistributedSampler(range(n), replicas, rank, shuffle, seed, drop_last)
            for rank in range(replicas)
        ]
        for sampler in samplers:
            sampler.set_epoch(epoch)
        return [(list(sampler), len(sampler), sampler.total_size) for sampler in samplers]

    same(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda d: d.RandomSampler([]),
        lambda d: d.RandomSampler([1], "yes"),
        lambda d: d.RandomSampler([1], True, 0),
        lambda d: d.RandomSampler([1], True, 2.0),
        lambda d: d.WeightedRandomSampler([1.0], True),
        lambda d: d.WeightedRandomSampler([1.0], 0),
        lambda d: d.WeightedRandomSampler([1.0], 1, 1),
        lambda d: d.WeightedRandomSampler([[1.0]], 1),
        lambda d: d.BatchSampler([1], 0, False),
        lambda d: d.BatchSampler([1], True, False),
        lambda d: d.BatchSampler([1], 2, 1),
        lambda d: d.DistributedSampler([1], 2, 2),
        lambda d: d.DistributedSampler([1], 2, -1),
        lambda d: iter(d.Sampler()),
    ],
)
def test_bad_arguments(program):
    assert same(lambda lib: program(lib.utils.data))[0] == "raised"


def test_distributed_sampler_without_a_group(monkeypatch):
    monkeypatch.setattr(npg.distributed, "is_available", lambda: True)
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        data.DistributedSampler([1])
    monkeypatch.setattr(npg.distributed, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="Requires distributed package to be available"):
        data.DistributedSampler([1])


def test_length_follows_the_data():
    source = [1, 2]
    sampler = data.RandomSampler(source)
    source.append(3)
    assert len(sampler) == 3 and sorted(sampler) == [0, 1, 2]


def test_pickle_and_copy_continue_the_stream():
    sampler = data.RandomSampler(range(20), generator=npg.Generator().manual_seed(3))
    twin, other = pickle.loads(pickle.dumps(sampler)), copy.deepcopy(sampler)
    assert list(sampler) == list(twin) == list(other)


def test_a_sampler_without_length_has_none():
    class Own(data.Sampler[int]):
        def __iter__(self):
            return iter([3])

    assert list(Own()) == [3] and not hasattr(Own(), "__len__")
    with pytest.raises(TypeError, match="has no len"):
        len(data.BatchSampler(Own(), 1, False))
