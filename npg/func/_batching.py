"""Ops on batched tensors: by a batching rule, by the composite, or by a loop over the examples.

The engine passes every call to intercept() while a vmap is running. An op's batching rule (npg/ops/_kinds.py) applies
it to a whole batch; a kernel without one runs as its composite, whose parts are intercepted in turn; any other op runs
on one example after another, which the active vmap_report records.
"""

from __future__ import annotations

import weakref
from collections import Counter
from typing import Any

from npg.creation import zeros
from npg.engine import Block, apply, apply_in_place, set_interceptor
from npg.engine._guard import guard
from npg.func._batched import BatchedTensor, Level, batch, running, top_level
from npg.func._placeholder import UNBATCHED_SELF, LikeArray, Unbatchable
from npg.ops import joining, shape
from npg.ops._kinds import padded, rank_of


class vmap_report(Block):
    """Report, within a with statement, what vmap runs one example after another for lack of a rule.

    >>> with npg.func.vmap_report() as report:
    ...     y = npg.func.vmap(f)(x)
    >>> report.looped

    Attributes:
        looped: a Counter of the names of ops, one for each call on a whole batch; with "_" where the op wrote in place;
            and of "func: <name> (<reason>)" where vmap ran the whole function on one example after another.
    Source: npg's own; torch warns of a "performance drop" instead.
    """

    def __init__(self) -> None:
        self.looped: Counter[str] = Counter()

    def _places(self) -> Any:
        return ((running, "reports", (*running.reports, self)),)

    def __repr__(self) -> str:
        return f"<vmap_report looped={dict(self.looped)}>"


def note_loop(name: str) -> None:
    """Record in the active reports what is run one example after another."""
    for report in running.reports:
        report.looped[name] += 1


# The vmaps running in all threads. An interrupt may prevent the removal of one: the weak reference then expires, and
# the next vmap that ends, or intercept(), switches the interception off.
_active: weakref.WeakSet[Level] = weakref.WeakSet()


class intercepting(Block):
    """Make the engine call intercept() while a vmap is running."""

    def __init__(self, level: Level) -> None:
        self._level = level

    def _places(self) -> Any:
        with guard:
            _active.add(self._level)
            set_interceptor(intercept)
        return ((running, "levels", (*running.levels, self._level)),)

    def _left(self, *_error: object) -> None:
        _rest(self._level)


def _rest(level: Level | None = None) -> None:
    """Stop the interception when no vmap but this one is running."""
    with guard:
        if level is not None:
            _active.discard(level)
        if not _active:
            set_interceptor(None)


def intercept(op: Any, inputs: Any, params: dict[str, Any], way: str) -> Any:
    """Return the result of an op on batched tensors, NotImplemented where none of its inputs is batched.

    Raises: Unbatchable: where the function itself must run on each example: the op draws random numbers, or is an
        autograd.Function.
    """
    level = top_level(inputs)
    if not level:
        if not _active:
            _rest()
        return NotImplemented
    if op is None:
        raise Unbatchable(level, "a change in place")
    if way == "attach" or op.__module__ == "npg.ops.random":
        raise Unbatchable(level, op.name)
    flags = [type(x) is BatchedTensor and x.level == level for x in inputs]
    xs = [x.physical if flag else x for x, flag in zip(inputs, flags, strict=True)]
    size = next(x._array.shape[0] for x, flag in zip(xs, flags, strict=True) if flag)
    if way == "apply_in_place":
        return _in_place(op, inputs[0], xs, flags, params)
    rule = op.batch_rule
    outputs = NotImplemented if rule is None else rule(op, xs, flags, size, **params)
    if outputs is NotImplemented and op.composite is not None:
        try:
            return op.composite(*inputs, **params)
        except Unbatchable:
            pass
    if outputs is NotImplemented:
        note_loop(op.name)
        outputs = _looped(op, xs, flags, params, size)
    if op.is_multi:
        return tuple([batch(y, level) for y in outputs])
    return batch(outputs, level)


# ----- One example after the other -----


def _examples(xs: Any, flags: Any, size: int) -> Any:
    """Yield the inputs of each example."""
    parts = [apply(joining.unbind, (x,), {"dim": 0}) if flag else None for x, flag in zip(xs, flags, strict=True)]
    for i in range(size):
        yield [x if part is None else part[i] for x, part in zip(xs, parts, strict=True)]


def _looped(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if not size:  # zeros in place of an example give the shapes
        first = [zeros((1, *x.shape[1:]), dtype=x.dtype) if flag else x for x, flag in zip(xs, flags, strict=True)]
        outputs = _looped(op, first, flags, params, 1)
        nothing = {"dim": 0, "start": 0, "stop": 0, "step": 1}
        parts = [apply(shape.slice_, (y,), nothing) for y in (outputs if op.is_multi else (outputs,))]
        return tuple(parts) if op.is_multi else parts[0]
    results = [apply(op, tuple(each), params) for each in _examples(xs, flags, size)]
    if not op.is_multi:
        return _stacked(op, results)
    return tuple([_stacked(op, ys) for ys in zip(*results, strict=True)])


def _stacked(op: Any, ys: Any) -> Any:
    shapes = sorted({tuple(y._array.shape) for y in ys})
    if len(shapes) > 1:
        raise RuntimeError(
            "vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over "
            f"{op.name}, whose results for single examples have the shapes {', '.join(map(str, shapes))}"
        )
    return apply(joining.stack, tuple(ys), {"dim": 0})


# ----- In place -----


def _aligned(xs: Any, flags: Any) -> Any:
    """Return operands that broadcast example by example as the first one's do, None where that is uncertain."""
    rank = rank_of(xs[0], flags[0])
    if any(rank_of(x, flag) > rank for x, flag in zip(xs, flags, strict=True)):
        return None
    return tuple([padded(x, rank) if flag else x for x, flag in zip(xs, flags, strict=True)])


def _in_place(op: Any, first: Any, xs: Any, flags: Any, params: dict[str, Any]) -> Any:
    if not flags[0]:
        if isinstance(first._array, LikeArray):
            raise Unbatchable(running.levels[-1].number, "a change in place of what was made like a batched tensor")
        raise RuntimeError(UNBATCHED_SELF.format(name="inplace arithmetic"))
    aligned = _aligned(xs, flags) if op.kind is not None and op.kind.aligned else None
    if aligned is not None:
        apply_in_place(op, aligned, params)
    else:
        note_loop(op.name + "_")
        size = xs[0]._array.shape[0]
        others = _examples(xs[1:], flags[1:], size)
        for i, rest in enumerate(others):
            apply_in_place(op, (apply(shape.select, (xs[0],), {"dim": 0, "index": i}), *rest), params)
    return first
