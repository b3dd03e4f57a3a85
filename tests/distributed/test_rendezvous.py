"""Ranks that no launcher of MPI has started: they meet at an address, and no one waits for one that has died."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from npg import _launch_processes
from npg.distributed import _manager
from tests.distributed.ranks import SCRIPTS, needs_mpi
from tests.processes import run, running

SECONDS = 30  # for all processes, their start included; alone they need three

pytestmark = needs_mpi


def _port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def _command(way, size, place):
    return [sys.executable, "-m", "npg", "run", str(SCRIPTS / "spawned.py"), way, str(size), place]


def _forgotten_memory():
    """Return the names of the shared memory that no process uses."""
    names = {path.name for path in Path("/dev/shm").glob("mpich_shm_*")}
    for path in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            text = path.read_text(errors="replace")
            names = {name for name in names if name not in text}
    return names


@pytest.mark.parametrize("way", ["spawn", "fork", "not destroyed", "again"])
@pytest.mark.parametrize("size", [2, 5])
def test_spawned_processes_are_a_group(way, size):
    done = run(_command(way, size, f"localhost {_port()}"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    total = float(size * (size + 1) // 2)
    ranks = sorted(re.findall(r"rank (\d) of (\d): (.*)", done.stdout))
    assert ranks == [(str(i), str(size), str([total] * 2)) for i in range(size)]
    assert done.stdout.count(f"again {[total * size] * 2}") == size * (way == "again")
    assert done.stdout.count("done\n") == 1 and not done.stderr


@pytest.mark.parametrize("way", ["tcp", "file", "store"])
def test_ranks_meet_where_they_are_told(way, tmp_path):
    places = {"tcp": f"tcp://127.0.0.1:{_port()}", "file": f"file://{tmp_path}/meet", "store": f"localhost {_port()}"}
    for _ in range(2):  # the second time the file holds the address of the first
        done = run(_command(way, 3, places[way]), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("of 3: [6.0, 6.0]") == 3


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("raise", "ValueError: boom"),
        ("exit", "process 1 terminated with exit code 3"),
        ("kill", "process 1 terminated with signal SIGKILL"),
        ("os_exit", "process 1 terminated with exit code 4"),
    ],
)
def test_spawned_rank_that_fails_is_named_and_nothing_is_left(way, text):
    before, start = _forgotten_memory(), time.monotonic()
    done = run(_command(way, 3, f"localhost {_port()}"), capture_output=True, text=True)
    assert time.monotonic() - start < SECONDS
    assert done.returncode == 1 and text in done.stderr
    assert "done" not in done.stdout
    left = _forgotten_memory() - before
    if left:  # or it was just made, by another test's processes
        time.sleep(1.0)
        left &= _forgotten_memory()
    assert not left


@pytest.mark.parametrize(("way", "status"), [("raise", 1), ("exit", 3), ("kill", -9), ("os_exit", 4)])
def test_rank_of_a_shell_ends_when_another_one_has_died(way, status):
    place = f"localhost {_port()}"
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with (
        running(_command(way, 2, place), env={**os.environ, "RANK": "0"}, **settings) as first,
        running(_command(way, 2, place), env={**os.environ, "RANK": "1"}, **settings) as second,
    ):
        assert second.wait(SECONDS) == status
        _, told = first.communicate(timeout=SECONDS)
        assert first.returncode == (status if way in ("raise", "exit") else 1)
        assert f"[rank0]: rank 1 has ended with status {first.returncode}\n" in told


def test_one_that_does_not_come_is_waited_for_as_long_as_told():
    place = f"localhost {_port()}"
    done = run(_command("late", 2, place), capture_output=True, text=True, env={**os.environ, "RANK": "0"})
    assert done.returncode == 1 and "Timed out after 2 seconds waiting for the other ranks" in done.stderr
    done = run(_command("late", 2, place), capture_output=True, text=True, env={**os.environ, "RANK": "1"})
    assert done.returncode == 1 and "timed out after 2000ms while trying to connect to (localhost, " in done.stderr
    assert not [pid for pid in _launch_processes._descendants(os.getpid(), frozenset()) if _is_manager(pid)]


def _is_manager(pid):
    try:
        return _manager.__file__.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.mark.parametrize(
    ("ranks", "sizes", "text"),
    [((0, 1), (2, 3), "rank 0 has world_size 2, and rank 1 has 3"), ((0, 0), (2, 2), "EADDRINUSE"),
     ((0, 2), (2, 2), "rank 2 is out of range: there are 2 processes")],
)  # fmt: skip
def test_numbers_that_do_not_fit_are_refused(ranks, sizes, text):
    place = f"localhost {_port()}"
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    commands = [_command("late", size, place) for size in sizes]
    environments = [{**os.environ, "RANK": str(rank)} for rank in ranks]
    with (
        running(commands[0], env=environments[0], **settings) as first,
        running(commands[1], env=environments[1], **settings) as second,
    ):
        told = first.communicate(timeout=SECONDS)[1] + second.communicate(timeout=SECONDS)[1]
    assert text in told and first.returncode == second.returncode == 1


def test_manager_tells_which_ranks_share_a_machine():
    manager = _manager.Manager(6)
    manager.hosts = dict(enumerate(["a", "a", "b", "c", "c", "a"]))
    assert manager._mapping() == "(vector,(0,1,2),(1,1,1),(2,1,2),(0,1,1))"


RANK = """
import datetime, os, sys, time
import npg, npg.distributed as dist
rank, size, port, way = *map(int, sys.argv[1:4]), sys.argv[4]
limit = datetime.timedelta(seconds=20)
dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=size, timeout=limit)
x = npg.ones(2)
dist.all_reduce(x)
print("sum", x.tolist())
if rank == 1 and way == "forks" and not os.fork():
    time.sleep(60)
