"""The names of PyTorch's compiler that scripts call: npg compiles nothing, so they leave functions as they are.

Source: torch._dynamo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from npg import _lazy
from npg._dynamo.exc import check_backend
from npg._refusal import refusing

# ----- Functions that are left as they are -----


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None, wrapping: bool = True) -> Any:
    """Return the function as it is, or a decorator that does: nothing is compiled."""
    return (lambda fn: fn) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """Return the function, or the list of functions, as it is: there is no graph."""
    if not isinstance(fn, (list, tuple)) and not callable(fn):
        raise AssertionError("allow_in_graph expects a callable")
    return list(fn) if isinstance(fn, (list, tuple)) else fn


def disallow_in_graph(fn: Any) -> Any:
    """Return the function as it is: there is no graph."""
    return fn


def forbid_in_graph(fn: Any) -> Any:
    """Return the function as it is: there is no graph."""
    return fn


def nonstrict_trace(traceable_fn: Any) -> Any:
    """Return the function as it is: nothing is traced."""
    return traceable_fn


def assume_constant_result(fn: Any) -> Any:
    """Return the function as it is: its result is computed in each call."""
    return fn


def run(fn: Any = None) -> Any:
    """Return the function as it is, or a decorator that does: nothing is compiled."""
    return (lambda fn: fn) if fn is None else fn


def optimize(backend: Any = "inductor", *, nopython: bool = False, **others: Any) -> Any:
    """Return a decorator that leaves a function as it is, and puts a module behind compile()'s wrapper."""
    from npg._dynamo.eval_frame import optimized

    check_backend(backend)
    return optimized


# ----- What is asked, marked and reset -----


def is_compiling() -> bool:
    """Return False: nothing is compiled."""
    return False


def graph_break(msg: str = "") -> None:
    """Do nothing: there is no graph to end."""


def reset() -> None:
    """Do nothing: nothing was compiled."""


def mark_dynamic(t: Any, index: Any, **others: Any) -> None:
    """Do nothing: every shape is computed as it comes."""


def maybe_mark_dynamic(t: Any, index: Any) -> None:
    """Do nothing: every shape is computed as it comes."""


def mark_static(t: Any, index: Any = None) -> None:
    """Do nothing: every shape is computed as it comes."""


def mark_static_address(t: Any, guard: bool = False) -> None:
    """Do nothing: nothing is compiled for an address."""


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """Return an empty list: npg has no compiler."""
    return []


@refusing(NotImplementedError, "npg records no graph of a function; call the function itself")
def explain(f: Any, *extra_args: Any, **extra_kwargs: Any) -> Any: ...


@refusing(NotImplementedError, "npg records no graph of a function; call the function itself")
def export(f: Any, *extra_args: Any, **extra_kwargs: Any) -> Any: ...


if TYPE_CHECKING:
    from npg._dynamo import config as config, eval_frame as eval_frame, exc as exc
    from npg._dynamo.eval_frame import OptimizedModule as OptimizedModule
else:
    _MODULES = {name: f"npg._dynamo.{name}" for name in ("config", "eval_frame", "exc", "utils")}
    __getattr__ = _lazy.loader(__name__, {"OptimizedModule": "npg._dynamo.eval_frame"}, _MODULES)

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "disable",
    "disallow_in_graph",
    "explain",
    "export",
    "forbid_in_graph",
    "graph_break",
    "is_compiling",
    "list_backends",
    "mark_dynamic",
    "mark_static",
    "mark_static_address",
    "maybe_mark_dynamic",
    "nonstrict_trace",
    "optimize",
    "reset",
    "run",
]
