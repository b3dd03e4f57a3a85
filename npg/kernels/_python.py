"""The names of _cython where it is not used: all None, because NumPy's own functions do the work."""

from __future__ import annotations

from typing import Any

name = "python"
attend: Any = None
compile_steps: Any = None
multiply: Any = None


def memory_held() -> tuple[int, int]:
    """Return the bytes of arrays in npg's own memory and of what is held for later arrays: none of either."""
    return 0, 0


def drop_memory() -> None:
    """Do nothing: there is no memory to give back."""
