"""Regression losses and those for two classes against torch."""

import math
import warnings

import numpy as np
import pytest
import torch

from npg import engine
from npg.nn import functional as F
from tests.expressions import check_error
from tests.helpers import assert_like, assert_same_error, both, check_like_torch, strided
from tests.ops.fused import check_both

rng = np.random.default_rng(0)
TF = torch.nn.functional
REDUCTIONS = ["mean", "sum", "none"]
REGRESSION = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss"]
BINARY = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]


def pair(name, *shape, dtype=np.float64):
    x, t = (np.asarray(2.0 * rng.standard_normal(shape)).astype(dtype) for _ in range(2))
    if name in BINARY:
        t = np.asarray(rng.random(shape)).astype(dtype)
    if name == "binary_cross_entropy":
        x = np.asarray(rng.uniform(0.05, 0.95, shape)).astype(dtype)
    if name == "soft_margin_loss":  # whose target torch does not differentiate
        t = torch.from_numpy(np.asarray(np.sign(t)))
    return x, t


def check(name, *args, second=True, **kwargs):
    check_both(getattr(F, name), getattr(TF, name), *args, second=second, **kwargs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", REGRESSION + BINARY)
def test_loss_is_like_torch(name, reduction, dtype):
    for shape in ((4, 3), (), (5,)):
        check(name, *pair(name, *shape, dtype=dtype), reduction=reduction, second=dtype is np.float64)


@pytest.mark.parametrize("name", REGRESSION + BINARY)
def test_loss_of_layouts_and_of_nothing_is_like_torch(name):
    x, t = pair(name, 4, 3)
    check(name, strided(x), t)
    check(name, np.asfortranarray(x), t)
    for reduction in REDUCTIONS:
        check(name, *pair(name, 0, 3), reduction=reduction, second=False)


@pytest.mark.parametrize("name", REGRESSION[:4])
@pytest.mark.parametrize("shapes", [((4, 3), (3,)), ((3,), (4, 3)), ((4, 1), (1, 3)), ((), (2,))])
def test_regression_loss_of_two_shapes_broadcasts_and_warns_as_torch_does(name, shapes):
    x, t = pair(name, *shapes[0])[0], pair(name, *shapes[1])[1]
    with pytest.warns(UserWarning, match="Using a target size") as caught:
        actual = getattr(F, name)(engine.wrap(x), engine.wrap(t))
    with pytest.warns(UserWarning) as expected:
        assert_like(actual, getattr(TF, name)(torch.from_numpy(x), torch.from_numpy(t)))
    assert str(caught[0].message) == str(expected[0].message).replace("torch", "npg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(name, x, t)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_regression_loss_with_weight_is_like_torch(name, reduction):
    weight = torch.from_numpy(rng.uniform(0.1, 2.0, (4, 3)))
    check(name, *pair(name, 4, 3), weight=weight, reduction=reduction)


@pytest.mark.parametrize("beta", [0.0, 0.3, 2.0])
def test_smooth_l1_loss_with_beta_is_like_torch(beta):
    check("smooth_l1_loss", *pair("smooth_l1_loss", 40), beta=beta)


@pytest.mark.parametrize("delta", [0.3, 2.0])
def test_huber_loss_with_delta_is_like_torch(delta):
    check("huber_loss", *pair("huber_loss", 40), delta=delta)


def test_regression_losses_at_their_corners_are_like_torch():
    x, t = np.array([1.0, -1.0, 0.0, 2.0, -2.0]), np.zeros(5)
    for name in REGRESSION[:4]:
        check(name, x, torch.from_numpy(t), second=False)


@pytest.mark.parametrize("name", REGRESSION[:4])
@pytest.mark.parametrize("kinds", ["fd", "df", "fl", "lf"])
def test_regression_loss_of_two_dtypes_is_like_torch(name, kinds):
    dtypes = {"f": np.float32, "d": np.float64, "l": np.int64}
    x, t = (a.astype(dtypes[k]) for a, k in zip(pair(name, 4, 3), kinds, strict=True))
    if name == "huber_loss" and kinds == "lf":  # which torch computes in integers
        return
    grad = name != "huber_loss"  # which torch does not differentiate then
    check_like_torch(getattr(F, name), getattr(TF, name), x, t, second=False, grad=grad)


@pytest.mark.parametrize("name", [*REGRESSION, "binary_cross_entropy_with_logits"])
def test_loss_of_half_is_like_torch(name):
    x, t = pair(name, 4, 3, dtype=np.float16)
    check_like_torch(getattr(F, name), getattr(TF, name), x, t, second=False)


# ----- Two classes -----


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("shape", [(4, 3), (3,), (4, 1)])
def test_binary_loss_with_weight_is_like_torch(name, reduction, shape):
    weight = torch.from_numpy(rng.uniform(0.1, 2.0, shape))
    check(name, *pair(name, 4, 3), weight=weight, reduction=reduction)


@pytest.mark.parametrize("shape", [(4, 3), (3,), (4, 1), (1,)])
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_loss_with_pos_weight_is_like_torch(shape, weighted):
    name = "binary_cross_entropy_with_logits"
    weight = torch.from_numpy(rng.uniform(0.1, 2.0, 3)) if weighted else None
    pos_weight = torch.from_numpy(rng.uniform(0.1, 3.0, shape))
    check(name, *pair(name, 4, 3), weight=weight, pos_weight=pos_weight)


def test_binary_cross_entropy_of_certainty_is_at_most_100():
    x, t = np.array([0.0, 1.0, 0.0, 1.0, 1e-60]), np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    check_like_torch(
        F.binary_cross_entropy, TF.binary_cross_entropy, x, torch.from_numpy(t), reduction="none", second=False
    )


def test_binary_cross_entropy_with_logits_of_large_logits_is_like_torch():
    x, t = np.array([1e4, -1e4, 90.0, -90.0, 0.0]), np.array([1.0, 0.0, 0.0, 1.0, 0.5])
    for dtype in (np.float32, np.float64):
        check_like_torch(
            F.binary_cross_entropy_with_logits,
            TF.binary_cross_entropy_with_logits,
            x.astype(dtype),
            t.astype(dtype),
            reduction="none",
            second=False,
        )


@pytest.mark.parametrize("value", [1.5, -0.1, math.nan])
def test_binary_cross_entropy_refuses_what_is_no_probability_as_torch_does(value):
    x, t = np.array([0.5, value]), np.array([0.5, 0.5])
    assert_same_error(
        lambda: F.binary_cross_entropy(engine.wrap(x), engine.wrap(t)),
        lambda: TF.binary_cross_entropy(torch.from_numpy(x), torch.from_numpy(t)),
    )


# ----- Errors -----


def same_error(name, first, second, **kwargs):
    assert_same_error(
        lambda: getattr(F, name)(engine.wrap(first), engine.wrap(second), **kwargs),
        lambda: getattr(TF, name)(torch.from_numpy(first), torch.from_numpy(second), **kwargs),
    )


@pytest.mark.parametrize("name", REGRESSION + BINARY)
def test_loss_refuses_a_reduction_as_torch_does(name):
    same_error(name, *(np.full(3, 0.5),) * 2, reduction="x")


@pytest.mark.parametrize("name", BINARY)
def test_binary_loss_refuses_other_shapes_as_torch_does(name):
    same_error(name, np.full((4, 3), 0.5), np.full(3, 0.5))


@pytest.mark.parametrize("name", [*REGRESSION[:4], *BINARY])
def test_loss_of_integers_is_refused_as_torch_does(name):
    same_error(name, np.ones(3, np.int64), np.ones(3, np.int64))


def test_losses_refuse_dtypes_as_torch_does():
    f, d, i = np.full(3, 0.5, np.float32), np.full(3, 0.5), np.ones(3, np.int64)
    same_error("binary_cross_entropy", f, d)
    same_error("binary_cross_entropy", f, i)
    same_error("binary_cross_entropy_with_logits", f, i)


def test_losses_refuse_settings_as_torch_does():
    x = np.full(3, 0.5)
    same_error("huber_loss", x, x, delta=0.0)
    same_error("smooth_l1_loss", x, x, beta=-1.0)
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        assert_same_error(
            lambda n=name: getattr(F, n)(*(engine.wrap(x),) * 2, weight=engine.wrap(np.ones(2))),
            lambda n=name: getattr(TF, n)(*(torch.from_numpy(x),) * 2, weight=torch.ones(2)),
        )


@pytest.mark.parametrize("name", REGRESSION[:3] + BINARY)
def test_losses_understand_the_older_arguments(name):
    x, t = pair(name, 6)
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
        actual = getattr(F, name)(engine.wrap(x), engine.wrap(t), size_average=False)
    assert_like(actual, getattr(TF, name)(torch.from_numpy(x), torch.from_numpy(t), reduction="sum"))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("target", ["float32", "float64"])
@pytest.mark.parametrize("input", ["float32", "float64"])
def test_binary_cross_entropy_with_logits_has_the_dtype_of_the_target(input, target, reduction):
    x, t = np.array([0.5, -0.2, 0.7]).astype(input), torch.tensor([1.0, 0.0, 1.0], dtype=getattr(torch, target))
    name = "binary_cross_entropy_with_logits"
    # Of mixed dtypes PyTorch rounds some steps to float32.
    near = {} if input == target else {"rtol": 1e-6, "atol": 1e-6}
    check_like_torch(getattr(F, name), getattr(TF, name), x, t, reduction=reduction, second=False, **near)


W = "lib.ones(2, 3)"


@pytest.mark.parametrize(
    "call",
    [f"{name}_loss({W}, {W}, {settings}weight={weight})" for name in ("mse", "l1", "huber")
     for settings in ("reduction='avg', ", "") for weight in (W, "lib.ones(3)") if settings or weight != W]
    + [f"huber_loss({W}, {W}, delta=-1, weight=lib.ones(3))", f"huber_loss({W}, {W}, 'avg', delta=-1, weight={W})",
       f"mse_loss({W}, lib.ones(2, 3, 2))"],
)  # fmt: skip
def test_weighted_losses_refuse_as_torch_does(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_error(f"lib.nn.functional.{call}")


@pytest.mark.parametrize("reduce", [0, False, 1, True])
def test_reduce_is_false_whatever_stands_for_false(reduce):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both(lambda lib, x, z: lib.nn.functional.mse_loss(x, z, reduce=reduce), np.ones(3), np.zeros(3))
