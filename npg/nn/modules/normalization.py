"""Normalisation over the last dimensions, over groups of channels, and by the channels beside."""

from __future__ import annotations

import numbers
from typing import Any

from npg.autograd import Function
from npg.creation import empty, zeros
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
        own = self._parameters  # as in Linear
        if "weight" in own and "bias" in own:
            weight, bias = own["weight"], own["bias"]
        else:
            weight, bias = self.weight, self.bias
        y: Tensor = F.layer_norm(input, self.normalized_shape, weight, bias, self.eps)
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


class GroupNorm(Module):
    """Normalise groups of channels of each image (N, C, ...): y = (x - mean) / sqrt(var + eps) * weight + bias.

    Args:
        num_groups: into how many groups the channels are divided.
        num_channels: C.
        eps: added to the variance.
        affine: whether to learn weight (and bias), with one number for each channel.
        bias: whether to learn bias.
    Raises: ValueError: when num_groups does not divide num_channels.
    Source: Wu, He, Group Normalization, 2018; torch.nn.GroupNorm.
    """

    @public_function
    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups == 0:
            raise ZeroDivisionError("integer modulo by zero")
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        for name, is_learned in (("weight", affine), ("bias", affine and bias)):
            parameter = Parameter(empty(num_channels, device=device, dtype=dtype)) if is_learned else None
            self.register_parameter(name, parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight to ones and bias to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        y: Tensor = F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)
        return y

    def extra_repr(self) -> str:
        affine = f"affine={self.affine}, bias={self.bias is not None}"
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, {affine}"


class LocalResponseNorm(Module):
    """Divide by a power of the mean square of the channels beside: y = x / (k + alpha mean(x^2))^beta.

    Args:
        size: the number of channels.
        alpha, beta, k: numbers.
    Source: torch.nn.LocalResponseNorm.
    """

    @public_function
    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        y: Tensor = F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)
        return y

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class _CrossMapLRN2d(Function):
    """LocalResponseNorm with PyTorch's windows of this function.

    Forward, channel c adds up the squares of c - p + 1 to c + p - 1 with p = (size + 1) // 2, and from c = p on that of
    channel 0 as well, which PyTorch does not take away. Backward, it adds up g y / scale of `size` channels from c - q
    on, q = size - (size - 1) // 2 rounded down: one channel off the transpose for odd sizes.
    """

    @staticmethod
    def forward(ctx: Any, input: Any, size: Any, alpha: float, beta: float, k: float) -> Any:
        if input.dim() != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        channels, reach = input.size(1), int((size - 1) / 2 + 1)
        squares = input * input
        scale = _windows(squares, 1 - reach, reach)
        if channels > reach:
            scale[:, reach:] += squares[:, :1]
        scale = scale * (alpha / size) + k
        y = scale ** (-beta) * input
        ctx.save_for_backward(input, y, scale)
        ctx.settings = size, alpha, beta
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (g,) = grads
        x, y, scale = ctx.saved_tensors
        size, alpha, beta = ctx.settings
        first = -int(size - (size - 1) / 2)
        ratios = _windows(g * y / scale, first, first + size)
        return scale ** (-beta) * g - x * ratios * (2 * alpha * beta / size), None, None, None, None


_CrossMapLRN2d.__name__ = "CrossMapLRN2d"  # also the node's


def _windows(x: Any, first: int, stop: int) -> Any:
    """Return the sums over the channels c + first to c + stop - 1 of (N, C, H, W), as far as there are any."""
    channels = x.size(1)
    result = zeros(x.shape, dtype=x.dtype)
    for offset in range(max(first, 1 - channels), min(stop, channels)):
        start, end = max(0, -offset), min(channels, channels - offset)
        result[:, start:end] += x[:, start + offset : end + offset]
    return result


class CrossMapLRN2d(Module):
    """Divide by a power of the mean square of the channels beside, of (N, C, H, W).

    Args: as in LocalResponseNorm, whose formula it shares.
    Raises: ValueError: for an input without four dimensions.
    Source: torch.nn.CrossMapLRN2d, whose first channel and gradient differ from that formula, and here too.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        y: Tensor = _CrossMapLRN2d.apply(input, self.size, self.alpha, self.beta, self.k)
        return y

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
