"""Names of a module that load what stands behind them when they are first used.

`import npg` reads the engine and what the operators of Tensor need, no other function: the time that it takes does not
grow with the number of functions. Which file has which says npg/_names.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any


def homes_of(*tables: dict[str, str]) -> dict[str, str]:
    """Return the module of each name, from tables that map a module to its names, separated by spaces."""
    return {name: module for table in tables for module, names in table.items() for name in names.split()}


def loader(package: str, homes: dict[str, str], modules: Sequence[str] = ()) -> Callable[[str], Any]:
    """Return a `__getattr__` for a module whose names load when they are first used.

    Args:
        package: the module.
        homes: the modules of the names that are taken from another one.
        modules: names that are modules below this one.
    """
    namespace = sys.modules[package].__dict__

    def __getattr__(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = namespace[name] = getattr(import_module(homes[name]), name)
        return value

    return __getattr__
