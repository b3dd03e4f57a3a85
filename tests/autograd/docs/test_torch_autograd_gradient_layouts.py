"""PyTorch's page "torch.autograd", section "Default gradient layouts": what backward leaves in .grad."""

from ..programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- Default and manual layouts -----


@program
def layout_of_grad(lib):
    r = []
    x = lib.ones(2, 3, requires_grad=True)
    x.grad = lib.zeros(3, 2).t()
    (x * 2).sum().backward()
    r.append((x.grad.stride(), values(x.grad)))
    x = lib.ones(2, 3, requires_grad=True)
    g = lib.zeros(3, 2).t()
    x.grad = g
    (x * 2).sum().backward()
    r.append((x.grad is g, values(g), g._version))
    x = lib.ones(3, 2).t().requires_grad_()
    (x * 2).sum().backward()
    r.append(x.grad.stride())
    x = lib.ones(2, 3, requires_grad=True)
    x.backward(lib.ones(3, 2).t())
    r.append(x.grad.stride())
    x = lib.ones(3, 2).t().requires_grad_()
    x.backward(lib.ones(2, 3))
    r.append(x.grad.stride())
    x = lib.ones(2, 3, requires_grad=True)
    x.backward(lib.ones(1, 1).expand(2, 3))
    r.append((x.grad.stride(), values(x.grad)))
    x.backward(lib.ones(1, 1).expand(2, 3))
    r.append(values(x.grad))
    x = lib.ones(2, 3, requires_grad=True)
    x.grad = lib.zeros(2, 1).expand(2, 3)
    r.append(outcome(lambda x=x: (x * 2).sum().backward()))
    x = lib.ones(2, 3, requires_grad=True)
    x.grad = lib.zeros(2, 3)
    g = x.grad
    (x * 2).sum().backward(create_graph=True)
    r.append((x.grad is g, x.grad.requires_grad, values(g)))
    x = lib.ones(2, 3, requires_grad=True)
    x.grad = lib.zeros(2, 3)
    g = x.grad
    (x**3).sum().backward(create_graph=True)
    r.append((x.grad is g, x.grad.requires_grad, values(g)))
    x = lib.ones(2, requires_grad=True)
    x.grad = lib.ones(2, requires_grad=True)
    r.append(outcome(lambda x=x: (x * 2).sum().backward()))
    r.append(values(x.grad))
    x = lib.ones(2, requires_grad=True)
    g = lib.ones(2)
    x.backward(g)
    r.append(x.grad is g)
    g.add_(1)
    r.append(values(x.grad))
    x = lib.ones(2, 3, requires_grad=True)
    y = x.t()
    y.backward(lib.ones(3, 2))
    r.append(x.grad.stride())
    x = lib.ones(2, 4)[:, ::2].requires_grad_()
    (x * 2).sum().backward()
    r.append(x.grad.stride())
    x = lib.ones(1, 3).expand(2, 3).requires_grad_()
    (x * 2).sum().backward()
    r.append((x.grad.stride(), values(x.grad)))
    return r


@program
def grad_is_none_until_a_gradient_comes(lib):
    x = lib.ones(2, requires_grad=True)
    r = [x.grad]
    x.grad = lib.zeros(2)
    g = x.grad
    (x * 2).sum().backward()
    r.append(x.grad is g)
    x.grad.zero_()
    r.append(values(x.grad))
    x.grad = None
    (x * 0).sum().backward()
    r.append(values(x.grad))
    g = x.grad
    r.append(g.requires_grad)
    (x * 3).sum().backward()
    r.append(x.grad is g)
    return r


@program
def grad_is_assigned(lib):
    x = lib.ones(2, requires_grad=True)
    r = []
    for v in (3, None, lib.ones(3), lib.ones(2), x, lib.ones(2, 1), "a"):
        r.append(outcome(lambda v=v: setattr(x, "grad", v)))
    del x.grad
    r.append(x.grad)
    n = lib.ones(2)
    n.grad = lib.ones(2)
    r.append(values(n.grad))
    return r


# ----- Accumulation with create_graph -----


@program
def create_graph_then_accumulate(lib):
    x = lib.ones(2, requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    g = x.grad
    (x**2).sum().backward()
    return values(x.grad), x.grad is g, x.grad.requires_grad


@program
def accumulate_then_create_graph(lib):
    x = lib.ones(2, requires_grad=True)
    (x**2).sum().backward()
    g = x.grad
    (x**3).sum().backward(create_graph=True)
    return values(x.grad), x.grad is g, x.grad.requires_grad, values(g)


# ----- Dtypes -----


@program
def dtype_of_gradient_is_the_tensors(lib):
    x = lib.ones(2, requires_grad=True)
    y = x.double() * 2
    log = []
    y.register_hook(lambda g: log.append(str(g.dtype)))
    x.register_hook(lambda g: log.append(str(g.dtype)))
    y.sum().backward()
    return log, str(x.grad.dtype)


@program
def gradient_of_float16_is_float16(lib):
    x = lib.ones(2, dtype=lib.float16, requires_grad=True)
    (x.float() * 3).sum().backward(lib.tensor(2.0, dtype=lib.float64))
    return str(x.grad.dtype), values(x.grad)


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
