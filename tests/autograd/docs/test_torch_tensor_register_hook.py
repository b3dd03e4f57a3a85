"""PyTorch's pages "torch.Tensor.register_hook" and "torch.Tensor.register_post_accumulate_grad_hook"; against torch."""

import copy

from ..programs import collect, compared, doubled, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- What a hook may do and return -----


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
def hook_same_fn_twice(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    f = lambda g: log.append(1)
    x.register_hook(f)
    x.register_hook(f)
    (x * 2).sum().backward()
    return log


# ----- register_post_accumulate_grad_hook -----


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


# ----- Handles -----


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
def remove_handle_twice(lib):
    x = lib.ones(2, requires_grad=True)
    h = x.register_hook(lambda g: g * 2)
    h.remove()
    h.remove()
    (x * 2).sum().backward()
    return values(x.grad)


@program
def handle_as_context(lib):
    x = lib.ones(2, requires_grad=True)
    with x.register_hook(lambda g: g * 2):
        (x * 2).sum().backward()
    (x * 2).sum().backward()
    return values(x.grad)


@program
def deepcopy_leaves_hooks_behind(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(1))
    y = copy.deepcopy(x)
    (y * 2).sum().backward()
    return log


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
