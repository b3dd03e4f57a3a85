"""The memory that npg and the C library keep for reuse: its size, and its release.

Tensors are NumPy arrays, allocated on demand and freed with their last reference. What is kept is bounded: temporaries
of the fused kernels, a few constant arrays, with the compiled extension blocks of freed arrays for reuse
(csrc/kernels/memory.h), and the free part of the C library's heap.
"""

from __future__ import annotations

from npg.kernels import core
from npg.kernels.buffers import drop_constants, drop_scratch, held_by_constants, held_by_scratch
from npg.kernels.heap import heap_bytes, trim_heap


def memory_stats() -> dict[str, int]:
    """Return the amounts of memory kept, in bytes.

    Kept by npg, released by empty_cache:
        scratch_bytes: temporaries of fused kernels, of all living threads. At most about 1 MB for each of the few that
            a kernel uses at the same time, per thread.
        constant_bytes: arrays that kernels read in every call: ones, and masks of causal attention.
        block_bytes: freed memory of arrays of 1 kB and more, kept for reuse, with the compiled extension. More than
            64 MB is kept only while it is in steady use, and is released half a second later.
    In use by arrays:
        block_used_bytes: living arrays that ops have created in such blocks, with the compiled extension; else 0.
    The C library's heap, shared by NumPy, npg and all other code in the process; these keys exist only with glibc 2.33
    or later:
        heap_used_bytes: in use, including the first two above and blocks of up to 64 kB.
        heap_free_bytes: freed, and kept for reuse. Pages between used ones that empty_cache has released still count,
            though they are not in memory.
        heap_mapped_bytes: in use by large arrays with pages of their own, which are returned to the system when freed.
    Small Python objects, which have their own allocator, are not counted.
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
    """Release the memory that npg keeps, and return free pages of the C library's heap to the operating system.

    No tensor or array in use is affected, no result changes; the next calls are slower, because they allocate from the
    system again. It may be called while other threads compute.
    Source: torch.cuda.empty_cache in spirit.
    """
    drop_scratch()
    drop_constants()
    core.drop_memory()
    trim_heap()
