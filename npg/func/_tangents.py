"""The tangent rules: what an op makes of the tangents of its inputs.

A rule takes `(node, ts)`: a node of a recorded graph and for each of its edges an ndarray or None; and returns the
tangent of the node's output (of a multi op, one for each output), or NotImplemented. The derivative of an elementwise
op is its own transpose, and that of a reduction is a weighted sum, so the rules that give gradients give tangents too;
a linear op is applied to the tangent itself, a product has two terms. A fused kernel without a rule is taken as its
composite, see _forward.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg.engine import TensorBase
from npg.func._rules import is_elementwise
from npg.ops.reduce import sum_

__all__ = ["rule_of"]

Rule = Callable[[Any, list[Any]], Any]


def _array(x: Any) -> Any:
    return x._array if isinstance(x, TensorBase) else x


def _plain(op: Any, result: Any) -> Any:
    return result[0] if op.is_fused else result


def _added(terms: list[Any]) -> Any:
    """Return the sum; NotImplemented where there is nothing to add."""
    total: Any = NotImplemented
    for term in terms:
        total = term if total is NotImplemented else total + term
    return total


def _gradients(node: Any, gs: list[Any]) -> Any:
    """Return what the rules make of a gradient of the output: gs has one for each input that is wanted."""
    op = node.op
    inputs = [_array(x) for x in node.inputs]
    if op.joint is not None:
        (g,) = {id(g): g for g in gs if g is not None}.values()  # a joint rule has one gradient for all inputs
        kernel = {"saved": node.saved} if op.is_fused else {}
        return op.joint(g, node.output, *inputs, needs=tuple([g is not None for g in gs]), **kernel, **node.params)
    return [
        None if g is None or rule is None else rule(g, node.output, *inputs, **node.params)
        for rule, g in zip(op.vjps, gs, strict=True)
    ]


# ----- Linear -----


def _linear(node: Any, ts: list[Any]) -> Any:
    """Of an op that is linear in its first input, and has no tangents from others: indices, masks."""
    if any(t is not None for t in ts[1:]):
        return NotImplemented
    return _plain(node.op, node.op.forward(ts[0], *[_array(x) for x in (node.inputs or ())[1:]], **node.params))


def _view(node: Any, ts: list[Any]) -> Any:
    return ts[0].reshape(node.params["shape"])  # a tangent's strides are others than its value's


def _padded(node: Any, ts: list[Any]) -> Any:
    return node.op.forward(ts[0], **{**node.params, "value": 0})


def _joining(node: Any, ts: list[Any]) -> Any:
    return NotImplemented if any(t is None for t in ts) else node.op.forward(*ts, **node.params)


def _written(node: Any, ts: list[Any]) -> Any:
    """Of an op that writes parts of one input into another: linear in both."""
    values = []
    for x, t in zip(node.inputs, ts, strict=True):
        if t is None and (x is None or isinstance(x, float)):
            return NotImplemented  # its shape is not known
        kind = "f" if t is not None else x.dtype.kind if isinstance(x, np.ndarray) else _dtype_of(x).kind
        values.append(t if t is not None else _array(x) if kind != "f" else np.zeros(x.shape, _dtype_of(x)))
    return node.op.forward(*values, **node.params)


def _dtype_of(x: Any) -> Any:
    return _array(x).dtype


# ----- Products -----


def _product(node: Any, ts: list[Any]) -> Any:
    op = node.op
    a, b = (_array(x) for x in node.inputs[:2])
    rest = (None,) if op.name == "linear" else ()
    terms = [
        _plain(op, op.forward(*operands, *rest, **node.params))
        for operands in ((ts[0], b), (a, ts[1]))
        if all(x is not None for x in operands)  # a factor that is not wanted has no tangent
    ]
    if rest and terms and len(ts) > 2 and ts[2] is not None:
        terms.append(ts[2])
    found = _added(terms)
    return found if found is NotImplemented else np.asarray(found)


def _sum_of_product(node: Any, ts: list[Any]) -> Any:
    """beta x + alpha a @ b, and its like."""
    x, a, b = (_array(x) for x in node.inputs)
    start = ts[0] if ts[0] is not None else None if x is None else np.zeros(x.shape, x.dtype)
    if start is None:
        return NotImplemented
    terms = []
    for operands in ((ts[1], b), (a, ts[2])):
        if all(x is not None for x in operands):
            terms.append(node.op.forward(start, *operands, **node.params))
            start = np.zeros_like(start)
    return _added(terms)


def _inv(node: Any, ts: list[Any]) -> Any:
    return -(node.output @ ts[0] @ node.output)


# ----- Weighted sums -----


def _elementwise(node: Any, ts: list[Any]) -> Any:
    if node.op.joint is not None and len(ts) > 1:
        return NotImplemented
    if node.shapes is not None:
        if not all(node.needs):
            return NotImplemented  # the operand that is not wanted may be the larger one, and its shape is not known
        shape = np.broadcast_shapes(*node.shapes)
        ts = [None if t is None else np.broadcast_to(t, shape) for t in ts]
    total = _added([part for part in _gradients(node, ts) if part is not None])
    return total if total is NotImplemented else np.asarray(total)


def _sum(x: Any, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    return sum_.forward(x, dim=dim, keepdim=keepdim)


def _reduction(node: Any, ts: list[Any]) -> Any:
    """Of an op whose gradient is g times a weight for each element, g being expanded over the dimensions `dim`."""
    (t,) = ts
    if not t.size:
        return NotImplemented  # var and std of nothing have no weights
    dim, keepdim = node.params.get("dim"), bool(node.params.get("keepdim"))
    axes = tuple(range(t.ndim)) if dim is None or not t.ndim else (dim,) if isinstance(dim, int) else tuple(dim)
    axes = axes or tuple(range(t.ndim))
    ones = np.ones(t.sum(axes, keepdims=keepdim).shape, t.dtype)
    gs = [(ones, None), (None, ones)] if node.op.is_multi else [ones]
    weights = [_gradients(node, [g])[0] for g in gs]
    if any(w is None for w in weights):
        return NotImplemented
    found = [_sum(w * t, axes, keepdim) for w in weights]
    return found if node.op.is_multi else found[0]


def _det(node: Any, ts: list[Any]) -> Any:
    ones = np.ones(ts[0].shape[:-2], ts[0].dtype)
    return _sum(_gradients(node, [ones])[0] * ts[0], (ts[0].ndim - 2, ts[0].ndim - 1), False)


def _glu(node: Any, ts: list[Any]) -> Any:
    (t,), dim = ts, node.params["dim"]
    half = t.shape[dim] // 2
    weighted = _gradients(node, [np.ones_like(t.take(range(half), dim))])[0] * t
    a, b = np.split(weighted, 2, dim)
    return a + b


def _chosen(node: Any, ts: list[Any]) -> Any:
    """Of an op that gives elements of its input along a dimension, and their indices."""
    (t,), dim, indices = ts, node.params["dim"], node.output[1]
    if not t.ndim:
        return [t, np.zeros(indices.shape)]
    dropped = indices.ndim < t.ndim
    found = np.take_along_axis(t, np.expand_dims(indices, dim) if dropped else indices, dim)
    return [found.squeeze(dim) if dropped else found, np.zeros(indices.shape)]


# ----- Normalization, softmax and losses -----


def _normalization(node: Any, ts: list[Any]) -> Any:
    """Of layer_norm and rms_norm: without weight and bias the Jacobian is symmetric, so the gradients' rule serves."""
    if not node.saved:
        return NotImplemented
    x, weight, *_ = node.inputs
    t, weight_t, *bias_t = [*ts, None, None][: len(node.inputs)]
    terms = [b for b in bias_t if b is not None]
    if t is not None:
        nothing = (None,) * (len(node.inputs) - 1)
        needs = (True, *(False for _ in nothing))
        found = node.op.joint(t, None, _array(x), *nothing, saved=node.saved, needs=needs, **node.params)[0]
        terms.append(found if weight is None else found * _array(weight))
    if weight_t is not None:
        terms.append(_normalized(node) * weight_t)
    return np.broadcast_to(_added(terms), x.shape)


