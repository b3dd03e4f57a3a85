"""DataLoader with workers: the batches and draws of torch's, and how it ends when something goes wrong."""

import contextlib
import gc
import itertools
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
import warnings
import weakref

import numpy as np
import pytest

import npg
import npg.utils.data as data
from npg.utils.data import _multiprocessing
from npg.utils.data._utils import shared
from tests.utils.data import datasets
from tests.utils.data.programs import same

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
    # CPython 3.12 and later, when the main process has threads, as torch's and npg's.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
FORKS = "fork" in multiprocessing.get_all_start_methods()
METHODS = [method for method in ("fork", "spawn", "forkserver") if method in multiprocessing.get_all_start_methods()]
needs_fork = pytest.mark.skipif(not FORKS, reason="local classes, which only forked workers have")
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture(autouse=True)
def workers_are_forked():
    """Let fork be the default, which it is not from CPython 3.14 on: local classes are not picklable."""
    before = multiprocessing.get_start_method(allow_none=True)
    if FORKS:
        multiprocessing.set_start_method("fork", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


@pytest.fixture(autouse=True)
def own_semaphores(monkeypatch):
    """Name this process's semaphores, and those of its children, so that other processes' are told apart."""
    monkeypatch.setitem(multiprocessing.current_process()._config, "semprefix", f"/mp{os.getpid()}")


def resources():
    """Return what this process holds: open files, files in /dev/shm, children."""
    gc.collect()
    children = {process.pid for process in multiprocessing.active_children()}
    names = (f"sem.mp{os.getpid()}-", "psm_", "npg", "torch")  # of multiprocessing, its shared memory, and the like
    shared_files = {name for name in os.listdir("/dev/shm") if name.startswith(names)}
    return set(os.listdir("/proc/self/fd")), shared_files, children


@contextlib.contextmanager
def nothing_left():
    """Assert that what is done within leaves nothing."""
    from multiprocessing import resource_tracker  # of POSIX

    resource_tracker.ensure_running()  # it stays, whoever is the first to start processes anew
    files, shared_files, children = resources()

    def left():
        files_now, shared_now, children_now = resources()
        # Of the files in /dev/shm only new ones: other processes, which run other tests, remove theirs meanwhile.
        return files_now ^ files, shared_now - shared_files, children_now ^ children

    yield
    until = time.monotonic() + 5
    while any(left()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(left()), left()


# ----- The same batches and draws -----


def draws_of(lib):
    class Draws(lib.utils.data.Dataset):
        def __len__(self):
            return 11

        def __getitem__(self, i):
            info = lib.utils.data.get_worker_info()
            assert info.dataset is not None and info.rng is None and info.worker_method == "multiprocessing"
            return {
                "drawn": (i, lib.rand(2), random.random(), np.random.rand(3), lib.randn(1)),  # noqa: NPY002
                "worker": (info.id, info.num_workers, info.seed),
            }

    return Draws()


@needs_fork
@pytest.mark.parametrize(
    "settings",
    [
        {"num_workers": 1},
        {"num_workers": 2},
        {"num_workers": 3, "batch_size": 2},
        {"num_workers": 2, "batch_size": 2, "shuffle": True},
        {"num_workers": 2, "batch_size": 4, "shuffle": True, "drop_last": True},
        {"num_workers": 2, "batch_size": None},
        {"num_workers": 2, "batch_size": None, "shuffle": True, "persistent_workers": True},
        {"num_workers": 2, "batch_size": 3, "prefetch_factor": 1},
        {"num_workers": 2, "batch_size": 1, "prefetch_factor": 7, "shuffle": True},
        {"num_workers": 2, "batch_size": 2, "shuffle": True, "persistent_workers": True},
        {"num_workers": 3, "batch_size": 4, "persistent_workers": True},
        {"num_workers": 2, "batch_sampler": [[1, 2], [0], [3, 4, 5]]},
        {"num_workers": 2, "sampler": [5, 5, 1]},
        {"num_workers": 5, "batch_size": 11},
        {"num_workers": 1, "in_order": False, "batch_size": 2},
        {"num_workers": 2, "multiprocessing_context": "fork", "timeout": 50},
    ],
)
@pytest.mark.parametrize("own", [False, True])
def test_batches_and_draws(settings, own):
    def program(lib):
        lib.manual_seed(11)
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        generator = lib.Generator().manual_seed(9) if own else None
        loader = lib.utils.data.DataLoader(draws_of(lib), generator=generator, **settings)
        passes = [list(loader), list(itertools.islice(loader, 2)), list(loader)]
        return [passes, lib.rand(2), lib.rand(2, generator=generator), random.random(), np.random.rand()]  # noqa: NPY002

    same(program)


@needs_fork
def test_when_the_sampler_is_asked():
    def program(lib):
        asked = []

        class Sampler(lib.utils.data.Sampler):
            def __iter__(self):
                asked.append("begin")
                for i in range(9):
                    asked.append(i)
                    yield i

        batches = iter(lib.utils.data.DataLoader(range(9), sampler=Sampler(), num_workers=2, prefetch_factor=2))
        log = [list(asked)]
        for _ in range(3):
            next(batches)
            log.append(list(asked))
        return log

    same(program)


@needs_fork
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize(
    ("lengths", "settings"),
    [
        ([4, 4], {}),
        ([4, 4], {"batch_size": 3}),
        ([4, 4], {"batch_size": 3, "drop_last": True}),
        ([4, 4], {"batch_size": None}),
        ([5, 1], {}),
        ([0, 4], {"batch_size": None}),
        ([0, 0], {}),
    ],
)
def test_streams(lengths, settings, persistent):
    def program(lib):
        class Stream(lib.utils.data.IterableDataset):
            def __iter__(self):
                worker = lib.utils.data.get_worker_info().id
                time.sleep(0.1 * worker)  # torch's order depends on who is first
                return iter(range(100 * worker, 100 * worker + lengths[worker]))

        loader = lib.utils.data.DataLoader(Stream(), num_workers=2, persistent_workers=persistent, **settings)
        return [list(loader), list(loader)]

    same(program)


@needs_fork
def test_worker_init_fn():
    def program(lib):
        def init(worker):
            info = lib.utils.data.get_worker_info()
            info.dataset.note = (worker, info.seed - info.id, float(lib.rand(1)))

        class Notes(lib.utils.data.Dataset):
            def __getitem__(self, i):
                return self.note

            def __len__(self):
                return 4

        lib.manual_seed(2)
        loader = lib.utils.data.DataLoader(Notes(), num_workers=2, worker_init_fn=init, collate_fn=lambda batch: batch)
        return list(loader)

    same(program)


@pytest.mark.parametrize("method", METHODS)
def test_start_methods(method):
    npg.manual_seed(4)
    loader = data.DataLoader(datasets.Draws(), 2, num_workers=2, multiprocessing_context=method)
    got = [[repr(part) for part in batch] for batch in loader]
    npg.manual_seed(4)
    forked = data.DataLoader(datasets.Draws(), 2, num_workers=2, multiprocessing_context=METHODS[0])
    assert got == [[repr(part) for part in batch] for batch in forked]
    assert data.get_worker_info() is None


@needs_fork
def test_out_of_order():
    class Slow(datasets.Plain):
        def __getitem__(self, i):
            time.sleep(0.5 * (i == 0))
            return i

    batches = list(data.DataLoader(Slow(8), num_workers=2, in_order=False))
    numbers = [int(batch) for batch in batches]
    assert sorted(numbers) == list(range(8)) and numbers.index(0) > 2
    assert [int(batch) for batch in data.DataLoader(Slow(8), num_workers=2)] == list(range(8))


@needs_fork
@pytest.mark.parametrize("pinned", [False, True])
def test_warnings(pinned):
    same(lambda lib: len(list(lib.utils.data.DataLoader(range(3), num_workers=3, pin_memory=pinned))))


@needs_fork
def test_a_stream_that_is_longer_than_told():
    def program(lib):
        class Stream(lib.utils.data.IterableDataset):
            def __len__(self):
                return 3

            def __iter__(self):
                return iter(range(2))

            def __repr__(self):
                return "a stream"

        loader = lib.utils.data.DataLoader(Stream(), num_workers=2)
        return [len(loader), list(loader)]

    same(program)


# ----- What batches are -----


def image_of(lib, i):
    return lib.full((3, 40, 40), float(i))


@needs_fork
@pytest.mark.parametrize(
    "collate",
    [
        None,
        lambda samples: samples,
        lambda samples: {"nested": [samples, (samples[0], "text" * 10_000)]},
        lambda samples: [np.stack([sample.numpy() for sample in samples]), None],
        lambda samples: samples[0][None].transpose(1, 2),
        lambda samples: samples[0][:, ::2, 3:],
        lambda samples: samples[0][:1].expand(5, 3, 40, 40),
        lambda samples: samples[0].bool(),
        lambda samples: samples[0].new_empty(0),
        lambda samples: [samples[0]] * 2,
    ],
)
def test_batches_of_any_kind(collate):
    def program(lib):
        class Images(lib.utils.data.Dataset):
            def __len__(self):
                return 7

            def __getitem__(self, i):
                return image_of(lib, i)

        return list(lib.utils.data.DataLoader(Images(), 2, num_workers=2, collate_fn=collate))

    same(program)


@needs_fork
def test_gradients_do_not_leave_a_worker():
    class Leaves(datasets.Plain):
        def __getitem__(self, i):
            return npg.ones(2, requires_grad=True)

    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        list(data.DataLoader(Leaves(2), num_workers=1))
    (batch,) = data.DataLoader(Leaves(2), 2, num_workers=1, collate_fn=datasets.first_of)
    assert batch.requires_grad and batch.is_leaf


@needs_fork
def test_batches_can_be_written():
    for batch, numbers in data.DataLoader(datasets.Plain(), 4, num_workers=2):
        batch += 1
        assert (batch[:, 0] == numbers + 1).all()


@needs_fork
def test_tensor_datasets():
    x, y = npg.randn(50, 3000), npg.arange(50)
    dataset = data.random_split(data.TensorDataset(x, y), [30, 20])[0]
    for rows, numbers in data.DataLoader(dataset, 7, num_workers=2):
        assert (rows == x[numbers]).all()


# ----- Memory -----


@needs_fork
def test_blocks_are_used_again():
    addresses, loader = set(), data.DataLoader(datasets.Plain(400), 4, num_workers=2)
    for batch, _ in loader:
        addresses.add(batch.data_ptr())
    assert len(addresses) <= 2 * (2 + 3)  # of each worker: what is loaded ahead, being made, in use and on its way back


@needs_fork
@pytest.mark.parametrize("most", [1024, 3])
def test_batches_that_are_kept_stay_as_they_are(most, monkeypatch):
    monkeypatch.setattr(shared, "MOST", most)
    kept = list(data.DataLoader(datasets.Plain(120), 2, num_workers=2))
    assert all((batch == numbers[:, None]).all() for batch, numbers in kept)
    del kept[1:]
    assert len(shared._in_use) <= 1


@needs_fork
def test_what_a_worker_keeps_is_not_overwritten():
    class Keeps(datasets.Plain):
        kept = ()

        def __getitem__(self, i):
            assert all((batch == value).all() for batch, value in self.kept)
            return super().__getitem__(i)

    dataset = Keeps(60)

    def collate(samples):
        batch = data.default_collate(samples)[0]
        dataset.kept = (*dataset.kept, (batch, float(samples[0][1])))
        return batch

    loader = data.DataLoader(dataset, num_workers=1, collate_fn=collate)
    assert [int(batch[0, 0]) for batch in loader] == list(range(60))


@needs_fork
def test_a_batch_that_is_sent_again():
    batch = None

    def collate(samples):
        nonlocal batch
        if batch is None:
            batch = data.default_collate(samples)
        return batch

    loader = data.DataLoader(datasets.Plain(30), num_workers=1, collate_fn=collate)
    assert all((rows == 0).all() for rows, _ in loader)


@needs_fork
@on_linux
def test_batches_of_varying_sizes():
    class Varying(datasets.Plain):
        def __getitem__(self, i):
            return npg.full(((i * 7919) % 60_000 + 1,), float(i))

    with nothing_left():
        for i, batch in enumerate(data.DataLoader(Varying(80), num_workers=2)):
            assert batch.shape == (1, (i * 7919) % 60_000 + 1) and (batch == i).all()
        del batch


@needs_fork
@on_linux
def test_batches_outlive_the_loader():
    with nothing_left():
        batches = iter(data.DataLoader(datasets.Plain(), 4, num_workers=2))
        batch, numbers = next(batches)
        whole = weakref.ref(batches)
        del batches
        assert whole() is None
        assert (batch == numbers[:, None]).all()
        del batch


@needs_fork
@pytest.mark.parametrize("failing", ["_new_file", "_Block"])
def test_without_shared_memory_batches_come_through_the_pipe(failing, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared, failing, full)
    with pytest.warns(UserWarning, match="through a pipe, which is slower: .*No space left on device"):
        got = list(data.DataLoader(datasets.Plain(), 4, num_workers=2))
    assert all((batch == numbers[:, None]).all() for batch, numbers in got) and len(got) == 3


@needs_fork
@on_linux
@pytest.mark.parametrize("missing", ["memfd_create", "send_fds"])
def test_other_systems(missing, monkeypatch):
    if missing == "send_fds":
        monkeypatch.setattr(shared, "_CAN_SEND", False)
    else:
        monkeypatch.delattr(os, missing, raising=False)
    with nothing_left():
        got = list(data.DataLoader(datasets.Plain(), 4, num_workers=2))
        assert all((batch == numbers[:, None]).all() for batch, numbers in got) and len(got) == 3
        del got


@needs_fork
def test_long_orders_and_long_answers():
    indices = list(range(100_000))
    batches = data.DataLoader(range(100_000), batch_sampler=[indices] * 12, num_workers=2, collate_fn=list)
    assert all(batch == indices for batch in batches)


# ----- Exceptions -----


@needs_fork
@pytest.mark.parametrize(
    ("how", "kind", "text"),
    [
        ("raises", ValueError, "at five"),
        ("key_error", KeyError, "Original Traceback \\(most recent call last\\):\n"),
        ("two_arguments", RuntimeError, "Caught TwoArguments in DataLoader worker process 1"),
        ("with_message", datasets.WithMessage, "Caught WithMessage in"),
        ("group", RuntimeError, "Caught ExceptionGroup in"),
        ("of_a_local_class", RuntimeError, "Local: here"),
        ("lock", TypeError, "cannot pickle '_thread.lock' object"),
    ],
)
def test_exceptions_of_workers(how, kind, text):
    batches = iter(data.DataLoader(datasets.Behaves(how), num_workers=2, collate_fn=datasets.first_of))
    got = [next(batches)[1] for _ in range(5)]
    with pytest.raises(kind, match=text) as caught:
        next(batches)
    assert type(caught.value) is kind and "in DataLoader worker process 1.\nOriginal " in str(caught.value)
    assert "datasets.py" in str(caught.value) or how == "lock"
    assert [*got, *(batch[1] for batch in batches)] == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]


@needs_fork
def test_exceptions_as_torch_prints_them():
    def program(lib):
        class Broken(lib.utils.data.Dataset):
            def __len__(self):
                return 2

            def __getitem__(self, i):
                raise [KeyError("key"), ValueError("value"), StopIteration("stop")][i]

        def told(indices):
            try:
                return list(lib.utils.data.DataLoader(Broken(), sampler=indices, num_workers=1))
            except Exception as error:
                lines = str(error).splitlines()
                return [type(error).__name__, lines[:2], lines[-1]]

        return [told([0]), told([1]), told([2])]

    same(program)


@needs_fork
def test_data_that_cannot_be_unpickled():
    batches = iter(data.DataLoader(datasets.Behaves("not_readable"), None, num_workers=2))
    for _ in range(5):
        next(batches)
    with pytest.raises(ValueError, match="this cannot be unpickled"):
        next(batches)
    assert len(list(batches)) == 6


@needs_fork
@pytest.mark.parametrize("persistent", [False, True])
def test_a_worker_that_cannot_begin(persistent):
    loader = data.DataLoader(
        datasets.Plain(), num_workers=2, worker_init_fn=datasets.fails_to_begin, persistent_workers=persistent
    )
    for _ in range(2):
        with pytest.raises(OSError, match="Caught OSError in DataLoader worker process 0(.|\n)*worker 0 cannot begin"):
            list(loader)


@needs_fork
def test_a_stream_that_cannot_begin():
    with pytest.raises(NotImplementedError, match="in DataLoader worker process 0"):
        list(
            data.DataLoader(type("Own", (data.IterableDataset,), {"__iter__": data.Sampler.__iter__})(), num_workers=2)
        )


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
@on_linux
def test_a_dataset_that_does_not_pickle(method):
    with nothing_left(), pytest.raises(TypeError, match="cannot pickle '_thread.lock' object"):
        with pytest.warns(UserWarning, match="Got pickle error when attempting to start a worker Process"):
            iter(data.DataLoader(datasets.Unpicklable(), num_workers=2, multiprocessing_context=method))


# ----- Ends -----


@needs_fork
@on_linux
@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("killed", "is killed by signal: Killed"),
        ("segfault", "is killed by signal: Segmentation fault"),
        ("exits", "exited unexpectedly with exit code 3"),
        ("leaves", "exited unexpectedly with exit code 0"),
        ("interrupted", "exited unexpectedly with exit code 0"),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"in_order": False, "persistent_workers": True, "timeout": 30}])
