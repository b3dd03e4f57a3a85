"""The GPT against its twin in PyTorch: weights of a seed, logits, decay groups, generation, GPT-2 files."""

import numpy as np
import pytest
import safetensors.numpy
import torch
import twin_torch
from config import DemoError
from model import GPT, GPTConfig

import npg

SIZES = {"block_size": 8, "vocab_size": 11, "n_layer": 2, "n_head": 2, "n_embd": 16}


def tokens(shape, seed=0):
    return np.random.default_rng(seed).integers(SIZES["vocab_size"], size=shape)


# ----- The model -----


@pytest.mark.parametrize("bias", [True, False])
def test_gpt_same_seed_has_the_weights_of_pytorch(bias):
    config = GPTConfig(**SIZES, bias=bias)
    npg.manual_seed(3)
    ours = GPT(config).state_dict()
    torch.manual_seed(3)
    theirs = twin_torch.Twin(config, config.vocab_size).state_dict()
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name].numpy(), theirs[name].numpy(), rtol=0, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("gelu", ["none", "tanh"])
def test_forward_logits_and_loss_are_the_twins(gelu):
    config = GPTConfig(**SIZES, gelu=gelu)
    torch.manual_seed(3)
    twin = twin_torch.Twin(config, config.vocab_size)
    model = GPT(config)
    model.load_state_dict({name: npg.from_numpy(value.numpy().copy()) for name, value in twin.state_dict().items()})
    x, y = tokens((3, 8)), tokens((3, 8), 1)
    y[0, :3] = -1  # left out of the loss
    logits, loss = model(npg.from_numpy(x), npg.from_numpy(y))
    expected = twin(torch.from_numpy(x))
    np.testing.assert_allclose(logits.detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-6)
    reference = torch.nn.functional.cross_entropy(
        expected.flatten(0, 1), torch.from_numpy(y).flatten(), ignore_index=-1
    )
    assert loss.item() == pytest.approx(reference.item(), rel=1e-5)
    last, none = model(npg.from_numpy(x))
    assert none is None and tuple(last.shape) == (3, 1, 11)
    np.testing.assert_allclose(last.detach().numpy(), logits[:, -1:].detach().numpy(), rtol=1e-5, atol=1e-7)


def test_forward_a_later_token_does_not_change_earlier_logits():
    model = GPT(GPTConfig(**SIZES))
    x = tokens((1, 8))
    before, _ = model(npg.from_numpy(x), npg.from_numpy(x))
    changed = x.copy()
    changed[0, 5] = (x[0, 5] + 1) % 11
    after, _ = model(npg.from_numpy(changed), npg.from_numpy(changed))
    differs = (before.detach().numpy() != after.detach().numpy()).any(-1)[0]
    assert not differs[:5].any() and differs[5:].all()


def test_head_and_embedding_are_one_parameter_counted_once():
    model = GPT(GPTConfig(**SIZES, bias=False))
    assert model.lm_head.weight is model.transformer["wte"].weight
    C = 16
    count = 11 * C + 2 * (C * 3 * C + C * C + 8 * C * C + 2 * C) + C
    assert (model.get_num_params(), model.get_num_params(non_embedding=False)) == (count, count + 8 * C)
    loss = model(npg.from_numpy(tokens((2, 8))), npg.from_numpy(tokens((2, 8))))[1]
    loss.backward()
    assert model.lm_head.weight.grad is model.transformer["wte"].weight.grad is not None


def test_configure_optimizers_decays_matrices_only_and_each_once():
    model = GPT(GPTConfig(**SIZES))
    optimizer = model.configure_optimizers(0.1, 1e-3, (0.9, 0.99))
    decay, rest = optimizer.param_groups
    assert (decay["weight_decay"], rest["weight_decay"]) == (0.1, 0.0)
    assert all(p.dim() >= 2 for p in decay["params"]) and all(p.dim() < 2 for p in rest["params"])
    both = [id(p) for p in decay["params"] + rest["params"]]
    assert sorted(both) == sorted({id(p) for p in model.parameters()})


def test_forward_too_many_tokens_raises_with_both_numbers():
    model = GPT(GPTConfig(**SIZES))
    with pytest.raises(ValueError, match="expected at most block_size = 8 tokens, got 9"):
        model(npg.from_numpy(tokens((1, 9))))