if rank == 1 and way != "good":
    time.sleep(0.3)
    os.kill(os.getpid(), 9)
time.sleep(60 if way != "good" else 0)
"""


def _rank(rank, size, port, way):
    command = [sys.executable, "-c", RANK, *map(str, (rank, size, port)), way]
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return running(command, env=kept, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_rank_that_dies_before_all_have_come_may_come_again():
    port = _port()
    with _rank(0, 3, port, "good") as first:
        with _rank(1, 3, port, "good") as second:
            time.sleep(2.0)  # it has joined
            second.kill()
            second.wait()
        with _rank(2, 3, port, "good") as third, _rank(1, 3, port, "good") as again:
            texts = [process.communicate(timeout=SECONDS) for process in (first, third, again)]
    assert texts == [("sum [3.0, 3.0]\n", "")] * 3


@pytest.mark.parametrize(
    "way", ["dies", pytest.param("forks", marks=pytest.mark.skipif(os.name == "nt", reason="forks"))]
)
def test_who_is_left_writes_what_it_has_printed_and_ends_at_once(way):
    port, start = _port(), time.monotonic()
    with _rank(0, 2, port, way) as first, _rank(1, 2, port, way) as second:
        text, told = first.communicate(timeout=SECONDS)
        assert second.wait(SECONDS) == -9 and first.returncode == 1
    assert text == "sum [2.0, 2.0]\n" and told == "[rank0]: rank 1 has ended with status 1\n"
    assert time.monotonic() - start < SECONDS


def test_one_may_try_again_after_its_time_was_over():
    place = f"tcp://127.0.0.1:{_port()}"
    code = (
        "import datetime, sys, npg.distributed as dist\n"
        "for _ in range(3):\n"
        "    try:\n"
        f"        dist.init_process_group('gloo', '{place}', datetime.timedelta(seconds=0.5), 2, 0)\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__)\n"
    )
    done = run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["DistStoreError"] * 3 and not done.stderr


def test_others_than_ranks_do_not_disturb(capfd):
    port = _port()
    with _rank(0, 2, port, "good") as first:
        for line in (b"\xff\n", b"x" * 200_000, b"cmd=join\n", b"cmd=put\n", b"cmd=initack\n", b"cmd=nothing\n", b""):
            for _ in range(100):
                with contextlib.suppress(OSError):
                    other = socket.create_connection(("127.0.0.1", port))
                    break
                time.sleep(0.1)
            with other, contextlib.suppress(OSError):
                other.sendall(line)
        with _rank(1, 2, port, "good") as second:
            texts = [process.communicate(timeout=SECONDS) for process in (first, second)]
    assert texts == [("sum [2.0, 2.0]\n", "")] * 2
