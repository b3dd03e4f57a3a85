"""torch.ops: the operators that programs have defined by npg.library, under the names of their namespaces.

npg's own functions are not among them (torch.ops.aten): they are called by their names in npg.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

from npg.autograd import Function
from npg.engine import is_grad_enabled
from npg.tensor import Tensor

_ARGUMENT = re.compile(r"(?P<type>.+?)\s+(?P<name>\w+)(?:\s*=\s*(?P<default>.+))?$")
_DEFAULTS = {"None": None, "True": True, "False": False}
# The dispatch keys under which a kernel for tensors on the CPU may be registered, in the order in which they count.
_KERNELS = ("CPU", "CompositeExplicitAutograd", "CompositeImplicitAutograd")


# ----- Schemas -----


def _split(text: str) -> list[str]:
    """Cut the arguments of a schema at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append(text[start:i].strip())
            start = i + 1
    return [part for part in (*parts, text[start:].strip()) if part]


def _value(text: str) -> Any:
    if text in _DEFAULTS:
        return _DEFAULTS[text]
    if text[0] in "\"'":
        return text[1:-1]
    if text[0] == "[":
        return [_value(part) for part in _split(text[1:-1])]
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def parse(schema: str) -> inspect.Signature:
    """Return the signature of a schema such as "(Tensor x, int n=2, *, float? s=None) -> Tensor".

    Raises: RuntimeError: for a text that is none.
    """
    given, arrow, _ = schema.rpartition("->")
    given = given.strip()
    if not arrow or given[:1] != "(" or given[-1:] != ")":
        raise RuntimeError(f"expected a schema such as (Tensor x, int n=2) -> Tensor, got {schema!r}")
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = []
    for part in _split(given[1:-1]):
        if part == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
            continue
        match = _ARGUMENT.match(part)
        if match is None:
            raise RuntimeError(f"expected a type and a name for each argument of a schema, got {part!r} in {schema!r}")
        default = inspect.Parameter.empty if match["default"] is None else _value(match["default"])
        parameters.append(inspect.Parameter(match["name"], kind, default=default, annotation=match["type"]))
    try:
        return inspect.Signature(parameters)
    except ValueError as error:
        raise RuntimeError(f"expected a schema, got {schema!r}: {error}") from None


# ----- Operators -----


