"""Hooks of nodes; against torch."""

from .programs import collect, compared, doubled, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


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
def node_hook_none(lib):
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
def hooks_inputs_node(lib):
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
def node_hook_bad(lib):
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
def node_prehook_bad(lib):
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


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
