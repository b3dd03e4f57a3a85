"""DistributedDataParallel and SyncBatchNorm in several processes, against PyTorch with gloo and against one process."""

import pytest

from tests.distributed.ranks import check_like_gloo, needs_mpi, npg_ranks, written


@needs_mpi
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("script", ["parallel.py", "uneven.py"])
def test_parallel_models_in_all_modes_are_torchs(n, script, tmp_path):
    check_like_gloo(n, script, tmp_path)


@needs_mpi
@pytest.mark.parametrize("n", [2, 3])
def test_sync_batch_norm_over_ranks_is_batch_norm_in_one_process(n, tmp_path):
    done = npg_ranks(n, "normed.py", tmp_path / "npg")
    assert done.returncode == 0, done.stderr
    assert written(tmp_path / "npg", n) == [["True"]] * n


@needs_mpi
def test_nothing_outlives_its_use_and_memory_does_not_grow(tmp_path):
    done = npg_ranks(2, "freed.py", tmp_path / "lines")
    assert done.returncode == 0, done.stderr
    expected = [*[str([True] * 5), "16.0"] * 4, str([True] * 2), "True"]
    assert written(tmp_path / "lines", 2) == [expected] * 2


@needs_mpi
def test_hook_that_gives_another_number_of_gradients_is_refused(tmp_path):
    done = npg_ranks(2, "hooked.py", tmp_path / "lines")
    assert done.returncode == 0, done.stderr
    expected = ["expected the communication hook to give 9 numbers, as its bucket has, got 1"]
    assert written(tmp_path / "lines", 2) == [expected] * 2
