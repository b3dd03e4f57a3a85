"""Every op that npg offers, called on samples of op_db (torch.testing) that are blown up to some megabytes.

How the sizes of a sample depend on each other is not known. So several ways are tried, and the first on which PyTorch
computes something in time is taken: every size times a factor; the first size of every tensor; of the input alone; a
new first dimension before all. Values are repeated, so that they stay in an op's domain and indices within their range.
"""

from __future__ import annotations

import itertools
import math
import signal
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from tests.test_op_db import UNDEFINED, forms, op_db

TARGET = 16 << 20  # bytes of a sample's largest tensor
PATIENCE = 2  # seconds for PyTorch's forward and backward
TRIED = 24  # samples looked at

OPS = {f"{op.name} {op.variant_test_name}".strip(): op for op in op_db if op.name not in UNDEFINED}


def mapped(tree: Any, function: Callable[[Any], Any], kind: Any = torch.Tensor) -> Any:
    """Return tuples, lists and dicts with a function applied to every tensor in them."""
    if isinstance(tree, kind):
        return function(tree)
    if isinstance(tree, dict):
        return {k: mapped(v, function, kind) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [mapped(v, function, kind) for v in tree]
        return parts if isinstance(tree, list) else tuple(parts)
    return tree


def tensors(tree: Any) -> list[torch.Tensor]:
    """Return the tensors in a tree."""
    found: list[torch.Tensor] = []
    mapped(tree, found.append)
    return found


# ----- Blowing up -----


def _repeated(t: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Return a tensor repeated along its dimensions until it has a shape."""
    array = np.asarray(t.detach())
    for d, n in enumerate(shape):
        if n != array.shape[d]:
            array = np.take(array, np.arange(n) % array.shape[d], axis=d)
    return torch.from_numpy(np.array(array, order="C"))


def _every_size(tree: Any, largest: torch.Tensor) -> Any:
    grown = sum(n > 1 for n in largest.shape)
    if not grown:
        return None
    k = (TARGET / 4 / largest.numel()) ** (1 / grown)
    return mapped(tree, lambda t: _repeated(t, tuple(round(n * k) if n > 1 else n for n in t.shape)))


def _first_sizes(tree: Any, largest: torch.Tensor) -> Any:
    n = largest.shape[0]
    k = TARGET // 4 // largest.numel()
    return mapped(
        tree, lambda t: _repeated(t, (n * k, *t.shape[1:])) if t.ndim and t.shape[0] == n and n > 1 else t.clone()
    )


def _first_of_input(tree: Any, largest: torch.Tensor) -> Any:
    k = TARGET // 4 // largest.numel()
    return mapped(tree, lambda t: _repeated(t, (t.shape[0] * k, *t.shape[1:])) if t is largest else t.clone())


def _new_dimension(tree: Any, largest: torch.Tensor) -> Any:
    k = TARGET // 4 // largest.numel()
    return mapped(tree, lambda t: _repeated(t[None], (k, *t.shape)) if t.ndim else t.clone())


WAYS = (_every_size, _first_sizes, _first_of_input, _new_dimension)


class _Late(Exception):
    pass


def _ring(*_: Any) -> None:
    raise _Late


def leaves(tree: Any) -> list[Any]:
    """Return the floating tensors in a tree."""
    return [t for t in tensors(tree) if t.dtype.is_floating_point]


def _serves(function: Any, args: Any, kwargs: Any, gradients: bool) -> bool:
    """Tell whether PyTorch computes something of that size in time."""
    args, kwargs = mapped((args, kwargs), lambda t: t.requires_grad_() if gradients and t.is_floating_point() else t)
    try:
        signal.signal(signal.SIGPROF, _ring)
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
        out = tensors(function(*args, **kwargs))
        if sum(y.numel() * y.element_size() for y in out) > 8 * TARGET:
            return False
        live = [y for y in out if y.requires_grad]
        if live:
            torch.autograd.backward(live, [torch.ones_like(y) for y in live])
        for t in tensors((args, kwargs)):
            t.grad = None
            t.requires_grad_(False)
    except (Exception, _Late):
        return False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return True


def scaled(name: str, count: int) -> Iterator[tuple[str, Any, Any]]:
    """Yield some (description, args, kwargs) of an op, blown up, as PyTorch tensors without history."""
    op = OPS[name]
    if not forms(op):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = list(itertools.islice(op.sample_inputs("cpu", torch.float32, requires_grad=False), TRIED))
        known = set()
        given.sort(key=lambda s: -max((t.numel() for t in tensors((s.input, s.args))), default=0))
        for s in given:
            tree = ((s.input, *s.args), dict(s.kwargs))
            floating = leaves(tree)
            if not floating or not max(t.numel() for t in floating) or not max(t.ndim for t in floating):
                continue
            # One of each kind: ranks of the tensors, and which settings are given.
            kind = tuple(t.ndim for t in tensors(tree)), tuple(s.kwargs), len(s.args)
            if kind in known:
                continue
            largest = max(floating, key=torch.Tensor.numel)
            for way in WAYS:
                try:
                    grown = way(tree, largest)
                except Exception:
                    continue
                if grown is None or total_bytes(grown) < TARGET / 2 or not _serves(op.op, *grown, op.supports_autograd):
                    continue
                known.add(kind)
                shapes = ", ".join("x".join(map(str, t.shape)) for t in tensors(grown))
                settings = ", ".join(f"{k}={_short(v)}" for k, v in s.kwargs.items() if not isinstance(v, torch.Tensor))
                others = ", ".join(_short(a) for a in s.args if not isinstance(a, torch.Tensor))
                text = "; ".join(filter(None, (shapes, others, settings)))
                yield text, *grown
                break
            if len(known) >= count:
                return


def _short(value: Any) -> str:
    return repr(value) if isinstance(value, (int, float, str, bool, type(None))) else type(value).__name__


def total_bytes(tree: Any) -> int:
    """Return the bytes of the tensors in a tree."""
    return sum(math.prod(t.shape) * t.element_size() for t in tensors(tree))
