"""How many bytes an op allocates at its highest, in units of its largest input: forward, and forward with backward.

NumPy tells tracemalloc of every array, so the count is the same on every run. What is kept between calls (scratch) is
made by a first call. The bounds are what an op must make (its result, its gradients, what it saves) and 0.15 for blocks
and for bools that must be whole. The gradient that backward starts from stands before.

docs/memory.md has PyTorch's peaks beside npg's, of resident memory.
"""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import npg
from npg.kernels import blas_rows, blocks, parallel, programs, sums
from npg.nn import functional
from npg.ops import softmax, special

SIDE = 512  # 1 MB of float32
SPARE = 0.15


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    # Who computes a part has scratch of its own, and which threads come in time is chance.
    monkeypatch.setattr(parallel._pool, "limit", 1)
    # As if the arrays were 16 times as long on each side.
    monkeypatch.setattr(blocks, "LARGE", 1 << 14)
    monkeypatch.setattr(blocks, "BLOCK", 1 << 11)
    monkeypatch.setattr(programs, "BLOCK", 1 << 11)
    monkeypatch.setattr(blas_rows, "LIMIT", 1 << 15)
    monkeypatch.setattr(softmax, "LIMIT", 1 << 15)
    monkeypatch.setattr(softmax, "_LINE", 1 << 4)
    monkeypatch.setattr(sums, "_PLACES", 1 << 12)
    monkeypatch.setattr(special, "_BLOCK", 1 << 9)


class Bound(NamedTuple):
    """What an op is given and may allocate.

    Attributes:
        function: of some arrays.
        count: how many arrays of SIDE x SIDE it takes.
        forward, both: what it may allocate, in units of one such array. `both` counts the result and all gradients.
    """

    function: Callable[..., Any]
    count: int
    forward: float
    both: float | None


RNG = np.random.default_rng(0)
ROWS = npg.from_numpy(RNG.integers(0, SIDE, SIDE))
ROW = npg.from_numpy(RNG.random(SIDE, np.float32) + 1)
PLACES = npg.from_numpy(RNG.integers(0, SIDE, (SIDE, SIDE)))
CLASSES = npg.from_numpy(RNG.integers(0, SIDE, SIDE))

