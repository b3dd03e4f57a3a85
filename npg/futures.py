"""Results that come later: npg computes at once, and a Future is for scripts that pass one on. Source: "
"torch.futures."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from npg._naming import named
from npg.functional._attributes import device

T = TypeVar("T")

_COMPLETED = (
    "Attempting to mark a completed Future as complete again. Note that a Future can only be marked completed once."
)


class Future(Generic[T]):
    """A value or an exception that one thread sets and others wait for.

    Args:
        devices: of the value's tensors: none but the CPU is there, so it is None or empty.
    Source: torch.futures.Future.
    """

    def __init__(self, *, devices: Any = None) -> None:
        for place in devices or ():
            chosen = device(place)
            if chosen.index is None:
                raise ValueError(f"Expected devices to have indices, got {chosen}")
            raise RuntimeError(f"PyTorch is not linked with support for {chosen.type} devices")
        self._changed = threading.Condition()
        self._done = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Any], Any]] = []
        self._settle: Callable[[], object] | None = None  # waits in place of wait(), where nobody else brings it about

    def done(self) -> bool:
        """Tell whether there is a value or an exception."""
        return self._done

    def wait(self) -> T:
        """Wait for the value and return it, or raise the exception."""
        self._wait()
        return self._get()

    def _wait(self) -> None:
        settle = self._settle
        if settle is not None:
            settle()
        with self._changed:
            while not self._done:
                self._changed.wait()

    def value(self) -> T:
        """Return the value, or raise the exception.

        Raises: RuntimeError: when there is none yet.
        """
        if not self._done:
            raise RuntimeError("value() of a Future that is not completed; wait() waits for it")
        return self._get()

    def _get(self) -> T:
        if self._error is not None:
            raise self._error
        result: T = self._value
        return result

    def _complete(self, value: Any, error: BaseException | None) -> None:
        with self._changed:
            if self._done:
                raise RuntimeError(_COMPLETED)
            self._value, self._error, self._done, self._settle = value, error, True, None
            callbacks, self._callbacks = self._callbacks, []
            self._changed.notify_all()
        for callback in callbacks:
            _run(callback, self)

    def set_result(self, result: T) -> None:
        """Set the value. Raises: RuntimeError: when there is one."""
        self._complete(result, None)

    def set_exception(self, result: BaseException) -> None:
        """Set the exception that wait() raises. Raises: AssertionError: when it is none."""
        if not isinstance(result, Exception):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._complete(None, result)

    def add_done_callback(self, callback: Callable[[Any], Any]) -> None:
        """Call callback(self) when this is done, or now; an exception that it raises is printed."""
        if not callable(callback):
            raise TypeError(f"add_done_callback(): expected a callable, not {type(callback).__name__}")
        with self._changed:
            if not self._done:
                self._callbacks.append(callback)
                return
        _run(callback, self)

    def then(self, callback: Callable[[Any], Any]) -> Future[Any]:
        """Return a Future of callback(self), which is called when this is done."""
        if not callable(callback):
            raise TypeError(f"then(): expected a callable, not {type(callback).__name__}")
        following: Future[Any] = Future()
        if self._settle is not None:
            following._settle = self._wait

        def follow(done: Any) -> None:
            try:
                result = callback(done)
            except Exception as error:
                following._complete(
                    None,
                    RuntimeError(f"Got the following error when running the callback: {type(error).__name__}: {error}"),
                )
            else:
                following._complete(result, None)

        self.add_done_callback(follow)
        return following

    def __reduce__(self) -> Any:
        raise RuntimeError(named("Can not pickle npg.futures.Future"))


def _run(callback: Callable[[Any], Any], future: Any) -> None:
    try:
        callback(future)
    except Exception as error:
        print(f"Got the following error when running the callback: {type(error).__name__}: {error}", file=sys.stderr)


def collect_all(futures: list[Future[Any]]) -> Future[list[Future[Any]]]:
    """Return a Future of all futures, which is done when they are; of the first exception among them."""
    everything: Future[list[Future[Any]]] = Future()
    waiting = len(futures)
    lock = threading.Lock()

    def one_done(_: Any) -> None:
        nonlocal waiting
        with lock:
            waiting -= 1
            if waiting:
                return
        error = next((f._error for f in futures if f._error is not None), None)
        everything._complete(None if error else list(futures), error)

    if not futures:
        everything.set_result([])
    elif any(future._settle is not None for future in futures):

        def settle() -> None:
            for future in futures:
                future._wait()

        everything._settle = settle
    for future in futures:
        future.add_done_callback(one_done)
    return everything


def wait_all(futures: list[Future[Any]]) -> list[Any]:
    """Wait for all futures and return their values, or raise the first exception among them."""
    return [future.wait() for future in collect_all(futures).wait()]


__all__ = ["Future", "collect_all", "wait_all"]
