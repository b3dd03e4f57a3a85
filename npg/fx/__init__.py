"""Graphs of functions, which npg does not record: it runs them. Source: torch.fx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg._refusal import refusing, refusing_class

_NO_GRAPH = "npg records no graph of a function; call the function or the module itself"


def wrap(fn_or_name: Any) -> Any:
    """Return the function, or the name of one, as it is: nothing is traced.

    Raises: RuntimeError: for anything else.
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError("Unsupported type for global function! Must be either a callable or string name")
    return fn_or_name


def has_side_effect(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as it is: every call is made."""
    return fn


def map_arg(a: Any, fn: Callable[[Any], Any]) -> Any:
    """Return nested tuples, lists, dicts and slices as they are: there are no nodes in them for fn."""
    return a


@refusing(NotImplementedError, _NO_GRAPH)
def symbolic_trace(root: Any, concrete_args: Any = None) -> Any: ...


@refusing(NotImplementedError, _NO_GRAPH)
def replace_pattern(gm: Any, pattern: Any, replacement: Any) -> Any: ...


def _class(name: str) -> Any:
    return refusing_class(name, __name__, NotImplementedError, _NO_GRAPH)


Graph, GraphModule, Interpreter, Node = map(_class, ("Graph", "GraphModule", "Interpreter", "Node"))
Proxy, Tracer, Transformer = map(_class, ("Proxy", "Tracer", "Transformer"))

__all__ = [
    "Graph",
    "GraphModule",
    "Interpreter",
    "Node",
    "Proxy",
    "Tracer",
    "Transformer",
    "has_side_effect",
    "map_arg",
    "replace_pattern",
    "symbolic_trace",
    "wrap",
]
