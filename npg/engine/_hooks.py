"""Hooks of tensors and nodes: calling them, checking what they return, and which gradients a backward pass delivers.

Gradients are arrays, or tensors in a recorded backward; hooks see tensors.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np

from npg import _errors
from npg._words import scalar_name, shape_text
from npg.ops.shape import contiguous

__all__ = [
    "Pass",
    "current_pass",
    "edges_to_come",
    "retain",
    "run_hooks",
    "run_leaf_hooks",
    "run_post_hooks",
    "run_prehooks",
    "run_tensor_hooks",
    "running",
]


# ----- What a hook may return -----


def _name(hook: Any) -> str:
    return getattr(hook, "__name__", type(hook).__name__)


def _checked(hook: Any, result: Any, given: Any) -> Any:
    """Return the gradient that a hook returned in place of one that it was given.

    Raises: TypeError: when it is no tensor. RuntimeError: for another shape or dtype.
    """
    new = getattr(result, "_array", None)
    if new is None:
        raise TypeError(_errors.HOOK_KIND.format(expected="Variable", kind=type(result).__name__))
    if given is None:
        raise RuntimeError(_errors.HOOK_REPLACES_NONE)
    old = given._array
    if new.shape != old.shape:
        shapes = (shape_text(old.shape), shape_text(new.shape))
        raise RuntimeError(_errors.HOOK_SHAPE.format(hook=_name(hook), expected=shapes[0], given=shapes[1]))
    if new.dtype != old.dtype:
        names = [scalar_name(a) for a in (old, new)]
        raise RuntimeError(_errors.HOOK_DTYPE.format(hook=_name(hook), expected=names[0], given=names[1]))
    return result


def _checked_tuple(hook: Any, results: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the gradients that a node's hook returned in place of those that it was given; None among them is none."""
    if not isinstance(results, tuple):
        raise TypeError(_errors.HOOK_KIND.format(expected="tuple", kind=type(results).__name__))
    if len(results) != len(given):
        raise RuntimeError(_errors.HOOK_COUNT.format(hook=_name(hook), given=len(results), expected=len(given)))
    return tuple([None if r is None else _checked(hook, r, g) for r, g in zip(results, given, strict=True)])


# ----- Calling them -----


def _call_each(hooks: dict[int, Any], g: Any, recorded: bool, wrap: Any) -> Any:
    """Return a gradient (or None) after one hook after the other; one that is removed on the way still runs."""
    t = g if recorded or g is None else wrap(g)
    for hook in list(hooks.values()):
        result = hook(t)
        if result is not None:
            t = _checked(hook, result, t)
    return t if recorded or t is None else t._array


def run_tensor_hooks(node: Any, grads: list[Any], recorded: bool, wrap: Any) -> None:
    """Run the hooks of a node's outputs on their gradients, in place in `grads`; keep what retain_grad asked for.

    As in PyTorch, hooks of an output without a gradient are called with None.
    """
    for nr, g in enumerate(grads):
        if node.tensor_hooks is not None and node.tensor_hooks.get(nr):
            grads[nr] = g = _call_each(node.tensor_hooks[nr], g, recorded, wrap)
        if g is not None and node.retained is not None and nr in node.retained:
            x = node.retained[nr]()
            if x is not None and x._fn is node:  # else it was changed in place since, and a later node serves it
                if x._grad is not None:  # added, and not in place, as in PyTorch
                    x._grad = x._grad + g if recorded else wrap(np.asarray(x._grad._array + g))
                else:
                    x._grad = contiguous(g) if recorded else wrap(g.copy())


def retain(x: Any, node: Any, nr: int) -> None:
    """Let a node keep the gradient of its output nr, the tensor x, in x.grad."""
    if node.retained is None:
        node.retained = {}
    node.retained[nr] = weakref.ref(x)  # the node must not keep its own output alive


def run_leaf_hooks(leaf: Any, g: Any, recorded: bool, wrap: Any) -> Any:
    """Return the gradient of a leaf after the leaf's hooks."""
    return _call_each(leaf._hooks, g, recorded, wrap)


