"""npg in a minute: a few operations, a gradient, and causal self-attention step by step.

python demo/readme_example.py
"""

from dataclasses import dataclass

import numpy as np

import npg
import npg.nn as nn

# ----- Basic operations -----


def basic_operations():
    """Return the results of a few operations on a random (2, 3) Tensor, by name."""
    A = npg.randn(2, 3)
    return {
        "A": A,
        "mean": npg.mean(A, dim=-1),  # (2,)
        "var": npg.var(A, dim=0),  # (3,)
        "sum": npg.sum(A),  # ()
        "ones": npg.ones(2, 3),  # (2, 3)
        "ones_like": np.ones_like(A),  # (2, 3), a Tensor: NumPy's functions return Tensors for Tensors
    }


def gradient():
    """Return x and the gradient of sum(exp(x) * x), which is exp(x) (x + 1)."""
    x = npg.tensor([0.0, 1.0, 2.0], requires_grad=True)
    (np.exp(x) * x).sum().backward()
    return x.detach(), x.grad


# ----- A module -----


@dataclass
class AttentionConfig:
    """Sizes of a layer: block_size positions at most, n_embd channels in n_head heads."""

    block_size: int = 8
    n_embd: int = 16
    n_head: int = 4
    dropout: float = 0.0
    bias: bool = True


class CausalSelfAttention(nn.Module):
    """Causal self-attention, step by step: scores, mask, softmax, weighted sum.

    F.scaled_dot_product_attention(q, k, v, is_causal=True) computes the same in one call.
    """

    def __init__(self, config):
        super().__init__()
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)
        self.n_head, self.n_embd = config.n_head, config.n_embd
        n = config.block_size
        self.register_buffer("mask", npg.tril(npg.ones((1, 1, n, n))).reshape(1, 1, n, n))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.c_attn(x).split(self.n_embd, dim=-1)  # (B, T, C) each
        q, k, v = (t.reshape(B, T, self.n_head, C // self.n_head).transpose(1, 2) for t in (q, k, v))  # (B, nh, T, hs)
        att = (q @ k.transpose(-2, -1)) * (C // self.n_head) ** -0.5  # (B, nh, T, T)
        att = att.masked_fill(self.mask[:, :, :T, :T] == 0, -np.inf)
        att = npg.softmax(att, dim=-1)
        y = (att @ v).transpose(1, 2).reshape(B, T, C)  # (B, nh, T, hs) -> (B, T, C)
        return self.dropout(self.c_proj(y))


def block(config):
    """Return an attention layer followed by a GeLU, numpygrad's name for the tanh approximation."""
    return nn.Sequential(CausalSelfAttention(config), nn.GeLU())


def main():
    """Print all results."""
    npg.manual_seed(1337)
    for name, value in basic_operations().items():
        print(f"{name} = {value}")
    print("x, gradient =", *gradient())
    x = npg.randn(2, 8, 16)  # (B, T, C)
    y = block(AttentionConfig())(x)
    y.sum().backward()
    print("attention:", tuple(x.shape), "->", tuple(y.shape))


if __name__ == "__main__":
    main()
