"""Temporaries that a kernel needs only while it runs, kept for the next call.

Fresh memory of some 100 kB and more comes from the operating system page by page, which can cost more than the
arithmetic done in it. A kernel that works in blocks needs only a few temporaries of a block's size: each thread keeps
those.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

__all__ = ["scratch"]

LIMIT = 1 << 20  # bytes; larger ones are made each time, so that what a thread holds is bounded
_SMALL = 1 << 14  # bytes; smaller ones come from the heap faster than from here
_PAGE = 1 << 12


class _Kept(threading.local):
    def __init__(self) -> None:
        self.buffers: dict[int, np.ndarray[Any, Any]] = {}


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
