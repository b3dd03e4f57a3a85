"""Elementwise arithmetic, powers, exponentials, trigonometry and rounding against torch."""

import itertools
import operator

import numpy as np
import pytest
import torch

import npg
from tests.expressions import check, check_error
from tests.helpers import (
    TORCH_DTYPES,
    assert_same_error,
    check_layouts,
    check_like_torch,
    same_result_or_error,
)

# name: the interval that the function's arguments are drawn from.
UNARY = {
    "abs": (-3, 3), "acos": (-0.95, 0.95), "acosh": (1.1, 5), "asin": (-0.95, 0.95), "asinh": (-5, 5), "atan": (-5, 5),
    "atanh": (-0.95, 0.95), "ceil": (-3, 3), "cos": (-5, 5), "cosh": (-3, 3), "deg2rad": (-400, 400), "erf": (-4, 4),
    "erfc": (-4, 6), "exp": (-5, 5), "exp2": (-5, 5), "expm1": (-3, 3), "floor": (-3, 3), "frac": (-3, 3),
    "log": (0.1, 5), "log10": (0.1, 5), "log1p": (-0.9, 5), "log2": (0.1, 5), "logit": (0.05, 0.95), "neg": (-3, 3),
    "positive": (-3, 3), "rad2deg": (-7, 7), "reciprocal": (0.2, 5), "round": (-3, 3), "rsqrt": (0.1, 5),
    "sgn": (-3, 3), "sigmoid": (-6, 6), "sign": (-3, 3), "sin": (-5, 5), "sinc": (-3, 3), "sinh": (-3, 3),
    "sqrt": (0.1, 5), "square": (-3, 3), "tan": (-1.4, 1.4), "tanh": (-4, 4), "trunc": (-3, 3), "nan_to_num": (-3, 3),
}  # fmt: skip
BINARY = {
    "add": (-3, 3), "sub": (-3, 3), "mul": (-3, 3), "div": (0.5, 3), "remainder": (0.5, 3), "fmod": (0.5, 3),
    "pow": (0.5, 3), "atan2": (-3, 3), "hypot": (-3, 3), "copysign": (-3, 3), "logaddexp": (-5, 5),
    "logaddexp2": (-5, 5), "xlogy": (0.5, 3), "float_power": (0.5, 3), "rsub": (-3, 3),
}  # fmt: skip
# Functions that torch records but cannot differentiate.
WITHOUT_GRADIENT = ("floor_divide",)
# The rules of these divide by a power of the input, or torch's lose a few digits near a pole.
POLES = {"sinc": {"rtol": 1e-9, "atol": 1e-9}}

EDGES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1e-30, 1e30, 0.1]
NAMES = {np.dtype(d.dtype).name: d for d in TORCH_DTYPES.values()}
FLOATS = [np.float32, np.float64]


def draw(interval, *shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).uniform(*interval, shape).astype(dtype)


# ----- One tensor -----


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", UNARY)
def test_unary_any_layout_matches_torch(name, dtype):
    tolerance = POLES.get(name, {}) if dtype is np.float64 else {"rtol": 1e-4, "atol": 1e-5} if name in POLES else {}
    check_layouts(getattr(npg, name), getattr(torch, name), draw(UNARY[name], 3, 4, dtype=dtype), **tolerance)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", UNARY)
def test_unary_at_edges_matches_torch(name, dtype):
    second = name not in ("sinc", "logit")
    # Logit's slope at -0.0 is inf in some of torch's kernels and -inf in others; the processor decides.
    edges = [x for x in EDGES if name != "logit" or x != 0 or not np.signbit(x)]
    check_like_torch(getattr(npg, name), getattr(torch, name), np.array(edges, dtype), second=second)


@pytest.mark.parametrize("name", [n for n in UNARY if n != "positive"])
def test_unary_in_place_matches_torch(name):
    x = draw(UNARY[name], 3, 4)
    grad = name not in ("acosh", "asinh", "atanh")  # torch has no gradient of the in-place forms
    check_like_torch(getattr(npg.Tensor, name + "_"), getattr(torch.Tensor, name + "_"), x, grad=grad, second=grad)


@pytest.mark.parametrize("dtype", ["float16", "int8", "int64", "uint8", "bool"])
@pytest.mark.parametrize("name", UNARY)
def test_unary_other_dtypes_match_torch(name, dtype):
    x = torch.from_numpy(np.array([0, 1, 2, 3, 5]).astype(dtype))
    same_result_or_error(getattr(npg, name), getattr(torch, name), x)


# ----- Two tensors -----


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", BINARY)
def test_binary_any_layout_matches_torch(name, dtype):
    a, b = draw(BINARY[name], 3, 4, dtype=dtype), draw(BINARY[name], 3, 4, dtype=dtype, seed=1)
    check_layouts(getattr(npg, name), getattr(torch, name), a, b)


