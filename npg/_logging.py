"""Logs of PyTorch's compiler, which npg has not. Source: torch._logging."""

from __future__ import annotations

from typing import Any


def set_logs(*, all: int | None = None, **components: Any) -> None:
    """Do nothing: npg has no compiler whose steps could be logged."""


__all__ = ["set_logs"]
