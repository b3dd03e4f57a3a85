"""The benchmarks themselves: contenders do the same work, and the figures are what they say."""

from pathlib import Path

import pytest

from tests.benchmarks import growth, judge, works_table
from tests.benchmarks.judge import Times, measure
from tests.benchmarks.wanted import OF_IMAGES, WANTED, Wanted
from tests.benchmarks.works import WORKS, bench


@pytest.mark.parametrize("work", ["digits", "chain", "tiny_nanogpt", "elementwise", "mnist_cnn", "convolution"])
def test_contenders_agree_and_are_timed(work, monkeypatch):
    monkeypatch.setattr(judge, "PARTS", 1)
    times = measure({"python": work, "torch": work}, rounds=2)
    assert [len(times.seconds[c]) for c in ("python", "torch")] == [2, 2]
    assert times.ratio("python", "torch") > 0
    assert min(times.bytes.values()) > 2**20


def test_contenders_that_do_not_agree_are_refused():
    with pytest.raises(bench.DemoError, match="computes"):
        measure({"python": "digits", "torch": "elementwise"}, rounds=1)


def test_every_wanted_work_is_there():
    assert {work for wanted in (*WANTED, *OF_IMAGES) for work in wanted.works} <= set(WORKS)


def test_row_tells_the_ratio_and_what_is_reached():
    times = Times(["cython", "torch"])
    times.seconds = {"cython": [1e-3, 2e-3, 3e-3], "torch": [2e-3, 5e-3, 4e-3]}
    times.bytes = {"cython": 2**20, "torch": 2**22}
    work = ("digits", "digits")
    assert works_table.row(Wanted("a", work, 0.6, 0.5), times) == "| a | 2.0 ms | 4.0 ms | 0.50 | 0.60 | 0.50 | aim |"
    assert works_table.row(Wanted("a", work, 0.5, 0.4), times).endswith("| must |")
    assert works_table.row(Wanted("a", work, 0.4, 0.3), times).endswith("| no |")
    assert "| 1.0 MiB | 4.0 MiB | 0.25 |" in works_table.row(Wanted("a", work, 0.5, 0.4, memory=True), times)
    assert works_table.row(Wanted("a", work, 2, 3, inverse=True), times).endswith("| 2.00 | 2.00 | 3.00 | must |")


def test_slope_is_the_power_of_growth():
    assert growth.slope((1, 10, 100, 1000), [5.0, 5.0, 50.0, 500.0]) == pytest.approx(1)
    assert growth.slope((1, 2, 4, 8), [1.0, 1.0, 16.0, 64.0]) == pytest.approx(2)


def test_table_and_picture_of_a_series(tmp_path: Path):
    series = growth.Series("title", "axis", "digits", (1, 10, 100, 1000), lambda n: {})
    found = {"cython": [1e-6, 1e-5, 1e-3, 1.0], "python": [1.0] * 4, "torch": [2e-6, 2e-5, 2e-4, 2e-3]}
    lines = growth.table(series, found)
    assert lines[2] == "| 1 | 1.00 us | 1.00 s | 2.00 us | 0.50 |"
    assert lines[-1].endswith("with the power 3.00, PyTorch's 1.00: MORE than it may.")
    growth.picture(series, found, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().count("npg, Python engine") >= 1
