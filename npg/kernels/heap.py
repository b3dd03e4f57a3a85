"""The C library's heap: how much it holds, and returning its free pages. npg changes none of its settings.

Where npg is compiled, large arrays made by ops lie elsewhere: csrc/kernels/memory.h.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any


class _Mallinfo2(ctypes.Structure):
    """glibc's statistics of its heap; see mallinfo2(3)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def _c_function(name: str) -> Callable[..., Any] | None:
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):  # TypeError: Windows, where a library needs a name
        return None


def heap_bytes() -> dict[str, int]:
    """Return the bytes of the heap in use, free, and mapped separately; {} where the C library does not tell."""
    function = _c_function("mallinfo2")  # since glibc 2.33
    if function is None:
        return {}
    function.restype = _Mallinfo2  # type: ignore[attr-defined]
    info = function()
    return {"used": info.uordblks, "free": info.fordblks, "mapped": info.hblkhd}


def trim_heap() -> None:
    """Give the free pages of the heap back to the operating system, where the C library can."""
    function = _c_function("malloc_trim")
    if function is not None:
        function(ctypes.c_size_t(0))
