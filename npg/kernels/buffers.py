"""Arrays that outlive a call, so that the next call need not make them: temporaries and constants.

*Temporaries.* Fresh memory of some 100 kB and more comes from the operating system page by page, which can cost more
than the arithmetic done in it. A kernel that works in blocks needs only a few temporaries of a block's size: each
thread keeps those until it ends or they are dropped.

*Constants*, such as the ones for a sum or the mask of a tile, are read in every call. The module that caches some
bounds their number and size; all caches are registered here, to be counted and dropped.

A kernel that uses one of these arrays holds a reference of its own.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LIMIT = 1 << 20  # bytes; larger arrays are made anew each time, so that the memory of a thread is bounded
_SMALL = 1 << 14  # bytes; smaller arrays come from the heap faster than from here
_PAGE = 1 << 12


# ----- Temporaries -----


class _Buffers(dict[int, Array]):
    """The buffers of one thread by slot: views of the arrays that are their base."""

    __slots__ = ("__weakref__",)


_of_threads: weakref.WeakValueDictionary[int, _Buffers] = weakref.WeakValueDictionary()


class _OfThread(threading.local):
    def __init__(self) -> None:  # once in each thread
        self.buffers = _Buffers()
        _of_threads[id(self.buffers)] = self.buffers


_this_thread = _OfThread()


def scratch(slot: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return an uninitialised array that belongs to the caller until it returns.

    Args:
        slot: distinguishes the temporaries that one kernel uses at the same time: 0, 1, ...
        shape, dtype: those of the array.
    """
    n = dtype.itemsize
    for k in shape:
        n *= k
    if not _SMALL < n <= LIMIT:
        return np.empty(shape, dtype)
    buffer = _this_thread.buffers.get(slot)
    if buffer is None or len(buffer) < n:
        # Large arrays start near the start of a page. A processor that compares only the lower bits of addresses makes
        # a load wait for an earlier store at the same offset in another page, and a loop up to ten times slower
        # (4K aliasing). So these arrays start at another offset, a different one for each slot.
        buffer = np.empty(min(LIMIT, 2 * n) + 2 * _PAGE, np.uint8)
        start = -buffer.__array_interface__["data"][0] % _PAGE + 1024 + 512 * (slot % 6)
        buffer = _this_thread.buffers[slot] = buffer[start : start + min(LIMIT, 2 * n)]
    return np.ndarray(shape, dtype, buffer)


def _alive() -> list[_Buffers]:
    # valuerefs() makes the list in one step, so other threads may start and end meanwhile.
    return [buffers for ref in _of_threads.valuerefs() if (buffers := ref()) is not None]


def held_by_scratch() -> int:
    """Return the bytes of temporaries that living threads hold."""
    total = 0
    for buffers in _alive():
        for buffer in buffers.copy().values():
            assert buffer.base is not None
            total += buffer.base.nbytes
    return total


def drop_scratch() -> None:
    """Forget the buffers of all threads; those in use are freed when their kernel returns."""
    for buffers in _alive():
        buffers.clear()


# ----- Constants -----

_all: list[dict[Any, Array]] = []


def constants() -> dict[Any, Array]:
    """Return a new dict as a cache of read-only arrays, which may be emptied at any time."""
    cache: dict[Any, Array] = {}
    _all.append(cache)
    return cache


def held_by_constants() -> int:
    """Return the bytes of all cached constants."""
    # A copy is made in one step, so another thread may add an array meanwhile.
    return sum(array.nbytes for cache in _all for array in cache.copy().values())


def drop_constants() -> None:
    """Empty all caches of constants."""
    for cache in _all:
        cache.clear()
