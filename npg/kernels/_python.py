"""What _cython has, where it is not used: nothing, for NumPy's own functions do it all."""

from __future__ import annotations

from typing import Any

name = "python"
attend: Any = None
compile_steps: Any = None
multiply: Any = None


def memory_held() -> tuple[int, int]:
    """Return the bytes of arrays in memory of npg's own, and of what waits for the next array: there is none."""
    return 0, 0


def drop_memory() -> None:
    """Give nothing back."""
