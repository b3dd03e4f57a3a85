"""Load published GPT-2 weights: the state_dict of GPT2Model or GPT2LMHeadModel in a safetensors file.

Three things differ from model.py. The published linear layers are "Conv1D": (in, out) where nn.Linear has (out, in).
Attention has its causal mask as buffers (attn.bias, attn.masked_bias), which are no weights. Names may or may not begin
with "transformer.".
"""

import numpy as np

import npg
from config import DemoError
from files import listed, load_safetensors

TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
BUFFERS = (".attn.bias", ".attn.masked_bias")
HEAD_SIZE = 64  # in every published GPT-2; the weights do not determine it


def load_gpt2(model_class, config_class, path, dropout=0.0, n_head=None):
    """Build a model with the sizes and weights of a GPT-2 file.

    Args:
        model_class, config_class: GPT and GPTConfig of model.py.
        path: a safetensors file.
        dropout: for finetuning; the sizes come from the weights.
        n_head: the number of heads; None for n_embd / 64, which holds for every published size.
    Returns: the model, weights in float32.
    Raises: DemoError: when the file is not a GPT-2 state_dict: a weight is missing, unknown, or of another shape.
    """
    arrays, _ = load_safetensors(path)
    arrays = {name.removeprefix("transformer."): array for name, array in arrays.items() if not name.endswith(BUFFERS)}
    config = config_class(**_sizes(path, arrays, n_head), dropout=dropout, bias=True, gelu="tanh")
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise DemoError(f"{path}: expected {name} in a floating-point type, got {array.dtype}")
    head = arrays.pop("lm_head.weight", None)
    if head is not None and not np.array_equal(head, arrays["wte.weight"]):
        raise DemoError(
            f"{path}: expected lm_head.weight equal to wte.weight {_shape(arrays['wte.weight'])}, got another"
        )
    arrays = {name: array.T if name.endswith(TRANSPOSED) else array for name, array in arrays.items()}
    model = model_class(config)
    state = model.state_dict()
    state.pop("lm_head.weight")  # the same Parameter as wte.weight
    expected = {name.removeprefix("transformer."): tuple(tensor.shape) for name, tensor in state.items()}
    _compare(path, expected, arrays)
    weights = {
        f"transformer.{name}": npg.from_numpy(np.array(array, np.float32, order="C")) for name, array in arrays.items()
    }
    model.load_state_dict({**weights, "lm_head.weight": weights["transformer.wte.weight"]})
    return model


def _sizes(path, arrays, n_head):
    """Return the sizes of the model with these arrays."""
    for name in ("wte.weight", "wpe.weight"):
        if name not in arrays or arrays[name].ndim != 2:
            content = f"shape {_shape(arrays[name])}" if name in arrays else f"{len(arrays)} other arrays"
            raise DemoError(f"{path}: expected the matrix {name} of a GPT-2 state_dict, got {content}")
    (vocab_size, n_embd), (block_size, width) = arrays["wte.weight"].shape, arrays["wpe.weight"].shape
    if width != n_embd:
        raise DemoError(f"{path}: expected wpe.weight {n_embd} wide as wte.weight, got {width}")
    n_layer = len({name.split(".")[1] for name in arrays if name.startswith("h.")})
    if not n_layer:
        raise DemoError(f"{path}: expected the blocks h.0, h.1, ... of a GPT-2 state_dict, got none")
    if n_head is None:
        n_head = n_embd // HEAD_SIZE
    if n_head < 1 or n_embd % n_head:
        raise DemoError(f"{path}: expected n_head to divide the width {n_embd}, got {n_head}; pass n_head=")
    return {
        "vocab_size": vocab_size,
        "block_size": block_size,
        "n_layer": n_layer,
        "n_head": n_head,
        "n_embd": n_embd,
    }


def _compare(path, expected, arrays):
    """Raise DemoError unless names and shapes are the model's."""
    missing, unknown = sorted(expected.keys() - arrays.keys()), sorted(arrays.keys() - expected.keys())
    if missing or unknown:
        raise DemoError(
            f"{path}: expected a GPT-2 state_dict, got one with missing {listed(missing)} and unknown {listed(unknown)}"
        )
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise DemoError(f"{path}: expected {name} of shape {shape}, got {_shape(arrays[name])}")


def _shape(array):
    return tuple(array.shape)
