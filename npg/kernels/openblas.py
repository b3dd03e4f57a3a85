"""The functions of the OpenBLAS that NumPy multiplies matrices with, if it uses OpenBLAS, found by name.

npg changes none of its settings, which belong to the whole process. It needs to know when a product stays in the
calling thread, because npg hands parts of products to threads of its own, and OpenBLAS's threads spin for a tenth of a
second after each product that they shared.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
from typing import Any

import numpy as np

# The names of OpenBLAS's own functions and of CBLAS, as built by NumPy's wheels, conda and distributions.
_NAMES = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")
_CBLAS = ("scipy_cblas_{}64_", "scipy_cblas_{}", "cblas_{}64_", "cblas_{}")


@functools.cache  # several functions are looked up when npg is imported
def _library() -> ctypes.CDLL | None:
    umath: Any = importlib.import_module("numpy._core._multiarray_umath")
    try:
        return ctypes.CDLL(umath.__file__)  # also finds the libraries that the file is linked with
    except OSError:
        return None


def _find(names: tuple[str, ...], suffix: str) -> tuple[Any, str]:
    library = _library()
    if library is not None:
        for name in names:
            function = getattr(library, name.format(suffix), None)
            if function is not None:
                return function, name
    return None, ""


def function(name: str) -> Any:
    """Return OpenBLAS's function openblas_<name>, or None where NumPy has another BLAS or one without it."""
    return _find(_NAMES, name)[0]


def _cblas(suffix: str) -> tuple[Any, int]:
    """Return OpenBLAS's function cblas_<name> and the bytes of its integers; (None, 0) where there is none."""
    if function("get_config") is None:
        return None, 0
    batch, name = _find(_CBLAS, suffix)
    return (None, 0) if batch is None else (batch, 8 if name.endswith("64_") or b"USE64BITINT" in _config() else 4)


def kernels() -> str | None:
    """Return the name of the processor of OpenBLAS's kernels, or None where NumPy has another BLAS."""
    return _text("get_corename").decode() or None


def _config() -> bytes:
    return _text("get_config")


def _text(suffix: str) -> bytes:
    ask = function(suffix)
    if ask is None:
        return b""
    ask.restype = ctypes.c_char_p
    text: bytes = ask()
    return text


# ----- Which products stay in the calling thread -----

_parallel = function("get_parallel")
_threads = None if _parallel is None else int(_parallel())  # 1: POSIX threads, 2: OpenMP's
IS_SEQUENTIAL = _threads == 0
SHARES = _threads == 1  # OpenBLAS shares products among its threads, except small ones and batches of one
BATCHES = {np.dtype(dtype): _cblas(f"{char}gemm_batch") for dtype, char in (("f4", "s"), ("f8", "d"))}
APART = IS_SEQUENTIAL or (
    SHARES and all(batch is not None for batch, _ in BATCHES.values())
)  # every product can stay in its thread
