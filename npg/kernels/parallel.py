"""Large work in several threads: `split` runs one function on parts of a range in parallel.

NumPy's loops, matrix products and the programs in C release the GIL while they run, so threads of one process can
share a kernel whose parts do not depend on each other: blocks of elements, sequences of a batch. Each part computes
what it would compute alone, so results do not depend on the number of threads. Handing a part to a thread takes some
20 microseconds; work that takes less than `WORTH` is not split.

OpenBLAS lets its threads spin for a tenth of a second after each product, in case the next one comes: a second thread
of npg then finds its processor busy with nothing. So kernels are shared only where npg's own products leave those
threads alone (npg/kernels/tiles.py), or where nothing spins: with OPENBLAS_THREAD_TIMEOUT, or on macOS. In C there are
threads that need no interpreter (csrc/kernels/pool.h). With NPG_POOL=0 npg makes no threads and shares nothing.

The number of threads is that of `npg.set_num_threads`, else OMP_NUM_THREADS, else the processors this process may use;
and never more than OpenBLAS may currently use, so that threadpoolctl's limits hold here too.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from npg._floating import silent
from npg.kernels.openblas import APART, function

WORTH = 100_000  # nanoseconds of one thread from which it pays to split work

Work = Callable[[int, int], None]


def _is_free() -> bool:
    """Tell whether npg may make threads, and the threads of matrix products leave processors to them."""
    pool = os.environ.get("NPG_POOL", "1")
    if pool not in ("0", "1"):
        raise ValueError(f"expected NPG_POOL to be 0 or 1, got {pool!r}; 0: npg makes no threads of its own")
    return pool == "1" and (APART or "OPENBLAS_THREAD_TIMEOUT" in os.environ or sys.platform == "darwin")


def _configured() -> int:
    text = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if text.isdigit() and int(text):
        return int(text)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Job:
    """Parts of one call: every participating thread, including the caller, takes the next part until none is left.

    Nothing is shared with other calls, so nothing has to be given back: a caller that is interrupted while it waits
    leaves, and threads finish the parts that they have begun.
    """

    def __init__(self, work: Work, parts: list[tuple[int, int]]) -> None:
        self.work: Work | None = work
        self.parts, self.count = iter(parts), len(parts)
        self.endings = itertools.count(1)  # taking the next is atomic: one thread alone ends the last part
        self.errors: list[BaseException] = []
        self.ended = threading.Lock()
        self.ended.acquire()

    def take(self) -> None:
        """Compute parts until none is left."""
        before = inside.part
        try:
            inside.part = True
            for start, stop in self.parts:  # taking the next one is atomic
                try:
                    assert self.work is not None
                    self.work(start, stop)
                except BaseException as error:  # an interrupt too: the other threads are in memory of the caller
                    self.errors.append(error)
                if next(self.endings) == self.count:
                    self.ended.release()
        finally:
            inside.part = before

    def run(self) -> None:
        """Compute all parts, with the help of the threads that come in time."""
        try:
            self.take()
            self.ended.acquire()
        finally:
            self.parts, self.work = iter(()), None
        if self.errors:
            raise self.errors[0]


class _Inside(threading.local):
    """Whether this thread computes a part of a job: what it calls is not shared again."""

    part = False


inside = _Inside()


def _help(jobs: Any) -> None:
    """Take part in one job after the other."""
    with silent():  # like the thread that runs the op
        while True:
            jobs.get().take()


class _Pool:
    def __init__(self) -> None:
        self.is_free = _is_free()
        self.limit = _configured()
        self.get_products = function("get_num_threads")  # OpenBLAS's
        self.lock = threading.Lock()
        self.jobs: Any = None  # a queue of jobs, once there are threads
        self.helpers = 0


_pool = _Pool()


def _forget() -> None:
    """Forget the threads: in a forked process there are none."""
    _pool.lock, _pool.jobs, _pool.helpers = threading.Lock(), None, 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def limit() -> int:
    """Return the number of threads that share a kernel: 1 where threads of matrix products spin."""
    if not _pool.is_free:
        return 1
    return _pool.limit if _pool.get_products is None else min(_pool.limit, int(_pool.get_products()))


def requested() -> int:
    """Return the number of threads that is set, whether or not kernels may be shared."""
    return _pool.limit


def set_limit(threads: int) -> None:
    """Let at most this many threads share a kernel, including the calling one."""
    _pool.limit = threads


def split(count: int, work: Work, nanoseconds: float, grain: int = 1) -> None:
    """Call work(start, stop) on parts that cover range(count).

    Args:
        work: computes the part from start to stop; parts may run at the same time.
        nanoseconds: the approximate time of one thread for all of it.
        grain: parts begin at multiples of this.
    Raises: what work raises; all parts have ended then.
    """
    threads = 1 if inside.part else min(limit(), int(nanoseconds / (0.5 * WORTH)), -(-count // grain))
    if threads < 2:
        work(0, count)
        return
    size = -(-count // (threads * grain)) * grain
    job = _Job(work, [(start, min(start + size, count)) for start in range(0, count, size)])
    for _ in range(min(job.count - 1, _helpers(threads - 1))):
        _pool.jobs.put(job)
    job.run()


def _helpers(count: int) -> int:
    """Start threads until `count` wait for jobs, or as many as can be made; return how many there are."""
    with _pool.lock:
        if _pool.jobs is None:
            import queue  # only loaded when it is used

            _pool.jobs = queue.SimpleQueue()
        while _pool.helpers < count:
            try:
                threading.Thread(target=_help, args=(_pool.jobs,), name="npg worker", daemon=True).start()
            except RuntimeError:  # can't start new thread
                break
            _pool.helpers += 1
        return _pool.helpers
