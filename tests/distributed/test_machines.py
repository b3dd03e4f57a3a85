"""Two machines, as two network namespaces with names of their own, joined by a cable that leads nowhere else."""

import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from npg import _launch
from tests.distributed.ranks import SCRIPTS, assert_same_lines, needs_mpi, npg_ranks, written
from tests.processes import run

NAMES = {"npg-one": "10.213.0.1", "npg-two": "10.213.0.2"}
# In the place of ssh: enter the machine of that address, take its name, and run the command.
ENTER = """#!/bin/sh
while [ "${{1#-}}" != "$1" ]; do shift; done
case $1 in {one}) name=npg-one;; *) name=npg-two;; esac
shift
exec ip netns exec $name unshare -u sh -c "hostname $name; exec $*"
"""


def _ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True)


def _remove():
    for name in NAMES:
        _ip("netns", "del", name)


@pytest.fixture
def machines(tmp_path):
    """Return the file that enters a machine; skip where namespaces cannot be made."""
    if shutil.which("ip") is None or shutil.which("unshare") is None or os.geteuid():
        pytest.skip("needs root, ip and unshare")
    import fcntl

    lock = open(os.path.join(tempfile.gettempdir(), "npg-machines.lock"), "w")
    fcntl.flock(lock, fcntl.LOCK_EX)  # one at a time has the names
    _remove()
    try:
        for name in NAMES:
            if _ip("netns", "add", name).returncode:
                pytest.skip("network namespaces cannot be made here")
        made = _ip(
            "link", "add", "npg1", "netns", "npg-one", "type", "veth", "peer", "name", "npg2", "netns", "npg-two"
        )
        if made.returncode:
            pytest.skip(f"no cable between the namespaces: {made.stderr.strip()}")
        for (name, address), device in zip(NAMES.items(), ("npg1", "npg2"), strict=True):
            assert _ip("-n", name, "addr", "add", f"{address}/24", "dev", device).returncode == 0
            for link in (device, "lo"):
                assert _ip("-n", name, "link", "set", link, "up").returncode == 0
        enter = tmp_path / "enter"
        enter.write_text(ENTER.format(one=NAMES["npg-one"]))
        enter.chmod(0o755)
        yield enter
    finally:
        _remove()
        lock.close()


def _on_machines(enter, script, *arguments):
    hosts = ",".join(f"{address}:2" for address in NAMES.values())
    launcher = ["-launcher", "ssh", "-launcher-exec", str(enter), "-hosts", hosts, "-ppn", "2", "-genvall"]
    program = [sys.executable, "-m", "npg", "run", str(SCRIPTS / script), *map(str, arguments)]
    inside = ["ip", "netns", "exec", "npg-one", "unshare", "-u", "sh", "-c", 'hostname npg-one; exec "$@"', "sh"]
    words = [*inside, _launch._mpiexec(), *launcher, "-n", "4", *program]
    return run(words, capture_output=True, text=True, timeout=120)


@needs_mpi
def test_collectives_and_training_over_two_machines_are_those_on_one(machines, tmp_path):
    for script, rest in (("collectives.py", ()), ("training.py", (10, "float32", "gpt"))):
        done = _on_machines(machines, script, tmp_path / "two", *rest)
        assert done.returncode == 0, done.stderr
        assert npg_ranks(4, script, tmp_path / "one", *rest).returncode == 0
        for found, expected in zip(written(tmp_path / "two", 4), written(tmp_path / "one", 4), strict=True):
            assert_same_lines(found, expected, 1e-6)


@needs_mpi
def test_ranks_know_their_machines(machines, tmp_path):
    done = _on_machines(machines, "places.py", tmp_path / "places")
    assert done.returncode == 0, done.stderr
    places = [lines[0].split() for lines in written(tmp_path / "places", 4)]
    assert [place[0] for place in places] == ["npg-one", "npg-one", "npg-two", "npg-two"]
    assert [place[1:] for place in places] == [[str(i), str(i % 2), "4", "2", str(i // 2)] for i in range(4)]


@needs_mpi
def test_rank_that_dies_on_one_machine_ends_those_on_the_other(machines):
    done = _on_machines(machines, "dying.py", "exit")
    assert done.returncode == 3, done.stderr
    assert "end" not in done.stdout
