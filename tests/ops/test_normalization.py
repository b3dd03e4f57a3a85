"""layer_norm, rms_norm, normalize, cosine_similarity and pairwise_distance against torch."""

import itertools
import math
import warnings
from functools import partial

import numpy as np
import pytest
import torch

import npg
from npg import _errors, engine
from npg.nn import functional as F
from npg.ops import normalization as ops
from tests.expressions import check_error
from tests.helpers import assert_like, assert_same_error, check_like_torch, drawn, same_result_or_error, strided
from tests.ops.fused import check_both, check_composite, gradients, leaf

rng = np.random.default_rng(0)
normal = partial(drawn, rng)
TF = torch.nn.functional


def layer_norm(functional, x, shape, w, b):
    return functional.layer_norm(x, shape, w, b)


# ----- layer_norm -----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("parameters", ["", "w", "b", "wb"])
@pytest.mark.parametrize(
    ("shape", "normalized"), [((6,), (6,)), ((5, 6), (6,)), ((2, 3, 6), (6,)), ((2, 3, 6), (3, 6)), ((3, 6), (3, 6))]
)
def test_layer_norm_is_like_torch(shape, normalized, parameters, dtype):
    x = normal(*shape, dtype=dtype) * dtype(3) + dtype(1)
    w = normal(*normalized, dtype=dtype) if "w" in parameters else None
    b = normal(*normalized, dtype=dtype) if "b" in parameters else None
    # Sums of squares of numbers around 10 in float32, and second derivatives of them.
    tolerance = {"rtol": 2e-5, "atol": 5e-6} if dtype is np.float32 else {}
    second = dtype is np.float64 and parameters != "b"  # which torch's double backward cannot do
    check_both(F.layer_norm, TF.layer_norm, x, normalized, weight=w, bias=b, second=second, **tolerance)


def test_layer_norm_of_any_layout_is_like_torch():
    x, w, b = normal(4, 3, 6), normal(6), normal(6)
    for a in (strided(x), x.transpose(1, 0, 2), normal(4, 3, 12)[..., 6:], np.asfortranarray(x)):
        check_both(F.layer_norm, TF.layer_norm, a, (6,), weight=strided(w), bias=b)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (3, 0), (0,)])
def test_layer_norm_of_nothing_is_like_torch(shape):
    n = shape[-1:]
    check_both(F.layer_norm, TF.layer_norm, normal(*shape), n, weight=normal(*n), bias=normal(*n), second=False)


def test_layer_norm_of_one_element_is_its_bias():
    x, w, b = leaf(normal(4, 1)), leaf(normal(1)), leaf(normal(1))
    y = F.layer_norm(x, (1,), w, b)
    np.testing.assert_allclose(y._array, np.broadcast_to(b._array, (4, 1)), atol=1e-12)
    gx, gw, gb = gradients(y, x, w, b, g=np.ones((4, 1)))
    np.testing.assert_allclose(gx, 0, atol=1e-12)
    np.testing.assert_allclose(gw, 0, atol=1e-12)
    np.testing.assert_allclose(gb, 4)


@pytest.mark.parametrize("n", [3, 5, 7, 100])
def test_layer_norm_of_equal_numbers_is_its_bias(n):
    x, b = np.repeat(np.array([[5.0], [-3.0], [0.0], [1024.0]], np.float32), n, axis=1), normal(n, dtype=np.float32)
    y = F.layer_norm(engine.wrap(x), (n,), engine.wrap(np.ones(n, np.float32)), engine.wrap(b))
    np.testing.assert_array_equal(y._array, np.broadcast_to(b, (4, n)))


@pytest.mark.parametrize("given", ["", "w", "b", "wb"])
def test_layer_norm_equals_its_composite(given):
    inputs = (normal(4, 6), normal(6) if "w" in given else None, normal(6) if "b" in given else None)
    check_composite(ops.layer_norm, inputs, {"dims": 1, "eps": 1e-5}, rtol=1e-9)


def test_layer_norm_skips_gradients_that_nobody_wants():
    x, w, b = normal(4, 6), normal(6), normal(6)
    y, saved = ops.layer_norm.forward(x, w, b, dims=1, eps=1e-5)
    full = ops.layer_norm.joint(y, y, x, w, b, saved=saved, needs=(True,) * 3, dims=1, eps=1e-5)
    for i in range(3):
        needs = tuple(i == j for j in range(3))
        part = ops.layer_norm.joint(y, y, x, w, b, saved=saved, needs=needs, dims=1, eps=1e-5)
        assert [g is None for g in part] == [i != j for j in range(3)]
        np.testing.assert_array_equal(part[i], full[i])


def test_layer_norm_result_may_be_changed_in_place():
    # Without weight and bias the normalised input, which the backward needs, must not be the result itself.
    for norm in (F.layer_norm, F.rms_norm):
        x = leaf(normal(4, 6))
        (expected,) = gradients(norm(x, (6,)), x, g=x._array)
        y = norm(x, (6,))
        y._array[...] = 0
        np.testing.assert_array_equal(gradients(y, x, g=x._array)[0], expected)


