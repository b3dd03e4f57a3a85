"""Hooks on saved tensors, edges, versions, against torch."""

import gc
import weakref

import numpy as np
import pytest
import torch

import npg

from ..helpers import assert_same_error

LIBRARIES = (npg, torch)


@pytest.fixture(params=LIBRARIES, ids=["npg", "torch"])
def lib(request):
    """Either library: what holds in torch must hold in npg."""
    return request.param


def leaf(lib, *shape, seed=0):
    values = np.random.default_rng(seed).uniform(0.5, 1.5, shape)
    return lib.tensor(values.tolist(), dtype=lib.float64, requires_grad=True)


def close(found, expected):
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-11, atol=1e-14)


PROGRAMS = {
    "product": lambda lib, x, w: x * w,
    "output": lambda lib, x, w: x.exp() * 2,
    "kernel": lambda lib, x, w: lib.nn.functional.layer_norm(x @ w.t(), (3,)).softmax(-1) * w,
    "several outputs": lambda lib, x, w: (x * w).max(1)[0].sum() + (x * x).split(1)[0].sum(),
    "in place": lambda lib, x, w: (x * 1).mul_(w).exp_(),
    "view": lambda lib, x, w: x[0] * w[1],
    "none saved": lambda lib, x, w: x + w,
}


# ----- saved_tensors_hooks -----


@pytest.mark.parametrize("program", PROGRAMS)
def test_hooks_that_copy_change_nothing(program):
    found = {}
    for lib in LIBRARIES:
        x, w = leaf(lib, 3, 3), leaf(lib, 3, 3, seed=1)
        with lib.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone().numpy(), lib.from_numpy):
            y = PROGRAMS[program](lib, x, w)
        y.sum().backward()
        found[lib] = (x.grad, w.grad)
    for a, b in zip(found[npg], found[torch]):
        assert (a is None) == (b is None)
        if a is not None:
            close(a, b)


@pytest.mark.parametrize("program", ["product", "output", "in place", "kernel"])
def test_hooks_under_create_graph_give_second_order(program):
    found = {}
    for lib in LIBRARIES:
        x, w = leaf(lib, 3, 3), leaf(lib, 3, 3, seed=1)
        with lib.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
            y = PROGRAMS[program](lib, x, w)
        (g,) = lib.autograd.grad((y * y).sum(), x, create_graph=True)
        found[lib] = (g, *lib.autograd.grad((g * g).sum(), x))
    for a, b in zip(found[npg], found[torch]):
        close(a, b)


def test_hooks_unpacked_values_are_used(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t * 10):
        y = x * lib.tensor([3.0, 5.0], dtype=lib.float64)
    y.sum().backward()
    assert x.grad.tolist() == [30.0, 50.0]


def test_hooks_innermost_is_used_and_the_outer_comes_back(lib):
    seen = []
    hooks = lib.autograd.graph.saved_tensors_hooks
    x = leaf(lib, 2)
    outer, inner = (hooks(lambda t, n=n: (seen.append(n), t)[1], lambda t: t) for n in ("outer", "inner"))
    with outer:
        with inner:
            y = x.exp()
        z = x.exp()
    x.exp()
    assert seen == ["inner", "outer"]
    (y + z).sum().backward()


def test_hooks_saved_by_a_custom_function_go_through_them(lib):
    seen = []

    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x**3
            ctx.save_for_backward(x, None, y)
            return y

        @staticmethod
        def backward(ctx, g):
            x, _, y = ctx.saved_tensors
            return g * 3 * y / x

    x = leaf(lib, 2)
    with lib.autograd.graph.saved_tensors_hooks(lambda t: (seen.append("pack"), t.detach().clone())[1], lambda t: t):
        y = Cube.apply(x)
    (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = lib.autograd.grad(g.sum(), x)
    assert seen == ["pack"] * 2
    np.testing.assert_allclose(g.detach().numpy(), 3 * x.detach().numpy() ** 2)
    np.testing.assert_allclose(h.detach().numpy(), 6 * x.detach().numpy())


def test_hooks_run_with_recording_off_and_backward_twice_unpacks_twice(lib):
    seen = []
    x = leaf(lib, 2)
    pack = lambda t: (seen.append(lib.is_grad_enabled()), t)[1]
    unpack = lambda t: (seen.append("unpack"), t)[1]
    with lib.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = x.exp()
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    assert seen == [False, "unpack", "unpack"]
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.sum().backward()


def test_unpack_that_returns_no_tensor_raises_torchs_error():
    def run(lib):
        x = leaf(lib, 2)
        with lib.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
            y = x.exp()
        y.sum().backward()

    assert_same_error(lambda: run(npg), lambda: run(torch))


def test_packed_values_are_freed_without_the_collector():
    class Box:
        pass

    gc.collect()
    gc.disable()
    try:
        boxes = []

        def pack(t):
            box = Box()
            box.t = t
            boxes.append(weakref.ref(box))
            return box

        x = leaf(npg, 2)
        with npg.autograd.graph.saved_tensors_hooks(pack, lambda box: box.t):
            y = x.exp() * x
        assert all(b() is not None for b in boxes) and boxes
        y.sum().backward()
        assert all(b() is None for b in boxes)
    finally:
        gc.enable()


def test_hooks_disabled_raise_with_the_message(lib):
    graph = lib.autograd.graph
    with graph.disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"):
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        pass


def test_save_on_cpu_changes_nothing(lib):
    x = leaf(lib, 2)
    with lib.autograd.graph.save_on_cpu():
        y = x.exp()
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp(x.detach().numpy()))


# ----- Edges and versions -----


def test_gradient_edge_names_node_and_output():
    for lib in LIBRARIES:
        x = leaf(lib, 4)
        part = x.split(2)[1]
        edge = lib.autograd.graph.get_gradient_edge(part)
        assert edge.node is part.grad_fn or edge.node == part.grad_fn
        assert edge.output_nr == 1
        assert lib.autograd.graph.get_gradient_edge(x).node.variable is x
        assert isinstance(part.grad_fn, lib.autograd.graph.Node)
    assert_same_error(
        lambda: npg.autograd.graph.get_gradient_edge(npg.ones(2)),
        lambda: torch.autograd.graph.get_gradient_edge(torch.ones(2)),
    )


def test_increment_version_makes_backward_refuse(lib):
    x = leaf(lib, 2)
    w = x * 1
    y = w * w
    lib.autograd.graph.increment_version(w)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_version_counts_changes_through_views_and_not_through_data(lib):
    x = lib.zeros(2, 3)
    view, alias, other = x[0], x.detach(), x.clone()
    assert x._version == 0 and view._is_view() and view._base is x and not x._is_view()
    view.add_(1)
    x.mul_(2)
    x[0, 0] = 5.0
    assert x._version == view._version == alias._version == 3 and other._version == 0
    x.data.add_(1)
    assert x._version == 3


def test_version_of_an_inference_tensor_raises(lib):
    with lib.inference_mode():
        x = lib.ones(2)
    with pytest.raises(RuntimeError, match="Inference tensors do not track version counter."):
        x._version


@pytest.mark.parametrize("source", [True, False])
def test_tensor_set_to_other_memory_after_it_was_saved_makes_backward_refuse(lib, source):
    w = leaf(lib, 3) * 2
    y = w * w
    other = lib.full((3,), 5.0, dtype=lib.float64)
    with lib.no_grad():
        w.set_(other) if source else w.set_()
    if source:
        assert w.tolist() == [5.0] * 3
        other.add_(1)
        assert w.tolist() == [6.0] * 3
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
