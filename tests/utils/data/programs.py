"""The same program with torch and with npg: what it returns, raises and warns of."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.utils.data

import npg
import npg.utils.data


def plain(value: Any) -> Any:
    """Return a result without the library that made it: a tensor as dtype, shape and numbers."""
    if isinstance(value, (torch.Tensor, npg.Tensor)):
        dtype = str(value.dtype).rpartition(".")[2]
        return ("tensor", dtype, tuple(value.shape), value.detach().tolist(), value.requires_grad)
    if isinstance(value, np.ndarray):
        return ("ndarray", value.dtype.str, value.shape, value.tolist())
    if isinstance(value, Mapping):
        return (type(value).__name__, [(key, plain(value[key])) for key in value])
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return (type(value).__name__, [plain(item) for item in value])
    if isinstance(value, BaseException):
        return (type(value).__name__, text(value))
    return value


def text(error: BaseException) -> str:
    return str(error).replace("torch", "npg")


def outcome(program: Callable[[Any], Any], library: Any) -> Any:
    """Return (result or exception, warnings) of program(library)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(program(library))
        except Exception as error:
            result = ("raised", type(error).__name__, text(error))
    told = [(w.category.__name__, str(w.message).replace("torch", "npg")) for w in caught]
    return result, [w for w in told if "is multi-threaded" not in w[1]]  # of forks, from CPython 3.12 on


def same(program: Callable[[Any], Any]) -> Any:
    """Assert that both libraries do the same; return what npg's result is."""
    expected, got = outcome(program, torch), outcome(program, npg)
    assert got == expected
    return got[0]
