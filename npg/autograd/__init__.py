"""Gradients as functions: backward, grad, and the grad modes. Source: torch.autograd."""

from typing import Any

from npg.autograd import anomaly_mode, function, functional, graph
from npg.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from npg.autograd.function import Function
from npg.autograd.gradcheck import gradcheck, gradgradcheck
from npg.engine import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from npg.tensor import Tensor
from npg.tensor.gradients import backward, grad

__all__ = [
    "Function",
    "Variable",
    "anomaly_mode",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "function",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]


class _Variable(type):
    def __call__(cls, data: Any, requires_grad: bool = False) -> Any:
        found = data.detach()
        return found.requires_grad_() if requires_grad else found

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_Variable):
    """Return a tensor on the same memory as data; what a tensor with a gradient was called before PyTorch 0.4."""
