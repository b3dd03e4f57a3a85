"""Calling a module: forward, and the hooks before, after and behind it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from npg.nn.modules._backward_hooks import BackwardHooks, hook_last_node
from npg.utils.hooks import RemovableHandle

__all__ = ["Calling", "hook_tables"]

_BOTH_KINDS = (
    "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them."
)


def hook_tables() -> dict[str, Any]:
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


class _Handle(RemovableHandle):
    """A handle that also takes the hook out of the tables that note how it wants to be called."""

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool, **notes: dict[int, bool]) -> None:
        super().__init__(hooks, hook, prepend)
        self._notes = notes.values()
        for table in self._notes:
            table[self.id] = True

    def remove(self) -> None:
        super().remove()
        for table in self._notes:
            table.pop(self.id, None)


class Calling:
    """The part of Module that runs forward and its hooks."""

    forward: Callable[..., Any]
    _forward_pre_hooks: dict[int, Callable[..., Any]]
    _forward_pre_hooks_with_kwargs: dict[int, bool]
    _forward_hooks: dict[int, Callable[..., Any]]
    _forward_hooks_with_kwargs: dict[int, bool]
    _forward_hooks_always_called: dict[int, bool]
    _backward_pre_hooks: dict[int, Callable[..., Any]]
    _backward_hooks: dict[int, Callable[..., Any]]
    _is_full_backward_hook: bool | None

    # ----- The call -----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks):
            return self.forward(*args, **kwargs)
        if not self._forward_hooks_always_called:
            return self._call_hooked(args, kwargs, [None], set())
        result: list[Any] = [None]
        done: set[int] = set()
        try:
            return self._call_hooked(args, kwargs, result, done)
        except Exception:
            for key in [k for k in self._forward_hooks if k in self._forward_hooks_always_called and k not in done]:
                try:
                    self._run_forward_hook(key, args, kwargs, result)
                except Exception as error:
                    warnings.warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {error}",
                        stacklevel=2,
                    )
            raise

    def _call_hooked(self, args: Any, kwargs: Any, result: list[Any], done: set[int]) -> Any:
        """Run the hooks and forward.

        Args:
            result: a list of one; forward's result stands there as soon as it is known.
            done: gets the keys of the forward hooks that have been called.
        """
        args, kwargs = self._run_forward_pre_hooks(args, kwargs)
        full = list(self._backward_hooks.values()) if self._is_full_backward_hook else []
        behind = BackwardHooks(self, full, list(self._backward_pre_hooks.values()))
        hooked = bool(full or behind.pre_hooks)
        if hooked:
            args = behind.enter(args)
        result[0] = self.forward(*args, **kwargs)
        for key in list(self._forward_hooks):
            done.add(key)
            self._run_forward_hook(key, args, kwargs, result)
        if hooked:
            result[0] = behind.leave(result[0])
        if self._backward_hooks and not full:
            hook_last_node(self, list(self._backward_hooks.values()), args, result[0])
        return result[0]

    def _run_forward_pre_hooks(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        for key, hook in list(self._forward_pre_hooks.items()):
            if key in self._forward_pre_hooks_with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not (isinstance(changed, tuple) and len(changed) == 2):
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got "
                            f"{changed}."
                        )
                    args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        return args, kwargs

    def _run_forward_hook(self, key: int, args: Any, kwargs: Any, result: list[Any]) -> None:
        hook = self._forward_hooks[key]
        with_kwargs = key in self._forward_hooks_with_kwargs
        changed = hook(self, args, kwargs, result[0]) if with_kwargs else hook(self, args, result[0])
        if changed is not None:
            result[0] = changed

    # ----- Registering -----

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call hook(module, args) before forward; what it returns replaces args.

        Args:
            hook: with_kwargs: called as hook(module, args, kwargs), and may return (args, kwargs).
            prepend: put it before the hooks that are there.
        Returns: a handle; its remove() takes the hook out.
        """
        notes = {"kwargs": self._forward_pre_hooks_with_kwargs} if with_kwargs else {}
        return _Handle(self._forward_pre_hooks, hook, prepend, **notes)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call hook(module, args, output) after forward; what it returns replaces the output.

        Args:
            hook: with_kwargs: called as hook(module, args, kwargs, output).
            prepend: put it before the hooks that are there.
            always_call: call it even when forward or another hook raises; the output is then None, or what there is.
        Returns: a handle; its remove() takes the hook out.
        """
        notes = {"kwargs": self._forward_hooks_with_kwargs} if with_kwargs else {}
        if always_call:
            notes["always"] = self._forward_hooks_always_called
        return _Handle(self._forward_hooks, hook, prepend, **notes)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(module, grad_outputs) before the gradients of the inputs are computed.

        A tuple that it returns replaces grad_outputs, which has None for outputs that are no tensors or have no
        gradient. While there are such hooks, forward gets views of its tensors and so does the caller; these may not be
        changed in place.
        Args:
            prepend: put it before the hooks that are there.
        Returns: a handle; its remove() takes the hook out.
        Source: torch.nn.Module.register_full_backward_pre_hook.
        """
        return RemovableHandle(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call hook(module, grad_inputs, grad_outputs) when the gradients of the inputs are known.

        A tuple that it returns replaces grad_inputs. Only positional arguments count; where none requires grad, the
        hook is called when the gradients of the outputs are known, with None for the inputs. See
        register_full_backward_pre_hook about changes in place.
        Args:
            prepend: put it before the hooks that are there.
        Returns: a handle; its remove() takes the hook out.
        Raises: RuntimeError: when the module has hooks of register_backward_hook.
        Source: torch.nn.Module.register_full_backward_hook.
        """
        if self._is_full_backward_hook is False:
            raise RuntimeError(_BOTH_KINDS)
        self._is_full_backward_hook = True
        return RemovableHandle(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call hook(module, grad_inputs, grad_outputs) with the gradients of the node that made the output.

        Deprecated in PyTorch: for a forward of several operations that is only the last one; a warning says so.
        Raises: RuntimeError: when the module has hooks of register_full_backward_hook.
        Source: torch.nn.Module.register_backward_hook.
        """
        if self._is_full_backward_hook is True:
            raise RuntimeError(_BOTH_KINDS)
        self._is_full_backward_hook = False
        return RemovableHandle(self._backward_hooks, hook)
