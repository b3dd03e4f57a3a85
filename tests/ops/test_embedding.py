"""embedding against torch."""

import math

import numpy as np
import pytest
import torch

from npg import engine
from npg.nn import functional as F
from npg.ops import embedding as ops
from tests.expressions import check, check_error
from tests.helpers import assert_like, assert_same_error
from tests.ops.fused import check_both, gradients, leaf

rng = np.random.default_rng(0)
TF = torch.nn.functional


def by_weight(functional, index, **kwargs):
    """Return a function that takes the weight first, because the helpers differentiate floating arguments."""
    return lambda weight: functional.embedding(index(functional), weight, **kwargs)


def compare(weight, index, **kwargs):
    npg_fn = by_weight(F, lambda _: engine.wrap(index), **kwargs)
    second = index.size > 0  # torch's second derivative cannot reshape an empty tensor
    check_both(npg_fn, by_weight(TF, lambda _: torch.from_numpy(index), **kwargs), weight, second=second)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3), (2, 3, 4), (0,), (2, 0)])
@pytest.mark.parametrize("kind", [np.int64, np.int32])
def test_embedding_is_like_torch(shape, kind, dtype):
    compare(rng.standard_normal((5, 3)).astype(dtype), np.asarray(rng.integers(0, 5, shape), kind))


@pytest.mark.parametrize("padding_idx", [None, 0, 2, -1])
@pytest.mark.parametrize("scale_grad_by_freq", [False, True])
def test_embedding_settings_of_the_gradient_are_like_torch(padding_idx, scale_grad_by_freq):
    weight, index = rng.standard_normal((5, 4)), np.array([[0, 2, 2, 4], [4, 2, 0, 1]])
    if scale_grad_by_freq:  # which torch differentiates once
        settings = {"padding_idx": padding_idx, "scale_grad_by_freq": True}
        check_both(
            by_weight(F, lambda _: engine.wrap(index), **settings),
            by_weight(TF, lambda _: torch.from_numpy(index), **settings),
            weight,
            second=False,
        )
    else:
        compare(weight, index, padding_idx=padding_idx)


@pytest.mark.parametrize("padding_idx", [None, 2])
@pytest.mark.parametrize("scale", [False, True])
def test_embedding_double_backward_is_the_adjoint_of_the_gradient(padding_idx, scale):
    settings = {"padding_idx": padding_idx, "scale_grad_by_freq": scale}
    index = np.array([[0, 2, 2, 4], [4, 2, 0, 1]])
    a, b = rng.standard_normal((2, 4, 3)), rng.standard_normal((5, 3))
    forth = ops.embedding_backward.forward(a, index, rows=5, **settings)
    back = ops.embedding_double_backward.forward(b, index, **settings)
    np.testing.assert_allclose((forth * b).sum(), (a * back).sum())


def test_embedding_of_views_is_like_torch():
    weight = rng.standard_normal((3, 5)).T
    index = rng.integers(0, 5, (4, 6))[:, ::2].T
    compare(weight, index)


def test_embedding_takes_a_gradient_that_is_one_number_expanded():
    w, index = leaf(rng.standard_normal((5, 3))), np.array([[0, 2, 2], [4, 2, 0]])
    (g,) = gradients(F.embedding(engine.wrap(index), w), w, g=np.broadcast_to(1.0, (2, 3, 3)))
    np.testing.assert_array_equal(g, np.repeat([[2.0], [0], [3], [0], [1]], 3, axis=1))


def test_embedding_of_integers_is_a_lookup():
    table = np.arange(6).reshape(3, 2)
    actual = F.embedding(engine.wrap(np.array([2, 0])), engine.wrap(table))
    assert_like(actual, TF.embedding(torch.tensor([2, 0]), torch.from_numpy(table)))


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
def test_embedding_with_max_norm_changes_the_rows_as_torch_does(norm_type):
    weight, index = rng.standard_normal((5, 3)), np.array([[0, 2, 2], [4, 2, 0]])
    w, t = leaf(weight.copy()), torch.from_numpy(weight.copy()).requires_grad_()
    actual = F.embedding(engine.wrap(index), w, max_norm=0.3, norm_type=norm_type)
    expected = TF.embedding(torch.from_numpy(index), t, max_norm=0.3, norm_type=norm_type)
    assert_like(actual, expected)
    np.testing.assert_allclose(w._array, t.detach().numpy(), 1e-12)
    assert not np.array_equal(w._array, weight)
    np.testing.assert_array_equal(w._array[[1, 3]], weight[[1, 3]])
    (g,) = gradients(actual, w, g=np.ones((2, 3, 3)))
    np.testing.assert_array_equal(g, torch.autograd.grad(expected.sum(), t)[0].numpy())


@pytest.mark.parametrize("bad", [5, -1, 2**40])
def test_embedding_refuses_an_index_as_torch_does(bad):
    weight, index = np.ones((5, 3)), np.array([0, bad])
    assert_same_error(
        lambda: F.embedding(engine.wrap(index), engine.wrap(weight)),
        lambda: TF.embedding(torch.from_numpy(index), torch.from_numpy(weight)),
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.uint8, np.bool_])
def test_embedding_refuses_dtypes_of_indices_as_torch_does(kind):
    weight, index = np.ones((5, 3)), np.ones(2, kind)
    assert_same_error(
        lambda: F.embedding(engine.wrap(index), engine.wrap(weight)),
        lambda: TF.embedding(torch.from_numpy(index), torch.from_numpy(weight)),
    )


def test_embedding_refuses_other_arguments_as_torch_does():
    index = np.array([1])
    for shape in ((5,), (5, 2, 3)):
        assert_same_error(
            lambda s=shape: F.embedding(engine.wrap(index), engine.wrap(np.ones(s))),
            lambda s=shape: TF.embedding(torch.from_numpy(index), torch.ones(s)),
        )
    for padding_idx in (5, -6):
        assert_same_error(
            lambda p=padding_idx: F.embedding(engine.wrap(index), engine.wrap(np.ones((5, 2))), p),
            lambda p=padding_idx: TF.embedding(torch.from_numpy(index), torch.ones(5, 2), p),
        )


def test_embedding_with_the_weight_first_is_that_of_the_main_namespace():
    check("w = lib.arange(6.0, requires_grad=True).view(3, 2); r = repr(lib.embedding(w, lib.tensor([[2, 0]])))")
    check_error("lib.nn.functional.embedding(lib.tensor([0.0]), lib.ones(3, 2))")
