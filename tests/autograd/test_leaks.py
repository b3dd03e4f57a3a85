"""Nothing survives a call: over PyTorch's own samples of every op, without the garbage collector.

Outputs, their nodes, their buffers and the gradients of first and second order are gone when the last name is.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import npg

from ..helpers import Unsupported, to_npg
from ..op_samples import samples_of
from ..test_op_db import forms, op_db
from .test_saved import mapped, tensors

pytestmark = pytest.mark.usefixtures("quick_samples")

SAMPLES = 3

OPS = [op for op in op_db if op.supports_autograd and forms(op)]


@pytest.fixture(scope="module", autouse=True)  # collecting takes longer than a test
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def traces(ts: Any) -> list[weakref.ref[Any]]:
    """Return weak references to tensors, the nodes that made them and the buffers they show."""
    found: list[Any] = []
    for t in ts:
        if t is not None:
            found += [weakref.ref(x) for x in (t, t.grad_fn, t._array) if x is not None]
    return found


def call(function: Any, args: Any, kwargs: Any, create_graph: bool) -> list[weakref.ref[Any]]:
    """Run forward and backward once; return weak references to all that came out."""
    leaves: list[Any] = []

    def leaf(t: Any) -> Any:
        if t.dtype == npg.float64:
            leaves.append(t.detach().clone().requires_grad_())
            return leaves[-1]
        return t

    args, kwargs = mapped(args, npg.Tensor, leaf), mapped(kwargs, npg.Tensor, leaf)
    npg.manual_seed(0)
    given = {id(t) for t in tensors((args, list(kwargs.values())), npg.Tensor)}
    outputs = [y for y in tensors(function(*args, **kwargs), npg.Tensor) if id(y) not in given]
    seen = traces(outputs)
    live = [y for y in outputs if y.requires_grad]
    if live:
        total = sum(y.sum() for y in live)
        seen += traces([total])
        grads = npg.autograd.grad(total, leaves, create_graph=create_graph, allow_unused=True)
        seen += traces(grads)
    return seen


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.formatted_name)
def test_call_leaves_nothing_behind(op: Any) -> None:
    form = forms(op)[0]
    for given, settings in samples_of(op, SAMPLES):
        try:
            args, kwargs = to_npg(given), to_npg(settings)
        except Unsupported:
            continue
        for create_graph in (False, True):
            try:
                seen = call(form.npg_fn, args, kwargs, create_graph)
            except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
                continue  # what is refused is the matter of tests/test_op_db.py
            assert [r() for r in seen if r() is not None] == []


def test_cycle_is_noticed() -> None:
    def cyclic(x: Any) -> Any:
        y = x * 2
        y.itself = y
        return y

    seen = call(cyclic, (npg.from_numpy(np.ones(2)),), {}, False)
    assert any(r() is not None for r in seen)


def test_ops_are_many() -> None:
    assert len(OPS) > 300
