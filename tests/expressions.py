"""The same expression in npg and in torch: `lib` stands for either, and the two results must be the same.

check("lib.arange(1, 2, 0.3)")
check_error("lib.zeros(2.0)")
"""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import torch

import npg

from .helpers import assert_same_error


def evaluate(expression: str, lib: Any, **names: Any) -> Any:
    """Return the value of an expression, or of `r` after statements separated by semicolons."""
    scope = {"lib": lib, "np": np, "copy": copy, "pickle": pickle, **names}
    if ";" in expression:
        exec(expression, scope)
        return scope.get("r")
    return eval(expression, scope)


def assert_same(found: Any, expected: Any, what: str) -> None:
    """Compare a result of npg with torch's, bit for bit: shape, dtype, strides, values, requires_grad."""
    if isinstance(expected, torch.Tensor):
        assert isinstance(found, npg.Tensor), f"{what}: expected a Tensor, got {found!r}"
        assert tuple(found.shape) == tuple(expected.shape), f"{what}: {found.shape}, torch has {expected.shape}"
        assert repr(found.dtype) == repr(expected.dtype).replace("torch", "npg"), f"{what}: {found.dtype}"
        assert found.requires_grad == expected.requires_grad, f"{what}: requires_grad is {found.requires_grad}"
        assert found.is_leaf == expected.is_leaf, f"{what}: is_leaf is {found.is_leaf}"
        np.testing.assert_array_equal(found.detach().numpy(), expected.detach().numpy(), err_msg=what)
        assert found.stride() == expected.stride(), f"{what}: {found.stride()}, torch has {expected.stride()}"
    elif isinstance(expected, torch.Size):
        assert type(found) is npg.Size and tuple(found) == tuple(expected), f"{what}: {found!r}"
    elif isinstance(expected, (list, tuple)):
        assert type(found) is type(expected) and len(found) == len(expected), f"{what}: {found!r}"
        for f, e in zip(found, expected, strict=True):
            assert_same(f, e, what)
    elif isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray) and found.dtype == expected.dtype, f"{what}: {found!r}"
        np.testing.assert_array_equal(found, expected, err_msg=what)
    elif type(expected).__module__.startswith("torch"):  # a dtype, a device, a layout
        assert repr(found) == repr(expected).replace("torch", "npg"), f"{what}: {found!r}, torch has {expected!r}"
    else:
        assert type(found) is type(expected), f"{what}: {found!r}, torch has {expected!r}"
        if isinstance(expected, str):
            expected = expected.replace("torch", "npg")
        assert found == expected or found != found and expected != expected, (
            f"{what}: {found!r}, torch has {expected!r}"
        )


def check(expression: str, **names: Any) -> None:
    """Check that an expression gives the same in npg as in torch."""
    assert_same(evaluate(expression, npg, **names), evaluate(expression, torch, **names), expression)


def check_error(expression: str, text: bool = True, **names: Any) -> None:
    """Check that an expression raises in npg what it raises in torch; `text`: with the same words."""
    assert_same_error(lambda: evaluate(expression, npg, **names), lambda: evaluate(expression, torch, **names), text)
