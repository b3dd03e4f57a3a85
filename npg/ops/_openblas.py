"""The OpenBLAS that NumPy multiplies matrices with, where it is one: its own functions, found by name."""

from __future__ import annotations

import ctypes
import functools
import importlib
from typing import Any

__all__ = ["function", "kernels"]

# The names under which OpenBLAS lets itself be asked, as NumPy's wheels, conda and distributions build it.
_NAMES = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")


@functools.cache  # several functions are looked up when npg is imported
def _library() -> ctypes.CDLL | None:
    umath: Any = importlib.import_module("numpy._core._multiarray_umath")
    try:
        return ctypes.CDLL(umath.__file__)  # finds what the file is linked with, too
    except OSError:
        return None


def function(what: str) -> Any:
    """Return OpenBLAS's function openblas_<what>, or None where NumPy has another BLAS or one without it."""
    library = _library()
    if library is None:
        return None
    for name in _NAMES:
        found = getattr(library, name.format(what), None)
        if found is not None:
            return found
    return None


def kernels() -> str | None:
    """Return the name of the processor for which OpenBLAS's kernels are, or None where NumPy has another BLAS."""
    name = function("get_corename")
    if name is None:
        return None
    name.restype = ctypes.c_char_p
    return str(name().decode())
