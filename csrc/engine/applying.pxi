# Applying an op to tensors: run its forward on their arrays, and record the call.

cdef object _apply(Plan plan, tuple inputs, dict params):
    if npg_observer is not None:
        run = functools.partial(_apply_unobserved, plan, inputs, params)
        return npg_observer("forward", plan.op, inputs, run)
    return _apply_now(plan, inputs, params)


def _apply_unobserved(Plan plan, tuple inputs, dict params):
    return _apply_now(plan, inputs, params)


cdef object _apply_now(Plan plan, tuple inputs, dict params):
    cdef Py_ssize_t i, n = len(inputs)
    cdef bint record = False, without_data = False
    cdef object item, first, out = None, saved = None
    cdef Node node = None
    if npg_interceptor is not None:
        intercepted = npg_interceptor(plan.op, inputs, params, "apply")
        if intercepted is not NotImplemented:
            return intercepted
    if npg_grad_mode and plan.differentiable:
        for item in inputs:
            if _needs_edge(item):
                record = True
                break
    for item in inputs:
        without_data = without_data or _is_meta(item)
    if without_data:
        out, saved = _without_data(_meta.forward, plan, inputs, params)
    elif plan.loops is not None and not params and 0 < n <= 2:
        out = run_loop(plan.loops, _value(inputs[0]), _value(inputs[1]) if n == 2 else None, None)
    if out is None:
        out = _compute(plan, inputs, params, record)
    if plan.is_fused and not without_data:
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


cdef object _without_data(object rule, Plan plan, object inputs, dict params):
    """Call a function of npg.ops._meta, without NumPy's warnings."""
    arrays = [_value(item) for item in inputs]
    before = _silence()
    try:
        return rule(plan.op, arrays, params)
    except ValueError:
        if plan.broadcasts:
            refuse_shapes(arrays)
        raise
    finally:
        _unsilence(before)


cdef inline object _keep_memory(tuple inputs):
    """Let NumPy allocate by memory.h if an input is large; return the argument for restore_memory, or None."""
    cdef object item
    cdef cnp.ndarray x
    for item in inputs:
        if isinstance(item, TensorBase):
            x = (<TensorBase>item)._array
            if cnp.PyArray_NBYTES(x) >= LARGE_INPUT:
                return use_cached_memory()
    return None


cdef object _compute(Plan plan, tuple inputs, dict params, bint record):
    """Run the op's forward on the inputs' arrays, without NumPy's warnings."""
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
        if memory is not None:
            restore_memory(memory)


cdef cnp.npy_intp NEVER_LARGE = 2048  # elements up to which no array is large, whatever a test sets


cdef bint _are_large(object inputs) except -1:
    """Tell whether one of the inputs is an array for which blocks pay, see npg/kernels/blocks.py."""
    cdef object x
    for item in inputs:
        x = _value(item)
        if isinstance(x, cnp.ndarray) and cnp.PyArray_SIZE(<cnp.ndarray>x) > NEVER_LARGE:
            if cnp.PyArray_SIZE(<cnp.ndarray>x) > <cnp.npy_intp>blocks.LARGE:  # which tests change
                return True
    return False


def _forward_of(Plan plan, *arrays, **params):
    return _call(plan, arrays, params)


cdef inline bint _is_half(object x) noexcept:
    return isinstance(x, cnp.ndarray) and cnp.PyArray_TYPE(<cnp.ndarray>x) == NPY_HALF


cdef object _call(Plan plan, tuple inputs, dict params):
    """Run the op's forward on the inputs' arrays; float16 is computed in float32, see npg/ops/_half.py."""
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
    """Run an elementwise op of n inputs as a loop and record it, or return None where _apply must be called.

    The same as _apply for the most frequent calls, without temporary tuples and lists.
    """
    global _sequence
    cdef TensorBase t, x = None, y = None
    cdef Node node, f = None, h = None
    cdef cnp.ndarray out
    cdef object target = None, other = None, saved_a = None, saved_b = None
    cdef int mask = 0, mode
    if npg_observer is not None or npg_interceptor is not None:
        return None
    if npg_saved_hooks or npg_anomaly_mode or npg_inference_mode or _is_meta(a) or _is_meta(b):
        return None
    out = run_loop(plan.loops, _value(a), _value(b), None)
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
        saved_a = a if mode == VALUE else _like(a)
        if mode == VALUE and x is not None and x._counter.value:
            node.versions = (x._counter.value, 0)[:n]
    if n == 2:
        mode = plan.x_modes[mask][1]
        if mode:
            saved_b = b if mode == VALUE else _like(b)
            if mode == VALUE and y is not None and y._counter.value:
                node.versions = (0 if node.versions is None else node.versions[0], y._counter.value)
        node.targets = (target, other)
        node.inputs = (saved_a, saved_b)
        if plan.broadcasts and (
            (target is not None and not same_shape(x._array, out))
            or (other is not None and not same_shape(y._array, out))
        ):
            node.shapes = (
                (<object>x._array).shape if target is not None else None,
                (<object>y._array).shape if other is not None else None,
            )
    else:
        node.targets = (target,)
        node.inputs = (saved_a,)
    if plan.y_modes[mask]:
        node.output = out
        node.output_counter = t._counter
    t._fn = node
    _hide(node)
    return t


