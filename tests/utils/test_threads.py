"""The number of threads of matrix products."""

import numpy as np
import pytest

import npg


def test_threads_set_are_threads_got():
    before = npg.get_num_threads()
    try:
        for count in (1, 2):
            npg.set_num_threads(count)
            assert npg.get_num_threads() == count
            x = npg.ones(300, 300)
            np.testing.assert_array_equal((x @ x).numpy(), np.full((300, 300), 300.0, np.float32))
    finally:
        npg.set_num_threads(before)


def test_threads_of_bad_number_are_refused():
    before = npg.get_num_threads()
    with pytest.raises(TypeError, match="set_num_threads expects an int, but got float"):
        npg.set_num_threads(1.0)
    with pytest.raises(RuntimeError, match="set_num_threads expects a positive integer"):
        npg.set_num_threads(0)
    assert npg.get_num_threads() == before
