"""Where an array lies in the memory that it is a view of."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _errors
from npg.ops.memory import meets, root

__all__ = ["address", "contiguous_strides", "offset_of", "refuse_meeting", "root"]


def address(array: np.ndarray[Any, Any]) -> int:
    """Return the address of the first element."""
    return array.__array_interface__["data"][0]


def offset_of(array: np.ndarray[Any, Any]) -> int:
    """Return how many elements lie between the start of the memory and the first element."""
    return (address(array) - address(root(array))) // array.itemsize if array.size else 0


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, in elements, of a contiguous array; a size of 0 counts as 1."""
    found, step = [], 1
    for n in reversed(shape):
        found.append(step)
        step *= max(n, 1)
    return tuple(reversed(found))


def refuse_meeting(written: np.ndarray[Any, Any], others: Any) -> None:
    """Raise when an array that is written by index shares memory with one that is read meanwhile.

    Raises: RuntimeError: in PyTorch's words, and where PyTorch looks: at arrays without gaps.
    """
    for other in others:
        if isinstance(other, np.ndarray) and meets(written, other):
            raise RuntimeError(_errors.PARTIAL_OVERLAP_IN_PLACE)
