"""Repeating, reversing, rolling, triangles, diagonals, grids and padding, against torch."""

import warnings

import numpy as np
import pytest
import torch

from npg import functional as F
from npg.engine import wrap
from npg.nn import functional as nn_functional
from npg.ops import rearrange as ops
from tests.helpers import assert_like, assert_same_error, check_like_torch, strided

rng = np.random.default_rng(5)
A = rng.standard_normal((3, 4, 5))

CALLS = [
    ("repeat", (2, 1, 3)), ("repeat", ((2, 1, 1, 2),)), ("repeat", (0, 1, 1)), ("tile", (2,)),
    ("tile", ((2, 1, 1, 2),)), ("flip", (0,)), ("flip", (0, -1)), ("flip", ((1,),)), ("flip", ((),)), ("fliplr", ()),
    ("flipud", ()), ("roll", (1,)),
    ("roll", (-2, 1)), ("roll", ((1, 2), (0, -1))), ("roll", ((1, 2), (1, 1))), ("roll", (7, 2)), ("rot90", ()),
    ("rot90", (2,)), ("rot90", (-1, (2, 0))), ("rot90", (4, (1, 2))), ("tril", ()), ("tril", (1,)), ("triu", (-1,)),
    ("triu", (9,)), ("diag_embed", ()), ("diag_embed", (1,)), ("diag_embed", (-2, 0, 2)), ("diag_embed", (0, 3, 1)),
    ("diagflat", ()), ("diagflat", (-1,)), ("repeat_interleave", (2,)), ("repeat_interleave", (3, 1)),
    ("repeat_interleave", (0, -1)),
]  # fmt: skip


def both(name, *args):
    torch_fn = getattr(torch.Tensor, name)
    return (lambda x: getattr(F, name)(x, *args)), (lambda t: torch_fn(t, *args))


@pytest.mark.parametrize(("name", "args"), CALLS, ids=[f"{n}{a}" for n, a in CALLS])
def test_rearranging_is_like_torch(name, args):
    for a in (A, A.astype(np.float32), strided(A), rng.integers(0, 9, A.shape), A[:, :, :1]):
        check_like_torch(*both(name, *args), a)


@pytest.mark.parametrize(("name", "args"), CALLS, ids=[f"{n}{a}" for n, a in CALLS])
def test_result_is_a_contiguous_copy_with_pytorchs_node(name, args):
    x, t = wrap(A.copy()), torch.tensor(A, requires_grad=True)
    y = getattr(F, name)(x, *args)
    assert not np.shares_memory(y._array, x._array)
    x._set_requires_grad(True)
    if name != "repeat_interleave":  # torch builds it from other ops
        assert getattr(F, name)(x, *args).grad_fn.name() == getattr(t, name)(*args).grad_fn.name()


def test_rearranging_of_nothing_and_of_0d_is_like_torch():
    for name, args in [
        ("flip", (0,)),
        ("roll", (1,)),
        ("roll", (1, 0)),
        ("repeat", (2, 3)),
        ("tril", ()),
        ("diag_embed", ()),
    ]:
        check_like_torch(*both(name, *args), np.empty((0, 3)))
    for name, args in [
        ("roll", (1,)),
        ("repeat", (2,)),
        ("repeat", ((),)),
        ("tile", (2, 2)),
        ("flip", (0,)),
        ("diagflat", ()),
    ]:
        check_like_torch(*both(name, *args), np.array(2.0))
    check_like_torch(F.repeat_interleave, torch.repeat_interleave, np.array(2.0), 3)


def test_keywords_are_like_torch():
    for name, kwargs in [
        ("repeat", {"repeats": (2, 1, 1)}), ("tile", {"dims": (2,)}), ("flip", {"dims": (0,)}),
        ("roll", {"shifts": 1, "dims": 0}), ("rot90", {"k": 1, "dims": (0, 1)}), ("tril", {"diagonal": 1}),
        ("diag_embed", {"offset": 1, "dim1": 0, "dim2": 1}), ("repeat_interleave", {"repeats": 2, "dim": 1}),
    ]:  # fmt: skip
        torch_fn = getattr(torch.Tensor, name)
        check_like_torch(lambda x: getattr(F, name)(x, **kwargs), lambda t: torch_fn(t, **kwargs), A)  # noqa: B023


