"""Grad mode, inference mode and hooks on saved tensors, for each thread; anomaly mode, for all threads."""

from __future__ import annotations

import threading
from typing import Any

from npg._contextlib import Block


class _State(threading.local):
    grad = True
    inference = False
    saved_hooks = False


class _Anomaly:
    enabled = False
    check_nan = True


class _Interception:
    hook: Any = None
    observer: Any = None


state = _State()
anomaly = _Anomaly()
interception = _Interception()


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


class ModeBlock(Block):
    """A context manager that switches modes for the length of a block."""

    def _switch(self, grad: int, inference: int = -1, outer: int = -1) -> None:
        """Set the modes within the block, -1: unchanged. outer: the grad mode after the block, -1: that before it."""
        self._grad, self._inference, self._outer = grad, inference, outer

    def _places(self) -> Any:
        if self._outer >= 0:  # grad mode was switched when the block was made
            state.grad = self._outer > 0
        places = []
        if self._inference >= 0:
            places.append((switches, "inference", self._inference > 0))
        if self._grad >= 0:
            places.append((switches, "grad", self._grad > 0))
        return places

    def _entered(self) -> None:
        return None


class _Switches:
    """The modes as attributes, for a Block; `saved_hooks`: this thread's nodes pass what they save through hooks."""

    @property
    def grad(self) -> bool:
        return state.grad

    @grad.setter
    def grad(self, enabled: bool) -> None:
        state.grad = enabled

    @property
    def inference(self) -> bool:
        return state.inference

    @inference.setter
    def inference(self, enabled: bool) -> None:
        state.inference = enabled

    @property
    def saved_hooks(self) -> bool:
        return state.saved_hooks

    @saved_hooks.setter
    def saved_hooks(self, active: bool) -> None:
        state.saved_hooks = active

    @property
    def anomaly(self) -> tuple[bool, bool]:
        return anomaly.enabled, anomaly.check_nan

    @anomaly.setter
    def anomaly(self, both: tuple[bool, bool]) -> None:
        anomaly.enabled, anomaly.check_nan = both

    @property
    def observer(self) -> Any:
        """Return the callable that wraps every call of an op and of a node's rule, in all threads, or None.

        It is called as observer(phase, op, inputs, run), and must call run() and return its result. `phase` is
        "forward" or "backward"; the inputs of a rule are its node and the gradient.
        """
        return interception.observer

    @observer.setter
    def observer(self, observer: Any) -> None:
        interception.observer = observer


switches = _Switches()


def is_anomaly_enabled() -> bool:
    """Tell whether anomaly mode is on."""
    return anomaly.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Tell whether anomaly mode checks gradients for nan."""
    return anomaly.check_nan


def set_interceptor(hook: Any) -> None:
    """Call hook(op, inputs, params, way) in place of every call of an op, in all threads; None: no hook.

    Its return value is the result, unless that is NotImplemented: then the op runs. `way` names the engine's function:
    "apply", "apply_in_place", "attach" or "check_in_place" (op is then None).
    """
    interception.hook = hook
