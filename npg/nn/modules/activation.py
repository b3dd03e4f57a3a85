"""Activation modules: each calls its function with stored settings."""

from __future__ import annotations

import warnings
from typing import Any

from npg.creation import empty
from npg.functional._public import public_function
from npg.nn import functional as F
from npg.nn.init import constant_
from npg.nn.modules.module import Module
from npg.nn.modules.multi_head_attention import MultiheadAttention as MultiheadAttention
from npg.nn.parameter import Parameter
from npg.tensor import Tensor


class _Activation(Module):
    """Calls the function of torch.nn.functional named `function` with the attributes that `settings` names."""

    function: str
    settings: tuple[str, ...] = ()

    def forward(self, input: Tensor) -> Tensor:
        y: Tensor = getattr(F, self.function)(input, **{name: getattr(self, name) for name in self.settings})
        return y

    def extra_repr(self) -> str:
        shown = [f"{name}={getattr(self, name)}" for name in self.settings if name != "inplace"]
        if "inplace" in self.settings and self.inplace:
            shown.append("inplace=True")
        return ", ".join(shown)


# ----- Without settings -----


class LogSigmoid(_Activation):
    """log(1 / (1 + exp(-x))). Source: torch.nn.LogSigmoid."""

    function = "logsigmoid"


class Sigmoid(_Activation):
    """1 / (1 + exp(-x)). Source: torch.nn.Sigmoid."""

    function = "sigmoid"


class Softsign(_Activation):
    """x / (1 + |x|). Source: torch.nn.Softsign."""

    function = "softsign"


class Tanh(_Activation):
    """The hyperbolic tangent. Source: torch.nn.Tanh."""

    function = "tanh"


class Tanhshrink(_Activation):
    """x - tanh(x). Source: torch.nn.Tanhshrink."""

    function = "tanhshrink"


# ----- In place or not -----


class _InPlace(_Activation):
    """Args: inplace: write the result into the input."""

    settings: tuple[str, ...] = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class Hardsigmoid(_InPlace):
    """0 below -3, 1 above 3, x / 6 + 1/2 between. Source: torch.nn.Hardsigmoid."""

    function = "hardsigmoid"

    def extra_repr(self) -> str:
        return ""  # as PyTorch prints it


class Hardswish(_InPlace):
    """x hardsigmoid(x). Source: torch.nn.Hardswish."""

    function = "hardswish"

    def extra_repr(self) -> str:
        return ""  # as PyTorch prints it


class Mish(_InPlace):
    """x tanh(softplus(x)). Source: torch.nn.Mish."""

    function = "mish"


class ReLU(_InPlace):
    """max(0, x). Source: torch.nn.ReLU."""

    function = "relu"


class SELU(_InPlace):
    """The ELU that keeps mean 0 and variance 1. Source: torch.nn.SELU."""

    function = "selu"


class SiLU(_InPlace):
    """x sigmoid(x). Source: torch.nn.SiLU."""

    function = "silu"


# ----- With settings -----


class _Alpha(_InPlace):
    settings = ("alpha", "inplace")

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha


class CELU(_Alpha):
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1)). Source: torch.nn.CELU."""

    function = "celu"


class ELU(_Alpha):
    """x above 0, alpha (exp(x) - 1) below. Source: torch.nn.ELU."""

    function = "elu"


class LeakyReLU(_InPlace):
    """x above 0, negative_slope x below. Source: torch.nn.LeakyReLU."""

    function = "leaky_relu"
    settings = ("negative_slope", "inplace")

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope


class Threshold(_InPlace):
    """x above threshold, value elsewhere. Source: torch.nn.Threshold."""

    function = "threshold"
    settings = ("threshold", "value", "inplace")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value


class RReLU(Module):
    """Leaky ReLU with slopes drawn between lower and upper in training, and their mean otherwise.

    Source: torch.nn.RReLU.
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}{', inplace=True' if self.inplace else ''}"


class Hardtanh(_InPlace):
    """x, clamped to [min_val, max_val].

    Args:
        min_val, max_val: the bounds. min_value, max_value: their old names.
        inplace: write the result into the input.
    Raises: AssertionError: when the bounds are not in order.
    Source: torch.nn.Hardtanh.
    """

    function = "hardtanh"
    settings = ("min_val", "max_val", "inplace")

    @public_function
    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        for name, value in (("min", min_value), ("max", max_value)):
            if value is not None:
                warnings.warn(
                    f"keyword argument `{name}_value` is deprecated and renamed to `{name}_val`",
                    FutureWarning,
                    stacklevel=2,
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if self.max_val <= self.min_val:
            raise AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})")


class ReLU6(Hardtanh):
    """min(max(0, x), 6). Source: torch.nn.ReLU6."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Softplus(_Activation):
    """log(1 + exp(beta x)) / beta; x itself where beta x is above threshold. Source: torch.nn.Softplus."""

    function = "softplus"
    settings = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold


class _Shrinking(_Activation):
    settings = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrinking):
    """x where |x| is above lambd, else 0. Source: torch.nn.Hardshrink."""

    function = "hardshrink"


class Softshrink(_Shrinking):
    """x moved towards 0 by lambd, at most to 0. Source: torch.nn.Softshrink."""

    function = "softshrink"


class GELU(_Activation):
    """x times the probability that a standard normal value is below x. Source: torch.nn.GELU.

    Args:
        approximate: "none" for the error function, "tanh" for the tanh approximation.
    """

    function = "gelu"
    settings = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class GeLU(GELU):
    """GELU with the tanh approximation, under numpygrad's name."""

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
        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


# ----- Along one dimension -----


class _AlongDim(_Activation):
    settings = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({"dim": None, **state})  # of old pickles


class Softmax(_AlongDim):
    """exp(x) / sum of exp(x) along dim. Source: torch.nn.Softmax."""

    function = "softmax"


class LogSoftmax(_AlongDim):
    """log of softmax along dim. Source: torch.nn.LogSoftmax."""

    function = "log_softmax"


class Softmin(_AlongDim):
    """softmax of -x along dim. Source: torch.nn.Softmin."""

    function = "softmin"


class Softmax2d(Module):
    """softmax over the channels of (C, H, W) or (B, C, H, W). Source: torch.nn.Softmax2d."""

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return F.softmax(input, -3)


class GLU(_Activation):
    """a sigmoid(b), for the two halves a and b of the input along dim. Source: torch.nn.GLU."""

    function = "glu"
    settings = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim
