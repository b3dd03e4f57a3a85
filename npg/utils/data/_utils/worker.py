"""What a worker process does: fetch data in the order of its orders, and send it.

The worker and the main process have one connection, on which nobody else writes or reads: a worker that is killed takes
no lock with it. A thread of the worker reads the orders, so that the main process never waits to write one, and sees at
once when the main process has gone.

Source: torch.utils.data._utils.worker.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import queue
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from npg.random import manual_seed
from npg.utils._exceptions import ExceptionWrapper
from npg.utils.data._utils import shared
from npg.utils.data._utils.fetch import _BaseDatasetFetcher, _IterableDatasetFetcher, _MapDatasetFetcher
from npg.utils.threads import set_num_threads

__all__ = ["WorkerInfo", "get_worker_info"]

MP_STATUS_CHECK_INTERVAL = 5.0  # seconds: for how long a worker may finish what it does, when nobody waits for it

# ----- Who am I? -----


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker, for the code that runs in it.

    Attributes:
        id: its number, from 0 to num_workers - 1.
        num_workers: how many workers the loader has.
        seed: of its random numbers: the loader's base seed plus id.
        dataset: its copy of the dataset.
        rng: None; for workers that are threads.
        worker_method: "multiprocessing".
    Source: torch.utils.data._utils.worker.WorkerInfo.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """Return what is known of the worker that this process is, None in the main process.

    Source: torch.utils.data.get_worker_info.
    """
    return _worker_info


# ----- Messages -----


@dataclass(frozen=True)
class _IterableDatasetStopIteration:
    """Sent in place of data: this worker's stream has ended."""

    worker_id: int


@dataclass(frozen=True)
class _ResumeIteration:
    """An order: begin a new epoch."""


class _DatasetKind:
    """The two kinds of datasets. Source: torch.utils.data._DatasetKind."""

    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(
        kind: int, dataset: Any, auto_collation: bool, collate_fn: Any, drop_last: bool
    ) -> _BaseDatasetFetcher:
        """Return what fetches the data of a dataset of this kind."""
        fetcher = _MapDatasetFetcher if kind == _DatasetKind.Map else _IterableDatasetFetcher
        return fetcher(dataset, auto_collation, collate_fn, drop_last)


# ----- The worker -----


def _generate_state(base_seed: int, worker_id: int) -> Any:
    """Return the seed of numpy.random in a worker: NumPy's own mixture of both numbers, as in PyTorch."""
    words = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return np.random.SeedSequence(words).generate_state(4)


def _seed(base_seed: int, worker_id: int) -> int:
    """Seed npg, `random` and numpy.random as PyTorch does; return the seed of the first two."""
    seed = base_seed + worker_id
    random.seed(seed)
    manual_seed(seed)
    np.random.seed(_generate_state(base_seed, worker_id))  # noqa: NPY002  # what datasets use
    return seed


def _restore_signals() -> None:
    """Take back what a forked process inherits from a main process that handles signals in its own way."""
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which is how the main process ends a worker
        signal.set_wakeup_fd(-1)  # an event loop's of the main process


def _listen(connection: Any, orders: queue.SimpleQueue[bytes | None]) -> None:
    """Read orders until the main process closes the connection, or ends; then end this process soon."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            orders.put(connection.recv_bytes())
    orders.put(None)
    time.sleep(MP_STATUS_CHECK_INTERVAL)  # the process ends meanwhile, unless it is caught in the user's code
    os._exit(1)


class _Fetching:
    """What a worker answers to its orders."""

    has_ended = False  # the stream, in this pass

    def __init__(self, create_fetcher: Callable[[], _BaseDatasetFetcher], is_stream: bool, number: int) -> None:
        self._create_fetcher = create_fetcher
        self._is_stream = is_stream
        self._number = number
        self._fetcher: _BaseDatasetFetcher | None = None
        self._failure: ExceptionWrapper | None = None  # the answer to all orders

    def begin(self, init_fn: Callable[[int], object] | None) -> None:
        """Make ready for the first pass; when init_fn fails, nothing is fetched in any."""
        try:
            if init_fn is not None:
                init_fn(self._number)
        except Exception:
            self._failure = self.wrapped()
        else:
            self._make_fetcher()

    def resume(self) -> None:
        """Make ready for another pass."""
        self.has_ended = False
        if self._fetcher is not None:
            self._failure = None
            self._make_fetcher()

    def _make_fetcher(self) -> None:
        try:
            self._fetcher = self._create_fetcher()
        except Exception:
            self._failure = self.wrapped()

    def wrapped(self) -> ExceptionWrapper:
        """Return the exception that is being handled, as the main process gets it."""
        return _sendable(ExceptionWrapper(where=f"in DataLoader worker process {self._number}"))

    def answer(self, index: Any) -> Any:
        """Return the data at an index, the end of the stream, or what went wrong."""
        if self._failure is not None:
            return self._failure
        assert self._fetcher is not None
        try:
            return self._fetcher.fetch(index)
        except Exception as error:
            if isinstance(error, StopIteration) and self._is_stream:
                self.has_ended = True
                return _IterableDatasetStopIteration(self._number)
            return self.wrapped()


def _worker_loop(
    dataset_kind: int,
    dataset: Any,
    connection: Any,
    auto_collation: bool,
    collate_fn: Any,
    drop_last: bool,
    base_seed: int,
    init_fn: Any,
    worker_id: int,
    num_workers: int,
) -> None:
    """Be a worker: fetch what is ordered until the main process closes the connection."""
    global _worker_info
    try:
        gc.freeze()  # what a fork has brought along is neither collected here nor copied by the collector's marks
        _restore_signals()
        orders: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(connection, orders), name="npg orders", daemon=True).start()
        set_num_threads(1)
        seed = _seed(base_seed, worker_id)
        _worker_info = WorkerInfo(id=worker_id, num_workers=num_workers, seed=seed, dataset=dataset)
        arena = shared.arena = shared.Arena(connection)
        create = partial(_DatasetKind.create_fetcher, dataset_kind, dataset, auto_collation, collate_fn, drop_last)
        fetching = _Fetching(create, dataset_kind == _DatasetKind.Iterable, worker_id)
        fetching.begin(init_fn)
        while (message := orders.get()) is not None:
            released, order = pickle.loads(message)
            arena.release(released)
            if isinstance(order, _ResumeIteration):
                fetching.resume()
            elif not fetching.has_ended:
                epoch, number, index = order
                try:
                    packed = arena.pack(fetching.answer(index))
                except Exception:  # what cannot be pickled
                    packed = arena.pack(fetching.wrapped())
                connection.send_bytes(pickle.dumps((epoch, number, packed), 5))
                arena.send_files()
                del packed, index  # memory
            del order, message
    except KeyboardInterrupt:  # the main process gets it too
        pass
    except (BrokenPipeError, ConnectionResetError):  # the main process has closed the connection
        pass


def _sendable(wrapper: ExceptionWrapper) -> ExceptionWrapper:
    """Return a wrapper that can be pickled: of RuntimeError where the exception's class cannot be found by its name."""
    try:
        pickle.loads(pickle.dumps(wrapper))
    except Exception:
        name = wrapper.exc_type.__name__
        wrapper.exc_msg = f"{wrapper.exc_msg}\n({name} cannot be pickled: this is a RuntimeError in its place)"
        wrapper.exc_type = RuntimeError
    return wrapper