def test_a_worker_that_dies(how, why, settings, monkeypatch):
    monkeypatch.setattr(_multiprocessing, "MP_STATUS_CHECK_INTERVAL", 0.2)
    with nothing_left():
        started = time.monotonic()
        loader = data.DataLoader(datasets.Behaves(how), num_workers=2, **settings)
        batches = iter(loader)
        with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly") as caught:
            list(batches)
        assert why in str(caught.value.__cause__)
        assert time.monotonic() - started < 5
        with pytest.raises(RuntimeError, match="exited unexpectedly"):  # not the end of the data
            next(batches)
        assert not multiprocessing.active_children()
        loader.dataset.how = "sleeps"
        assert len(list(itertools.islice(loader, 5))) == 5  # a new pass, with new workers
        del batches, loader, caught


@needs_fork
@on_linux
def test_timeout(monkeypatch):
    monkeypatch.setattr(_multiprocessing, "MP_STATUS_CHECK_INTERVAL", 0.2)
    with nothing_left():
        batches = iter(data.DataLoader(datasets.Behaves("sleeps"), num_workers=2, timeout=0.3))
        with pytest.raises(RuntimeError, match="DataLoader timed out after 0.3 seconds"):
            list(batches)
        del batches


@needs_fork
@on_linux
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("how", ["all", "break", "dropped", "not begun", "exception", "explicit"])
def test_nothing_is_left(how, persistent):
    with nothing_left():
        loader = data.DataLoader(datasets.Plain(), 2, num_workers=2, persistent_workers=persistent)
        started = time.monotonic()
        batches = iter(loader)
        if how == "all":
            list(batches)
        elif how == "break":
            for _, batch in enumerate(batches):
                del batch
                break
        elif how == "dropped":
            next(batches)
        elif how == "explicit":
            next(batches)
            batches._shutdown_workers()
        elif how == "exception":
            with contextlib.suppress(ZeroDivisionError):
                for _, batch in enumerate(batches):
                    del batch
                    1 / 0
        loader = batches = None
        assert time.monotonic() - started < 3


