"""Elementwise activations against torch: settings, in-place forms, edges, dtypes, errors."""

import math

import numpy as np
import pytest
import torch

import npg
import npg.nn.functional as F
from tests.expressions import check
from tests.helpers import check_layouts, check_like_torch, same_result_or_error

TF = torch.nn.functional
# name: settings to try.
ACTIVATIONS = {
    "relu": [()], "relu6": [()], "leaky_relu": [(), (0.2,), (0.0,), (-0.5,), (2.0,)], "elu": [(), (1.7,)],
    "selu": [()], "celu": [(), (2.0,)], "softplus": [(), (2.0, 1.9), (0.5,)], "softsign": [()], "silu": [()],
    "mish": [()], "hardtanh": [(), (-2.0, 0.5)], "hardsigmoid": [()], "hardswish": [()], "logsigmoid": [()],
    "tanhshrink": [()], "threshold": [(0.1, 20.0), (-1.0, 0.0)], "softshrink": [(), (1.0,)], "hardshrink": [(), (1.0,)],
}  # fmt: skip
IN_PLACE = [
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "silu",
    "mish",
    "hardtanh",
    "hardsigmoid",
    "hardswish",
]
EDGES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 6.0, 0.5, -0.5, 25.0, -25.0])
POSITION_AT_NAN = ("hardtanh", "relu6", "elu", "selu", "celu", "hardswish", "softshrink", "hardshrink")
CASES = [(name, settings) for name, each in ACTIVATIONS.items() for settings in each]