BOUNDS = {
    # One result, one gradient: temporaries are of a block's size.
    **{
        name: Bound(function, 1, 1, 2)
        for name, function in {
            "tanh": npg.tanh,
            "sigmoid": npg.sigmoid,
            "exp": npg.exp,
            "log": npg.log,
            "sqrt": npg.sqrt,
            "rsqrt": npg.rsqrt,
            "square": npg.square,
            "pow 3": lambda x: x**3,
            "pow 2.5": lambda x: x**2.5,
            "reciprocal": npg.reciprocal,
            "asin": npg.asin,
            "atan": npg.atan,
            "sinc": npg.sinc,
            "erf": npg.erf,
            "erfinv": npg.erfinv,
            "logit": npg.logit,
            "softplus": functional.softplus,
            "logsigmoid": functional.logsigmoid,
            "silu": functional.silu,
            "mish": functional.mish,
            "elu": functional.elu,
            "selu": functional.selu,
            "celu": functional.celu,
            "leaky_relu": functional.leaky_relu,
            "relu": functional.relu,
            "relu6": functional.relu6,
            "hardtanh": functional.hardtanh,
            "hardswish": functional.hardswish,
            "hardsigmoid": functional.hardsigmoid,
            "hardshrink": functional.hardshrink,
            "softshrink": functional.softshrink,
            "softsign": functional.softsign,
            "tanhshrink": functional.tanhshrink,
            "threshold": lambda x: functional.threshold(x, 0.5, 0.0),
            "clamp": lambda x: x.clamp(0.2, 0.8),
            "nan_to_num": npg.nan_to_num,
            "frac": npg.frac,
            "round decimals": lambda x: npg.round(x, decimals=2),
            "remainder": lambda x: x % 0.3,
            "abs": npg.abs,
            "times a number": lambda x: x * 2.0,
            "gelu": functional.gelu,
            "gelu tanh": lambda x: functional.gelu(x, approximate="tanh"),
            "softmax": lambda x: npg.softmax(x, 1),
            "softmax of columns": lambda x: npg.softmax(x, 0),
            "log_softmax": lambda x: npg.log_softmax(x, 1),
            "log_softmax of columns": lambda x: npg.log_softmax(x, 0),
            "layer_norm": lambda x: functional.layer_norm(x, (SIDE,), ROW, ROW),
            "rms_norm": lambda x: functional.rms_norm(x, (SIDE,), ROW),
            "index rows": lambda x: x[ROWS],
            "cumsum": lambda x: x.cumsum(1),
            "cumsum of columns": lambda x: x.cumsum(0),
            "index columns": lambda x: x[:, ROWS],
            "index_select": lambda x: npg.index_select(x, 0, ROWS),
        }.items()
    },
    **{
        name: Bound(function, 2, 1, 3)
        for name, function in {
            "add": npg.add,
            "mul": npg.mul,
            "div": npg.div,
            "atan2": npg.atan2,
            "hypot": npg.hypot,
            "logaddexp": npg.logaddexp,
            "xlogy": npg.xlogy,
            "maximum": npg.maximum,
            "fmin": npg.fmin,
            "lerp": lambda a, b: npg.lerp(a, b, 0.3),
            "pow": npg.pow,
            "clamp tensors": lambda a, b: a.clamp(min=b),
        }.items()
    },
    "addcmul": Bound(npg.addcmul, 3, 1, 4),
    "addcdiv": Bound(npg.addcdiv, 3, 1, 4),
    "where": Bound(lambda a, b: npg.where(a > b, a, b), 2, 1.25, 3.25),  # with the condition
    # Places are int64, two units.
    "sort": Bound(lambda x: npg.sort(x, 1)[0], 1, 3, 4),
    "sort of columns": Bound(lambda x: npg.sort(x, 0)[0], 1, 3, 4),
    "argsort": Bound(lambda x: npg.argsort(x, 1), 1, 2, None),
    "gather": Bound(lambda x: x.gather(1, PLACES), 1, 1, 2),
    "gather of columns": Bound(lambda x: x.gather(0, PLACES), 1, 1, 2),
    "scatter": Bound(lambda x, s: x.scatter(1, PLACES, s), 2, 1, 3),
    "scatter_add": Bound(lambda x, s: x.scatter_add(0, PLACES, s), 2, 1, 3),
    # The losses of the elements are one array.
    **{
        name: Bound(function, 2, 1, 3)
        for name, function in {
            "mse_loss": functional.mse_loss,
            "huber_loss": functional.huber_loss,
            "smooth_l1_loss": functional.smooth_l1_loss,
            "binary_cross_entropy": functional.binary_cross_entropy,
            "binary_cross_entropy_with_logits": functional.binary_cross_entropy_with_logits,
        }.items()
    },
    "soft_margin_loss": Bound(functional.soft_margin_loss, 2, 1, None),
    "isclose": Bound(npg.isclose, 2, 0.25, None),
}


def arrays(count: int) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(1)
    return [rng.random((SIDE, SIDE), np.float32) * np.float32(0.9) + np.float32(0.05) for _ in range(count)]


def peak(step: Callable[[], Any]) -> float:
    """Return the most that a step allocates, in units of one array."""
    step()
    gc.collect()
    tracemalloc.start()
    try:
        result = step()
        return tracemalloc.get_traced_memory()[1] / (4 * SIDE * SIDE)
    finally:
        tracemalloc.stop()
        del result


@pytest.mark.parametrize("name", BOUNDS)
def test_op_allocates_what_it_gives_and_saves(name):
    function, count, forward, both = BOUNDS[name]
    xs = [npg.from_numpy(a) for a in arrays(count)]
    assert peak(lambda: function(*xs)) <= forward + SPARE
    if both is None:
        return
    g = npg.full_like(function(*xs), 0.5)
    xs = [x.requires_grad_() for x in xs]

    def step() -> Any:
        y = function(*xs)
        return y, npg.autograd.grad(y, xs, g)

    copies = count if os.environ.get("NPG_ENGINE") == "python" else 0  # it cannot see who else holds a gradient
    assert peak(step) <= both + copies + SPARE


