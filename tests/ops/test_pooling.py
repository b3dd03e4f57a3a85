"""Pooling against torch: values, places, gradients, layouts, dtypes, batches and tangents."""

import numpy as np
import pytest
import torch

import npg
from npg.nn import functional as F
from tests.helpers import assert_like, check_like_torch, strided

rng = np.random.default_rng(0)
TF = torch.nn.functional

# Function: its settings for images of 6 x 7.
CASES = [
    ("max_pool2d", (2,), {}),
    ("max_pool2d", (3, 2, 1), {}),
    ("max_pool2d", ((3, 2), (1, 2), (1, 0), (2, 1)), {"ceil_mode": True}),
    ("avg_pool2d", (2,), {}),
    ("avg_pool2d", (3, 2, 1), {"count_include_pad": False, "ceil_mode": True}),
    ("avg_pool2d", ((2, 3), 1), {"divisor_override": -3}),
    ("adaptive_avg_pool2d", (1,), {}),
    ("adaptive_avg_pool2d", ((3, 7),), {}),
    ("adaptive_avg_pool2d", ((4, None),), {}),
    ("adaptive_max_pool2d", ((3, 4),), {}),
    ("adaptive_max_pool2d", ((8, 7),), {}),
    ("lp_pool2d", (3.0, 2), {}),
]
IDS = [f"{name}{settings}" for name, settings, _ in CASES]


def images(*shape, dtype=np.float64):
    return rng.standard_normal(shape).astype(dtype)


def last(x, lib):
    return x.contiguous(memory_format=lib.channels_last)


@pytest.mark.parametrize(("name", "settings", "more"), CASES, ids=IDS)
def test_pooling_is_like_torch(name, settings, more):
    for x in (images(2, 3, 6, 7), strided(images(2, 3, 6, 7)), images(2, 3, 7, 6).swapaxes(2, 3)[:, ::-1]):
        check_like_torch(
            lambda t: getattr(F, name)(t, *settings, **more), lambda t: getattr(TF, name)(t, *settings, **more), x
        )


@pytest.mark.parametrize(("name", "settings", "more"), CASES[:-1], ids=IDS[:-1])
def test_channels_last_is_kept(name, settings, more):
    x = images(2, 3, 6, 7, dtype=np.float32)
    found = getattr(F, name)(last(npg.tensor(x), npg), *settings, **more)
    expected = getattr(TF, name)(last(torch.tensor(x), torch), *settings, **more)
    assert_like(found, expected)
    assert found.is_contiguous(memory_format=npg.channels_last)
    assert expected.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", ["max_pool1d", "avg_pool1d", "adaptive_max_pool1d", "adaptive_avg_pool1d"])
def test_channels_of_signals_stay_innermost_as_in_torch(name):
    strides = []
    for lib in (npg, torch):
        x = lib.ones(2, 5, 3).transpose(1, 2).requires_grad_()
        y = getattr(lib.nn.functional, name)(x, 2)
        strides.append((y.stride(), lib.autograd.grad(y.sum(), x)[0].stride()))
    assert strides[0] == strides[1]


@pytest.mark.parametrize("name", ["max_pool2d", "adaptive_max_pool2d"])
@pytest.mark.parametrize("special", [np.nan, -np.inf, 1.0])
def test_places_of_equal_numbers_and_nan_are_torchs(name, special):
    x = images(2, 3, 8, 8)
    x[rng.random(x.shape) < 0.6] = special
    for size in (2, 3):
        found = getattr(F, name)(npg.tensor(x), size, return_indices=True)
        assert_like(found, getattr(TF, name)(torch.tensor(x), size, return_indices=True))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8])
