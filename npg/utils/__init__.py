"""Helpers beside the core."""

from typing import Any as _Any

from npg.utils import hooks

__all__ = ["benchmark", "checkpoint", "collect_env", "dlpack", "hooks"]


def __getattr__(name: str) -> _Any:
    # Loaded when they are used: they need more than modules do, the hooks.
    if name in ("benchmark", "checkpoint", "collect_env", "dlpack"):
        from importlib import import_module

        return import_module(f"npg.utils.{name}")
    raise AttributeError(f"module 'npg.utils' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
