"""Roots, inputs and retained gradients in combinations; hooks that see them; against torch."""

import copy

from .programs import collect, compared, doubled, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


@program
def dup_inputs(lib):
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
def dup_roots(lib):
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
def inputs_retain(lib):
    x = lib.ones(2, requires_grad=True)
    w = lib.ones(2, requires_grad=True)
    y = x * w
    y.retain_grad()
    (y * 2).sum().backward(inputs=[x])
    return values(y.grad), values(x.grad), values(w.grad)


@program
def grad_under_no_grad(lib):
    x = lib.ones(2, requires_grad=True)
    y = (x**3).sum()
    with lib.no_grad():
        (g,) = lib.autograd.grad(y, x, create_graph=True)
    return g.requires_grad, values(g)


@program
def grad_of_view_chain_inplace(lib):
    x = lib.arange(6.0).reshape(2, 3).requires_grad_()
    y = x * 1
    a = y[0]
    b = a[1:]
    c = y.t()
    b.mul_(3)
    c[0].add_(1)
    y[1] = x[0]
    (y * y).sum().backward()
    return values(x.grad), a.grad_fn is not None, values(b), values(c)


@program
def hook_on_grad(lib):
    x = lib.ones(2, requires_grad=True)
    (g,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
    log = []
    g.register_hook(lambda q: log.append(values(q)))
    (g * g).sum().backward()
    return log, values(x.grad)


@program
def create_graph_accumulate(lib):
    x = lib.ones(2, requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    g = x.grad
    (x**2).sum().backward()
    return values(x.grad), x.grad is g, x.grad.requires_grad


@program
def create_graph_acc2(lib):
    x = lib.ones(2, requires_grad=True)
    (x**2).sum().backward()
    g = x.grad
    (x**3).sum().backward(create_graph=True)
    return values(x.grad), x.grad is g, x.grad.requires_grad, values(g)


@program
def hook_retained_grad_alias(lib):
    x, y = doubled(lib)
    y.retain_grad()
    s = []
    y.register_hook(lambda g: s.append(g))
    y.backward(lib.ones(2))
    y.grad.add_(1)
    return values(s[0]), values(x.grad)


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


@program
def prehook_sees(lib):
    log = []
    x, y = doubled(lib)
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_prehook(lambda g: log.append(values(g[0])))
    y.retain_grad()
    y.sum().backward()
    return log, values(y.grad)


@program
def post_hook_nonleaf(lib):
    x = lib.ones(2, requires_grad=True)
    return outcome(lambda: (x * 2).register_post_accumulate_grad_hook(print)), outcome(
        lambda: lib.ones(2).register_post_accumulate_grad_hook(print)
    )


@program
def post_hook_grad_none(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda t: log.append(t.grad is None))
    (x * 2).sum().backward(inputs=[x])
    lib.autograd.grad((x * 2).sum(), [x])
    return log


@program
def remove_handle_twice(lib):
    x = lib.ones(2, requires_grad=True)
    h = x.register_hook(lambda g: g * 2)
    h.remove()
    h.remove()
    (x * 2).sum().backward()
    return values(x.grad)


@program
def handle_ctx(lib):
    x = lib.ones(2, requires_grad=True)
    with x.register_hook(lambda g: g * 2):
        (x * 2).sum().backward()
    (x * 2).sum().backward()
    return values(x.grad)


@program
def deepcopy_hooks(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(1))
    y = copy.deepcopy(x)
    (y * 2).sum().backward()
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


@program
def dtype_grad(lib):
    x = lib.ones(2, requires_grad=True)
    y = x.double() * 2
    log = []
    y.register_hook(lambda g: log.append(str(g.dtype)))
    x.register_hook(lambda g: log.append(str(g.dtype)))
    y.sum().backward()
    return log, str(x.grad.dtype)


@program
def half_grad(lib):
    x = lib.ones(2, dtype=lib.float16, requires_grad=True)
    (x.float() * 3).sum().backward(lib.tensor(2.0, dtype=lib.float64))
    return str(x.grad.dtype), values(x.grad)


@program
def mult_split_prehook(lib):
    log = []
    x = lib.ones(4, requires_grad=True)
    a, b = x.split(2)
    a.grad_fn.register_prehook(lambda g: log.append([values(t) for t in g]))
    (a * 2).sum().backward()
    return log, values(x.grad)


@program
def retained_gradients_are_added(lib):
    x = lib.ones(2, requires_grad=True)
    y = x + 0
    y.retain_grad()
    (y * 3).sum().backward()
    g = y.grad
    (y * 4).sum().backward()
    r = [values(y.grad), y.grad is g, values(g)]
    y = x + 0
    y.retain_grad()
    (y * 3).sum().backward()
    g = y.grad
    (y**3).sum().backward(create_graph=True)
    r += [values(y.grad), y.grad is g, y.grad.requires_grad]
    return r


@program
def inputs_that_are_no_leaves_retain_their_gradient(lib):
    x = lib.ones(2, requires_grad=True)
    y = x + 0
    (y * 3).sum().backward(inputs=[y])
    r = [values(y.grad), y.retains_grad]
    (y * 3).sum().backward(inputs=[y])
    r += [values(y.grad)]
    (y * 3).sum().backward()
    r += [values(y.grad)]
    y = x + 0
    y.retain_grad()
    (y * 3).sum().backward(inputs=[y])
    r += [values(y.grad)]
    y = x + 0
    y.register_hook(lambda g: g * 10)
    (y * 3).sum().backward(inputs=[y, x])
    r += [values(y.grad)]
    y = x + 0
    edge = lib.autograd.graph.get_gradient_edge(y)
    (y * 3).sum().backward(inputs=[edge])
    r += [values(y.grad)]
    return r


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
