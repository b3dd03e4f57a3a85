"""backward and grad: what they take, refuse, and leave in .grad; against torch."""

import pytest
import torch

import npg

from .programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


@program
def gradnone(lib):
    x = lib.ones(2, requires_grad=True)
    r = [x.grad]
    x.grad = lib.zeros(2)
    g = x.grad
    (x * 2).sum().backward()
    r.append(x.grad is g)
    x.grad.zero_()
    r.append(values(x.grad))
    x.grad = None
    (x * 0).sum().backward()
    r.append(values(x.grad))
    g = x.grad
    r.append(g.requires_grad)
    (x * 3).sum().backward()
    r.append(x.grad is g)
    return r


@program
def grad_assign2(lib):
    x = lib.ones(2, requires_grad=True)
    r = []
    for v in (3, None, lib.ones(3), lib.ones(2), x, lib.ones(2, 1), "a"):
        r.append(outcome(lambda v=v: setattr(x, "grad", v)))
    del x.grad
    r.append(x.grad)
    n = lib.ones(2)
    n.grad = lib.ones(2)
    r.append(values(n.grad))
    return r


@program
def accumulate_layout(lib):
    r = []
    x = lib.ones(2, 3, requires_grad=True)
    x.grad = lib.zeros(3, 2).t()
    (x * 2).sum().backward()
    r.append((x.grad.stride(), values(x.grad)))
    x = lib.ones(2, 3, requires_grad=True)
    g = lib.zeros(3, 2).t()
    x.grad = g
    (x * 2).sum().backward()
    r.append((x.grad is g, values(g), g._version))
    x = lib.ones(3, 2).t().requires_grad_()
    (x * 2).sum().backward()
    r.append(x.grad.stride())
    x = lib.ones(2, 3, requires_grad=True)
    x.backward(lib.ones(3, 2).t())
    r.append(x.grad.stride())
    x = lib.ones(3, 2).t().requires_grad_()
    x.backward(lib.ones(2, 3))
    r.append(x.grad.stride())
    x = lib.ones(2, 3, requires_grad=True)
    x.backward(lib.ones(1, 1).expand(2, 3))
    r.append((x.grad.stride(), values(x.grad)))
    x.backward(lib.ones(1, 1).expand(2, 3))
    r.append(values(x.grad))
    x = lib.ones(2, 3, requires_grad=True)
    x.grad = lib.zeros(2, 1).expand(2, 3)
    r.append(outcome(lambda x=x: (x * 2).sum().backward()))
    x = lib.ones(2, 3, requires_grad=True)
    x.grad = lib.zeros(2, 3)
    g = x.grad
    (x * 2).sum().backward(create_graph=True)
    r.append((x.grad is g, x.grad.requires_grad, values(g)))
    x = lib.ones(2, 3, requires_grad=True)
    x.grad = lib.zeros(2, 3)
    g = x.grad
    (x**3).sum().backward(create_graph=True)
    r.append((x.grad is g, x.grad.requires_grad, values(g)))
    x = lib.ones(2, requires_grad=True)
    x.grad = lib.ones(2, requires_grad=True)
    r.append(outcome(lambda x=x: (x * 2).sum().backward()))
    r.append(values(x.grad))
    x = lib.ones(2, requires_grad=True)
    g = lib.ones(2)
    x.backward(g)
    r.append(x.grad is g)
    g.add_(1)
    r.append(values(x.grad))
    x = lib.ones(2, 3, requires_grad=True)
    y = x.t()
    y.backward(lib.ones(3, 2))
    r.append(x.grad.stride())
    x = lib.ones(2, 4)[:, ::2].requires_grad_()
    (x * 2).sum().backward()
    r.append(x.grad.stride())
    x = lib.ones(1, 3).expand(2, 3).requires_grad_()
    (x * 2).sum().backward()
    r.append((x.grad.stride(), values(x.grad)))
    return r


@program
def bw_errors2(lib):
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


@program
def batched2(lib):
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


@program
def dataswap2(lib):
    r = []
    x = lib.ones(2, requires_grad=True)
    y = x * x
    x.data = lib.tensor([3.0, 4.0])
    y.sum().backward()
    r.append(values(x.grad))
    x = lib.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    x.data = lib.ones(3)
    r.append(values(x.grad))
    r.append(outcome(lambda: (x * 2).sum().backward()))
    x = lib.ones(2, requires_grad=True)
    z = x * 1
    y = z * z
    z.data.mul_(5)
    y.sum().backward()
    r.append(values(x.grad))
    z = x * 1
    y = z * z
    z.data = lib.full((2,), 9.0)
    y.sum().backward()
    r.append(values(x.grad))
    x = lib.ones(2, requires_grad=True)
    y = x * x
    x.data = lib.full((2,), 9.0)
    x.data.add_(1)
    r.append(x._version)
    y.sum().backward()
    r.append(values(x.grad))
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
