"""float16: each op computes in float32 and rounds once, forward and backward, and a number beside it keeps its digits.

Every function that npg shares with PyTorch is found by looking: of one tensor on all 65,536 numbers, of two tensors on
400 x 400 numbers, of a tensor and a number in both orders. What is right says tests/half.py; all else that is computed
in float16 is compared in tests/test_float16_samples.py.
"""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import npg

from .half import EVERY, QUIET, SPECIAL, compare, elementwise, offered, steps

UNARY = list(elementwise("tensor"))
BINARY = list(elementwise("tensor", "tensor"))
SCALAR = [(name, "ts") for name in elementwise("tensor", "number")]
SCALAR += [(name, "st") for name in elementwise("number", "tensor")]
NUMBERS = (0.1, 1e-8, 65536.0, 1e5, 3, -2.5, 2, 0.5, 0, 100000, -1e-3, float("inf"), -0.3333)
SOME = QUIET[:: 65536 // 2816][:2816]  # a multiple of what PyTorch's loops take at once, whose ends treat nan otherwise


# ----- One tensor -----

# At infinity PyTorch's gradient is nan, of inf / inf; the limit is 0.
AT_INFINITY = {"nn.functional.softsign"}
# The rule multiplies y three times, and y was rounded to float16.
NEAR = {"rsqrt": 2}


@pytest.mark.parametrize("name", UNARY)
def test_unary_of_every_float16(name):
    ours, theirs = offered()[name]
    but = np.isinf(EVERY) if name in AT_INFINITY else None
    compare(name, ours, theirs, [EVERY], NEAR.get(name, 1), but)


def test_unary_names_are_found():
    wanted = {"exp", "sigmoid", "erf", "tanh", "sinc", "rsqrt", "nn.functional.softplus", "nn.functional.mish"}
    assert wanted <= set(UNARY)
    assert {"add", "mul", "atan2", "hypot", "logaddexp", "ldexp"} <= {n.replace("arctan2", "atan2") for n in BINARY}
    assert {("add", "ts"), ("pow", "st"), ("nn.functional.leaky_relu", "ts")} <= set(SCALAR)


@pytest.mark.parametrize("decimals", [-2, -1, 1, 2, 3, 4])
def test_round_to_decimals_of_every_float16(decimals):
    compare(
        "round",
        lambda x: npg.round(x, decimals=decimals),
        lambda x: torch.round(x, decimals=decimals),
        [EVERY],
    )


# ----- Two tensors, a tensor and a number -----


def _grid() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(2):
        of_all = rng.choice(QUIET, 200 - len(SPECIAL))
        found.append(np.concatenate([SPECIAL, of_all, (rng.standard_normal(200) * 2).astype(np.float16)]))
    return [np.broadcast_to(found[0][:, None], (400, 400)).copy(), np.broadcast_to(found[1], (400, 400)).copy()]


GRID = _grid()


@pytest.mark.parametrize("name", BINARY)
def test_binary_on_a_grid(name):
    compare(name, *offered()[name], GRID)


@pytest.mark.parametrize(("name", "order"), SCALAR)
def test_tensor_and_number(name, order):
    for number in NUMBERS:
        operands = [SOME, number] if order == "ts" else [number, SOME]
        compare(f"{name} {order} {number}", *offered()[name], operands)


@pytest.mark.parametrize("name", "add sub mul truediv floordiv mod pow lt ge eq".split())
def test_operator_with_a_number(name):
    function = getattr(operator, name)
    in_place = getattr(operator, "i" + name, None)
    for number in NUMBERS:
        compare(f"{name} {number}", function, function, [SOME, number])
        compare(f"{number} {name}", function, function, [number, SOME])
        if in_place is not None:
            compare(f"i{name} {number}", *[lambda x, s: in_place(x + 0, s)] * 2, [SOME, number])


@pytest.mark.parametrize("number", [0.3, -1e-4, 1e-3, 2])
def test_alpha_and_weight_keep_their_digits(number):
    rng = np.random.default_rng(2)
    a, b = ((rng.standard_normal(512) * scale).astype(np.float16) for scale in (1, 100))
    compare("add", lambda x, y: npg.add(x, y, alpha=number), lambda x, y: torch.add(x, y, alpha=number), [a, b])
    compare("sub", lambda x, y: npg.sub(x, y, alpha=number), lambda x, y: torch.sub(x, y, alpha=number), [a, b])
    compare("lerp", lambda x, y: npg.lerp(x, y, number), lambda x, y: torch.lerp(x, y, number), [a, b])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_wider_operand_is_not_rounded_first(dtype):
    """A 0-d tensor counts like a number, and what is written into float16 is computed in the wider dtype."""
    x = SOME[np.isfinite(SOME)]
    for value in (1e5, 3) if dtype == "int64" else (1e-8, 1e5, 3):
        for name in ("add_", "sub_", "mul_", "div_"):
            results = []
            for lib in (npg, torch):
                other = lib.full((len(x),), value, dtype=getattr(lib, dtype))
                results.append(getattr(lib.from_numpy(x.copy()), name)(other).numpy())
            assert steps(*results).max() <= 1
        number = npg.tensor(value, dtype=getattr(npg, dtype))
        beside = npg.from_numpy(x) * number, npg.from_numpy(x) * number.item()
        assert np.array_equal(beside[0].numpy(), beside[1].numpy())


# ----- Generated -----

_HALVES = st.lists(st.integers(0, 65535), min_size=1, max_size=8)


@given(st.sampled_from(BINARY), _HALVES, _HALVES, st.floats(-1e6, 1e6))
@settings(deadline=None)
def test_generated_operands(name, first, second, number):
    """Two columns broadcast against each other, whose gradients are then sums, and a number."""
    ours, theirs = offered()[name]
    a, b = (QUIET[np.array(bits, np.uint16)] for bits in (first, second))
    a, b = np.where(np.isfinite(a), a, 1), np.where(np.isfinite(b), b, 1)
    whole = np.broadcast_to(a[:, None], (len(a), len(b))).copy(), np.broadcast_to(b, (len(a), len(b))).copy()
    compare(name, ours, theirs, whole)
    if (name, "ts") in SCALAR:
        compare(f"{name} {number}", ours, theirs, [np.resize(a, 64), number])


# ----- What stays silent, what is refused -----


def _steps_with_huge_gradients(name: str, dtype: Any) -> None:
    p = npg.nn.Parameter(npg.tensor([6e4, 1.0], dtype=dtype))
    optimizer = getattr(npg.optim, name)([p])
    for _ in range(2):
        p.grad = npg.full((2,), float("inf"), dtype=dtype)
        optimizer.step()


SILENT = {
    "setitem": lambda: npg.ones(3, dtype=npg.half).__setitem__(slice(None), npg.tensor([1e6, 1.0, 2.0])),
    "setitem at places": lambda: npg.ones(3, dtype=npg.half).__setitem__(npg.tensor([0]), npg.tensor([6e4]).half() * 2),
    "setitem float32": lambda: npg.ones(1).__setitem__(0, npg.tensor(1e300, dtype=npg.float64)),
    "out": lambda: npg.add(npg.tensor([1e6]), 1.0, out=npg.zeros(1, dtype=npg.half)),
    "linspace": lambda: npg.linspace(0, 1e5, 4, dtype=npg.half),
    "half": lambda: npg.tensor([1e6]).half(),
    "compare": lambda: npg.ones(3, dtype=npg.half) > 1e6,
    "max_norm": lambda: npg.nn.functional.embedding(
        npg.tensor([0, 1]), npg.ones(2, 3, dtype=npg.half) * 6e4, max_norm=1.0
    ),
    **{
        f"{name} {dtype}": lambda name=name, dtype=dtype: _steps_with_huge_gradients(name, dtype)
        for name in ("SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "RAdam")
        for dtype in (npg.float16, npg.float32)
    },
}


@pytest.mark.parametrize("name", SILENT)
def test_overflow_is_silent(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SILENT[name]()


@pytest.mark.parametrize("name", ["multi_margin_loss", "multilabel_margin_loss"])
def test_margin_losses_refuse_float16_as_torch(name):
    target = np.array([0, 2]) if name == "multi_margin_loss" else np.array([[0, -1, 1], [2, 1, -1]])
    texts = []
    for lib in (npg, torch):
        with pytest.raises(NotImplementedError) as error:
            getattr(lib.nn.functional, name)(lib.ones(2, 3, dtype=lib.half), lib.from_numpy(target))
        texts.append(str(error.value))
    assert texts[0] == texts[1]


def test_overlapping_windows_are_added_up_in_float32():
    x = npg.ones(4, dtype=npg.half, requires_grad=True)
    x.as_strided((3000, 2), (0, 1)).sum().backward()
    assert x.grad.tolist() == [3000, 3000, 0, 0]


def test_places_that_occur_often_are_added_up_in_float32():
    index = npg.zeros(3000, dtype=npg.int64)
    table = npg.ones(2, 1, dtype=npg.half, requires_grad=True)
    for read in (lambda: table[index], lambda: npg.nn.functional.embedding(index, table), lambda: table.take(index)):
        table.grad = None
        read().sum().backward()
        assert table.grad.tolist() == [[3000], [0]]
    ones = npg.ones(3000, dtype=npg.half)
    assert npg.zeros(2, dtype=npg.half).index_add(0, index, ones).tolist() == [3000, 0]
    assert npg.zeros(2, dtype=npg.half).index_put((index,), ones, accumulate=True).tolist() == [3000, 0]
    assert npg.zeros(2, dtype=npg.half).put(index, ones, accumulate=True).tolist() == [3000, 0]
    assert npg.zeros(2, dtype=npg.half).scatter_add(0, index, ones).tolist() == [3000, 0]


def test_gradients_of_higher_order_and_tangents_are_rounded_once():
    x = np.array([0.5, -1.5, 3.0], np.float16)

    def results(dtype: Any) -> list[np.ndarray]:
        t = npg.from_numpy(x.astype(dtype)).requires_grad_(True)
        (first,) = npg.autograd.grad(npg.nn.functional.gelu(t).sum(), t, create_graph=True)
        (second,) = npg.autograd.grad(first.sum(), t)
        _, tangent = npg.func.jvp(npg.nn.functional.softplus, (t.detach(),), (npg.ones_like(t),))
        return [first.detach().numpy(), second.numpy(), tangent.numpy()]

    for half, single in zip(results(np.float16), results(np.float32), strict=True):
        assert half.dtype == np.float16
        assert steps(half, single.astype(np.float16)).max() <= 1
