# Running an op on tensors: computing it, recording it, writing its result in place.

cdef inline object _value(object x):
    return (<TensorBase>x)._array if isinstance(x, TensorBase) else x


cdef inline bint _is_differentiable(cnp.ndarray array) noexcept:
    cdef int kind = cnp.PyArray_TYPE(array)
    return kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE or kind == NPY_HALF


cdef inline bint _is_single_or_double(cnp.ndarray array) noexcept:
    cdef int kind = cnp.PyArray_TYPE(array)
    return kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE


cdef inline bint _wants_edge(object x) except -1:
    return isinstance(x, TensorBase) and ((<TensorBase>x)._requires_grad or _history(<TensorBase>x) is not None)


cdef inline bint _follows_base(TensorBase x) except -1:
    # A view that was made without recording: what is written into it is written into a base that has a history.
    return x._kind == NO_GRAD_VIEW_ and npg_grad_mode and x._base is not None and x._base.requires_grad


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
    cdef object item, modes = None
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
                if x._counter.value:
                    if versions is None:
                        versions = [0] * n
                    versions[i] = x._counter.value
            kept_inputs[i] = item
        elif mode == LIKE and item is not None:
            kept_inputs[i] = _like(item)
    node.inputs = tuple(kept_inputs)
    if versions is not None:
        node.versions = tuple(versions)
    if y_mode:
        if plan.reads is None:
            node.output = out
        else:
            node.output = tuple([o if nr in plan.reads else None for nr, o in enumerate(out)])
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
    if not plan.runs_without_gradient:  # a custom function's node holds the user's context
        _hide(node)
    return node


cdef int _observe(Node node, object inputs, object out) except -1:
    """Do what hooks on saved tensors and anomaly mode ask of a new node."""
    if npg_anomaly_mode:
        node.origin = _anomaly.Origin(inputs, out)
    if npg_saved_hooks:
        _pack(node, True)
    return 0


cdef int _pack(Node node, bint results) except -1:
    global npg_grad_mode
    cdef int previous = npg_grad_mode
    npg_grad_mode = 0
    _show(node)  # it will hold what the user's hooks return
    try:
        node.inputs, node.output, node.saved, node.packed = _saved.pack(node, wrap, TensorBase, results)
        if node.packed:
            node.versions = None
    finally:
        npg_grad_mode = previous
    return 0


cdef TensorBase _finish(Plan plan, object first, cnp.ndarray out, Node node, int nr):
    """Return the tensor of one output array."""
    _check_known(out)
    cdef TensorBase t = _new_tensor()
    cdef TensorBase x
    t._array = out
    if plan.is_view and isinstance(first, TensorBase) and _is_view_of(out, (<TensorBase>first)._array):
        x = <TensorBase>first
        t._counter = x._counter
        t._base = x if x._base is None else x._base
        t._seen = x._counter.value
        t._kind = MULTI_VIEW_ if plan.is_multi else VIEW_ if npg_grad_mode else NO_GRAD_VIEW_
        t._inference = x._inference
        if x._base is not None and x._kind and not plan.is_multi:
            t._kind = x._kind
    else:
        t._counter = VersionCounter.__new__(VersionCounter)
        t._inference = npg_inference_mode
    if node is not None and _is_differentiable(out):
        t._fn = node
        t._nr = nr
    if node is not None and node.output is not None:
        _watch(node, t, nr)
    return t


cdef inline bint _is_view_of(cnp.ndarray out, cnp.ndarray x):
    # NumPy collapses chains of views: a view's base is the array that owns the memory.
    cdef PyObject *base = <PyObject *>cnp.PyArray_BASE(out)
    if out is x:
        return True
    return base != NULL and (base == <PyObject *>x or base == <PyObject *>cnp.PyArray_BASE(x))


cdef object _apply(Plan plan, tuple inputs, dict params):
    if npg_observer is not None:
        run = functools.partial(_apply_unobserved, plan, inputs, params)
        return npg_observer("forward", plan.op, inputs, run)
    return _apply_now(plan, inputs, params)


def _apply_unobserved(Plan plan, tuple inputs, dict params):
    return _apply_now(plan, inputs, params)


