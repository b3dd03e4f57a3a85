"""backward and grad: values, arguments and error texts, against torch."""

import threading
import warnings

import numpy as np
import pytest
import torch

import npg

from ..expressions import check, check_error

A = "a = lib.ones(2, requires_grad=True); c = lib.tensor(2.0, requires_grad=True); "

# ----- grad -----

# torch hands out expanded gradients, npg's own their memory.
OWN = "r = tuple([g if g is None else g.contiguous() for g in r]); "


@pytest.mark.parametrize(
    "call",
    [
        "r = lib.autograd.grad(a.sum(), a); " + OWN,
        "r = lib.autograd.grad([a.sum(), a * 2], a, [None, lib.ones(2)])",
        "r = lib.autograd.grad((a.sum(), a.prod()), (a,))",
        "r = lib.autograd.grad(a.sum(), a, lib.tensor(3.0)); " + OWN,
        "r = lib.autograd.grad(a.sum(), [a, a]); " + OWN,
        "b = a * 2; r = lib.autograd.grad((b * b).sum(), [a, b])",
        "b = a.sum(); r = lib.autograd.grad(b, b)",
        "a = lib.ones(1, requires_grad=True); r = lib.autograd.grad(a * 2, a)",
        "lib.autograd.grad(a.sum(), a); r = a.grad",
        "b = a.detach().clone().requires_grad_(); r = lib.autograd.grad(a.sum(), [b, a], allow_unused=True); " + OWN,
        "r = lib.autograd.grad(a.sum(), [c], allow_unused=True, materialize_grads=True)",
        "r = lib.autograd.grad(a.sum(), [c], materialize_grads=True)",
        "g, = lib.autograd.grad(c**3, c, create_graph=True); r = g",
        "g, = lib.autograd.grad(c**3, c, create_graph=True); r = lib.autograd.grad(g, c)",
        "y = c**3; r = lib.autograd.grad(y, c, retain_graph=True) + lib.autograd.grad(y, c)",
    ],
)
def test_grad_is_torchs(call):
    check(A + call)


@pytest.mark.parametrize(
    "call",
    [
        "lib.autograd.grad(lib.ones(2, requires_grad=True).sum(), lib.ones(2))",
        "lib.autograd.grad(lib.ones(2, requires_grad=True).sum(), lib.ones(2, requires_grad=True))",
        "lib.autograd.grad(lib.ones(2, requires_grad=True).sum(), [])",
        "lib.autograd.grad(lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True))",
        "lib.autograd.grad(lib.ones(()), lib.ones(2, requires_grad=True))",
        "lib.autograd.grad([a.sum(), a * 2], a, [lib.ones(2)])",
        "lib.autograd.grad([a.sum(), a.sum()], a, lib.tensor(1.0))",
        "lib.autograd.grad(a.sum(), a, lib.ones(3))",
        "lib.autograd.grad(a, a, 'a')",
        "lib.autograd.grad(a, 'a', a)",
        "lib.autograd.grad('a', a)",
        "lib.autograd.grad(a.sum(), a, allow_unused=False, materialize_grads=True)",
        "y = (a * a).sum(); lib.autograd.grad(y, a); lib.autograd.grad(y, a)",
    ],
)
def test_grad_with_bad_arguments_raises_torchs_error(call):
    if "[lib.ones(2)]" in call:  # both the number and the shape are wrong; torch names the shape
        check_error(A + call, text=False)
    else:
        check_error(A + call)


def test_grad_batched_of_no_gradients_is_empty():
    x = npg.ones(2, requires_grad=True)
    (g,) = npg.autograd.grad(x * 2, x, npg.ones(0, 2), is_grads_batched=True)
    assert g.shape == (0, 2)


@pytest.mark.parametrize("given", [None, [npg.ones(3, 2), npg.ones(2, 2)]])
def test_grad_batched_without_or_with_unequal_gradients_raises(given):
    x = npg.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="expected"):
        npg.autograd.grad([x * 2, x * 3], x, given, is_grads_batched=True)


# ----- backward -----


