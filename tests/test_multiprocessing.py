"""npg.multiprocessing: Python's, with spawn, whose processes fail as in PyTorch."""

import multiprocessing
import os
import pickle
import re
import signal
import sys
import time

import pytest
import torch.multiprocessing

import npg.multiprocessing as mp
from npg.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

LIBRARIES = (mp, torch.multiprocessing)


def write(index, folder):
    with open(os.path.join(folder, str(index)), "w") as file:
        file.write(str(os.getpid()))


def fail(index):
    if index == 1:
        raise ValueError(f"process {index} fails")
    time.sleep(60)


def leave(index):
    if index == 0:
        sys.exit(7)
    time.sleep(60)


def die(index):
    os.kill(os.getpid(), signal.SIGKILL)


def add(index, queue, tensor):
    queue.put((index, (tensor + index).tolist()))


def test_names_are_pythons_and_pytorchs():
    assert set(mp.__all__) >= set(torch.multiprocessing.__all__) - {"reductions"}
    assert mp.get_context("spawn").Process is multiprocessing.get_context("spawn").Process
    assert mp.Queue == multiprocessing.Queue and mp.cpu_count() == multiprocessing.cpu_count()
    assert mp.get_all_sharing_strategies() == torch.multiprocessing.get_all_sharing_strategies()
    assert mp.get_sharing_strategy() == torch.multiprocessing.get_sharing_strategy()
    for library in LIBRARIES:
        with pytest.raises(AssertionError):
            library.set_sharing_strategy("nothing")
    mp.set_sharing_strategy("file_system")
    assert mp.get_sharing_strategy() == "file_system"
    mp.set_sharing_strategy("file_descriptor")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_run_and_are_waited_for(tmp_path, method):
    assert mp.start_processes(write, (str(tmp_path),), nprocs=2, start_method=method) is None
    assert sorted(os.listdir(tmp_path)) == ["0", "1"]
    context = mp.start_processes(write, (str(tmp_path),), nprocs=2, join=False, start_method=method)
    assert len(context.pids()) == 2
    while not context.join(timeout=60):
        pass
    assert {int((tmp_path / name).read_text()) for name in "01"} == set(context.pids())


@pytest.mark.parametrize("library", LIBRARIES, ids=["npg", "torch"])
def test_an_exception_arrives_with_its_traceback_and_ends_the_others(library):
    context = library.start_processes(fail, nprocs=3, join=False, start_method="fork")
    with pytest.raises(Exception, match="-- Process 1 terminated with the following error:") as caught:
        while not context.join():
            pass
    assert type(caught.value).__name__ == "ProcessRaisedException"
    assert re.search(r"line \d+, in fail\n.*\nValueError: process 1 fails\n$", str(caught.value))
    assert caught.value.error_index == 1 and caught.value.error_pid == context.processes[1].pid
    assert not any(process.is_alive() for process in context.processes)


@pytest.mark.parametrize(
    ("function", "text", "code"),
    [(leave, "process 0 terminated with exit code 7", 7), (die, "process 0 terminated with signal SIGKILL", -9)],
)
def test_a_process_that_ends_otherwise(function, text, code):
    for library in LIBRARIES:
        with pytest.raises(Exception, match=text) as caught:
            library.start_processes(function, nprocs=1 if function is die else 2, start_method="fork")
        assert type(caught.value).__name__ == "ProcessExitedException"
        assert caught.value.exit_code == code
    assert multiprocessing.active_children() == []


def test_exceptions_of_processes_are_pickled():
    for error in (ProcessRaisedException("text", 1, 2), ProcessExitedException("text", 1, 2, -9, "SIGKILL")):
        twin = pickle.loads(pickle.dumps(error))
        assert type(twin) is type(error) and twin.msg == error.msg and twin.error_index == 1


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(ProcessRaisedException):
        mp.start_processes(fail, nprocs=2, start_method="fork")
    assert os.listdir(tmp_path) == [] and multiprocessing.active_children() == []
    with pytest.raises((AttributeError, pickle.PicklingError)):
        mp.spawn(lambda index: None, nprocs=2)
    assert os.listdir(tmp_path) == [] and multiprocessing.active_children() == []


def test_tensors_are_sent_through_queues():
    import npg

    context = mp.get_context("spawn")
    queue = context.SimpleQueue()
    process = context.Process(target=add, args=(3, queue, npg.ones(2)))
    process.start()
    assert queue.get() == (3, [4.0, 4.0])
    process.join()
    assert process.exitcode == 0


def test_what_is_not_supported_is_refused():
    with pytest.raises(NotImplementedError, match="leave these arguments out"):
        mp.start_processes(write, numa_options=object())
