"""Comparisons, tests for nan and inf, logical and bitwise functions against torch."""

import itertools
import operator

import numpy as np
import pytest
import torch

import npg
from tests.expressions import check_error
from tests.helpers import TORCH_DTYPES, assert_same_error, same_result_or_error

EDGES = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.0, -1.0, 0.5])
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
LOGICAL = ["logical_and", "logical_or", "logical_xor"]
BITWISE = ["bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift"]
NUMBERS = [True, 1, -1, 300, 1.5]


def values(dtype):
    return torch.tensor([0, 1, 2, 3, 5]).to(dtype)


def pairs():
    for a, b in itertools.product(TORCH_DTYPES, TORCH_DTYPES):
        yield values(a), values(b).flip(0)
        yield values(a), values(b)[1]
        yield values(a)[2], values(b)


@pytest.mark.parametrize("name", [*COMPARISONS, *LOGICAL, *BITWISE])
def test_two_tensors_of_any_dtypes_match_torch(name):
    for a, b in pairs():
        same_result_or_error(getattr(npg, name), getattr(torch, name), a, b)


@pytest.mark.parametrize("name", [*COMPARISONS, *LOGICAL, *BITWISE])
def test_two_tensors_in_place_match_torch(name):
    for a, b in pairs():
        refused_twice = name in BITWISE and b.is_floating_point() and not a.is_floating_point()
        if a.ndim and not refused_twice:
            changed = getattr(torch.Tensor, name + "_")
            same_result_or_error(getattr(npg.Tensor, name + "_"), lambda x, y, f=changed: f(x.clone(), y), a, b)


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparison_with_number_matches_torch(name):
    for dtype, number in itertools.product(TORCH_DTYPES, NUMBERS):
        same_result_or_error(getattr(npg, name), getattr(torch, name), values(dtype), number)
        compare = getattr(operator, name)
        same_result_or_error(compare, compare, values(dtype), number)
        same_result_or_error(compare, compare, number, values(dtype))


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparison_of_edges_matches_torch(name):
    same_result_or_error(getattr(npg, name), getattr(torch, name), EDGES[:, None], EDGES)


def test_comparison_with_foreign_object():
    x, t = npg.ones(2), torch.ones(2)
    for other in (None, "a", object()):
        assert (x == other) is (t == other) is False
        assert (x != other) is (t != other) is True
        with pytest.raises(TypeError):
            x < other
        with pytest.raises(TypeError):
            t < other


def test_comparison_records_nothing():
    x = npg.ones(2, requires_grad=True)
    assert not any(getattr(npg, name)(x, 1).requires_grad for name in COMPARISONS)


@pytest.mark.parametrize("name", ["and_", "or_", "xor", "lshift", "rshift"])
def test_bitwise_operator_with_number_matches_torch(name):
    apply = getattr(operator, name)
    for dtype in TORCH_DTYPES:
        for number in (True, 1, 2):
            if "shift" in name and number is True:
                continue
            same_result_or_error(apply, apply, values(dtype), number)
            same_result_or_error(apply, apply, number, values(dtype))


def test_shift_beyond_the_width_matches_torch():
    for dtype in (torch.int8, torch.int32, torch.int64, torch.uint8):
        x = torch.tensor([5, -7]).to(dtype)
        for count in ([1, 7], [8, 63], [31, 32]):
            for apply in (operator.lshift, operator.rshift):
                same_result_or_error(apply, apply, x, torch.tensor(count).to(dtype))


@pytest.mark.parametrize("name", ["logical_not", "bitwise_not", "isnan", "isinf", "isfinite", "isreal", "signbit"])
def test_one_tensor_of_any_dtype_matches_torch(name):
    for x in (*map(values, TORCH_DTYPES), EDGES, EDGES.double(), EDGES[:0], EDGES[1]):
        same_result_or_error(getattr(npg, name), getattr(torch, name), x)


@pytest.mark.parametrize("name", ["isposinf", "isneginf"])
def test_infinities_of_one_sign_match_torch(name):
    for x in (values(torch.int64), EDGES, EDGES.double()):
        same_result_or_error(getattr(npg, name), getattr(torch, name), x)


def test_invert_matches_torch():
    for dtype in TORCH_DTYPES:
        same_result_or_error(operator.invert, operator.invert, values(dtype))


@pytest.mark.parametrize(
    "settings",
    [{}, {"rtol": 0.5}, {"atol": 1.0}, {"rtol": 0, "atol": 0}, {"equal_nan": True}, {"rtol": -1}, {"atol": -1}],
)
def test_isclose_and_allclose_match_torch(settings):
    for dtype in (*TORCH_DTYPES, None):
        a, b = (EDGES, EDGES.flip(0)) if dtype is None else (values(dtype), values(dtype).flip(0))
        for x, y in ((a, a), (a, b), (a[:, None], b)):
            same_result_or_error(npg.isclose, torch.isclose, x, y, **settings)
            same_result_or_error(npg.allclose, torch.allclose, x, y, **settings)


def test_isclose_of_two_dtypes_is_refused():
    x = torch.ones(2)
    same_result_or_error(npg.isclose, torch.isclose, x, x.double())
    same_result_or_error(npg.allclose, torch.allclose, x, x.long())


def test_equal_matches_torch():
    x = torch.tensor([1.0, 2.0])
    for other in (x, x + 1, x.double(), x.long(), x[:1], x[None], torch.tensor(1.0), x * float("nan")):
        same_result_or_error(npg.equal, torch.equal, x, other)
    same_result_or_error(npg.equal, torch.equal, x * float("nan"), x * float("nan"))
    assert npg.equal(npg.ones(2), npg.ones(2)) is True
    assert_same_error(lambda: npg.equal(npg.ones(2), 1), lambda: torch.equal(torch.ones(2), 1))


def test_heaviside_matches_torch():
    same_result_or_error(npg.heaviside, torch.heaviside, EDGES, torch.full((8,), 0.5))
    same_result_or_error(npg.heaviside, torch.heaviside, values(torch.int64), values(torch.int64))
    same_result_or_error(npg.heaviside, torch.heaviside, EDGES, torch.ones(8, dtype=torch.int64))


def test_bool_of_arrays_keeps_numpy_out():
    mask = npg.tensor([1.0, 2.0]) > 1
    assert mask.dtype is npg.bool
    assert mask.numpy().dtype == np.bool_


@pytest.mark.parametrize("name", ["isclose", "allclose"])
def test_isclose_of_shapes_that_do_not_broadcast_raises_torchs_error(name):
    check_error(f"lib.{name}(lib.ones(3), lib.ones(2))")