@needs_fork
@on_linux
def test_an_interrupt_while_a_dropped_iterator_ends_its_workers_is_not_lost(monkeypatch):
    """Python ignores what a finalizer raises."""
    poll = multiprocessing.process.BaseProcess.join

    def join(process, timeout=None):
        monkeypatch.setattr(multiprocessing.process.BaseProcess, "join", poll)
        raise KeyboardInterrupt

    with nothing_left():
        batches = iter(data.DataLoader(datasets.Plain(), num_workers=2))
        gc.collect()  # no other test's iterator ends its workers meanwhile
        monkeypatch.setattr(multiprocessing.process.BaseProcess, "join", join)
        with pytest.raises(KeyboardInterrupt):
            del batches
            time.sleep(10)


@needs_fork
@on_linux
def test_a_busy_worker_is_ended(monkeypatch):
    monkeypatch.setattr(_multiprocessing, "MP_STATUS_CHECK_INTERVAL", 0.2)
    with nothing_left():
        batches = iter(data.DataLoader(datasets.Behaves("sleeps"), num_workers=2))
        for _ in range(4):
            next(batches)
        pids = [process.pid for process in batches._workers]
        batches._shutdown_workers()
        del batches
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@needs_fork
@on_linux
def test_signals_of_the_main_process_are_its_own():
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # which would keep a worker from being ended
    try:
        with nothing_left():
            batches = iter(data.DataLoader(datasets.Behaves("sleeps"), num_workers=1))
            next(batches)
            batches._workers[0].terminate()
            batches._workers[0].join(3)
            assert batches._workers[0].exitcode == -signal.SIGTERM
            del batches
    finally:
        signal.signal(signal.SIGTERM, before)


