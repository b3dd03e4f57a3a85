"""float16 is a storage format: an op computes in float32 and rounds once, at the end.

That is what PyTorch's CPU kernels do, forward and backward. A Python number beside a float16 array is never rounded to
float16, intermediate results neither overflow nor vanish, and sums are accumulated in float32. The engines and
Op.__call__ come here where an array is float16; ops that only move numbers (Op.exact) run on float16 as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

HALF = np.dtype(np.float16)
SINGLE = np.dtype(np.float32)
_DOUBLE = np.dtype(np.float64)


def among(values: Any) -> bool:
    """Tell whether one of the values is a float16 array or tensor."""
    return any(getattr(x, "dtype", None) == HALF for x in values)


def widen(x: Any, cast: Any) -> Any:
    """Return x with its float16 arrays (tensors, Likes, those in a tuple) in float32; cast(x, dtype) does it."""
    if isinstance(x, tuple):
        return tuple([widen(part, cast) for part in x])
    return cast(x, SINGLE) if getattr(x, "dtype", None) == HALF else x


def narrow(x: Any, cast: Any) -> Any:
    """Return x with its float32 and float64 arrays (tensors, those in a tuple) in float16."""
    if isinstance(x, (tuple, list)):
        return tuple([narrow(part, cast) for part in x])
    dtype = getattr(x, "dtype", None)
    return x if dtype is None or not (dtype == SINGLE or dtype == _DOUBLE) else cast(x, HALF)


def cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return an ndarray, a NumPy number or a Like in another floating dtype."""
    return x.astype(dtype)


def in_float32(op: Any, g: Any, y: Any, inputs: Any, params: dict[str, Any], cast: Any) -> Any:
    """Return g, y and the inputs in float32, for the rule of a node whose output is float16.

    y is recomputed where all inputs are at hand: its rounding error, times the slope of an exp or left over from a
    difference, would otherwise dominate some gradients.
    """
    g, *inputs = widen((g, *inputs), cast)
    # Without a Like or None among the inputs.
    at_hand = y is not None and not op.is_fused
    at_hand = at_hand and all(isinstance(x, (int, float)) or hasattr(x, "__array__") for x in inputs)
    return g, op(*inputs, **params) if at_hand else widen(y, cast), inputs


def compute(op: Any, arrays: Any, params: dict[str, Any]) -> Any:
    """Run op.forward on arrays and numbers, some of them float16.

    The result is float16 unless a wider floating array takes part.
    """
    if op.exact:
        return op.forward(*arrays, **params)
    result = (op.half or op.forward)(*[widen(x, cast) for x in arrays], **params)
    if any(isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.dtype != HALF for x in arrays):
        return result
    if op.is_fused:  # saved arrays stay in the dtype they were computed in
        return narrow(result[0], cast), result[1]
    return narrow(result, cast)
