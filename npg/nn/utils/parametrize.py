"""Parametrizations: parameters and buffers of a module that are functions of others.

The module gets a class of its own, `Parametrized` and the name of its class, in which the tensor's name is a property;
what it is computed from stands in module.parametrizations, by name.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from npg.autograd import no_grad
from npg.nn.modules.container import ModuleDict, ModuleList
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter
from npg.tensor import Tensor

M = TypeVar("M", bound=Module)

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

# ----- Values that are kept -----


class _Cache:
    """The values of parametrizations within cached(): of each its list."""

    depth = 0
    values: dict[ParametrizationList, Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Return a context within which a parametrized tensor is computed once, when it is first needed.

    The values are forgotten at its end, and not renewed within: not after an optimizer's step, either.
    Source: torch.nn.utils.parametrize.cached.
    """
    _Cache.depth += 1
    try:
        yield
    finally:
        _Cache.depth -= 1
        if not _Cache.depth:
            _Cache.values = {}


# ----- The parametrizations of one tensor -----

GIVEN = "_given"  # the attribute of a list with the value that functional_call gives, instead of the computed one


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor in their order, and what the first of them is computed from.

    Made by register_parametrization.

    Args:
        modules: the first parametrization.
        original: the parameter or buffer; its data becomes what right_inverse returns of it.
        unsafe: the value may have another shape or dtype than the original.
    Attributes:
        original: the tensor that the first parametrization takes; original0, original1, ... where its right_inverse
            returns several.
        is_tensor, ntensors: whether there is one, and how many there are.
    Raises: ValueError: for no modules, or values of other kinds, shapes or dtypes.
    Source: torch.nn.utils.parametrize.ParametrizationList.
    """

    original: Tensor
    unsafe: bool

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not len(modules):
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        _ = original.shape  # raises for None, or a parameter that waits for its shape
        first = self._first(original)
        self.is_tensor = isinstance(first, Tensor)
        values: list[Any] = [first] if self.is_tensor else [*first]
        self.ntensors = len(values)
        for i, value in enumerate(values):
            if not isinstance(value, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element "
                    f"{i} of the sequence with type {type(value).__name__}."
                )
        if not unsafe:
            _check_value(self._value(values), original, "unless `unsafe`", "unparametrized ", "parametrized ")
        if self.is_tensor:
            _set(original, first)  # the same object, which an optimizer may have
            values = [original]
        elif isinstance(original, Parameter):
            values = [Parameter(value, original.requires_grad) for value in values]
        for name, value in zip(self._names(), values, strict=True):
            _register(self, name, value.requires_grad_(original.requires_grad))

    def _first(self, original: Tensor) -> Any:
        """Return what right_inverse makes of the parameter or buffer: one tensor of its dtype, or several things."""
        new: Any = original
        with no_grad():
            for module in reversed(self._parametrizations()):
                if hasattr(module, "right_inverse"):
                    try:
                        new = module.right_inverse(new)
                    except NotImplementedError:
                        pass  # as where there is none, the identity
        if isinstance(new, Tensor):
            if new.dtype != original.dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {new.dtype}"
                )
        elif not isinstance(new, Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                f"{type(new).__name__}"
            )
        return new

    def _parametrizations(self) -> list[Any]:
        # Where an original is parametrized, that stands among the children too.
        return [module for name, module in self._modules.items() if name.isdigit()]

    def _names(self) -> list[str]:
        return ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]

    def _value(self, originals: list[Tensor]) -> Any:
        first, *others = self._parametrizations()
        x = first(*originals)
        for module in others:
            x = module(x)
        return x

    def forward(self) -> Any:
        return self._value([getattr(self, name) for name in self._names()])

    def right_inverse(self, value: Tensor) -> None:
        """Write to the originals what right_inverse makes of a value, that of the last parametrization first.

        Raises: RuntimeError: when one has none. ValueError: for another number of tensors or another dtype.
        """
        new: Any = value
        with no_grad():
            for module in reversed(self._parametrizations()):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                new = module.right_inverse(new)
        names = self._names()
        for name, changed in zip(names, self._checked(new, [getattr(self, n) for n in names]), strict=True):
            if is_parametrized(self, name):
                setattr(self, name, changed)
            else:
                _set(getattr(self, name), changed)

    def _checked(self, new: Any, originals: list[Tensor]) -> list[Tensor]:
        """Return what right_inverse returned as a list of tensors that fit the originals. Raises: ValueError."""
        kind = type(new).__name__
        if self.is_tensor:
            if not isinstance(new, Tensor):
                raise ValueError(f"`right_inverse` should return a tensor. Got {kind}")
            if new.dtype != self.original.dtype:
                raise ValueError(
                    f"The tensor returned by `right_inverse` has dtype {new.dtype} while `original` has dtype "
                    f"{self.original.dtype}"
                )
            return [new]
        if not isinstance(new, Sequence):
            raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {kind}.")
        if len(new) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                f"length {len(new)}."
            )
        for i, (x, original) in enumerate(zip(new, originals, strict=True)):
            if not isinstance(x, Tensor):
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors or reference-type opaques. Got element "
                    f"{i} of type {type(x).__name__}."
                )
            if x.dtype != original.dtype:
                raise ValueError(
                    f"Tensor {i} returned by `right_inverse` has dtype {x.dtype} while `original{i}` has dtype "
                    f"{original.dtype}"
                )
        return [*new]


def _set(target: Tensor, source: Tensor) -> None:
    with no_grad():
        target.set_(source)


def _register(module: Module, name: str, x: Tensor) -> None:
    if isinstance(x, Parameter):
        module.register_parameter(name, x)
    else:
        module.register_buffer(name, x)


def _check_value(x: Any, expected: Tensor, unless: str, before: str, after: str) -> None:
    """Raise ValueError unless x is a tensor of the expected dtype and shape; the rest are words of the message."""
    if not isinstance(x, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(x).__name__}.")
    for what in ("dtype", "shape"):
        old, new = getattr(expected, what), getattr(x, what)
        if new != old:
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, {unless} flag is enabled.\n"
                f"{before}{what}: {old}\n{after}{what}: {new}"
            )


# ----- A module's class -----
# It is never changed: deep copies share it, and need not keep the same parametrizations.


def _getstate(_module: Any) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). See:\n"
        "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
        "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
    )


def _deepcopy(module: Any, memo: dict[int, Any]) -> Any:
    replica = memo[id(module)] = object.__new__(type(module))
    state = copy.deepcopy(object.__getstate__(module), memo)
    own, slots = state if isinstance(state, tuple) else (state, {})
    replica.__dict__.update(own)
    for name, value in slots.items():
        setattr(replica, name, value)
    return replica


def _property(name: str) -> property:
    def get(module: Any) -> Any:
        parametrizations = module.parametrizations[name]
        if GIVEN in parametrizations.__dict__:
            return parametrizations.__dict__[GIVEN]
        if not _Cache.depth:
            return parametrizations()
        if parametrizations not in _Cache.values:
            _Cache.values[parametrizations] = parametrizations()
        return _Cache.values[parametrizations]

    def put(module: Any, value: Tensor) -> None:
        module.parametrizations[name].right_inverse(value)

    return property(get, put)


def _give_class(module: Module, base: type[Any], names: Iterable[str]) -> None:
    """Give a module the class with properties of these names that is derived from a base, or without names the base."""
    body: dict[str, Any] = {name: _property(name) for name in names}
    if not body:
        module.__class__ = base
        return
    body["__getstate__"] = _getstate
    if not hasattr(base, "__deepcopy__"):
        body["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{base.__name__}", (base,), body)


# ----- Registering and removing -----


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Tell whether a tensor of a module is parametrized, or with None any.

    Source: torch.nn.utils.parametrize.is_parametrized.
    """
    table = getattr(module, "parametrizations", None)
    if not isinstance(table, ModuleDict):
        return False
    return len(table) > 0 if tensor_name is None else tensor_name in table


