"""PyTorch's page "Autograd mechanics", "Backward Hooks execution", section "Special hooks": retain_grad."""

from ..programs import collect, compared, doubled, values

PROGRAMS = {}
program = collect(PROGRAMS)


@program
def retain_hook_order_before(lib):
    x, y = doubled(lib)
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    (y * 3).sum().backward()
    return values(y.grad), values(x.grad)


@program
def retain_hook_order_after(lib):
    x, y = doubled(lib)
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    (y * 3).sum().backward()
    return values(y.grad)


@program
def retain_prehook(lib):
    x, y = doubled(lib)
    y.retain_grad()
    y.grad_fn.register_prehook(lambda g: (g[0] * 10,))
    (y * 3).sum().backward()
    return values(y.grad), values(x.grad)


@program
def retain_on_leaf(lib):
    x = lib.ones(2, requires_grad=True)
    x.retain_grad()
    return x.retains_grad


@program
def retain_create_graph(lib):
    x, y = doubled(lib)
    y.retain_grad()
    (y**3).sum().backward(create_graph=True)
    return values(y.grad), y.grad.requires_grad


@program
def retain_grad_call(lib):
    x, y = doubled(lib)
    y.retain_grad()
    lib.autograd.grad((y * 3).sum(), x)
    return values(y.grad), values(x.grad)


@program
def inputs_retain(lib):
    x = lib.ones(2, requires_grad=True)
    w = lib.ones(2, requires_grad=True)
    y = x * w
    y.retain_grad()
    (y * 2).sum().backward(inputs=[x])
    return values(y.grad), values(x.grad), values(w.grad)


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
def prehook_sees(lib):
    log = []
    x, y = doubled(lib)
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_prehook(lambda g: log.append(values(g[0])))
    y.retain_grad()
    y.sum().backward()
    return log, values(y.grad)


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
