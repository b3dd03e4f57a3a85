"""The engine in plain Python: the text to read first, the fallback where nothing was compiled, the baseline for timing.

`csrc/engine.pyx` has the same names and does the same things in the same order; the tests hold the two together bit for
bit.

A *node* stands for one call of an op. It keeps what the op's rule will need, and an *edge* to where each input came
from: the node that produced it, or the tensor itself when that is a leaf. Nodes are numbered in the order of their
creation (`seq`), so an edge always leads from a higher number to a lower one. That makes the backward pass short: keep
the nodes that have been reached in a heap and always take the highest number. When a node is taken, every node that
could still add to its gradient has a higher number and is therefore done.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from heapq import heappop, heappush
from typing import Any

import numpy as np

from npg import _errors
from npg.engine._common import (
    MULTI_VIEW,
    NO_GRAD_VIEW,
    VIEW,
    AccumulateGrad,
    RemovableHandle,
    bind,
    check_gradient,
    modified,
    operand_error,
    reachable,
    refuse_broadcast,
    refuse_in_place,
    run_hooks,
    run_leaf_hooks,
    run_prehooks,
    run_tensor_hooks,
)
from npg.ops._broadcast import unbroadcast
from npg.ops._op import LIKE, VALUE, Like
from npg.ops.memory import alias, as_strided, copy_slices, geometry, overlaps

name = "python"

_sequence = itertools.count(1)
# Guards `.grad` of a leaf, which graphs in several threads may share: reading, adding and storing must be one step.
_accumulation = threading.Lock()


# ----- Grad mode -----


class _Mode(threading.local):
    grad = True
    inference = False


_mode = _Mode()


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded in this thread."""
    return _mode.grad


def set_grad_mode(enabled: bool) -> None:
    """Switch recording on or off in this thread."""
    _mode.grad = enabled


def is_inference_mode_enabled() -> bool:
    """Tell whether this thread is in inference mode."""
    return _mode.inference


def set_inference_mode(enabled: bool) -> None:
    """Switch inference mode on or off in this thread."""
    _mode.inference = enabled


# ----- The tensor's part in the graph -----


