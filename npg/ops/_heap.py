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

import numpy as np

__all__ = ["keep_large_arrays"]

_LARGEST = (32 << 20) - (64 << 10)  # bytes; with its header still within the 32 MB up to which the threshold follows


def keep_large_arrays() -> None:
    """Raise the C library's threshold; the memory is never touched, so this takes microseconds."""
    np.empty(_LARGEST, np.uint8)
