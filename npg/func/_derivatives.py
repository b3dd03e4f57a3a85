"""grad, vjp and jvp: derivatives as functions; _scope.py has what they share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from npg import _errors
from npg.creation import ones, ones_like, zeros_like
from npg.engine import enable_grad, is_grad_enabled, wrap
from npg.func._batched import bottom, lift, rewrap
from npg.func._forward import sweep
from npg.func._scope import Scope, transform
from npg.tensor import Tensor
from npg.utils._pytree import tree_flatten, tree_map, tree_unflatten, treespec_pprint

# ----- Arguments -----


def chosen(args: tuple[Any, ...], argnums: Any) -> tuple[int, ...]:
    """Return the non-negative positions of the arguments to differentiate.

    Raises: RuntimeError: for argnums that are not positions of arguments.
    """
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    places = []
    for n in argnums if isinstance(argnums, tuple) else (argnums,):
        if not isinstance(n, int):
            raise RuntimeError(f"argnum must be int, got: {type(n)}")
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs")
        places.append(n % len(args))
    if not places:
        raise RuntimeError("argnums must be non-empty")
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {tuple(places)}")
    return tuple(places)


def replaced(args: tuple[Any, ...], places: tuple[int, ...], scope: Scope) -> tuple[Any, ...]:
    """Return the arguments with aliases at these positions."""
    fresh = dict(zip(places, [tree_map(scope.fresh, args[n]) for n in places], strict=True))
    return tuple([fresh[i] if i in fresh else tree_map(scope.constant, x) for i, x in enumerate(args)])


def with_aux(output: Any, has_aux: bool, name: str) -> tuple[Any, Any]:
    """Return (output, aux). Raises: RuntimeError: when has_aux and the output is not a pair."""
    if not has_aux:
        return output, None
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return output


# ----- grad -----


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that computes the gradient of func, and its value.

    Args:
        func, argnums, has_aux: as for grad.
    Returns: the function; it returns (gradient, value), or with has_aux (gradient, (value, aux)).
    Raises: as grad.
    Source: torch.func.grad_and_value.
    """

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with transform() as scope:
            places = chosen(args, argnums)
            inputs = replaced(args, places, scope)
            output = func(*inputs, **{k: tree_map(scope.constant, x) for k, x in kwargs.items()})
            value, aux = with_aux(output, has_aux, "grad_and_value(f)(*args)")
            if not isinstance(value, Tensor):
                raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(value)}")
            if value.dim():
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                    f"{value.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            one = ones((), dtype=value.dtype, device=value.device)
            recorded = scope.leads_out((value,))
            gradients = scope.gradients((value,), scope.inputs, (one,), recorded)
            spec = tree_flatten(tuple([inputs[n] for n in places]))[1]
            gradient = tree_unflatten([scope.result(g) for g in gradients], spec)
            gradient = gradient if isinstance(argnums, tuple) else gradient[0]
            value = value if recorded else value.detach()
            return gradient, (value, tree_map(scope.result, aux)) if has_aux else value

    return wrapped


def value_and_grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that computes the value of func, and its gradient: grad_and_value in the other order.

    Args:
        func, argnums, has_aux: as for grad.
    Returns: the function; it returns (value, gradient), or with has_aux ((value, aux), gradient).
    Raises: as grad.
    Source: the order of JAX and MLX; PyTorch has grad_and_value only.
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return value, gradient

    return wrapped


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that computes the gradient of func.

    Args:
        func: returns a 0-d tensor; with has_aux a pair of that and a tree of tensors.
        argnums: the position of the argument to differentiate, a tensor or a tree of tensors; or a tuple of positions.
        has_aux: func returns (output, aux); aux is passed on.
    Returns: the function; it returns the gradient in the structure of the argument, a tuple of those where argnums is a
        tuple, and with has_aux (gradient, aux).
    Raises: RuntimeError: when func returns anything else, or for argnums without an argument. ValueError: when the
        differentiated arguments hold anything but tensors.
    Source: torch.func.grad.
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapped


