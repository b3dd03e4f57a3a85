"""Calls of NumPy's loops and BLAS: in blocks that stay in the cache, in tiles, in threads, without losing digits.

What measurably takes long has an implementation in C, `_cython` (csrc/kernels). `core` is that or `_python`, with which
the modules of this package do everything by NumPy's own functions: the same results, bit for bit.
"""

from npg._compiled import choose

_NAMES = (
    *("address", "attend", "attend_back", "can_fold", "compile_steps", "correlate", "depthwise", "depthwise_spread"),
    *("depthwise_weigh", "drop_memory", "end_mpi_later", "end_mpi_with", "fold", "holds_words", "is_for_blas"),
    *("largest", "linear", "memory_held", "multiply", "name", "put", "put_even", "recurrent", "recurrent_back"),
    *("select", "spread", "take_long_words", "take_trials", "take_words", "transpose", "weigh", "winograd"),
    "winograd_weigh",
)
core, why = choose(__name__, _NAMES)
