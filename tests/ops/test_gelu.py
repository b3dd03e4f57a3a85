"""GELU, both forms, against torch and against float64."""

import math

import numpy as np
import pytest
import torch

from npg import engine
from npg._floating import silent
from npg.kernels import programs
from npg.nn import functional as F
from npg.ops import gelu as ops
from tests.helpers import assert_same_error, strided
from tests.ops.fused import check_both, check_composite, gradients, leaf

rng = np.random.default_rng(0)
TF = torch.nn.functional
FORMS = {"none": ops.gelu, "tanh": ops.gelu_tanh}


@pytest.mark.parametrize("approximate", FORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gelu_of_any_layout_is_like_torch(approximate, dtype):
    # For |x| above 3 the slope of the tanh form loses some digits to 1 - tanh^2, in PyTorch as here.
    x = rng.uniform(-3, 3, (4, 3, 5)).astype(dtype)
    for a in (x, strided(x), x.transpose(2, 0, 1), x[0, 0, 0], x[:0], np.asfortranarray(x)):
        check_both(F.gelu, TF.gelu, np.asarray(a), approximate=approximate)


@pytest.mark.parametrize("approximate", FORMS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gelu_of_nothing_is_nothing(approximate, dtype):
    y = F.gelu(engine.wrap(np.ones((0, 3), dtype)), approximate=approximate)._array
    assert (y.shape, y.dtype) == ((0, 3), dtype)


@pytest.mark.parametrize("approximate", FORMS)
def test_gelu_equals_its_composite(approximate):
    check_composite(FORMS[approximate], (rng.standard_normal((3, 7)),), {})


@pytest.mark.parametrize("approximate", FORMS)
def test_gelu_in_float32_is_exact_to_rounding_everywhere(approximate):
    x = np.concatenate([np.linspace(-12, 12, 1_200_001), np.logspace(-30, 4, 2001), -np.logspace(-30, 4, 2001)])
    x = x.astype(np.float32)
    t = torch.from_numpy(x.astype(np.float64)).requires_grad_()
    expected = TF.gelu(t, approximate=approximate)
    slope = torch.autograd.grad(expected.sum(), t)[0].numpy()
    leaf_x = leaf(x)
    y = F.gelu(leaf_x, approximate=approximate)
    (gx,) = gradients(y, leaf_x, g=np.ones_like(x))
    scale = np.maximum(np.abs(x.astype(np.float64)), 1.0)
    assert (np.abs(y._array - expected.detach().numpy()) / scale).max() < 4e-7
    assert np.abs(gx - slope).max() < (4e-7 if approximate == "none" else 3e-6)


@pytest.mark.parametrize("has_avx512", [True, False])
def test_gelu_in_float32_is_exact_to_rounding_in_the_form_for_each_processor(has_avx512, monkeypatch):
    monkeypatch.setattr(ops, "HAS_AVX512", has_avx512)
    x = np.linspace(-12, 12, 240_001).astype(np.float32)
    with silent():  # as the engine runs an op
        phi = programs.Program(lambda x: ops._phi_single(x, x * x), arguments=(("x",), ()))(x)
    assert np.abs(phi - torch.special.ndtr(torch.from_numpy(x.astype(np.float64))).numpy()).max() < 1.3e-7


@pytest.mark.parametrize("approximate", FORMS)
def test_gelu_of_large_numbers_is_the_number_or_zero(approximate):
    x = np.array([-1e30, -1e6, -50.0, 50.0, 1e6, 1e30, math.nan], np.float32)
    y = F.gelu(engine.wrap(x), approximate=approximate)._array
    np.testing.assert_array_equal(y, [0, 0, 0, 50.0, np.float32(1e6), np.float32(1e30), math.nan])


def test_gelu_in_several_blocks_equals_one(monkeypatch):
    x = rng.standard_normal(1000).astype(np.float32)
    in_one_block = [op.forward(x) for op in FORMS.values()]
    monkeypatch.setattr(programs, "BLOCK", 64)
    for kernel in (ops._gelu_single_and_slope, ops._gelu_tanh_and_slope):
        monkeypatch.setattr(kernel, "_runner", kernel._run)
    for op, (y, saved) in zip(FORMS.values(), in_one_block, strict=True):
        again, slope = op.forward(x)
        np.testing.assert_array_equal(again, y)
        np.testing.assert_array_equal(slope[0], saved[0])


@pytest.mark.parametrize("approximate", FORMS)
def test_gelu_without_a_backward_keeps_nothing(approximate):
    x = rng.standard_normal(10).astype(np.float32)
    y, saved = FORMS[approximate].forward(x, keep=False)
    assert saved == ()
    np.testing.assert_array_equal(y, FORMS[approximate].forward(x)[0])


def test_gelu_of_half_is_like_torch():
    x = rng.standard_normal(50).astype(np.float16)
    check_both(F.gelu, TF.gelu, x, second=False)


def test_gelu_refuses_as_torch_does():
    x, t = engine.wrap(np.ones(2)), torch.ones(2)
    assert_same_error(lambda: F.gelu(x, approximate="x"), lambda: TF.gelu(t, approximate="x"))
    assert_same_error(lambda: F.gelu(x, "tanh"), lambda: TF.gelu(t, "tanh"))
    assert_same_error(lambda: F.gelu(engine.wrap(np.arange(2))), lambda: TF.gelu(torch.arange(2)))
