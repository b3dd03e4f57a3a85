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

from npg.engine import TensorBase, apply, wrap
from npg.func import _products
from npg.func._sharing import as_vectors, full, padded, rank_of, reshaped
from npg.ops import index as index_ops, reduce, shape

__all__ = ["DECOMPOSITIONS", "SUMS", "is_elementwise", "rule_of"]

Rule = Callable[..., Any]

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
    rank = max(rank_of(x, flag) for x, flag in zip(xs, flags, strict=True))
    return apply(op, tuple([padded(x, rank) if flag else x for x, flag in zip(xs, flags, strict=True)]), params)


# ----- Along dimensions -----


def _along(*names: str) -> Rule:
    """Return the rule of an op of one input whose settings `names` are dimensions."""

    def rule(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
        if not rank_of(xs[0], True) or any(params[n] is None for n in names):
            return NotImplemented
        moved = {n: _moved(params[n]) for n in names}
        return apply(op, tuple(xs), {**params, **moved})

    return rule


def _moved(dim: Any) -> Any:
    return dim + 1 if isinstance(dim, int) else tuple([d + 1 for d in dim])


def _softmax(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if rank_of(xs[0], True):
        return apply(op, tuple(xs), {"dim": params["dim"] + 1})
    return reshaped(apply(op, (reshaped(xs[0], (size, 1)),), {"dim": 1}), (size,))


_TAKE_INT = {"argmax", "argmin", "prod"}


def _reduction(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    (x,) = xs
    rank = rank_of(x, True)
    dim = params.get("dim")
    if rank and dim is not None:
        return apply(op, (x,), {**params, "dim": _moved(dim)})
    # All dimensions as one.
    is_int = isinstance(dim, int) or (dim is None and op.name in _TAKE_INT)
    settings = {**params, "dim": 1 if is_int else (1,)}
    if "keepdim" in settings:
        settings["keepdim"] = False
    found = apply(op, (as_vectors(x),), settings)
    if not params.get("keepdim"):
        return found
    sizes = (size, *(1,) * rank)
    return tuple([reshaped(y, sizes) for y in found]) if op.is_multi else reshaped(found, sizes)


def _extreme(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    return apply(
        reduce.amax if op.name == "max" else reduce.amin, (as_vectors(xs[0]),), {"dim": (1,), "keepdim": False}
    )


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
    return apply(op, (padded(xs[0], len(sizes)),), {"shape": (size, *sizes)})


def _transpose(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if params["dim0"] == params["dim1"]:
        return apply(shape.reshape, tuple(xs), {"shape": tuple(xs[0]._array.shape)})
    return apply(op, tuple(xs), {"dim0": params["dim0"] + 1, "dim1": params["dim1"] + 1})


def _permute(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    return apply(op, tuple(xs), {"dims": (0, *[d + 1 for d in params["dims"]])})


def _repeat(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    repeats = params["repeats"]
    return apply(op, (padded(xs[0], len(repeats)),), {"repeats": (1, *repeats)})


def _roll(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    (x,) = xs
    if params["dims"] is not None:
        return apply(op, (x,), {**params, "dims": _moved(params["dims"])})
    return reshaped(apply(op, (as_vectors(x),), {**params, "dims": (1,)}), tuple(x._array.shape))


def _constant_pad(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    return apply(op, tuple(xs), {**params, "pad": ((0, 0), *params["pad"])})


def _cross(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if rank_of(xs[0], flags[0]) != rank_of(xs[1], flags[1]):
        return NotImplemented
    return _join(op, xs, flags, params, size)


def _join(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    wholes = tuple([full(x, flag, size) for x, flag in zip(xs, flags, strict=True)])
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
    rank = max(rank_of(i, flag) for i, flag in zip(indices, others, strict=True))
    indices = [padded(i, rank) if flag else i for i, flag in zip(indices, others, strict=True)]
    if not first:
        return apply(index_ops.index, (x, *indices), {"at": at})
    own = wrap(np.arange(size).reshape(size, *(1,) * rank))
    return apply(index_ops.index, (x, own, *indices), {"at": (0, *_moved(at))})


def _dtype_kind(x: Any) -> str:
    return (x._array if isinstance(x, TensorBase) else np.asarray(x)).dtype.kind


def _gather(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    # gather and scatter; what is written may be a number.
    tensors = [isinstance(x, (TensorBase, np.ndarray)) for x in xs]
    if not all(rank_of(x, flag) for x, flag, t in zip(xs, flags, tensors, strict=True) if t):
        return NotImplemented
    wholes = [full(x, flag, size) if t else x for x, flag, t in zip(xs, flags, tensors, strict=True)]
    return apply(op, tuple(wholes), {**params, "dim": params["dim"] + 1})


def _embedding(op: Any, xs: Any, flags: Any, params: dict[str, Any], size: int) -> Any:
    if not flags[0]:
        return apply(op, tuple(xs), params)
    if params["padding_idx"] is not None or params["scale_grad_by_freq"]:
        return NotImplemented
    return _index(op, xs, flags, {"at": (0,)}, size)


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
    **dict.fromkeys("gather scatter scatter_add scatter_reduce".split(), _gather),
    "embedding": _embedding,
    **dict.fromkeys(("cat", "stack"), _join),
    **dict.fromkeys(
        "select slice unfold split unbind glu cumsum cumprod logcumsumexp cummax cummin sort argsort topk kthvalue "
        "max_dim min_dim median_dim nanmedian_dim mode".split(),
        _along("dim"),
    ),
    **dict.fromkeys(("index_pad", "repeat_interleave"), _along("dim")),
    **dict.fromkeys(("flip", "rot90"), _along("dims")),
    **dict.fromkeys(("diagonal", "diagonal_copy", "diag_embed"), _along("dim1", "dim2")),
    "roll": _roll,
    "constant_pad": _constant_pad,
    "cross": _cross,
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    **dict.fromkeys(
        "sum mean nansum nanmean count_nonzero var std var_mean std_mean amax amin aminmax all any logsumexp prod "
        "prod_dim argmax argmin vector_norm".split(),
        _reduction,
    ),
    **dict.fromkeys(("max", "min"), _extreme),
    **dict.fromkeys("mm bmm mv dot vdot matmul vm".split(), _products.product),
    "contract": _products.contract,
    **dict.fromkeys(("linear", "layer_norm", "rms_norm"), _products.first_only),
    "attention": _products.attention,
    **dict.fromkeys("inv det slogdet cholesky".split(), _products.matrices),
    **dict.fromkeys(
        "mse_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits "
        "soft_margin_loss".split(),
        _products.pointwise_loss,
    ),
    **dict.fromkeys(("nll_loss", "cross_entropy"), _products.class_loss),
}

SUMS = ("addmm", "addmv", "addr", "baddbmm")
# For batched tensors behind the first input, where there is none by rule.
DECOMPOSITIONS: dict[str, Rule] = {
    "linear": _products.linear,
    "layer_norm": _products.layer_norm,
    "rms_norm": _products.rms_norm,
    **dict.fromkeys(SUMS, _products.added),
}


def rule_of(op: Any) -> Rule | None:
    """Return the batching rule of an op, None where it has none."""
    found = _RULES.get(op.name)
    if found is None and is_elementwise(op) and op.name != "fill":
        return _elementwise
    return found
