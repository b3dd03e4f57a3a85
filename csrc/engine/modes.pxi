# Grad mode, inference mode and hooks on saved tensors, for each thread; anomaly mode, for all threads.

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


@cython.binding(False)  # see Node
cdef class ModeBlock:
    """A context manager that switches modes for the length of a block; see the Python twin.

    In C, where no signal handler runs between the steps of entering and leaving.
    """

    cdef int _grad, _inference, _outer
    cdef list _before

    def __cinit__(self, *args, **kwargs):
        self._grad = self._inference = self._outer = -1
        self._before = []

    def _switch(self, int grad, int inference=-1, int outer=-1):
        """Set the modes within the block, -1: unchanged. outer: the grad mode after the block, -1: that before it."""
        self._grad, self._inference, self._outer = grad, inference, outer

    def __enter__(self):
        global npg_grad_mode, npg_inference_mode
        self._before.append((npg_grad_mode if self._outer < 0 else self._outer, npg_inference_mode))
        if self._inference >= 0:
            npg_inference_mode = self._inference
        if self._grad >= 0:
            npg_grad_mode = self._grad

    def __exit__(self, *exc):
        global npg_grad_mode, npg_inference_mode
        grad, inference = self._before.pop()
        if self._inference >= 0:
            npg_inference_mode = inference
        if self._grad >= 0:
            npg_grad_mode = grad


cdef int _put(object target, object name, object value) except -1:
    if not isinstance(target, dict):
        setattr(target, name, value)
    elif value is not MISSING:
        target[name] = value
    else:
        target.pop(name, None)
    return 0


@cython.binding(False)  # see Node
cdef class Block:
    """A context manager that sets values for the length of a block; see npg/_contextlib.py.

    In C, where no signal handler runs between the steps of entering and leaving.
    """

    cdef list _before

    def __cinit__(self, *args, **kwargs):
        self._before = []

    def _places(self):
        """Return the values within the block as (target, name, value), for attributes or for items of dicts."""
        return ()

    def _entered(self):
        """Return the value for `as`. It is called when everything is set."""
        return self

    def _left(self, *error):
        """Clean up; it is called when everything is restored."""

    def __enter__(self):
        cdef list places = [*self._places()], before = []
        for target, name, _ in places:
            before.append((target, name,
                           target.get(name, MISSING) if isinstance(target, dict) else getattr(target, name)))
        self._before.append(before)
        try:
            for target, name, value in places:
                _put(target, name, value)
            return self._entered()
        except BaseException:
            self._put_back()
            raise

    cdef int _put_back(self) except -1:
        cdef list before = <list>self._before.pop()
        while before:
            target, name, value = before.pop()
            _put(target, name, value)
        return 0

    def __exit__(self, *error):
        self._put_back()
        return self._left(*error)


cdef object npg_observer = None


cdef class _Switches:
    """The modes as attributes, for a Block."""

    @property
    def grad(self):
        """Tell whether operations are recorded in this thread."""
        return npg_grad_mode != 0

    @grad.setter
    def grad(self, bint enabled):
        global npg_grad_mode
        npg_grad_mode = enabled

    @property
    def inference(self):
        """Tell whether this thread is in inference mode."""
        return npg_inference_mode != 0

    @inference.setter
    def inference(self, bint enabled):
        global npg_inference_mode
        npg_inference_mode = enabled

    @property
    def saved_hooks(self):
        """Tell whether this thread's nodes pass what they save through the hooks of npg/engine/_saved.py."""
        return npg_saved_hooks != 0

    @saved_hooks.setter
    def saved_hooks(self, bint active):
        global npg_saved_hooks
        npg_saved_hooks = active

    @property
    def anomaly(self):
        """Tell whether nodes remember where they were created, and whether gradients are checked for nan."""
        return npg_anomaly_mode != 0, npg_anomaly_nan != 0

    @anomaly.setter
    def anomaly(self, both):
        global npg_anomaly_mode, npg_anomaly_nan
        cdef bint enabled, check_nan
        enabled, check_nan = both
        npg_anomaly_mode, npg_anomaly_nan = enabled, check_nan

    @property
    def observer(self):
        """Return the callable that wraps every call of an op and of a node's rule, or None; see the Python twin."""
        return npg_observer

    @observer.setter
    def observer(self, observer):
        global npg_observer
        npg_observer = observer


switches = _Switches()


def is_anomaly_enabled():
    """Tell whether anomaly mode is on."""
    return npg_anomaly_mode != 0


def is_anomaly_check_nan_enabled():
    """Tell whether anomaly mode checks gradients for nan."""
    return npg_anomaly_nan != 0


cdef object npg_interceptor = None


def set_interceptor(hook):
    """Call hook(op, inputs, params, way) in place of every call of an op; see the Python twin."""
    global npg_interceptor
    npg_interceptor = hook
