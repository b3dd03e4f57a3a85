"""grad, vjp and jvp: derivatives as functions.

A transform gives the function fresh aliases of its inputs, so that a tensor which the function holds otherwise stays a
constant, and takes the gradients with respect to the aliases. Where a transform or a tensor around this one wants a
gradient too, the aliases have the history of the inputs and the backward pass is recorded; otherwise the results have
no history. Under vmap an alias is batched at every level, so that no sum over the examples gets into a gradient.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from npg.creation import ones, zeros_like
from npg.engine import TensorBase, enable_grad, is_grad_enabled, run_backward, set_grad_enabled
from npg.func._batched import BatchedTensor, Level, aliased, batch, bottom, lift, rewrap, running
from npg.func._batching import note_loop
from npg.func._pytree import flatten, tree_map, unflatten
from npg.functional import select, stack
from npg.tensor import Tensor

__all__ = ["grad", "grad_and_value", "jvp", "vjp"]

# ----- Aliases, and gradients with respect to them -----


class Scope:
    """The inputs of one transform: their aliases, and what is known about the graph around it.

    Args:
        outer: whether gradients were recorded where the transform was called.
    """

    def __init__(self, outer: bool) -> None:
        self.outer = outer
        self.levels: list[Level] = list(running.levels)
        self.own: set[int] = set()  # ids of the aliases that are leaves
        self.inputs: list[Any] = []  # as the function sees them
        self.bottoms: list[Any] = []

    def fresh(self, x: Any) -> Any:
        """Return the alias of an input.

        Raises: ValueError: when it is no tensor. RuntimeError: when its dtype is not floating.
        """
        if not isinstance(x, TensorBase):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
        x = lift(x, self.levels)
        t = bottom(x)
        if self.outer and t.requires_grad:
            t = aliased(t)
        else:
            t = (t.clone() if t.is_inference() else t).detach().requires_grad_()
            self.own.add(id(t))
        self.bottoms.append(t)
        x = rewrap(t, self.levels)
        self.inputs.append(x)
        return x

    def constant(self, x: Any) -> Any:
        """Return an input that is not differentiated: without history where none is recorded around the transform."""
        return x.detach() if isinstance(x, Tensor) and not self.outer and x.requires_grad else x

    def leads_out(self, tensors: Any) -> bool:
        """Tell whether a gradient of these tensors would reach a tensor outside of the transform."""
        if not self.outer:
            return False
        stack_: list[Any] = []
        for x in tensors:
            t = bottom(x)
            if not t.requires_grad:
                continue
            if t.grad_fn is not None:
                stack_.append(t.grad_fn)
            elif id(t) not in self.own:
                return True
        seen: set[int] = set()
        while stack_:
            node = stack_.pop()
            if node.seq in seen:
                continue
            seen.add(node.seq)
            for edge in node.edges:
                if edge is None:
                    continue
                if not isinstance(edge[0], TensorBase):
                    stack_.append(edge[0])
                elif id(edge[0]) not in self.own:
                    return True
        return False

    def result(self, x: Any) -> Any:
        """Return a result of the function as it is outside of the transform.

        Raises: RuntimeError: when it is no tensor.
        """
        if not isinstance(x, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(x)}")
        return x if not x.requires_grad or self.leads_out((x,)) else x.detach()

    def gradients(self, outputs: Any, inputs: Any, v: Any, create_graph: bool, retain: bool = False) -> list[Any]:
        """Return the gradients of the outputs, weighted with v, with respect to inputs of this scope.

        Args:
            outputs, v: as many tensors.
            inputs: batched at all levels of the scope.
        Returns: one tensor for each input, zeros where nothing arrives.
        """
        beyond = self._beyond(v)
        if beyond is not None:
            return self._example_by_example(outputs, inputs, v, create_graph, beyond)
        live = [(y, g) for y, g in zip(outputs, v, strict=True) if y.requires_grad]
        wanted = tuple([bottom(x) for x in inputs])
        if live:
            roots = tuple([bottom(lift(y, self.levels)) for y, _ in live])
            weights = tuple([bottom(lift(g, self.levels)) for _, g in live])
            found = run_backward(roots, weights, retain or create_graph, create_graph, wanted, False)
        else:
            found = [None] * len(wanted)
        return [
            rewrap(zeros_like(x, requires_grad=False) if g is None else g, self.levels)
            for g, x in zip(found, wanted, strict=True)
        ]

    # ----- Vectors that are batched by a vmap inside of the transform -----

    def _beyond(self, v: Any) -> int | None:
        known = {level.number for level in self.levels}
        found = [g.level for g in v if type(g) is BatchedTensor and g.level not in known]
        return max(found, default=None)

    def _example_by_example(self, outputs: Any, inputs: Any, v: Any, create_graph: bool, number: int) -> list[Any]:
        flags = [type(g) is BatchedTensor and g.level == number for g in v]
        note_loop("vjp_fn")
        size = next(g.physical.shape[0] for g, flag in zip(v, flags, strict=True) if flag)
        rows = []
        for i in range(size):
            each = [select(g.physical, 0, i) if flag else g for g, flag in zip(v, flags, strict=True)]
            rows.append(self.gradients(outputs, inputs, each, create_graph, True))
        return [batch(stack(gs), number) for gs in zip(*rows, strict=True)]


# ----- Arguments -----


def chosen(args: tuple[Any, ...], argnums: Any) -> tuple[int, ...]:
    """Return the places of the arguments that are differentiated, counted from the front.

    Raises: RuntimeError: when argnums does not name arguments.
    """
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    found = []
    for n in argnums if isinstance(argnums, tuple) else (argnums,):
        if not isinstance(n, int):
            raise RuntimeError(f"argnum must be int, got: {type(n)}")
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs")
        found.append(n % len(args))
    if not found:
        raise RuntimeError("argnums must be non-empty")
    if len(set(found)) != len(found):
        raise RuntimeError(f"argnums elements must be unique, got {tuple(found)}")
    return tuple(found)


def replaced(args: tuple[Any, ...], places: tuple[int, ...], scope: Scope) -> tuple[Any, ...]:
    """Return the arguments with aliases at these places."""
    made = dict(zip(places, [tree_map(scope.fresh, args[n]) for n in places], strict=True))
    return tuple([made[i] if i in made else tree_map(scope.constant, x) for i, x in enumerate(args)])


def with_aux(output: Any, has_aux: bool, name: str) -> tuple[Any, Any]:
    """Return (output, aux). Raises: RuntimeError: when has_aux and the output is no pair."""
    if not has_aux:
        return output, None
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return output


# ----- grad -----


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that gives the gradient of func, and its value.

    Args:
        func, argnums, has_aux: as for grad.
    Returns: the function; it gives (gradient, value), or with has_aux (gradient, (value, aux)).
    Raises: as grad.
    Source: torch.func.grad_and_value.
    """

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with _Transform() as scope:
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
            one = ones((), dtype=value.dtype)
            found = scope.gradients((value,), scope.inputs, (one,), scope.leads_out((value,)))
            spec = flatten(tuple([inputs[n] for n in places]))[1]
            gradient = unflatten([scope.result(g) for g in found], spec)
            gradient = gradient if isinstance(argnums, tuple) else gradient[0]
            value = scope.result(value)
            return gradient, (value, tree_map(scope.result, aux)) if has_aux else value

    return wrapped


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that gives the gradient of func.

    Args:
        func: returns a 0-d tensor; with has_aux a pair of that and a tree of tensors.
        argnums: which argument is differentiated, a tensor or a tree of tensors; or a tuple of such places.
        has_aux: func returns (output, aux); aux is handed on.
    Returns: the function; it gives the gradient with the structure of the argument, a tuple of those where argnums is a
        tuple, and with has_aux (gradient, aux).
    Raises: RuntimeError: when func returns anything else, or argnums names no argument. ValueError: when what is
        differentiated holds anything but tensors.
    Source: torch.func.grad.
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapped


