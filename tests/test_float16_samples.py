"""float16 beyond single elements: PyTorch's samples of every op that it has in float16, and the steps of optimizers.

What is right says tests/half.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import npg

from .half import steps, worse, wrong
from .helpers import Unsupported, tensors_in, to_npg
from .op_samples import name_of
from .test_op_db import UNDEFINED, forms

pytestmark = pytest.mark.usefixtures("quick_samples")

# The rule multiplies y three times, and y was rounded to float16.
NEAR = {"rsqrt": 2}


# ----- PyTorch's samples -----

# Of several equal elements another may be meant, and float16 samples have equal ones.
TIES = {"argsort", "sort", "msort", "topk", "mode", "kthvalue"}
# Several ops in either library, which round between them; of grids, cubic functions of places rounded to float32.
COMPOSITE = {
    "grid_sampler_2d",
    "linalg.multi_dot",
    "nn.functional.bilinear",
    "nn.functional.cosine_embedding_loss",
    "nn.functional.cosine_similarity",
    "nn.functional.gaussian_nll_loss",
    "nn.functional.normalize",
    "nn.functional.poisson_nll_loss",
    "nn.functional.triplet_margin_loss",
    "nn.functional.triplet_margin_with_distance_loss",
    "nn.functional.pairwise_distance",
    "nn.functional.scaled_dot_product_attention",
}
SAMPLES = 10


def _in_double(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        y = x.detach().double() if x.dtype == torch.half else x.detach().clone()
        return y.requires_grad_(x.requires_grad)
    if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
        return type(x)(map(_in_double, x))
    if isinstance(x, dict):
        return {k: _in_double(v) for k, v in x.items()}
    return torch.double if x is torch.half else x


def _compare_arrays(what: str, ours: Any, theirs: Any, exact: Any, composite: bool, near: int = 1) -> None:
    a, b, c = ours.detach().numpy(), theirs.detach().numpy(force=True), exact.detach().numpy(force=True)
    assert (a.dtype, a.shape) == (b.dtype, b.shape), what
    if a.dtype != np.float16:
        close = np.allclose(a, b, 1e-6, 1e-7, equal_nan=True) if a.dtype.kind == "f" else np.array_equal(a, b)
        assert close, what
        return
    bad = worse(a, b, c) if composite else wrong(a, b, c, near).any()
    assert not bad, f"{what}: {a}, PyTorch {b}, exact {c}"


HALF_OPS = [op for op in op_db if torch.half in op.dtypes and op.name not in UNDEFINED | TIES and forms(op)]


# PyTorch warns once a process, npg every time.
@pytest.mark.filterwarnings("ignore:Using (torch|npg).cross without specifying the dim arg:UserWarning")
@pytest.mark.parametrize("op", HALF_OPS, ids=name_of)
def test_samples_of_op_db(op):
    form, composite = forms(op)[0], op.name in COMPOSITE
    samples = list(op.sample_inputs("cpu", torch.half, requires_grad=op.supports_autograd))
    for s in samples[:: max(1, len(samples) // SAMPLES)]:
        given = (s.input, *s.args), dict(s.kwargs)
        try:
            sides = [to_npg(given), given, _in_double(given)]
        except Unsupported:
            continue
        results = []
        try:
            for args, kwargs in sides[1:]:
                torch.default_generator.manual_seed(42)
                results.append(form.torch_fn(*args, **kwargs))
        except Exception:
            continue  # PyTorch itself refuses
        npg.manual_seed(42)
        results.insert(0, form.npg_fn(*sides[0][0], **sides[0][1]))
        found = [list(tensors_in(r)) for r in results]
        assert len(found[0]) == len(found[1])
        for ours, theirs, exact in zip(*found, strict=True):
            _compare_arrays("value", ours, theirs, exact, composite)
        _compare_gradients([list(tensors_in(side)) for side in sides], found, composite, NEAR.get(op.name, 1))


def _compare_gradients(leaves: list[list[Any]], results: list[list[Any]], composite: bool, near: int) -> None:
    places = [i for i, x in enumerate(leaves[1]) if x.requires_grad]
    outputs = [i for i, y in enumerate(results[1]) if y.requires_grad]
    assert [i for i, y in enumerate(results[0]) if y.requires_grad] == outputs
    if not places or not outputs or any(results[1][i].dtype != torch.half for i in outputs):
        return
    rng = np.random.default_rng(0)
    gs = [np.asarray(rng.random(tuple(results[1][i].shape)) + 0.5).astype(np.float16) for i in outputs]
    found: list[Any] = []
    for k, (lib, dtype) in ((1, (torch, np.float16)), (2, (torch, np.float64)), (0, (npg, np.float16))):
        ys, xs = [results[k][i] for i in outputs], [leaves[k][i] for i in places]
        try:
            cotangents = [lib.from_numpy(g.astype(dtype)) for g in gs]
            found.append(lib.autograd.grad(ys, xs, cotangents, allow_unused=True))
        except (RuntimeError, NotImplementedError):
            if not k:
                raise
            return  # PyTorch has no derivative
    for theirs, exact, ours in zip(*found, strict=True):
        if ours is not None and theirs is not None:
            _compare_arrays("gradient", ours, theirs, exact, composite, near)
        else:
            given = theirs if ours is None else ours
            assert given is None or not given.numpy().any()


# ----- Optimizers -----

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    (name, {**more, **kwargs})
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "RAdam")
    for more in ({}, {"weight_decay": 0.125})  # which PyTorch does not round
    for kwargs in ({}, {"lr": 1e-4}, *([{"momentum": 0.9}] if name in ("SGD", "RMSprop") else []))
]


@pytest.mark.parametrize(("name", "kwargs"), SETTINGS)
def test_step_of_a_float16_parameter(name, kwargs):
    rng = np.random.default_rng(3)
    start = rng.standard_normal(200).astype(np.float16)
    for scale in (1e-5, 1e-2, 1, 100):
        g = (rng.standard_normal(200) * scale).astype(np.float16)
        results = []
        for lib, dtype in ((npg, np.float16), (torch, np.float16), (torch, np.float64)):
            p = lib.nn.Parameter(lib.from_numpy(start.astype(dtype)))
            p.grad = lib.from_numpy(g.astype(dtype))
            more = {} if lib is npg else {"foreach": False}
            getattr(lib.optim, name)([p], **kwargs, **more).step()
            results.append(p.detach().numpy())
        assert np.array_equal(np.isfinite(results[0]), np.isfinite(results[1]))
        assert not worse(*results)


@pytest.mark.parametrize("name", ["RMSprop", "Adagrad"])
def test_step_after_half_in_the_middle_is_finite(name):
    """The state stays float32, and eps is added to it before anything is rounded."""
    results = []
    for lib in (npg, torch):
        layer = lib.nn.Linear(3, 2)
        with lib.no_grad():
            for p in layer.parameters():
                p.fill_(0.5)
        optimizer = getattr(lib.optim, name)(layer.parameters(), **({} if lib is npg else {"foreach": False}))
        for dtype in (lib.float32, lib.float16, lib.float16):
            layer.to(dtype)
            optimizer.zero_grad()
            (layer(lib.tensor([[0.0, 1e-3, 1.0]], dtype=dtype)) * 1e-2).sum().backward()
            optimizer.step()
        results.append(layer.weight.detach().numpy())
    assert np.isfinite(results[0]).all()
    assert steps(*results).max() <= 1
