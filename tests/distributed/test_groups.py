"""Where there is no process group: without MPI, before one is made, and in a process that no launcher has started."""

import os
import subprocess
import sys

import pytest
import torch

import npg
from npg.distributed import _mpi
from tests.distributed.ranks import SCRIPTS, needs_mpi


def test_without_mpi4py_there_are_no_groups_and_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setattr(_mpi.importlib.util, "find_spec", lambda _name: None)
    _mpi.load.cache_clear()
    assert not npg.distributed.is_available() and not npg.distributed.is_initialized()
    with pytest.raises(ImportError, match=r"pip install 'npg-autograd\[mpi\]'"):
        npg.distributed.init_process_group("gloo", rank=0, world_size=1)
    assert not npg.distributed.is_initialized()


@pytest.mark.parametrize("name", ["get_rank", "get_world_size", "barrier", "get_backend"])
def test_what_asks_for_the_group_fails_as_in_pytorch(name):
    for library in (npg, torch):
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            getattr(library.distributed, name)()


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"backend": "nccl"}, RuntimeError, "Distributed package doesn't have NCCL built in"),
        ({"backend": "other"}, ValueError, "Unknown backend 'other'"),
        ({"timeout": 3}, TypeError, "Expected timeout argument to be of type datetime.timedelta, got 3"),
        ({"init_method": "env://", "store": 1}, AssertionError, "Cannot specify both init_method and store"),
    ],
)
def test_wrong_settings_are_refused(settings, error, text):
    with pytest.raises(error, match=text):
        npg.distributed.init_process_group(**settings)
    assert not npg.distributed.is_initialized()


ALONE = """
import os, sys, torch, torch.distributed as dist
try:
    dist.init_process_group("gloo", **eval(sys.argv[1]))
    x = torch.ones(2)
    dist.all_reduce(x)
    print(dist.get_rank(), dist.get_world_size(), x.tolist())
    dist.destroy_process_group()
except Exception as error:
    print(type(error).__name__, error)
"""


def _alone(settings, **variables):
    kept = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE")}
    command = [sys.executable, "-m", "npg", "run", "-c", ALONE, settings]
    done = subprocess.run(command, env={**kept, **variables}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_mpi
def test_process_that_no_launcher_started_is_a_group_of_one():
    assert _alone("{'rank': 0, 'world_size': 1}") == "0 1 [1.0, 1.0]"
    assert _alone("{}", RANK="0", WORLD_SIZE="1") == "0 1 [1.0, 1.0]"


@needs_mpi
def test_process_that_no_launcher_started_says_how_to_start_several():
    assert "environment variable RANK expected, but not set" in _alone("{}")
    assert "environment variable MASTER_ADDR expected, but not set" in _alone("{'rank': 1, 'world_size': 2}")
    told = _alone("{'rank': 1, 'world_size': 2}", PMI_SIZE="1", PMI_RANK="0")
    assert told.startswith("ValueError world_size is 2, but MPI has started 1 process: start the script by `npg run")


@needs_mpi
@pytest.mark.parametrize("module", ["run", "launch"])
def test_torch_modules_that_launch_are_those_of_npg(module):
    options = ["--standalone", "--nproc-per-node=2", str(SCRIPTS / "launched.py"), "--lr", "1"]
    command = [sys.executable, "-m", "npg", "run", "-m", f"torch.distributed.{module}", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == ["0 2 0 --lr 1", "1 2 1 --lr 1"]


@needs_mpi
def test_launcher_is_a_function_that_ends_with_the_status_of_the_ranks():
    code = "from npg.distributed.run import main; main(['--nproc-per-node=2', '-m', 'this_is_no_module'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "No module named this_is_no_module" in done.stderr
