"""Filling, selecting and replacing elements under a mask."""

from __future__ import annotations

from typing import Any

from npg import _errors
from npg._words import c_name, scalar_name, shape_text
from npg.engine import TensorBase, apply, apply_in_place
from npg.functional._arguments import broadcast, checked_array
from npg.functional._factory import fill_value
from npg.functional._public import public_function, writes
from npg.functional._types import T
from npg.ops import scatter as ops
from npg.ops.elementwise import clone


def _check_write(array: Any, mask: Any) -> None:
    """Raise RuntimeError when the mask does not broadcast to the array."""
    common = broadcast(array.shape, mask.shape)
    if common != array.shape:
        raise RuntimeError(
            _errors.BROADCAST_IN_PLACE.format(shape=shape_text(array.shape), broadcast=shape_text(common))
        )


def _masked_fill(name: str, input: Any, mask: Any, value: Any) -> Any:
    array, where = checked_array(name, input), checked_array(name, mask, "mask", 2)
    value = fill_value("masked_fill_", value, array.dtype)
    if where.dtype.kind != "b":
        kind = c_name(where).replace("short int", "short")
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {kind}")
    if name == "masked_fill":
        broadcast(where.shape, array.shape)
        op = ops.masked_fill_tensor if isinstance(value, TensorBase) else ops.masked_fill
        return apply(op, (input, mask, value), {})
    _check_write(array, where)
    if isinstance(value, TensorBase) and value._array.base is not None:
        value = apply(clone, (value,), {})  # it may be an element of input, which PyTorch treats as a number
    op = ops.masked_fill_tensor_into if isinstance(value, TensorBase) else ops.masked_fill_into
    return apply_in_place(op, (input, mask, value), {})


@public_function
def masked_fill(input: T, mask: Any, value: Any) -> T:
    """Return input with value wherever mask is True.

    Args:
        input: any shape and dtype.
        mask: bool; broadcasts with input.
        value: number or 0-d tensor, cast to the dtype of input.
    Raises: RuntimeError: when the mask is not bool, the shapes do not broadcast or value does not fit.
    Source: torch.masked_fill.
    """
    return _masked_fill("masked_fill", input, mask, value)


@public_function
def masked_fill_(input: T, mask: Any, value: Any) -> T:
    """Fill input, in place, where mask (which broadcasts to it) is True; see masked_fill."""
    return _masked_fill("masked_fill_", input, mask, value)


@public_function
@writes("masked_select(): self and result must have the same scalar type", apart=("input", "mask"))
def masked_select(input: T, mask: Any, *, out: Any = None) -> T:
    """Return the elements of input where mask is True, in order.

    Args:
        input: any shape and dtype.
        mask: bool; the two broadcast.
    Returns: one-dimensional.
    Raises: RuntimeError: when the mask is not bool or the shapes do not broadcast.
    Source: torch.masked_select.
    """
    array, where = checked_array("masked_select", input), checked_array("masked_select", mask, "mask", 2)
    if where.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    broadcast(where.shape, array.shape)
    return apply(ops.masked_select, (input, mask), {})


def _masked_scatter(name: str, input: Any, mask: Any, source: Any) -> Any:
    array, where, values = (
        checked_array(name, input),
        checked_array(name, mask, "mask", 2),
        checked_array(name, source, "source", 3),
    )
    if values.dtype != array.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{scalar_name(array)} and "
            f"{scalar_name(values)}"
        )
    if where.dtype.kind != "b":
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {scalar_name(where)}")
    if name == "masked_scatter":
        broadcast(where.shape, array.shape)
        return apply(ops.masked_scatter, (input, mask, source), {})
    _check_write(array, where)
    return apply_in_place(ops.masked_scatter_into, (input, mask, source), {})


@public_function
def masked_scatter(input: T, mask: Any, source: Any) -> T:
    """Return input with the elements of source, in order, where mask is True.

    Args:
        input: any shape and dtype.
        mask: bool; the two broadcast.
        source: dtype of input, at least as many elements as the mask has ones.
    Raises: RuntimeError: when dtypes or shapes do not fit or source has too few elements.
    Source: torch.masked_scatter.
    """
    return _masked_scatter("masked_scatter", input, mask, source)


@public_function
def masked_scatter_(input: T, mask: Any, source: Any) -> T:
    """Write the elements of source into input, in place, where mask is True; see masked_scatter."""
    return _masked_scatter("masked_scatter_", input, mask, source)
