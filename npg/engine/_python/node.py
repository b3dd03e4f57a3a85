"""Nodes: each is one recorded call of an op, with what it has saved for backward."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from npg import _errors
from npg.engine._node import HookedNode, call_node, next_functions, node_attribute
from npg.engine._python.modes import state
from npg.engine._python.tensor import TensorBase, wrap
from npg.engine._saved import modified


class _ToFree(threading.local):
    """The references that a thread still has to drop, and whether it is already at it.

    A chain of nodes is freed by a loop, not by recursion: each node puts its references on the list, and the outermost
    one empties it. CPython bounds such recursion only at thousands of levels (in 3.13), too many for a small stack.
    """

    def __init__(self) -> None:  # once in each thread
        self.waiting: list[tuple[Any, Any]] = []
        self.is_emptying = False


_to_free = _ToFree()


class Node(HookedNode):
    """One recorded call of an op."""

    def __init__(self) -> None:
        self.op: Any = None
        self.params: dict[str, Any] = {}
        self.seq = 0
        self.edges: tuple[Any, ...] = ()  # for each input: (node or leaf, output_nr), or None
        self.needs: tuple[bool, ...] = ()  # for each input: whether it has an edge
        # For each input what the rule needs: a tensor, a number, a Like or None; None instead of the tuple: freed.
        self.inputs: tuple[Any, ...] | None = ()
        self.versions: tuple[int, ...] | None = None  # those of the saved inputs
        self.output: Any = None  # the output's array(s), where a rule needs y
        self.output_versions: list[Any] = []  # (nr, VersionCounter, value) of each saved output
        self.saved: Any = None  # what a fused kernel saved
        self.shapes: tuple[Any, ...] | None = None  # for each input its shape, where broadcasting must be undone
        self.output_count = 1
        self.packed = False  # inputs, output and saved hold the results of pack hooks
        self.origin: Any = None  # in anomaly mode: where this node was created
        self.tensor_hooks: dict[int, Any] | None = None
        self.retained: dict[int, Any] | None = None
        self.hooks = self.prehooks = self.notes = None

    # As a default argument, the list stays alive while the interpreter shuts down.
    def __del__(self, to_free: _ToFree = _to_free) -> None:
        waiting = to_free.waiting
        waiting.append((self.edges, self.inputs))
        self.edges = self.inputs = ()
        if to_free.is_emptying:
            return
        to_free.is_emptying = True  # no call between this and `try`, where an interrupt could strike
        try:
            while waiting:
                waiting.pop()
        finally:
            to_free.is_emptying = False

    def name(self) -> str:
        """Return PyTorch's name of this node, such as MulBackward0."""
        name: str = self.op.node_name
        return name

    def __call__(self, *gradients: Any) -> Any:
        """Return the gradients of the inputs, given those of the outputs."""
        from npg.engine._python.vjp import run_node  # here, because it imports this module

        return call_node(self, gradients, run_node, state.grad, wrap, TensorBase)

    def __getattr__(self, name: str) -> Any:
        if name == "params":  # the creation of the node was interrupted
            raise AttributeError(name)
        return node_attribute(self, name, wrap, TensorBase)

    def __repr__(self) -> str:
        return f"<{self.op.node_name.rpartition('::')[2]} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """Return for each input (the node that receives its gradient, its output number there), or (None, 0)."""
        return next_functions(self, TensorBase)

    @property
    def sequence_nr(self) -> int:
        """Return the node's number; nodes created later have higher ones."""
        return self.seq

    def watch(self, t: TensorBase, nr: int) -> None:
        """Remember the version of output nr, the tensor t, if the node has saved it."""
        if self.output is None or self.packed or (self.op.reads is not None and nr not in self.op.reads):
            return
        self.output_versions.append((nr, t._counter, t._counter.value))

    def check_versions(self) -> None:
        """Raise when the graph was freed, or a saved tensor was changed in place since."""
        if self.inputs is None:
            raise RuntimeError(_errors.FREED_GRAPH)
        if self.versions is not None:
            for i, x in enumerate(self.inputs):
                if isinstance(x, TensorBase) and x._counter.value != self.versions[i]:
                    version, expected = x._counter.value, self.versions[i]
                    raise RuntimeError(modified(x._array, (x.grad_fn, x._nr), f"input {i}", self, version, expected))
        for nr, counter, expected in self.output_versions:
            if counter.value != expected:
                array = self.output[nr] if self.op.is_multi else self.output
                raise RuntimeError(modified(array, (self, nr), f"output {nr}", self, counter.value, expected))

    def free(self) -> None:
        """Release what was saved. A node that had saved nothing can still run again, as in PyTorch."""
        inputs = self.inputs
        if (
            self.output is not None
            or self.packed
            or self.saved
            or (inputs and any(isinstance(x, (TensorBase, np.ndarray)) for x in inputs))
        ):
            self.inputs = self.output = self.saved = None
            self.output_versions = []
