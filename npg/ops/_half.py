"""float16 is a format to keep numbers in: an op computes in float32 and rounds once, at its end.

That is what PyTorch's CPU kernels do, forward and backward. A Python number beside a float16 array is so never rounded
to float16, an intermediate result neither overflows nor vanishes, and sums are added up in float32. The engines and
Op.__call__ come here where an array is float16; what only moves numbers (Op.exact) stays float16.
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
    """Return g, y and the inputs that a rule gets of a node whose output is float16.

    A y that can be had from the inputs is computed anew: its rounding error, times the slope of an exp or lost in a
    difference, would be all that is left of some gradients.
    """
    g, *inputs = widen((g, *inputs), cast)
    known = y is not None and not op.is_fused
    known = known and all(isinstance(x, (int, float)) or hasattr(x, "__array__") for x in inputs)  # no Like, no None
    return g, op(*inputs, **params) if known else widen(y, cast), inputs


def compute(op: Any, arrays: Any, params: dict[str, Any]) -> Any:
    """Return what op.forward makes of arrays and numbers, some of them float16.

    The result is float16 unless a wider floating array takes part.
    """
    if op.exact:
        return op.forward(*arrays, **params)
    result = (op.half or op.forward)(*[widen(x, cast) for x in arrays], **params)
    if any(isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.dtype != HALF for x in arrays):
        return result
    if op.is_fused:  # what is saved stays as it was computed
        return narrow(result[0], cast), result[1]
    return narrow(result, cast)
