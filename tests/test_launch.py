"""`npg run` with torchrun's options: the command for mpiexec, and the variables of a rank."""

import os
import stat
import sys

import pytest

from npg import _launch, _run

HYDRA, OPEN_MPI = "HYDRA build details", "mpiexec (OpenRTE) 4.1.4"


@pytest.fixture(params=[HYDRA, OPEN_MPI])
def mpiexec(request, tmp_path, monkeypatch):
    """Return the path of an mpiexec that only says what it is, and what that is."""
    path = tmp_path / "mpiexec"
    path.write_text(f"#!/bin/sh\necho '{request.param}'\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(_launch, "_mpiexec", lambda: str(path))
    return str(path), request.param


PYTHON = [sys.executable, "-m", "npg", "run"]


@pytest.mark.parametrize(
    ("words", "count", "program"),
    [
        (["--nproc-per-node=3", "train.py", "--lr", "1"], 3, [*PYTHON, "train.py", "--lr", "1"]),
        (["--nproc_per_node", "2", "--standalone", "train.py"], 2, [*PYTHON, "train.py"]),
        (["--standalone", "--nnodes=1", "--nproc-per-node=2", "-m", "tool", "-x"], 2, [*PYTHON, "-m", "tool", "-x"]),
        (["--nproc-per-node=2", "--rdzv-backend=c10d", "--rdzv-endpoint=a:1", "--master-port", "5", "t.py"], 2,
         [*PYTHON, "t.py"]),
        (["--nproc-per-node=2", "--no-python", "./program", "a"], 2, ["./program", "a"]),
        (["--nproc-per-node=2", "t.py", "--nproc-per-node=9"], 2, [*PYTHON, "t.py", "--nproc-per-node=9"]),
        (["--nnodes=1:4", "--nproc-per-node=2", "--use_env", "t.py"], 2, [*PYTHON, "t.py"]),
        (["--nproc-per-node=auto", "t.py"], _launch._processes("auto"), [*PYTHON, "t.py"]),
    ],
)  # fmt: skip
def test_command_starts_as_many_processes(words, count, program, mpiexec):
    assert _launch.wants_ranks(words)
    command, restarts = _launch.command_for(words)
    assert command[:3] == [mpiexec[0], "-n", str(count)]
    assert command[3 : -len(program)] == (["-genvall"] if mpiexec[1] is HYDRA else ["--oversubscribe"])
    assert command[-len(program) :] == program and restarts == 0


def test_machines_come_from_a_file(mpiexec):
    words = ["--nproc-per-node=2", "--nnodes=3", "--hostfile=hosts", "--max-restarts=4", "t.py"]
    command, restarts = _launch.command_for(words)
    hosts = ["-f", "hosts", "-ppn", "2", "-genvall"]
    if mpiexec[1] is OPEN_MPI:
        hosts = ["--hostfile", "hosts", "--map-by", "ppr:2:node"]
    assert command == [mpiexec[0], "-n", "6", *hosts, *PYTHON, "t.py"] and restarts == 4


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--nproc-per-node=two", "t.py"], "expected --nproc-per-node to be a number, auto or cpu, got 'two'"),
        (["--nproc-per-node=0", "t.py"], "got '0'"),
        (["--nproc-per-node=2", "--nnodes=2", "t.py"], "several machines need --hostfile"),
        (["--nproc-per-node=2", "--nnodes=x", "t.py"], "expected --nnodes to be a number, got 'x'"),
    ],
)
def test_options_that_cannot_be_are_refused(words, text, mpiexec):
    with pytest.raises(SystemExit, match=text):
        _launch.command_for(words)


def test_unknown_option_and_no_script_end_with_the_usage(capsys, mpiexec):
    for words in (["--nproc-per-node=2", "--unknown", "t.py"], ["--nproc-per-node=2"]):
        with pytest.raises(SystemExit) as ended:
            _launch.command_for(words)
        assert ended.value.code == 2
    assert "usage: npg run" in capsys.readouterr().err


def test_without_mpiexec_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr(_launch.shutil, "which", lambda _name: None)
    monkeypatch.setattr(_launch.sys, "executable", "/nowhere/python")
    with pytest.raises(SystemExit, match=r"there is no mpiexec; `pip install 'npg-autograd\[mpi\]'`"):
        _launch._mpiexec()


@pytest.mark.parametrize("words", [["script.py", "--nproc-per-node=2"], ["-m", "tool"], ["--version"], []])
def test_other_words_are_pythons(words):
    assert not _launch.wants_ranks(words)


def test_rank_gets_torchruns_variables_and_its_share_of_the_processors(monkeypatch):
    monkeypatch.setattr(_launch, "_processes", lambda _text: 8)
    monkeypatch.setattr(_launch, "end_with_parent", lambda: None)  # of this process
    variables = {"PMI_RANK": "5", "PMI_SIZE": "8", "MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "4"}
    _launch.take_rank(variables)
    expected = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "GROUP_RANK": "1"}
    expected |= {"GROUP_WORLD_SIZE": "2", "OMP_NUM_THREADS": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}
    assert {name: variables[name] for name in expected} == expected
    open_mpi = {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_RANK": "1"}
    open_mpi |= {"OMPI_COMM_WORLD_LOCAL_SIZE": "2", "OMP_NUM_THREADS": "3", "MASTER_PORT": "1"}
    _launch.take_rank(open_mpi)
    assert (open_mpi["RANK"], open_mpi["OMP_NUM_THREADS"], open_mpi["MASTER_PORT"]) == ("1", "3", "1")


@pytest.mark.parametrize(
    "variables", [{}, {"SLURM_PROCID": "0"}, {"PMI_RANK": "0", "PMI_SIZE": "1"}, {"PMI_RANK": "x"}]
)
def test_process_of_no_known_launcher_is_left_alone(variables):
    before = dict(variables)
    _launch.take_rank(variables)
    assert variables == before


def test_rank_below_a_rank_keeps_what_it_was_given():
    variables = {"PMI_RANK": "1", "PMI_SIZE": "2", "MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "2", "RANK": "7"}
    _launch.take_rank(variables)
    assert variables["RANK"] == "7" and "WORLD_SIZE" not in variables


def test_usage_tells_of_several_processes():
    assert "--nproc-per-node N" in _run._USAGE


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processes are not bound to processors here")
@pytest.mark.parametrize(
    ("own", "launchers", "local", "threads"),
    [(8, 8, 2, "4"), (4, 8, 2, "4"), (1, 8, 8, "1"), (2, 2, 3, "1"), (4, 4, 1, "4")],
)
def test_threads_are_those_of_the_processors_that_a_rank_has(own, launchers, local, threads, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(launchers if pid else own)))
    monkeypatch.setattr(_launch, "end_with_parent", lambda: None)  # of this process
    variables = {"PMI_RANK": "0", "PMI_SIZE": "8", "MPI_LOCALRANKID": "0", "MPI_LOCALNRANKS": str(local)}
    _launch.take_rank(variables)
    assert variables["OMP_NUM_THREADS"] == threads
    given = {**variables, "OMP_NUM_THREADS": "7"}
    del given["RANK"]
    _launch.take_rank(given)
    assert given["OMP_NUM_THREADS"] == "7"
