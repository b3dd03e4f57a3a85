"""Kernels on elements and on rows as lists of ufunc calls, run block by block.

A kernel of twenty NumPy calls passes over its arrays twenty times, and each pass over a large array waits for memory.
As a program it runs on one block after the other, so small that all it touches stays in the processor's first cache:

    @program
    def silu(x, *, beta):
        return x / (1.0 + np.exp(-beta * x))

The function is traced once, on probes that record what is done with them: operators and ufuncs of one or two inputs, on
its positional arguments (arrays), its keyword arguments (numbers, given at each call) and constants. Here the steps are
then run with `out=`. csrc/kernels/programs.pxi runs them by calling NumPy's inner loops, which saves the overhead of
the calls, so its blocks can be smaller; each element goes through the same loops, so the bits are the same.

A program may also work on rows. Its first array is then a matrix, and others may be a column, one number for each row,
or a row, the same for all. np.vecdot and np.maximum.reduce(x, -1, keepdims=True) give columns:

    @program(rows=("ones", "weight"))
    def normalized(x, ones, weight, *, n):
        d = x - np.vecdot(x, ones) / n
        return d / np.sqrt(np.vecdot(d, d) / n) * weight
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple, overload

import numpy as np

from npg._signatures import parameters_of
from npg.kernels import core
from npg.kernels.buffers import scratch
from npg.kernels.layouts import memory_order
from npg.kernels.sums import inner

Array = np.ndarray[Any, Any]

BLOCK = 1 << 15  # elements of a block here; C has its own size
_SLOT = 64  # first scratch slot of the temporaries; a kernel's out= may be scratch of its own


# ----- Tracing a function -----

FULL, COLUMN, ROW, NUMBER = "full", "column", "row", "number"  # shapes: (rows, n), (rows, 1), (n,) and ()


class RecordedStep(NamedTuple):
    """A recorded ufunc call; its inputs are probes and constants."""

    ufunc: Any
    inputs: tuple[Any, ...]
    shape: str
    reduces: bool


class Step(NamedTuple):
    """A ufunc call of a program.

    Attributes:
        operands, place: the places of its operands and of its result: ("in", i), ("number", i), ("constant", value),
            ("out", i) or ("temporary", i).
        shapes, shape: the shapes of its operands and of its result.
        reduces: whether it is the ufunc's reduction of each row.
    """

    ufunc: Any
    operands: list[Any]
    shapes: list[str]
    place: tuple[str, Any]
    shape: str
    reduces: bool


def _record(ufunc: Any, *operands: Any) -> Any:
    return ufunc(*operands)  # typed Any, because NumPy's stubs do not know __array_ufunc__


class Probe:
    """A stand-in for a value while a function is traced; ufuncs of probes are recorded in `steps`, which they share.

    Attributes:
        place: the argument that it stands for, or the step that computes it, as (kind, number).
        shape: FULL, COLUMN, ROW or NUMBER.
    """

    __array_priority__ = 1000

    def __init__(self, steps: list[Any], place: tuple[str, Any], shape: str = FULL) -> None:
        self.steps, self.place, self.shape = steps, place, shape

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc.nout != 1 or ufunc.nin > 2:
            return NotImplemented
        shapes = [x.shape if isinstance(x, Probe) else NUMBER for x in inputs]
        if method == "reduce" and ufunc is np.maximum and kwargs == {"axis": -1, "keepdims": True}:
            shape = COLUMN
        elif method != "__call__" or kwargs:
            return NotImplemented
        elif ufunc is np.vecdot:
            if COLUMN in shapes or NUMBER in shapes:
                return NotImplemented
            shape = COLUMN
        else:
            # A step of numbers alone is computed for each element: too rare for a shape of its own.
            shape = COLUMN if COLUMN in shapes and not {FULL, ROW} & {*shapes} else FULL
        self.steps.append(RecordedStep(ufunc, inputs, shape, method == "reduce"))
        return Probe(self.steps, ("step", len(self.steps) - 1), shape)

    def __bool__(self) -> bool:
        raise TypeError("a function that decides by values has no fixed steps")

    def __eq__(self, other: object) -> bool:
        raise TypeError("a function that compares values has no fixed steps")

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Any) -> Any:
        return _record(np.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _record(np.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _record(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _record(np.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return _record(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _record(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _record(np.true_divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _record(np.true_divide, other, self)

    def __neg__(self) -> Any:
        return _record(np.negative, self)


# ----- Programs -----


class Program:
    """A function of arrays as a list of steps.

    Attributes:
        inputs, numbers: the names of its arrays and of its numbers.
        shapes, results: the shapes of its arrays and of its results; FULL for all unless it works on rows.
        over: for each result the index of the array that it replaces, or None.
        steps: a list of Step, after the first call.
        outputs, temporaries: the numbers of its results and of its temporary blocks.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        in_place: tuple[str, ...] = (),
        rows: tuple[str, ...] = (),
        columns: tuple[str, ...] = (),
        arguments: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
    ) -> None:
        """Make a program of a function; in_place, rows and columns are as for `program`.

        Args: arguments: the names of its arrays and of its numbers, where its signature does not give them.
        """
        self.function, self.in_place = function, in_place
        self.__doc__, self.__name__ = function.__doc__, function.__name__
        inputs, numbers = arguments or parameters_of(function)[:2]
        self.inputs, self.numbers = list(inputs), list(numbers)
        self.shapes = [ROW if name in rows else COLUMN if name in columns else FULL for name in self.inputs]
        self.on_rows = bool(rows or columns)  # or a step gives a column
        self.results: list[str] = []
        self.over: list[int | None] = []
        self.steps: list[Step] | None = None
        self.outputs = self.temporaries = 0
        self._runner: Any = None

    def __call__(self, *arrays: Array, out: tuple[Array | None, ...] | None = None, **numbers: float) -> Any:
        """Run on C-contiguous arrays of one floating dtype: of one shape, or of the declared shapes on rows.

        Args:
            out: arrays for the results, None for a new one. Not for an in-place program.
        Returns: the result, or a tuple of them. A column has the shape (rows, 1).
        """
        if self.steps is None:
            self._read()
        return self._runner(arrays, numbers, out)

    def of(self, x: Array, **numbers: float) -> Array:
        """Run a program of one array on an array of any layout; the result has the memory order of NumPy's ufuncs.

        Within a function that is being traced, the program's steps become part of that function's.
        """
        if isinstance(x, Probe):
            return self.function(x, **numbers)
        x = np.asarray(x)
        strides = x.strides
        if x.flags.c_contiguous or all(a >= b >= 0 for a, b in itertools.pairwise(strides)):
            return self(np.ascontiguousarray(x) if x.ndim else x, out=None, **numbers)
        order = memory_order(x.shape, strides)
        back = sorted(range(x.ndim), key=order.__getitem__)
        result: Array = self(np.ascontiguousarray(x.transpose(order)), out=None, **numbers)
        return result.transpose(back)

    # ----- Tracing -----

    def _read(self) -> None:
        recorded: list[Any] = []
        arrays = [Probe(recorded, ("in", i), shape) for i, shape in enumerate(self.shapes)]
        numbers = {name: Probe(recorded, ("number", i), NUMBER) for i, name in enumerate(self.numbers)}
        returned = self.function(*arrays, **numbers)
        results = list(returned) if isinstance(returned, tuple) else [returned]
        self.outputs = len(results)
        self.results = [r.shape for r in results]
        self.on_rows = self.on_rows or any(step.shape is COLUMN for step in recorded)
        self.over = [self.inputs.index(name) for name in self.in_place] or [None] * self.outputs
        self.steps = self._placed(recorded, [_place(r) for r in results])
        self._runner = (core.compile_steps and core.compile_steps(self)) or self._run

    def _placed(self, recorded: list[RecordedStep], results: list[Any]) -> list[Step]:
        """Give every step's result a place: an output's memory, or a temporary that is no longer needed."""
        last: dict[Any, int] = {}  # place: the last step that reads it
        for i, step in enumerate(recorded):
            for x in step.inputs:
                last[_place(x)] = i
        # An output that replaces an input may be written only after the last read of that input.
        target: dict[Any, Any] = {}
        copies = []
        for k, place in enumerate(results):
            over = ("in", self.over[k]) if self.in_place else None
            if place[0] != "step" or place in target or (over and last.get(over, -1) > place[1]):
                copies.append((place, k))
                last[place] = len(recorded)
            else:
                target[place] = ("out", k)
        free: list[int] = []
        where: dict[Any, Any] = {}
        placed = []
        for i, step in enumerate(recorded):
            operands = [_place(x) for x in step.inputs]
            shapes = [x.shape if isinstance(x, Probe) else NUMBER for x in step.inputs]
            moved = [where.get(p, p) for p in operands]
            ended = {
                p[1]: shape
                for p, o, shape in zip(moved, operands, shapes, strict=True)
                if p[0] == "temporary" and last[o] == i
            }
            # A result may overwrite an operand of its own shape only: a smaller one is broadcast, and read again.
            free += [number for number, shape in ended.items() if shape is step.shape]
            place = target.get(("step", i))
            if place is None:
                if not free:
                    free.append(self.temporaries)
                    self.temporaries += 1
                place = ("temporary", free.pop())
            free += [number for number, shape in ended.items() if shape is not step.shape]
            where["step", i] = place
            placed.append(Step(step.ufunc, moved, shapes, place, step.shape, step.reduces))
        for place, k in copies:
            shape = self.results[k]
            placed.append(Step(np.positive, [where.get(place, place)], [shape], ("out", k), shape, False))
        return placed

    # ----- Running -----

    def _run(self, arrays: tuple[Array, ...], numbers: dict[str, float], out: tuple[Array | None, ...] | None) -> Any:
        assert self.steps is not None
        n = arrays[0].shape[-1] if self.on_rows else 1
        outputs = self._results(arrays, out, n)
        inputs = [_as_shape(a, shape, n) for a, shape in zip(arrays, self.shapes, strict=True)]
        results = [_as_shape(a, shape, n) for a, shape in zip(outputs, self.results, strict=True)]
        values_of_numbers = [float(numbers[name]) for name in self.numbers]
        dtype = inputs[0].dtype
        height = max(1, BLOCK // max(1, n))
        for start in range(0, len(inputs[0]), height):
            part = slice(start, start + height)
            places: dict[str, Any] = {
                "in": [a if shape is ROW else a[part] for a, shape in zip(inputs, self.shapes, strict=True)],
                "out": [a[part] for a in results],
                "number": values_of_numbers,
            }
            rows = len(places["in"][0])
            temporaries = [scratch(_SLOT + i, (rows, n), dtype) for i in range(self.temporaries)]
            columns = [t.reshape(-1)[:rows].reshape(rows, 1) for t in temporaries]
            for step in self.steps:
                values = []
                for place, shape in [*zip(step.operands, step.shapes, strict=True), (step.place, step.shape)]:
                    kind, i = place
                    if kind == "temporary":
                        value = columns[i] if shape is COLUMN else temporaries[i]
                    else:
                        value = i if kind == "constant" else places[kind][i]
                    values.append(value)
                *operands, target = values
                if step.reduces:
                    step.ufunc.reduce(*operands, axis=-1, keepdims=True, out=target)
                elif step.ufunc is np.vecdot:
                    target[:, 0] = inner(*operands)
                else:
                    step.ufunc(*operands, out=target)
        return outputs if self.outputs > 1 else outputs[0]

    def _results(self, arrays: tuple[Array, ...], out: tuple[Array | None, ...] | None, n: int) -> tuple[Array, ...]:
        """Return the arrays for the results."""
        first = arrays[0]
        outputs = []
        for shape, over, array in zip(self.results, self.over, out or [None] * self.outputs, strict=True):
            if over is not None:
                outputs.append(arrays[over])
            elif array is not None:
                outputs.append(array)
            else:
                size = (first.size // max(n, 1), 1) if shape is COLUMN else first.shape
                outputs.append(np.empty(size, first.dtype))
        return tuple(outputs)


def _as_shape(array: Array, shape: str, n: int) -> Array:
    return array.reshape(-1) if shape is ROW else array.reshape(-1, 1 if shape is COLUMN else n)


def _place(x: Any) -> tuple[str, Any]:
    return x.place if isinstance(x, Probe) else ("constant", x)


@overload
def program(function: Callable[..., Any]) -> Program: ...
@overload
def program(
    *, in_place: tuple[str, ...] = (), rows: tuple[str, ...] = (), columns: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Program]: ...
def program(
    function: Callable[..., Any] | None = None,
    *,
    in_place: tuple[str, ...] = (),
    rows: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
) -> Any:
    """Make a Program of a function; see the top of this file.

    Args:
        in_place: for each result the name of the input that it replaces; () for new arrays.
        rows, columns: the names of the inputs that are a row (n,) or a column (rows, 1) beside matrices (rows, n).
    """
    if function is None:
        return lambda f: Program(f, in_place, rows, columns)
    return Program(function, in_place, rows, columns)
