"""PyTorch's page "torch.autograd", section "Autograd graph": allow_mutation_on_saved_tensors."""

import npg

from ..programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


@program
def saved_input_is_changed(lib):
    with lib.autograd.graph.allow_mutation_on_saved_tensors():
        a = lib.tensor([4.0, 16.0], requires_grad=True)
        b = a.clone()
        y = (b**2).sum() + b.sqrt().sum()
        b.mul_(3)
        y.backward()
    return values(a.grad), values(b)


@program
def saved_in_a_chain_of_changes(lib):
    with lib.autograd.graph.allow_mutation_on_saved_tensors():
        a = lib.tensor([0.3, -0.2], requires_grad=True)
        b = a * 1
        total = 0
        for _ in range(3):
            total = total + (b * b).sum()
            b.mul_(b)
            b.add_(1)
        (total + b.sum()).backward()
    return values(a.grad)


@program
def saved_parameters_are_stepped(lib):
    p = lib.tensor([4.0, 16.0], requires_grad=True)
    q = lib.tensor([3.0, 4.0], requires_grad=True)
    optimizer = lib.optim.SGD([p, q], lr=0.1)
    with lib.autograd.graph.allow_mutation_on_saved_tensors():
        y = (p * q).sum()
        y.backward(retain_graph=True)
        optimizer.step()
        optimizer.zero_grad()
        y.backward()
    return values(p.grad), values(q.grad)


@program
def saved_by_a_function(lib):
    class Square(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    with lib.autograd.graph.allow_mutation_on_saved_tensors():
        a = lib.tensor([4.0, 16.0], requires_grad=True)
        b = a * 2
        y = Square.apply(b)
        b.zero_()
        y.sum().backward()
    return values(a.grad)


@program
def saved_written_by_out_and_fill(lib):
    c = lib.tensor([1.0, 2.0])
    a = lib.tensor([4.0, 16.0], requires_grad=True)
    with lib.autograd.graph.allow_mutation_on_saved_tensors():
        y = a * c
        lib.add(lib.ones(2), 1, out=c)
        z = a * c
        c.fill_(9)
        w = a * c
        c.uniform_()
        (y + z + w).sum().backward()
    return values(a.grad)


@program
def nested(lib):
    allow = lib.autograd.graph.allow_mutation_on_saved_tensors

    def inner():
        with allow(), allow():
            pass

    def usable():
        with allow():
            pass

    return outcome(inner), outcome(usable)


@program
def backward_outside(lib):
    allow = lib.autograd.graph.allow_mutation_on_saved_tensors
    a = lib.tensor([4.0, 16.0], requires_grad=True)
    with allow():
        b = a * 2
        y = b.sqrt().sum()
    outside = outcome(y.backward)
    with allow():
        y = b.sqrt().sum()
    with allow():
        return outside, outcome(y.backward)


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)


def test_saved_output_changed_through_views_gives_the_gradient_of_its_old_values():
    # Not compared with torch, which takes a changed value for the second square.
    with npg.autograd.graph.allow_mutation_on_saved_tensors():
        a = npg.tensor([4.0, 16.0], requires_grad=True)
        b = a.sqrt()
        y = (b * b).sum()
        b[:1].mul_(3)
        b.add_(1)
        z = (b * b).sum()  # (3 sqrt(a0) + 1)^2 + (sqrt(a1) + 1)^2
        b[1].fill_(7.0)
        (y + z).backward()
    assert a.grad.tolist() == [1 + 3 * 7 / 2, 1 + 5 / 4]
