"""Kernels shared by threads have the bits that one thread gives them, at every size: each element is computed, once.

Where a kernel begins to be shared depends on how much it computes for each element, on the dtype and on the size, so
there are sizes of every order, and some beside round numbers. Tests run with two threads anyway (tests/conftest.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import npg
from npg.kernels import openblas, parallel
from npg.nn import functional as F

SIZES = (1_000, 3_001, 5_000, 8_191, 12_000, 16_384, 20_011, 25_000, 28_000, 32_000, 32_767, 32_768, 40_000, 70_001)
THREADS = (2, 3, 5)
COLUMNS = 100


def rows(x: Any) -> Any:
    return x[: x.numel() // COLUMNS * COLUMNS].view(-1, COLUMNS)


def classes(x: Any) -> Any:
    return npg.arange(len(rows(x))) % COLUMNS


KERNELS: dict[str, Callable[[Any], Any]] = {
    "gelu": F.gelu,
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "logsigmoid": F.logsigmoid,
    "selu": F.selu,
    "elu": F.elu,
    "celu": F.celu,
    "sigmoid": npg.sigmoid,
    "tanh": npg.tanh,
    "relu": npg.relu,
    "hardswish": F.hardswish,
    "leaky_relu": F.leaky_relu,
    "glu": lambda x: F.glu(x[: x.numel() // 2 * 2]),
    "erf": npg.erf,
    "erfinv": lambda x: npg.erfinv(x.clamp(-0.9, 0.9)),
    "sinc": npg.sinc,
    "logit": lambda x: npg.logit(x.clamp(0.1, 0.9)),
    "expm1": npg.expm1,
    "pow": lambda x: (x.abs() + 0.1) ** 1.5,
    "atan2": lambda x: npg.atan2(x, x + 1),
    "logaddexp": lambda x: npg.logaddexp(x, x * 0.5),
    "addcmul": lambda x: npg.addcmul(x, x, x * 2, value=0.5),
    "lerp": lambda x: npg.lerp(x, x * 2, x * 3),
    "dropout": lambda x: F.dropout(x, 0.3),
    "binary_cross_entropy_with_logits": lambda x: F.binary_cross_entropy_with_logits(x, (x > 0).to(x.dtype)),
    "huber_loss": lambda x: F.huber_loss(x, x * 0, reduction="none"),
    "smooth_l1_loss": lambda x: F.smooth_l1_loss(x, x * 0),
    "softmax": lambda x: F.softmax(rows(x), -1),
    "log_softmax": lambda x: F.log_softmax(rows(x), -1),
    "softmax of columns": lambda x: F.softmax(rows(x), 0),
    "cross_entropy": lambda x: F.cross_entropy(rows(x), classes(x)),
    "layer_norm": lambda x: F.layer_norm(rows(x), (COLUMNS,), rows(x)[0], rows(x)[-1]),
    "layer_norm alone": lambda x: F.layer_norm(rows(x), (COLUMNS,)),
    "rms_norm": lambda x: F.rms_norm(rows(x), (COLUMNS,), rows(x)[0]),
    "normalize": lambda x: F.normalize(rows(x)),
    "sum": lambda x: rows(x).sum(0),
    "mean": lambda x: rows(x).mean(1),
    "std": lambda x: rows(x).std(0),
    "var": lambda x: rows(x).var(1),
    "cumsum": lambda x: rows(x).cumsum(0),
    "product": lambda x: rows(x) @ rows(x)[:COLUMNS].mT,
    "linear": lambda x: F.linear(rows(x), rows(x)[:30], rows(x)[0, :30][: len(rows(x)[:30])]),
    "attention": lambda x: F.scaled_dot_product_attention(*(x[: x.numel() // 400 * 400].view(1, 4, -1, 100),) * 3),
    "index": lambda x: rows(x)[classes(x)],
    "embedding": lambda x: F.embedding(classes(x) % len(rows(x)), rows(x)),
}

PRODUCTS = ("linear", "product", "attention")

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda p: npg.optim.SGD(p, 0.1),
    "SGD with momentum": lambda p: npg.optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adam": lambda p: npg.optim.Adam(p, 0.1),
    "AdamW": lambda p: npg.optim.AdamW(p, 0.1),
    "Adam, amsgrad": lambda p: npg.optim.Adam(p, 0.1, amsgrad=True, weight_decay=0.1),
    "RMSprop": lambda p: npg.optim.RMSprop(p, 0.1, centered=True, momentum=0.9),
    "Adagrad": lambda p: npg.optim.Adagrad(p, 0.1),
    "Adadelta": lambda p: npg.optim.Adadelta(p, 0.1),
    "RAdam": lambda p: npg.optim.RAdam(p, 0.1),
}


@pytest.fixture(autouse=True)
def _free(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(parallel._pool, "is_free", True)
    before = npg.get_num_threads()
    yield
    npg.set_num_threads(before)


def numbers(size: int, dtype: Any) -> Any:
    npg.manual_seed(size)
    return (npg.randn(size) * 0.5).to(dtype)


def sizes_of(name: str) -> tuple[int, ...]:
    """Leave out large products where threads of BLAS cut them as they like (NumPy 2.0 and 2.1)."""
    return SIZES if openblas.APART or name not in PRODUCTS else SIZES[:4]


def check(compute: Callable[[Any], list[Any]], dtype: Any, sizes: tuple[int, ...] = SIZES) -> None:
    """Compare what is computed of numbers of each size, bit for bit: by one thread, and by several."""
    for size in sizes:
        found = {}
        for threads in (1, *THREADS):
            npg.set_num_threads(threads)
            found[threads] = [t.detach().numpy().tobytes() for t in compute(numbers(size, dtype))]
        assert all(bits == found[1] for bits in found.values()), (size, {t: b == found[1] for t, b in found.items()})


@pytest.mark.parametrize("dtype", [npg.float32, npg.float64, npg.float16], ids=str)
@pytest.mark.parametrize("name", KERNELS)
def test_kernels_have_the_bits_of_one_thread(name: str, dtype: Any) -> None:
    def compute(x: Any) -> list[Any]:
        x.requires_grad_()
        y = KERNELS[name](x)
        y.backward(npg.linspace(-1, 1, y.numel()).to(dtype).view(y.shape))
        return [y, x.grad]

    check(compute, dtype, sizes_of(name))


@pytest.mark.parametrize("dtype", [npg.float32, npg.float64], ids=str)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_have_the_bits_of_one_thread(name: str, dtype: Any) -> None:
    def compute(x: Any) -> list[Any]:
        parameters = [x.requires_grad_(), numbers(500, dtype).requires_grad_()]
        optimizer = OPTIMIZERS[name](parameters)
        for step in range(2):
            for p in parameters:
                p.grad = p.detach() * 0.3 + step
            optimizer.step()
        return parameters

    check(compute, dtype)


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_without_gradient_have_the_bits_of_one_thread(name: str) -> None:
    check(lambda x: [KERNELS[name](x)], npg.float32, sizes_of(name))
