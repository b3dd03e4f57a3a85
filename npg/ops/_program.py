"""Elementwise kernels as lists of ufunc calls, run block by block.

A kernel of twenty NumPy calls passes over its arrays twenty times, and each pass of a large array waits for memory. As
a program it is run on one block after the other, so small that all it touches stays in the processor's first cache:

    @program
    def silu(x, *, beta):
        return x / (1.0 + np.exp(-beta * x))

The function is run once, on probes that note what is done with them: operators and ufuncs of one or two inputs, on its
positional arguments (arrays), its keyword arguments (numbers, given at each call) and constants. Here the steps are
then run with `out=`. The Cython engine runs the same steps by calling NumPy's inner loops, which saves the call's own
cost, so its blocks can be smaller; each element goes through the same loops, so the bits are the same.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from npg.ops._scratch import scratch

__all__ = ["Probe", "Program", "accelerate", "program"]

Array = np.ndarray[Any, Any]

BLOCK = 1 << 15  # elements a block, of these steps; the Cython engine has its own
_INTEGERS = {"f": np.int32, "d": np.int64}  # what a float's bits are looked at as

_accelerator: Callable[..., Any] | None = None


def accelerate(compile_steps: Callable[..., Any]) -> None:
    """Let the Cython engine run programs: compile_steps(program) gives a function like Program._run, or None."""
    global _accelerator
    _accelerator = compile_steps


# ----- Reading a function -----


def _note(ufunc: Any, *operands: Any) -> Any:
    return ufunc(*operands)  # whose types do not know of __array_ufunc__


class Probe:
    """Stands for a value while a function is read; a ufunc of probes is noted in `steps`, which they share.

    Attributes:
        place: what it stands for: the function's argument number, or the step that gives it, as (kind, number).
        bits: it is looked at as integers.
    """

    __array_priority__ = 1000

    def __init__(self, steps: list[Any], place: tuple[str, Any], bits: bool = False) -> None:
        self.steps, self.place, self.bits = steps, place, bits

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs or ufunc.nout != 1 or ufunc.nin > 2:
            return NotImplemented
        bits = any(isinstance(x, Probe) and x.bits for x in inputs)
        self.steps.append((ufunc, inputs, bits))
        return Probe(self.steps, ("step", len(self.steps) - 1), bits)

    def as_bits(self) -> Probe:
        """Return the same value with its bits seen as integers of the same size."""
        return Probe(self.steps, self.place, True)

    def as_float(self) -> Probe:
        """Return what as_bits has made integers as floats again."""
        return Probe(self.steps, self.place)

    def __bool__(self) -> bool:
        raise TypeError("a function that decides by values has no fixed steps")

    def __add__(self, other: Any) -> Any:
        return _note(np.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _note(np.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _note(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _note(np.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return _note(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _note(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _note(np.true_divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _note(np.true_divide, other, self)

    def __neg__(self) -> Any:
        return _note(np.negative, self)


# ----- Programs -----


class Program:
    """An elementwise function of arrays, as steps.

    Attributes:
        inputs, numbers: the names of its arrays and of its numbers.
        steps: a list of (ufunc, places of its operands, place of its result, whether it works on bits). A place is
            ("in", i), ("number", name), ("constant", value), ("out", i) or ("temporary", i).
        outputs: how many results it has. temporaries: how many blocks it needs beside.
    """

    def __init__(self, function: Callable[..., Any], in_place: tuple[str, ...] = ()) -> None:
        """Read a function. `in_place` names, per result, the input whose memory it is written to; () for new memory."""
        self.function, self.in_place = function, in_place
        self.__doc__, self.__name__ = function.__doc__, function.__name__
        parameters = inspect.signature(function).parameters.values()
        self.inputs = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
        self.numbers = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.steps: list[Any] | None = None
        self.outputs = self.temporaries = 0
        self._runner: Any = None

    def __call__(self, *arrays: Array, out: tuple[Array, ...] | None = None, **numbers: float) -> Any:
        """Run on arrays of one shape and floating dtype, C-contiguous.

        Args:
            out: where the results go, arrays like the inputs; by default new ones. Not for a program in place.
        Returns: the result, or a tuple of them.
        """
        if self.steps is None:
            self._read()
        if self.in_place:
            out = tuple([arrays[self.inputs.index(name)] for name in self.in_place])
        elif out is None:
            out = tuple([np.empty_like(arrays[0]) for _ in range(self.outputs)])
        self._runner(arrays, [float(numbers[name]) for name in self.numbers], out)
        return out if self.outputs > 1 else out[0]

    def of(self, x: Array, **numbers: float) -> Array:
        """Run a program of one array on an array of any layout; the result lies in memory as NumPy's would."""
        x = np.asarray(x)
        strides = x.strides
        if x.flags.c_contiguous or all(a >= b >= 0 for a, b in itertools.pairwise(strides)):
            return self(np.ascontiguousarray(x) if x.ndim else x, out=None, **numbers)
        order = sorted(range(x.ndim), key=lambda d: -abs(x.strides[d]))
        back = sorted(range(x.ndim), key=order.__getitem__)
        found: Array = self(np.ascontiguousarray(x.transpose(order)), out=None, **numbers)
        return found.transpose(back)

    # ----- Reading -----

    def _read(self) -> None:
        noted: list[Any] = []
        given = [Probe(noted, ("in", i)) for i in range(len(self.inputs))]
        numbers = {name: Probe(noted, ("number", i)) for i, name in enumerate(self.numbers)}
        found = self.function(*given, **numbers)
        results = list(found) if isinstance(found, tuple) else [found]
        self.outputs = len(results)
        steps = [(u, [_place(x) for x in xs], bits) for u, xs, bits in noted]
        self.steps = self._placed(steps, [_place(r) for r in results])
        self._runner = (_accelerator and _accelerator(self)) or self._run

    def _placed(self, steps: list[Any], results: list[Any]) -> list[Any]:
        """Give every step's result a place: an output's memory, or a temporary that nobody needs any more."""
        last: dict[Any, int] = {}  # place: the last step that reads it
        for i, (_, operands, _) in enumerate(steps):
            for place in operands:
                last[place] = i
        # An output that lies where an input lies may be written only when nobody reads that input any more.
        target: dict[Any, Any] = {}
        copies = []
        for k, place in enumerate(results):
            over = ("in", self.inputs.index(self.in_place[k])) if self.in_place else None
            if place[0] != "step" or place in target or (over and last.get(over, -1) > place[1]):
                copies.append((np.positive, [place], ("out", k), False))
                last[place] = len(steps)
            else:
                target[place] = ("out", k)
        free: list[int] = []
        where: dict[Any, Any] = {}
        placed = []
        for i, (ufunc, operands, bits) in enumerate(steps):
            found = [where.get(p, p) for p in operands]
            free += {p[1] for p, o in zip(found, operands, strict=True) if p[0] == "temporary" and last[o] == i}
            place = target.get(("step", i))
            if place is None:
                if not free:
                    free.append(self.temporaries)
                    self.temporaries += 1
                place = ("temporary", free.pop())
            where["step", i] = place
            placed.append((ufunc, found, place, bits))
        return placed + [(u, [where.get(p, p) for p in xs], place, bits) for u, xs, place, bits in copies]

    # ----- Running -----

    def _run(self, arrays: tuple[Array, ...], numbers: list[float], out: tuple[Array, ...]) -> None:
        given = [a.reshape(-1) for a in arrays]
        results = [a.reshape(-1) for a in out]
        dtype = given[0].dtype
        integer = _INTEGERS.get(dtype.char)
        for start in range(0, given[0].size, BLOCK):
            part = slice(start, start + BLOCK)
            places: dict[str, Any] = {
                "in": [a[part] for a in given],
                "out": [a[part] for a in results],
                "number": numbers,
            }
            shape = places["in"][0].shape
            places["temporary"] = [scratch(i, shape, dtype) for i in range(self.temporaries)]
            assert self.steps is not None
            for ufunc, operands, place, bits in self.steps:
                values = [p[1] if p[0] == "constant" else places[p[0]][p[1]] for p in operands]
                target = places[place[0]][place[1]]
                if bits:
                    assert integer is not None
                    values = [v.view(integer) if isinstance(v, np.ndarray) else integer(v) for v in values]
                    target = target.view(integer)
                ufunc(*values, out=target)


def _place(x: Any) -> tuple[str, Any]:
    return x.place if isinstance(x, Probe) else ("constant", x)


def program(function: Callable[..., Any] | None = None, *, in_place: tuple[str, ...] = ()) -> Any:
    """Make a Program of a function; see the top of this file.

    Args:
        in_place: per result the name of the input that it replaces.
    """
    if function is None:
        return lambda f: Program(f, in_place)
    return Program(function, in_place)
