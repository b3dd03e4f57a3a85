"""Attributes of modules that are checked when they are assigned: settings that are kept, and change nothing."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from npg._naming import named

frozen = False  # see npg.backends.disable_global_flags


def check_assignable() -> None:
    """Raise RuntimeError when settings are frozen."""
    if frozen:
        raise RuntimeError(
            named(
                "not allowed to set npg.backends.cudnn flags after disable_global_flags; please use flags() context "
                "manager instead"
            )
        )


class Flag:
    """An attribute of a module or an object that holds a value of one type.

    Args:
        default: its first value.
        text: of the TypeError for a value of another type, with {kind}.
    """

    def __init__(self, default: Any, text: str = "") -> None:
        self.value = default
        self.kind = type(default)
        self.text = text

    def __set_name__(self, owner: type, name: str) -> None:
        self.text = self.text or f"set_{name} expects a {self.kind.__name__}, but got {{kind}}"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else self.value

    def __set__(self, instance: Any, value: Any) -> None:
        check_assignable()
        self.put(value)

    def put(self, value: Any) -> None:
        """Take a value. Raises: RuntimeError: for one of another type."""
        if type(value) is not self.kind:
            raise RuntimeError(self.text.format(kind=type(value).__name__))
        self.value = value


class Settings(types.ModuleType):
    """A module some of whose attributes are flags: `sys.modules[__name__].__class__ = ...` makes it one."""


@contextmanager
def restoring(set_flags: Callable[..., tuple[Any, ...]], *values: Any) -> Iterator[None]:
    """Return a block with other flags: set_flags takes them, and returns those from before."""
    before = set_flags(*values)
    try:
        yield
    finally:
        set_flags(*before)


def put_flags(settings: Any, values: dict[str, Any]) -> None:
    """Assign flags of a module, frozen or not; None keeps what is."""
    for name, value in values.items():
        if value is not None:
            vars(type(settings))[name].put(value)


# ----- Precision of float32 -----

_PRECISIONS = ("ieee", "tf32", "bf16", "none")
_precisions = {
    (backend, op): "tf32" if backend == "cuda" and op in ("conv", "rnn") else "none"
    for backend in ("generic", "cuda", "mkldnn")
    for op in ("all", "matmul", "conv", "rnn")
}
matmul_precision = "highest"  # of set_float32_matmul_precision


def precision_of(backend: str, op: str) -> str:
    """Return the precision of a backend's op: its own, that of the backend, or that of all."""
    for place in ((backend, op), (backend, "all"), ("generic", "all")):
        if _precisions[place] != "none":
            return _precisions[place]
    return "none"


def set_precision(backend: str, op: str, precision: str) -> None:
    """Set the precision of a backend's op. Raises: RuntimeError: for an unknown one."""
    if precision not in _PRECISIONS:
        raise RuntimeError(f"Unknown precision: {precision}")
    _precisions[backend, op] = precision


class Precision:
    """The attribute fp32_precision of a module or an object."""

    def __init__(self, backend: str, op: str) -> None:
        self.place = backend, op

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else precision_of(*self.place)

    def __set__(self, instance: Any, precision: str) -> None:
        check_assignable()
        set_precision(*self.place, precision)

    def put(self, precision: str) -> None:
        """Set the precision, frozen or not."""
        set_precision(*self.place, precision)


def of_op(backend: str, op: str) -> Any:
    """Return an object whose fp32_precision is that of a backend's op."""
    return type("_FP32Precision", (), {"fp32_precision": Precision(backend, op), "backend": backend, "op": op})()


def get_float32_matmul_precision() -> str:
    """Return what set_float32_matmul_precision was given: "highest", "high" or "medium".

    Source: torch.get_float32_matmul_precision.
    """
    return matmul_precision


def set_float32_matmul_precision(precision: str) -> None:
    """Permit matrix products of a lower precision: it is kept, and npg computes float32 in float32.

    Source: torch.set_float32_matmul_precision.
    """
    global matmul_precision
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision not in _OF_MATMUL:
        from npg._errors import warn

        warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the currentsetFloat32MatmulPrecision call "
            "has no effect."
        )
        return
    matmul_precision = precision
    set_precision("cuda", "matmul", _OF_MATMUL[precision][0])
    set_precision("mkldnn", "matmul", _OF_MATMUL[precision][1])


_OF_MATMUL = {"highest": ("ieee", "ieee"), "high": ("tf32", "tf32"), "medium": ("tf32", "bf16")}

__all__ = [
    "get_float32_matmul_precision",
    "set_float32_matmul_precision",
]
