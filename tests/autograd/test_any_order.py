"""Gradients of third order through every op that npg offers, over PyTorch's own samples.

Second order is compared in tests/test_op_db.py. Here three backward passes are recorded one on the other; each gradient
is weighed with numbers of its own, so that no part can cancel.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import npg

from ..helpers import Unsupported, to_npg
from ..op_samples import samples_of
from ..test_op_db import forms, op_db
from .test_saved import mapped, tensors

pytestmark = pytest.mark.usefixtures("quick_samples")

ORDERS = 3
SAMPLES = 4
SMALL = 200  # elements of all arguments together

# Where the libraries differ, and why.
DIFFERENT = {
    "nn.functional.layer_norm": "PyTorch's third derivative takes mean and deviation for constants; see the test below",
    "linalg.eigh": "the sign of an eigenvector is free",
    "linalg.pinv": "samples that count as Hermitian have gradients of several forms",
    "linalg.norm": "at zero, where the second derivative does not exist: npg has 0, PyTorch nan",
    "logcumsumexp": "PyTorch's third derivative is nan; see the test below",
    "nn.functional.normalize": "terms of a million cancel to zero, and leave other remainders",
    "nextafter": "has no gradient",
    "nn.functional.linear_cross_entropy.chunked": "PyTorch's second derivative is 0",
    "nn.functional.linear_cross_entropy.chunked_none": "PyTorch's second derivative is 0",
}

OPS = [
    op
    for op in op_db
    if op.supports_autograd and op.supports_gradgrad and not {op.name, op.full_name} & DIFFERENT.keys() and forms(op)
]  # fmt: skip


def gradients(lib: Any, function: Any, args: Any, kwargs: Any) -> list[list[Any]]:
    """Return the gradients of all leaves for each order; the list ends where nothing depends on a leaf any more."""
    leaves: list[Any] = []

    def leaf(t: Any) -> Any:
        if t.dtype != lib.float64:
            return t
        leaves.append(t.detach().clone().requires_grad_())
        return leaves[-1]

    args, kwargs = mapped(args, lib.Tensor, leaf), mapped(kwargs, lib.Tensor, leaf)
    lib.manual_seed(0)
    current = [y for y in tensors(function(*args, **kwargs), lib.Tensor) if y.requires_grad]
    found = []
    for order in range(ORDERS):
        if not current:
            break
        rng = np.random.default_rng(order)
        weights = [lib.from_numpy(np.array(rng.uniform(0.5, 1.5, tuple(y.shape)))) for y in current]
        total = sum((y * w).sum() for y, w in zip(current, weights, strict=True))
        grads = lib.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
        found.append([None if g is None else g.detach().numpy() for g in grads])
        current = [g for g in grads if g is not None and g.requires_grad]
    return found


def assert_close(found: list[list[Any]], expected: list[list[Any]]) -> None:
    for order, (ours, theirs) in enumerate(itertools.zip_longest(found, expected, fillvalue=()), 1):
        for f, e in itertools.zip_longest(ours, theirs):  # a missing gradient is zero
            a, b = (np.zeros(()) if x is None else x for x in (f, e))
            scale = np.max(np.abs(b[np.isfinite(b)]), initial=1.0)
            assert np.allclose(a, b, 1e-8, 1e-10 * scale, equal_nan=True), f"order {order}: {a} instead of {b}"


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.formatted_name)
def test_third_order_is_torchs(op: Any) -> None:
    form = forms(op)[0]
    for args, kwargs in samples_of(op, SAMPLES):
        if sum(t.numel() for t in tensors((args, list(kwargs.values())), torch.Tensor)) > SMALL:
            continue
        try:
            expected = gradients(torch, form.torch_fn, args, kwargs)
            ours = to_npg(args), to_npg(kwargs)
        except (
            RuntimeError,
            NotImplementedError,
            TypeError,
            Unsupported,
        ):  # torch refuses, or npg has no such value
            continue
        assert_close(gradients(npg, form.npg_fn, *ours), expected)


def test_ops_are_many() -> None:
    assert len(OPS) > 250


FUNCTIONS = {
    "layer_norm": lambda t: npg.nn.functional.layer_norm(t, (3,)),
    "logcumsumexp": lambda t: npg.logcumsumexp(t, 1),
    "normalize": lambda t: npg.nn.functional.normalize(t),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_third_order_is_the_difference_of_the_second(name: str) -> None:
    x, w = (np.random.default_rng(s).normal(size=(2, 3)) for s in (0, 1))

    def second(values: Any) -> Any:
        t, weight = npg.from_numpy(np.array(values)).requires_grad_(), npg.from_numpy(w)
        y = FUNCTIONS[name](t)
        (g,) = npg.autograd.grad((y * weight).sum(), t, create_graph=True)
        (h,) = npg.autograd.grad((g * weight * weight).sum(), t, create_graph=True)
        return t, (h * weight).sum()

    t, value = second(x)
    (found,) = npg.autograd.grad(value, t)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-6
        difference = (second(x + step)[1] - second(x - step)[1]).item() / 2e-6
        assert abs(found[place].item() - difference) < 1e-7
