"""How many threads NumPy's matrix products use, and npg's kernels where large work is shared."""

from __future__ import annotations

import ctypes
import importlib
import os
from collections.abc import Callable
from typing import Any

from npg.ops._parallel import set_limit

__all__ = ["get_num_threads", "set_num_threads"]

# The names under which OpenBLAS lets itself be asked, as NumPy's wheels, conda and distributions build it.
_NAMES = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")
_asked: int | None = None


def _openblas(what: str) -> Callable[..., Any] | None:
    umath: Any = importlib.import_module("numpy._core._multiarray_umath")
    try:
        library = ctypes.CDLL(umath.__file__)  # finds what the file is linked with, too
    except OSError:
        return None
    for name in _NAMES:
        function = getattr(library, name.format(what), None)
        if function is not None:
            return function
    return None


def get_num_threads() -> int:
    """Return how many threads matrix products use. Source: torch.get_num_threads."""
    function = _openblas("get_num_threads")
    if function is not None:
        return int(function())
    return _asked or int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def set_num_threads(num: int) -> None:
    """Let matrix products, and kernels that share large work, use so many threads.

    It acts on OpenBLAS, which NumPy's wheels bring along; with another BLAS set OMP_NUM_THREADS (or MKL_NUM_THREADS)
    before Python starts.
    Raises: TypeError: when num is no int. RuntimeError: when it is not positive.
    Source: torch.set_num_threads.
    """
    global _asked
    if isinstance(num, bool) or not isinstance(num, int):
        raise TypeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    _asked = num
    set_limit(num)
    function = _openblas("set_num_threads")
    if function is not None:
        function(ctypes.c_int(num))
