"""Backward on each engine: order, accumulation, roots, inputs, freed graphs, versions."""

from typing import Any

import numpy as np
import pytest

from npg.ops import elementwise as ops
from tests.engine.programs import halves, leaf, squash, swap


def grad_of(t: Any) -> Any:
    return None if t._grad is None else t._grad._array


def backward(engine: Any, *roots: Any, gradients: Any = None, retain: bool = False, **kwargs: Any) -> Any:
    return engine.run_backward(roots, gradients or [None] * len(roots), retain, False, **kwargs)


# ----- Values -----


def test_backward_product_gives_the_other_factor(engine: Any) -> None:
    x, y = leaf(engine, [1.0, 2.0]), leaf(engine, [3.0, 5.0])
    backward(engine, x * y)
    assert grad_of(x).tolist() == [3.0, 5.0]
    assert grad_of(y).tolist() == [1.0, 2.0]


def test_backward_shared_value_sums_its_uses(engine: Any) -> None:
    x = leaf(engine, [2.0])
    y = x * x
    backward(engine, y * y + y)
    assert grad_of(x).tolist() == [4 * 2.0**3 + 2 * 2.0]


def test_backward_broadcast_sums_back_to_the_shape(engine: Any) -> None:
    x, y, z = leaf(engine, np.ones((2, 1, 3))), leaf(engine, np.ones(3)), leaf(engine, 2.0)
    backward(engine, x * y * z + leaf(engine, np.zeros((2, 4, 3)), False))
    assert grad_of(x).shape == (2, 1, 3) and grad_of(x).tolist() == np.full((2, 1, 3), 8.0).tolist()
    assert grad_of(y).tolist() == [16.0] * 3
    assert grad_of(z).shape == () and grad_of(z) == 24.0


def test_backward_twice_accumulates(engine: Any) -> None:
    x = leaf(engine, [1.0])
    backward(engine, x + x)
    backward(engine, x * 3.0)
    assert grad_of(x).tolist() == [5.0]


def test_backward_several_roots_sum(engine: Any) -> None:
    x = leaf(engine, [1.0])
    y = x * 2.0
    backward(engine, y * 3.0, y)
    assert grad_of(x).tolist() == [8.0]


def test_backward_leaf_root_gives_ones(engine: Any) -> None:
    x = leaf(engine, [1.0, 2.0])
    backward(engine, x)
    assert grad_of(x).tolist() == [1.0, 1.0]


def test_backward_given_gradient_is_not_kept_by_reference(engine: Any) -> None:
    x = leaf(engine, [1.0])
    g = engine.wrap(np.array([7.0]))
    backward(engine, x, gradients=[g])
    grad_of(x)[0] = 0.0
    assert g._array.tolist() == [7.0]


def test_backward_two_leaves_never_share_a_gradient_buffer(engine: Any) -> None:
    x, y = leaf(engine, [1.0]), leaf(engine, [2.0])
    backward(engine, x + y)
    assert not np.shares_memory(grad_of(x), grad_of(y))


def test_backward_multi_output_missing_gradient_is_zero(engine: Any) -> None:
    x = leaf(engine, [1.0, 2.0, 3.0, 4.0])
    first, second = engine.apply(halves, (x,), {})
    backward(engine, second * 2.0)
    assert grad_of(x).tolist() == [0.0, 0.0, 2.0, 2.0]
    assert (first.output_nr, second.output_nr) == (0, 1)


def test_backward_inputs_reach_only_those(engine: Any) -> None:
    x, y = leaf(engine, [1.0]), leaf(engine, [2.0])
    mid = x * y
    out = mid * 3.0
    grads = backward(engine, out, inputs=[mid, x], accumulate=False, retain=True)
    assert [f._array.tolist() for f in grads] == [[3.0], [6.0]]
    assert x._grad is None and y._grad is None
    backward(engine, out, inputs=[x])
    assert grad_of(x).tolist() == [6.0] and y._grad is None


def test_backward_unused_input_gives_none(engine: Any) -> None:
    x, other = leaf(engine, [1.0]), leaf(engine, [1.0])
    assert backward(engine, x * 2.0, inputs=[other], accumulate=False) == [None]


def test_backward_integer_inputs_get_no_edge(engine: Any) -> None:
    x = leaf(engine, [1.0])
    y = engine.apply(ops.mul, (x, engine.wrap(np.array([2.0]))), {})
    assert y.grad_fn.next_functions[1] == (None, 0)
    assert y.grad_fn.next_functions[0][0].variable is x


# ----- Refusals -----


def test_backward_freed_graph_raises(engine: Any) -> None:
    x = leaf(engine, [1.0])
    y = x * x
    backward(engine, y)
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        backward(engine, y)
    assert grad_of(x).tolist() == [2.0]


def test_backward_graph_that_saved_nothing_runs_again(engine: Any) -> None:
    x = leaf(engine, [1.0])
    y = x + x
    backward(engine, y)
    backward(engine, y)
    assert grad_of(x).tolist() == [4.0]


def test_backward_retain_graph_runs_again(engine: Any) -> None:
    x = leaf(engine, [3.0])
    y = x * x
    backward(engine, y, retain=True)
    backward(engine, y)
    assert grad_of(x).tolist() == [12.0]


def test_backward_without_graph_raises(engine: Any) -> None:
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad and does not have a grad_fn"):
        backward(engine, leaf(engine, [1.0], False))


def test_backward_gradient_of_other_shape_raises_and_changes_nothing(engine: Any) -> None:
    x = leaf(engine, [1.0, 2.0])
    y = x * x
    with pytest.raises(RuntimeError, match=r"Mismatch in shape: grad_output\[0\] has a shape of"):
        backward(engine, y, gradients=[engine.wrap(np.ones(3))])
    backward(engine, y)
    assert grad_of(x).tolist() == [2.0, 4.0]


