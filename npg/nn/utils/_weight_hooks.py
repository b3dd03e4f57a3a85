"""What weight_norm and spectral_norm share: forward pre-hooks that compute a parameter of a module from others."""

from __future__ import annotations

from typing import Any

from npg.nn.modules.module import Module
from npg.nn.parameter import is_lazy
from npg.utils._typename import typename


def check_parameter_name(module: Any, name: Any) -> None:
    """Raise TypeError unless these are a module and a string."""
    if not isinstance(module, Module):
        raise TypeError(f"{typename(module)} is not a Module subclass")
    if not isinstance(name, str):
        raise TypeError(f"attribute name must be string, not '{type(name).__name__}'")


def key_of(hooks: dict[int, Any], kind: type[Any], name: str) -> int | None:
    """Return the key of the hook of this kind for a parameter, None where there is none."""
    keys = (key for key, hook in hooks.items() if isinstance(hook, kind) and getattr(hook, "fn", hook).name == name)
    return next(keys, None)


def refuse_second(module: Module, kind: type[Any], function: str, name: str) -> None:
    """Raise RuntimeError when a parameter has such a hook."""
    if key_of(module._forward_pre_hooks, kind, name) is not None:
        raise RuntimeError(f"Cannot register two {function} hooks on the same parameter {name}")


def refuse_uninitialized(weight: Any, kind: type[Any], normalization: str) -> None:
    """Raise ValueError for a parameter that waits for its shape."""
    if is_lazy(weight):
        raise ValueError(
            f"The module passed to `{kind.__name__}` can't have uninitialized parameters. Make sure to run the dummy "
            f"forward before applying {normalization}"
        )


def remove(module: Module, kind: type[Any], function: str, name: str) -> None:
    """Let the hook of this kind make its parameter an ordinary one, and forget it.

    Raises: ValueError: when there is no such hook. TypeError: for something that is no module or no name.
    """
    check_parameter_name(module, name)
    key = key_of(module._forward_pre_hooks, kind, name)
    if key is None:
        raise ValueError(f"{function} of '{name}' not found in {module}")
    hook: Any = module._forward_pre_hooks[key]
    hook.remove(module)
    del module._forward_pre_hooks[key]
