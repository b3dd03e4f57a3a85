"""The names of a function's parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def parameters_of(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...], str | None]:
    """Return the names of the positional parameters, of the keyword-only ones, and of the rest (`*xs`)."""
    # Some six hundred functions are read when npg is imported; inspect.signature would take a quarter of the import.
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = function.__code__
    n = code.co_argcount
    last = n + code.co_kwonlyargcount
    names = code.co_varnames
    return names[:n], names[n:last], names[last] if code.co_flags & inspect.CO_VARARGS else None
