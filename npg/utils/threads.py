"""The number of threads of NumPy's matrix products, and of npg's kernels on large arrays."""

from __future__ import annotations

import ctypes

from npg.kernels.openblas import function
from npg.kernels.parallel import requested, set_limit


def get_num_threads() -> int:
    """Return the number of threads of matrix products. Source: torch.get_num_threads."""
    ask = function("get_num_threads")
    if ask is not None:
        return int(ask())
    return requested()


def set_num_threads(num: int) -> None:
    """Set the number of threads of matrix products, and of kernels on large arrays.

    It acts on OpenBLAS, which NumPy's wheels include; with another BLAS set OMP_NUM_THREADS (or MKL_NUM_THREADS) before
    Python starts.
    Raises: TypeError: when num is no int. RuntimeError: when it is not positive.
    Source: torch.set_num_threads.
    """
    if isinstance(num, bool) or not isinstance(num, int):
        raise TypeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    set_limit(num)
    tell = function("set_num_threads")
    if tell is not None:
        tell(ctypes.c_int(num))
