"""PyTorch's page "Extending PyTorch", section "Extending torch.autograd": contexts, and gradients that are None."""

from ..programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- The context -----


@program
def node_of_a_function_is_its_context(lib):
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.factor = 2
            ctx.save_for_backward(x)
            return x * ctx.factor

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor

    a = lib.ones(2, requires_grad=True)
    node = Double.apply(a).grad_fn
    return node.factor, node.saved_tensors[0] is a, node.needs_input_grad, outcome(lambda: node.bar)


# ----- None as a gradient -----


def _functions(lib, log):
    """Return a function whose backward stops the gradient, and an identity that logs what its backward gets."""

    class Stop(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return None

    class Identity(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            log.append(("identity", values(g)))
            return g

    class Bare(Identity):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x.clone()

    return Stop, Identity, Bare


@program
def none_goes_on_to_hooks_and_functions(lib):
    log = []
    stop, identity, _ = _functions(lib, log)
    x = lib.ones(2, requires_grad=True)
    y = identity.apply(x * 1)
    w = y * 3
    for name, t in {"x": x, "y": y, "w": w}.items():
        t.register_hook(lambda g, name=name: log.append((name, values(g))))
    x.register_post_accumulate_grad_hook(lambda p: log.append(("post", values(p.grad))))
    w.grad_fn.register_hook(lambda i, o: log.append(("node", i, o)))
    w.grad_fn.register_prehook(lambda o: log.append(("pre", o)))
    stop.apply(w).sum().backward()
    return log, values(x.grad)


@program
def none_arrives_at_a_leaf(lib):
    log = []
    stop, _, bare = _functions(lib, log)
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(("hook", values(g))))
    x.register_post_accumulate_grad_hook(lambda p: log.append(("post", values(p.grad))))
    stop.apply(x).sum().backward()
    stop.apply(bare.apply(x)).sum().backward()
    return log, x.grad


@program
def none_and_a_gradient_add_up(lib):
    log = []
    stop, identity, _ = _functions(lib, log)
    x = lib.ones(2, requires_grad=True)
    y = identity.apply(x)
    (stop.apply(y) + y * 2 + stop.apply(y)).sum().backward()
    return log, values(x.grad)


@program
def none_under_create_graph(lib):
    log = []
    stop, identity, _ = _functions(lib, log)
    x = lib.ones(2, requires_grad=True)
    stop.apply(identity.apply(x)).sum().backward(create_graph=True)
    return log, values(x.grad), lib.autograd.grad(stop.apply(x * 2).sum(), x, allow_unused=True)


@program
def none_through_a_freed_node(lib):
    stop, _, _ = _functions(lib, [])
    x = lib.ones(2, requires_grad=True)
    y = x.exp()
    y.sum().backward()
    return outcome(lambda: stop.apply(y).sum().backward())


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
