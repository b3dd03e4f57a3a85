"""bench.py: workers answer in turn, agree on the losses, and fail in words. No test looks at a time's size."""

import bench
import memory
import numpy as np
import pytest
import scaling
from config import DemoError, parse

import npg
from tests.distributed.ranks import needs_mpi

SMALL = ["--n_layer=1", "--n_head=2", "--n_embd=16", "--block_size=8", "--batch_size=2", "--vocab_size=7"]
SHORT = ["--rounds=2", "--iters=3", "--warmup=2", "--threads=1"]


def run(arguments):
    config, _ = parse(bench.BenchConfig, arguments, "bench.py")
    bench.check_bench(config)
    return bench.measure(config, arguments, lambda text: None)


@pytest.mark.parametrize("mode", [SMALL, ["--chain", "--length=10"]], ids=["model", "chain"])
def test_measure_all_contenders_agree_and_answer_every_round(mode):
    rounds = run([*mode, *SHORT])
    assert list(rounds) == ["cython", "python", "torch"] + (["numpy"] if mode[0] == "--chain" else [])
    assert all([len(times) for times in each] == [3, 3] for each in rounds.values())
    assert all(time > 0 for each in rounds.values() for times in each for time in times)


@needs_mpi
@pytest.mark.once
def test_measure_ranks_has_two_libraries_in_three_ways(capsys):
    rounds = run([*SMALL, *SHORT, "--ranks=2"])
    assert list(rounds) == ["cython-1", "cython-n", "cython-alone", "torch-1", "torch-n", "torch-alone"]
    assert all([len(times) for times in each] == [3, 3] for each in rounds.values())
    known = {name: [[seconds] * 3] * 2 for name, seconds in zip(rounds, (4.0, 5.0, 4.0, 4.0, 8.0, 6.0), strict=True)}
    scaling.report(known, 2, 10)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["npg", "2.5/s", "4.0/s", "1.60", "20.0%"]
    assert lines[2].split() == ["torch", "2.5/s", "2.5/s", "1.00", "25.0%"]
    assert lines[3] == "2 processes of npg take 0.62 of the time of 2 of PyTorch"


def test_measure_losses_that_differ_raise(monkeypatch):
    monkeypatch.setattr(bench, "AGREE", -1.0)  # nothing agrees then
    with pytest.raises(DemoError, match=r"torch computes [\d.]+, python computes [\d.]+: nothing to compare"):
        run([*SMALL, *SHORT, "--contenders=python,torch"])


