"""isinstance with types that say what a container holds. Source: torch.jit.isinstance."""

from __future__ import annotations

import types
import typing
from typing import Any

from npg._errors import warn

_CONTAINERS = (list, tuple, dict)


def isinstance_of(value: Any, kind: Any) -> bool:
    """Tell whether a value has a type, or one of a tuple of types.

    Raises: RuntimeError: for list, tuple and dict that do not say what they hold.
    """
    if isinstance(kind, tuple):
        return any(isinstance_of(value, one) for one in kind)
    if kind in _CONTAINERS or kind in (typing.List, typing.Tuple, typing.Dict, typing.Optional):  # noqa: UP006
        name = getattr(kind, "__name__", str(kind))
        example = {"dict": "dict[int, int]", "tuple": "tuple[int]"}.get(name, f"{name}[int]")
        raise RuntimeError(
            f"Attempted to use {name} without a contained type. Please add a contained type, e.g. {example}"
        )
    origin = typing.get_origin(kind)
    if origin is None:
        return isinstance(value, type(None) if kind is None else kind)
    inner = typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return any(isinstance_of(value, one) for one in inner)
    if not isinstance(value, origin):
        return False
    if not value and origin in _CONTAINERS:
        warn(
            "The inner type of a container is lost when calling npg.jit.isinstance in eager mode. For example, "
            "List[int] would become list and therefore falsely return True for List[float] or List[str]."
        )
        return True
    if origin is dict:
        return all(isinstance_of(k, inner[0]) and isinstance_of(v, inner[1]) for k, v in value.items())
    if origin is tuple:
        if len(inner) == 2 and inner[1] is ...:
            return all(isinstance_of(v, inner[0]) for v in value)
        return len(value) == len(inner) and all(map(isinstance_of, value, inner))
    return all(isinstance_of(v, inner[0]) for v in value)
