"""Grad mode as context managers and decorators, on either engine."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from npg.engine._select import core

F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """A context manager that may also decorate a function or a generator function."""

    def _fresh(self) -> _Mode:
        return type(self)()

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *exc: object) -> None:
        raise NotImplementedError

    def __call__(self, function: F) -> F:
        if inspect.isclass(function):
            raise TypeError(f"expected a function to decorate, got the class {function.__name__}")
        if inspect.isgeneratorfunction(function):
            # The mode must hold only while the generator runs, not while its caller does.
            @functools.wraps(function)
            def generate(*args: Any, **kwargs: Any) -> Any:
                steps = function(*args, **kwargs)
                sent: Any = None
                try:
                    while True:
                        with self._fresh():
                            value = steps.send(sent)
                        sent = yield value
                except StopIteration as stop:
                    return stop.value
                finally:
                    steps.close()

            return generate  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


class no_grad(_Mode):
    """Record nothing inside, in this thread. A context manager, and a decorator with or without parentheses.

    Source: torch.no_grad.
    """

    _grad = False

    def __new__(cls, function: Any = None) -> Any:
        mode = super().__new__(cls)
        return mode if function is None else _Mode.__call__(mode, function)

    def __init__(self, function: Any = None) -> None:
        self._stack: list[bool] = []

    def __enter__(self) -> None:
        self._stack.append(core.is_grad_enabled())
        core.set_grad_mode(self._grad)

    def __exit__(self, *exc: object) -> None:
        core.set_grad_mode(self._stack.pop())


class enable_grad(no_grad):
    """Record inside, even within no_grad. Source: torch.enable_grad."""

    _grad = True


class set_grad_enabled(_Mode):
    """Switch recording on or off: at once when called, and until the end of the block when used as a context manager.

    Source: torch.set_grad_enabled.
    """

    def __init__(self, mode: bool) -> None:
        self.prev = core.is_grad_enabled()
        self.mode = mode
        core.set_grad_mode(bool(mode))

    def _fresh(self) -> _Mode:
        return type(self)(self.mode)

    def __call__(self, function: F) -> F:
        core.set_grad_mode(self.prev)  # as a decorator it acts only while the function runs
        return super().__call__(function)

    def __enter__(self) -> None:
        core.set_grad_mode(bool(self.mode))

    def __exit__(self, *exc: object) -> None:
        core.set_grad_mode(self.prev)


class inference_mode(_Mode):
    """Record nothing inside and mark what is made there as never to be recorded. Source: torch.inference_mode."""

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made.__init__(True)  # type: ignore[misc]
            return made(mode)
        return made

    def __init__(self, mode: Any = True) -> None:
        self.mode = bool(mode)
        self._stack: list[tuple[bool, bool]] = []

    def _fresh(self) -> _Mode:
        return type(self)(self.mode)

    def __enter__(self) -> None:
        self._stack.append((core.is_grad_enabled(), core.is_inference_mode_enabled()))
        core.set_inference_mode(self.mode)
        if self.mode:
            core.set_grad_mode(False)

    def __exit__(self, *exc: object) -> None:
        grad, inference = self._stack.pop()
        core.set_inference_mode(inference)
        core.set_grad_mode(grad)
