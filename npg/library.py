"""Operators that programs define: their schema, their kernels, their gradients; npg.ops has them by name.

Kernels for the CPU are run; those for other devices are kept and never called, and of fake kernels (which compute
shapes for a compiler) only the names are checked.
"""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from npg import _ops
from npg.dtypes import dtype
from npg.functional._attributes import device
from npg.tensor import Tensor

__all__ = [
    "Library",
    "custom_op",
    "define",
    "fallthrough_kernel",
    "impl",
    "impl_abstract",
    "infer_schema",
    "register_autocast",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_vmap",
]

_KEYS = {"cpu": "CPU", "cuda": "CUDA", "xpu": "XPU", "mps": "MPS", "default": "CompositeExplicitAutograd"}


# ----- Schemas from annotations -----

_NAMES: dict[Any, str] = {
    Tensor: "Tensor", int: "SymInt", float: "float", bool: "bool", str: "str", dtype: "ScalarType", device: "Device",
}  # fmt: skip
_RETURNS = {Tensor: "Tensor", int: "SymInt", float: "float", bool: "bool"}
_NUMBER = frozenset((int, float, bool))


def _type_text(annotation: Any, names: dict[Any, str]) -> str | None:
    """Return the type of a schema that an annotation stands for, None where there is none."""
    if annotation in names:
        return names[annotation]
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        inner = frozenset(parts) - {type(None)}
        if inner == _NUMBER:
            text: str | None = "Scalar"
        else:
            text = _type_text(next(iter(inner)), names) if len(inner) == 1 else None
        return text and (f"{text}?" if type(None) in parts else text)
    if origin in (list, collections.abc.Sequence) and len(parts) == 1:
        text = _type_text(parts[0], names)
        return text and f"{text}[]"
    return None


class _Unfit(Exception):
    """What is wrong with a function that no schema fits."""


def _argument_text(place: int, parameter: inspect.Parameter, written: set[str], all_tensors: bool) -> str:
    """Return a schema's text of one argument. Raises: _Unfit."""
    name, default = parameter.name, parameter.default
    if parameter.annotation is inspect.Parameter.empty:
        raise _Unfit(f"Parameter {name} must have a type annotation.")
    kind = _type_text(parameter.annotation, _NAMES)
    if kind is None:
        raise _Unfit(f"Parameter {name} has unsupported type {parameter.annotation}.")
    if name in written and kind.startswith("Tensor"):
        kind = f"Tensor(a{place}!){kind.removeprefix('Tensor')}"
    elif name in written and not all_tensors:
        raise _Unfit(f"Parameter {name} is in mutable_args but only Tensors or collections of Tensors can be mutated")
    if default is inspect.Parameter.empty:
        return f"{kind} {name}"
    if default is None or isinstance(default, (int, float, bool)):
        return f"{kind} {name}={default}"
    if isinstance(default, str):
        return f'{kind} {name}="{default}"'
    if isinstance(default, (dtype, device)):
        return f"{kind} {name}={getattr(default, 'name', default)}"
    raise _Unfit(f"Parameter {name} has an unsupported default value type {type(default)}.")


def _arguments_text(parameters: Iterable[inspect.Parameter], mutates_args: str | Iterable[str]) -> str:
    """Return a schema's text of all arguments. Raises: _Unfit."""
    by_name = {parameter.name: parameter for parameter in parameters}
    all_tensors = mutates_args == "unknown"
    written = set(by_name) if all_tensors else set(mutates_args)
    texts: list[str] = []
    for place, parameter in enumerate(by_name.values()):
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise _Unfit("We do not support positional-only args, varargs, or varkwargs.")
        if parameter.kind == parameter.KEYWORD_ONLY and "*" not in texts:
            texts.append("*")
        texts.append(_argument_text(place, parameter, written, all_tensors))
    if strange := written - set(by_name):
        raise _Unfit(
            f"{strange} in mutates_args were not found in the custom op's signature. mutates_args should contain the "
            "names of all args that the custom op mutates, or just the string 'unknown' if you don't know."
        )
    return ", ".join(texts)


