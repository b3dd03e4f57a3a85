"""Graph walks: which nodes a backward pass runs, which edges remain, and where it delivers gradients."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def reachable(roots: Any, targets: set[Any], tensor_base: type, first: int = 0) -> set[Any]:
    """Return the nodes on paths from the roots to the targets, each target (id of a node or leaf, nr).

    Args:
        first: the lowest number of a target node, 0 if one is a leaf. Nodes with lower numbers lead to no target, so
            the gradient of a new part of a large graph costs no walk through all of it.
    """
    visited: dict[int, Any] = {}
    stack = [r for r in roots if r is not None]
    while stack:
        node = stack.pop()
        if node.seq in visited or node.seq < first:
            continue
        visited[node.seq] = node
        stack.extend(e[0] for e in node.edges if e is not None and not isinstance(e[0], tensor_base))
    needed: set[Any] = set()
    for seq in sorted(visited):  # inputs come before their consumers
        node = visited[seq]
        if any(e is not None and ((id(e[0]), e[1]) in targets or e[0] in needed) for e in node.edges):
            needed.add(node)
    return needed


def remaining_edges(roots: Any, needed: Any, seq: int) -> dict[int, int]:
    """Return the number of edges that lead to each leaf (by its id) from nodes that this pass has yet to run.

    A leaf with hooks is settled as soon as none is left, as in PyTorch: a hook may use its gradient, for example in an
    optimizer's step, and free it while the pass still runs.

    Args:
        roots: the nodes that the pass starts from; None for a root that is a leaf.
        needed: the nodes that run, or None for all.
        seq: the number of the running node; nodes that have run have higher numbers.
    """
    counts: dict[int, int] = {}
    visited: set[int] = set()
    stack = [node for node in roots if node is not None]
    while stack:
        node = stack.pop()
        if node.seq in visited or (needed is not None and node not in needed):
            continue
        visited.add(node.seq)
        for edge in node.edges:
            if edge is None:
                continue
            if hasattr(edge[0], "edges"):
                stack.append(edge[0])
            elif node.seq <= seq:
                counts[id(edge[0])] = counts.get(id(edge[0]), 0) + 1
    return counts


# ----- The running pass -----


class _Running(threading.local):
    """The backward pass that runs in a thread: [roots, targets, needed, its Pass, its callbacks], or None.

    The last two are None until they are asked for.
    """

    current: list[Any] | None = None


running = _Running()


class Pass:
    """A running backward pass, for hooks that must know what is still to come.

    Attributes:
        tables: data that hooks store for the length of the pass.
    """

    def __init__(self, roots: Any, targets: Any, needed: Any) -> None:
        self.tables: dict[Any, Any] = {}
        self._reached: set[tuple[int, int]] = set()  # (id of a node or leaf, output nr)
        visited = set()
        stack: list[Any] = []

        def reach(target: Any, nr: int) -> None:
            key = id(target), nr
            is_node = hasattr(target, "edges")
            if needed is not None and key not in targets and not (is_node and target in needed):
                return
            self._reached.add(key)
            if is_node and id(target) not in visited and (needed is None or target in needed):
                visited.add(id(target))
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
    running_pass: Pass = current[3]
    return running_pass


def queue_callback(callback: Callable[[], object]) -> None:
    """Have callback() called when the backward pass that runs in this thread has given all leaves their gradients.

    A callback may queue others; one that raises ends the pass.

    Raises: RuntimeError: when no pass runs.
    Source: torch.autograd.Variable._execution_engine.queue_callback.
    """
    current = running.current
    if current is None:
        raise RuntimeError("Final callbacks can only be installed during backward pass.")
    if current[4] is None:
        current[4] = []
    current[4].append(callback)


def run_callbacks(callbacks: list[Callable[[], object]]) -> None:
    """Call what was queued, in order, and what is queued meanwhile."""
    for callback in callbacks:  # the list may grow
        callback()