class VersionCounter:
    """How often a buffer was written in place; a tensor and its views share one."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class TensorBase:
    """An ndarray with a place in the graph.

    Attributes:
        _array: the ndarray.
        _grad: the accumulated gradient, a tensor, or None.
        _requires_grad: set on a leaf whose gradient is wanted.
        _fn, _nr: the node that produced it and which of that node's outputs it is; None for a leaf.
        _version: its VersionCounter.
        _base: for a view, the tensor whose buffer it shows (never itself a view); _kind: how the view was made;
            _seen: the version at which _fn was true. See the comment in `grad_fn`.
    """

    # Defaults stand on the class, so that making a tensor sets only what differs.
    _array: np.ndarray[Any, Any]
    _grad: Any = None
    _requires_grad = False
    _fn: Node | None = None
    _nr = 0
    _base: TensorBase | None = None
    _kind = VIEW
    _seen = 0
    _hooks: dict[int, Any] | None = None
    _post_hooks: dict[int, Any] | None = None
    _retains = False
    _inference = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def _set_array(self, array: np.ndarray[Any, Any]) -> None:
        """Make this a fresh leaf on `array`. For constructors."""
        self._array = array
        self._version = VersionCounter()
        if _mode.inference:
            self._inference = True

    def _swap_array(self, array: np.ndarray[Any, Any]) -> None:
        """Show another buffer from now on; the place in the graph stays. For `x.data = y`."""
        self._array = array
        self._version = VersionCounter()

    def _share_version(self, other: TensorBase) -> None:
        self._version = other._version

    @property
    def grad_fn(self) -> Node | None:
        """The node that produced this tensor, or None for a leaf."""
        base = self._base
        # A view's history follows its base's: after an in-place change of the base (or of another view), the view is a
        # fresh slice of the changed base. That slice is made here, when somebody asks.
        if base is not None and self._seen != self._version.value:
            if self._fn is not None or base.requires_grad:
                node = _record(as_strided, (base,), geometry(base._array, self._array), self._array, None)
                self._fn, self._nr = node, 0
            self._seen = self._version.value
        return self._fn

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to or through this tensor."""
        return self._requires_grad or self.grad_fn is not None

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation produced this tensor."""
        return self.grad_fn is None

    @property
    def output_nr(self) -> int:
        """Which output of grad_fn this tensor is."""
        return self._nr

    @property
    def retains_grad(self) -> bool:
        """Whether this non-leaf tensor keeps its gradient in .grad."""
        return self._retains and self.grad_fn is not None

    def is_inference(self) -> bool:
        """Tell whether this tensor was made in inference mode."""
        return self._inference

    def _set_requires_grad(self, flag: bool) -> None:
        if self.grad_fn is not None:
            if not flag:
                raise RuntimeError(_errors.NOT_LEAF_FLAG)
            return
        if flag and self._array.dtype.kind not in "fc":
            raise RuntimeError(_errors.FLOAT_ONLY)
        self._requires_grad = bool(flag)

    def _detach_in_place(self) -> None:
        self._fn, self._nr, self._requires_grad, self._base = None, 0, False, None

    def retain_grad(self) -> None:
        """Keep this tensor's gradient in .grad although it is no leaf."""
        fn = self.grad_fn
        if fn is None:
            if not self._requires_grad:
                raise RuntimeError(_errors.RETAIN_LEAFLESS)
            return
        self._retains = True
        if fn.retained is None:
            fn.retained = {}
        fn.retained[self._nr] = weakref.ref(self)  # the node must not keep its own output alive

    def register_hook(self, hook: Any) -> RemovableHandle:
        """Call hook(grad) when the gradient of this tensor is known; a returned tensor replaces it."""
        if not self.requires_grad:
            raise RuntimeError(_errors.HOOK_WITHOUT_GRAD)
        if self._hooks is None:
            self._hooks = {}
        fn = self.grad_fn
        if fn is not None:
            if fn.tensor_hooks is None:
                fn.tensor_hooks = {}
            fn.tensor_hooks[self._nr] = self._hooks
        return RemovableHandle(self._hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Any) -> RemovableHandle:
        """Call hook(tensor) after a gradient was added to this leaf's .grad."""
        if not self.requires_grad:
            raise RuntimeError(_errors.HOOK_WITHOUT_GRAD)
        if self.grad_fn is not None:
            raise RuntimeError(_errors.POST_HOOK_NOT_LEAF)
        if self._post_hooks is None:
            self._post_hooks = {}
        return RemovableHandle(self._post_hooks, hook)

    @staticmethod
    def __npg_apply__(op: Any, inputs: Any, params: Any) -> Any:
        return apply(op, inputs, params)


_new: Any = object.__new__  # a subclass may define __new__ for its users
_tensor_class: type[TensorBase] = TensorBase


def register_tensor_class(cls: type[TensorBase]) -> None:
    """Make outputs instances of `cls` from now on. tensor.py calls this once."""
    global _tensor_class
    _tensor_class = cls


def wrap(array: Any) -> Any:
    """Return a new leaf tensor on an ndarray (or NumPy scalar), which it shares."""
    t = _new(_tensor_class)
    t._array = array if isinstance(array, np.ndarray) else np.asarray(array)
    t._version = VersionCounter()
    if _mode.inference:
        t._inference = True
    return t


# ----- Nodes -----


