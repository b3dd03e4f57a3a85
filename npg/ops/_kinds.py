"""The kinds of ops: what an op does to dimensions, and what follows from that for batches and for tangents.

An op's kind gives it two rules, unless it declares its own with `@op.batch` and `@op.tangent`.

A *batching rule* applies the op to a batch of examples at once (npg.func.vmap). It takes `(op, xs, batched, size,
**params)`: the inputs (where `batched` is True, with `size` examples along their first dimension) and the settings. It
returns the result (of a multi op, all results) with the examples along the first dimension, or NotImplemented.
Dimensions in the settings are those of one example, counted from the front. An op without a rule, or whose rule returns
NotImplemented, runs as its composite; where it has none it runs on one example after the other.

A *tangent rule* sends tangents forward through a recorded call (npg.func.jvp). It takes `(node, ts)`: the call with its
op, params, inputs and output (ndarrays, or a Like or None if nothing else was saved), and for each input the tangent,
an ndarray or None. It returns the tangent of the output (of a multi op, one for each output), or NotImplemented.

A *rule of shapes* takes the inputs and settings of the forward, and returns the shape of the result, for arrays without
data (ops/_meta.py). Where the result is as large as it is costly, so that it is not computed for its shape.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npg.kernels.sums import add_up

Batching = Callable[..., Any]
Tangent = Callable[[Any, list[Any]], Any]


class Kind(NamedTuple):
    """A kind of ops: the rules that each of them has unless it declares its own.

    Attributes:
        name: a readable name.
        batch: the batching rule, or None.
        tangent: the tangent rule, or None.
        aligned: in place, the operands broadcast to the first one, and so do their examples.
        shape: the rule of shapes, or None.
    """

    name: str
    batch: Batching | None = None
    tangent: Tangent | None = None
    aligned: bool = False
    shape: Callable[..., tuple[int, ...]] | None = None


# ----- Batches in other shapes -----


def rank_of(x: Any, batched: bool) -> int:
    """Return the number of dimensions of one example."""
    return int(getattr(x, "ndim", 0)) - batched


def reshaped(x: Any, sizes: tuple[int, ...]) -> Any:
    """Return an array or tensor in this shape; itself where it already has it."""
    return x if tuple(x.shape) == sizes else x.reshape(sizes)


def padded(x: Any, rank: int) -> Any:
    """Return a batch whose examples have `rank` dimensions, new ones of size 1 in front."""
    size, *rest = x.shape
    return reshaped(x, (size, *(1,) * (rank - len(rest)), *rest))


def flattened(x: Any) -> Any:
    """Return a batch of examples as a batch of vectors."""
    size, *rest = x.shape
    return reshaped(x, (size, math.prod(rest)))


def moved(dim: Any) -> Any:
    """Return the dimension of the batch for a dimension of an example (or for several)."""
    return dim + 1 if isinstance(dim, int) else tuple([d + 1 for d in dim])


# ----- Batching rules -----


def _broadcasting(op: Any, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
    rank = max(rank_of(x, flag) for x, flag in zip(xs, batched, strict=True))
    return op(*[padded(x, rank) if flag else x for x, flag in zip(xs, batched, strict=True)], **params)


def _matrices(op: Any, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
    return op(*xs, **params)  # any leading dimensions


def _reduction(op: Any, xs: Any, batched: Any, size: int, /, *, all_dims: Any = (1,), **params: Any) -> Any:
    (x,) = xs
    rank, dim = rank_of(x, True), params.get("dim")
    if rank and dim is not None:
        return op(x, **{**params, "dim": moved(dim)})
    settings = {**params, "dim": 1 if isinstance(dim, int) else all_dims}  # all dimensions as one
    if "keepdim" in settings:
        settings["keepdim"] = False
    result = op(flattened(x), **settings)
    if not params.get("keepdim"):
        return result
    sizes = (size, *(1,) * rank)
    return tuple([reshaped(y, sizes) for y in result]) if op.is_multi else reshaped(result, sizes)


# ----- Tangent rules -----


def _only(op: Any, result: Any) -> Any:
    return result[0] if op.is_fused else result


def total(terms: list[Any]) -> Any:
    """Return the sum of terms; NotImplemented where there is nothing to add."""
    result: Any = NotImplemented
    for term in terms:
        result = term if result is NotImplemented else result + term
    return result


def weights(node: Any, gs: list[Any]) -> Any:
    """Run the op's vjps on gradients of the output: gs has one for each input, None where none is needed."""
    op = node.op
    if op.joint is not None:
        (g,) = {id(g): g for g in gs if g is not None}.values()  # a joint rule has one gradient for all inputs
        kernel = {"saved": node.saved} if op.is_fused else {}
        return op.joint(g, node.output, *node.inputs, needs=tuple([g is not None for g in gs]), **kernel, **node.params)
    return [
        None if g is None or rule is None else rule(g, node.output, *node.inputs, **node.params)
        for rule, g in zip(op.vjps, gs, strict=True)
    ]


