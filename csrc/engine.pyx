# cython: language_level=3
# cython: boundscheck=False, wraparound=False
# cython: initializedcheck=False, nonecheck=False
# cython: auto_pickle=False
# cython: freethreading_compatible=False
"""The engine in Cython: the same names as npg/engine/_python, doing the same things in the same order.

Read that package first; the comments here say only what differs in C. Directives: indices in this file are bounded by
the loops around them, so bounds checks and wraparound would only cost; every attribute that may be None is tested where
it is used; the module does not yet declare itself safe without the GIL; nothing here is pickled, so no pickling code is
generated.
"""

import contextvars
import threading
import weakref

import numpy as np

cimport cython
cimport numpy as cnp
from cpython.object cimport PyObject
from cpython.ref cimport Py_REFCNT

from npg import _errors
from npg.engine import _common
from npg.engine._common import (
    AccumulateGrad,
    RemovableHandle,
    bind,
    check_gradient,
    modified,
    operand_error,
    reachable,
    refuse_broadcast,
    refuse_in_place,
    refuse_shapes,
    run_hooks,
    run_leaf_hooks,
    run_prehooks,
    run_tensor_hooks,
)
from npg.ops._broadcast import unbroadcast
from npg.ops._op import Like
from npg.ops.memory import alias, as_strided, copy_slices, geometry, overlaps

