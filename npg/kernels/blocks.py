"""Elementwise functions of large arrays, block by block.

A rule such as `-g * ((a / b) / b)` makes several arrays, of which one is the result. What computes each element
independently is run here on one block after the other: temporaries then have the size of a block and stay in the
processor's cache, which takes less memory and less time. The engines run the forwards and rules of ops that are
declared elementwise this way, see npg/ops/_op.py.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npg.kernels.keys import keys
from npg.kernels.programs import Probe, Program, RecordedStep

Array = np.ndarray[Any, Any]

LARGE = 3 << 20  # elements from which an array is processed in blocks; smaller ones fit in the cache anyway
BLOCK = 1 << 16  # elements of a block


def is_large(inputs: Any) -> bool:
    """Tell whether one of the inputs is an array for which blocks pay."""
    return any(isinstance(x, np.ndarray) and x.size > LARGE for x in inputs)


class _Reading(NamedTuple):
    """What is known of a rule of g, y and the op's inputs.

    Attributes:
        program: the rule as a program for arrays of one shape and dtype; None where probes cannot read it.
        used: the indices of the arguments that it reads.
        is_short: it makes at most one array, or zeros: blocks would gain nothing.
    """

    program: Program | None
    used: frozenset[int]
    is_short: bool


@functools.cache
def _read(rule: Callable[..., Any]) -> _Reading:
    recorded: list[RecordedStep] = []
    code = rule.__code__
    unknown = _Reading(None, frozenset(), code.co_names == ("zeros",))
    if code.co_kwonlyargcount or code.co_freevars:
        return unknown
    try:
        result = rule(*[Probe(recorded, ("in", i)) for i in range(code.co_argcount)])
    except Exception:  # it does something that a probe does not support
        return unknown
    operands = [x for step in recorded for x in step.inputs]
    if not isinstance(result, Probe) or not all(isinstance(x, (Probe, int, float)) for x in operands):
        return unknown
    if len(recorded) <= 1:
        return _Reading(None, frozenset(), True)
    used = frozenset(x.place[1] for x in operands if isinstance(x, Probe) and x.place[0] == "in")
    return _Reading(Program(rule), used, False)


def rule_in_blocks(rule: Callable[..., Any], inputs: Any, params: dict[str, Any]) -> Any:
    """Return rule(*inputs, **params) for the rule of an elementwise op; inputs are g, y and the op's inputs."""
    program, used, is_short = _read(rule)
    if is_short:
        return rule(*inputs, **params)
    if program is not None and _are_alike([inputs[i] for i in used]):
        like = inputs[min(used)]
        return program(*[x if i in used else like for i, x in enumerate(inputs)])
    return in_blocks(rule, inputs, params)


def program_in_blocks(program: Program, *arrays: Array) -> Any:
    """Return program(*arrays) for arrays of any layout that broadcast against each other."""
    return program(*arrays) if _are_alike([*arrays]) else in_blocks(program.function, arrays, {})


def _are_alike(arrays: list[Any]) -> bool:
    """Tell whether a program may run: C-contiguous arrays of one shape and floating dtype."""
    first = arrays[0]
    return all(
        isinstance(a, np.ndarray) and a.flags.c_contiguous and a.shape == first.shape and a.dtype == first.dtype
        for a in arrays
    ) and first.dtype.kind == "f"  # fmt: skip


def in_blocks(function: Callable[..., Any], inputs: Any, params: dict[str, Any], out: Array | None = None) -> Any:
    """Return function(*inputs, **params), block by block; it computes each element independently.

    Args:
        inputs: arrays, which broadcast against each other, and anything else.
        out: where the result is written, cast if needed; it may be one of the inputs. None: a new array.
    """
    where = [i for i, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.ndim]
    shape = np.broadcast_shapes(*[inputs[i].shape for i in where])
    aligned = _lined_up([inputs[i] for i in where], shape)
    if aligned is None or 0 in shape or (out is not None and not (out.shape == shape and out.flags.c_contiguous)):
        return _whole(function, inputs, params, out)
    arrays, shape_of_lines = aligned
    target = None if out is None else out.reshape(shape_of_lines)
    result = out
    parts = list(inputs)
    for key in keys(shape_of_lines, BLOCK):
        for i, a in zip(where, arrays, strict=True):
            parts[i] = a[tuple([k if n > 1 else slice(None) for k, n in zip(key, a.shape, strict=True)])]
        block = function(*parts, **params)
        if target is None:
            for i in where:
                if block is parts[i]:
                    return inputs[i]
            if not isinstance(block, np.ndarray):
                return _whole(function, inputs, params, out)
            result = np.empty(shape, block.dtype)
            target = result.reshape(shape_of_lines)
        if block.shape != target[key].shape:  # the result does not depend on every input
            return _whole(function, inputs, params, out)
        target[key] = block
    return result


def blockwise(function: Callable[..., Any], *inputs: Any) -> Any:
    """Return function(*inputs), in blocks where one is a large array; it computes each element independently."""
    return in_blocks(function, inputs, {}) if is_large(inputs) else function(*inputs)


def in_slabs(function: Callable[[Array], Array], x: Array, dim: int) -> Array:
    """Return function(x), called on a few lines at a time where x is large.

    Each line of the result along dim depends only on the same line of x; its length may differ.
    """
    if not is_large((x,)):
        return function(x)
    result: Array | None = None
    lines = (*x.shape[:dim], 1, *x.shape[dim + 1 :])
    for key in keys(lines, max(1, BLOCK // x.shape[dim])):
        part = (*key[:dim], slice(None), *key[dim + 1 :])
        slab = function(x[part])
        if result is None:
            shape = (*x.shape[:dim], slab.shape[dim], *x.shape[dim + 1 :])
            result = np.empty_like(x, slab.dtype, order="K" if dim == x.ndim - 1 else "C", shape=shape)
        result[part] = slab
    assert result is not None
    return result


def _whole(function: Callable[..., Any], inputs: Any, params: dict[str, Any], out: Array | None) -> Any:
    result = function(*inputs, **params)
    if out is None:
        return result
    np.copyto(out, result, casting="unsafe")
    return out


# ----- Where to cut -----


def _lined_up(arrays: list[Array], shape: tuple[int, ...]) -> tuple[list[Array], tuple[int, ...]] | None:
    """Return views of the arrays that the keys of one shape can cut, and that shape: one line where possible.

    None where the result of a ufunc would not be C-contiguous.
    """
    lines = [_line(a) if a.shape == shape else None for a in arrays]
    if all(a is not None for a in lines):
        return [a for a in lines if a is not None], (math.prod(shape),)
    if not all(map(_is_ordered, arrays)):
        return None
    return [a.reshape((1,) * (len(shape) - a.ndim) + a.shape) for a in arrays], shape


def _line(a: Array) -> Array | None:
    """Return a as one-dimensional, without a copy; None where that is not possible."""
    if a.flags.c_contiguous:
        return a.reshape(-1)
    if all(s == 0 for s, n in zip(a.strides, a.shape, strict=True) if n > 1):  # expanded
        return np.broadcast_to(a[(slice(1),) * a.ndim].reshape(1), (a.size,))
    return None


def _is_ordered(a: Array) -> bool:
    """Tell whether the strides never increase from one dimension to the next."""
    moves = [abs(s) for s, n in zip(a.strides, a.shape, strict=True) if n > 1 and s]
    return all(x >= y for x, y in itertools.pairwise(moves))