def apply(op, inputs, dict params):
    """Run an op on tensors, numbers and ndarrays, and record it if an input requires a gradient; see the twin."""
    return _apply(_plan(op), inputs if type(inputs) is tuple else tuple(inputs), params)


def apply_linear(tuple ops, input, weight, bias):
    """Apply a linear map that needs no closer look, or return None; see the twin."""
    cdef cnp.ndarray x, w, b
    cdef int kind, dims
    if not (isinstance(input, TensorBase) and isinstance(weight, TensorBase)):
        return None
    x, w = (<TensorBase>input)._array, (<TensorBase>weight)._array
    kind, dims = cnp.PyArray_TYPE(w), cnp.PyArray_NDIM(x)
    if not dims or cnp.PyArray_NDIM(w) != 2 or cnp.PyArray_DIM(x, dims - 1) != cnp.PyArray_DIM(w, 1):
        return None
    if cnp.PyArray_TYPE(x) != kind or not (kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE or kind == NPY_HALF):
        return None
    dims = min(dims, 3) - 1
    if bias is not None:
        if not isinstance(bias, TensorBase):
            return None
        b = (<TensorBase>bias)._array
        if cnp.PyArray_NDIM(b) != 1 or cnp.PyArray_DIM(b, 0) != cnp.PyArray_DIM(w, 0) or cnp.PyArray_TYPE(b) != kind:
            return None
        dims += 3
    return _apply(_plan(ops[dims]), (input, weight, bias), _NO_PARAMS)


cdef object _apply_view(Plan plan, TensorBase x, cnp.ndarray out, dict params):
    """Return the tensor of a view that was made of the array of x, and record it."""
    cdef Node node = None
    cdef tuple inputs
    if npg_grad_mode and plan.differentiable and _needs_edge(x):
        inputs = (x,)
        node = _record(plan, inputs, params, out, None)
        if npg_saved_hooks or npg_anomaly_mode:
            _observe(node, inputs, out)
    return _finish(plan, x, out, node, 0)


cdef inline bint _is_plain(object x):
    """Tell whether x is a tensor with data, and nobody watches the ops."""
    if npg_observer is not None or npg_interceptor is not None or not isinstance(x, TensorBase):
        return False
    return cnp.PyArray_CheckExact((<TensorBase>x)._array)


cdef enum: MOST_SIZES = 64  # NumPy's dimensions


def apply_view(op, input, tuple shape):
    """Apply a view of another shape that needs no closer look, or return None; see the twin."""
    cdef cnp.npy_intp sizes[MOST_SIZES]
    cdef cnp.npy_intp known = 1, size
    cdef cnp.PyArray_Dims dims
    cdef cnp.ndarray x
    cdef int i, inferred = -1
    cdef object n
    if not _is_plain(input) or len(shape) > MOST_SIZES:
        return None
    x = (<TensorBase>input)._array
    size = cnp.PyArray_SIZE(x)
    if not size or not cnp.PyArray_IS_C_CONTIGUOUS(x):
        return None
    dims.ptr, dims.len = sizes, <int>len(shape)
    for i in range(dims.len):
        n = shape[i]
        if type(n) is not int:
            return None
        try:
            sizes[i] = n
        except OverflowError:
            return None
        if sizes[i] > 0 and sizes[i] <= size:
            known *= sizes[i]
        elif sizes[i] == -1 and inferred < 0:
            inferred = i
        else:
            return None
        if known > size:
            return None
    if inferred >= 0:
        sizes[inferred] = size // known
        known *= sizes[inferred]
    if known != size:
        return None
    return _apply_view(_plan(op), input, cnp.PyArray_Newshape(x, &dims, cnp.NPY_CORDER), {"shape": shape})


def apply_transpose(op, input, dim0, dim1):
    """Apply a swap of two dimensions that needs no closer look, or return None; see the twin."""
    cdef cnp.ndarray x
    cdef int a, b, dims
    if not _is_plain(input) or type(dim0) is not int or type(dim1) is not int:
        return None
    x = (<TensorBase>input)._array
    dims = cnp.PyArray_NDIM(x)
    if not -dims <= dim0 < dims or not -dims <= dim1 < dims:
        return None
    a, b = dim0, dim1
    a, b = a + dims if a < 0 else a, b + dims if b < 0 else b
    return _apply_view(_plan(op), input, cnp.PyArray_SwapAxes(x, a, b), {"dim0": a, "dim1": b})
