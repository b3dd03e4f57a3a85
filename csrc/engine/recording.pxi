# Recording a call of an op: its node, what the node saves, and the tensors of its outputs.

cdef inline object _value(object x):
    return (<TensorBase>x)._array if isinstance(x, TensorBase) else x


cdef type _meta_array = meta.MetaArray
cdef type _shapes = _meta.Shapes


cdef inline bint _is_meta(object x) noexcept:
    """Tell whether a value is an array without data, or a tensor with such an array."""
    return type(_value(x)) is _meta_array


cdef inline bint _is_differentiable(cnp.ndarray array) noexcept:
    cdef int kind = cnp.PyArray_TYPE(array)
    return kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE or kind == NPY_HALF


cdef inline bint _is_single_or_double(cnp.ndarray array) noexcept:
    cdef int kind = cnp.PyArray_TYPE(array)
    return kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE


cdef inline bint _needs_edge(object x) except -1:
    return isinstance(x, TensorBase) and ((<TensorBase>x)._requires_grad or _history(<TensorBase>x) is not None)


cdef inline bint _follows_base(TensorBase x) except -1:
    # A view that was made without recording: writing into it changes a base that has a history.
    return x._kind == NO_GRAD_VIEW_ and npg_grad_mode and x._base is not None and x._base.requires_grad


cdef inline object _like(object x):
    x = _value(x)
    return Like(x.shape, x.dtype) if isinstance(x, cnp.ndarray) else x


cdef Node _record(Plan plan, tuple inputs, dict params, object out, object saved):
    """Return the node of a call that has been computed; `out` is its output array, or a tuple of them."""
    global _sequence
    cdef Node node = Node.__new__(Node)
    cdef Py_ssize_t i, n = len(inputs)
    cdef int mask = 0, mode, y_mode
    cdef bint resized = False
    cdef TensorBase x
    cdef Node fn
    cdef object item, modes = None
    cdef list targets = [None] * n, numbers = None, versions = None, saved_inputs = [None] * n
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
    # Only now, because _history(x) may have made a node for a view.
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
            saved_inputs[i] = item
        elif mode == LIKE and item is not None:
            saved_inputs[i] = _like(item)
    node.inputs = tuple(saved_inputs)
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
            if targets[i] is not None and not same_shape((<TensorBase>inputs[i])._array, out):
                resized = True
        if resized:
            node.shapes = tuple([
                (<object>(<TensorBase>inputs[i])._array).shape if targets[i] is not None else None for i in range(n)
            ])
    if not plan.runs_without_gradient:  # a custom function's node holds the user's context
        _hide(node)
    return node


cdef int _observe(Node node, object inputs, object out) except -1:
    """Prepare a new node for anomaly mode and for hooks on saved tensors, if they are in force."""
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
    """Return the tensor of one output array, with its place in the graph."""
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
