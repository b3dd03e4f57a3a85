"""Tangents propagated forward through a recorded graph: J v in one sweep.

The nodes are visited in the order of their creation, each by its op's tangent rule; a fused kernel without one is
replaced by its composite. If the graph has any other node, sweep() returns NotImplemented, and the caller computes the
transpose of the transpose (two reverse passes) through the same graph.

Measured for a tanh layer between two products, relative to the plain function: by hand 1.8 to 1.9 times its time, by
two reverse passes 3.2 (256 wide) to 6.7 times (64 wide). Hence the sweep.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from npg._floating import silent
from npg.engine import TensorBase, array_of, enable_grad, wrap
from npg.engine._walks import reachable
from npg.ops import _half
from npg.ops._op import Like


def sweep(outputs: Any, inputs: Any, tangents: Any, transposed: bool = False) -> Any:
    """Return the tangents of the outputs as ndarrays, None where an output does not depend on the inputs.

    Args:
        outputs: tensors.
        inputs: tensors, leaves or not.
        tangents: for each input an ndarray of its shape and dtype.
        transposed: return NotImplemented where two reverse passes would differ: where hooks change gradients, or a
            gradient is not the transpose (embedding's padding).
    Returns: a list; or NotImplemented where a node on the way has no tangent rule.
    Raises: RuntimeError: when a saved tensor has been changed in place, or the graph has been freed.
    """
    known: dict[tuple[int, int], Any] = {}
    for x, t in zip(inputs, tangents, strict=True):
        known[_key(x)] = t
    roots = [y.grad_fn for y in outputs]
    needed = sorted(reachable(roots, set(known), TensorBase), key=lambda node: node.seq)
    with silent():
        for node in needed:
            ts = [None if e is None else known.get((id(e[0]), e[1])) for e in node.edges]
            if all(t is None for t in ts):
                continue
            pushed = NotImplemented if node.packed or (transposed and _differs(node)) else _pushed(node, ts)
            if pushed is NotImplemented:
                return NotImplemented
            for nr, t in enumerate(pushed if node.op.is_multi else (pushed,)):
                known.setdefault((id(node), nr), None if t is None else np.asarray(t))
    return [known.get(_key(y)) for y in outputs]


def _key(t: Any) -> tuple[int, int]:
    fn = t.grad_fn
    return (id(t), 0) if fn is None else (id(fn), t.output_nr)


def _differs(node: Any) -> bool:
    return bool(node.tensor_hooks or node.hooks or node.prehooks) or node.params.get("padding_idx") is not None


# ----- One node -----


def _pushed(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of a node's output (for a multi op, of all outputs), or NotImplemented."""
    node.check_versions()
    call = _call(node)
    if node.op.exact or not _half.among(ts):
        return _pushed_now(call, ts)
    ts = [None if t is None else _half.widen(t, _cast) for t in ts]
    call.inputs = None if call.inputs is None else _half.widen(call.inputs, _cast)
    call.output = None if call.output is None else _half.widen(call.output, _cast)
    return _half.narrow(_pushed_now(call, ts), _cast)


def _cast(x: Any, dtype: Any) -> Any:
    return x.astype(dtype)


def _call(node: Any) -> Any:
    """Return a node's call for a tangent rule to read, with the inputs as arrays."""
    return SimpleNamespace(
        op=node.op,
        params=node.params,
        inputs=None if node.inputs is None else tuple(map(array_of, node.inputs)),
        output=node.output,
        saved=node.saved,
        shapes=node.shapes,
        needs=node.needs,
    )


def _pushed_now(call: Any, ts: list[Any]) -> Any:
    op = call.op
    tangent = NotImplemented if op.tangent_rule is None else op.tangent_rule(call, ts)
    if tangent is NotImplemented and op.composite is not None and call.inputs is not None:
        return _through_composite(call, ts)
    return tangent


def _through_composite(call: Any, ts: list[Any]) -> Any:
    """Return the tangent of a fused kernel's output by recording its composite."""
    inputs, leaves, tangents = [], [], []
    for x, t in zip(call.inputs, [*ts, *[None] * (len(call.inputs) - len(ts))], strict=True):
        if isinstance(x, np.ndarray):
            x = wrap(x)
        elif t is not None:  # not saved, since no gradient depends on its values
            x = wrap(np.zeros_like(t))
        elif isinstance(x, Like):
            x = wrap(np.zeros(x.shape, x.dtype))
        if t is not None:
            x._set_requires_grad(True)
            leaves.append(x)
            tangents.append(t)
        inputs.append(x)
    with enable_grad():
        result = call.op.composite(*inputs, **call.params)
    outputs = result if call.op.is_multi else (result,)
    swept = sweep(outputs, leaves, tangents)
    if swept is NotImplemented:
        return NotImplemented
    filled = [np.zeros_like(y._array) if t is None else t for y, t in zip(outputs, swept, strict=True)]
    return filled if call.op.is_multi else filled[0]
