"""The works on sequences: recurrent nets, transformers, and many small modules. See works.py.

Weights are the modules' own, of one seed: contenders draw the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.given import Step, draw, library


def _training(lib: Any, model: Any, loss_of: Callable[[], Any], optimizer: str = "Adam") -> Step:
    """Return one step: forward, backward, optimizer."""
    stepper = getattr(lib.optim, optimizer)(model.parameters(), lr=1e-3)

    def step() -> float:
        stepper.zero_grad()
        loss = loss_of()
        loss.backward()
        stepper.step()
        return float(loss.item())

    return step


# ----- Recurrent nets -----


def _recurrent(contender: str, kind: str) -> Step:
    """One step of a layer 64 -> 128 over 64 steps, batch 16, with a head for each step."""
    lib, numbers = library(contender), draw()
    lib.manual_seed(1337)
    layer, head = getattr(lib.nn, kind)(64, 128), lib.nn.Linear(128, 65)
    x = lib.from_numpy(numbers.standard_normal((64, 16, 64), np.float32))
    y = lib.from_numpy(numbers.integers(65, size=64 * 16))
    model = lib.nn.ModuleList([layer, head])
    return _training(lib, model, lambda: lib.nn.functional.cross_entropy(head(layer(x)[0]).view(-1, 65), y))


def nn_lstm(contender: str) -> Step:
    """One step of an LSTM."""
    return _recurrent(contender, "LSTM")


def nn_gru(contender: str) -> Step:
    """One step of a GRU."""
    return _recurrent(contender, "GRU")


def packed_lstm(contender: str) -> Step:
    """One step of a bidirectional LSTM of two layers on a packed batch of 16 sequences, 20 to 64 long."""
    lib, numbers = library(contender), draw()
    lib.manual_seed(1337)
    rnn = lib.nn.utils.rnn
    layer, head = lib.nn.LSTM(64, 128, 2, bidirectional=True), lib.nn.Linear(256, 10)
    x = lib.from_numpy(numbers.standard_normal((64, 16, 64), np.float32))
    y = lib.from_numpy(numbers.integers(10, size=16))
    lengths = lib.from_numpy(np.sort(numbers.integers(20, 65, size=16))[::-1].copy())

    def loss() -> Any:
        packed, (h, _) = layer(rnn.pack_padded_sequence(x, lengths))
        states, _ = rnn.pad_packed_sequence(packed)
        return lib.nn.functional.cross_entropy(head(states.mean(0) + lib.cat([h[2], h[3]], 1)), y)

    return _training(lib, lib.nn.ModuleList([layer, head]), loss)


def tiny_rnn(contender: str) -> Step:
    """One step of an RNN that learns to spell a word: hidden 5, 6 steps, batch 1."""
    lib = library(contender)
    lib.manual_seed(1337)
    layer = lib.nn.RNN(5, 5)
    x = lib.eye(5)[lib.tensor([0, 1, 2, 2, 3, 0])].view(6, 1, 5)
    y = lib.tensor([1, 2, 2, 3, 4, 1])
    return _training(lib, layer, lambda: lib.nn.functional.cross_entropy(layer(x)[0].view(-1, 5), y))


def seq2seq(contender: str) -> Step:
    """One step of a translator by LSTMCells with attention: 12 steps each way, hidden 64, batch 16."""
    lib, numbers = library(contender), draw()
    lib.manual_seed(1337)
    nn, functional = lib.nn, lib.nn.functional

    class Translator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(30, 64)
            self.encoder, self.decoder = nn.LSTMCell(64, 64), nn.LSTMCell(128, 64)
            self.head = nn.Linear(128, 30)

        def forward(self, source: Any, target: Any) -> Any:
            x, y = self.embedding(source), self.embedding(target)
            h = c = lib.zeros(source.shape[1], 64)
            states = []
            for t in range(len(x)):
                h, c = self.encoder(x[t], (h, c))
                states.append(h)
            memory = lib.stack(states, 1)  # (B, T, H)
            context = lib.zeros(source.shape[1], 64)
            outputs = []
            for t in range(len(y)):
                h, c = self.decoder(lib.cat([y[t], context], 1), (h, c))
                weights = lib.softmax(lib.bmm(memory, h.unsqueeze(2)).squeeze(2), 1)
                context = lib.bmm(weights.unsqueeze(1), memory).squeeze(1)
                outputs.append(self.head(lib.cat([h, context], 1)))
            return lib.stack(outputs)

    model = Translator()
    source, target = (lib.from_numpy(numbers.integers(30, size=(12, 16))) for _ in range(2))

    def loss() -> Any:
        return functional.cross_entropy(model(source, target).view(-1, 30), target.view(-1))

    return _training(lib, model, loss)


# ----- Transformers -----


def transformer_encoder(contender: str) -> Step:
    """One step of a TransformerEncoder of 4 layers, 128 wide, 64 tokens, batch 16."""
    lib, numbers = library(contender), draw()
    lib.manual_seed(1337)
    layer = lib.nn.TransformerEncoderLayer(128, 4, 512, batch_first=True)
    model, head = lib.nn.TransformerEncoder(layer, 4, enable_nested_tensor=False), lib.nn.Linear(128, 10)
    x = lib.from_numpy(numbers.standard_normal((16, 64, 128), np.float32))
    y = lib.from_numpy(numbers.integers(10, size=16))
    both = lib.nn.ModuleList([model, head])

    def loss() -> Any:
        lib.manual_seed(1337)  # of the dropout
        return lib.nn.functional.cross_entropy(head(model(x).mean(1)), y)

    return _training(lib, both, loss, "AdamW")


def cached_gpt(contender: str, tokens: int = 64) -> Step:
    """Tokens from a GPT of 4 layers, 128 wide, that keeps keys and values: batch 1, greedy."""
    lib = library(contender)
    lib.manual_seed(1337)
    nn, functional = lib.nn, lib.nn.functional

    class Block(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any, cache: list[Any]) -> Any:
            B, T, C = x.shape
            q, k, v = (
                part.view(B, T, self.heads, C // self.heads).transpose(1, 2)
                for part in self.qkv(self.ln_1(x)).chunk(3, dim=-1)
            )
            if cache:
                k, v = lib.cat([cache[0], k], dim=2), lib.cat([cache[1], v], dim=2)
            cache[:] = k, v
            y = functional.scaled_dot_product_attention(q, k, v)
            x = x + self.out(y.transpose(1, 2).reshape(B, T, C))
            return x + self.mlp(self.ln_2(x))

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token, self.position = nn.Embedding(65, 128), nn.Embedding(256, 128)
            self.blocks = nn.ModuleList([Block(128, 4) for _ in range(4)])
            self.ln, self.head = nn.LayerNorm(128), nn.Linear(128, 65, bias=False)

        def forward(self, token: Any, at: int, caches: list[Any]) -> Any:
            x = self.token(token) + self.position(lib.tensor([[at]]))
            for block, cache in zip(self.blocks, caches, strict=True):
                x = block(x, cache)
            return self.head(self.ln(x))

    model = GPT()
    model.eval()

    def step() -> float:
        with lib.no_grad():
            caches: list[Any] = [[] for _ in model.blocks]
            token, total = lib.zeros((1, 1), dtype=lib.int64), 0
            for at in range(tokens):
                token = model(token, at, caches)[:, -1].argmax(-1, keepdim=True)
                total += int(token.item())
        return float(total)

    return step


# ----- Small modules -----


def small_modules(contender: str, calls: int = 200) -> Step:
    """Calls of an nn.Linear on (1, 16), one after the other, without gradients."""
    lib = library(contender)
    lib.manual_seed(1337)
    layer = lib.nn.Linear(16, 16)
    x = lib.ones(1, 16)

    def step() -> float:
        with lib.no_grad():
            y = x
            for _ in range(calls):
                y = layer(y)
        return float(y.sum().item())

    return step


ALL = (nn_lstm, nn_gru, packed_lstm, tiny_rnn, seq2seq, transformer_encoder, cached_gpt, small_modules)
