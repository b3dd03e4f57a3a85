"""Edges of the graph in place of tensors, hooks on several gradients, notes on nodes; against torch."""

import weakref

import pytest

import npg

from .programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


@program
def edges_grad(lib):
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
def edges_outputs(lib):
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


@program
def multi_nonleaf(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    y = a * 2
    z = y * 3
    w = y * 5
    lib.autograd.graph.register_multi_grad_hook((y, z, w), lambda gs: log.append([values(g) for g in gs]))
    a.register_hook(lambda g: log.append("a"))
    y.register_hook(lambda g: log.append("y"))
    (z + w).sum().backward(retain_graph=True)
    log.append("|")
    z.sum().backward(retain_graph=True)
    log.append("|")
    w.sum().backward()
    return log


@program
def multi_any(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    y = a * 2
    z = y * 3
    w = y * 5
    h = lib.autograd.graph.register_multi_grad_hook((a, y, z, w), lambda g: log.append(values(g)), mode="any")
    (z + w).sum().backward(retain_graph=True)
    log.append("|")
    z.sum().backward(retain_graph=True)
    h.remove()
    z.sum().backward()
    return log


@program
def multi_err(lib):
    a = lib.ones(2, requires_grad=True)
    f = lib.autograd.graph.register_multi_grad_hook
    return (
        outcome(lambda: f((a,), print, mode="x")),
        outcome(lambda: f((lib.ones(2),), print)),
        outcome(lambda: f((), print)),
        outcome(lambda: f((a, lib.ones(2)), print, mode="any")),
        type(f((a,), print)).__name__,
    )


@program
def multi_after_error(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    b = lib.ones(2, requires_grad=True)
    lib.autograd.graph.register_multi_grad_hook((a, b), lambda gs: log.append([values(g) for g in gs]))
    y = a * 2
    s = (b * 2) + y

    def bad(g):
        raise KeyError("x")

    k = y.register_hook(bad)
    e = outcome(lambda: s.sum().backward(retain_graph=True))
    k.remove()
    log.append("|")
    s.sum().backward()
    return e, log


@program
def multi_create_graph(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    b = lib.ones(2, requires_grad=True)
    lib.autograd.graph.register_multi_grad_hook((a, b), lambda gs: log.append([g.requires_grad for g in gs]))
    (a * a * b).sum().backward(create_graph=True)
    return log


@program
def multi_same_twice(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    y = a * 2
    lib.autograd.graph.register_multi_grad_hook((y, y), lambda gs: log.append([values(g) for g in gs]))
    y.sum().backward()
    return log


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)


# ----- What is npg's own -----


def test_multi_grad_hook_knows_leaves_in_a_pass_of_grad_too():
    seen = []
    a, b, c = (npg.ones(2, requires_grad=True) for _ in range(3))
    handle = npg.autograd.graph.register_multi_grad_hook((a, b, c), lambda gs: seen.append([values(g) for g in gs]))
    (a * 2 + b * 3).sum().backward()
    (a * b * c).sum().backward(inputs=[c])
    npg.autograd.grad((a * b).sum(), b)
    handle.remove()
    (a * 2).sum().backward()
    assert seen == [[[2, 2], [3, 3], None], [None, None, [1, 1]], [None, [1, 1], None]]


def test_multi_grad_hook_in_a_backward_within_a_backward_keeps_the_passes_apart():
    seen = []
    a, b = (npg.ones(2, requires_grad=True) for _ in range(2))
    npg.autograd.graph.register_multi_grad_hook((a, b), lambda gs: seen.append([values(g) for g in gs]))
    y = a * 2
    y.register_hook(npg.enable_grad()(lambda g: (b * 7).sum().backward()))
    (y + b).sum().backward()
    assert seen == [[None, [7, 7]], [[2, 2], [1, 1]]]


def test_metadata_is_a_dict_of_the_node_and_not_to_be_replaced():
    node = (npg.ones(2, requires_grad=True) * 3).grad_fn
    node.metadata["a"] = 1
    assert node.metadata == {"a": 1}
    with pytest.raises(AttributeError):
        node.metadata = {}


def test_edge_keeps_the_graph_and_not_the_tensor():
    x = npg.ones(2, requires_grad=True)
    y = x * 3
    edge, gone = npg.autograd.graph.get_gradient_edge(y), weakref.ref(y)
    z = (y * 2).sum()
    del y
    assert gone() is None
    (g,) = npg.autograd.grad(z, edge)
    assert values(g) == [2, 2]