def test_layer_norm_of_half_with_parameters_of_either_dtype_is_like_torch():
    x = normal(4, 60, dtype=np.float16)
    for dtype in (np.float16, np.float32):
        w, b = normal(60, dtype=dtype), normal(60, dtype=dtype)
        assert_like(
            F.layer_norm(*map(engine.wrap, (x,)), (60,), engine.wrap(w), engine.wrap(b)),
            TF.layer_norm(torch.from_numpy(x), (60,), torch.from_numpy(w), torch.from_numpy(b)),
        )


REFUSED = [
    ((2, 3), (4,), None, None),
    ((2, 3), (3,), (4,), None),
    ((2, 3), (3,), (3,), (4,)),
    ((2, 3), 3, None, None),
    ((2, 3), (), None, None),
]


@pytest.mark.parametrize("case", REFUSED)
def test_layer_norm_refuses_as_torch_does(case):
    shape, normalized, *parameters = case

    def call(functional, make):
        return functional.layer_norm(make(*shape), normalized, *(None if p is None else make(*p) for p in parameters))

    assert_same_error(lambda: call(F, lambda *s: engine.wrap(np.ones(s))), lambda: call(TF, torch.ones))


def test_layer_norm_refuses_dtypes_as_torch_does():
    x = np.ones((2, 3), np.float32)
    assert_same_error(
        lambda: F.layer_norm(engine.wrap(x), (3,), engine.wrap(np.ones(3))),
        lambda: TF.layer_norm(torch.from_numpy(x), (3,), torch.ones(3, dtype=torch.float64)),
    )
    i = np.ones((2, 3), np.int64)
    for name in ("layer_norm", "rms_norm"):
        assert_same_error(
            lambda name=name: getattr(F, name)(engine.wrap(i), (3,)),
            lambda name=name: getattr(TF, name)(torch.from_numpy(i), (3,)),
        )


# ----- rms_norm -----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("with_weight", [False, True])
@pytest.mark.parametrize(
    ("shape", "normalized"), [((6,), (6,)), ((2, 3, 6), (6,)), ((2, 3, 6), (3, 6)), ((0, 6), (6,))]
)
@pytest.mark.parametrize("eps", [None, 1e-3])
def test_rms_norm_is_like_torch(shape, normalized, with_weight, dtype, eps):
    w = normal(*normalized, dtype=dtype) if with_weight else None
    second = dtype is np.float64 and 0 not in shape
    check_both(F.rms_norm, TF.rms_norm, normal(*shape, dtype=dtype), normalized, weight=w, eps=eps, second=second)


def test_rms_norm_equals_its_composite():
    check_composite(ops.rms_norm, (normal(4, 6), normal(6)), {"dims": 1, "eps": 1e-5}, rtol=1e-9)


# ----- Distances and directions -----


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize_is_like_torch(p, dim):
    check_like_torch(F.normalize, TF.normalize, normal(3, 4, 2), p=p, dim=dim)


def test_normalize_of_zeros_is_zero():
    check_like_torch(F.normalize, TF.normalize, np.zeros((2, 3)), second=False)


def test_normalize_writes_out():
    x, out = normal(3, 4), engine.wrap(np.empty((3, 4)))
    assert F.normalize(engine.wrap(x), out=out) is out
    np.testing.assert_allclose(np.linalg.norm(out._array, axis=1), 1.0)


@pytest.mark.parametrize(
    ("first", "second", "dim"), [((3, 4), (3, 4), 1), ((3, 4), (4,), -1), ((2, 3, 4), (3, 1), 1), ((5,), (5,), 0)]
)
def test_cosine_similarity_is_like_torch(first, second, dim):
    check_like_torch(F.cosine_similarity, TF.cosine_similarity, normal(*first), normal(*second), dim=dim)


def test_cosine_similarity_promotes_and_refuses_as_torch_does():
    i, x = np.arange(1, 7).reshape(2, 3), normal(2, 3, dtype=np.float32)
    assert_like(
        F.cosine_similarity(engine.wrap(i), engine.wrap(x)),
        TF.cosine_similarity(torch.from_numpy(i), torch.from_numpy(x)),
    )
    assert_same_error(
        lambda: F.cosine_similarity(engine.wrap(i), engine.wrap(i)),
        lambda: TF.cosine_similarity(torch.from_numpy(i), torch.from_numpy(i)),
    )
    assert_same_error(
        lambda: F.cosine_similarity(engine.wrap(normal(2, 3)), engine.wrap(normal(2, 5))),
        lambda: TF.cosine_similarity(torch.ones(2, 3), torch.ones(2, 5)),
    )


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("keepdim", [False, True])
def test_pairwise_distance_is_like_torch(p, keepdim):
    for first, second in (((3, 4), (3, 4)), ((4,), (4,)), ((3, 4), (4,))):
        check_like_torch(
            F.pairwise_distance, TF.pairwise_distance, normal(*first), normal(*second), p=p, keepdim=keepdim
        )


