"""A node is callable: what it makes of the gradients of its outputs; and Variable, as before PyTorch 0.4."""

import numpy as np
import pytest
import torch

import npg


def _graph(lib):
    x = lib.tensor([0.5, 1.0], requires_grad=True)
    y = x.exp()
    return x, y, x * y, lib.stack([x, y]).unbind()


def test_node_gives_the_gradients_of_its_inputs():
    results = []
    for lib in (npg, torch):
        x, y, product, (first, _) = _graph(lib)
        g = lib.tensor([1.0, 2.0])
        made = [y.grad_fn(g), *product.grad_fn(g), first.grad_fn(g, None), *product.grad_fn(None)]
        results.append([None if m is None else m.tolist() for m in made])
        assert made[0].requires_grad
        with lib.no_grad():
            assert not y.grad_fn(g).requires_grad
        y.grad_fn.next_functions[0][0](g)
        assert x.grad.tolist() == [1.0, 2.0]
        again = lib.autograd.grad(y.grad_fn(g).sum(), x)[0]
        results[-1].append(again.tolist())
    for found, expected in zip(*results, strict=True):
        assert (found is None) == (expected is None)
        if expected is not None:
            np.testing.assert_allclose(found, expected, 1e-6)


def test_node_refuses_what_is_no_gradient():
    _, y, _, _ = _graph(npg)
    with pytest.raises(TypeError, match="argument 0 is not a Variable"):
        y.grad_fn(3)
    with pytest.raises(TypeError, match="argument 0 is not a Variable"):
        y.grad_fn.next_functions[0][0]("a")
    with pytest.raises(RuntimeError, match="ExpBackward0 expected 1 gradients, got 2"):
        y.grad_fn(npg.ones(2), npg.ones(2))
    y.sum().backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.grad_fn(npg.ones(2))
    assert npg.is_grad_enabled()


def test_variable_takes_volatile_with_a_warning():
    with pytest.warns(UserWarning, match="volatile was removed and now has no effect"):
        assert npg.autograd.Variable(npg.ones(2), volatile=True).tolist() == [1, 1]
