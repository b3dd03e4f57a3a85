"""No process outlives the one that it works for, however that one ends. On Linux; elsewhere nothing is done.

mpiexec starts a proxy, and the proxy the ranks. Who is killed by the signal KILL cannot end what he has started: the
kernel does it for him.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def end_with_parent(number: int = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when the process that has started it ends; a later exec keeps that."""
    _prctl(_PR_SET_PDEATHSIG, number)


def adopt_descendants() -> frozenset[int]:
    """Become the parent of later descendants whose parents end, so that `end_descendants` finds them.

    Returns: the children that are there already, which it is to spare.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    return frozenset(_children(os.getpid()))


def _children(pid: int | str) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:  # it has ended, or this is no Linux
        return []


def _descendants(pid: int, others: frozenset[int]) -> list[int]:
    found = [child for child in _children(pid) if child not in others]
    for child in found:
        found += _children(child)  # the loop goes over these, too
    return found


def end_descendants(others: frozenset[int], patience: float = 5.0) -> None:
    """Kill all processes that this one has started, directly or not, but those children, and wait for its own."""
    last = time.monotonic() + patience
    while (found := _descendants(os.getpid(), others)) and time.monotonic() < last:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # it is a child's, and the next turn finds it
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.01)
