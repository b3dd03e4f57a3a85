"""The inputs of a transform as fresh aliases, and gradients with respect to them.

A transform passes fresh aliases of its inputs to the function, so that tensors which the function closes over stay
constants, and takes the gradients with respect to the aliases. Where an enclosing transform or a tensor needs a
gradient, too, the aliases have the history of the inputs and the backward pass is recorded; otherwise the results have
no history. Under vmap an alias is batched at every level, so that no gradient is summed over the examples.
"""

from __future__ import annotations

import threading
from typing import Any

from npg.creation import zeros_like
from npg.engine import (
    Block,
    TensorBase,
    is_grad_enabled,
    is_inference_mode_enabled,
    run_backward,
    switches,
)
from npg.func._batched import BatchedTensor, Level, aliased, batch, bottom, lift, rewrap, running
from npg.func._batching import note_loop
from npg.functional import select, stack
from npg.tensor import Tensor
from npg.tensor.gradients import handed_out


class _Open(threading.local):
    def __init__(self) -> None:
        self.scopes: tuple[Scope, ...] = ()  # of the running transforms, outermost first


_open = _Open()


class Scope:
    """The inputs of one transform: their aliases, and facts about the graph around it.

    Args:
        outer: whether gradients were recorded where the transform was called.
    """

    def __init__(self, outer: bool) -> None:
        self.outer = outer
        self.levels: list[Level] = list(running.levels)
        self.own: dict[int, Any] = {}  # by id, the leaves created by this and inner transforms
        self.inputs: list[Any] = []  # as the function sees them
        self.bottoms: list[Any] = []

    def fresh(self, x: Any) -> Any:
        """Return the alias of an input.

        Raises: ValueError: when it is no tensor. RuntimeError: when its dtype is not floating.
        """
        if not isinstance(x, TensorBase):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
        x = lift(x, self.levels)
        t = bottom(x)
        if self.outer and t.requires_grad:
            t = aliased(t)
        else:
            t = (t.clone() if t.is_inference() else t).detach().requires_grad_()
            self.adopt(t)
        self.bottoms.append(t)
        x = rewrap(t, self.levels)
        self.inputs.append(x)
        return x

    def adopt(self, leaf: Any) -> None:
        """Register a leaf created here: for this and enclosing scopes, a graph that ends at it does not lead out."""
        for scope in (self, *_open.scopes):
            scope.own[id(leaf)] = leaf

    def constant(self, x: Any) -> Any:
        """Return an undifferentiated input, detached where nothing is recorded around the transform."""
        return x.detach() if isinstance(x, Tensor) and not self.outer and x.requires_grad else x

    def leads_out(self, tensors: Any) -> bool:
        """Tell whether a gradient of these tensors would reach a tensor outside the transform."""
        if not self.outer:
            return False
        stack_: list[Any] = []
        for x in tensors:
            t = bottom(x)
            if not t.requires_grad:
                continue
            if t.grad_fn is not None:
                stack_.append(t.grad_fn)
            elif id(t) not in self.own:
                return True
        visited: set[int] = set()
        while stack_:
            node = stack_.pop()
            if node.seq in visited:
                continue
            visited.add(node.seq)
            for edge in node.edges:
                if edge is None:
                    continue
                if not isinstance(edge[0], TensorBase):
                    stack_.append(edge[0])
                elif id(edge[0]) not in self.own:
                    return True
        return False

    def result(self, x: Any) -> Any:
        """Return a result of the function as it appears outside the transform.

        Raises: RuntimeError: when it is no tensor.
        """
        if not isinstance(x, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(x)}")
        return x if not x.requires_grad or self.leads_out((x,)) else x.detach()

    def gradients(self, outputs: Any, inputs: Any, v: Any, create_graph: bool, retain: bool = False) -> list[Any]:
        """Return the gradients of the outputs, weighted with v, with respect to inputs of this scope.

        Args:
            outputs, v: tensors, equally many.
            inputs: tensors batched at all levels of the scope.
        Returns: one tensor for each input, zeros where nothing arrives.
        """
        beyond = self._beyond(v)
        if beyond is not None:
            return self._example_by_example(outputs, inputs, v, create_graph, beyond)
        live = [(y, g) for y, g in zip(outputs, v, strict=True) if y.requires_grad]
        bottoms = tuple([bottom(x) for x in inputs])
        if live:
            roots = tuple([bottom(lift(y, self.levels)) for y, _ in live])
            weights = tuple([bottom(lift(g, self.levels)) for _, g in live])
            grads = run_backward(roots, weights, retain or create_graph, create_graph, bottoms, False)
            grads = handed_out(grads, weights) if create_graph else grads
        else:
            grads = [None] * len(bottoms)
        return [
            rewrap(zeros_like(x, requires_grad=False) if g is None else g, self.levels)
            for g, x in zip(grads, bottoms, strict=True)
        ]

    def covers(self, v: Any) -> bool:
        """Tell whether no vmap inside the transform batches these vectors."""
        return self._beyond(v) is None

    # ----- Vectors that are batched by a vmap inside of the transform -----

    def _beyond(self, v: Any) -> int | None:
        known = {level.number for level in self.levels}
        levels = [g.level for g in v if type(g) is BatchedTensor and g.level not in known]
        return max(levels, default=None)

    def _example_by_example(self, outputs: Any, inputs: Any, v: Any, create_graph: bool, number: int) -> list[Any]:
        flags = [type(g) is BatchedTensor and g.level == number for g in v]
        note_loop("vjp_fn")
        size = next(g.physical.shape[0] for g, flag in zip(v, flags, strict=True) if flag)
        rows = []
        for i in range(size):
            each = [select(g.physical, 0, i) if flag else g for g, flag in zip(v, flags, strict=True)]
            rows.append(self.gradients(outputs, inputs, each, create_graph, True))
        return [batch(stack(gs), number) for gs in zip(*rows, strict=True)]


class transform(Block):
    """Create the Scope of a transform and record its function, whatever the grad mode around it."""

    def _places(self) -> Any:
        self._scope = Scope(is_grad_enabled() and not is_inference_mode_enabled())
        return (
            (switches, "inference", False),
            (switches, "grad", True),
            (_open, "scopes", (*_open.scopes, self._scope)),
        )

    def _entered(self) -> Scope:
        return self._scope
