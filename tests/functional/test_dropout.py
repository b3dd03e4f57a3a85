"""dropout and its relatives: the elements that PyTorch zeroes for the same seed, and gradients."""

import numpy as np
import pytest
import torch

from npg import engine, random
from npg.nn import functional as F
from npg.ops.elementwise import clone
from tests.helpers import assert_like, assert_same_error, check_like_torch, strided

rng = np.random.default_rng(0)
TF = torch.nn.functional
INPUTS = {
    "dropout": (4, 3, 5),
    "alpha_dropout": (4, 3, 5),
    "dropout1d": (4, 3, 5),
    "dropout2d": (4, 3, 5, 2),
    "dropout3d": (2, 3, 4, 2, 2),
    "feature_alpha_dropout": (4, 3, 5),
}


def seeded(fn, seed):
    def call(*args, **kwargs):
        seed(11)
        return fn(*args, **kwargs)

    return call


def check(name, x, **kwargs):
    npg_fn, torch_fn = seeded(getattr(F, name), random.manual_seed), seeded(getattr(TF, name), torch.manual_seed)
    check_like_torch(npg_fn, torch_fn, x, training=True, **kwargs)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_zeroes_what_torch_zeroes(name, p, dtype):
    check(name, rng.standard_normal(INPUTS[name]).astype(dtype), p=p)


@pytest.mark.parametrize("name", INPUTS)
def test_dropout_of_any_layout_zeroes_what_torch_zeroes(name):
    x = rng.standard_normal(INPUTS[name])
    for a in (strided(x), np.asfortranarray(x), x.swapaxes(0, 1), x[:0]):
        check(name, a, p=0.4)


def test_dropout_of_channels_without_a_batch_is_like_torch():
    check("dropout1d", rng.standard_normal((30, 4)), p=0.5)
    check("dropout3d", rng.standard_normal((30, 2, 2, 2)), p=0.5)


def test_dropouts_in_turn_continue_one_stream():
    x = rng.standard_normal(33)
    random.manual_seed(2)
    torch.manual_seed(2)
    for name in ("dropout", "alpha_dropout", "dropout"):
        actual = getattr(F, name)(engine.wrap(x), 0.3, True)
        assert_like(actual, getattr(TF, name)(torch.from_numpy(x), 0.3, True))


@pytest.mark.parametrize("name", INPUTS)
def test_dropout_when_evaluating_is_the_input_itself(name):
    x = engine.wrap(rng.standard_normal(INPUTS[name]))
    state = random.get_state()
    for p in (0.5, 1.0):
        assert np.array_equal(getattr(F, name)(x, p, training=False)._array, x._array)
    assert F.dropout(x, 0.5, False) is x
    assert F.dropout(x, 0.0, True) is x
    assert np.array_equal(np.asarray(random.get_state()), np.asarray(state))


@pytest.mark.parametrize("name", [*INPUTS])
def test_dropout_in_place_writes_the_input(name):
    x = rng.standard_normal(INPUTS[name])
    leaf = engine.wrap(x.copy())
    leaf._set_requires_grad(True)
    copied = engine.apply(clone, (leaf,), {})
    random.manual_seed(3)
    y = getattr(F, name)(copied, 0.4, training=True, inplace=True)
    assert np.shares_memory(y._array, copied._array)
    t = torch.from_numpy(x.copy()).requires_grad_()
    torch.manual_seed(3)
    expected = getattr(TF, name)(t.clone(), 0.4, training=True, inplace=True)
    assert_like(y, expected)
    g = rng.standard_normal(x.shape)
    actual = engine.run_backward((y,), (engine.wrap(g),), False, False, (leaf,), False)[0]
    assert_like(actual, torch.autograd.grad(expected, t, torch.from_numpy(g))[0])


def test_dropout_in_place_of_a_leaf_is_refused_as_torch_does():
    x = engine.wrap(np.ones(3))
    x._set_requires_grad(True)
    t = torch.ones(3, requires_grad=True)
    assert_same_error(lambda: F.dropout(x, 0.5, True, True), lambda: TF.dropout(t, 0.5, True, True))
    assert F.dropout(x, 0.5, False, True) is x


def test_dropout_of_half_is_like_torch():
    x = rng.standard_normal(40).astype(np.float16)
    check("dropout", x, p=0.3, second=False)


def test_alpha_dropout_keeps_mean_and_variance():
    x = rng.standard_normal(200_000)
    random.manual_seed(4)
    y = F.alpha_dropout(engine.wrap(x), 0.3, True)._array
    assert abs(y.mean()) < 0.01 and abs(y.std() - 1.0) < 0.01


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_dropout_refuses_a_probability_as_torch_does(name, p):
    x = np.ones(INPUTS[name])
    for training in (False, True):
        assert_same_error(
            lambda t=training: getattr(F, name)(engine.wrap(x), p, training=t),
            lambda t=training: getattr(TF, name)(torch.from_numpy(x), p, training=t),
        )


def test_dropout_refuses_inputs_as_torch_does():
    i = np.ones(3, np.int64)
    assert_same_error(lambda: F.dropout(engine.wrap(i)), lambda: TF.dropout(torch.from_numpy(i)))
    assert np.array_equal(F.dropout(engine.wrap(i), 0.5, False)._array, i)
    for shape in ((3,), (3, 3, 3, 3)):
        assert_same_error(
            lambda s=shape: F.dropout1d(engine.wrap(np.ones(s))), lambda s=shape: TF.dropout1d(torch.ones(s))
        )
    assert_same_error(
        lambda: F.feature_alpha_dropout(engine.wrap(np.ones(3)), 0.5, True),
        lambda: TF.feature_alpha_dropout(torch.ones(3), 0.5, True),
    )


@pytest.mark.parametrize(("name", "shape"), [("dropout2d", (4, 3)), ("dropout2d", (4, 3, 2)), ("dropout3d", (4, 3, 2))])
def test_dropout_of_channels_warns_of_other_shapes_as_torch_does(name, shape):
    x = np.ones(shape)
    with pytest.warns(UserWarning) as caught:
        random.manual_seed(1)
        actual = getattr(F, name)(engine.wrap(x))
    with pytest.warns(UserWarning) as expected:
        torch.manual_seed(1)
        assert_like(actual, getattr(TF, name)(torch.from_numpy(x)))
    assert [str(w.message) for w in caught] == [str(w.message) for w in expected]
