"""What hooks on saved tensors give back, and what a checkpoint computes again, under every use of the graph.

Each function is run plainly and under hooks or checkpoints, in all the ways in which a graph is used: the gradients are
the same, bit for bit.
"""

import contextlib
import itertools

import pytest
import torch
from hypothesis import given, strategies as st

import npg
from npg import nn
from npg.autograd.graph import save_on_cpu, saved_tensors_hooks
from npg.utils.checkpoint import checkpoint, checkpoint_sequential


def _net():
    npg.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(3, 4), nn.Tanh(), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 4), nn.Softmax(-1), nn.Linear(4, 3)
    )
    with npg.no_grad():
        for p in net.parameters():  # whoever counts changes in place from zero is wrong
            p.mul_(1.5)
    return net


def _checkpointed(f):
    return lambda x: checkpoint(f, x, use_reentrant=False)


WAYS = {
    "checkpoint": _checkpointed,
    "twice nested": lambda f: _checkpointed(lambda x: _checkpointed(f)(x.tanh()).sigmoid()),
    "sequential": lambda f: lambda x: checkpoint_sequential(f, 3, x, use_reentrant=False),
    "function": lambda f: lambda x: f(x),
}
PLAIN = {"twice nested": lambda f: lambda x: f(x.tanh()).sigmoid()}
AROUND = {
    "nothing": contextlib.nullcontext,
    "the same": lambda: saved_tensors_hooks(lambda t: t, lambda t: t),
    "copies": lambda: saved_tensors_hooks(lambda t: t.clone(), lambda t: t.clone()),
    "arrays": lambda: saved_tensors_hooks(lambda t: t.numpy().copy(), npg.from_numpy),
    "memory": save_on_cpu,
}


def _backward(f, x, parameters):
    f(x).pow(2).sum().backward()


def _twice(f, x, parameters):
    y = f(x).pow(2).sum()
    y.backward(retain_graph=True)
    y.backward()


def _penalty(f, x, parameters):
    y = f(x).pow(2).sum()
    (g,) = npg.autograd.grad(y, x, create_graph=True)
    (y + g.pow(2).sum()).backward()


def _third(f, x, parameters):
    (g,) = npg.autograd.grad(f(x).pow(2).sum(), x, create_graph=True)
    (h,) = npg.autograd.grad(g.sin().sum(), x, create_graph=True)
    h.pow(2).sum().backward()


def _recorded(f, x, parameters):
    f(x).pow(2).sum().backward(create_graph=True)
    grads = [x.grad, *[p.grad for p in parameters]]
    for p in (x, *parameters):
        p.grad = None
    sum(g.pow(2).sum() for g in grads).backward()


def _views(f, x, parameters):
    y = f(x.t().contiguous().t()[1:])
    z = y[:, :2] * y[:, 1:]
    (g,) = npg.autograd.grad(z.sum(), x, create_graph=True)
    g.pow(2).sum().backward()


def _hooked(f, x, parameters):
    y = f(x)
    y.register_hook(lambda g: g * 2)
    x.register_hook(lambda g: g + 1)
    y.grad_fn.register_prehook(lambda gs: tuple([g * 3 for g in gs]))
    y.pow(2).sum().backward(retain_graph=True)
    npg.autograd.grad(y.sum(), x, create_graph=True)[0].pow(2).sum().backward()


def _inputs(f, x, parameters):
    y = f(x).pow(2).sum()
    y.backward(inputs=[x], retain_graph=True)
    y.backward(inputs=parameters[:2], retain_graph=True)
    y.backward()


USES = [_backward, _twice, _penalty, _third, _recorded, _views, _hooked, _inputs]


def _gradients(net, f, use):
    net.zero_grad()
    x = npg.linspace(-1, 2, 12).view(4, 3).mul_(1).requires_grad_()
    use(f, x, list(net.parameters()))
    return [x.grad, *[p.grad for p in net.parameters()]]


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True")
@given(way=st.sampled_from(sorted(WAYS)), around=st.sampled_from(sorted(AROUND)), use=st.sampled_from(USES))
def test_gradients_under_hooks_and_checkpoints_are_those_without(way, around, use):
    net = _net()
    expected = _gradients(net, PLAIN.get(way, lambda f: f)(net), use)
    with AROUND[around]():
        found = _gradients(net, WAYS[way](net), use)
    for g, h in zip(expected, found, strict=True):
        assert (g is None) == (h is None)
        assert g is None or npg.equal(g, h)


# ----- What the hooks give back counts, for leaves too -----


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("leaf", [False, True])
def test_rule_reads_what_the_hooks_give_back_as_in_torch(recorded, leaf):
    results = []
    for lib in (npg, torch):
        x = lib.tensor([1.0, 2.0], requires_grad=True)
        y = x if leaf else x * 1
        with lib.autograd.graph.saved_tensors_hooks(lambda t: t * 10, lambda t: t + 1):
            z = y * y
        (g,) = lib.autograd.grad(z.sum(), x, create_graph=recorded)
        results.append(g.tolist())
        if recorded:
            results[-1] += lib.autograd.grad(g.sum(), x)[0].tolist()
    assert results[0] == results[1]


def test_saved_leaf_seen_through_hooks_is_a_leaf_as_in_torch():
    for lib in (npg, torch):
        x = lib.tensor([1.0, 2.0], requires_grad=True)
        with lib.autograd.graph.saved_tensors_hooks(lambda t: t * 10, lambda t: t):
            z, w = x.sin(), (x * 1).sin()
        saved, other = z.grad_fn._saved_self, w.grad_fn._saved_self
        assert saved.is_leaf and saved.requires_grad and saved.tolist() == [10.0, 20.0]
        assert other.grad_fn is w.grad_fn.next_functions[0][0] and other.tolist() == [10.0, 20.0]


def test_leaf_changed_in_place_after_hooks_packed_it_does_as_in_torch():
    for lib, recorded in itertools.product((npg, torch), (False, True)):
        x = lib.tensor([1.0, 2.0], requires_grad=True)
        with lib.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
            z = x.sin()
        with lib.no_grad():
            x.add_(1)
        (g,) = lib.autograd.grad(z.sum(), x, create_graph=recorded)
        assert npg.allclose(npg.tensor(g.tolist()), npg.tensor([1.0, 2.0]).cos())
