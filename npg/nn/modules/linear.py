"""The identity and the linear map."""

from __future__ import annotations

import math
from typing import Any

from npg.autograd import no_grad
from npg.creation import empty, empty_like
from npg.functional._attributes import contiguous_format
from npg.nn import functional as F, init
from npg.nn.modules.lazy import LazyModuleMixin
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter, UninitializedParameter
from npg.tensor import Tensor


def draw_uniform(weight: Tensor, bias: Tensor | None) -> None:
    """Fill a weight (out, in, ...) and a bias from U(-1/sqrt(n), 1/sqrt(n)), n inputs of an output (fan in)."""
    drawn = weight if weight.is_contiguous() else empty_like(weight, memory_format=contiguous_format)
    init.kaiming_uniform_(drawn, a=math.sqrt(5))  # with this a the bound is that
    if drawn is not weight:
        with no_grad():
            weight.copy_(drawn)
    if bias is not None:
        fan_in, _ = init._calculate_fan_in_and_fan_out(weight)
        bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
        init.uniform_(bias, -bound, bound)


class Identity(Module):
    """Return the input. Constructor arguments are ignored. Source: torch.nn.Identity."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """y = x A^T + b.

    Args:
        in_features, out_features: sizes of the last dimension of input and output.
        bias: whether to learn b.
    Attributes:
        weight: (out_features, in_features), uniform in +-1/sqrt(in_features), PyTorch's numbers for the same seed.
        bias: (out_features,), from the same range, or None.
    Source: torch.nn.Linear.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(empty((out_features, in_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial weights anew."""
        draw_uniform(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        # Attributes of a module take longer than a small product: the table has both, unless a hook or a
        # parametrization has taken the place of one.
        own = self._parameters
        if "weight" in own and "bias" in own:
            return F.linear(input, own["weight"], own["bias"])
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """y = x1 A x2 + b, for each output a matrix A.

    Args:
        in1_features, in2_features, out_features: sizes of the last dimension of the inputs and the output.
        bias: whether to learn b.
    Attributes:
        weight: (out_features, in1_features, in2_features), uniform in +-1/sqrt(in1_features).
        bias: (out_features,), from the same range, or None.
    Raises: ValueError: when in1_features is not positive.
    Source: torch.nn.Bilinear.
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(empty((out_features, in1_features, in2_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial weights anew."""
        if self.in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={self.in1_features})")
        bound = 1 / math.sqrt(self.weight.shape[1])
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class LazyLinear(LazyModuleMixin, Linear):
    """A Linear whose in_features come from the first input.

    Args: out_features, bias: as of Linear.
    Source: torch.nn.LazyLinear.
    """

    cls_to_become = Linear
    weight: Any
    bias: Any

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)  # without a bias, which would be replaced
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the initial weights anew, once their shapes are known."""
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Give weight and bias their shapes and values, for an input of the first call."""
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()
        if self.in_features == 0:  # the weight was loaded
            if input.shape[-1] != self.weight.shape[-1]:
                raise AssertionError(
                    f"The in_features inferred from input: {input.shape[-1]} is not equal to in_features from "
                    f"self.weight: {self.weight.shape[-1]}"
                )
            self.in_features = input.shape[-1]


class NonDynamicallyQuantizableLinear(Linear):
    """Linear under the name that MultiheadAttention gives its last projection. Source: torch.nn.modules.linear."""
