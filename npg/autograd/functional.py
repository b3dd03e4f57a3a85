"""Derivatives of functions: Jacobians, Hessians, and their products with vectors.

Most are computed by reverse passes. J v, which one reverse pass does not give, takes two: u -> u J is linear in u, and
the transpose of that linear map, applied to v, is J v ("double backward": J. Townsend, "A new trick for calculating
Jacobian vector products", 2017).

All take `strict`: raise, instead of returning zeros, where an output does not depend on an input; and `create_graph`:
make the results differentiable with respect to the inputs. Source: torch.autograd.functional.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from npg.autograd._matrices import hessian, jacobian
from npg.autograd._pushing import Pushforward
from npg.autograd._reverse_passes import (
    INPUT,
    OF_GRADIENT,
    OF_HESSIAN,
    OF_HESSIAN_TRICK,
    OF_TRICK,
    OUTPUT,
    as_tuple,
    filled,
    gradients,
    outputs_of,
    packed,
    prepared,
    recorded_gradient,
    scalar_of,
    vector_of,
)
from npg.creation import zeros_like
from npg.engine import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def __dir__() -> list[str]:
    return sorted(__all__)


def _recording(create_graph: bool) -> contextlib.AbstractContextManager[None]:
    """Return a context that records the passes if create_graph, and else leaves the grad mode as it is."""
    return enable_grad() if create_graph else contextlib.nullcontext()


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return func(*inputs), and the product of a vector with func's Jacobian.

    v J, one reverse pass.

    Args:
        func: takes and returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of them.
        v: a vector in the structure of func's outputs; None where these have one element.
    Returns: (outputs, products), the products in the structure of the inputs.
    Raises: TypeError: for something that is no tensor. RuntimeError: when v does not fit, or by strict.
    """
    with enable_grad():
        is_tuple, inputs = as_tuple(inputs, "inputs", "vjp")
        inputs = prepared(inputs, create_graph)
        many, outputs = outputs_of(func, inputs, "vjp", strict)
        v = vector_of(v, outputs, many, create_graph, "vjp", OUTPUT)
    with _recording(create_graph):
        grads = gradients(outputs, inputs, v, create_graph)
        products = filled(grads, inputs, strict, create_graph, OF_GRADIENT)
    return packed(outputs, many, create_graph), packed(products, is_tuple, create_graph)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return func(*inputs), and the product of func's Jacobian with a vector.

    J v, one sweep of tangents through the recorded function (npg/func/_forward.py); two reverse passes (see the top of
    this file) where a node has no tangent rule, and under create_graph and strict.

    Args:
        func, inputs, create_graph, strict: as for vjp.
        v: a vector in the structure of the inputs; None where these have one element.
    Returns: (outputs, products), both in the structure of func's outputs.
    Raises: TypeError: for something that is no tensor. RuntimeError: when v does not fit, or by strict.
    """
    with enable_grad():
        is_tuple, inputs = as_tuple(inputs, "inputs", "jvp")
        inputs = prepared(inputs, create_graph)
        v = vector_of(v, inputs, is_tuple, create_graph, "jvp", INPUT)
        many, outputs = outputs_of(func, inputs, "jvp", strict)
        if not (create_graph or strict) and all(y.is_floating_point() for y in outputs):
            return packed(outputs, many, False), packed(Pushforward(outputs, inputs)(v), many, False)
        u = tuple([zeros_like(y, requires_grad=True) for y in outputs])
        pulled = recorded_gradient(outputs, inputs, u, strict, False)
    with _recording(create_graph):
        grads = gradients(pulled, u, v, create_graph)
        products = filled(grads, outputs, strict, create_graph, OF_TRICK)
    return packed(outputs, many, create_graph), packed(products, many, create_graph)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return func(*inputs), one number, and the product of a vector with func's Hessian.

    v H, the gradient of (gradient . v).

    Args:
        func, inputs, create_graph, strict: as for vjp; func returns one element.
        v: a vector in the structure of the inputs; None where these have one element.
    Returns: (output, products), the products in the structure of the inputs.
    Raises: TypeError: for something that is no tensor. RuntimeError: when v does not fit, or by strict.
    """
    with enable_grad():
        is_tuple, inputs = as_tuple(inputs, "inputs", "vhp")
        inputs = prepared(inputs, create_graph)
        v = vector_of(v, inputs, is_tuple, create_graph, "vhp", INPUT)
        output = scalar_of(func, inputs, "vhp", strict)
        gradient = recorded_gradient((output,), inputs, (None,), strict, True)
    with _recording(create_graph):
        grads = gradients(gradient, inputs, v, create_graph)
        products = filled(grads, inputs, strict, create_graph, OF_HESSIAN)
    return packed((output,), False, create_graph), packed(products, is_tuple, create_graph)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return func(*inputs), one number, and the product of func's Hessian with a vector.

    H v. The Hessian is symmetric, so vhp gives the same in one pass less; this is for functions whose second
    derivatives are not continuous.

    Args and Returns: as vhp.
    """
    with enable_grad():
        is_tuple, inputs = as_tuple(inputs, "inputs", "hvp")
        inputs = prepared(inputs, create_graph)
        v = vector_of(v, inputs, is_tuple, create_graph, "hvp", INPUT)
        output = scalar_of(func, inputs, "hvp", strict)
        gradient = recorded_gradient((output,), inputs, (None,), strict, True)
        u = tuple([zeros_like(x, requires_grad=True) for x in inputs])
        pulled = recorded_gradient(gradient, inputs, u, strict, False)
    with _recording(create_graph):
        grads = gradients(pulled, u, v, create_graph)
        products = filled(grads, inputs, strict, create_graph, OF_HESSIAN_TRICK)
    return packed((output,), False, create_graph), packed(products, is_tuple, create_graph)
