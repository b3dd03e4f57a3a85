"""train.py in several processes: the losses of one, one checkpoint, Ctrl-C."""

import csv
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from config import DemoError
from files import load_safetensors
from ranks import Ranks

from tests import processes
from tests.demo.conftest import DEMO, small_run
from tests.distributed.ranks import SCRIPTS, needs_mpi

TRAIN = DEMO / "nanogpt" / "train.py"


def _rows(folder):
    with open(folder / "out" / "loss.csv") as file:
        return list(csv.DictReader(file))


def _run(folder, text_file, count, **keys):
    folder.mkdir()
    given = small_run(folder, text_file, batch_size=6, gradient_accumulation_steps=2, **keys)
    start = [sys.executable, "-m", "npg", "run", f"--nproc-per-node={count}"] if count > 1 else [sys.executable]
    done = processes.run([*start, str(TRAIN), *given], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_mpi
@pytest.mark.parametrize("count", [2, 3])
def test_processes_have_the_losses_and_weights_of_one(count, tmp_path, text_file):
    _run(tmp_path / "one", text_file, 1)
    text = _run(tmp_path / "several", text_file, count)
    assert text.count("step 8: train loss") == text.count("checkpoint:") == 1
    rows = [_rows(tmp_path / name) for name in ("one", "several")]
    for name in ("train_loss", "eval_val_loss"):
        ours, theirs = ([float(row[name]) for row in run if row[name]] for run in rows)
        assert len(ours) > 2 and theirs == pytest.approx(ours, rel=1e-6)
    weights, others = (load_safetensors(tmp_path / n / "out" / "last.safetensors")[0] for n in ("one", "several"))
    assert weights.keys() == others.keys()
    for name, array in weights.items():
        if name.startswith("model."):
            np.testing.assert_allclose(others[name], array, atol=2e-5)
    again = _run(tmp_path / "again", text_file, count, max_iters=4)
    assert "checkpoint:" in again


@needs_mpi
def test_processes_drop_out_other_numbers_and_draw_the_same_batches(tmp_path, text_file):
    _run(tmp_path / "one", text_file, 1, dropout=0.5)
    _run(tmp_path / "several", text_file, 2, dropout=0.5)
    one, several = (_rows(tmp_path / name) for name in ("one", "several"))
    assert one[0]["eval_val_loss"][:7] == several[0]["eval_val_loss"][:7]  # before the first step, nothing dropped
    assert one[-1]["eval_val_loss"] != several[-1]["eval_val_loss"]


@needs_mpi
def test_ctrl_c_ends_all_with_a_checkpoint(tmp_path, text_file):
    given = small_run(tmp_path, text_file, max_iters=100_000, eval_interval=100_000, log_interval=1)
    command = [sys.executable, "-m", "npg", "run", "--nproc-per-node=2", str(TRAIN), *given]
    with processes.running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("iter 3/"):
                break
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(30) == 130 and time.monotonic() - start < 20
    assert re.search(r"interrupted; --init_from=resume goes on from here", rest)
    assert (tmp_path / "out" / "last.safetensors").is_file()


@needs_mpi
@pytest.mark.skipif(sys.platform == "win32", reason="has no limit for the size of a file")
def test_full_disk_ends_all_and_keeps_the_last_checkpoint(tmp_path, text_file):
    _run(tmp_path / "run", text_file, 2)
    folder = tmp_path / "run" / "out"
    before = {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}
    given = small_run(tmp_path / "run", text_file, batch_size=6, gradient_accumulation_steps=2, max_iters=12)
    command = [
        sys.executable,
        "-m",
        "npg",
        "run",
        "--nproc-per-node=2",
        str(SCRIPTS / "limited.py"),
        str(TRAIN),
        *given,
    ]
    start = time.monotonic()
    done = processes.run([*command, "--init_from=resume"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and time.monotonic() - start < 60
    assert done.stderr.count("(File too large); the file that was there is unchanged; make room") == 1, done.stderr
    assert {path.name: path.read_bytes() for path in folder.glob("*.safetensors")} == before and before
    assert not list(folder.glob(".*.tmp"))


def test_batch_that_cannot_be_shared_out_is_refused(monkeypatch):
    ranks = Ranks()
    assert ranks.count == 1 and ranks.is_first and ranks.mean(3) == 3 and not ranks.any(False)
    ranks.check(5)
    ranks.count = 2
    with pytest.raises(DemoError, match=r"--batch_size: expected a multiple of the 2 processes, got 5"):
        ranks.check(5)
