"""Every elementwise op at nan, infinities, zeros of both signs and where its pieces meet: value and gradient."""

import math
import warnings

import numpy as np
import pytest
import torch

import npg

VALUES = [math.nan, math.inf, -math.inf, -0.0, 0.0, 1.0, -1.0, 0.5, -0.5, 3.0, -3.0, 6.0, 20.0, -20.0, 2.0, -2.0]

_ACTIVATIONS = (
    "relu relu6 hardtanh hardshrink softshrink hardswish hardsigmoid leaky_relu elu celu selu softplus logsigmoid silu "
    "mish gelu softsign tanhshrink sigmoid tanh"
)
_UNARY = (
    "abs sqrt rsqrt exp log log1p expm1 sin cos tan asin acos atan sinh cosh asinh acosh atanh sign square reciprocal "
    "floor ceil round trunc frac erf erfc erfinv sinc logit neg exp2 log2 log10 deg2rad nan_to_num"
)
_BINARY = "maximum minimum fmax fmin atan2 hypot fmod remainder pow mul div add sub logaddexp xlogy copysign"

OPS = {name: lambda lib, x, name=name: getattr(lib.nn.functional, name)(x) for name in _ACTIVATIONS.split()}
OPS |= {name: lambda lib, x, name=name: getattr(lib, name)(x) for name in _UNARY.split()}
OPS |= {name: lambda lib, x, name=name: getattr(lib, name)(x[:, None], x[None]) for name in _BINARY.split()}
OPS |= {
    "threshold": lambda lib, x: lib.nn.functional.threshold(x, 0.5, -1.0),
    "clamp": lambda lib, x: x.clamp(-1, 1),
    "clamp of one value": lambda lib, x: x.clamp(0.5, 0.5),
    "clamp_min": lambda lib, x: x.clamp(min=0.5),
    "clamp_max": lambda lib, x: x.clamp(max=-0.5),
    "clamp to nan": lambda lib, x: x.clamp(min=math.nan),
}
# The gradient at infinity is 0 in mathematics, nan in PyTorch; and PyTorch's 1/6 is that of float32.
KNOWN = {"softsign": "at infinity", "hardsigmoid": "the float32 nearest to 1/6"}


def _same(a, b):
    return np.where(np.isnan(b), np.isnan(a), (a == b) | (np.abs(a - b) <= 1e-10 * np.abs(b)))


@pytest.mark.parametrize("name", OPS)
def test_op_at_special_values_is_like_torch(name):
    # In float64: the float32 kernels of torch give other gradients at nan in some lanes of a vector than in others.
    results = []
    for lib in (npg, torch):
        x = lib.tensor(VALUES, dtype=lib.float64, requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            y = OPS[name](lib, x)
            (g,) = lib.autograd.grad(y, x, lib.ones_like(y))
        results.append((y.detach().numpy(), g.numpy()))
    with np.errstate(all="ignore"):
        (y, g), (ty, tg) = results
        assert _same(y, ty).all()
        right = _same(g, tg)
        if name in KNOWN:
            finite = np.isfinite(VALUES)
            assert np.allclose(g[finite], tg[finite], 1e-6) and not right.all()
        else:
            assert right.all(), [(VALUES[i], g[i], tg[i]) for i in np.flatnonzero(~right)]
