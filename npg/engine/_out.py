"""What a function requires of its out=: dtypes, memory shared with inputs, gradients.

Both engines check here before anything is written. The default rule is that of most functions of PyTorch: the result
can be cast to out=, neither requires grad, no two elements of out= share an address, and out= shares either all of its
elements with an input, in the same order, or none. A function with another rule declares it by `writes` in
npg/functional/_public.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npg import _errors, dtypes
from npg._naming import named
from npg._words import c_name, shape_text, type_name
from npg.kernels.meta import MetaArray, empty_beside
from npg.ops._op import ARITHMETIC, Op
from npg.ops.strided import intersects, overlaps, partly_overlaps


def _can_hold(out: dtypes.dtype, result: dtypes.dtype) -> bool:
    return dtypes.can_cast(result, out)


def is_same(out: dtypes.dtype, result: dtypes.dtype) -> bool:
    """Accept the result's own dtype only."""
    return out is result


class OutRule(NamedTuple):
    """A function's rule for its out=.

    Attributes:
        accepts: tells whether an out= of the first dtype may hold a result of the second.
        text: the message of the error otherwise, with the names of the dtypes of out= and of the result in {wanted}
            and {result} (Float) or {c_wanted} and {c_result} (float); a tuple: one for each of several results.
        error: the type of that exception.
        apart: the names of the inputs that may not share any memory with out=.
        looks: the names of the inputs whose memory is checked; None: all.
        expanded: elements of out= may share an address.
        grad: False for a function without gradient, which ignores requires_grad.
        takes_dtype: the function has a dtype=, whose default is the dtype of out=.
    """

    accepts: Callable[[dtypes.dtype, dtypes.dtype], bool] = _can_hold
    text: str | tuple[str, ...] = _errors.NO_CAST_IN_PLACE
    error: type[Exception] = RuntimeError
    apart: tuple[str, ...] = ()
    looks: tuple[str, ...] | None = None
    expanded: bool = False
    grad: bool = True
    takes_dtype: bool = False


DEFAULT = OutRule()


def rule_of(op: Op) -> OutRule:
    """Return the rule of the public function of an op, derived from the op."""
    text = op.out_text
    if text is None and len(op.inputs) == 1 and (op.promote == ARITHMETIC or op.promote is None and op.differentiable):
        text = _errors.OUT_DTYPE_FOUND  # PyTorch does not promote a single input
    rule = OutRule(is_same, text) if text else DEFAULT
    # Comparisons and logical functions ignore requires_grad; bitwise ones are differentiable in name only.
    return rule if op.differentiable or op.promote == ARITHMETIC else rule._replace(grad=False)


def check_out(
    name: str, target: Any, result: Any, inputs: Any, rule: OutRule = DEFAULT, apart: Any = (), number: int = 0
) -> None:
    """Raise when a result cannot be written to an out= tensor.

    Args:
        inputs: the inputs of the call that are checked: tensors, ndarrays and sequences of them.
        apart: the inputs that may share no memory with the target.
        number: the index of the result among several.
    Raises: TypeError: when the target is no tensor. RuntimeError: when a gradient is required; when the target was
        made in inference mode and is written outside of it; when its elements overlap, it partly overlaps an input, or
        it cannot hold the result's dtype.
    """
    from npg.engine import (
        TensorBase,
        is_grad_enabled,
        is_inference_mode_enabled,
    )  # here, because they import this module

    if not isinstance(target, TensorBase):
        raise TypeError(_errors.OUT_NOT_A_TENSOR.format(name=name, kind=type_name(target)))
    if rule.grad and is_grad_enabled() and (result.requires_grad or target.requires_grad):
        raise RuntimeError(_errors.OUT_WITH_GRAD.format(name=name))
    if target._inference and not is_inference_mode_enabled():
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    array = target._array
    here, there = ["meta" if isinstance(t._array, MetaArray) else "cpu" for t in (result, target)]
    if here != there:
        raise RuntimeError(
            f"Attempting to copy from device {here} to device {there}, but cross-device copies are not allowed!"
        )
    if not rule.expanded and overlaps(array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)
    _refuse_shared(array, inputs, apart)
    if array.dtype != result._array.dtype:
        out_dtype, result_dtype = dtypes.from_numpy(array.dtype), dtypes.from_numpy(result._array.dtype)
        if not rule.accepts(out_dtype, result_dtype):
            text = rule.text if isinstance(rule.text, str) else rule.text[number]
            text = text.format(
                result=result_dtype.scalar_name, wanted=out_dtype.scalar_name,
                c_result=c_name(result_dtype), c_wanted=c_name(out_dtype),
            )  # fmt: skip
            raise rule.error(named(text))
    if not array.flags.writeable:
        raise ValueError(_errors.READ_ONLY)


def _refuse_shared(array: np.ndarray[Any, Any], inputs: Any, apart: Any) -> None:
    for operands, shares in ((inputs, partly_overlaps), (apart, intersects)):
        for x in operands:
            if isinstance(x, (list, tuple)):
                _refuse_shared(array, *((x, ()) if shares is partly_overlaps else ((), x)))
                continue
            other = getattr(x, "_array", x)
            if isinstance(other, np.ndarray) and shares(array, other):
                raise RuntimeError(_errors.PARTIAL_OVERLAP_IN_PLACE)


def fit_out(target: Any, result: Any) -> None:
    """Give an out= tensor the shape of a result, in its own memory where that is large enough."""
    array, shape, size = target._array, result._array.shape, result._array.size
    if array.shape == shape:
        return
    if array.size:
        old, new = shape_text(array.shape), shape_text(shape)
        _errors.warn(_errors.OUT_RESIZED.format(old=old, new=new))
    counter = target._counter
    if size <= array.size and array.flags.c_contiguous:
        target._swap_array(array.reshape(-1)[:size].reshape(shape))
    else:
        target._swap_array(empty_beside(array, shape))
    target._counter = counter
