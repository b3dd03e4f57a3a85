"""Normalisation over the last dimensions."""

from __future__ import annotations

import numbers
from typing import Any

from npg.creation import empty
from npg.functional._public import public_function
from npg.nn import functional as F, init
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter
from npg.tensor import Tensor


def _shape(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if isinstance(shape, numbers.Integral) else tuple(shape)


class LayerNorm(Module):
    """Normalise over the last dimensions: y = (x - mean) / sqrt(var + eps) * weight + bias.

    Args:
        normalized_shape: the last dimensions, an int or a tuple.
        eps: added to the variance.
        elementwise_affine: whether to learn weight (and bias).
        bias: whether to learn bias.
    Source: torch.nn.LayerNorm.
    """

    @public_function
    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        for name, is_learned in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            parameter = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if is_learned else None
            self.register_parameter(name, parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight to ones and bias to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        y: Tensor = F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)
        return y

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"


class RMSNorm(Module):
    """Divide by the root mean square of the last dimensions: y = x / sqrt(mean(x^2) + eps) * weight.

    Args:
        normalized_shape: the last dimensions, an int or a tuple.
        eps: added to the mean square; None: the dtype's.
        elementwise_affine: whether to learn weight.
    Source: torch.nn.RMSNorm.
    """

    @public_function
    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        parameter = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight to ones."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = F.rms_norm(x, self.normalized_shape, self.weight, self.eps)
        return y

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