# ----- repeat_interleave by a tensor -----


@pytest.mark.parametrize("counts", [[1, 2, 0, 3], [0, 0, 0, 0], [2]])
def test_repeat_interleave_by_a_tensor_is_like_torch(counts):
    check_like_torch(F.repeat_interleave, torch.repeat_interleave, A, torch.tensor(counts), 1)
    check_like_torch(F.repeat_interleave, torch.repeat_interleave, A[0, :, 0], torch.tensor(counts))
    check_like_torch(F.repeat_interleave, torch.repeat_interleave, torch.tensor(counts), grad=False)
    total = sum(counts) * (4 if len(counts) == 1 else 1)
    check_like_torch(F.repeat_interleave, torch.repeat_interleave, A, torch.tensor(counts), 1, output_size=total)


# ----- Triangles and diagonals -----


@pytest.mark.parametrize("name", ["tril", "triu"])
def test_triangles_of_any_dtype_are_like_torch(name):
    for dtype in ("bool", "uint8", "int32", "float16"):
        check_like_torch(getattr(F, name), getattr(torch, name), np.ones((4, 4)).astype(dtype), 1, grad=False)
    check_like_torch(getattr(F, name + "_"), getattr(torch.Tensor, name + "_"), A, -1)


@pytest.mark.parametrize("diagonal", [0, 1, -2, 7])
def test_diag_is_like_torch(diagonal):
    for a in (A[0], A[0, 0], A[0, :0], A[0, 0, :0]):
        check_like_torch(F.diag, torch.diag, a, diagonal)


def test_trace_is_like_torch():
    for a in (A[0], A[0].T, A[0, :0], rng.integers(0, 9, (3, 3)), np.ones((3, 3), np.uint8)):
        check_like_torch(F.trace, torch.trace, a)


# ----- Grids -----


@pytest.mark.parametrize("indexing", ["ij", "xy"])
def test_meshgrid_is_like_torch(indexing):
    x, y, z = np.arange(2.0), np.arange(3.0), np.array(5.0)
    for vectors in ([x], [x, y], [x, y, z]):
        check_like_torch(
            lambda *v: F.meshgrid(*v, indexing=indexing), lambda *v: torch.meshgrid(*v, indexing=indexing), *vectors
        )
    check_like_torch(lambda v: F.meshgrid(v, indexing=indexing), lambda v: torch.meshgrid(v, indexing=indexing), [x, y])


