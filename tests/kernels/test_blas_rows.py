"""Rows for BLAS and scratch arrays, which the fused kernels share."""

import threading

import numpy as np
import pytest

from npg.kernels import blas_rows, buffers

rng = np.random.default_rng(0)


# ----- Rows -----


@pytest.mark.parametrize(
    ("array", "copied"),
    [
        (np.ones((4, 6)), False),
        (np.ones((6, 4)).T, False),
        (np.ones((4, 12))[:, 3:9], False),
        (np.ones((8, 6))[::2], False),
        (np.ones((4, 12))[:, ::2], True),
        (np.ones((4, 6))[::-1], True),
        (np.broadcast_to(np.ones(6), (4, 6)), True),
        (np.broadcast_to(1.0, (4, 6)), True),
        (np.ones((2, 3, 4, 6)).transpose(1, 0, 2, 3), False),
    ],
)
def test_for_blas_copies_only_what_blas_cannot_walk(array, copied):
    rows = blas_rows.for_blas(array)
    assert (rows is not array) == copied
    np.testing.assert_array_equal(rows, array)


@pytest.mark.parametrize(
    ("shape", "n", "rows"), [((6,), 6, 1), ((2, 3, 6), 6, 6), ((2, 3, 6), 18, 2), ((3, 0), 0, 3), ((0, 6), 6, 0)]
)
def test_as_rows_takes_trailing_dimensions_as_one(shape, n, rows):
    x = rng.standard_normal(shape)
    actual = blas_rows.as_rows(x, n)
    assert actual.shape == (rows, n)
    np.testing.assert_array_equal(actual.reshape(-1), x.reshape(-1))


# ----- Scratch -----


def test_scratch_returns_the_same_memory_to_the_same_slot():
    shape, dtype = (100, 100), np.dtype(np.float32)
    a, b = buffers.scratch(0, shape, dtype), buffers.scratch(1, shape, dtype)
    assert a.shape == shape and a.dtype == dtype and a.flags.c_contiguous and a.flags.aligned
    assert not np.shares_memory(a, b)
    assert np.shares_memory(a, buffers.scratch(0, (50, 50), np.dtype(np.float64)))


def test_scratch_grows_and_stays_bounded():
    sizes = (5_000, 20_000, 100_000, buffers.LIMIT)
    for n in sizes:
        a = buffers.scratch(2, (n,), np.dtype(np.uint8))
        a[...] = 1
        assert a.shape == (n,)
    assert len(buffers._this_thread.buffers[2]) <= buffers.LIMIT
    large = [buffers.scratch(2, (buffers.LIMIT + 1,), np.dtype(np.uint8)) for _ in range(2)]
    assert not np.shares_memory(*large)


def test_scratch_belongs_to_its_thread():
    arrays = {}

    def take(name):
        arrays[name] = buffers.scratch(0, (10_000,), np.dtype(np.float64))

    for name in "ab":
        thread = threading.Thread(target=take, args=(name,))
        thread.start()
        thread.join()
    take("here")
    assert not any(np.shares_memory(arrays["here"], arrays[name]) for name in "ab")


def test_scratch_starts_off_the_page_start():
    for slot in range(3):
        a = buffers.scratch(slot, (50_000,), np.dtype(np.float32))
        assert a.__array_interface__["data"][0] % 4096 == 1024 + 512 * slot
