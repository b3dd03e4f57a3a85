# Functions: ops as users call them.

# The kinds of a function, see the twin's Function.
cdef enum Kind:
    FUNCTION, INPLACE, OPERATOR, REFLECTED, AUGMENTED

_KINDS = {
    "function": FUNCTION,
    "inplace": INPLACE,
    "operator": OPERATOR,
    "reflected": REFLECTED,
    "augmented": AUGMENTED,
}


cdef class Function:
    """The public function of an op: checks the arguments, promotes their dtypes, applies the op; see the twin."""

    cdef public object op
    cdef Plan plan
    cdef public object promote
    cdef public str kind
    cdef Kind _kind
    cdef readonly bint writes
    cdef Py_ssize_t _arity
    cdef public tuple _names
    cdef object _rule
    cdef dict __dict__

    def __cinit__(self, op, promote=None, kind="function"):  # so that there is no object without an op
        self.op = op
        self.plan = _plan(op)
        self.promote = promote if op.promote is not None else None
        self.kind = kind
        self._kind = _KINDS[kind]
        self.writes = self._kind == INPLACE or self._kind == AUGMENTED
        self._names = op.inputs
        self._arity = len(op.inputs)
        self.__name__ = self.__qualname__ = op.name + "_" if self._kind == INPLACE else op.name
        self.__doc__ = op.__doc__
        self.__module__ = "npg.functional"

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    def __getattr__(self, name):
        # Made on demand: signatures are slow to make, and hundreds of functions are made at import.
        if name == "__signature__":
            return self.op.signature
        raise AttributeError(f"'Function' object has no attribute '{name}'")

    def __reduce__(self):
        return self.__name__  # pickled by name, as functions are

    def __repr__(self):
        return named(f"<function npg.{self.__name__}{self.__signature__}>")

    def __call__(self, *args, **kwargs):
        target = None
        if kwargs or len(args) != self._arity:
            args, target = bind(self, args, kwargs)
        return self._call(args, target)

    cdef object _call_two(self, object a, object b):
        """Call with two arguments, at least one of them a tensor."""
        cdef object result
        if self.plan.loops is not None and not self.writes and self._arity == 2:
            result = _apply_small(self.plan, b, a, 2) if self._kind == REFLECTED else _apply_small(self.plan, a, b, 2)
            if result is not None:
                return result
        return self._call((a, b), None)

    cdef object _call(self, tuple args, object target):
        cdef tuple original
        cdef int dtype = -1, d
        cdef bint uniform = True
        cdef Py_ssize_t i
        cdef object x
        if self._kind == REFLECTED:
            args = (args[1], args[0])
        original = args
        for i in range(len(args)):
            x = args[i]
            if isinstance(x, TensorBase):
                d = cnp.PyArray_TYPE((<TensorBase>x)._array)
            elif isinstance(x, cnp.ndarray):
                d = cnp.PyArray_TYPE(<cnp.ndarray>x)
                if not _is_known(<cnp.ndarray>x):
                    if self._kind == OPERATOR or self._kind == REFLECTED:
                        return NotImplemented  # NumPy's own operator handles it
                    _check_known(<cnp.ndarray>x)
            else:
                if type(x) is not float and type(x) is not int:
                    uniform = False
                    if not is_number(x):
                        if self._kind != FUNCTION and self._kind != INPLACE:
                            if not (self.writes and isinstance(x, np.generic)):  # NumPy would rebind the name
                                return NotImplemented
                        raise operand_error(self, args, i)
                continue
            if dtype < 0:
                dtype = d
                uniform = uniform and (d == cnp.NPY_FLOAT or d == cnp.NPY_DOUBLE or d == NPY_HALF)
            elif d != dtype:
                uniform = False
        if dtype < 0:
            args, uniform = of_numbers(self, args, wrap), False
        if not uniform and self.promote is not None:
            args = tuple(self.promote(self.op, args, self.writes))
        elif uniform and target is None and self.plan.loops is not None and not self.writes:
            result = _apply_small(self.plan, args[0], args[1] if len(args) == 2 else None, len(args))
            if result is not None:
                return result
        if self.writes:
            if not isinstance(args[0], TensorBase):
                raise operand_error(self, args, 0)
            return _apply_in_place(self.plan, args, _NO_PARAMS)
        if target is None:
            return _apply(self.plan, args, _NO_PARAMS)
        if self._rule is None:
            self._rule = rule_of(self.op)
        return write_out(self.__name__, target, _apply(self.plan, args, _NO_PARAMS), original, self._rule)


# Method calls may then call Function(self, ...) directly, without making a bound method first.
(<PyTypeObject *>Function).tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR
PyType_Modified(<PyTypeObject *>Function)


def write_out(function_name, target, TensorBase result not None, inputs=(), rule=DEFAULT, apart=()):
    """Resize an out= tensor to the shape of a result, copy the result into it, and return it; see the Python twin."""
    cdef bint fits = _fits_out(target, result, inputs)
    if not fits or apart:
        check_out(function_name, target, result, inputs, rule, apart)
    if npg_saved_hooks:
        _saved.before_write((<TensorBase>target)._array)
    if fits:
        cnp.PyArray_CopyInto((<TensorBase>target)._array, result._array)
    else:
        fit_out(target, result)
        before = _silence()
        try:
            np.copyto((<TensorBase>target)._array, result._array, casting="unsafe")
        finally:
            _unsilence(before)
    (<TensorBase>target)._counter.value += 1
    return target


cdef bint _fits_out(target, TensorBase result, inputs) except -1:
    """Tell whether a result fits an out= tensor under any rule: shapes and dtypes agree, it is contiguous, no gradient
    is required, and no input shares its memory, unless it is the tensor itself."""
    cdef cnp.ndarray array, other
    cdef TensorBase t
    if not isinstance(target, TensorBase):
        return False
    t = <TensorBase>target
    array = t._array
    if (
        t._inference
        or _is_meta(t)
        or _is_meta(result)
        or npg_grad_mode and (t.requires_grad or result.requires_grad)
        or cnp.PyArray_TYPE(array) != cnp.PyArray_TYPE(result._array)
        or not cnp.PyArray_ISCARRAY(array)
        or not same_shape(array, result._array)
    ):
        return False
    for x in inputs:
        if x is target:
            continue
        if isinstance(x, TensorBase):
            other = (<TensorBase>x)._array
        elif isinstance(x, cnp.ndarray):
            other = <cnp.ndarray>x
        elif isinstance(x, (list, tuple)):
            return False
        else:
            continue
        if cnp.PyArray_BASE(array) == NULL and cnp.PyArray_BASE(other) == NULL and array is not other:
            continue
        if not cnp.PyArray_ISCARRAY_RO(other):
            return False
        if (
            cnp.PyArray_BYTES(other) < cnp.PyArray_BYTES(array) + cnp.PyArray_NBYTES(array)
            and cnp.PyArray_BYTES(array) < cnp.PyArray_BYTES(other) + cnp.PyArray_NBYTES(other)
        ):
            return False
    return True
