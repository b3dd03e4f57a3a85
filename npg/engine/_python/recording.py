"""Recording a call of an op: its node, what the node saves, and the tensors of its outputs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from npg import _errors
from npg._contextlib import cover, depth
from npg.engine import _anomaly, _saved
from npg.engine._checks import MULTI_VIEW, NO_GRAD_VIEW, VIEW
from npg.engine._python.modes import anomaly, state, switches
from npg.engine._python.node import Node
from npg.engine._python.tensor import TensorBase, wrap
from npg.ops._op import LIKE, VALUE, Like

_sequence = itertools.count(1)


def record(op: Any, inputs: Any, params: dict[str, Any], out: Any, saved: Any) -> Node:
    """Return the node of a call that has been computed; `out` is its output array, or a tuple of them."""
    node = Node()
    node.op, node.params = op, params
    edges: list[Any] = []
    for x in inputs:
        if not isinstance(x, TensorBase):
            edges.append(None)
        elif (fn := x.grad_fn) is not None:
            edges.append((fn, x._nr))
        else:
            edges.append((x, 0) if x._requires_grad else None)
    node.seq = next(_sequence)  # only now, because x.grad_fn may have made a node for a view
    node.edges = tuple(edges)
    node.needs = needs = tuple(e is not None for e in edges)
    y_mode, modes = op.saves(needs)
    saved_inputs: list[Any] = []
    versions: list[int] = []
    for x, mode in zip(inputs, modes, strict=True):
        version = 0
        if mode == VALUE:
            if isinstance(x, TensorBase):
                if x._inference:
                    raise RuntimeError(_errors.INFERENCE_SAVED)
                version = x._counter.value
            saved_inputs.append(x)
        elif mode == LIKE and x is not None:
            a = x._array if isinstance(x, TensorBase) else x
            saved_inputs.append(Like(a.shape, a.dtype) if isinstance(a, np.ndarray) else a)
        else:
            saved_inputs.append(None)
        versions.append(version)
    node.inputs = tuple(saved_inputs)
    node.versions = tuple(versions)
    if y_mode:
        reads = op.reads
        node.output = out if reads is None else tuple([o if nr in reads else None for nr, o in enumerate(out)])
    node.saved = saved
    if op.is_multi:
        node.output_count = len(out)
    if op.broadcasts:
        shapes = tuple(
            (x._array.shape if isinstance(x, TensorBase) else None) if need else None
            for x, need in zip(inputs, needs, strict=True)
        )
        if any(s is not None and s != out.shape for s in shapes):
            node.shapes = shapes
    return node


def observe(node: Node, inputs: Any, out: Any) -> None:
    """Prepare a new node for anomaly mode and for hooks on saved tensors, if they are in force."""
    if anomaly.enabled:
        node.origin = _anomaly.Origin(inputs, out)
    if state.saved_hooks:
        pack(node, True)


def pack(node: Node, results: bool) -> None:
    """Pack what a node has saved by the hooks on saved tensors; `results`: the output and a kernel's arrays too."""
    start = depth()
    previous, state.grad = state.grad, False
    try:
        node.inputs, node.output, node.saved, node.packed = _saved.pack(node, wrap, TensorBase, results)
        if node.packed:
            node.versions = None
    finally:
        state.grad = previous
        cover(start, switches, "grad")


def _is_view_of(out: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> bool:
    # NumPy collapses chains of views: a view's base is the array that owns the memory.
    base = out.base
    return base is not None and (base is x or base is x.base or out is x)


def finish(op: Any, first: Any, out: Any, node: Node | None, nr: int) -> Any:
    """Return the tensor of one output array, with its place in the graph; a view shares its base's version counter."""
    if not isinstance(out, np.ndarray):
        out = np.asarray(out)
    t = wrap(out)
    if op.is_view and isinstance(first, TensorBase) and (out is first._array or _is_view_of(out, first._array)):
        t._counter = first._counter
        t._base = first if first._base is None else first._base
        t._seen = first._counter.value
        t._kind = MULTI_VIEW if op.is_multi else VIEW if state.grad else NO_GRAD_VIEW
        t._inference = first._inference
        if first._base is not None and first._kind and not op.is_multi:
            t._kind = first._kind
    if node is not None and out.dtype.kind in "fc":
        t._fn, t._nr = node, nr
    if node is not None:
        node.watch(t, nr)
    return t
