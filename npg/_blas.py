"""Has NumPy loaded so that the threads of its matrix products sleep soon after each product.

OpenBLAS lets its threads spin for a tenth of a second after a product, in case the next one comes. On a machine of two
processors the second is then busy with nothing, and a kernel that shares its work with a second thread (npg/ops/
_parallel.py) gains nothing. OpenBLAS reads how long they spin when it is loaded: 2^18 ticks here, about 0.1 ms, which
costs products that follow each other nothing. Where NumPy was loaded before npg it is too late, and kernels stay on one
thread; the environment's own OPENBLAS_THREAD_TIMEOUT is left as it is.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

__all__ = ["numpy_loading", "threads_sleep"]

_VARIABLE = "OPENBLAS_THREAD_TIMEOUT"

# Known before NumPy is loaded: whether it said so itself, or (macOS) has a BLAS whose threads do not spin.
threads_sleep = _VARIABLE in os.environ or sys.platform == "darwin"


@contextlib.contextmanager
def numpy_loading() -> Iterator[None]:
    """Within this, NumPy is imported; outside the environment is as before, for other processes inherit it."""
    global threads_sleep
    if threads_sleep or "numpy" in sys.modules:
        yield
        return
    os.environ[_VARIABLE] = "18"
    try:
        yield
    finally:
        del os.environ[_VARIABLE]
    threads_sleep = True
