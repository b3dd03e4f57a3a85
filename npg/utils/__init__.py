"""Helpers beside the core."""

from typing import Any as _Any

from npg.utils import hooks

__all__ = ["checkpoint", "hooks"]


def __getattr__(name: str) -> _Any:
    if name == "checkpoint":  # loaded when it is used: it needs autograd, and modules need only the hooks
        from importlib import import_module

        return import_module("npg.utils.checkpoint")
    raise AttributeError(f"module 'npg.utils' has no attribute {name!r}")