@pytest.mark.parametrize("shape", [(300, 128), (700, 64)])
def test_norms_of_many_rows_are_like_torch(shape):
    # So large that temporaries and the part of the gradient that the weight needs are kept scratch arrays.
    arrays = [rng.standard_normal(s) for s in (shape, shape[1:], shape[1:])]
    check_like_torch(
        lambda *a: F.layer_norm(a[0], shape[1:], *a[1:]),
        lambda *a: TF.layer_norm(a[0], shape[1:], *a[1:]),
        *arrays,
        second=False,
    )
    check_like_torch(
        lambda *a: F.rms_norm(a[0], shape[1:], a[1]),
        lambda *a: TF.rms_norm(a[0], shape[1:], a[1]),
        *arrays[:2],
        second=False,
    )


@pytest.mark.parametrize("n", [1 << 12, (1 << 12) + 1, 100_000])
@pytest.mark.parametrize("parameters", ["", "b", "wb"])
@pytest.mark.parametrize("offset", [0.0, 1e3, 3e4])
def test_layer_norm_of_long_rows_far_from_0_is_exact(n, parameters, offset):
    # One row: the rounding of its mean is not one among many, so its error may be any up to half an ulp of the mean.
    x = np.random.default_rng(1).random((3, n)).astype(np.float32) + np.float32(offset)
    w = np.linspace(0.5, 1.5, n, dtype=np.float32) if "w" in parameters else None
    b = np.linspace(-1, 1, n, dtype=np.float32) if "b" in parameters else None
    exact = x.astype(np.float64)
    exact -= exact.mean(1, keepdims=True)
    exact /= np.sqrt((exact * exact).mean(1, keepdims=True) + 1e-5)
    if w is not None:
        exact *= w
    if b is not None:
        exact += b
    actual = F.layer_norm(x, (n,), w, b)
    assert np.abs(np.asarray(actual) - exact).max() < 2e-6


@pytest.mark.parametrize("kinds", [("half", "float"), ("half", "double"), ("float", "double"), ("double", "float")])
def test_rms_norm_keeps_the_dtype_of_the_input_as_torch_does(kinds):
    x, w = (torch.arange(1.0, 4).to(getattr(torch, kind)) for kind in kinds)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mismatch dtype between input and weight")
        check_like_torch(
            lambda *a: npg.nn.functional.rms_norm(a[0], (3,), a[1], 1e-3),
            lambda *a: torch.nn.functional.rms_norm(a[0], (3,), a[1], 1e-3), x.requires_grad_(), w, second=False,
        )  # fmt: skip


def test_rms_norm_says_that_dtypes_differ(monkeypatch):
    monkeypatch.setattr(_errors, "_given", set())
    with pytest.warns(UserWarning, match="input dtype = c10::Half, weight dtype = float, Cannot dispatch"):
        npg.nn.functional.rms_norm(npg.ones(3, dtype=npg.float16), (3,), npg.ones(3))


def test_rms_norm_refuses_few_dimensions_and_integers_as_torch_does():
    for call in ("lib.tensor(1.0), (3,)", "lib.ones(3), (2, 3)", "lib.ones(3).long(), (3,), lib.ones(3)"):
        check_error(f"lib.nn.functional.rms_norm({call})")
    check_error("lib.nn.GroupNorm(0, 3)")


KINDS = [
    kinds for kinds in itertools.product(("half", "float", "double", "long"), *[("half", "float", "double")] * 2)
    if kinds != ("half", "float", "float")
]  # fmt: skip


@pytest.mark.parametrize("kinds", KINDS)
def test_norms_refuse_mixed_dtypes_as_torch_does(kinds):
    x, w, b = (f"lib.ones({n}).{kind}()" for n, kind in zip(("2, 3, 3", "3", "3"), kinds, strict=True))
    calls = [
        f"layer_norm({x}, (3,), {w}, {b})", f"group_norm({x}, 3, {w}, {b})",
        f"batch_norm({x}, None, None, {w}, {b}, True)", f"instance_norm({x}, None, None, {w}, {b})",
    ]  # fmt: skip
    for call in calls:
        if len(set(kinds)) > 1:
            check_error(f"lib.nn.functional.{call}")


@pytest.mark.parametrize("kind", ["half", "int", "bool", "byte", "long", "float"])
@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 4), (2, 3, 2, 2, 2)])
def test_local_response_norm_takes_torchs_dtypes(kind, shape):
    same_result_or_error(
        F.local_response_norm, TF.local_response_norm, getattr(torch.arange(1.0, math.prod(shape) + 1), kind)()
        .reshape(shape), 2,
    )  # fmt: skip
