"""Measurements of a call: the shapes of its inputs, the arrays it creates, its node's number, its stack."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from npg._naming import is_own
from npg.engine import TensorBase, array_of

# ----- Shapes -----


def shapes(inputs: Iterable[Any]) -> list[list[int]]:
    """Return the sizes of each input, [] for an input that is no array."""
    return [list(getattr(x, "shape", ())) for x in inputs]


# ----- Memory -----


def _owners(values: Iterable[Any]) -> dict[int, np.ndarray[Any, Any]]:
    """Return the arrays that own the memory of these tensors and arrays, by id."""
    owners = {}
    for value in values:
        a = array_of(value)
        if issubclass(type(a), np.ndarray):  # by its type, since vmap's placeholders imitate arrays
            while isinstance(a.base, np.ndarray):
                a = a.base
            owners[id(a)] = a
    return owners


def new_arrays(result: Any, inputs: Iterable[Any], known: list[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """Return the arrays that a call created: owners of the result's memory that neither an input nor `known` has."""
    owners = _owners(result if isinstance(result, (tuple, list)) else (result,))
    for key in _owners(inputs):
        owners.pop(key, None)
    for a in known:
        owners.pop(id(a), None)
    return list(owners.values())


# ----- The graph and the source -----


def sequence_number(result: Any, in_place: bool) -> int:
    """Return the number of the node that a call created, -1 when nothing was recorded."""
    for t in result if isinstance(result, tuple) else (result,):
        if not isinstance(t, TensorBase) or (in_place and t._base is not None):
            continue  # reading the grad_fn of a view changed in place creates a node; the profiler changes nothing
        if t.grad_fn is not None:
            return int(t.grad_fn.sequence_nr)
    return -1


def call_stack() -> list[str]:
    """Return "file(line): function" of every frame outside npg, innermost first."""
    stack = []
    frame: Any = sys._getframe(1)
    while frame is not None:
        if not is_own(frame.f_globals.get("__name__", "")):
            code = frame.f_code
            stack.append(f"{code.co_filename}({frame.f_lineno}): {code.co_name}")
        frame = frame.f_back
    return stack
