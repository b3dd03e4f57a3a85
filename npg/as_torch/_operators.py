"""torch.ops while npg is served as torch: there `npg.ops` is the room of npg's own ops, which has other names."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from npg import ops

_FILES = frozenset(module.name for module in iter_modules(ops.__path__))


def _operators(name: str) -> Any:
    if name[:2] == "__" or name in _FILES:  # the import system asks for these before it loads them
        raise AttributeError(f"module 'torch.ops' has no attribute {name!r}")
    return getattr(import_module("npg._ops").ops, name)


def begin() -> None:
    """Let npg.ops answer for the operators that programs define, and for load_library."""
    vars(ops)["__getattr__"] = _operators


def end() -> None:
    vars(ops).pop("__getattr__", None)
