"""What optimizers compute their steps with: arrays of tensors that are about to be written, and the steps on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.engine import bump_version, check_in_place
from npg.ops.step import adam, sgd

__all__ = ["adam", "check_in_place", "in_place_array", "on_lines", "sgd"]


def in_place_array(input: Any) -> np.ndarray[Any, Any]:
    """Return a tensor's array for writing: what an in-place change would refuse is refused, its version is counted.

    Raises: RuntimeError: for a leaf that requires grad while recording is on, or memory that overlaps itself.
    """
    check_in_place(input)
    bump_version(input)
    array: np.ndarray[Any, Any] = input._array
    return array


def on_lines(step: Any, p: Any, g: Any, *states: Any, **numbers: Any) -> None:
    """Run a step on arrays of any layout, each seen as one line of numbers; g is not written."""
    arrays = (p, g, *states)
    lines = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    step(*lines, **numbers)
    for i, (a, line) in enumerate(zip(arrays, lines, strict=True)):
        if i != 1 and not a.flags.c_contiguous:
            np.copyto(a, line.reshape(a.shape))
