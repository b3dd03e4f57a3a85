"""Hooks of modules: the call of forward with forward and backward hooks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from npg.autograd import is_grad_enabled
from npg.autograd._passing import pass_through
from npg.tensor import Tensor
from npg.utils.hooks import RemovableHandle

BOTH_KINDS = (
    "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them."
)


def tables() -> dict[str, Any]:
    """Return the attributes that hold a module's hooks, as PyTorch names them."""
    return {
        "_forward_pre_hooks": {},
        "_forward_pre_hooks_with_kwargs": {},
        "_forward_hooks": {},
        "_forward_hooks_with_kwargs": {},
        "_forward_hooks_always_called": {},
        "_backward_pre_hooks": {},
        "_backward_hooks": {},
        "_is_full_backward_hook": None,
        "_state_dict_pre_hooks": {},
        "_state_dict_hooks": {},
        "_load_state_dict_pre_hooks": {},
        "_load_state_dict_post_hooks": {},
    }


class Handle(RemovableHandle):
    """A handle that also removes the hook's call options."""

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool, **notes: dict[int, bool]) -> None:
        super().__init__(hooks, hook, prepend)
        self._notes = tuple(notes.values())
        for table in self._notes:
            table[self.id] = True

    def remove(self) -> None:
        super().remove()
        for table in self._notes:
            table.pop(self.id, None)


# ----- The call -----


def call(module: Any, args: Any, kwargs: Any) -> Any:
    """Call a module's forward with its hooks and return the result."""
    result: list[Any] = [None]
    done: set[int] = set()
    try:
        return _call(module, args, kwargs, result, done)
    except Exception:
        for key in [k for k in module._forward_hooks if k in module._forward_hooks_always_called and k not in done]:
            try:
                _run_forward_hook(module, key, args, kwargs, result)
            except Exception as error:
                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                    f"another error was raised in forward: {error}",
                    stacklevel=3,
                )
        raise


def _call(module: Any, args: Any, kwargs: Any, result: list[Any], done: set[int]) -> Any:
    """Run the hooks and forward.

    Args:
        result: a list of length one that receives forward's result as soon as it is known.
        done: receives the keys of the forward hooks that have been called.
    """
    args, kwargs = _run_forward_pre_hooks(module, args, kwargs)
    full = list(module._backward_hooks.values()) if module._is_full_backward_hook else []
    behind = _BackwardHooks(module, full, list(module._backward_pre_hooks.values()))
    hooked = bool(full or behind.pre_hooks)
    if hooked:
        args = behind.enter(args)
    result[0] = module.forward(*args, **kwargs)
    for key in list(module._forward_hooks):
        done.add(key)
        _run_forward_hook(module, key, args, kwargs, result)
    if hooked:
        result[0] = behind.leave(result[0])
    if module._backward_hooks and not full:
        _hook_last_node(module, list(module._backward_hooks.values()), args, result[0])
    return result[0]


