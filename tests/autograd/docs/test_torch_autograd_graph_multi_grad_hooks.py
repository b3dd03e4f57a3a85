"""PyTorch's page "torch.autograd", section "Autograd graph": register_multi_grad_hook."""

import npg

from ..programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- As in torch -----


@program
def several_tensors(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    y = a * 2
    z = y * 3
    w = y * 5
    lib.autograd.graph.register_multi_grad_hook((y, z, w), lambda gs: log.append([values(g) for g in gs]))
    a.register_hook(lambda g: log.append("a"))
    y.register_hook(lambda g: log.append("y"))
    (z + w).sum().backward(retain_graph=True)
    log.append("|")
    z.sum().backward(retain_graph=True)
    log.append("|")
    w.sum().backward()
    return log


@program
def mode_any(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    y = a * 2
    z = y * 3
    w = y * 5
    h = lib.autograd.graph.register_multi_grad_hook((a, y, z, w), lambda g: log.append(values(g)), mode="any")
    (z + w).sum().backward(retain_graph=True)
    log.append("|")
    z.sum().backward(retain_graph=True)
    h.remove()
    z.sum().backward()
    return log


@program
def errors(lib):
    a = lib.ones(2, requires_grad=True)
    f = lib.autograd.graph.register_multi_grad_hook
    return (
        outcome(lambda: f((a,), print, mode="x")),
        outcome(lambda: f((lib.ones(2),), print)),
        outcome(lambda: f((), print)),
        outcome(lambda: f((a, lib.ones(2)), print, mode="any")),
        type(f((a,), print)).__name__,
    )


@program
def pass_after_an_error(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    b = lib.ones(2, requires_grad=True)
    lib.autograd.graph.register_multi_grad_hook((a, b), lambda gs: log.append([values(g) for g in gs]))
    y = a * 2
    s = (b * 2) + y

    def bad(g):
        raise KeyError("x")

    k = y.register_hook(bad)
    e = outcome(lambda: s.sum().backward(retain_graph=True))
    k.remove()
    log.append("|")
    s.sum().backward()
    return e, log


@program
def create_graph(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    b = lib.ones(2, requires_grad=True)
    lib.autograd.graph.register_multi_grad_hook((a, b), lambda gs: log.append([g.requires_grad for g in gs]))
    (a * a * b).sum().backward(create_graph=True)
    return log


@program
def same_tensor_twice(lib):
    log = []
    a = lib.ones(2, requires_grad=True)
    y = a * 2
    lib.autograd.graph.register_multi_grad_hook((y, y), lambda gs: log.append([values(g) for g in gs]))
    y.sum().backward()
    return log


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)


# ----- npg's own -----


def test_multi_grad_hook_knows_leaves_in_a_pass_of_grad_too():
    calls = []
    a, b, c = (npg.ones(2, requires_grad=True) for _ in range(3))
    handle = npg.autograd.graph.register_multi_grad_hook((a, b, c), lambda gs: calls.append([values(g) for g in gs]))
    (a * 2 + b * 3).sum().backward()
    (a * b * c).sum().backward(inputs=[c])
    npg.autograd.grad((a * b).sum(), b)
    handle.remove()
    (a * 2).sum().backward()
    assert calls == [[[2, 2], [3, 3], None], [None, None, [1, 1]], [None, [1, 1], None]]


def test_multi_grad_hook_in_a_backward_within_a_backward_keeps_the_passes_apart():
    calls = []
    a, b = (npg.ones(2, requires_grad=True) for _ in range(2))
    npg.autograd.graph.register_multi_grad_hook((a, b), lambda gs: calls.append([values(g) for g in gs]))
    y = a * 2
    y.register_hook(npg.enable_grad()(lambda g: (b * 7).sum().backward()))
    (y + b).sum().backward()
    assert calls == [[None, [7, 7]], [[2, 2], [1, 1]]]
