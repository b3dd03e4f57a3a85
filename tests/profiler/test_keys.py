"""Keys of ops: what stands under aten:: is an op of PyTorch, what it has not stands under npg::."""

import importlib
import pkgutil
from typing import Any

import pytest
import torch

import npg
from npg import ops
from npg.ops._op import Op

OPS: dict[int, Any] = {
    id(op): op
    for module in pkgutil.iter_modules(ops.__path__)
    for op in vars(importlib.import_module(f"npg.ops.{module.name}")).values()
    if isinstance(op, Op)
}


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: f"{op.name}-{op.node_name}")
def test_forward_key_is_an_operator_of_its_namespace(op: Any) -> None:
    namespace, name = op.key.split("::")
    known = hasattr(torch.ops.aten, name) or hasattr(torch.ops.aten, name + "_")
    assert known == (namespace == "aten"), f"declare aten= of {op.name}"


X = [[0.5, 1.5], [2.5, 3.5]]
CALLS = {
    "add": lambda f, x: x + 1,
    "rsub": lambda f, x: 1 - x,
    "pow": lambda f, x: x**2,
    "matmul": lambda f, x: x @ x,
    "t": lambda f, x: x.t(),
    "transpose": lambda f, x: x.transpose(0, 1),
    "select": lambda f, x: x[0],
    "slice": lambda f, x: x[1:],
    "unsqueeze": lambda f, x: x[None],
    "index": lambda f, x: x[[0, 1]],
    "index_select": lambda f, x: x.index_select(0, f.tensor([1])),
    "index_add_": lambda f, x: f.zeros(2, 2).index_add_(0, f.tensor([1]), x[1:]),
    "to_copy": lambda f, x: x.double(),
    "clamp": lambda f, x: x.clamp(1, 2),
    "clamp_min": lambda f, x: f.clamp_min(x, 1),
    "max_dim": lambda f, x: x.max(0)[0],
    "softmax": lambda f, x: f.softmax(x, 1),
    "layer_norm": lambda f, x: f.nn.functional.layer_norm(x, (2,)),
    "gelu": lambda f, x: f.nn.functional.gelu(x, approximate="tanh"),
    "attention": lambda f, x: f.nn.functional.scaled_dot_product_attention(x[None], x[None], x[None]),
    "cross_entropy": lambda f, x: f.nn.functional.cross_entropy(x, f.tensor([0, 1])),
    "logsigmoid": lambda f, x: f.nn.functional.logsigmoid(x),
    "inv": lambda f, x: f.linalg.inv(x),
    "vector_norm": lambda f, x: f.linalg.vector_norm(x),
    "mul_": lambda f, x: f.ones(2, 2).mul_(x),
    "copy_": lambda f, x: f.ones(2, 2).copy_(x),
    "setitem": lambda f, x: (x * 1).__setitem__(0, 3.0),
    "fill_": lambda f, x: (x * 1).fill_(3.0),
    "pad": lambda f, x: f.nn.functional.pad(x, (1, 1)),
    "div_rounded": lambda f, x: f.div(x, 2, rounding_mode="floor"),
    "cat": lambda f, x: f.cat([x, x]),
    "split": lambda f, x: f.split(x, [1, 1]),
    "where": lambda f, x: f.where(x > 1, x, 0.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_keys_of_a_call_are_among_those_of_torch(name: str) -> None:
    found, expected = [], []
    for f, keys in ((npg, found), (torch, expected)):
        x = f.tensor(X, requires_grad=True)
        with f.profiler.profile() as prof:
            CALLS[name](f, x)
        keys += [e.name for e in prof.events()]
    assert found
    assert set(found) <= set(expected)
