"""Quotients, exact and rounded, and remainders against torch; see also test_elementwise.py."""

import numpy as np
import pytest
import torch

import npg
from tests.expressions import check, check_error
from tests.helpers import assert_same_error, check_like_torch, same_result_or_error, to_npg


@pytest.mark.parametrize("mode", ["floor", "trunc", None, "up"])
def test_div_rounding_mode_matches_torch(mode):
    a, b = np.array([7.0, -7.0, 7.5, -7.5, 0.0]), np.array([2.0, 2.0, -2.0, -2.0, 3.0])
    if mode == "up":
        x = torch.ones(2)
        assert_same_error(
            lambda: npg.div(to_npg(x), 2, rounding_mode=mode), lambda: torch.div(x, 2, rounding_mode=mode)
        )
        return
    check_like_torch(npg.div, torch.div, a, b, rounding_mode=mode, second=mode is None)
    check_like_torch(npg.Tensor.div_, torch.Tensor.div_, a, b, rounding_mode=mode, second=mode is None)
    ints = torch.tensor([7, -7, 7, -7, 0]), torch.tensor([2, 2, -2, -3, 3])
    for x, y in (ints, (ints[0].to(torch.int8), ints[1]), (ints[0], 2), (3, ints[1]), (ints[0], 2.5)):
        same_result_or_error(npg.div, torch.div, x, y, rounding_mode=mode)


def test_integer_division_by_zero_is_refused():
    i = torch.tensor([5, -7])
    for name in ("floor_divide", "remainder", "fmod"):
        for divisor in (0, torch.tensor([0, 1])):
            same_result_or_error(getattr(npg, name), getattr(torch, name), i, divisor)


def test_floor_divide_backward_is_refused():
    x = npg.ones(2, requires_grad=True)
    y = x // 2
    assert y.requires_grad
    with pytest.raises(RuntimeError, match="derivative for aten::floor_divide is not implemented"):
        y.sum().backward()


# ----- Division by zero, signs of zero -----

SPECIAL = "lib.tensor([3.0, -2.5, 0.0, -0.0, float('inf'), float('nan')], dtype=lib.float64)"


@pytest.mark.parametrize("divisor", ["0", "0.0", "-0.0", "2", "-3", "0.3", "True", "float('inf')", "-float('inf')"])
@pytest.mark.parametrize("call", ["{} // {}", "{} % {}", "lib.fmod({}, {})", "lib.div({}, {}, rounding_mode='trunc')"])
def test_division_of_floats_by_a_number_is_torchs_to_the_sign_of_zero(call, divisor):
    expression = call.format(SPECIAL, divisor)
    check(expression)
    check(f"lib.signbit(lib.nan_to_num({expression}))")


@pytest.mark.parametrize("op", ["//", "%"])
@pytest.mark.parametrize("left", ["lib.tensor([1, 2])", "3", "True"])
def test_division_of_integers_by_zero_raises_torchs_error(left, op):
    check_error(f"{left} {op} lib.tensor([1, 0])")


def test_remainder_of_two_tensors_has_the_sign_of_the_dividends_zero():
    check("lib.signbit(lib.tensor([-2.0, 2.0, -2.0, 2.0]) % lib.tensor([2.0, -2.0, -2.0, 2.0]))")
