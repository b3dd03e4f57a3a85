"""TorchScript, which npg does not have: functions and modules run as the Python that they are. Source: torch.jit.

What only tells the compiler something leaves its argument as it is. What would write or read compiled code says so.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from npg._errors import NO_TORCHSCRIPT, warn
from npg._naming import named
from npg._refusal import refusing, refusing_class
from npg.engine import TensorBase
from npg.futures import Future
from npg.jit import _isinstance
from npg.nn import Module

# ----- Functions and modules as they are -----


def script(obj: Any, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None, example_inputs: Any = None) -> Any:
    """Return a function, module, class, list or dict as it is: it runs as Python.

    Raises: TypeError: for an object of a built-in class.
    """
    if not callable(obj) and not builtins.isinstance(obj, (list, dict)) and type(obj).__module__ == "builtins":
        raise TypeError(f"{type(obj)} is a built-in class")
    return obj


def script_method(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method as it is: it runs as Python."""
    return fn


def script_if_tracing(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as it is: nothing is traced."""
    return fn


_script_if_tracing = script_if_tracing


def trace(
    func: Any,
    example_inputs: Any = None,
    optimize: Any = None,
    check_trace: bool = True,
    check_inputs: Any = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    _force_outplace: bool = False,
    _module_class: Any = None,
    _compilation_unit: Any = None,
    example_kwarg_inputs: Any = None,
    _store_inputs: bool = True,
) -> Any:
    """Return the function or module as it is, when it has run on the inputs as often as PyTorch runs it.

    Args:
        example_inputs: a tensor or a tuple of arguments.
        check_trace: run it three times instead of once.
        example_kwarg_inputs: keyword arguments instead.
    """
    positional: Any = ()
    keywords = example_kwarg_inputs or {}
    if example_kwarg_inputs is None:
        positional = (
            (example_inputs,) if builtins.isinstance(example_inputs, (TensorBase, dict)) else tuple(example_inputs)
        )
        _check_traceable(positional)
    for _ in range(3 if check_trace else 1):
        func(*positional, **keywords)
    return func


def trace_module(
    mod: Any,
    inputs: dict[str, Any],
    optimize: Any = None,
    check_trace: bool = True,
    check_inputs: Any = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    _force_outplace: bool = False,
    _module_class: Any = None,
    _compilation_unit: Any = None,
    example_inputs_is_kwarg: bool = False,
    _store_inputs: bool = True,
) -> Any:
    """Return the module as it is, when its methods have run on the inputs as in trace().

    Raises: AttributeError: for what is no module. TypeError: when inputs is no dict.
    """
    if not builtins.isinstance(mod, Module):
        raise AttributeError(named("expected npg.nn.Module as the first argument"))
    if not builtins.isinstance(inputs, dict):
        raise AttributeError("expected a dictionary of (method_name, input) pairs")
    for name, example in inputs.items():
        method = mod if name == "forward" else getattr(mod, name)
        if example_inputs_is_kwarg:
            trace(method, check_trace=check_trace, example_kwarg_inputs=example)
        else:
            trace(method, example, check_trace=check_trace)
    return mod


def _check_traceable(inputs: tuple[Any, ...]) -> None:
    for value in inputs:
        if builtins.isinstance(value, str):
            raise RuntimeError(
                "Type 'Tuple[str]' cannot be traced. Only Tensors and (possibly nested) Lists, Dicts, and Tuples of "
                "Tensors can be traced"
            )


def freeze(mod: Any, preserved_attrs: Any = None, optimize_numerics: bool = True) -> Any:
    """Return a module in evaluation mode as it is: there is no compiled form to simplify.

    Raises: RuntimeError: for what is no module, and in training mode.
    """
    if not builtins.isinstance(mod, Module):
        raise RuntimeError(
            named(
                "Freezing expects a ScriptModule as input. Please use npg.jit.script or npg.jit.trace to script your "
                "'nn.Module'."
            )
        )
    if mod.training:
        raise RuntimeError(
            "Freezing is currently only implemented for modules in eval mode. Please call .eval() on your module "
            "before freezing."
        )
    return mod


def optimize_for_inference(mod: Any, other_methods: Any = None) -> Any:
    """Return the module as it is: there is no compiled form to simplify."""
    return mod


def interface(obj: Any) -> Any:
    """Return the class as it is: it is an interface for the compiler only."""
    return obj


# ----- What tells the compiler something -----


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Return the function as it is, or a decorator that does: nothing is compiled.

    Raises: RuntimeError: for an argument that is neither a function nor a bool.
    """
    if callable(drop):
        return drop
    if not builtins.isinstance(drop, bool):
        raise RuntimeError(named(f"Argument to @npg.jit.ignore must be a bool or a function but got {drop}"))
    if kwargs.pop("drop_on_export", None) or drop:
        warn(
            f"ignore({drop}) has been deprecated. TorchScript will now drop the function call on compilation. Use "
            f"npg.jit.unused now. {kwargs}",
            FutureWarning,
        )
    return lambda fn: fn


def unused(fn: Any) -> Any:
    """Return the function as it is: nothing is compiled."""
    return fn


def export(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method as it is: nothing is compiled."""
    return fn


def _overload(func: Any) -> Any:
    """Return the declaration as it is: the definition that follows takes its name."""
    return func


def _overload_method(func: Any) -> Any:
    """Return the declaration as it is: the definition that follows takes its name."""
    return func


def annotate(the_type: Any, the_value: Any) -> Any:
    """Return the value: the type is for the compiler."""
    return the_value


class Attribute(NamedTuple):
    """A value with a type that is for the compiler."""

    value: Any
    type: Any


def is_scripting() -> bool:
    """Return False: nothing is compiled."""
    return False


def is_tracing() -> bool:
    """Return False: nothing is traced."""
    return False


def isinstance(obj: Any, target_type: Any) -> bool:
    """Tell whether a value has a type, which may say what a container holds: List[int], Optional[Tensor], ..."""
    return _isinstance.isinstance_of(obj, target_type)


# ----- Settings -----

_fusion: list[tuple[str, int]] = [("STATIC", 2), ("DYNAMIC", 10)]
_onednn = False


def set_fusion_strategy(strategy: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Set how often PyTorch compiles anew, and return what was set: it is kept, and changes nothing."""
    global _fusion
    before, _fusion = _fusion, strategy
    return before


def enable_onednn_fusion(enabled: bool) -> None:
    """Permit another backend: it is kept, and changes nothing."""
    global _onednn
    _onednn = enabled


def onednn_fusion_enabled() -> bool:
    """Return what enable_onednn_fusion was given; it changes nothing."""
    return _onednn


class strict_fusion:
    """A block whose operations the compiler must fuse: as in PyTorch it only warns where nothing is compiled."""

    def __enter__(self) -> None:
        warn("Only works in script mode")

    def __exit__(self, *exc: object) -> None:
        pass


@contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """Return a block that changes nothing: there is no compiled code."""
    yield


@contextmanager
def fuser(name: str) -> Iterator[None]:
    """Return a block that changes nothing: there is no compiled code."""
    yield


# ----- Results that come later -----


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
    """Call the function now, and return a Future that has its result."""
    future: Future[Any] = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future: Any) -> Any:
    """Return the result of a Future."""
    return future.wait()


# ----- Compiled code -----


class Error(Exception):
    """Raised by PyTorch when compiled code raises; npg never raises it."""


class TracerWarning(Warning):
    """Given by PyTorch where a trace is not what was run; npg never gives it."""


class ScriptModule(Module):
    """A module that PyTorch compiles: here it is a module."""


class RecursiveScriptModule(ScriptModule):
    """A module that PyTorch has compiled: npg makes none."""


ScriptFunction = refusing_class("ScriptFunction", __name__, NotImplementedError, NO_TORCHSCRIPT)
CompilationUnit = refusing_class("CompilationUnit", __name__, NotImplementedError, NO_TORCHSCRIPT)


@refusing(NotImplementedError, NO_TORCHSCRIPT)
def save(m: Any, f: Any, _extra_files: Any = None) -> Any: ...


@refusing(
    NotImplementedError,
    "npg has no TorchScript; load the file in PyTorch, save its state_dict with torch.save, and npg.load that",
)
def load(f: Any, map_location: Any = None, _extra_files: Any = None, _restore_shapes: bool = False) -> Any: ...


@refusing(NotImplementedError, NO_TORCHSCRIPT)
def export_opnames(m: Any) -> Any: ...


__all__ = [
    "Attribute",
    "CompilationUnit",
    "Error",
    "Future",
    "Module",
    "RecursiveScriptModule",
    "ScriptFunction",
    "ScriptModule",
    "TracerWarning",
    "annotate",
    "enable_onednn_fusion",
    "export",
    "export_opnames",
    "fork",
    "freeze",
    "fuser",
    "ignore",
    "interface",
    "is_scripting",
    "Final",
    "is_tracing",
    "isinstance",
    "load",
    "onednn_fusion_enabled",
    "optimize_for_inference",
    "optimized_execution",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "set_fusion_strategy",
    "strict_fusion",
    "trace",
    "trace_module",
    "unused",
    "wait",
]
