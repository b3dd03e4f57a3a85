"""PyTorch's pages "torch.autograd.backward" and "torch.autograd.grad": arguments, roots, inputs, errors."""

import pytest
import torch

import npg

from ..programs import collect, compared, doubled, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- Roots and inputs -----


@program
def inputs_given_twice(lib):
    x, y = doubled(lib)
    (y * 3).sum().backward(inputs=[x, x])
    r = [values(x.grad)]
    y = x * 2
    y.retain_grad()
    (y * 3).sum().backward(inputs=[y, y])
    r.append(values(y.grad))
    y = x * 2
    (y * 3).sum().backward(inputs=[y])
    r.append(values(y.grad))
    return r


@program
def roots_given_twice(lib):
    x = lib.ones(2, requires_grad=True)
    y = (x * x).sum()
    r = []
    r.append(outcome(lambda: lib.autograd.backward([y, y])))
    r.append(values(x.grad))
    return r


@program
def root_in_inputs(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * x
    z = y * 2
    return [values(t) for t in lib.autograd.grad([z, y], [z, y, x], [lib.ones(2), lib.ones(2)])]


@program
def leaf_roots(lib):
    x = lib.ones(2, requires_grad=True)
    return [values(t) for t in lib.autograd.grad([x, x], [x, x], [lib.ones(2), lib.ones(2) * 3])]


@program
def grad_under_no_grad(lib):
    x = lib.ones(2, requires_grad=True)
    y = (x**3).sum()
    with lib.no_grad():
        (g,) = lib.autograd.grad(y, x, create_graph=True)
    return g.requires_grad, values(g)


# ----- is_grads_batched -----


@program
def grads_batched(lib):
    x = lib.arange(3.0).requires_grad_()
    y = x * x
    I = lib.eye(3)
    r = []
    G = lib.autograd.grad
    u = lib.ones(2, requires_grad=True)
    r.append(values(G(y, x, I, retain_graph=True, is_grads_batched=True)[0]))
    r.append(values(G(y, x, (I,), retain_graph=True, is_grads_batched=True)[0]))
    r.append([values(t) for t in G([y, y.sum()], [x, y], [I, lib.ones(3)], retain_graph=True, is_grads_batched=True)])
    r.append(outcome(lambda: G(y, x, lib.ones(3), retain_graph=True, is_grads_batched=True))[:200])
    r.append(outcome(lambda: G(y, x, lib.ones(2, 2), retain_graph=True, is_grads_batched=True))[:200])
    r.append(outcome(lambda: G(y, u, I, retain_graph=True, is_grads_batched=True)))
    r.append(G(y, u, I, retain_graph=True, is_grads_batched=True, allow_unused=True))
    r.append(values(G(y, u, I, retain_graph=True, is_grads_batched=True, materialize_grads=True)[0]))
    g = G(y, x, I, create_graph=True, is_grads_batched=True)[0]
    r.append((g.requires_grad, values(G(g.sum(), x)[0])))
    y = x * x
    G(y, x, I, is_grads_batched=True)
    r.append(outcome(lambda: G(y, x, I, is_grads_batched=True))[:30])
    return r


# ----- Errors -----


@program
def errors(lib):
    x = lib.ones(2, requires_grad=True)
    r = []
    B = lib.autograd.backward
    G = lib.autograd.grad
    s = lambda: (x * x).sum()
    for f in (
        lambda: B(s(), lib.ones(1)),
        lambda: B([], []),
        lambda: B([s(), s()], [lib.ones(())]),
        lambda: B("a"),
        lambda: B(3),
        lambda: B([3]),
        lambda: B(None),
        lambda: s().backward(inputs=x),
        lambda: s().backward(inputs=[3]),
        lambda: s().backward(inputs="a"),
        lambda: s().backward(inputs=lib.ones(2)),
        lambda: s().backward(lib.ones((), dtype=lib.float64)),
        lambda: s().backward(lib.ones((), dtype=lib.int64)),
        lambda: s().backward(lib.ones((), dtype=lib.bool)),
        lambda: (x * x).backward(lib.ones(2, requires_grad=True)),
        lambda: (x * x).argmax().backward(),
        lambda: x.detach().sum().backward(),
        lambda: G(s(), [x, 3]),
        lambda: G(3, x),
        lambda: G([], x),
        lambda: G(s(), ()),
        lambda: G(s(), x.detach()),
        lambda: G(s(), x, [3]),
        lambda: G([s(), s()], x, [None]),
        lambda: G(None, x),
        lambda: G((x * x), x, lib.ones(2, 1)),
        lambda: G((s() for _ in range(1)), x),
        lambda: G(s(), x, (lib.ones(()) for _ in range(1))),
        lambda: G(s(), [x, None]),
    ):
        r.append(outcome(f))
    return r


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda lib, x: lib.autograd.backward(x.sum(), 3.0), "gradients can be either Tensors or None, but got float"),
        (lambda lib, x: lib.autograd.grad(x.sum(), x, 3), "gradients can be either Tensors or None, but got int"),
        (lambda lib, x: lib.autograd.grad(x.sum(), 3), "all inputs have to be Tensors or GradientEdges, but got int"),
        (
            lambda lib, x: lib.autograd.grad(x.sum(), None),
            "inputs have to be Tensors or GradientEdges, but got NoneType",
        ),
    ],
)
def test_what_is_no_sequence_is_refused_by_its_type(call, text):
    # As PyTorch refuses it in a list; of it alone PyTorch says that it "is not iterable".
    with pytest.raises(TypeError, match="is not iterable"):
        call(torch, torch.ones(2, requires_grad=True))
    with pytest.raises((TypeError, RuntimeError), match=text):
        call(npg, npg.ones(2, requires_grad=True))
