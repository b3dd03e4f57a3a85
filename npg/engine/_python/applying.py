"""Applying an op to tensors: run its forward on their arrays, and record the call."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from npg._floating import SILENT, floating_errors
from npg.engine._checks import refuse_shapes
from npg.engine._python.modes import interception, state
from npg.engine._python.recording import finish, observe, record
from npg.engine._python.tensor import TensorBase
from npg.kernels.blocks import in_blocks, is_large
from npg.kernels.meta import is_among
from npg.ops import _half, _meta


def apply(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    """Run an op on tensors, numbers and ndarrays, and record the call if an input requires a gradient.

    Args:
        op: an op of npg.ops.
        inputs: its positional inputs. Their dtypes are not promoted here, see Function.
        params: its settings.
    Returns: a tensor, or a tuple of tensors.
    """
    if interception.observer is not None:
        return interception.observer("forward", op, inputs, functools.partial(_apply, op, inputs, params))
    return _apply(op, inputs, params)


def compute(op: Any, arrays: Any, params: dict[str, Any]) -> Any:
    """Run an op's forward on arrays; float16 is computed in float32, see npg/ops/_half.py."""
    if _half.among(arrays):
        return _half.compute(op, arrays, params)
    return op.forward(*arrays, **params) if params else op.forward(*arrays)


def forward_of(op: Any, *arrays: Any, **params: Any) -> Any:
    """Call compute with the arrays and settings as separate arguments, for in_blocks."""
    return compute(op, arrays, params)


def _apply(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    if interception.hook is not None:
        intercepted = interception.hook(op, inputs, params, "apply")
        if intercepted is not NotImplemented:
            return intercepted
    arrays = []
    recording = False
    for x in inputs:
        if isinstance(x, TensorBase):
            arrays.append(x._array)
            recording = recording or x.requires_grad
        else:
            arrays.append(x)
    recording = recording and state.grad and op.differentiable
    saved = None
    before = floating_errors.get()
    try:
        floating_errors.set(SILENT)
        if is_among(arrays):
            out, saved = _meta.forward(op, arrays, params)
        elif op.blocks and is_large(arrays):
            out = in_blocks(functools.partial(forward_of, op), arrays, params)
        elif op.takes_keep:
            out = compute(op, arrays, {**params, "keep": recording})
        else:
            out = compute(op, arrays, params)
    except ValueError:
        if op.broadcasts:
            refuse_shapes(arrays)
        raise
    finally:
        floating_errors.set(before)
    if op.is_fused and saved is None:
        out, saved = out
    if op.is_multi:
        out = tuple([o if isinstance(o, np.ndarray) else np.asarray(o) for o in out])
    elif not isinstance(out, np.ndarray):
        out = np.asarray(out)  # NumPy turns 0-d results into scalars
    node = None
    if recording:
        node = record(op, inputs, params, out, saved)
        observe(node, inputs, out)
    first = inputs[0] if inputs else None
    if op.is_multi:
        return tuple(finish(op, first, o, node, i) for i, o in enumerate(out))
    return finish(op, first, out, node, 0)


def apply_linear(ops: Any, input: Any, weight: Any, bias: Any) -> Any:
    """Apply a linear map that needs no closer look, or return None.

    Its tensors are then an input (..., in), a weight (out, in), a bias (out,) or None, of one floating dtype. This is
    called for every layer of a model, and the checks would take longer than the product of a small one.
    Args:
        ops: for inputs of one, two and more dimensions, without a bias; then the same with one.
    """
    if not (isinstance(input, TensorBase) and isinstance(weight, TensorBase)):
        return None
    x, w = input._array, weight._array
    if not x.ndim or w.ndim != 2 or x.shape[-1] != w.shape[1] or x.dtype != w.dtype or w.dtype.kind != "f":
        return None
    form = min(x.ndim, 3) - 1
    if bias is not None:
        if not isinstance(bias, TensorBase) or bias._array.shape != w.shape[:1] or bias._array.dtype != w.dtype:
            return None
        form += 3
    return apply(ops[form], (input, weight, bias), {})


def apply_view(op: Any, input: Any, shape: tuple[Any, ...]) -> Any:
    """Apply a view of another shape, or return None where the shape and the strides need a closer look.

    The Python engine always looks: that costs little beside the rest of its call.
    """
    return None


def apply_transpose(op: Any, input: Any, dim0: Any, dim1: Any) -> Any:
    """Apply a swap of two dimensions, or return None where they need a closer look; see apply_view."""
    return None
