"""A former way to define operators; npg.library is today's. Source: torch._custom_ops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from npg import library

__all__ = ["custom_op", "impl", "impl_abstract"]


def custom_op(qualname: str, func_or_schema: Any = None) -> Any:
    """Define an operator by a schema, or by the annotations of a function; without one, a decorator."""
    if isinstance(func_or_schema, str):
        library.define(qualname, func_or_schema)
        return None

    def define(func: Callable[..., Any]) -> Callable[..., Any]:
        library.define(qualname, library.infer_schema(func, mutates_args=()))
        return func

    return define if func_or_schema is None else define(func_or_schema)


def impl(qualname: str, *, device_types: str | Sequence[str] = ("cpu", "cuda"), func: Any = None) -> Any:
    """See npg.library.impl."""
    return library.impl(qualname, device_types, func)


def impl_abstract(qualname: str, *, func: Any = None) -> Any:
    """See npg.library.register_fake."""
    return library.register_fake(qualname, func)
