"""The batching rules: how an op is applied to whole batches.

A rule takes `(op, xs, flags, params, size)`: the inputs, those with a flag with the batch as their first dimension; and
returns the result (of a multi op, all of them) with the batch as the first dimension, or NotImplemented. A
decomposition takes `(op, *inputs, **params)`, batched tensors, and returns one. Dimensions in the settings count from
the front, see npg/ops.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npg import functional as F
from npg.creation import zeros
from npg.engine import TensorBase, apply, wrap
from npg.ops import index as index_ops
from npg.ops import linalg, reduce, shape

__all__ = ["DECOMPOSITIONS", "SUMS", "aligned_to", "is_elementwise", "rule_of", "zeros_of"]

Rule = Callable[..., Any]

# ----- What the rules share -----


def _rank(x: Any, flag: bool) -> int:
    """Return the number of dimensions of one example."""
    return (x._array.ndim if isinstance(x, TensorBase) else np.ndim(x)) - flag


def _reshaped(x: Any, sizes: tuple[int, ...]) -> Any:
    return x if tuple(x._array.shape) == sizes else apply(shape.reshape, (x,), {"shape": sizes})


def _padded(x: Any, rank: int) -> Any:
    """Return a batch whose examples have that many dimensions, new ones of size 1 in front."""
    size, *rest = x._array.shape
    return _reshaped(x, (size, *(1,) * (rank - len(rest)), *rest))


def _full(x: Any, flag: bool, size: int) -> Any:
    """Return x with a batch in front."""
    if flag:
        return x
    x = x if isinstance(x, TensorBase) else wrap(np.asarray(x))
    return apply(shape.expand, (x,), {"shape": (size, *x._array.shape)})


def zeros_of(x: Any) -> Any:
    """Return a batch of one example of zeros like those of x, which has none."""
    return zeros((1, *x._array.shape[1:]), dtype=x.dtype)


def aligned_to(xs: Any, flags: Any) -> Any:
    """Return operands that broadcast example by example to those of the first one, None where that is not sure."""
    rank = _rank(xs[0], flags[0])
    if any(_rank(x, flag) > rank for x, flag in zip(xs, flags, strict=True)):
        return None
    return tuple([_padded(x, rank) if flag else x for x, flag in zip(xs, flags, strict=True)])


# ----- Element by element -----

# Ops that broadcast, and are not computed element by element.
_NOT_ELEMENTWISE = {"dist", "cross", "assign"}
_UNARY = set(
    "relu leaky_relu hardtanh threshold hardshrink softshrink hardsigmoid hardswish elu celu softplus logsigmoid silu "
    "mish softsign tanhshrink gelu gelu_tanh isposinf isneginf isreal signbit bitwise_not clone cast zeros square "
    "sign sgn zero clamp clamp_min clamp_max floor ceil trunc round round_decimals frac nan_to_num erf erfc erfinv "
    "sigmoid logit deg2rad rad2deg sinc contiguous alias is_zero tril triu "
    "rsqrt".split()
)


def is_elementwise(op: Any) -> bool:
    """Tell whether operands may be broadcast as those of a sum."""
    if op.name in ("assign", "fill"):
        return True
    return op.is_ufunc or op.name in _UNARY or (op.broadcasts and op.name not in _NOT_ELEMENTWISE)


def _elementwise(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    rank = max(_rank(x, flag) for x, flag in zip(xs, flags, strict=True))
    return apply(op, tuple([_padded(x, rank) if flag else x for x, flag in zip(xs, flags, strict=True)]), params)


# ----- Along dimensions -----


def _along(*names: str) -> Rule:
    """Return the rule of an op of one input whose settings `names` are dimensions."""

    def rule(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
        if not _rank(xs[0], True) or any(params[n] is None for n in names):
            return NotImplemented
        moved = {n: _moved(params[n]) for n in names}
        return apply(op, tuple(xs), {**params, **moved})

    return rule


def _moved(dim: Any) -> Any:
    return dim + 1 if isinstance(dim, int) else tuple([d + 1 for d in dim])


def _softmax(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if _rank(xs[0], True):
        return apply(op, tuple(xs), {"dim": params["dim"] + 1})
    return _reshaped(apply(op, (_reshaped(xs[0], (size, 1)),), {"dim": 1}), (size,))


_TAKE_INT = {"argmax", "argmin", "prod"}


def _reduction(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    (x,) = xs
    rank = _rank(x, True)
    dim = params.get("dim")
    if rank and dim is not None:
        return apply(op, (x,), {**params, "dim": _moved(dim)})
    # All dimensions as one.
    is_int = isinstance(dim, int) or (dim is None and op.name in _TAKE_INT)
    settings = {**params, "dim": 1 if is_int else (1,)}
    if "keepdim" in settings:
        settings["keepdim"] = False
    found = apply(op, (_flat(x),), settings)
    if not params.get("keepdim"):
        return found
    sizes = (size, *(1,) * rank)
    return tuple([_reshaped(y, sizes) for y in found]) if op.is_multi else _reshaped(found, sizes)


def _flat(x: Any) -> Any:
    size, *rest = x._array.shape
    return _reshaped(x, (size, math.prod(rest)))


def _extreme(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    return apply(reduce.amax if op.name == "max" else reduce.amin, (_flat(xs[0]),), {"dim": (1,), "keepdim": False})


# ----- Shapes -----


def _reshape(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    (x,) = xs
    sizes = params["shape"]
    if -1 in sizes:
        count, known = math.prod(x._array.shape[1:]), -math.prod(sizes)
        if sizes.count(-1) > 1 or not known or count % known:
            raise ValueError("cannot infer a size")  # for the caller, who knows PyTorch's words
        sizes = tuple([count // known if n == -1 else n for n in sizes])
    return apply(shape.reshape, (x,), {"shape": (size, *sizes)})


def _squeeze(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    (x,), dim = xs, params["dim"]
    kept = [n for i, n in enumerate(x._array.shape[1:]) if n != 1 or (dim is not None and i not in dim)]
    return apply(shape.reshape, (x,), {"shape": (size, *kept)})


def _unsqueeze(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    return apply(op, tuple(xs), {"dim": params["dim"] + 1})


def _expand(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    sizes = params["shape"]
    return apply(op, (_padded(xs[0], len(sizes)),), {"shape": (size, *sizes)})


def _transpose(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if params["dim0"] == params["dim1"]:
        return apply(shape.reshape, tuple(xs), {"shape": tuple(xs[0]._array.shape)})
    return apply(op, tuple(xs), {"dim0": params["dim0"] + 1, "dim1": params["dim1"] + 1})


def _permute(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    return apply(op, tuple(xs), {"dims": (0, *[d + 1 for d in params["dims"]])})


def _repeat(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    repeats = params["repeats"]
    return apply(op, (_padded(xs[0], len(repeats)),), {"repeats": (1, *repeats)})


def _join(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    wholes = tuple([_full(x, flag, size) for x, flag in zip(xs, flags, strict=True)])
    return apply(op, wholes, {"dim": params["dim"] + 1})


# ----- Indices -----


def _getitem(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    key = params["index"]
    return apply(
        index_ops.getitem, tuple(xs), {"index": (slice(None), *key) if type(key) is tuple else (slice(None), key)}
    )


def _index(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    x, *indices = xs
    at = params["at"]
    first, *others = flags
    if any(_dtype_kind(i) not in "iu" for i in indices) or at != tuple(range(at[0], at[0] + len(at))):
        return NotImplemented
    if not any(others):
        return apply(index_ops.index, tuple(xs), {"at": _moved(at)})
    if at[0]:
        return NotImplemented
    rank = max(_rank(i, flag) for i, flag in zip(indices, others, strict=True))
    indices = [_padded(i, rank) if flag else i for i, flag in zip(indices, others, strict=True)]
    if not first:
        return apply(index_ops.index, (x, *indices), {"at": at})
    own = wrap(np.arange(size).reshape(size, *(1,) * rank))
    return apply(index_ops.index, (x, own, *indices), {"at": (0, *_moved(at))})


def _dtype_kind(x: Any) -> str:
    return (x._array if isinstance(x, TensorBase) else np.asarray(x)).dtype.kind


def _gather(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if not all(_rank(x, flag) for x, flag in zip(xs, flags, strict=True)):
        return NotImplemented
    return _join(op, xs, flags, params, size)


def _embedding(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    return NotImplemented if flags[0] else apply(op, tuple(xs), params)


# ----- Products -----


def _product(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    a, b = xs
    ranks = [_rank(x, flag) for x, flag in zip(xs, flags, strict=True)]
    if ranks == [2, 1] and not flags[0]:  # the vectors as the rows of one matrix
        return apply(linalg.matmul, (b, a.mT), {})
    if not all(isinstance(x, TensorBase) for x in xs):
        a, b = (x if isinstance(x, TensorBase) else wrap(np.asarray(x)) for x in xs)
    if ranks[0] == 1:
        a = _reshaped(a, (*a._array.shape[:-1], 1, a._array.shape[-1]))
    if ranks[1] == 1:
        b = _reshaped(b, (*b._array.shape, 1))
    rank = max(*ranks, 2)
    a, b = (_padded(x, rank) if flag else x for x, flag in zip((a, b), flags, strict=True))
    y = apply(linalg.matmul, (a, b), {})
    sizes = list(y._array.shape)
    if ranks[1] == 1:
        del sizes[-1]
    if ranks[0] == 1:
        del sizes[-1 if ranks[1] == 1 else -2]
    return _reshaped(y, tuple(sizes))


def _contract(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    left, right, out = params["left"], params["right"], params["out"]
    label = max((*left, *right, *out), default=-1) + 1
    settings = {
        "left": (label, *left) if flags[0] else left,
        "right": (label, *right) if flags[1] else right,
        "out": (label, *out),
    }
    return apply(op, tuple(xs), settings)


def _first_only(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    # linear, layer_norm, rms_norm: leading dimensions of the input do not matter.
    return NotImplemented if any(flags[1:]) else apply(op, tuple(xs), params)


def _linear(op: Any, x: Any, weight: Any, bias: Any) -> Any:
    y = F.matmul(x, F.transpose(weight, 0, 1))
    return y if bias is None else y + bias


def _layer_norm(op: Any, x: Any, weight: Any, bias: Any, **params: Any) -> Any:
    y = apply(op, (x, None, None), params)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _rms_norm(op: Any, x: Any, weight: Any, **params: Any) -> Any:
    return apply(op, (x, None), params) * weight


def _added(op: Any, x: Any, a: Any, b: Any, *, beta: Any, alpha: Any) -> Any:
    y = F.outer(a, b) if op.name == "addr" else F.matmul(a, b)
    y = y if alpha == 1 else y * alpha
    return y if not beta else y + (x if beta == 1 else x * beta)


def _attention(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    query, key, value, mask, noise = xs
    if mask is not None or noise is not None:
        return NotImplemented
    if len({_rank(x, flag) for x, flag in zip(xs[:3], flags, strict=False)}) > 1:
        return NotImplemented
    wholes = [_full(x, flag, size) for x, flag in zip((query, key, value), flags, strict=False)]
    return apply(op, (*wholes, None, None), params)


def _matrices(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    return apply(op, tuple(xs), params)  # any leading dimensions


# ----- Losses -----


def _reduced_rows(losses: Any, reduction: str) -> Any:
    if reduction == "none":
        return losses
    op = reduce.sum_ if reduction == "sum" else reduce.mean
    return apply(op, (_flat(losses),), {"dim": (1,), "keepdim": False})


def _pointwise_loss(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    rank = _rank(xs[0], flags[0])
    wholes = [_full(x, flag, size) for x, flag in zip(xs[:2], flags, strict=False)]
    rest = [_padded(x, rank) if flag else x for x, flag in zip(xs[2:], flags[2:], strict=True)]
    return _reduced_rows(apply(op, (*wholes, *rest), {**params, "reduction": "none"}), params["reduction"])


def _class_loss(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if flags[2]:
        return NotImplemented
    weight = xs[2]
    x, target = (_full(t, flag, size) for t, flag in zip(xs[:2], flags, strict=False))
    rows = target._array.shape  # (B, N, ...)
    merged = rows[0] * rows[1]
    flat = _reshaped(target, (merged, *rows[2:]))
    settings = {**params, "reduction": "none"}
    losses = apply(op, (_reshaped(x, (merged, *x._array.shape[2:])), flat, weight), settings)
    losses = _reshaped(losses, tuple(rows))
    reduction = params["reduction"]
    if reduction != "mean":
        return _reduced_rows(losses, reduction)
    counted = F.ne(target, params["ignore_index"])
    if weight is not None:
        counted = F.getitem(weight, F.where(counted, target, 0)) * counted
    divisor = _reduced_rows(counted.to(losses.dtype), "sum")
    return _reduced_rows(losses, "sum") / divisor


# ----- The table -----

_RULES: dict[str, Rule] = {
    **dict.fromkeys(("view", "reshape"), _reshape),
    **dict.fromkeys(("squeeze", "squeeze_dim", "squeeze_dims"), _squeeze),
    "unsqueeze": _unsqueeze,
    "expand": _expand,
    "transpose": _transpose,
    "permute": _permute,
    "repeat": _repeat,
    "getitem": _getitem,
    "index": _index,
    "gather": _gather,
    "embedding": _embedding,
    **dict.fromkeys(("cat", "stack"), _join),
    **dict.fromkeys(
        "select slice unfold split unbind glu cumsum cumprod logcumsumexp cummax cummin sort argsort topk kthvalue "
        "max_dim min_dim median_dim nanmedian_dim mode".split(),
        _along("dim"),
    ),
    "flip": _along("dims"),
    "diagonal": _along("dim1", "dim2"),
    "diagonal_copy": _along("dim1", "dim2"),
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    **dict.fromkeys(
        "sum mean nansum nanmean count_nonzero var std var_mean std_mean amax amin aminmax all any logsumexp prod "
        "prod_dim argmax argmin vector_norm".split(),
        _reduction,
    ),
    **dict.fromkeys(("max", "min"), _extreme),
    **dict.fromkeys("mm bmm mv dot vdot matmul vm".split(), _product),
    "contract": _contract,
    **dict.fromkeys(("linear", "layer_norm", "rms_norm"), _first_only),
    "attention": _attention,
    **dict.fromkeys("inv det slogdet cholesky".split(), _matrices),
    **dict.fromkeys(
        "mse_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits "
        "soft_margin_loss".split(),
        _pointwise_loss,
    ),
    **dict.fromkeys(("nll_loss", "cross_entropy"), _class_loss),
}

SUMS = ("addmm", "addmv", "addr", "baddbmm")
# For batched tensors behind the first input, where there is none by rule.
DECOMPOSITIONS: dict[str, Rule] = {
    "linear": _linear,
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    **dict.fromkeys(SUMS, _added),
}


def rule_of(op: Any) -> Rule | None:
    """Return the batching rule of an op, None where it has none."""
    found = _RULES.get(op.name)
    if found is None and is_elementwise(op) and op.name != "fill":
        return _elementwise
    return found
