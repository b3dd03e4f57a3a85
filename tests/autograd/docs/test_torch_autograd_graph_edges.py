"""PyTorch's page "torch.autograd", section "Autograd graph": GradientEdge, get_gradient_edge."""

import weakref

import npg

from ..programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


@program
def edges_as_inputs(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 3
    a, b = (y * 2).split(1)
    e = lib.autograd.graph.get_gradient_edge
    s = (a * 2 + b * 5).sum()
    r = [values(t) for t in lib.autograd.grad(s, [e(x), e(y), e(b), y], retain_graph=True)]
    r += [values(lib.autograd.grad(s, e(a), retain_graph=True)[0])]
    s.backward(inputs=[e(x)], retain_graph=True)
    r.append(values(x.grad))
    r.append(outcome(lambda: s.backward(inputs=e(x), retain_graph=True)))
    r.append(values(x.grad))
    r.append(outcome(lambda: s.backward(inputs=[e(y)], retain_graph=True)))
    r.append(values(y.grad))
    r.append(outcome(lambda: lib.autograd.grad(s, [e(lib.ones(2, requires_grad=True))], retain_graph=True)))
    r.append(lib.autograd.grad(s, [e(lib.ones(2, requires_grad=True))], allow_unused=True, retain_graph=True))
    r.append(
        outcome(
            lambda: lib.autograd.grad(
                s, [e(lib.ones(2, requires_grad=True))], materialize_grads=True, retain_graph=True
            )
        )
    )
    return r


@program
def edges_as_outputs(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 3
    e = lib.autograd.graph.get_gradient_edge
    r = []
    r.append(values(lib.autograd.grad(e(y), x, lib.ones(2), retain_graph=True)[0]))
    r.append(outcome(lambda: lib.autograd.backward(e(y), lib.ones(2), retain_graph=True)))
    r.append(values(x.grad))
    r.append(outcome(lambda: lib.autograd.grad(e(y), x, retain_graph=True))[:60])
    r.append(outcome(lambda: lib.autograd.grad(e((x * 2).sum()), x, retain_graph=True))[:60])
    return r


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)


def test_edge_keeps_the_graph_and_not_the_tensor():
    x = npg.ones(2, requires_grad=True)
    y = x * 3
    edge, gone = npg.autograd.graph.get_gradient_edge(y), weakref.ref(y)
    z = (y * 2).sum()
    del y
    assert gone() is None
    (g,) = npg.autograd.grad(z, edge)
    assert values(g) == [2, 2]
