"""What the tests of npg.func share: the same call in both libraries, and everything about the results compared."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import npg

from ..helpers import TORCH_DTYPES, assert_same_error


def tensors(lib: Any, *shapes: tuple[int, ...], seed: int = 0, grad: bool = False, dtype: str = "float64") -> Any:
    """Return tensors with the same values in both libraries; the only one where there is one shape."""
    rng = np.random.default_rng(seed)
    made = [
        lib.tensor(rng.uniform(0.3, 1.5, s).tolist(), dtype=getattr(lib, dtype), requires_grad=grad) for s in shapes
    ]
    return made[0] if len(made) == 1 else tuple(made)


def compare(found: Any, expected: Any, grad: bool = True, rtol: float = 1e-10) -> None:
    """Compare trees of tensors: structure, shapes, dtypes, values, and whether they require grad."""
    if isinstance(expected, torch.Tensor):
        assert isinstance(found, npg.Tensor)
        assert tuple(found.shape) == tuple(expected.shape)
        assert found.dtype is TORCH_DTYPES[expected.dtype]
        if grad:
            assert found.requires_grad == expected.requires_grad
        np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=rtol, atol=1e-12)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            compare(found[key], expected[key], grad, rtol)
    elif isinstance(expected, (tuple, list)):
        assert type(found).__name__ == type(expected).__name__ and len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            compare(f, e, grad, rtol)
    else:
        assert found == expected


def of_torch(call: Callable[[Any], Any]) -> Any:
    """Return call(torch); its forward mode loads torch.jit, which warns that it is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return call(torch)


def same(call: Callable[[Any], Any], grad: bool = True, rtol: float = 1e-10, text: bool = True) -> None:
    """Check that call(lib) gives the same in both libraries, or the same error."""
    try:
        expected = of_torch(call)
    except Exception:
        assert_same_error(lambda: call(npg), lambda: of_torch(call), text)
    else:
        compare(call(npg), expected, grad, rtol)
