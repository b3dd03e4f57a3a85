"""Linear maps."""

from __future__ import annotations

import math
from typing import Any

from npg._words import c_name, scalar_name
from npg.engine import apply, apply_linear
from npg.functional._arguments import checked_array
from npg.functional._public import exposed
from npg.functional._types import T
from npg.functional.elementwise import add
from npg.functional.shape import reshape
from npg.ops.linear import node_variants

_OPS = tuple(node_variants[dims, has_bias] for has_bias in (False, True) for dims in (1, 2, 3))


@exposed
def linear(input: T, weight: T, bias: T | None = None) -> T:
    """Return input weight^T + bias.

    Args:
        input: (..., in).
        weight: (out, in), of the dtype of input; or (in,), which gives (...).
        bias: (out,) or None; 0-d for a vector times a vector.
    Returns: (..., out).
    Raises: RuntimeError: when shapes or dtypes do not fit.
    Source: torch.nn.functional.linear.
    """
    y = apply_linear(_OPS, input, weight, bias)
    if y is not None:
        return y
    x = checked_array("linear", input)
    w = checked_array("linear", weight, "weight", 2)
    b = None if bias is None else checked_array("linear", bias, "bias", 3)
    if w.ndim != 2 or not x.ndim or x.shape[-1] != w.shape[1] or x.dtype != w.dtype:
        if w.ndim == 1 and x.ndim and (b is None or (x.ndim == 1 and not b.ndim)):
            y = reshape(linear(input, reshape(weight, (1, -1))), x.shape[:-1])
            return y if bias is None else add(y, bias)
        _refuse_linear(x, w, b)
    if b is not None and b.shape != (w.shape[0],):
        return add(linear(input, weight), _fitting_bias(bias, x, w, b))
    if b is not None and b.dtype != w.dtype:
        kinds = scalar_name(b), scalar_name(w)
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {kinds[0]} and {kinds[1]}")
    return apply(node_variants[min(x.ndim, 3), b is not None], (input, weight, bias), {})


def _refuse_linear(x: Any, w: Any, b: Any) -> None:
    if not x.ndim:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are 0D and {w.ndim}D")
    if w.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D")
    if w.ndim != 2:
        raise RuntimeError(f"mat2 must be a matrix, got {w.ndim}-D tensor")
    if b is not None and x.dtype != w.dtype:
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {scalar_name(x)} and {scalar_name(w)}")
    if x.shape[-1] != w.shape[1]:
        rows = math.prod(x.shape[:-1])
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{x.shape[-1]} and {w.shape[1]}x{w.shape[0]})"
        )
    raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {c_name(x)} != {c_name(w)}")


def _fitting_bias(bias: Any, x: Any, w: Any, b: Any) -> Any:
    # Any bias that broadcasts to the result is accepted.
    shape = (*x.shape[:-1], w.shape[0])
    rows = (math.prod(x.shape[:-1]), w.shape[0])
    if b.ndim == 2 and b.shape == rows:
        return reshape(bias, shape)
    for i in range(1, b.ndim + 1):
        expected = rows[-i] if i <= 2 else 1
        if b.shape[-i] not in (1, expected):
            raise RuntimeError(
                f"The expanded size of the tensor ({expected}) must match the existing size ({b.shape[-i]}) at "
                f"non-singleton dimension {2 - i}.  Target sizes: {list(rows)}.  Tensor sizes: {list(b.shape)}"
            )
    return bias
