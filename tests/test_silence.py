"""What overflows or is nan is computed in silence, as in PyTorch: NumPy warns only of the caller's own NumPy code.

Ops on samples of PyTorch's op_db filled with nan, inf and extremes, and what computes outside ops: draws, ranges, rows
that are renormed, optimizers, gradcheck. NumPy reports to a function here, which no handler of errors hides.
"""

import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import npg
from tests.conftest import PROFILE
from tests.layout_samples import sampled

pytestmark = pytest.mark.usefixtures("quick_samples")

COUNT, PARTS = (4, 1) if PROFILE == "ci" else (1, 6)
LARGEST = {npg.float16: 6e4, npg.float32: 3e38, npg.float64: 1e308}
DTYPES = list(LARGEST)


def reports(call: Callable[[], Any]) -> list[str]:
    """Return what NumPy said of floating-point errors in a call, with the place."""
    found: list[str] = []

    def told(kind: str, flag: int) -> None:
        frames = [f"{f.filename}:{f.lineno}" for f in traceback.extract_stack() if "/npg/" in f.filename]
        found.append(f"{kind} at {frames[-1:]}")

    with np.errstate(divide="call", over="call", invalid="call", call=told):
        try:
            call()
        except (RuntimeError, ValueError, TypeError, NotImplementedError, np.linalg.LinAlgError):
            pass  # a refusal of such numbers
    return found


def extreme(arrays: list[Any], seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    found = []
    for a in arrays:
        a = a.copy()
        if a.dtype.kind == "f":
            most = float(np.finfo(a.dtype).max)
            a[...] = rng.choice(np.array([np.nan, np.inf, -np.inf, most, -most, 1e-7, 0.0]), a.shape)
        found.append(a)
    return found


@pytest.mark.parametrize("part", range(3))
def test_ops_and_their_gradients_are_silent(part):
    said = {}
    dtype = (torch.float16, torch.float32, torch.float64)[part]  # of every sixth op, in the longer search of all
    for seed, call in enumerate(sampled(COUNT, part % PARTS, PARTS, (dtype,))):
        found = reports(lambda call=call, seed=seed: call.run(extreme(call.arrays, seed)))
        if found:
            said[call.name] = found
    assert not said


def _renormed(x: Any, value: float) -> None:
    npg.nn.functional.embedding(npg.tensor([0, 1]), x.fill_(value), max_norm=1.0)


def _steps(x: Any, name: str) -> None:
    p = npg.nn.Parameter(x)
    for value in (x, x * 2, -x):
        p.grad = value.clone()
        optimizer = getattr(npg.optim, name)([p], lr=0.1)
        optimizer.step()
        optimizer.step()
        npg.nn.utils.clip_grad_norm_([p], 1.0)


def _backward_twice(x: Any) -> None:
    p = npg.nn.Parameter(x)
    p.grad = x.clone()
    (p * x).sum().backward()
    (p * x).sum().backward()


OTHERS: dict[str, Callable[[Any, float], Any]] = {
    "embedding of large rows": lambda x, big: _renormed(x, big),
    "embedding of infinite rows": lambda x, big: _renormed(x, float("inf")),
    "arange": lambda x, big: npg.arange(0, big, big / 3, dtype=x.dtype),
    "linspace": lambda x, big: npg.linspace(-big, big, 5, dtype=x.dtype),
    "logspace": lambda x, big: npg.logspace(0, 400, 5, dtype=x.dtype),
    "full": lambda x, big: npg.full((2,), 1e300, dtype=x.dtype),
    "tensor": lambda x, big: npg.tensor([1e300], dtype=x.dtype),
    "normal_": lambda x, big: x.normal_(0.0, big),
    "normal_ of many": lambda x, big: x.new_empty(40).normal_(big, big),
    "log_normal_": lambda x, big: x.log_normal_(0.0, big),
    "uniform_": lambda x, big: x.uniform_(-big, big / 2),
    "cauchy_": lambda x, big: x.cauchy_(0.0, big),
    "exponential_": lambda x, big: x.exponential_(1 / big),
    "histc": lambda x, big: npg.histc(npg.tensor([-big, big], dtype=x.dtype)),
    "setitem": lambda x, big: x.__setitem__(0, 1e300),
    "iadd": lambda x, big: x.__iadd__(x),
    "accumulation": lambda x, big: _backward_twice(x),
    "gradcheck": lambda x, big: npg.autograd.gradcheck(
        lambda t: t * t, x.double().requires_grad_(), raise_exception=False
    ),
    "repr": lambda x, big: repr(x),
} | {
    name: lambda x, big, name=name: _steps(x, name)
    for name in ("SGD", "Adam", "RAdam", "RMSprop", "Adagrad", "Adadelta")
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_op_is_silent(name, dtype):
    big = LARGEST[dtype]
    x = npg.tensor([[float("nan"), float("inf"), -float("inf")], [big, -big, 0.0]], dtype=dtype)
    assert not reports(lambda: OTHERS[name](x, big))


def test_callers_own_numpy_is_heard():
    assert reports(lambda: np.exp(np.array([1e4])))
