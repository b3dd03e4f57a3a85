"""A tensor's place in the graph: checks of .data and .grad, requires_grad_ and detach_."""

from __future__ import annotations

import warnings
from typing import Any

from npg._words import c_name, scalar_name, shape_text
from npg.engine import TensorBase
from npg.functional._factory import place_like
from npg.functional._types import T


def check_grad(tensor: Any, value: Any) -> None:
    """Raise when value cannot be the gradient of a tensor.

    Raises: TypeError: when it is no tensor. RuntimeError: for another shape or dtype, or the tensor itself.
    """
    if value is None:
        return
    if not isinstance(value, TensorBase):
        raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
    if value is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    own, new = tensor._array, value._array
    if new.dtype != own.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{c_name(new)}' to a tensor with "
            f"grad_dtype '{scalar_name(own)}'. The gradient must match the tensor's "
            "grad_dtype (defaults to the tensor's dtype)."
        )
    if place_like(new) is not place_like(own):
        raise RuntimeError(
            f"attempting to assign a gradient with device type '{place_like(new)}' to a tensor with device type "
            f"'{place_like(own)}'. Please ensure that the gradient and the tensor are on the same device"
        )
    if new.shape != own.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{shape_text(new.shape)}' to a tensor of size "
            f"'{shape_text(own.shape)}'. Please ensure that the gradient and the tensor are the same size"
        )


def check_data(tensor: Any, value: Any) -> None:
    """Raise when value cannot be assigned to a tensor's .data.

    Raises: TypeError: when it is no tensor. RuntimeError: when integers would require grad.
    """
    if not isinstance(value, TensorBase):
        raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
    if place_like(value) is not place_like(tensor):
        raise RuntimeError(
            "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type."
        )
    if tensor.requires_grad and value._array.dtype.kind != "f":
        raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")


def warn_of_no_grad() -> None:
    """Warn of a read of .grad of a non-leaf, which no backward pass sets."""
    warnings.warn(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
        "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
        "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
        "you access the leaf Tensor instead.",
        stacklevel=3,
    )


def requires_grad_(tensor: T, requires_grad: bool = True) -> T:
    """Set requires_grad and return the tensor."""
    if not isinstance(requires_grad, bool):
        kind = type(requires_grad).__name__
        raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {kind}")
    if requires_grad and tensor._array.dtype.kind != "f":
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    tensor._set_requires_grad(requires_grad)
    return tensor


def detach_(tensor: T) -> T:
    """Detach this tensor from the graph in place, and return it.

    Raises: RuntimeError: for a view.
    """
    if tensor._base is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
            "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
            "detach_() cannot be called on these gradients."
        )
    tensor._detach_in_place()
    return tensor
