"""The end of a process: all others end with it, and nobody waits for ever."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

import npg
from npg import _launch_processes
from tests.distributed.ranks import SCRIPTS, needs_mpi, npg_ranks
from tests.processes import run, running

SECONDS = 20  # that all processes have, their start included; alone they need two

pytestmark = needs_mpi


@pytest.mark.parametrize(
    ("way", "status"), [("raise", 1), ("hook", 1), ("thread", 1), ("exit", 3), ("systemexit", 4), ("os_exit", 5)]
)
def test_failing_rank_ends_all_with_its_status_and_one_traceback(way, status):
    if way == "systemexit" and npg.kernels.core.end_mpi_later is None:
        pytest.skip("without the compiled kernels sys.exit is seen, raise SystemExit is not")
    start = time.monotonic()
    done = npg_ranks(2, "dying.py", way)
    assert time.monotonic() - start < SECONDS
    assert done.returncode == status, done.stderr
    assert done.stderr.count("Traceback") == (status == 1)
    assert ("ValueError: boom in " + way in done.stderr) == (status == 1)
    assert "end" not in done.stdout


def test_killed_rank_ends_all():
    done = npg_ranks(2, "dying.py", "kill")
    assert done.returncode in (9, 137)
    assert "end" not in done.stdout


@pytest.mark.parametrize("way", ["none", "early"])
def test_ranks_that_end_well_do_so_at_different_times(way):
    done = npg_ranks(3, "dying.py", way)
    assert done.returncode == 0, done.stderr
    assert sorted(re.findall(r"end (\d)", done.stdout)) == (["0", "1", "2"] if way == "none" else ["0", "2"])


@pytest.mark.parametrize("how", ["at_once", "async", "future", "message", "ring"])
def test_rank_that_ends_well_before_the_others_is_named(how):
    start = time.monotonic()
    done = npg_ranks(3, "dying.py", "left_" + how)
    assert time.monotonic() - start < SECONDS
    assert done.returncode == 1, done.stderr
    assert "failed: rank 1 has ended: Connection closed by peer" in done.stderr
    assert "end" not in done.stdout


@pytest.mark.parametrize(("how", "status"), [("caught", 1), ("caught_exit", 7)])
def test_who_ends_without_the_others_says_so(how, status):
    done = npg_ranks(3, "dying.py", "left_" + how)
    assert done.returncode == status
    assert ": ended while operations between the ranks were under way" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_the_launcher_ends_all(number):
    command = [sys.executable, "-m", "npg", "run", "--nproc-per-node=2", str(SCRIPTS / "dying.py"), "sleep"]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        numbers = [int(process.stdout.readline()) for _ in range(2)]
        process.send_signal(number)
        assert process.wait(SECONDS) == 128 + number
    for pid in numbers:
        assert not _lives(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not end a process with its parent")
@pytest.mark.parametrize("killed", [0, 1, 2], ids=["launcher", "mpiexec", "proxy"])
def test_no_rank_outlives_what_has_started_it(killed):
    command = [sys.executable, "-m", "npg", "run", "--nproc-per-node=2", str(SCRIPTS / "dying.py"), "sleep"]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        ranks = [int(process.stdout.readline()) for _ in range(2)]
        started = [process.pid, *_launch_processes._descendants(process.pid, frozenset())]
        assert set(ranks) <= set(started[2:])  # after the launcher, mpiexec and, if it is Hydra's, its proxy
        if started[killed] in ranks:
            pytest.skip("this mpiexec has no proxy")
        os.kill(started[killed], signal.SIGKILL)
        last = time.monotonic() + SECONDS
        while any(map(_lives, started)) and time.monotonic() < last:
            time.sleep(0.02)
            process.poll()
        assert not [pid for pid in started if _lives(pid)]


def test_launcher_spares_what_it_has_not_started():
    with running([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        others = _launch_processes.adopt_descendants()
        with running([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as own:
            _launch_processes.end_descendants(others)
            assert not _lives(own.pid) and _lives(other.pid)


def test_stopped_rank_ends_all_when_the_time_is_over():
    command = [sys.executable, "-m", "npg", "run", "--nproc-per-node=2", str(SCRIPTS / "dying.py"), "stopped"]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        stopped = int(process.stdout.readline())
        os.kill(stopped, signal.SIGSTOP)
        _, text = process.communicate(timeout=SECONDS)
    assert process.returncode and "Timed out waiting 1000ms for all_reduce" in text
    assert not _lives(stopped)


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_silent_rank_is_named_when_the_time_is_over():
    start = time.monotonic()
    done = npg_ranks(2, "dying.py", "silent")
    assert time.monotonic() - start < SECONDS
    assert done.returncode
    assert "[Rank 0]: Timed out waiting 1000ms for all_reduce([1] torch.float32) operation to complete" in done.stderr


def test_future_ends_when_the_time_is_over():
    done = npg_ranks(2, "dying.py", "silent_future")
    assert done.returncode == 1
    assert "Timed out waiting 1000ms for all_reduce([1] torch.float32) operation to complete" in done.stderr


def test_restarts_are_counted_and_bounded(tmp_path):
    words = [sys.executable, "-m", "npg", "run", "--nproc-per-node=2", "--max-restarts=2", str(SCRIPTS / "dying.py")]
    done = subprocess.run([*words, "twice", str(tmp_path / "count")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("npg run: exit status 6") == 2
    assert sorted(re.findall(r"end (\d)", done.stdout)) == ["0", "1"]


def test_restarts_give_the_losses_of_an_undisturbed_run(tmp_path):
    words = [sys.executable, "-m", "npg", "run", "--nproc-per-node=2", "--max-restarts=2"]
    lines, sums = {}, {}
    for way in ("lives", "dies"):
        done = run([*words, str(SCRIPTS / "restarting.py"), str(tmp_path / way), way], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("npg run: exit status 7") == (2 if way == "dies" else 0)
        text = (tmp_path / way / "losses.txt").read_text().splitlines()
        lines[way] = dict(line.rsplit(" ", 1) for line in text)  # of steps that were done again, the last
        assert len(text) == len(lines[way]) + (2 if way == "dies" else 0)
        sums[way] = sorted(done.stdout.splitlines())
    assert lines["dies"] == lines["lives"] and len(lines["dies"]) == 8 * 6
    assert sums["dies"] == sums["lives"] and len({line.split()[1] for line in sums["dies"]}) == 1
