"""The memory that npg, and the C library below it, keep for later: how much it is, and giving it back.

Tensors are NumPy arrays, made when they are needed and freed with their last reference; there is no pool of them. What
stays is little and bounded: temporaries of the fused kernels, a few constant arrays, and the free part of the C
library's heap, which serves the next arrays (npg/ops/_heap.py).
"""

from __future__ import annotations

from npg.ops._constants import drop_constants, held_by_constants
from npg.ops._heap import heap_bytes, trim_heap
from npg.ops._scratch import drop_scratch, held_by_scratch

__all__ = ["empty_cache", "memory_stats"]


def memory_stats() -> dict[str, int]:
    """Return what is kept, in bytes.

    Of npg, dropped by empty_cache:
        scratch_bytes: temporaries of fused kernels, of all threads alive. At most about 1 MB for each of the few that a
            kernel uses at the same time, in each thread.
        constant_bytes: arrays that kernels read in every call: ones, and masks of causal attention.
    Of the C library's heap, on which the arrays of NumPy, of npg and of everybody else in the process lie; only with
    glibc 2.33 or later, elsewhere these keys are absent:
        heap_used_bytes: in use. The two above are part of it.
        heap_free_bytes: freed, and kept for the next arrays. Some of its pages may not be in memory: those that
            empty_cache gave back from between used ones still count.
        heap_mapped_bytes: in use, by large arrays with pages of their own, which return to the system when freed.
    Small objects of Python are not counted; they have an allocator of their own.
    Source: torch.cuda.memory_stats in spirit; the keys are npg's.
    """
    heap = {f"heap_{name}_bytes": n for name, n in heap_bytes().items()}
    return {"scratch_bytes": held_by_scratch(), "constant_bytes": held_by_constants(), **heap}


def empty_cache() -> None:
    """Drop what npg keeps, and give free pages of the C library's heap back to the operating system.

    No tensor and no array of the user is touched, no result changes; the next calls are slower, because memory comes
    from the system again. It may be called while other threads compute.
    Source: torch.cuda.empty_cache in spirit.
    """
    drop_scratch()
    drop_constants()
    trim_heap()
