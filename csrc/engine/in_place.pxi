# In-place changes: writing an op's result into its first input, and the history that this creates.

# Fast forms of the checks of _checks.py, which decide nearly all cases without a call.

cdef inline bint _is_expanded(cnp.ndarray array) noexcept:
    """Tell whether several elements share one address, see overlaps."""
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
    """Tell whether all operands are numbers or have the shape and dtype of the array to be written."""
    cdef int dtype = cnp.PyArray_TYPE(array)
    for a in arrays:
        if isinstance(a, cnp.ndarray):
            if cnp.PyArray_TYPE(<cnp.ndarray>a) != dtype or not same_shape(<cnp.ndarray>a, array):
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
        intercepted = npg_interceptor(plan.op, inputs, params, "apply_in_place")
        if intercepted is not NotImplemented:
            return intercepted
    cdef TensorBase x = <TensorBase?>inputs[0]
    cdef cnp.ndarray array = x._array
    cdef bint record = False, without_data = False
    cdef Node node = None
    cdef list arrays = [_value(t) for t in inputs]
    cdef Py_ssize_t n = len(arrays)
    cdef object saved = None, written = None
    if npg_grad_mode and plan.differentiable and _is_differentiable(array):
        for t in inputs:
            if _needs_edge(t):
                record = True
    if x._inference and not npg_inference_mode:
        raise RuntimeError(_errors.INFERENCE_IN_PLACE)
    if record or _follows_base(x):
        refuse_in_place(x)
    if _is_expanded(array):
        raise RuntimeError(_errors.OVERLAP_IN_PLACE)
    if not cnp.PyArray_ISWRITEABLE(array):  # np.add.at does not check
        raise ValueError(_errors.READ_ONLY)
    if plan.broadcasts and not _own_memory(arrays):
        refuse_partial_overlap(arrays)
    if record:
        if plan.op.saves(tuple([_needs_edge(t) for t in inputs]))[1][0] == VALUE:
            arrays[0] = array.copy()  # the rule needs the old value, which is about to be overwritten
        # Recorded before the write, see the twin.
        node = _record(plan, (_former(x, arrays[0]), *inputs[1:]), params, array, None)
    if npg_saved_hooks:
        if record:
            _pack(node, False)
        _saved.before_write(array)
    for t in inputs:
        without_data = without_data or _is_meta(t)
    if without_data:
        saved = written = _without_data(_checks.check_without_data, plan, arrays, params)
    elif plan.loops is not None and not params and _are_like(array, arrays):
        written = run_loop(plan.loops, arrays[0], arrays[1] if n == 2 else None, array)
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
    """Run an op, write its result into its first input, and return that; see the Python twin."""
    return _apply_in_place(_plan(op), tuple(inputs), params)


def attach(op, tuple inputs, dict params, saved, tuple outputs, tuple written=()):
    """Record a call that was computed elsewhere: give `outputs` the history "op of these inputs"; see the twin."""
    cdef Node node
    cdef TensorBase t
    cdef int nr
    if npg_interceptor is not None:
        intercepted = npg_interceptor(op, inputs, params, "attach")
        if intercepted is not NotImplemented:
            return intercepted
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
            t._kind = CUSTOM_VIEW_  # of a view: its history is not a slice of its base
            t._seen = t._counter.value
    if npg_anomaly_mode:
        node.origin = _anomaly.Origin(inputs, outputs)
    return node


cdef TensorBase _former(TensorBase x, cnp.ndarray array):
    """Return a stand-in for x as it was before an in-place change, with its values in `array`."""
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
    """Give x the history `node`; if x is a view, give its base the history "base with this slice replaced"."""
    cdef TensorBase base = x._base
    cdef TensorBase value
    if x._retains:
        retain(x, node, nr)
    if base is None:
        x._fn = node
        x._nr = nr
        return 0
    value = _make(x._array)  # stands for the new value of the slice
    value._fn = node
    value._nr = nr
    base._fn = _record(_plan(copy_slices), (base, value), geometry(base._array, x._array), base._array, None)
    base._nr = 0
    if base._retains:
        retain(base, base._fn, 0)
    x._seen = -1  # its former history is that of the old value; grad_fn makes the new one
    return 0


def check_in_place(TensorBase x not None):
    """Raise the errors of a recorded in-place change of x, for changes that are not ops."""
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
    """Increment the version of x, whose buffer was written."""
    x._counter.value += 1
