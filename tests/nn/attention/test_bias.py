"""Causal biases against PyTorch: what they are, what attention makes of them, what is refused."""

import warnings

import pytest
import torch
import torch.nn.attention.bias

import npg
import npg.nn.attention.bias
from tests.twins import agree, attempt, warned


def test_biases_are_tensors_like_pytorchs():
    def program(lib):
        module = lib.nn.attention.bias
        yield [(v.name, v.value, repr(v)) for v in module.CausalVariant]
        for make, sizes in ((module.causal_upper_left, (3, 5)), (module.causal_lower_right, (3, 5))):
            bias = make(*sizes)
            yield repr(bias), str(bias), type(bias).__name__, tuple(bias.shape), bias.dtype
            yield int(bias.variant), bias.seq_len_q, bias.seq_len_kv, bias._materialize()
            yield bias._materialize("cpu"), isinstance(bias, lib.Tensor)
        yield warned(lambda: module.causal_lower_right(5, 3)._materialize())
        for sizes in ((3,), (1, 2, 3)):
            yield attempt(lambda: module.causal_lower_right(*sizes))  # noqa: B023
            yield attempt(lambda: module.causal_upper_left(*sizes))  # noqa: B023
        yield attempt(lambda: module.CausalBias(1, 2, 3))

    agree(program)


@pytest.mark.parametrize("kind", ["causal_upper_left", "causal_lower_right"])
@pytest.mark.parametrize(("queries", "keys"), [(3, 3), (3, 7), (7, 3), (1, 5), (70, 80)])
def test_attention_with_a_bias_is_pytorchs(kind, queries, keys):
    def program(lib):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bias = getattr(lib.nn.attention.bias, kind)(queries, keys)
        attend = lib.nn.functional.scaled_dot_product_attention
        q = lib.randn(2, 4, queries, 8, dtype=lib.float64, requires_grad=True)
        k = lib.randn(2, 4, keys, 8, dtype=lib.float64, requires_grad=True)
        for y in (attend(q, k, k, bias), attend(q, k, k, attn_mask=bias, scale=0.3)):
            yield y.detach(), lib.autograd.grad(y.sin().sum(), (q, k))
        few = k[:, :2]
        yield attend(q, few, few, bias, enable_gqa=True).detach()
        yield attend(q, k, k, bias, 0.4).detach(), lib.rand(1)

    agree(program)


def test_bias_and_is_causal_and_other_dtypes_are_refused():
    def program(lib):
        module = lib.nn.attention.bias
        x = lib.ones(1, 2, 3, 4)
        attend = lib.nn.functional.scaled_dot_product_attention
        for bias in (module.causal_lower_right(3, 3), module.causal_lower_right(2, 3)):
            yield attempt(lambda: attend(x, x, x, bias, is_causal=True))  # noqa: B023
            yield attempt(lambda: attend(x, x.double(), x, bias))  # noqa: B023
            yield attempt(lambda: attend(x[0, 0, 0], x, x, bias))  # noqa: B023

    agree(program)


def test_other_functions_take_a_bias_as_the_tensor_it_is():
    assert npg.nn.attention.bias.causal_upper_left(2, 3).numel() == 6
    assert torch.nn.attention.bias.causal_upper_left(2, 3).numel() == 6
