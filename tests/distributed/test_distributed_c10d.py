"""Collectives, messages and groups: scripts in several processes print the same on npg and on PyTorch with gloo."""

import pytest

from tests.distributed.ranks import assert_same_lines, needs_mpi, npg_ranks, torch_ranks, written


@needs_mpi
@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("script", ["collectives.py", "sharded.py"])
def test_script_in_several_processes_is_torchs(n, script, tmp_path):
    done = npg_ranks(n, script, tmp_path / "npg")
    assert done.returncode == 0, done.stderr
    torch_ranks(n, script, tmp_path / "torch")
    for found, expected in zip(written(tmp_path / "npg", n), written(tmp_path / "torch", n), strict=True):
        assert_same_lines(found, expected)
