"""Custom functions: what forward and backward may do, and the errors, against torch."""

import gc
import weakref

import numpy as np
import pytest
import torch

import npg

from ..helpers import assert_same_error

LIBRARIES = (npg, torch)


def define(lib, **methods):
    """Return a Function of a library with these static methods."""
    return type("Mine", (lib.autograd.Function,), {name: staticmethod(f) for name, f in methods.items()})


def leaves(lib, *values):
    return [lib.tensor(v, dtype=lib.float64, requires_grad=True) for v in values]


def both(program):
    """Run program(lib) for each library and check that the results, tensors or tuples, agree."""
    found, expected = (program(lib) for lib in LIBRARIES)
    compare(found, expected)


def compare(found, expected):
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            compare(f, e)
    elif isinstance(expected, torch.Tensor):
        assert isinstance(found, npg.Tensor)
        assert found.requires_grad == expected.requires_grad and found.is_leaf == expected.is_leaf
        assert str(found.dtype).partition(".")[2] == str(expected.dtype).partition(".")[2]
        np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    else:
        assert found == expected


# ----- Functions -----


def saved_input(lib):
    def forward(ctx, x, k):
        ctx.save_for_backward(x)
        ctx.k = k
        return x**k

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * ctx.k * x ** (ctx.k - 1), None

    return define(lib, forward=forward, backward=backward)


def saved_output(lib):
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    def backward(ctx, g):
        return g * ctx.saved_tensors[0]

    return define(lib, forward=forward, backward=backward)


def separate(lib):
    def forward(x, w, scale=2.0):
        return x * w * scale, x + w

    def setup_context(ctx, inputs, output):
        x, w, ctx.scale = inputs
        ctx.save_for_backward(x, None, w)

    def backward(ctx, g, h):
        x, nothing, w = ctx.saved_tensors
        assert nothing is None
        return g * w * ctx.scale + h, g * x * ctx.scale + h, None

    return define(lib, forward=forward, setup_context=setup_context, backward=backward)


# ----- Values and gradients -----