class Node:
    """One recorded call of an op."""

    def __init__(self) -> None:
        self.op: Any = None
        self.params: dict[str, Any] = {}
        self.seq = 0
        self.edges: tuple[Any, ...] = ()  # per input: (node or leaf, output_nr), or None
        self.needs: tuple[bool, ...] = ()  # per input: whether it has an edge
        self.inputs: (
            tuple[Any, ...] | None
        ) = ()  # per input what the rule wants: tensor, number, Like or None; None: freed
        self.versions: tuple[int, ...] | None = None  # of the saved tensors
        self.output: Any = None  # the output's array(s), where a rule wants y
        self.output_version: Any = None  # (VersionCounter, value) of the output
        self.saved: Any = None  # a fused kernel's own
        self.shapes: tuple[Any, ...] | None = None  # per input its shape, where broadcasting must be undone
        self.output_count = 1
        self.tensor_hooks: dict[int, Any] | None = None
        self.retained: dict[int, Any] | None = None
        self.hooks: dict[int, Any] | None = None
        self.prehooks: dict[int, Any] | None = None

    def name(self) -> str:
        """Return what PyTorch calls this node, such as MulBackward0."""
        return self.op.node_name

    def __repr__(self) -> str:
        return f"<{self.op.node_name} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """Per input the node that receives its gradient and which of that node's outputs it is; (None, 0) for none."""
        return tuple(
            (None, 0) if e is None else (AccumulateGrad(e[0]), 0) if isinstance(e[0], TensorBase) else e
            for e in self.edges
        )

    @property
    def sequence_nr(self) -> int:
        """The node's number; nodes made later have higher ones."""
        return self.seq

    def register_hook(self, hook: Any) -> RemovableHandle:
        """Call hook(grad_inputs, grad_outputs) after this node has run; a returned tuple replaces grad_inputs."""
        if self.hooks is None:
            self.hooks = {}
        return RemovableHandle(self.hooks, hook)

    def register_prehook(self, hook: Any) -> RemovableHandle:
        """Call hook(grad_outputs) before this node runs; a returned tuple replaces grad_outputs."""
        if self.prehooks is None:
            self.prehooks = {}
        return RemovableHandle(self.prehooks, hook)

    def _check_versions(self) -> None:
        if self.inputs is None:
            raise RuntimeError(_errors.FREED_GRAPH)
        if self.versions is not None:
            for i, x in enumerate(self.inputs):
                if isinstance(x, TensorBase) and x._version.value != self.versions[i]:
                    raise RuntimeError(modified(x._array, f"input {i}", self, x._version.value, self.versions[i]))
        if self.output_version is not None:
            counter, expected = self.output_version
            if counter.value != expected:
                first = self.output if isinstance(self.output, np.ndarray) else self.output[0]
                raise RuntimeError(modified(first, "output 0", self, counter.value, expected))

    def vjp(self, g: Any) -> Any:
        """Run the op's rule on arrays: g and the result are ndarrays (tuples of them, None where there is none)."""
        self._check_versions()
        op, y, needs = self.op, self.output, self.needs
        inputs = [x._array if isinstance(x, TensorBase) else x for x in self.inputs or ()]
        if op.joint is not None:
            if op.is_fused:
                grads = op.joint(g, y, *inputs, saved=self.saved, needs=needs, **self.params)
            else:
                grads = op.joint(g, y, *inputs, needs=needs, **self.params)
        else:
            grads = [
                rule(g, y, *inputs, **self.params) if need and rule is not None else None
                for rule, need in zip(op.vjps, needs, strict=True)
            ]
        if self.shapes is not None:
            grads = [gx if gx is None else unbroadcast(gx, s) for gx, s in zip(grads, self.shapes, strict=True)]
        return grads

    def vjp_recorded(self, g: Any) -> Any:
        """Run the op's rule on tensors and record it, for create_graph: g and the result are tensors."""
        self._check_versions()
        op, needs, inputs = self.op, self.needs, self.inputs or ()
        if op.is_fused and op.recorded is None:
            return self._composite_vjp(g)
        y = self.output
        if y is not None:
            y = tuple(self._output_tensor(a, i) for i, a in enumerate(y)) if op.is_multi else self._output_tensor(y, 0)
        if op.is_fused:
            grads = op.recorded(g, y, *inputs, saved=self.saved, needs=needs, **self.params)
        elif op.joint is not None:
            grads = op.joint(g, y, *inputs, needs=needs, **self.params)
        else:
            grads = [
                rule(g, y, *inputs, **self.params) if need and rule is not None else None
                for rule, need in zip(op.vjps, needs, strict=True)
            ]
        if self.shapes is not None:
            grads = [gx if gx is None else unbroadcast(gx, s) for gx, s in zip(grads, self.shapes, strict=True)]
        return grads

    def _output_tensor(self, array: Any, nr: int) -> Any:
        t = wrap(array)
        if array.dtype.kind in "fc":
            t._fn, t._nr = self, nr
        return t

    def _composite_vjp(self, g: Any) -> Any:
        # Aliases, because one tensor may be several inputs (attention of x with itself) and each needs its own
        # gradient.
        inputs = [apply(alias, (x,), {}) if need else x for x, need in zip(self.inputs or (), self.needs, strict=True)]
        y = self.op.composite(*inputs, **self.params)
        wanted = [x for x, need in zip(inputs, self.needs, strict=True) if need]
        found = iter(run_backward((y,), (g,), True, True, wanted, False))
        return [next(found) if need else None for need in self.needs]

    def free(self) -> None:
        """Let go of what was saved. A node that had saved nothing can still run again, as in PyTorch."""
        inputs = self.inputs
        if (
            self.output is not None
            or self.saved
            or (inputs and any(isinstance(x, (TensorBase, np.ndarray)) for x in inputs))
        ):
            self.inputs = self.output = self.output_version = self.saved = None


