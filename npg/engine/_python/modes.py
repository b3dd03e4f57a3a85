"""Grad mode and inference mode, per thread."""

from __future__ import annotations

import threading


class _State(threading.local):
    grad = True
    inference = False


state = _State()


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded in this thread."""
    return state.grad


def set_grad_mode(enabled: bool) -> None:
    """Switch recording on or off in this thread."""
    state.grad = enabled


def is_inference_mode_enabled() -> bool:
    """Tell whether this thread is in inference mode."""
    return state.inference


def set_inference_mode(enabled: bool) -> None:
    """Switch inference mode on or off in this thread."""
    state.inference = enabled
