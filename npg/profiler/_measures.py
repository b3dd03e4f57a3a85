"""What is noted about one call: the shapes that went in, the memory that came out, arithmetic, where it was made."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from npg.engine import TensorBase, array_of

# ----- Shapes -----


def shapes(inputs: Iterable[Any]) -> list[list[int]]:
    """Return per input its sizes, [] for what is no array."""
    return [list(getattr(x, "shape", ())) for x in inputs]


# ----- Memory -----


def _owners(values: Iterable[Any]) -> dict[int, np.ndarray[Any, Any]]:
    """Return the arrays that own the memory which these tensors and arrays show, by identity."""
    owners = {}
    for value in values:
        a = array_of(value)
        if issubclass(type(a), np.ndarray):  # its type: under vmap there are stand-ins that only pass for arrays
            while isinstance(a.base, np.ndarray):
                a = a.base
            owners[id(a)] = a
    return owners


def new_arrays(result: Any, inputs: Iterable[Any], known: list[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """Return the arrays that a call made: they own memory of the result that neither an input nor `known` has."""
    owners = _owners(result if isinstance(result, (tuple, list)) else (result,))
    for key in _owners(inputs):
        owners.pop(key, None)
    for a in known:
        owners.pop(id(a), None)
    return list(owners.values())


# ----- The graph and the source -----


def sequence_number(result: Any, in_place: bool) -> int:
    """Return the number of the node that a call made, -1 when nothing was recorded."""
    for t in result if isinstance(result, tuple) else (result,):
        if not isinstance(t, TensorBase) or (in_place and t._base is not None):
            continue  # asking a view that was changed in place makes a node, and the profiler changes nothing
        if t.grad_fn is not None:
            return int(t.grad_fn.sequence_nr)
    return -1


def call_stack() -> list[str]:
    """Return "file(line): function" of every frame outside npg, the innermost first."""
    stack = []
    frame: Any = sys._getframe(1)
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith("npg."):
            code = frame.f_code
            stack.append(f"{code.co_filename}({frame.f_lineno}): {code.co_name}")
        frame = frame.f_back
    return stack
