"""Datasets: what torch's classes return and refuse."""

import copy
import pickle
import types

import pytest
from hypothesis import given, strategies as st

import npg
import npg.utils.data as data
from tests.utils.data.programs import same


class Numbers(data.Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return i * 10


def tensors(lib):
    return lib.arange(12.0).reshape(6, 2), lib.arange(6)


def together(lib, count=None):
    """A dataset that reads many samples at once, and says so in them."""

    class Together(lib.utils.data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            return ("one", i)

        def __getitems__(self, indices):
            return [("many", i) for i in indices][:count]

    return Together()


@pytest.mark.parametrize(
    "program",
    [
        lambda lib, d: [d.TensorDataset(*tensors(lib))[i] for i in (0, -1, 5)],
        lambda lib, d: d.TensorDataset(*tensors(lib))[6],
        lambda lib, d: d.TensorDataset(*tensors(lib))[2:4],
        lambda lib, d: d.TensorDataset(*tensors(lib))[[1, 3]],
        lambda lib, d: len(d.TensorDataset(*tensors(lib))),
        lambda lib, d: d.TensorDataset(lib.ones(2), lib.ones(3)),
        lambda lib, d: len(d.TensorDataset()),
        lambda lib, d: d.TensorDataset()[0],
        lambda lib, d: d.Dataset()[0],
        lambda lib, d: [d.StackDataset(*tensors(lib))[1], len(d.StackDataset(*tensors(lib)))],
        lambda lib, d: d.StackDataset(a=[1, 2], b="xy")[1],
        lambda lib, d: d.StackDataset(a=[1, 2], b=together(lib)),
        lambda lib, d: d.StackDataset([1, 2, 3, 4, 5, 6], together(lib)).__getitems__([0, 3]),
        lambda lib, d: d.StackDataset(a=[1, 2, 3, 4, 5, 6], b=together(lib)).__getitems__([0, 3]),
        lambda lib, d: d.StackDataset([1, 2, 3, 4, 5, 6], together(lib, 1)).__getitems__([0, 3]),
        lambda lib, d: d.StackDataset(a=together(lib, 1)).__getitems__([0, 3]),
        lambda lib, d: d.StackDataset([1], [1, 2]),
        lambda lib, d: d.StackDataset(a=[1], b=[1, 2]),
        lambda lib, d: d.StackDataset([1], b=[1]),
        lambda lib, d: d.StackDataset(),
        lambda lib, d: [d.ConcatDataset([[1, 2], [], [3]])[i] for i in (0, 1, 2, -1, -3)],
        lambda lib, d: d.ConcatDataset([[1, 2], [3]])[-4],
        lambda lib, d: d.ConcatDataset([[1, 2], [3]])[3],
        lambda lib, d: d.ConcatDataset([]),
        lambda lib, d: d.ConcatDataset([[1], d.IterableDataset()]),
        lambda lib, d: d.ConcatDataset([[1, 2], [3]]).cummulative_sizes,
        lambda lib, d: d.ConcatDataset.cumsum([[1, 2], "abc"]),
        lambda lib, d: d.Subset([5, 6, 7], [2, 0])[0],
        lambda lib, d: d.Subset([5, 6, 7], [2, 0])[2],
        lambda lib, d: d.Subset(d.TensorDataset(*tensors(lib)), [2, 0])[[1, 0]],
        lambda lib, d: d.Subset(together(lib), [2, 0]).__getitems__([1, 0]),
        lambda lib, d: d.Subset([5, 6, 7], [2, 0]).__getitems__([1, 0]),
        lambda lib, d: type("Own", (d.Subset,), {"__getitem__": lambda self, i: 1})([1], [0]),
        lambda lib, d: len(type("Own", (d.Subset,), {"__getitem__": 1, "__getitems__": 1})([1, 2], [0, 1])),
        lambda lib, d: list(d.ChainDataset([[1]])),
        lambda lib, d: len(d.ChainDataset([[1]])),
        lambda lib, d: len(d.ChainDataset([])),
        lambda lib, d: len(d.IterableDataset()),
    ],
)
def test_same_as_torch(program):
    same(lambda lib: program(lib, lib.utils.data))


def test_sums_of_datasets():
    def program(lib):
        d = lib.utils.data

        class Stream(d.IterableDataset):
            def __iter__(self):
                return iter([1, 2])

            def __len__(self):
                return 2

        maps, streams = d.TensorDataset(*tensors(lib)) + d.Subset([7], [0]), Stream() + Stream()
        return [type(maps).__name__, len(maps), maps[6], type(streams).__name__, list(streams), len(streams)]

    same(program)


@given(n=st.integers(0, 40), cuts=st.lists(st.integers(0, 12), max_size=5), own=st.booleans())
def test_random_split_by_lengths(n, cuts, own):
    lengths = [*cuts, n - sum(cuts)] if sum(cuts) <= n else cuts

    def program(lib):
        lib.manual_seed(4)
        settings = {"generator": lib.Generator().manual_seed(7)} if own else {}
        parts = lib.utils.data.random_split(range(n), lengths, **settings)
        return [[list(part.indices), [part[i] for i in range(len(part))]] for part in parts] + [lib.rand(1)]

    same(program)


@given(n=st.integers(0, 40), weights=st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(sum))
def test_random_split_by_fractions(n, weights):
    fractions = [w / sum(weights) for w in weights]

    def program(lib):
        lib.manual_seed(n)
        return [list(part.indices) for part in lib.utils.data.random_split(range(n), fractions)]

    same(program)


@pytest.mark.parametrize("lengths", [[0.5, 0.4], [1.5, -0.5], [2, 2], [-1, 6], [1.0], [0.999999999999]])
def test_random_split_edges(lengths):
    same(lambda lib: [len(part) for part in lib.utils.data.random_split(range(5), lengths)])


@pytest.mark.parametrize(
    "make",
    [
        lambda: data.TensorDataset(npg.arange(4.0), npg.arange(4)),
        lambda: data.Subset(Numbers(5), [3, 1]),
        lambda: data.ConcatDataset([Numbers(2), Numbers(3)]),
        lambda: data.StackDataset(a=Numbers(2), b=Numbers(2)),
    ],
)
def test_pickle_and_copy(make):
    dataset = make()
    for twin in (pickle.loads(pickle.dumps(dataset)), copy.deepcopy(dataset), copy.copy(dataset)):
        assert type(twin) is type(dataset) and len(twin) == len(dataset) and repr(twin[1]) == repr(dataset[1])


def test_classes_are_generic():
    assert data.Dataset[int] and data.DataLoader[int] and data.Subset[int] and data.Sampler[int]
    assert types.new_class("Own", (data.Dataset[int],)).__mro__[1] is data.Dataset
