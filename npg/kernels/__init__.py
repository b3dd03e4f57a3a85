"""How NumPy's loops and BLAS are called: in blocks that stay in the cache, in tiles, in threads, without losing digits.

What is measured to take long has an implementation in C, `_cython` (csrc/kernels). `core` is that, or `_python`, with
which the modules of this room do all of it by NumPy's own functions: the same results, bit for bit.
"""

from npg._compiled import choose

core, why = choose(__name__, ("attend", "compile_steps", "drop_memory", "memory_held", "multiply", "name"))
