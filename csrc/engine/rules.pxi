# Rules as loops.
#
# Most rules of elementwise ops are one or two ufuncs, such as `g * b`. Traced once on probes, such a rule becomes a
# list of steps, which then runs without a Python frame.

cdef int CONSTANT = 32, RESULT = 16  # places: 0 is g, 1 is y, 2 and up the inputs; RESULT + k the result of step k


@cython.final
cdef class RuleSteps:
    """A rule as a list of loops."""

    cdef int count, result
    cdef list loops, constants
    cdef int left[8]
    cdef int right[8]  # -1: a step of one input

    cdef inline object _value(self, int place, object g, object y, tuple inputs, list results):
        if place >= CONSTANT:
            return self.constants[place - CONSTANT]
        if place >= RESULT:
            return results[place - RESULT]
        return g if place == 0 else y if place == 1 else _value(inputs[place - 2])

    cdef object run(self, object g, object y, tuple inputs):
        """Return the rule's gradient, or None where the rule itself must be called."""
        cdef list results = None
        cdef object value, right
        cdef int i
        if self.count == 0:
            return g
        if self.count > 1:
            results = []
        for i in range(self.count):
            right = None if self.right[i] < 0 else self._value(self.right[i], g, y, inputs, results)
            value = run_loop(
                <Loops>self.loops[i], self._value(self.left[i], g, y, inputs, results), right, None
            )
            if value is None:
                return None
            if results is not None:
                results.append(value)
        return value


cdef int _number(object probe) except -1:
    kind, number = probe.place
    return number if kind == "in" else RESULT + number


cdef RuleSteps _read_rule(object rule, int arity):
    """Return a rule's steps, or None for one that does more than apply ufuncs to its arguments."""
    cdef RuleSteps steps
    cdef list recorded = []
    cdef int i, k
    code = getattr(rule, "__code__", None)
    # Names other than NumPy's could refer to anything, such as code that reads shapes or types.
    if code is None or code.co_freevars or code.co_kwonlyargcount or not all(
        [name == "np" or isinstance(getattr(np, name, None), np.ufunc) for name in code.co_names]
    ):
        return None
    try:
        result = rule(*[Probe(recorded, ("in", i)) for i in range(2 + arity)])
    except Exception:
        return None
    if not isinstance(result, Probe) or len(recorded) > 8:
        return None
    steps = RuleSteps.__new__(RuleSteps)
    steps.count, steps.loops, steps.constants = len(recorded), [], []
    for i in range(steps.count):
        step = recorded[i]
        operands, loops = step.inputs, loops_of(step.ufunc)
        if loops is None or step.shape != "full":
            return None
        steps.loops.append(loops)
        steps.right[i] = -1
        for k in range(len(operands)):
            if isinstance(operands[k], Probe):
                place = _number(operands[k])
            elif type(operands[k]) is float or type(operands[k]) is int:
                place = CONSTANT + len(steps.constants)
                steps.constants.append(operands[k])
            else:
                return None
            if k == 0:
                steps.left[i] = place
            else:
                steps.right[i] = place
    steps.result = _number(result)
    # The result must be that of the last step, or g itself where there are no steps.
    if steps.result != (RESULT + steps.count - 1 if steps.count else 0):
        return None
    return steps
