"""Compilation, which npg does not do: what asks for it gets what it gives. Source: torch.compile and torch.compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg._dynamo import allow_in_graph, assume_constant_result, is_compiling, reset
from npg._dynamo.eval_frame import optimized
from npg._dynamo.exc import check_arguments
from npg._naming import named
from npg._refusal import refusing


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: Any = None,
    disable: bool = False,
    **others: Any,
) -> Any:
    """Return the function as it is, or the module behind the same wrapper as in PyTorch; a decorator without one.

    The wrapper of a module names its state "_orig_mod....", so checkpoints have PyTorch's keys.
    Args:
        model: a function or a module.
        fullgraph, dynamic, mode, options: how PyTorch compiles; they are checked, and change nothing.
        backend: a name of PyTorch's.
        disable: return the model itself.
    Raises: RuntimeError: for an unknown mode or backend, and for mode and options together. NotImplementedError: for a
        backend that is a function: there is no graph that it could be given.
    Source: torch.compile.
    """
    check_arguments(backend, mode, options)
    if model is None:
        return lambda model: compile(model, disable=disable)
    return model if disable else optimized(model)


# ----- What is asked in a function -----


def is_dynamo_compiling() -> bool:
    """Return False: nothing is compiled."""
    return False


def is_exporting() -> bool:
    """Return False: nothing is exported."""
    return False


# ----- What is left as it is -----


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Return the function as it is, or a decorator that does: nothing is compiled."""
    return (lambda fn: fn) if fn is None else fn


def wrap_numpy(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as it is: its NumPy calls are made as they stand."""
    return fn


def nested_compile_region(
    fn: Any = None, *, options: Any = None, max_reuse_entries: int = 8, reuse_hash_fn: Any = None
) -> Any:
    """Return the function as it is, or a decorator that does."""
    return (lambda fn: fn) if fn is None else fn


def substitute_in_graph(
    original_fn: Any, *, can_constant_fold_through: bool = False, skip_signature_check: bool = False
) -> Callable[[Any], Any]:
    """Return a decorator that gives the original function: there is no graph in which another could stand for it."""
    return lambda fn: original_fn


def cudagraph_mark_step_begin() -> None:
    """Do nothing: there are no recorded steps."""


class set_stance:
    """A function, block and decorator that says when to compile: nothing is compiled.

    Raises: RuntimeError: for an unknown stance.
    """

    def __init__(
        self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None
    ) -> None:
        if stance not in _STANCES:
            raise RuntimeError(named(f"invalid npg.compile stance {stance!r}, expected one of {', '.join(_STANCES)}"))
        self.stance = stance

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn


_STANCES = (
    "default", "eager_then_compile", "aot_eager_then_compile", "eager_on_recompile", "fail_on_recompile", "force_eager",
)  # fmt: skip


def set_enable_guard_collectives(enabled: bool) -> bool:
    """Return False, what was set: nothing is compiled, so there are no guards."""
    return False


# ----- Backends -----

_default_backend: Any = "inductor"


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """Return an empty list: npg has no compiler."""
    return []


def get_default_backend() -> Any:
    """Return what set_default_backend was given; nothing is compiled."""
    return _default_backend


def set_default_backend(backend: Any) -> None:
    """Set the backend that compile() would take: it is kept, and nothing is compiled."""
    global _default_backend
    _default_backend = "inductor" if backend is None else backend


# ----- Artifacts and guards -----


def save_cache_artifacts() -> None:
    """Return None: nothing was compiled."""


def load_cache_artifacts(serialized_artifacts: bytes) -> None:
    """Return None: npg takes nothing that was compiled elsewhere."""


@refusing(RuntimeError, "npg compiles nothing, so it runs nothing that was compiled; load the Python function instead")
def load_compiled_function(file: Any, *, f_globals: Any = None, external_data: Any = None) -> Any: ...


def keep_portable_guards_unsafe(guard_entries: Any) -> list[bool]:
    """Return False for each guard: nothing is compiled, so none is kept."""
    return [False for _ in guard_entries]


def keep_tensor_guards_unsafe(guard_entries: Any, keep_parameters: bool = False) -> list[bool]:
    """Return False for each guard: nothing is compiled, so none is kept."""
    return [False for _ in guard_entries]


def skip_all_guards_unsafe(guard_entries: Any) -> list[bool]:
    """Return False for each guard: nothing is compiled, so none is kept."""
    return [False for _ in guard_entries]


def skip_guard_on_all_nn_modules_unsafe(guard_entries: Any) -> list[bool]:
    """Return False for each guard: nothing is compiled, so none is kept."""
    return [False for _ in guard_entries]


def skip_guard_on_globals_unsafe(guard_entries: Any) -> list[bool]:
    """Return False for each guard: nothing is compiled, so none is kept."""
    return [False for _ in guard_entries]


def skip_guard_on_inbuilt_nn_modules_unsafe(guard_entries: Any) -> list[bool]:
    """Return False for each guard: nothing is compiled, so none is kept."""
    return [False for _ in guard_entries]


__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "disable",
    "is_compiling",
    "reset",
    "compile",
    "cudagraph_mark_step_begin",
    "get_default_backend",
    "is_dynamo_compiling",
    "is_exporting",
    "keep_portable_guards_unsafe",
    "keep_tensor_guards_unsafe",
    "list_backends",
    "load_cache_artifacts",
    "load_compiled_function",
    "nested_compile_region",
    "save_cache_artifacts",
    "set_default_backend",
    "set_enable_guard_collectives",
    "set_stance",
    "skip_all_guards_unsafe",
    "skip_guard_on_all_nn_modules_unsafe",
    "skip_guard_on_globals_unsafe",
    "skip_guard_on_inbuilt_nn_modules_unsafe",
    "substitute_in_graph",
    "wrap_numpy",
]
