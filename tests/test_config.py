"""npg.__config__ and the names of torch.random."""

import numpy as np
import torch

import npg
import npg.__config__
from tests.transcripts import public_names


def test_what_npg_is_built_on():
    text = npg.__config__.show()
    assert text.startswith(f"npg {npg.__version__}") and np.__version__ in text
    assert f"npg.get_num_threads() : {npg.get_num_threads()}" in npg.__config__.parallel_info()
    assert public_names(torch.__config__) <= set(dir(npg.__config__))


def test_random_has_torchs_names():
    missing = [name for name in public_names(torch.random) if not hasattr(npg.random, name)]
    assert missing == []
    for library in (npg, torch):
        library.random.manual_seed(3)
        state = library.random.get_rng_state()
        first = library.rand(3)
        with library.random.fork_rng(devices=[], device_type="cpu"):
            library.rand(5)
        second = library.rand(3)
        library.random.set_rng_state(state)
        assert library.equal(library.rand(3), first) and library.equal(library.rand(3), second)
        assert library.random.initial_seed() == 3
        assert library.random.thread_safe_generator() is None
