"""From ops to public functions: dtype promotion, operators, in-place forms, NumPy's names of keywords."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast as typed, overload

import numpy as np

from npg import _errors, dtypes
from npg._errors import warn
from npg._naming import home
from npg._signatures import parameters_of
from npg._words import scalar_name, type_name
from npg.engine import Function, TensorBase, apply, array_of, is_grad_enabled, write_out
from npg.engine._checks import refuse_broadcast, refuse_in_place, refuse_shapes
from npg.engine._out import DEFAULT, OutRule, check_out, is_same
from npg.ops._half import SINGLE
from npg.ops._op import COMPARISON, FLOAT, Op
from npg.ops.elementwise import cast

F = TypeVar("F", bound=Callable[..., Any])

# ----- Promotion -----


def promote(op: Op, args: Any, in_place: bool = False) -> list[Any]:
    """Return the arguments in the dtype that the op computes in; see npg/dtypes.py for the rules.

    Raises: RuntimeError: when the result of an in-place op could not be stored. Others: the op's own refusals.
    """
    if in_place:
        as_tensor_input(op.name + "_", args[0])
        if is_grad_enabled() and getattr(args[0], "requires_grad", False):
            refuse_in_place(args[0])  # before the dtypes, as in PyTorch
    args = [python_number(x) if isinstance(x, np.generic) else x for x in args]
    for x in args:
        if type(x) is int and not -(2**63) <= x < 2**64:
            raise OverflowError("int too big to convert")
    arrays = [array_of(x) for x in args]
    if op.refusal is not None:
        try:
            op.refusal(*arrays)
        except NotImplementedError:  # raised in a kernel, which PyTorch reaches after the checks of shapes and cast
            _check_result(op, arrays, in_place)
            raise
    target = dtypes.float_dtype(arrays) if op.promote == FLOAT else dtypes.common_dtype(arrays)
    if in_place:
        own = dtypes.from_numpy(arrays[0].dtype)
        if not dtypes.can_cast(target, own):
            _check_result(op, arrays, True)
        if op.promote != COMPARISON and own.is_floating_point:
            target = own
        # The first operand is the tensor that is written, so it keeps its dtype. NumPy computes operands of different
        # widths in the widest and rounds on writing; a recorded op needs one dtype, as a vjp only knows its gradient's.
        if own.is_floating_point and not (is_grad_enabled() and any(_is_recorded(x) for x in args)):
            return [args[0], *(x if _is_wider(x, own) else to_dtype(x, target.dtype) for x in args[1:])]
        return [args[0], *(to_dtype(x, target.dtype) for x in args[1:])]
    if target is dtypes.float16:
        args = [_as_number(x) for x in args]
    return [to_dtype(x, target.dtype) for x in args]


def _is_recorded(x: Any) -> bool:
    return isinstance(x, TensorBase) and x.requires_grad


def _is_wider(x: Any, than: dtypes.dtype) -> bool:
    array = array_of(x)
    return isinstance(array, np.ndarray) and array.dtype.kind == "f" and array.dtype.itemsize > than.itemsize


def _as_number(x: Any) -> Any:
    """Return a 0-d tensor or array that float16 cannot hold as a Python number, which keeps its precision."""
    array = array_of(x)
    if not isinstance(array, np.ndarray) or array.ndim or array.dtype.kind not in "iuf" or array.dtype.itemsize < 4:
        return x
    return x if _is_recorded(x) else array.item()


def python_number(x: Any) -> Any:
    return float(x) if isinstance(x, np.floating) else x.item()  # a longdouble's item() is a longdouble


def _check_result(op: Op, arrays: list[Any], in_place: bool) -> None:
    """Raise when the shapes do not broadcast, or the result cannot be stored in the first operand."""
    refuse_shapes(arrays)
    if not in_place:
        return
    refuse_broadcast(arrays[0], arrays)
    target, own = dtypes.common_dtype(arrays), dtypes.from_numpy(arrays[0].dtype)
    if op.promote == FLOAT and not target.is_floating_point:
        target = dtypes.get_default_dtype()
    if op.promote != COMPARISON and not dtypes.can_cast(target, own):
        raise RuntimeError(_errors.NO_CAST_IN_PLACE.format(result=target.scalar_name, wanted=own.scalar_name))


def to_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return a tensor, ndarray or number cast to a NumPy dtype; a tensor's cast is recorded."""
    if isinstance(x, TensorBase):
        return x if x._array.dtype == dtype else apply(cast, (x,), {"dtype": dtype})
    if isinstance(x, np.ndarray):
        return x.astype(dtype, copy=False)
    if dtype.kind in "iu":  # wraps around where NumPy would raise
        return np.asarray(x).astype(dtype)
    return x


