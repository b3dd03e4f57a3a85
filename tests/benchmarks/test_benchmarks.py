"""The benchmarks themselves: contenders do the same work, and the figures are what they say."""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks import growth, judge, scaling, works_table
from tests.benchmarks.judge import Times, measure
from tests.benchmarks.wanted import OF_IMAGES, OF_SEQUENCES, WANTED, Wanted
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
    assert {work for wanted in (*WANTED, *OF_IMAGES, *OF_SEQUENCES) for work in wanted.works} <= set(WORKS)


def _times(cython, torch):
    times = Times(["cython", "torch"])
    times.seconds = {"cython": cython, "torch": torch}
    times.bytes = {"cython": 2**20, "torch": 2**22}
    return times


def test_row_tells_the_ratio_its_quartiles_and_what_is_reached():
    times = _times([1e-3, 2e-3, 3e-3], [2e-3, 5e-3, 4e-3])
    row, work = works_table.row, ("digits", "digits")
    assert row(Wanted("a", work, 0.6, 0.5), times) == (
        "| a | 2.0 ms | 4.0 ms | 0.50 (0.45 to 0.62) | 0.60 | 0.50 | aim |"
    )
    assert row(Wanted("a", work, 0.5, 0.4), times).endswith("| must |")
    assert row(Wanted("a", work, 0.4, 0.3), times).endswith("| no |")
    assert "| 1.0 MiB | 4.0 MiB | 0.25 |" in row(Wanted("a", work, 0.5, 0.4, memory=True), times)
    assert row(Wanted("a", work, 2, 3, inverse=True), times).endswith("| 2.00 (1.67 to 2.25) | 2.00 | 3.00 | must |")


def test_row_without_avx512_has_its_own_bounds():
    native, held = _times([1.0] * 3, [2.0] * 3), _times([2.0] * 3, [2.5] * 3)
    row = works_table.row(Wanted("a", ("digits", "digits"), 0.6, 0.5, held=0.9, held_aim=0.7), native, held)
    assert row.endswith("| 0.50 (0.50 to 0.50) | 0.60 | 0.50 | aim | 0.80 (0.80 to 0.80) | 0.90 | 0.70 | must |")
    assert len({line.count("|") for line in (row, *works_table.header(["native", "avx2"]))}) == 1


def test_table_measures_in_each_way_and_names_the_kernels(monkeypatch, capsys):
    asked = []

    def measured(works, instructions, threads):
        asked.append((works, instructions, threads))
        times = _times([1.0] * 3, [2.0] * 3)
        times.kernels = f"npg and torch, {instructions}"
        return times

    monkeypatch.setattr(works_table, "measure", measured)
    monkeypatch.setattr(works_table, "HAS_AVX512", True)
    lines = works_table.table(["digits"], threads=1)
    assert [a[1:] for a in asked] == [("native", 1), ("avx2", 1)]
    assert lines[2].startswith("| digits MLP") and lines[2].count("(0.50 to 0.50)") == 2
    assert lines[-1] == "Kernels: npg and torch, native; npg and torch, avx2."
    monkeypatch.setattr(works_table, "HAS_AVX512", False)
    assert works_table.table(["digits"])[2].endswith("| 0.50 (0.50 to 0.50) | 0.45 | 0.35 | no |")
    assert works_table.table(["digits"], "avx2")[2].endswith("| 0.50 (0.50 to 0.50) | 0.45 | 0.35 | no |")
    assert capsys.readouterr().out.count("| digits MLP") == 3


def test_instructions_hold_npg_and_torch_to_avx2(monkeypatch):
    monkeypatch.setattr(judge, "PARTS", 1)
    times = measure({"cython": "elementwise", "torch": "elementwise"}, rounds=2, instructions="avx2")
    assert "npg AVX512" not in times.kernels and "torch AVX512" not in times.kernels
    assert "SkylakeX" not in times.kernels and "npg " in times.kernels and "torch " in times.kernels


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_another_process_is_busy_meanwhile():
    def ticks() -> int:
        return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[11])

    with judge.busy() as number:
        before, last = ticks(), time.monotonic() + 60
        while ticks() < before + 5 and time.monotonic() < last:
            time.sleep(0.05)
        assert ticks() >= before + 5
        assert os.sched_getaffinity(number) == {min(os.sched_getaffinity(0))}
    assert not Path(f"/proc/{number}").exists()


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


# ----- The model of several processes -----


def test_iteration_waits_for_sums_that_the_backward_pass_does_not_hide():
    one = scaling.Iteration((2.0, 5.0), (100, 300), 6.0, 4.0)
    assert one.time(lambda _size: 0.0) == 10.0
    assert one.time(lambda size: size / 300) == 10.0  # the second ends with the pass
    assert one.time(lambda size: size / 100) == 5.0 + 3.0 + 4.0
    assert one.time(lambda size: size / 20) == 2.0 + 5.0 + 15.0 + 4.0  # the second waits for the first
    assert one.slower(2.0).time(lambda size: size / 100) == 10.0 + 3.0 + 8.0


def test_sums_by_ring_and_tree_cost_what_they_send():
    assert scaling.ring(4, 1.0, 10.0)(40) == 2 * 3 * (1.0 + 10 / 10.0)
    assert scaling.tree(4, 1.0, 10.0)(40) == 2 * 2 * (1.0 + 40 / 10.0)
    curve = scaling.between((10, 20, 40), (1.0, 2.0, 3.0))
    assert [curve(size) for size in (5, 15, 40, 80)] == [1.0, 1.5, 3.0, 5.0]


def test_page_compares_what_was_measured_with_what_the_model_says():
    sums = [1e-3] * len(scaling.SIZES)
    found = {
        1: {"marks": [0.008, 0.010, 0.002, 0.020, 0.004, 0.010], "sizes": [1 << 20, 1 << 21], "sums": sums},
        4: {"marks": [0.0, 0.0, 0.0, 0.050], "sizes": [], "sums": sums},
    }
    lines = scaling.page(found, "a machine", 2).splitlines()
    assert "| 1 | 20.0 ms | 20.0 ms | 1.00 | 1.00 |" in lines
    assert "| 4 | 50.0 ms | 41.0 ms | 0.82 | 1.60 |" in lines  # twice as slow, and one sum that nothing hides


def test_pictures_of_scaling_are_drawn(tmp_path):
    one = scaling.Iteration((0.01, 0.03), (1 << 20, 2 << 20), 0.04, 0.03)
    scaling.draw(one, tmp_path / "scaling.svg")
    found = {"parts": [0.1, 0.3, 0.4], "begun": [0.12, 0.2], "ended": [0.13, 0.25], "sizes": [1 << 20, 5 << 20]}
    scaling.draw_timeline(found, tmp_path / "timeline.svg")
    for name, words in (("scaling", ["GPT-2 124M", "tree"]), ("timeline", ["backward", "sums, MB"])):
        text = (tmp_path / f"{name}.svg").read_text()
        assert all(f"<!-- {word}" in text or word in text for word in words)
