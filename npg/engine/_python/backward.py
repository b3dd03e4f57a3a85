"""The backward pass: nodes run from the highest number down, and the gradients that they send are summed."""

from __future__ import annotations

import functools
from heapq import heappop, heappush
from typing import Any

import numpy as np

from npg import _errors
from npg._contextlib import cover, depth
from npg._floating import SILENT, floating_errors
from npg.engine._checks import refuse_shapes
from npg.engine._gradients import check_gradient, copy_in_layout, own_copy, recorded_copy
from npg.engine._guard import guard
from npg.engine._hooks import run_hooks, run_leaf_hooks, run_post_hooks, run_prehooks, run_tensor_hooks
from npg.engine._python.in_place import apply_in_place
from npg.engine._python.modes import interception, state, switches
from npg.engine._python.node import Node
from npg.engine._python.tensor import TensorBase, wrap
from npg.engine._python.vjp import run_node
from npg.engine._walks import reachable, remaining_edges, run_callbacks, running
from npg.kernels.meta import MetaArray
from npg.ops.strided import overlaps


def _has_hooks(leaf: Any) -> bool:
    return bool(leaf._hooks or leaf._post_hooks or leaf._accumulator)


def run_backward(
    tensors: Any, gradients: Any, retain_graph: bool, create_graph: bool, inputs: Any = None, accumulate: bool = True
) -> Any:
    """Propagate gradients from the roots through the graph.

    Args:
        tensors: the roots, from which the gradients start.
        gradients: one tensor per root; None stands for ones.
        retain_graph: keep what the nodes have saved, for another pass.
        create_graph: record the backward pass itself, for gradients of higher order.
        inputs: the tensors whose gradients are computed, or None for every leaf.
        accumulate: add the gradients to .grad of the leaves (other tensors get theirs by retain_grad); otherwise
            return the gradients of `inputs`, None where none arrived.
    Raises: RuntimeError: when a root has no graph, when the graph was freed, or when a saved tensor was changed in
        place.
    """
    heap: list[Any] = []  # (-seq, node) of the nodes that were reached and have not run
    # own: whether the buffer of a gradient belongs to the engine, which may then add to it in place.
    pending: dict[Any, list[Any]] = {}  # node: [gradient, own] of each output, in one list
    leaves: dict[Any, list[Any]] = {}  # id of a leaf: [leaf, gradient, own]
    targets: dict[Any, int] = {}  # (id of a node or leaf, output number): index in `inputs`
    captured: dict[Any, Any] = {}  # the gradients of the targets, by the same keys
    remaining: dict[int, int] | None = None  # counted once a leaf with hooks is reached, see remaining_edges
    hooked = False  # whether a leaf with hooks was reached

    def send(target: Any, nr: int, g: Any) -> None:
        # A rule without a gradient sends None: the target still counts as reached, and its hooks are called.
        nonlocal hooked
        if isinstance(target, TensorBase):
            slot = leaves.get(id(target))
            if slot is None:
                slot = leaves[id(target)] = [target, None, False]
                hooked = hooked or _has_hooks(target)
            at = 1
        else:
            slot = pending.get(target)
            if slot is None:
                slot = pending[target] = [None, False] * target.output_count
                heappush(heap, (-target.seq, target))
            at = 2 * nr
        # The first gradient is kept by reference, the second allocates a buffer, later ones are added to it in place.
        if g is None:
            return
        if slot[at] is None:
            slot[at] = g
            return
        if slot[at + 1] and not create_graph:
            np.add(slot[at], g, out=slot[at])
        else:
            total = slot[at] + g
            slot[at] = total if create_graph or isinstance(total, np.ndarray) else np.asarray(total)
            slot[at + 1] = True

    def leads(edge: Any) -> bool:
        # Whether the gradient of an input is asked for, or leads to one that is.
        assert needed is not None
        return (id(edge[0]), edge[1]) in targets or edge[0] in needed

    def run_observed(node: Node, g: Any) -> Any:
        if interception.observer is None:
            return run_node(node, g, create_graph)
        run = functools.partial(run_node, node, g, create_graph)
        return interception.observer("backward", node.op, (node, g), run)

    def run_needed(node: Node, g: Any) -> Any:
        # The rules of inputs whose gradients lead nowhere do not run. (Where hooks have packed the inputs all do: the
        # inputs get their histories back from the edges.)
        full = node.edges, node.needs
        node.edges = tuple(e if e is not None and leads(e) else None for e in node.edges)
        node.needs = tuple(e is not None for e in node.edges)
        try:
            return run_observed(node, g)
        finally:
            node.edges, node.needs = full

    def capture(node: Node, grads: list[Any]) -> None:
        for nr, g in enumerate(grads):
            if g is not None and (id(node), nr) in targets:
                captured[id(node), nr] = g

    def settle(leaf: Any, g: Any, own: bool) -> None:
        # The leaf's gradient is complete.
        if leaf._hooks:
            g = run_leaf_hooks(leaf, g, create_graph, wrap)
            own = False
        if inputs is not None:
            if (id(leaf), 0) not in targets:
                return
            if not accumulate:
                captured[id(leaf), 0] = g
                return
        node = leaf._accumulator
        if node is not None and node.prehooks:
            g = run_prehooks(node, [g], create_graph, wrap)[0]
            own = False
        observed = node is not None and node.hooks
        if g is not None and leaf._requires_grad:  # unless it was frozen since
            _accumulate(leaf, g, own and not observed, create_graph)
        if leaf._post_hooks:
            run_post_hooks(leaf)
        if observed:
            run_hooks(node, (), [g], create_graph, wrap)

    for i, root in enumerate(tensors):
        if not root.requires_grad:
            raise RuntimeError(_errors.NO_GRAPH.format(index=i))
    starts = [
        check_gradient(i, root, g, create_graph, wrap)
        for i, (root, g) in enumerate(zip(tensors, gradients, strict=True))
    ]
    needed = None  # the nodes that lead to the targets; None: all run
    if inputs is not None:
        numbers = []
        for i, x in enumerate(inputs):
            fn = x.grad_fn
            numbers.append(0 if fn is None else fn.seq)
            targets[(id(x), 0) if fn is None else (id(fn), x._nr)] = i
        needed = reachable([r.grad_fn for r in tensors], set(targets), TensorBase, min(numbers))
    before = floating_errors.get()
    current: list[Any] = [tensors, targets, needed, None, None]
    outer, running.current = running.current, current
    start = depth()
    previous = state.grad
    state.grad = create_graph
    try:
        floating_errors.set(SILENT)
        for root, g in zip(tensors, starts, strict=True):
            fn = root.grad_fn
            send(root if fn is None else fn, root._nr if fn is not None else 0, g)
        while heap:
            node = heappop(heap)[1]
            slot = pending.pop(node)
            grads = slot[::2]
            # As in PyTorch, a node captures its gradients before its tensor hooks run, but after them where the pass
            # ends there.
            ends = needed is not None and node not in needed
            if targets and not ends:
                capture(node, grads)
            if node.tensor_hooks is not None or node.retained is not None:
                run_tensor_hooks(node, grads, create_graph, wrap)
            if ends:
                capture(node, grads)
                continue
            if node.prehooks:
                grads = run_prehooks(node, grads, create_graph, wrap)
            g = tuple(grads) if node.op.is_multi else grads[0]
            results: Any
            if not node.op.runs_without_gradient and all(g is None for g in grads):
                node.check_versions()
                results = [None] * len(node.edges)
            elif needed is not None and len(node.edges) > 1 and not node.packed:
                results = run_needed(node, g)
            else:
                results = run_observed(node, g)
            del g, slot
            if not retain_graph:
                node.free()
            if node.hooks:
                results = run_hooks(node, results, grads, create_graph, wrap)
            del grads
            for e, gx in zip(node.edges, results, strict=True):
                if e is not None:
                    if needed is not None and not leads(e):
                        continue
                    as_is = gx is None or create_graph or isinstance(gx, np.ndarray)
                    send(e[0], e[1], gx if as_is else np.asarray(gx))
            del results
            if not hooked:
                continue
            # A leaf with hooks is settled as soon as no further edge leads to it.
            if remaining is None:
                remaining = remaining_edges([r.grad_fn for r in tensors], needed, node.seq)
            for i in node.op.edge_order or range(len(node.edges)):
                e = node.edges[i]
                if e is not None and isinstance(e[0], TensorBase):
                    remaining[id(e[0])] -= 1
                    if not remaining[id(e[0])] and _has_hooks(e[0]) and id(e[0]) in leaves:
                        settle(*leaves.pop(id(e[0])))
        for slot in leaves.values():
            settle(*slot)
        if current[4] is not None:
            run_callbacks(current[4])
    finally:
        state.grad = previous
        running.current = outer
        floating_errors.set(before)
        cover(start, switches, "grad")
    if accumulate:
        return None
    grads = []
    for x in inputs:
        fn = x.grad_fn
        g = captured.get((id(x), 0) if fn is None else (id(fn), x._nr))
        grads.append(g if g is None or create_graph else wrap(own_copy(g)))
    return grads


def _accumulate(leaf: Any, g: Any, own: bool, create_graph: bool) -> None:
    """Add g to leaf.grad. A buffer that may be in use elsewhere is copied before it becomes .grad."""
    with guard:  # makes reading, adding and storing one step, because threads may share a leaf
        if create_graph:
            own_g = recorded_copy(g, leaf._array, wrap, apply_in_place) if leaf._grad is None else leaf._grad + g
            leaf._grad = own_g
        elif leaf._grad is None and not leaf._array.flags.c_contiguous:
            leaf._grad = wrap(copy_in_layout(g, leaf._array))
        elif leaf._grad is None:
            kept = type(g) is MetaArray or own and g.flags.c_contiguous and g.base is None
            leaf._grad = wrap(g if kept else np.array(g, order="C"))
        else:
            array = leaf._grad._array
            if leaf._grad._inference and not state.inference:
                raise RuntimeError(_errors.INFERENCE_IN_PLACE)
            if overlaps(array):
                raise RuntimeError(_errors.OVERLAP_IN_PLACE)
            try:
                np.add(array, g, out=array)
            except ValueError:
                refuse_shapes((array, g))
                raise
            leaf._grad._counter.value += 1