def shadow(module, error, tmp_path, monkeypatch):
    """Put a module that raises in front of the real one, for the workers."""
    (tmp_path / module).mkdir()
    (tmp_path / module / "__init__.py").write_text(f"raise {error}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_measure_worker_that_fails_raises_with_its_last_words(tmp_path, monkeypatch):
    shadow("npg", "ImportError('broken on purpose')", tmp_path, monkeypatch)
    with pytest.raises(DemoError, match="the worker python ended: ImportError: broken on purpose"):
        run([*SMALL, *SHORT, "--contenders=python"])


def test_measure_missing_torch_is_left_out_and_said(tmp_path, monkeypatch):
    shadow("torch", "ModuleNotFoundError(\"No module named 'torch'\")", tmp_path, monkeypatch)
    arguments, said = ["--chain", "--length=10", *SHORT, "--contenders=torch,numpy"], []
    config, _ = parse(bench.BenchConfig, arguments, "bench.py")
    assert list(bench.measure(config, arguments, said.append)) == ["numpy"]
    assert said[0] == "PyTorch is not installed and left out"


def test_measure_worker_that_is_killed_between_rounds_raises(monkeypatch):
    worker = bench.Worker("numpy", *chain_of_10())
    worker.wait()
    worker.process.kill()
    worker.process.wait()
    with pytest.raises(DemoError, match="the worker numpy ended: without a word"):
        worker.round()
    worker.close()


def chain_of_10():
    arguments = ["--chain", "--length=10", *SHORT]
    return parse(bench.BenchConfig, arguments, "bench.py")[0], arguments


def test_measure_imports_every_round_is_a_new_process_of_each_contender():
    arguments, said = ["--imports", "--rounds=2", "--contenders=cython,python,numpy"], []
    config, _ = parse(bench.BenchConfig, arguments, "bench.py")
    rounds = bench.measure_imports(config, said.append)
    assert list(rounds) == ["cython", "python", "numpy"]
    assert all([len(times) for times in each] == [1, 1] and each[0][0] > 0 for each in rounds.values())
    assert said == [f"versions: npg {npg.__version__}, numpy {np.__version__}"]


def test_main_imports_prints_npg_beside_numpy(capsys):
    bench.main(["--imports", "--rounds=1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("2 threads, 1 rounds in turn; ")
    assert lines[3].split() == ["ms", "of", "cython", "of", "numpy"]
    assert lines[4].startswith("import npg ") and lines[5].startswith("import numpy ")


def test_measure_imports_that_fails_raises_with_its_last_words(tmp_path, monkeypatch):
    shadow("npg", "ImportError('broken on purpose')", tmp_path, monkeypatch)
    config, _ = parse(bench.BenchConfig, ["--imports"], "bench.py")
    with pytest.raises(DemoError, match="the worker cython ended: ImportError: broken on purpose"):
        bench.measure_imports(config)


def test_report_ratios_are_medians_within_rounds():
    said = []
    bench.report({"cython": [[2.0], [40.0], [6.0]], "torch": [[1.0], [10.0], [2.0]]}, say=said.append)
    assert said[0].split() == ["ms", "of", "cython", "of", "torch"]
    assert said[1].split() == ["npg,", "Cython", "engine", "6000.000", "1.00", "3.00"]
    assert said[2].split() == ["PyTorch", "2000.000", "0.33", "1.00"]


def test_main_chain_and_imports_are_refused_together():
    with pytest.raises(SystemExit) as status:
        bench.main(["--chain", "--imports"])
    assert status.value.code == "bench.py: error: --chain and --imports: expected one of the two, got both; give one"


# ----- Bytes -----


def test_report_peaks_checkpointing_needs_less_for_the_same_loss():
    arguments, said = ["--checkpointing", "--n_layer=6"], []
    config = bench.sized(*parse(bench.BenchConfig, arguments, "bench.py"))
    results = memory.report_peaks(config, arguments, bench.environment, bench.chosen(config), said.append)
    for ways in results.values():
        rest, plain = ways["plain"]
        for way in ("reentrant", "non-reentrant"):
            assert ways[way][1] - ways[way][0] < (plain - rest) / 2 and ways[way][0] < 1.1 * rest
    assert len(said) == 5 and said[1].startswith("without ") and "1.00" in said[1]


def test_report_peaks_of_losses_that_differ_raises(monkeypatch):
    answers = iter([{"loss": loss, "before": 0, "peak": 1} for loss in (1.0, 1.0, 2.0)])
    monkeypatch.setattr(memory, "run_worker", lambda *arguments: next(answers))
    with pytest.raises(DemoError, match="checkpointing changes the loss: 1.0, 1.0, 2.0"):
        memory.report_peaks(None, [], bench.environment, ["cython"])


def test_main_resident_prints_every_tenth_and_the_range(capsys):
    bench.main(["--resident", "--steps=50", "--contenders=cython"])
    head, what, sizes, between = capsys.readouterr().out.splitlines()
    assert head.startswith("one iteration: batch 4, block 16, 2 layers") and what.startswith("50 iterations, garbage")
    assert len(sizes.removeprefix("cython engine, MB: ").split()) == 10
    assert between.startswith("cython engine, between the least and the most: ")


def test_sized_leaves_what_is_given():
    config = bench.sized(*parse(bench.BenchConfig, ["--checkpointing", "--n_layer=2"], "bench.py"))
    assert config.n_layer == 2 and config.n_embd == 128
    assert bench.sized(*parse(bench.BenchConfig, ["--checkpointing"], "bench.py")).n_layer == 12
    assert bench.sized(*parse(bench.BenchConfig, [], "bench.py")) == bench.BenchConfig()


def test_memory_worker_that_fails_raises_with_its_last_words(tmp_path, monkeypatch):
    shadow("npg", "ImportError('broken on purpose')", tmp_path, monkeypatch)
    config, _ = parse(bench.BenchConfig, ["--resident"], "bench.py")
    with pytest.raises(DemoError, match="the worker python ended: ImportError: broken on purpose"):
        memory.run_worker(config, ["--resident"], bench.environment, "python")


@pytest.mark.parametrize("mode", ["checkpointing", "resident"])
def test_main_bytes_are_of_npg_alone(mode):
    with pytest.raises(SystemExit) as status:
        bench.main([f"--{mode}", "--contenders=torch"])
    assert status.value.code == (f"bench.py: error: --contenders: expected cython or python with --{mode}, got 'torch'")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--steps=15", "--steps: expected a multiple of 10, at least 10, got 15"),
        (
            "--contenders=jax",
            "expected a choice of cython, python, torch, numpy (numpy with --chain or --imports only)",
        ),
        ("--ranks=0", "--ranks: expected an integer of at least 1, got 0"),
        ("--contenders=numpy", "got 'numpy'"),
        ("--contenders=torch,torch", "--contenders: expected each one once, got 'torch,torch'"),
        ("--rounds=0", "--rounds: expected an integer of at least 1, got 0"),
        ("--length=3", "--length: expected an even integer of at least 2, got 3"),
        ("--n_head=3", "--n_embd: expected a multiple of --n_head, got 128 and 3"),
    ],
)
def test_main_bad_value_ends_in_one_line(argument, message):
    with pytest.raises(SystemExit) as status:
        bench.main([argument])
    assert status.value.code.startswith("bench.py: error: ") and message in status.value.code