def _run_forward_pre_hooks(module: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    for key, hook in list(module._forward_pre_hooks.items()):
        if key in module._forward_pre_hooks_with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _run_forward_hook(module: Any, key: int, args: Any, kwargs: Any, result: list[Any]) -> None:
    hook = module._forward_hooks[key]
    with_kwargs = key in module._forward_hooks_with_kwargs
    changed = hook(module, args, kwargs, result[0]) if with_kwargs else hook(module, args, result[0])
    if changed is not None:
        result[0] = changed


# ----- Full backward hooks: an identity node around the inputs, another around the outputs, hooks on both -----

_FIRES_ON_OUTPUTS = (
    "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs require "
    "gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
    "#torch.nn.Module.register_full_backward_hook for more details."
)


def _replacement(replaced: Any, old_values: tuple[Any, ...], what: str, name: str) -> tuple[Any, ...]:
    """Return the gradients with which a hook replaces the old ones, as a tuple.

    Raises: RuntimeError: when their number or a shape differs.
    """
    if len(replaced) != len(old_values):
        raise RuntimeError(
            f"{what} returned an invalid number of {name}, got {len(replaced)}, but expected {len(old_values)}"
        )
    for new, old in zip(replaced, old_values, strict=True):
        if new is not None and old is not None and new.shape != old.shape:
            raise RuntimeError(
                f"hook has changed the size of value: {what} returned {name} of shape {tuple(new.shape)}, but expected "
                f"{tuple(old.shape)}"
            )
    return tuple(replaced)


def _spread(positions: list[int], values: Any, size: int) -> tuple[Any, ...]:
    spread = [None] * size
    for i, value in zip(positions, values, strict=True):
        spread[i] = value
    return tuple(spread)


class _BackwardHooks:
    """The full backward hooks and pre-hooks of one call of a module.

    The backward pass reaches the outputs' node first: the pre-hooks run there, and the gradients of the outputs are
    kept. When it has passed through the module to the inputs' node, the hooks run with both.
    Source: torch.utils.hooks.BackwardHook.
    """

    def __init__(self, module: Any, hooks: list[Callable[..., Any]], pre_hooks: list[Callable[..., Any]]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.inputs: list[int] | None = None  # which arguments are tensors; None: no gradient flows to any
        self.input_count = 0
        self.grad_outputs: tuple[Any, ...] | None = None

    def _enter(self, values: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[int] | None, Any]:
        """Return the values with their tensors passed through one node, the tensors' positions (or None), the node."""
        places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        if not (is_grad_enabled() and any(values[i].requires_grad for i in places)):
            return values, None, None
        passed, node = pass_through([values[i] for i in places])
        behind = list(values)
        for i, value in zip(places, passed, strict=True):
            behind[i] = value
        named = type(values) is not tuple and hasattr(values, "_fields")
        return (type(values)(*behind) if named else tuple(behind)), places, node

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the positional arguments to call forward with."""
        args, self.inputs, node = self._enter(args)
        self.input_count = len(args)
        if node is not None:
            node.register_hook(self._at_inputs)
        return args

    def leave(self, result: Any) -> Any:
        """Return the result to hand to the caller."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                f"{type(result)}",
                stacklevel=5,
            )
            return result
        values, places, node = self._enter(result if isinstance(result, tuple) else (result,))
        if node is not None:
            assert places is not None
            count = len(values)  # the hook must not refer to the values, which refer to the node
            node.register_hook(lambda _, grads: self._at_outputs(places, grads, count))
        return values if isinstance(result, tuple) else values[0]

    def _at_outputs(self, places: list[int], grads: Any, count: int) -> tuple[Any, ...]:
        outer = _spread(places, grads, count)
        for hook in self.pre_hooks:
            replaced = hook(self.module, outer)
            if replaced is not None:
                outer = _replacement(replaced, outer, "Backward pre hook", "grad_output")
        self.grad_outputs = outer
        if self.inputs is None:
            self._without_inputs()
        return tuple(outer[i] for i in places)

    def _without_inputs(self) -> None:
        """Run the hooks now: the backward pass will not reach the module's inputs."""
        warnings.warn(_FIRES_ON_OUTPUTS, stacklevel=5)
        for hook in self.hooks:
            replaced = hook(self.module, (None,) * self.input_count, self.grad_outputs)
            if replaced is not None and not (isinstance(replaced, tuple) and all(g is None for g in replaced)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )
        self.grad_outputs = None

    def _at_inputs(self, grads: Any, _: Any) -> tuple[Any, ...] | None:
        if self.grad_outputs is None:  # the gradient did not pass through the outputs: a gradient of a gradient
            return None
        assert self.inputs is not None
        inner = _spread(self.inputs, grads, self.input_count)
        for hook in self.hooks:
            replaced = hook(self.module, inner, self.grad_outputs)
            if replaced is not None:
                inner = _replacement(replaced, inner, "Backward hook", "grad_input")
        self.grad_outputs = None
        return tuple(inner[i] for i in self.inputs)


# ----- The older kind -----

_MISSING = "is deprecated and will be removed in future versions. This hook will be missing {}."
_FULL = " Please use register_full_backward_hook to get the documented behavior."
_ANOTHER_OUTPUT = (
    "Using non-full backward hooks on a Module that does not return a single Tensor or a tuple of Tensors "
    + _MISSING.format("some of the grad_output")
    + _FULL
)
_ANOTHER_INPUT = (
    "Using non-full backward hooks on a Module that does not take as input a single Tensor or a tuple of Tensors "
    + _MISSING.format("some of the grad_input")
    + _FULL
)
_NESTED = "Using a non-full backward hook when outputs are nested in python data structure " + _MISSING.format(
    "some grad_output"
)
_SEVERAL_OUTPUTS = (
    "Using a non-full backward hook when outputs are generated by different autograd Nodes "
    + _MISSING.format("some grad_output")
    + _FULL
)
_SEVERAL_NODES = (
    "Using a non-full backward hook when the forward contains multiple autograd Nodes "
    + _MISSING.format("some grad_input")
    + _FULL
)


def _shortcoming(args: Any, result: Any, node: Any) -> str | None:
    """Return a warning of the gradients that a hook on this node alone will miss, or None."""
    results = (result,) if isinstance(result, Tensor) else result
    if not (isinstance(results, tuple) and all(isinstance(r, Tensor) for r in results)):
        return _ANOTHER_OUTPUT
    if not all(isinstance(a, Tensor) for a in args):
        return _ANOTHER_INPUT
    made_by = {r.grad_fn for r in results if r.grad_fn is not None}
    if len(made_by) > 1:
        return _SEVERAL_OUTPUTS
    if node not in made_by:
        return _NESTED
    sources = {a.grad_fn for a in args if a.grad_fn is not None}
    return None if sources == {target for target, _ in node.next_functions} else _SEVERAL_NODES


def _hook_last_node(module: Any, hooks: list[Callable[..., Any]], args: Any, result: Any) -> None:
    """Register hooks of register_backward_hook on the node of the (first) output; warn of what they will miss."""
    first = result
    while not isinstance(first, Tensor):
        first = next(v for v in first.values() if isinstance(v, Tensor)) if isinstance(first, dict) else first[0]
    node = first.grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(lambda grad_inputs, grad_outputs, hook=hook: hook(module, grad_inputs, grad_outputs))
    shortcoming = _shortcoming(args, result, node)
    if shortcoming is not None:
        warnings.warn(shortcoming, FutureWarning, stacklevel=5)