@pytest.mark.parametrize("name", BINARY)
def test_binary_broadcast_matches_torch(name):
    function, reference = getattr(npg, name), getattr(torch, name)
    for left, right in (((3, 4), (4,)), ((4,), (2, 3, 4)), ((3, 1), (1, 4)), ((), (3,)), ((2, 3), ())):
        check_like_torch(function, reference, draw(BINARY[name], *left), draw(BINARY[name], *right, seed=1))


@pytest.mark.parametrize(
    "name", ["add", "sub", "mul", "div", "remainder", "pow", "xlogy", "float_power", "floor_divide"]
)
def test_binary_with_number_matches_torch(name):
    function, reference = getattr(npg, name), getattr(torch, name)
    gradients = {"grad": name not in WITHOUT_GRADIENT}
    for dtype in FLOATS:
        x = draw((0.5, 3), 3, 4, dtype=dtype)
        for number in (2, 1.5, -1, 0.25):
            check_like_torch(function, reference, x, number, **gradients)
            # torch has no gradient of remainder(number, tensor)
            check_like_torch(function, reference, number, x, grad=name not in ("floor_divide", "remainder"))


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "remainder", "fmod", "atan2", "hypot", "copysign"])
def test_binary_at_edges_matches_torch(name):
    a, b = (np.array(x) for x in zip(*itertools.product(EDGES, EDGES), strict=True))
    check_like_torch(getattr(npg, name), getattr(torch, name), a, b, second=name in ("add", "sub", "mul"))


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "remainder", "fmod", "pow", "atan2", "hypot", "xlogy"])
def test_binary_in_place_matches_torch(name):
    a, b = draw((0.5, 3), 3, 4), draw((0.5, 3), 4, seed=1)
    check_like_torch(getattr(npg.Tensor, name + "_"), getattr(torch.Tensor, name + "_"), a, b)


# ----- Promotion: every pair of dtypes, of tensors, 0-d tensors and numbers -----

OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
NUMBERS = [True, 2, 3.0]


def operands(dtype):
    values = np.array([1, 2, 3]).astype(dtype)
    return [torch.from_numpy(values), torch.from_numpy(values[1:2].reshape(()))]


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("dtype", NAMES)
def test_operator_promotion_matches_torch(dtype, name):
    apply = getattr(operator, name)
    others = [x for d in NAMES for x in operands(d)] + NUMBERS
    for a, b in itertools.product(operands(dtype), others):
        same_result_or_error(apply, apply, a, b)
        same_result_or_error(apply, apply, b, a)


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow"])
@pytest.mark.parametrize("dtype", NAMES)
def test_in_place_operator_promotion_matches_torch(dtype, name):
    apply = getattr(operator, name)
    for b in [operands(d)[0] for d in NAMES] + NUMBERS:
        same_result_or_error(apply, lambda a, b: apply(a.clone(), b), operands(dtype)[0], b)


# ----- add and sub with alpha -----


@pytest.mark.parametrize("name", ["add", "sub", "rsub"])
def test_alpha_scales_other(name):
    a, b = draw((-3, 3), 3, 4), draw((-3, 3), 4, seed=1)
    for alpha in (2, 0.5, -1, 0):
        check_like_torch(getattr(npg, name), getattr(torch, name), a, b, alpha=alpha)
        check_like_torch(getattr(npg, name), getattr(torch, name), a, 1.5, alpha=alpha)


@pytest.mark.parametrize("other", ["lib.tensor([True, False])", "True", "lib.tensor([1, 2])", "lib.ones(2)", "2.5"])
@pytest.mark.parametrize("alpha", [0, 2, True, False])
def test_alpha_beside_bools_is_torchs(other, alpha):
    for name in ("add", "add_", "sub", "sub_"):
        call = f"lib.tensor([True, False]).{name}({other}, alpha={alpha})"
        try:
            check(call)
        except RuntimeError:
            check_error(call, text=alpha == 2)  # where there are two reasons to refuse, each library names its own


def test_alpha_of_wrong_kind_is_refused():
    i, b = torch.tensor([1, 2]), torch.tensor([True, False])
    for args, alpha in (((i, i), 1.5), ((i, i), True), ((i, 1), 0.5), ((b, b), True), ((i.float(), i), "a")):
        same_result_or_error(npg.add, torch.add, *args, alpha=alpha)


# ----- Powers -----


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, -1, -2, 0.5, -0.5, 1.5, 2.0, 0.0])
def test_pow_number_at_zero_and_edges_matches_torch(exponent):
    check_like_torch(npg.pow, torch.pow, np.array([0.0, -0.0, 1.0, -1.0, 2.5, -2.5, np.inf]), exponent, second=False)
    check_like_torch(npg.pow, torch.pow, np.array([1.0, 2.5, 0.3]), exponent)
    check_like_torch(npg.pow, torch.pow, np.array([0.0, 1.0, 2.5]), np.full(3, float(exponent)), second=False)


