"""Hooks and retained gradients of tensors that are changed in place, and the order of the two; against torch."""

from .programs import collect, compared, doubled, values

PROGRAMS = {}
program = collect(PROGRAMS)


@program
def hook_before_inplace(lib):
    log = []
    x, y = doubled(lib)
    y.register_hook(lambda g: log.append(("old", values(g))))
    y.mul_(3)
    y.register_hook(lambda g: log.append(("new", values(g))))
    (y * 5).sum().backward()
    return log, values(x.grad)


@program
def hook_two_inplace(lib):
    log = []
    x, y = doubled(lib)
    y.register_hook(lambda g: log.append(("0", values(g))))
    y.mul_(3)
    y.register_hook(lambda g: log.append(("1", values(g))))
    y.mul_(4)
    y.register_hook(lambda g: log.append(("2", values(g))))
    (y * 5).sum().backward()
    return log, values(x.grad)


@program
def hook_handle_before_inplace_removed_after(lib):
    log = []
    x, y = doubled(lib)
    h = y.register_hook(lambda g: log.append(("old", values(g))))
    y.mul_(3)
    h.remove()
    (y * 5).sum().backward()
    return log


@program
def retain_then_inplace(lib):
    x, y = doubled(lib)
    y.retain_grad()
    y.mul_(3)
    r = [y.retains_grad]
    (y * 5).sum().backward()
    return r, values(y.grad), values(x.grad)


@program
def inplace_then_retain(lib):
    x, y = doubled(lib)
    y.mul_(3)
    y.retain_grad()
    (y * 5).sum().backward()
    return values(y.grad), values(x.grad)


@program
def retain_twice_inplace(lib):
    x, y = doubled(lib)
    y.retain_grad()
    y.mul_(3)
    y.mul_(7)
    y.retain_grad()
    (y * 5).sum().backward()
    return values(y.grad)


@program
def retain_view_base_inplace(lib):
    x = lib.ones(2, 2, requires_grad=True)
    y = x * 2
    v = y[0]
    v.retain_grad()
    y.mul_(3)
    (v * 5).sum().backward()
    return values(v.grad), values(x.grad)


@program
def retain_base_view_inplace(lib):
    x = lib.ones(2, 2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    v = y[0]
    v.mul_(3)
    (y * 5).sum().backward()
    return values(y.grad), values(x.grad)


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
def hook_leaf_then_inplace_nograd(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(values(g)))
    with lib.no_grad():
        x.mul_(2)
    (x * 2).sum().backward()
    return log


@program
def hook_leaf_becomes_nonleaf(lib):
    log = []
    x = lib.ones(2)
    w = lib.ones(2, requires_grad=True)
    x.mul_(w)
    x.register_hook(lambda g: log.append(values(g)))
    (x * 3).sum().backward()
    return log


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