class _Transform:
    """Makes the Scope of a transform, and has its function recorded whatever the grad mode around it."""

    def __enter__(self) -> Scope:
        scope = Scope(is_grad_enabled())
        self._mode = enable_grad()
        self._mode.__enter__()
        return scope

    def __exit__(self, *exc: Any) -> None:
        self._mode.__exit__(*exc)


# ----- vjp -----


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return func(*primals), and a function that gives the product of a vector with func's Jacobian.

    Args:
        func: returns a tensor or a tree of them.
        primals: tensors, or trees of them; all are differentiated.
        has_aux: func returns (output, aux).
    Returns: (output, vjp_fn) or (output, vjp_fn, aux). vjp_fn takes cotangents with the structure of the output and
        returns a tuple, one product for each of the primals; it may be called again.
    Raises: RuntimeError: when func returns anything but tensors, or the cotangents do not fit.
    Source: torch.func.vjp.
    """
    with _Transform() as scope:
        inputs = replaced(primals, tuple(range(len(primals))), scope)
        output, aux = with_aux(func(*inputs), has_aux, "vjp(f, *primals)")
        leaves, spec = outputs_of(output, "vjp(f, *primals)")
        for y in leaves:
            if not y.is_floating_point():
                raise RuntimeError(
                    "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype "
                    f"{y.dtype}"
                )
        input_spec = flatten(inputs)[1]
        results = unflatten([scope.result(y) for y in leaves], spec)
        aux = tree_map(scope.result, aux) if has_aux else None

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        vectors, own = flatten(cotangents)
        if own != spec:
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {own.short()}, primal output: {spec.short()}"
            )
        recorded = is_grad_enabled() if create_graph is None else create_graph
        recorded = recorded and (scope.leads_out(leaves) or any(v.requires_grad for v in vectors))
        with set_grad_enabled(True):
            found = scope.gradients(leaves, scope.inputs, vectors, recorded, retain_graph)
        found = [_outside(scope, g, vectors) for g in found] if recorded else found
        return unflatten(found, input_spec)

    return (results, vjp_fn, aux) if has_aux else (results, vjp_fn)


def _outside(scope: Scope, g: Any, vectors: Any) -> Any:
    return g if any(v.requires_grad for v in vectors) else scope.result(g)


def outputs_of(output: Any, name: str) -> tuple[list[Any], Any]:
    """Return the tensors of an output and its structure.

    Raises: RuntimeError: when it holds anything else, or nothing.
    """
    leaves, spec = flatten(output)
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
        tangents: as primals.
        strict: raise where an output does not depend on the primals, instead of returning zeros.
        has_aux: func returns (output, aux).
    Returns: (output, product) or (output, product, aux), product as the output.
    Raises: RuntimeError: when primals is no tuple, the tangents do not fit, func returns anything but tensors, or for
        what strict refuses.
    Source: torch.func.jvp, which sends tangents forward with the values. Here it is two reverse passes, the transpose
        of the map u -> u J (see npg/autograd/functional.py): no op needs a second rule, for about three times the work.
    """
    with _Transform() as scope:
        if not isinstance(primals, tuple):
            raise RuntimeError(f"{_JVP}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
        xs, spec = flatten(primals)
        vectors, own = flatten(tangents)
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
        push = Pushforward(func, primals, tuple(range(len(primals))), scope, has_aux)
        if strict and not all(push.depends):
            raise RuntimeError(
                "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not "
                "allowed with strict=True."
            )
        product = unflatten(push(vectors), push.spec)
        output = unflatten([scope.result(y) for y in push.leaves], push.spec)
        return (output, product, tree_map(scope.result, push.aux)) if has_aux else (output, product)


class Pushforward:
    """The linear map v -> J v of a function at its arguments: the transpose of u -> u J, recorded once.

    Attributes:
        leaves, spec: the outputs and their structure; aux: what else the function returned.
        depends: for each output, whether it depends on the inputs.
    """

    def __init__(self, func: Any, args: Any, places: tuple[int, ...], scope: Scope, has_aux: bool) -> None:
        self.scope = scope
        output, self.aux = with_aux(func(*replaced(args, places, scope)), has_aux, _JVP)
        self.leaves, self.spec = outputs_of(output, _JVP)
        self.depends = [y.requires_grad for y in self.leaves]
        self.u = [self._vector(y) for y in self.leaves]
        self.pulled = scope.gradients(self.leaves, scope.inputs, self.u, True)
        self.leads_out = scope.leads_out(self.leaves)

    def _vector(self, y: Any) -> Any:
        y = lift(y, self.scope.levels)
        u = zeros_like(bottom(y), requires_grad=True)
        self.scope.own.add(id(u))
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
        found = scope.gradients(self.pulled, self.u, vectors, recorded, True)
        if not recorded or any(v.requires_grad for v in vectors):
            return found
        return [scope.result(g) for g in found]
