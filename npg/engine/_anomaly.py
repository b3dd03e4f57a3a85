"""Anomaly mode: where a node was made, and what is wrong with the gradients that it sends."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from npg import _errors

if TYPE_CHECKING:
    import traceback

__all__ = ["check", "origin", "tell"]


def origin() -> list[traceback.FrameSummary]:
    """Return the stack of the call that is making a node, without npg's own innermost frames."""
    import traceback  # when it is needed: every program imports this module

    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("npg."):
        frame = frame.f_back
    return traceback.extract_stack(frame)


def tell(node: Any) -> None:
    """Warn of an error in a node's backward, with the stack of the forward call that made it."""
    if node.origin is None:
        warnings.warn(
            f"Error detected in {node.name()}. No forward pass information available. Enable detect anomaly during "
            "forward pass for more information.",
            stacklevel=2,
        )
        return
    import traceback

    lines = "".join(traceback.format_list(node.origin))
    warnings.warn(
        f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{lines}", stacklevel=2
    )


def check(node: Any, grads: Any) -> None:
    """Raise when a gradient that a node sends has a nan.

    Raises: RuntimeError: naming the node, the input, the shape and the place of the first nan.
    """
    for i, g in enumerate(grads):
        array = getattr(g, "_array", g)
        if isinstance(array, (np.ndarray, np.generic)) and array.dtype.kind == "f" and np.isnan(array).any():
            at = np.argwhere(np.isnan(np.asarray(array)))[0].tolist()
            infinite = int(np.isinf(array).sum())
            raise RuntimeError(
                f"Function '{node.name()}' returned nan values in its {i}th output. Its shape is "
                f"{_errors.shape_text(array.shape)}, the first nan is at {at}, {int(np.isnan(array).sum())} elements "
                f"are nan and {infinite} infinite."
            )