@needs_fork
def test_persistent_workers_stay():
    loader = data.DataLoader(datasets.Plain(), num_workers=2, persistent_workers=True)
    batches = iter(loader)
    pids = [process.pid for process in batches._workers]
    next(batches)
    again = iter(loader)
    assert again is batches and [process.pid for process in again._workers] == pids
    assert [int(numbers) for _, numbers in again] == list(range(12))
    assert [process.pid for process in iter(loader)._workers] == pids


# ----- Threads and forks -----


@needs_fork
def test_in_threads_at_the_same_time():
    results = {}

    def load(name):
        loader = data.DataLoader(datasets.Plain(40), 4, num_workers=2)
        results[name] = [numbers.tolist() for _, numbers in loader]

    threads = [threading.Thread(target=load, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == dict.fromkeys(range(3), [list(range(i, i + 4)) for i in range(0, 40, 4)])


@needs_fork
@on_linux
def test_a_fork_has_no_part_in_the_workers():
    batches = iter(data.DataLoader(datasets.Plain(), num_workers=2))
    next(batches)
    pid = os.fork()
    if not pid:
        try:
            next(batches)
        except RuntimeError as error:
            with contextlib.suppress(BaseException):
                del batches
                gc.collect()
            os._exit(7 if "another process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert len(list(batches)) == 11


@needs_fork
def test_a_loader_with_workers_in_a_worker_is_refused():
    class Nested(datasets.Plain):
        def __getitem__(self, i):
            return next(iter(data.DataLoader([1], num_workers=1)))

    with pytest.raises(AssertionError, match="daemonic processes are not allowed to have children"):
        list(data.DataLoader(Nested(), num_workers=1))


@needs_fork
def test_numpy_and_npg_compute_in_workers_after_threads_in_the_main_process():
    big = npg.randn(512, 512)
    expected = big @ big

    class Products(datasets.Plain):
        def __getitem__(self, i):
            return (big @ big).sum(), npg.get_num_threads()

    for total, threads in data.DataLoader(Products(4), num_workers=2):
        assert float(total) == pytest.approx(float(expected.sum()), rel=1e-3) and int(threads) == 1


def test_profiles_name_the_batches():
    with npg.profiler.profile() as profile, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        list(data.DataLoader(range(3)))
    counts = {event.key: event.count for event in profile.key_averages()}
    assert counts["enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"] == 4
