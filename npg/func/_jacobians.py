"""Jacobians and Hessians, by rows or by columns."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from npg.creation import zeros
from npg.func._derivatives import Pushforward, chosen, refuse_integers, vjp
from npg.func._scope import transform
from npg.func._vmap import check_randomness, refuse_drawing
from npg.functional import reshape, stack
from npg.random._standing_in import refusing
from npg.utils._pytree import tree_flatten, tree_unflatten


def jacrev(
    func: Callable[..., Any],
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of func, one reverse pass for each element of the output.

    J[i, j] = d output[i] / d input[j].

    Args:
        func: returns a tensor or a tree of them.
        argnums, has_aux: as for grad.
        chunk_size: accepted; the passes run one after another.
    Returns: the function; for each output, in its structure, it returns as grad the structure of the argument, or a
        tuple of those, of tensors of shape (*output.shape, *input.shape). With has_aux (Jacobian, aux).
    Raises: as vjp; ValueError: for a chunk_size below 1.
    Source: torch.func.jacrev.
    """
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapped(*args: Any) -> Any:
        places = chosen(args, argnums)

        def partial_func(*primals: Any) -> Any:
            full_args = list(args)
            for n, x in zip(places, primals, strict=True):
                full_args[n] = x
            return func(*full_args)

        primals = tuple([args[n] for n in places])
        output, vjp_fn, *aux = vjp(partial_func, *primals, has_aux=has_aux)
        leaves, out_spec = tree_flatten(output)
        xs, in_spec = tree_flatten(primals)
        rows: list[Any] = []
        for at, y in enumerate(leaves):
            grads_of: list[list[Any]] = [[] for _ in xs]
            for one in _basis(y):
                vector = [zeros(o.shape, dtype=o.dtype) for o in leaves]
                vector[at] = one
                for own, g in zip(grads_of, tree_flatten(vjp_fn(tree_unflatten(vector, out_spec)))[0], strict=True):
                    own.append(g)
            blocks = [_rows(gs, y, x) for gs, x in zip(grads_of, xs, strict=True)]
            rows.append(_at_places(tree_unflatten(blocks, in_spec), argnums))
        jacobian = tree_unflatten(rows, out_spec)
        return (jacobian, aux[0]) if has_aux else jacobian

    return wrapped


def _basis(x: Any) -> Any:
    """Yield the unit vectors of the shape of x."""
    for j in range(x.numel()):
        one = zeros(x.shape, dtype=x.dtype)
        one.view(-1)[j] = 1
        yield one


def _rows(gs: list[Any], y: Any, x: Any) -> Any:
    shape = (*y.shape, *x.shape)
    return reshape(stack(gs), shape) if gs else zeros(shape, dtype=x.dtype)


def _at_places(tree: Any, argnums: Any) -> Any:
    return tree if isinstance(argnums, tuple) else tree[0]


def jacfwd(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of func, one pass for each element of the input.

    Args:
        func, argnums, has_aux: as for jacrev.
        randomness: "error": func must not draw random numbers; otherwise all columns share them, since func is run
            once, while PyTorch's "different" draws new ones for each.
    Returns, Raises: as jacrev.
    Source: torch.func.jacfwd; the passes are jvp's second ones, on one recorded first pass. Results of func under
        no_grad are constants, see jvp.
    """

    @functools.wraps(func)
    def wrapped(*args: Any) -> Any:
        check_randomness(randomness)
        with transform() as scope:
            places = chosen(args, argnums)
            xs, in_spec = tree_flatten(tuple([args[n] for n in places]))
            refuse_integers(xs, "primal")
            with refusing(refuse_drawing) if randomness == "error" else contextlib.nullcontext():
                push = Pushforward(func, args, places, scope, has_aux)
            columns: list[list[Any]] = []  # for each input the columns of all outputs
            for at, x in enumerate(xs):
                columns.append([])
                for one in _basis(x):
                    vector = [zeros(o.shape, dtype=o.dtype) for o in xs]
                    vector[at] = one
                    columns[-1].append(push(vector))
            outputs = []
            for i, y in enumerate(push.leaves):
                blocks = [
                    reshape(stack([c[i] for c in own], -1), (*y.shape, *x.shape))
                    if own
                    else zeros((*y.shape, *x.shape), dtype=y.dtype)
                    for own, x in zip(columns, xs, strict=True)
                ]
                outputs.append(_at_places(tree_unflatten(blocks, in_spec), argnums))
            jacobian = tree_unflatten(outputs, push.spec)
            if not has_aux:
                return jacobian
            aux, spec = tree_flatten(push.aux)
            return jacobian, tree_unflatten([scope.result(a) for a in aux], spec)

    return wrapped


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """Return a function that computes the Hessian of func.

    H[i, j] = d^2 output / d input[i] d input[j].

    Args:
        func, argnums: as for jacrev.
    Returns: the function; its result is the Jacobian of the Jacobian, of shape (*output.shape, *input.shape,
        *input.shape) where there is one input.
    Source: torch.func.hessian, which is jacfwd(jacrev(func)); here it is jacrev(jacrev(func)), which needs one backward
        pass less, since jvp takes two.
    """
    return jacrev(jacrev(func, argnums), argnums)
