"""Only the rules run whose gradients are asked for, or lead to one that is."""

import pytest

import npg
from npg.kernels import convolution


@pytest.mark.parametrize("create_graph", [False, True])
def test_rules_of_inputs_that_lead_nowhere_do_not_run(create_graph):
    x, w, b = (npg.ones(2, requires_grad=True) for _ in range(3))
    seen = []
    y = (x * w + b).sum()
    for node in (y.grad_fn.next_functions[0][0], y.grad_fn.next_functions[0][0].next_functions[0][0]):
        node.register_hook(lambda inputs, outputs: seen.append([g is not None for g in inputs]))
    npg.autograd.grad(y, x, retain_graph=True, create_graph=create_graph)
    assert seen == [[True, False], [True, False]]
    seen.clear()
    y.backward(inputs=[w], retain_graph=True)
    assert seen == [[True, False], [False, True]] and x.grad is None and w.grad.tolist() == [1.0, 1.0]
    seen.clear()
    y.backward()
    assert seen == [[True, True], [True, True]]


def test_a_penalty_of_gradients_does_not_need_that_of_the_weight(monkeypatch):
    x, w = npg.ones(1, 1, 4, 4, requires_grad=True), npg.ones(1, 1, 3, 3, requires_grad=True)
    y = npg.nn.functional.conv2d(x, w).sum()
    seen = []
    weigh = convolution.weigh
    monkeypatch.setattr(convolution, "weigh", lambda *args: seen.append(1) or weigh(*args))
    npg.autograd.grad(y, x, retain_graph=True)
    assert not seen
    npg.autograd.grad(y, w)
    assert seen
