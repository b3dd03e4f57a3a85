"""Several operations in one: addcmul, addcdiv, lerp."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import dtypes
from npg._errors import OUT_DTYPE_FOUND
from npg.engine import TensorBase, apply, apply_in_place
from npg.engine._out import DEFAULT, OutRule, is_same
from npg.functional._factory import fill_number
from npg.functional._public import as_tensor_input, old_order, public_function, to_dtype, writes
from npg.functional._types import Scalar, T
from npg.functional.pointwise import array_of, run
from npg.ops import compound as ops
from npg.ops._op import Op

__all__ = ["addcdiv", "addcdiv_", "addcmul", "addcmul_", "lerp", "lerp_"]


_SIGNATURE = "Tensor tensor1, Tensor tensor2, *, Number value = 1"


@public_function
def addcmul(input: T, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1, out: Any = None) -> T:
    """Return input + value * tensor1 * tensor2.

    Args:
        input, tensor1, tensor2: tensors, broadcast.
        late: tensor2, where value stands before the tensors: PyTorch's old order, of which a warning is given.
        value: a number; cut to an integer where the result is one.
    Source: torch.addcmul.
    """
    if late:
        tensor1, (tensor2, value) = tensor2, old_order("addcmul", _SIGNATURE, tensor1, late)
    return _add_product(ops.addcmul, input, tensor1, tensor2, value, False)


@public_function
def addcmul_(input: T, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1) -> T:
    """Add value * tensor1 * tensor2 in place. Source: torch.Tensor.addcmul_."""
    if late:
        tensor1, (tensor2, value) = tensor2, old_order("addcmul_", _SIGNATURE, tensor1, late)
    return _add_product(ops.addcmul, input, tensor1, tensor2, value, True)


@public_function
def addcdiv(input: T, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1, out: Any = None) -> T:
    """Return input + value * tensor1 / tensor2.

    Args:
        input, tensor1, tensor2: tensors, broadcast.
        value: a number.
    Raises: RuntimeError: when tensor1 and tensor2 are both integers.
    Source: torch.addcdiv.
    """
    if late:
        tensor1, (tensor2, value) = tensor2, old_order("addcdiv", _SIGNATURE, tensor1, late)
    return _add_product(ops.addcdiv, input, tensor1, tensor2, value, False)


@public_function
def addcdiv_(input: T, tensor1: Any, tensor2: Any, *late: Any, value: Scalar = 1) -> T:
    """Add value * tensor1 / tensor2 in place. Source: torch.Tensor.addcdiv_."""
    if late:
        tensor1, (tensor2, value) = tensor2, old_order("addcdiv_", _SIGNATURE, tensor1, late)
    return _add_product(ops.addcdiv, input, tensor1, tensor2, value, True)


_INTEGER_ADDCDIV = (
    "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
    "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
    "npg.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for "
    "float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / tensor2), "
    "for all dtypes."
)


def _add_product(op: Op, input: Any, tensor1: Any, tensor2: Any, value: Any, in_place: bool) -> Any:
    named = zip((input, tensor1, tensor2), op.inputs)
    operands = [as_tensor_input(op.name, x, name, i + 1) for i, (x, name) in enumerate(named)]
    arrays = [array_of(x) for x in operands]
    if op is ops.addcdiv and arrays[1].dtype.kind != "f" and arrays[2].dtype.kind != "f":
        raise RuntimeError(_INTEGER_ADDCDIV)
    common = dtypes.common_dtype(arrays)
    if not common.is_floating_point:
        value = int(fill_number(value, common.dtype))
    return run(op, operands, in_place, value=value)


def _lerp(input: Any, end: Any, weight: Any, in_place: bool) -> Any:
    as_tensor_input("lerp", input)
    as_tensor_input("lerp", end, "end", 2)
    x = array_of(input)
    for name, other in (("end", end), ("weight", weight)):
        other = array_of(other)
        if isinstance(other, np.ndarray) and other.dtype != x.dtype and not (name == "weight" and other.ndim == 0):
            names = [dtypes.c_name(d) for d in (x.dtype, other.dtype)]
            raise RuntimeError(f"expected dtype {names[0]} for `{name}` but got dtype {names[1]}")
    if x.dtype.kind != "f":
        kernel = "lerp_kernel_tensor" if isinstance(weight, TensorBase) else "lerp_kernel_scalar"
        kind = dtypes.from_numpy(x.dtype).scalar_name
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")
    inputs = (input, end, to_dtype(weight, x.dtype))
    op = ops.lerp_tensor if isinstance(weight, TensorBase) else ops.lerp
    return apply_in_place(op, inputs, {}) if in_place else apply(op, inputs, {})


def _lerp_rule(given: dict[str, Any], _out: Any) -> OutRule:
    is_tensor = isinstance(given.get("weight"), (TensorBase, np.ndarray))
    return OutRule(is_same, OUT_DTYPE_FOUND) if is_tensor else DEFAULT


@public_function
@writes(_lerp_rule)
def lerp(input: T, end: T, weight: Any, *, out: Any = None) -> T:
    """Return input + weight * (end - input).

    Args:
        input, end: floating tensors of one dtype, broadcast.
        weight: a number, or a tensor of the same dtype.
    Raises: RuntimeError: when the dtypes differ. NotImplementedError: for integers.
    Source: torch.lerp.
    """
    return _lerp(input, end, weight, False)


@public_function
def lerp_(input: T, end: T, weight: Any) -> T:
    """Move the input towards end in place; see lerp. Source: torch.Tensor.lerp_."""
    return _lerp(input, end, weight, True)
