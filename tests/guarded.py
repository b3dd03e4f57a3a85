"""NumPy's memory with a forbidden page on one side of every array, so that a read or a write beyond it is a crash.

    guard("end")      arrays end where the page begins: what goes too far forward dies
    guard("start")    arrays start where the page ends: what goes too far backward dies

Fresh memory holds no zeros but bytes of 255 (nan, -1), and so does freed memory. For a process of its own, on Linux:
there is no way back. guarded.c is compiled into a temporary directory.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

_SET_HANDLER = 304  # of PyDataMem_SetHandler in NumPy's table of C functions, since 1.22

_kept: list[Any] = []


def compiler() -> list[str] | None:
    """Return the command of the compiler with which Python was made, None where it cannot serve."""
    found = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[:1]
    return found if sys.platform == "linux" and found and shutil.which(found[0]) else None


def guard(side: str) -> None:
    """Let every array that NumPy allocates from now on lie beside a forbidden page, at its "end" or its "start"."""
    command = compiler()
    assert command is not None
    with tempfile.TemporaryDirectory() as place:
        library = str(Path(place, "guarded.so"))
        source = str(Path(__file__).with_suffix(".c"))
        subprocess.run([*command, "-O1", "-shared", "-fPIC", source, "-o", library], check=True)
        handler = ctypes.CDLL(library).guarded_handler
    handler.restype, handler.argtypes = ctypes.c_void_p, [ctypes.c_int]
    make, pointer = ctypes.pythonapi.PyCapsule_New, ctypes.pythonapi.PyCapsule_GetPointer
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    name = b"mem_handler"
    capsule = make(handler(side == "end"), name, None)
    _kept.append(capsule)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(name))  # for ever: arrays that are freed last of all still ask for it
    table = pointer(np._core._multiarray_umath._ARRAY_API, None)  # type: ignore[attr-defined]
    entry = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[_SET_HANDLER]
    ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(entry)(capsule)
    x = np.empty(3, np.float32)
    place = x.__array_interface__["data"][0] + (x.nbytes if side == "end" else 0)
    assert not place % 4096 and x.view(np.int32)[0] == -1, "NumPy did not take the allocator"
