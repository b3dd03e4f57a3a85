"""Hooks, retain_grad and grad mode on each engine."""

import threading
from typing import Any

import numpy as np
import pytest

from npg.engine import queue_callback
from tests.engine.programs import leaf


def backward(engine: Any, root: Any) -> None:
    engine.run_backward((root,), (None,), False, False)


def test_tensor_hook_replaces_the_gradient(engine: Any) -> None:
    x = leaf(engine, [1.0])
    y = x * 2.0
    y.register_hook(lambda g: g * 10.0)
    backward(engine, y * 3.0)
    assert x._grad._array.tolist() == [60.0]


def test_tensor_hook_on_a_leaf_sees_the_sum(engine: Any) -> None:
    x = leaf(engine, [1.0])
    calls = []
    x.register_hook(lambda g: calls.append(g._array.tolist()))
    backward(engine, x * 2.0 + x * 3.0)
    assert calls == [[5.0]]


def test_tensor_hook_removed_is_not_called(engine: Any) -> None:
    x = leaf(engine, [1.0])
    calls = []
    with x.register_hook(calls.append):
        pass
    handle = x.register_hook(calls.append)
    handle.remove()
    handle.remove()
    backward(engine, x * 2.0)
    assert calls == []


def test_tensor_hook_of_other_shape_raises(engine: Any) -> None:
    x = leaf(engine, [1.0])
    x.register_hook(lambda g: engine.wrap(np.ones(3)))
    with pytest.raises(RuntimeError, match=r"has changed the size of value: expected \[1\], got \[3\]"):
        backward(engine, x * 2.0)


def test_hook_without_grad_raises(engine: Any) -> None:
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        leaf(engine, [1.0], False).register_hook(print)


def test_post_accumulate_hook_runs_once_after_the_sum(engine: Any) -> None:
    x = leaf(engine, [1.0])
    calls = []
    x.register_post_accumulate_grad_hook(lambda t: calls.append((t is x, t._grad._array.tolist())))
    backward(engine, x * 2.0 + x * 3.0)
    assert calls == [(True, [5.0])]
    with pytest.raises(RuntimeError, match="non-leaf"):
        (x * 1.0).register_post_accumulate_grad_hook(print)


def test_callback_is_called_when_all_leaves_have_their_gradients(engine: Any) -> None:
    x, z = leaf(engine, [1.0]), leaf(engine, [2.0])
    calls = []

    def later() -> None:
        calls.append((x._grad._array.tolist(), z._grad._array.tolist()))
        queue_callback(lambda: calls.append("queued by a callback"))

    y = x * z
    y.register_hook(lambda _g: queue_callback(later))
    backward(engine, y * 3.0)
    assert calls == [([6.0], [3.0]), "queued by a callback"]
    backward(engine, x * 2.0)
    assert len(calls) == 2


def test_callback_belongs_to_the_pass_that_runs(engine: Any) -> None:
    calls: list[str] = []
    x, inner = leaf(engine, [1.0]), leaf(engine, [1.0])
    inner.register_hook(lambda _g: queue_callback(lambda: calls.append("inner")))
    product = inner * 2.0

    def hook(_g: Any) -> None:
        queue_callback(lambda: calls.append("outer"))
        backward(engine, product)
        calls.append("after inner")

    y = x * 2.0
    y.register_hook(hook)
    backward(engine, y)
    assert calls == ["inner", "after inner", "outer"]


def test_callback_that_raises_ends_the_pass_and_leaves_none_behind(engine: Any) -> None:
    def fail() -> None:
        raise ValueError("in the callback")

    x = leaf(engine, [1.0])
    handle = x.register_hook(lambda _g: queue_callback(fail))
    with pytest.raises(ValueError, match="in the callback"):
        backward(engine, x * 2.0)
    assert x._grad._array.tolist() == [2.0]
    handle.remove()
    backward(engine, x * 2.0)
    with pytest.raises(RuntimeError, match="Final callbacks can only be installed during backward pass"):
        queue_callback(fail)


def test_node_hooks_see_and_replace(engine: Any) -> None:
    x = leaf(engine, [1.0])
    y = x * 2.0
    calls = []
    y.grad_fn.register_prehook(lambda g: (g[0] * 10.0,))
    y.grad_fn.register_hook(lambda gi, go: calls.append((gi[0]._array.tolist(), gi[1], go[0]._array.tolist())))
    backward(engine, y)
    assert calls == [([20.0], None, [10.0])]
    assert x._grad._array.tolist() == [20.0]


def test_retain_grad_keeps_the_gradient_after_hooks(engine: Any) -> None:
    x = leaf(engine, [1.0])
    y = x * 2.0
    y.retain_grad()
    y.register_hook(lambda g: g * 10.0)
    backward(engine, y * 3.0)
    assert y._grad._array.tolist() == [30.0] and y.retains_grad
    with pytest.raises(RuntimeError, match="requires_grad=False"):
        leaf(engine, [1.0], False).retain_grad()


