"""What nodes have saved, leaves that are frozen after the forward, views and modes that meet, as in torch."""

import pytest

from .programs import assert_same, collect, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


@program
def saved_inputs_and_results(lib):
    a = lib.tensor([4.0, 9.0], requires_grad=True)
    power, root = a**2, a.sqrt()
    product, scaled = a * root, a * lib.ones(2)
    kept = root.grad_fn._saved_result
    return (
        power.grad_fn._saved_self is a,
        power.grad_fn._saved_exponent,
        (values(kept), kept is root, kept.grad_fn is root.grad_fn),
        product.grad_fn._saved_self is a,
        values(product.grad_fn._saved_other),
        scaled.grad_fn._saved_self,
        values(scaled.grad_fn._saved_other),
    )


@program
def saved_under_hooks(lib):
    a = lib.tensor([4.0, 9.0], requires_grad=True)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t * 2, lambda t: t / 2):
        y = a.sqrt()
    return values(y.grad_fn._saved_result)


@program
def names_that_nodes_lack(lib):
    a = lib.ones(2, requires_grad=True)
    node = (a * a).grad_fn
    y = a * a
    y.sum().backward()
    return (
        outcome(lambda: node._saved_nothing),
        outcome(lambda: node.nothing),
        outcome(lambda: y.grad_fn._saved_other),
    )


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


@program
def leaf_frozen_after_the_forward(lib):
    log = []
    x = lib.ones(2, requires_grad=True)
    x.register_hook(lambda g: log.append(values(g)))
    x.register_post_accumulate_grad_hook(lambda p: log.append("post"))
    y = (x * 2).sum()
    x.requires_grad_(False)
    y.backward()
    return x.grad, log


@program
def view_of_a_leaf_that_is_a_view(lib):
    x = lib.arange(4.0).view(2, 2).requires_grad_()
    return outcome(lambda: x[0].mul_(2)), outcome(lambda: x.view(4).zero_()), x.is_leaf, values(x)


@program
def view_made_without_recording_whose_base_is_changed(lib):
    p = lib.ones(3, requires_grad=True)
    with lib.no_grad():
        v = p[:2]
        p.mul_(2)
        found = values(v), repr(v)
    return found, repr(v), outcome(lambda: v.grad_fn)


@program
def view_of_several_whose_base_gets_a_history(lib):
    base = lib.arange(4.0)
    first, _ = base.split(2)
    before = first.requires_grad
    base.mul_(lib.ones(4, requires_grad=True))
    return before, first.requires_grad, repr(first), outcome(lambda: first * 2).split(":")[0]


@program
def inference_tensors_as_gradient_and_parameter(lib):
    w = lib.ones(4, requires_grad=True)
    with lib.inference_mode():
        w_grad, x = lib.ones(4), lib.ones(2)
        inside = lib.nn.Parameter(x)
    w.grad = w_grad
    return (
        outcome(lambda: (w * 2).sum().backward())[:80],
        outcome(lambda: lib.nn.Parameter(x)),
        lib.nn.Parameter(x, requires_grad=False).is_inference(),
        (inside.is_inference(), inside.requires_grad),
    )


@program
def repr_after_a_change_through_a_view(lib):
    m = lib.arange(4.0).requires_grad_() * 1
    m[0] = 3
    return repr(m)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_does_in_npg_what_it_does_in_torch(name):
    assert_same(PROGRAMS[name])
