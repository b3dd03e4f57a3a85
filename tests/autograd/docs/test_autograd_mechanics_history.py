"""PyTorch's page "Autograd mechanics", section "How autograd encodes the history".

Names of nodes, edges, identities; what nodes save ("Saved tensors") and the hooks that see it ("Hooks for saved
tensors"); each in npg and in torch.
"""

import gc
import weakref

import pytest
import torch

import npg

from ..programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- The graph -----


LIBRARIES = (npg, torch)


EXPRESSIONS = [
    "x * 3", "3 * x", "x + w", "x - w", "x / w", "x @ w", "x ** 2", "2 ** x", "x ** w", "-x", "x.exp()", "x.sum(0)",
    "x.mean()", "x.view(4)", "x.reshape(4)", "x.t()", "x[0]", "x[:, 0]", "x[None]", "x[lib.tensor([0])]", "x[x > 0]",
    "x.expand(3, 2, 2)", "lib.cat([x, w])", "lib.stack([x, w])", "x.split(1)[1]", "x.unbind()[0]", "x.max()",
    "x.max(0)[0]", "x.clamp(0, 1)", "lib.where(x > 0, x, w)", "x.softmax(0)", "x.relu()", "x.clone()", "x.double()",
    "x.masked_fill(x > 0, 1.0)", "x.gather(0, lib.tensor([[0, 0]]))", "x.norm()", "x.std()", "x.cumsum(0)", "x.prod()",
    "x.permute(1, 0)", "x.unsqueeze(0)", "x.repeat(2, 1)", "x.sort()[0]", "x.topk(1)[0]", "lib.addmm(x, x, w)",
    "(x * w).exp().sum()", "x.detach() * w", "x * x.detach()", "(x * 2).add_(w)",
    "lib.nn.functional.layer_norm(x, (2,))", "lib.nn.functional.mse_loss(x, w)", "lib.atan2(x, w)", "x.round()",
]  # fmt: skip


def leaves(lib):
    return (
        lib.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
        lib.tensor([[1.0, 3.0], [2.0, 4.0]], requires_grad=True),
    )


def written(node):
    """Return a node's name and, for each edge that leads on, what is at its end and which output of that."""
    ends = [(written(end), nr) for end, nr in node.next_functions if end is not None]
    return node.name().split("::")[-1], sorted(ends, key=repr)


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_history_has_torchs_names_and_edges(source):
    histories, expected = [], []
    for lib, history_of in zip(LIBRARIES, (histories, expected), strict=True):
        x, w = leaves(lib)
        history_of.append(written(eval(source, {"lib": lib, "x": x, "w": w}).grad_fn))
    assert histories == expected


@pytest.mark.parametrize("lib", LIBRARIES, ids=["npg", "torch"])
def test_history_is_one_object_and_its_leaves_are_the_leaves(lib):
    x, w = leaves(lib)
    y = x * w
    z = y.exp()
    assert y.grad_fn is y.grad_fn and z.grad_fn.next_functions[0][0] is y.grad_fn
    assert [end.variable is t for (end, _), t in zip(y.grad_fn.next_functions, (x, w), strict=True)] == [True, True]
    assert y.grad_fn.next_functions[0][0] == y.grad_fn.next_functions[0][0]
    assert x.grad_fn is None and x.is_leaf and not y.is_leaf
    node = z.grad_fn
    z += 1
    assert z.grad_fn is not node and z.grad_fn.next_functions[0][0] is node
    parts = x.split(1)
    assert parts[0].grad_fn is parts[1].grad_fn and [p.output_nr for p in parts] == [0, 1]


@pytest.mark.parametrize("lib", LIBRARIES, ids=["npg", "torch"])
def test_history_outlives_the_tensors_between(lib):
    x, w = leaves(lib)
    y = x * w
    z = y + 1
    gone, node = weakref.ref(y), y.grad_fn
    del y
    gc.collect()
    assert gone() is None and z.grad_fn.next_functions[0][0] is node
    z.sum().backward()
    assert x.grad.tolist() == w.tolist()


# ----- Saved tensors -----


@program
def graph_runs_again_where_nothing_was_saved(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y, z = x.exp(), x + 2
    y.sum().backward()
    z.sum().backward()
    return outcome(lambda: y.sum().backward()), outcome(lambda: z.sum().backward())


@program
def saved_inputs_and_results(lib):
    a = lib.tensor([4.0, 9.0], requires_grad=True)
    power, root = a**2, a.sqrt()
    product, scaled = a * root, a * lib.ones(2)
    result = root.grad_fn._saved_result
    return (
        power.grad_fn._saved_self is a,
        power.grad_fn._saved_exponent,
        (values(result), result is root, result.grad_fn is root.grad_fn),
        product.grad_fn._saved_self is a,
        values(product.grad_fn._saved_other),
        scaled.grad_fn._saved_self,
        values(scaled.grad_fn._saved_other),
    )


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


# ----- Hooks for saved tensors -----


@program
def saved_under_hooks(lib):
    a = lib.tensor([4.0, 9.0], requires_grad=True)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t * 2, lambda t: t / 2):
        y = a.sqrt()
    return values(y.grad_fn._saved_result)


@program
def change_in_place_is_packed_before_it_is_made(lib):
    a = lib.tensor([4.0, 16.0], requires_grad=True)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        b = a * 1
        b.mul_(b)
        c = a * 3
        c.div_(c * 1)
        d = a * 1
        d.sqrt_()
    (b + c + d).sum().backward()
    return values(a.grad)


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
