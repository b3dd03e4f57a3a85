"""Functions of PyTorch that cannot do here what they are for: every call raises, and its text says why."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from npg._naming import named

F = TypeVar("F", bound=Callable[..., Any])


def refusing(error: type[Exception], text: str) -> Callable[[F], F]:
    """Return a decorator that keeps a function's name and signature, and lets every call raise error(text).

    What is decorated has no body; its docstring says what is raised, and stands so in the table of npg.as_torch.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def refuse(*_args: Any, **_kwargs: Any) -> Any:
            raise error(named(text))

        refuse.__doc__ = f"Raise {error.__name__}: {text}"
        return refuse  # type: ignore[return-value]

    return decorate


class Refusing(type):
    """The type of classes of which there is no instance here: to call one raises `_error(_text)`."""

    _error: type[Exception]
    _text: str

    def __call__(cls, *_args: Any, **_kwargs: Any) -> Any:
        raise cls._error(named(cls._text))


def refusing_class(name: str, module: str, error: type[Exception], text: str, bases: tuple[type, ...] = ()) -> Any:
    """Return a class that can be named and asked for with isinstance, and of which no instance can be made."""
    doc = f"Raise {error.__name__} when called: {text}"
    members = {"__module__": module, "__doc__": doc, "_error": error, "_text": text, "__slots__": ()}
    return Refusing(name, bases, members)


def dummy_class(name: str, module: str, base: str = "") -> Any:
    """Return a class without instances, which PyTorch has without its compiled part: a derived one of `base`."""
    return refusing_class(name, module, RuntimeError, dummy_text(base or name))


def dummy_text(name: str) -> str:
    """Return PyTorch's text where a name stands for what is not compiled."""
    return f"Tried to instantiate dummy base class {name}"
