"""Helpers of autograd.functional: arguments, results, reverse passes, and PyTorch's texts for strict mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg.creation import ones_like, zeros_like
from npg.tensor import Tensor
from npg.tensor.gradients import grad

Tensors = tuple[Tensor, ...]
STRICT = "This is not allowed in strict mode"


# ----- Arguments and results -----


def as_tuple(tensors: Any, what: str, function: str) -> tuple[bool, Tensors]:
    """Return (whether it is a tuple, the tensors). Raises: TypeError: for anything but tensors."""
    is_tuple = isinstance(tensors, tuple)
    for i, x in enumerate(tensors if is_tuple else (tensors,)):
        if not isinstance(x, Tensor):
            where = f"value at index {i}" if is_tuple else f"given {what}"
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the {where} has "
                f"type {type(x)}."
            )
    return is_tuple, tensors if is_tuple else (tensors,)


def prepared(inputs: Tensors, create_graph: bool, requires_grad: bool = True) -> Tensors:
    # Always new tensors: func may hold the same tensors and use them as constants.
    return tuple(
        [x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_(requires_grad) for x in inputs]
    )


def packed(tensors: Any, is_tuple: bool, create_graph: bool) -> Any:
    results = tuple(tensors if create_graph else [x.detach() for x in tensors])
    return results if is_tuple else results[0]


def outputs_of(func: Callable[..., Any], inputs: Tensors, name: str, strict: bool) -> tuple[bool, Tensors]:
    is_tuple, outputs = as_tuple(func(*inputs), "outputs of the user-provided function", name)
    if strict:
        for i, y in enumerate(outputs):
            if not y.requires_grad:
                raise RuntimeError(
                    f"Output {i} of the user-provided function does not require gradients. The outputs must be "
                    "computed in a differentiable manner from the input when running in strict mode."
                )
    return is_tuple, outputs


def scalar_of(func: Callable[..., Any], inputs: Tensors, name: str, strict: bool) -> Tensor:
    """Return func(*inputs). Raises: RuntimeError: unless it is one tensor with one element."""
    is_tuple, outputs = outputs_of(func, inputs, name, strict)
    if is_tuple:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
    return outputs[0]


def vector_of(v: Any, like: Tensors, is_tuple: bool, create_graph: bool, name: str, missing: str) -> Any:
    """Return v as a tuple of tensors with the shapes of `like`, or of None.

    Raises: RuntimeError: when its length or a shape differs, or it is missing and `like` has more than one element.
    """
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if the {missing} a single Tensor with a single element.")
        return (ones_like(like[0], requires_grad=False),)
    v = prepared(as_tuple(v, "v", name)[1], create_graph, False)
    if len(v) != len(like):
        if is_tuple:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (part, x) in enumerate(zip(v, like, strict=True)):
        if part.shape != x.shape:
            entry = f"Entry {i} in " if is_tuple else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {x.size()} but got {part.size()}.")
    return v


INPUT = "input to the user-provided function is"
OUTPUT = "user-provided function returns"


# ----- Reverse passes -----


def gradients(outputs: Any, inputs: Tensors, v: Any, create_graph: bool, retain_graph: bool | None = None) -> Any:
    """Return grad() of those outputs that have a graph; None where nothing arrives."""
    live = [(y, g) for y, g in zip(outputs, v, strict=True) if y is not None and y.requires_grad]
    if not live:
        return (None,) * len(inputs)
    return grad(
        [y for y, _ in live],
        inputs,
        [g for _, g in live],
        retain_graph=retain_graph,
        create_graph=create_graph,
        allow_unused=True,
    )


def filled(grads: Any, like: Tensors, strict: bool, create_graph: bool, texts: tuple[str, str]) -> Tensors:
    """Return the gradients with zeros for None.

    Args:
        texts: the errors of strict for a None, and for a gradient without a graph under create_graph; {i} is the index.
    """
    if strict:
        for i, g in enumerate(grads):
            if g is None:
                raise RuntimeError(texts[0].format(i=i))
            if create_graph and not g.requires_grad:
                raise RuntimeError(texts[1].format(i=i))
    return tuple([zeros_like(x) if g is None else g for g, x in zip(grads, like, strict=True)])


OF_GRADIENT = (
    f"The output of the user-provided function is independent of input {{i}}. {STRICT}.",
    f"The jacobian of the user-provided function is independent of input {{i}}. {STRICT} when create_graph=True.",
)
OF_TRICK = (
    (
        "The gradient with respect to the input is independent of entry {i} in the grad_outputs when using the double "
        f"backward trick to compute forward mode gradients. {STRICT}."
    ),
    OF_GRADIENT[1],
)
OF_HESSIAN = (
    f"The jacobian of the user-provided function is independent of input {{i}}. {STRICT}.",
    f"The hessian of the user-provided function is independent of input {{i}}. {STRICT} when create_graph=True.",
)
OF_HESSIAN_TRICK = (
    (
        f"The hessian of the user-provided function is independent of entry {{i}} in the grad_jacobian. {STRICT} as "
        "it prevents from using the double backward trick to replace forward mode AD."
    ),
    OF_HESSIAN[1],
)


def recorded_gradient(outputs: Any, inputs: Tensors, v: Any, strict: bool, of_scalar: bool) -> Any:
    """Return the gradients, recorded. Raises: RuntimeError: under strict, where one does not depend on the inputs."""
    grads = gradients(outputs, inputs, v, True)
    if strict:
        for i, g in enumerate(grads):
            if g is None:
                raise RuntimeError(OF_GRADIENT[0].format(i=i))
            if not g.requires_grad:
                raise RuntimeError((CONSTANT_JACOBIAN if of_scalar else _CONSTANT_GRADIENT).format(i=i))
    return grads


_CONSTANT_GRADIENT = (
    "The gradient with respect to input {i} is independent of the inputs of the user-provided function. " + STRICT + "."
)
CONSTANT_JACOBIAN = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {i} is "
    "independent of the input. " + STRICT + ". You should ensure that your function is twice differentiable and that "
    "the jacobian depends on the inputs (this would be violated by a linear function for example)."
)
