"""The same program in npg and in torch: `lib` is either, and what it returns must be the same.

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
    """Return what a call returns, or the kind and text of the exception that it raises."""
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def warned(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Return what a call returns and the kinds and texts of its warnings."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        result = call()
    return result, [f"{w.category.__name__}: {w.message}" for w in seen]


def _assert_same(found: Any, expected: Any, what: str) -> None:
    if isinstance(expected, str):
        expected, found = expected.replace("torch", "npg"), str(found).replace("torch", "npg")  # links name torch
        assert found == expected, f"{what}: {found!r}, torch has {expected!r}"
    elif isinstance(expected, dict):
        assert list(found) == list(expected), f"{what}: keys {list(found)}, torch has {list(expected)}"
        for key in expected:
            _assert_same(found[key], expected[key], f"{what}[{key!r}]")
    elif isinstance(expected, (list, tuple)) and not isinstance(expected, torch.Size):
        assert isinstance(found, (list, tuple)), f"{what}: {found!r}, torch has {expected!r}"
        assert len(found) == len(expected), f"{what}: {found!r}, torch has {expected!r}"
        for i, (f, e) in enumerate(zip(found, expected, strict=True)):
            _assert_same(f, e, f"{what}[{i}]")
    else:
        assert_like(found, expected, what)


def agree(program: Callable[[Any], Iterator[Any]], seed: int = 0) -> None:
    """Run a program in both libraries from the same seed and compare all that it yields."""
    torch.manual_seed(seed)
    expected = list(program(torch))
    npg.manual_seed(seed)
    found = list(program(npg))
    name = getattr(program, "__name__", "program")
    assert len(found) == len(expected), f"{name}: {len(found)} results, torch has {len(expected)}"
    for i, (f, e) in enumerate(zip(found, expected, strict=True)):
        _assert_same(f, e, f"{name}, result {i}")
