"""What classes with `__torch_function__` and modes are built with. Source: torch.overrides."""

from __future__ import annotations

import functools
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from npg._naming import named
from npg.tensor import Tensor, overriding

# ----- Asking -----


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Tell whether a mode, or the class of one of the arguments, is to be asked."""
    if not hasattr(relevant_args, "__len__"):
        raise TypeError("expected a sequence")
    thread = overriding.this_thread
    if thread.is_off:
        return False
    if thread.modes:
        return True
    return not thread.classes_are_off and bool(overriding.overloaded(relevant_args))


def has_torch_function_unary(arg: Any) -> bool:
    """Tell whether a mode, or the class of the argument, is to be asked."""
    return has_torch_function((arg,))


def has_torch_function_variadic(*args: Any) -> bool:
    """Tell whether a mode, or the class of one of the arguments, is to be asked."""
    return has_torch_function(args)


def handle_torch_function(public_api: Any, relevant_args: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a mode, or the classes of the arguments, have in the place of a function.

    Args:
        public_api: the function as users name it.
        relevant_args: the arguments whose classes are asked.
        args, kwargs: all arguments.
    Raises: TypeError: when none is there, or all return NotImplemented.
    """
    values = tuple(relevant_args)
    if overriding.this_thread.modes:
        return overriding.through_mode(public_api, args, kwargs, values)
    asked = overriding.overloaded(values)
    result = overriding.answer_of_classes(public_api, asked, args, kwargs)
    if result is not NotImplemented:
        return result
    types = [type(value) for value in asked]
    name = resolve_name(public_api) or f"{public_api.__module__}.{public_api.__name__}"
    raise TypeError(f"no implementation found for '{name}' on types that implement __torch_function__: {types}")


