"""Jacobians, Hessians and their products, against torch: values, structure, whether they have a graph, errors."""

import numpy as np
import pytest
import torch

import npg
from npg.autograd import _pushing
from npg.func._forward import sweep

from ..helpers import assert_same_error

SHAPE = (2, 3)
OPTIONS = [{"create_graph": c, "strict": s} for c in (False, True) for s in (False, True)]

# Functions of one tensor (with their number of elements out), and of two.
ONE = {
    "cubes": lambda lib: lambda x: (x**3).sum(),
    "sum": lambda lib: lambda x: x.sum(),
    "sine": lambda lib: lambda x: x.sin(),
    "double": lambda lib: lambda x: x * 2,
    "two outputs": lambda lib: lambda x: (x.exp(), (x * x).sum()),
    "turned": lambda lib: lambda x: x.T,
    "constant": lambda lib: lambda x: lib.ones(2, dtype=lib.float64),
}
TWO = {
    "product": lambda lib: lambda x, y: (x**2 * y).sum(),
    "two outputs": lambda lib: lambda x, y: (x * y.sin(), (x @ x.T).sum() + y.exp().sum()),
    "first alone": lambda lib: lambda x, y: (x**3).sum(),
}


def tensors(lib, *shapes, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(lib.tensor(rng.uniform(0.5, 1.5, s).tolist(), dtype=lib.float64, requires_grad=True) for s in shapes)


def compare(found, expected):
    if isinstance(expected, tuple):
        assert isinstance(found, tuple) and len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            compare(f, e)
        return
    assert isinstance(found, npg.Tensor) and tuple(found.shape) == tuple(expected.shape)
    assert found.requires_grad == expected.requires_grad
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-11, atol=1e-13)


def same(call):
    """Check that call(lib) gives the same tensors in both libraries, or the same error."""
    try:
        expected = call(torch)
    except Exception:
        assert_same_error(lambda: call(npg), lambda: call(torch))
    else:
        compare(call(npg), expected)


def of(lib, name):
    return getattr(lib.autograd.functional, name)


# ----- Values -----


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("f", ONE)
@pytest.mark.parametrize("name", ["jacobian", "hessian"])
def test_matrix_of_one_input_is_torchs(name, f, options):
    same(lambda lib: of(lib, name)(ONE[f](lib), tensors(lib, SHAPE)[0], **options))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("f", TWO)
@pytest.mark.parametrize("name", ["jacobian", "hessian"])
def test_matrix_of_two_inputs_is_torchs(name, f, options):
    same(lambda lib: of(lib, name)(TWO[f](lib), tensors(lib, SHAPE, SHAPE), **options))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("f", ONE)
@pytest.mark.parametrize("name", ["jvp", "vhp", "hvp"])
def test_product_with_a_vector_as_the_input_is_torchs(name, f, options):
    same(lambda lib: of(lib, name)(ONE[f](lib), tensors(lib, SHAPE)[0], tensors(lib, SHAPE, seed=1)[0], **options))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("f", TWO)
@pytest.mark.parametrize("name", ["jvp", "vhp", "hvp"])
def test_product_with_vectors_as_the_inputs_is_torchs(name, f, options):
    same(
        lambda lib: of(lib, name)(
            TWO[f](lib), tensors(lib, SHAPE, SHAPE), tensors(lib, SHAPE, SHAPE, seed=1), **options
        )
    )


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    ("f", "shapes", "vectors"),
    [
        (ONE["cubes"], [SHAPE], None),
        (ONE["sine"], [SHAPE], [SHAPE]),
        (ONE["two outputs"], [SHAPE], [SHAPE, ()]),
        (ONE["constant"], [SHAPE], [(2,)]),
        (TWO["two outputs"], [SHAPE, SHAPE], [SHAPE, ()]),
        (TWO["first alone"], [SHAPE, SHAPE], None),
    ],
)
def test_vjp_is_torchs(f, shapes, vectors, options):
    def call(lib):
        inputs = tensors(lib, *shapes)
        v = None if vectors is None else tensors(lib, *vectors, seed=1)
        one = v if v is None or len(v) > 1 else v[0]
        return lib.autograd.functional.vjp(f(lib), inputs if len(inputs) > 1 else inputs[0], one, **options)

    same(call)


@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp"])
def test_product_of_one_element_needs_no_vector(name):
    same(lambda lib: of(lib, name)(lambda x: x**3, tensors(lib, ())[0]))


@pytest.mark.parametrize("options", [{}, {"create_graph": True}, {"vectorize": True}], ids=str)
@pytest.mark.parametrize("name", ["jacobian", "hessian"])
def test_matrix_of_a_turned_input_is_torchs(name, options):
    same(lambda lib: of(lib, name)(ONE["cubes"](lib), tensors(lib, SHAPE)[0].T, **options))


@pytest.mark.parametrize("name", ["jacobian", "hessian"])
def test_matrix_vectorized_is_torchs(name):
    same(lambda lib: of(lib, name)(TWO["product"](lib), tensors(lib, SHAPE, SHAPE), vectorize=True))


