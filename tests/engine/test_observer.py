"""The observer, which wraps every call of an op and of a node's rule while it is set."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from npg.ops import elementwise
from tests.engine.programs import leaf


@pytest.fixture
def seen(engine: ModuleType) -> Iterator[list[tuple[str, str]]]:
    calls: list[tuple[str, str]] = []

    def observer(phase: str, op: Any, inputs: Any, run: Any) -> Any:
        calls.append((phase, op.name))
        return run()

    engine.switches.observer = observer
    yield calls
    engine.switches.observer = None


def _gradient(engine: ModuleType) -> Any:
    x = leaf(engine, np.array([1.0, 2.0], np.float32))
    y = engine.Function(elementwise.mul)(x, 3.0)
    engine.apply_in_place(elementwise.add, (y, 1.0), {})
    engine.run_backward((engine.Function(elementwise.exp)(y),), (None,), False, False)
    return x._grad._array.tolist()


def test_observer_sees_every_op_and_every_rule(engine: ModuleType, seen: list[tuple[str, str]]) -> None:
    gradient = _gradient(engine)
    assert seen == [
        ("forward", "mul"),
        ("forward", "add"),
        ("forward", "exp"),
        ("backward", "exp"),
        ("backward", "add"),
        ("backward", "mul"),
    ]
    engine.switches.observer = None
    assert _gradient(engine) == gradient
    assert len(seen) == 6


def test_error_within_an_observed_call_is_the_callers(engine: ModuleType, seen: list[tuple[str, str]]) -> None:
    x = leaf(engine, np.ones(2, np.float32))
    with pytest.raises(RuntimeError, match="must match"):
        engine.Function(elementwise.mul)(x, engine.wrap(np.ones(3, np.float32)))
    assert seen == [("forward", "mul")]
