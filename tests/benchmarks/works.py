"""The works that are timed. Each function takes a contender's name and returns a function that does the work once.

What that returns is a number that contenders must agree on: the loss, or a sum. The GPT and the chain are the demo's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks import image_works, sequence_works
from tests.benchmarks.given import Step, bench, config, contenders, draw, fill, library

# ----- Training -----


def nanogpt(contender: str, **sizes: Any) -> Step:
    """One training iteration of the demo's GPT: forward, backward, clipping, AdamW."""
    step: Step = contenders.iteration(config(contender, **sizes))
    return step


def wide_nanogpt(contender: str) -> Step:
    """The same, 256 wide, 6 layers, block 128, batch 8."""
    return nanogpt(contender, n_embd=256, n_layer=6, block_size=128, batch_size=8)


def long_nanogpt(contender: str) -> Step:
    """The same, block 512, 2 layers, batch 4."""
    return nanogpt(contender, n_layer=2, block_size=512, batch_size=4)


def dropout_nanogpt(contender: str) -> Step:
    """The same as the first, with dropout 0.2."""
    return nanogpt(contender, dropout=0.2)


def tiny_nanogpt(contender: str) -> Step:
    """The same, 16 wide, block 8, batch 4: little arithmetic, so the engine shows."""
    return nanogpt(contender, n_embd=16, block_size=8, batch_size=4)


def digits(contender: str) -> Step:
    """One step of an MLP 64-128-10 on a batch of 32: forward, backward, AdamW."""
    lib, numbers = library(contender), draw()
    model = lib.nn.Sequential(lib.nn.Linear(64, 128), lib.nn.ReLU(), lib.nn.Linear(128, 10))
    fill(lib, model, numbers)
    x = lib.from_numpy(numbers.random((32, 64), np.float32))
    y = lib.from_numpy(numbers.integers(10, size=32))
    optimizer = lib.optim.AdamW(model.parameters(), lr=1e-3)

    def step() -> float:
        optimizer.zero_grad()
        loss = lib.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def lstm(contender: str) -> Step:
    """One step of a character LSTM, hidden 128, 64 steps, batch 16, its cell written from Linear ops."""
    lib = library(contender)
    nn = lib.nn

    class CharLSTM(nn.Module):
        def __init__(self, vocabulary: int, hidden: int) -> None:
            super().__init__()
            self.embedding = nn.Embedding(vocabulary, hidden)
            self.of_input = nn.Linear(hidden, 4 * hidden)
            self.of_state = nn.Linear(hidden, 4 * hidden)
            self.head = nn.Linear(hidden, vocabulary)
            self.hidden = hidden

        def forward(self, tokens: Any) -> Any:
            B, T = tokens.shape
            h, c = lib.zeros(B, self.hidden), lib.zeros(B, self.hidden)
            x = self.embedding(tokens)  # (B, T, H)
            states = []
            for t in range(T):
                i, f, g, o = (self.of_input(x[:, t]) + self.of_state(h)).chunk(4, dim=1)
                c = lib.sigmoid(f) * c + lib.sigmoid(i) * lib.tanh(g)
                h = lib.sigmoid(o) * lib.tanh(c)
                states.append(h)
            return self.head(lib.stack(states, dim=1))  # (B, T, V)

    numbers = draw()
    model = CharLSTM(65, 128)
    fill(lib, model, numbers)
    x = lib.from_numpy(numbers.integers(65, size=(16, 64)))
    y = lib.from_numpy(numbers.integers(65, size=(16, 64)))
    optimizer = lib.optim.AdamW(model.parameters(), lr=1e-3)

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x).view(-1, 65), y.view(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


# ----- Without training -----


def generate(contender: str) -> Step:
    """200 characters from the demo's GPT, batch 1."""
    lib = library(contender)
    from model import GPT, GPTConfig

    model = GPT(GPTConfig(block_size=64, vocab_size=65, n_layer=4, n_head=4, n_embd=128, bias=False))
    fill(lib, model, draw())
    model.eval()
    start = lib.from_numpy(np.zeros((1, 1), np.int64))

    def step() -> float:
        lib.manual_seed(1337)
        return float(model.generate(start, 200).sum().item())

    return step


def elementwise(contender: str, size: int = 1000) -> Step:
    """A product, a sum and a tanh of tensors of this size, forward and backward."""
    lib, numbers = library(contender), draw()
    x, w, b = [lib.from_numpy(numbers.standard_normal(size, np.float32)) for _ in range(3)]
    x.requires_grad_()

    def step() -> float:
        x.grad = None
        y = (x * w + b).tanh().sum()
        y.backward()
        return float(y.item())

    return step


def chain(contender: str, length: int = 1000) -> Step:
    """A chain of multiplications and additions on (4, 4) float32, forward and backward."""
    step: Step = contenders.chain(config(contender, length=length))
    return step


def numpy_chain(_: Any, length: int = 1000) -> Step:
    """The same chain on bare arrays, forward only."""
    step: Step = contenders.numpy_chain(bench.BenchConfig(length=length))
    return step


_ALL = (
    *(nanogpt, wide_nanogpt, long_nanogpt, dropout_nanogpt, tiny_nanogpt, digits, lstm, generate, elementwise),
    *(chain, numpy_chain),
)
WORKS: dict[str, Callable[..., Step]] = {work.__name__: work for work in (*_ALL, *image_works.ALL, *sequence_works.ALL)}