def _result_text(annotation: Any) -> str:
    """Return a schema's text of what a function returns. Raises: _Unfit."""
    if annotation is inspect.Signature.empty:
        raise _Unfit("No return type annotation was provided. Please add one.")
    if annotation is None:
        return "()"
    if typing.get_origin(annotation) is tuple:
        parts = [_type_text(part, _RETURNS) for part in typing.get_args(annotation)]
        result = None if None in parts else f"({', '.join(map(str, parts))})"
    else:
        result = _type_text(annotation, _RETURNS)
    if result is None:
        raise _Unfit(f"Return has unsupported type {annotation}.")
    return result


def infer_schema(
    prototype_function: Callable[..., Any],
    /,
    *,
    mutates_args: str | Iterable[str],
    op_name: str | None = None,
    tags: Any = (),
) -> str:
    """Return the schema that the annotations of a function stand for.

    Args:
        mutates_args: the names of the arguments that it writes into, or "unknown" for all tensors.
        op_name: stands before the schema.
    Raises: ValueError: for arguments without an annotation, or with one that no schema has.
    Source: torch.library.infer_schema.
    """
    signature = inspect.signature(prototype_function, eval_str=True)
    try:
        arguments = _arguments_text(signature.parameters.values(), mutates_args)
        return f"{op_name or ''}({arguments}) -> {_result_text(signature.return_annotation)}"
    except _Unfit as error:
        raise ValueError(f"infer_schema(func): {error} Got func with signature {signature})") from None


# ----- Registrations by name -----


def _qualname(op: Any) -> str:
    if isinstance(op, (CustomOpDef, _ops.OpOverload)):
        op = op._opoverload if isinstance(op, CustomOpDef) else op
        return f"{op.namespace}::{op.name}"
    namespace, colons, name = str(op).partition("::")
    if not isinstance(op, str) or not colons or not namespace or not name:
        raise ValueError(f'expected the name of an operator as "namespace::name", got {op!r}')
    return op


def _decorated(func: Callable[..., Any] | None, register: Callable[[Callable[..., Any]], object]) -> Any:
    """Register a function now, or return a decorator that does."""
    if func is not None:
        register(func)
        return None

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        register(func)
        return func

    return decorate


def define(qualname: str, schema: str, *, lib: Library | None = None, tags: Any = ()) -> None:
    """Add an operator, such as define("mine::double", "(Tensor x) -> Tensor"). Source: torch.library.define."""
    _add(_ops.define(_qualname(qualname), schema), lib)


def _add(op: _ops.OpOverload, lib: Library | None) -> _ops.OpOverload:
    if lib is not None:
        lib.added.append(op)
    return op


def _register(qualname: str, key: str, func: Callable[..., Any]) -> None:
    _ops.find(qualname).kernels[key] = func


def impl(
    qualname: Any, types: str | Sequence[str], func: Callable[..., Any] | None = None, *, lib: Library | None = None
) -> Any:
    """Register a function as the kernel of an operator for types of device; without func, a decorator.

    Raises: RuntimeError: when there is no such operator.
    Source: torch.library.impl.
    """
    if isinstance(qualname, Library):  # a former order: impl(library, name, dispatch key)
        library = qualname
        return _decorated(None, lambda kernel: library.impl(str(types), kernel, str(func or "")))
    name, kinds = _qualname(qualname), (types,) if isinstance(types, str) else tuple(types)

    def register(kernel: Callable[..., Any]) -> None:
        for kind in kinds:
            _register(name, _KEYS.get(kind, kind), kernel)

    return _decorated(func, register)


def register_kernel(
    op: Any, device_types: str | Sequence[str] | None, func: Callable[..., Any] | None = None, /, *, lib: Any = None
) -> Any:
    """Register a function as the kernel of an operator for types of device, None for all."""
    return impl(_qualname(op), "default" if device_types is None else device_types, func)


def register_autograd(
    op: Any, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None, lib: Any = None
) -> None:
    """Register the gradient of an operator.

    Args:
        backward: called with (ctx, *gradients of the outputs); returns a gradient or None for each input.
        setup_context: called with (ctx, inputs, output) to save what backward needs.
    Raises: RuntimeError: when there is no such operator.
    Source: torch.library.register_autograd.
    """
    found = _ops.find(_qualname(op))
    found.backward, found.setup_context = backward, setup_context


def register_fake(
    op: Any,
    func: Callable[..., Any] | None = None,
    /,
    *,
    lib: Any = None,
    _stacklevel: int = 1,
    allow_override: bool = True,
) -> Any:
    """Take a function that computes shapes for a compiler; npg, which has none, has no use for it.

    Source: torch.library.register_fake. The operator need not exist: that of a library whose compiled part is absent.
    """
    _qualname(op)  # which refuses what is no name
    return _decorated(func, lambda unused: None)


