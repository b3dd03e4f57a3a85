"""Large work in several threads: `split` runs one function on parts of a range side by side.

NumPy's loops, matrix products and the Cython engine's programs let go of the interpreter while they run, so threads of
one process can share a kernel whose parts do not depend on each other: blocks of elements, sequences of a batch. Each
part computes what it would compute alone, so results do not depend on the number of threads. A thread is handed its
part in some 20 microseconds; work that takes less than `WORTH` is not split.

OpenBLAS lets its threads spin for a tenth of a second after each product, in case the next one comes: a second thread
of ours then finds its processor busy with nothing. So the Cython engine has OpenBLAS hand the parts of its products to
the engine's own pool (csrc/engine/pool.h), whose threads wait a millisecond and serve programs too. Kernels are shared
where that was done (NPG_POOL=0 leaves OpenBLAS alone), and where nothing spins: with OPENBLAS_NUM_THREADS=1, with
OPENBLAS_THREAD_TIMEOUT, on macOS.

The number of threads is that of matrix products: `npg.set_num_threads`, else OMP_NUM_THREADS, else the processors this
process may use.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from npg.ops._openblas import function

__all__ = ["WORTH", "limit", "products_handed_over", "products_held", "set_limit", "split", "wanted"]

WORTH = 100_000  # nanoseconds of one thread from which it pays to split work

Work = Callable[[int, int], None]


def _is_free() -> bool:
    """Tell whether the threads of matrix products leave processors to others."""
    alone = os.environ.get("OPENBLAS_NUM_THREADS", "").strip() == "1"
    return alone or "OPENBLAS_THREAD_TIMEOUT" in os.environ or sys.platform == "darwin"


def _given() -> int:
    text = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if text.isdigit() and int(text):
        return int(text)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """A thread that waits for parts."""

    def __init__(self) -> None:
        self.started, self.done = threading.Lock(), threading.Lock()
        self.started.acquire()
        self.done.acquire()
        self.part: tuple[Work, int, int] | None = None
        self.error: BaseException | None = None
        threading.Thread(target=self._run, name="npg worker", daemon=True).start()

    def _run(self) -> None:
        with np.errstate(all="ignore"):  # as an op's caller has it
            while True:
                self.started.acquire()
                assert self.part is not None
                work, start, stop = self.part
                try:
                    work(start, stop)
                except BaseException as error:
                    self.error = error
                self.part = work = None  # type: ignore[assignment]  # nothing is kept while the thread waits
                self.done.release()

    def begin(self, work: Work, start: int, stop: int) -> None:
        self.part, self.error = (work, start, stop), None
        self.started.release()

    def end(self) -> BaseException | None:
        """Wait for the part; return what it raised."""
        self.done.acquire()
        error, self.error = self.error, None
        return error


class _Pool:
    def __init__(self) -> None:
        self.is_free = _is_free()
        self.limit = _given()
        self.get_products = function("get_num_threads")  # OpenBLAS's
        self.set_products = function("set_num_threads")
        self.workers: list[_Worker] = []
        self.busy = threading.Lock()


_pool = _Pool()


def _forget() -> None:
    """In a forked process: the threads are not there."""
    _pool.workers, _pool.busy = [], threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def limit() -> int:
    """Return how many threads share a kernel: 1 where threads of matrix products spin."""
    return _pool.limit if _pool.is_free else 1


def wanted() -> int:
    """Return how many threads were asked for, whether or not kernels may be shared."""
    return _pool.limit


def set_limit(threads: int) -> None:
    """Let at most this many threads share a kernel, the calling one among them."""
    _pool.limit = threads


def products_handed_over() -> None:
    """Note that the engine's pool runs the parts of matrix products. The Cython engine calls this."""
    _pool.is_free = True


@contextlib.contextmanager
def products_held() -> Iterator[None]:
    """Hold OpenBLAS to one thread: it would cut a product for its threads, and bits would depend on how many it has."""
    taken = _take()
    try:
        yield
    finally:
        _give_back(taken)


def _take() -> int:
    """Take the threads and hold products to one each. Return what _give_back takes, below 0 where they are not free.

    The engine's pool has the same two functions in C, and the same lock (csrc/engine/threads.pxi).
    """
    if not _pool.busy.acquire(blocking=False):
        return -1
    if _pool.get_products is None or _pool.set_products is None:
        return 0
    products: int = _pool.get_products()
    _pool.set_products(1)
    return products


def _give_back(taken: int) -> None:
    """End what _take began."""
    if taken >= 0:
        if taken:
            _pool.set_products(taken)
        _pool.busy.release()


def split(count: int, work: Work, nanoseconds: float, grain: int = 1) -> None:
    """Call work(start, stop) so that the parts cover range(count).

    Args:
        work: computes the part from start to stop; parts may run at the same time.
        nanoseconds: about how long one thread takes for all of it.
        grain: parts begin at multiples of this.
    Raises: what work raises; all parts have ended then.
    """
    threads = min(limit(), int(nanoseconds / (0.5 * WORTH)), -(-count // grain))
    taken = _take() if threads > 1 else -1  # each part multiplies on its own thread: the others are busy
    if taken < 0:
        work(0, count)
        return
    errors: list[Any] = []
    try:
        while len(_pool.workers) < threads - 1:
            _pool.workers.append(_Worker())
        size = -(-count // (threads * grain)) * grain
        starts = list(range(size, count, size))
        workers = _pool.workers[: len(starts)]
        for worker, start in zip(workers, starts, strict=True):
            worker.begin(work, start, min(start + size, count))
        try:
            work(0, min(size, count))
        except Exception as error:
            errors.append(error)
        errors += [worker.end() for worker in workers]
    except BaseException:  # Ctrl-C: the threads end their parts by themselves, and are not asked again
        _pool.workers = []
        raise
    finally:
        _give_back(taken)
    for raised in errors:
        if raised is not None:
            raise raised
