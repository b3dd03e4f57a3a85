"""`__torch_function__`: classes and blocks that decide what functions and methods do with their tensors.

Without a subclass of Tensor there is nothing to pay: no function and no method looks for an override. A class that a
user derives from Tensor gets another class between Tensor and itself, whose methods ask its `__torch_function__`; the
one that it inherits gives results the class. The first such class lets the functions of `npg`, `npg.nn.functional`,
`npg.linalg` and `npg.autograd` look at their arguments, and the operators of Parameter at their second operand. While a
block of a mode is open, in any thread, the methods of Tensor ask too. Source: torch.overrides.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
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
from npg._naming import is_own, named
from npg.engine import Function, TensorBase


class _ThisThread(threading.local):
    def __init__(self) -> None:
        self.modes: list[Any] = []  # the innermost last
        self.is_off = False  # nothing is asked
        self.classes_are_off = False  # modes are asked, classes are not


this_thread = _ThisThread()

# ----- Asking -----

# Classes that are not asked: Python's of usual arguments, and npg's own as they are met.
_NEVER: set[type] = {int, float, bool, str, type(None), np.ndarray, slice, complex}


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
    if kind in _NEVER:
        return False
    method = getattr(kind, "__torch_function__", None)
    if method is None and is_own(kind.__module__):
        _NEVER.add(kind)
    return method is not None and method is not disabled


def overloaded(values: Any) -> list[Any]:
    """Return a value of each class that is to be asked, subclasses before the classes that they derive from."""
    found: list[Any] = []
    for value in values:
        kind = type(value)
        if kind in _NEVER or not overrides(value):
            continue
        if not found:
            found.append(value)
        elif not any(type(other) is kind for other in found):
            place = next((i for i, other in enumerate(found) if issubclass(kind, type(other))), len(found))
            found.insert(place, value)
    return found


def _values(args: Any, kwargs: Any) -> list[Any]:
    """Return the arguments, and what their lists and tuples hold."""
    found: list[Any] = []
    for value in (*args, *kwargs.values()) if kwargs else args:
        if isinstance(value, (list, tuple)):
            found += value
        else:
            found.append(value)
    return found


def call(public: Any, original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a function, or what a mode or the classes of its arguments have in its place.

    Args:
        public: the function as users name it, which they are asked about.
    Raises: TypeError: when all that are asked return NotImplemented.
    """
    result = answer(public, original, args, kwargs)
    if result is NotImplemented:
        asked = overloaded(_values(args, kwargs))
        if asked and not this_thread.classes_are_off:
            raise _failed(public, asked)
    return result


