"""The iterator of a DataLoader that loads in worker processes.

Each worker has a connection of its own with the main process; nothing is shared between workers. The main process
sends orders (which indices make the batch of a number), a worker answers them in order. So the batch that is to come
next is the next message of the worker that has its order.

Source: torch.utils.data.dataloader; in which order the sampler is asked, and who gets an order, is PyTorch's.
"""

from __future__ import annotations

import _thread
import contextlib
import itertools
import multiprocessing
import multiprocessing.connection
import os
import pickle
import select
import signal
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Iterable
from typing import Any, NoReturn

from npg.utils._exceptions import ExceptionWrapper
from npg.utils.data._iterators import _BaseDataLoaderIter
from npg.utils.data._utils.shared import Inbox, NoDescriptor
from npg.utils.data._utils.worker import (
    MP_STATUS_CHECK_INTERVAL,
    _IterableDatasetStopIteration,
    _ResumeIteration,
    _worker_loop,
)

_NOT_PICKLED = (
    "Got pickle error when attempting to start a worker Process. This might be because the worker Process arguments "
    "are not picklable. Python 3.14+ changed the multiprocessing start method in non-Mac POSIX platforms to "
    "'forkserver', which requires the worker Process arguments to be picklable. You can also try "
    "multiprocessing.set_start_method('fork')."
)

# ----- A worker, seen from the main process -----


class _Unreadable:
    """In place of data that could not be unpickled here: the exception."""

    def __init__(self, error: Exception) -> None:
        self.error = error


# The main process's ends of all connections. A forked process, another worker first of all, must not keep them open:
# they are how a worker sees that the main process has gone.
_ends: weakref.WeakSet[Any] = weakref.WeakSet()


def _close_ends() -> None:
    for end in list(_ends):
        with contextlib.suppress(OSError):  # another thread has been closing it
            end.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_ends)


class _Worker:
    """A worker process and the connection with it."""

    def __init__(self, context: Any, arguments: tuple[Any, ...], number: int, workers: int) -> None:
        kind, dataset, *rest = arguments
        self.connection, theirs = context.Pipe()
        _ends.add(self.connection)
        try:
            self.process = context.Process(
                target=_worker_loop, args=(kind, dataset, theirs, *rest, number, workers), daemon=True
            )
            self.process.start()
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()
        self.inbox = Inbox()
        self.orders = 0  # of this pass that it has not answered
        self._poll: Any = None  # quicker than the connection's own, which makes a new one each time
        if hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(self.connection.fileno(), select.POLLIN)

    def send(self, order: Any) -> None:
        """Send an order, and which blocks are no longer used. Raises: OSError: when the worker has ended."""
        self.connection.send_bytes(pickle.dumps((self.inbox.released(), order), 5))

    def has_sent(self) -> bool:
        """Tell whether there is a message, or the worker has ended."""
        if self._poll is None or self.connection.closed:
            return bool(self.connection.poll(0))
        return bool(self._poll.poll(0))

    def receive(self, epoch: int) -> tuple[int, Any] | None:
        """Return (number, data) of the next message, None when it belongs to an earlier pass.

        Raises: EOFError, OSError: when the worker has ended. NoDescriptor: when this process has no more of them.
        """
        of_epoch, number, packed = pickle.loads(self.connection.recv_bytes())
        is_wanted = of_epoch == epoch
        try:
            data = self.inbox.unpack(packed, self.connection, is_wanted)
        except (NoDescriptor, EOFError, OSError):
            raise
        except Exception as error:
            data = _Unreadable(error)
        return (number, data) if is_wanted else None

    def failure(self) -> RuntimeError | None:
        """Return what is known of the end of the process, None when it lives."""
        self.process.join(0)
        code, pid = self.process.exitcode, self.process.pid
        if code is None:
            return None
        if code >= 0:
            text = f"DataLoader worker (pid {pid}) exited unexpectedly with exit code {code}. "
            return RuntimeError(
                text
                + "Details are lost due to multiprocessing. Rerunning with num_workers=0 may give better error trace."
            )
        name = signal.strsignal(-code) or f"signal {-code}"
        text = f"DataLoader worker (pid {pid}) is killed by signal: {name}. "
        if -code == getattr(signal, "SIGBUS", None):
            text += (
                "It is possible that dataloader's workers are out of shared memory. Please try to raise your shared "
                "memory limit."
            )
        return RuntimeError(text)


