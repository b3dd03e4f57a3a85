"""where, mask, maximum and minimum, clamp against torch."""

import itertools

import numpy as np
import pytest
import torch

import npg
from npg.ops import selection
from tests.helpers import TORCH_DTYPES, assert_same_error, check_layouts, check_like_torch, same_result_or_error, to_npg

# Sizes below and above the one from which floating arrays are chosen by their bits.
SIZES = [(3, 4), (40, 50)]
EDGES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0])


def draw(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# ----- Choosing by bits -----


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32])
@pytest.mark.parametrize("shape", [*SIZES, (0,), ()])
def test_choose_and_keep_where_are_np_where(shape, dtype):
    a, b = draw(*shape, dtype=np.float64).astype(dtype), draw(*shape, seed=1).astype(dtype)
    keep = np.asarray(draw(*shape, seed=2) > 0)
    if a.size > 2 and a.dtype.kind == "f":
        a.flat[:3] = np.inf, np.nan, -np.inf
        keep.flat[:3] = False
    for x, y, k in ((a, b, keep), (a.T, b.T, keep.T)):
        np.testing.assert_array_equal(selection.choose(k, x, y), np.where(k, x, y))
        actual = selection.keep_where(k, x)
        np.testing.assert_array_equal(actual, np.where(k, x, dtype(0)))
        assert actual.dtype == dtype


def test_keep_where_broadcasts_both_ways():
    a, keep = draw(40, 50), draw(50) > 0
    np.testing.assert_array_equal(selection.keep_where(keep, a), np.where(keep, a, 0))
    np.testing.assert_array_equal(selection.keep_where(a > 0, a[0]), np.where(a > 0, a[0], 0))


def test_mask_infinite_gradient_is_cut_to_zero():
    x = npg.zeros(2000, requires_grad=True)
    (npg.relu(x) * np.inf).sum().backward()
    assert x.grad.tolist() == [0.0] * 2000


# ----- Where -----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SIZES)
def test_where_tensors_matches_torch(shape, dtype):
    a, b = draw(*shape, dtype=dtype), draw(*shape, dtype=dtype, seed=1)
    condition = draw(*shape, seed=2) > 0
    check_layouts(npg.where, torch.where, condition, a, b)
    check_like_torch(npg.where, torch.where, condition[0], a, b[:, :1])
    check_like_torch(npg.where, torch.where, condition, a, 0)
    check_like_torch(npg.where, torch.where, condition, -1.5, b)


def test_where_promotion_matches_torch():
    condition = torch.tensor([True, False, True])
    others = [torch.tensor([1, 0, 2]).to(d) for d in TORCH_DTYPES]
    others += [x[0] for x in others] + [True, 2, 1.5]
    for a, b in itertools.product(others, others):
        same_result_or_error(npg.where, torch.where, condition, a, b)


def test_where_condition_alone_gives_indices():
    for values in ([True, False, True], [[0, 1], [2, 0]], True, False, [[]]):
        same_result_or_error(npg.where, torch.where, torch.tensor(values))


def test_where_method_puts_the_tensor_where_true():
    x, y, condition = draw(3, 4), draw(4, seed=1), draw(3, 1) > 0
    check_like_torch(npg.Tensor.where, torch.Tensor.where, x, condition, y)


@pytest.mark.filterwarnings("ignore:where received a uint8 condition")
def test_where_condition_of_another_dtype():
    x = torch.tensor([1.5, 2.5])
    same_result_or_error(npg.where, torch.where, torch.tensor([1, 0], dtype=torch.uint8), x, 0)
    same_result_or_error(npg.where, torch.where, torch.tensor([1, 0]), x, x)
    same_result_or_error(npg.where, torch.where, torch.tensor([1.0, 0.0]), x, x)


def test_where_with_one_value_is_refused():
    condition, x = torch.tensor([True]), torch.ones(1)
    assert_same_error(lambda: npg.where(npg.tensor([True]), npg.ones(1)), lambda: torch.where(condition, x), text=False)
    same_result_or_error(npg.where, torch.where, torch.tensor([True, False]), torch.ones(3), 0)


