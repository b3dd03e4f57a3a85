"""Collectives, messages and groups: scripts in several processes print the same on npg and on PyTorch with gloo."""

import pytest

from tests.distributed.ranks import check_like_gloo, needs_mpi, npg_ranks, written


@needs_mpi
@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("script", ["collectives.py", "differentiated.py", "sharded.py"])
def test_script_in_several_processes_is_torchs(n, script, tmp_path):
    check_like_gloo(n, script, tmp_path)


@needs_mpi
def test_what_does_not_fit_is_refused_with_both_sides(tmp_path):
    done = npg_ranks(2, "refused.py", tmp_path / "lines")
    assert done.returncode == 0, done.stderr
    zero, one = written(tmp_path / "lines", 2)
    called = "DistBackendError: [Rank 1]: recv([{}] torch.float32) from rank 0 failed"
    assert one[0].startswith(called.format(5)) and "rank 0 has sent 3 elements, the tensor has 5" in one[0]
    assert one[1].startswith(called.format(3))
    assert zero[0] == "RuntimeError: [Rank 0]: Ranks 1 failed to pass monitoredBarrier in 300 ms"
    mismatch = "RuntimeError: Detected mismatch between collectives on ranks. Rank {} is running collective: "
    for rank, lines in enumerate((zero[1:], one[2:])):
        assert lines[0] == "done"
        for line in lines[1:4]:
            assert line.startswith(mismatch.format(rank))
        assert "TensorShape=[2]" in lines[1] and "TensorShape=[3]" in lines[1]
        assert "OpType=ALL_REDUCE" in lines[2] and "OpType=BROADCAST" in lines[2]
        assert "TensorDtypes=torch.float32" in lines[3] and "TensorDtypes=torch.float64" in lines[3]
        assert lines[4:] == ["done", *["True"] * 10]
