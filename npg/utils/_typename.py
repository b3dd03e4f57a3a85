"""The names of types in error texts."""

from __future__ import annotations

from typing import Any

from npg.tensor import Tensor


def typename(value: Any) -> str:
    """Return a type's name as in PyTorch's messages: npg.FloatTensor, int, my.Class. Source: torch.typename."""
    if isinstance(value, Tensor):
        return str(value.type())
    module = getattr(value, "__module__", "") or ""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if name is None:
        module, name = type(value).__module__, type(value).__qualname__
    return name if module in ("", "builtins") else f"{module}.{name}"
