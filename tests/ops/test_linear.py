"""linear and bilinear against torch."""

from functools import partial

import numpy as np
import pytest
import torch

from npg import engine
from npg.nn import functional as F
from npg.ops import linear as linear_ops
from npg.ops.linear import linear as op
from tests.expressions import check, check_error
from tests.helpers import assert_same_error, check_like_torch, drawn, strided
from tests.ops.fused import check_both, gradients, leaf

rng = np.random.default_rng(0)
normal = partial(drawn, rng)
TF = torch.nn.functional


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("lead", [(), (1,), (5,), (2, 3), (2, 3, 4), (0,), (2, 0)])
def test_linear_of_any_leading_shape_is_like_torch(lead, bias, dtype):
    args = [normal(*lead, 6, dtype=dtype), normal(4, 6, dtype=dtype)]
    check_both(F.linear, TF.linear, *args, *([normal(4, dtype=dtype)] if bias else []))


def test_linear_without_features_is_like_torch():
    check_both(F.linear, TF.linear, normal(3, 0), normal(4, 0), normal(4))
    check_both(F.linear, TF.linear, normal(2, 3, 5), normal(0, 5), normal(0))


def test_linear_of_layouts_that_blas_refuses_is_like_torch():
    x, w, b = normal(7, 6), normal(4, 6), normal(4)
    for change in (strided, lambda a: a[::-1].copy()[::-1], lambda a: np.asfortranarray(a)):
        check_both(F.linear, TF.linear, change(x), change(w), strided(b))
    check_both(F.linear, TF.linear, normal(3, 5, 6).transpose(1, 0, 2), w, b)
    check_both(F.linear, TF.linear, normal(3, 5, 12)[..., 3:9], w, b)


def test_linear_takes_a_gradient_that_is_one_number_expanded():
    # The gradient of a sum: strides of 0.
    x, w, b = (leaf(normal(*s)) for s in ((2, 3, 6), (4, 6), (4,)))
    g = np.broadcast_to(np.float64(2.0), (2, 3, 4))
    gx, gw, gb = gradients(F.linear(x, w, b), x, w, b, g=g)
    np.testing.assert_allclose(gx, np.broadcast_to(2.0 * w._array.sum(0), (2, 3, 6)), 1e-12)
    np.testing.assert_allclose(gw, np.broadcast_to(2.0 * x._array.sum((0, 1)), (4, 6)), 1e-12)
    np.testing.assert_allclose(gb, [12.0] * 4)


@pytest.mark.parametrize("shape", [(), (1,), (5, 4), (1, 4)])
def test_linear_with_a_bias_that_broadcasts_is_like_torch(shape):
    check_both(F.linear, TF.linear, normal(5, 6), normal(4, 6), normal(*shape))


def test_linear_with_a_vector_as_weight_is_like_torch():
    for lead in ((), (3,), (2, 3)):
        check_both(F.linear, TF.linear, normal(*lead, 6), normal(6))


@pytest.mark.parametrize(("rows", "out"), [(768, 512), (768, 384), (1021, 200), (6, 40_000), (64, 8192), (4096, 65)])
def test_linear_on_many_rows_adds_the_bias_to_each(rows, out):
    arrays = normal(rows, 2, dtype=np.float32), normal(out, 2, dtype=np.float32), normal(out, dtype=np.float32)
    y = F.linear(*map(engine.wrap, arrays))._array
    np.testing.assert_array_equal(y, F.linear(*map(engine.wrap, arrays[:2]))._array + arrays[2])


def test_linear_of_integers_is_like_torch():
    a, w = np.arange(6).reshape(2, 3), np.arange(12).reshape(4, 3)
    check_like_torch(F.linear, TF.linear, a, w, np.arange(4))


def test_linear_of_half_is_computed_in_float32():
    x, w = normal(3, 300, dtype=np.float16), normal(4, 300, dtype=np.float16)
    y = F.linear(engine.wrap(x), engine.wrap(w))._array
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y, (x.astype(np.float32) @ w.astype(np.float32).T).astype(np.float16))


def test_linear_saves_only_what_the_wanted_gradients_need():
    x, w, b = normal(3, 6), leaf(normal(4, 6)), leaf(normal(4))
    y = F.linear(engine.wrap(x), w, b)
    engine.bump_version(w)  # its values are not needed, because x needs no gradient
    gw, gb = gradients(y, w, b)
    np.testing.assert_allclose(gw, np.broadcast_to(x.sum(0), (4, 6)))
    np.testing.assert_allclose(gb, [3.0] * 4)
    assert op.saves((True, False, True)) == (0, (1, 2, 0))


def test_linear_keeps_float32_in_float32():
    x, w, b = (leaf(normal(*s, dtype=np.float32)) for s in ((3, 6), (4, 6), (4,)))
    y = F.linear(x, w, b)
    assert y._array.dtype == np.float32
    assert [g.dtype for g in gradients(y, x, w, b)] == [np.float32] * 3


