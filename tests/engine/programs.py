"""Small random programs on tensors, run alike on either engine, for the engine tests."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import strategies as st

from npg.ops import elementwise as ops
from npg.ops._op import Op, primitive

SHAPES = ((), (3,), (1, 3), (2, 1), (2, 3))  # any two broadcast


# ----- Ops of the tests, for what the engine must handle beyond elementwise ops -----


@primitive(lambda g, y, _x: g * y * (2.0 - y))
def squash(input):
    """Return an elementwise value that a rule with y differentiates (the rule need not be the true derivative)."""
    return input / (1.0 + abs(input))


@primitive(multi=True, view=True, node="Halves")
def halves(input):
    """Return two views of the input's last dimension."""
    n = input.shape[-1] // 2
    return input[..., :n], input[..., n:]


@halves.vjp
def _halves_vjp(g, _y, input_like, *, needs):
    n = input_like.shape[-1] // 2
    parts = [
        np.zeros((*input_like.shape[:-1], n if i == 0 else input_like.shape[-1] - n), input_like.dtype) for i in (0, 1)
    ]
    return (np.concatenate([p if h is None else h for p, h in zip(parts, g, strict=True)], axis=-1),)


@primitive(lambda g, _y, _x: np.swapaxes(g, -1, -2), view=True)
def swap(input):
    """Return a view with the last two dimensions exchanged."""
    return np.swapaxes(input, -1, -2)


BINARY = (ops.add, ops.sub, ops.mul)
UNARY = (ops.neg, ops.clone, squash)
IN_PLACE = (ops.add, ops.mul)


# ----- Tensor classes -----


def tensor_class(engine: ModuleType) -> type:
    """Return a Tensor class on an engine module, with the operators that recorded rules use."""

    class Tensor(engine.TensorBase):  # type: ignore[name-defined,misc]
        __neg__ = engine.Function(ops.neg, None, "operator")
        __add__ = engine.Function(ops.add, None, "operator")
        __radd__ = engine.Function(ops.add, None, "reflected")
        __sub__ = engine.Function(ops.sub, None, "operator")
        __rsub__ = engine.Function(ops.sub, None, "reflected")
        __mul__ = engine.Function(ops.mul, None, "operator")
        __rmul__ = engine.Function(ops.mul, None, "reflected")
        __array_ufunc__ = None

        @property
        def shape(self) -> tuple[int, ...]:
            return self._array.shape

        def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
            if function is np.sum:
                return engine.apply(total, args, {k: kwargs[k] for k in ("axis", "keepdims")})
            if function is np.reshape:
                return engine.apply(reshaped, args[:1], {"shape": args[1]})
            return NotImplemented

    return Tensor


@primitive(lambda g, _y, x_like, *, axis, keepdims: g + np.zeros(x_like.shape, x_like.dtype))
def total(input, *, axis, keepdims):
    """Return the sum over axes that are kept."""
    return input.sum(axis=axis, keepdims=keepdims)


@primitive(lambda g, _y, x_like, *, shape: np.reshape(g, x_like.shape), view=True)
def reshaped(input, *, shape):
    """Return a view of another shape."""
    return input.reshape(shape)


def leaf(engine: ModuleType, array: Any, requires_grad: bool = True) -> Any:
    """Return a leaf on a copy of the array."""
    t = engine.wrap(np.array(array))
    t._set_requires_grad(requires_grad)
    return t


# ----- Programs -----


@dataclass
class Program:
    """Leaves by shape, steps that append a value each, and the values that backward starts from."""

    seed: int
    dtype: str
    shapes: list[tuple[int, ...]]
    wants: list[bool]
    steps: list[tuple[str, Op, int, int]]
    roots: list[int]


@st.composite
def programs(draw: Any) -> Program:
    """Draw a program with shared subgraphs, broadcasts, in-place steps and several roots."""
    count = draw(st.integers(2, 4))
    shapes = [draw(st.sampled_from(SHAPES)) for _ in range(count)]
    wants = [True] + [draw(st.booleans()) for _ in range(count - 1)]
    steps: list[tuple[str, Op, int, int]] = []
    for i in range(draw(st.integers(1, 12))):
        pick = st.integers(0, count + i - 1)
        kind = draw(st.sampled_from(["binary", "binary", "binary", "unary", "in_place"]))
        table = {"binary": BINARY, "unary": UNARY, "in_place": IN_PLACE}[kind]
        steps.append((kind, draw(st.sampled_from(table)), draw(pick), draw(pick)))
    roots = draw(st.lists(st.integers(0, count + len(steps) - 1), min_size=1, max_size=3))
    return Program(
        draw(st.integers(0, 2**16)), draw(st.sampled_from(["float32", "float64"])), shapes, wants, steps, roots
    )


def run(engine: ModuleType, program: Program, create_graph: bool = False) -> list[Any]:
    """Run a program forward and backward; return every value and gradient as bytes, or the error's text."""
    rng = np.random.default_rng(program.seed)
    leaves = [
        leaf(engine, rng.uniform(-1, 1, shape).astype(program.dtype), want)
        for shape, want in zip(program.shapes, program.wants, strict=True)
    ]
    values = list(leaves)
    try:
        for kind, op, i, j in program.steps:
            if kind == "binary":
                values.append(engine.apply(op, (values[i], values[j]), {}))
            elif kind == "unary":
                values.append(engine.apply(op, (values[i],), {}))
            else:
                # On a fresh value, because a leaf must not be changed.
                target = engine.apply(ops.clone, (values[i],), {})
                values.append(engine.apply_in_place(op, (target, values[j]), {}))
        roots = [values[r] for r in program.roots if values[r].requires_grad]
        if not roots:
            return [v._array.tobytes() for v in values]
        results = [v._array.tobytes() for v in values]
        if create_graph:
            inputs = [x for x in leaves if x.requires_grad]
            first = engine.run_backward(roots, [None] * len(roots), True, True, inputs, False)
            live = [g for g in first if g is not None and g.requires_grad]
            results += [None if g is None else g._array.tobytes() for g in first]
            if live:
                engine.run_backward(live, [None] * len(live), False, False)
        else:
            engine.run_backward(roots, [None] * len(roots), False, False)
        return results + [None if x._grad is None else x._grad._array.tobytes() for x in leaves]
    except (RuntimeError, ValueError) as error:
        return [type(error), str(error)]