def test_apply_saved_input_of_any_order_is_torchs():
    def program(lib):
        (x,) = leaves(lib, [1.5, -2.0])
        y = saved_input(lib).apply(x, 3)
        (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = lib.autograd.grad(g.sum(), x, create_graph=True)
        return y, g, h, lib.autograd.grad(h.sum(), x)

    both(program)


def test_apply_saved_output_of_any_order_is_torchs():
    def program(lib):
        (x,) = leaves(lib, [0.5, 1.0])
        y = saved_output(lib).apply(x * 2)
        (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        return y, g, lib.autograd.grad((g * g).sum(), x)

    both(program)


def test_apply_setup_context_with_keywords_and_defaults_is_torchs():
    def program(lib):
        x, w = leaves(lib, [1.0, 2.0], [3.0, 4.0])
        a, b = separate(lib).apply(x, w)
        c, _ = separate(lib).apply(x, w, scale=-1.0)
        d, _ = separate(lib).apply(x, w=w, scale=5.0)
        (a.sum() + (b * c).sum() + d.sum()).backward()
        return a, b, c, d, x.grad, w.grad

    both(program)


def test_apply_output_without_gradient_gives_zeros_or_none():
    def program(lib, materialize):
        seen = []

        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        def backward(ctx, g, h):
            seen.extend([g if g is None else g.tolist(), h if h is None else h.tolist()])
            return g * 2 if h is None else g * 2 + h * 3

        (x,) = leaves(lib, [1.0, 2.0])
        define(lib, forward=forward, backward=backward).apply(x)[0].sum().backward()
        return seen, x.grad

    for materialize in (True, False):
        both(lambda lib, m=materialize: program(lib, m))


def test_apply_marked_and_integer_outputs_have_no_gradient():
    def forward(ctx, x):
        constant = x * 3
        ctx.mark_non_differentiable(constant)
        return x * 2, constant, x.long(), "text"

    def backward(ctx, g, *rest):
        assert len(rest) == 3
        return g * 2

    def program(lib):
        (x,) = leaves(lib, [1.0, 2.0])
        out = define(lib, forward=forward, backward=backward).apply(x)
        out[0].sum().backward()
        return (*out, x.grad)

    both(program)


def test_apply_dirty_input_gets_the_new_history():
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    def backward(ctx, g):
        return g * 7  # not the true one, so that it is seen to be used

    def program(lib):
        (x,) = leaves(lib, [[1.0, 2.0], [3.0, 4.0]])
        y = x * 1
        z = define(lib, forward=forward, backward=backward).apply(y)
        base = x * 1
        define(lib, forward=forward, backward=backward).apply(base[0])  # a view: its base changes too
        (z.sum() + base.sum() * 10).backward()
        return z is y, z, base, x.grad

    both(program)


def test_apply_input_returned_as_it_is_becomes_a_view():
    def forward(ctx, x):
        return x

    def backward(ctx, g):
        return g * 5

    def program(lib):
        (x,) = leaves(lib, [1.0, 2.0])
        y = define(lib, forward=forward, backward=backward).apply(x)
        y.sum().backward()
        return y is x, y, x.grad

    both(program)


def test_apply_gradient_of_a_broadcast_shape_and_other_dtype_is_brought_to_the_input():
    def forward(ctx, x):
        return x.expand(3, 2) * 1

    def backward(ctx, g):
        return g.float()

    def program(lib):
        (x,) = leaves(lib, [[1.0, 2.0]])
        define(lib, forward=forward, backward=backward).apply(x).sum().backward()
        return x.grad

    both(program)


def test_apply_nothing_to_record_returns_what_forward_returned():
    def program(lib):
        x = lib.ones(2, dtype=lib.float64)
        (w,) = leaves(lib, [1.0, 2.0])
        with lib.no_grad():
            y = saved_output(lib).apply(w)
        return saved_output(lib).apply(x), y

    both(program)


def test_context_tells_what_is_needed():
    seen = []

    def forward(ctx, x, y, k):
        seen.append(ctx.needs_input_grad)
        return x * y

    def backward(ctx, g):
        seen.append(ctx.needs_input_grad)
        return g, None, None

    for lib in LIBRARIES:
        define(lib, forward=forward, backward=backward).apply(
            lib.ones(2, requires_grad=True), lib.ones(2), 3
        ).sum().backward()
    assert seen == [(True, False, False)] * 4


def test_apply_inside_other_operations_and_twice_accumulates():
    def program(lib):
        (x,) = leaves(lib, [0.3, 0.7])
        f, h = saved_input(lib), saved_output(lib)
        (f.apply(h.apply(x), 2) * h.apply(x) + x).sum().backward()
        return x.grad

    both(program)


def test_once_differentiable_second_order_raises_where_it_is_used():
    def program(lib):
        rule = lib.autograd.function.once_differentiable(lambda ctx, g: g * 2)
        f = define(lib, forward=lambda ctx, x: x * 2, backward=rule)
        (x,) = leaves(lib, [1.0])
        (first,) = lib.autograd.grad(f.apply(x).sum(), x, create_graph=True)
        (g,) = lib.autograd.grad((f.apply(x) * x).sum(), x, create_graph=True)
        return first.tolist(), g.tolist(), g

    found, expected = (program(lib) for lib in LIBRARIES)
    assert found[:2] == expected[:2]
    assert_same_error(lambda: found[2].sum().backward(), lambda: expected[2].sum().backward())


# ----- Errors -----


def _returns(value):
    return {"forward": lambda ctx, x, k: x * k, "backward": lambda ctx, g: value(g)}


@pytest.mark.parametrize(
    "methods",
    [
        _returns(lambda g: g),
        _returns(lambda g: (g, None, g)),
        _returns(lambda g: (g[:2], None)),
        _returns(lambda g: (3, None)),
        _returns(lambda g: (g, g)),
        {"forward": lambda ctx, x, k: x * k},
        {"backward": lambda ctx, g: (g, None)},
        {"forward": lambda ctx, x, k: (ctx.save_for_backward(k), x * k)[1], "backward": lambda ctx, g: (g, None)},
        {"forward": lambda ctx, x, k: (ctx.mark_dirty(x), x.mul_(k))[1], "backward": lambda ctx, g: (g, None)},
        {"forward": lambda ctx, x, k: (ctx.mark_dirty(x), x * k)[1], "backward": lambda ctx, g: (g, None)},
    ],
    ids=range(10),
)
def test_apply_bad_function_raises_torchs_error(methods):
    def run(lib):
        x = lib.ones(3, requires_grad=True)
        define(lib, **methods).apply(x, 2).sum().backward()

    assert_same_error(lambda: run(npg), lambda: run(torch))


def test_apply_view_from_forward_changed_in_place_raises_torchs_error():
    def run(lib):
        f = define(lib, forward=lambda ctx, x: x.view(-1), backward=lambda ctx, g: g)
        f.apply(lib.ones(3, requires_grad=True)).mul_(2)

    assert_same_error(lambda: run(npg), lambda: run(torch))


def test_call_of_an_instance_raises_torchs_error():
    for lib in LIBRARIES:
        with pytest.warns(DeprecationWarning, match="should not be instantiated"):
            instance = define(lib)()
        with pytest.raises(RuntimeError, match="Legacy autograd function with non-static forward method"):
            instance(lib.ones(2))


@pytest.mark.parametrize("make", [saved_input, saved_output])
def test_saved_tensor_changed_in_place_raises(make):
    for lib in LIBRARIES:
        (x,) = leaves(lib, [1.0, 2.0])
        w = x * 1
        y = make(lib).apply(w, 2) if make is saved_input else make(lib).apply(w)
        (w if make is saved_input else y).mul_(2)
        with pytest.raises(
            RuntimeError, match="modified by an inplace operation: .* is at version 1; expected version 0"
        ):
            y.sum().backward()


def test_backward_a_second_time_raises_torchs_error():
    def run(lib):
        (x,) = leaves(lib, [1.0])
        y = saved_output(lib).apply(x)
        y.sum().backward(retain_graph=True)
        y.sum().backward()
        y.sum().backward()

    assert_same_error(lambda: run(npg), lambda: run(torch))


# ----- Memory -----


@pytest.mark.parametrize("make", [saved_input, saved_output])
@pytest.mark.parametrize("backward", [True, False])
def test_call_leaves_nothing_behind_without_the_collector(make, backward):
    function = make(npg)
    gc.collect()
    gc.disable()
    try:
        x = npg.ones(3, requires_grad=True)
        y = function.apply(x, 2) if make is saved_input else function.apply(x)
        node = weakref.ref(y.grad_fn)
        array = weakref.ref(y.numpy(force=True).base if y.numpy(force=True).base is not None else y._array)
        if backward:
            y.sum().backward()
        del y
        assert node() is None and array() is None
    finally:
        gc.enable()


def test_saved_tensors_are_freed_by_backward():
    x = npg.ones(3, requires_grad=True)
    w = x * 2
    array = weakref.ref(w._array)
    y = saved_input(npg).apply(w, 2)
    del w
    assert array() is not None
    y.sum().backward()
    assert array() is None


# ----- Where nothing is recorded -----


@pytest.mark.parametrize("requires", [False, True])
def test_apply_input_returned_where_nothing_is_recorded_is_another_tensor(requires):
    def program(lib):
        (x,) = leaves(lib, [1.0, 2.0])
        x.requires_grad_(requires)
        mine = define(lib, forward=lambda ctx, x, k: (x, x * 2, k), backward=lambda ctx, g, h, _: g)
        with lib.set_grad_enabled(not requires):
            a, b, k = mine.apply(x, "text")
            c = define(lib, forward=lambda ctx, x: x, backward=lambda ctx, g: g).apply(x)
            a.add_(1)
        return a is x, c is x, a, b, c, k, x, x._version

    both(program)


def test_apply_dirty_input_where_nothing_is_recorded_is_itself():
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.add_(1)

    x = npg.ones(2)
    assert define(npg, forward=forward).apply(x) is x and x.tolist() == [2.0, 2.0]


# ----- Names and arguments -----


def test_backward_and_vjp_both_raise_torchs_error():
    def call(lib):
        rule = lambda ctx, g: g * 2
        mine = define(lib, forward=lambda ctx, x: x * 2, backward=rule, vjp=rule)
        mine.apply(leaves(lib, [1.0])[0]).backward()

    assert_same_error(lambda: call(npg), lambda: call(torch))


def test_saved_variables_is_the_old_name():
    def program(lib):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        def backward(ctx, g):
            with pytest.warns(DeprecationWarning, match="'saved_variables' is deprecated; use 'saved_tensors'"):
                return 2 * g * ctx.saved_variables[0]

        (x,) = leaves(lib, [1.0, 2.0])
        define(lib, forward=forward, backward=backward).apply(x).sum().backward()
        return x.grad

    both(program)


def test_marks_of_what_is_no_tensor_are_refused():
    for mark, text in (("mark_dirty", "mark_dirty can only accept"), ("mark_non_differentiable", "only accepts var")):
        mine = define(npg, forward=lambda ctx, x, mark=mark: getattr(ctx, mark)(3))
        with pytest.raises(TypeError, match=text):
            mine.apply(npg.ones(1, requires_grad=True))


def test_input_changed_without_mark_goes_on_to_the_history_before():
    # The second call changes what the first has returned, a view that then has no history to be told.
    found = []
    for lib in LIBRARIES:
        function = define(lib, forward=lambda ctx, x, lib=lib: lib.relu_(x), backward=lambda ctx, g: g * 3)
        x = lib.ones(3, requires_grad=True)
        y = function.apply(function.apply(x * 2))
        with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
            lib.relu_(y)
        y.sum().backward()
        found.append(x.grad.tolist())
    assert found == [[18.0] * 3] * 2
