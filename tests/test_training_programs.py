"""Whole training programs, drawn at random and run in npg and in PyTorch from the same seed."""

import os
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, given, reject, settings

import npg
from tests.training_programs import programs, run

# Relative, and absolute as a part of the largest value, at the first step; each further step multiplies by GROWTH.
# Optimizers divide by roots of squares: where a gradient is rounding, so is the direction that they make of it.
TOLERANCES = {"float64": 1e-10, "float32": 1e-5}
GROWTH = {"LBFGS": 30.0}  # 3 for the others
LARGEST = 0.01  # a tolerance beyond that says nothing: then only types, shapes, texts and counts are compared

# Of 600 programs some four that diverge part from PyTorch's, by an overflow's warning or where a line search ends:
# NPG_TRAINING_PROGRAMS=600 finds them.
EXAMPLES = int(os.environ.get("NPG_TRAINING_PROGRAMS", "200"))


def assert_same(found: Any, expected: Any, what: str, tolerance: float | None) -> None:
    if isinstance(expected, tuple):
        a, b = found[1], expected[1]
        if tolerance is None:
            assert (a.dtype, a.shape) == (b.dtype, b.shape), f"{what}: {a!r}, torch has {b!r}"
            return
        assert (a.dtype, a.shape) == (b.dtype, b.shape), f"{what}: {a!r}, torch has {b!r}"
        scale = np.abs(b[np.isfinite(b)]).max(initial=1.0) if b.dtype.kind == "f" else 1.0
        np.testing.assert_allclose(a, b, tolerance, tolerance * scale, err_msg=what)
    elif isinstance(expected, dict):
        assert list(found) == list(expected), f"{what}: {list(found)}, torch has {list(expected)}"
        for key in expected:
            assert_same(found[key], expected[key], f"{what} {key}", tolerance)
    elif isinstance(expected, list):
        assert len(found) == len(expected), f"{what}: {found}, torch has {expected}"
        for i, (f, e) in enumerate(zip(found, expected, strict=True)):
            assert_same(f, e, f"{what} {i}", tolerance)
    elif isinstance(expected, float) and isinstance(found, float):
        if tolerance is None:
            return
        np.testing.assert_allclose(found, expected, tolerance, tolerance, err_msg=what)
    else:
        if what == "error":  # npg says more about in-place operations
            found, expected = (
                str(text).split("\n")[0].split("by an inplace operation")[0] for text in (found, expected)
            )
        assert found == expected, f"{what}: {found!r}, torch has {expected!r}"


def tolerance_at(program: dict[str, Any], what: str) -> float | None:
    """Return how far a record may differ, None for in any way."""
    names = [program["dtype"], *[value for _, event in program["events"] if event[0] == "dtype" for value in event[1:]]]
    if "float16" in names:
        return None
    if program["mixed target"]:
        names.append("float32")
    optimizer = program["optimizer"][0]
    kind, _, number = what.rpartition(" ")
    if kind == "rates":
        return 1e-6
    steps = int(number) if kind in ("loss", "norm") else 4 if optimizer == "LBFGS" else program["steps"]
    tolerance = max(TOLERANCES[name] for name in names) * GROWTH.get(optimizer, 3.0) ** steps
    return tolerance if tolerance <= LARGEST else None


def is_diverged(value: Any) -> bool:
    """Tell whether there are numbers of a run that has diverged, which double their rounding with every step."""
    if isinstance(value, tuple):
        return value[1].dtype.kind == "f" and not np.abs(value[1].astype(float)).max(initial=0.0) < 1e6
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(is_diverged, parts))


def check(program: dict[str, Any]) -> None:
    expected, found = run(torch, program), run(npg, program)
    for (what, e), (also, f) in zip(expected, found, strict=False):
        if what == "error" and also != "error" and "modified by an inplace operation" in e:
            reject()  # ELU(inplace=True) after ELU(inplace=True): PyTorch keeps the first result, npg the sign
        assert also == what, f"{also}: {f!r}, torch has {what}: {e!r}"
        # L-BFGS may diverge within its last step, whose loss is that before it.
        beyond = what == "state" and program["optimizer"][0] == "LBFGS" and is_diverged(e)
        assert_same(f, e, what, None if beyond else tolerance_at(program, what))
        if what.startswith(("loss", "norm")) and is_diverged(e):
            return  # it diverges: soon there is an overflow, after which PyTorch has nan where npg has not
    assert len(found) == len(expected), f"npg has seen {found[len(expected) :]}, torch {expected[len(found) :]}"


# A program takes 50 ms or more.
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(programs)
def test_training_program_is_torchs(program):
    check(program)
