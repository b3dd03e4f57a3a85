"""Whole training programs, drawn at random and run in npg and in PyTorch from the same seed.

How far may two right runs part? Training amplifies rounding, by how much depends on the program: a line search that
takes another turn, a quotient of two gradients that are nothing but rounding, a loss that grows without bound. So no
tolerance is right for all, and one that grows with the steps soon says nothing. Here it is small and the same at every
step. Where npg's run is further away, PyTorch is run again with its numbers shaken by a few units in the last place: if
PyTorch itself has parted from PyTorch by then, there is nothing left to compare; else npg is wrong.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, reject, settings

import npg
from tests.conftest import PROFILE
from tests.training_programs import Record, programs, run

# Of the largest number of a tensor, by the roughest dtype that the program has used.
TOLERANCES = {"float64": 1e-10, "float32": 1e-4, "float16": 0.05}
PARTED = {"float64": 1e-11, "float32": 1e-5, "float16": 0.01}  # smaller: a few shakes don't find the program's worst
SMALLEST = 1e-3  # a tensor with no number above that is compared as if it had one: it may hold rounding alone
SHAKES = 5
EXAMPLES = int(os.environ.get("NPG_TRAINING_PROGRAMS", "400" if PROFILE == "ci" else "100"))


# ----- Differences -----


def differences(found: Any, expected: Any, tolerance: float | None, what: str) -> Iterator[str]:
    """Say in what a value differs; without a tolerance, floating numbers may be any."""
    if isinstance(expected, tuple) and isinstance(found, tuple):
        a, b = found[1], expected[1]
        same = (a.dtype, a.shape) == (b.dtype, b.shape)
        if same and b.dtype.kind == "f" and tolerance is not None:
            a, b = a.astype(float), b.astype(float)
            within = tolerance * np.abs(b[np.isfinite(b)]).max(initial=SMALLEST)
            same = np.allclose(a, b, tolerance, within, equal_nan=True)
        elif same and b.dtype.kind != "f":
            same = np.array_equal(a, b)
        if not same:
            yield f"{what}: {found[1]!r}, torch has {expected[1]!r}"
    elif isinstance(expected, dict) and isinstance(found, dict) and list(found) == list(expected):
        for key in expected:
            yield from differences(found[key], expected[key], tolerance, f"{what} {key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        for i, (f, e) in enumerate(zip(found, expected, strict=True)):
            yield from differences(f, e, tolerance, f"{what} {i}")
    elif isinstance(expected, float) and isinstance(found, float):
        if tolerance is not None and not np.isclose(found, expected, tolerance, tolerance * SMALLEST, equal_nan=True):
            yield f"{what}: {found!r}, torch has {expected!r}"
    elif found != expected or type(found) is not type(expected):
        yield f"{what}: {found!r}, torch has {expected!r}"


def _without_advice(what: str, value: Any) -> Any:
    """Return an error's text without what npg says beyond PyTorch about in-place operations."""
    return value.split("\n")[0].split("by an inplace operation")[0] if what == "error" else value


def first_difference(
    found: list[Record], expected: list[Record], tolerances: dict[str, float]
) -> tuple[int, str] | None:
    """Return where two runs part, as the index of a record, and how; None when they don't.

    After a loss of nan, types, texts and the order of events are compared, but no numbers: PyTorch's gradient of relu6,
    hardtanh and others at nan depends on the place in memory (0 in a whole vector, nan in what is left at its end). The
    same once both have a parameter with nan: the loss is none where a margin is not passed, as it is not by nan.
    """
    is_nan = False
    for i, ((also, f, _), (what, e, rough)) in enumerate(zip(found, expected, strict=False)):
        if also != what:
            return i, f"{also}: {f!r}, torch has {what}: {e!r}"
        is_nan = is_nan or (what.startswith("parameter") and _has_nan(f) and _has_nan(e))
        tolerance = None if is_nan else tolerances[rough]
        for text in differences(_without_advice(what, f), _without_advice(what, e), tolerance, what):
            return i, text
        is_nan = is_nan or (what.startswith("loss") and bool(np.isnan(e[1]).any()))
    if len(found) != len(expected):
        shorter = min(len(found), len(expected))
        return shorter, f"npg has seen {found[shorter:]}, torch {expected[shorter:]}"
    return None


def _has_nan(value: Any) -> bool:
    return isinstance(value, tuple) and value[1].dtype.kind == "f" and bool(np.isnan(value[1]).any())


def _is_infinite(value: Any) -> bool:
    return isinstance(value, tuple) and value[1].shape == () and np.isinf(value[1])


def check(program: dict[str, Any], lib: Any = npg) -> None:
    """Compare a program's run with PyTorch's, until PyTorch's parts from itself."""
    expected, found = run(torch, program), run(lib, program)
    parted = first_difference(found, expected, TOLERANCES)
    if parted is None:
        return
    at, text = parted
    if at < len(expected) and expected[at][0] == "error" and "modified by an inplace operation" in expected[at][1]:
        reject()  # ELU(inplace=True) after ELU(inplace=True): PyTorch keeps the first result, npg the sign
    if program["loss"][0] == "SoftMarginLoss" and any(_is_infinite(value) for _, value, _ in expected[: at + 1]):
        return  # where its exp overflows, PyTorch's gradient is nan, npg's is right
    for shaking in range(SHAKES):
        itself = first_difference(run(torch, program, shaking), expected, PARTED)
        if itself is not None and itself[0] <= at:
            return
    raise AssertionError(text)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(programs)
def test_training_program_is_torchs(program):
    check(program)


# ----- The comparison itself -----

TAME = {
    "seed": 1,
    "dtype": "float64",
    "tokens": None,
    "layers": [("linear", False)],
    "loss": ("MSELoss", {"reduction": "mean"}, "values"),
    "mixed target": False,
    "optimizer": ("Adam", {"lr": 0.01}),
    "groups": [],
    "schedule": ([], 0, "after", False),
    "accumulate": 1,
    "zero": "optimizer",
    "clip": None,
    "closure": False,
    "events": [],
    "steps": 15,
}
# Gradients that are never cleared are not the loss's: a line search along them ends by chance, here or there or in nan.
CHAOTIC = TAME | {"optimizer": ("LBFGS", {"lr": 0.01, "line_search_fn": "strong_wolfe"}), "zero": "never", "steps": 3}


def test_rounding_parts_pytorch_from_itself_only_in_a_chaotic_program():
    for program, parts in ((TAME, False), (CHAOTIC, True)):
        expected = run(torch, program)
        itself = [first_difference(run(torch, program, shaking), expected, PARTED) for shaking in range(SHAKES)]
        assert any(itself) == parts
        check(program)


def test_tame_program_with_a_slightly_wrong_step_is_found(monkeypatch):
    step = npg.optim.Adam.step

    def wrong(self, closure=None):
        result = step(self, closure)
        with npg.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p.mul_(1 + 1e-9)
        return result

    monkeypatch.setattr(npg.optim.Adam, "step", wrong)
    with pytest.raises(AssertionError, match="torch has"):
        check(TAME)
