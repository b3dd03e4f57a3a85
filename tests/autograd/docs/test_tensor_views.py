"""PyTorch's page "Tensor Views": views of other layouts and dtypes, and views that must not be changed in place."""

import numpy as np
import pytest
import torch

import npg

from ..programs import collect, compared, outcome, values

PROGRAMS = {}
program = collect(PROGRAMS)


# ----- Views of other layouts and dtypes -----


LAYOUTS = {
    "contiguous": lambda lib: lib.arange(24.0).view(2, 3, 4),
    "transposed": lambda lib: lib.arange(24.0).view(2, 3, 4).permute(2, 0, 1),
    "neither row nor column first": lambda lib: lib.arange(24.0).view(2, 3, 4).permute(1, 0, 2).clone(),
    "column first": lambda lib: lib.from_numpy(np.asfortranarray(np.arange(24.0).reshape(2, 3, 4))),
    "a part": lambda lib: lib.arange(48.0).view(2, 3, 8)[:, 1:, ::2],
    "integers": lambda lib: lib.arange(24),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("where", [((2, 3), (3, 1)), ((2, 2), (1, 2), 0), ((), ()), ((4,), (2,))])
def test_as_strided_is_a_view_in_every_layout(layout, where):
    actual, expected = [], []
    for lib, results in ((npg, actual), (torch, expected)):
        x = LAYOUTS[layout](lib)
        window = x.as_strided(*where)
        window.mul_(3)
        results += [window._is_view(), x._version, x.tolist(), window.tolist()]
    assert actual == expected and actual[0]


def test_as_strided_follows_its_base_and_leads_it():
    for lib in (npg, torch):
        x = lib.arange(1.0, 7.0).requires_grad_()
        base = x * 1
        window = base.as_strided((2, 2), (3, 1), 1)
        base.mul_(2)
        window.square_()
        (base.sum() + window.sum()).backward()
        assert x.grad.tolist() == [2, 32, 48, 2, 80, 96]


@pytest.mark.parametrize("where", [((2, 3), (0, 1)), ((3, 2), (1, 0), 1), ((2, 2, 2), (0, 2, 0)), ((3, 3), (1, 1))])
def test_gradient_of_places_that_are_shown_several_times_is_their_sum(where):
    for lib, gradients in ((npg, actual := []), (torch, expected := [])):
        x = lib.arange(6.0).requires_grad_()
        y = x * 1
        window = y.as_strided(*where)
        y.mul_(2)  # so that the window is a slice of the changed base
        (window * lib.arange(float(window.numel())).view(window.shape) ** 2).sum().backward()
        gradients += x.grad.tolist()
    assert actual == expected


def test_view_as_another_dtype_shares_the_version_and_no_history():
    for lib in (npg, torch):
        x = lib.ones(2, 4, requires_grad=True)
        y = x * 1
        square = y * y
        for dtype in (lib.float32, lib.int32, lib.float16, lib.float64):
            bits = y.view(dtype)
            y.mul_(2)
            assert not bits.requires_grad and bits.is_leaf and not bits._is_view()
            bits.zero_()
            assert y._version == bits._version and y.sum().item() == 0
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            square.sum().backward()


# ----- Views that must not be changed in place -----


@pytest.mark.parametrize("change", ["view", "base"])
def test_view_made_without_recording_refuses_to_follow_a_recorded_change(change: str) -> None:
    for lib in (npg, torch):
        base = lib.ones(3, requires_grad=True) * 1
        with lib.no_grad():
            view = base[:2]
        with pytest.raises(RuntimeError, match="A view was created in no_grad mode and (is being|its base)"):
            if change == "view":
                view.mul_(2)
            else:
                base.mul_(2)
                view.grad_fn


FIRST = {
    "split": lambda lib, y: y.split(2)[0],
    "unbind": lambda lib, y: y.unbind()[1],
    "no_grad": lambda lib, y: lib.no_grad()(lambda: y[:2])(),
    "inference_mode": lambda lib, y: lib.inference_mode()(lambda: y[:2])(),
}


SECOND = {
    "part": lambda v: v[:1],
    "flat": lambda v: v.view(-1),
    "split": lambda v: v.split(1)[0],
    "a view of a view": lambda v: v.unsqueeze(0)[0],
}


@pytest.mark.parametrize("change", ["view", "base", "first view"])
@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", FIRST)
def test_view_of_a_view_that_must_not_change_must_not_change(first, second, change):
    for lib in (npg, torch):
        x = lib.ones(4, 3, requires_grad=True)
        y = x * 1
        first_view = FIRST[first](lib, y)
        view = SECOND[second](first_view)
        with pytest.raises(RuntimeError, match="view"):
            {"view": view, "base": y, "first view": first_view}[change].mul_(2)
            view.grad_fn  # where its base was changed


def test_view_that_a_custom_function_changes_has_the_functions_history_also_where_it_was_looked_at():
    for lib in (npg, torch):

        class Double(lib.autograd.Function):
            @staticmethod
            def forward(ctx, view):
                ctx.mark_dirty(view)
                view.mul_(2)
                view.requires_grad  # asks for the history that the view has so far
                return view

            @staticmethod
            def backward(ctx, g):
                return g * 2

        x = lib.ones(3, requires_grad=True)
        y = x * 1
        view = y[:2]
        changed = Double.apply(view)
        (changed.sum() + y.sum() * 10).backward()
        assert x.grad.tolist() == [22, 22, 10]


def test_view_made_without_recording_has_no_gradient() -> None:
    # In torch it says that it requires grad, and then no leaf receives any.
    x = npg.ones(3, requires_grad=True)
    with npg.no_grad():
        view = x[:2]
    assert not view.requires_grad and view.is_leaf


@program
def view_of_a_leaf_that_is_a_view(lib):
    x = lib.arange(4.0).view(2, 2).requires_grad_()
    return outcome(lambda: x[0].mul_(2)), outcome(lambda: x.view(4).zero_()), x.is_leaf, values(x)


@program
def view_made_without_recording_whose_base_is_changed(lib):
    p = lib.ones(3, requires_grad=True)
    with lib.no_grad():
        v = p[:2]
        p.mul_(2)
        inside = values(v), repr(v)
    return inside, repr(v), outcome(lambda: v.grad_fn)


@program
def view_of_several_whose_base_gets_a_history(lib):
    base = lib.arange(4.0)
    first, _ = base.split(2)
    before = first.requires_grad
    base.mul_(lib.ones(4, requires_grad=True))
    return before, first.requires_grad, repr(first), outcome(lambda: first * 2).split(":")[0]


@program
def repr_after_a_change_through_a_view(lib):
    m = lib.arange(4.0).requires_grad_() * 1
    m[0] = 3
    return repr(m)


test_program_does_in_npg_what_it_does_in_torch = compared(PROGRAMS)
