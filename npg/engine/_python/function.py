"""Functions: ops as users call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np

from npg._floating import silent
from npg._naming import named
from npg.dtypes import KNOWN, check_known
from npg.engine._arguments import bind, is_number, of_numbers, operand_error
from npg.engine._out import DEFAULT, OutRule, check_out, fit_out, rule_of
from npg.engine._python.applying import apply
from npg.engine._python.in_place import apply_in_place
from npg.engine._python.modes import state
from npg.engine._python.tensor import TensorBase, wrap
from npg.engine._saved import before_write

T = TypeVar("T")
B = TypeVar("B", bound=TensorBase)


class Function:
    """The public function of an op: checks the arguments, promotes their dtypes, applies the op.

    Args:
        op: the op.
        promote: `promote(op, args, writes) -> args` converts arguments of mixed or integer dtypes to the dtype in which
            the op computes.
        kind: "function"; "operator", which returns NotImplemented for foreign operands; "reflected", an operator that
            swaps its operands; "inplace", a function that writes into its first argument; "augmented", an operator
            that does so.
    """

    def __init__(self, op: Any, promote: Any = None, kind: str = "function") -> None:
        self.op = op
        self.promote = promote if op.promote is not None else None
        self.kind = kind
        self.writes = kind in ("inplace", "augmented")
        self.__name__ = self.__qualname__ = op.name + "_" if kind == "inplace" else op.name
        self.__doc__ = op.__doc__
        self.__module__ = "npg.functional"
        self._names = op.inputs

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Function: ...
    @overload
    def __get__(self, instance: T, owner: Any = None) -> Callable[..., T]: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else _Bound(self, instance)

    def __getattr__(self, name: str) -> Any:
        # Made on demand: signatures are slow to make, and hundreds of functions are made at import.
        if name == "__signature__":
            return self.op.signature
        raise AttributeError(f"'Function' object has no attribute '{name}'")

    def __reduce__(self) -> str:
        return str(self.__name__)  # pickled by name, as functions are

    def __repr__(self) -> str:
        return named(f"<function npg.{self.__name__}{self.__signature__}>")

    @overload
    def __call__(self, input: B, *args: Any, **kwargs: Any) -> B: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        target: Any = None
        if kwargs or len(args) != len(self._names):
            args, target = bind(self, args, kwargs)
        if self.kind == "reflected":
            args = (args[1], args[0])
        original = args
        dtype = None
        uniform = True
        for i, x in enumerate(args):
            if isinstance(x, (TensorBase, np.ndarray)):
                if isinstance(x, TensorBase):
                    d = x._array.dtype
                else:
                    d = x.dtype
                    if d not in KNOWN:
                        if self.kind in ("operator", "reflected"):
                            return NotImplemented
                        check_known(d)
                if dtype is None:
                    dtype = d
                    uniform = uniform and d.kind == "f"
                elif d is not dtype:
                    uniform = False
            elif type(x) is float or type(x) is int:
                pass
            else:
                uniform = False
                if not is_number(x):
                    if self.kind not in ("function", "inplace") and not (self.writes and isinstance(x, np.generic)):
                        return NotImplemented
                    raise operand_error(self, args, i)
        if dtype is None:
            args, uniform = of_numbers(self, args, wrap), False
        if not uniform and self.promote is not None:
            args = self.promote(self.op, args, self.writes)
        if self.writes:
            if not isinstance(args[0], TensorBase):
                raise operand_error(self, args, 0)
            return apply_in_place(self.op, args, {})
        result = apply(self.op, args, {})
        return result if target is None else write_out(self.__name__, target, result, original, rule_of(self.op))


class _Bound:
    __slots__ = ("__func__", "__self__")

    def __init__(self, function: Any, instance: Any) -> None:
        self.__func__, self.__self__ = function, instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__func__(self.__self__, *args, **kwargs)


def write_out(
    function_name: str, target: Any, result: Any, inputs: Any = (), rule: OutRule = DEFAULT, apart: Any = ()
) -> Any:
    """Resize an out= tensor to the shape of a result, copy the result into it, and return it.

    Args:
        inputs, rule, apart: see check_out, which raises.
    """
    check_out(function_name, target, result, inputs, rule, apart)
    if state.saved_hooks:
        before_write(target._array)
    fit_out(target, result)
    with silent():
        np.copyto(target._array, result._array, casting="unsafe")
    target._counter.value += 1
    return target