IN_PLACE = {
    "mul_": lambda x: x.mul_(2.0),
    "clamp_": lambda x: x.clamp_(0.1, 0.9),
    "relu_": lambda x: x.relu_(),
    "sigmoid_": lambda x: x.sigmoid_(),
    "tanh_": lambda x: x.tanh_(),
    "pow_": lambda x: x.pow_(2.5),
    "lerp_": lambda x: x.lerp_(x, 0.5),
    "addcmul_": lambda x: x.addcmul_(x, x, value=0.5),
    "addcdiv_": lambda x: x.addcdiv_(x, x, value=0.5),
    "erfinv_": lambda x: x.erfinv_(),
    "leaky_relu_": lambda x: functional.leaky_relu(x, inplace=True),
    "elu_": lambda x: functional.elu(x, inplace=True),
    "remainder_": lambda x: x.remainder_(0.3),
    "fill_": lambda x: x.fill_(1.0),
    "masked_fill_": lambda x: x.masked_fill_(x > 0.5, 1.0),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_op_in_place_allocates_blocks_only(name):
    x = npg.from_numpy(arrays(1)[0])
    assert peak(lambda: IN_PLACE[name](x)) <= SPARE + 0.25 * (name == "masked_fill_")


# ----- Reductions and attention -----

LONG = {
    "columns": ((1 << 19, 20), 0),
    "long columns": ((1024, 10240), 0),
    "columns of each": ((64, 400, 400), 1),
    "columns of steps": ((2, 1 << 19, 10), (0, 1)),
    "no runs": ((400, 64, 400), (0, 2)),
}


@pytest.mark.parametrize(("function", "most"), [("sum", 0.75), ("std", 1.0)])
@pytest.mark.parametrize("name", LONG)
def test_reduction_allocates_blocks_only(name, function, most):
    shape, dim = LONG[name]
    x = npg.ones(shape)  # 40 MB
    assert peak(lambda: getattr(x, function)(dim)) <= most


@pytest.mark.parametrize("shape", [(1024, 1024), (3, 600, 600), (1024, 1024, 1)])
def test_argwhere_allocates_its_result_and_is_that_of_numpy(shape):
    x = npg.from_numpy(np.random.default_rng(0).random(shape) > 0.5)
    places = npg.argwhere(x)
    for y in (places, x[1:].nonzero()):
        expected = np.argwhere(x.numpy() if y is places else x[1:].numpy())
        np.testing.assert_array_equal(y.numpy(), expected)
        assert y.numpy().strides == expected.strides
    assert peak(lambda: npg.argwhere(x)) <= places.nbytes / (1 << 20) + 2


@pytest.mark.parametrize("is_causal", [False, True])
def test_attention_allocates_gradients_and_tiles(is_causal):
    q, k, v = (npg.zeros(4, 4, 512, 64, requires_grad=True) for _ in range(3))  # 2 MB each

    def step() -> Any:
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=is_causal)
        return y, npg.autograd.grad(y.sum(), (q, k, v))  # whose gradient is one number in every place

    copies = 6 if os.environ.get("NPG_ENGINE") == "python" else 0  # as above
    assert peak(step) <= 8 + copies + 1.5


def _triangle(dtype: Any = npg.float32) -> Any:
    return npg.ones(512, 512, dtype=npg.bool).tril() if dtype is npg.bool else npg.zeros(512, 512)


