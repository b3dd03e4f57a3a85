"""Activation modules: each is its function with the settings kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg import functional as F
from npg.creation import empty
from npg.nn.module import Module
from npg.nn.parameter import Parameter
from npg.tensor import Tensor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "GeLU",
]


class _Activation(Module):
    """A function and its settings; `settings` names them with their defaults, in the order of the constructor."""

    function: Callable[..., Any]
    settings: dict[str, Any] = {}
    has_inplace = False
    required: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        names = [*self.required, *self.settings, *(["inplace"] if self.has_inplace else [])]
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__} takes at most {len(names)} arguments, got {len(args)}")
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in names or name in given:
                raise TypeError(f"{type(self).__name__}.__init__() got an unexpected or repeated argument '{name}'")
            given[name] = value
        for name in self.required:
            if name not in given:
                raise TypeError(f"{type(self).__name__}.__init__() missing required argument: '{name}'")
        for name, value in {**self.settings, **({"inplace": False} if self.has_inplace else {}), **given}.items():
            object.__setattr__(self, name, value)

    def forward(self, input: Tensor) -> Tensor:
        values = {n: getattr(self, n) for n in (*self.required, *self.settings)}
        if self.has_inplace and self.inplace:
            values["inplace"] = True
        return type(self).function(input, **values)

    def extra_repr(self) -> str:
        shown = [f"{n}={getattr(self, n)}" for n in (*self.required, *self.settings)]
        if self.has_inplace and self.inplace:
            shown.append("inplace=True")
        return ", ".join(shown)


def _activation(
    name: str,
    function: Callable[..., Any],
    *required: str,
    inplace: bool = False,
    values_only: bool = False,
    **settings: Any,
) -> Any:
    """Return the module class of an activation function."""
    doc = (function.__doc__ or name).split("\n")[0]
    body = {
        "__doc__": f"{doc} Source: torch.nn.{name}.",
        "__module__": __name__,
        "function": staticmethod(function),
        "settings": settings,
        "has_inplace": inplace,
        "required": required,
    }
    if values_only:  # printed without names: Threshold(0.1, 20)
        body["extra_repr"] = lambda self: ", ".join(str(getattr(self, n)) for n in (*required, *settings))
    return type(name, (_Activation,), body)


# ----- Without settings -----

LogSigmoid = _activation("LogSigmoid", F.logsigmoid)
Sigmoid = _activation("Sigmoid", F.sigmoid)
Softsign = _activation("Softsign", F.softsign)
Tanh = _activation("Tanh", F.tanh)
Tanhshrink = _activation("Tanhshrink", F.tanhshrink)

# ----- With settings -----

CELU = _activation("CELU", F.celu, inplace=True, alpha=1.0)
ELU = _activation("ELU", F.elu, inplace=True, alpha=1.0)
GLU = _activation("GLU", F.glu, dim=-1)
Hardshrink = _activation("Hardshrink", F.hardshrink, values_only=True, lambd=0.5)
Hardsigmoid = _activation("Hardsigmoid", F.hardsigmoid, inplace=True)
Hardswish = _activation("Hardswish", F.hardswish, inplace=True)
Hardtanh = _activation("Hardtanh", F.hardtanh, inplace=True, min_val=-1.0, max_val=1.0)
LeakyReLU = _activation("LeakyReLU", F.leaky_relu, inplace=True, negative_slope=0.01)
Mish = _activation("Mish", F.mish, inplace=True)
ReLU = _activation("ReLU", F.relu, inplace=True)
ReLU6 = _activation("ReLU6", F.relu6, inplace=True)
SELU = _activation("SELU", F.selu, inplace=True)
SiLU = _activation("SiLU", F.silu, inplace=True)
Softplus = _activation("Softplus", F.softplus, beta=1.0, threshold=20.0)
Softshrink = _activation("Softshrink", F.softshrink, values_only=True, lambd=0.5)
Threshold = _activation("Threshold", F.threshold, "threshold", "value", inplace=True)


class GELU(Module):
    """x times the probability that a standard normal value is below x. Source: torch.nn.GELU.

    Args:
        approximate: "none" for the error function, "tanh" for the tanh approximation.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class GeLU(GELU):
    """GELU in its tanh form, under numpygrad's name."""

    def __init__(self) -> None:
        super().__init__("tanh")


class PReLU(Module):
    """max(0, x) + weight min(0, x) with a learned weight. Source: torch.nn.PReLU.

    Args:
        num_parameters: 1, or one per channel (dimension 1).
        init: the weight's initial value.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to its initial value."""
        from npg.nn.init import constant_

        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class _AlongDim(Module):
    """An activation along one dimension."""

    function: Callable[..., Any]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """exp(x) / sum of exp(x) along dim. Source: torch.nn.Softmax."""

    function = staticmethod(F.softmax)


class LogSoftmax(_AlongDim):
    """log of softmax along dim. Source: torch.nn.LogSoftmax."""

    function = staticmethod(F.log_softmax)


class Softmin(_AlongDim):
    """softmax of -x along dim. Source: torch.nn.Softmin."""

    function = staticmethod(F.softmin)
