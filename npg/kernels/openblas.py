"""The OpenBLAS that NumPy multiplies matrices with, where it is one: its own functions, found by name.

npg changes none of its settings: they are the whole process's. What it needs to know is when a product stays in the
thread that asks for it, because npg hands parts of products to threads of its own, and OpenBLAS's threads spin for a
tenth of a second after each product that they shared.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
from typing import Any

import numpy as np

# The names of OpenBLAS's functions and of CBLAS's, as NumPy's wheels, conda and distributions build it.
_NAMES = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")
_CBLAS = ("scipy_cblas_{}64_", "scipy_cblas_{}", "cblas_{}64_", "cblas_{}")


@functools.cache  # several functions are looked up when npg is imported
def _library() -> ctypes.CDLL | None:
    umath: Any = importlib.import_module("numpy._core._multiarray_umath")
    try:
        return ctypes.CDLL(umath.__file__)  # finds what the file is linked with, too
    except OSError:
        return None


def _find(names: tuple[str, ...], what: str) -> tuple[Any, str]:
    library = _library()
    if library is not None:
        for name in names:
            found = getattr(library, name.format(what), None)
            if found is not None:
                return found, name
    return None, ""


def function(what: str) -> Any:
    """Return OpenBLAS's function openblas_<what>, or None where NumPy has another BLAS or one without it."""
    return _find(_NAMES, what)[0]


def _cblas(what: str) -> tuple[Any, int]:
    """Return OpenBLAS's function cblas_<what> and the bytes of its integers; (None, 0) where there is none."""
    if function("get_config") is None:
        return None, 0
    found, name = _find(_CBLAS, what)
    return (None, 0) if found is None else (found, 8 if name.endswith("64_") or b"USE64BITINT" in _config() else 4)


def kernels() -> str | None:
    """Return the name of the processor for which OpenBLAS's kernels are, or None where NumPy has another BLAS."""
    return _text("get_corename").decode() or None


def _config() -> bytes:
    return _text("get_config")


def _text(what: str) -> bytes:
    ask = function(what)
    if ask is None:
        return b""
    ask.restype = ctypes.c_char_p
    found: bytes = ask()
    return found


# ----- Which products stay in the thread that asks for them -----

_parallel = function("get_parallel")
_threads = None if _parallel is None else int(_parallel())  # 1: POSIX threads, 2: OpenMP's
IS_SEQUENTIAL = _threads == 0
SHARES = _threads == 1  # products go to threads of OpenBLAS, but for small ones and batches of one
BATCHES = {np.dtype(dtype): _cblas(f"{char}gemm_batch") for dtype, char in (("f4", "s"), ("f8", "d"))}
APART = IS_SEQUENTIAL or (SHARES and all(batch is not None for batch, _ in BATCHES.values()))  # all can be made to
