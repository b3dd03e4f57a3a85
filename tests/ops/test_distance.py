"""Distances between rows against torch: values, gradients of any order, batches, tangents."""

import math

import numpy as np
import pytest
import torch

import npg
from npg.kernels import blocks
from tests.helpers import strided
from tests.ops.fused import check_both

rng = np.random.default_rng(0)
NORMS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, math.inf)


@pytest.mark.parametrize("p", NORMS)
def test_distances_are_like_torch(p):
    x, z = rng.standard_normal((2, 4, 5)), rng.standard_normal((2, 3, 5))
    x[0, 1] = z[0, 1]  # a distance of 0
    x[1, 2, :3] = z[1, 2, :3]
    for change in (lambda a: a, strided, lambda a: a[..., ::-1].copy()[..., ::-1]):
        check_both(npg.cdist, torch.cdist, change(x), change(z), p=p, second=False)
        check_both(npg.pdist, torch.pdist, change(x[0]), p=p, second=False)
    check_both(npg.cdist, torch.cdist, x[:1], z, p=p, second=False)
    check_both(npg.cdist, torch.cdist, x, z[0], p=p, second=False)


@pytest.mark.parametrize("mode", ["use_mm_for_euclid_dist", "use_mm_for_euclid_dist_if_necessary"])
def test_distances_by_a_product_are_like_torch(mode):
    x, z = rng.standard_normal((2, 27, 5)), rng.standard_normal((2, 3, 5))
    check_both(npg.cdist, torch.cdist, x, z, compute_mode=mode)
    check_both(npg.cdist, torch.cdist, x[:1], z, compute_mode=mode)


@pytest.mark.parametrize("shapes", [((0, 3), (2, 3)), ((2, 3), (0, 3)), ((2, 0), (3, 0)), ((0, 2, 3), (0, 4, 3))])
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_distances_of_nothing_are_like_torch(shapes, p):
    check_both(npg.cdist, torch.cdist, *map(np.ones, shapes), p=p, second=False)


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (3, 0)])
def test_pairs_of_nothing_are_like_torch(shape):
    x = npg.ones(shape, requires_grad=True)
    y = npg.pdist(x)
    np.testing.assert_array_equal(y.detach(), torch.pdist(torch.ones(shape)))
    y.sum().backward()  # PyTorch's crashes for vectors of no elements
    np.testing.assert_array_equal(x.grad, np.zeros(shape))


@pytest.mark.parametrize("p", [1.5, 2.0, 2.5, 4.0])
def test_distances_have_gradients_of_second_order(p):
    x, z = (npg.tensor(rng.standard_normal((3, 4)), requires_grad=True) for _ in range(2))
    assert npg.autograd.gradgradcheck(lambda a, b: npg.cdist(a, b, p), (x, z))
    assert npg.autograd.gradgradcheck(lambda a: npg.pdist(a, p), (x,))


def test_a_gradient_in_blocks_is_that_of_all_at_once(monkeypatch):
    x, z = (npg.tensor(rng.standard_normal(s), requires_grad=True) for s in ((2, 9, 4), (1, 5, 4)))
    results = []
    for size in (1 << 16, 50):
        monkeypatch.setattr(blocks, "BLOCK", size)
        y = npg.cdist(x, z, 3.0)
        results.append([y.detach(), *npg.autograd.grad((y * y).sum(), (x, z))])
    for whole, parts in zip(*results, strict=True):
        np.testing.assert_allclose(parts, whole, 1e-13)


def test_tangents_are_those_of_gradients():
    x, z, t = (npg.tensor(rng.standard_normal((3, 4))) for _ in range(3))
    for p in (1.5, 2.0):
        _, tangent = npg.func.jvp(lambda a, p=p: npg.cdist(a, z, p), (x,), (t,))
        jacobian = npg.func.jacrev(lambda a, p=p: npg.cdist(a, z, p))(x)
        np.testing.assert_allclose(tangent, (jacobian * t).sum((2, 3)), 1e-10)
