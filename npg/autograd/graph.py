"""The graph: its nodes and edges, and hooks on saved tensors. Source: torch.autograd.graph."""

from __future__ import annotations

import abc
import contextlib
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from npg.autograd._saved import SAVED_BY_FUNCTIONS
from npg.engine import AccumulateGrad, Block, Node as EngineNode, accumulator_of, bump_version, switches, wrap
from npg.engine._saved import Packed, hooks
from npg.engine._walks import current_pass
from npg.ops._op import Like
from npg.tensor import Tensor
from npg.tensor.gradients import GradientEdge

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_bytes",
    "saved_tensors_hooks",
]


def __dir__() -> list[str]:
    return sorted(__all__)


# ----- Nodes and edges -----


class Node(abc.ABC):
    """The abstract base class, for isinstance, of a graph's nodes: recorded calls and the AccumulateGrad of leaves.

    Source: torch.autograd.graph.Node.
    """

    @abc.abstractmethod
    def name(self) -> str:
        """Return PyTorch's name of this node."""


Node.register(EngineNode)
Node.register(AccumulateGrad)


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Return the edge along which the gradient of a tensor flows.

    Raises: RuntimeError: when the tensor does not require grad.
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    fn = tensor.grad_fn
    like = Like(tensor._array.shape, tensor._array.dtype)
    return GradientEdge(accumulator_of(tensor), 0) if fn is None else GradientEdge(fn, tensor.output_nr, like)


def increment_version(tensor: Any) -> None:
    """Record that the memory of a tensor, or of several, was written by other means than npg's functions."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        bump_version(t)


# ----- One hook for several gradients -----


class _MultiHandle:
    """The handle that removes a hook from all its tensors."""

    def __init__(self, handles: list[Any]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _MultiHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def register_multi_grad_hook(tensors: Any, fn: Callable[[Any], None], *, mode: str = "all") -> Any:
    """Call fn once in each backward pass in which gradients of these tensors are computed.

    Args:
        tensors: the tensors.
        fn: returns nothing. With "all" it takes a list of the tensors' gradients, None for tensors that take no part in
            this pass, and is called when the last gradient is computed; with "any" it takes the first gradient.
        mode: "all" or "any".
    Returns: a handle, whose remove() removes the hook.
    Raises: ValueError: for another mode. AssertionError: with "all", for a tensor that does not require grad.
    Source: torch.autograd.graph.register_multi_grad_hook. A node's outputs take part one by one, and leaves also take
        part in a pass of autograd.grad, where PyTorch raises.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    key = object()  # the registration's key in the tables of a pass
    if mode == "any":

        def first(g: Any) -> None:
            running = current_pass()
            if running is not None and running.tables.setdefault(key, g) is g:
                fn(g)

        return _MultiHandle([t.register_hook(first) for t in tensors if t.requires_grad])
    targets = []
    for t in tensors:
        if not t.requires_grad:
            raise AssertionError("Expected gradient function to be set")
        targets.append((t, 0) if t.grad_fn is None else (t.grad_fn, t.output_nr))

    def note(i: int, g: Any) -> None:
        running = current_pass()
        if running is None:
            return
        grads = running.tables.setdefault(key, {})
        if not grads:
            grads["missing"] = sum(running.delivers(*target) for target in targets)
        grads[i] = g
        grads["missing"] -= 1
        if not grads["missing"]:
            fn([grads.get(k) for k in range(len(targets))])

    return _MultiHandle([t.register_hook(lambda g, i=i: note(i, g)) for i, t in enumerate(tensors)])


# ----- Hooks on saved tensors -----


class saved_tensors_hooks(Block):
    """A context manager within which a pair of functions packs and unpacks saved tensors.

    Args:
        pack_hook: takes the tensor to save (without a history), returns any object to keep in its place. It runs with
            recording off and must not change the tensor.
        unpack_hook: takes pack_hook's result, returns a tensor with the same values; called each time backward needs
            it.
    Pairs nest; the innermost is used. Packed tensors are not checked for in-place changes.
    Source: torch.autograd.graph.saved_tensors_hooks.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def _places(self) -> Any:
        if hooks.refused is not None:
            raise RuntimeError(hooks.refused)
        pairs = (*hooks.pairs, (self.pack_hook, self.unpack_hook))
        return (hooks, "pairs", pairs), (switches, "saved_hooks", True)

    def _entered(self) -> None:
        return None


class save_on_cpu(saved_tensors_hooks):
    """A context manager without effect: in PyTorch it moves saved tensors to the CPU, where npg's are already.

    Args:
        pin_memory, device_type: accepted and without effect.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor, lambda tensor: tensor)