def test_backward_saved_input_changed_raises(engine: Any) -> None:
    x, w = leaf(engine, [1.0]), leaf(engine, [2.0])
    v = w + 0.0
    y = x * v
    engine.apply_in_place(ops.add, (v, 1.0), {})
    with pytest.raises(
        RuntimeError,
        match=r"modified by an inplace operation: \[npg.DoubleTensor \[1\]\], which is output 0 of Add, is at version "
        "1; expected version 0 instead. Hint: MulBackward0 saved it as its input 1",
    ):
        backward(engine, y)


def test_backward_saved_output_changed_raises(engine: Any) -> None:
    x = leaf(engine, [1.0])
    y = engine.apply(squash, (x,), {})
    engine.apply_in_place(ops.add, (y, 1.0), {})
    with pytest.raises(RuntimeError, match="modified by an inplace operation.*output 0 of Squash,"):
        backward(engine, y)


def test_backward_operand_in_the_memory_that_was_written_raises(engine: Any) -> None:
    x = leaf(engine, [2.0, 3.0])
    y = engine.apply(ops.clone, (x,), {})
    engine.apply_in_place(ops.mul, (y, y), {})  # the factor that was saved is gone
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        backward(engine, y)


def test_apply_in_place_operand_that_is_a_part_of_the_target_raises(engine: Any) -> None:
    x = engine.wrap(np.arange(4.0))
    part = engine.wrap(x._array[1:3])
    with pytest.raises(RuntimeError, match="some elements of the input tensor and the written-to tensor"):
        engine.apply_in_place(ops.add, (x, part), {})
    assert x._array.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_backward_unsaved_input_changed_is_fine(engine: Any) -> None:
    x = leaf(engine, [1.0])
    v = x * 2.0
    y = v + 1.0
    engine.apply_in_place(ops.add, (v, 1.0), {})
    backward(engine, y)
    assert grad_of(x).tolist() == [2.0]


# ----- In place and views -----


def test_in_place_saves_the_old_value(engine: Any) -> None:
    x, w = leaf(engine, [2.0]), leaf(engine, [5.0])
    y = x * 3.0
    engine.apply_in_place(ops.mul, (y, w), {})
    backward(engine, y)
    assert grad_of(w).tolist() == [6.0] and grad_of(x).tolist() == [15.0]


def test_in_place_leaf_raises_and_changes_nothing(engine: Any) -> None:
    x = leaf(engine, [1.0])
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        engine.apply_in_place(ops.add, (x, 1.0), {})
    assert x._array.tolist() == [1.0]


def test_in_place_leaf_without_recording_changes_it(engine: Any) -> None:
    x = leaf(engine, [1.0])
    engine.set_grad_mode(False)
    try:
        engine.apply_in_place(ops.add, (x, 1.0), {})
    finally:
        engine.set_grad_mode(True)
    assert x._array.tolist() == [2.0] and x.is_leaf


def test_in_place_result_of_other_shape_raises_and_changes_nothing(engine: Any) -> None:
    x = leaf(engine, [1.0], False)
    with pytest.raises(RuntimeError, match=r"output with shape \[1\] doesn't match the broadcast shape \[3\]"):
        engine.apply_in_place(ops.add, (x, engine.wrap(np.ones(3))), {})
    assert x._array.tolist() == [1.0]


def test_in_place_on_a_view_changes_the_history_of_its_base(engine: Any) -> None:
    x = leaf(engine, np.ones((2, 3)))
    base = x * 1.0
    view = engine.apply(swap, (base,), {})
    engine.apply_in_place(ops.mul, (view, 5.0), {})
    assert base._array.tolist() == [[5.0] * 3] * 2
    assert base.grad_fn.name() == "torch::autograd::CopySlices"
    backward(engine, base)
    assert grad_of(x).tolist() == [[5.0] * 3] * 2


def test_in_place_on_a_base_changes_the_history_of_its_view(engine: Any) -> None:
    x = leaf(engine, np.ones((2, 3)))
    base = x * 1.0
    view = engine.apply(swap, (base,), {})
    engine.apply_in_place(ops.mul, (base, 5.0), {})
    assert view.grad_fn.name() == "AsStridedBackward0"
    backward(engine, view)
    assert grad_of(x).tolist() == [[5.0] * 3] * 2


def test_in_place_on_a_view_of_a_leaf_raises(engine: Any) -> None:
    view = engine.apply(swap, (leaf(engine, np.ones((2, 3))),), {})
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        engine.apply_in_place(ops.add, (view, 1.0), {})


def test_in_place_on_one_of_several_views_raises(engine: Any) -> None:
    base = leaf(engine, np.ones(4)) * 1.0
    first, _ = engine.apply(halves, (base,), {})
    with pytest.raises(RuntimeError, match="Output 0 of Halves is a view and is being modified inplace"):
        engine.apply_in_place(ops.add, (first, 1.0), {})


def test_in_place_on_overlapping_memory_raises(engine: Any) -> None:
    x = engine.wrap(np.lib.stride_tricks.as_strided(np.ones(1), (3,), (0,)))
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory"):
        engine.apply_in_place(ops.add, (x, 1.0), {})


def test_views_share_one_version(engine: Any) -> None:
    base = leaf(engine, np.ones((2, 2)), False)
    view = engine.apply(swap, (base,), {})
    engine.apply_in_place(ops.add, (view, 1.0), {})
    assert base._counter.value == view._counter.value == 1
    assert np.shares_memory(base._array, view._array)