# ----- Maximum and minimum -----


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
@pytest.mark.parametrize("shape", SIZES)
def test_extreme_of_two_matches_torch(name, shape):
    function, reference = getattr(npg, name), getattr(torch, name)
    a, b = draw(*shape), draw(*shape, seed=1)
    b[0] = a[0]  # equal elements: which of them gets the gradient
    check_layouts(function, reference, a, b)
    check_like_torch(function, reference, a, b[:, :1])
    check_like_torch(function, reference, a.astype(np.float32), b)
    x, y = (np.array(p) for p in zip(*itertools.product(EDGES, EDGES), strict=True))
    check_like_torch(function, reference, x, y)
    values = [torch.tensor([1, 0, 2]).to(d) for d in TORCH_DTYPES]
    for p, q in itertools.product(values, values):
        same_result_or_error(function, reference, p, q)


# ----- Clamp -----

BOUNDS = [(-0.5, 0.5), (None, 0.5), (-0.5, None), (0.5, -0.5), (0, 1), (-np.inf, np.inf), (1, None)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bounds", BOUNDS)
def test_clamp_numbers_matches_torch(bounds, dtype):
    for shape in SIZES:
        check_layouts(lambda x: npg.clamp(x, *bounds), lambda x: torch.clamp(x, *bounds), draw(*shape, dtype=dtype))
    check_like_torch(npg.clamp, torch.clamp, EDGES.astype(dtype), *bounds)
    check_like_torch(npg.Tensor.clamp_, torch.Tensor.clamp_, EDGES.astype(dtype), *bounds)
    low, high = bounds
    if low is not None:
        check_like_torch(npg.clamp_min, torch.clamp_min, EDGES.astype(dtype), low)
        check_like_torch(npg.Tensor.clamp_min_, torch.Tensor.clamp_min_, EDGES.astype(dtype), low)
    if high is not None:
        check_like_torch(npg.clamp_max, torch.clamp_max, EDGES.astype(dtype), high)
        check_like_torch(npg.Tensor.clamp_max_, torch.Tensor.clamp_max_, EDGES.astype(dtype), high)


def test_clamp_tensors_matches_torch():
    x, low, high = draw(3, 4), draw(3, 4, seed=1) - 0.5, draw(4, seed=2) + 0.5
    for bounds in ((low, high), (high, low), (low, None), (None, high)):
        check_like_torch(npg.clamp, torch.clamp, x, *bounds)
        check_like_torch(npg.Tensor.clip_, torch.Tensor.clip_, x, *bounds)
    check_like_torch(npg.clamp_min, torch.clamp_min, x, low)
    check_like_torch(npg.clamp_max, torch.clamp_max, x, high)
    check_layouts(npg.clamp, torch.clamp, draw(40, 50), draw(40, 50, seed=1), draw(40, 50, seed=2))


def test_clamp_promotion_matches_torch():
    bounds = [(0, 1), (0.5, 1), (None, 1.5), (1, None), (True, None), (-1, 300), (torch.tensor(1), 2)]
    bounds += [(torch.tensor([1]).to(d), None) for d in TORCH_DTYPES]
    for dtype in TORCH_DTYPES:
        x = torch.tensor([0, 1, 2]).to(dtype)
        for low, high in bounds:
            same_result_or_error(npg.clamp, torch.clamp, x, low, high)


@pytest.mark.parametrize("dtype", [d for d in TORCH_DTYPES if d is not torch.bool])
def test_clamp_in_place_keeps_the_dtype(dtype):
    x = torch.tensor([0, 1, 2]).to(dtype)
    for low, high in ((1, None), (None, 1), (1, 1), (torch.tensor([1]), None)):
        same_result_or_error(npg.Tensor.clamp_, lambda x, a, b: x.clone().clamp_(a, b), x, low, high)
    if not dtype.is_floating_point:
        with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type"):
            to_npg(x).clamp_(0.5, 1.5)
        with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type"):
            x.clamp_(0.5, 1.5)


def test_clamp_without_bounds_or_shapes_that_fit_is_refused():
    same_result_or_error(npg.clamp, torch.clamp, torch.ones(2))
    same_result_or_error(npg.clamp, torch.clamp, torch.ones(2), torch.ones(3))
    same_result_or_error(npg.clamp, torch.clamp, torch.ones(2), torch.ones(2), torch.ones(3))
