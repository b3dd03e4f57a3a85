"""The table of accuracy (tests/benchmarks/accuracy.py) on numbers that CI can afford, and the measure itself."""

import numpy as np
import pytest

from tests.benchmarks import accuracy

COUNT = 100_000  # of numbers: many enough that sums one after the other lose hundreds of units


@pytest.mark.parametrize("work", list(accuracy.WORKS))
def test_error_is_at_most_twice_that_of_pytorch(work):
    rows = list(accuracy.measured([work], COUNT))
    assert rows
    assert [row for row in rows if not row.holds] == []


def test_error_counts_units_of_the_last_place():
    exact = np.array([1000.0, 1.0, np.inf, np.nan])
    found = exact + [2 * float(np.spacing(np.float32(1000.0))), 0.0, 0.0, 0.0]
    assert accuracy.error(found, exact, np.float32) == pytest.approx(2)
    assert accuracy.error(exact, exact, np.float32) == 0
    assert accuracy.error(np.array([1.0, np.inf]), np.array([1.0, np.nan]), np.float32) > 1e9  # nan is not inf
    assert accuracy.error(np.array([np.inf]), np.array([1e6]), np.float16) == 0  # what float16 cannot hold


def test_error_sees_sums_that_stop():
    row = accuracy.Row(
        "sum", "tall", "ones", "float32", accuracy.error(np.float64(2**24), np.float64(3e7), np.float32), 0
    )
    assert not row.holds
    assert accuracy.table([row])[-1].endswith("yes |")


def test_report_names_each_work_once():
    rows = list(accuracy.measured(["sum", "dot"], 1000))
    text = accuracy.report(rows, 1000)
    assert text.count("| sum | all |") == 1 and text.count("| dot |") == 1
