# Running a node: the rules of its op compute the gradients of its inputs.


cdef inline object _run_node(Node node, object g, bint recorded):
    if node.packed or npg_anomaly_mode:
        return _vjp_checked(node, g, recorded)
    return _vjp_recorded(node, g) if recorded else _vjp(node, g)


def _run_node_unobserved(Node node, g, bint recorded):
    return _run_node(node, g, recorded)


cdef object _vjp(Node node, object g):
    """Run the op's rules on arrays; return a gradient or None for each input."""
    cdef Plan plan = node.plan
    cdef tuple inputs = node.inputs
    cdef Py_ssize_t n = len(node.targets)
    cdef object y = node.output
    _check_versions(node)
    if type(node.saved) is _shapes:
        return node.saved.gradients(plan.op, node.needs)
    # The common cases, without an intermediate list: one or two inputs, no settings, no broadcasting to undo.
    if plan.joint is None and node.params is _NO_PARAMS and node.shapes is None:
        if n == 2:
            return (
                _run_rule(plan, node, 0, g, y, inputs) if node.targets[0] is not None else None,
                _run_rule(plan, node, 1, g, y, inputs) if node.targets[1] is not None else None,
            )
        if n == 1:
            return (_run_rule(plan, node, 0, g, y, inputs),)
    return _run_rules(node, plan.joint, g, y, [_value(x) for x in inputs])


cdef inline object _run_rule(Plan plan, Node node, int i, object g, object y, tuple inputs):
    """Run the rule of input i of an op of one or two inputs, as loops where possible."""
    cdef object result, rule = plan.vjps[i]
    if rule is None:
        return None
    if plan.steps is not None and plan.steps[i] is not None:
        result = (<RuleSteps>plan.steps[i]).run(g, y, inputs)
        if result is not None:
            return result
    if _is_half(g):
        return _run_rules(node, None, g, y, [_value(x) for x in inputs])[i]
    if plan.elementwise and _are_large((g,)):
        return rule_in_blocks(rule, (g, y, *[_value(x) for x in inputs]), {})
    if len(inputs) == 2:
        return rule(g, y, _value(inputs[0]), _value(inputs[1]))
    return rule(g, y, _value(inputs[0]))


cdef object _vjp_recorded(Node node, object g):
    """Run the op's rules on tensors and record them, for create_graph."""
    cdef Plan plan = node.plan
    cdef object y = node.output
    _check_versions(node)
    if type(node.saved) is _shapes and plan.is_fused and plan.recorded is not None:
        return [None if x is None else wrap(x) for x in node.saved.gradients(plan.op, node.needs)]
    if plan.is_fused and plan.recorded is None:
        return _composite_vjp(node, g)
    if y is not None:
        if plan.is_multi:
            y = tuple([None if a is None else _output_tensor(node, a, i) for i, a in enumerate(y)])
        else:
            y = _output_tensor(node, y, 0)
    return _run_rules(node, plan.recorded if plan.is_fused else plan.joint, g, y, node.inputs)


def _cast(x, dtype):
    return _apply(_plan(cast), (x,), {"dtype": dtype}) if isinstance(x, TensorBase) else x.astype(dtype)


cdef object _run_rules(Node node, object joint, object g, object y, object inputs):
    cdef Plan plan = node.plan
    cdef Py_ssize_t i
    cdef list grads
    cdef bint half = False
    if not plan.exact:
        half = _half.among(g) if plan.is_multi else _is_half(_value(g))
    if half:
        g, y, inputs = _half.in_float32(plan.op, g, y, inputs, node.params, _cast)
    if joint is not None:
        if plan.is_fused:
            grads = list(joint(g, y, *inputs, saved=node.saved, needs=node.needs, **node.params))
        else:
            grads = list(joint(g, y, *inputs, needs=node.needs, **node.params))
    elif plan.elementwise and isinstance(g, cnp.ndarray) and _are_large((g,)):
        grads = [
            None if target is None or rule is None else rule_in_blocks(rule, (g, y, *inputs), node.params)
            for rule, target in zip(plan.vjps, node.targets, strict=True)
        ]
    else:
        grads = [
            None if target is None or rule is None else rule(g, y, *inputs, **node.params)
            for rule, target in zip(plan.vjps, node.targets, strict=True)
        ]
    if node.shapes is not None:
        for i in range(len(grads)):
            if grads[i] is not None:
                grads[i] = unbroadcast(grads[i], node.shapes[i])
    return _half.narrow(grads, _cast) if half else grads


cdef object _vjp_checked(Node node, object g, bint recorded):
    """Unpack what hooks have packed, run the op's rules, and in anomaly mode check the results for nan."""
    cdef tuple stored = (node.inputs, node.output, node.saved)
    cdef bint packed = node.packed and node.inputs is not None
    try:
        if packed:
            node.inputs, node.output, node.saved, node.versions = _saved.unpack(node, wrap, TensorBase, recorded)
            node.packed = False
        results = _vjp_recorded(node, g) if recorded else _vjp(node, g)
        if npg_anomaly_mode and npg_anomaly_nan:
            _anomaly.check(node, results)
    except Exception:
        if npg_anomaly_mode:
            _anomaly.warn_of_error(node)
        raise
    finally:
        if packed:
            node.packed, node.versions = True, None
            node.inputs, node.output, node.saved = stored
    return results


cdef TensorBase _output_tensor(Node node, cnp.ndarray array, int nr):
    cdef TensorBase t = _make(array)
    if _is_differentiable(array):
        t._fn = node
        t._nr = nr
    return t


cdef object _composite_vjp(Node node, object g):
    # Aliases, because one tensor may be several inputs (as in self-attention) and each needs a gradient of its own.
    needs = node.needs
    inputs = [apply(alias, (x,), {}) if need else x for x, need in zip(node.inputs, needs, strict=True)]
    gs = g if node.plan.is_multi else (g,)
    half = _half.among(gs)
    y = node.plan.op.composite(*(_half.widen(tuple(inputs), _cast) if half else inputs), **node.params)
    ys = y if node.plan.is_multi else (y,)
    known = [(_cast(y, _half.HALF) if half else y, g) for y, g in zip(ys, gs, strict=True) if g is not None]
    differentiated = [x for x, need in zip(inputs, needs, strict=True) if need]
    roots, starts = zip(*known, strict=True)
    grads = iter(run_backward(roots, starts, True, True, differentiated, False))
    return [next(grads) if need else None for need in needs]