def test_integers_are_like_torch(dtype):
    x = rng.integers(0, 100, (2, 3, 7, 8)).astype(dtype)
    assert_like(F.max_pool2d(npg.tensor(x), 3, 2, 1), TF.max_pool2d(torch.tensor(x), 3, 2, 1))
    assert_like(
        F.max_pool1d(npg.tensor(x[0]), 3, 2, 1, return_indices=True),
        TF.max_pool1d(torch.tensor(x[0]), 3, 2, 1, return_indices=True),
    )
    if dtype is np.int64:
        y = x - 50  # quotients are truncated
        assert_like(F.avg_pool2d(npg.tensor(y), 3, 2, 1), TF.avg_pool2d(torch.tensor(y), 3, 2, 1))


@pytest.mark.parametrize(("name", "settings", "more"), CASES[:-1], ids=IDS[:-1])
def test_float16_is_like_torch(name, settings, more):
    x = images(2, 3, 6, 7, dtype=np.float16)
    ours, theirs = npg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, expected = getattr(F, name)(ours, *settings, **more), getattr(TF, name)(theirs, *settings, **more)
    assert_like(y, expected, rtol=1e-3, atol=1e-3)
    y.sum().backward()
    expected.sum().backward()
    assert_like(ours.grad, theirs.grad, rtol=4e-3, atol=4e-3)


@pytest.mark.parametrize("shape", [(3, 6, 7), (0, 3, 6, 7)])
@pytest.mark.parametrize(("name", "settings", "more"), CASES, ids=IDS)
def test_one_image_and_no_images_are_like_torch(name, settings, more, shape):
    x = images(*shape)
    assert_like(
        getattr(F, name)(npg.tensor(x), *settings, **more), getattr(TF, name)(torch.tensor(x), *settings, **more)
    )


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_nodes_have_torchs_names(dims):
    x = images(1, 2, *(4,) * dims)
    for name in ("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool", "fractional_max_pool"):
        if dims == 1 and name.startswith("fractional"):
            continue
        function = f"{name}{dims}d"
        settings = {"output_size": 2} if name.startswith("fractional") else {}
        nodes = [
            getattr(lib.nn.functional, function)(lib.tensor(x, requires_grad=True), 2, **settings).grad_fn.name()
            for lib in (npg, torch)
        ]
        assert nodes[0] == nodes[1]


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unpooling_is_like_torch(dims):
    x = images(2, 3, *(6,) * dims)
    _, at = getattr(TF, f"max_pool{dims}d")(torch.tensor(x), 2, return_indices=True)
    name, values = f"max_unpool{dims}d", images(*at.shape)
    check_like_torch(
        lambda v: getattr(F, name)(v, npg.tensor(at.numpy()), 2), lambda v: getattr(TF, name)(v, at, 2), values
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_fractional_windows_are_torchs(dims):
    name, x = f"fractional_max_pool{dims}d", images(2, 3, *(9,) * dims, dtype=np.float32)
    torch.manual_seed(3)
    npg.manual_seed(3)
    for size in (2, 4):
        found = getattr(F, name)(npg.tensor(x), 3, output_size=size, return_indices=True)
        assert_like(found, getattr(TF, name)(torch.tensor(x), 3, output_size=size, return_indices=True))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # in torch.func
@pytest.mark.parametrize(("name", "settings", "more"), CASES, ids=IDS)
def test_batches_and_tangents_are_torchs(name, settings, more):
    x, t = images(3, 2, 2, 6, 7), images(2, 2, 6, 7)

    def results(lib, convert):
        def pool(u):
            return getattr(lib.nn.functional, name)(u.abs() + 0.1, *settings, **more)

        batch, one = convert(x), convert(t)
        return [
            lib.func.vmap(pool)(batch),
            lib.func.vmap(lib.func.grad(lambda u: (pool(u) ** 3).sum()))(batch),
            lib.func.jvp(pool, (batch[0],), (one,))[1],
            lib.func.jvp(lib.func.grad(lambda u: (pool(u) ** 3).sum()), (batch[0],), (one,))[1],
        ]

    for found, expected in zip(results(npg, npg.tensor), results(torch, torch.tensor), strict=True):
        assert_like(found, expected, rtol=1e-9, atol=1e-9)
