"""Division: quotients, exact and rounded, remainders, common divisors."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.ops._dtypes import no_bool, refuse_floats
from npg.ops._kinds import ELEMENTWISE
from npg.ops._op import ARITHMETIC, FLOAT, elementwise, movement, primitive, ufunc
from npg.ops.elementwise import not_implemented, zeros
from npg.ops.shape import overload

# ----- Quotients -----


@ufunc(np.true_divide, lambda g, _y, _a, b: g / b, lambda g, _y, a, b: -g * ((a / b) / b), promote=FLOAT)
def div(input: Any, other: Any) -> Any:
    """Return input / other; two integers give the default floating dtype."""


@ufunc(np.reciprocal, lambda g, y, _x: -g * (y * y), promote=FLOAT)
def reciprocal(input: Any) -> Any:
    """Return 1 / input."""


# ----- Rounded quotients and remainders -----


def _divides_floats(input: Any, other: Any) -> bool:
    """Tell whether the quotient is computed in floats; a number beside a floating array may be an int.

    Raises: RuntimeError: when an integer is divided by zero.
    """
    for x in (input, other):
        if x.dtype.kind == "f" if isinstance(x, (np.ndarray, np.generic)) else isinstance(x, float):
            return True
    if np.size(input) and not np.all(other):
        raise RuntimeError("ZeroDivisionError")
    return False


def _trunc_divide(a: Any, b: Any) -> Any:
    if _divides_floats(a, b):
        return np.trunc(a / b)
    return np.floor_divide(a - np.fmod(a, b), b)  # an exact quotient, so floor rounds nothing


@primitive(
    not_implemented("floor_divide"),
    not_implemented("floor_divide"),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
    numpy=(np.floor_divide,),
)
def floor_divide(input: Any, other: Any) -> Any:
    """Return the quotient rounded down.

    Raises: RuntimeError: when an integer is divided by zero.
    """
    _divides_floats(input, other)
    return np.floor_divide(input, other)


floor_divide.node_name = "NotImplemented"


@primitive(
    lambda g, _y, _a, _b, *, rounding_mode: zeros(g),
    lambda g, _y, _a, _b, *, rounding_mode: zeros(g),
    promote=ARITHMETIC,
    broadcasts=True,
    node="Div",
    kind=ELEMENTWISE,
    aten="div",
)
def div_rounded(input: Any, other: Any, *, rounding_mode: str) -> Any:
    """Return the quotient rounded down ("floor") or towards zero ("trunc")."""
    if rounding_mode == "trunc":
        return _trunc_divide(input, other)
    _divides_floats(input, other)
    return np.floor_divide(input, other)


# For float16 PyTorch rounds a divisor that is a number to float16 here; the remainder of such a division is exact.


@movement(
    lambda g, _y, _a, _b: g,
    lambda g, _y, a, b: -g * div_rounded(a, b, rounding_mode="floor"),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
    numpy=(np.remainder,),
)
def remainder(input: Any, other: Any) -> Any:
    """Return input - other * floor(input / other): the sign is the divisor's, as in Python; that of 0 is the input's.

    Raises: RuntimeError: when an integer is divided by zero.
    """
    if not _divides_floats(input, other):
        return np.remainder(input, other)
    # np.remainder gives 0 the divisor's sign and takes four times as long.
    y = np.asarray(np.fmod(input, other))
    return np.add(y, other, out=y, where=(y != 0) & ((y < 0) != (np.asarray(other) < 0)))


@movement(
    lambda g, _y, _a, _b: g,
    lambda g, _y, a, b: -g * div_rounded(a, b, rounding_mode="trunc"),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
    numpy=(np.fmod,),
)
def fmod(input: Any, other: Any) -> Any:
    """Return input - other * trunc(input / other): the sign is the dividend's, as in C.

    Raises: RuntimeError: when an integer is divided by zero.
    """
    _divides_floats(input, other)
    return np.fmod(input, other)


div_rounded.node_name = "DivBackward2"
floor_divide.refuses(no_bool("div_floor_cpu"))
div_rounded.refuses(no_bool("div_floor_cpu"))
remainder.refuses(no_bool("remainder_cpu"))
fmod.refuses(no_bool("fmod_cpu"))
remainder_tensor = overload(remainder, "RemainderBackward1")  # where the divisor is a tensor
fmod_tensor = overload(fmod, "FmodBackward1")


# ----- Common divisors -----


@primitive(
    not_implemented("gcd"),
    not_implemented("gcd"),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
    numpy=(np.gcd,),
)
def gcd(input: Any, other: Any) -> Any:
    """Return the greatest common divisor."""
    refuse_floats("gcd_cpu", input, other, bools=False)
    return np.gcd(input, other)


@primitive(
    not_implemented("lcm"),
    not_implemented("lcm"),
    promote=ARITHMETIC,
    broadcasts=True,
    kind=ELEMENTWISE,
    numpy=(np.lcm,),
)
def lcm(input: Any, other: Any) -> Any:
    """Return the least common multiple."""
    refuse_floats("lcm_cpu", input, other, bools=False)
    return np.lcm(input, other)


for op in (div, div_rounded, floor_divide):
    op.takes_numbers = True
elementwise(div_rounded, remainder, remainder_tensor, fmod, fmod_tensor)
