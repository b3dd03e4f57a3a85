"""Where no gradient comes, what a leaf's AccumulateGrad does, and the hooks that a change in place leaves behind."""

import gc
import weakref

import npg

from .programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


def _known(g):
    return None if g is None else values(g)


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
            log.append(("identity", _known(g)))
            return g

    class Bare(Identity):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x.clone()

    return Stop, Identity, Bare


@program
def hooks_of_an_output_without_gradient(lib):
    log = []
    x = lib.arange(4.0).requires_grad_()
    a, b = (x * 2).split(2)
    a.register_hook(lambda g: log.append(("a", _known(g))))
    b.register_hook(lambda g: log.append(("b", _known(g))))
    b.sum().backward()
    return log, values(x.grad)


@program
def none_goes_on_to_hooks_and_functions(lib):
    log = []
    stop, identity, _ = _functions(lib, log)
    x = lib.ones(2, requires_grad=True)
    y = identity.apply(x * 1)
    w = y * 3
    for name, t in {"x": x, "y": y, "w": w}.items():
        t.register_hook(lambda g, name=name: log.append((name, _known(g))))
    x.register_post_accumulate_grad_hook(lambda p: log.append(("post", _known(p.grad))))
    w.grad_fn.register_hook(lambda i, o: log.append(("node", i, o)))
    w.grad_fn.register_prehook(lambda o: log.append(("pre", o)))
    stop.apply(w).sum().backward()
    return log, values(x.grad)


@program
def none_arrives_at_a_leaf(lib):
    log = []
    stop, _, bare = _functions(lib, log)
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(("hook", _known(g))))
    x.register_post_accumulate_grad_hook(lambda p: log.append(("post", _known(p.grad))))
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


@program
def hook_replaces_none(lib):
    x = lib.arange(4.0).requires_grad_()
    a, b = (x * 2).split(2)
    a.register_hook(lambda g: lib.ones(2))
    return outcome(lambda: b.sum().backward())


@program
def accumulator_is_a_node(lib):
    p = lib.ones(2, requires_grad=True)
    node = p.expand_as(p).grad_fn.next_functions[0][0]
    again = p.expand_as(p).grad_fn.next_functions[0][0]
    node.metadata["note"] = 1
    kinds = [isinstance(n, lib.autograd.graph.Node) for n in (node, (p * 2).grad_fn, p)]
    return node is again, node.variable is p, node.next_functions, node.name(), node.metadata, kinds


@program
def accumulator_hooks(lib):
    log = []
    p = lib.ones(2, requires_grad=True)
    node = p.expand_as(p).grad_fn.next_functions[0][0]
    first = node.register_hook(lambda i, o: log.append(("after", i, values(o[0]), values(p.grad))))
    node.register_prehook(lambda o: (log.append(("before", values(o[0]))), (o[0] * 2,))[1])
    p.register_hook(lambda g: log.append(("tensor", values(g))))
    p.register_post_accumulate_grad_hook(lambda p: log.append(("post", values(p.grad))))
    (p * 3).sum().backward()
    first.remove()
    (p * 3).sum().backward()
    alone = lib.autograd.grad((p * 3).sum(), p)
    (p * 3).sum().backward(inputs=[p])
    return log, values(p.grad), values(alone[0])


@program
def accumulator_hook_keeps_what_it_got(lib):
    kept = []
    p = lib.ones(2, requires_grad=True)
    node = p.expand_as(p).grad_fn.next_functions[0][0]
    node.register_hook(lambda i, o: kept.append(values(o[0])))
    for _ in range(2):
        (p * 3).sum().backward()
    return kept, values(p.grad)


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


def test_hooks_of_a_leafs_node_make_no_cycle():
    p = npg.ones(2, requires_grad=True)
    node = p.expand_as(p).grad_fn.next_functions[0][0]
    node.register_hook(lambda i, o: None)
    gone = weakref.ref(p)
    gc.disable()
    try:
        del p
        assert gone() is None
        assert node.variable is None
    finally:
        gc.enable()
