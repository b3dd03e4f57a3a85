"""The graph itself: its nodes and edges, and hooks on what it saves. Source: torch.autograd.graph."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from npg.engine import AccumulateGrad, Node, bump_version, set_saved_hooks
from npg.engine._saved import hooks
from npg.tensor import Tensor

__all__ = [
    "GradientEdge",
    "Node",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "save_on_cpu",
    "saved_tensors_hooks",
]


# ----- Nodes and edges -----


class GradientEdge(NamedTuple):
    """Where a gradient goes: an output of a node. `node` of a leaf is its AccumulateGrad."""

    node: Any
    output_nr: int


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Return the edge that the gradient of a tensor takes.

    Raises: RuntimeError: when the tensor does not require grad.
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    fn = tensor.grad_fn
    return GradientEdge(AccumulateGrad(tensor) if fn is None else fn, tensor.output_nr)


def increment_version(tensor: Any) -> None:
    """Note that a tensor's memory (or that of several tensors) was written by other means than npg's functions."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        bump_version(t)


# ----- Hooks on saved tensors -----


class saved_tensors_hooks:
    """A context manager: what nodes made within it save goes through a pair of functions.

    Args:
        pack_hook: takes a tensor (without a history) that is to be saved, returns anything that is kept in its place.
            It runs with recording off and must not change the tensor.
        unpack_hook: takes what pack_hook returned, returns a tensor with the same values; called each time when
            backward needs it.
    Pairs nest; the innermost is used. Saved tensors that went through hooks are not checked for in-place changes.
    Source: torch.autograd.graph.saved_tensors_hooks.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        if hooks.refused is not None:
            raise RuntimeError(hooks.refused)
        hooks.pairs.append((self.pack_hook, self.unpack_hook))
        set_saved_hooks(True)

    def __exit__(self, *error: object) -> None:
        hooks.pairs.pop()
        set_saved_hooks(bool(hooks.pairs))


class save_on_cpu(saved_tensors_hooks):
    """A context manager that in PyTorch moves saved tensors to the CPU; here they are there and are kept as they are.

    Args:
        pin_memory, device_type: accepted and without effect.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor, lambda tensor: tensor)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Refuse saved_tensors_hooks within, with a message.

    Raises: RuntimeError: when hooks are in force already.
    """
    if hooks.pairs:
        raise RuntimeError(error_message)
    before, hooks.refused = hooks.refused, error_message
    try:
        yield
    finally:
        hooks.refused = before
