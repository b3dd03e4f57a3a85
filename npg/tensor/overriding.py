"""`__torch_function__`: classes and blocks that decide what functions and methods do with their tensors.

Tensors of Tensor itself pay nothing: no function and no method looks for an override. A class with a
`__torch_function__` of its own gets another class between Tensor and itself, whose methods ask it; the first such class
lets the functions of `npg`, `npg.nn.functional` and `npg.linalg` look at their arguments. While a block of a mode is
open, in any thread, the methods of Tensor ask too. Source: torch.overrides.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MethodDescriptorType,
    MethodType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

from npg import _lazy
from npg._contextlib import MISSING
from npg._naming import named
from npg.engine import Function, TensorBase


class _ThisThread(threading.local):
    def __init__(self) -> None:
        self.modes: list[Any] = []  # the innermost last
        self.is_off = False  # nothing is asked
        self.classes_are_off = False  # modes are asked, classes are not


this_thread = _ThisThread()

# ----- Asking -----

_NEVER = (int, float, bool, str, type(None), np.ndarray, slice, complex)


def disabled(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Call func without asking classes: the `__torch_function__` of a class that overrides nothing."""
    before, this_thread.classes_are_off = this_thread.classes_are_off, True
    try:
        return func(*args, **(kwargs or {}))
    finally:
        this_thread.classes_are_off = before


def overrides(value: Any) -> bool:
    """Tell whether the class of a value has a `__torch_function__` that is to be asked."""
    kind = type(value)
    method = getattr(kind, "__torch_function__", None)
    return method is not None and kind not in _NEVER and method is not disabled


def overloaded(values: Any) -> list[Any]:
    """Return a value of each class that is to be asked, subclasses before the classes that they derive from."""
    found: list[Any] = []
    for value in values:
        kind = type(value)
        if kind in _NEVER or not overrides(value) or any(type(other) is kind for other in found):
            continue
        place = next((i for i, other in enumerate(found) if issubclass(kind, type(other))), len(found))
        found.insert(place, value)
    return found


