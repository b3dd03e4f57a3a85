"""The classification loss of the torch namespace; the others are in nn/classification_loss.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import _errors, dtypes
from npg._words import scalar_name, size_text
from npg.engine._checks import refuse_broadcast, refuse_shapes
from npg.functional._arguments import checked_array
from npg.functional._losses import reduction_name
from npg.functional._public import apply_floating, public_function, refuse_gradient, to_dtype
from npg.functional._types import T
from npg.functional.elementwise import sub
from npg.functional.shape import expand
from npg.ops import regression_loss


def expanded_weight(weight: Any, shape: tuple[int, ...]) -> Any:
    """Return weight broadcast to a shape. Raises: RuntimeError: when it does not fit."""
    w = checked_array("binary_cross_entropy", weight, "weight", 3).shape
    if len(w) > len(shape) or any(m not in (1, n) for m, n in zip(w[::-1], shape[::-1], strict=False)):
        for i, (m, n) in enumerate(zip(w[::-1], shape[::-1], strict=False), 1):
            if m not in (1, n):
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {m} at {-i}! Mismatching argument at index 1 had "
                    f"{size_text(w)}; but expected shape should be broadcastable to {list(shape)}"
                )
    return expand(weight, shape)


@public_function
def binary_cross_entropy_with_logits(
    input: T,
    target: T,
    weight: T | None = None,
    pos_weight: T | None = None,
    reduction: int = 0,
) -> T:
    """Return the binary cross-entropy of sigmoid(input), computed without overflow.

    Args:
        input: any real numbers. target: of the shape of input, floating.
        weight: broadcasts to input, or None.
        pos_weight: broadcasts to input, or None: the factor of the term with target.
        reduction: 0 for none, 1 for mean, 2 for sum.
    Returns: dtype of target.
    Raises: RuntimeError: when a shape or dtype does not fit.
    Source: torch.binary_cross_entropy_with_logits.
    """
    name = "binary_cross_entropy_with_logits"
    x, t = checked_array(name, input), checked_array(name, target, "target", 2)
    if x.shape != t.shape:
        refuse_shapes([t, x])
        refuse_broadcast(t, [t, x])
        input = expand(input, t.shape)
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"log_sigmoid_cpu\" not implemented for '{scalar_name(x)}'")
    refuse_gradient(name, "weight", weight)
    refuse_gradient(name, "pos_weight", pos_weight)
    if t.dtype == np.bool_:
        sub(target, target)  # raises the errors of PyTorch's 1 - target
    if pos_weight is not None and checked_array(name, pos_weight, "pos_weight", 4).dtype == np.bool_:
        sub(pos_weight, 1)
    if t.dtype.kind != "f":
        raise RuntimeError(_errors.NO_CAST_IN_PLACE.format(result=scalar_name(x), wanted=scalar_name(t)))
    common = dtypes.common_dtype([x, t]).dtype
    inputs = [to_dtype(input, common), to_dtype(target, common)]
    for key, parameter in (("pos_weight", pos_weight), ("weight", weight)):  # PyTorch computes in place on the losses
        if parameter is not None:
            w = checked_array(name, parameter, key, 3)
            refuse_shapes([w, t] if key == "pos_weight" else [t, w])
            refuse_broadcast(t, [w, t])
            parameter = expand(to_dtype(parameter, common), t.shape)
        inputs.insert(2, parameter)
    op = regression_loss.binary_cross_entropy_with_logits
    losses = apply_floating(op, tuple(inputs), {"reduction": reduction_name(reduction)}, "log_sigmoid_cpu")
    return to_dtype(losses, t.dtype)  # PyTorch computes in place on 1 - target
