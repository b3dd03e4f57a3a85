"""Tangents sent forward: the same products as by two reverse passes, over PyTorch's own samples of every op."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
import torch

import npg
from npg.func import _derivatives, _forward

from ..autograd.test_saved import mapped, tensors
from ..helpers import Unsupported, to_npg
from ..op_samples import samples_of
from ..test_op_db import forms, op_db

SAMPLES = 6

OPS = [op for op in op_db if op.supports_autograd and forms(op)]
# torch.func.jvp loads what PyTorch itself calls deprecated.
pytestmark = [
    pytest.mark.usefixtures("quick_samples"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A list that gets, for each product, whether it was swept."""
    seen: list[bool] = []

    def noted(*args: Any) -> Any:
        found = _forward.sweep(*args)
        seen.append(found is not NotImplemented)
        return found

    monkeypatch.setattr(_derivatives, "sweep", noted)
    return seen


def product(lib: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """Return jvp of a function at its float64 tensors, with tangents of their own; None where there is none."""
    primals = [t for t in tensors((args, list(kwargs.values())), lib.Tensor) if t.dtype == lib.float64]
    rng = np.random.default_rng(0)
    tangents = tuple(lib.from_numpy(np.array(rng.uniform(0.5, 1.5, tuple(t.shape)))) for t in primals)

    def of(*given: Any) -> Any:
        found = iter(given)
        swap = lambda t: next(found) if t.dtype == lib.float64 else t
        a, k = mapped(args, lib.Tensor, swap), mapped(kwargs, lib.Tensor, swap)
        lib.manual_seed(0)
        return tuple([y for y in tensors(function(*a, **k), lib.Tensor) if y.dtype == lib.float64])

    if not primals:
        return None
    return lib.func.jvp(of, tuple(primals), tangents)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.formatted_name)
def test_swept_product_is_torchs(op: Any, ways: list[bool], monkeypatch: Any) -> None:
    form = forms(op)[0]
    for given, settings in samples_of(op, SAMPLES):
        try:
            args, kwargs = to_npg(given), to_npg(settings)
        except Unsupported:
            continue
        with monkeypatch.context() as patch:
            patch.setattr(_derivatives, "sweep", lambda *_: NotImplemented)
            try:
                expected = product(npg, form.npg_fn, args, kwargs)
            except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
                continue
        del ways[:]
        found = product(npg, form.npg_fn, args, kwargs)
        if found is None or not ways[-1]:
            continue
        # Where torch has no forward mode, loses it (the chunks of linear_cross_entropy), or 1/6 in single precision
        # (hardsigmoid), two reverse passes judge.
        with contextlib.suppress(RuntimeError, TypeError, NotImplementedError):
            if op.name not in ("nn.functional.hardsigmoid", "nn.functional.linear_cross_entropy"):
                expected = product(torch, op.op, given, settings)
        for f, e in zip((*found[0], *found[1]), (*expected[0], *expected[1]), strict=True):
            assert tuple(f.shape) == tuple(e.shape) and f.dtype == npg.float64
            np.testing.assert_allclose(f.numpy(), e.numpy(), rtol=1e-9, atol=1e-10)


def test_common_ops_are_swept(ways: list[bool]) -> None:
    x, w = (npg.from_numpy(np.random.default_rng(s).uniform(0.5, 1.5, (3, 3))) for s in (0, 1))
    targets = npg.tensor([0, 2, 1])

    def f(x: Any, w: Any) -> Any:
        F = npg.nn.functional
        h = F.gelu(F.linear(x, w, w[0])) @ w + x.tanh() / w
        h = npg.cat([h.t(), npg.stack([x[0], w[1], x.sum(0)])]).softmax(-1)[:3]
        h = npg.where(h > 0.2, h, h.exp()).reshape(9).view(3, 3).clamp(0.1, 5).cumsum(0)
        h = npg.maximum(h, w).masked_fill(x > 1.4, 0.0).tril() + sum(part.mean() for part in h.split(1))
        return F.cross_entropy(h.log_softmax(-1), targets), F.mse_loss(h, w), h.flip(0).roll(1, 0).expand(2, 3, 3)

    out, found = npg.func.jvp(f, (x, w), (w, x))
    assert ways == [True]
    _, expected = torch.func.jvp(
        lambda x, w: _torch(x, w, torch.tensor([0, 2, 1])), tuple(map(_to_torch, (x, w))), tuple(map(_to_torch, (w, x)))
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10)


