"""What an op's call and a node's rule are called in tables and traces.

A name in PyTorch's `aten::` namespace means what it means in PyTorch; what only npg has stands under `npg::`.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["EVALUATE", "backward_key", "forward_key"]

# PyTorch's name of the range around a node's rule.
EVALUATE = "autograd::engine::evaluate_function: "

# Ops that PyTorch calls otherwise.
_ATEN = {
    "assign": "copy",
    "attention": "scaled_dot_product_attention",
    "bernoulli_each": "bernoulli",
    "cast": "_to_copy",
    "clamp_between": "clamp",
    "constant_pad": "constant_pad_nd",
    "cross_entropy": "cross_entropy_loss",
    "div_rounded": "div",
    "gelu_tanh": "gelu",
    "logsigmoid": "log_sigmoid",
    "max_dim": "max",
    "median_dim": "median",
    "min_dim": "min",
    "nanmedian_dim": "nanmedian",
    "round_decimals": "round",
    "unique": "_unique2",
    "view_dtype": "view",
    **{
        name: "linalg_" + name
        for name in (
            "cholesky",
            "cross",
            "det",
            "eigh",
            "inv",
            "lstsq",
            "pinv",
            "qr",
            "slogdet",
            "solve",
            "solve_triangular",
            "svd",
            "vector_norm",
        )
    },
}

# One op of npg where PyTorch has several: the name of its node says which. SplitWithSizesBackward0: split_with_sizes.
_NAMED_BY_NODE = {
    "add_scaled",
    "clamp",
    "clamp_high",
    "clamp_low",
    "dot",
    "getitem",
    "index",
    "index_put",
    "split",
    "sub",
    "transpose",
}

# Ops that PyTorch has not.
_OWN = {
    "coefficients",
    "cofactor",
    "contract",
    "copy_slices",
    "embedding_double_backward",
    "fill_by",
    "getitem_backward",
    "has_zero",
    "index_backward",
    "index_pad",
    "index_pad_backward",
    "is_zero",
    "mask",
    "masked_put",
    "padded",
    "recurrence",
    "reverse_cumsum",
    "row_top",
    "scatter_sum",
    "softsign",
    "strided_clear",
    "strided_gather",
    "strided_scatter",
    "take_backward",
    "tanhshrink",
    "ties",
}


def forward_key(op: Any) -> str:
    """Return the key of a call of an op, such as aten::mul; in place PyTorch appends an underscore."""
    name: str = op.name
    if name in _OWN:
        return "npg::" + name
    if name in _NAMED_BY_NODE:
        words = re.findall("[A-Z][a-z]*", op.node_name.rpartition("Backward")[0])
        return "aten::" + "_".join(words).lower()
    return "aten::" + _ATEN.get(name, name)


def backward_key(op: Any) -> str:
    """Return the key of a node's rule, such as MulBackward0."""
    name: str = op.node_name
    return name
