"""Programs that run in either library, and what is compared: values, and errors in their words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import npg

Program = Callable[[Any], Any]


def values(t: Any) -> Any:
    """Return a tensor as nested lists, None as None."""
    return None if t is None else t.detach().numpy().tolist()


def outcome(call: Callable[[], Any]) -> str:
    """Return "ok", or what was raised: the exception and the first line, without the library's name."""
    try:
        call()
    except Exception as error:
        text = str(error).split("\n")[0]
        return f"{type(error).__name__}: {text}".replace("torch", "npg")
    return "ok"


def collect(programs: dict[str, Program]) -> Callable[[Program], Program]:
    """Return a decorator that adds a program under its name."""

    def add(program: Program) -> Program:
        programs[program.__name__] = program
        return program

    return add


def assert_same(program: Program) -> None:
    """Check that a program returns the same in npg as in torch."""
    with torch.enable_grad(), npg.enable_grad():  # a program may leave another mode behind
        expected, found = program(torch), program(npg)
    assert repr(found).replace("torch", "npg") == repr(expected).replace("torch", "npg")


def compared(programs: dict[str, Program]) -> Callable[[str], None]:
    """Return the test that runs each of the programs in both libraries; what torch warns of there is meant to be so."""

    @pytest.mark.filterwarnings(
        "ignore:Using backward.. with create_graph=True",
        "ignore:The .grad attribute",
        "ignore:grad and param do not obey",
    )
    @pytest.mark.parametrize("name", programs)
    def test(name: str) -> None:
        assert_same(programs[name])

    return test


def doubled(lib: Any) -> tuple[Any, Any]:
    """Return a leaf of two ones, and twice the leaf."""
    x = lib.ones(2, requires_grad=True)
    return x, x * 2
