"""Grad mode as context managers and decorators, on either engine."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from npg._naming import named
from npg.engine._select import core

if TYPE_CHECKING:
    from npg.engine._python.modes import ModeBlock
else:
    ModeBlock = core.ModeBlock

F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """A context manager that may also decorate a function, a generator function or, with a warning, a class."""

    def clone(self) -> Any:
        """Return another such context manager."""
        return type(self)()

    def __call__(self, function: F) -> F:
        if inspect.isclass(function):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                "functions or methods. To preserve the current behavior of class decoration, you can directly decorate "
                "the `__init__` method and nothing else.",
                FutureWarning,
                stacklevel=2,
            )
            return lambda *args, **kwargs: self._call(function, args, kwargs)  # type: ignore[return-value]
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generate(*args: Any, **kwargs: Any) -> Any:
                return (yield from self._steps(function(*args, **kwargs)))

            return generate  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(function, args, kwargs)

        return call  # type: ignore[return-value]

    def _call(self, function: Any, args: Any, kwargs: Any) -> Any:
        with self.clone():
            return function(*args, **kwargs)

    def _steps(self, steps: Any) -> Any:
        # The mode must hold only while the generator runs, not while its caller does.
        resume, sent = steps.send, None
        while True:
            try:
                with self.clone():
                    value = resume(sent)
            except StopIteration as stop:
                return stop.value
            try:
                sent = yield value
                resume = steps.send
            except GeneratorExit:
                with self.clone():
                    steps.close()
                raise
            except BaseException as error:  # the caller's throw(), which is the generator's to handle
                resume, sent = steps.throw, error


class no_grad(_Mode, ModeBlock):
    """Disable recording within, in this thread. A context manager, and a decorator with or without parentheses.

    Source: torch.no_grad.
    """

    _records = False

    def __new__(cls, function: Any = None) -> Any:
        mode = super().__new__(cls)
        mode._switch(cls._records)
        return mode if function is None else _Mode.__call__(mode, function)

    def __init__(self, function: Any = None) -> None:
        pass


class enable_grad(no_grad):
    """Enable recording within, even inside no_grad. Source: torch.enable_grad."""

    _records = True


class set_grad_enabled(_Mode, ModeBlock):
    """Switch recording on or off: immediately when called, until the end of the block as a context manager.

    Source: torch.set_grad_enabled.
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            kind = type(mode).__name__
            raise TypeError(f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {kind}")
        self.prev = core.is_grad_enabled()
        self.mode = mode
        self._switch(mode, outer=self.prev)
        core.set_grad_mode(mode)

    def clone(self) -> Any:
        return type(self)(self.mode)

    def __repr__(self) -> str:
        return named(f"npg.autograd.grad_mode.set_grad_enabled(mode={self.mode})")

    def __call__(self, function: F) -> F:
        core.set_grad_mode(self.prev)  # as a decorator it acts only while the function runs
        return super().__call__(function)


class inference_mode(_Mode, ModeBlock):
    """Disable recording within, and mark tensors made there as never to be recorded. Source: torch.inference_mode."""

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls) if isinstance(mode, bool) else cls()(mode)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self._switch(not mode, mode)

    def clone(self) -> Any:
        return type(self)(self.mode)