# In units of 1 MB: what a mask, and its gradient, may take beside the gradients of query, key and value. All scores
# would take 16.
MASKS = {
    "bool": (lambda: _triangle(npg.bool), 0.25),
    "floating": (_triangle, 0),
    "with a gradient": (lambda: _triangle().requires_grad_(), 3),  # added up in float64
    "expanded": (lambda: _triangle(npg.bool).expand(4, 4, 512, 512), 0.25),
    "of each head, bool": (lambda: _triangle(npg.bool).expand(4, 4, 512, 512).contiguous(), 4),  # its copy
    "of each head, with a gradient": (lambda: npg.zeros(1, 4, 512, 512, requires_grad=True), 12),
    "padding": (lambda: npg.arange(512).expand(4, 1, 1, 512) < 400, 0.5),
}


@pytest.mark.parametrize("name", MASKS)
def test_attention_with_a_mask_allocates_no_scores(name):
    make, more = MASKS[name]
    mask = make()
    q, k, v = (npg.zeros(4, 4, 512, 64, requires_grad=True) for _ in range(3))  # 2 MB each
    leaves = (q, k, v, mask)[: 3 + mask.requires_grad]

    def step() -> Any:
        y = functional.scaled_dot_product_attention(q, k, v, mask)
        return y, npg.autograd.grad(y.sum(), leaves)

    copies = 6 if os.environ.get("NPG_ENGINE") == "python" else 0  # as above
    assert peak(step) <= 8 + copies + more + 1.5


def test_attention_with_dropout_keeps_a_bit_for_each_score():
    q, k, v = (npg.zeros(4, 4, 512, 64, requires_grad=True) for _ in range(3))

    def step() -> Any:
        y = functional.scaled_dot_product_attention(q, k, v, dropout_p=0.1)
        return y, npg.autograd.grad(y.sum(), (q, k, v))

    copies = 6 if os.environ.get("NPG_ENGINE") == "python" else 0  # as above
    assert peak(step) <= 8 + copies + 0.5 + 2.5


@pytest.mark.parametrize("bool_masks", [False, True])
def test_decoder_layer_with_masks_and_padding_allocates_no_scores(bool_masks):
    """Twice as long takes twice as much; of bool masks one that is turned round is kept."""

    def used(length: int) -> float:
        layer = npg.nn.TransformerDecoderLayer(64, 4, 64, dropout=0.0, batch_first=True)
        x = npg.ones(2, length, 64)
        mask = npg.ones(length, length, dtype=npg.bool).triu(1)
        padding = npg.arange(length).expand(2, length) >= length - 3
        if not bool_masks:
            mask, padding = (npg.zeros(m.shape).masked_fill(m, -npg.inf) for m in (mask, padding))
        kwargs = {"tgt_mask": mask, "tgt_key_padding_mask": padding, "memory_key_padding_mask": padding}
        return peak(lambda: layer(x, x, **kwargs).sum().backward())

    assert used(1024) <= 2.4 * used(512) + bool_masks  # all scores would take 32


# ----- Blocks give the same -----

