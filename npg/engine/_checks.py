"""What both engines refuse: shapes that do not broadcast, overlapping memory, meaningless in-place changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _errors
from npg._words import op_text, shape_text
from npg.ops import _meta
from npg.ops.strided import partly_overlaps

# How a view was created, which decides whether it and its base may be changed in place; VIEW may.
VIEW, MULTI_VIEW, NO_GRAD_VIEW, CUSTOM_VIEW = 0, 1, 2, 3


# ----- Shapes and memory -----


def refuse_shapes(arrays: Any) -> None:
    """Raise when the shapes of the operands do not broadcast; numbers broadcast to anything.

    Raises: RuntimeError: naming the first two sizes that differ, counted from the last dimension, as PyTorch does.
    """
    common: tuple[int, ...] = ()
    for shape in (a.shape for a in arrays if isinstance(a, np.ndarray)):
        rank = max(len(common), len(shape))
        a, b = (1,) * (rank - len(common)) + common, (1,) * (rank - len(shape)) + shape
        for d in reversed(range(rank)):
            if a[d] != b[d] and a[d] != 1 and b[d] != 1:
                raise RuntimeError(_errors.SIZE_MISMATCH.format(a=a[d], b=b[d], dimension=d))
        common = tuple(m if n == 1 else n for m, n in zip(a, b, strict=True))


def refuse_broadcast(array: Any, arrays: Any) -> None:
    """Raise when the operands broadcast to a shape other than that of the tensor to be written.

    Raises: RuntimeError: naming both shapes.
    """
    shapes = [a.shape for a in arrays if isinstance(a, (np.ndarray, np.generic))]
    if all(s == array.shape or not s for s in shapes):  # nearly always true, and the test below takes microseconds
        return
    shape = np.broadcast_shapes(*shapes)
    if np.broadcast_shapes(shape, array.shape) != array.shape:
        raise RuntimeError(
            _errors.BROADCAST_IN_PLACE.format(shape=shape_text(array.shape), broadcast=shape_text(shape))
        )


def check_without_data(op: Any, arrays: Any, params: dict[str, Any]) -> Any:
    """Return what the node of an in-place change saves where arrays have no data, if the result fits the first one.

    Raises: ValueError, RuntimeError: when it does not, or an operand has no data and the first one has.
    """
    results, saved = _meta.written(op, arrays, params)
    refuse_broadcast(arrays[0], results)
    return saved


def refuse_partial_overlap(arrays: Any) -> None:
    """Raise when the first array, which is to be written, shares a part but not all of its memory with another.

    Raises: RuntimeError: in PyTorch's words, and for the arrays that PyTorch checks: those without gaps.
    """
    written = arrays[0]
    for other in arrays[1:]:
        if isinstance(other, np.ndarray) and other is not written and partly_overlaps(written, other):
            raise RuntimeError(_errors.PARTIAL_OVERLAP_IN_PLACE)


# ----- Changes in place -----


def refuse_in_place(x: Any) -> None:
    """Raise when a recorded in-place change of x is not allowed: x is a leaf, a view of one, or a view that must not
    change.

    Raises: RuntimeError: in PyTorch's words.
    """
    fn = x.grad_fn
    if x._base is not None:
        refuse_view(x, fn, "is being")
        if x.requires_grad and x._base.grad_fn is None:  # the base's, or its own where it is a leaf and a view
            raise RuntimeError(_errors.LEAF_VIEW_IN_PLACE)
    if x._requires_grad and fn is None:
        raise RuntimeError(_errors.LEAF_IN_PLACE)


def refuse_view(x: Any, fn: Any, what: str) -> None:
    """Raise when x, whose history is fn, is a view of a kind that forbids in-place changes.

    Args:
        what: the words for the change: "is being", or _errors.INDIRECTLY for one of its base.
    Raises: RuntimeError: in PyTorch's words.
    """
    producer = f"Output {x._nr} of {op_text(fn.name())}" if fn else None
    if x._kind == MULTI_VIEW:
        raise RuntimeError(_errors.MULTI_VIEW_IN_PLACE.format(output=producer or "A tensor", what=what))
    if x._kind == CUSTOM_VIEW:
        raise RuntimeError(_errors.CUSTOM_VIEW_IN_PLACE.format(output=producer or "A tensor", what=what))
    if x._kind == NO_GRAD_VIEW:
        view = f"{producer} is a view of a view which" if producer else "A view"
        raise RuntimeError(_errors.NO_GRAD_VIEW_IN_PLACE.format(view=view, what=what))
