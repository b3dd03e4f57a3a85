"""PyTorch's page "Autograd mechanics", section "Behavior of Tensor hooks when Tensor is modified in-place"."""

from ..programs import collect, compared, doubled, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- Hooks -----


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


# ----- Retained gradients -----


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


# ----- Views -----


@program
def hooks_of_views_before_a_change(lib):
    log = []
    x = lib.arange(4.0).requires_grad_()
    b = x * 1
    v = b[1:3]
    w = v[:1]
    for name, t in {"b": b, "v": v, "w": w}.items():
        t.register_hook(lambda g, name=name: log.append((name, values(g))))
    w.mul_(3)
    (b * lib.arange(4.0)).sum().backward()
    return log, values(x.grad)


@program
def hooks_of_a_view_used_before_and_after_a_change(lib):
    log = []
    x = lib.arange(4.0).requires_grad_()
    b = x * 1
    v = b[1:3]
    v.register_hook(lambda g: log.append(("before", values(g))))
    s = v.sum()
    v.mul_(3)
    v.register_hook(lambda g: log.append(("after", values(g))))
    (s + (b * lib.arange(4.0)).sum() + v.sum()).backward()
    return log, values(x.grad)


@program
def hooks_of_a_view_that_a_function_changes(lib):
    log = []

    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = lib.arange(4.0).requires_grad_()
    b = x * 1
    v = b[1:3]
    v.register_hook(lambda g: log.append(("v", values(g))))
    Double.apply(v)
    (b * lib.arange(4.0)).sum().backward()
    return log, values(x.grad)


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
