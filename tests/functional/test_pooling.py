"""What pooling refuses, in torch's words."""

import numpy as np
import pytest
import torch

import npg
from npg.nn import functional as F
from tests.expressions import check_error
from tests.helpers import assert_same_error

TF = torch.nn.functional
X = {dims: np.zeros((2, 3, *(5,) * dims), np.float32) for dims in (1, 2, 3)}

SETTINGS = {
    "kernel 0": (0,), "kernel -1": (-1,), "kernel too large": (9,), "kernel of floats": (2.0,), "kernel None": (None,),
    "kernel of bools": (True,), "kernel too long": ((2,) * 4,), "kernel empty": ((),), "kernel huge": (2**63,),
    "stride 0": (2, 0), "stride -1": (2, -1), "stride too long": (2, (2,) * 4),
    "padding 2": (2, 2, 2), "padding -1": (2, 2, -1), "padding too long": (2, 2, (1,) * 4),
}  # fmt: skip
MAXIMA = {
    "dilation 0": (2, 2, 0, 0), "dilation -1": (2, 2, 0, -1), "dilation large": (3, 1, 0, 5), "mode": (2, 2, 0, 1, 1),
    "padding beyond half": (3, 1, 2, 2),
}  # fmt: skip


def shapes(dims):
    size = (5,) * dims
    return {"low": size, "high": (1, 1, 1, *size), "no channels": (2, 0, *size), "no numbers": (2, 3, *size[:-1], 0)}


def same(name, x, *args, **kwargs):
    assert_same_error(
        lambda: getattr(F, name)(npg.tensor(x), *args, **kwargs),
        lambda: getattr(TF, name)(torch.tensor(x), *args, **kwargs),
    )


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("settings", {**SETTINGS, **MAXIMA})
def test_settings_of_maxima_are_refused_as_by_torch(settings, dims):
    same(f"max_pool{dims}d", X[dims], *{**SETTINGS, **MAXIMA}[settings])


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_of_averages_are_refused_as_by_torch(settings, dims):
    if settings in ("kernel -1", "kernel of bools", "kernel huge"):
        pytest.skip("the same as of maxima, where torch has a text")
    same(f"avg_pool{dims}d", X[dims], *SETTINGS[settings])


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("shape", ["low", "high", "no channels", "no numbers"])
@pytest.mark.parametrize("name", ["max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool"])
def test_shapes_are_refused_as_by_torch(name, shape, dims):
    x = np.zeros(shapes(dims)[shape], np.float32)
    if name == "adaptive_avg_pool" and shape == "no channels" and dims < 3:
        pytest.skip("torch has no text")
    same(f"{name}{dims}d", x, 2)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("dtype", [bool, np.int32, np.uint16])
@pytest.mark.parametrize("name", ["max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool"])
def test_dtypes_are_refused_as_by_torch(name, dtype, dims):
    if name == "max_pool" and dims > 1 and dtype is np.int32:
        pytest.skip("torch has a kernel")
    same(f"{name}{dims}d", X[dims].astype(dtype), 2)


@pytest.mark.parametrize("name", ["adaptive_avg_pool", "adaptive_max_pool"])
@pytest.mark.parametrize("size", [-1, 2.0, (2,) * 6, None])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_output_sizes_are_refused_as_by_torch(name, size, dims):
    same(f"{name}{dims}d", X[dims], size)


@pytest.mark.parametrize("divisor", [0, 2.5])
def test_divisor_is_refused_as_by_torch(divisor):
    same("avg_pool2d", X[2], 2, divisor_override=divisor)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [{}, {"output_size": 9}, {"output_size": -1}, {"output_size": (2,) * 4}, {"output_ratio": (0.5,) * 4}],
    ids=str,
)
def test_fractional_settings_are_refused_as_by_torch(settings, dims):
    if dims == 3 and "output_ratio" in settings:
        pytest.skip("torch takes the first three")
    same(f"fractional_max_pool{dims}d", X[dims], 2, **settings)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("what", ["high", "negative", "dtype", "shape", "size", "length"])
def test_unpooling_is_refused_as_by_torch(what, dims):
    x = X[dims]
    at = np.zeros(x.shape, np.int32 if what == "dtype" else np.int64)
    if what in ("high", "negative"):
        at[...] = 10**6 if what == "high" else -1
    if what == "shape":
        at = at[:1]
    size = {"size": (99,) * dims, "length": (2,) * (dims + 1)}.get(what)
    assert_same_error(
        lambda: getattr(F, f"max_unpool{dims}d")(npg.tensor(x), npg.tensor(at), 2, output_size=size),
        lambda: getattr(TF, f"max_unpool{dims}d")(torch.tensor(x), torch.tensor(at), 2, output_size=size),
    )


def test_numbers_without_dimensions_are_refused_in_torchs_words():
    for call in ("fractional_max_pool2d(x, 2, 2)", "fractional_max_pool3d(x, 2, 2)", "max_unpool2d(x, x.long(), 2)",
                 "max_unpool2d(lib.ones(1), lib.ones(1).long(), 2)", "max_unpool3d(x, x.long(), 2)"):  # fmt: skip
        check_error(f"x = lib.tensor(1.0); r = lib.nn.functional.{call}")


def test_power_zero_is_refused_after_all_else_as_in_torch():
    for size in ("1, 1, 2, 2", "1, 1, 4, 4", "1, 4"):
        check_error(f"lib.nn.functional.lp_pool2d(lib.ones({size}), 0, 3)")


def test_an_average_of_a_number_is_refused_in_torchs_words():
    check_error("lib.nn.functional.avg_pool2d(lib.tensor(1.0), 2)")
