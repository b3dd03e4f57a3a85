"""What ops save for backward is checked: a tensor that is changed in place after a call never gives a wrong gradient.

Over PyTorch's own samples of every op that npg offers, each floating input and each output is changed after the call.
Backward then either raises, or gives the gradient that it gives without the change. Where PyTorch does not raise, npg
must not either: a program that runs there runs here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import npg

from ..helpers import to_npg
from ..op_samples import samples_of
from ..test_op_db import forms, op_db

pytestmark = pytest.mark.usefixtures("quick_samples")

SAMPLES = 4  # an op

# Where npg raises and PyTorch does not: npg saves what its composite or its kernel needs, PyTorch something else.
CAUTIOUS = {
    "kron",
    "ldexp",
    "linalg.qr",
    "nn.functional.cross_entropy",
    "nn.functional.gaussian_nll_loss",
    "nn.functional.linear_cross_entropy",
    "nn.functional.scaled_dot_product_attention",
    "nn.functional.tanhshrink",
}

OPS = [op for op in op_db if op.supports_autograd and forms(op)]


def tensors(tree: Any, kind: type) -> Iterator[Any]:
    if isinstance(tree, kind):
        yield tree
    elif isinstance(tree, (list, tuple)):
        for x in tree:
            yield from tensors(x, kind)


def mapped(tree: Any, kind: type, function: Any) -> Any:
    if isinstance(tree, kind):
        return function(tree)
    if isinstance(tree, (list, tuple)):
        return type(tree)(mapped(x, kind, function) for x in tree)
    if isinstance(tree, dict):
        return {k: mapped(x, kind, function) for k, x in tree.items()}
    return tree


class Call:
    """One fresh call: non-leaf inputs that may be changed, and the outputs."""

    def __init__(self, lib: Any, function: Any, args: Any, kwargs: Any) -> None:
        self.inputs: list[Any] = []

        def fresh(t: Any) -> Any:
            if t.dtype != lib.float64:
                return t
            self.inputs.append(t.detach().clone().requires_grad_() * 1)
            return self.inputs[-1]

        args, kwargs = mapped(args, lib.Tensor, fresh), mapped(kwargs, lib.Tensor, fresh)
        lib.manual_seed(0)
        self.outputs = list(tensors(function(*args, **kwargs), lib.Tensor))

    def gradients(self, lib: Any, changed: Any) -> Any:
        """Return the gradients of the inputs when a tensor is changed before the backward pass; None: none can be."""
        roots = [y.clone() for y in self.outputs if y.requires_grad]
        if not roots:
            return None
        try:
            with lib.no_grad():
                if changed is not None:
                    changed.add_(1 if changed.dtype.is_floating_point else 0)
        except RuntimeError:
            return None
        return lib.autograd.grad(sum(y.sum() for y in roots), self.inputs, allow_unused=True)


def outcomes(lib: Any, function: Any, args: Any, kwargs: Any) -> list[Any]:
    """Return for each input and output what backward says when it was changed: the gradients, or "refused"."""
    first = Call(lib, function, args, kwargs)
    found = []
    for what, count in (("inputs", len(first.inputs)), ("outputs", len(first.outputs))):
        for i in range(count):
            call = Call(lib, function, args, kwargs)
            try:
                found.append((f"{what}[{i}]", call.gradients(lib, getattr(call, what)[i])))
            except RuntimeError as error:
                if "modified by an inplace operation" not in str(error):
                    raise
                found.append((f"{what}[{i}]", "refused"))
    return found


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.formatted_name)
def test_change_in_place_after_a_call_never_gives_a_wrong_gradient(op: Any) -> None:
    form = forms(op)[0]
    for args, kwargs in samples_of(op, SAMPLES):
        try:
            expected = outcomes(torch, form.torch_fn, args, kwargs)
            ours = to_npg(args), to_npg(kwargs)
        except Exception:  # torch refuses the sample, or npg has nothing for an argument: see test_op_db.py
            continue
        found = outcomes(npg, form.npg_fn, *ours)
        unchanged = Call(npg, form.npg_fn, *ours).gradients(npg, None)
        for (place, f), (_, e) in zip(found, expected, strict=True):
            if isinstance(f, str):
                assert isinstance(e, str) or op.name in CAUTIOUS, f"{place}: npg refuses what torch computes"
            elif f is not None:
                for a, b in zip(f, unchanged, strict=True):
                    same = a is None or np.allclose(a.numpy(), b.numpy(), 1e-10, 1e-12, equal_nan=True)
                    assert same, f"{place}: the gradient is wrong, and nothing was said"


def test_ops_are_many() -> None:
    assert len(OPS) > 300
