"""Functions of sizes, which under PyTorch's compiler may be symbols and here are numbers. Source: torch.sym_int etc."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from npg._refusal import refusing_class

__all__ = [
    "SymBool",
    "SymFloat",
    "SymInt",
    "sym_float",
    "sym_fresh_size",
    "sym_int",
    "sym_ite",
    "sym_max",
    "sym_min",
    "sym_not",
    "sym_sqrt",
    "sym_sum",
]

_NONE = "sizes are numbers in npg, which traces nothing: it has no symbols"
SymInt = refusing_class("SymInt", __name__, TypeError, _NONE)
SymFloat = refusing_class("SymFloat", __name__, TypeError, _NONE)
SymBool = refusing_class("SymBool", __name__, TypeError, _NONE)

V = TypeVar("V")
_NUMBERS = (np.integer, np.floating, int, float)


def sym_int(a: Any) -> int:
    """Return a number without its fraction."""
    return int(a)


def sym_float(a: Any) -> float:
    """Return a number as a float."""
    return float(a)


def sym_not(a: Any) -> bool:
    """Return `not a`."""
    return not a


def _of_two(choose: Any, a: Any, b: Any) -> Any:
    for number in (a, b):
        assert isinstance(number, _NUMBERS), f"expected {_NUMBERS}, got {type(number)}"
    result = choose(a, b)
    return float(result) if isinstance(a, float) or isinstance(b, float) else result


def sym_max(a: Any, b: Any) -> Any:
    """Return the larger of two numbers, a float if one of them is."""
    return _of_two(max, a, b)


def sym_min(a: Any, b: Any) -> Any:
    """Return the smaller of two numbers, a float if one of them is."""
    return _of_two(min, a, b)


def sym_sqrt(a: Any) -> float:
    """Return the square root of a number."""
    return math.sqrt(a)


def sym_sum(args: Sequence[Any]) -> Any:
    """Return the sum of numbers."""
    return sum(args)


def sym_ite(b: bool, t: V, f: V) -> V:
    """Return t if b holds, else f; both of one type."""
    assert isinstance(b, bool), f"expected SymBool or bool, got {type(b)}"
    assert type(t) is type(f), f"type mismatch: {type(t)} vs {type(f)}"
    return t if b else f


def sym_fresh_size(expr: Any) -> int:
    """Return a size as it is."""
    return int(expr)