def test_grad_mode_off_records_nothing(engine: Any) -> None:
    x = leaf(engine, [1.0])
    engine.set_grad_mode(False)
    try:
        y = x * 2.0
    finally:
        engine.set_grad_mode(True)
    assert y.is_leaf and not y.requires_grad


def test_grad_mode_is_per_thread(engine: Any) -> None:
    modes = []
    engine.set_grad_mode(False)
    try:
        thread = threading.Thread(target=lambda: modes.append(engine.is_grad_enabled()))
        thread.start()
        thread.join()
    finally:
        engine.set_grad_mode(True)
    assert modes == [True]


def test_backward_restores_the_grad_mode_after_an_error(engine: Any) -> None:
    x = leaf(engine, [1.0])

    def fail(g: Any) -> None:
        raise KeyError("from a hook")

    x.register_hook(fail)
    with pytest.raises(KeyError):
        backward(engine, x * 2.0)
    assert engine.is_grad_enabled()


def test_requires_grad_of_integers_raises(engine: Any) -> None:
    with pytest.raises(RuntimeError, match="only Tensors of floating point"):
        leaf(engine, [1, 2])


def test_requires_grad_of_a_computed_tensor_cannot_be_cleared(engine: Any) -> None:
    with pytest.raises(RuntimeError, match="leaf variables"):
        (leaf(engine, [1.0]) * 2.0)._set_requires_grad(False)


def test_inference_tensor_cannot_be_saved(engine: Any) -> None:
    engine.set_inference_mode(True)
    try:
        t = engine.wrap(np.ones(1))
    finally:
        engine.set_inference_mode(False)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        leaf(engine, [1.0]) * t


# ----- When a leaf is settled -----


def test_leaf_with_hooks_is_settled_before_the_nodes_below_run(engine: Any) -> None:
    order: list[str] = []
    a, b, c = (leaf(engine, [float(i)]) for i in (2, 3, 5))
    y = a * 2.0
    y.register_hook(lambda g: order.append("y"))
    z = y * b
    z.register_hook(lambda g: order.append("z"))
    b.register_hook(lambda g: order.append("b hook"))
    b.register_post_accumulate_grad_hook(lambda t: order.append(f"b {t._grad._array.tolist()}"))
    a.register_post_accumulate_grad_hook(lambda t: order.append(f"a {t._grad._array.tolist()}"))
    backward(engine, (z * c) * c)
    assert order == ["z", "b hook", "b [100.0]", "y", "a [150.0]"]
    assert c._grad._array.tolist() == [120.0]


def test_leaf_with_hooks_waits_for_every_edge(engine: Any) -> None:
    x = leaf(engine, [1.0])
    calls: list[Any] = []
    x.register_post_accumulate_grad_hook(lambda t: calls.append(t._grad._array.tolist()))
    y = x * 2.0
    z = (y * x) * x
    backward(engine, (z + x) * x)
    assert calls == [[10.0]]  # of 2 x^4 + x^2


def test_leaf_with_hooks_that_misses_an_edge_is_settled_at_the_end(engine: Any) -> None:
    x = leaf(engine, [1.0])
    calls: list[Any] = []
    x.register_post_accumulate_grad_hook(lambda t: calls.append(t._grad._array.tolist()))
    y = x * 2.0
    y.grad_fn.register_prehook(lambda gs: (None,))
    backward(engine, y + x * 3.0)
    assert calls == [[3.0]]


def test_leaf_with_hooks_may_be_changed_and_its_gradient_let_go(engine: Any) -> None:
    a, b = leaf(engine, [2.0]), leaf(engine, [3.0])

    def step(t: Any) -> None:
        t._array -= 0.5 * t._grad._array
        t._grad = None

    b.register_post_accumulate_grad_hook(step)
    backward(engine, (a * 2.0) * b)
    assert b._array.tolist() == [1.0] and b._grad is None and a._grad._array.tolist() == [6.0]


def test_inputs_leave_out_other_leaves_with_hooks(engine: Any) -> None:
    a, b = leaf(engine, [2.0]), leaf(engine, [3.0])
    calls: list[str] = []
    for name, t in (("a", a), ("b", b)):
        t.register_hook(lambda g, name=name: calls.append(name))
    y = (a * 2.0) * b
    engine.run_backward((y,), (None,), True, False, (a,))
    (g,) = engine.run_backward((y,), (None,), False, False, (b,), False)
    assert calls == ["a", "b"] and a._grad._array.tolist() == [6.0] and b._grad is None and g._array.tolist() == [4.0]
