"""Bags of rows against torch: every mode, layout of bags and setting, values and derivatives."""

import itertools

import numpy as np
import pytest
import torch

import npg
from npg.nn import functional as F
from tests.helpers import strided
from tests.ops.fused import check_both

rng = np.random.default_rng(0)
TF = torch.nn.functional
V, C = 7, 3
INDEX = np.array([1, 2, 2, 0, 6, 1, 1, 5, 2])
OFFSETS = [[0, 3, 3, 9], [0, 0, 9], [0], [0, 9]]  # PyTorch's kernels disagree on what follows a last offset


def bags(lib, **settings):
    """Return a function of a table (and factors) on either library."""
    made = {name: lib.tensor(x) if isinstance(x, np.ndarray) else x for name, x in settings.items()}
    index = made.pop("index")
    return lambda w, f=None: lib.nn.functional.embedding_bag(index, w, per_sample_weights=f, **made)


def check(*arrays, second=True, **settings):
    check_both(bags(npg, **settings), bags(torch, **settings), *arrays, second=second)


@pytest.mark.parametrize("offsets", OFFSETS)
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding_idx", [None, 2, -6])
def test_bags_are_like_torch(mode, offsets, padding_idx):
    weight = rng.standard_normal((V, C))
    for last in (False, True) if len(offsets) > 1 else (False,):
        settings = {"mode": mode, "padding_idx": padding_idx, "offsets": np.array(offsets)}
        # PyTorch has no second derivatives here.
        check(weight, second=False, index=INDEX, include_last_offset=last, **settings)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_of_one_length_are_like_torch(mode):
    weight = rng.standard_normal((V, C))
    for change in (lambda a: a, strided, lambda a: a[::-1].copy()[::-1]):
        check(change(weight), second=False, mode=mode, index=strided(INDEX.reshape(3, 3)))
    check(weight, second=False, mode=mode, index=INDEX.reshape(3, 3).astype("int32"))
    check(weight, second=False, mode=mode, index=INDEX[:0].reshape(0, 3))
    check(weight[:, :0], second=False, mode=mode, index=INDEX.reshape(3, 3))


@pytest.mark.parametrize(("mode", "padding_idx"), [*itertools.product(["sum", "mean"], [None, 1])])
def test_gradients_are_divided_by_frequency(mode, padding_idx):
    settings = {"mode": mode, "padding_idx": padding_idx}
    # PyTorch takes the frequency of the row that stands at the rank of this one: here it is the same for all.
    even = np.repeat(np.array([1, 4, 2]), 3)
    weight, settings["offsets"] = rng.standard_normal((V, C)), np.array([0, 4])
    check(weight, second=False, index=even, scale_grad_by_freq=True, **settings)
    w = npg.tensor(weight, requires_grad=True)
    plain, divided = (
        npg.autograd.grad(bags(npg, index=INDEX, scale_grad_by_freq=by, **settings)(w).sum(), w) for by in (False, True)
    )
    np.testing.assert_allclose(divided[0], plain[0] / np.maximum(np.bincount(INDEX, minlength=V), 1)[:, None], 1e-12)


@pytest.mark.parametrize("padding_idx", [None, 1])
def test_factors_are_like_torch(padding_idx):
    weight, factors = rng.standard_normal((V, C)), rng.standard_normal(9)
    settings = {"mode": "sum", "padding_idx": padding_idx}
    check(weight, factors, second=False, index=INDEX, offsets=np.array([0, 3, 3]), **settings)
    check(weight, factors.reshape(3, 3), second=False, index=INDEX.reshape(3, 3), **settings)
    settings["include_last_offset"] = True
    check(weight, factors, second=False, index=INDEX, offsets=np.array([0, 3, 9]), **settings)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_derivatives_of_any_order(mode):
    weight = npg.tensor(rng.standard_normal((V, C)), requires_grad=True)
    factors = npg.tensor(rng.standard_normal(9), requires_grad=True) if mode == "sum" else None
    f = bags(npg, index=INDEX, offsets=np.array([0, 3, 3]), mode=mode, padding_idx=2)
    inputs = (weight,) if factors is None else (weight, factors)
    assert npg.autograd.gradcheck(f, inputs) and npg.autograd.gradgradcheck(f, inputs)
    t = npg.tensor(rng.standard_normal((V, C)))
    factors = None if factors is None else factors.detach()
    _, tangent = npg.func.jvp(lambda w: f(w, factors), (weight.detach(),), (t,))
    jacobian = npg.func.jacrev(lambda w: f(w, factors))(weight.detach())
    np.testing.assert_allclose(tangent, (jacobian * t).sum((2, 3)), 1e-10, 1e-12)


def test_batches_of_tables_are_those_of_a_loop():
    weight = npg.tensor(rng.standard_normal((2, V, C)))
    f = bags(npg, index=INDEX, offsets=np.array([0, 3, 3]), mode="mean")
    np.testing.assert_allclose(npg.func.vmap(f)(weight), npg.stack([f(w) for w in weight]), 1e-12)


def test_float16_is_summed_in_float32():
    weight = rng.standard_normal((V, C)).astype("float16")
    found = F.embedding_bag(npg.tensor(INDEX), npg.tensor(weight), npg.tensor([0, 3]), mode="sum")
    wide = F.embedding_bag(npg.tensor(INDEX), npg.tensor(weight).float(), npg.tensor([0, 3]), mode="sum")
    np.testing.assert_array_equal(found, wide.half())


def test_a_norm_is_limited_as_in_torch():
    weight = rng.standard_normal((V, C))
    ours, theirs = npg.tensor(weight), torch.tensor(weight)
    found = F.embedding_bag(npg.tensor(INDEX), ours, npg.tensor([0, 3]), max_norm=0.5, norm_type=1.5)
    expected = TF.embedding_bag(torch.tensor(INDEX), theirs, torch.tensor([0, 3]), max_norm=0.5, norm_type=1.5)
    np.testing.assert_allclose(found, expected, 1e-6)
    np.testing.assert_allclose(ours, theirs, 1e-6)
    assert ours._version == theirs._version


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("padding", [(), (1,)])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("mode", [0, 1, 2])
def test_all_four_results_are_like_torch(mode, last, padding, dtype):
    weight, results = rng.standard_normal((V, C)).astype(dtype), []
    for lib in (npg, torch):
        index, offsets = lib.tensor(INDEX), lib.tensor([0, 2, 2, 9])
        w = lib.tensor(weight, requires_grad=True)
        results.append(lib.embedding_bag(w, index, offsets, False, mode, False, None, last, *padding))
    found, expected = results
    np.testing.assert_allclose(found[0].detach(), expected[0].detach(), 1e-5, 1e-6)
    for a, b in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(a, b)
