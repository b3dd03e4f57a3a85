# The tensor as the graph sees it: an array, its history, its gradient, its version.

@cython.final
@cython.freelist(512)
cdef class VersionCounter:
    """The number of times a buffer was written in place; a tensor and its views share one."""

    cdef public long long value


@cython.c_api_binop_methods(True)
@cython.binding(False)  # see Node
cdef class TensorBase:
    """An ndarray with a place in the graph; see the Python twin for the attributes."""

    cdef public cnp.ndarray _array
    cdef public object _grad
    cdef public Node _fn
    cdef public VersionCounter _counter
    cdef public TensorBase _base
    cdef public dict _hooks
    cdef public dict _post_hooks
    cdef public object _accumulator
    cdef public long long _seen
    cdef public int _nr
    cdef public int _kind
    cdef public bint _requires_grad
    cdef public bint _retains
    cdef public bint _inference

    def _set_array(self, cnp.ndarray array not None):
        """Make this a new leaf on `array`. For constructors."""
        _check_known(array)
        self._array = array
        self._counter = VersionCounter.__new__(VersionCounter)
        self._inference = npg_inference_mode

    def _swap_array(self, cnp.ndarray array not None):
        """Replace the buffer; the place in the graph and the version stay. For `x.data = y`."""
        cdef long long version = self._counter.value
        _check_known(array)
        self._array = array
        self._counter = VersionCounter.__new__(VersionCounter)
        self._counter.value = version

    def _share_version(self, TensorBase other not None):
        self._counter = other._counter

    @property
    def grad_fn(self):
        """Return the node that produced this tensor, or None for a leaf."""
        return _history(self)

    @property
    def requires_grad(self):
        """Tell whether gradients flow to or through this tensor."""
        if self._kind and self._base is not None and self._seen != self._counter.value:
            # See the comment in the twin.
            base_requires = self._kind != NO_GRAD_VIEW_ and self._base.requires_grad
            return self._requires_grad or self._fn is not None or base_requires
        return self._requires_grad or _history(self) is not None

    @property
    def is_leaf(self):
        """Tell whether no recorded operation produced this tensor."""
        return _history(self) is None

    @property
    def output_nr(self):
        """Return this tensor's number among the outputs of grad_fn."""
        return self._nr

    @property
    def retains_grad(self):
        """Tell whether this non-leaf tensor keeps its gradient in .grad."""
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
        if flag and self._inference and not npg_inference_mode:
            raise RuntimeError(_errors.INFERENCE_REQUIRES_GRAD)
        self._requires_grad = bool(flag)

    def _detach_in_place(self):
        self._fn = None
        self._nr = 0
        self._requires_grad = False
        self._base = None

    def retain_grad(self):
        """Keep this tensor's gradient in .grad although it is not a leaf."""
        fn = _history(self)
        if fn is None:
            if not self._requires_grad:
                raise RuntimeError(_errors.RETAIN_LEAFLESS)
            return
        self._retains = True
        retain(self, fn, self._nr)

    def register_hook(self, hook):
        """Call hook(grad) when the gradient of this tensor is complete; a tensor that it returns replaces it."""
        if not self.requires_grad:
            raise RuntimeError(_errors.HOOK_WITHOUT_GRAD)
        fn = _history(self)
        if fn is None:
            if self._hooks is None:
                self._hooks = {}
            return RemovableHandle(self._hooks, hook)
        _show(fn)
        if fn.tensor_hooks is None:
            fn.tensor_hooks = {}
        return RemovableHandle(fn.tensor_hooks.setdefault(self._nr, {}), hook)

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

    # The operators of register_operators, in C, so that Python need not look up their names. It calls each with the
    # operands in order, also for the reflected operation (c_api_binop_methods).

    def __add__(a, b):
        return _operate(0, a, b)

    def __sub__(a, b):
        return _operate(2, a, b)

    def __mul__(a, b):
        return _operate(4, a, b)

    def __truediv__(a, b):
        return _operate(6, a, b)

    def __neg__(self):
        return _operators[8](self)


