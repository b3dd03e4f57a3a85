"""Running an op on tensors: computing it, recording it, writing its result in place."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np

from npg import _errors
from npg._blocks import cover, depth
from npg._floating import SILENT, floating_errors
from npg.engine import _anomaly, _saved
from npg.engine._checks import (
    CUSTOM_VIEW,
    MULTI_VIEW,
    NO_GRAD_VIEW,
    VIEW,
    refuse_broadcast,
    refuse_in_place,
    refuse_partial_overlap,
    refuse_shapes,
)
from npg.engine._hooks import retain
from npg.engine._python.modes import anomaly, interception, state, switches
from npg.engine._python.node import Node
from npg.engine._python.tensor import TensorBase, wrap
from npg.ops import _half
from npg.ops._blocks import in_blocks, is_large
from npg.ops._op import LIKE, VALUE, Like
from npg.ops.strided import as_strided, copy_slices, geometry, overlaps

_sequence = itertools.count(1)


def record(op: Any, inputs: Any, params: dict[str, Any], out: Any, saved: Any) -> Node:
    """Return the node of a call that has been computed: `out` is its output array, or a tuple of them."""
    node = Node()
    node.op, node.params = op, params
    edges: list[Any] = []
    for x in inputs:
        if not isinstance(x, TensorBase):
            edges.append(None)
        elif (fn := x.grad_fn) is not None:
            edges.append((fn, x._nr))
        else:
            edges.append((x, 0) if x._requires_grad else None)
    node.seq = next(_sequence)  # only now: a view that was changed in place has just made the node of its new history
    node.edges = tuple(edges)
    node.needs = needs = tuple(e is not None for e in edges)
    y_mode, modes = op.saves(needs)
    kept: list[Any] = []
    versions: list[int] = []
    for x, mode in zip(inputs, modes, strict=True):
        version = 0
        if mode == VALUE:
            if isinstance(x, TensorBase):
                if x._inference:
                    raise RuntimeError(_errors.INFERENCE_SAVED)
                version = x._counter.value
            kept.append(x)
        elif mode == LIKE and x is not None:
            a = x._array if isinstance(x, TensorBase) else x
            kept.append(Like(a.shape, a.dtype) if isinstance(a, np.ndarray) else a)
        else:
            kept.append(None)
        versions.append(version)
    node.inputs = tuple(kept)
    node.versions = tuple(versions)
    if y_mode:
        reads = op.reads
        node.output = out if reads is None else tuple([o if nr in reads else None for nr, o in enumerate(out)])
    node.saved = saved
    if op.is_multi:
        node.output_count = len(out)
    if op.broadcasts:
        shapes = tuple(
            (x._array.shape if isinstance(x, TensorBase) else None) if need else None
            for x, need in zip(inputs, needs, strict=True)
        )
        if any(s is not None and s != out.shape for s in shapes):
            node.shapes = shapes
    return node


def _observe(node: Node, inputs: Any, out: Any) -> None:
    """Do what hooks on saved tensors and anomaly mode ask of a new node."""
    if anomaly.enabled:
        node.origin = _anomaly.Origin(inputs, out)
    if state.saved_hooks:
        _pack(node, True)


def _pack(node: Node, results: bool) -> None:
    start = depth()
    previous, state.grad = state.grad, False
    try:
        node.inputs, node.output, node.saved, node.packed = _saved.pack(node, wrap, TensorBase, results)
        if node.packed:
            node.versions = None
    finally:
        state.grad = previous
        cover(start, switches, "grad")


def _is_view_of(out: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> bool:
    # NumPy collapses chains of views: a view's base is the array that owns the memory.
    base = out.base
    return base is not None and (base is x or base is x.base or out is x)


def _finish(op: Any, first: Any, out: Any, node: Node | None, nr: int) -> Any:
    """Return the tensor of one output array."""
    if not isinstance(out, np.ndarray):
        out = np.asarray(out)
    t = wrap(out)
    if op.is_view and isinstance(first, TensorBase) and (out is first._array or _is_view_of(out, first._array)):
        t._counter = first._counter
        t._base = first if first._base is None else first._base
        t._seen = first._counter.value
        t._kind = MULTI_VIEW if op.is_multi else VIEW if state.grad else NO_GRAD_VIEW
        t._inference = first._inference
        if first._base is not None and first._kind and not op.is_multi:
            t._kind = first._kind
    if node is not None and out.dtype.kind in "fc":
        t._fn, t._nr = node, nr
    if node is not None:
        node.watch(t, nr)
    return t


def apply(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    """Run an op on tensors, numbers and ndarrays, and record it where a gradient may be wanted.

    Args:
        op: an npg.ops op.
        inputs: its positional inputs. Their dtypes are taken as they are (see Function for promotion).
        params: its settings.
    Returns: a tensor, or a tuple of tensors.
    """
    if interception.observer is not None:
        return interception.observer("forward", op, inputs, functools.partial(_apply, op, inputs, params))
    return _apply(op, inputs, params)


def _compute(op: Any, arrays: Any, params: dict[str, Any]) -> Any:
    if _half.among(arrays):
        return _half.compute(op, arrays, params)
    return op.forward(*arrays, **params) if params else op.forward(*arrays)


def _forward_of(op: Any, *arrays: Any, **params: Any) -> Any:
    return _compute(op, arrays, params)


def _apply(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    if interception.hook is not None:
        taken = interception.hook(op, inputs, params, "apply")
        if taken is not NotImplemented:
            return taken
    arrays = []
    recording = False
    for x in inputs:
        if isinstance(x, TensorBase):
            arrays.append(x._array)
            recording = recording or x.requires_grad
        else:
            arrays.append(x)
    recording = recording and state.grad and op.differentiable
    before = floating_errors.get()
    try:
        floating_errors.set(SILENT)
        if op.blocks and is_large(arrays):
            out = in_blocks(functools.partial(_forward_of, op), arrays, params)
        elif op.takes_keep:
            out = _compute(op, arrays, {**params, "keep": recording})
        else:
            out = _compute(op, arrays, params)
    except ValueError:
        if op.broadcasts:
            refuse_shapes(arrays)
        raise
    finally:
        floating_errors.set(before)
    saved = None
    if op.is_fused:
        out, saved = out
    if op.is_multi:
        out = tuple([o if isinstance(o, np.ndarray) else np.asarray(o) for o in out])
    elif not isinstance(out, np.ndarray):
        out = np.asarray(out)  # NumPy turns 0-d results into scalars
    node = None
    if recording:
        node = record(op, inputs, params, out, saved)
        _observe(node, inputs, out)
    first = inputs[0] if inputs else None
    if op.is_multi:
        return tuple(_finish(op, first, o, node, i) for i, o in enumerate(out))
    return _finish(op, first, out, node, 0)


def apply_in_place(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    """Run an op and write its result into its first input, which is returned.

    Raises: RuntimeError: for a leaf that requires grad, a view that must not be changed, memory that overlaps itself or
        part of another operand, or a result that does not fit; the tensor is then unchanged.
    """
    if interception.observer is not None:
        return interception.observer("forward", op, inputs, functools.partial(_apply_in_place, op, inputs, params))
    return _apply_in_place(op, inputs, params)


def _apply_in_place(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    if interception.hook is not None:
        taken = interception.hook(op, inputs, params, "apply_in_place")
        if taken is not NotImplemented:
            return taken
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
    if not array.flags.writeable:  # np.add.at does not look
        raise ValueError(_errors.READ_ONLY)
    arrays = [t._array if isinstance(t, TensorBase) else t for t in inputs]
    if op.broadcasts:
        refuse_partial_overlap(arrays)
    node = None
    if recording:
        if op.saves(tuple(_wants_edge(t) for t in inputs))[1][0] == VALUE:
            arrays[0] = array.copy()  # the rule wants the old value, which is about to be overwritten
        # Recorded before it is written: an operand that shows the same memory is saved with the version it has now, so
        # that backward refuses it, and its history is that of the old value.
        node = record(op, (_former(x, arrays[0]), *inputs[1:]), params, array, None)
    if state.saved_hooks:
        if node is not None:
            _pack(node, False)
        _saved.before_write(array)
    saved = None
    before = floating_errors.get()
    try:
        floating_errors.set(SILENT)
        if op.is_ufunc and not params and (op.exact or not _half.among(arrays)):
            refuse_broadcast(array, arrays)
            op.forward(*arrays, out=array, casting="unsafe")
        elif op.elementwise and array.dtype.kind == "f" and is_large(arrays):
            refuse_broadcast(array, arrays)
            in_blocks(functools.partial(_forward_of, op), arrays, params, array)
        else:
            out = _compute(op, arrays, params)
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
        _observe(node, inputs, array)
        node.watch(x, 0)
        _rebase(x, node)
    return x


def attach(op: Any, inputs: Any, params: dict[str, Any], saved: Any, outputs: Any, written: Any = ()) -> Node:
    """Give tensors that were computed elsewhere the history "op of these inputs".

    Args:
        op: an op of several outputs; its rule gets `saved`.
        inputs: tensors and other values; at least one requires grad.
        outputs: per output a tensor without a history of its own, or None where no gradient flows.
        written: those outputs that are inputs whose buffers were changed; their bases get the new history too.
    Returns: the node.
    """
    if interception.hook is not None:
        taken = interception.hook(op, inputs, params, "attach")
        if taken is not NotImplemented:
            done: Node = taken
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
            t._kind, t._seen = CUSTOM_VIEW, t._counter.value  # for a view: its history is not that of a slice
    if anomaly.enabled:
        node.origin = _anomaly.Origin(inputs, outputs)
    return node


def _follows_base(x: TensorBase) -> bool:
    # A view that was made without recording: what is written into it is written into a base that has a history.
    return x._kind == NO_GRAD_VIEW and state.grad and x._base is not None and x._base.requires_grad


def _wants_edge(t: Any) -> bool:
    return isinstance(t, TensorBase) and t.requires_grad


def check_in_place(x: Any) -> None:
    """Raise what an in-place change of x with recording on would raise, for changes that are not ops."""
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
    """Note that x's buffer was written."""
    x._counter.value += 1


def _former(x: TensorBase, array: np.ndarray[Any, Any]) -> TensorBase:
    """Return a stand-in for x as it was before a change in place, with its values in `array`."""
    former: TensorBase = wrap(array)
    fn, base = x.grad_fn, x._base
    if fn is None or base is None:
        former._fn, former._nr, former._requires_grad = fn, x._nr, x._requires_grad
    elif base.requires_grad:
        # Not the view's own node: as in PyTorch, hooks on that are for what was made of the view before the change.
        former._fn = record(as_strided, (base,), geometry(base._array, x._array), x._array, None)
    return former


def _rebase(x: TensorBase, node: Node, nr: int = 0) -> None:
    """Give x the history `node`, and where x is a view, give its base the history "base with this slice replaced"."""
    if x._retains:
        retain(x, node, nr)
    base = x._base
    if base is None:
        x._fn, x._nr = node, nr
        return
    value = wrap(x._array)  # a stand-in for the new value of the slice
    value._fn, value._nr = node, nr
    base._fn = record(copy_slices, (base, value), geometry(base._array, x._array), base._array, None)
    base._nr = 0
    if base._retains:
        retain(base, base._fn, 0)
    x._seen = -1  # what was its history until now is that of its old value