def test_forward_targets_of_another_shape_raises_with_both_shapes():
    model = GPT(GPTConfig(**SIZES))
    with pytest.raises(ValueError, match=r"expected targets of shape \(2, 8\) as idx, got \(2, 7\)"):
        model(npg.from_numpy(tokens((2, 8))), npg.from_numpy(tokens((2, 7))))


def test_forward_tokens_that_are_no_matrix_raise_with_their_shape():
    with pytest.raises(ValueError, match=r"expected idx of shape \(B, T\), got \(8,\)"):
        GPT(GPTConfig(**SIZES))(npg.from_numpy(tokens(8)))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((2, 8), np.float32), None, "Long, Int; but got npg.FloatTensor"),
        (np.full((2, 8), 11), None, "index out of range"),
        (np.zeros((2, 8), np.int64), np.zeros((2, 8), np.float32), "target dtype to be Long or Byte, but got Float"),
        (np.zeros((2, 8), np.int64), np.full((2, 8), 11), "Target 11 is out of bounds"),
    ],
)
def test_forward_wrong_dtype_or_token_raises(x, y, message):
    with pytest.raises((RuntimeError, IndexError), match=message):
        GPT(GPTConfig(**SIZES))(npg.from_numpy(x), None if y is None else npg.from_numpy(y))


@pytest.mark.parametrize(("key", "value"), [("n_layer", 0), ("vocab_size", 0), ("n_head", 3)])
def test_config_impossible_sizes_raise(key, value):
    with pytest.raises(ValueError, match=str(value)):
        GPTConfig(**{**SIZES, key: value})


# ----- Generation -----


def test_generate_beyond_the_block_is_repeatable_and_keeps_the_prompt():
    model = GPT(GPTConfig(**SIZES))
    prompt = npg.from_numpy(tokens((2, 5)))
    npg.manual_seed(1)
    first = model.generate(prompt, 10, temperature=0.9, top_k=4)
    npg.manual_seed(1)
    second = model.generate(prompt, 10, temperature=0.9, top_k=4)
    assert tuple(first.shape) == (2, 15)
    assert first.tolist() == second.tolist()
    assert first[:, :5].tolist() == prompt.tolist()
    assert all(0 <= token < 11 for row in first.tolist() for token in row)


def test_generate_top_k_1_takes_the_likeliest_token():
    model = GPT(GPTConfig(**SIZES))
    out = model.generate(npg.from_numpy(tokens((1, 3))), 4, top_k=1)
    for i in range(3, 7):
        logits, _ = model(out[:, :i])
        assert int(logits[0, -1].argmax()) == out[0, i].item()


def test_generate_top_k_larger_than_the_vocabulary_draws_like_none():
    model = GPT(GPTConfig(**SIZES))
    prompt = npg.from_numpy(tokens((1, 3)))
    npg.manual_seed(1)
    every = model.generate(prompt, 6)
    npg.manual_seed(1)
    assert model.generate(prompt, 6, top_k=500).tolist() == every.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0.0}, "temperature: expected a number above 0, got 0.0"),
        ({"temperature": float("nan")}, "temperature: expected a number above 0, got nan"),
        ({"top_k": 0}, "top_k: expected at least 1 or None, got 0"),
    ],
)
def test_generate_impossible_argument_raises(arguments, message):
    model = GPT(GPTConfig(**SIZES))
    with pytest.raises(ValueError, match=message):
        model.generate(npg.from_numpy(tokens((1, 3))), 1, **arguments)


def test_generate_empty_prompt_raises():
    model = GPT(GPTConfig(**SIZES))
    with pytest.raises(ValueError, match=r"at least one token, got shape \(1, 0\)"):
        model.generate(npg.from_numpy(tokens((1, 0))), 1)


# ----- GPT-2 files -----

TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")


@pytest.fixture
def gpt2():
    """A random model in the published layout, and the twin with the same weights."""
    config = GPTConfig(**SIZES, gelu="tanh")
    torch.manual_seed(5)
    twin = twin_torch.Twin(config, config.vocab_size)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # biases and LayerNorms are not all 0 and 1 then
    arrays = {}
    for name, value in twin.state_dict().items():
        name = name.removeprefix("transformer.")
        if name != "lm_head.weight":
            value = value.T if name.endswith(TRANSPOSED) else value
            arrays[name] = np.ascontiguousarray(value.numpy())
    for layer in range(2):
        arrays[f"h.{layer}.attn.bias"] = np.tril(np.ones((1, 1, 8, 8), np.float32))
        arrays[f"h.{layer}.attn.masked_bias"] = np.array(-1e4, np.float32)
    return arrays, twin


