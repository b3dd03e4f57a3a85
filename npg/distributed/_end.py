"""How a process with process groups ends.

A process that ends with another status than 0 aborts MPI, which ends all of them, on all machines, with that status:
those that have waited for it do not wait for ever. One that ends well ends MPI. Python's atexit does not know the
status: csrc/kernels/ending.h asks the C library. Where that cannot tell, uncaught exceptions and calls of sys.exit are
watched.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import ctypes
import functools
import multiprocessing.util
import os
import stat
import sys
import threading
import time
from typing import Any

from npg.distributed import _departures, _mpi
from npg.distributed._work import is_idle
from npg.kernels import core

try:
    import fcntl
    import termios
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PATIENCE = 3.0  # seconds that a process waits in the end for what it has begun
_SHARED = "/dev/shm/mpich_shm_"
_status = 0  # that the process is about to end with, as far as Python has seen


_begun = False


def begin(groups: list[Any]) -> None:
    """Prepare the end of this process, once.

    Args: groups: the list of the process groups that are in use.
    """
    global _begun
    if _begun:
        return
    _begun = True
    MPI = _mpi.load()
    library = ctypes.CDLL(MPI.__file__)
    functions = (library.MPI_Finalize, library.MPI_Finalized, library.MPI_Abort)
    addresses = [ctypes.cast(function, ctypes.c_void_p).value for function in functions]
    world = MPI._handleof(MPI.COMM_WORLD)
    knows_status = core.end_mpi_later is not None and core.end_mpi_later(*addresses, world)
    _drop_names_of_shared_memory()
    _departures.begin()
    if not knows_status:
        _watch_exits()
    if multiprocessing.parent_process() is not None:  # it may end by os._exit
        multiprocessing.util.Finalize(None, _end_child, (os.getpid(), groups), exitpriority=-100)
    threading.excepthook = functools.partial(_end_with_thread, threading.excepthook)
    atexit.register(_end, knows_status, os.getpid(), groups)


def _drop_names_of_shared_memory() -> None:
    """Unlink the memory that MPICH's processes of this machine share: else it stays when they are killed.

    All of them have it: they have begun MPI, and have made a group since.
    """
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
            names = {line.split()[-1] for line in file if f" {_SHARED}" in line}
    except OSError:  # no Linux
        return
    for name in names:
        with contextlib.suppress(OSError):
            os.unlink(name)


def _end_child(owner: int, groups: list[Any]) -> None:
    """End MPI in a process of multiprocessing that has done its work: the C library may not get to know its end."""
    if sys.exc_info()[0] is None:
        _end(False, owner, groups)


def _end(knows_status: bool, owner: int, groups: list[Any]) -> None:
    """Wait for what was begun, and end MPI unless the C library does that."""
    if os.getpid() != owner or _mpi.load().Is_finalized():  # a forked child, or one of multiprocessing
        return
    raised = hasattr(sys, "last_value")  # and has been printed
    hand_over_output()
    is_over = raised or is_idle(groups, _PATIENCE)
    if not is_over:
        rank = _mpi.load().COMM_WORLD.rank
        print(f"[rank{rank}]: ended while operations between the ranks were under way", file=sys.stderr)
    if not knows_status and (_status or not is_over or raised):
        _leave(_status or 1)
    if not is_over:
        core.end_mpi_with(1)  # unless the process ends with a status of its own
    if not raised:
        _departures.tell(groups)
    if not knows_status:
        _mpi.load().Finalize()


def hand_over_output() -> None:
    """Write what was printed, and wait until mpiexec has read it: it drops what is in a pipe when it ends all."""
    last = time.monotonic() + _PATIENCE
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
            number = stream.fileno()
            while fcntl is not None and _unread(number) and time.monotonic() < last:
                time.sleep(0.001)
        except (AttributeError, OSError, ValueError):  # closed, no file, or a full disk
            pass


def _unread(number: int) -> bool:
    if not stat.S_ISFIFO(os.fstat(number).st_mode):
        return False
    return any(fcntl.ioctl(number, termios.FIONREAD, bytes(4)))


def _leave(status: int) -> None:
    hand_over_output()
    _mpi.load().COMM_WORLD.Abort(status)
    os._exit(status)


def _end_with_thread(before: Any, what: Any) -> None:
    """Print the exception of a thread, and end the process: the other ranks would wait for it."""
    before(what)
    if what.exc_type is not SystemExit:
        _leave(1)


def _watch_exits() -> None:
    def noting(leave: Any) -> Any:
        @functools.wraps(leave)
        def note(*arguments: Any) -> Any:
            global _status
            code = arguments[0] if arguments else None
            _status = code if isinstance(code, int) else int(code is not None)
            return leave(*arguments)

        return note

    sys.exit = noting(sys.exit)
    for name in ("exit", "quit"):
        if hasattr(builtins, name):
            setattr(builtins, name, noting(getattr(builtins, name)))
