"""Names of a module that load what stands behind them when they are first used.

`import npg` reads the engine and what the operators of Tensor need, no other function: the time that it takes does not
grow with the number of functions. npg/_names.py, which tools/stubs.py writes, has the file of each.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from npg import _naming
from npg._naming import named

PATIENCE = 10.0  # seconds that a fork waits for the loads of other threads


def homes_of(*tables: dict[str, str]) -> dict[str, str]:
    """Return the module of each name, from tables that map a module to its names, separated by spaces."""
    return {name: module for table in tables for module, names in table.items() for name in names.split()}


def loader(package: str, homes: Mapping[str, str], modules: Mapping[str, str] | None = None) -> Callable[[str], Any]:
    """Return a `__getattr__` for a module whose names load when they are first used.

    Args:
        package: the module.
        homes: the modules that the names are taken from.
        modules: the modules that names stand for.
    """
    namespace = sys.modules[package].__dict__
    modules = modules or {}

    def __getattr__(name: str) -> Any:
        if name in modules:
            with _loading():
                namespace[name] = import_module(modules[name])
            return namespace[name]
        if name not in homes:
            raise AttributeError(named(f"module {package!r} has no attribute {name!r}"))
        value = load(homes[name], name)
        if is_own(value):
            namespace[name] = value
        return value

    return __getattr__


class LateMethod:
    """A method that is a function of a module: it loads when it is first used, and is the function from then on."""

    __slots__ = ("attribute", "module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name
        self.attribute = name

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name  # in the class

    def __get__(self, tensor: Any, kind: type) -> Any:
        function = load(self.module, self.name)
        if is_own(function):
            for owner in kind.__mro__:
                if vars(owner).get(self.attribute) is self:  # and not a method that replaced this one
                    setattr(owner, self.attribute, function)
        return function.__get__(tensor, kind)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function: unittest.mock takes it from the class's dict."""
        return load(self.module, self.name)(*args, **kwargs)


class LateModule:
    """A module whose functions are methods of a class: it loads when one of them is first used."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> LateMethod:
        return LateMethod(self._module, name)


def load(module: str, name: str) -> Any:
    """Return an attribute of a module, which is imported."""
    with _loading():
        return getattr(import_module(module), name)


def is_own(value: Any) -> bool:
    """Tell whether a value is npg's, and not what a test has put in its place for a while: that is not to be kept."""
    return _naming.is_own(str(getattr(value, "__module__", "")))


# ----- Forks -----

# A child that is forked while another thread imports inherits the lock of a half-imported module, which nobody
# releases. So a fork waits until no other thread loads. A thread that loads in the middle of a load does not wait.
_lock = threading.Lock()
_loads: dict[object, int] = {}  # those under way, and the thread of each


@contextmanager
def _loading() -> Iterator[None]:
    load, thread = object(), threading.get_ident()
    try:
        with _lock:  # nothing is called in here: no signal's handler runs, which might load too, or interrupt
            _loads[load] = thread
        yield
    finally:
        _loads.pop(load, None)


def _others() -> list[object]:
    own = threading.get_ident()
    return [load for load, thread in list(_loads.items()) if thread != own]


def _before_fork() -> None:
    last = time.monotonic() + PATIENCE
    _lock.acquire()
    while _others() and time.monotonic() < last:
        _lock.release()
        time.sleep(0.001)
        _lock.acquire()


def _after_fork_in_child() -> None:
    for load in _others():
        del _loads[load]
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_lock.release, after_in_child=_after_fork_in_child)