def run_post_hooks(leaf: Any) -> None:
    """Run the hooks that come after a gradient was added to leaf.grad."""
    for hook in list(leaf._post_hooks.values()):
        result = hook(leaf)
        if result is not None:
            if not hasattr(result, "_array"):
                raise TypeError(_errors.HOOK_KIND.format(expected="Variable", kind=type(result).__name__))
            raise RuntimeError(_errors.POST_HOOK_RETURNS)


def run_prehooks(node: Any, grads: list[Any], recorded: bool, wrap: Any) -> list[Any]:
    """Return the gradients of a node's outputs after its prehooks."""
    ts = tuple(g if recorded or g is None else wrap(g) for g in grads)
    for hook in list(node.prehooks.values()):
        replaced = hook(ts)
        if replaced is not None:
            ts = _checked_tuple(hook, replaced, ts)
    return [t if recorded or t is None else t._array for t in ts]


def run_hooks(node: Any, results: Any, grads: Any, recorded: bool, wrap: Any) -> list[Any]:
    """Return the gradients of a node's inputs after its hooks, which see them in the order of PyTorch's edges."""
    order = node.op.edge_order if results else None
    ordered = results if order is None else [results[i] for i in order]
    given = tuple(g if recorded or g is None else wrap(g) for g in ordered)
    outer = tuple(g if recorded or g is None else wrap(g) for g in grads)
    for hook in list(node.hooks.values()):
        replaced = hook(given, outer)
        if replaced is not None:
            given = _checked_tuple(hook, replaced, given)
    new = [t if recorded or t is None else t._array for t in given]
    if order is None:
        return new
    placed = list(results)
    for i, g in zip(order, new, strict=True):
        placed[i] = g
    return placed


def edges_to_come(roots: Any, needed: Any, seq: int) -> dict[int, int]:
    """Return per leaf (its id) how many edges lead to it from nodes that run with this pass and have not run yet.

    A leaf with hooks is settled as soon as none is left, as in PyTorch: so a hook may use its gradient, such as for the
    optimizer's step, and let it go while the pass still runs.

    Args:
        roots: the nodes that the pass starts from; None for a root that is a leaf.
        needed: the nodes that run, or None for all.
        seq: the number of the node that is running; those that have run have higher ones.
    """
    counts: dict[int, int] = {}
    seen: set[int] = set()
    stack = [node for node in roots if node is not None]
    while stack:
        node = stack.pop()
        if node.seq in seen or (needed is not None and node not in needed):
            continue
        seen.add(node.seq)
        for edge in node.edges:
            if edge is None:
                continue
            if hasattr(edge[0], "edges"):
                stack.append(edge[0])
            elif node.seq <= seq:
                counts[id(edge[0])] = counts.get(id(edge[0]), 0) + 1
    return counts


# ----- What a backward pass delivers -----


class _Running(threading.local):
    """The backward pass that runs in a thread: [roots, wanted, needed, its Pass or None], or None."""

    current: list[Any] | None = None


running = _Running()


class Pass:
    """A running backward pass, for hooks that must know what is still to come.

    Attributes:
        tables: what hooks keep for as long as the pass runs.
    """

    def __init__(self, roots: Any, wanted: Any, needed: Any) -> None:
        self.tables: dict[Any, Any] = {}
        self._reached: set[tuple[int, int]] = set()  # (id of a node or leaf, which of its outputs)
        seen = set()
        stack: list[Any] = []

        def reach(target: Any, nr: int) -> None:
            key = id(target), nr
            is_node = hasattr(target, "edges")
            if needed is not None and key not in wanted and not (is_node and target in needed):
                return
            self._reached.add(key)
            if is_node and id(target) not in seen and (needed is None or target in needed):
                seen.add(id(target))
                stack.append(target)

        for root in roots:
            fn = root.grad_fn
            reach(root if fn is None else fn, 0 if fn is None else root._nr)
        while stack:
            for edge in stack.pop().edges:
                if edge is not None:
                    reach(*edge)

    def delivers(self, target: Any, nr: int) -> bool:
        """Tell whether a gradient arrives at output nr of a node, or at a leaf (nr 0), in this pass."""
        return (id(target), nr) in self._reached


def current_pass() -> Pass | None:
    """Return the backward pass that runs in this thread, or None."""
    current = running.current
    if current is None:
        return None
    if current[3] is None:
        current[3] = Pass(*current[:3])
    found: Pass = current[3]
    return found