def answer(public: Any, original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """As call, but return NotImplemented when all classes do."""
    thread = this_thread
    if thread.is_off:
        return original(*args, **kwargs)
    if thread.modes:
        return through_mode(public, args, kwargs, _values(args, kwargs))
    if thread.classes_are_off:
        return original(*args, **kwargs)
    asked = overloaded(_values(args, kwargs))
    return answer_of_classes(public, asked, args, kwargs) if asked else original(*args, **kwargs)


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


def answer_of_classes(public: Any, asked: list[Any], args: Any, kwargs: Any) -> Any:
    """Return the first answer of the classes of these values, asked in turn; NotImplemented when none has one."""
    types = tuple(type(x) for x in asked)
    for value in asked:
        answer = type(value).__torch_function__(public, types, args, kwargs)
        if answer is not NotImplemented:
            return answer
    return NotImplemented


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

# Functions that make tensors of data or numbers ask modes only.
_OF_MODES = frozenset(
    ("tensor", "as_tensor", "asarray", "from_numpy", "is_tensor", "is_storage", "scalar_tensor", "arange", "full")
)
_SPACES = ("npg", "npg.nn.functional", "npg.linalg", "npg.autograd")


class Overridable:
    """A public function that asks for overrides, and is otherwise the function: equal to it, with its hash and name."""

    __slots__ = ("__wrapped__",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__wrapped__ = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function = self.__wrapped__
        if not _open and not _may_ask(args) and not (kwargs and _may_ask(kwargs.values())):
            return function(*args, **kwargs)  # most calls: there is nobody to ask
        if function.__name__ in _OF_MODES and not this_thread.modes:
            return function(*args, **kwargs)
        return call(self, function, args, kwargs)

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


def _may_ask(values: Any) -> bool:
    for value in values:
        kind = type(value)
        if kind is list or kind is tuple:
            for item in value:
                if type(item) not in _NEVER:
                    return True
        elif kind not in _NEVER:
            return True
    return False


@functools.cache
def overridable(function: Any) -> Any:
    """Return the one Overridable of a function."""
    return Overridable(function)


def is_public(name: str, value: Any) -> bool:
    if name[0] == "_" or not isinstance(value, (FunctionType, Function)):
        return False
    package, *rest = str(value.__module__).split(".")  # torch while npg.as_torch serves that name
    if rest in (["tensor", "gradients"], ["autograd"]):  # grad, backward
        return True
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
        namespace.update({n: overridable(v) for n, v in list(namespace.items()) if is_public(n, v)})
    wrap_loaders()


def wrap_loaders() -> None:
    """Let what the public namespaces load later ask, once there are overrides."""
    for space in _SPACES if _active else ():
        namespace = vars(import_module(space))
        load = namespace.get("__getattr__")
        if load is not None and getattr(load, "func", None) is not _loaded:
            namespace["__getattr__"] = functools.partial(_loaded, namespace, load)


def _loaded(namespace: dict[str, Any], load: Callable[[str], Any], name: str) -> Any:
    """Return what a module's own `__getattr__` loads, and let it ask for overrides."""
    value = load(name)
    if not is_public(name, value):
        return value
    asking = overridable(value)
    if name in namespace:  # kept, as what a test has put in its place for a while is not
        namespace[name] = asking
    return asking


# ----- Methods -----

# Methods that make, copy or store a tensor, and what Python asks of every object.
_AS_THEY_ARE = frozenset(
    """
    as_subclass __array__ __array_function__ __array_ufunc__ __array_wrap__ __array_priority__ __class__
    __class_getitem__ __copy__ __delattr__ __dict__ __dir__ __dlpack__ __dlpack_device__ __doc__ __getattribute__
    __getnewargs__ __getstate__ __hash__ __init__ __init_subclass__ __iter__ __module__ __new__ __npg_apply__ __reduce__
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

_ARITHMETIC = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
_BINARY = {f"__{side}{name}__" for name in _ARITHMETIC for side in ("", "r", "i")} | {
    f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge")
}


def is_asking(name: str) -> bool:
    return name not in _AS_THEY_ARE and (name[0] != "_" or name.startswith("__"))


def member_of(plain: Any, name: str) -> Any:
    """Return what Tensor has under a name, as it stands in the class, also while a mode is open."""
    kept = _originals.get(name)
    if kept is not None and kept is not MISSING:
        return kept
    owners = plain.__mro__ if kept is None else plain.__mro__[1:]
    return next(vars(owner)[name] for owner in owners if name in vars(owner))


DATA = (property, GetSetDescriptorType)
_CALLABLE = (
    _lazy.LateMethod,
    FunctionType,
    Function,
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
)


def _asking(plain: Any, name: str, own: Any) -> Any:
    """Return a member that asks for overrides before Tensor's own is used; None where there is nothing to ask."""
    if isinstance(own, DATA):
        getter, setter = own.__get__, getattr(own, "__set__", None)
        return property(
            lambda self: call(getter, getter, (self,), {}),
            None if setter is None else lambda self, value: call(setter, setter, (self, value), {}),
            None if not hasattr(own, "__delete__") else lambda self: own.__delete__(self),
            own.__doc__,
        )
    if not isinstance(own, _CALLABLE):
        return None

    asked_for = _OPERATORS.get(name, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        function = getattr(plain, asked_for)
        return call(function, function, (self, *args), kwargs)

    def operator(self: Any, other: Any) -> Any:
        function = getattr(plain, asked_for)
        return answer(function, function, (self, other), {})  # after NotImplemented Python tries the other operand

    member: Any = operator if name in _BINARY else method
    member.__name__ = member.__qualname__ = name
    return member


def _asking_second(plain: Any, name: str) -> Any:
    """Return an operator of npg's own classes that asks the classes of both operands."""

    def operator(self: Any, other: Any) -> Any:
        if type(other) in _NEVER and type(self) in _NEVER or this_thread.classes_are_off:
            return getattr(plain, name)(self, other)
        function = getattr(plain, _OPERATORS.get(name, name) if overrides(self) or overrides(other) else name)
        return answer(function, function, (self, other), {})

    operator.__name__ = operator.__qualname__ = name
    return operator


def default(cls: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Call func, and give its tensors this class: what a `__torch_function__` reaches by super().

    Source: torch.Tensor.__torch_function__.
    """
    for kind in types:
        if not issubclass(cls, kind):
            return NotImplemented
    result = disabled(func, types, args, kwargs)
    return result if func in nowrap() else _of_class(result, cls, args, kwargs)


@functools.cache
def nowrap() -> frozenset[Any]:
    """Return the functions whose results keep their class."""
    plain = _plain()
    members = [member_of(plain, name) for name in ("_base", "grad", "_grad") if hasattr(plain, name)]
    return frozenset(member.__get__ for member in members if isinstance(member, DATA))


def _of_class(result: Any, cls: Any, args: Any, kwargs: Any) -> Any:
    """Give the tensors of a result a class; one that was there before keeps its own, and has a view of the class."""
    kind = type(result)
    if isinstance(result, TensorBase):
        plain = _plain()
        if issubclass(kind, cls) or kind is not plain and is_own(kind.__module__):  # a tensor under vmap stays one
            return result
        if kind is not plain or any(result is value for value in _values(args, kwargs or {})):
            return result.as_subclass(cls)  # type: ignore[attr-defined]
        result.__class__ = cls
    elif isinstance(result, (tuple, list)) and any(isinstance(item, (TensorBase, tuple, list)) for item in result):
        items = [_of_class(item, cls, args, kwargs) for item in result]
        return kind(*items) if hasattr(result, "_fields") else kind(items)
    return result


@functools.cache
def dispatching_class(plain: Any) -> Any:
    """Return the class, made once, between Tensor and the classes that users derive from it."""
    members: dict[str, Any] = {"__slots__": (), "__module__": "npg.tensor", "__hash__": object.__hash__}
    for name in dir(plain):
        member = _asking(plain, name, member_of(plain, name)) if is_asking(name) and name in names_of(plain) else None
        if member is not None:
            members[name] = member
    members["__torch_function__"] = classmethod(default)
    members |= {"__array_ufunc__": _array_ufunc, "__array_function__": _array_function}
    activate()
    for kind in plain.__subclasses__():  # Parameter: a user's class derives from Tensor, so Python asks Parameter first
        for name in _BINARY & names_of(plain) - set(vars(kind)) if is_own(kind.__module__) else ():
            setattr(kind, name, _asking_second(plain, name))
    return type(plain)("Tensor", (plain,), members)


def _array_ufunc(self: Any, *args: Any, **kwargs: Any) -> Any:
    return _of_protocol(_plain().__array_ufunc__(self, *args, **kwargs), self, args[2:], kwargs)


def _array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    return _of_protocol(_plain().__array_function__(self, function, types, args, kwargs), self, args, kwargs)


def _of_protocol(result: Any, tensor: Any, args: Any, kwargs: Any) -> Any:
    """Give what NumPy's protocols have made the class of a tensor; what the caller has given, as `out`, is kept."""
    given = any(result is value for value in _values(args, kwargs))
    return result if given else _of_class(result, type(tensor), args, kwargs)


def adopt(plain: Any, cls: Any) -> None:
    """Let a class that a user derives from Tensor ask: the dispatching class is put between the two.

    What is computed from a Parameter is a plain tensor: a class derived from one asks only when it says how.
    """
    between = dispatching_class(plain)
    bases = tuple(between if base is plain else base for base in cls.__bases__)
    if any(c not in (plain, between) and issubclass(c, plain) and is_own(c.__module__) for c in cls.__mro__):
        owners = [c for c in cls.__mro__ if c is not between and "__torch_function__" in vars(c)]
        if not owners or vars(owners[0])["__torch_function__"] is disabled:
            cls.__torch_function__ = disabled
        elif not issubclass(cls, between):
            bases = (*bases, _silent_class(between))
    if bases != cls.__bases__:
        cls.__bases__ = bases


@functools.cache
def _silent_class(between: Any) -> Any:
    """Return the dispatching class with the default of classes derived from Parameter."""
    return type(between)("Tensor", (between,), {"__slots__": (), "__torch_function__": staticmethod(disabled)})


def names_of(plain: Any) -> set[str]:
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
            for name in filter(is_asking, names_of(plain)):
                own = member_of(plain, name)
                asking: Any = None
                if isinstance(own, DATA):
                    asking = _asking(plain, name, own)
                elif isinstance(own, _CALLABLE):
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