def _values(args: Any, kwargs: Any) -> Iterator[Any]:
    for value in (*args, *kwargs.values()):
        if isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def call(public: Any, original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a function, or what a mode or the classes of its arguments have in its place.

    Args:
        public: the function as users name it, which they are asked about.
    Raises: TypeError: when all that are asked return NotImplemented.
    """
    thread = this_thread
    if thread.is_off:
        return original(*args, **kwargs)
    if thread.modes:
        return through_mode(public, args, kwargs, _values(args, kwargs))
    if thread.classes_are_off:
        return original(*args, **kwargs)
    asked = overloaded(_values(args, kwargs))
    return through_classes(public, asked, args, kwargs) if asked else original(*args, **kwargs)


def through_mode(public: Any, args: Any, kwargs: Any, values: Any) -> Any:
    """Ask the innermost mode; meanwhile the next one is the innermost."""
    thread = this_thread
    asked = [] if thread.classes_are_off else overloaded(values)
    mode = thread.modes.pop()
    try:
        result = mode.__torch_function__(public, tuple(type(x) for x in asked), args, kwargs)
    finally:
        thread.modes.append(mode)
    if result is NotImplemented:
        raise _failed(public, asked, mode)
    return result


def through_classes(public: Any, asked: list[Any], args: Any, kwargs: Any) -> Any:
    """Ask the classes of these values in turn."""
    types = tuple(type(x) for x in asked)
    for value in asked:
        result = type(value).__torch_function__(public, types, args, kwargs)
        if result is not NotImplemented:
            return result
    raise _failed(public, asked)


def _failed(public: Any, asked: list[Any], mode: Any = None) -> TypeError:
    function = getattr(public, "__wrapped__", public)
    name = getattr(function, "__name__", repr(function))
    place = "npg" if type(public) is Overridable else "npg.Tensor"
    lines = [f"\n  - mode object {type(mode)}"] if mode is not None else []
    lines += [f"\n  - tensor subclass {type(value)}" for value in asked]
    return TypeError(
        named(
            f"Multiple dispatch failed for '{place}.{name}'; all __torch_function__ handlers returned NotImplemented:\n"
            f"{''.join(lines)}\n\nFor more information, try re-running with TORCH_LOGS=not_implemented"
        )
    )


# ----- Functions -----

# Functions that make tensors of any data ask modes only.
_OF_MODES = frozenset(("tensor", "as_tensor", "asarray", "from_numpy", "is_tensor", "is_storage", "scalar_tensor"))
_SPACES = ("npg", "npg.nn.functional", "npg.linalg")


class Overridable:
    """A public function that asks for overrides, and is otherwise the function: equal to it, with its hash and name."""

    __slots__ = ("__wrapped__",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__wrapped__ = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.__wrapped__.__name__ in _OF_MODES and not this_thread.modes:
            return self.__wrapped__(*args, **kwargs)
        return call(self, self.__wrapped__, args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        return self.__wrapped__ == (other.__wrapped__ if type(other) is Overridable else other)

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> Any:
        return _lazy.load, (self.__wrapped__.__module__, self.__wrapped__.__name__)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.__wrapped__.__doc__


@functools.cache
def overridable(function: Any) -> Any:
    """Return the one Overridable of a function."""
    return Overridable(function)


def _is_public(name: str, value: Any) -> bool:
    if name[0] == "_" or not isinstance(value, (FunctionType, Function)):
        return False
    package, *rest = str(value.__module__).split(".")  # torch while npg.as_torch serves that name
    return package == "torch" and not rest or rest[:1] in (["functional"], ["creation"], ["linalg"], ["nn"])


_active = False


def activate() -> None:
    """Let the functions of the public namespaces ask from now on, also those that load later."""
    global _active
    if _active:
        return
    _active = True
    for space in _SPACES:
        namespace = vars(import_module(space))
        namespace.update({n: overridable(v) for n, v in list(namespace.items()) if _is_public(n, v)})
    _lazy.adapt = _adapted


def _adapted(package: str, name: str, value: Any) -> Any:
    return overridable(value) if package in _SPACES and _is_public(name, value) else value


# ----- Methods -----

# Methods that make, copy or store a tensor, and what Python asks of every object.
_AS_THEY_ARE = frozenset(
    """
    as_subclass __array__ __array_function__ __array_ufunc__ __array_wrap__ __array_priority__ __class__
    __class_getitem__ __copy__ __delattr__ __dict__ __dir__ __dlpack__ __dlpack_device__ __doc__ __getattribute__
    __getnewargs__ __getstate__ __hash__ __init__ __init_subclass__ __module__ __new__ __npg_apply__ __reduce__
    __reduce_ex__ __setattr__ __setstate__ __sizeof__ __slots__ __str__ __subclasshook__ __torch_function__ __weakref__
    """.split()
)


# The methods that PyTorch asks about for operators.
_OPERATORS = {
    "__abs__": "abs", "__add__": "add", "__radd__": "add", "__iadd__": "add_", "__sub__": "sub", "__isub__": "sub_",
    "__mul__": "mul", "__rmul__": "mul", "__imul__": "mul_", "__truediv__": "div", "__itruediv__": "div_",
    "__matmul__": "matmul", "__neg__": "neg", "__ne__": "ne", "__lt__": "lt", "__le__": "le", "__gt__": "gt",
    "__ge__": "ge",
}  # fmt: skip


def _is_asking(name: str) -> bool:
    return name not in _AS_THEY_ARE and (name[0] != "_" or name.startswith("__"))


def _member(plain: Any, name: str) -> Any:
    """Return what Tensor has under a name, as it stands in the class, also while a mode is open."""
    kept = _originals.get(name)
    if kept is not None and kept is not MISSING:
        return kept
    owners = plain.__mro__ if kept is None else plain.__mro__[1:]
    return next(vars(owner)[name] for owner in owners if name in vars(owner))


_DATA = (property, GetSetDescriptorType)
_CALLABLE = (FunctionType, Function, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType)


def _asking(plain: Any, name: str, own: Any) -> Any:
    """Return a member that asks for overrides before Tensor's own is used; None where there is nothing to ask."""
    if isinstance(own, _DATA):
        getter, setter = own.__get__, getattr(own, "__set__", None)
        return property(
            lambda self: call(getter, getter, (self,), {}),
            None if setter is None else lambda self, value: call(setter, setter, (self, value), {}),
            None if not hasattr(own, "__delete__") else lambda self: own.__delete__(self),
            own.__doc__,
        )
    if not isinstance(own, _CALLABLE) and type(own).__name__ != "_Method":
        return None

    asked_for = _OPERATORS.get(name, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        function = getattr(plain, asked_for)
        return call(function, function, (self, *args), kwargs)

    method.__name__ = method.__qualname__ = name
    return method


def default(cls: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Call func, and give its tensors this class: what a `__torch_function__` reaches by super().

    Source: torch.Tensor.__torch_function__.
    """
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    result = disabled(func, types, args, kwargs)
    return result if func in nowrap() else _of_class(result, cls, args)


@functools.cache
def nowrap() -> frozenset[Any]:
    """Return the functions whose results keep their class."""
    plain = _plain()
    members = [_member(plain, name) for name in ("_base", "grad", "_grad") if hasattr(plain, name)]
    return frozenset(member.__get__ for member in members if isinstance(member, _DATA))


def _of_class(result: Any, cls: Any, args: Any) -> Any:
    if isinstance(result, TensorBase):
        if isinstance(result, cls):
            return result
        if any(result is value for value in args):
            return result.as_subclass(cls)  # type: ignore[attr-defined]
        result.__class__ = cls
        return result
    if isinstance(result, (tuple, list)):
        items = [_of_class(item, cls, args) for item in result]
        return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)
    return result


@functools.cache
def dispatching_class(plain: Any) -> Any:
    """Return the class, made once, between Tensor and the classes that have a `__torch_function__`."""
    members: dict[str, Any] = {"__slots__": (), "__module__": "npg.tensor", "__hash__": object.__hash__}
    for name in dir(plain):
        member = _asking(plain, name, _member(plain, name)) if _is_asking(name) and name in _names_of(plain) else None
        if member is not None:
            members[name] = member
    members["__torch_function__"] = classmethod(default)
    members["__iter__"] = lambda self: iter(self.unbind(0))
    activate()
    return type(plain)("Tensor", (plain,), members)


def _names_of(plain: Any) -> set[str]:
    return {name for owner in plain.__mro__ if owner is not object for name in vars(owner)}


# ----- Modes -----

_lock = threading.Lock()
_open = 0  # blocks of modes in all threads
_originals: dict[str, Any] = {}  # of Tensor's members that ask while a mode is open


class _AskingMethod(Overridable):
    """A method of Tensor while a mode is open; operators are asked about by the name of the method."""

    __slots__ = ("name",)

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        super().__init__(function)
        self.name = _OPERATORS.get(name, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return call(vars(_plain()).get(self.name, self), self.__wrapped__, args, kwargs)


def _plain() -> Any:
    return sys.modules["npg.tensor.tensor"].Tensor


def enter_mode(mode: Any) -> None:
    """Let a mode be asked first by this thread."""
    global _open
    activate()
    plain = _plain()
    with _lock:
        if not _open:
            for name in filter(_is_asking, _names_of(plain)):
                own = _member(plain, name)
                asking: Any = None
                if isinstance(own, _DATA):
                    asking = _asking(plain, name, own)
                elif isinstance(own, _CALLABLE) or type(own).__name__ == "_Method":
                    asking = _AskingMethod(getattr(plain, name), name)
                if asking is not None:
                    _originals[name] = vars(plain).get(name, MISSING)
                    setattr(plain, name, asking)
        _open += 1
    this_thread.modes.append(mode)


def exit_mode() -> None:
    """Let the mode that was entered last be asked no longer by this thread."""
    global _open
    plain = _plain()
    this_thread.modes.pop()
    with _lock:
        _open -= 1
        if not _open:
            for name, own in _originals.items():
                if own is MISSING:
                    delattr(plain, name)
                else:
                    setattr(plain, name, own)
            _originals.clear()
