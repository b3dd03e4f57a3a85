"""A backward pass walks only the part of a graph that it needs, so its time is linear in the graph's size."""

import pytest

import npg
from npg import nn
from npg.engine._select import core

from ..conftest import load_engine

FUSED = {
    "gelu": nn.functional.gelu,
    "cross_entropy": lambda y: y - nn.functional.cross_entropy(y[None], npg.tensor([1])),
    "attention": lambda y: nn.functional.scaled_dot_product_attention(*[y.view(1, 1, 2, 2)] * 3).reshape(4),
}


@pytest.mark.parametrize("name", FUSED)
def test_recorded_pass_over_fused_ops_walks_each_node_a_few_times(name, monkeypatch):
    module = load_engine("python").backward if core.name == "python" else core
    plain = module.reachable
    walked = 0

    class Counting(type):
        def __instancecheck__(cls, x):
            nonlocal walked
            walked += 1
            return isinstance(x, core.TensorBase)

    class Leaf(metaclass=Counting):
        pass

    monkeypatch.setattr(module, "reachable", lambda roots, targets, _, *first: plain(roots, targets, Leaf, *first))

    def count(n):
        nonlocal walked
        x = npg.linspace(0.1, 1, 4).requires_grad_()
        y = x
        for _ in range(n):
            y = FUSED[name](y)
        walked = 0
        npg.autograd.grad(y.sum(), x, create_graph=True)
        return walked

    few, many = count(10), count(40)
    assert few > 10 and many < 5 * few
