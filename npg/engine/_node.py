"""Nodes as users see them, on either engine: hooks, metadata, edges, saved tensors, and AccumulateGrad."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from npg._floating import silent
from npg.engine._hooks import RemovableHandle
from npg.engine._saved import unpack
from npg.ops._op import Like


class HookedNode:
    """Base of the Python engine's nodes and of AccumulateGrad: hooks, and the user's metadata."""

    __slots__ = ("hooks", "notes", "prehooks")

    hooks: dict[int, Any] | None
    prehooks: dict[int, Any] | None
    notes: dict[str, Any] | None

    @property
    def metadata(self) -> dict[str, Any]:
        """Return a dict for the user's own notes on this node."""
        if self.notes is None:
            self.notes = {}
        return self.notes

    def register_hook(self, hook: Any) -> RemovableHandle:
        """Call hook(grad_inputs, grad_outputs) after this node has run; a tuple that it returns replaces grad_inputs.

        The hook of a leaf's AccumulateGrad is called after the gradient was added, with () as grad_inputs.
        """
        if self.hooks is None:
            self.hooks = {}
        return RemovableHandle(self.hooks, hook)

    def register_prehook(self, hook: Any) -> RemovableHandle:
        """Call hook(grad_outputs) before this node runs; a tuple that it returns replaces grad_outputs."""
        if self.prehooks is None:
            self.prehooks = {}
        return RemovableHandle(self.prehooks, hook)


# ----- The node at a leaf -----


class AccumulateGrad(HookedNode):
    """The node of a leaf, as users see it: `variable` is the leaf, to whose .grad the gradient is added.

    The graph's edges lead to the leaf itself. This object is made on demand, by `accumulator_of`; the leaf holds a
    reference to it, and it holds a weak one to the leaf.
    """

    __slots__ = ("__weakref__", "_leaf")

    def __init__(self, leaf: Any) -> None:
        self._leaf = weakref.ref(leaf)
        self.hooks = self.prehooks = self.notes = None

    @property
    def variable(self) -> Any:
        """Return the leaf, or None when it is gone."""
        return self._leaf()

    @property
    def next_functions(self) -> tuple[()]:
        """Return (): nothing follows a leaf."""
        return ()

    def name(self) -> str:
        """Return PyTorch's name of this node."""
        return "torch::autograd::AccumulateGrad"

    def __call__(self, gradient: Any) -> None:
        """Add a gradient to the leaf's .grad."""
        from npg.engine import TensorBase, is_grad_enabled, run_backward  # here, because the engines import this module

        if not isinstance(gradient, TensorBase):
            raise TypeError("argument 0 is not a Variable")
        recorded = is_grad_enabled() and gradient.requires_grad
        run_backward((self._leaf(),), (gradient,), False, recorded)

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


def accumulator_of(leaf: Any) -> AccumulateGrad:
    """Return the AccumulateGrad of a leaf: the same object each time."""
    accumulator: AccumulateGrad | None = leaf._accumulator
    if accumulator is None:
        accumulator = leaf._accumulator = AccumulateGrad(leaf)
    return accumulator


# ----- Attributes of both engines' nodes -----


def next_functions(node: Any, tensor_base: type) -> tuple[Any, ...]:
    """Return a node's edges as users see them: (node, output_nr), or (None, 0) for none, in PyTorch's order."""
    edges, order = node.edges, node.op.edge_order
    if (
        node.op.runs_without_gradient and "ctx" in node.params
    ):  # a custom function: only its tensor arguments have edges
        order = [i for i, like in enumerate(node.params["ctx"]._inputs) if like is not None]
    return tuple(
        [
            (None, 0) if e is None else (accumulator_of(e[0]), 0) if isinstance(e[0], tensor_base) else e
            for e in (edges if order is None else [edges[i] for i in order])
        ]
    )


def call_node(node: Any, gradients: tuple[Any, ...], run: Any, recorded: bool, wrap: Any, tensor_base: Any) -> Any:
    """Run a node on gradients of its outputs; return one gradient, or a tuple with one for each input.

    Args:
        node: a node of the running engine; its hooks are not called.
        gradients: one tensor, or None, for each output.
        run: the engine's `run(node, gradients, recorded)`.
    Raises: TypeError: when a gradient is not a tensor. RuntimeError: for a wrong number of them or a freed graph.
    """
    if len(gradients) != node.output_count:
        raise RuntimeError(f"{node.name()} expected {node.output_count} gradients, got {len(gradients)}")
    for i, g in enumerate(gradients):
        if g is not None and not isinstance(g, tensor_base):
            raise TypeError(f"argument {i} is not a Variable")
    grads = [g if g is None or recorded else g._array for g in gradients]
    if not node.op.runs_without_gradient and all(g is None for g in grads):
        results: Any = [None] * len(node.edges)
    else:
        with silent():
            results = run(node, tuple(grads) if node.op.is_multi else grads[0], recorded)
    tensors = [g if g is None or isinstance(g, tensor_base) else wrap(np.asarray(g)) for g in results]
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


def node_attribute(node: Any, name: str, wrap: Any, tensor_base: Any) -> Any:
    """Return an attribute of PyTorch's nodes: what they saved, as `_saved_self`, or one of a custom function's context.

    Raises: RuntimeError: when the graph was freed. AttributeError: for any other name.
    """
    context = node.params.get("ctx")
    if context is not None and not name.startswith("__") and hasattr(context, name):
        return getattr(context, name)
    names = ["self" if n == "input" else n for n in node.op.inputs]
    saved = name.removeprefix("_saved_")
    if name.startswith("_saved_") and saved in (*names, "result"):
        node.check_versions()
        inputs, output = node.inputs, node.output
        if node.packed:
            inputs, output, _, _ = unpack(node, wrap, tensor_base, False)
        if saved != "result":
            i = names.index(saved)
            value, edge = inputs[i], node.edges[i]
            if node.packed and edge is not None and isinstance(value, tensor_base):
                if isinstance(edge[0], tensor_base):
                    value._set_requires_grad(True)
                else:
                    value._fn, value._nr = edge
            return None if isinstance(value, Like) else value
        if isinstance(output, np.ndarray):
            result = wrap(output)
            result._fn = node
            return result
    raise AttributeError(f"'{node.op.node_name}' object has no attribute '{name}'")
