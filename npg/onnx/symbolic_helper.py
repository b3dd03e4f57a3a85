"""What functions of ONNX's operators are declared with; npg exports no graph, and calls none. Source: torch.onnx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["parse_args"]


def parse_args(*arg_descriptors: str) -> Callable[[Any], Any]:
    """Return a decorator that leaves a function as it is: only an export would call it."""
    return lambda fn: fn