def test_pow_of_zero_and_negative_base_matches_torch():
    p = np.array([0.0, 1.0, 2.0, 0.5, -1.0])
    for base in (0, 0.0, 2, -2.0, 1):
        check_like_torch(npg.pow, torch.pow, base, p, second=False)
    check_like_torch(npg.pow, torch.pow, np.zeros(5), p, second=False)


def test_pow_integers_matches_torch():
    x, p = torch.tensor([1, -1, 2, -2, 0, 3]), torch.tensor([-1, -3, -1, 3, 0, 2])
    same_result_or_error(npg.pow, torch.pow, x, p)
    for exponent in (-1, 0, 1, 2, 3, 5, 2.0, 0.5):
        same_result_or_error(npg.pow, torch.pow, x, exponent)
        same_result_or_error(npg.pow, torch.pow, x.to(torch.int8), exponent)
        same_result_or_error(npg.pow, torch.pow, exponent, x)
    same_result_or_error(npg.pow, torch.pow, x.to(torch.int8), 200)


# ----- Compound ops -----


def test_addcmul_and_addcdiv_match_torch():
    x, a, b = draw((-3, 3), 3, 4), draw((-3, 3), 4, seed=1), draw((0.5, 3), 3, 1, seed=2)
    for name in ("addcmul", "addcdiv"):
        for value in (1, 0.5, -2):
            check_like_torch(getattr(npg, name), getattr(torch, name), x, a, b, value=value)
            in_place = getattr(npg.Tensor, name + "_"), getattr(torch.Tensor, name + "_")
            check_like_torch(*in_place, x, a, b, value=value)
    i, f = torch.tensor([5, -7]), torch.tensor([1.5, 2.0])
    for args in ((i, i, i), (f, i, i), (i, f, i)):
        same_result_or_error(npg.addcmul, torch.addcmul, *args, value=2.5)
        same_result_or_error(npg.addcdiv, torch.addcdiv, *args)


def test_lerp_matches_torch():
    a, b, w = draw((-3, 3), 3, 4), draw((-3, 3), 3, 4, seed=1), draw((0, 1), 3, 4, seed=2)
    for weight in (0.0, 0.3, 0.5, 1.0, 2.0, w, w[0, 0].reshape(())):
        check_like_torch(npg.lerp, torch.lerp, a, b, weight)
        check_like_torch(npg.Tensor.lerp_, torch.Tensor.lerp_, a, b, weight)
    i, f = torch.tensor([5, -7]), torch.tensor([1.5, 2.0])
    for args in ((f, i, 0.5), (f, f.double(), 0.5), (i, i, 1), (f, f, f.double())):
        same_result_or_error(npg.lerp, torch.lerp, *args)


# ----- Rounding -----


@pytest.mark.parametrize("decimals", [0, 1, 3, -1])
def test_round_decimals_matches_torch(decimals):
    x = np.array([0.5, 1.5, 2.5, -2.5, 123.4567, -15.0, 0.05, np.inf, np.nan])
    check_like_torch(npg.round, torch.round, x, decimals=decimals, second=False)
    check_like_torch(npg.Tensor.round_, torch.Tensor.round_, x, decimals=decimals, second=False)
    if decimals:
        same_result_or_error(npg.round, torch.round, torch.tensor([1, 2]), decimals=decimals)


def test_nan_to_num_replacements_match_torch():
    x = np.array([np.nan, np.inf, -np.inf, 1.0])
    for settings in ({}, {"nan": 2.0}, {"posinf": 3.0, "neginf": -3.0}):
        for dtype in FLOATS:
            check_like_torch(npg.nan_to_num, torch.nan_to_num, x.astype(dtype), **settings)


def test_logit_eps_matches_torch():
    x = np.array([0.05, 0.2, 0.5, 0.9])
    check_like_torch(npg.logit, torch.logit, x, eps=0.1)
    check_like_torch(npg.logit, torch.logit, np.array([0.0, 1.0, 2.0, -1.0, 0.5]), 1e-3, second=False)


# ----- Calls that are refused -----


def test_foreign_operands_are_refused():
    x, t = npg.ones(2), torch.ones(2)
    for other in ("a", None, [1, 2], {}):
        for apply in (operator.add, operator.mul, operator.sub, operator.pow, operator.truediv):
            with pytest.raises(TypeError):
                apply(x, other)
            with pytest.raises(TypeError):
                apply(t, other)
    assert_same_error(lambda: npg.exp(1.0), lambda: torch.exp(1.0))
    assert_same_error(lambda: npg.exp("a"), lambda: torch.exp("a"))
    assert_same_error(lambda: npg.add(x, "a"), lambda: torch.add(t, "a"))


