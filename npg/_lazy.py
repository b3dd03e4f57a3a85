"""Lazy names of modules: what they refer to is imported at their first use.

`import npg` imports the engine and what the operators of Tensor need, but no other function, so its time does not grow
with the number of functions. npg/_names.py lists the functions of each file.
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
    """Return a `__getattr__` for a module whose names are imported at their first use.

    Args:
        package: the name of that module.
        homes: for each name that comes from another module, the name of that module.
        modules: names of submodules.
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
