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


def assert_same(actual: Any, expected: Any, what: str) -> None:
    """Compare a result of npg with torch's, bit for bit: shape, dtype, strides, values, requires_grad."""
    if isinstance(expected, torch.Tensor):
        assert isinstance(actual, npg.Tensor), f"{what}: expected a Tensor, got {actual!r}"
        assert tuple(actual.shape) == tuple(expected.shape), f"{what}: {actual.shape}, torch has {expected.shape}"
        assert repr(actual.dtype) == repr(expected.dtype).replace("torch", "npg"), f"{what}: {actual.dtype}"
        assert actual.requires_grad == expected.requires_grad, f"{what}: requires_grad is {actual.requires_grad}"
        assert actual.is_leaf == expected.is_leaf, f"{what}: is_leaf is {actual.is_leaf}"
        np.testing.assert_array_equal(actual.detach().numpy(), expected.detach().numpy(), err_msg=what)
        assert actual.stride() == expected.stride(), f"{what}: {actual.stride()}, torch has {expected.stride()}"
    elif isinstance(expected, torch.Size):
        assert type(actual) is npg.Size and tuple(actual) == tuple(expected), f"{what}: {actual!r}"
    elif isinstance(expected, (list, tuple)):
        assert type(actual) is type(expected) and len(actual) == len(expected), f"{what}: {actual!r}"
        for f, e in zip(actual, expected, strict=True):
            assert_same(f, e, what)
    elif isinstance(expected, np.ndarray):
        assert isinstance(actual, np.ndarray) and actual.dtype == expected.dtype, f"{what}: {actual!r}"
        np.testing.assert_array_equal(actual, expected, err_msg=what)
    elif type(expected).__module__.startswith("torch"):  # a dtype, a device, a layout
        assert repr(actual) == repr(expected).replace("torch", "npg"), f"{what}: {actual!r}, torch has {expected!r}"
    else:
        assert type(actual) is type(expected), f"{what}: {actual!r}, torch has {expected!r}"
        if isinstance(expected, str):
            expected = expected.replace("torch", "npg")
        assert actual == expected or actual != actual and expected != expected, (
            f"{what}: {actual!r}, torch has {expected!r}"
        )


def check(expression: str, **names: Any) -> None:
    """Check that an expression has the same value in npg as in torch."""
    assert_same(evaluate(expression, npg, **names), evaluate(expression, torch, **names), expression)


def check_error(expression: str, text: bool = True, **names: Any) -> None:
    """Check that an expression raises the same error in npg as in torch; `text`: with the same text."""
    assert_same_error(lambda: evaluate(expression, npg, **names), lambda: evaluate(expression, torch, **names), text)