# ----- Callables -----


def apply_floating(op: Op, inputs: tuple[Any, ...], settings: dict[str, Any], kernel: str) -> Any:
    """Apply an op whose first input must be floating; if it is float16 the others may be float32.

    Args:
        kernel: PyTorch's name in the message.
    Raises: NotImplementedError: for integers and bools.
    """
    first = inputs[0]
    dtype = array_of(first).dtype
    if dtype.kind != "f":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(dtype)}'")
    if dtype.char != "e" or not any(getattr(x, "dtype", None) == SINGLE for x in inputs):
        return apply(op, inputs, settings)
    wide = tuple([to_dtype(x, SINGLE) if getattr(x, "dtype", None) == dtype else x for x in inputs])
    return to_dtype(apply(op, wide, settings), dtype)


def operator(op: Op) -> Function:
    """Return the function behind an operator, which returns NotImplemented for foreign operands."""
    return Function(op, promote, "operator")


def reflected(op: Op) -> Function:
    """Return the function behind a reflected operator, `other op self`."""
    return Function(op, promote, "reflected")


def augmented(op: Op) -> Function:
    """Return the function behind an augmented operator, such as `+=`: in place, else as operator."""
    return Function(op, promote, "augmented")


# NumPy's names of parameters, which PyTorch's parser accepts in every function.
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}
_RENAMED = frozenset(_NUMPY_NAMES)
_SCALARS = frozenset(np.dtype(c).type for c in "?bBhHiIlLqQefdg")
# Annotations and names of parameters that take no NumPy scalar to compute with, or that a Function converts itself.
_NO_NUMBERS = frozenset(("T", "T | None", "Tensor", "TensorBase", "str", "str | None"))
_NOT_NUMBERS = frozenset(("dim", "dtype", "generator", "index", "memory_format", "other", "_stacklevel"))
_DATA = frozenset(("data", "obj"))  # these keep their NumPy dtype


def exposed(function: F, namespace: str = "torch") -> F:
    """Mark a function as public, under its name in a namespace of PyTorch."""
    function.namespace = namespace  # type: ignore[attr-defined]
    return function


@overload
def public_function(function: F) -> F: ...
@overload
def public_function(*, namespace: str) -> Callable[[F], F]: ...
def public_function(function: Any = None, *, namespace: str = "torch") -> Any:
    """Give a function PyTorch's calling conventions, and expose it.

    The wrapper accepts NumPy's keywords, and handles out= if it is in the signature (the function never sees it; see
    writes). NumPy scalars become Python numbers, as in PyTorch's parser: a np.float64 would otherwise promote the other
    operands. An error from Python or NumPy that does not describe the call is replaced by one that names the argument;
    see _argument_errors.py. Type checkers see PyTorch's names only.

    A call costs 0.1 microseconds, so the most frequently called functions (matmul, linear, view, reshape, transpose,
    permute, clone) are only exposed, and check their arguments themselves.
    """
    if function is None:
        return lambda function: _public(function, True, namespace)
    return _public(function, True, namespace)


def writes(same: str | tuple[str, ...] | Callable[..., OutRule] | None = None, **rule: Any) -> Callable[[F], F]:
    """Declare how a function's out= differs from the default rule; goes below public_function.

    Args:
        same: the error text for an out= whose dtype is not the result's; None: the result is cast. Or a function that
            returns the rule for these arguments, by name, and out=.
        rule: the other attributes of OutRule.
    """
    if same is not None and not callable(same):
        rule = {"accepts": is_same, "text": same, **rule}

    def declare(function: F) -> F:
        function.out_rule = same if callable(same) else OutRule(**rule)  # type: ignore[attr-defined]
        return function

    return declare


def new_function(function: F) -> F:
    """Give a function that creates a tensor PyTorch's calling conventions; it handles out= itself."""
    return _public(function, False)


def _public(function: F, writes_out: bool, namespace: str = "torch") -> F:
    names, keywords, _ = parameters_of(function)
    takes_out = writes_out and "out" in (*names, *keywords)
    numbers = _takes_numbers(function, names)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            if numbers and len(args) > 1:
                if type(args[1]) in _SCALARS or (len(args) > 2 and not _SCALARS.isdisjoint(map(type, args))):
                    args = _plain(args)
            if not kwargs:
                return function(*args)
            if not _RENAMED.isdisjoint(kwargs):
                for alias in _NUMPY_NAMES.keys() & kwargs.keys():
                    own = _NUMPY_NAMES[alias]
                    if alias not in names and own not in kwargs and (own in names or own in keywords):
                        kwargs[own] = kwargs.pop(alias)
            for key, value in kwargs.items():
                if type(value) in _SCALARS and key not in _DATA:
                    kwargs[key] = python_number(value)
            if takes_out:
                target = kwargs.pop("out", None)
                if target is not None:
                    return _written(function, names, args, kwargs, target)
            return function(*args, **kwargs)
        except Exception as error:
            raise _explained(function, args, kwargs, error)  # noqa: B904  (_explained has set the cause)

    return exposed(typed(F, call), namespace)


