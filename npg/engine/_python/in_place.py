"""In-place changes: writing an op's result into its first input, and the history that this creates."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from npg import _errors
from npg._floating import SILENT, floating_errors
from npg.engine import _anomaly, _saved
from npg.engine._checks import (
    CUSTOM_VIEW,
    NO_GRAD_VIEW,
    check_without_data,
    refuse_broadcast,
    refuse_in_place,
    refuse_partial_overlap,
    refuse_shapes,
)
from npg.engine._hooks import retain
from npg.engine._python.applying import compute, forward_of
from npg.engine._python.modes import anomaly, interception, state
from npg.engine._python.node import Node
from npg.engine._python.recording import observe, pack, record
from npg.engine._python.tensor import TensorBase, wrap
from npg.kernels.blocks import in_blocks, is_large
from npg.kernels.meta import is_among
from npg.ops import _half
from npg.ops._op import VALUE
from npg.ops.strided import as_strided, copy_slices, geometry, overlaps


def apply_in_place(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    """Run an op, write its result into its first input, and return that.

    Raises: RuntimeError: for a leaf that requires grad, a view that must not be changed, memory that overlaps itself or
        part of another operand, or a result that does not fit; the tensor is then unchanged.
    """
    if interception.observer is not None:
        return interception.observer("forward", op, inputs, functools.partial(_apply_in_place, op, inputs, params))
    return _apply_in_place(op, inputs, params)


def _apply_in_place(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    if interception.hook is not None:
        intercepted = interception.hook(op, inputs, params, "apply_in_place")
        if intercepted is not NotImplemented:
            return intercepted
    x = inputs[0]
    array = x._array
    recording = state.grad and op.differentiable and array.dtype.kind in "fc"
    recording = recording and any(isinstance(t, TensorBase) and t.requires_grad for t in inputs)
    if x._inference and not state.inference:
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    if recording or _follows_base(x):
        refuse_in_place(x)
    if overlaps(array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)
    if not array.flags.writeable:  # np.add.at does not check
        raise ValueError(_errors.READ_ONLY)
    arrays = [t._array if isinstance(t, TensorBase) else t for t in inputs]
    if op.broadcasts:
        refuse_partial_overlap(arrays)
    node = None
    if recording:
        if op.saves(tuple(_needs_edge(t) for t in inputs))[1][0] == VALUE:
            arrays[0] = array.copy()  # the rule needs the old value, which is about to be overwritten
        # Recorded before the write: an operand that shares the memory is saved with its present version, so that
        # backward refuses it, and its history is that of the old value.
        node = record(op, (_former(x, arrays[0]), *inputs[1:]), params, array, None)
    if state.saved_hooks:
        if node is not None:
            pack(node, False)
        _saved.before_write(array)
    saved = None
    before = floating_errors.get()
    try:
        floating_errors.set(SILENT)
        if is_among(arrays):
            saved = check_without_data(op, arrays, params)
        elif op.is_ufunc and not params and (op.exact or not _half.among(arrays)):
            refuse_broadcast(array, arrays)
            op.forward(*arrays, out=array, casting="unsafe")
        elif op.elementwise and array.dtype.kind == "f" and is_large(arrays):
            refuse_broadcast(array, arrays)
            in_blocks(functools.partial(forward_of, op), arrays, params, array)
        else:
            out = compute(op, arrays, params)
            if op.is_fused:
                out, saved = out
            refuse_broadcast(array, (out,))
            np.copyto(array, out, casting="unsafe")
    except ValueError:
        if op.broadcasts:
            refuse_shapes(arrays)
        raise
    finally:
        floating_errors.set(before)
    x._counter.value += 1
    if node is not None:
        node.saved = saved
        observe(node, inputs, array)
        node.watch(x, 0)
        _rebase(x, node)
    return x


def attach(op: Any, inputs: Any, params: dict[str, Any], saved: Any, outputs: Any, written: Any = ()) -> Node:
    """Record a call that was computed elsewhere: give `outputs` the history "op of these inputs".

    Args:
        op: an op with several outputs; its rule gets `saved`.
        inputs: tensors and other values; at least one requires grad.
        outputs: for each output a tensor without a history of its own, or None where no gradient flows.
        written: the outputs that are inputs whose buffers were changed; their bases get the new history too.
    Returns: the node.
    """
    if interception.hook is not None:
        intercepted = interception.hook(op, inputs, params, "attach")
        if intercepted is not NotImplemented:
            done: Node = intercepted
            return done
    former = tuple([_former(x, x._array) if any(x is w for w in written) else x for x in inputs])
    node = record(op, former, params, outputs, saved)
    for nr, t in enumerate(outputs):
        if t is None:
            continue
        if any(t is w for w in written):
            _rebase(t, node, nr)
        else:
            t._fn, t._nr, t._requires_grad = node, nr, False
            t._kind, t._seen = CUSTOM_VIEW, t._counter.value  # of a view: its history is not a slice of its base
    if anomaly.enabled:
        node.origin = _anomaly.Origin(inputs, outputs)
    return node


def _follows_base(x: TensorBase) -> bool:
    # A view that was made without recording: writing into it changes a base that has a history.
    return x._kind == NO_GRAD_VIEW and state.grad and x._base is not None and x._base.requires_grad


def _needs_edge(t: Any) -> bool:
    return isinstance(t, TensorBase) and t.requires_grad


def check_in_place(x: Any) -> None:
    """Raise the errors of a recorded in-place change of x, for changes that are not ops."""
    if interception.hook is not None:
        interception.hook(None, (x,), {}, "check_in_place")
    if x._inference and not state.inference:
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    if (state.grad and x.requires_grad) or _follows_base(x):
        refuse_in_place(x)
    if overlaps(x._array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)
    if state.saved_hooks:
        _saved.before_write(x._array)


def bump_version(x: Any) -> None:
    """Increment the version of x, whose buffer was written."""
    x._counter.value += 1


def _former(x: TensorBase, array: np.ndarray[Any, Any]) -> TensorBase:
    """Return a stand-in for x as it was before an in-place change, with its values in `array`."""
    former: TensorBase = wrap(array)
    fn, base = x.grad_fn, x._base
    if fn is None or base is None:
        former._fn, former._nr, former._requires_grad = fn, x._nr, x._requires_grad
    elif base.requires_grad:
        # Not the view's own node: as in PyTorch, hooks on that see only what used the view before the change.
        former._fn = record(as_strided, (base,), geometry(base._array, x._array), x._array, None)
    return former


def _rebase(x: TensorBase, node: Node, nr: int = 0) -> None:
    """Give x the history `node`; if x is a view, give its base the history "base with this slice replaced"."""
    if x._retains:
        retain(x, node, nr)
    base = x._base
    if base is None:
        x._fn, x._nr = node, nr
        return
    value = wrap(x._array)  # stands for the new value of the slice
    value._fn, value._nr = node, nr
    base._fn = record(copy_slices, (base, value), geometry(base._array, x._array), base._array, None)
    base._nr = 0
    if base._retains:
        retain(base, base._fn, 0)
    x._seen = -1  # its former history is that of the old value; grad_fn makes the new one
