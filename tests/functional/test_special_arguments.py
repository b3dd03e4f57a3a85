"""Arguments absent from the samples: infinite ends and tolerances, empty inputs, one element, bounds beyond int64."""

import math

import numpy as np
import pytest
import torch

import npg
from tests.helpers import assert_like, assert_same_error

INF, NAN = math.inf, math.nan


def check(call):
    """Compare a call written with `lib` in npg and in torch."""
    actual, expected = (
        eval(call, {"lib": lib, "INF": INF, "NAN": NAN, "F": lib.nn.functional}) for lib in (npg, torch)
    )
    assert_like(actual, expected)


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize(
    "call",
    [
        "lib.tensor([True, False]).diff(prepend=lib.tensor([0.5]))",
        "lib.tensor([True, False]).diff(append=lib.tensor([3]), n=2)",
        "lib.tensor([0.5]).diff(prepend=lib.tensor([True]))",
        "lib.tensor([True, False]).diff(prepend=lib.tensor([True]))",
        *(f"lib.logit(lib.tensor([0.5, NAN, 0, 1, 0.2, 0.8]), eps={eps})" for eps in ("1.0", "0.7", "NAN", "-1.0")),
        *(f"lib.linspace({ends}, 5)" for ends in ("0, INF", "INF, 0", "-INF, INF", "0, NAN", "1e38, -3e38")),
        *(f"lib.linspace({ends}, 5, dtype=lib.float64)" for ends in ("0, INF", "1e308, 1.5e308")),
        *(
            f"lib.{name}(lib.zeros({shape}), dim={dim}, correction={correction})"
            for name in ("var", "std", "var_mean", "std_mean")
            for shape, dim in (("0", "0"), ("2, 0", "1"), ("0, 2", "0"))
            for correction in (-1, 0, 1)
        ),
        "lib.einsum('ij,kj->ik', lib.ones(2, 1), lib.tensor([[True], [False]]))",
        "lib.einsum('ij,j->i', lib.ones(2, 1), lib.tensor([3]))",
        "lib.einsum('ij,jk,k->i', lib.ones(2, 1), lib.tensor([[3]]), lib.ones(1, dtype=lib.float64))",
        "lib.inner(lib.tensor(2), lib.tensor([1.5, 2]))",
        "lib.inner(lib.tensor(2), lib.tensor(1.5))",
        "F.linear(lib.ones(3), lib.ones(3), lib.tensor(2.0))",
    ],
)
def test_value_is_torchs(call):
    check(call)


@pytest.mark.parametrize("p", [300.0, -300.0, 3.0, 2.0, 1.0, 0.5, 1e-30, 0.0, INF, -INF, NAN])
@pytest.mark.parametrize("value", [5.76, -3.0, 0.0, 1e-30, -1e30, INF, NAN])
def test_norm_over_one_element_is_its_size(p, value):
    for call in (
        "lib.linalg.vector_norm(lib.tensor([{x}]), {p})",
        "lib.norm(lib.tensor([{x}]), {p})",
        "lib.linalg.norm(lib.tensor([{x}]), {p})",
        "lib.linalg.vector_norm(lib.tensor([[{x}], [{x}]]), {p}, dim=1, keepdim=True)",
        "lib.norm(lib.tensor([[{x}], [{x}]]), {p}, dim=1)",
        "lib.linalg.vector_norm(lib.tensor({x}), {p})",
        "lib.dist(lib.tensor([{x}]), lib.zeros(1), {p})",
    ):
        check(call.format(x=str(value).replace("inf", "INF").replace("nan", "NAN"), p=f"float('{p}')"))


@pytest.mark.parametrize("p", [300.0, 3.0, 2.0, 0.5, NAN])
@pytest.mark.parametrize("value", [5.76, -3.0, 1e-30, -1e30])
def test_gradient_of_a_norm_over_one_element_is_its_sign(p, value):
    # PyTorch's powers overflow.
    x = npg.tensor([[value], [value]], requires_grad=True)
    npg.linalg.vector_norm(x, p, dim=1).sum().backward()
    assert np.allclose(x.grad.numpy(), np.sign(value), 1e-6)


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
@pytest.mark.parametrize("correction", [0, 1, 2])
@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
def test_gradient_of_a_variance_of_one_element_has_the_inputs_dtype(name, correction):
    gradients = []
    for lib in (npg, torch):
        x = lib.tensor([3.0], requires_grad=True)
        y = getattr(lib, name)(x, correction=correction)
        gradients.append(lib.autograd.grad(y[0] if isinstance(y, tuple) else y, x)[0])
    assert_like(*gradients)


