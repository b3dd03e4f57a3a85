"""Graphs and the garbage collector: it ignores them where there can be no cycle, and collects those that hooks make."""

import functools
import gc
import weakref

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import npg
from npg.engine import name as engine


class Held:
    """An object that a hook holds, with a weak reference to it to see when it is freed."""


def _gone_after(make):
    """Tell whether the objects that make() returns are collected once nothing else refers to them."""
    watched = make()
    gc.collect()
    return all(w() is None for w in (watched if isinstance(watched, tuple) else (watched,)))


def _cycle(hook_on_leaf=None, hook=None):
    watched = Held()
    x = npg.ones(3, requires_grad=True)
    if hook_on_leaf is not None:
        hook_on_leaf(x, watched)
    y = x * 2
    if hook is not None:
        hook(y, watched)
    watched.z = (y * 3).exp().sum()
    return weakref.ref(watched)


HOOKS = {
    "of a tensor": lambda y, watched: y.register_hook(lambda g: watched),
    "of a node": lambda y, watched: y.grad_fn.register_hook(lambda i, o: watched),
    "before a node": lambda y, watched: y.grad_fn.register_prehook(lambda o: watched),
}
HOOKS_ON_LEAVES = {
    "of a leaf": lambda x, watched: x.register_hook(lambda g: watched),
    "after accumulation": lambda x, watched: x.register_post_accumulate_grad_hook(lambda p: watched),
    "of an accumulator": lambda x, watched: (x * 1).grad_fn.next_functions[0][0].register_hook(lambda i, o: watched),
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
        def forward(ctx, x, watched):
            ctx.watched = watched
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2, None

    def make():
        watched = Held()
        watched.y = Keeps.apply(npg.ones(2, requires_grad=True), watched) * 3
        return weakref.ref(watched)

    assert _gone_after(make)


def test_cycle_through_hooks_on_saved_tensors_is_collected():
    def make():
        watched = Held()
        x = npg.ones(2, requires_grad=True)
        with npg.autograd.graph.saved_tensors_hooks(lambda t: (t, watched), lambda pair: pair[0]):
            watched.y = x.exp()
        return weakref.ref(watched)

    assert _gone_after(make)


# ----- Every way in which something older may refer to a result -----


def _hold_in_hook(register):
    return lambda x, watched: register(x, lambda *_: watched)


def _grad_with_history(x, watched):
    x.grad = watched.results[-1].sum() * npg.ones(3)


WAYS = {
    "hook": _hold_in_hook(lambda x, hook: x.register_hook(hook)),
    "removed and other hook": _hold_in_hook(lambda x, hook: (x.register_hook(print).remove(), x.register_hook(hook))),
    "hook of the node": _hold_in_hook(lambda x, hook: _node(x).register_hook(hook)),
    "prehook of the node": _hold_in_hook(lambda x, hook: _node(x).register_prehook(hook)),
    "notes on the node": lambda x, watched: _node(x).metadata.update(watched=watched),
    "attribute": lambda x, watched: setattr(x, "watched", watched),
    "attribute in a list": lambda x, watched: setattr(x, "watched", [[watched]]),
    "gradient with a history": _grad_with_history,
}
ON_LEAVES = {
    "post-accumulate hook": _hold_in_hook(lambda x, hook: x.register_post_accumulate_grad_hook(hook)),
}
STEPS = {
    "chain": lambda x: [((x * 2).exp() + 1).sum()],
    "diamond": lambda x: [(x.exp() * x.exp() + x).sum()],
    "long chain": lambda x: [functools.reduce(lambda y, _: y * 1.5, range(300), x).sum()],
    "views": lambda x: [x.view(3, 1)[1:].t().reshape(-1)],
    "several outputs": lambda x: list((x * 1).split(1)),
    "change in place": lambda x: [(x * 1).mul_(x)],
    "change of a view": lambda x: (lambda y: [y[:2].mul_(2), y])(x * 1),
    "fused": lambda x: [npg.softmax(npg.nn.functional.layer_norm(x, (3,)), -1)],
    "two results": lambda x: [x.sin(), x.cos()],
}


def _node(x):
    return x.grad_fn if x.grad_fn is not None else x.view_as(x).grad_fn.next_functions[0][0]


def _loop(way, steps, leaf, early, passed):
    watched = Held()
    x = npg.ones(3, requires_grad=True)
    x = x if leaf else x * 1
    watched.results = [x * 1]
    if early:
        way(x, watched)
    watched.results += steps(x)
    if not early:
        way(x, watched)
    if passed:
        npg.autograd.grad(watched.results[-1].sum(), x, retain_graph=True, create_graph=True)
    return weakref.ref(watched), weakref.ref(x)


@pytest.fixture
def _collecting_new_objects_only():
    gc.collect()
    gc.freeze()  # objects of pytest and the libraries take nearly all the time of a full collection
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_collecting_new_objects_only")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_cycle_from_a_tensor_to_its_results_is_collected(data):
    leaf, early, passed = (data.draw(st.booleans(), label) for label in ("leaf", "early", "passed"))
    ways = WAYS | (ON_LEAVES if leaf else {})
    way = data.draw(st.sampled_from(sorted(ways)), "way")
    steps = data.draw(st.sampled_from(sorted(STEPS)), "steps")
    if early and way == "hook" and passed:
        passed = False  # the hook's result is not a gradient
    passed = passed and "hook" not in way
    assert _gone_after(lambda: _loop(ways[way], STEPS[steps], leaf, early, passed))


def test_graph_in_use_survives_full_collections():
    x = npg.ones(3, requires_grad=True)
    y = functools.reduce(lambda y, _: (y * x).sin() + x, range(200), x)
    gc.collect()
    z = functools.reduce(lambda y, _: (y * x).sin() + x, range(200), y)
    gc.collect()
    z.sum().backward(retain_graph=True)
    first = x.grad.tolist()
    gc.collect()
    del y
    gc.collect()
    x.grad = None
    z.sum().backward()
    assert x.grad.tolist() == first


def test_graphs_made_and_freed_within_a_collection_are_sound():
    class Busy:  # part of garbage: runs while the collector does
        def __del__(self):
            gone.append(x.mul(2).exp())
            alive.pop()

    x = npg.ones(3, requires_grad=True)
    gone, alive = [], [x.sin().cos() for _ in range(20)]
    for _ in range(10):
        busy = Busy()
        busy.itself = busy
        del busy
        gc.collect()
    assert len(gone) == len(alive) == 10
    sum(y.sum() for y in gone + alive).backward()
    assert x.grad is not None


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
