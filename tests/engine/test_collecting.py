"""What the garbage collector sees of a graph: nothing where there can be no cycle, all of it where hooks make one."""

import gc
import weakref

import pytest

import npg
from npg.engine import name as engine


class Held:
    """Something that a hook holds, and that can be watched."""


def _gone_after(make):
    """Tell whether what make() returns is collected once nobody outside holds it."""
    watched = make()
    gc.collect()
    return watched() is None


def _cycle(hook_on_leaf=None, hook=None):
    held = Held()
    x = npg.ones(3, requires_grad=True)
    if hook_on_leaf is not None:
        hook_on_leaf(x, held)
    y = x * 2
    if hook is not None:
        hook(y, held)
    held.z = (y * 3).exp().sum()
    return weakref.ref(held)


HOOKS = {
    "of a tensor": lambda y, held: y.register_hook(lambda g: held),
    "of a node": lambda y, held: y.grad_fn.register_hook(lambda i, o: held),
    "before a node": lambda y, held: y.grad_fn.register_prehook(lambda o: held),
}
HOOKS_ON_LEAVES = {
    "of a leaf": lambda x, held: x.register_hook(lambda g: held),
    "after accumulation": lambda x, held: x.register_post_accumulate_grad_hook(lambda p: held),
    "of an accumulator": lambda x, held: (x * 1).grad_fn.next_functions[0][0].register_hook(lambda i, o: held),
}


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_cycle_through_a_hook_is_collected(hook):
    assert _gone_after(lambda: _cycle(hook=hook))


@pytest.mark.parametrize("hook", HOOKS_ON_LEAVES.values(), ids=HOOKS_ON_LEAVES)
def test_cycle_through_a_hook_that_a_leaf_had_before_its_graph_is_collected(hook):
    assert _gone_after(lambda: _cycle(hook_on_leaf=hook))


def test_cycle_through_a_custom_functions_context_is_collected():
    class Keeps(npg.autograd.Function):
        @staticmethod
        def forward(ctx, x, held):
            ctx.held = held
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2, None

    def make():
        held = Held()
        held.y = Keeps.apply(npg.ones(2, requires_grad=True), held) * 3
        return weakref.ref(held)

    assert _gone_after(make)


def test_cycle_through_hooks_on_saved_tensors_is_collected():
    def make():
        held = Held()
        x = npg.ones(2, requires_grad=True)
        with npg.autograd.graph.saved_tensors_hooks(lambda t: (t, held), lambda pair: pair[0]):
            held.y = x.exp()
        return weakref.ref(held)

    assert _gone_after(make)


@pytest.mark.skipif(engine != "cython", reason="the Python engine's nodes are ordinary objects")
def test_nodes_of_ops_are_hidden_from_the_collector():
    x = npg.ones(3, requires_grad=True)
    y = (x * 2 + 1).exp().sum()
    node = y.grad_fn
    while isinstance(node, type(y.grad_fn)):
        assert not gc.is_tracked(node)
        node = node.next_functions[0][0]
    y.backward()
    assert x.grad is not None