def _plain(args: Any) -> Any:
    return tuple([python_number(x) if type(x) in _SCALARS else x for x in args])


def _takes_numbers(function: Any, names: tuple[str, ...]) -> bool:
    """Tell whether a parameter after the first may be a NumPy scalar that no Function converts."""
    kinds = function.__annotations__
    return any(kinds.get(n) not in _NO_NUMBERS and n not in _NOT_NUMBERS for n in names[1:])


def _written(function: Any, names: tuple[str, ...], args: Any, kwargs: dict[str, Any], target: Any) -> Any:
    """Call a function and return out=, one tensor or several, with the results written to it."""
    name, rule = function.__name__, getattr(function, "out_rule", DEFAULT)
    inputs: Any = (*args, *kwargs.values()) if kwargs else args
    apart: Any = ()
    if rule is not DEFAULT:
        arguments = {**dict(zip(names, args)), **kwargs}
        if not isinstance(rule, OutRule):
            rule = rule(arguments, target)
        apart = [arguments[n] for n in rule.apart if n in arguments]
        if rule.looks is not None:
            inputs = [arguments[n] for n in rule.looks if n in arguments]
        if rule.takes_dtype and isinstance(target, TensorBase) and kwargs.get("dtype") is None:
            kwargs["dtype"] = dtypes.from_numpy(target._array.dtype)
    result = function(*args, **kwargs)
    if not isinstance(result, tuple):
        return write_out(name, target, result, inputs, rule, apart)
    if not isinstance(target, (tuple, list)) or len(target) != len(result):
        kind = f"{len(target)} elements" if isinstance(target, (tuple, list)) else type(target).__name__
        raise TypeError(f"{name}(): argument 'out' must be tuple of {len(result)} Tensors, not {kind}")
    for i, (t, r) in enumerate(zip(target, result)):  # all are checked before the first is written
        check_out(name, t, r, inputs, rule, apart, i)
    return type(result)([write_out(name, t, r, (), rule) for t, r in zip(target, result)])


def _explained(function: Any, args: Any, kwargs: Any, error: Exception) -> Exception:
    if function.__name__.endswith("_") and home(function.__globals__).startswith("npg.functional."):
        # PyTorch refuses a leaf before it checks anything of the other arguments but their types.
        if args and not isinstance(error, TypeError) and _is_recorded(args[0]) and is_grad_enabled():
            refuse_in_place(args[0])
    from npg.functional._argument_errors import explain  # here: only needed after a mistake

    return explain(function, args, kwargs, error)


def old_order(name: str, signature: str, scale: Any, late: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return the last tensor and the scale of a call in PyTorch's old order of arguments, with a warning.

    Raises: TypeError: when it is not in that order.
    """
    if len(late) != 1 or isinstance(scale, (TensorBase, np.ndarray)):
        count = signature.count(",") + 1
        raise TypeError(f"{name}() takes {count} positional arguments but {count + len(late)} were given")
    tensors, _, keyword = signature.partition(", *, ")
    number = keyword.split(" = ")[0]
    warn(
        f"This overload of {name} is deprecated:\n\t{name}({number}, {tensors})\n"
        f"Consider using one of the following signatures instead:\n\t{name}({signature})"
    )
    return late[0], python_number(scale) if type(scale) in _SCALARS else scale


# ----- Checks of arguments -----


def as_tensor_input(name: str, x: Any, argument: str = "input", position: int = 1) -> Any:
    """Return x if it is a tensor (or an ndarray, which counts as a constant).

    Raises: TypeError: for anything else, in PyTorch's words.
    """
    if isinstance(x, (TensorBase, np.ndarray)):
        return x
    raise TypeError(_errors.NOT_A_TENSOR.format(name=name, argument=argument, position=position, kind=type_name(x)))


def refuse_gradient(function: str, argument: str, x: Any) -> None:
    """Raise RuntimeError when an argument without a gradient requires one."""
    if is_grad_enabled() and getattr(x, "requires_grad", False):
        raise RuntimeError(
            f"The function '{function}' is not differentiable with respect to argument '{argument}'. This input cannot "
            "have requires_grad True."
        )
