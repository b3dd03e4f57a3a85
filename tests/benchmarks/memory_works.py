"""The works whose peak of memory is measured: what PyTorch's programs do with large tensors, and training steps.

Each function takes the library, npg or torch, makes the inputs and returns a function that does the work once and
returns what a program would still hold afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Step = Callable[[], Any]

SIDE = (8192, 4096)  # 128 MB of float32
HALF = (4096, 4096)


def _both(lib: Any, function: Callable[..., Any], *inputs: Any) -> Step:
    """Return a step that does forward and backward, the sum as the loss."""
    for x in inputs:
        x.requires_grad_()

    def step() -> Any:
        y = function(*inputs)
        y.sum().backward()
        return y

    return step


# ----- Single functions -----


def index_rows(lib: Any) -> Step:
    """x[i], 10^6 rows of 32, forward and backward."""
    x, i = lib.randn(1_000_000, 32), lib.randint(0, 1_000_000, (1_000_000,))
    return _both(lib, lambda x: x[i], x)


def index_columns(lib: Any) -> Step:
    """x[:, i], of 32 columns 64, forward and backward."""
    x, i = lib.randn(1_000_000, 32), lib.randint(0, 32, (64,))
    return _both(lib, lambda x: x[:, i], x)


def mask(lib: Any) -> Step:
    """x[x > 0] of 16 million, forward and backward."""
    return _both(lib, lambda x: x[x > 0], lib.randn(*HALF))


def in_place_chain(lib: Any) -> Step:
    """Eight functions in place on one tensor with a history, forward and backward."""
    x = lib.randn(*SIDE).requires_grad_()

    def step() -> Any:
        y = x * 0.5
        y.add_(1.0).mul_(2.0).clamp_(-3.0, 3.0).mul_(3.0).sub_(1.0).div_(2.0).neg_().relu_()
        y.sum().backward()
        return y

    return step


def in_place_no_grad(lib: Any) -> Step:
    """The same without a history."""
    x = lib.randn(*HALF)

    def step() -> Any:
        x.add_(1.0).mul_(2.0).clamp_(-3.0, 3.0).tanh_().mul_(3.0).sub_(1.0).div_(2.0).relu_().neg_().sigmoid_()
        return x.addcmul_(x, x, value=0.5).lerp_(x, 0.3).pow_(2).fill_(1.0).masked_fill_(x > 0, 2.0)

    return step


def layer_norm(lib: Any) -> Step:
    """layer_norm with weight and bias over rows of 4096, forward and backward."""
    return _both(
        lib,
        lambda x, w, b: lib.nn.functional.layer_norm(x, (4096,), w, b),
        lib.randn(*SIDE),
        lib.ones(4096),
        lib.zeros(4096),
    )


def rms_norm(lib: Any) -> Step:
    """rms_norm with a weight over rows of 4096, forward and backward."""
    return _both(lib, lambda x, w: lib.nn.functional.rms_norm(x, (4096,), w), lib.randn(*HALF), lib.ones(4096))


def softmax(lib: Any) -> Step:
    """softmax over rows of 4096, forward and backward."""
    return _both(lib, lambda x: lib.softmax(x, 1), lib.randn(*HALF))


def log_softmax(lib: Any) -> Step:
    """log_softmax over rows of 4096, forward and backward."""
    return _both(lib, lambda x: lib.log_softmax(x, 1), lib.randn(*SIDE))


def log_softmax_columns(lib: Any) -> Step:
    """log_softmax over columns of 4096, forward and backward."""
    return _both(lib, lambda x: lib.log_softmax(x, 0), lib.randn(*HALF))


def cross_entropy(lib: Any) -> Step:
    """cross_entropy of 4096 rows over 4096 classes, forward and backward."""
    x, t = lib.randn(*HALF), lib.randint(0, HALF[1], (HALF[0],))
    return _both(lib, lambda x: lib.nn.functional.cross_entropy(x, t), x)


def gelu_dropout(lib: Any) -> Step:
    """dropout(gelu(x)), forward and backward."""
    functional = lib.nn.functional
    return _both(lib, lambda x: functional.dropout(functional.gelu(x), 0.1), lib.randn(*SIDE))


def relu(lib: Any) -> Step:
    """relu, forward and backward."""
    return _both(lib, lib.relu, lib.randn(*HALF))


def silu(lib: Any) -> Step:
    """silu, forward and backward."""
    return _both(lib, lib.nn.functional.silu, lib.randn(*HALF))


def elementwise_chain(lib: Any) -> Step:
    """(a / b).tanh() * exp(-a) + maximum(a, b).sqrt(), forward and backward."""
    a, b = lib.rand(*HALF), lib.rand(*HALF) + 1.0
    return _both(lib, lambda a, b: (a / b).tanh() * lib.exp(-a) + lib.maximum(a, b).sqrt(), a, b)


def where(lib: Any) -> Step:
    """where(a > b, a, b * 2), forward and backward."""
    return _both(lib, lambda a, b: lib.where(a > b, a, b * 2.0), lib.randn(*HALF), lib.randn(*HALF))


def cumsum(lib: Any) -> Step:
    """cumsum over rows, forward and backward."""
    return _both(lib, lambda x: lib.cumsum(x, 1), lib.randn(*SIDE))


def cumsum_columns(lib: Any) -> Step:
    """cumsum over columns, forward and backward."""
    return _both(lib, lambda x: lib.cumsum(x, 0), lib.randn(*HALF))


def std_columns(lib: Any) -> Step:
    """std(0) of (10^6, 20), forward."""
    x = lib.randn(1_000_000, 20)
    return lambda: x.std(0)


def std_rows(lib: Any) -> Step:
    """std over rows of 4096, forward and backward."""
    return _both(lib, lambda x: x.std(1), lib.randn(*HALF))


def sort(lib: Any) -> Step:
    """sort over rows, forward and backward."""
    return _both(lib, lambda x: lib.sort(x, 1)[0], lib.randn(4096, 4096))


def mse_loss(lib: Any) -> Step:
    """mse_loss, forward and backward."""
    t = lib.randn(*HALF)
    return _both(lib, lambda x: lib.nn.functional.mse_loss(x, t), lib.randn(*HALF))


def bce_loss(lib: Any) -> Step:
    """binary_cross_entropy_with_logits, forward and backward."""
    t = lib.rand(*HALF)
    return _both(lib, lambda x: lib.nn.functional.binary_cross_entropy_with_logits(x, t), lib.randn(*HALF))


def bias(lib: Any) -> Step:
    """x @ w + b with a bias that is broadcast, forward and backward."""
    return _both(lib, lambda x, w, b: x @ w + b, lib.randn(32768, 512), lib.randn(512, 512), lib.randn(512))


def linear(lib: Any) -> Step:
    """linear of 32768 rows, forward and backward."""
    functional = lib.nn.functional
    return _both(lib, functional.linear, lib.randn(32768, 512), lib.randn(512, 512), lib.randn(512))


def attention(lib: Any) -> Step:
    """scaled_dot_product_attention, causal, of (8, 8, 1024, 64), forward and backward."""
    attend = lib.nn.functional.scaled_dot_product_attention
    q, k, v = (lib.randn(8, 8, 1024, 64) for _ in range(3))
    return _both(lib, lambda q, k, v: attend(q, k, v, is_causal=True), q, k, v)


def embedding(lib: Any) -> Step:
    """embedding of 200,000 of 50,000 rows of 128, forward and backward."""
    w, i = lib.randn(50_000, 128), lib.randint(0, 50_000, (200_000,))
    return _both(lib, lambda w: lib.nn.functional.embedding(i, w), w)


def scatter_add(lib: Any) -> Step:
    """scatter_add along the rows, forward and backward."""
    x, i = lib.randn(4096, 4096), lib.randint(0, 4096, (4096, 4096))
    return _both(lib, lambda x, s: x.scatter_add(1, i, s), x, lib.randn(4096, 4096))


def joined(lib: Any) -> Step:
    """cat of four, stack and chunk of it, forward and backward."""
    parts = [lib.randn(2048, 4096) for _ in range(4)]
    return _both(lib, lambda *parts: lib.stack(lib.cat(parts).chunk(4)), *parts)


# ----- Training steps -----


def _step(lib: Any, model: Any, optimizer: Any, loss: Callable[[], Any], count: int = 2) -> Step:
    def step() -> Any:
        for _ in range(count):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
        return model

    return step


def mlp(lib: Any) -> Step:
    """Two steps of an MLP 784-2048-2048-10 with dropout, batch 4096, AdamW."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Linear(784, 2048), nn.ReLU(), nn.Dropout(0.1), nn.Linear(2048, 2048), nn.GELU(), nn.Linear(2048, 10)
    )
    x, t = lib.randn(4096, 784), lib.randint(0, 10, (4096,))
    optimizer = lib.optim.AdamW(model.parameters(), lr=1e-3)
    return _step(lib, model, optimizer, lambda: nn.functional.cross_entropy(model(x), t))


