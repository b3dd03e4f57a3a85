"""Arrays that outlive a call, so that the next one need not make them: temporaries, and constants.

*Temporaries.* Fresh memory of some 100 kB and more comes from the operating system page by page, which can cost more
than the arithmetic done in it. A kernel that works in blocks needs only a few temporaries of a block's size: each
thread keeps those, until it ends or someone drops them.

*Constants*, ones for a sum or the mask of a tile, are read in every call. Who keeps some bounds their number and size;
all of them are known here, to be counted and to be dropped.

A kernel that is using one of these arrays has a reference of its own.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LIMIT = 1 << 20  # bytes; larger ones are made each time, so that what a thread holds is bounded
_SMALL = 1 << 14  # bytes; smaller ones come from the heap faster than from here
_PAGE = 1 << 12


# ----- Temporaries -----


class _Buffers(dict[int, Array]):
    """The buffers of one thread by slot: parts of the arrays that are their base."""

    __slots__ = ("__weakref__",)


_of_threads: weakref.WeakValueDictionary[int, _Buffers] = weakref.WeakValueDictionary()


class _Kept(threading.local):
    def __init__(self) -> None:  # once in each thread
        self.buffers = _Buffers()
        _of_threads[id(self.buffers)] = self.buffers


_kept = _Kept()


def scratch(slot: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
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


def _alive() -> list[_Buffers]:
    # The list of references is made in one step: other threads come and go.
    return [buffers for ref in _of_threads.valuerefs() if (buffers := ref()) is not None]


def held_by_scratch() -> int:
    """Return the bytes that the threads alive keep."""
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
    """Return a new dict for read-only arrays; any of them may be gone at the next look."""
    kept: dict[Any, Array] = {}
    _all.append(kept)
    return kept


def held_by_constants() -> int:
    """Return the bytes of all arrays kept."""
    # A copy is made in one step: another thread may be keeping one more.
    return sum(array.nbytes for kept in _all for array in kept.copy().values())


def drop_constants() -> None:
    """Forget the arrays."""
    for kept in _all:
        kept.clear()
