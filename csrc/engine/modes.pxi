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