# ----- Applying an op -----


def _record(op: Any, inputs: Any, params: dict[str, Any], out: Any, saved: Any) -> Node:
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
                version = x._version.value
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
        node.output = out
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


def _is_view_of(out: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> bool:
    # NumPy collapses chains of views: a view's base is the array that owns the memory.
    base = out.base
    return base is not None and (base is x or base is x.base or out is x)


def _finish(op: Any, first: Any, out: Any, node: Node | None, nr: int) -> Any:
    """Return the tensor of one output array."""
    if not isinstance(out, np.ndarray):
        out = np.asarray(out)
    t = _new(_tensor_class)
    t._array = out
    if op.is_view and isinstance(first, TensorBase) and (out is first._array or _is_view_of(out, first._array)):
        t._version = first._version
        t._base = first if first._base is None else first._base
        t._seen = first._version.value
        t._kind = MULTI_VIEW if op.is_multi else VIEW if _mode.grad else NO_GRAD_VIEW
        t._inference = first._inference
        if first._base is not None and first._kind and not op.is_multi:
            t._kind = first._kind
    else:
        t._version = VersionCounter()
        if _mode.inference:
            t._inference = True
    if node is not None and out.dtype.kind in "fc":
        t._fn, t._nr = node, nr
        if node.output is not None and nr == 0:
            node.output_version = (t._version, t._version.value)
    return t


def apply(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    """Run an op on tensors, numbers and ndarrays, and record it where a gradient may be wanted.

    Args:
        op: an npg.ops op.
        inputs: its positional inputs. Their dtypes are taken as they are (see Function for promotion).
        params: its settings.
    Returns: a tensor, or a tuple of tensors.
    """
    arrays = []
    record = False
    for x in inputs:
        if isinstance(x, TensorBase):
            arrays.append(x._array)
            record = record or x.requires_grad
        else:
            arrays.append(x)
    record = record and _mode.grad and op.differentiable
    if op.takes_keep:
        out = op.forward(*arrays, keep=record, **params)
    elif params:
        out = op.forward(*arrays, **params)
    else:
        out = op.forward(*arrays)
    saved = None
    if op.is_fused:
        out, saved = out
    if op.is_multi:
        out = tuple(out)
    elif not isinstance(out, np.ndarray):
        out = np.asarray(out)  # NumPy turns 0-d results into scalars
    node = _record(op, inputs, params, out, saved) if record else None
    first = inputs[0] if inputs else None
    if op.is_multi:
        return tuple(_finish(op, first, o, node, i) for i, o in enumerate(out))
    return _finish(op, first, out, node, 0)


def apply_in_place(op: Any, inputs: Any, params: dict[str, Any]) -> Any:
    """Run an op and write its result into its first input, which is returned.

    Raises: RuntimeError: for a leaf that requires grad, a view that must not be changed, memory that overlaps itself,
        or a result that does not fit; the tensor is then unchanged.
    """
    x = inputs[0]
    array = x._array
    record = _mode.grad and op.differentiable and array.dtype.kind in "fc"
    record = record and any(isinstance(t, TensorBase) and t.requires_grad for t in inputs)
    if x._inference and not _mode.inference:
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    if record:
        refuse_in_place(x)
    if overlaps(array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)
    arrays = [t._array if isinstance(t, TensorBase) else t for t in inputs]
    old = x
    if record and op.saves(tuple(_wants_edge(t) for t in inputs))[1][0] == VALUE:
        # The rule wants the old value, which is about to be overwritten.
        old = wrap(array.copy())
        old._fn, old._nr = x.grad_fn, x._nr
        arrays[0] = old._array
    saved = None
    if op.is_ufunc and not params:
        refuse_broadcast(array, arrays)
        op.forward(*arrays, out=array, casting="unsafe")
    else:
        out = op.forward(*arrays, **params)
        if op.is_fused:
            out, saved = out
        refuse_broadcast(array, (out,))
        np.copyto(array, out, casting="unsafe")
    x._version.value += 1
    if record:
        node = _record(op, (old, *inputs[1:]), params, array, saved)
        if node.output is not None:
            node.output_version = (x._version, x._version.value)
        _rebase(x, node)
    return x


def _wants_edge(t: Any) -> bool:
    return isinstance(t, TensorBase) and t.requires_grad


def check_in_place(x: Any) -> None:
    """Raise what an in-place change of x with recording on would raise, for changes that are not ops."""
    if x._inference and not _mode.inference:
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    if _mode.grad and x.requires_grad:
        refuse_in_place(x)
    if overlaps(x._array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)


def bump_version(x: Any) -> None:
    """Note that x's buffer was written."""
    x._version.value += 1


def _rebase(x: TensorBase, node: Node) -> None:
    """Give x the history `node`, and where x is a view, give its base the history "base with this slice replaced"."""
    base = x._base
    if base is None:
        x._fn, x._nr = node, 0
        return
    value = wrap(x._array)  # a stand-in for the new value of the slice
    value._fn = node
    base._fn = _record(copy_slices, (base, value), geometry(base._array, x._array), base._array, None)
    base._nr = 0


# ----- Functions: ops that users call -----


class Function:
    """A callable on an op: checks the arguments, promotes their dtypes, applies the op.

    Args:
        op: the op.
        promote: `promote(op, args) -> args` brings arguments of mixed or integer dtypes to the dtype they are computed
            in.
        kind: "function"; "operator" returns NotImplemented for foreign operands; "reflected" also swaps the two;
            "inplace" writes into the first.
    """

    def __init__(self, op: Any, promote: Any = None, kind: str = "function") -> None:
        self.op = op
        self.promote = promote if op.promote is not None else None
        self.kind = kind
        self.__name__ = op.name
        self.__qualname__ = op.name
        self.__doc__ = op.__doc__
        self.__module__ = "npg.functional"
        self.__signature__ = op.signature
        self._names = op.inputs

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else _Bound(self, instance)

    def __repr__(self) -> str:
        return f"<function npg.{self.__name__}{self.__signature__}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        target = None
        if kwargs or len(args) != len(self._names):
            args, target = bind(self, args, kwargs)
        if self.kind == "reflected":
            args = (args[1], args[0])
        dtype = None
        uniform = True
        for i, x in enumerate(args):
            if isinstance(x, (TensorBase, np.ndarray)):
                d = x._array.dtype if isinstance(x, TensorBase) else x.dtype
                if dtype is None:
                    dtype = d
                    uniform = uniform and d.kind == "f"
                elif d is not dtype:
                    uniform = False
            elif type(x) is float or type(x) is int:
                pass
            else:
                uniform = False
                if not isinstance(x, (bool, int, float, np.generic)):
                    if self.kind != "function":
                        return NotImplemented
                    raise operand_error(self, args, i)
        if dtype is None:
            raise operand_error(self, args, 0)
        if not uniform and self.promote is not None:
            args = self.promote(self.op, args, self.kind == "inplace")
        if self.kind == "inplace":
            return apply_in_place(self.op, args, {})
        result = apply(self.op, args, {})
        return result if target is None else write_out(self.__name__, target, result)


class _Bound:
    __slots__ = ("__func__", "__self__")

    def __init__(self, function: Any, instance: Any) -> None:
        self.__func__, self.__self__ = function, instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__func__(self.__self__, *args, **kwargs)


def write_out(function_name: str, target: Any, result: Any) -> Any:
    """Copy a result into an out= tensor, giving it the result's shape, and return it."""
    if is_grad_enabled() and (result.requires_grad or target.requires_grad):
        raise RuntimeError(_errors.OUT_WITH_GRAD.format(name=function_name))
    if target._array.shape != result._array.shape:
        target._swap_array(np.empty(result._array.shape, target._array.dtype))
    np.copyto(target._array, result._array, casting="same_kind")
    target._version.value += 1
    return target


# ----- Backward -----


def run_backward(
    tensors: Any, gradients: Any, retain_graph: bool, create_graph: bool, inputs: Any = None, accumulate: bool = True
) -> Any:
    """Send gradients from `tensors` down the graph.

    Args:
        tensors: the roots.
        gradients: one tensor per root; None stands for ones.
        retain_graph: keep what nodes have saved.
        create_graph: record the backward pass itself.
        inputs: tensors whose gradients are wanted, or None for every leaf.
        accumulate: add into .grad; otherwise return the gradients of `inputs`, None where none arrived.
    Raises: RuntimeError: when a root has no graph, when the graph was freed, or when a saved tensor was changed in
        place.
    """
    heap: list[Any] = []
    pending: dict[Any, list[Any]] = {}  # node: per output its gradient; and whether that buffer is the engine's own
    leaves: dict[Any, list[Any]] = {}  # id of a leaf: [leaf, gradient, own]
    captured: dict[Any, Any] = {}
    wanted: dict[Any, int] = {}

    def send(target: Any, nr: int, g: Any) -> None:
        # The first gradient is kept by reference, the second makes a new buffer, later ones are added into that.
        if isinstance(target, TensorBase):
            slot = leaves.get(id(target))
            if slot is None:
                leaves[id(target)] = [target, g, False]
                return
            at = 1
        else:
            slot = pending.get(target)
            if slot is None:
                slot = pending[target] = [None, False] * target.output_count
                heappush(heap, (-target.seq, target))
            at = 2 * nr
            if slot[at] is None:
                slot[at] = g
                return
        if slot[at + 1] and not create_graph:
            np.add(slot[at], g, out=slot[at])
        else:
            total = slot[at] + g
            slot[at] = total if create_graph or isinstance(total, np.ndarray) else np.asarray(total)
            slot[at + 1] = True

    for i, root in enumerate(tensors):
        if not root.requires_grad:
            raise RuntimeError(_errors.NO_GRAPH.format(index=i))
    starts = [
        check_gradient(i, root, g, create_graph, wrap)
        for i, (root, g) in enumerate(zip(tensors, gradients, strict=True))
    ]
    needed = None
    if inputs is not None:
        for i, x in enumerate(inputs):
            fn = x.grad_fn
            wanted[(id(x), 0) if fn is None else (id(fn), x._nr)] = i
        needed = reachable([r.grad_fn for r in tensors], set(wanted), TensorBase)
    previous = _mode.grad
    _mode.grad = create_graph
    try:
        for root, g in zip(tensors, starts, strict=True):
            fn = root.grad_fn
            send(root if fn is None else fn, root._nr if fn is not None else 0, g)
        while heap:
            node = heappop(heap)[1]
            slot = pending.pop(node)
            grads = slot[::2]
            if node.tensor_hooks is not None or node.retained is not None:
                run_tensor_hooks(node, grads, create_graph, wrap)
            if wanted:
                for nr, g in enumerate(grads):
                    if g is not None and (id(node), nr) in wanted:
                        captured[id(node), nr] = g
            if needed is not None and node not in needed:
                continue
            if node.prehooks:
                grads = run_prehooks(node, grads, create_graph, wrap)
            g = tuple(grads) if node.op.is_multi else grads[0]
            results = node.vjp_recorded(g) if create_graph else node.vjp(g)
            del g, slot
            if not retain_graph:
                node.free()
            if node.hooks:
                results = run_hooks(node, results, grads, create_graph, wrap)
            del grads
            for e, gx in zip(node.edges, results, strict=True):
                if e is not None and gx is not None:
                    if needed is not None and (id(e[0]), e[1]) not in wanted and e[0] not in needed:
                        continue
                    send(e[0], e[1], gx if create_graph or isinstance(gx, np.ndarray) else np.asarray(gx))
            del results
        for leaf, g, own in leaves.values():
            if leaf._hooks:
                g = run_leaf_hooks(leaf, g, create_graph, wrap)
                own = False
            if inputs is not None:
                if (id(leaf), 0) not in wanted:
                    continue
                if not accumulate:
                    captured[id(leaf), 0] = g
                    continue
            _accumulate(leaf, g, own, create_graph)
    finally:
        _mode.grad = previous
    if inputs is None:
        return None
    found = []
    for x in inputs:
        fn = x.grad_fn
        g = captured.get((id(x), 0) if fn is None else (id(fn), x._nr))
        if accumulate:
            if fn is not None and g is not None:
                _accumulate(x, g, False, create_graph)
        else:
            found.append(g if g is None or create_graph else wrap(g))
    return found


def _accumulate(leaf: Any, g: Any, own: bool, create_graph: bool) -> None:
    """Add g into leaf.grad. A buffer that somebody else may hold is copied before it becomes .grad."""
    with _accumulation:
        if create_graph:
            leaf._grad = g if leaf._grad is None else leaf._grad + g
        elif leaf._grad is None:
            leaf._grad = wrap(g if own and g.flags.c_contiguous and g.base is None else np.array(g, order="C"))
        else:
            np.add(leaf._grad._array, g, out=leaf._grad._array)
            leaf._grad._version.value += 1
    if leaf._post_hooks:
        for hook in list(leaf._post_hooks.values()):
            hook(leaf)
