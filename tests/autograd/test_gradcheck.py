"""The checker of gradients, checked: right gradients pass, each kind of wrong one is found, arguments are torch's."""

import inspect

import numpy as np
import pytest
import torch

import npg
from npg.autograd import gradcheck, gradgradcheck
from npg.autograd.gradcheck import GradcheckError

from ..helpers import assert_same_error

FAST = pytest.mark.parametrize("fast_mode", [False, True])


@pytest.fixture(autouse=True)
def _same_directions():
    npg.manual_seed(0)  # of fast mode


def leaf(*shape, lib=npg, seed=0):
    values = np.random.default_rng(seed).uniform(0.5, 1.5, shape)
    return lib.tensor(values.tolist(), dtype=lib.float64, requires_grad=True)


def function(forward, backward):
    """Return a Function of one tensor; backward(g, x)."""

    class Mine(npg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, g):
            return backward(g, *ctx.saved_tensors)

    return Mine.apply


# ----- Right gradients -----


@FAST
@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda x: x.sin(), [(2, 3)]),
        (lambda x, y: x @ y, [(2, 3), (3, 2)]),
        (lambda x, y: (x * y, x.sum(), y.exp().mean(0)), [(2, 3), (2, 3)]),
        (lambda x: x.split(1), [(3, 2)]),
        (lambda x: (x * 2, "text", (x > 1)), [(3,)]),
        (lambda x: x[..., 0], [(2, 2)]),
        (lambda x: x.prod(), [()]),
        (lambda x: x * 2, [(0, 3)]),
    ],
)
def test_right_gradients_pass(f, shapes, fast_mode):
    inputs = tuple(leaf(*s, seed=i) for i, s in enumerate(shapes))
    before = [x.detach().numpy().copy() for x in inputs]
    assert gradcheck(f, inputs, fast_mode=fast_mode)
    assert gradgradcheck(f, inputs, fast_mode=fast_mode)
    assert all(np.array_equal(x.detach().numpy(), b) and x.grad is None for x, b in zip(inputs, before))


def test_inputs_without_gradient_and_other_values_are_passed_on():
    assert gradcheck(lambda x, k, c: x * k * c, (leaf(3), 2, npg.ones(3, dtype=npg.float64)))
    assert gradcheck(lambda x: x * 2, leaf(3))
    assert gradcheck(lambda x: x * 2, [leaf(3)])


def test_strided_input_is_changed_in_its_own_places():
    assert gradcheck(lambda x: x * x, (leaf(3, 4).detach().t()[::2].requires_grad_(),))


@FAST
def test_gradgradcheck_given_gradients_and_non_contiguous_ones(fast_mode):
    f, x = lambda x: x**3, leaf(2, 2)
    assert gradgradcheck(f, (x,), leaf(2, 2, seed=1), fast_mode=fast_mode)
    assert gradgradcheck(f, (x,), gen_non_contig_grad_outputs=True, fast_mode=fast_mode)


@FAST
@pytest.mark.parametrize("strided", [False, True])
def test_checks_draw_what_torchs_draw(fast_mode, strided):
    after = []
    for library in (npg, torch):
        check, x = library.autograd, library.ones(2, 3, dtype=library.float64, requires_grad=True)
        library.manual_seed(0)
        assert check.gradcheck(lambda x: x**2, (x,), fast_mode=fast_mode)
        first = library.rand(2).tolist()
        assert check.gradgradcheck(lambda x: x**3, (x,), fast_mode=fast_mode, gen_non_contig_grad_outputs=strided)
        after.append((first, library.rand(2).tolist()))
    assert after[0] == after[1]


# ----- Wrong gradients -----


@FAST
@pytest.mark.parametrize(
    "backward",
    [
        lambda g, x: g * x,  # 2 is missing
        lambda g, x: g * 2 * x.mean(),
        lambda g, x: g * 2 * x + 0.1,  # not linear in g
        lambda g, x: (g * 2 * x).flip(0),
        lambda g, x: None,
    ],
    ids=range(5),
)
def test_wrong_gradient_is_found(backward, fast_mode):
    f = function(lambda x: x * x, backward)
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0,\nnumerical:"):
        gradcheck(f, leaf(4), fast_mode=fast_mode)
    assert gradcheck(f, leaf(4), fast_mode=fast_mode, raise_exception=False) is False


@FAST
def test_wrong_place_is_named(fast_mode):
    wrong = function(lambda x: x * x, lambda g, x: g * x)
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 1 with respect to input 2"):
        gradcheck(lambda x, k, y: (x * k, wrong(y)), (leaf(2), 3.0, leaf(2)), fast_mode=fast_mode)


@FAST
def test_wrong_second_gradient_is_found(fast_mode):
    # Right as it is, but its derivative takes x for a constant.
    f = function(lambda x: x**3, lambda g, x: g * 3 * x.detach() ** 2)
    assert gradcheck(f, leaf(3), fast_mode=fast_mode)
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradgradcheck(f, leaf(3), fast_mode=fast_mode)


