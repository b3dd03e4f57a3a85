"""Registration of classes whose methods are ranges in a profile, without importing the profiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

C = TypeVar("C", bound=type)

classes: dict[Any, tuple[str, ...]] = {}  # a class: the names of its methods
watcher: Callable[[Any, tuple[str, ...]], None] | None = None  # called with classes registered during a recording


def profiled(*methods: str) -> Callable[[C], C]:
    """Return a class decorator that makes calls of these methods ranges in a profile."""

    def register(cls: C) -> C:
        classes[cls] = methods
        if watcher is not None:
            watcher(cls, methods)
        return cls

    return register
