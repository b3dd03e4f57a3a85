"""python -m npg: what it tells, and that its self-check notices what is wrong."""

import os
import re
import sys

import numpy as np
import pytest

import npg
from npg.utils import _self_check, collect_env
from tests import processes


def run(*arguments, **environment):
    command = [sys.executable, *arguments]
    return processes.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **environment},
    )


def test_command_tells_versions_engine_blas_threads_and_platform():
    done = run("-m", "npg", NPG_ENGINE=npg.engine.name, OMP_NUM_THREADS="2")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert lines["npg"].startswith(npg.__version__)
    assert lines["engine"] == f"{npg.engine.name}: NPG_ENGINE={npg.engine.name} asks for it"
    assert lines["NumPy"] == np.__version__
    assert re.fullmatch(r"\d+ for matrix products, \d+ for kernels, of \d+ processors", lines["threads"])
    assert "OMP_NUM_THREADS=2" in lines["variables"]
    assert sys.version.split()[0] in lines["Python"]
    count = len(_self_check.CHECKS)
    assert lines["self-check"] == f"{count} of {count} passed"


def test_functions_are_named_as_torchs():
    found = collect_env.get_env_info()
    assert collect_env.pretty_str(found).splitlines()[0] == f"npg: {found.npg_version}"
    assert collect_env.get_pretty_env_info().splitlines()[0] == f"npg: {found.npg_version}"


@pytest.mark.parametrize("check", _self_check.CHECKS, ids=lambda check: check.__name__)
def test_check_passes(check):
    check()


def test_failing_check_is_told_by_name_and_gives_status_1(monkeypatch, capsys):
    def two_is_three():
        raise AssertionError("it is not\nand never was")

    monkeypatch.setattr(_self_check, "CHECKS", (*_self_check.CHECKS[:2], two_is_three))
    monkeypatch.setattr(collect_env, "CHECKS", _self_check.CHECKS)
    assert collect_env.main() == 1
    told = capsys.readouterr().out
    assert "self-check: 2 of 3 passed" in told
    assert "failed: two is three: AssertionError: it is not\n" in told


@pytest.mark.parametrize(
    ("module", "name", "broken", "noticed"),
    [
        ("npg.random._filling", "uniform32", lambda g, n: np.zeros(n, np.float32), "random numbers"),
        ("npg.kernels.products", "_multiply", lambda a, b, out: np.zeros((len(a), b.shape[-1]), a.dtype), "products"),
    ],
)
def test_what_is_broken_is_noticed(module, name, broken, noticed, monkeypatch):
    monkeypatch.setattr(f"{module}.{name}", broken)
    assert any(noticed in failed for failed, _ in _self_check.failures())


def test_check_changes_no_state():
    npg.manual_seed(5)
    before, threads = npg.get_rng_state().numpy().tobytes(), npg.get_num_threads()
    with npg.no_grad():
        assert _self_check.failures() == []
        assert not npg.is_grad_enabled()
    assert npg.get_rng_state().numpy().tobytes() == before
    assert npg.get_num_threads() == threads