impl_abstract = register_fake


def register_vmap(op: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None) -> Any:
    """Take a batching rule, without use: vmap batches what the kernel calls. Source: torch.library.register_vmap."""
    return register_fake(op, func)


def register_autocast(op: Any, device_type: str, cast_inputs: dtype, /, *, lib: Any = None) -> None:
    """Take a rule for autocast, without use: npg casts nothing. Source: torch.library.register_autocast."""
    _ops.find(_qualname(op))


def fallthrough_kernel() -> None:
    """Raise NotImplementedError: it is a mark, never called. Source: torch.library.fallthrough_kernel."""
    raise NotImplementedError("fallthrough_kernel() should never be called.")


# ----- Libraries -----


class Library:
    """Operators of one namespace that are registered together.

    Args:
        ns: the namespace.
        kind: "DEF" to define operators, "IMPL" to register kernels of others', "FRAGMENT" for both.
        dispatch_key: where kernels are registered when impl() names no key.
    Raises: ValueError: for another kind.
    Source: torch.library.Library.
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("IMPL", "DEF", "FRAGMENT"):
            raise ValueError("Unsupported kind: ", kind)
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key
        self.added: list[_ops.OpOverload] = []

    def __repr__(self) -> str:
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})>"

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Add an operator, such as "double(Tensor x) -> Tensor", and return its name."""
        name, bracket, rest = schema.partition("(")
        _add(_ops.define(f"{self.ns}::{name.strip()}", bracket + rest), self)
        return name.strip()

    def impl(
        self,
        op_name: Any,
        fn: Callable[..., Any],
        dispatch_key: str = "",
        *,
        with_keyset: bool = False,
        allow_override: bool = True,
    ) -> None:
        """Register a kernel of an operator.

        Raises: TypeError: when fn cannot be called. RuntimeError: when there is no such operator.
        """
        if not callable(fn):
            raise TypeError(f"Input function is required to be a callable but found type {type(fn)}")
        name = op_name.name if isinstance(op_name, _ops.OpOverload) else str(op_name).rpartition("::")[2]
        _register(f"{self.ns}::{name}", dispatch_key or self.dispatch_key or "CompositeImplicitAutograd", fn)

    def _destroy(self) -> None:
        for op in self.added:
            _ops.remove(op)
        self.added.clear()


# ----- Operators from functions -----


class CustomOpDef:
    """A function as an operator, as custom_op returns it: to call, and to register more about.

    Source: torch._library.custom_ops.CustomOpDef.
    """

    def __init__(self, op: _ops.OpOverload, func: Callable[..., Any]) -> None:
        self._opoverload, self._init_fn = op, func
        self._qualname = f"{op.namespace}::{op.name}"
        op.opaque = True

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._opoverload(*args, **kwargs)

    def register_kernel(self, device_types: str | Sequence[str] | None, fn: Callable[..., Any] | None = None, /) -> Any:
        """See npg.library.register_kernel."""
        return register_kernel(self._qualname, device_types, fn)

    def register_fake(self, fn: Callable[..., Any], /) -> Callable[..., Any]:
        """See npg.library.register_fake."""
        register_fake(self._qualname, fn)
        return fn

    def register_autograd(self, backward: Callable[..., Any], /, *, setup_context: Any = None) -> None:
        """See npg.library.register_autograd."""
        register_autograd(self._qualname, backward, setup_context=setup_context)

    def register_vmap(self, func: Callable[..., Any] | None = None) -> Any:
        """See npg.library.register_vmap."""
        return register_vmap(self._qualname, func)


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: str | Sequence[str] | None = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Make an operator of a function whose inside is not recorded; without fn, a decorator.

    Args:
        name: "namespace::name".
        mutates_args: the names of the arguments that it writes into, or "unknown".
        device_types: for which devices it is the kernel; None for all.
        schema: None to infer it from the annotations.
    Raises: ValueError: see infer_schema.
    Source: torch.library.custom_op.
    """

    def make(func: Callable[..., Any]) -> CustomOpDef:
        text = infer_schema(func, mutates_args=mutates_args) if schema is None else schema
        op = _ops.define(_qualname(name), text)
        register_kernel(name, device_types, func)
        return CustomOpDef(op, func)

    return make if fn is None else make(fn)