def test_jacobian_forward_mode_is_the_reverse_modes():
    # torch's has a list in place of the inner tuple, and results with a graph.
    f, inputs = TWO["two outputs"](npg), tensors(npg, SHAPE, SHAPE)
    jacobian = npg.autograd.functional.jacobian
    found = jacobian(f, inputs, vectorize=True, strategy="forward-mode")
    expected = jacobian(f, inputs)
    for f_row, e_row in zip(found, expected, strict=True):
        for a, b in zip(f_row, e_row, strict=True):
            assert a.shape == b.shape and not a.requires_grad
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_hessian_forward_mode_is_the_reverse_modes():
    f, (x,) = ONE["cubes"](npg), tensors(npg, SHAPE)
    hessian = npg.autograd.functional.hessian
    found = hessian(f, x, vectorize=True, outer_jacobian_strategy="forward-mode")
    np.testing.assert_allclose(found.numpy(), hessian(f, x).numpy(), rtol=1e-12)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_jacobian_forward_mode_edges():
    jacobian = npg.autograd.functional.jacobian
    forward = {"vectorize": True, "strategy": "forward-mode"}
    assert jacobian(lambda x: x.sum(), npg.ones(0), **forward).shape == (0,)
    assert jacobian(lambda x: x[:0], npg.ones(3), **forward).shape == (0, 3)
    assert jacobian(lambda x: x > 0, npg.ones(2), **forward).tolist() == [[False, False], [False, False]]
    same(lambda lib: lib.autograd.functional.jacobian(lambda x: x * 2, lib.tensor([1, 2]), **forward))


# ----- Tangents sent forward -----


@pytest.fixture
def ways(monkeypatch):
    """A list that gets, for each product, whether it was swept."""
    seen = []

    def noted(*args, **kwargs):
        found = sweep(*args, **kwargs)
        seen.append(found is not NotImplemented)
        return found

    monkeypatch.setattr(_pushing, "sweep", noted)
    return seen


@pytest.mark.parametrize(
    ("f", "swept"),
    [
        (lambda lib, x, y: (lib.nn.functional.layer_norm(x @ y.t(), (2,)).softmax(-1), y.amax(1)), True),
        (lambda lib, x, y: (x.cumprod(0) * y, x), False),
        (lambda lib, x, y: lib.nn.functional.embedding(lib.tensor([0, 1]), x * y), True),
        (lambda lib, x, y: lib.nn.functional.embedding(lib.tensor([0, 1]), x * y, padding_idx=1), False),
    ],
    ids=["swept", "no rule", "embedding", "padding"],
)
def test_jvp_swept_or_not_is_torchs(ways, f, swept):
    same(
        lambda lib: lib.autograd.functional.jvp(
            lambda x, y: f(lib, x, y), tensors(lib, SHAPE, SHAPE), tensors(lib, SHAPE, SHAPE, seed=1)
        )
    )
    assert ways == [swept]


def test_jvp_with_hooks_on_gradients_is_torchs(ways):
    def f(x):
        y = x.sin()
        y.register_hook(lambda g: g * 10)
        return y * x

    same(lambda lib: lib.autograd.functional.jvp(f, tensors(lib, SHAPE)[0], tensors(lib, SHAPE, seed=1)[0]))
    assert ways == [False]


def test_jvp_records_once_for_all_columns(ways):
    calls = []
    f = lambda x: calls.append(1) or (x**2).cumprod(0)
    (x,) = tensors(npg, (3,))
    found = npg.autograd.functional.jacobian(f, x, vectorize=True, strategy="forward-mode")
    assert len(calls) == 1 and ways == [False] * 3
    np.testing.assert_allclose(found.numpy(), npg.autograd.functional.jacobian(f, x).numpy(), rtol=1e-12)


def test_jacobian_without_elements_has_none():
    (x,) = tensors(npg, (0,))
    assert npg.autograd.functional.jacobian(lambda t: t * 2, x).shape == (0, 0)


def test_create_graph_results_can_be_differentiated():
    def call(lib):
        (x,) = tensors(lib, (3,))
        h = lib.autograd.functional.hessian(lambda t: (t**4).sum(), x, create_graph=True)
        return lib.autograd.grad((h * h).sum(), x)

    same(call)


def test_inputs_are_left_alone():
    (x,) = tensors(npg, SHAPE)
    npg.autograd.functional.hessian(ONE["cubes"](npg), x)
    assert x.grad is None and x.is_leaf


# ----- Errors -----


@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp"])
@pytest.mark.parametrize(
    "arguments",
    [
        lambda lib: (ONE["cubes"](lib), tensors(lib, SHAPE)[0], tensors(lib, (3,))[0]),
        lambda lib: (TWO["product"](lib), tensors(lib, SHAPE, SHAPE), tensors(lib, SHAPE)[0]),
        lambda lib: (TWO["product"](lib), tensors(lib, SHAPE, SHAPE), tensors(lib, SHAPE, (2,))),
        lambda lib: (ONE["sine"](lib), tensors(lib, SHAPE)[0]),
        lambda lib: (ONE["cubes"](lib), 3),
        lambda lib: (ONE["cubes"](lib), (tensors(lib, SHAPE)[0], 3)),
        lambda lib: (lambda x: 3, tensors(lib, ())[0]),
        lambda lib: (lambda x: (x, 3), tensors(lib, ())[0]),
    ],
    ids=range(8),
)
def test_product_bad_arguments_raise_torchs_error(name, arguments):
    same(lambda lib: of(lib, name)(*arguments(lib)))


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "sideways"},
        {"strategy": "forward-mode", "strict": True},
        {"strategy": "forward-mode", "create_graph": True},
        {"vectorize": True, "strict": True},
    ],
    ids=str,
)
def test_jacobian_options_that_do_not_go_together_raise_torchs_error(options):
    same(lambda lib: lib.autograd.functional.jacobian(ONE["sine"](lib), tensors(lib, SHAPE)[0], **options))


def test_jacobian_forward_mode_not_vectorized_raises():
    with pytest.raises(NotImplementedError, match="only implemented for `vectorize=True`"):
        npg.autograd.functional.jacobian(ONE["sine"](npg), tensors(npg, SHAPE)[0], strategy="forward-mode")
