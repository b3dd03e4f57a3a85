"""Gradients of convolutions as functions. Source: torch.nn.grad."""

from __future__ import annotations

from typing import Any

from npg.functional.conv import input_gradient, weight_gradient
from npg.tensor import Tensor

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def conv1d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of conv1d in an input of this size.

    Args:
        grad_output: the gradient of the result. The others: as of F.conv1d.
    Raises: RuntimeError: when the sizes do not fit.
    Source: torch.nn.grad.conv1d_input.
    """
    settings = stride, padding, dilation, groups
    result: Tensor = input_gradient("conv1d_input", 1, input_size, weight, grad_output, *settings)
    return result


def conv1d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of conv1d in a weight of this size; see conv1d_input. Source: torch.nn.grad.conv1d_weight."""
    settings = stride, padding, dilation, groups
    result: Tensor = weight_gradient("conv1d_weight", 1, input, weight_size, grad_output, *settings)
    return result


def conv2d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of conv2d in an input of this size.

    Args:
        grad_output: the gradient of the result. The others: as of F.conv2d.
    Raises: RuntimeError: when the sizes do not fit.
    Source: torch.nn.grad.conv2d_input.
    """
    settings = stride, padding, dilation, groups
    result: Tensor = input_gradient("conv2d_input", 2, input_size, weight, grad_output, *settings)
    return result


def conv2d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of conv2d in a weight of this size; see conv2d_input. Source: torch.nn.grad.conv2d_weight."""
    settings = stride, padding, dilation, groups
    result: Tensor = weight_gradient("conv2d_weight", 2, input, weight_size, grad_output, *settings)
    return result


def conv3d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of conv3d in an input of this size.

    Args:
        grad_output: the gradient of the result. The others: as of F.conv3d.
    Raises: RuntimeError: when the sizes do not fit.
    Source: torch.nn.grad.conv3d_input.
    """
    settings = stride, padding, dilation, groups
    result: Tensor = input_gradient("conv3d_input", 3, input_size, weight, grad_output, *settings)
    return result


def conv3d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of conv3d in a weight of this size; see conv3d_input. Source: torch.nn.grad.conv3d_weight."""
    settings = stride, padding, dilation, groups
    result: Tensor = weight_gradient("conv3d_weight", 3, input, weight_size, grad_output, *settings)
    return result
