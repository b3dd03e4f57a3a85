# Grad mode and inference mode, per thread.

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
