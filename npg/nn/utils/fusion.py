"""A layer and the normalization of batches behind it as one layer, for evaluation. Source: torch.nn.utils.fusion.

y = (W x + b - mean) scale + shift with scale = weight / sqrt(variance + eps), so W' = W scale and
b' = (b - mean) scale + shift.
"""

from __future__ import annotations

import copy
from typing import Any

from npg.creation import ones_like, zeros_like
from npg.functional._public import public_function
from npg.nn.parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


@public_function
def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """Return a copy of a convolution that does what it and the normalization behind it do in evaluation.

    Args:
        conv, bn: modules in evaluation mode, bn with running statistics.
        transpose: the convolution is a transposed one, whose weight has the output's channels second.
    Raises: AssertionError: when one of them is in training mode, or there are no statistics.
    """
    _check(conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


@public_function
def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """Return a copy of a linear layer that does what it and the normalization behind it do in evaluation.

    Args:
        linear, bn: modules in evaluation mode, bn with running statistics, of as many features or of one.
    Raises: AssertionError: when one of them is in training mode, the features differ, or there are no statistics.
    """
    if not (linear.training or bn.training) and bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    _check(linear, bn)
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def _check(layer: Any, bn: Any) -> None:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")


@public_function
def fuse_conv_bn_weights(
    conv_w: Any, conv_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any, transpose: bool = False
) -> tuple[Parameter, Parameter]:
    """Return the weight and the bias of the one convolution.

    Args:
        conv_w, conv_b: of the convolution; the bias may be None.
        bn_rm, bn_rv, bn_eps, bn_w, bn_b: running mean and variance, what is added to the variance, weight and bias.
        transpose: the output's channels are the weight's second dimension.
    """
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, int(transpose))


@public_function
def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """Return the weight and the bias of the one linear layer; arguments as in fuse_conv_bn_weights."""
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _fused(
    w: Any, b: Any, mean: Any, variance: Any, eps: float, weight: Any, shift: Any, channels: int
) -> tuple[Parameter, Parameter]:
    """Return W * scale along the dimension of the channels, and (b - mean) * scale + shift."""
    dtype = w.dtype if b is None else b.dtype
    b = zeros_like(mean) if b is None else b
    weight = ones_like(mean) if weight is None else weight
    shift = zeros_like(mean) if shift is None else shift
    inverse = (variance + eps).rsqrt()
    scale = (weight * inverse).reshape([-1 if i == channels else 1 for i in range(w.dim())])
    return (
        Parameter((w * scale).to(w.dtype), w.requires_grad),
        Parameter(((b - mean) * inverse * weight + shift).to(dtype), b.requires_grad),
    )
