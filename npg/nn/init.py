"""Initialisation of parameters, in place and outside the graph, with PyTorch's numbers for the same seed.

Each function returns its tensor. `generator` draws the numbers; by default it is npg's global generator.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from npg import creation, functional as F, linalg
from npg._errors import warn
from npg.autograd import no_grad
from npg.functional._public import public_function
from npg.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]


def __dir__() -> list[str]:
    return sorted(__all__)


# ----- Plain distributions -----


@public_function
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with values from U(a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


@public_function
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with values from N(mean, std^2)."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


@public_function
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Fill with values from N(mean, std^2) that lie in [a, b], by rejection sampling.

    Where [a, b] is likely, normal values outside are rejected; else uniform values of [a, b], by the density.
    """

    def below(x: float) -> float:
        return (1.0 + math.erf((x - mean) / std / math.sqrt(2.0))) / 2.0

    if mean < a - 2 * std or mean > b + 2 * std:
        warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect."
        )
    if tensor.is_meta:
        return tensor
    with no_grad():
        drawn = creation.empty(tensor.shape, dtype=tensor.dtype)
        pending: Any = None  # first all of them, then a mask; every round draws for all, as in PyTorch
        if below(b) - below(a) > 0.3:
            low, high = creation.full_like(drawn, a), creation.full_like(drawn, b)
            while pending is None or bool(pending.any()):
                drawn.normal_(mean, std, generator=generator)
                tensor.copy_(drawn if pending is None else F.where(pending, drawn, tensor))
                pending = (tensor < low) | (tensor > high)
        else:
            peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
            if not peak > -1e20:  # rounding would reject every value, and the loop would not end
                raise ValueError(f"expected a mean near [{a}, {b}], got {mean} with std {std}")
            chance = creation.empty(tensor.shape, dtype=tensor.dtype)
            while pending is None or bool(pending.any()):
                drawn.uniform_(a, b, generator=generator)
                tensor.copy_(drawn if pending is None else F.where(pending, drawn, tensor))
                log_density = drawn.sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(peak)
                refused = chance.uniform_(generator=generator).log_().gt(log_density)
                pending = refused if pending is None else pending & refused
    return tensor


@public_function
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with val."""
    with no_grad():
        filled: Tensor = tensor.fill_(val)
        return filled


@public_function
def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


@public_function
def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


@public_function
def eye_(tensor: Tensor) -> Tensor:
    """Fill a 2-D tensor with the identity."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with no_grad():
        filled: Tensor = tensor.copy_(creation.eye(*tensor.shape))
        return filled


@public_function
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a 3- to 5-D convolution weight so that it passes its input channels through unchanged."""
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    out, channels, *kernel = tensor.shape
    if out % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = out // groups
    with no_grad():
        tensor.zero_()
        middle = tuple(k // 2 for k in kernel)
        for g in range(groups):
            for d in range(min(per_group, channels)):
                tensor[(g * per_group + d, d, *middle)] = 1
    return tensor


# ----- Scaled by the sizes of a layer -----


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the gain recommended for a nonlinearity: 1 for linear ones and sigmoid, 5/3 for tanh, sqrt(2) for relu."""
    plain = (
        "linear",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "sigmoid",
    )
    if nonlinearity in plain:
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4
    if nonlinearity == "leaky_relu":
        if param is None:
            param = 0.01
        elif isinstance(param, bool) or not isinstance(param, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + param**2))
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


@public_function
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill from U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)). Source: Glorot and Bengio 2010."""
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


@public_function
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill from N(0, std^2), std = gain sqrt(2 / (fan_in + fan_out)). Source: Glorot and Bengio 2010."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor))), generator)


@public_function
def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill from U(-b, b), b = gain sqrt(3 / fan). Source: He et al. 2015."""
    if 0 in tensor.shape:
        warn("Initializing zero-element tensors is a no-op")
        return tensor
    bound = math.sqrt(3.0) * (calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode)))
    return uniform_(tensor, -bound, bound, generator)


@public_function
def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill from N(0, std^2), std = gain / sqrt(fan). Source: He et al. 2015."""
    if 0 in tensor.shape:
        warn("Initializing zero-element tensors is a no-op")
        return tensor
    return normal_(
        tensor, 0.0, calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode)), generator
    )


@public_function
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with a (semi-)orthogonal matrix; dimensions after the first are flattened. Source: Saxe et al. 2013."""
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    gain = float(gain)  # raises before anything is drawn
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    with no_grad():
        drawn = creation.empty((rows, columns), dtype=tensor.dtype).normal_(0, 1, generator=generator)
        if rows < columns:
            drawn = drawn.t()
        q, r = linalg.qr(drawn)
        # The signs of the diagonal make q uniform (arXiv:math-ph/0609050).
        q = q * F.diag(r, 0).sign()
        if rows < columns:
            q = q.t()
        tensor.copy_(q.reshape(tensor.shape))
        return tensor.mul_(gain)


@public_function
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill a 2-D tensor from N(0, std^2) and zero a fraction of each column. Source: Martens 2010."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[creation.randperm(rows)[:zeros], column] = 0
    return tensor


# ----- Old names, without the underscore -----


def _deprecated(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    new = function.__name__
    old = new[:-1]

    def call(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = old
    call.__doc__ = f"Do what {new} does; the old name, which warns."
    return call


constant = _deprecated(constant_)
dirac = _deprecated(dirac_)
eye = _deprecated(eye_)
kaiming_normal = _deprecated(kaiming_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
normal = _deprecated(normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
uniform = _deprecated(uniform_)
xavier_normal = _deprecated(xavier_normal_)
xavier_uniform = _deprecated(xavier_uniform_)