cdef list _operators = [None] * len(_arguments.OPERATORS)


def register_operators(table):
    """Install these functions, by name, as the operators of tensors; see the twin. npg/tensor calls this once."""
    for i, operator_name in enumerate(_arguments.OPERATORS):
        _operators[i] = table[operator_name]


cdef inline object _operate(int which, object a, object b):
    """Apply operator number `which`, or its reflection, the next one, where only the right operand is a tensor."""
    if not isinstance(a, TensorBase):
        which, a, b = which + 1, b, a
    function = _operators[which]
    return (<Function>function)._call_two(a, b) if isinstance(function, Function) else function(a, b)


cdef tuple _NO_ARGUMENTS = ()
cdef cnp.ndarray _NOTHING = np.empty(0, np.float32)


cdef object _new_from_python(PyTypeObject *cls, PyObject *args, PyObject *kwargs):
    """Make a tensor for a call from Python, which may never set an array: the tensor is empty until then."""
    cdef TensorBase t = <TensorBase>npg_new(cls, _NO_ARGUMENTS)
    t._array = _NOTHING
    t._counter = VersionCounter.__new__(VersionCounter)
    return t


npg_replace_new(<PyTypeObject *>TensorBase, _new_from_python)
npg_check_attribute(0, <PyTypeObject *>TensorBase, b"_array", <PyTypeObject *>cnp.ndarray)
npg_check_attribute(1, <PyTypeObject *>TensorBase, b"_counter", <PyTypeObject *>VersionCounter)

cdef type _tensor_class = TensorBase


def register_tensor_class(type cls not None):
    """Let outputs be instances of `cls` from now on. npg/tensor calls this once."""
    global _tensor_class
    _tensor_class = cls


cdef inline Node _history(TensorBase x):
    # See the comment in the twin's `grad_fn`.
    if x._base is not None and x._seen != x._counter.value:
        _renew_view(x)
    return x._fn


cdef int _renew_view(TensorBase x) except -1:
    cdef TensorBase base = x._base
    if x._fn is not None or base._requires_grad or base._fn is not None:
        if x._kind:
            refuse_view(x, x._fn, _errors.INDIRECTLY)
        x._fn = _record(_plan(as_strided), (base,), geometry(base._array, x._array), x._array, None)
        x._nr = 0
        if x._retains:
            retain(x, x._fn, 0)
    x._seen = x._counter.value
    return 0


cdef inline TensorBase _new_tensor():
    # As TensorBase.__new__(_tensor_class), but without an array.
    return <TensorBase>npg_new(<PyTypeObject *>_tensor_class, _NO_ARGUMENTS)


# NumPy's type numbers of the dtypes of npg, as bits.
cdef unsigned long long _known_types = sum(1 << dtype.num for dtype in dtypes.KNOWN)


cdef inline bint _is_known(cnp.ndarray array) noexcept:
    cdef int number = cnp.PyArray_TYPE(array)
    return 0 <= number < 64 and (_known_types >> number) & 1 and cnp.PyArray_ISNOTSWAPPED(array)


cdef inline int _check_known(cnp.ndarray array) except -1:
    """Raise when npg has no dtype for an array, so that no tensor can hold it."""
    if not _is_known(array):
        dtypes.check_known(array.dtype)
    return 0


cdef inline TensorBase _make(cnp.ndarray array):
    _check_known(array)
    cdef TensorBase t = _new_tensor()
    t._array = array
    t._counter = VersionCounter.__new__(VersionCounter)
    t._inference = npg_inference_mode
    return t


def wrap(array):
    """Return a new leaf tensor that shares an ndarray (or holds a NumPy scalar); see the twin."""
    return _make(array if isinstance(array, cnp.ndarray) else _asarray(array))


cdef inline bint _has_hooks(TensorBase leaf) noexcept:
    return leaf._hooks is not None or leaf._post_hooks is not None or leaf._accumulator is not None
