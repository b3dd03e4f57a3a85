"""Gradients as functions: backward, grad and the grad modes; custom functions, Jacobians, anomaly mode and hooks on
saved tensors, loaded on first use. Source: torch.autograd.
"""

from typing import TYPE_CHECKING, Any

from npg import _lazy
from npg._errors import warn
from npg.autograd.gradcheck import gradcheck, gradgradcheck  # now: importing the module later would rebind its name
from npg.engine import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    queue_callback,
    set_grad_enabled,
)
from npg.tensor import Tensor
from npg.tensor.gradients import backward, grad

if TYPE_CHECKING:
    from npg.autograd import anomaly_mode, function, functional, graph, profiler
    from npg.autograd._settings import (
        is_multithreading_enabled as is_multithreading_enabled,
        is_view_replay_enabled as is_view_replay_enabled,
        set_multithreading_enabled as set_multithreading_enabled,
    )
    from npg.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
    from npg.autograd.function import Function
    from npg.autograd.strict import strict_dtype

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
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
    "strict_dtype",
]


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:  # for type checkers, the names above are all
    __getattr__ = _lazy.loader(
        __name__,
        {
            "Function": "npg.autograd.function",
            "detect_anomaly": "npg.autograd.anomaly_mode",
            "set_detect_anomaly": "npg.autograd.anomaly_mode",
            "is_multithreading_enabled": "npg.autograd._settings",
            "is_view_replay_enabled": "npg.autograd._settings",
            "set_multithreading_enabled": "npg.autograd._settings",
            "strict_dtype": "npg.autograd.strict",
        },
        {name: f"npg.autograd.{name}" for name in ("anomaly_mode", "function", "functional", "graph", "profiler")},
    )


class _Variable(type):
    def __call__(cls, data: Any, requires_grad: bool = False, *, volatile: Any = None) -> Any:
        if volatile is not None:
            warn("volatile was removed and now has no effect. Use `with npg.no_grad():` instead.")
        variable = data.detach()
        return variable.requires_grad_() if requires_grad else variable

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class _ExecutionEngine:
    """What PyTorch's engine offers to Python."""

    queue_callback = staticmethod(queue_callback)


class Variable(metaclass=_Variable):
    """Return a tensor that shares data's memory; before PyTorch 0.4 the type of tensors with gradients."""

    _execution_engine = _ExecutionEngine()
