"""An optimizer's step, written once for all settings and compiled for those in use.

    @step_program("nesterov")
    def sgd(p, g, momentum_buffer, *, nesterov, lr, momentum, fresh):
        ...
        return p - b * lr, b

The function takes a parameter, its gradient and the entries of its state by their names in `state`; an entry that the
settings do not need is None. It returns the new p and the new entries. Flags are fixed when the function is traced,
numbers are passed at each step. The steps common to all optimizers come before: the sign for maximize, and both kinds
of weight decay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg.functional._in_place import Program

Array = np.ndarray[Any, Any]


class StepProgram:
    """A step run in place on flat arrays of one dtype; see the top of this file."""

    def __init__(self, function: Callable[..., Any], flags: tuple[str, ...]) -> None:
        self.function, self.flags = function, flags
        code = function.__code__
        count = code.co_argcount
        self.entries = code.co_varnames[2:count]
        names = code.co_varnames[count : count + code.co_kwonlyargcount]
        self.numbers = [name for name in names if name not in flags]
        self._programs: dict[Any, Program] = {}

    def __call__(self, p: Array, g: Array, entries: dict[str, Array], group: dict[str, Any], **settings: Any) -> None:
        """Run the step on arrays.

        Args:
            p, g: a parameter and its gradient, which is not written.
            entries: the state's entries, in the order of the function's arguments.
            group: maximize, lr, weight_decay and decoupled_weight_decay are read from it.
            settings: the flags and the numbers.
        """
        decay, decoupled = group["weight_decay"], False
        if decay != 0 and group.get("decoupled_weight_decay"):
            decay, decoupled = 1 - float(group["lr"]) * decay, True
        maximize, decayed = bool(group["maximize"]), decoupled or bool(decay != 0)
        key = (*entries, maximize, decayed, decoupled, *[settings[name] for name in self.flags])
        program = self._programs.get(key)
        if program is None:
            flags = {name: settings[name] for name in self.flags}
            program = self._programs[key] = self._compiled(tuple(entries), maximize, decayed, decoupled, flags)
        program(p, g, *entries.values(), decay=decay, **settings)

    def _compiled(
        self, entries: tuple[str, ...], maximize: bool, decayed: bool, decoupled: bool, flags: dict[str, Any]
    ) -> Program:
        absent = dict.fromkeys(self.entries)

        def step(p: Any, g: Any, *arrays: Any, decay: Any, **numbers: Any) -> Any:
            if maximize:
                g = -g
            if decoupled:
                p = p * decay
            elif decayed:
                g = g + p * decay
            present = dict(zip(entries, arrays, strict=True))
            results = self.function(p, g, **{**absent, **present}, **flags, **numbers)
            return tuple(x for x in results if x is not None)

        return Program(step, ("p", *entries), arguments=(("p", "g", *entries), ("decay", *self.numbers)))


def step_program(*flags: str) -> Callable[[Callable[..., Any]], StepProgram]:
    """Make a function a StepProgram; `flags` are the arguments fixed when it is traced."""
    return lambda function: StepProgram(function, flags)


# ----- Running averages -----


def nearer_end(weight: float, dtype: np.dtype[Any]) -> tuple[bool, float]:
    """Return (far, weight) for `average`: lerp computes from the nearer end."""
    return (False, weight) if abs(weight) < 0.5 else (True, float(1 - dtype.type(weight)))


def average(m: Any, g: Any, weight: Any, far: bool) -> Any:
    """Return m + weight (g - m); if `far`, weight is m's instead."""
    return g - (g - m) * weight if far else m + (g - m) * weight


def average_square(v: Any, g: Any, keep: Any, new: Any) -> Any:
    """Return keep v + new g^2."""
    return v * keep + g * g * new
