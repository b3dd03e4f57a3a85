"""Python's threads and the pool's in the same kernels: each result has the bits that it has in one thread.

ThreadSanitizer checks this where the extension was built for it; see tests/sanitized.py.
"""

import threading
from typing import Any

import numpy as np
import pytest

import npg
from npg.kernels import parallel
from npg.nn import functional as F

THREADS = 4


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(parallel._pool, "is_free", True)
    limit, before = parallel.requested(), npg.get_num_threads()
    npg.set_num_threads(THREADS)
    yield
    npg.set_num_threads(before)
    parallel.set_limit(limit)


def heads(factor: float) -> Any:
    x = npg.arange(4 * 4 * 70 * 16).reshape(4, 4, 70, 16)
    return (npg.sin(x * 1.0) * factor).requires_grad_()


LEAF = npg.cos(npg.arange(400 * 300).reshape(400, 300) * 1.0).requires_grad_()  # of all threads

WORK = {
    "product": lambda: LEAF @ LEAF.t(),
    "batch of products": lambda: heads(1) @ heads(1).mT,
    "gelu": lambda: F.gelu(LEAF),
    "layer_norm": lambda: F.layer_norm(F.silu(LEAF), (300,)),
    "cross_entropy": lambda: F.cross_entropy(LEAF, npg.arange(400) % 300, reduction="none"),
    "attention": lambda: F.scaled_dot_product_attention(heads(1), heads(1), heads(1), is_causal=True),
    # Scores too large for the path without a shift: its threads signal each other.
    "attention, large": lambda: F.scaled_dot_product_attention(heads(400), heads(400), heads(400)),
}


def bits(name: str) -> tuple[bytes, bytes | None]:
    y = WORK[name]()
    (g,) = npg.autograd.grad((y * y).sum(), [LEAF], allow_unused=True)
    return y.detach().numpy().tobytes(), None if g is None else g.numpy().tobytes()


def test_results_of_threads_have_the_bits_that_they_have_alone() -> None:
    expected = {name: bits(name) for name in WORK}
    wrong: list[str] = []

    def run(first: int) -> None:
        names = [*WORK][first:] + [*WORK][:first]
        wrong.extend(name for name in names * 3 if bits(name) != expected[name])

    threads = [threading.Thread(target=run, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert np.isfinite(np.frombuffer(expected["attention, large"][0], np.float32)).all()
