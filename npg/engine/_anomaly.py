"""Anomaly mode: where a node was created, and nan in the gradients that it sends."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from npg._naming import is_own
from npg._words import shape_text

if TYPE_CHECKING:
    import traceback


class Origin:
    """Where a node was created: the stack of the call, without npg's innermost frames, and the shapes in and out.

    Attributes:
        stack: a list of traceback.FrameSummary, the innermost last.
        inputs, outputs: the shape of each as text, or the name of its type if it is not an array.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        import traceback  # only when needed: every program imports this module

        frame: Any = sys._getframe(1)
        while frame is not None and is_own(frame.f_globals.get("__name__", "")):
            frame = frame.f_back
        self.stack: list[traceback.FrameSummary] = traceback.extract_stack(frame)
        self.inputs = [_shape(x) for x in inputs]
        self.outputs = [_shape(y) for y in (outputs if isinstance(outputs, tuple) else (outputs,))]


def _shape(x: Any) -> str:
    shape = getattr(getattr(x, "_array", x), "shape", None)
    return type(x).__name__ if shape is None else shape_text(shape)


def warn_of_error(node: Any) -> None:
    """Warn of an error in a node's backward, with the stack of the forward call that created it, and the shapes."""
    if node.origin is None:
        warnings.warn(
            f"Error detected in {node.name()}. No forward pass information available. Enable detect anomaly during "
            "forward pass for more information.",
            stacklevel=2,
        )
        return
    import traceback

    origin = node.origin
    lines = "".join(traceback.format_list(origin.stack))
    warnings.warn(
        f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{lines}"
        f"It was given {', '.join(origin.inputs)} and made {', '.join(origin.outputs)}.",
        stacklevel=2,
    )


def check(node: Any, grads: Any) -> None:
    """Raise when a gradient that a node sends contains nan.

    Raises: RuntimeError: naming the node, the input, the shape, and the indices of the first nan and the first
        infinite element.
    """
    for i, g in enumerate(grads):
        array = getattr(g, "_array", g)
        if isinstance(array, (np.ndarray, np.generic)) and array.dtype.kind == "f" and np.isnan(array).any():
            text = f"Function '{node.name()}' returned nan values in its {i}th output. "
            text += f"Its shape is {shape_text(array.shape)}"
            for name, mask in (("nan", np.isnan(array)), ("infinite", np.isinf(array))):
                indices = np.argwhere(np.asarray(mask)).tolist()
                text += f", {len(indices)} elements are {name}"
                if indices:
                    text += f", the first at {indices[0]}"
            raise RuntimeError(text + ".")