def _to_torch(t: Any) -> Any:
    return torch.from_numpy(t.numpy().copy())


def _torch(x: Any, w: Any, targets: Any) -> Any:
    F = torch.nn.functional
    h = F.gelu(F.linear(x, w, w[0])) @ w + x.tanh() / w
    h = torch.cat([h.t(), torch.stack([x[0], w[1], x.sum(0)])]).softmax(-1)[:3]
    h = torch.where(h > 0.2, h, h.exp()).reshape(9).view(3, 3).clamp(0.1, 5).cumsum(0)
    h = torch.maximum(h, w).masked_fill(x > 1.4, 0.0).tril() + sum(part.mean() for part in h.split(1))
    return F.cross_entropy(h.log_softmax(-1), targets), F.mse_loss(h, w), h.flip(0).roll(1, 0).expand(2, 3, 3)


def test_the_shape_of_a_tangent_may_change_where_its_strides_do_not_allow_a_view(ways: list[bool]) -> None:
    x, w = (npg.from_numpy(np.random.default_rng(s).uniform(0.5, 1.5, (3, 3))) for s in (0, 1))

    def f(x: Any, w: Any) -> Any:
        return x.sum().reshape(1), x.mean().view(1, 1), (x.sum(0) * w).view(9), (x.t() @ w).view(9), x.sum().squeeze()

    found = npg.func.jvp(f, (x, w), (w, x))
    assert ways == [True]
    expected = torch.func.jvp(f, (_to_torch(x), _to_torch(w)), (_to_torch(w), _to_torch(x)))
    for a, b in zip((*found[0], *found[1]), (*expected[0], *expected[1]), strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_a_node_without_a_rule_is_left_to_two_reverse_passes(ways: list[bool]) -> None:
    x = npg.from_numpy(np.random.default_rng(0).normal(size=(2, 3)))
    _, found = npg.func.jvp(lambda t: t.cumprod(1) * t, (x,), (x + 1,))
    t = _to_torch(x)
    _, expected = torch.func.jvp(lambda t: t.cumprod(1) * t, (t,), (t + 1,))
    assert ways == [False]
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-10)


def test_a_transformer_block_is_swept(ways: list[bool]) -> None:
    def f(lib: Any) -> Any:
        F = lib.nn.functional
        index = lib.tensor([[0, 3, 1], [2, 2, 4]])

        def block(table: Any, w: Any, b: Any, g: Any) -> Any:
            x = F.embedding(index, table)
            h = F.layer_norm(x, (4,), g, b)
            q, k, v = F.linear(h, w).split(4, -1)
            heads = lambda t: t.view(2, 3, 2, 2).transpose(1, 2)
            y = F.scaled_dot_product_attention(heads(q), heads(k), heads(v), is_causal=True)
            x = x + y.transpose(1, 2).contiguous().view(2, 3, 4)
            h = F.rms_norm(x, (4,), g) + F.glu(F.linear(x, w[:8]), -1)
            best, _ = h.topk(2, -1)
            return F.cross_entropy(h.flatten(0, 1), index.flatten() % 4), h.logsumexp(-1), h.std(-1), best, h.amax(1)

        return block

    rng = np.random.default_rng(0)
    shapes = (5, 4), (12, 4), (4,), (4,)
    primals = [npg.from_numpy(rng.normal(size=s)) for s in shapes]
    tangents = [npg.from_numpy(rng.normal(size=s)) for s in shapes]
    out, found = npg.func.jvp(f(npg), tuple(primals), tuple(tangents))
    assert ways == [True]
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # the one that has a forward mode
        expected = torch.func.jvp(f(torch), tuple(map(_to_torch, primals)), tuple(map(_to_torch, tangents)))
    for a, b in zip((*out, *found), (*expected[0], *expected[1]), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-11)


def test_an_output_that_does_not_depend_has_a_tangent_of_zero(ways: list[bool]) -> None:
    x = npg.tensor([1.0, 2.0])
    _, (a, b, c) = npg.func.jvp(lambda t: (t * 2, npg.ones(3), t), (x,), (npg.ones(2),))
    assert (a.tolist(), b.tolist(), c.tolist()) == ([2.0, 2.0], [0.0, 0.0, 0.0], [1.0, 1.0])