def redispatch_function(func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Call a function in `__torch_function__` without asking the classes again."""
    return overriding.disabled(func, types, args, kwargs)


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: a function asks the classes of what dispatcher(*args) returns."""

    def inner(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped

    return inner


@contextmanager
def enable_reentrant_dispatch() -> Iterator[None]:
    """Return a block in which classes are asked again within `__torch_function__`."""
    thread = overriding.this_thread
    before, thread.classes_are_off = thread.classes_are_off, False
    try:
        yield
    finally:
        thread.classes_are_off = before


# ----- Modes -----


class TorchFunctionMode:
    """A block in which every function and method of npg is handed to `__torch_function__`; subclass it.

    While that runs, the block around this one is asked, and without one nobody.
    """

    inner: TorchFunctionMode

    def __init__(self) -> None:
        pass

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Return what takes the place of func(*args, **kwargs)."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        overriding.enter_mode(self)
        return self

    def __exit__(self, *exc: object) -> None:
        overriding.exit_mode()

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> Any:
        """Return an instance, with the deprecated name of the constructor."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that calls every function as it is."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call func."""
        return func(*args, **(kwargs or {}))


def _get_current_function_mode() -> Any:
    """Return the innermost mode of this thread, None without one."""
    modes = overriding.this_thread.modes
    return modes[-1] if modes else None


def _get_current_function_mode_stack() -> list[Any]:
    """Return the modes of this thread, the innermost last."""
    return list(overriding.this_thread.modes)


class DisableTorchFunctionSubclass:
    """A block in which the classes of arguments are not asked."""

    def __enter__(self) -> None:
        self._before = overriding.this_thread.classes_are_off
        overriding.this_thread.classes_are_off = True

    def __exit__(self, *exc: object) -> None:
        overriding.this_thread.classes_are_off = self._before


class DisableTorchFunction:
    """A block in which neither modes nor the classes of arguments are asked."""

    def __enter__(self) -> None:
        self._before = overriding.this_thread.is_off
        overriding.this_thread.is_off = True

    def __exit__(self, *exc: object) -> None:
        overriding.this_thread.is_off = self._before


_disabled_torch_function_impl = overriding.disabled

# ----- What there is to override -----


def is_tensor_like(inp: Any) -> bool:
    """Tell whether a value is a tensor, or of a class with `__torch_function__`."""
    return isinstance(inp, Tensor) or hasattr(type(inp), "__torch_function__")


@functools.cache
def _names() -> dict[Any, str]:
    """Return the names of all functions that can be overridden."""
    names: dict[Any, str] = {}
    for space in ("npg", "npg.linalg", "npg.nn.functional"):
        module = sys.modules["npg"] if space == "npg" else import_module(space)
        for name in dir(module):
            value = None if name[0] == "_" else getattr(module, name, None)
            function: Any = value.__wrapped__ if _is_wrapper(value) else value  # type: ignore[union-attr]
            if not overriding.is_public(name, function):
                continue
            public = overriding.overridable(function)
            if public not in names or function.__name__ == name or name in ("gelu", "cross_entropy", "mse_loss"):
                names[public] = f"{space}.{name}"
    return names


def _is_wrapper(value: Any) -> bool:
    return type(value) is overriding.Overridable


@functools.cache
def _methods() -> dict[Any, str]:
    names: dict[Any, str] = {}
    for name in dir(Tensor):
        if not overriding.is_asking(name) or name not in overriding.names_of(Tensor):
            continue
        own = overriding.member_of(Tensor, name)
        if isinstance(own, overriding.DATA):
            names[own.__get__] = f"npg.Tensor.{name}.__get__"
            if hasattr(own, "__set__"):
                names[own.__set__] = f"npg.Tensor.{name}.__set__"
        elif callable(member := getattr(Tensor, name)) and (member not in names or member.__name__ == name):
            names[member] = f"npg.Tensor.{name}"
    return names


def resolve_name(f: Any) -> str | None:
    """Return the name under which a function or a method can be overridden, None when it cannot."""
    if isinstance(f, str):
        return f
    if _is_wrapper(f):
        return named(_names().get(f, f"{f.__module__}.{f.__name__}"))
    found = _methods().get(f) or _names().get(f)
    return None if found is None else named(found)


def is_tensor_method_or_property(func: Any) -> bool:
    """Tell whether a function is a method or a property of Tensor."""
    return not _is_wrapper(func) and func in _methods()


def get_overridable_functions() -> dict[Any, list[Any]]:
    """Return the functions that ask for overrides, by the module or class that they stand in."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for function, name in _names().items():
        found[sys.modules[name.rpartition(".")[0]]].append(function)
    found[Tensor] = list(_methods())
    return found


def get_ignored_functions() -> set[Any]:
    """Return functions of npg that never ask: they have no tensor among their arguments."""
    root: Any = sys.modules["npg"]
    names = (
        "is_tensor is_storage set_default_dtype get_default_dtype set_printoptions manual_seed seed initial_seed "
        "get_rng_state set_rng_state from_numpy as_tensor set_grad_enabled is_grad_enabled compile typename"
    ).split()
    return {getattr(root, name) for name in names if hasattr(root, name)}


def get_default_nowrap_functions() -> set[Any]:
    """Return the functions whose results keep their class in Tensor.__torch_function__."""
    return set(overriding.nowrap())


def get_testing_overrides() -> dict[Any, Callable[..., Any]]:
    """Return for each function that asks one with its parameters that returns -1, for tests of overrides."""
    import inspect

    overrides: dict[Any, Callable[..., Any]] = {}
    for function in (*_names(), *_methods()):

        def dummy(*args: Any, **kwargs: Any) -> int:
            return -1

        try:
            dummy.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            pass
        overrides[function] = dummy
    return overrides


__all__ = [
    "BaseTorchFunctionMode",
    "TorchFunctionMode",
    "enable_reentrant_dispatch",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "get_testing_overrides",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "redispatch_function",
    "resolve_name",
    "wrap_torch_function",
]