# ----- vjp -----


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return func(*primals), and a function that computes the product of a vector with func's Jacobian.

    Args:
        func: returns a tensor or a tree of them.
        primals: tensors, or trees of them; all are differentiated.
        has_aux: func returns (output, aux).
    Returns: (output, vjp_fn) or (output, vjp_fn, aux). vjp_fn takes cotangents in the structure of the output and
        returns a tuple, one product for each primal; it may be called repeatedly.
    Raises: RuntimeError: when func returns anything but tensors, or the cotangents do not fit.
    Source: torch.func.vjp.
    """
    with transform() as scope:
        inputs = replaced(primals, tuple(range(len(primals))), scope)
        output, aux = with_aux(func(*inputs), has_aux, "vjp(f, *primals)")
        leaves, spec = outputs_of(output, "vjp(f, *primals)")
        for y in leaves:
            if not y.is_floating_point():
                raise RuntimeError(
                    "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype "
                    f"{y.dtype}"
                )
        input_spec = tree_flatten(inputs)[1]
        results = tree_unflatten([scope.result(y) for y in leaves], spec)
        aux = tree_map(scope.result, aux) if has_aux else None

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        vectors, own = tree_flatten(cotangents)
        if own != spec:
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {treespec_pprint(own)}, primal output: {treespec_pprint(spec)}"
            )
        for v in vectors:
            if not (v is None or isinstance(v, Tensor)):
                raise TypeError(f"gradients can be either Tensors or None, but got {type(v).__name__}")
        vectors = [_one_for(y) if v is None else v for v, y in zip(vectors, leaves, strict=True)]
        recorded = is_grad_enabled() if create_graph is None else create_graph
        recorded = recorded and (scope.leads_out(leaves) or any(v.requires_grad for v in vectors))
        with enable_grad():
            grads = scope.gradients(leaves, scope.inputs, vectors, recorded, retain_graph)
        grads = [_outside(scope, g, vectors) for g in grads] if recorded else grads
        return tree_unflatten(grads, input_spec)

    return (results, vjp_fn, aux) if has_aux else (results, vjp_fn)


def _one_for(y: Any) -> Any:
    if y.numel() != 1:
        raise RuntimeError(_errors.ONLY_SCALARS)
    return ones_like(y, requires_grad=False)


def _outside(scope: Scope, g: Any, vectors: Any) -> Any:
    return g if any(v.requires_grad for v in vectors) else scope.result(g)


def outputs_of(output: Any, name: str) -> tuple[list[Any], Any]:
    """Return the tensors of an output and its structure.

    Raises: RuntimeError: when it holds anything else, or nothing.
    """
    leaves, spec = tree_flatten(output)
    if not leaves or (len(leaves) == 1 and leaves[0] is None):
        raise RuntimeError(f"{name}: Expected f to be a function that has non-empty output (got output = {leaves})")
    for y in leaves:
        if not isinstance(y, Tensor):
            raise RuntimeError(f"{name}: expected f(*primals) to return only tensors, got unsupported type {type(y)}")
    return leaves, spec


# ----- jvp -----

_JVP = "jvp(f, primals, tangents)"


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """Return func(*primals), and the product of func's Jacobian with a vector.

    Args:
        func: returns a tensor or a tree of them.
        primals: a tuple of tensors or trees of them.
        tangents: in the structure of primals.
        strict: raise where an output does not depend on the primals, instead of returning zeros.
        has_aux: func returns (output, aux).
    Returns: (output, product) or (output, product, aux), the product in the structure of the output.
    Raises: RuntimeError: when primals is no tuple, the tangents do not fit, func returns anything but tensors, or by
        strict.
    Source: torch.func.jvp, which propagates tangents along with the values. Here the function is recorded, and tangents
        are swept through the graph (_forward.py), or J v is computed by two reverse passes (the transpose of u -> u J)
        where a node has no tangent rule or the product is to be differentiated. So results of func under no_grad are
        constants here, as for grad, while PyTorch propagates tangents through them.
    """
    with transform() as scope:
        if not isinstance(primals, tuple):
            raise RuntimeError(f"{_JVP}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
        xs, spec = tree_flatten(primals)
        vectors, own = tree_flatten(tangents)
        if own != spec:
            raise RuntimeError(
                f"{_JVP}: Expected primals and tangents to have the same python structure. For example, if primals is "
                f"a tuple of 3 tensors, tangents also must be. Got primals with structure {spec} and tangents with "
                f"structure {own}"
            )
        for what, ts in (("primals", xs), ("tangents", vectors)):
            if not ts:
                raise RuntimeError(f"{_JVP}: Expected {what} to contain at least one Tensor.")
            for t in ts:
                if not isinstance(t, Tensor):
                    raise RuntimeError(f"{_JVP}: Expected {what} to only contain Tensors, got {type(t)}")
        refuse_integers(xs, "primal")
        refuse_integers(vectors, "tangent")
        push = Pushforward(func, primals, tuple(range(len(primals))), scope, has_aux)
        if strict and not all(push.depends):
            raise RuntimeError(
                "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not "
                "allowed with strict=True."
            )
        product = tree_unflatten(push(vectors), push.spec)
        output = tree_unflatten([scope.result(y) for y in push.leaves], push.spec)
        return (output, product, tree_map(scope.result, push.aux)) if has_aux else (output, product)


def refuse_integers(tensors: Any, what: str) -> None:
    """Raise ValueError for a tensor whose dtype has no tangents."""
    for t in tensors:
        if isinstance(t, Tensor) and not t.is_floating_point():
            raise ValueError(f"Expected {what} to be floating point or complex, but got: {t.dtype}")


class Pushforward:
    """The linear map v -> J v of a function, recorded once at its arguments.

    Attributes:
        leaves, spec: the outputs and their structure; aux: the function's auxiliary result.
        depends: for each output whether it depends on the inputs.
    """

    def __init__(self, func: Any, args: Any, places: tuple[int, ...], scope: Scope, has_aux: bool) -> None:
        self.scope = scope
        output, self.aux = with_aux(func(*replaced(args, places, scope)), has_aux, _JVP)
        self.leaves, self.spec = outputs_of(output, _JVP)
        self.depends = [y.requires_grad for y in self.leaves]
        self.u: list[Any] = []
        self.pulled: list[Any] | None = None  # u J, once it has been needed
        self.leads_out = scope.leads_out(self.leaves)

    def _vector(self, y: Any) -> Any:
        y = lift(y, self.scope.levels)
        u = zeros_like(bottom(y), requires_grad=y.is_floating_point())
        self.scope.adopt(u)
        return rewrap(u, self.scope.levels)

    def __call__(self, vectors: Any) -> list[Any]:
        """Return J v, one tensor for each output."""
        scope = self.scope
        for x, v in zip(scope.inputs, vectors, strict=True):
            if x.shape != v.shape:
                raise RuntimeError(
                    f"Expected tangent to have the same shape as the primal, {tuple(x.shape)}, got {tuple(v.shape)}"
                )
        recorded = scope.outer and (self.leads_out or any(v.requires_grad for v in vectors))
        if not recorded and scope.covers(vectors):
            swept: Any = self._sweep(vectors)
            if swept is not NotImplemented:
                tangents: list[Any] = swept
                return tangents
        if self.pulled is None:
            self.u = [self._vector(y) for y in self.leaves]
            self.pulled = scope.gradients(self.leaves, scope.inputs, self.u, True, True)
        grads = scope.gradients(self.pulled, self.u, vectors, recorded, True)
        if not recorded or any(v.requires_grad for v in vectors):
            return grads
        return [scope.result(g) for g in grads]

    def _sweep(self, vectors: Any) -> Any:
        """Return J v by one sweep through the graph, or NotImplemented."""
        levels = self.scope.levels
        outputs = [bottom(lift(y, levels)) for y in self.leaves]
        inputs = [bottom(x) for x in self.scope.inputs]
        arrays = []
        for x, v in zip(inputs, vectors, strict=True):
            t = bottom(lift(v, levels))._array
            if t.shape != x._array.shape or t.dtype != x._array.dtype:
                return NotImplemented
            arrays.append(t)
        tangents = sweep(outputs, inputs, arrays)
        if tangents is NotImplemented:
            return tangents
        wrapped = []
        for y, t in zip(outputs, tangents, strict=True):
            new = zeros_like(y, requires_grad=False) if t is None else wrap(np.array(t, y._array.dtype))
            wrapped.append(rewrap(new, levels))
        return wrapped
