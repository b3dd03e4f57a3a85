"""What remains of a program with workers that is interrupted, killed or short of something: a clear error alone."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests import processes

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]

SCRIPT = """
import os, sys, time
import npg
from npg.utils.data import DataLoader, Dataset
{imports}

class Rows(Dataset):
    def __len__(self):
        return 10_000

    def __getitem__(self, i):
        {sample}
        return npg.full((5000,), float(i))

if __name__ == "__main__":
    loader = DataLoader(Rows(), 2, num_workers=2, {settings})
    batches = iter(loader)
    print(next(batches)[0, 0].item(), *[process.pid for process in batches._workers], flush=True)
    {rest}
"""


def script(tmp_path, rest, settings="", sample="pass", imports=""):
    path = tmp_path / "script.py"
    text = SCRIPT.format(rest=rest.replace("\n", "\n    "), settings=settings, sample=sample, imports=imports)
    path.write_text(text, encoding="utf-8")
    return [sys.executable, str(path)]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_for_the_end_of(pids, seconds):
    until = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [pid for pid in pids if alive(pid)]


def piped(command):
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    return processes.running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


BUSY = {"idle": "pass", "busy": "time.sleep(30 * (i > 3))"}


@pytest.mark.parametrize("sample", BUSY)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_main_process_is_killed(method, sample, tmp_path):
    settings = f"multiprocessing_context={method!r}, persistent_workers=True"
    with piped(script(tmp_path, "time.sleep(60)", settings, BUSY[sample])) as process:
        first, *pids = process.stdout.readline().split()
        assert first == "0.0"
        time.sleep(0.2)
        process.kill()
        wait_for_the_end_of(map(int, pids), 3 if sample == "idle" else 9)
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("rest", "sample", "settings"),
    [
        ("for _ in batches: time.sleep(0.01)", "idle", ""),
        ("for _ in batches: time.sleep(0.01)", "busy", "persistent_workers=True"),
        ("time.sleep(60)", "busy", ""),
        ("time.sleep(60)", "idle", "multiprocessing_context='spawn'"),
        ("list(batches)", "idle", ""),
        ("list(batches)", "busy", "multiprocessing_context='spawn'"),
    ],
)
def test_ctrl_c(rest, sample, settings, tmp_path):
    with piped(script(tmp_path, rest, settings, BUSY[sample])) as process:
        _, *pids = process.stdout.readline().split()
        time.sleep(0.3)
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - started < 5
        assert process.returncode in (-signal.SIGINT, 130)
        assert errors.count("Traceback") == 1 and errors.rstrip().endswith("KeyboardInterrupt"), errors
        wait_for_the_end_of(map(int, pids), 1)


@pytest.mark.parametrize(
    ("rest", "settings"),
    [
        ("", ""),
        ("", "persistent_workers=True"),
        ("sys.exit(4)", "persistent_workers=True"),
        ("1 / 0", ""),
        ("os._exit(5)", ""),
        ("list(batches)[:0]", "persistent_workers=True"),
    ],
)
def test_end_of_the_program(rest, settings, tmp_path):
    with piped(script(tmp_path, rest, settings)) as process:
        _, *pids = process.stdout.readline().split()
        _, errors = process.communicate(timeout=20)
        assert process.returncode == {"sys.exit(4)": 4, "1 / 0": 1, "os._exit(5)": 5}.get(rest, 0)
        assert errors == "" or "ZeroDivisionError" in errors
        wait_for_the_end_of(map(int, pids), 2)


def test_no_file_descriptors(tmp_path):
    rest = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
files = []
try:
    while True:
        files.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
kept = []
try:
    kept.extend(batches)
except RuntimeError as error:
    print(error)
"""
    done = processes.run(script(tmp_path, rest), capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."})
    assert "Too many open files" in done.stdout and done.stderr == "" and done.returncode == 0


def test_many_batches_are_kept_with_few_file_descriptors(tmp_path):
    rest = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
kept = list(batches)
assert all((batch[0] == 2 * i + 2).all() for i, batch in enumerate(kept)), kept
print(len(kept))
"""
    done = processes.run(script(tmp_path, rest), capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."})
    assert done.stdout.split()[-1] == "4999" and done.stderr == "", done.stderr


def test_without_a_guard_of_main_a_spawned_worker_says_why(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(
        "from npg.utils.data import DataLoader\n"
        "list(DataLoader(range(9), num_workers=1, multiprocessing_context='spawn'))\n"
    )
    done = processes.run(
        [sys.executable, str(path)], 60, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."}
    )
    assert done.returncode == 1 and "if __name__ == '__main__':" in done.stderr
    assert "exited unexpectedly" in done.stderr


def test_a_main_process_that_is_stopped_and_continues(tmp_path):
    with piped(script(tmp_path, "print(sum(1 for _ in batches))")) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        out, errors = process.communicate(timeout=60)
        assert out.split() == ["4999"] and errors == ""
