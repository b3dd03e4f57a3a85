"""Tangents sent forward through a recorded graph: the product of a Jacobian with a vector in one sweep.

The nodes are visited in the order in which they were made. Of an elementwise op the derivative is its own transpose, so
the rule that gives gradients gives tangents too; a linear op is applied to the tangent itself; a product has two terms,
a loss that is one number is its gradient times the tangent. Where a graph has a node of another kind, sweep() says so,
and the caller takes the transpose of the transpose (two reverse passes) through the same graph.

Measured for a layer of tanh between two products, against the plain function: by hand 1.8 to 1.9 times its time, by two
reverse passes 3.2 (256 wide) to 6.7 times (64 wide). Hence the sweep.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npg.engine import TensorBase
from npg.engine._common import reachable
from npg.func._rules import is_elementwise

__all__ = ["sweep"]

# Of one input, and linear in it; their settings do not depend on its values.
_LINEAR = set(
    "reshape squeeze unsqueeze expand contiguous transpose permute select slice diagonal unfold alias clone cast "
    "getitem split unbind sum mean flip roll rot90 tril triu repeat cumsum neg select_backward slice_backward "
    "diagonal_backward unfold_backward getitem_backward diagonal_copy".split()
)
_JOINING = {"cat", "stack"}
_PRODUCTS = {"matmul", "mm", "bmm", "mv", "dot", "outer"}
_LOSSES = set(
    "mse_loss smooth_l1_loss huber_loss l1_loss soft_margin_loss cross_entropy nll_loss binary_cross_entropy "
    "binary_cross_entropy_with_logits".split()
)
_NOT_HERE = {"fill", "assign"}  # elementwise for a batch, but what they write is not the shape of what they are given


def sweep(outputs: Any, inputs: Any, tangents: Any) -> Any:
    """Return the tangents of the outputs, ndarrays, None where an output does not depend on the inputs.

    Args:
        outputs: tensors.
        inputs: tensors, leaves or not.
        tangents: for each input an ndarray of its shape and dtype.
    Returns: a list; or NotImplemented where a node on the way has no rule here.
    Raises: RuntimeError: when a saved tensor was changed in place, or the graph was freed.
    """
    known: dict[tuple[int, int], Any] = {}
    for x, t in zip(inputs, tangents, strict=True):
        known[_key(x)] = t
    roots = [y.grad_fn for y in outputs]
    needed = sorted(reachable(roots, set(known), TensorBase), key=lambda node: node.seq)
    with np.errstate(all="ignore"):
        for node in needed:
            ts = [None if e is None else known.get((id(e[0]), e[1])) for e in node.edges]
            if all(t is None for t in ts):
                continue
            found = NotImplemented if node.packed else _pushed(node, ts)
            if found is NotImplemented:
                return NotImplemented
            for nr, t in enumerate(found if node.op.is_multi else (found,)):
                known.setdefault((id(node), nr), None if t is None else np.asarray(t))
    return [known.get(_key(y)) for y in outputs]


def _key(t: Any) -> tuple[int, int]:
    fn = t.grad_fn
    return (id(t), 0) if fn is None else (id(fn), t.output_nr)


# ----- One node -----


def _pushed(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of a node's output (of a multi op, all of them), or NotImplemented."""
    op, name = node.op, node.op.name
    node.check_versions()
    if name == "view":
        return ts[0].reshape(node.params["shape"])  # a tangent's strides are others than its value's
    if name in _LINEAR:
        return _plain(op, op.forward(ts[0], **node.params))
    if name in _JOINING:
        return NotImplemented if any(t is None for t in ts) else op.forward(*ts, **node.params)
    if name in _PRODUCTS or name == "linear":
        return _product(op, node, ts)
    if name in ("softmax", "log_softmax"):
        return _softmax(node, ts[0], name == "log_softmax")
    if name in _LOSSES:
        return _loss(node, ts)
    if is_elementwise(op) and name not in _NOT_HERE:
        return _elementwise(node, ts)
    return NotImplemented


def _plain(op: Any, result: Any) -> Any:
    return result[0] if op.is_fused else result


def _gradients(node: Any, gs: list[Any]) -> Any:
    """Return what the rules make of a gradient of the output: gs has one for each input that is wanted."""
    op = node.op
    inputs = [x._array if isinstance(x, TensorBase) else x for x in node.inputs]
    if op.joint is not None:
        (g,) = {id(g): g for g in gs if g is not None}.values()  # a joint rule has one gradient for all inputs
        kernel = {"saved": node.saved} if op.is_fused else {}
        return op.joint(g, node.output, *inputs, needs=tuple([g is not None for g in gs]), **kernel, **node.params)
    return [
        None if g is None or rule is None else rule(g, node.output, *inputs, **node.params)
        for rule, g in zip(op.vjps, gs, strict=True)
    ]


def _elementwise(node: Any, ts: list[Any]) -> Any:
    if node.op.joint is not None and len(ts) > 1:
        return NotImplemented
    if node.shapes is not None:
        if not all(node.needs):
            return NotImplemented  # the operand that is not wanted may be the larger one, and its shape is not known
        shape = np.broadcast_shapes(*node.shapes)
        ts = [None if t is None else np.broadcast_to(t, shape) for t in ts]
    total: Any = None
    for part in _gradients(node, ts):
        if part is not None:
            total = part if total is None else total + part
    return NotImplemented if total is None else np.asarray(total)


def _product(op: Any, node: Any, ts: list[Any]) -> Any:
    a, b = (x._array if isinstance(x, TensorBase) else x for x in node.inputs[:2])
    rest = (None,) if op.name == "linear" else ()
    total: Any = None
    for operands in ((ts[0], b), (a, ts[1])):
        if any(x is None for x in operands):  # a factor that is not wanted has no tangent
            continue
        part = _plain(op, op.forward(*operands, *rest, **node.params))
        total = part if total is None else total + part
    if rest and len(ts) > 2 and ts[2] is not None:
        if total is None:
            return NotImplemented
        total = total + ts[2]
    return NotImplemented if total is None else np.asarray(total)


def _softmax(node: Any, t: Any, logarithm: bool) -> Any:
    if not t.ndim:
        return np.zeros_like(t)
    y, dim = node.output, node.params["dim"]
    if logarithm:
        return t - (np.exp(y) * t).sum(dim, keepdims=True)
    return y * (t - (y * t).sum(dim, keepdims=True))


def _loss(node: Any, ts: list[Any]) -> Any:
    if node.params.get("reduction") not in ("mean", "sum"):
        return NotImplemented
    g = np.ones((), next(t for t in ts if t is not None).dtype)
    total = 0.0
    for part, t in zip(_gradients(node, [None if t is None else g for t in ts]), ts, strict=False):
        if part is not None and t is not None:
            total = total + (part * t).sum()
    return np.asarray(total, g.dtype)
