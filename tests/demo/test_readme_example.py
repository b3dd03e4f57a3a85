"""readme_example.py: the values of the operations, the module against PyTorch's attention, the printed whole."""

import numpy as np
import readme_example
import torch

import npg


def test_basic_operations_are_numpys():
    npg.manual_seed(1)
    values = readme_example.basic_operations()
    assert all(isinstance(value, npg.Tensor) for value in values.values())
    A = values["A"].numpy()
    torch.manual_seed(1)
    np.testing.assert_allclose(A, torch.randn(2, 3).numpy(), rtol=1e-6)
    np.testing.assert_allclose(values["mean"].numpy(), A.mean(-1), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(values["var"].numpy(), A.var(0, ddof=1), rtol=1e-5)
    np.testing.assert_allclose(values["sum"].numpy(), A.sum(), rtol=1e-5, atol=1e-6)
    for name in ("ones", "ones_like"):
        np.testing.assert_array_equal(values[name].numpy(), np.ones((2, 3), np.float32))
        assert values[name].dtype == npg.float32


def test_gradient_of_a_numpy_function_is_recorded():
    x, gradient = readme_example.gradient()
    np.testing.assert_allclose(gradient.numpy(), np.exp(x.numpy()) * (x.numpy() + 1), rtol=1e-6)


def test_attention_is_pytorchs_with_the_same_weights():
    config = readme_example.AttentionConfig()
    npg.manual_seed(2)
    layer = readme_example.CausalSelfAttention(config)
    x = npg.randn(2, 5, 16)  # shorter than the block
    y = layer(x)
    state = {name: torch.from_numpy(value.numpy().copy()) for name, value in layer.state_dict().items()}
    tx = torch.from_numpy(x.numpy().copy())
    qkv = torch.nn.functional.linear(tx, state["c_attn.weight"], state["c_attn.bias"])
    q, k, v = (part.unflatten(-1, (4, 4)).transpose(1, 2) for part in qkv.split(16, dim=-1))
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
    expected = torch.nn.functional.linear(expected, state["c_proj.weight"], state["c_proj.bias"])
    np.testing.assert_allclose(y.detach().numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)
    assert "mask" in state and "mask" not in dict(layer.named_parameters())


def test_block_gradients_reach_every_parameter():
    block = readme_example.block(readme_example.AttentionConfig())
    block(npg.randn(2, 8, 16)).sum().backward()
    assert all(np.abs(p.grad.numpy()).sum() > 0 for p in block.parameters())


def test_main_prints_everything(capsys):
    readme_example.main()
    said = capsys.readouterr().out
    assert "ones_like = tensor([[1., 1., 1.]," in said and "attention: (2, 8, 16) -> (2, 8, 16)" in said
