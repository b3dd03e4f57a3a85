"""PyTorch's page "torch.autograd", section "Autograd graph": graph.Node, its hooks and metadata; AccumulateGrad."""

import gc
import weakref

import pytest

import npg

from ..programs import collect, compared, doubled, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- register_hook and register_prehook -----


@program
def node_hooks(lib):
    log = []
    x, y = doubled(lib)
    n = y.grad_fn
    n.register_prehook(lambda go: (log.append(("pre", values(go[0]))), (go[0] * 2,))[1])
    n.register_prehook(lambda go: log.append(("pre2", values(go[0]))))
    n.register_hook(
        lambda gi, go: (log.append(("post", [values(t) for t in gi], values(go[0]))), (gi[0] * 3,) + gi[1:])[1]
    )
    n.register_hook(lambda gi, go: log.append(("post2", [values(t) for t in gi][:1])))
    y.register_hook(lambda g: (log.append(("t", values(g))), g * 5)[1])
    y.sum().backward()
    return log, values(x.grad)


@program
def node_hook_gets_none(lib):
    log = []
    x = lib.ones(4, requires_grad=True)
    a, b = (x * 1).split(2)
    a.grad_fn.register_prehook(lambda go: log.append([values(t) for t in go]))
    a.grad_fn.register_hook(lambda gi, go: log.append([values(t) for t in go]))
    a.sum().backward()
    return log


@program
def node_hook_remove(lib):
    log = []
    x, y = doubled(lib)
    h = y.grad_fn.register_hook(lambda a, b: log.append(1))
    k = y.grad_fn.register_prehook(lambda a: log.append(2))
    h.remove()
    y.sum().backward(retain_graph=True)
    k.remove()
    y.sum().backward()
    return log


@program
def node_hooks_with_inputs(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    y = x * 3
    y.grad_fn.register_prehook(lambda g: (log.append("pre"), (g[0] * 10,))[1])
    y.grad_fn.register_hook(lambda a, b: log.append("post"))
    s = (y * 2).sum()
    r = values(lib.autograd.grad(s, y, retain_graph=True)[0])
    log.append("|")
    r2 = values(lib.autograd.grad(s, x, retain_graph=True)[0])
    return log, r, r2


@program
def node_hook_returns_nonsense(lib):
    r = []
    for ret in (
        lambda gi: 3,
        lambda gi: gi[0],
        lambda gi: (),
        lambda gi: (gi[0], gi[0], gi[0]),
        lambda gi: (None,) * len(gi),
        lambda gi: list(gi),
        lambda gi: (3,) * len(gi),
    ):
        x = lib.ones(2, requires_grad=True)
        y = x * x.detach()
        y.grad_fn.register_hook(lambda gi, go, ret=ret: ret(gi))
        r.append((outcome(lambda y=y: y.sum().backward()), values(x.grad)))
    return r


@program
def node_prehook_returns_nonsense(lib):
    r = []
    for ret in (
        lambda gi: 3,
        lambda gi: gi[0],
        lambda gi: (),
        lambda gi: (gi[0], gi[0], gi[0]),
        lambda gi: (None,) * len(gi),
        lambda gi: list(gi),
        lambda gi: (3,) * len(gi),
    ):
        x = lib.ones(2, requires_grad=True)
        y = x * x.detach()
        y.grad_fn.register_prehook(lambda go, ret=ret: ret(go))
        r.append((outcome(lambda y=y: y.sum().backward()), values(x.grad)))
    return r


@program
def prehook_of_a_node_with_two_outputs(lib):
    log = []
    x = lib.ones(4, requires_grad=True)
    a, b = x.split(2)
    a.grad_fn.register_prehook(lambda g: log.append([values(t) for t in g]))
    (a * 2).sum().backward()
    return log, values(x.grad)


# ----- AccumulateGrad -----


@program
def accumulator_is_a_node(lib):
    p = lib.ones(2, requires_grad=True)
    node = p.expand_as(p).grad_fn.next_functions[0][0]
    again = p.expand_as(p).grad_fn.next_functions[0][0]
    node.metadata["note"] = 1
    kinds = [isinstance(n, lib.autograd.graph.Node) for n in (node, (p * 2).grad_fn, p)]
    return node is again, node.variable is p, node.next_functions, node.name(), node.metadata, kinds


@program
def accumulator_hooks(lib):
    log = []
    p = lib.ones(2, requires_grad=True)
    node = p.expand_as(p).grad_fn.next_functions[0][0]
    first = node.register_hook(lambda i, o: log.append(("after", i, values(o[0]), values(p.grad))))
    node.register_prehook(lambda o: (log.append(("before", values(o[0]))), (o[0] * 2,))[1])
    p.register_hook(lambda g: log.append(("tensor", values(g))))
    p.register_post_accumulate_grad_hook(lambda p: log.append(("post", values(p.grad))))
    (p * 3).sum().backward()
    first.remove()
    (p * 3).sum().backward()
    alone = lib.autograd.grad((p * 3).sum(), p)
    (p * 3).sum().backward(inputs=[p])
    return log, values(p.grad), values(alone[0])


@program
def accumulator_hook_keeps_what_it_got(lib):
    gradients = []
    p = lib.ones(2, requires_grad=True)
    node = p.expand_as(p).grad_fn.next_functions[0][0]
    node.register_hook(lambda i, o: gradients.append(values(o[0])))
    for _ in range(2):
        (p * 3).sum().backward()
    return gradients, values(p.grad)


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)


def test_hooks_of_a_leafs_node_make_no_cycle():
    p = npg.ones(2, requires_grad=True)
    node = p.expand_as(p).grad_fn.next_functions[0][0]
    node.register_hook(lambda i, o: None)
    gone = weakref.ref(p)
    gc.disable()
    try:
        del p
        assert gone() is None
        assert node.variable is None
    finally:
        gc.enable()


# ----- metadata -----


def test_metadata_is_a_dict_of_the_node_and_not_to_be_replaced():
    node = (npg.ones(2, requires_grad=True) * 3).grad_fn
    node.metadata["a"] = 1
    assert node.metadata == {"a": 1}
    with pytest.raises(AttributeError):
        node.metadata = {}
