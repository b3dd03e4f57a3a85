# Grad mode, inference mode and hooks on saved tensors, per thread; anomaly mode, for all of them.

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


@cython.binding(False)  # as of Node
cdef class ModeBlock:
    """A context manager that switches modes for the length of a block; see the Python twin.

    In C, for there no handler of a signal runs between the steps of entering or leaving.
    """

    cdef int _grad, _inference, _outer
    cdef list _before

    def __cinit__(self, *args, **kwargs):
        self._grad = self._inference = self._outer = -1
        self._before = []

    def _switch(self, int grad, int inference=-1, int outer=-1):
        """Say what holds within; -1: what holds around. outer: the recording after the block."""
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


def set_saved_hooks(bint active):
    """Tell whether what this thread's nodes save goes through the hooks of npg/engine/_saved.py."""
    global npg_saved_hooks
    npg_saved_hooks = active


def set_anomaly_mode(bint enabled, bint check_nan):
    """Switch on or off that nodes remember where they were made, and that their gradients are looked at."""
    global npg_anomaly_mode, npg_anomaly_nan
    npg_anomaly_mode, npg_anomaly_nan = enabled, check_nan


def is_anomaly_enabled():
    """Tell whether anomaly mode is on."""
    return npg_anomaly_mode != 0


def is_anomaly_check_nan_enabled():
    """Tell whether anomaly mode, when it is on, looks for nan in gradients."""
    return npg_anomaly_nan != 0


cdef object npg_interceptor = None


def set_interceptor(hook):
    """Let hook(op, inputs, params, way) see every call of an op before it runs; see the Python twin."""
    global npg_interceptor
    npg_interceptor = hook


cdef object npg_observer = None


def set_observer(observer):
    """Let observer(phase, op, inputs, run) make every call of an op and of a node's rule; see the Python twin."""
    global npg_observer
    npg_observer = observer
