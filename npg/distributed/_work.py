"""What is under way between ranks: waiting for it, with an end, and going on with it beside a computation.

MPI goes on with a message only while somebody waits for it, or asks. So there is a thread that waits for what was begun
with async_op=True, without the interpreter; who waits in a script's own thread asks again and again, so that Ctrl-C and
the time limit of the group end it. Messages from rank to rank have no thread: they may be done in any order.
"""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Any

from npg.distributed import _departures
from npg.distributed._mpi import load
from npg.futures import Future

_BRIEF = 0.002  # seconds that are waited for without letting other processes have the processor
_LONG = 0.02  # seconds from which one asks only now and then
_SHARE, _PAUSE = 0.02, 2e-3  # of what has been waited for, and at most so many seconds
_SUSPICIOUS = 1.0  # seconds from which one asks whether another rank has ended, again and again

_HINT = "; TORCH_DISTRIBUTED_DEBUG=DETAIL compares the shapes of all ranks before each operation"


class DistError(RuntimeError):
    """Something went wrong between ranks."""


class DistBackendError(DistError):
    """MPI has failed, or a rank has not answered in time."""


class DistNetworkError(DistError):
    """An address could not be had, or nobody answers there."""


class DistStoreError(DistError):
    """A store, or those who meet at an address, did not have in time what was waited for."""


class QueueEmptyError(DistStoreError):
    """A queue of a store has nothing. npg's stores have no queues: a name for scripts that catch it."""


class Operation:
    """MPI's requests that are one operation, and what follows on them.

    Args:
        group: of the ranks.
        requests: of MPI.
        name: of the operation, with the shapes of its tensors, for errors.
        finish: called once all requests are done; it writes the results where they belong.
        keep: memory that MPI reads and writes until then.
        peers: of messages: the ranks of the group that may end it. A collective needs all.
    Attributes:
        has_thread: the group's thread waits for it. is_over: MPI has done with it.
    """

    def __init__(
        self, group: Any, requests: Sequence[Any], name: str, finish: Callable[[], object] | None = None,
        keep: Any = (), peers: Collection[int] | None = None,
    ) -> None:  # fmt: skip
        self.requests, self.name = list(requests), name
        self._group, self._number, self._peers = group, group.count, peers
        self.has_thread = self.is_over = False
        self._finish, self._keep = finish, keep
        self.statuses = [load().Status() for _ in self.requests]

    def then(self, finish: Callable[[], object]) -> None:
        """Have finish() called once all requests are done."""
        self._finish = finish

    def ask(self) -> bool:
        """Tell whether all requests are done; MPI goes on with them meanwhile."""
        self.is_over = bool(load().Request.Testall(self.requests, self.statuses))
        return self.is_over

    def block(self) -> None:
        """Wait without the interpreter, and without an end."""
        try:
            load().Request.Waitall(self.requests, self.statuses)
        finally:
            self.is_over = True

    def complete(self) -> None:
        """Write the results."""
        finish, self._finish = self._finish, None
        if finish is not None:
            finish()
        self._keep = ()

    def told(self, error: Exception) -> DistBackendError:
        """Return an error for that of MPI, which stands in the statuses where there are several requests."""
        MPI = load()
        texts = [str(error)]
        if isinstance(error, MPI.Exception) and error.Get_error_class() == MPI.ERR_IN_STATUS:
            codes = [status.error for status in self.statuses]
            texts = [MPI.Get_error_string(code).partition(",")[0] for code in codes if code != MPI.SUCCESS]
        return self._failed("; ".join(texts) + _HINT)

    def _failed(self, why: str) -> DistBackendError:
        return DistBackendError(f"[Rank {self._group.rank()}]: {self.name} failed: {why}")

    def give_up(self) -> None:
        """Wait for it no longer: for the other ranks this one has ended before it."""
        _abandoned.append(self)
        if self._peers is None:
            self._group.reached = min(self._group.reached, self._number - 1)

    def cancel(self) -> None:
        """Give up receiving."""
        for request in self.requests:
            request.Cancel()
        self.block()

    def check(self, limit: timedelta | None, waited: float) -> None:
        """Refuse to wait longer, when it can bring nothing.

        Args: limit: how long to wait, and waited: how many seconds that has been.
        Raises: DistBackendError: when the time is over, or another rank has ended before this operation.
        """
        if limit is not None and waited > limit.total_seconds():
            raise DistBackendError(
                f"[Rank {self._group.rank()}]: Timed out waiting {limit.total_seconds() * 1000:.0f}ms for {self.name} "
                "operation to complete"
            )
        if waited > _SUSPICIOUS:
            ended = _departures.who_left(self._group, self._number, self._peers)
            if ended:
                raise self._failed(ended)

    def wait(self, limit: timedelta | None) -> None:
        """Wait in the thread that computes, at most so long.

        Raises: DistBackendError: when MPI fails, the time is over, or a rank has ended. Then MPI may still write to the
            tensors.
        """
        start, patience = time.monotonic(), _patience(limit)
        try:
            while not self.ask():
                waited = time.monotonic() - start
                if waited > patience:
                    self.check(limit, waited)
                    patience = _patience(limit, waited)
                if waited > _BRIEF:
                    time.sleep(0 if waited < _LONG else min(_SHARE * waited, _PAUSE))
        except load().Exception as error:
            raise self.told(error) from error
        except (DistBackendError, KeyboardInterrupt):
            self.give_up()
            raise
        self.complete()


def _patience(limit: timedelta | None, waited: float = 0.0) -> float:
    """Return how many seconds one has waited when it is time to check next."""
    return min(waited + _SUSPICIOUS, math.inf if limit is None else limit.total_seconds())


_abandoned: list[Operation] = []  # whose memory MPI may still use