@pytest.mark.parametrize("name", ["add", "mul", "div", "pow", "remainder", "atan2"])
def test_shapes_that_do_not_broadcast_are_refused(name):
    for left, right in (((2,), (3,)), ((2, 1), (2, 3, 4)), ((5, 2), (5,))):
        a, b = torch.ones(left), torch.ones(right)
        same_result_or_error(getattr(npg, name), getattr(torch, name), a, b)
        same_result_or_error(getattr(npg.Tensor, name + "_"), getattr(torch.Tensor, name + "_"), a, b)


def test_in_place_larger_shape_is_refused_and_changes_nothing():
    x = npg.zeros(2)
    with pytest.raises(RuntimeError, match="output with shape"):
        x.add_(npg.ones(3, 2))
    assert x.tolist() == [0, 0]


def test_out_receives_the_result():
    x, out = npg.arange(3.0), npg.empty(3)
    assert npg.exp(x, out=out) is out
    assert npg.add(x, 1, alpha=2, out=out) is out
    assert out.tolist() == [2, 3, 4]


# ----- Order of errors, names of nodes -----


@pytest.mark.parametrize("base", ["lib.tensor([True, False])", "lib.tensor(True)", "lib.tensor([1, 2])"])
def test_power_of_integers_with_a_negative_exponent_raises_torchs_error(base):
    check_error(f"{base} ** -3")


@pytest.mark.parametrize(
    "call",
    [
        "x = lib.ones(3, dtype=lib.int64); x += lib.ones(2, 1)",
        "x = lib.ones(3, dtype=lib.int64); x += lib.ones(2)",
        "x = lib.tensor(1); x += lib.ones(3)",
        "x = lib.tensor(True); x *= lib.ones(3, dtype=lib.int8)",
        "x = lib.tensor(True); x //= lib.ones(3, dtype=lib.bool)",
        "x = lib.ones(3, dtype=lib.int64); x <<= 0.5",
        "x = lib.ones(3); x <<= lib.ones(2, 1).double()",
        "lib.bitwise_and(lib.ones(3), lib.ones(2, dtype=lib.float64))",
        "x = lib.ones(3, dtype=lib.int64); x /= 2",
        "x = lib.ones(3, dtype=lib.int64); x /= lib.ones(2, 1)",
    ],
)
def test_operands_with_several_faults_raise_what_torch_looks_at_first(call):
    check_error(call)


@pytest.mark.parametrize(
    "call",
    [
        "2 - x", "2.5 - x", "x - 2", "x ** 2", "x ** x", "2 ** x", "lib.pow(x, 2)", "lib.pow(x, x)", "lib.pow(2, x)",
        "x.pow(lib.tensor(2))", "x % 2", "x % x", "lib.remainder(x, x)", "x.fmod(2)", "x.fmod(x)", "x.log1p()",
        "x.clone().pow_(x)", "x.clone().pow_(2)", "x.clone().remainder_(x)", "x.clone().fmod_(2)", "x.clone().fmod_(x)",
    ],
)  # fmt: skip
def test_node_is_named_after_torchs_overload(call):
    check(f"x = lib.tensor([1.0, 2.0], requires_grad=True); r = repr({call})")


@pytest.mark.parametrize("op", ["pow", "mod"])
def test_operator_with_a_foreign_operand_is_not_implemented(op):
    x = npg.ones(2)
    for name in (f"__{op}__", f"__i{op}__"):
        assert getattr(x, name)("a") is NotImplemented


def test_special_function_lies_in_memory_as_its_input():
    for call in ("erf", "erfc", "exp"):
        check(f"lib.zeros(2, 3, 4).permute(2, 0, 1).{call}()")
        check(f"lib.zeros(3, 2).t().{call}()")


@pytest.mark.parametrize("name", ["gcd", "gcd_", "lcm", "lcm_", "addcmul", "addcmul_", "cumsum_", "cumprod_"])
def test_dtype_without_a_kernel_is_refused_in_torchs_words(name):
    x = "lib.tensor([True, False])" if name[0] in "ac" else "lib.ones(2)"
    others = {"a": "x, x", "c": "0"}.get(name[0], "x")
    check_error(f"x = {x}; x.{name}({others})")
    if name.rstrip("_") in ("gcd", "lcm"):
        check_error(f"x = lib.tensor([True]); x.{name}(x)")
        check_error(f"x = lib.tensor([4]); x.{name}(lib.ones(1))")


def test_nextafter_has_torchs_gradient():
    setup = "a = lib.tensor([0.5, 1.0, 2.0], requires_grad=True); b = lib.tensor([1.0, 1.0, 0.0], requires_grad=True)"
    check(f"{setup}; lib.nextafter(a, b).sum().backward(); r = a.grad, b.grad")
