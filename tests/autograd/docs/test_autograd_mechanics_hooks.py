"""PyTorch's page "Autograd mechanics", section "Backward Hooks execution": which hooks run, and in what order."""

from ..programs import collect, compared, doubled, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- Whether a particular hook will be fired -----


@program
def hooks_inputs(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    w = lib.ones(2, requires_grad=True)
    y = x * w
    z = y * 2
    for n, t in {"x": x, "w": w, "y": y, "z": z}.items():
        t.register_hook(lambda g, n=n: log.append(n))
    x.register_post_accumulate_grad_hook(lambda t: log.append("xp"))
    w.register_post_accumulate_grad_hook(lambda t: log.append("wp"))
    s = z.sum()
    s.backward(inputs=[x], retain_graph=True)
    log.append("|")
    s.backward(inputs=[y], retain_graph=True)
    log.append("|")
    lib.autograd.grad(s, w, retain_graph=True)
    log.append("|")
    lib.autograd.grad(s, y, retain_graph=True)
    log.append("|")
    lib.autograd.grad(s, [z, x], retain_graph=True)
    return log


@program
def hook_changes_captured(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g * 100)
    s = (y * 2).sum()
    return [values(t) for t in lib.autograd.grad(s, [y, x])]


@program
def unused_leaf_hook(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(1))
    w = lib.ones(2, requires_grad=True)
    (w * 2).sum().backward()
    return log


@program
def leaf_root(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: (log.append(values(g)), g * 2)[1])
    x.backward(lib.ones(2))
    return log, values(x.grad)


@program
def hook_on_view_of_leaf(lib):
    log = []
    x = lib.ones(2, 2, requires_grad=True)
    v = x[0]
    v.register_hook(lambda g: (log.append(values(g)), g * 3)[1])
    v.sum().backward()
    return log, values(x.grad)


@program
def hook_requires_grad_toggle(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(1))
    x.requires_grad_(False)
    x.requires_grad_(True)
    (x * 2).sum().backward()
    return log


@program
def hooks_of_an_output_without_gradient(lib):
    log = []
    x = lib.arange(4.0).requires_grad_()
    a, b = (x * 2).split(2)
    a.register_hook(lambda g: log.append(("a", values(g))))
    b.register_hook(lambda g: log.append(("b", values(g))))
    b.sum().backward()
    return log, values(x.grad)


@program
def hook_replaces_none(lib):
    x = lib.arange(4.0).requires_grad_()
    a, b = (x * 2).split(2)
    a.register_hook(lambda g: lib.ones(2))
    return outcome(lambda: b.sum().backward())


@program
def hook_on_grad(lib):
    x = lib.ones(2, requires_grad=True)
    (g,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
    log = []
    g.register_hook(lambda q: log.append(values(q)))
    (g * g).sum().backward()
    return log, values(x.grad)


@program
def backward_twice_hooks(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    y = x.exp()
    y.register_hook(lambda g: log.append(values(g)))
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return log


@program
def hook_detach(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(1))
    d = x.detach().requires_grad_()
    (d * 2).sum().backward()
    v = x.view(2)
    (v * 2).sum().backward()
    return log


# ----- The order in which the different hooks are fired -----


@program
def order(lib):
    log = []
    x, y = doubled(lib)
    for i in range(3):
        y.register_hook(lambda g, i=i: (log.append((i, values(g))), g * 2)[1])
    x.register_hook(lambda g: log.append(("x", values(g))))
    x.register_post_accumulate_grad_hook(lambda t: log.append(("p", values(t.grad))))
    y.sum().backward()
    return log, values(x.grad)


@program
def post_hook_order_leaves(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    b = lib.ones(2, requires_grad=True)
    for n, t in (("a", a), ("b", b)):
        t.register_hook(lambda g, n=n: log.append((n, "h")))
        t.register_post_accumulate_grad_hook(lambda t, n=n: log.append((n, "p")))
    y = a * 2
    y.register_hook(lambda g: log.append("y"))
    z = y * b
    z.register_hook(lambda g: log.append("z"))
    z.sum().backward()
    return log


@program
def several_parts(lib):
    log = []
    x, y = doubled(lib)
    y.register_hook(lambda g: log.append(values(g)))
    (y * 2 + y * 3 + y.exp() * 0 + y[0]).sum().backward()
    return log


@program
def leaf_used_late(lib):
    # leaf needed early and late
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(("x", values(g))))
    y = x * 2
    y.register_hook(lambda g: log.append("y"))
    (y * x).sum().backward()
    return log


# ----- Grad modes and backward within a hook -----


@program
def hook_create_graph(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    y = x**3
    y.register_hook(lambda g: (log.append(g.requires_grad), g * x)[1])
    (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = lib.autograd.grad(g.sum(), x)
    return log, values(g), values(h)


@program
def hook_grad_mode(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(lib.is_grad_enabled()))
    (x * 2).sum().backward()
    (x * 2).sum().backward(create_graph=True)
    y = (x * 2).sum()
    with lib.no_grad():
        y.backward()
    return log


@program
def register_hook_in_no_grad(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    with lib.no_grad():
        x.register_hook(lambda g: log.append(1))
        y = x * 2
    return outcome(lambda: y.register_hook(print)), (x * 2).sum().backward(), log


@program
def hook_reentrant(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    w = lib.ones(2, requires_grad=True)

    def h(g):
        with lib.enable_grad():
            q = (w * g).sum()
        q.backward()
        log.append(values(w.grad))

    y = x * 2
    y.register_hook(h)
    (y * 3).sum().backward()
    return log, values(x.grad)


# ----- Hooks that raise -----


@program
def raise_hook(lib):
    x = lib.ones(2, requires_grad=True)
    w = lib.ones(2, requires_grad=True)
    y = x * w
    z = y.exp()

    def h(g):
        raise KeyError("no")

    k = y.register_hook(h)
    r = [outcome(lambda: z.sum().backward()), values(x.grad), values(w.grad), lib.is_grad_enabled()]
    k.remove()
    r.append(outcome(lambda: z.sum().backward())[:40])
    return r, values(x.grad)


@program
def raise_leaf_hook(lib):
    a = lib.ones(2, requires_grad=True)
    b = lib.ones(2, requires_grad=True)

    def h(g):
        raise KeyError("no")

    a.register_hook(h)
    return outcome(lambda: (b * (a * 2)).sum().backward()), values(a.grad)


@program
def raise_post(lib):
    a = lib.ones(2, requires_grad=True)

    def h(g):
        raise KeyError("no")

    a.register_post_accumulate_grad_hook(h)
    return outcome(lambda: (a * 2).sum().backward()), values(a.grad)


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