def is_idle(groups: Sequence[Any], seconds: float) -> bool:
    """Tell whether all is done that was begun, also what was given up; wait for it at most so long."""
    last = time.monotonic() + seconds
    if not all(group.waiter.is_idle(last - time.monotonic()) for group in groups):
        return False
    try:
        while not all(operation.is_over or (not operation.has_thread and operation.ask()) for operation in _abandoned):
            if time.monotonic() > last:
                return False
            time.sleep(_PAUSE)
    except load().Exception:
        return False
    return True


class Work:
    """An operation that was begun. Source: torch.distributed.Work.

    Args:
        operation: it. limit: how long wait() waits.
        source: the rank, among all, that a message came from.
    """

    def __init__(
        self, operation: Operation, limit: timedelta | None, result: Any = None,
        source: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        self._operation, self._limit, self._result, self._source = operation, limit, result, source
        self._future: Future[Any] | None = None
        self._error: Exception | None = None
        self._done = threading.Event()
        self._settling = threading.Lock()

    def _finish(self, error: Exception | None) -> None:
        with self._settling:
            if self._done.is_set():  # given up, and done after all
                return
            self._error = error
            self._done.set()
            future = self._future
        if future is not None:
            self._tell(future)

    def _tell(self, future: Future[Any]) -> None:
        if self._error is None:
            future.set_result(self._result)
        else:
            future.set_exception(self._error)

    def _run(self) -> None:
        """Bring it to its end, in the thread that waits."""
        try:
            self._operation.block()
            self._operation.complete()
        except Exception as error:
            self._finish(self._operation.told(error))
        else:
            self._finish(None)

    def wait(self, timeout: timedelta | None = None) -> bool:
        """Wait until the tensors hold the results; return True.

        Args: timeout: at most so long; None or 0: as long as the group allows.
        Raises: DistBackendError: when MPI has failed, the time is over, or a rank has ended that this waits for.
        """
        limit, start, waited = timeout or self._limit, time.monotonic(), 0.0
        while not self._done.wait(_patience(limit, waited) - waited):
            waited = time.monotonic() - start
            try:
                self._operation.check(limit, waited)
            except DistBackendError as error:
                if not timeout:
                    self._operation.give_up()
                    self._finish(error)
                raise
        if self._error is not None:
            raise self._error
        return True

    def settle(self) -> None:
        """Wait until it is at its end, well or not."""
        with contextlib.suppress(DistError):
            self.wait()

    def synchronize(self) -> None:
        """Wait, as wait() does."""
        self.wait()

    def is_completed(self) -> bool:
        """Tell whether it is at its end, well or not."""
        return self._done.is_set()

    def is_success(self) -> bool:
        """Tell whether it has ended well."""
        return self._done.is_set() and self._error is None

    def exception(self) -> Exception | None:
        """Return what it has ended with."""
        return self._error

    def get_future(self) -> Future[Any]:
        """Return a Future of the tensors, in a list."""
        with self._settling:
            if self._future is not None:
                return self._future
            future = self._future = Future()
            is_done = self._done.is_set()
            if not is_done:
                future._settle = self.settle
        if is_done:
            self._tell(future)
        return future

    def result(self) -> Any:
        """Wait, and return the tensors, in a list."""
        self.wait()
        return self._result

    def source_rank(self) -> int:
        """Return the rank, among all, that a received message came from."""
        if self._source is None:
            raise RuntimeError(
                "sourceRank() may only be called on work objects that correspond to a recv or recv-from-any call."
            )
        return self._source()


class Message(Work):
    """A message that was begun: it goes on while somebody waits or asks, in any order."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._lock = threading.Lock()

    def _advance(self, limit: timedelta | None, ask_once: bool) -> None:
        with self._lock:
            if self._done.is_set():
                return
            try:
                if ask_once:
                    if not self._operation.ask():
                        return
                    self._operation.complete()
                else:
                    self._operation.wait(limit)
            except Exception as error:
                self._finish(error)
            else:
                self._finish(None)

    def wait(self, timeout: timedelta | None = None) -> bool:
        self._advance(timeout or self._limit, False)
        return super().wait(timeout)

    def is_completed(self) -> bool:
        self._advance(None, True)
        return super().is_completed()


# ----- The thread that waits -----


class Waiter:
    """A thread that waits for the collectives of a group, one after the other; it is there from the first one on."""

    def __init__(self) -> None:
        self._begun: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._last: Work | None = None

    def take(self, work: Work) -> Work:
        """Wait for a collective."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._wait, name="npg.distributed", daemon=True)
            self._thread.start()
        self._last, work._operation.has_thread = work, True
        self._begun.put(work)
        return work

    def is_idle(self, seconds: float) -> bool:
        """Tell whether all is done that was begun; wait for it at most so long."""
        last = self._last
        return last is None or (last._done.wait(max(seconds, 0.0)) and last._operation.is_over)

    def _wait(self) -> None:
        while (work := self._begun.get()) is not None:
            work._run()
            del work

    def stop(self) -> None:
        """Wait for all that was begun, and end the thread, unless something was given up that it waits for."""
        thread, self._thread = self._thread, None
        if thread is not None and self._last is not None:
            self._begun.put(None)
            self._last.settle()
            if self._last._operation.is_over:
                thread.join()


def carry_out(operation: Operation, group: Any, async_op: bool, result: Any) -> Any:
    """Wait for a collective, or let the group's thread wait and return the Work."""
    if not async_op:
        operation.wait(group.timeout)
        return None
    MPI = load()
    if MPI.Query_thread() < MPI.THREAD_MULTIPLE:  # no other thread may wait
        return Message(operation, group.timeout, result)
    return group.waiter.take(Work(operation, group.timeout, result))
