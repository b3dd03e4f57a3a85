"""The GPT of nanoGPT in npg: its names, arithmetic and order of initialisation, so a seed gives the same weights.

Sources: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" (the architecture; normalisation
first; residual weights scaled by depth); Press and Wolf 2017, "Using the Output Embedding to Improve Language Models"
(one weight for the embedding and the head); karpathy/nanoGPT (names, decay groups).
Dimensions: B batch, T time, C channels (n_embd), nh heads, hs head size, V vocabulary.
"""

import math
from dataclasses import dataclass

import npg
import npg.nn as nn
from npg.nn import functional as F


@dataclass
class GPTConfig:
    """Sizes of a GPT. The defaults are GPT-2's smallest."""

    block_size: int = 1024
    vocab_size: int = 50257
    n_layer: int = 12
    n_head: int = 12
    n_embd: int = 768
    dropout: float = 0.0
    bias: bool = True  # in Linear and LayerNorm
    gelu: str = "none"  # nn.GELU's approximate; GPT-2 itself was trained with tanh

    def __post_init__(self):
        for name in ("block_size", "vocab_size", "n_layer", "n_head", "n_embd"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.n_embd % self.n_head:
            raise ValueError(f"n_embd: expected a multiple of n_head, got {self.n_embd} and {self.n_head}")


# ----- One block -----


class CausalSelfAttention(nn.Module):
    """Attend to the past: softmax(q k^T / sqrt(hs)) v over the positions up to one's own, in nh heads side by side."""

    def __init__(self, config):
        super().__init__()
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)  # q, k and v at once
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.resid_dropout = nn.Dropout(config.dropout)
        self.n_head = config.n_head
        self.n_embd = config.n_embd
        self.dropout = config.dropout

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)  # (B, T, C) each
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)  # (B, nh, T, hs)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)  # (B, nh, T, hs)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)  # (B, nh, T, hs)
        y = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.dropout if self.training else 0.0, is_causal=True
        )  # (B, nh, T, hs)
        y = y.transpose(1, 2).contiguous().view(B, T, C)  # (B, T, C), the heads side by side
        return self.resid_dropout(self.c_proj(y))  # (B, T, C)


class MLP(nn.Module):
    """Widen each position fourfold, bend, and narrow it again."""

    def __init__(self, config):
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
        self.gelu = nn.GELU(approximate=config.gelu)
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x):
        x = self.gelu(self.c_fc(x))  # (B, T, 4 C)
        return self.dropout(self.c_proj(x))  # (B, T, C)


class Block(nn.Module):
    """Attention and MLP, each normalised before and added to the stream."""

    def __init__(self, config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.mlp = MLP(config)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))  # (B, T, C)
        return x + self.mlp(self.ln_2(x))  # (B, T, C)


# ----- The model -----


class GPT(nn.Module):
    """A decoder-only transformer over tokens."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        # The order of these lines is the order of the random numbers: embeddings, blocks, head, as in nanoGPT.
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(config.vocab_size, config.n_embd),
                "wpe": nn.Embedding(config.block_size, config.n_embd),
                "drop": nn.Dropout(config.dropout),
                "h": nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
                "ln_f": nn.LayerNorm(config.n_embd, bias=config.bias),
            }
        )
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.transformer["wte"].weight = self.lm_head.weight  # one Parameter under two names
        self.apply(self._init_weights)
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):  # two of these feed the residual stream in every block
                nn.init.normal_(parameter, mean=0.0, std=0.02 / math.sqrt(2 * config.n_layer))

    @staticmethod
    def _init_weights(module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)

    def get_num_params(self, non_embedding=True):
        """Return the number of parameters; position embeddings are left out, token embeddings are the head's."""
        count = sum(parameter.numel() for parameter in self.parameters())
        return count - self.transformer["wpe"].weight.numel() if non_embedding else count

    def forward(self, idx, targets=None):
        """Predict the token after each position.

        Args:
            idx: (B, T) int64 tokens, T <= block_size.
            targets: (B, T) int64, the token after each position; -1 is left out of the loss.
        Returns: (logits, loss): (B, T, V) and 0-d with targets; (B, 1, V), the last position's, and None without.
        Raises: ValueError: when idx is no matrix, T exceeds block_size or targets has another shape than idx.
        """
        if idx.dim() != 2:
            raise ValueError(f"expected idx of shape (B, T), got {tuple(idx.shape)}")
        B, T = idx.size()
        if T > self.config.block_size:
            raise ValueError(f"expected at most block_size = {self.config.block_size} tokens, got {T}")
        if targets is not None and targets.shape != idx.shape:
            raise ValueError(f"expected targets of shape {tuple(idx.shape)} as idx, got {tuple(targets.shape)}")
        positions = npg.arange(T)  # (T,)
        x = self.transformer["wte"](idx) + self.transformer["wpe"](positions)  # (B, T, C) + (T, C)
        x = self.transformer["drop"](x)
        for block in self.transformer["h"]:
            x = block(x)
        x = self.transformer["ln_f"](x)  # (B, T, C)
        if targets is None:
            return self.lm_head(x[:, [-1], :]), None  # (B, 1, V): only the last position is asked for
        logits = self.lm_head(x)  # (B, T, V)
        loss = F.cross_entropy(logits.view(B * T, -1), targets.view(B * T), ignore_index=-1)  # (B T, V), (B T,)
        return logits, loss

    def configure_optimizers(self, weight_decay, learning_rate, betas):
        """Return AdamW over two groups: matrices and embeddings decay, biases and normalisation weights do not."""
        parameters = [parameter for parameter in self.parameters() if parameter.requires_grad]
        groups = [
            {"params": [parameter for parameter in parameters if parameter.dim() >= 2], "weight_decay": weight_decay},
            {"params": [parameter for parameter in parameters if parameter.dim() < 2], "weight_decay": 0.0},
        ]
        return npg.optim.AdamW(groups, lr=learning_rate, betas=betas)

    @npg.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):
        """Continue a sequence token by token.

        Args:
            idx: (B, T) int64, the prompt; only its last block_size tokens are seen.
            max_new_tokens: how many tokens to append.
            temperature: divides the logits; below 1 the likely gets likelier.
            top_k: draw from the k likeliest tokens only; None for all.
        Returns: (B, T + max_new_tokens) int64.
        Raises: ValueError: when the prompt is empty, temperature is not above 0 or top_k is below 1.
        """
        if idx.dim() != 2 or idx.size(1) < 1:
            raise ValueError(f"expected a prompt of at least one token, got shape {tuple(idx.shape)}")
        if not temperature > 0:
            raise ValueError(f"temperature: expected a number above 0, got {temperature}")
        if top_k is not None and top_k < 1:
            raise ValueError(f"top_k: expected at least 1 or None, got {top_k}")
        for _ in range(max_new_tokens):
            logits, _ = self(idx[:, -self.config.block_size :])  # (B, 1, V)
            logits = logits[:, -1, :] / temperature  # (B, V)
            if top_k is not None:
                kth = npg.topk(logits, min(top_k, logits.size(-1)))[0][:, [-1]]  # (B, 1), the k-th largest
                logits = logits.masked_fill(logits < kth, -math.inf)
            following = npg.multinomial(F.softmax(logits, dim=-1), num_samples=1)  # (B, 1)
            idx = npg.cat((idx, following), dim=1)  # (B, T + 1)
        return idx

    @classmethod
    def from_pretrained(cls, path, dropout=0.0, n_head=None):
        """Build a GPT-2 from a safetensors file of its state_dict; see pretrained.py."""
        from pretrained import load_gpt2

        return load_gpt2(cls, GPTConfig, path, dropout, n_head)
