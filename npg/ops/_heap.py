"""Let the C library keep the memory of large arrays for the next ones.

glibc serves a request above its threshold, at first 128 kB, with pages fresh from the operating system and gives them
back when the array is freed. A network's activations are of that size: each is then paid for page by page in every
iteration, a quarter of a nanoGPT iteration's time. The threshold rises by itself to the size of the largest such array
freed, up to 32 MB, so one array that is made and freed untouched settles it: smaller ones come from the heap from then
on, of which up to 64 MB that are free stay with the process. Other C libraries do not mind.

MALLOC_MMAP_THRESHOLD_ or MALLOC_TRIM_THRESHOLD_ in the environment fixes the thresholds, and this has no effect.
Source: mallopt(3), M_MMAP_THRESHOLD; glibc, malloc/malloc.c, "Update in 2006".
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["heap_bytes", "keep_large_arrays", "trim_heap"]

_LARGEST = (32 << 20) - (64 << 10)  # bytes; with its header still within the 32 MB up to which the threshold follows


def keep_large_arrays() -> None:
    """Raise the C library's threshold; the memory is never touched, so this takes microseconds."""
    np.empty(_LARGEST, np.uint8)


# ----- What the heap holds -----


class _Mallinfo2(ctypes.Structure):
    """What glibc tells about its heap; see mallinfo2(3)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def _c_function(name: str) -> Callable[..., Any] | None:
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):  # TypeError: Windows, where a library needs a name
        return None


def heap_bytes() -> dict[str, int]:
    """Return how much of the heap is in use, is free, and how much has pages of its own; {} where nobody tells."""
    function = _c_function("mallinfo2")  # since glibc 2.33
    if function is None:
        return {}
    function.restype = _Mallinfo2  # type: ignore[attr-defined]
    info = function()
    return {"used": info.uordblks, "free": info.fordblks, "mapped": info.hblkhd}


def trim_heap() -> None:
    """Give the free pages of the heap back to the operating system, where the C library can."""
    function = _c_function("malloc_trim")
    if function is not None:
        function(ctypes.c_size_t(0))