cdef object _apply_now(Plan plan, tuple inputs, dict params):
    cdef Py_ssize_t i, n = len(inputs)
    cdef bint record = False
    cdef object item, first, out = None, saved = None
    cdef Node node = None
    if npg_interceptor is not None:
        taken = npg_interceptor(plan.op, inputs, params, "apply")
        if taken is not NotImplemented:
            return taken
    if npg_grad_mode and plan.differentiable:
        for item in inputs:
            if _wants_edge(item):
                record = True
                break
    if plan.loops is not None and not params and 0 < n <= 2:
        out = _run_loop(plan.loops, _value(inputs[0]), _value(inputs[1]) if n == 2 else None, None)
    if out is None:
        out = _compute(plan, inputs, params, record)
    if plan.is_fused:
        out, saved = out
    if plan.is_multi:
        out = tuple([o if isinstance(o, cnp.ndarray) else _asarray(o) for o in out])
    elif not isinstance(out, cnp.ndarray):
        out = _asarray(out)  # NumPy turns 0-d results into scalars
    if record:
        node = _record(plan, inputs, params, out, saved)
        if npg_saved_hooks or npg_anomaly_mode:
            _observe(node, inputs, out)
    first = inputs[0] if n else None
    if plan.is_multi:
        return tuple([
            _finish(plan, first, o if isinstance(o, cnp.ndarray) else _asarray(o), node, i) for i, o in enumerate(out)
        ])
    return _finish(plan, first, <cnp.ndarray>out, node, 0)


cdef object _compute(Plan plan, tuple inputs, dict params, bint record):
    """Return what the op's forward makes of the inputs' arrays."""
    cdef object before = None
    if plan.takes_keep:
        params = dict(params, keep=record)
    if plan.is_view:  # nothing is computed
        return _call(plan, inputs, params)
    memory = _keep_memory(inputs)
    before = _silence()
    try:
        if plan.blocks and _are_large(inputs):
            return in_blocks(functools.partial(_forward_of, plan), [_value(item) for item in inputs], params)
        return _call(plan, inputs, params)
    except ValueError:
        if plan.broadcasts:
            refuse_shapes([_value(item) for item in inputs])
        raise
    finally:
        _unsilence(before)
        _release(memory)


cdef bint _are_large(object inputs) except -1:
    """Tell whether one of the inputs is an array for which blocks pay, see npg/ops/_blocks.py."""
    cdef object x
    for item in inputs:
        x = _value(item)
        if isinstance(x, cnp.ndarray) and cnp.PyArray_SIZE(<cnp.ndarray>x) > SMALL:
            if cnp.PyArray_SIZE(<cnp.ndarray>x) > <cnp.npy_intp>_blocks.LARGE:  # which tests set
                return True
    return False


def _forward_of(Plan plan, *arrays, **params):
    return _call(plan, arrays, params)


cdef inline bint _is_half(object x) noexcept:
    return isinstance(x, cnp.ndarray) and cnp.PyArray_TYPE(<cnp.ndarray>x) == NPY_HALF


cdef object _call(Plan plan, tuple inputs, dict params):
    """Return the forward of the inputs' arrays, float16 computed in float32; see npg/ops/_half.py."""
    cdef Py_ssize_t i, n = len(inputs)
    cdef tuple arrays = PyTuple_New(n)
    cdef object value
    cdef bint half = False
    for i in range(n):
        value = _value(inputs[i])
        half = half or _is_half(value)
        Py_INCREF(value)
        PyTuple_SET_ITEM(arrays, i, value)
    if half and not plan.exact:
        return _half.compute(plan.op, arrays, params)
    return PyObject_Call(plan.forward, arrays, <PyObject *>params if params else NULL)


cdef object _apply_small(Plan plan, object a, object b, int n):
    """Run an elementwise op of n inputs as a loop and record it, or return None where _apply must be asked.

    The same as _apply does, for the calls that come in thousands: without a tuple or list that nobody keeps.
    """
    global _sequence
    cdef TensorBase t, x = None, y = None
    cdef Node node, f = None, h = None
    cdef cnp.ndarray out
    cdef object target = None, other = None, kept = None, kept_other = None
    cdef int mask = 0, mode
    if npg_observer is not None or npg_interceptor is not None:
        return None
    if npg_saved_hooks or npg_anomaly_mode or npg_inference_mode:
        return None
    out = _run_loop(plan.loops, _value(a), _value(b), None)
    if out is None:
        return None
    t = _new_tensor()
    t._array = out
    t._counter = VersionCounter.__new__(VersionCounter)
    if not (npg_grad_mode and plan.differentiable):
        return t
    if isinstance(a, TensorBase):
        x = <TensorBase>a
        f = _history(x)
        target = f if f is not None else x if x._requires_grad else None
        if x._inference:
            return None
    if isinstance(b, TensorBase):
        y = <TensorBase>b
        h = _history(y)
        other = h if h is not None else y if y._requires_grad else None
        if y._inference:
            return None
    mask = (target is not None) | (other is not None) << 1
    if mask == 0:
        return t
    if plan.arity < 0:
        plan.read_modes()
    node = Node.__new__(Node)
    node.plan = plan
    node.params = _NO_PARAMS
    node.output_count = 1
    _sequence += 1
    node.seq = _sequence
    if (f is not None and x._nr) or (h is not None and y._nr):
        node.numbers = (x._nr if f is not None else 0, y._nr if h is not None else 0)[:n]
    mode = plan.x_modes[mask][0]
    if mode:
        kept = a if mode == VALUE else _like(a)
        if mode == VALUE and x is not None and x._counter.value:
            node.versions = (x._counter.value, 0)[:n]
    if n == 2:
        mode = plan.x_modes[mask][1]
        if mode:
            kept_other = b if mode == VALUE else _like(b)
            if mode == VALUE and y is not None and y._counter.value:
                node.versions = (0 if node.versions is None else node.versions[0], y._counter.value)
        node.targets = (target, other)
        node.inputs = (kept, kept_other)
        if plan.broadcasts and (
            (target is not None and not _same_shape(x._array, out))
            or (other is not None and not _same_shape(y._array, out))
        ):
            node.shapes = (
                (<object>x._array).shape if target is not None else None,
                (<object>y._array).shape if other is not None else None,
            )
    else:
        node.targets = (target,)
        node.inputs = (kept,)
    if plan.y_modes[mask]:
        node.output = out
        node.output_counter = t._counter
    t._fn = node
    _hide(node)
    return t