def _normalized(node: Any) -> Any:
    # Kept are a factor for each row, and a layer_norm's mean: what a weight is multiplied by is made again.
    *mean, scale = node.saved
    x = _array(node.inputs[0])
    rows = x.reshape(len(scale), -1)
    return ((rows - mean[0] if mean else rows) * scale).reshape(x.shape)


def _softmax(node: Any, ts: list[Any]) -> Any:
    (t,) = ts
    if not t.ndim:
        return np.zeros_like(t)
    y, dim = node.output, node.params["dim"]
    if node.op.name == "log_softmax":
        return t - _sum(np.exp(y) * t, (dim,), True)
    return y * (t - _sum(y * t, (dim,), True))


def _loss(node: Any, ts: list[Any]) -> Any:
    if node.params.get("reduction") not in ("mean", "sum"):
        return NotImplemented
    g = np.ones((), next(t for t in ts if t is not None).dtype)
    total = 0.0
    for part, t in zip(_gradients(node, [None if t is None else g for t in ts]), ts, strict=False):
        if part is not None and t is not None:
            total = total + _sum(part * t, None, False)
            if not t.size and node.params["reduction"] == "mean":
                total = total * np.nan  # as the mean of nothing is
    return np.asarray(total, g.dtype)


# ----- The table -----

_RULES: dict[str, Rule] = {
    "view": _view,
    "constant_pad": _padded,
    **dict.fromkeys(
        "reshape squeeze squeeze_dim squeeze_dims unsqueeze expand contiguous transpose permute select slice diagonal "
        "unfold alias clone cast getitem split unbind sum mean flip roll rot90 tril triu repeat cumsum neg "
        "select_backward slice_backward diagonal_backward unfold_backward getitem_backward diagonal_copy gather take "
        "index index_pad masked_select embedding diag_embed trace repeat_interleave".split(),
        _linear,
    ),
    **dict.fromkeys(("cat", "stack"), _joining),
    **dict.fromkeys("scatter scatter_add index_put put masked_scatter".split(), _written),
    **dict.fromkeys("matmul mm bmm mv dot outer linear contract cross".split(), _product),
    **dict.fromkeys("addmm addmv addbmm baddbmm addr".split(), _sum_of_product),
    **dict.fromkeys(
        "amax amin max min median nanmedian prod prod_dim logsumexp var std nansum nanmean vector_norm var_mean "
        "std_mean aminmax".split(),
        _reduction,
    ),
    **dict.fromkeys("sort topk kthvalue mode max_dim min_dim median_dim nanmedian_dim cummax cummin".split(), _chosen),
    **dict.fromkeys(("layer_norm", "rms_norm"), _normalization),
    "inv": _inv,
    "det": _det,
    "glu": _glu,
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    **dict.fromkeys(
        "mse_loss smooth_l1_loss huber_loss l1_loss soft_margin_loss cross_entropy nll_loss binary_cross_entropy "
        "binary_cross_entropy_with_logits".split(),
        _loss,
    ),
}
_NOT_HERE = {"fill", "assign"}  # elementwise for a batch, but what they write is not the shape of what they are given


def rule_of(op: Any) -> Rule | None:
    """Return the tangent rule of an op, None where it has none."""
    found = _RULES.get(op.name)
    if found is None and is_elementwise(op) and op.name not in _NOT_HERE:
        return _elementwise
    return found
