"""DataLoader without workers: torch's batches, draws, warnings and refusals."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import npg
import npg.utils.data as data
from tests.utils.data.programs import same


def stream_of(lib, n, length=None):
    class Stream(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(n))

        def __repr__(self):
            return "a stream"

        if length is not None:

            def __len__(self):
                return length

    return Stream()


def squares_of(lib, n):
    class Squares(lib.utils.data.Dataset):
        def __len__(self):
            return n

        def __getitem__(self, i):
            return {"i": i, "square": lib.tensor(i * i), "noise": lib.rand(2), "array": np.full(2, i)}

    return Squares()


def rows_of(lib, n):
    return lib.utils.data.TensorDataset(lib.arange(3.0 * n).reshape(n, 3), lib.arange(n))


# ----- The same batches and draws -----


@settings(deadline=None)
@given(
    kind=st.sampled_from([squares_of, rows_of, stream_of]),
    n=st.integers(1, 23),
    batch_size=st.none() | st.integers(1, 25),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    own=st.booleans(),
    passes=st.integers(1, 3),
)
def test_batches_and_draws(kind, n, batch_size, shuffle, drop_last, own, passes):
    def program(lib):
        lib.manual_seed(n)
        generator = lib.Generator().manual_seed(9) if own else None
        loader = lib.utils.data.DataLoader(kind(lib, n), batch_size, shuffle, drop_last=drop_last, generator=generator)
        batches = [list(loader) for _ in range(passes)]
        return [batches, lib.rand(2), lib.rand(2, generator=generator), None if kind is stream_of else len(loader)]

    same(program)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {"sampler": [3, 1, 1]},
        {"batch_sampler": [[0, 1], [], [2]]},
        {"batch_sampler": [[0, 1], [2]]},
        {"batch_sampler": [(0, 1), range(2, 4)]},
        {"batch_size": None, "sampler": [2, 0]},
        {"sampler": [0, 7]},
        {"sampler": [0, -1, -6]},
        {"sampler": [0, -7]},
        {"sampler": [True, False]},
        {"sampler": [np.int64(2), np.int32(1)]},
        {"sampler": [0, 1.5]},
        {"sampler": [None]},
        {"sampler": ()},
        {"collate_fn": str},
        {"collate_fn": tuple, "batch_size": 3},
        {"batch_size": None, "collate_fn": str},
        {"shuffle": 1},
        {"shuffle": None},
    ],
)
def test_indices(settings, own):
    def program(lib):
        lib.manual_seed(1)
        dataset = rows_of(lib, 6) if own else squares_of(lib, 6)
        loader = lib.utils.data.DataLoader(dataset, **settings)
        return [list(loader), lib.rand(1)]

    same(program)


def test_indices_that_are_tensors():
    def program(lib):
        sampler = lib.utils.data.BatchSampler(lib.tensor([3, 0, 2]), 2, False)
        return list(lib.utils.data.DataLoader(rows_of(lib, 6), batch_sampler=sampler))

    same(program)


@pytest.mark.parametrize(
    "make",
    [
        lambda lib, d: rows_of(lib, 6),
        lambda lib, d: d.TensorDataset(lib.arange(6)),
        lambda lib, d: d.TensorDataset(lib.arange(12).reshape(6, 2).t()),
        lambda lib, d: d.TensorDataset(lib.arange(6) > 2, lib.arange(6.0).half()),
        lambda lib, d: d.TensorDataset(lib.ones(6, 0)),
        lambda lib, d: d.TensorDataset(lib.ones(6, 2, requires_grad=True)),
        lambda lib, d: d.TensorDataset(lib.nn.Parameter(lib.ones(6, 2)), lib.ones(6)),
        lambda lib, d: d.TensorDataset(),
        lambda lib, d: d.Subset(rows_of(lib, 9), [1, 3, 5, 7]),
        lambda lib, d: d.Subset(rows_of(lib, 9), lib.tensor([1, 3, 5])),
        lambda lib, d: d.Subset(rows_of(lib, 9), np.array([1, 3, 5])),
        lambda lib, d: d.Subset(rows_of(lib, 9), {0: 1, 1: 2, 2: 8}),
        lambda lib, d: d.Subset(rows_of(lib, 9), [1, 30]),
        lambda lib, d: d.Subset(d.Subset(rows_of(lib, 9), [1, 3, 5, 7]), [-1, 0]),
        lambda lib, d: d.random_split(rows_of(lib, 9), [4, 5], lib.Generator().manual_seed(2))[1],
        lambda lib, d: d.ConcatDataset([rows_of(lib, 2), rows_of(lib, 3)]),
        lambda lib, d: d.StackDataset(a=rows_of(lib, 3), b=squares_of(lib, 3)),
        lambda lib, d: d.ChainDataset([stream_of(lib, 3), stream_of(lib, 2)]),
        lambda lib, d: "abcde",
        lambda lib, d: np.arange(12.0).reshape(6, 2),
        lambda lib, d: lib.arange(12.0).reshape(6, 2),
        lambda lib, d: [],
        lambda lib, d: {"a": 1},
        lambda lib, d: type("Own", (d.TensorDataset,), {"__getitem__": lambda self, i: i})(lib.ones(4)),
        lambda lib, d: type("Own", (d.TensorDataset,), {"__getitems__": lambda self, i: ["x"]})(lib.ones(4)),
        lambda lib, d: type("Own", (d.TensorDataset,), {"__getitems__": None})(lib.ones(4)),
        lambda lib, d: type("Own", (d.Subset,), {"__getitems__": lambda self, i: i})([7, 8], [0, 1]),
    ],
)
def test_datasets(make):
    def program(lib):
        lib.manual_seed(0)
        loader = lib.utils.data.DataLoader(make(lib, lib.utils.data), batch_size=2)
        return [list(loader), [lib.is_grad_enabled(), len(loader) if hasattr(loader.dataset, "__len__") else None]]

    same(program)


def test_gradients_through_a_tensor_dataset():
    def program(lib):
        x = lib.arange(6.0, requires_grad=True)
        for (batch,) in lib.utils.data.DataLoader(lib.utils.data.TensorDataset(x), batch_size=4):
            (batch * batch).sum().backward()
        with lib.no_grad():
            batches = list(lib.utils.data.DataLoader(lib.utils.data.TensorDataset(x), batch_size=4))
        return [x.grad, batches]

    same(program)


def test_batches_do_not_share_memory_with_the_dataset():
    x = npg.zeros(4, 2)
    for (batch,) in data.DataLoader(data.TensorDataset(x), batch_size=2):
        batch += 1
    assert not x.any()


def test_sampler_is_asked_before_the_seed_is_drawn():
    def program(lib):
        class Eager(lib.utils.data.Sampler):
            def __iter__(self):
                return iter(lib.randperm(4).tolist())

            def __len__(self):
                return 4

        lib.manual_seed(5)
        loader = lib.utils.data.DataLoader(range(4), sampler=Eager(), batch_size=None)
        first, second = iter(loader), iter(loader)
        return [next(first), next(second), list(first), list(second), lib.rand(1)]

    same(program)


# ----- Streams -----


@pytest.mark.parametrize("length", [None, 0, 2, 3, 7])
@pytest.mark.parametrize(
    "settings", [{}, {"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"batch_size": None}]
)
def test_streams_and_their_lengths(settings, length):
    def program(lib):
        loader = lib.utils.data.DataLoader(stream_of(lib, 5, length), **settings)
        told = len(loader) if length is not None else None
        return [told, [len(batch) if settings.get("batch_size", 1) else batch for batch in loader]]

    same(program)


def test_a_stream_ends_again_and_again():
    batches = iter(data.DataLoader(stream_of(npg, 3), batch_size=2))
    assert len(list(batches)) == 2 and list(batches) == []
    with pytest.raises(TypeError, match="has no len"):
        len(data.DataLoader(stream_of(npg, 3)))


def test_len_of_the_iterator():
    same(lambda lib: len(iter(lib.utils.data.DataLoader(range(7), batch_size=3))))


# ----- What is refused -----


@pytest.mark.parametrize(
    "settings",
    [
        {"num_workers": -1},
        {"timeout": -1},
        {"prefetch_factor": 2},
        {"prefetch_factor": -1, "num_workers": 1},
        {"persistent_workers": True},
        {"shuffle": True, "sampler": [1]},
        {"batch_sampler": [[1]], "batch_size": 2},
        {"batch_sampler": [[1]], "shuffle": True},
        {"batch_sampler": [[1]], "drop_last": True},
        {"batch_sampler": [[1]], "sampler": [1]},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"multiprocessing_context": "fork"},
        {"multiprocessing_context": "bogus", "num_workers": 1},
        {"multiprocessing_context": 3, "num_workers": 1},
        {"drop_last": 1},
    ],
)
def test_bad_arguments(settings):
    result = same(lambda lib: lib.utils.data.DataLoader([1, 2], **settings) and None)
    assert result[0] == "raised"


@pytest.mark.parametrize("settings", [{"shuffle": True}, {"shuffle": 0}, {"sampler": [1]}, {"batch_sampler": [[1]]}])
def test_bad_arguments_of_streams(settings):
    same(lambda lib: lib.utils.data.DataLoader(stream_of(lib, 3), **settings) and None)


@pytest.mark.parametrize(
    "program",
    [
        lambda lib, loader: iter(loader),
        lambda lib, loader: next(iter(loader)),
        lambda lib, loader: len(loader),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"shuffle": True}, {"timeout": 1}, {"batch_size": None}])
def test_empty_datasets(program, settings):
    same(lambda lib: isinstance(program(lib, lib.utils.data.DataLoader([], **settings)), int))


@pytest.mark.parametrize(
    "name", ["batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"]
)
def test_attributes_that_cannot_be_set(name):
    same(lambda lib: setattr(lib.utils.data.DataLoader([1]), name, 3))


def test_attributes_that_can_be_set():
    def program(lib):
        loader = lib.utils.data.DataLoader(range(4), batch_size=2)
        loader.collate_fn = tuple
        loader.timeout, loader.num_workers, loader.anything = 0, 0, 1
        loader.multiprocessing_context = None
        return list(loader)

    same(program)


def test_attributes():
    names = (
        "batch_size num_workers pin_memory drop_last timeout pin_memory_device prefetch_factor persistent_workers "
        "in_order worker_init_fn multiprocessing_context generator _auto_collation _iterator"
    ).split()

    def program(lib):
        loader = lib.utils.data.DataLoader(range(4), batch_size=2, shuffle=True)
        described = [type(getattr(loader, name)).__name__ for name in ("sampler", "batch_sampler", "_index_sampler")]
        return [{name: getattr(loader, name) for name in names}, described, loader.collate_fn.__name__]

    same(program)


@pytest.mark.parametrize("settings", [{"pin_memory": True}, {"pin_memory": True, "pin_memory_device": "cuda"}])
def test_pinned_memory_is_ignored_with_a_warning(settings):
    same(lambda lib: list(lib.utils.data.DataLoader(rows_of(lib, 3), **settings)))


def test_an_exception_of_the_dataset_arrives_as_it_is():
    class Broken(data.Dataset):
        def __getitem__(self, i):
            raise KeyError("here")

    with pytest.raises(KeyError, match="here") as caught:
        next(iter(data.DataLoader(Broken(), sampler=[1])))
    assert caught.traceback[-1].name == "__getitem__"


# ----- As an object -----


def test_pickle_and_copy():
    loader = data.DataLoader(rows_of(npg, 5), 2, shuffle=True, generator=npg.Generator().manual_seed(3))
    for twin in (pickle.loads(pickle.dumps(loader)), copy.deepcopy(loader)):
        assert [batch[1].tolist() for batch in twin] == [batch[1].tolist() for batch in copy.deepcopy(loader)]
    with pytest.raises(NotImplementedError, match="cannot be pickled"):
        pickle.dumps(iter(loader))


def test_subclasses():
    class Own(data.DataLoader):
        def __init__(self, *args, **settings):
            super().__init__(*args, **settings)
            self.extra = 1

        def __iter__(self):
            for batch in super().__iter__():
                yield "own", batch

    assert [first for first, _ in Own(range(3), batch_size=2)] == ["own", "own"]


def test_names_and_paths():
    same(lambda lib: sorted(set(lib.utils.data.__all__) & set(data.__all__)))
    import torch.utils.data as torch_data

    missing = set(torch_data.__all__) - set(data.__all__)
    pipes = {name for name in missing if "Pipe" in name or "pipe" in name}
    assert missing - pipes == {"DataChunk", "argument_validation", "non_deterministic", "runtime_validation"} | {
        "runtime_validation_disabled"
    }
    from npg.utils.data import _utils, dataloader, dataset, distributed, sampler

    assert dataloader.DataLoader is data.DataLoader and dataset.Subset is data.Subset
    assert distributed.DistributedSampler is data.DistributedSampler and sampler.Sampler is data.Sampler
    assert _utils.collate.default_collate is data.default_collate is dataloader.default_collate
    assert _utils.worker.get_worker_info is data.get_worker_info and _utils.fetch._MapDatasetFetcher
    assert _utils.pin_memory.pin_memory and _utils.ExceptionWrapper and data._DatasetKind.Iterable == 1