def gpt(lib: Any) -> Step:
    """Two steps of a GPT, 4 layers 256 wide, 4 heads, 16 sequences of 256 over 512 characters, dropout, AdamW."""
    nn, functional = lib.nn, lib.nn.functional

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(256), nn.LayerNorm(256)
            self.qkv, self.proj = nn.Linear(256, 768), nn.Linear(256, 256)
            self.up, self.down = nn.Linear(256, 1024), nn.Linear(1024, 256)
            self.drop = nn.Dropout(0.1)

        def forward(self, x: Any) -> Any:  # (B, T, C)
            B, T, C = x.shape
            q, k, v = (t.view(B, T, 4, 64).transpose(1, 2) for t in self.qkv(self.ln1(x)).split(C, dim=2))
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, nh, T, hs)
            x = x + self.drop(self.proj(y.transpose(1, 2).contiguous().view(B, T, C)))
            return x + self.drop(self.down(functional.gelu(self.up(self.ln2(x)))))

    model = nn.Sequential(nn.Embedding(512, 256), *(Block() for _ in range(4)), nn.LayerNorm(256), nn.Linear(256, 512))
    x, t = lib.randint(0, 512, (16, 256)), lib.randint(0, 512, (16 * 256,))
    optimizer = lib.optim.AdamW(model.parameters(), lr=1e-3)
    return _step(lib, model, optimizer, lambda: functional.cross_entropy(model(x).view(-1, 512), t))


