"""What is under way between ranks: waiting for it, with an end, and going on with it beside a computation.

MPI goes on with a message only while somebody waits for it, or asks. So there is a thread that waits for what was begun
with async_op=True, without the interpreter; who waits in a script's own thread asks again and again, so that Ctrl-C and
the time limit of the group end it. Messages from rank to rank have no thread: they may be done in any order.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from npg.distributed._mpi import load
from npg.futures import Future

_BRIEF = 0.002  # seconds that are waited for without letting other processes have the processor
_LONG = 0.02  # seconds from which one asks only now and then
_SHARE, _PAUSE = 0.02, 2e-3  # of what has been waited for, and at most so many seconds


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
        requests: of MPI.
        name: of the operation, with the shapes of its tensors, for errors.
        finish: called once all requests are done; it writes the results where they belong.
        keep: memory that MPI reads and writes until then.
    """

    def __init__(
        self, requests: Sequence[Any], name: str, finish: Callable[[], object] | None = None, keep: Any = ()
    ) -> None:
        self.requests, self.name = list(requests), name
        self._finish, self._keep = finish, keep
        self.statuses = [load().Status() for _ in self.requests]

    def then(self, finish: Callable[[], object]) -> None:
        """Have finish() called once all requests are done."""
        self._finish = finish

    def ask(self) -> bool:
        """Tell whether all requests are done; MPI goes on with them meanwhile."""
        return bool(load().Request.Testall(self.requests, self.statuses))

    def block(self) -> None:
        """Wait without the interpreter, and without an end."""
        load().Request.Waitall(self.requests, self.statuses)

    def complete(self) -> None:
        """Write the results."""
        finish, self._finish = self._finish, None
        if finish is not None:
            finish()
        self._keep = ()

    def told(self, error: Exception, rank: int) -> str:
        """Return an error's text: that of MPI, which stands in the statuses where there are several requests."""
        MPI = load()
        texts = [str(error)]
        if isinstance(error, MPI.Exception) and error.Get_error_class() == MPI.ERR_IN_STATUS:
            codes = [status.error for status in self.statuses]
            texts = [MPI.Get_error_string(code).partition(",")[0] for code in codes if code != MPI.SUCCESS]
        return f"[Rank {rank}]: {self.name} failed: {'; '.join(texts)}{_HINT}"

    def cancel(self) -> None:
        """Give up receiving."""
        for request in self.requests:
            request.Cancel()
        self.block()

    def wait(self, limit: timedelta | None, rank: int) -> None:
        """Wait in the thread that computes, at most so long.

        Raises: DistBackendError: when MPI fails or the time is over. Then MPI may still write to the tensors.
        """
        start = time.monotonic()
        try:
            while not self.ask():
                waited = time.monotonic() - start
                if limit is not None and waited > limit.total_seconds():
                    _abandoned.append(self)
                    raise DistBackendError(_too_late(self.name, limit, rank))
                if waited > _BRIEF:
                    time.sleep(0 if waited < _LONG else min(_SHARE * waited, _PAUSE))
        except load().Exception as error:
            raise DistBackendError(self.told(error, rank)) from error
        except KeyboardInterrupt:
            _abandoned.append(self)
            raise
        self.complete()


def _too_late(name: str, limit: timedelta, rank: int) -> str:
    return f"[Rank {rank}]: Timed out waiting {limit.total_seconds() * 1000:.0f}ms for {name} operation to complete"


_abandoned: list[Operation] = []  # whose memory MPI may still use


class Work:
    """An operation that was begun. Source: torch.distributed.Work.

    Args:
        operation: it. rank: of this process in the group. limit: how long wait() waits.
        source: the rank, among all, that a message came from.
    """

    def __init__(
        self, operation: Operation, rank: int, limit: timedelta | None, result: Any = None,
        source: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        self._operation, self._rank, self._limit, self._result, self._source = operation, rank, limit, result, source
        self._future: Future[Any] = Future()
        self._error: Exception | None = None
        self._done = threading.Event()

    def _finish(self, error: Exception | None) -> None:
        self._error = error
        self._done.set()
        if error is None:
            self._future.set_result(self._result)
        else:
            self._future.set_exception(error)

    def _run(self) -> None:
        """Bring it to its end, in the thread that waits."""
        try:
            self._operation.block()
            self._operation.complete()
        except Exception as error:
            self._finish(DistBackendError(self._operation.told(error, self._rank)))
        else:
            self._finish(None)

    def wait(self, timeout: timedelta | None = None) -> bool:
        """Wait until the tensors hold the results; return True.

        Args: timeout: at most so long; None or 0: as long as the group allows.
        Raises: DistBackendError: when MPI has failed, or the time is over.
        """
        limit = timeout or self._limit
        if not self._done.wait(None if limit is None else limit.total_seconds()):
            assert limit is not None
            raise DistBackendError(_too_late(self._operation.name, limit, self._rank))
        if self._error is not None:
            raise self._error
        return True

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
        return self._future

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
                    self._operation.wait(limit, self._rank)
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
        self._last = work
        self._begun.put(work)
        return work

    def is_idle(self, seconds: float) -> bool:
        """Tell whether all is done that was begun; wait for it at most so long."""
        return self._last is None or self._last._done.wait(max(seconds, 0.0))

    def _wait(self) -> None:
        while (work := self._begun.get()) is not None:
            work._run()
            del work

    def stop(self) -> None:
        """Wait for all that was begun, and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._begun.put(None)
            thread.join()


def carry_out(operation: Operation, group: Any, async_op: bool, result: Any) -> Any:
    """Wait for a collective, or let the group's thread wait and return the Work."""
    if not async_op:
        operation.wait(group.timeout, group.rank())
        return None
    MPI = load()
    if MPI.Query_thread() < MPI.THREAD_MULTIPLE:  # no other thread may wait
        return Message(operation, group.rank(), group.timeout, result)
    return group.waiter.take(Work(operation, group.rank(), group.timeout, result))
