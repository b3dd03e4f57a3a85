"""Ops on arrays without data: what the result would be, and the gradients; nothing large is computed.

The kind of an op, or a rule of its own (`@op.shape`), gives the shape, and a run of the forward on a few numbers the
dtype and the order in memory. An op without such a rule is computed once, on ones, and its result dropped.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.kernels import meta
from npg.kernels.meta import MetaArray
from npg.ops import _half
from npg.ops._kinds import ELEMENTWISE, MATRICES, PAIRS_OF_MATRICES, REDUCTION, REDUCTION_OF_ONE
from npg.random import Generator


class Shapes:
    """What the node of a call on arrays without data saves: the inputs' shapes, which their gradients have too."""

    __slots__ = ("arrays",)

    def __init__(self, arrays: Any) -> None:
        self.arrays = tuple([meta.like(x) if isinstance(x, np.ndarray) else None for x in arrays])

    def gradients(self, op: Any, needs: Any) -> list[Any]:
        """Return the gradients of the inputs that need one."""
        rules = op.vjps or (op.joint,) * len(self.arrays)
        return [x if need and rule is not None else None for x, need, rule in zip(self.arrays, needs, rules)]


def forward(op: Any, arrays: Any, params: dict[str, Any]) -> tuple[Any, Shapes]:
    """Return the result of an op for arrays of which some have no data, without data, and what its node saves.

    Raises: RuntimeError: for operands on both devices. Others: what the op's forward raises.
    """
    if op.is_view:
        return meta.without_data(op.forward(*arrays, **params)), Shapes(arrays)
    if op.kind in (ELEMENTWISE, REDUCTION, REDUCTION_OF_ONE):
        if op.kind is ELEMENTWISE:
            _check_places(arrays)
            shape = np.broadcast_shapes(*[x.shape for x in arrays if isinstance(x, np.ndarray)])
        else:
            shape = op.shape_rule(*arrays, **params)
        small = _computed(op, [meta.corner(x) for x in arrays], params)
        results = [meta.ordered(shape, np.asarray(y)) for y in (small if op.is_multi else (small,))]
        return tuple(results) if op.is_multi else results[0], Shapes(arrays)
    if op.shape_rule is not None:
        floats = [x.dtype for x in arrays if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
        return meta.empty(op.shape_rule(*arrays, **params), np.result_type(*floats or [arrays[0]])), Shapes(arrays)
    are_matrices = op.kind in (MATRICES, PAIRS_OF_MATRICES)
    numbers = [meta.stand_in(x, are_matrices) for x in arrays]
    return meta.without_data(_computed(op, numbers, params)), Shapes(arrays)


def written(op: Any, arrays: Any, params: dict[str, Any]) -> tuple[Any, Shapes]:
    """Return the arrays whose common shape is that of the result of an in-place change, and what its node saves.

    Raises: RuntimeError: when the first array has data and another has none. Others: what the op's forward raises.
    """
    if not isinstance(arrays[0], MetaArray):
        raise RuntimeError("Tensor on device meta is not on the expected device cpu!")
    if op.kind is not None and op.kind.aligned:
        return arrays, Shapes(arrays)
    result, saved = forward(op, arrays, params)
    return (result,), saved


def _computed(op: Any, arrays: list[Any], params: dict[str, Any]) -> Any:
    if op.takes_keep:
        params = {**params, "keep": False}
    if "generator" in params:
        params = {**params, "generator": Generator()}  # nothing is drawn from the user's
    result = _half.compute(op, arrays, params) if _half.among(arrays) else op.forward(*arrays, **params)
    return result[0] if op.is_fused else result


def _check_places(arrays: Any) -> None:
    """Raise RuntimeError for arrays of which some have data and some have none; numbers go with both."""
    expected: bool | None = None
    for x in arrays:
        if isinstance(x, np.ndarray) and (x.ndim or isinstance(x, MetaArray)):
            is_meta = isinstance(x, MetaArray)
            if expected is None:
                expected = is_meta
            elif is_meta != expected:
                here, there = ("meta", "cpu") if is_meta else ("cpu", "meta")
                raise RuntimeError(f"Tensor on device {here} is not on the expected device {there}!")
