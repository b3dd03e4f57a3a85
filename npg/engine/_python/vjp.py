"""Running a node: the rules of its op compute the gradients of its inputs."""

from __future__ import annotations

from typing import Any

from npg.engine import _anomaly, _saved
from npg.engine._python.applying import apply
from npg.engine._python.modes import anomaly
from npg.engine._python.node import Node
from npg.engine._python.tensor import TensorBase, wrap
from npg.kernels.blocks import is_large, rule_in_blocks
from npg.ops import _half
from npg.ops._broadcast import unbroadcast
from npg.ops._meta import Shapes
from npg.ops.elementwise import cast
from npg.ops.strided import alias


def run_node(node: Node, g: Any, recorded: bool) -> Any:
    """Return the gradients of a node's inputs, given that of its output (or a tuple of those of its outputs)."""
    if node.packed or anomaly.enabled:
        return _vjp_checked(node, g, recorded)
    return _vjp_recorded(node, g) if recorded else _vjp(node, g)


def _vjp(node: Node, g: Any) -> Any:
    """Run the op's rules on arrays: g and the results are ndarrays (g a tuple for a multi op), or None."""
    node.check_versions()
    if type(node.saved) is Shapes:
        return node.saved.gradients(node.op, node.needs)
    inputs = [x._array if isinstance(x, TensorBase) else x for x in node.inputs or ()]
    return _run_rules(node, node.op.joint, g, node.output, inputs)


def _vjp_recorded(node: Node, g: Any) -> Any:
    """Run the op's rules on tensors and record them, for create_graph: g and the results are tensors."""
    node.check_versions()
    op, y = node.op, node.output
    if type(node.saved) is Shapes and op.is_fused and op.recorded is not None:  # that rule needs the kernel's arrays
        return [None if x is None else wrap(x) for x in node.saved.gradients(op, node.needs)]
    if op.is_fused and op.recorded is None:
        return _composite_vjp(node, g)
    if y is not None:
        y = tuple(_output_tensor(node, a, i) for i, a in enumerate(y)) if op.is_multi else _output_tensor(node, y, 0)
    return _run_rules(node, op.recorded if op.is_fused else op.joint, g, y, node.inputs or ())


def _cast(x: Any, dtype: Any) -> Any:
    return apply(cast, (x,), {"dtype": dtype}) if isinstance(x, TensorBase) else x.astype(dtype)


def _run_rules(node: Node, joint: Any, g: Any, y: Any, inputs: Any) -> Any:
    op, needs = node.op, node.needs
    half = not op.exact and _half.among(g if op.is_multi else (g,))
    if half:  # see ops/_half.py
        g, y, inputs = _half.in_float32(op, g, y, inputs, node.params, _cast)
    if joint is not None:
        kernel = {"saved": node.saved} if op.is_fused else {}
        grads = joint(g, y, *inputs, needs=needs, **kernel, **node.params)
    elif op.elementwise and is_large((g,)):
        grads = [
            rule_in_blocks(rule, (g, y, *inputs), node.params) if need and rule is not None else None
            for rule, need in zip(op.vjps, needs, strict=True)
        ]
    else:
        grads = [
            rule(g, y, *inputs, **node.params) if need and rule is not None else None
            for rule, need in zip(op.vjps, needs, strict=True)
        ]
    if node.shapes is not None:
        grads = [gx if gx is None else unbroadcast(gx, s) for gx, s in zip(grads, node.shapes, strict=True)]
    return _half.narrow(grads, _cast) if half else grads


def _vjp_checked(node: Node, g: Any, recorded: bool) -> Any:
    """Unpack what hooks have packed, run the op's rules, and in anomaly mode check the results for nan."""
    stored = node.inputs, node.output, node.saved
    packed = node.packed and node.inputs is not None
    try:
        if packed:
            node.inputs, node.output, node.saved, node.versions = _saved.unpack(node, wrap, TensorBase, recorded)
            node.packed = False
        results = _vjp_recorded(node, g) if recorded else _vjp(node, g)
        if anomaly.enabled and anomaly.check_nan:
            _anomaly.check(node, results)
    except Exception:
        if anomaly.enabled:
            _anomaly.warn_of_error(node)
        raise
    finally:
        if packed:
            node.packed, node.versions = True, None
            node.inputs, node.output, node.saved = stored
    return results


def _output_tensor(node: Node, array: Any, nr: int) -> Any:
    if array is None:
        return None
    t = wrap(array)
    if array.dtype.kind in "fc":
        t._fn, t._nr = node, nr
    return t


def _composite_vjp(node: Node, g: Any) -> Any:
    from npg.engine._python.backward import run_backward  # here, because it imports this module

    # Aliases, because one tensor may be several inputs (as in self-attention) and each needs a gradient of its own.
    inputs = [apply(alias, (x,), {}) if need else x for x, need in zip(node.inputs or (), node.needs, strict=True)]
    gs = g if node.op.is_multi else (g,)
    half = _half.among(gs)
    y = node.op.composite(*(_half.widen(tuple(inputs), _cast) if half else inputs), **node.params)
    ys = y if node.op.is_multi else (y,)
    known = [(_cast(y, _half.HALF) if half else y, g) for y, g in zip(ys, gs, strict=True) if g is not None]
    differentiated = [x for x, need in zip(inputs, node.needs, strict=True) if need]
    roots, starts = zip(*known, strict=True)
    grads = iter(run_backward(roots, starts, True, True, differentiated, False))
    return [next(grads) if need else None for need in node.needs]