@pytest.mark.parametrize("layout", ["GPT2Model", "GPT2LMHeadModel"])
def test_from_pretrained_computes_what_the_weights_mean(tmp_path, gpt2, layout):
    arrays, twin = gpt2
    if layout == "GPT2LMHeadModel":
        arrays = {f"transformer.{name}": array for name, array in arrays.items()}
        arrays["lm_head.weight"] = arrays["transformer.wte.weight"]
    safetensors.numpy.save_file(arrays, tmp_path / "model.safetensors")
    model = GPT.from_pretrained(tmp_path / "model.safetensors", n_head=2)
    assert model.config == GPTConfig(**SIZES, bias=True, gelu="tanh")
    x = tokens((2, 8))
    logits, _ = model(npg.from_numpy(x), npg.from_numpy(x))
    np.testing.assert_allclose(
        logits.detach().numpy(), twin(torch.from_numpy(x)).detach().numpy(), rtol=1e-4, atol=1e-5
    )
    assert model.lm_head.weight is model.transformer["wte"].weight


def test_from_pretrained_half_precision_is_widened(tmp_path, gpt2):
    arrays = {name: array.astype(np.float16) for name, array in gpt2[0].items()}
    safetensors.numpy.save_file(arrays, tmp_path / "f")
    state = GPT.from_pretrained(tmp_path / "f", n_head=2).state_dict()
    np.testing.assert_array_equal(
        state["transformer.h.1.mlp.c_fc.weight"].numpy(), arrays["h.1.mlp.c_fc.weight"].T.astype(np.float32)
    )


def test_from_pretrained_number_of_heads_is_the_width_over_64(tmp_path):
    config = GPTConfig(block_size=4, vocab_size=5, n_layer=1, n_head=2, n_embd=128)
    arrays = {}
    for name, value in GPT(config).state_dict().items():
        if name != "lm_head.weight":
            array = value.numpy().T if name.endswith(TRANSPOSED) else value.numpy()
            arrays[name] = np.ascontiguousarray(array)
    safetensors.numpy.save_file(arrays, tmp_path / "f")
    assert GPT.from_pretrained(tmp_path / "f").config.n_head == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("h.1.ln_2.bias"), "missing ['h.1.ln_2.bias'] and unknown []"),
        (lambda a: a.update({"h.0.attn.rotary": np.zeros(2)}), "missing [] and unknown ['h.0.attn.rotary']"),
        (lambda a: a.update({"ln_f.weight": np.zeros(15)}), "expected ln_f.weight of shape (16,), got (15,)"),
        (lambda a: a.update({"wpe.weight": np.zeros((8, 15))}), "expected wpe.weight 16 wide as wte.weight, got 15"),
        (lambda a: a.update({"lm_head.weight": np.zeros((11, 16))}), "expected lm_head.weight equal to wte.weight"),
        (
            lambda a: a.update({"wte.weight": np.zeros((11, 16), np.int8)}),
            "wte.weight in a floating-point type, got int8",
        ),
        (lambda a: a.pop("wte.weight"), "expected the matrix wte.weight of a GPT-2 state_dict"),
        (lambda a: [a.pop(n) for n in list(a) if n.startswith("h.")], "expected the blocks h.0, h.1, ..."),
    ],
)
def test_from_pretrained_other_weights_raise_naming_them(tmp_path, gpt2, change, message):
    arrays, _ = gpt2
    change(arrays)
    safetensors.numpy.save_file(arrays, tmp_path / "f")
    with pytest.raises(DemoError) as error:
        GPT.from_pretrained(tmp_path / "f", n_head=2)
    assert message in str(error.value)


def test_from_pretrained_heads_that_do_not_divide_the_width_raise(tmp_path, gpt2):
    safetensors.numpy.save_file(gpt2[0], tmp_path / "f")
    with pytest.raises(DemoError, match="expected n_head to divide the width 16, got 3"):
        GPT.from_pretrained(tmp_path / "f", n_head=3)
