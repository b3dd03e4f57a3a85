"""Several tensors as one."""

import pytest
import torch
from torch import _utils as theirs

import npg
from npg import _utils as ours

SHAPES = [(2, 3), (), (0, 4), (5,), (1, 1, 2)]


def _tensors(library):
    return [library.arange(24.0).reshape(4, 6).t()[:2, :3], *(library.ones(shape) * 3 for shape in SHAPES)]


def test_tensors_are_flattened_and_are_views_again():
    flats = [m._flatten_dense_tensors(_tensors(library)) for m, library in ((ours, npg), (theirs, torch))]
    assert flats[0].tolist() == flats[1].tolist()
    found, expected = (m._unflatten_dense_tensors(flat, _tensors(library))
                       for m, library, flat in ((ours, npg, flats[0]), (theirs, torch, flats[1])))  # fmt: skip
    assert type(found) is type(expected) is tuple
    assert [(list(x.shape), x.tolist()) for x in found] == [(list(x.shape), x.tolist()) for x in expected]
    flats[0].zero_()
    assert all((x == 0).all() for x in found)


def test_flattening_is_differentiated():
    a, b = npg.ones(2, 2, requires_grad=True), npg.ones(3, requires_grad=True)
    (ours._flatten_dense_tensors([a, b]) * npg.arange(7.0)).sum().backward()
    assert a.grad.tolist() == [[0, 1], [2, 3]] and b.grad.tolist() == [4, 5, 6]


def test_no_tensors_are_refused_as_torchs():
    for m in (ours, theirs):
        with pytest.raises((RuntimeError, ValueError)):
            m._flatten_dense_tensors([])
    assert ours._unflatten_dense_tensors(npg.ones(3), []) == ()


@pytest.mark.parametrize("limit", [1, 16, 40, 10**6])
def test_tensors_are_taken_by_dtype_and_size(limit):
    def taken(m, library):
        tensors = [library.ones(2), library.ones(3, dtype=library.int64), library.ones(4), library.ones(1)]
        return [[(list(x.shape), str(x.dtype).partition(".")[2]) for x in some]
                for some in m._take_tensors(tensors, limit)]  # fmt: skip

    assert taken(ours, npg) == taken(theirs, torch)