def test_meshgrid_without_indexing_warns():
    with pytest.warns(UserWarning, match="it will be required to pass the indexing argument"):
        actual = F.meshgrid(wrap(np.arange(2.0)), wrap(np.arange(3.0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_like(actual, torch.meshgrid(torch.arange(2.0).double(), torch.arange(3.0).double()))


# ----- Padding -----


@pytest.mark.parametrize(
    ("shape", "pad"),
    [
        ((3, 4), (1, 2)), ((3, 4), (1, 2, 0, 3)), ((3, 4), (-1, 2)), ((3, 4), (-1, -2, 1, 0)), ((3, 4), ()),
        ((3, 4), (0, 0)), ((2, 3, 4), (1, 1, 2, 0, 0, 1)), ((4,), (2, 1)), ((0, 3), (1, 1, 1, 1)), ((3, 4), (-4, 1)),
    ],
)  # fmt: skip
def test_constant_padding_is_like_torch(shape, pad):
    a = rng.standard_normal(shape)
    for array in (a, strided(a), a.astype(np.float32), (a * 9).astype(np.int32)):
        check_like_torch(nn_functional.pad, torch.nn.functional.pad, array, pad)
        check_like_torch(nn_functional.pad, torch.nn.functional.pad, array, pad, value=3)
        check_like_torch(nn_functional.pad, torch.nn.functional.pad, array, pad, "constant", 0.0)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    ("shape", "pad"),
    [
        ((2, 5), (1, 2)), ((2, 3, 5), (3, 1)), ((1, 2, 4, 5), (2, 1, 0, 3)), ((2, 4, 5), (1, 1, 2, 2)),
        ((1, 1, 3, 4, 5), (1, 2, 2, 1, 0, 2)), ((2, 3, 5), (4, 4)), ((2, 5), (0, 0)),
    ],
)  # fmt: skip
def test_padding_by_own_elements_is_like_torch(mode, shape, pad):
    a = rng.standard_normal(shape)
    for array in (a, strided(a), a.astype(np.float32)):
        check_like_torch(nn_functional.pad, torch.nn.functional.pad, array, pad, mode)


@pytest.mark.parametrize("pad", [(-1, 1), (2, -1), (-1, -1), (-2, 3)])
@pytest.mark.parametrize("mode", ["replicate", "circular"])
def test_negative_padding_by_own_elements_is_like_torch(mode, pad):
    check_like_torch(nn_functional.pad, torch.nn.functional.pad, rng.standard_normal((2, 3, 5)), pad, mode)


def test_replicate_may_pad_by_more_than_there_is():
    check_like_torch(nn_functional.pad, torch.nn.functional.pad, rng.standard_normal((2, 3)), (7, 5), "replicate")


def test_gradient_of_padding_is_a_view():
    g = np.ones((5, 6))
    part = ops.constant_pad.vjps[0](g, None, None, pad=((1, 1), (0, 2)), value=0)
    assert part.shape == (3, 4) and np.shares_memory(part, g)


# ----- Errors -----


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("repeat", (2, 2)), ("repeat", (-1, 2, 1)), ("flip", (0, 0)), ("flip", (3,)), ("flip", ()),
        ("roll", ((1, 2), 0)),
        ("roll", (1, 3)), ("roll", ((1, 2),)), ("roll", ((),)), ("rot90", (1, (0,))), ("rot90", (1, (0, 0))),
        ("rot90", (1, (0, 5))), ("diag", ()), ("diag_embed", (0, 0, 0)), ("trace", ()), ("repeat_interleave", (-1,)),
        ("repeat_interleave", (2, 5)),
    ],
)  # fmt: skip
def test_refused_call_raises_pytorchs_error(name, args):
    npg_fn, torch_fn = both(name, *args)
    assert_same_error(lambda: npg_fn(wrap(A)), lambda: torch_fn(torch.tensor(A)))


@pytest.mark.parametrize("name", ["fliplr", "flipud", "rot90", "tril", "triu", "diag", "trace"])
def test_refused_call_on_few_dimensions_raises_pytorchs_error(name):
    a = np.array(1.0) if name in ("flipud", "diag") else np.arange(3.0)
    assert_same_error(lambda: getattr(F, name)(wrap(a)), lambda: getattr(torch, name)(torch.tensor(a)))


@pytest.mark.parametrize(
    ("counts", "kwargs"),
    [([1, 2, 3], {}), ([1, 2, -1, 0], {}), ([1.0, 2.0, 3.0, 4.0], {}), ([1, 1, 1, 1], {"output_size": 5})],
)
def test_refused_repeats_raise_pytorchs_error(counts, kwargs):
    t = torch.tensor(counts)
    assert_same_error(
        lambda: F.repeat_interleave(wrap(A), wrap(np.array(counts, t.numpy().dtype)), 1, **kwargs),
        lambda: torch.repeat_interleave(torch.tensor(A), t, 1, **kwargs),
    )


@pytest.mark.parametrize(
    ("pad", "mode", "value"),
    [
        ((1,), "constant", None), ((1,) * 8, "constant", None), ((-4, -4), "constant", None), ((1, 1), "foo", None),
        ((1, 1), "replicate", 1), ((5, 1), "reflect", None), ((6, 1), "circular", None), ((1,) * 6, "reflect", None),
        ((), "reflect", None),
    ],
)  # fmt: skip
def test_refused_padding_raises_pytorchs_error(pad, mode, value):
    assert_same_error(
        lambda: nn_functional.pad(wrap(A), pad, mode, value),
        lambda: torch.nn.functional.pad(torch.tensor(A), pad, mode, value),
    )


def test_refused_grids_raise_pytorchs_error():
    v, w = np.arange(3.0), np.arange(3)
    assert_same_error(
        lambda: F.meshgrid(wrap(v), wrap(w), indexing="ij"),
        lambda: torch.meshgrid(torch.tensor(v), torch.tensor(w), indexing="ij"),
    )
    assert_same_error(
        lambda: F.meshgrid(wrap(v), indexing="zz"), lambda: torch.meshgrid(torch.tensor(v), indexing="zz")
    )
