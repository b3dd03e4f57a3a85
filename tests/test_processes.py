"""The tests' own starting of processes: interrupts reach them, and none is left."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests import processes

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups")
# Starts a child of its own, says both numbers and waits for ever.
FAMILY = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])\n"
    "print(os.getpid(), child.pid, flush=True)\n"
    "time.sleep(1000)"
)


def ends(pid: int) -> bool:
    """Tell whether a process ends soon; one that was killed and that nobody has waited for has ended."""
    for _ in range(200):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def ignored_interrupt():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ignored_interrupt")
def test_process_is_interrupted_where_interrupts_are_ignored():
    code = "import time; print('here', flush=True); time.sleep(1000)"
    with processes.running([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
def test_process_that_takes_too_long_is_killed_with_its_children(tmp_path):
    with pytest.raises(subprocess.TimeoutExpired), open(tmp_path / "said", "w") as said:
        processes.run([sys.executable, "-c", FAMILY], timeout=3, stdout=said)
    pids = [int(pid) for pid in (tmp_path / "said").read_text().split()]
    assert len(pids) == 2 and all(map(ends, pids))


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks into /proc")
def test_process_is_killed_with_its_children_when_the_test_fails_or_reading_never_ends():
    pids = []
    with pytest.raises(ZeroDivisionError), processes.running([sys.executable, "-c", FAMILY], stdout=-1) as process:
        pids += map(int, process.stdout.readline().split())
        raise ZeroDivisionError
    with processes.running([sys.executable, "-c", FAMILY], 3, stdout=-1) as process:
        pids += map(int, process.stdout.read().split())  # ends with the process
    assert len(pids) == 4 and all(map(ends, pids))


def test_run_is_subprocess_run():
    done = processes.run([sys.executable, "-c", "print(2)"], capture_output=True, text=True, check=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
    with pytest.raises(subprocess.CalledProcessError):
        processes.run([sys.executable, "-c", "raise SystemExit(3)"], check=True)