def draw(*shape, dtype=np.float64, seed=0):
    return (3 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def rounding(name):
    """Return the tolerance for hardsigmoid: PyTorch's float64 gradient is the float32 nearest to 1/6."""
    return {"rtol": 1e-7} if name == "hardsigmoid" else {}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_activation_any_layout_matches_torch(name, settings, dtype):
    function, reference = getattr(F, name), getattr(TF, name)
    for shape in ((3, 4), (40, 50)):
        x = draw(*shape, dtype=dtype)
        # The second-order gradient of hardsigmoid is not implemented in torch; in float32 some lose many digits.
        second = dtype is np.float64 and name != "hardsigmoid"
        calls = (lambda x: function(x, *settings)), (lambda x: reference(x, *settings))
        check_layouts(*calls, x, second=second, **rounding(name))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_activation_at_edges_matches_torch(name, settings, dtype):
    # At nan the gradients of some depend in torch on where in the array it stands: in a full vector or in the rest. At
    # infinities torch's softsign, a composite, has a gradient of nan.
    edges = EDGES[1:] if name in POSITION_AT_NAN else EDGES[3:] if name == "softsign" else EDGES
    check_like_torch(
        getattr(F, name), getattr(TF, name), edges.astype(dtype), *settings, second=False, **rounding(name)
    )


@pytest.mark.parametrize("name", IN_PLACE)
def test_activation_inplace_matches_torch(name):
    def changing(function):
        def change_(x):
            return function(x, inplace=True)

        return change_

    settings = {"second": name != "hardsigmoid", **rounding(name)}
    check_like_torch(changing(getattr(F, name)), changing(getattr(TF, name)), draw(3, 4), **settings)


@pytest.mark.parametrize("name", ["relu_", "leaky_relu_", "elu_", "selu_", "celu_", "hardtanh_"])
def test_activation_with_underscore_matches_torch(name):
    check_like_torch(getattr(F, name), getattr(TF, name), draw(3, 4))


def test_threshold_with_underscore_matches_torch():
    check_like_torch(F.threshold_, TF.threshold_, draw(3, 4), 0.5, 7.0)


@pytest.mark.parametrize("dtype", ["float16", "int64", "uint8", "bool"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_other_dtypes_match_torch(name, dtype):
    x = torch.tensor([0, 1, 2, 3, 5]).to(getattr(torch, dtype))
    same_result_or_error(getattr(F, name), getattr(TF, name), x, *ACTIVATIONS[name][0])


# ----- rrelu -----


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bounds", [(), (0.1, 0.3), (0.0, 1.0), (0.25, 0.25), (-0.5, 2.0)])
def test_rrelu_draws_torchs_slopes(dtype, bounds):
    x = draw(7, 11).astype(dtype)
    x[0, :3] = 0.0, -0.0, np.nan
    for values in (x, x.T, x[::2, 1::3]):
        results = []
        for lib in (npg, torch):
            lib.manual_seed(3)
            a = lib.from_numpy(values.copy(order="K")).requires_grad_()
            y = lib.nn.functional.rrelu(a, *bounds, training=True)
            z = lib.nn.functional.rrelu_((a * 1.0), *bounds, training=True)
            (g,) = lib.autograd.grad((y * y + z).sum(), a)
            nodes = y.grad_fn.name(), z.grad_fn.name()
            own = lib.rrelu(a.detach(), *bounds, training=True, generator=lib.Generator().manual_seed(5))
            results.append([v.detach().numpy() for v in (y, z, g, own, lib.rand(3))] + [nodes])
        for found, expected in zip(*results, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_rrelu_in_evaluation_is_like_torch():
    check_like_torch(F.rrelu, TF.rrelu, draw(3, 4))
    check_like_torch(F.rrelu, TF.rrelu, draw(3, 4), 0.1, 0.3)
    check_like_torch(npg.rrelu, torch.rrelu, draw(3, 4), 0.1, 0.3)
    x = npg.tensor(draw(3, 4))
    assert F.rrelu(x, inplace=True) is x and npg.rrelu_(x) is x
    assert F.rrelu(npg.ones(2, requires_grad=True)).grad_fn.name() == "RreluWithNoiseBackward0"


def test_rrelu_of_wrong_bounds_or_dtypes_is_refused():
    x = torch.ones(2, 3)
    for bounds in ((0.5, 0.1), (math.inf, 1.0), (math.nan, 1.0), (0.0, math.nan), (0.0, math.inf)):
        for training in (False, True):
            same_result_or_error(F.rrelu, TF.rrelu, x, *bounds, training)
    for y in (x.long(), x > 0):
        for training in (False, True):
            same_result_or_error(F.rrelu, TF.rrelu, y, 0.1, 0.2, training)
    same_result_or_error(F.rrelu, TF.rrelu, x.half(), 0.1, 0.2, True)


def test_rrelu_has_the_derivatives_of_its_slopes():
    x, t = npg.tensor(draw(3, 4)), npg.tensor(draw(3, 4, seed=1))
    npg.manual_seed(0)
    y, tangent = npg.func.jvp(lambda a: F.rrelu(a, training=True), (x,), (t,))
    np.testing.assert_allclose(tangent, t * (y / x), 1e-12)
    npg.manual_seed(0)
    rows = npg.func.vmap(lambda a: F.rrelu(a, training=True), randomness="different")(x)
    np.testing.assert_array_equal(rows, y)


# ----- prelu and glu -----


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (2, 3, 4, 5)])
def test_prelu_matches_torch(shape):
    channels = shape[1] if len(shape) > 1 else 1
    for weight in (draw(1, seed=1), draw(channels, seed=1), np.array(0.25)):
        check_like_torch(F.prelu, TF.prelu, draw(*shape), weight)
    check_like_torch(F.prelu, TF.prelu, np.array(-1.5), draw(1, seed=1))


def test_prelu_wrong_weights_are_refused():
    x = torch.ones(2, 3)
    for weight in (torch.ones(2), torch.ones(1, 3), torch.ones(3, dtype=torch.float64)):
        same_result_or_error(F.prelu, TF.prelu, x, weight)
    same_result_or_error(F.prelu, TF.prelu, torch.ones(()), torch.ones(2))


@pytest.mark.parametrize("dim", [-1, 0, 1, 2])
def test_glu_matches_torch(dim):
    check_like_torch(F.glu, TF.glu, draw(2, 4, 6), dim)
    check_like_torch(F.glu, TF.glu, draw(6, 4, 2).transpose(), dim)


def test_glu_odd_size_or_scalar_is_refused():
    for x, dim in ((torch.ones(3), -1), (torch.ones(()), -1), (torch.ones(2, 3), 1), (torch.ones(2), 3)):
        same_result_or_error(F.glu, TF.glu, x, dim)


# ----- Arguments that are refused -----


def test_settings_out_of_range_are_refused():
    x = torch.ones(2)
    same_result_or_error(F.hardtanh, TF.hardtanh, x, 2.0, 1.0)
    same_result_or_error(F.hardtanh, TF.hardtanh, torch.ones(2, dtype=torch.uint8))
    same_result_or_error(F.celu, TF.celu, x, 0.0)
    for lambd in (-1, -0.5):
        same_result_or_error(F.softshrink, TF.softshrink, x, lambd)
        same_result_or_error(F.softshrink, TF.softshrink, x.double(), lambd)


def test_in_place_on_a_leaf_is_refused():
    x = npg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        F.relu(x, inplace=True)


def test_silu_chain_of_in_place_keeps_gradients():
    x = draw(3, 4)
    check_like_torch(
        lambda x: F.relu(F.silu(x * 2, inplace=True), inplace=True),
        lambda x: TF.relu(TF.silu(x * 2, inplace=True), inplace=True),
        x,
    )


def test_numbers_of_activations_may_be_tensors_and_promote_nothing():
    for call in ("softplus(x, lib.tensor(2), lib.tensor(3))", "softshrink(x, lib.tensor(1))"):
        check(f"x = lib.ones(2) * 2; r = lib.nn.functional.{call}.dtype")
