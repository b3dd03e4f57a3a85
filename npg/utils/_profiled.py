"""Classes whose methods are ranges in a profile: they say so here, and know nothing else of the profiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

C = TypeVar("C", bound=type)

classes: dict[Any, tuple[str, ...]] = {}  # a class: the names of its methods
watcher: Callable[[Any, tuple[str, ...]], None] | None = None  # told of classes that come while a profiler records


def profiled(*methods: str) -> Callable[[C], C]:
    """Return a decorator of a class whose calls of these methods are ranges in a profile."""

    def register(cls: C) -> C:
        classes[cls] = methods
        if watcher is not None:
            watcher(cls, methods)
        return cls

    return register