@FAST
def test_output_cut_off_from_its_input_is_found(fast_mode):
    with pytest.raises(GradcheckError, match="Numerical gradient for function expected to be zero"):
        gradcheck(lambda x: (x * 2, x.detach() * 3), leaf(2), fast_mode=fast_mode)


def test_backward_that_differs_each_time_is_found():
    calls = []

    def backward(g, x):
        calls.append(None)
        return g * 2 * x * (1 + 1e-9 * len(calls))

    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(function(lambda x: x * x, backward), leaf(2))
    assert gradcheck(function(lambda x: x * x, backward), leaf(2), nondet_tol=1e-6)


def test_missing_output_gradients_that_are_not_served_are_found():
    class Two(npg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            if g is None or h is None:
                raise RuntimeError("a gradient is missing")
            return g * 2 + h * 3

    f = lambda x: [y * 1 for y in Two.apply(x)]
    with pytest.raises(RuntimeError):
        gradcheck(f, leaf(2))


def test_missing_gradient_of_a_single_output_that_is_not_served_is_found():
    def call(lib):
        class Twice(lib.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(False)
                return x * 2

            @staticmethod
            def backward(ctx, g):
                if g is None:
                    raise RuntimeError("a gradient is missing")
                return g * 2

        f = lambda x: Twice.apply(x) * 1
        x = leaf(2, lib=lib)
        assert lib.autograd.gradcheck(f, x, check_undefined_grad=False)
        assert not lib.autograd.gradcheck(f, x, raise_exception=False)
        lib.autograd.gradcheck(f, x)

    with pytest.raises(GradcheckError, match="Expected backward function to handle undefined output grads"):
        call(npg)
    with (
        pytest.warns(UserWarning, match="New undefined gradient support checking"),
        pytest.raises(RuntimeError, match="Expected backward function to handle undefined output grads"),
    ):
        call(torch)


@pytest.mark.parametrize("fast", [False, True])
def test_gradient_that_is_not_zero_for_zeros_is_found(fast):
    def backward(g, x):
        return g * 2 + (g == 0).all().to(g.dtype)

    with pytest.raises(GradcheckError, match="backward not multiplied by grad_output"):
        gradcheck(function(lambda x: x * 2, backward), leaf(2), fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_nan_is_not_right(fast):
    for lib in (npg, torch):
        x = leaf(2, lib=lib)
        assert not lib.autograd.gradcheck(lambda x: x * float("nan"), x, raise_exception=False, fast_mode=fast)


def test_function_that_returns_no_tensor_is_refused():
    for result in (None, 3.0, {"y": 1}):
        with pytest.raises(TypeError, match="expected func to return a tensor or a tuple of tensors, got"):
            gradcheck(lambda x, result=result: result, leaf(2))


# ----- Arguments -----


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gradcheck", {"check_backward_ad": False}),
        ("gradcheck", {"check_batched_forward_grad": True}),
        ("gradgradcheck", {"check_rev_over_rev": False}),
    ],
    ids=str,
)
def test_modes_that_do_not_go_together_raise_torchs_error(name, options):
    call = lambda lib: getattr(lib.autograd, name)(lambda x: x * 2, leaf(2, lib=lib), **options)
    assert_same_error(lambda: call(npg), lambda: call(torch))


@pytest.mark.parametrize("name", ["gradcheck", "gradgradcheck"])
def test_signature_is_torchs(name):
    ours = inspect.signature(getattr(npg.autograd, name)).parameters.values()
    theirs = inspect.signature(getattr(torch.autograd, name)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]


@pytest.mark.parametrize(
    "inputs",
    [
        lambda lib: (lib.ones(2, dtype=lib.float64),),
        lambda lib: (3,),
        lambda lib: (leaf(1, lib=lib).detach().expand(3).requires_grad_(),),
    ],
    ids=range(3),
)
def test_bad_inputs_raise_torchs_error(inputs):
    call = lambda lib: lib.autograd.gradcheck(lambda x: x * 2, inputs(lib))
    assert_same_error(lambda: call(npg), lambda: call(torch))


def test_float32_input_warns_as_torch():
    for lib in (npg, torch):
        x = lib.ones(2, requires_grad=True)
        with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
            assert lib.autograd.gradcheck(lambda x: x * 2, x, eps=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    "options",
    [
        {"check_batched_grad": True},
        {"check_forward_ad": True},
        {"check_forward_ad": True, "check_backward_ad": False},
    ],
    ids=str,
)
def test_modes_that_npg_lacks_are_refused(options):
    with pytest.raises(NotImplementedError, match="is not supported"):
        gradcheck(lambda x: x * 2, leaf(2), **options)