class _Held:
    """An array saved under allow_mutation_on_saved_tensors, copied before it is changed."""

    __slots__ = ("__weakref__", "array")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array


class allow_mutation_on_saved_tensors(Block):
    """A context manager within which saved tensors may be changed in place: they are copied first.

    Forward and backward must both run in the same context. It returns an object, PyTorch's state of the context.

    Raises: RuntimeError: when contexts are nested. AssertionError: in a backward pass outside.
    Source: torch.autograd.graph.allow_mutation_on_saved_tensors. Known difference: it is per thread.
    """

    def __init__(self) -> None:
        self._held: dict[int, weakref.WeakSet[_Held]] = {}  # by the id of the array that owns the memory
        self._hooks = saved_tensors_hooks(self._hold, self._give)

    def clear(self) -> None:
        """Release the saved arrays."""
        self._held.clear()

    def _places(self) -> Any:
        if hooks.on_write is not None:
            raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
        return (*self._hooks._places(), (hooks, "on_write", self._keep_values))

    def _left(self, *_error: object) -> None:
        self.clear()

    def _hold(self, tensor: Tensor) -> _Held:
        array = tensor._array
        others = self._held.setdefault(id(_owner(array)), weakref.WeakSet())
        for held in others:
            if held.array is array:
                return held
        held = _Held(array)
        others.add(held)
        return held

    def _give(self, held: _Held) -> Tensor:
        if hooks.on_write != self._keep_values:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context"
                "in which the graph was originally recorded."  # sic
            )
        tensor: Tensor = wrap(held.array)
        return tensor

    def _keep_values(self, array: np.ndarray[Any, Any]) -> None:
        for held in self._held.pop(id(_owner(array)), ()):
            held.array = held.array.copy()


class disable_saved_tensors_hooks(contextlib.ContextDecorator, Block):
    """Raise a message where saved_tensors_hooks are used within. A context manager and a decorator.

    Raises: RuntimeError: when hooks are in force already.
    """

    def __init__(self, error_message: str) -> None:
        self._error_message = error_message

    def _places(self) -> Any:
        if hooks.pairs:
            raise RuntimeError(self._error_message)
        return ((hooks, "refused", self._error_message),)

    def _entered(self) -> None:
        return None


# ----- Memory -----


def saved_bytes(*tensors: Tensor) -> int:
    """Return the number of bytes that the graphs of these tensors keep for backward.

    Counts the buffers of saved inputs, outputs and intermediate arrays of kernels, each once and in full, however many
    nodes or views refer to it. Leaves that require grad, which exist anyway, do not count, nor do objects that hooks
    packed, unless they are tensors or arrays.

    Source: npg's own.
    """
    visited: set[int] = set()
    buffers: dict[int, int] = {}
    leaves: set[int] = set()
    stack = [t.grad_fn for t in tensors if t.grad_fn is not None]
    while stack:
        node = stack.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        for edge in node.edges:
            if edge is None:
                continue
            if isinstance(edge[0], Tensor):
                leaves.add(id(_owner(edge[0]._array)))
            else:
                stack.append(edge[0])
        for array in _arrays((node.inputs, node.output, node.saved, node.params)):
            owner = _owner(array)
            buffers[id(owner)] = owner.nbytes
    return sum(size for key, size in buffers.items() if key not in leaves)


def _owner(array: np.ndarray[Any, Any]) -> Any:
    """Return the array that owns an array's memory."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _arrays(saved: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the arrays among the objects that a node has saved."""
    if isinstance(saved, np.ndarray):
        yield saved
    elif isinstance(saved, Tensor):
        yield saved._array
    elif isinstance(saved, (tuple, list)):
        for part in saved:
            yield from _arrays(part)
    elif isinstance(saved, dict):
        yield from _arrays(list(saved.values()))
    elif isinstance(saved, Packed):
        yield from _arrays(saved.value)
    elif isinstance(saved, SAVED_BY_FUNCTIONS):
        yield from _arrays((getattr(saved, "array", None), getattr(saved, "packed", None)))