def _weighted(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of an elementwise op: its Jacobian is diagonal, so its vjps serve."""
    if node.op.joint is not None and len(ts) > 1:
        return NotImplemented
    if node.shapes is not None:
        if not all(node.needs):
            return NotImplemented  # the operand without a gradient may be the larger one, and its shape was not saved
        shape = np.broadcast_shapes(*node.shapes)
        ts = [None if t is None else np.broadcast_to(t, shape) for t in ts]
    result = total([part for part in weights(node, ts) if part is not None])
    return result if result is NotImplemented else np.asarray(result)


def reduced(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of an op whose vjp is g, expanded over the dimensions `dim`, times a weight per element."""
    (t,) = ts
    if not t.size:
        return NotImplemented  # var and std of nothing have no weights
    dim, keepdim = node.params.get("dim"), bool(node.params.get("keepdim"))
    axes = tuple(range(t.ndim)) if dim is None or not t.ndim else (dim,) if isinstance(dim, int) else tuple(dim)
    axes = axes or tuple(range(t.ndim))
    ones = np.ones(t.sum(axes, keepdims=keepdim).shape, t.dtype)
    gs = [(ones, None), (None, ones)] if node.op.is_multi else [ones]
    factors = [weights(node, [g])[0] for g in gs]
    if any(w is None for w in factors):
        return NotImplemented
    sums = [add_up(w * t, axes, keepdim) for w in factors]
    return sums if node.op.is_multi else sums[0]


def linear(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of an op that is linear in its first input; the others (indices, masks) have no tangents."""
    if any(t is not None for t in ts[1:]):
        return NotImplemented
    return _only(node.op, node.op.forward(ts[0], *(node.inputs or ())[1:], **node.params))


def written(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of an op that writes one input into parts of another: it is linear in both."""
    values = []
    for x, t in zip(node.inputs, ts, strict=True):
        if t is None and (x is None or isinstance(x, float)):
            return NotImplemented  # its shape is not known
        if t is None and x.dtype.kind == "f":
            t = np.zeros(x.shape, x.dtype)
        values.append(x if t is None else t)
    return node.op.forward(*values, **node.params)


def product(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of an op that is linear in each of its two inputs."""
    op, (a, b) = node.op, node.inputs
    terms = [
        op.forward(*operands, **node.params)
        for operands in ((ts[0], b), (a, ts[1]))
        if all(x is not None for x in operands)  # what was not saved belongs to a term without a tangent
    ]
    result = total(terms)
    return result if result is NotImplemented else np.asarray(result)


def chosen(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of an op that picks elements of its input along a dimension, with their indices."""
    (t,), dim, indices = ts, node.params["dim"], node.output[1]
    if not t.ndim:
        return [t, np.zeros(indices.shape)]
    dropped = indices.ndim < t.ndim
    values = np.take_along_axis(t, np.expand_dims(indices, dim) if dropped else indices, dim)
    return [values.squeeze(dim) if dropped else values, np.zeros(indices.shape)]


def loss(node: Any, ts: list[Any]) -> Any:
    """Return the tangent of a loss that is reduced to one number."""
    if node.params.get("reduction") not in ("mean", "sum"):
        return NotImplemented
    g = np.ones((), next(t for t in ts if t is not None).dtype)
    result = 0.0
    for part, t in zip(weights(node, [None if t is None else g for t in ts]), ts, strict=False):
        if part is not None and t is not None:
            result = result + add_up(part * t)
            if not t.size and node.params["reduction"] == "mean":
                result = result * np.nan  # like the mean of nothing
    return np.asarray(result, g.dtype)


# ----- Rules of shapes -----


def own_shape(x: Any, *_others: Any, **_params: Any) -> tuple[int, ...]:
    """Return the shape of the first input: the rule of shapes of an op that keeps it."""
    shape: tuple[int, ...] = x.shape
    return shape


def _reduced_shape(x: Any, *, dim: Any = None, keepdim: bool = False, **_params: Any) -> tuple[int, ...]:
    rank = x.ndim
    dims = range(rank) if dim is None else [d % rank for d in ((dim,) if isinstance(dim, int) else dim) if rank]
    return tuple([1 if d in dims else n for d, n in enumerate(x.shape) if keepdim or d not in dims])


# ----- The kinds -----

ELEMENTWISE = Kind("elementwise", _broadcasting, _weighted, True)  # operands are broadcast, each element is independent
ASSIGNMENT = Kind("assignment", _broadcasting, None, True)  # the source is broadcast, the first operand is not
FILLING = Kind("filling", None, None, True)
# Over the dimensions `dim`: several, or None for all.
REDUCTION = Kind("reduction", _reduction, reduced, shape=_reduced_shape)
REDUCTION_OF_ONE = Kind(
    "reduction of one", functools.partial(_reduction, all_dims=1), reduced, shape=_reduced_shape
)  # `dim` is an int or None
MATRICES = Kind("matrices", _matrices)  # of the last two dimensions, for any leading ones
PAIRS_OF_MATRICES = Kind("pairs of matrices", _broadcasting)  # likewise, and the leading ones are broadcast


def along_dims(*settings: str, tangent: Tangent | None = None) -> Kind:
    """Return the kind of an op of one input that works along the dimensions named by these settings."""

    def rule(op: Any, xs: Any, batched: Any, size: int, /, **params: Any) -> Any:
        if not rank_of(xs[0], True) or any(params[name] is None for name in settings):
            return NotImplemented
        return op(*xs, **{**params, **{name: moved(params[name]) for name in settings}})

    return Kind("along " + ", ".join(settings), rule, tangent)


def adjoint_along(*settings: str) -> Kind:
    """Return the kind of an op that puts its input into zeros of `shape`, along the dimensions of these settings."""

    def rule(op: Any, xs: Any, batched: Any, size: int, /, *, shape: tuple[int, ...], **params: Any) -> Any:
        if not shape:
            return NotImplemented
        return op(*xs, shape=(size, *shape), **{**params, **{name: moved(params[name]) for name in settings}})

    return Kind("adjoint along " + ", ".join(settings), rule, linear)
