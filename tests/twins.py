"""The same program in npg and in torch: `lib` is either, and the results must be the same.

def program(lib):
    m = lib.nn.Linear(2, 3)
    yield repr(m)
    yield attempt(lambda: m(lib.ones(5)))

agree(program)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch

import npg

from .helpers import assert_like


def attempt(call: Callable[[], Any]) -> Any:
    """Return a call's result, or the type and text of the exception that it raises."""
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def warned(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Return a call's result and the types and texts of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, [f"{w.category.__name__}: {w.message}" for w in caught]


def _assert_same(actual: Any, expected: Any, what: str) -> None:
    if isinstance(expected, str):
        expected, actual = expected.replace("torch", "npg"), str(actual).replace("torch", "npg")  # links name torch
        assert actual == expected, f"{what}: {actual!r}, torch has {expected!r}"
    elif isinstance(expected, dict):
        assert list(actual) == list(expected), f"{what}: keys {list(actual)}, torch has {list(expected)}"
        for key in expected:
            _assert_same(actual[key], expected[key], f"{what}[{key!r}]")
    elif isinstance(expected, (list, tuple)) and not isinstance(expected, torch.Size):
        assert isinstance(actual, (list, tuple)), f"{what}: {actual!r}, torch has {expected!r}"
        assert len(actual) == len(expected), f"{what}: {actual!r}, torch has {expected!r}"
        for i, (f, e) in enumerate(zip(actual, expected, strict=True)):
            _assert_same(f, e, f"{what}[{i}]")
    else:
        assert_like(actual, expected, what)


def agree(program: Callable[[Any], Iterator[Any]], seed: int = 0) -> None:
    """Run a program in both libraries from the same seed and compare all that it yields."""
    torch.manual_seed(seed)
    expected = list(program(torch))
    npg.manual_seed(seed)
    actual = list(program(npg))
    name = getattr(program, "__name__", "program")
    assert len(actual) == len(expected), f"{name}: {len(actual)} results, torch has {len(expected)}"
    for i, (f, e) in enumerate(zip(actual, expected, strict=True)):
        _assert_same(f, e, f"{name}, result {i}")
