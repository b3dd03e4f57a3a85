"""MPI, by mpi4py: loaded when a process group is made; see docs/distributed.md.

npg sends nothing by itself: each collective is one of MPI, on the memory of the tensors. It begins as a nonblocking
one, so that all ranks call the same, whether their callers wait or not.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from typing import Any

import numpy as np

from npg._launchers import told

Array = np.ndarray[Any, Any]

_MISSING = (
    "process groups need MPI: `pip install 'npg-autograd[mpi]'` installs mpi4py and MPICH "
    "(`pip install mpi4py` uses an MPI that is there)"
)


def is_installed() -> bool:
    """Tell whether mpi4py is there."""
    return importlib.util.find_spec("mpi4py") is not None


def number_of(name: str) -> int | None:
    """Return the number in a variable of torchrun, or what MPI's launcher has told in its place."""
    text = os.environ.get(name, "")
    text = text if text.isdecimal() else told(name, os.environ) or ""
    return int(text) if text else None


@functools.cache
def load() -> Any:
    """Return mpi4py.MPI, with MPI begun.

    MPI is not ended by mpi4py but by npg/distributed/_end.py, which knows how the process ends.

    Raises: ImportError: where mpi4py or MPI is missing.
    """
    try:
        import mpi4py
    except ImportError:
        raise ImportError(_MISSING) from None
    mpi4py.rc.finalize = False
    os.environ.setdefault("MPIR_CVAR_SUPPRESS_ABORT_MESSAGE", "1")  # the exception has been told
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # no MPI library, or none that fits
        raise ImportError(f"{_MISSING}; importing mpi4py.MPI gave: {error}") from error
    return MPI


def has_ranks() -> bool:
    """Tell whether MPI has begun with several processes."""
    begun = sys.modules.get("mpi4py.MPI")
    return begun is not None and begun.Is_initialized() and begun.COMM_WORLD.size > 1


def buffer_of(array: Array) -> list[Any]:
    """Return what mpi4py takes for a C-contiguous array of any dtype of npg: its memory, and MPI's type of a number."""
    MPI = load()
    if array.dtype == np.float16:  # MPI has none; whoever computes with it converts before
        return [array.view(np.uint16), MPI.UINT16_T]
    if array.dtype == np.bool_:
        return [array.view(np.uint8), MPI.UINT8_T]
    return [array, _type_of(array.dtype.str)]


@functools.cache
def _type_of(dtype: str) -> Any:
    MPI = load()
    types = {
        "f4": MPI.FLOAT, "f8": MPI.DOUBLE, "c8": MPI.C_FLOAT_COMPLEX, "c16": MPI.C_DOUBLE_COMPLEX,
        **{f"{kind}{size}": getattr(MPI, f"{name}{8 * size}_T") for size in (1, 2, 4, 8)
           for kind, name in (("i", "INT"), ("u", "UINT"))},
    }  # fmt: skip
    return types[dtype[1:]]