def register_parametrization(module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> M:
    """Let a parameter or buffer of a module be computed by a module, from the tensor that it was.

    That stands in module.parametrizations.<tensor_name>.original, the same object, which an optimizer may have. A
    method right_inverse(value) of the parametrization gives its first value, and lets values be assigned. Where it
    returns several tensors, they are new parameters, original0, original1, ..., and all are passed to forward. A second
    parametrization takes the value of the first.

    Args:
        tensor_name: a parameter, a buffer or a tensor that is parametrized already.
        parametrization: the module; it is put into the mode of the other.
        unsafe: do not check, by a call of both methods, that shape and dtype stay.
    Returns: the module, which has a class of its own from then on; it can be copied, but not pickled.
    Raises: ValueError: when there is no such tensor, or its shape or dtype would change.
    Source: torch.nn.utils.parametrize.register_parametrization.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_next(module, tensor_name, parametrization)
        present: Any = module.parametrizations[tensor_name]
        present.append(parametrization)
        present.unsafe |= unsafe
        return module
    if tensor_name not in module._buffers and tensor_name not in module._parameters:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    parametrized = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
    base = type_before_parametrizations(module)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    table: Any = module.parametrizations
    table[tensor_name] = parametrized
    _give_class(module, base, table)
    return module


def _check_next(module: Module, name: str, parametrization: Module) -> None:
    """Raise ValueError when a further parametrization, or its right_inverse, would change a tensor's dtype or shape."""
    y = getattr(module, name)
    x = parametrization(y)
    _check_value(x, y, "unless the `unsafe`", f"module.{name}.", f"parametrization(module.{name}).")
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        z = parametrization.right_inverse(x)
    except NotImplementedError:
        return
    if not isinstance(z, Tensor):
        raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(z).__name__}")
    for what in ("dtype", "shape"):
        old, new = getattr(y, what), getattr(z, what)
        if new != old:
            raise ValueError(
                f"The tensor returned by parametrization.right_inverse must have the same {what} as module.{name}, "
                f"unless the `unsafe` flag is enabled.\nmodule.{name}.{what}: {old}\nreturned {what}: {new}"
            )


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make a parametrized tensor an ordinary parameter or buffer again.

    Args:
        leave_parametrized: it keeps its present value; otherwise it becomes the original one.
    Returns: the module, which has its former class again when nothing is parametrized.
    Raises: ValueError: when it is not parametrized, or depends on several tensors and is not to keep its value.
        RuntimeError: when the value has another dtype than the original.
    Source: torch.nn.utils.parametrize.remove_parametrizations; its RuntimeError is longer.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    table: Any = module.parametrizations
    parametrizations = table[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with no_grad():
                value = getattr(module, tensor_name)
            _set(original, value)
    elif leave_parametrized:
        value = getattr(module, tensor_name)  # recorded, to know whether an original requires grad
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    base = type_before_parametrizations(module)
    del table[tensor_name]
    _give_class(module, base, table)
    _register(module, tensor_name, original)
    if not table:
        delattr(module, "parametrizations")
    return module


def type_before_parametrizations(module: Module) -> type[Any]:
    """Return the class of a module, of a parametrized one its former class.

    Source: torch.nn.utils.parametrize.type_before_parametrizations.
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module: Module, to_module: M, tensor_name: str | None = None) -> M:
    """Parametrize a module by the parametrizations of another, which both share then with their originals.

    Args:
        tensor_name: the one tensor; None: all that are parametrized. What to_module lacks it gets.
    Returns: to_module.
    Source: torch.nn.utils.parametrize.transfer_parametrizations_and_params.
    """
    if not is_parametrized(from_module):
        return to_module
    table: Any = from_module.parametrizations
    for name in [*table] if tensor_name is None else [tensor_name]:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for parametrization in table[name]._parametrizations():
            register_parametrization(to_module, name, parametrization)
        target: Any = to_module.parametrizations
        for original in table[name]._names():
            setattr(target[name], original, getattr(table[name], original))
    return to_module