def lstm(lib: Any) -> Step:
    """Two steps of an LSTM cell written in functions, 128-256, over 64 steps, batch 256, Adam."""
    nn = lib.nn
    gates = nn.Linear(128 + 256, 4 * 256)
    x = lib.randn(64, 256, 128)
    optimizer = lib.optim.Adam(gates.parameters(), lr=1e-3)

    def loss() -> Any:
        h, c = lib.zeros(256, 256), lib.zeros(256, 256)
        total = 0.0
        for t in range(64):
            i, f, g, o = gates(lib.cat((x[t], h), 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            total = total + h.square().mean()
        return total

    return _step(lib, gates, optimizer, loss)


def _optimizer(name: str, **settings: Any) -> Callable[[Any], Step]:
    def work(lib: Any) -> Step:
        p = lib.nn.Parameter(lib.randn(*HALF))
        p.grad = lib.randn(*HALF)
        optimizer = getattr(lib.optim, name)([p], lr=1e-3, **settings)

        def step() -> Any:
            optimizer.step()
            optimizer.step()
            return p

        return step

    work.__doc__ = f"Two steps of {name}{''.join(f', {k}={v}' for k, v in settings.items())}."
    return work


FUNCTIONS: dict[str, Callable[[Any], Step]] = {
    f.__name__: f
    for f in (
        index_rows, index_columns, mask, in_place_chain, in_place_no_grad, layer_norm, rms_norm,
        softmax, log_softmax, log_softmax_columns, cross_entropy, gelu_dropout, relu, silu, elementwise_chain, where,
        cumsum, cumsum_columns, std_columns, std_rows, sort, mse_loss, bce_loss, bias, linear,
        attention, embedding, scatter_add, joined,
    )
}  # fmt: skip

TRAINING: dict[str, Callable[[Any], Step]] = {
    **{f.__name__: f for f in (mlp, gpt, lstm)},
    "sgd": _optimizer("SGD", momentum=0.9),
    "adam": _optimizer("Adam"),
    "adamw": _optimizer("AdamW"),
    "amsgrad": _optimizer("Adam", amsgrad=True),
    "rmsprop": _optimizer("RMSprop", centered=True, momentum=0.9),
    "adagrad": _optimizer("Adagrad"),
    "adadelta": _optimizer("Adadelta"),
    "radam": _optimizer("RAdam"),
}
WORKS = {**FUNCTIONS, **TRAINING}
