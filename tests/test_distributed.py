"""npg.distributed: there is one process."""

import pytest
import torch

import npg


def test_there_are_no_process_groups():
    assert not npg.distributed.is_available() and not npg.distributed.is_initialized()
    assert npg.distributed.is_initialized() == torch.distributed.is_initialized()
    with pytest.raises(RuntimeError, match="npg has no process groups yet; run one process"):
        npg.distributed.init_process_group("gloo")


@pytest.mark.parametrize("name", ["get_rank", "get_world_size", "barrier", "get_backend"])
def test_what_asks_for_the_group_fails_as_in_pytorch(name):
    for library in (npg, torch):
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            getattr(library.distributed, name)()
