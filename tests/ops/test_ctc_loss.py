"""Connectionist temporal classification against torch, against all ways written out, and its derivatives."""

import itertools

import numpy as np
import pytest
import torch

import npg
from npg.nn import functional as F
from tests.helpers import strided

rng = np.random.default_rng(0)
TF = torch.nn.functional
T, N, C = 6, 3, 5
TARGETS = np.array([[1, 2, 2, 3], [1, 1, 1, 1], [3, 4, 1, 2]])
LENGTHS = [((6, 6, 6), (4, 3, 4)), ((6, 5, 0), (3, 0, 0)), ((1, 6, 4), (3, 4, 1)), ((0, 0, 0), (1, 0, 0)),
           ((2, 3, 3), (3, 2, 2))]  # fmt: skip


def scores(dtype="float64"):
    x = rng.standard_normal((T, N, C))
    return (x - np.log(np.exp(x).sum(-1, keepdims=True))).astype(dtype)


def check(log_probs, targets, *lengths, **settings):
    """Compare values, nodes and gradients, by the fast backward and by the recorded one."""
    near = {"rtol": 1e-9, "atol": 1e-12} if log_probs.dtype == np.float64 else {"rtol": 2e-5, "atol": 2e-6}
    theirs, ours = torch.tensor(log_probs.copy(), requires_grad=True), npg.tensor(log_probs, requires_grad=True)
    expected = TF.ctc_loss(theirs, torch.tensor(targets), *lengths, **settings)
    found = F.ctc_loss(ours, npg.tensor(targets), *lengths, **settings)
    np.testing.assert_allclose(found.detach(), expected.detach(), **near)
    assert found.shape == expected.shape and found.grad_fn.name() == expected.grad_fn.name()
    weights = np.cos(np.arange(expected.numel())).reshape(expected.shape).astype(log_probs.dtype)
    (wanted,) = torch.autograd.grad(expected, theirs, torch.tensor(weights))
    for create_graph in (False, True):
        (g,) = npg.autograd.grad(found, ours, npg.tensor(weights), retain_graph=True, create_graph=create_graph)
        np.testing.assert_allclose(g.detach(), wanted, **near)


@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_losses_are_like_torch(lengths, reduction, zero_infinity):
    settings = {"reduction": reduction, "zero_infinity": zero_infinity}
    check(scores(), TARGETS, *lengths, **settings)
    joined = np.concatenate([t[:n] for t, n in zip(TARGETS, lengths[1], strict=True)])
    check(scores("float32"), joined, *lengths, **settings)


def test_layouts_lengths_and_blanks_are_like_torch():
    check(strided(scores()), strided(TARGETS), *LENGTHS[0])
    check(scores(), TARGETS - 1, *LENGTHS[0], blank=4, reduction="none")
    check(scores(), TARGETS.astype("int32"), *LENGTHS[0])
    x = scores()
    for lengths in ((6,), (4,)), (6, 4):
        theirs = [torch.tensor(n) for n in lengths] if lengths == (6, 4) else lengths
        ours = [npg.tensor(n) for n in lengths] if lengths == (6, 4) else lengths
        for reduction in ("none", "mean", "sum"):
            found = F.ctc_loss(npg.tensor(x[:, 0]), npg.tensor(TARGETS[0]), *ours, reduction=reduction)
            expected = TF.ctc_loss(torch.tensor(x[:, 0]), torch.tensor(TARGETS[0]), *theirs, reduction=reduction)
            np.testing.assert_allclose(found, expected, 1e-12)
            assert found.shape == expected.shape


def test_a_probability_of_zero_is_like_torch():
    x = scores()
    x[1, 0, 1] = x[2, 1, 4] = -np.inf
    check(x, TARGETS, *LENGTHS[0], reduction="none")


def test_the_loss_is_that_of_all_ways():
    x, target = scores()[:4, 0], [1, 2, 2]
    total = 0.0
    for way in itertools.product(range(C), repeat=4):
        labels = [k for k, _ in itertools.groupby(way) if k]
        if labels == target:
            total += np.exp(sum(x[t, k] for t, k in enumerate(way)))
    found = F.ctc_loss(npg.tensor(x), npg.tensor(target), (4,), (3,), reduction="none")
    np.testing.assert_allclose(found, -np.log(total), 1e-12)


def test_derivatives_of_any_order():
    def f(x):
        return F.ctc_loss(x.log_softmax(-1), npg.tensor(TARGETS), (6, 5, 4), (3, 2, 1), reduction="none")

    x = npg.tensor(scores(), requires_grad=True)
    assert npg.autograd.gradcheck(f, (x,)) and npg.autograd.gradgradcheck(f, (x,))
    t = npg.tensor(rng.standard_normal((T, N, C)))
    _, tangent = npg.func.jvp(f, (x.detach(),), (t,))
    np.testing.assert_allclose(tangent, (npg.func.jacrev(f)(x.detach()) * t).sum((1, 2, 3)), 1e-9)


def test_float32_keeps_its_digits_over_many_frames():
    x = rng.standard_normal((400, 2, 8)).astype("float32")
    x -= np.log(np.exp(x).sum(-1, keepdims=True))
    targets, lengths = npg.tensor(rng.integers(1, 8, (2, 60))), ((400, 350), (60, 50))
    a = npg.tensor(x, requires_grad=True)
    b = npg.tensor(x.astype("float64"), requires_grad=True)
    for v in (a, b):
        F.ctc_loss(v, targets, *lengths).backward()
    np.testing.assert_allclose(a.grad, b.grad, 1e-5, 1e-9)
