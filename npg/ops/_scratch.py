"""Temporaries that a kernel needs only while it runs, kept for the next call.

Fresh memory of some 100 kB and more comes from the operating system page by page, which can cost more than the
arithmetic done in it. A kernel that works in blocks needs only a few temporaries of a block's size: each thread keeps
those, until it ends or someone drops them. A kernel that is using one has a reference of its own.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np

__all__ = ["drop_scratch", "held_by_scratch", "scratch"]

LIMIT = 1 << 20  # bytes; larger ones are made each time, so that what a thread holds is bounded
_SMALL = 1 << 14  # bytes; smaller ones come from the heap faster than from here
_PAGE = 1 << 12


class _Buffers(dict[int, np.ndarray[Any, Any]]):
    """The buffers of one thread by slot: parts of the arrays that are their base."""

    __slots__ = ("__weakref__",)


_of_threads: weakref.WeakValueDictionary[int, _Buffers] = weakref.WeakValueDictionary()


class _Kept(threading.local):
    def __init__(self) -> None:  # once in each thread
        self.buffers = _Buffers()
        _of_threads[id(self.buffers)] = self.buffers


_kept = _Kept()


def scratch(slot: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return an uninitialised array that is the caller's until it returns.

    Args:
        slot: tells apart the temporaries that one kernel uses at the same time: 0, 1, ...
        shape: its shape.
        dtype: its dtype.
    """
    n = dtype.itemsize
    for k in shape:
        n *= k
    if not _SMALL < n <= LIMIT:
        return np.empty(shape, dtype)
    buffer = _kept.buffers.get(slot)
    if buffer is None or len(buffer) < n:
        # Large arrays start near the start of a page. A processor that compares only the lower bits of addresses lets a
        # load wait for an earlier store at the same place of another page, and a loop is then up to ten times slower.
        # So these start at another place, and each slot at one of its own.
        buffer = np.empty(min(LIMIT, 2 * n) + 2 * _PAGE, np.uint8)
        start = -buffer.__array_interface__["data"][0] % _PAGE + 1024 + 512 * (slot % 6)
        buffer = _kept.buffers[slot] = buffer[start : start + min(LIMIT, 2 * n)]
    return np.ndarray(shape, dtype, buffer)


# ----- The buffers of all threads -----


def _alive() -> list[_Buffers]:
    # The list of references is made in one step: other threads come and go.
    return [buffers for ref in _of_threads.valuerefs() if (buffers := ref()) is not None]


def held_by_scratch() -> int:
    """Return the bytes that the threads alive keep."""
    found = 0
    for buffers in _alive():
        for buffer in buffers.copy().values():
            assert buffer.base is not None
            found += buffer.base.nbytes
    return found


def drop_scratch() -> None:
    """Forget the buffers of all threads; those in use are freed when their kernel returns."""
    for buffers in _alive():
        buffers.clear()
