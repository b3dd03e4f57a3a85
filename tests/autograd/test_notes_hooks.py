"""Hooks of tensors, in the order and with the rights that torch gives them."""

from .programs import collect, compared, doubled, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


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
def remove_during(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    hs = []

    def a(g):
        log.append("a")
        hs[1].remove()

    def b(g):
        log.append("b")

    hs.append(x.register_hook(a))
    hs.append(x.register_hook(b))
    hs.append(x.register_hook(lambda g: log.append("c")))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    return log


@program
def remove_during_nonleaf(lib):
    log = []
    x, y = doubled(lib)
    hs = []

    def a(g):
        log.append("a")
        hs[1].remove()

    hs.append(y.register_hook(a))
    hs.append(y.register_hook(lambda g: log.append("b")))
    hs.append(y.register_hook(lambda g: log.append("c")))
    y.sum().backward()
    return log


@program
def add_during(lib):
    log = []
    x = lib.ones(2, requires_grad=True)

    def a(g):
        log.append("a")
        x.register_hook(lambda g: log.append("new"))

    x.register_hook(a)
    (x * 2).sum().backward()
    log.append("|")
    (x * 2).sum().backward()
    return log


@program
def hook_wrong_type(lib):
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: 3)
    return outcome(lambda: (x * 2).sum().backward())


@program
def hook_not_callable(lib):
    x = lib.ones(2, requires_grad=True)
    return outcome(lambda: x.register_hook(3)), outcome(lambda: x.register_post_accumulate_grad_hook(3))


@program
def hook_inplace_grad(lib):
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: (g.mul_(3), None)[1])
    (x * 2).sum().backward()
    return values(x.grad)


@program
def several_parts(lib):
    log = []
    x, y = doubled(lib)
    y.register_hook(lambda g: log.append(values(g)))
    (y * 2 + y * 3 + y.exp() * 0 + y[0]).sum().backward()
    return log


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
def post_hooks(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    hs = [
        x.register_post_accumulate_grad_hook(
            lambda t, i=i: log.append((i, values(t.grad), t is x, lib.is_grad_enabled()))
        )
        for i in range(3)
    ]
    hs[1].remove()
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    lib.autograd.grad((x * 2).sum(), x)
    return log


@program
def post_hook_returns(lib):
    x = lib.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda t: 3)
    return outcome(lambda: (x * 2).sum().backward()), values(x.grad)


@program
def optim_in_backward(lib):
    x = lib.ones(2, requires_grad=True)
    w = lib.ones(2, requires_grad=True)

    def step(t):
        with lib.no_grad():
            t.sub_(t.grad * 0.1)
        t.grad = None

    for t in (x, w):
        t.register_post_accumulate_grad_hook(step)
    for _ in range(3):
        ((x * w).sum() ** 2).backward()
    return values(x), values(w), x.grad


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
def hook_remove_self(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    h = []

    def f(g):
        log.append(1)
        h[0].remove()

    h.append(x.register_hook(f))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    return log


@program
def post_hook_remove_self(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    h = []

    def f(t):
        log.append(1)
        h[0].remove()

    h.append(x.register_post_accumulate_grad_hook(f))
    x.register_post_accumulate_grad_hook(lambda t: log.append(2))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    return log


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
def hook_same_fn_twice(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    f = lambda g: log.append(1)
    x.register_hook(f)
    x.register_hook(f)
    (x * 2).sum().backward()
    return log


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


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
