"""The public forms of an op: a function, and an in-place one."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.engine import Function, TensorBase, apply, apply_in_place, wrap
from npg.engine._arguments import of_numbers
from npg.functional._public import promote
from npg.ops._op import Op


def expose(op: Op) -> Any:
    """Return the public function of an op, or the pair with its in-place form (exp, exp_) if the op has one.

    Names, signatures and docstrings come from the declaration.
    """
    function = Function(op, promote)
    return function if op.in_place is None else (function, Function(op.in_place, promote, "inplace"))


def run(op: Op, inputs: Any, in_place: bool = False, **settings: Any) -> Any:
    """Promote the inputs of an op and apply it with these settings, in place or not."""
    if not any(isinstance(x, (TensorBase, np.ndarray)) for x in inputs):
        inputs = of_numbers(Function(op, promote), inputs, wrap)
    inputs = tuple(promote(op, inputs, in_place))
    return apply_in_place(op, inputs, settings) if in_place else apply(op, inputs, settings)
