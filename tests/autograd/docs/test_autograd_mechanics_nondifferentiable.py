"""PyTorch's page "Autograd mechanics", section "Gradients for non-differentiable functions".

Gradients at kinks, ties, poles, boundaries, nan and infinity are those of torch.
"""

import math

import numpy as np
import pytest
import torch

import npg

INF, NAN = math.inf, math.nan


POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 6.0, INF, -INF, 1e-30, 1e30, 20.0, -20.0, 25.0]


PAIRS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, INF, -INF, NAN]


ROWS = [
    [0, 0, 0], [1, 1, 1], [0, 1, 2], [0, 0, 2], [2, 0, 0], [INF, 1, INF], [-INF, -INF, -INF], [NAN, 1, 2],
    [1, NAN, NAN], [-INF, 1, 2], [-1, -1, 0], [3, 1, 3], [1], [0],
]  # fmt: skip


ELEMENTWISE = [
    *(
        f"lib.{name}(x)"
        for name in (
            "abs acos acosh asin asinh atan atanh ceil cos cosh erf erfc erfinv exp exp2 expm1 floor frac log log10 "
            "log1p log2 logit neg positive reciprocal relu round rsqrt sigmoid sign sgn sin sinc sinh sqrt square tan "
            "tanh trunc nan_to_num"
        ).split()
    ),
    *(
        f"lib.nn.functional.{name}(x)"
        for name in (
            "relu6 elu selu celu gelu silu mish hardtanh hardswish leaky_relu logsigmoid softplus tanhshrink "
            "hardshrink softshrink"
        ).split()
    ),
    *(f"x ** {p}" for p in (0, 1, 2, 3, 0.5, -1, -2, 0.0, 1.0, 1.5)),
    *(f"lib.pow({base}, x)" for base in (0.0, 1.0, 2.0, -1.0)),
    "lib.nn.functional.threshold(x, 0.5, 7.0)",
    "lib.nn.functional.threshold(x, 0.0, 0.0)",
    "lib.nn.functional.prelu(x, lib.full((1,), 0.3, dtype=x.dtype))",
    "x.clamp(-1.0, 1.0)",
    "x.clamp(min=0.0)",
    "x.clamp(max=0.5)",
    "x.clamp(1.0, -1.0)",
    "x.clamp(float('nan'), 1.0)",
    "lib.where(x > 0, x.log(), x)",
    "lib.where(x > 0, x.sqrt(), lib.zeros_like(x))",
    "x.fmod(2.0)",
    "x.remainder(2.0)",
    "x.fmod(0.0)",
    "lib.div(x, 2.0, rounding_mode='floor')",
    "lib.div(x, 2.0, rounding_mode='trunc')",
    "x / 0.0",
    "1.0 / x",
    "x * float('inf')",
    "lib.round(x, decimals=1)",
]


BINARY = [
    *(
        f"lib.{name}(x, y)"
        for name in (
            "maximum minimum fmax fmin atan2 hypot fmod remainder pow copysign logaddexp xlogy div mul float_power "
            "addcdiv dist"
        ).split()
    ),
    *(f"lib.nn.functional.{n}(x, y)" for n in "mse_loss l1_loss smooth_l1_loss huber_loss".split()),
    "lib.lerp(x, y, 0.5)",
    "x.clamp(y, -y)",
    "x.clamp(min=y)",
    "x.clamp(max=y)",
    "lib.where(x > y, x, y)",
    "lib.div(x, y, rounding_mode='floor')",
    "lib.nn.functional.cosine_similarity(x, y, dim=0)",
]


BINARY[BINARY.index("lib.addcdiv(x, y)")] = "lib.addcdiv(x, y, x)"


REDUCTIONS = [
    *(
        f"lib.{name}(x{dim})"
        for name in "sum mean prod max min amax amin std var nansum nanmean norm aminmax".split()
        for dim in ("", ", dim=0")
    ),
    *(
        f"lib.{name}(x, 0)"
        for name in "logsumexp cumsum cumprod cummax cummin logcumsumexp softmax log_softmax".split()
    ),
    "x.median()",
    "x.nanmedian()",
    *(f"x.norm({p})" for p in (0, 0.5, 1, 1.5, 2, 3, -1, -2)),
    *(f"lib.nn.functional.normalize(x, p={p}, dim=0)" for p in (1, 2, 3)),
    *(f"lib.dist(x, lib.zeros_like(x), {p})" for p in (0, 0.5, 1, 2, 3)),
    *(f"x.{name}(dim=0, correction={k})" for name in ("std", "var") for k in (0, 1, 2)),
    "x.norm(float('inf')) if not x.isnan().any() else x.sum()",
    "x.norm(float('-inf')) if not x.isnan().any() else x.sum()",
    "lib.sort(x, stable=True)[0]",
    "lib.stack([x, x]).max()",
    "lib.stack([x, x]).amax(0)",
    "lib.nn.functional.layer_norm(x, x.shape)",
    "lib.nn.functional.rms_norm(x, x.shape)",
    "lib.nn.functional.cross_entropy(x[None], lib.tensor([0]))",
    "x.diff()",
]


def gradients(lib, source, *arrays):
    """Return the values of an expression in x (and y), and their gradients; zeros where none arrives."""
    inputs = [lib.tensor(a, requires_grad=True) for a in arrays]
    outputs = eval(source, {"lib": lib, **dict(zip("xy", inputs, strict=False))})
    outputs = [y for y in (outputs if isinstance(outputs, tuple) else (outputs,)) if y.requires_grad]
    if not outputs:
        return []
    grad_outputs = [lib.full_like(y.detach(), 1.5) for y in outputs]
    grads = lib.autograd.grad(outputs, inputs, grad_outputs, allow_unused=True)
    filled = [lib.zeros_like(x) if g is None else g for g, x in zip(grads, inputs, strict=True)]
    return [t.detach().numpy(force=True) for t in (*outputs, *filled)]


def compare(source, *arrays):
    actual, expected = gradients(npg, source, *arrays), gradients(torch, source, *arrays)
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        assert a.dtype == e.dtype
        np.testing.assert_allclose(a, e, rtol=1e-9, atol=1e-12, err_msg=f"{source} at {arrays}")


@pytest.mark.parametrize("source", ELEMENTWISE)
def test_gradient_of_elementwise_at_kinks_and_poles_is_torchs(source):
    compare(source, np.array(POINTS))


@pytest.mark.parametrize(
    "source", ["x.abs()", "x.sqrt()", "x.relu()", "x.clamp(0.0, 1.0)", "x.log()", "x ** 2", "x ** 0"]
)
def test_gradient_of_elementwise_at_nan_is_torchs(source):
    compare(source, np.array([NAN]))


@pytest.mark.parametrize("source", BINARY)
def test_gradient_of_binary_at_ties_and_poles_is_torchs(source):
    x, y = np.meshgrid(PAIRS, PAIRS)
    compare(source, x.ravel(), y.ravel())


@pytest.mark.parametrize("source", REDUCTIONS)
@pytest.mark.filterwarnings("ignore:.*degrees of freedom is <= 0")
def test_gradient_of_reduction_at_ties_zeros_and_infinities_is_torchs(source):
    for row in ROWS:
        compare(source, np.array(row, dtype=np.float64))