cnp.import_array()

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #define NPG_THREAD_LOCAL __declspec(thread)
    #else
    #define NPG_THREAD_LOCAL __thread
    #endif
    static NPG_THREAD_LOCAL int npg_grad_mode = 1;
    static NPG_THREAD_LOCAL int npg_inference_mode = 0;
    """
    int npg_grad_mode
    int npg_inference_mode

cdef extern from "Python.h":
    object PyMethod_New(object function, object instance)
    ctypedef struct PyTypeObject:
        unsigned long tp_flags
    unsigned long Py_TPFLAGS_METHOD_DESCRIPTOR
    void PyType_Modified(PyTypeObject *cls)

cdef extern from "numpy/ndarraytypes.h":
    int NPY_HALF

cdef extern from "Python.h":
    object PyContextVar_Set(object variable, object value)
    int PyContextVar_Reset(object variable, object token) except -1

# A context variable, set in C; or, for a NumPy that keeps it elsewhere, an object with the same two methods.
cdef object _floating_errors = _common.floating_errors, _SILENT = _common.SILENT
cdef bint _in_context = isinstance(_floating_errors, contextvars.ContextVar)


cdef inline object _silence():
    return PyContextVar_Set(_floating_errors, _SILENT) if _in_context else _floating_errors.set(_SILENT)


cdef inline int _unsilence(object token) except -1:
    if _in_context:
        return PyContextVar_Reset(_floating_errors, token)
    _floating_errors.reset(token)
    return 0


name = "cython"

cdef int NOTHING = 0, LIKE = 1, VALUE = 2
cdef int VIEW_ = 0, MULTI_VIEW_ = 1, NO_GRAD_VIEW_ = 2
VIEW, MULTI_VIEW, NO_GRAD_VIEW = VIEW_, MULTI_VIEW_, NO_GRAD_VIEW_

cdef long long _sequence = 0
cdef object _accumulation = threading.Lock()
cdef object _add = np.add
cdef object _asarray = np.asarray
cdef dict _NO_PARAMS = {}


# ----- Grad mode -----


def is_grad_enabled():
    """Tell whether operations are recorded in this thread."""
    return npg_grad_mode != 0


def set_grad_mode(bint enabled):
    """Switch recording on or off in this thread."""
    global npg_grad_mode
    npg_grad_mode = enabled


def is_inference_mode_enabled():
    """Tell whether this thread is in inference mode."""
    return npg_inference_mode != 0


def set_inference_mode(bint enabled):
    """Switch inference mode on or off in this thread."""
    global npg_inference_mode
    npg_inference_mode = enabled


# ----- The tensor's part in the graph -----


@cython.final
@cython.freelist(512)
cdef class VersionCounter:
    """How often a buffer was written in place; a tensor and its views share one."""

    cdef public long long value


cdef class TensorBase:
    """An ndarray with a place in the graph; see the Python twin for the attributes."""

    cdef public cnp.ndarray _array
    cdef public object _grad
    cdef public Node _fn
    cdef public VersionCounter _version
    cdef public TensorBase _base
    cdef public dict _hooks
    cdef public dict _post_hooks
    cdef public long long _seen
    cdef public int _nr
    cdef public int _kind
    cdef public bint _requires_grad
    cdef public bint _retains
    cdef public bint _inference

    def _set_array(self, cnp.ndarray array):
        """Make this a fresh leaf on `array`. For constructors."""
        self._array = array
        self._version = VersionCounter.__new__(VersionCounter)
        self._inference = npg_inference_mode

    def _swap_array(self, cnp.ndarray array):
        """Show another buffer from now on; the place in the graph stays. For `x.data = y`."""
        self._array = array
        self._version = VersionCounter.__new__(VersionCounter)

    def _share_version(self, TensorBase other):
        self._version = other._version

    @property
    def grad_fn(self):
        """The node that produced this tensor, or None for a leaf."""
        return _history(self)

    @property
    def requires_grad(self):
        """Whether gradients flow to or through this tensor."""
        return self._requires_grad or _history(self) is not None

    @property
    def is_leaf(self):
        """Whether no recorded operation produced this tensor."""
        return _history(self) is None

    @property
    def output_nr(self):
        """Which output of grad_fn this tensor is."""
        return self._nr

    @property
    def retains_grad(self):
        """Whether this non-leaf tensor keeps its gradient in .grad."""
        return self._retains and _history(self) is not None

    def is_inference(self):
        """Tell whether this tensor was made in inference mode."""
        return self._inference

    def _set_requires_grad(self, flag):
        if _history(self) is not None:
            if not flag:
                raise RuntimeError(_errors.NOT_LEAF_FLAG)
            return
        if flag and self._array.dtype.kind not in "fc":
            raise RuntimeError(_errors.FLOAT_ONLY)
        self._requires_grad = bool(flag)

    def _detach_in_place(self):
        self._fn = None
        self._nr = 0
        self._requires_grad = False
        self._base = None

    def retain_grad(self):
        """Keep this tensor's gradient in .grad although it is no leaf."""
        fn = _history(self)
        if fn is None:
            if not self._requires_grad:
                raise RuntimeError(_errors.RETAIN_LEAFLESS)
            return
        self._retains = True
        if fn.retained is None:
            fn.retained = {}
        fn.retained[self._nr] = weakref.ref(self)  # the node must not keep its own output alive

    def register_hook(self, hook):
        """Call hook(grad) when the gradient of this tensor is known; a returned tensor replaces it."""
        if not self.requires_grad:
            raise RuntimeError(_errors.HOOK_WITHOUT_GRAD)
        if self._hooks is None:
            self._hooks = {}
        fn = _history(self)
        if fn is not None:
            if fn.tensor_hooks is None:
                fn.tensor_hooks = {}
            fn.tensor_hooks[self._nr] = self._hooks
        return RemovableHandle(self._hooks, hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Call hook(tensor) after a gradient was added to this leaf's .grad."""
        if not self.requires_grad:
            raise RuntimeError(_errors.HOOK_WITHOUT_GRAD)
        if _history(self) is not None:
            raise RuntimeError(_errors.POST_HOOK_NOT_LEAF)
        if self._post_hooks is None:
            self._post_hooks = {}
        return RemovableHandle(self._post_hooks, hook)

    @staticmethod
    def __npg_apply__(op, inputs, params):
        return apply(op, inputs, params)


cdef type _tensor_class = TensorBase


def register_tensor_class(type cls):
    """Make outputs instances of `cls` from now on. tensor.py calls this once."""
    global _tensor_class
    _tensor_class = cls


cdef inline Node _history(TensorBase x):
    # See the comment in the twin's `grad_fn`.
    if x._base is not None and x._seen != x._version.value:
        _renew_view(x)
    return x._fn


cdef int _renew_view(TensorBase x) except -1:
    cdef TensorBase base = x._base
    if x._fn is not None or base._requires_grad or base._fn is not None:
        x._fn = _record(_plan(as_strided), (base,), geometry(base._array, x._array), x._array, None)
        x._nr = 0
    x._seen = x._version.value
    return 0


cdef inline TensorBase _make(cnp.ndarray array):
    cdef TensorBase t = <TensorBase>TensorBase.__new__(_tensor_class)
    t._array = array
    t._version = VersionCounter.__new__(VersionCounter)
    t._inference = npg_inference_mode
    return t


def wrap(array):
    """Return a new leaf tensor on an ndarray (or NumPy scalar), which it shares."""
    return _make(array if isinstance(array, cnp.ndarray) else _asarray(array))


# ----- Ops, as the engine sees them -----


@cython.final
cdef class Plan:
    """What the hot path needs to know of an op, read from it once."""

    cdef object op
    cdef object forward
    cdef object joint
    cdef object recorded
    cdef tuple vjps
    cdef bint is_fused, is_multi, is_view, is_ufunc, broadcasts, takes_keep, differentiable
    cdef int arity  # up to 3: the saving modes stand in the table; else 0; -1: not read yet
    cdef int y_modes[8]
    cdef int x_modes[8][3]

    def __init__(self, op):
        self.op = op
        self.forward, self.joint, self.recorded = op.forward, op.joint, op.recorded
        self.vjps = op.vjps
        self.is_fused, self.is_multi, self.is_view = op.is_fused, op.is_multi, op.is_view
        self.is_ufunc, self.broadcasts, self.takes_keep = op.is_ufunc, op.broadcasts, op.takes_keep
        self.differentiable = op.differentiable
        self.arity = -1

    cdef int read_modes(self) except -1:
        # Not in the constructor: hundreds of plans are made at import, and few ops are ever recorded.
        cdef int mask, i
        self.arity = len(self.vjps) if len(self.vjps) <= 3 else 0
        if self.arity:
            for mask in range(1 << self.arity):
                y_mode, modes = self.op.saves(tuple([bool(mask >> i & 1) for i in range(self.arity)]))
                self.y_modes[mask] = y_mode
                for i in range(self.arity):
                    self.x_modes[mask][i] = modes[i]
        return 0


cdef dict _plans = {}


cdef Plan _plan(op):
    plan = _plans.get(op)
    if plan is None:
        plan = _plans[op] = Plan(op)
    return <Plan>plan


# ----- Nodes -----

# A chain of nodes is freed from a list, not by recursion: each node hands over what it holds, the outermost one empties
# the list.
cdef list _graveyard = []
cdef bint _burying = False


@cython.final
@cython.freelist(512)
cdef class Node:
    """One recorded call of an op; see the Python twin for the attributes."""

    cdef Plan plan
    cdef public dict params
    cdef public long long seq
    cdef tuple targets  # per input: the node or leaf that gets its gradient, or None
    cdef tuple numbers  # per input: which output of that node it is; None when all are 0
    cdef public tuple inputs  # None: freed
    cdef public object versions
    cdef public object output
    cdef VersionCounter output_counter
    cdef long long output_version
    cdef public object saved
    cdef public tuple shapes
    cdef public int output_count
    cdef public dict tensor_hooks
    cdef public dict retained
    cdef public dict hooks
    cdef public dict prehooks
    cdef object __weakref__

    def __dealloc__(self):
        global _burying
        if self.targets is None:
            return
        _graveyard.append(self.targets)
        _graveyard.append(self.inputs)
        self.targets = self.inputs = None
        if not _burying:
            _burying = True
            while _graveyard:
                _graveyard.pop()
            _burying = False

    @property
    def op(self):
        """The op that was called."""
        return self.plan.op

    def name(self):
        """Return what PyTorch calls this node, such as MulBackward0."""
        return self.plan.op.node_name

    def __repr__(self):
        return f"<{self.plan.op.node_name} object at {id(self):#x}>"

    @property
    def edges(self):
        """Per input (node or leaf, output_nr), or None."""
        cdef int i
        return tuple([
            None if t is None else (t, 0 if self.numbers is None else self.numbers[i])
            for i, t in enumerate(self.targets)
        ])

    @property
    def needs(self):
        """Per input: whether it has an edge."""
        return tuple([t is not None for t in self.targets])

    @property
    def next_functions(self):
        """Per input the node that receives its gradient and which of that node's outputs it is; (None, 0) for none."""
        return tuple([
            (None, 0) if e is None else (AccumulateGrad(e[0]), 0) if isinstance(e[0], TensorBase) else e
            for e in self.edges
        ])

    @property
    def sequence_nr(self):
        """The node's number; nodes made later have higher ones."""
        return self.seq

    def register_hook(self, hook):
        """Call hook(grad_inputs, grad_outputs) after this node has run; a returned tuple replaces grad_inputs."""
        if self.hooks is None:
            self.hooks = {}
        return RemovableHandle(self.hooks, hook)

    def register_prehook(self, hook):
        """Call hook(grad_outputs) before this node runs; a returned tuple replaces grad_outputs."""
        if self.prehooks is None:
            self.prehooks = {}
        return RemovableHandle(self.prehooks, hook)


cdef int _check_versions(Node node) except -1:
    cdef Py_ssize_t i
    cdef long long expected
    cdef TensorBase x
    if node.inputs is None:
        raise RuntimeError(_errors.FREED_GRAPH)
    for i in range(len(node.inputs)):
        if isinstance(node.inputs[i], TensorBase):
            x = <TensorBase>node.inputs[i]
            expected = 0 if node.versions is None else node.versions[i]
            if x._version.value != expected:
                raise RuntimeError(modified(x._array, f"input {i}", node, x._version.value, expected))
    if node.output_counter is not None and node.output_counter.value != node.output_version:
        first = node.output[0] if node.plan.is_multi else node.output
        raise RuntimeError(modified(first, "output 0", node, node.output_counter.value, node.output_version))
    return 0


cdef inline object _value(object x):
    return (<TensorBase>x)._array if isinstance(x, TensorBase) else x


cdef object _vjp(Node node, object g):
    """Run the op's rule on arrays; return the gradients per input."""
    cdef Plan plan = node.plan
    cdef tuple inputs = node.inputs
    cdef Py_ssize_t n = len(node.targets)
    cdef object y = node.output
    _check_versions(node)
    # The common cases, without a list in between: one or two inputs, no settings, no broadcasting to undo.
    if plan.joint is None and node.params is _NO_PARAMS and node.shapes is None:
        if n == 2:
            return (
                None if node.targets[0] is None or plan.vjps[0] is None
                else plan.vjps[0](g, y, _value(inputs[0]), _value(inputs[1])),
                None if node.targets[1] is None or plan.vjps[1] is None
                else plan.vjps[1](g, y, _value(inputs[0]), _value(inputs[1])),
            )
        if n == 1:
            return (plan.vjps[0](g, y, _value(inputs[0])),)
    return _run_rules(node, plan.joint, g, y, [_value(x) for x in inputs])


cdef object _vjp_recorded(Node node, object g):
    """Run the op's rule on tensors and record it, for create_graph."""
    cdef Plan plan = node.plan
    cdef object y = node.output
    _check_versions(node)
    if plan.is_fused and plan.recorded is None:
        return _composite_vjp(node, g)
    if y is not None:
        if plan.is_multi:
            y = tuple([_output_tensor(node, a, i) for i, a in enumerate(y)])
        else:
            y = _output_tensor(node, y, 0)
    return _run_rules(node, plan.recorded if plan.is_fused else plan.joint, g, y, node.inputs)


cdef object _run_rules(Node node, object joint, object g, object y, object inputs):
    cdef Plan plan = node.plan
    cdef Py_ssize_t i
    cdef list grads
    if joint is not None:
        if plan.is_fused:
            grads = list(joint(g, y, *inputs, saved=node.saved, needs=node.needs, **node.params))
        else:
            grads = list(joint(g, y, *inputs, needs=node.needs, **node.params))
    else:
        grads = [
            None if target is None or rule is None else rule(g, y, *inputs, **node.params)
            for rule, target in zip(plan.vjps, node.targets, strict=True)
        ]
    if node.shapes is not None:
        for i in range(len(grads)):
            if grads[i] is not None:
                grads[i] = unbroadcast(grads[i], node.shapes[i])
    return grads


cdef TensorBase _output_tensor(Node node, cnp.ndarray array, int nr):
    cdef TensorBase t = _make(array)
    if _is_differentiable(array):
        t._fn = node
        t._nr = nr
    return t


cdef object _composite_vjp(Node node, object g):
    # Aliases, because one tensor may be several inputs (attention of x with itself) and each needs its own gradient.
    needs = node.needs
    inputs = [apply(alias, (x,), {}) if need else x for x, need in zip(node.inputs, needs, strict=True)]
    y = node.plan.op.composite(*inputs, **node.params)
    wanted = [x for x, need in zip(inputs, needs, strict=True) if need]
    found = iter(run_backward((y,), (g,), True, True, wanted, False))
    return [next(found) if need else None for need in needs]


cdef int _free(Node node) except -1:
    """Let go of what was saved. A node that had saved nothing can still run again, as in PyTorch."""
    cdef bint held = node.output is not None or bool(node.saved)
    if not held and node.inputs is not None:
        for x in node.inputs:
            if isinstance(x, (TensorBase, cnp.ndarray)):
                held = True
                break
    if held:
        node.inputs = None
        node.output = None
        node.output_counter = None
        node.saved = None
    return 0


# ----- Applying an op -----


cdef inline bint _is_differentiable(cnp.ndarray array) noexcept:
    cdef int kind = cnp.PyArray_TYPE(array)
    return kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE or kind == NPY_HALF


cdef inline bint _wants_edge(object x) except -1:
    return isinstance(x, TensorBase) and ((<TensorBase>x)._requires_grad or _history(<TensorBase>x) is not None)


cdef inline bint _same_shape(cnp.ndarray a, cnp.ndarray b) noexcept:
    cdef int i, n = cnp.PyArray_NDIM(a)
    if n != cnp.PyArray_NDIM(b):
        return False
    for i in range(n):
        if cnp.PyArray_DIM(a, i) != cnp.PyArray_DIM(b, i):
            return False
    return True


cdef Node _record(Plan plan, tuple inputs, dict params, object out, object saved):
    """Return the node of a call that has been computed: `out` is its output array, or a tuple of them."""
    global _sequence
    cdef Node node = Node.__new__(Node)
    cdef Py_ssize_t i, n = len(inputs)
    cdef int mask = 0, mode, y_mode
    cdef bint resized = False
    cdef TensorBase x
    cdef Node fn
    cdef object item, kept, modes = None
    cdef list targets = [None] * n, numbers = None, versions = None, kept_inputs = [None] * n
    node.plan = plan
    node.params = params if params else _NO_PARAMS
    node.output_count = 1
    for i in range(n):
        item = inputs[i]
        if not isinstance(item, TensorBase):
            continue
        x = <TensorBase>item
        fn = _history(x)
        if fn is not None:
            targets[i] = fn
            if x._nr:
                if numbers is None:
                    numbers = [0] * n
                numbers[i] = x._nr
        elif x._requires_grad:
            targets[i] = x
        else:
            continue
        if i < 3:
            mask |= 1 << i
    # Only now: a view that was changed in place has just made the node of its new history.
    _sequence += 1
    node.seq = _sequence
    node.targets = tuple(targets)
    node.numbers = None if numbers is None else tuple(numbers)
    if plan.arity < 0:
        plan.read_modes()
    if plan.arity == n and n:
        y_mode = plan.y_modes[mask]
    else:
        y_mode, modes = plan.op.saves(tuple([t is not None for t in targets]))
    for i in range(n):
        mode = plan.x_modes[mask][i] if modes is None else modes[i]
        item = inputs[i]
        if mode == VALUE:
            if isinstance(item, TensorBase):
                x = <TensorBase>item
                if x._inference:
                    raise RuntimeError(_errors.INFERENCE_SAVED)
                if x._version.value:
                    if versions is None:
                        versions = [0] * n
                    versions[i] = x._version.value
            kept_inputs[i] = item
        elif mode == LIKE and item is not None:
            kept = _value(item)
            kept_inputs[i] = Like(kept.shape, kept.dtype) if isinstance(kept, cnp.ndarray) else kept
    node.inputs = tuple(kept_inputs)
    if versions is not None:
        node.versions = tuple(versions)
    if y_mode:
        node.output = out
    node.saved = saved
    if plan.is_multi:
        node.output_count = len(out)
    if plan.broadcasts:
        for i in range(n):
            if targets[i] is not None and not _same_shape((<TensorBase>inputs[i])._array, out):
                resized = True
        if resized:
            node.shapes = tuple([
                (<object>(<TensorBase>inputs[i])._array).shape if targets[i] is not None else None for i in range(n)
            ])
    return node


cdef TensorBase _finish(Plan plan, object first, cnp.ndarray out, Node node, int nr):
    """Return the tensor of one output array."""
    cdef TensorBase t = <TensorBase>TensorBase.__new__(_tensor_class)
    cdef TensorBase x
    t._array = out
    if plan.is_view and isinstance(first, TensorBase) and _is_view_of(out, (<TensorBase>first)._array):
        x = <TensorBase>first
        t._version = x._version
        t._base = x if x._base is None else x._base
        t._seen = x._version.value
        t._kind = MULTI_VIEW_ if plan.is_multi else VIEW_ if npg_grad_mode else NO_GRAD_VIEW_
        t._inference = x._inference
        if x._base is not None and x._kind and not plan.is_multi:
            t._kind = x._kind
    else:
        t._version = VersionCounter.__new__(VersionCounter)
        t._inference = npg_inference_mode
    if node is not None and _is_differentiable(out):
        t._fn = node
        t._nr = nr
        if node.output is not None and nr == 0:
            node.output_counter = t._version
            node.output_version = t._version.value
    return t


cdef inline bint _is_view_of(cnp.ndarray out, cnp.ndarray x):
    # NumPy collapses chains of views: a view's base is the array that owns the memory.
    cdef PyObject *base = <PyObject *>cnp.PyArray_BASE(out)
    if out is x:
        return True
    return base != NULL and (base == <PyObject *>x or base == <PyObject *>cnp.PyArray_BASE(x))


cdef object _apply(Plan plan, tuple inputs, dict params):
    cdef Py_ssize_t i, n = len(inputs)
    cdef bint record = False
    cdef object item, out, first, saved = None
    cdef Node node = None
    cdef list arrays
    if npg_grad_mode and plan.differentiable:
        for item in inputs:
            if _wants_edge(item):
                record = True
                break
    before = _silence()
    try:
        if n == 2 and not params and not plan.takes_keep:
            out = plan.forward(_value(inputs[0]), _value(inputs[1]))
        elif n == 1 and not params and not plan.takes_keep:
            out = plan.forward(_value(inputs[0]))
        else:
            arrays = [_value(item) for item in inputs]
            if plan.takes_keep:
                out = plan.forward(*arrays, keep=record, **params)
            elif params:
                out = plan.forward(*arrays, **params)
            else:
                out = plan.forward(*arrays)
    except ValueError:
        if plan.broadcasts:
            refuse_shapes([_value(item) for item in inputs])
        raise
    finally:
        _unsilence(before)
    if plan.is_fused:
        out, saved = out
    if plan.is_multi:
        out = tuple([o if isinstance(o, cnp.ndarray) else _asarray(o) for o in out])
    elif not isinstance(out, cnp.ndarray):
        out = _asarray(out)  # NumPy turns 0-d results into scalars
    if record:
        node = _record(plan, inputs, params, out, saved)
    first = inputs[0] if n else None
    if plan.is_multi:
        return tuple([
            _finish(plan, first, o if isinstance(o, cnp.ndarray) else _asarray(o), node, i) for i, o in enumerate(out)
        ])
    return _finish(plan, first, <cnp.ndarray>out, node, 0)


def apply(op, inputs, dict params):
    """Run an op on tensors, numbers and ndarrays, and record it where a gradient may be wanted; see the Python twin."""
    return _apply(_plan(op), inputs if type(inputs) is tuple else tuple(inputs), params)


cdef object _apply_in_place(Plan plan, tuple inputs, dict params):
    cdef TensorBase x = <TensorBase?>inputs[0]
    cdef TensorBase old = x
    cdef cnp.ndarray array = x._array
    cdef bint record = False
    cdef Node node
    cdef list arrays = [_value(t) for t in inputs]
    cdef object saved = None
    if npg_grad_mode and plan.differentiable and _is_differentiable(array):
        for t in inputs:
            if _wants_edge(t):
                record = True
    if x._inference and not npg_inference_mode:
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    if record:
        refuse_in_place(x)
    if overlaps(array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)
    if record and plan.op.saves(tuple([_wants_edge(t) for t in inputs]))[1][0] == VALUE:
        # The rule wants the old value, which is about to be overwritten.
        old = _make(array.copy())
        old._fn = _history(x)
        old._nr = x._nr
        arrays[0] = old._array
    before = _silence()
    try:
        if plan.is_ufunc and not params:
            refuse_broadcast(array, arrays)
            plan.forward(*arrays, out=array, casting="unsafe")
        else:
            out = plan.forward(*arrays, **params)
            if plan.is_fused:
                out, saved = out
            refuse_broadcast(array, (out,))
            np.copyto(array, out, casting="unsafe")
    except ValueError:
        if plan.broadcasts:
            refuse_shapes(arrays)
        raise
    finally:
        _unsilence(before)
    x._version.value += 1
    if record:
        node = _record(plan, (old, *inputs[1:]), params, array, saved)
        if node.output is not None:
            node.output_counter = x._version
            node.output_version = x._version.value
        _rebase(x, node)
    return x


def apply_in_place(op, inputs, dict params):
    """Run an op and write its result into its first input, which is returned; see the Python twin."""
    return _apply_in_place(_plan(op), tuple(inputs), params)


cdef int _rebase(TensorBase x, Node node) except -1:
    """Give x the history `node`, and where x is a view, give its base the history "base with this slice replaced"."""
    cdef TensorBase base = x._base
    cdef TensorBase value
    if base is None:
        x._fn = node
        x._nr = 0
        return 0
    value = _make(x._array)  # a stand-in for the new value of the slice
    value._fn = node
    base._fn = _record(_plan(copy_slices), (base, value), geometry(base._array, x._array), base._array, None)
    base._nr = 0
    x._seen = -1  # what was its history until now is that of its old value
    return 0


def check_in_place(TensorBase x):
    """Raise what an in-place change of x with recording on would raise, for changes that are not ops."""
    if x._inference and not npg_inference_mode:
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    if npg_grad_mode and x.requires_grad:
        refuse_in_place(x)
    if overlaps(x._array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)


def bump_version(TensorBase x):
    """Note that x's buffer was written."""
    x._version.value += 1


# ----- Functions: ops that users call -----

# How a function was asked for, and what follows: see the twin's Function.
cdef enum Kind:
    FUNCTION, OPERATOR, REFLECTED, INPLACE

_KINDS = {"function": FUNCTION, "operator": OPERATOR, "reflected": REFLECTED, "inplace": INPLACE}


cdef class Function:
    """A callable on an op: checks the arguments, promotes their dtypes, applies the op; see the Python twin."""

    cdef public object op
    cdef Plan plan
    cdef public object promote
    cdef public str kind
    cdef Kind _kind
    cdef Py_ssize_t _arity
    cdef public tuple _names
    cdef dict __dict__

    def __init__(self, op, promote=None, kind="function"):
        self.op = op
        self.plan = _plan(op)
        self.promote = promote if op.promote is not None else None
        self.kind = kind
        self._kind = _KINDS[kind]
        self._names = op.inputs
        self._arity = len(op.inputs)
        self.__name__ = op.name
        self.__qualname__ = op.name
        self.__doc__ = op.__doc__
        self.__module__ = "npg.functional"

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    def __getattr__(self, name):
        # Not an attribute of each function: signatures take long to make, and hundreds of functions are made at import.
        if name == "__signature__":
            return self.op.signature
        raise AttributeError(f"'Function' object has no attribute '{name}'")

    def __repr__(self):
        return f"<function npg.{self.__name__}{self.__signature__}>"

    def __call__(self, *args, **kwargs):
        target = None
        if kwargs or len(args) != self._arity:
            args, target = bind(self, args, kwargs)
        return self._call(args, target)

    cdef object _call(self, tuple args, object target):
        cdef int dtype = -1, d
        cdef bint uniform = True
        cdef Py_ssize_t i
        cdef object x
        if self._kind == REFLECTED:
            args = (args[1], args[0])
        for i in range(len(args)):
            x = args[i]
            if isinstance(x, TensorBase):
                d = cnp.PyArray_TYPE((<TensorBase>x)._array)
            elif isinstance(x, cnp.ndarray):
                d = cnp.PyArray_TYPE(<cnp.ndarray>x)
            else:
                if type(x) is not float and type(x) is not int:
                    uniform = False
                    if not isinstance(x, (bool, int, float, np.generic)):
                        if self._kind != FUNCTION:
                            return NotImplemented
                        raise operand_error(self, args, i)
                continue
            if dtype < 0:
                dtype = d
                uniform = uniform and (d == cnp.NPY_FLOAT or d == cnp.NPY_DOUBLE or d == NPY_HALF)
            elif d != dtype:
                uniform = False
        if dtype < 0:
            raise operand_error(self, args, 0)
        if not uniform and self.promote is not None:
            args = tuple(self.promote(self.op, args, self._kind == INPLACE))
        if self._kind == INPLACE:
            return _apply_in_place(self.plan, args, _NO_PARAMS)
        if target is None:
            return _apply(self.plan, args, _NO_PARAMS)
        return write_out(self.__name__, target, _apply(self.plan, args, _NO_PARAMS))


# Method lookup may then call Function(self, ...) directly, without making a bound method first.
(<PyTypeObject *>Function).tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR
PyType_Modified(<PyTypeObject *>Function)


def write_out(function_name, TensorBase target, TensorBase result):
    """Copy a result into an out= tensor, giving it the result's shape, and return it."""
    if npg_grad_mode and (result.requires_grad or target.requires_grad):
        raise RuntimeError(_errors.OUT_WITH_GRAD.format(name=function_name))
    if not _same_shape(target._array, result._array):
        target._swap_array(np.empty((<object>result._array).shape, target._array.dtype))
    np.copyto(target._array, result._array, casting="same_kind")
    target._version.value += 1
    return target


# ----- Backward -----


@cython.final
@cython.freelist(64)
cdef class Slot:
    """The gradient that has come together for one output, and whether its buffer is the engine's own."""

    cdef object target  # the node or leaf
    cdef object g
    cdef bint own
    cdef list others  # the slots of the node's outputs after the first


cdef inline int _add_to(Slot slot, object g, bint create_graph) except -1:
    # The first gradient is kept by reference, the second makes a new buffer, later ones are added into that.
    if slot.g is None:
        slot.g = g
    elif slot.own and not create_graph:
        _add(slot.g, g, out=slot.g)
    else:
        total = slot.g + g
        slot.g = total if create_graph or isinstance(total, cnp.ndarray) else _asarray(total)
        slot.own = True
    return 0


cdef int _push(list heap, Node node) except -1:
    cdef Py_ssize_t i = len(heap), parent
    heap.append(node)
    while i > 0:
        parent = (i - 1) >> 1
        if (<Node>heap[parent]).seq >= node.seq:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = node
    return 0


cdef Node _pop(list heap):
    cdef Node last = <Node>heap.pop(), top
    cdef Py_ssize_t i = 0, child, n = len(heap)
    if n == 0:
        return last
    top = <Node>heap[0]
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and (<Node>heap[child + 1]).seq > (<Node>heap[child]).seq:
            child += 1
        if (<Node>heap[child]).seq <= last.seq:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = last
    return top


cdef int _send(object target, int nr, object g, list heap, dict pending, dict leaves, bint create_graph) except -1:
    cdef Slot slot
    cdef Node node
    cdef object found
    if isinstance(target, TensorBase):
        key = <size_t><PyObject *>target
        found = leaves.get(key)
        if found is None:
            slot = Slot.__new__(Slot)
            slot.target = target
            leaves[key] = slot
        else:
            slot = <Slot>found
        return _add_to(slot, g, create_graph)
    node = <Node>target
    found = pending.get(node)
    if found is None:
        slot = Slot.__new__(Slot)
        if node.output_count > 1:
            slot.others = [Slot.__new__(Slot) for _ in range(node.output_count - 1)]
        pending[node] = slot
        _push(heap, node)
    else:
        slot = <Slot>found
    return _add_to(slot if nr == 0 else <Slot>slot.others[nr - 1], g, create_graph)


def run_backward(tensors, gradients, bint retain_graph, bint create_graph, inputs=None, bint accumulate=True):
    """Send gradients from `tensors` down the graph; see the Python twin."""
    global npg_grad_mode
    cdef list heap = [], grads
    cdef dict pending = {}, leaves = {}, captured = {}, wanted = {}
    cdef set needed = None
    cdef Node node, fn
    cdef Slot slot
    cdef Py_ssize_t i
    cdef int previous = npg_grad_mode, nr
    cdef object target, g, gx, results, key
    cdef TensorBase leaf
    for i, root in enumerate(tensors):
        if not root.requires_grad:
            raise RuntimeError(_errors.NO_GRAPH.format(index=i))
    starts = [
        check_gradient(i, root, g, create_graph, wrap)
        for i, (root, g) in enumerate(zip(tensors, gradients, strict=True))
    ]
    if inputs is not None:
        for i, x in enumerate(inputs):
            fn = _history(x)
            wanted[(id(x), 0) if fn is None else (id(fn), (<TensorBase>x)._nr)] = i
        needed = reachable([r.grad_fn for r in tensors], set(wanted), TensorBase)
    npg_grad_mode = create_graph
    before = _silence()
    try:
        for root, g in zip(tensors, starts, strict=True):
            fn = _history(root)
            if fn is None:
                _send(root, 0, g, heap, pending, leaves, create_graph)
            else:
                _send(fn, (<TensorBase>root)._nr, g, heap, pending, leaves, create_graph)
        starts = g = root = None
        while heap:
            node = _pop(heap)
            slot = <Slot>pending.pop(node)
            if node.output_count > 1 or node.plan.is_multi:
                grads = [slot.g]
                if slot.others is not None:
                    for other in slot.others:
                        grads.append((<Slot>other).g)
            else:
                grads = [slot.g]
            slot = None
            if node.tensor_hooks is not None or node.retained is not None:
                run_tensor_hooks(node, grads, create_graph, wrap)
            if wanted:
                for i in range(len(grads)):
                    key = (id(node), i)
                    if grads[i] is not None and key in wanted:
                        captured[key] = grads[i]
            if needed is not None and node not in needed:
                continue
            if node.prehooks:
                grads = run_prehooks(node, grads, create_graph, wrap)
            g = tuple(grads) if node.plan.is_multi else grads[0]
            if not node.hooks:
                grads = None
            results = _vjp_recorded(node, g) if create_graph else _vjp(node, g)
            g = None
            if not retain_graph:
                _free(node)
            if node.hooks:
                results = run_hooks(node, results, grads, create_graph, wrap)
                grads = None
            i = 0
            for gx in results:
                target = node.targets[i]
                nr = 0 if node.numbers is None else node.numbers[i]
                i += 1
                if target is None or gx is None:
                    continue
                if needed is not None and (id(target), nr) not in wanted and target not in needed:
                    continue
                if not create_graph and not isinstance(gx, cnp.ndarray):
                    gx = _asarray(gx)
                _send(target, nr, gx, heap, pending, leaves, create_graph)
            gx = results = target = None
        for key in list(leaves):
            slot = <Slot>leaves.pop(key)
            leaf = <TensorBase>slot.target
            if leaf._hooks:
                slot.g = run_leaf_hooks(leaf, slot.g, create_graph, wrap)
            if inputs is not None:
                key = (id(leaf), 0)
                if key not in wanted:
                    continue
                if not accumulate:
                    captured[key] = slot.g
                    continue
            _accumulate(leaf, slot, create_graph)
    finally:
        _unsilence(before)
        npg_grad_mode = previous
    if inputs is None:
        return None
    found = []
    for x in inputs:
        fn = _history(x)
        g = captured.get((id(x), 0) if fn is None else (id(fn), (<TensorBase>x)._nr))
        if accumulate:
            if fn is not None and g is not None:
                slot = Slot.__new__(Slot)
                slot.g = g
                _accumulate(x, slot, create_graph)
        else:
            found.append(g if g is None or create_graph else wrap(g))
    return found


cdef int _accumulate(TensorBase leaf, Slot slot, bint create_graph) except -1:
    """Add the slot's gradient into leaf.grad. A buffer that somebody else may hold is copied before."""
    cdef object g = slot.g
    cdef cnp.ndarray array
    slot.g = None
    with _accumulation:
        if create_graph:
            leaf._grad = g if leaf._grad is None else leaf._grad + g
        elif leaf._grad is None:
            array = <cnp.ndarray>g
            g = None
            # One reference, ours, and no other array's memory: nobody else can see this buffer.
            if not (Py_REFCNT(array) == 1 and cnp.PyArray_BASE(array) == NULL and cnp.PyArray_IS_C_CONTIGUOUS(array)):
                array = np.array(array, order="C")
            leaf._grad = _make(array)
        else:
            array = (<TensorBase>leaf._grad)._array
            _add(array, g, out=array)
            (<TensorBase>leaf._grad)._version.value += 1
    if leaf._post_hooks:
        for hook in list(leaf._post_hooks.values()):
            hook(leaf)
    return 0