UNLIKE = {
    *(n for n in BOUNDS if "loss" in n or "entropy" in n),
    "softmax",
    "softmax of columns",
    "log_softmax",
    "log_softmax of columns",
    "layer_norm",
    "rms_norm",
}
LAYOUTS = {
    "contiguous": lambda a: a,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "sliced": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "three dimensions": lambda a: a.reshape(4, -1, SIDE),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", BOUNDS)
def test_op_in_blocks_gives_what_it_gives_as_a_whole(name, layout, monkeypatch):
    function, count, _, both = BOUNDS[name]
    if (name in UNLIKE or name.startswith(("index", "gather", "scatter"))) and layout == "three dimensions":
        return
    xs = [npg.from_numpy(LAYOUTS[layout](a[: SIDE // 4])) for a in arrays(count)]
    if name.startswith("index") or "gather" in name or "scatter" in name:
        xs = [npg.from_numpy(LAYOUTS[layout](a)) for a in arrays(count)]
    found = []
    for large in (1 << 14, 1 << 62):
        monkeypatch.setattr(blocks, "LARGE", large)
        if large > 1 << 14:
            monkeypatch.setattr(blas_rows, "LIMIT", 1 << 30)
            monkeypatch.setattr(softmax, "LIMIT", 1 << 30)
            monkeypatch.setattr(sums, "_PLACES", 1 << 30)
            monkeypatch.setattr(blocks, "BLOCK", 1 << 30)
        leaves = [x.detach().requires_grad_(both is not None) for x in xs]
        y = function(*leaves)
        results = [y]
        if both is not None:
            results += npg.autograd.grad(y, leaves, npg.full_like(y, 0.5), retain_graph=True)
            results += npg.autograd.grad(y.sum(), leaves)
        found.append([r.numpy(force=True) for r in results])
    for a, b in zip(*found, strict=True):
        assert a.strides == b.strides and a.dtype == b.dtype
        if name in UNLIKE:
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", ["softplus", "gelu", "elu", "sinc", "div", "where", "addcdiv"])
def test_op_in_blocks_of_another_dtype_gives_the_same(name, dtype, monkeypatch):
    function, count, _, _ = BOUNDS[name]
    xs = [npg.from_numpy(a[:128].astype(dtype)) for a in arrays(count)]
    found = []
    for large in (1 << 14, 1 << 62):
        monkeypatch.setattr(blocks, "LARGE", large)
        leaves = [x.detach().requires_grad_() for x in xs]
        y = function(*leaves)
        found.append([r.numpy(force=True) for r in (y, *npg.autograd.grad(y.sum(), leaves))])
    for a, b in zip(*found, strict=True):
        assert a.dtype == b.dtype == dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("other", [(SIDE,), (1, SIDE), (SIDE, 1), (), (1,), (1, 1)])
def test_op_in_blocks_broadcasts(other, monkeypatch):
    x, a = arrays(2)
    b = a.reshape(-1)[: int(np.prod(other))].reshape(other)
    for function in (npg.div, npg.hypot, npg.maximum, npg.xlogy, lambda x, b: npg.where(x > 0.5, x, b)):
        found = []
        for large in (1 << 14, 1 << 62):
            monkeypatch.setattr(blocks, "LARGE", large)
            leaves = [npg.tensor(v, requires_grad=True) for v in (x, b)]
            y = function(*leaves)
            found.append([y.numpy(force=True)] + [g.numpy() for g in npg.autograd.grad(y.square().sum(), leaves)])
        for u, v in zip(*found, strict=True):
            np.testing.assert_array_equal(u, v)


@pytest.mark.parametrize("name", IN_PLACE)
def test_op_in_place_in_blocks_gives_the_same(name, monkeypatch):
    found = []
    for large in (1 << 14, 1 << 62):
        monkeypatch.setattr(blocks, "LARGE", large)
        for layout in LAYOUTS.values():
            x = npg.from_numpy(np.array(layout(arrays(1)[0]), order="K"))
            IN_PLACE[name](x)
            found.append(x.numpy())
    half = len(found) // 2
    for a, b in zip(found[:half], found[half:], strict=True):
        np.testing.assert_array_equal(a, b)


def test_op_in_place_in_blocks_refused_changes_nothing():
    x, y = npg.from_numpy(arrays(1)[0]), npg.ones(3)
    before = x.clone()
    with pytest.raises(RuntimeError, match="must match"):
        x.lerp_(y, 0.5)
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        x[:1].expand(1, SIDE).clone().addcmul_(x, x)
    assert (x == before).all()


def test_gradients_of_large_arrays_can_be_recorded():
    for function in (functional.softplus, npg.tanh, functional.gelu, functional.silu, lambda x: npg.softmax(x, 1)):
        x = npg.from_numpy(arrays(1)[0][:64]).double().requires_grad_()
        (g,) = npg.autograd.grad(function(x).square().sum(), x, create_graph=True)
        (second,) = npg.autograd.grad(g.sum(), x)
        v = x.detach()[:2].requires_grad_()
        (h,) = npg.autograd.grad(function(v).square().sum(), v, create_graph=True)
        np.testing.assert_allclose(second.numpy()[:2], npg.autograd.grad(h.sum(), v)[0].numpy(), rtol=1e-9, atol=1e-12)
