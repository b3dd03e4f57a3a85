"""The demo's GPT and training loop a second time, on PyTorch, for comparison: no line of npg or of the demo runs here.

The modules have the demo's names and are made in its order, so a seed gives both the same weights; everything that
draws random numbers (batches, evaluation) draws them in the demo's order.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c_attn = nn.Linear(c.n_embd, 3 * c.n_embd, bias=c.bias)
        self.c_proj = nn.Linear(c.n_embd, c.n_embd, bias=c.bias)
        self.heads, self.rate = c.n_head, c.dropout

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (
            part.view(B, T, self.heads, C // self.heads).transpose(1, 2) for part in self.c_attn(x).chunk(3, dim=-1)
        )
        rate = self.rate if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=rate, is_causal=True)
        return F.dropout(self.c_proj(y.transpose(1, 2).reshape(B, T, C)), self.rate, self.training)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln_1 = nn.LayerNorm(c.n_embd, bias=c.bias)
        self.attn = Attention(c)
        self.ln_2 = nn.LayerNorm(c.n_embd, bias=c.bias)
        self.mlp = nn.ModuleDict(
            {
                "c_fc": nn.Linear(c.n_embd, 4 * c.n_embd, bias=c.bias),
                "c_proj": nn.Linear(4 * c.n_embd, c.n_embd, bias=c.bias),
            }
        )
        self.gelu, self.rate = c.gelu, c.dropout

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        h = F.gelu(self.mlp["c_fc"](self.ln_2(x)), approximate=self.gelu)
        return x + F.dropout(self.mlp["c_proj"](h), self.rate, self.training)


class Twin(nn.Module):
    """nanoGPT's GPT; `c` has block_size, n_layer, n_head, n_embd, dropout, bias, gelu."""

    def __init__(self, c, vocab_size):
        super().__init__()
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocab_size, c.n_embd),
                "wpe": nn.Embedding(c.block_size, c.n_embd),
                "h": nn.ModuleList([Block(c) for _ in range(c.n_layer)]),
                "ln_f": nn.LayerNorm(c.n_embd, bias=c.bias),
            }
        )
        self.lm_head = nn.Linear(c.n_embd, vocab_size, bias=False)
        self.transformer["wte"].weight = self.lm_head.weight
        self.rate = c.dropout
        self.apply(self._init)
        for name, p in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * c.n_layer))

    @staticmethod
    def _init(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, idx):
        """Return logits (B, T, V) for tokens (B, T)."""
        x = self.transformer["wte"](idx) + self.transformer["wpe"](torch.arange(idx.shape[1]))
        x = F.dropout(x, self.rate, self.training)
        for block in self.transformer["h"]:
            x = block(x)
        return self.lm_head(self.transformer["ln_f"](x))


def train(c, folder, vocab_size, iterations):
    """Train the twin with a TrainConfig on the token files of a folder.

    Returns: (the training loss of each iteration, the validation loss of each evaluation).
    """
    tokens = {
        split: torch.from_numpy(np.fromfile(folder / f"{split}.bin", "<u2").astype(np.int64))
        for split in ("train", "val")
    }

    def batch(split):
        data = tokens[split]
        starts = torch.randint(len(data) - c.block_size, (c.batch_size,))
        window = data[starts[:, None] + torch.arange(c.block_size + 1)]
        return window[:, :-1], window[:, 1:]

    def loss_of(x, y):
        return F.cross_entropy(model(x).flatten(0, 1), y.flatten())

    torch.manual_seed(c.seed)
    model = Twin(c, vocab_size)
    decay = [p for p in model.parameters() if p.ndim >= 2]
    rest = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decay, "weight_decay": c.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=c.learning_rate, betas=(c.beta1, c.beta2))
    losses, evaluated = [], []
    x, y = batch("train")
    for i in range(iterations + 1):
        if i % c.eval_interval == 0 or i == iterations:
            model.eval()
            with torch.no_grad():
                means = [
                    sum(loss_of(*batch(split)).item() for _ in range(c.eval_iters)) / c.eval_iters
                    for split in ("train", "val")
                ]
            evaluated.append(means[1])
            model.train()
        if i == iterations:
            break
        rate = c.learning_rate
        if c.decay_lr:
            through = (i - c.warmup_iters) / max(1, c.lr_decay_iters - c.warmup_iters)
            rate = c.min_lr + (c.learning_rate - c.min_lr) * (1 + math.cos(math.pi * min(1.0, through))) / 2
            if i < c.warmup_iters:
                rate = c.learning_rate * (i + 1) / (c.warmup_iters + 1)
        for group in optimizer.param_groups:
            group["lr"] = rate
        total = 0.0
        for _ in range(c.gradient_accumulation_steps):
            loss = loss_of(x, y) / c.gradient_accumulation_steps
            x, y = batch("train")
            loss.backward()
            total += loss.item()
        if c.grad_clip:
            nn.utils.clip_grad_norm_(model.parameters(), c.grad_clip)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(total)
    return losses, evaluated