@pytest.mark.parametrize(
    "call",
    [
        "(a * 2).sum().backward(); r = a.grad",
        "(a * 2).backward(lib.tensor([1.0, 3.0])); r = a.grad",
        "(a * 2).backward(gradient=lib.ones(2)); (a * 3).sum().backward(); r = a.grad",
        "b = a * 2; (b * 3).backward(lib.ones(2), inputs=a); r = a.grad",
        "b = a * 2; b.retain_grad(); b.sum().backward(); r = (a.grad, b.grad)",
        "b = a.detach().clone().requires_grad_(); (a * b).sum().backward(inputs=[b]); r = (a.grad, b.grad)",
        "y = (a * a).sum(); y.backward(retain_graph=True); y.backward(); r = a.grad",
        "(a**3).sum().backward(create_graph=True); r = a.grad",
        "lib.autograd.backward([a.sum(), a.prod()]); r = a.grad",
        "lib.autograd.backward(a * 2, lib.ones(2)); r = a.grad",
        "lib.autograd.backward((a * 2, a.sum()), (lib.ones(2), None)); r = a.grad",
        "lib.autograd.backward([]); r = a.grad",
        "a.sum().backward(lib.tensor(2)); r = a.grad",
        "a.backward(lib.ones(2)); r = a.grad",
        "lib.autograd.backward(a.sum(), inputs=(a,)); r = a.grad",
    ],
)
@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True")
def test_backward_is_torchs(call):
    check(A + call)


@pytest.mark.parametrize(
    "call",
    [
        "lib.ones(2).backward()",
        "lib.tensor(1).backward()",
        "lib.autograd.backward(lib.ones(2, dtype=lib.long))",
        "a.sum().backward(lib.ones(2))",
        "(a * 2).backward([1, 2])",
        "(a * 2).backward(lib.ones(2), inputs=[])",
        "(a * 2).backward(lib.ones(2), inputs=[lib.ones(2)])",
        "lib.autograd.backward([a.sum(), a.sum()], lib.ones(()))",
        "lib.autograd.backward(a.sum(), lib.ones(()), grad_variables=lib.ones(()))",
        "y = (a * a).sum(); y.backward(); y.backward()",
        "lib.ones(2).retain_grad()",
        "lib.ones(2).register_hook(print)",
    ],
)
@pytest.mark.filterwarnings("ignore:.grad_variables. is deprecated", "ignore:`grad_variables` is deprecated")
def test_backward_with_bad_arguments_raises_torchs_error(call):
    check_error(A + call)


def test_backward_with_number_as_gradient_raises_type_error():
    x = npg.ones(2, requires_grad=True)
    with pytest.raises(TypeError):
        x.sum().backward(5)
    assert x.grad is None


def test_backward_of_non_scalar_without_gradient_starts_from_ones_and_warns():
    text = "grad can be implicitly created only for scalar outputs"
    x = npg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.warns(UserWarning, match=text) as noted:
        (x * x).backward()
    assert x.grad.tolist() == [2, 4]
    assert noted[0].filename == __file__
    with pytest.warns(UserWarning, match=text) as noted:
        npg.autograd.backward([x.sum(), x * 3, (x * 5).sum()], [None, None, npg.tensor(2.0)])
    assert x.grad.tolist() == [16, 18]
    assert noted[0].filename == __file__
    with pytest.warns(UserWarning, match=text):
        npg.ones(0, requires_grad=True).mul(2).backward()
    npg.ones(1, 1, requires_grad=True).mul(2).backward()  # one element of any shape is a scalar, as in torch
    with pytest.raises(RuntimeError, match=text):
        npg.autograd.grad(x * 2, x)


# ----- Memory and layout of gradients -----


def _layouts(lib):
    yield lib.ones(3, 4)
    yield lib.ones(4, 3).t()
    yield lib.ones(4, 6)[:, ::2]
    yield lib.ones(2, 3, 4).permute(2, 0, 1)
    yield lib.ones(3)
    yield lib.tensor(1.0)


