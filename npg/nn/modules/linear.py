"""The identity and the linear map."""

from __future__ import annotations

import math
from typing import Any

from npg.creation import empty
from npg.nn import functional as F, init
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter
from npg.tensor import Tensor


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
        # With a = sqrt(5) this is uniform in +-1/sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