cdef inline object _like(object x):
    x = _value(x)
    return Like(x.shape, x.dtype) if isinstance(x, cnp.ndarray) else x


def apply(op, inputs, dict params):
    """Run an op on tensors, numbers and ndarrays, and record it where a gradient may be wanted; see the Python twin."""
    return _apply(_plan(op), inputs if type(inputs) is tuple else tuple(inputs), params)


# What the in-place checks of _checks.py find in nearly all cases, found without a call.

cdef inline bint _is_expanded(cnp.ndarray array) noexcept:
    """Tell whether several elements share one place, see overlaps."""
    cdef int i
    if cnp.PyArray_SIZE(array) == 0:
        return False
    for i in range(cnp.PyArray_NDIM(array)):
        if cnp.PyArray_STRIDE(array, i) == 0 and cnp.PyArray_DIM(array, i) > 1:
            return True
    return False


cdef inline bint _own_memory(list arrays):
    """Tell whether every array owns its memory, so that no two of them overlap."""
    for a in arrays:
        if isinstance(a, cnp.ndarray) and cnp.PyArray_BASE(<cnp.ndarray>a) != NULL:
            return False
    return True


cdef inline bint _are_like(cnp.ndarray array, list arrays):
    """Tell whether all operands are numbers or have the shape and dtype of the array that is written."""
    cdef int dtype = cnp.PyArray_TYPE(array)
    for a in arrays:
        if isinstance(a, cnp.ndarray):
            if cnp.PyArray_TYPE(<cnp.ndarray>a) != dtype or not _same_shape(<cnp.ndarray>a, array):
                return False
        elif type(a) is not float and type(a) is not int:
            return False
    return True


cdef object _apply_in_place(Plan plan, tuple inputs, dict params):
    if npg_observer is not None:
        run = functools.partial(_apply_in_place_unobserved, plan, inputs, params)
        return npg_observer("forward", plan.op, inputs, run)
    return _apply_in_place_now(plan, inputs, params)


def _apply_in_place_unobserved(Plan plan, tuple inputs, dict params):
    return _apply_in_place_now(plan, inputs, params)


