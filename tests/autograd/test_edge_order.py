"""The order of a node's edges: in it PyTorch gives leaves their gradients, and calls their hooks.

Over PyTorch's own samples of every op and the layers with parameters: leaves get their gradients in PyTorch's order.
"""

import pytest
import torch

import npg

from ..helpers import to_npg
from ..op_samples import samples_of
from ..test_op_db import forms, op_db
from .test_saved import mapped, tensors

pytestmark = pytest.mark.usefixtures("quick_samples")

SAMPLES = 2  # an op

# One node here where PyTorch's function is made of several, which run in an order that no order of edges gives; or
# operands that a reflected operator has swapped.
COMPOSED = {
    "__radd__",
    "__rmatmul__",
    "__rmul__",
    "__rsub__",
    "einsum",
    "index_fill",
    "inner",
    "linalg.multi_dot",
    "linalg.solve_triangular",
    "meshgrid",
    "nn.functional.bilinear",
    "nn.functional.cosine_embedding_loss",
    "nn.functional.kl_div",
    "nn.functional.margin_ranking_loss",
    "nn.functional.multi_head_attention_forward",
    "nn.functional.scaled_dot_product_attention",
    "nn.functional.triplet_margin_loss",
    "rsub",
    "tensordot",
}

OPS = [op for op in op_db if op.supports_autograd and forms(op) and op.name not in COMPOSED]


def _order(lib, function, args, kwargs):
    """Return in which order the leaves of a call get their gradients; None where there are not two."""
    log, leaves = [], []

    def fresh(t):
        if t.dtype != lib.float64 or not t.numel():
            return t
        leaf, k = t.detach().clone().requires_grad_(), len(leaves)
        leaves.append(leaf)
        leaf.register_post_accumulate_grad_hook(lambda _: log.append(k))
        return leaf

    args, kwargs = mapped(args, lib.Tensor, fresh), mapped(kwargs, lib.Tensor, fresh)
    if len(leaves) < 2:
        return None
    lib.manual_seed(0)
    roots = [y for y in tensors(function(*args, **kwargs), lib.Tensor) if y.requires_grad]
    if roots:
        sum(y.sum() for y in roots).backward()
    return log


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.formatted_name)
def test_leaves_get_their_gradients_in_the_order_of_torch(op):
    form = forms(op)[0]
    for args, kwargs in samples_of(op, SAMPLES):
        try:
            expected = _order(torch, form.torch_fn, args, kwargs)
            ours = to_npg(args), to_npg(kwargs)
        except Exception:  # torch refuses the sample, or npg has nothing for an argument: see test_op_db.py
            continue
        if expected is None:
            continue
        assert _order(npg, form.npg_fn, *ours) == expected


LAYERS = {
    "Linear": (lambda lib: lib.nn.Linear(3, 4), (5, 3)),
    "Linear of a batch": (lambda lib: lib.nn.Linear(3, 4), (2, 5, 3)),
    "Linear of a vector": (lambda lib: lib.nn.Linear(3, 4), (3,)),
    "Linear without bias": (lambda lib: lib.nn.Linear(3, 4, bias=False), (5, 3)),
    "Linear without bias of a batch": (lambda lib: lib.nn.Linear(3, 4, bias=False), (2, 5, 3)),
    "Linear without bias of a vector": (lambda lib: lib.nn.Linear(3, 4, bias=False), (3,)),
    "LayerNorm": (lambda lib: lib.nn.LayerNorm(3), (5, 3)),
    "RMSNorm": (lambda lib: lib.nn.RMSNorm(3), (5, 3)),
    "PReLU": (lambda lib: lib.nn.PReLU(3), (5, 3)),
    "Sequential": (
        lambda lib: lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.ReLU(), lib.nn.Linear(4, 4), lib.nn.LayerNorm(4)),
        (5, 3),
    ),
}


@pytest.mark.parametrize("leaf", [False, True], ids=["", "input is a leaf"])
@pytest.mark.parametrize("layer", LAYERS)
def test_parameters_get_their_gradients_in_the_order_of_torch(layer, leaf):
    make, shape = LAYERS[layer]
    orders = []
    for lib in (npg, torch):
        net, log = make(lib), []
        for name, p in net.named_parameters():
            p.register_post_accumulate_grad_hook(lambda _, name=name, log=log: log.append(name))
        x = lib.ones(*shape, requires_grad=True)
        x.register_post_accumulate_grad_hook(lambda _, log=log: log.append("x"))
        net(x if leaf else x * 2).sum().backward()
        orders.append(log)
    assert orders[0] == orders[1]


def test_edges_and_hooks_of_linear_are_those_of_addmm():
    for lib in (npg, torch):
        x, w, b = (lib.ones(n, requires_grad=True) * 1 for n in ((5, 3), (4, 3), (4,)))
        y = lib.nn.functional.linear(x, w, b)
        edges = y.grad_fn.next_functions
        assert edges[0][0] is b.grad_fn and edges[1][0] is x.grad_fn and len(edges) == 3
        seen = []
        y.grad_fn.register_hook(
            lambda inner, outer, seen=seen, x=x: (
                seen.append([tuple(g.shape) for g in inner[:2]]) or (inner[0] * 2, inner[1] * 3, inner[2])
            )
        )
        gradients = lib.autograd.grad(y.sum(), [b, x, w])
        assert seen == [[(4,), (5, 3)]]
        assert [g.flatten()[0].item() for g in gradients] == [10.0, 12.0, 5.0]


# ----- What a change in place saves -----

IN_PLACE = {
    "leaky_relu": lambda lib, x: lib.nn.functional.leaky_relu_(x, 0.3),
    "elu": lambda lib, x: lib.nn.functional.elu_(x, 0.5),
    "selu": lambda lib, x: lib.nn.functional.selu_(x),
    "celu": lambda lib, x: lib.nn.functional.celu_(x, 0.5),
    "relu": lambda lib, x: lib.nn.functional.relu_(x),
    "hardtanh": lambda lib, x: lib.nn.functional.hardtanh_(x),
    "silu": lambda lib, x: lib.nn.functional.silu(x, inplace=True),
}


@pytest.mark.parametrize("first", IN_PLACE)
@pytest.mark.parametrize("second", [None, *IN_PLACE])
def test_activations_in_place_after_each_other_are_refused_as_in_torch(first, second):
    results = []
    for lib in (npg, torch):
        x = lib.tensor([0.3, -0.2, 0.7, -1.5], dtype=lib.float64, requires_grad=True)
        y = IN_PLACE[first](lib, x * 1)
        if second is not None:
            IN_PLACE[second](lib, y)
        try:
            results.append(lib.autograd.grad(y.sum(), x)[0].tolist())
        except RuntimeError as error:
            assert "modified by an inplace operation" in str(error)
            results.append("refused")
    assert results[0] == results[1] or results[0] == pytest.approx(results[1], rel=1e-12)