def _stop(workers: list[_Worker], owner: int, seconds: float | None = None) -> None:
    """End workers: they may finish what they do for some seconds. A forked process has no part in it."""
    seconds = MP_STATUS_CHECK_INTERVAL if seconds is None else seconds
    if os.getpid() != owner:
        return
    try:
        for worker in workers:
            worker.connection.close()  # which tells the worker
        end = time.monotonic() + seconds
        for worker in workers:
            worker.process.join(max(0.0, end - time.monotonic()))
    finally:
        for end_now in ("terminate", "kill"):
            alive = [worker.process for worker in workers if worker.process.is_alive()]
            for process in alive:
                getattr(process, end_now)()
            for process in alive:
                process.join(1)


def _stop_dropped(workers: list[_Worker], owner: int) -> None:
    """End the workers of an iterator that nobody holds any more."""
    try:
        _stop(workers, owner)
    except KeyboardInterrupt:  # Python ignores what is raised here: the program shall see it when this has returned
        _thread.start_new_thread(_interrupt_later, ())


def _interrupt_later() -> None:
    """Interrupt the main thread once it is in no finalizer."""
    main, finalizer = threading.main_thread().ident or 0, weakref.finalize.__call__.__code__
    frame: Any = True
    while frame is not None:
        time.sleep(0.01)
        frame = sys._current_frames().get(main)
        while frame is not None and frame.f_code is not finalizer:
            frame = frame.f_back
    if hasattr(signal, "pthread_kill") and callable(signal.getsignal(signal.SIGINT)):
        signal.pthread_kill(main, signal.SIGINT)  # it may sleep, or wait for a lock
    else:
        _thread.interrupt_main()