class OpOverload:
    """An operator: a schema, and the kernels that are registered for it.

    Source: torch._ops.OpOverload and OpOverloadPacket, which are one here; it is shown as the packet is by str().
    """

    def __init__(self, namespace: str, name: str, schema: str) -> None:
        self.namespace, self.name = namespace, name
        self._signature = parse(schema)
        self._text = f"{namespace}::{name}{schema.strip()}"
        self.kernels: dict[str, Callable[..., Any]] = {}
        self.backward: Callable[..., Any] | None = None
        self.setup_context: Callable[..., Any] | None = None
        self.opaque = False  # a custom_op: what its kernel does is not recorded
        self.__name__ = name

    @property
    def default(self) -> OpOverload:
        """The operator itself: overloads have no names here."""
        return self

    def overloads(self) -> list[str]:
        """Return the names of the overloads."""
        return ["default"]

    @property
    def _schema(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"{self.namespace}.{self.name}"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        bound = self._bound(args, kwargs)
        needs = is_grad_enabled() and any(isinstance(x, Tensor) and x.requires_grad for x in bound.arguments.values())
        for key in ("AutogradCPU", "Autograd") if needs else ():
            if key in self.kernels:
                return self.kernels[key](*bound.args, **bound.kwargs)
        if needs and (self.backward is not None or self.opaque):
            return _recorded(self, bound)
        return self.kernel()(*bound.args, **bound.kwargs)

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            text = re.sub(
                r"missing a required (?:keyword-only )?argument: (.*)", r"is missing value for argument \1", str(error)
            )
            raise RuntimeError(f"{self.namespace}::{self.name}() {text}. Declaration: {self._text}") from None
        bound.apply_defaults()
        for position, (name, x) in enumerate(bound.arguments.items()):
            if self._signature.parameters[name].annotation == "Tensor" and not isinstance(x, Tensor):
                raise RuntimeError(
                    f"{self.namespace}::{self.name}() Expected a value of type 'Tensor' for argument '{name}' but "
                    f"instead found type '{type(x).__name__}'.\nPosition: {position}\nValue: {x!r}\n"
                    f"Declaration: {self._text}"
                )
        return bound

    def kernel(self) -> Callable[..., Any]:
        """Return what computes the operator on the CPU.

        Raises: NotImplementedError: when no such kernel is registered.
        """
        for key in _KERNELS:
            if key in self.kernels:
                return self.kernels[key]
        raise NotImplementedError(
            f"Could not run '{self.namespace}::{self.name}' with arguments from the 'CPU' backend. This could be "
            "because the operator doesn't exist for this backend, or was omitted during the selective/custom build "
            f"process (if using custom build). '{self.namespace}::{self.name}' is only available for these backends: "
            f"[{', '.join(self.kernels)}]."
        )


def _recorded(op: OpOverload, bound: inspect.BoundArguments) -> Any:
    """Run a kernel as one node of the graph, whose vjp is the backward formula that is registered."""
    named = list(bound.kwargs)

    def forward(ctx: Any, *inputs: Any) -> Any:
        keywords = dict(zip(named, inputs[len(inputs) - len(named) :], strict=True))
        given = inputs[: len(inputs) - len(named)]
        output = op.kernel()(*given, **keywords)
        if op.setup_context is not None:
            more = {"keyword_only_inputs": keywords} if named else {}
            op.setup_context(ctx=ctx, inputs=given, output=output, **more)
        return output

    def backward(ctx: Any, *grads: Any) -> Any:
        if op.backward is None:
            raise RuntimeError(
                f"Trying to backward through {op}.default but no autograd formula was registered. Please use "
                "register_autograd to add one."
            )
        result = op.backward(ctx, *grads)
        gradients = result if isinstance(result, tuple) else (result,)
        return gradients + (None,) * len(named)

    name = f"GeneratedBackwardFor_{op.namespace}_{op.name}_default"
    recorded: Any = type(name, (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})
    return recorded.apply(*bound.args, *bound.kwargs.values())


# ----- Namespaces -----


class _OpNamespace(ModuleType):
    """The operators of one namespace. Source: torch._ops._OpNamespace."""

    def __init__(self, name: str) -> None:
        super().__init__(f"npg.ops.{name}")
        self.name = name

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'_OpNamespace' '{vars(self)['name']}' object has no attribute '{name}'")


class _Ops(ModuleType):
    """All namespaces: an attribute for each, made when it is asked for. Source: torch._ops._Ops."""

    def __init__(self) -> None:
        super().__init__("npg.ops")
        self.loaded_libraries: set[str] = set()

    def __getattr__(self, name: str) -> _OpNamespace:
        if name[:2] == "__":
            raise AttributeError(name)
        namespace = _OpNamespace(name)
        setattr(self, name, namespace)
        return namespace

    def load_library(self, path: Any) -> None:
        """Raise OSError: a compiled library of operators needs PyTorch's own."""
        path = os.path.realpath(path)
        raise OSError(f"Could not load this library: {path}; npg runs no operators that are compiled for PyTorch")


ops = _Ops()
_defined: dict[str, OpOverload] = {}


def find(qualname: str) -> OpOverload:
    """Return the operator "namespace::name".

    Raises: RuntimeError: when there is none.
    """
    qualname = qualname.removesuffix(".default")
    if qualname not in _defined:
        raise RuntimeError(f"operator {qualname} does not exist")
    return _defined[qualname]


def define(qualname: str, schema: str) -> OpOverload:
    """Add an operator.

    Raises: RuntimeError: when there is one of this name, or for a text that is no schema.
    """
    namespace, _, name = qualname.partition("::")
    if qualname in _defined:
        raise RuntimeError(
            f"Tried to register an operator ({qualname}{schema.strip()}) with the same name and overload name multiple "
            "times. Each overload's schema should only be registered with a single call to def()."
        )
    op = OpOverload(namespace, name, schema)
    _defined[qualname] = op
    setattr(getattr(ops, namespace), name, op)
    return op


def remove(op: OpOverload) -> None:
    """Take an operator away."""
    _defined.pop(f"{op.namespace}::{op.name}", None)
    vars(getattr(ops, op.namespace)).pop(op.name, None)
