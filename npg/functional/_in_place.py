"""In-place computation: arrays of tensors about to be written, and programs on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.engine import apply, bump_version, check_in_place as check_in_place
from npg.kernels.programs import Program as Program
from npg.ops.indexing import getitem


def array_to_write(input: Any) -> np.ndarray[Any, Any]:
    """Return a tensor's array for writing, after the checks of an in-place op and an increment of its version.

    Raises: RuntimeError: for a leaf that requires grad while recording is on, or memory that overlaps itself.
    """
    check_in_place(input)
    bump_version(input)
    array: np.ndarray[Any, Any] = input._array
    return array


def each_once(input: Any) -> Any:
    """Return the view of an expanded tensor that contains each place in memory once."""
    array = input._array
    key = tuple(slice(0, 1) if s == 0 and n > 1 else slice(None) for n, s in zip(array.shape, array.strides))
    return apply(getitem, (input,), {"index": key})