SHAPES = [
    ((2, 3), (5, 4), None),
    ((2, 3), (5, 4), (5,)),
    ((7, 2, 3), (5, 4), (5,)),
    ((3,), (5, 4), None),
    ((2, 3), (5, 3), (4,)),
    ((2, 3), (2, 5, 3), None),
    ((), (5, 3), None),
    ((2, 3), (3,), ()),
]


@pytest.mark.parametrize("shapes", SHAPES)
def test_linear_refuses_shapes_as_torch_does(shapes):
    arrays = [None if s is None else normal(*s) for s in shapes]
    assert_same_error(
        lambda: F.linear(*(None if a is None else engine.wrap(a) for a in arrays)),
        lambda: TF.linear(*(None if a is None else torch.from_numpy(a) for a in arrays)),
    )


@pytest.mark.parametrize("dtypes", ["df", "fd", "dff", "ffd", "lf", "fl"])
def test_linear_refuses_mixed_dtypes_as_torch_does(dtypes):
    kinds = {"d": np.float64, "f": np.float32, "l": np.int64}
    arrays = [np.ones(s, kinds[k]) for s, k in zip(((2, 3), (5, 3), (5,)), dtypes, strict=False)]
    assert_same_error(lambda: F.linear(*map(engine.wrap, arrays)), lambda: TF.linear(*map(torch.from_numpy, arrays)))


def test_linear_refuses_what_is_no_tensor():
    assert_same_error(lambda: F.linear([1.0], engine.wrap(normal(2, 1))), lambda: TF.linear([1.0], torch.ones(2, 1)))


@pytest.mark.parametrize("lead", [(), (3,), (2, 3), (0,)])
@pytest.mark.parametrize("bias", [False, True])
def test_bilinear_is_like_torch(lead, bias):
    args = [normal(*lead, 3), normal(*lead, 4), normal(5, 3, 4)]
    check_both(F.bilinear, TF.bilinear, *args, *([normal(5)] if bias else []))


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3), (3, 4), (5, 3, 4), (5,)),
        ((2, 3), (2, 5), (5, 3, 4), (5,)),
        ((2, 2), (2, 4), (5, 3, 4), (5,)),
        ((2, 3), (2, 4), (5, 3, 4), (4,)),
        ((2, 3), (2, 2, 4), (5, 3, 4), (5,)),
    ],
)
def test_bilinear_refuses_shapes_as_torch_does(shapes):
    arrays = [normal(*s) for s in shapes]
    assert_same_error(
        lambda: F.bilinear(*map(engine.wrap, arrays)), lambda: TF.bilinear(*map(torch.from_numpy, arrays))
    )


@pytest.mark.parametrize("bias", ["None", "lib.ones(4)"])
@pytest.mark.parametrize("shape", ["3", "2, 3", "2, 5, 3", "1, 2, 5, 3"])
def test_node_is_named_after_torchs_last_step(shape, bias):
    call = f"lib.nn.functional.linear(lib.ones({shape}), lib.ones(4, 3, requires_grad=True), {bias})"
    check(f"repr({call})")


ARGUMENTS = ("lib.ones(2, 3)", "lib.ones(2, 4)", "lib.ones(5, 3, 4)", "lib.ones(5)")


@pytest.mark.parametrize("at, what", [
    (0, "lib.tensor(1.0)"), (1, "lib.ones(2, 4).double()"), (1, "lib.ones(2, 2, 4).double()"), (2, "lib.ones(5, 3)"),
    (2, "lib.ones(5, 3, 4).half()"), (3, "lib.tensor(1.0)"), (3, "lib.ones(5).double()"), (3, "lib.ones(4)"),
])  # fmt: skip
def test_bilinear_refuses_dtypes_and_ranks_as_torch_does(at, what):
    check_error(f"lib.nn.functional.bilinear({', '.join([*ARGUMENTS[:at], what, *ARGUMENTS[at + 1 :]])})")


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    ("rows", "n", "k"),
    [
        *[((), 3, 4), ((1,), 16, 16), ((7,), 5, 3), ((2, 3), 1, 9), ((1,), 512, 130)],
        *[((1,), 3, 9000), ((4,), 2, 700), ((0,), 3, 4), ((2,), 3, 0)],
    ],
)
def test_small_layers_in_c_give_the_bits_of_a_product_and_a_sum(rows, n, k, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(shape).astype(dtype) for shape in ((*rows, k), (n, k), (n,)))
    odd = np.lib.stride_tricks.as_strided(x, x.shape, tuple(28 if m == 1 else s for m, s in zip(x.shape, x.strides)))
    expected = []
    for small in (linear_ops._small, None):
        monkeypatch.setattr(linear_ops, "_small", small)
        for given in (x, odd, np.asfortranarray(x)):
            for bias in (b, None):
                expected.append(linear_ops.linear.forward(given, w, bias))
    for y, e in zip(expected[:6], expected[6:], strict=True):
        np.testing.assert_array_equal(y, e)
        assert y.shape == (*rows, n)
