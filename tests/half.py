"""What the tests of float16 share: every number, how far two of them are apart, and which results are wrong.

A result is right when it is at most one float16 from PyTorch's. PyTorch is not always right itself: it rounds some
numbers that stand beside a tensor (alpha=, what is added), rounds between the operations of its derivatives, and has
too few digits in places (erf near 0). Where that shows, mathematics decides, computed by PyTorch in float64: a result
is also right when it is at most one float16 from that, or no farther from it than PyTorch's own.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import npg

EVERY = np.arange(65536, dtype=np.uint16).view(np.float16)
QUIET = np.where(np.isnan(EVERY), np.float16(np.nan), EVERY)  # a signalling nan becomes another in any conversion
SPECIAL = np.array(
    [0, -0.0, 1, -1, 2, -2, 0.5, np.inf, -np.inf, np.nan, 6e-8, -6e-8, 65504, -65504, 3, 0.1], np.float16
)


def _place(a: np.ndarray) -> np.ndarray:
    """Return the numbers as integers, in their order and without gaps; 0 and -0 alike."""
    i = a.view(np.int16).astype(np.int64)
    return np.where(i < 0, -(i & 0x7FFF), i)


def steps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return how many float16 numbers lie between; many where only one is nan."""
    a, b = np.atleast_1d(a), np.atleast_1d(b)
    apart = np.abs(_place(a) - _place(b))
    apart[np.isnan(a) & np.isnan(b)] = 0
    apart[np.isnan(a) != np.isnan(b)] = 1 << 20
    return apart


def rounded(a: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(a, np.float64).astype(np.float16)


def wrong(ours: np.ndarray, theirs: np.ndarray, exact: np.ndarray, near: int = 1) -> np.ndarray:
    """Return where a result is wrong, see above; `near`: how far from the exact result it may be."""
    exact = rounded(exact)
    from_exact = steps(ours, exact)
    found = (steps(ours, theirs) > 1) & (from_exact > near) & (from_exact > steps(theirs, exact))
    return found.reshape(np.shape(ours))


def worse(ours: np.ndarray, theirs: np.ndarray, exact: np.ndarray) -> bool:
    """Tell whether a result of several ops, which round in between, is farther from the exact than PyTorch's about."""
    if not wrong(ours, theirs, exact).any() or not np.isfinite(exact).all():
        return False
    errors = [np.abs(x.astype(np.float64) - exact).max() for x in (ours, theirs)]
    return bool(errors[0] > 2 * errors[1] + np.spacing(np.float16(np.abs(exact).max())) / 2)


def check(what: str, ours: Any, theirs: Any, exact: Any, inputs: Any = (), near: int = 1, but: Any = None) -> None:
    """Compare a result of float16 with PyTorch's and with that of float64; `but`: where not to look."""
    a, b, c = ours.detach().numpy(), theirs.detach().numpy(force=True), exact.detach().numpy(force=True)
    assert a.dtype == b.dtype, f"{what}: {a.dtype}, PyTorch {b.dtype}"
    assert a.shape == b.shape, f"{what}: {a.shape}, PyTorch {b.shape}"
    if a.dtype != np.float16:
        close = np.allclose(a, b, 1e-12, 0, equal_nan=True) if a.dtype.kind == "f" else np.array_equal(a, b)
        assert close, what
        return
    bad = wrong(a, b, c, near)
    if but is not None:
        bad = bad & ~but
    if bad.any():
        k = tuple(np.argwhere(bad)[0])
        of = [float(np.broadcast_to(x, bad.shape)[k]) for x in inputs if np.size(x) in (1, bad.size)]
        raise AssertionError(f"{what}: {bad.sum()} wrong, the first of {of}: {a[k]}, PyTorch {b[k]}, exact {c[k]}")


# ----- A call on both sides -----


def call(function: Callable[..., Any], library: Any, dtype: Any, operands: Any) -> tuple[list[Any], Any]:
    """Return the tensors and the result of a call in a dtype; float16 arrays among the operands become leaves."""
    made = []
    for x in operands:
        if isinstance(x, np.ndarray):
            x = library.from_numpy(x.astype(dtype)).requires_grad_(True)
        made.append(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return made, function(*made)


def compare(what: str, ours: Any, theirs: Any, operands: Any, near: int = 1, but: Any = None) -> bool:
    """Compare value and gradients of a call; return False where PyTorch refuses it in float16."""
    try:
        b = call(theirs, torch, np.float16, operands)
    except (RuntimeError, TypeError, NotImplementedError, IndexError, ValueError):
        return False
    a = call(ours, npg, np.float16, operands)
    c = call(theirs, torch, np.float64, operands)
    check(what, a[1], b[1], c[1], operands)
    assert a[1].requires_grad == b[1].requires_grad, what
    if b[1].requires_grad:
        g = (np.random.default_rng(0).random(tuple(b[1].shape)) + 0.5).astype(np.float16)
        try:
            b[1].backward(torch.from_numpy(g))
        except (RuntimeError, NotImplementedError):
            return True  # has no derivative
        c[1].backward(torch.from_numpy(g.astype(np.float64)))
        a[1].backward(npg.from_numpy(g))
        for i, (x, y, z) in enumerate(zip(a[0], b[0], c[0], strict=True)):
            if isinstance(x, npg.Tensor):
                assert (x.grad is None) == (y.grad is None), f"{what}: gradient {i}"
                if x.grad is not None:
                    check(f"{what}: gradient {i}", x.grad, y.grad + 0, z.grad + 0, operands, near, but)
    return True


# ----- What npg offers -----


@functools.cache
def offered() -> dict[str, tuple[Any, Any]]:
    """Return per name npg's function and PyTorch's; of several names for one function the first."""
    spaces = (("", npg, torch), ("nn.functional.", npg.nn.functional, torch.nn.functional))
    found: dict[str, tuple[Any, Any]] = {}
    seen = set()
    for prefix, ours, theirs in (*spaces, ("special.", getattr(npg, "special", None), torch.special)):
        for name in sorted(dir(ours)) if ours is not None else ():
            f = getattr(ours, name)
            if name.startswith(("_", "set_")) or not callable(f) or isinstance(f, type) or id(f) in seen:
                continue
            if hasattr(theirs, name):
                seen.add(id(f))
                found[prefix + name] = f, getattr(theirs, name)
    return found


_NOT_COMPUTED = {"asarray", "as_tensor", "empty_like", "from_dlpack", "from_numpy", "unique_consecutive"}


def elementwise(*kinds: str) -> Iterator[str]:
    """Yield the names of what is computed element by element of operands of these kinds: "tensor" or "number"."""
    rng = np.random.default_rng(1)
    order = rng.permutation(48)
    given = [rng.uniform(0.1, 0.9, 48).astype(np.float16) if kind == "tensor" else 0.3 for kind in kinds]
    for name, (f, _) in offered().items():
        if name in _NOT_COMPUTED:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                once, again, turned = (
                    f(*[npg.from_numpy(x[i].copy()) if isinstance(x, np.ndarray) else x for x in given])
                    for i in (slice(None), slice(None), order)
                )
        except Exception:
            continue
        if not isinstance(once, npg.Tensor) or once.shape != (48,) or not isinstance(turned, npg.Tensor):
            continue
        if np.array_equal(once.numpy(), again.numpy()) and np.array_equal(once.numpy()[order], turned.numpy()):
            yield name
