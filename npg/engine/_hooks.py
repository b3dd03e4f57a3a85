"""Hooks of tensors and nodes: the handles that remove them, calling them, and checking what they return.

Gradients are arrays, or tensors in a recorded backward; hooks see tensors.
"""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

from npg import _errors
from npg._naming import named
from npg._words import scalar_name, shape_text
from npg.ops.shape import contiguous

_hook_ids = itertools.count()


class RemovableHandle:
    """The handle of a registered hook; `remove()` takes the hook out again.

    Args:
        hooks: the dict to which the hook is added.
        hook: the hook.
        prepend: add it before the hooks that are there.
    """

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool = False) -> None:
        self.id = next(_hook_ids)
        # A plain dict takes no weak reference, so the handle holds the dict; it holds no tensor.
        self._hooks = hooks
        if prepend:
            later = dict(hooks)
            hooks.clear()
            hooks[self.id] = hook
            hooks.update(later)
        else:
            hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook out; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


# ----- What a hook may return -----


def _name(hook: Any) -> str:
    return getattr(hook, "__name__", type(hook).__name__)


def _checked(hook: Any, result: Any, grad: Any) -> Any:
    """Return the result of a hook, checked against the gradient that it replaces.

    Raises: TypeError: when it is not a tensor. RuntimeError: when its shape or dtype differs.
    """
    new = getattr(result, "_array", None)
    if new is None:
        raise TypeError(_errors.HOOK_KIND.format(expected="Variable", kind=type(result).__name__))
    if grad is None:
        raise RuntimeError(_errors.HOOK_REPLACES_NONE)
    old = grad._array
    if new.shape != old.shape:
        shapes = (shape_text(old.shape), shape_text(new.shape))
        raise RuntimeError(_errors.HOOK_SHAPE.format(hook=_name(hook), expected=shapes[0], given=shapes[1]))
    if new.dtype != old.dtype:
        names = [scalar_name(a) for a in (old, new)]
        raise RuntimeError(named(_errors.HOOK_DTYPE.format(hook=_name(hook), expected=names[0], given=names[1])))
    return result


def _checked_tuple(hook: Any, results: Any, grads: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the results of a node's hook, checked against the gradients that they replace; None stays None."""
    if not isinstance(results, tuple):
        raise TypeError(_errors.HOOK_KIND.format(expected="tuple", kind=type(results).__name__))
    if len(results) != len(grads):
        raise RuntimeError(_errors.HOOK_COUNT.format(hook=_name(hook), given=len(results), expected=len(grads)))
    return tuple([None if r is None else _checked(hook, r, g) for r, g in zip(results, grads, strict=True)])


# ----- Calling hooks -----


def _call_each(hooks: dict[int, Any], g: Any, recorded: bool, wrap: Any) -> Any:
    """Pass a gradient (or None) through the hooks in turn; a hook that is removed meanwhile still runs."""
    t = g if recorded or g is None else wrap(g)
    for hook in list(hooks.values()):
        result = hook(t)
        if result is not None:
            t = _checked(hook, result, t)
    return t if recorded or t is None else t._array


def run_tensor_hooks(node: Any, grads: list[Any], recorded: bool, wrap: Any) -> None:
    """Run the hooks of a node's outputs on their gradients, in place in `grads`; store those for retain_grad.

    As in PyTorch, hooks of an output without a gradient are called with None.
    """
    for nr, g in enumerate(grads):
        if node.tensor_hooks is not None and node.tensor_hooks.get(nr):
            grads[nr] = g = _call_each(node.tensor_hooks[nr], g, recorded, wrap)
        if g is not None and node.retained is not None and nr in node.retained:
            x = node.retained[nr]()
            if x is not None and x._fn is node:  # else it was changed in place since, and has a later node
                if x._grad is not None:  # not added in place, as in PyTorch
                    x._grad = x._grad + g if recorded else wrap(np.asarray(x._grad._array + g))
                else:
                    x._grad = contiguous(g) if recorded else wrap(g.copy())


def retain(x: Any, node: Any, nr: int) -> None:
    """Let a node store the gradient of its output nr, the tensor x, in x.grad."""
    if node.retained is None:
        node.retained = {}
    node.retained[nr] = weakref.ref(x)  # the node must not keep its own output alive


def run_leaf_hooks(leaf: Any, g: Any, recorded: bool, wrap: Any) -> Any:
    """Pass the gradient of a leaf through the leaf's hooks."""
    return _call_each(leaf._hooks, g, recorded, wrap)


def run_post_hooks(leaf: Any) -> None:
    """Run the hooks that follow after a gradient was added to leaf.grad."""
    for hook in list(leaf._post_hooks.values()):
        result = hook(leaf)
        if result is not None:
            if not hasattr(result, "_array"):
                raise TypeError(_errors.HOOK_KIND.format(expected="Variable", kind=type(result).__name__))
            raise RuntimeError(_errors.POST_HOOK_RETURNS)


def run_prehooks(node: Any, grads: list[Any], recorded: bool, wrap: Any) -> list[Any]:
    """Pass the gradients of a node's outputs through its prehooks."""
    ts = tuple(g if recorded or g is None else wrap(g) for g in grads)
    for hook in list(node.prehooks.values()):
        replaced = hook(ts)
        if replaced is not None:
            ts = _checked_tuple(hook, replaced, ts)
    return [t if recorded or t is None else t._array for t in ts]


def run_hooks(node: Any, results: Any, grads: Any, recorded: bool, wrap: Any) -> list[Any]:
    """Pass the gradients of a node's inputs through its hooks, which see them in the order of PyTorch's edges."""
    order = node.op.edge_order if results else None
    ordered = results if order is None else [results[i] for i in order]
    grad_inputs = tuple(g if recorded or g is None else wrap(g) for g in ordered)
    grad_outputs = tuple(g if recorded or g is None else wrap(g) for g in grads)
    for hook in list(node.hooks.values()):
        replaced = hook(grad_inputs, grad_outputs)
        if replaced is not None:
            grad_inputs = _checked_tuple(hook, replaced, grad_inputs)
    new = [t if recorded or t is None else t._array for t in grad_inputs]
    if order is None:
        return new
    placed = list(results)
    for i, g in zip(order, new, strict=True):
        placed[i] = g
    return placed