LOSSES = "l1 mse smooth_l1 huber soft_margin kl_div binary_cross_entropy binary_cross_entropy_with_logits".split()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.filterwarnings("ignore:reduction", "ignore:.torch.jit.script:DeprecationWarning")
def test_tangent_of_a_loss_of_nothing_is_torchs(name, reduction):
    tangents = []
    for lib in (npg, torch):
        loss = getattr(lib.nn.functional, name if hasattr(lib.nn.functional, name) else name + "_loss")

        def function(x, lib=lib, loss=loss):
            return loss(x, lib.zeros(0), reduction=reduction)

        tangents.append(lib.func.jvp(function, (lib.zeros(0),), (lib.ones(0),)))
    assert_like(*tangents)


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0), (2, 0, 3)])
def test_tangent_of_attention_over_nothing_is_torchs(shape):
    tangents = []
    for lib in (npg, torch):

        def function(x, lib=lib):
            return lib.nn.functional.scaled_dot_product_attention(x, x, x)

        tangents.append(lib.func.jvp(function, (lib.zeros(shape),), (lib.ones(shape),)))
    assert_like(*tangents)


@pytest.mark.parametrize("target", [2.0, -1.0, NAN, INF])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_binary_cross_entropy_refuses_targets_that_are_no_probabilities(target, dtype):
    def call(lib):
        x = lib.tensor([0.5, 0.5], dtype=getattr(lib, dtype))
        return lib.nn.functional.binary_cross_entropy(x, lib.tensor([0.5, target], dtype=x.dtype))

    assert_same_error(lambda: call(npg), lambda: call(torch))


@pytest.mark.parametrize("ends", ["0, 2**63", "2**63, 2**63 + 2", "0, 2**63, 2**62", "0, 10, 2**63", "0, 1e30"])
def test_arange_beyond_int64_is_refused_as_by_torch(ends):
    assert_same_error(lambda: eval(f"npg.arange({ends})"), lambda: eval(f"torch.arange({ends})"))


def test_arange_up_to_the_ends_of_int64_is_right():
    # PyTorch's element count overflows: it refuses the first and returns an empty tensor for the second.
    last = 2**63 - 1
    assert npg.arange(0, last, 2**62).tolist() == [0, 2**62]
    assert npg.arange(-(2**63), last, 2**62).tolist() == [-(2**63), -(2**62), 0, 2**62]
    assert npg.arange(last - 2, last).tolist() == [last - 2, last - 1]


def test_arange_and_range_of_integers_refuse_what_int64_has_not():
    for call in (
        lambda: npg.arange(0, -(2**63) - 1, -(2**62)),
        lambda: npg.arange(0.0, 2.0**63, 2**62, dtype=npg.int64),
        lambda: npg.arange(2**63, 2**63 + 2, dtype=npg.int32),
        lambda: npg.range(0, 2**63, 2**62, dtype=npg.int64),
    ):
        with pytest.raises(RuntimeError, match="value cannot be converted to type int64_t without overflow"):
            call()


NAN_ROWS = [[NAN, 1.0, 1.0], [1.0, NAN, 1.0], [1.0, 1.0, NAN], [NAN, NAN, 2.0], [NAN, 2.0, 1.0], [NAN, NAN, NAN]]


@pytest.mark.parametrize("row", NAN_ROWS, ids=str)
def test_mode_counts_every_nan_as_another_and_the_last(row):
    # PyTorch's sort compares with nan, so its result depends on the order: nan for (nan, 1), 1 for (1, nan).
    modes = []
    for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        values, place = npg.mode(npg.tensor([row[i] for i in order]))
        modes.append(values.item())
        assert np.array_equal([row[i] for i in order][place.item()], values.item(), equal_nan=True)
    numbers = [x for x in row if x == x]
    expected = min(numbers, key=lambda x: (-numbers.count(x), x)) if numbers else NAN
    assert all(np.array_equal(x, expected, equal_nan=True) for x in modes)
    if not numbers:
        assert_like(npg.mode(npg.tensor(row)), torch.mode(torch.tensor(row)))
