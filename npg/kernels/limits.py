"""Sizes that the bits of results depend on. The C code reads them here too."""

from __future__ import annotations

# ----- Sums (sums.py) -----

ADDED_SINGLY = 64  # elements or rows; up to this many are added one after the other
ADDED_IN_A_RUN = 1 << 11  # elements of an inner product

# ----- Products (tiles.py): what OpenBLAS does -----

# Multiplications up to which a call of gemm stays in its thread: 65,536 x 4 in OpenBLAS's interface/gemm.c.
UNSHARED_GEMM = 1 << 18
# Above this a batch of one may be used: below it some versions have wrong kernels.
UNSHARED_BATCH = 1_000_000
# Elements up to which the product of a matrix and a vector, or of two vectors, stays in its thread.
UNSHARED_VECTOR = 8192
# A kernel for small matrices adds up k numbers one after the other: so many of them at once, where k is more than DEEP.
ADDED_IN_A_KERNEL = 128
DEEP = 512
SMALL_TILE = 1024  # elements of a tile for the kernels for small matrices
