"""A quick self-check of the installation's results. `python -m npg` runs it.

Each check takes some milliseconds, changes no state of the user (seed, grad mode, threads), and raises on a wrong
result. Results are compared with values worked out by hand, with NumPy's or with PyTorch's.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from npg import nn, optim
from npg._floating import silent
from npg.autograd import gradcheck
from npg.creation import from_numpy, ones, tensor
from npg.engine import enable_grad
from npg.kernels import parallel
from npg.nn import functional as F
from npg.random import Generator, rand, randn
from npg.tensor import Tensor


def _numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _near(actual: Tensor | None, expected: Any, tolerance: float = 1e-5) -> None:
    assert actual is not None
    np.testing.assert_allclose(actual.detach().numpy(), expected, tolerance, tolerance)


def gradients_are_the_differences() -> None:
    """Check a small network's gradients in float64 against finite differences."""
    x, w, b = (from_numpy(_numbers(*shape).astype(np.float64)) for shape in ((3, 4), (5, 4), (5,)))
    for leaf in (x, w, b):
        leaf.requires_grad_()
    gradcheck(lambda x, w, b: F.log_softmax(F.gelu(F.linear(x, w, b)), -1).mul(F.tanh(w.sum())).sum(), (x, w, b))


def a_gradient_worked_out_by_hand() -> None:
    """Check that d/dx (x^2 y + y) = 2 x y and d/dy = x^2 + 1."""
    x, y = tensor([1.0, 2.0, 3.0], requires_grad=True), tensor(4.0, requires_grad=True)
    (x * x * y + y).sum().backward()
    _near(x.grad, [8.0, 16.0, 24.0])
    _near(y.grad, 17.0)


def random_numbers_are_pytorchs() -> None:
    """Check the first numbers of seed 0."""
    u, z = (draw((3,), generator=Generator().manual_seed(0)) for draw in (rand, randn))
    np.testing.assert_array_equal(
        u, np.array([0.49625658988952637, 0.7682217955589294, 0.08847743272781372], np.float32)
    )
    np.testing.assert_allclose(
        z, np.array([1.5409960746765137, -0.293428897857666, -2.1787893772125244], np.float32), 1e-6
    )


def products_are_numpys() -> None:
    """Check products of sizes with each kind of tiling, and without."""
    for m, k, n in ((1, 7, 5), (16, 128, 512), (64, 128, 384), (300, 40, 30), (1, 900, 90), (500, 200, 300)):
        a, w = _numbers(m, k), _numbers(n, k, seed=1)
        _near(F.linear(from_numpy(a), from_numpy(w)), a.astype(np.float64) @ w.T.astype(np.float64), 1e-4)


def attention_is_its_definition() -> None:
    """Check the fused kernel against softmax and products."""
    q, k, v = (from_numpy(_numbers(2, 3, 20, 8, seed=i)) for i in range(3))
    scores = q @ k.transpose(-2, -1) / 8**0.5
    later = from_numpy(np.triu(np.ones((20, 20), bool), 1))
    expected = F.softmax(scores.masked_fill(later, float("-inf")), -1) @ v
    _near(F.scaled_dot_product_attention(q, k, v, is_causal=True), expected.numpy())


def threads_do_not_change_bits() -> None:
    """Check kernels with one thread against several, also at sizes just large enough for several."""
    x, weight = from_numpy(_numbers(8, 4, 64, 32)), from_numpy(_numbers(256, 128))
    before, bits = parallel.requested(), []
    try:
        for threads in (1, 3):
            parallel.set_limit(threads)
            y = F.gelu(F.scaled_dot_product_attention(x, x, x, is_causal=True)).reshape(-1, 128)
            results = [F.linear(y[:64], weight)]
            for rows in (70, 150, 200):
                results += [F.gelu(y[:rows]), F.sigmoid(y[:rows].double()), F.layer_norm(y[:rows].double(), (128,))]
            bits.append([result.numpy().tobytes() for result in results])
    finally:
        parallel.set_limit(before)
    assert bits[0] == bits[1]


def an_optimizer_takes_the_right_step() -> None:
    """Check that AdamW's first step, after the decay, is lr, whatever the gradient's magnitude."""
    p = nn.Parameter(tensor([1.0, -2.0]))
    p.grad = tensor([0.5, -30.0])
    optim.AdamW([p], lr=0.1, weight_decay=0.01).step()
    _near(p, [1.0 * 0.999 - 0.1, -2.0 * 0.999 + 0.1])


def training_lowers_the_loss() -> None:
    """Check that fitting a line lowers the loss."""
    x = from_numpy(_numbers(64, 3))
    y = x @ tensor([[1.0], [-2.0], [0.5]]) + 0.3
    weight, bias = nn.Parameter(ones(1, 3) * 0.0), nn.Parameter(ones(1) * 0.0)
    optimizer = optim.SGD([weight, bias], lr=0.2, momentum=0.5)
    for _ in range(100):
        optimizer.zero_grad()
        F.mse_loss(F.linear(x, weight, bias), y).backward()
        optimizer.step()
    _near(weight, [[1.0, -2.0, 0.5]], 1e-3)
    _near(bias, [0.3], 1e-3)


def a_module_survives_pickling() -> None:
    """Check that a pickled and unpickled module has the same outputs."""
    model = nn.Sequential(nn.LayerNorm(4), nn.ReLU())
    x = from_numpy(_numbers(2, 4))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model))(x).detach().numpy(), model(x).detach().numpy())


def a_change_in_place_is_noticed() -> None:
    """Check that changing a saved tensor in place raises in backward."""
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    loss = y.sum()
    y.add_(1.0)
    try:
        loss.backward()
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)
    else:
        raise AssertionError("expected an error, got a gradient")


def views_share_memory_and_history() -> None:
    """Check that writing to a view changes its base."""
    x = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1.0
    y[0].mul_(10.0)
    y.sum().backward()
    _near(y, [[10.0, 20.0], [3.0, 4.0]])
    _near(x.grad, [[10.0, 10.0], [1.0, 1.0]])


def long_graphs_need_no_stack() -> None:
    """Check that backward through ten thousand operations, and freeing them, works."""
    x = tensor(1.0, requires_grad=True)
    y = x
    for _ in range(10_000):
        y = y + 1.0
    y.backward()
    _near(x.grad, 1.0)


CHECKS: tuple[Callable[[], None], ...] = (
    gradients_are_the_differences,
    a_gradient_worked_out_by_hand,
    random_numbers_are_pytorchs,
    products_are_numpys,
    attention_is_its_definition,
    threads_do_not_change_bits,
    an_optimizer_takes_the_right_step,
    training_lowers_the_loss,
    a_module_survives_pickling,
    a_change_in_place_is_noticed,
    views_share_memory_and_history,
    long_graphs_need_no_stack,
)


def failures() -> list[tuple[str, str]]:
    """Run the checks; return the name of each that fails, and the error."""
    reports = []
    with enable_grad(), silent():
        for check in CHECKS:
            try:
                check()
            except Exception as error:  # a broken installation may raise anything
                reason = str(error).strip().split("\n")[0] or "no reason given"
                reports.append((check.__name__.replace("_", " "), f"{type(error).__name__}: {reason}"))
    return reports