# ----- The iterator -----


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """One pass that loads in worker processes, or with persistent workers one after the other."""

    def __init__(self, loader: Any) -> None:
        super().__init__(loader)
        self._prefetch_factor: int = loader.prefetch_factor or 0
        self._in_order = loader.in_order
        self._worker_init_fn = loader.worker_init_fn
        if self._num_workers <= 0:
            raise AssertionError("num_workers must be greater than 0 for MultiProcessingDataLoaderIter")
        if self._prefetch_factor <= 0:
            raise AssertionError("prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter")
        context: Any = loader.multiprocessing_context or multiprocessing.get_context()
        arguments = (
            self._dataset_kind, self._dataset, self._auto_collation, self._collate_fn, self._drop_last,
            self._base_seed, self._worker_init_fn,
        )  # fmt: skip
        self._owner = os.getpid()
        self._shutdown = False
        self._failure: RuntimeError | None = None
        self._all: list[_Worker] = []
        self._finalizer = weakref.finalize(self, _stop_dropped, self._all, self._owner)
        self._finalizer.atexit = False  # multiprocessing ends its processes then, without delay
        self._epoch = 0
        try:
            for number in range(self._num_workers):
                self._all.append(_Worker(context, arguments, number, self._num_workers))
        except BaseException as error:
            self._end(0)
            if isinstance(error, (TypeError, AttributeError, pickle.PicklingError)):
                warnings.warn(_NOT_PICKLED, stacklevel=2)
            raise
        self._reset(loader, first_iter=True)

    @property
    def _workers(self) -> list[Any]:
        """The processes."""
        return [worker.process for worker in self._all]

    def _reset(self, loader: Any, first_iter: bool = False) -> None:
        super()._reset(loader, first_iter)
        self._send_idx = 0  # the number of the next order
        self._rcvd_idx = 0  # the number of the next batch, in order
        self._task_info: dict[int, int] = {}  # orders that are not answered: the worker
        self._workers_status = [True] * self._num_workers  # whether a worker's stream has more for this pass
        self._worker_queue_idx_cycle = itertools.cycle(range(self._num_workers))
        for worker in self._all:
            worker.orders = 0
        if not first_iter:
            self._epoch += 1
            for worker in self._all:
                self._send(worker, _ResumeIteration())
        for _ in range(self._prefetch_factor * self._num_workers):
            self._try_put_index()

    # ----- Orders -----

    def _try_put_index(self) -> None:
        """Give the sampler's next to a worker, if there is one whose stream has more."""
        try:
            index = self._next_index()
        except StopIteration:
            return
        most = self._prefetch_factor * self._num_workers
        for _ in range(self._num_workers):
            chosen = next(self._worker_queue_idx_cycle)
            if self._workers_status[chosen] and (
                self._in_order or self._all[chosen].orders < most // sum(self._workers_status)
            ):
                break
        else:
            return
        worker = self._all[chosen]
        self._send(worker, (self._epoch, self._send_idx, index))
        self._task_info[self._send_idx] = chosen
        worker.orders += 1
        self._send_idx += 1

    def _send(self, worker: _Worker, order: Any) -> None:
        try:
            worker.send(order)
        except OSError as error:
            self._fail(error)

    # ----- Data -----

    def _next_data(self) -> Any:
        if self._failure is not None:
            raise self._failure
        if self._owner != os.getpid():
            raise RuntimeError("this iterator of a DataLoader belongs to another process, which has forked this one")
        while True:
            while self._rcvd_idx < self._send_idx:
                chosen = self._task_info.get(self._rcvd_idx)
                if chosen is not None and self._workers_status[chosen]:
                    break
                self._task_info.pop(self._rcvd_idx, None)  # taken already, or of a worker whose stream has ended
                self._rcvd_idx += 1
            else:
                if not self._persistent_workers:
                    self._shutdown_workers()
                raise StopIteration
            number, data = self._receive([chosen] if self._in_order else {*self._task_info.values()})
            worker = self._all[self._task_info.pop(number)]
            worker.orders -= 1
            if isinstance(data, _IterableDatasetStopIteration):
                self._workers_status[data.worker_id] = False
                self._try_put_index()
                continue
            if number == self._rcvd_idx:
                self._rcvd_idx += 1
            self._try_put_index()
            if isinstance(data, ExceptionWrapper):
                data.reraise()
            if isinstance(data, _Unreadable):
                raise data.error
            return data

    def _receive(self, chosen: Iterable[int]) -> tuple[int, Any]:
        """Return the next (number, data) of one of these workers.

        Raises: RuntimeError: when one of the workers has died, or it takes too long.
        """
        workers = [self._all[i] for i in chosen if self._workers_status[i]]
        until = time.monotonic() + self._timeout if self._timeout > 0 else None
        while True:
            try:
                for worker in self._wait(workers, until):
                    answer = worker.receive(self._epoch)
                    if answer is not None:
                        self._tell_trouble(worker)
                        return answer
            except (EOFError, OSError) as error:
                self._fail(error)
            except NoDescriptor as error:  # what comes next cannot be understood
                self._failure = error
                self._end(0)
                raise

    def _wait(self, workers: list[_Worker], until: float | None) -> list[_Worker]:
        """Wait for messages; return the workers that have sent one."""
        sent = [worker for worker in workers if worker.has_sent()]
        if sent:
            return sent
        sentinels = {worker.process.sentinel for worker in self._all}
        connections = {worker.connection: worker for worker in workers}
        while True:
            seconds = MP_STATUS_CHECK_INTERVAL
            if until is not None:
                seconds = min(seconds, max(0.0, until - time.monotonic()))
            ready: Any = multiprocessing.connection.wait([*connections, *sentinels], seconds)
            sent = [connections[item] for item in ready if item in connections]
            if sent:
                return sent
            if ready or any(worker.process.exitcode is not None for worker in self._all):
                self._fail(None)
            if until is not None and time.monotonic() >= until:
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")

    def _tell_trouble(self, worker: _Worker) -> None:
        if worker.inbox.trouble:
            text = (
                "batches of a DataLoader worker come through a pipe, which is slower: no shared memory could be made "
                f"({worker.inbox.trouble})"
            )
            worker.inbox.trouble = ""
            warnings.warn(text, stacklevel=4)

    def _fail(self, error: BaseException | None) -> NoReturn:
        """End all workers, because one has died, and raise RuntimeError."""
        end = time.monotonic() + 1  # a connection is closed a moment before its process has ended
        while True:
            dead = [worker for worker in self._all if worker.process.exitcode is not None]
            if dead or time.monotonic() > end:
                break
            time.sleep(0.01)
        pids = ", ".join(str(worker.process.pid) for worker in dead or self._all)
        self._failure = RuntimeError(f"DataLoader worker (pid(s) {pids}) exited unexpectedly")
        cause = dead[0].failure() if dead else error
        self._end(0)
        raise self._failure from cause

    # ----- The end -----

    def _shutdown_workers(self) -> None:
        """End the workers."""
        self._end(MP_STATUS_CHECK_INTERVAL)

    def _end(self, seconds: float) -> None:
        self._shutdown = True
        if self._finalizer.detach() is not None:
            _stop(self._all, self._owner, seconds)
