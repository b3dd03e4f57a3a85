"""Arrays that kernels read in every call, ones for a sum or the mask of a tile: made once and kept.

Who keeps some bounds their number and size. All of them are known here, to be counted and to be dropped.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["constants", "drop_constants", "held_by_constants"]

Array = np.ndarray[Any, Any]

_all: list[dict[Any, Array]] = []


def constants() -> dict[Any, Array]:
    """Return a new dict for read-only arrays; any of them may be gone at the next look."""
    kept: dict[Any, Array] = {}
    _all.append(kept)
    return kept


def held_by_constants() -> int:
    """Return the bytes of all arrays kept."""
    # A copy is made in one step: another thread may be keeping one more.
    return sum(array.nbytes for kept in _all for array in kept.copy().values())


def drop_constants() -> None:
    """Forget the arrays; a kernel that is using one has a reference of its own."""
    for kept in _all:
        kept.clear()
