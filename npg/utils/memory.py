"""The memory that npg, and the C library below it, keep for later: how much it is, and giving it back.

Tensors are NumPy arrays, made when they are needed and freed with their last reference. What stays is bounded:
temporaries of the fused kernels, a few constant arrays, where npg is compiled blocks of freed arrays for the next ones
(csrc/kernels/memory.h), and the free part of the C library's heap.
"""

from __future__ import annotations

from npg.kernels import core
from npg.kernels.buffers import drop_constants, drop_scratch, held_by_constants, held_by_scratch
from npg.kernels.heap import heap_bytes, trim_heap


def memory_stats() -> dict[str, int]:
    """Return what is kept, in bytes.

    Of npg, dropped by empty_cache:
        scratch_bytes: temporaries of fused kernels, of all threads alive. At most about 1 MB for each of the few that a
            kernel uses at the same time, in each thread.
        constant_bytes: arrays that kernels read in every call: ones, and masks of causal attention.
        block_bytes: memory of arrays of 1 kB and more that were freed, kept for the next ones, where npg is compiled.
            More than 64 MB of it stays only while it is used again and again, and is given back half a second later.
    Of the arrays themselves:
        block_used_bytes: of arrays alive that ops have made in such blocks, where npg is compiled; else 0.
    Of the C library's heap, on which the arrays of NumPy, of npg and of everybody else in the process lie; only with
    glibc 2.33 or later, elsewhere these keys are absent:
        heap_used_bytes: in use. The first two above are part of it, and so are blocks of up to 64 kB.
        heap_free_bytes: freed, and kept for the next arrays. Some of its pages may not be in memory: those that
            empty_cache gave back from between used ones still count.
        heap_mapped_bytes: in use, by large arrays with pages of their own, which return to the system when freed.
    Small objects of Python are not counted; they have an allocator of their own.
    Source: torch.cuda.memory_stats in spirit; the keys are npg's.
    """
    used, blocks = core.memory_held()
    return {
        "scratch_bytes": held_by_scratch(),
        "constant_bytes": held_by_constants(),
        "block_bytes": blocks,
        "block_used_bytes": used,
        **{f"heap_{name}_bytes": n for name, n in heap_bytes().items()},
    }


def empty_cache() -> None:
    """Drop what npg keeps, and give free pages of the C library's heap back to the operating system.

    No tensor and no array of the user is touched, no result changes; the next calls are slower, because memory comes
    from the system again. It may be called while other threads compute.
    Source: torch.cuda.empty_cache in spirit.
    """
    drop_scratch()
    drop_constants()
    core.drop_memory()
    trim_heap()