def test_a_value_changed_in_place_after_its_use_is_refused() -> None:
    def f(t: Any) -> Any:
        w = t * 1
        y = w * w
        w.add_(1)
        return y

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        npg.func.jvp(f, (npg.ones(2),), (npg.ones(2),))


def test_jvp_under_vmap_and_grad_is_that_of_a_loop() -> None:
    f = lambda x, v: npg.func.jvp(lambda t: npg.tanh(t @ t) * t, (x,), (v,))[1]
    xs, vs = (npg.from_numpy(np.random.default_rng(s).normal(size=(4, 3))) for s in (0, 1))
    found = npg.vmap(f)(xs, vs)
    np.testing.assert_allclose(found.numpy(), np.stack([f(x, v).numpy() for x, v in zip(xs, vs)]), rtol=1e-12)
    g = npg.func.grad(lambda x: f(x, vs[0]).sum())(xs[0])
    t = [_to_torch(a) for a in (xs[0], vs[0])]
    e = torch.func.grad(lambda x: torch.func.jvp(lambda t: torch.tanh(t @ t) * t, (x,), (t[1],))[1].sum())(t[0])
    np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-10)


# Functions of one (3, 4) tensor, each with a rule of its own.
RULES = {
    "layer_norm": lambda x: npg.nn.functional.layer_norm(x, (4,), x[0], x[1]),
    "rms_norm": lambda x: npg.nn.functional.rms_norm(x, (4,), x[0]),
    "attention": lambda x: npg.nn.functional.scaled_dot_product_attention(x[None], x[None] * 2, x[None].exp()),
    "embedding": lambda x: npg.nn.functional.embedding(npg.tensor([[0, 1], [2, 0]]), x),
    "topk": lambda x: x.topk(2)[0],
    "max": lambda x: x.max(0)[0],
    "amax": lambda x: x.amax(1),
    "std": lambda x: x.std(0),
    "prod": lambda x: x.prod(),
    "glu": lambda x: npg.nn.functional.glu(x),
    "addmm": lambda x: npg.addmm(x[:3, :3], x[:3, :3], x[:3, :3], beta=0.5, alpha=2.0),
    "inv": lambda x: npg.linalg.inv(x[:3, :3] + npg.eye(3, dtype=x.dtype) * 5),
    "det": lambda x: npg.linalg.det(x[:3, :3]),
    "einsum": lambda x: npg.einsum("ij,kj->ik", x, x.sin()),
    "pad": lambda x: npg.nn.functional.pad(x, (1, 2), value=3.0),
    "gather": lambda x: x.gather(1, npg.tensor([[0, 1], [2, 3]])),
    "scatter": lambda x: x.scatter(1, npg.tensor([[0], [1], [2]]), x[:, :1] * 2),
    "index_put": lambda x: x.clone().index_put((npg.tensor([0]),), x[1]),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", RULES)
def test_swept_product_under_vmap_is_that_of_a_loop_of_two_passes(name: str, dtype: str, monkeypatch: Any) -> None:
    rng = np.random.default_rng(0)
    xs, vs = (npg.from_numpy(rng.uniform(0.3, 1.5, (5, 3, 4)).astype(dtype)) for _ in range(2))
    product = lambda x, v: npg.func.jvp(RULES[name], (x,), (v,))[1]
    found = npg.func.vmap(product)(xs, vs)
    monkeypatch.setattr(_derivatives, "sweep", lambda *_: NotImplemented)
    expected = npg.stack([product(x, v) for x, v in zip(xs, vs, strict=True)])
    tolerances = {"rtol": 1e-9, "atol": 1e-11} if dtype == "float64" else {"rtol": 1e-3, "atol": 1e-4}
    assert found.dtype is expected.dtype is getattr(npg, dtype)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), **tolerances)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "var"])
def test_tangents_over_many_rows_keep_their_digits(name: str) -> None:
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((200_000, 2), np.float32), rng.random((200_000, 2), np.float32) + np.float32(1000)
    function = {
        "softmax": lambda x: x.softmax(0) * len(x),
        "log_softmax": lambda x: x.log_softmax(0),
        "var": lambda x: (x * x).var(0),
    }[name]
    found, exact = (
        npg.func.jvp(function, (npg.from_numpy(x.astype(dtype)),), (npg.from_numpy(v.astype(dtype)),))[1].numpy()
        for dtype in (np.float32, np.float64)
    )
    np.testing.assert_allclose(found, exact, rtol=1e-4, atol=2e-3)
