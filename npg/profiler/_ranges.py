"""Ranges that are not ops: optimizer steps, batches of a DataLoader and, on request, calls of modules.

Their methods are replaced in the classes during a recording, so that without a profiler they cost nothing. An
optimizer's class that is defined during a recording is not covered.
"""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from npg.utils import _profiled


def watch(range_of: Callable[..., Any], modules: bool) -> Callable[[], None]:
    """Wrap the watched methods in the context manager range_of(name, **settings).

    Args:
        modules: also wrap the calls of modules.
    Returns: a function that undoes it.
    """
    undo = contextlib.ExitStack()
    numbers = _Numbers()

    def begin(cls: Any, methods: tuple[str, ...]) -> None:
        for owner, method in _methods(cls, methods):
            if method != "__call__":
                name_of = functools.partial(_step_name, method)
                undo.callback(_replace(owner, method, range_of, name_of, is_user_annotation=True))
            elif modules:
                undo.callback(_replace(owner, method, range_of, numbers.name, is_python_function=True))

    for cls, methods in _profiled.classes.items():
        begin(cls, methods)
    _profiled.watcher = begin
    undo.callback(setattr, _profiled, "watcher", None)
    return undo.close


def watched() -> list[tuple[Any, str]]:
    """Return what a recording replaces, as (owner, name): the watched methods of classes, and the watcher."""
    methods = [place for cls, names in _profiled.classes.items() for place in _methods(cls, names)]
    return [*methods, (_profiled, "watcher")]


def _methods(cls: Any, methods: tuple[str, ...]) -> list[tuple[Any, str]]:
    """Return (class, name) of each definition of a class's methods, for optimizers also in derived classes."""
    family = (cls,) if methods == ("__call__",) else dict.fromkeys(_family(cls))
    return [(owner, method) for method in methods for owner in family if method in vars(owner)]


def _step_name(method: str, owner: Any) -> str:
    kind = type(owner).__name__
    return f"enumerate(DataLoader)#{kind}.__next__" if method == "__next__" else f"Optimizer.{method}#{kind}.{method}"


def _family(cls: Any) -> Iterator[Any]:
    """Yield a class and those derived from it."""
    yield cls
    for derived in cls.__subclasses__():
        yield from _family(derived)


def _replace(
    owner: Any, method: str, range_of: Callable[..., Any], name_of: Callable[[Any], str], **settings: Any
) -> Callable[[], None]:
    """Wrap a class's method in a range. Returns: a function that undoes it."""
    original = vars(owner)[method]

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        with range_of(name_of(self), **settings):
            return original(self, *args, **kwargs)

    setattr(owner, method, call)
    return functools.partial(setattr, owner, method, original)


class _Numbers:
    """Names of modules as in PyTorch's traces: the class and the instance's number, in order of first call."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[Any, str]] = {}  # with the module, so that its id is not reused
        self._counts: Counter[str] = Counter()

    def name(self, module: Any) -> str:
        """Return a name such as "nn.Module: Linear_0"."""
        if id(module) not in self._names:
            kind = type(module).__name__
            self._names[id(module)] = module, f"nn.Module: {kind}_{self._counts[kind]}"
            self._counts[kind] += 1
        return self._names[id(module)][1]