FUNCTIONS = {
    "sum": lambda x: x.sum(),
    "sum of a dimension": lambda x: x.sum(0).sum(),
    "product": lambda x: (x * x).sum(),
    "view": lambda x: x.t().contiguous().sum() if x.dim() < 3 else x.transpose(0, 1).reshape(-1).sum(),
    "expanded": lambda x: x.expand(2, *x.shape).mean(),
    "itself": lambda x: (x + x).sum(),
    "mean": lambda x: (x.mean() * x).mean(),
}


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_grad_of_leaves_has_memory_of_its_own_in_the_layout_of_torch(function, recorded):
    for theirs, ours in zip(_layouts(torch), _layouts(npg), strict=True):
        t, x = theirs.requires_grad_(), ours.requires_grad_()
        for leaf in (t, x):
            FUNCTIONS[function](leaf).backward(create_graph=recorded)
        assert x.grad.stride() == t.grad.stride() and x.grad.tolist() == t.grad.tolist()
        for leaf in (t, x):
            FUNCTIONS[function](leaf).backward()  # adds in place
        assert x.grad.tolist() == t.grad.tolist()
        kept = x.grad.tolist()
        x.grad.detach().add_(1)
        if not recorded:
            FUNCTIONS[function](x).backward()
            assert x.grad.tolist() != kept


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_gradients_given_to_a_user_share_no_memory(function, recorded):
    for x in _layouts(npg):
        x.requires_grad_()
        z = x * 1
        y = FUNCTIONS[function](z)
        found = npg.autograd.grad(y, [z, x, z, x], retain_graph=True, create_graph=recorded)
        g = npg.ones(tuple(x.shape))
        found += npg.autograd.grad(z, [z, x, x], g, retain_graph=True, create_graph=recorded) + (g,)
        for i, a in enumerate(found):
            for b in found[i + 1 :]:
                assert not np.shares_memory(a.detach().numpy(), b.detach().numpy())
        with npg.no_grad():
            expected = [a.tolist() for a in found[1:]]
            found[0].add_(1)
            assert [a.tolist() for a in found[1:]] == expected


def test_gradient_that_a_node_has_saved_is_not_handed_out():
    x = npg.ones(3, requires_grad=True)
    kept = npg.full((3,), 2.0)

    class Keeps(npg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(kept)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return ctx.saved_tensors[0]

    (g,) = npg.autograd.grad(Keeps.apply(x).sum(), x)
    g.zero_()
    assert kept.tolist() == [2, 2, 2]


def test_grad_fn_of_a_recorded_gradient_is_torchs():
    for lib in (npg, torch):
        x = lib.ones(3, 4, requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (x * x).sum().backward(create_graph=True)
        assert x.grad.grad_fn.name().endswith("CopyBackwards")
        assert x.grad.grad_fn.next_functions[0] == (None, 0)
        y = x * 2
        y.retain_grad()
        (y * y).sum().backward(create_graph=True)
        assert y.grad.grad_fn.name() == "CloneBackward0"


def test_gradient_given_is_not_changed_by_backward():
    x, g = npg.ones(2, requires_grad=True), npg.ones(2)
    x.backward(g)
    x.backward(g)
    assert g.tolist() == [1, 1] and x.grad.tolist() == [2, 2]


# ----- Modes -----


def test_modes_are_those_of_the_engine():
    assert npg.autograd.no_grad is npg.no_grad and npg.autograd.grad is not None
    x = npg.ones(2, requires_grad=True)
    with npg.no_grad():
        assert not (x * 2).requires_grad and not npg.is_grad_enabled()
        with npg.enable_grad():
            assert (x * 2).requires_grad
    with npg.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    with npg.inference_mode():
        assert (x * 2).is_inference() and npg.is_inference_mode_enabled()
        assert npg.ones(2).is_inference() and npg.tensor([1.0]).is_inference() and npg.Tensor([1.0]).is_inference()
    assert npg.is_grad_enabled()


def test_grad_mode_is_of_the_thread():
    seen = []
    with npg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(npg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_variable_shares_memory_and_has_no_history():
    x = npg.ones(2, requires_grad=True) * 2
    v = npg.autograd.Variable(x, requires_grad=True)
    assert v.is_leaf and v.requires_grad and v.data_ptr() == x.data_ptr()
    assert isinstance(v, npg.autograd.Variable) and not npg.autograd.Variable(x).requires_grad


# ----- Second order -----


@pytest.mark.parametrize(
    "source",
    [
        "(x**3).sum()",
        "(x.exp() * x.sin()).sum()",
        "(x / (1 + x * x)).sum()",
        "(x @ x.t()).sum()",
        "x.log().mean()",
        "(x.view(6)[1:4] ** 2).sum()",
        "(x.sum(1) * x.mean(0)[:2]).prod()",
        "(1 / x).sum()",
        "x.var() + x.std()",
    ],
)
def test_gradient_of_gradient_is_torchs(source):
    a = np.random.default_rng(0).uniform(0.5, 1.5, (2, 3))

    def second(lib):
        x = lib.tensor(a, requires_grad=True)
        (g,) = lib.autograd.grad(eval(source, {"x": x}), x, create_graph=True)
        (gg,) = lib.autograd.grad((g * g).sum(), x)
        return g.detach().numpy(), gg.numpy()

    for found, expected in zip(second(npg), second(torch), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10)
