"""Several operations in one: addcmul, addcdiv, lerp."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.ops._dtypes import no_bool
from npg.ops._kinds import ELEMENTWISE
from npg.ops._op import ARITHMETIC, elementwise, primitive
from npg.ops.shape import overload


@primitive(
    lambda g, _y, _x, _a, _b, *, value: g,
    lambda g, _y, _x, _a, b, *, value: g * (b * value),
    lambda g, _y, _x, a, _b, *, value: g * (a * value),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float) -> Any:
    """Return input + value * tensor1 * tensor2."""
    return input + (tensor1 * tensor2 if value == 1 else value * tensor1 * tensor2)


addcmul.refuses(no_bool("addcmul_cpu_out"))


@primitive(
    lambda g, _y, _x, _a, _b, *, value: g,
    lambda g, _y, _x, _a, b, *, value: g * (value / b),
    lambda g, _y, _x, a, b, *, value: -g * (value * (a / (b * b))),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
)
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float) -> Any:
    """Return input + value * tensor1 / tensor2."""
    return input + (tensor1 / tensor2 if value == 1 else value * (tensor1 / tensor2))


@primitive(
    lambda g, _y, _a, _b, w: g * (1 - w),
    lambda g, _y, _a, _b, w: g * w,
    lambda g, _y, a, b, _w: g * (b - a),
    broadcasts=True,
    kind=ELEMENTWISE,
)
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """Return input + weight * (end - input), computed from the nearer end."""
    difference = end - input
    near = np.abs(weight) < 0.5
    if isinstance(weight, (int, float)):
        return input + weight * difference if near else end - difference * (1 - weight)
    return np.where(near, input + weight * difference, end - difference * (1 - weight))


lerp_tensor = overload(lerp, "LerpBackward1")  # where the weight is a tensor

elementwise(addcmul, addcdiv, lerp, lerp_tensor)