cdef object _apply_in_place_now(Plan plan, tuple inputs, dict params):
    if npg_interceptor is not None:
        taken = npg_interceptor(plan.op, inputs, params, "apply_in_place")
        if taken is not NotImplemented:
            return taken
    cdef TensorBase x = <TensorBase?>inputs[0]
    cdef cnp.ndarray array = x._array
    cdef bint record = False
    cdef Node node = None
    cdef list arrays = [_value(t) for t in inputs]
    cdef Py_ssize_t n = len(arrays)
    cdef object saved = None, written = None
    if npg_grad_mode and plan.differentiable and _is_differentiable(array):
        for t in inputs:
            if _wants_edge(t):
                record = True
    if x._inference and not npg_inference_mode:
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    if record or _follows_base(x):
        refuse_in_place(x)
    if _is_expanded(array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)
    if not cnp.PyArray_ISWRITEABLE(array):  # np.add.at does not look
        raise ValueError(_errors.READ_ONLY)
    if plan.broadcasts and not _own_memory(arrays):
        refuse_partial_overlap(arrays)
    if record:
        if plan.op.saves(tuple([_wants_edge(t) for t in inputs]))[1][0] == VALUE:
            arrays[0] = array.copy()  # the rule wants the old value, which is about to be overwritten
        # Before it is written: see the twin.
        node = _record(plan, (_former(x, arrays[0]), *inputs[1:]), params, array, None)
    if npg_saved_hooks:
        if record:
            _pack(node, False)
        _saved.before_write(array)
    if plan.loops is not None and not params and _are_like(array, arrays):
        written = _run_loop(plan.loops, arrays[0], arrays[1] if n == 2 else None, array)
    before = _silence() if written is None else None
    try:
        if written is not None:
            pass
        elif plan.is_ufunc and not params and _is_single_or_double(array) and _are_like(array, arrays):
            plan.forward(*arrays, out=array)
        elif plan.is_ufunc and not params and (plan.exact or not _half.among(arrays)):
            refuse_broadcast(array, arrays)
            plan.forward(*arrays, out=array, casting="unsafe")
        elif plan.elementwise and _is_differentiable(array) and _are_large(arrays):
            refuse_broadcast(array, arrays)
            in_blocks(functools.partial(_forward_of, plan), arrays, params, array)
        else:
            out = _call(plan, tuple(arrays), params)
            if plan.is_fused:
                out, saved = out
            refuse_broadcast(array, (out,))
            np.copyto(array, out, casting="unsafe")
    except ValueError:
        if plan.broadcasts:
            refuse_shapes(arrays)
        raise
    finally:
        if written is None:
            _unsilence(before)
    x._counter.value += 1
    if node is not None:
        node.saved = saved
        if npg_saved_hooks or npg_anomaly_mode:
            _observe(node, inputs, array)
        _watch(node, x, 0)
        _rebase(x, node)
    return x


def apply_in_place(op, inputs, dict params):
    """Run an op and write its result into its first input, which is returned; see the Python twin."""
    return _apply_in_place(_plan(op), tuple(inputs), params)


def attach(op, tuple inputs, dict params, saved, tuple outputs, tuple written=()):
    """Give tensors that were computed elsewhere the history "op of these inputs"; see the Python twin."""
    cdef Node node
    cdef TensorBase t
    cdef int nr
    if npg_interceptor is not None:
        taken = npg_interceptor(op, inputs, params, "attach")
        if taken is not NotImplemented:
            return taken
    former = tuple([_former(x, x._array) if any([x is w for w in written]) else x for x in inputs])
    node = _record(_plan(op), former, params, outputs, saved)
    for nr, output in enumerate(outputs):
        if output is None:
            continue
        t = <TensorBase?>output
        for w in written:
            if t is w:
                _rebase(t, node, nr)
                break
        else:
            t._fn = node
            t._nr = nr
            t._requires_grad = False
            t._kind = CUSTOM_VIEW_  # for a view: its history is not that of a slice
            t._seen = t._counter.value
    if npg_anomaly_mode:
        node.origin = _anomaly.Origin(inputs, outputs)
    return node


cdef TensorBase _former(TensorBase x, cnp.ndarray array):
    """Return a stand-in for x as it was before a change in place, with its values in `array`."""
    cdef TensorBase former = _make(array), base = x._base
    cdef Node fn = _history(x)
    if fn is None or base is None:
        former._fn = fn
        former._nr = x._nr
        former._requires_grad = x._requires_grad
    elif base.requires_grad:
        # Not the view's own node: see the twin.
        former._fn = _record(_plan(as_strided), (base,), geometry(base._array, x._array), x._array, None)
    return former


cdef int _rebase(TensorBase x, Node node, int nr=0) except -1:
    """Give x the history `node`, and where x is a view, give its base the history "base with this slice replaced"."""
    cdef TensorBase base = x._base
    cdef TensorBase value
    if x._retains:
        retain(x, node, nr)
    if base is None:
        x._fn = node
        x._nr = nr
        return 0
    value = _make(x._array)  # a stand-in for the new value of the slice
    value._fn = node
    value._nr = nr
    base._fn = _record(_plan(copy_slices), (base, value), geometry(base._array, x._array), base._array, None)
    base._nr = 0
    if base._retains:
        retain(base, base._fn, 0)
    x._seen = -1  # what was its history until now is that of its old value
    return 0


def check_in_place(TensorBase x not None):
    """Raise what an in-place change of x with recording on would raise, for changes that are not ops."""
    if npg_interceptor is not None:
        npg_interceptor(None, (x,), {}, "check_in_place")
    if x._inference and not npg_inference_mode:
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    if (npg_grad_mode and x.requires_grad) or _follows_base(x):
        refuse_in_place(x)
    if _is_expanded(x._array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)
    if npg_saved_hooks:
        _saved.before_write(x._array)


def bump_version(TensorBase x not None):
    """Note that x's buffer was written."""
    x._counter.value += 1
