"""Views: shapes, orders of dimensions, expansion, parts, diagonals and windows, against torch."""

import warnings

import numpy as np
import pytest
import torch

import npg
from npg import functional as F
from npg.engine import apply_in_place, no_grad, run_backward, wrap
from npg.functional.transpose import (
    conjugate_transpose,
    matrix_conjugate_transpose,
    matrix_transpose,
    reversed_dims,
)
from npg.ops import shape as ops
from npg.ops.elementwise import clone, mul
from tests.expressions import check, evaluate
from tests.helpers import assert_like, assert_same_error, check_like_torch, strided
from tests.ops.fused import leaf

rng = np.random.default_rng(3)
A = rng.standard_normal((2, 3, 4))
M = rng.standard_normal((3, 4))


def call(name, *args, **kwargs):
    """Return the call of a function or method of that name, for npg and for torch."""
    torch_fn = getattr(torch.Tensor, name)
    return (lambda x: getattr(F, name)(x, *args, **kwargs)), (lambda t: torch_fn(t, *args, **kwargs))


VIEWS = [
    ("view", (4, 6)), ("view", ((6, -1),)), ("view", ([2, 12],)), ("view", (-1,)), ("view", (2, 1, 3, 1, 4)),
    ("reshape", (4, 6)), ("reshape", ((-1, 2),)), ("flatten", ()), ("flatten", (1,)), ("flatten", (0, 1)),
    ("flatten", (-2, -2)), ("unflatten", (2, (2, 2))), ("unflatten", (-1, (-1, 1, 2))), ("ravel", ()),
    ("squeeze", ()), ("squeeze", (0,)), ("unsqueeze", (0,)), ("unsqueeze", (-1,)), ("unsqueeze", (1,)),
    ("transpose", (0, 2)), ("transpose", (-1, 1)), ("transpose", (1, 1)), ("swapaxes", (0, 1)), ("swapdims", (0, -1)),
    ("permute", (2, 0, 1)), ("permute", ((1, -1, 0),)), ("movedim", (0, -1)), ("movedim", ((0, 1), (2, 0))),
    ("moveaxis", (-1, 0)), ("adjoint", ()), ("expand", (5, 2, 3, 4)), ("expand", (-1, 3, 4)), ("narrow", (1, 1, 2)),
    ("narrow", (2, -3, 2)), ("narrow", (0, 1, 0)), ("select", (1, -1)), ("select", (0, 1)), ("diagonal", ()),
    ("diagonal", (1, 0, 2)), ("diagonal", (-1, 2, 1)), ("diagonal", (9,)), ("unfold", (2, 2, 1)), ("unfold", (2, 3, 2)),
    ("unfold", (1, 1, 1)), ("unfold", (0, 0, 1)), ("contiguous", ()),
]  # fmt: skip


# ----- Every view -----


@pytest.mark.parametrize(("name", "args"), VIEWS, ids=[f"{n}{a}" for n, a in VIEWS])
def test_view_is_like_torch(name, args):
    actual, expected = call(name, *args)
    arrays = [A, A.astype(np.float32), rng.integers(0, 9, (2, 3, 4))]
    if name not in ("view", "unflatten"):
        arrays += [strided(A), A.transpose(1, 2, 0).copy().transpose(2, 0, 1), A[:, ::-1].copy()[:, ::-1]]
    for a in arrays:
        check_like_torch(actual, expected, a)


@pytest.mark.parametrize(("name", "args"), VIEWS, ids=[f"{n}{a}" for n, a in VIEWS])
def test_view_shares_memory_with_its_base(name, args):
    for a in (A.copy(), np.asfortranarray(A), np.zeros((2, 4, 3)).transpose(0, 2, 1)):
        if name in ("view", "unflatten", "reshape", "flatten", "ravel") and not a.flags.c_contiguous:
            continue
        x = wrap(a)
        y = getattr(F, name)(x, *args)
        if y is x or (name == "contiguous" and not a.flags.c_contiguous) or not y._array.size:
            continue
        assert np.shares_memory(y._array, x._array)
        assert y._base is x
        assert y._counter is x._counter


@pytest.mark.parametrize(("name", "args"), VIEWS, ids=[f"{n}{a}" for n, a in VIEWS])
def test_node_name_is_pytorchs(name, args):
    actual, expected = call(name, *args)
    x, t = leaf(np.array(A)), torch.tensor(A, requires_grad=True)
    assert getattr(actual(x).grad_fn, "name", lambda: None)() == getattr(expected(t).grad_fn, "name", lambda: None)()


@pytest.mark.parametrize("name", ["t", "squeeze", "ravel", "flatten", "contiguous", "adjoint"])
def test_view_of_few_dimensions_is_like_torch(name):
    for a in (np.array(1.5), np.arange(3.0), M, np.empty((0, 3))):
        if name == "t" or a.ndim != 1:
            if name == "adjoint" and a.ndim == 0:
                continue
            check_like_torch(*call(name), a)


def test_squeeze_takes_only_dimensions_of_size_one():
    a = rng.standard_normal((1, 3, 1, 2, 1))
    for args in ((), (0,), (1,), (-1,), ((0, 2),), ((0, 1, 4),), ((),)):
        check_like_torch(*call("squeeze", *args), a)
    for dim in (0, -1):
        check_like_torch(*call("squeeze", dim), np.array(2.0))


# ----- Keywords -----


def test_sizes_by_keyword():
    for name, kwargs in [
        ("view", {"size": (6, 4)}), ("reshape", {"shape": (6, 4)}), ("permute", {"dims": (1, 0, 2)}),
        ("expand", {"size": (2, 2, 3, 4)}), ("flatten", {"start_dim": 1, "end_dim": -1}), ("squeeze", {"dim": 0}),
        ("transpose", {"dim0": 0, "dim1": 1}), ("unflatten", {"dim": 2, "sizes": (2, 2)}),
        ("narrow", {"dim": 0, "start": 0, "length": 1}), ("select", {"dim": 0, "index": 1}),
        ("diagonal", {"offset": 1, "dim1": 1, "dim2": 2}), ("unfold", {"dimension": 2, "size": 2, "step": 2}),
    ]:  # fmt: skip
        check_like_torch(*call(name, **kwargs), A)


# ----- view -----


def test_view_that_needs_a_copy_is_refused():
    for a, shape in [(M.T, (12,)), (A.transpose(1, 0, 2), (3, 8)), (A[:, ::2], (2, 8))]:
        x, t = wrap(a), torch.tensor(A)
        t = {12: torch.tensor(M).T, 3: t.transpose(0, 1), 2: t[:, ::2]}[shape[0]]
        assert_same_error(lambda x=x, s=shape: F.view(x, s), lambda t=t, s=shape: t.view(s))


def test_view_of_strided_memory_works_where_torchs_does():
    base = rng.standard_normal((4, 6, 8))
    layouts = [
        lambda b: b[:, :, ::2], lambda b: b[::2], lambda b: b[:, :3], lambda b: b.swapaxes(0, 1),
        lambda b: b[:1].swapaxes(0, 1), lambda b: b[1], lambda b: b[:, 1], lambda b: b[..., 1],
    ]  # fmt: skip
    shapes = [(-1,), (2, -1), (-1, 2), (4, -1), (3, -1), (-1, 4), (1, -1), (2, 2, -1), (-1, 1, 2), (4, 6, -1)]
    agreed = 0
    for layout in layouts:
        for shape in shapes:
            t, x = layout(torch.tensor(base)), wrap(layout(base))
            try:
                expected = t.view(shape)
            except RuntimeError:
                with pytest.raises(RuntimeError):
                    F.view(x, shape)
                continue
            actual = F.view(x, shape)
            assert_like(actual, expected)
            assert np.shares_memory(actual._array, base)
            assert actual.stride() == expected.stride()
            agreed += 1
    assert agreed > 30


def test_reshape_copies_only_where_it_must():
    x = wrap(M.T)
    assert not np.shares_memory(F.reshape(x, 12)._array, M)
    assert np.shares_memory(F.reshape(x, 4, 3, 1)._array, M)
    y = F.reshape(leaf(np.array(M.T)), 12)
    assert y._base is None
    assert y.grad_fn.name() == "UnsafeViewBackward0"


def test_view_as_another_dtype_is_like_torch():
    for dtype in (torch.int32, torch.float64, torch.int16, torch.uint8, torch.float32):
        check_like_torch(F.view, torch.Tensor.view, A.astype(np.float32), dtype, grad=False)
    x = wrap(A.astype(np.float32))
    assert np.shares_memory(F.view(x, np.dtype(np.int32))._array, x._array)
    odd = np.zeros((2, 3), np.float32)
    t = torch.tensor(odd)
    assert_same_error(lambda: F.view(wrap(odd), np.dtype(np.float64)), lambda: t.view(torch.float64))
    assert_same_error(lambda: F.view(wrap(odd[0, 0]), np.dtype(np.float64)), lambda: t[0, 0].view(torch.float64))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_empty_tensors_change_shape(shape):
    for new in ((0,), (0, 5), (-1,), (5, -1, 0) if 0 else (7, 0, 2)):
        check_like_torch(lambda x, s=new: F.reshape(x, s), lambda t, s=new: t.reshape(s), np.empty(shape))


# ----- expand -----


def test_expand_makes_no_copy_and_can_be_written():
    x = wrap(np.arange(3.0))
    y = F.expand(x, 1000, 3)
    assert y._array.strides == (0, 8) and y._array.flags.writeable
    assert np.shares_memory(y._array, x._array)


def test_expand_of_any_layout_is_like_torch():
    for a, size in [
        (np.array(2.0), (3, 2)), (np.array(2.0), ()), (M[:, :1], (3, 5)), (M[:1], (2, 3, 4)), (M[::2, 1:2], (2, 6)),
        (np.asfortranarray(M)[:, :1], (3, 5)), (np.empty((1, 0)), (5, 0)), (np.ones((1, 3)), (0, 3)),
        (M.T[:1], (-1, 3)),
    ]:  # fmt: skip
        check_like_torch(*call("expand", size), a)
        if -1 not in size:
            check_like_torch(lambda x, s=size: F.broadcast_to(x, s), lambda t, s=size: t.broadcast_to(s), a)


def test_broadcast_tensors_is_like_torch():
    check_like_torch(F.broadcast_tensors, torch.broadcast_tensors, M, A, np.array(1.0))
    assert F.broadcast_shapes((2, 1), (3,), 1) == tuple(torch.broadcast_shapes((2, 1), (3,), 1)) == (2, 3)
    assert F.broadcast_shapes() == ()
    check_like_torch(F.expand_as, torch.Tensor.expand_as, M[0], torch.tensor(M))
    check_like_torch(F.view_as, torch.Tensor.view_as, M, torch.zeros(6, 2))
    check_like_torch(F.reshape_as, torch.Tensor.reshape_as, M.T, torch.zeros(6, 2))


# ----- T, mT, H -----


@pytest.mark.parametrize("name", ["T", "mT", "H", "mH"])
def test_transposing_attributes_are_like_torch(name):
    messages = {
        "T": reversed_dims,
        "mT": matrix_transpose,
        "H": conjugate_transpose,
        "mH": matrix_conjugate_transpose,
    }[name]
    check_like_torch(messages, lambda t: getattr(t, name), M)
    for a in (np.array(1.0), np.arange(3.0), A):
        t = torch.tensor(a)
        with warnings.catch_warnings(record=True) as torch_warnings:
            warnings.simplefilter("always")
            try:
                expected = getattr(t, name)
            except RuntimeError:
                assert_same_error(lambda a=a: messages(wrap(a)), lambda t=t: getattr(t, name))
                continue
        with warnings.catch_warnings(record=True) as own:
            warnings.simplefilter("always")
            assert_like(messages(wrap(a)), expected)
        if torch_warnings:  # torch warns once in a process
            text = str(torch_warnings[0].message).split(" (Triggered")[0]
            assert str(own[0].message) == text.replace("torch.arange", "npg.arange")


# ----- The layout -----


def test_layout_is_like_torch():
    for a in (A, A.transpose(2, 0, 1), A[:, ::2], np.array(1.0), np.empty((2, 0, 3)), np.zeros((1, 3, 1))):
        # NumPy has steps of 0 for no elements, and from_numpy keeps them; a tensor made by torch has others.
        x, t = wrap(a), torch.from_numpy(a) if a.size else torch.empty(a.shape)
        assert x.stride() == t.stride()
        assert x.is_contiguous() == t.is_contiguous()
        assert F.numel(x) == t.numel()
        if a.ndim:
            assert x.stride(-1) == t.stride(-1)
        assert (F.contiguous(x) is x) == t.is_contiguous()
    assert F.unsqueeze(wrap(A), 1).stride() == torch.tensor(A).unsqueeze(1).stride()


# ----- Writing through views -----


@pytest.mark.parametrize(("name", "args"), [v for v in VIEWS if v[0] not in ("expand", "contiguous", "unfold")])
def test_change_in_place_of_a_view_reaches_the_base_and_its_gradient(name, args):
    def program(x, view, double):
        base = x * 1.0
        part = view(base)
        double(part)
        return base * base

    actual, expected = call(name, *args)
    check_like_torch(
        lambda x: program(x, actual, lambda v: apply_in_place(mul, (v, 2.0), {})),
        lambda t: program(t, expected, lambda v: v.mul_(2.0)),
        A,
    )


def test_change_of_the_base_reaches_a_window_of_any_layout():
    for a in (A.copy(), np.asfortranarray(A), np.zeros((2, 4, 3)).transpose(0, 2, 1)):
        x = wrap(a)
        windows = F.unfold(x, 1, 2, 1)
        a += 1.0
        assert windows._base is x
        np.testing.assert_array_equal(windows._array[:, 0, :, 1], a[:, 1])


# ----- In place -----


@pytest.mark.parametrize(
    ("name", "args"),
    [("unsqueeze_", (1,)), ("transpose_", (0, 2)), ("swapaxes_", (0, 1)), ("swapdims_", (1, 2)), ("squeeze_", ()),
     ("squeeze_", (0,))],
)  # fmt: skip
def test_shape_in_place_is_recorded_like_torch(name, args):
    check_like_torch(getattr(F, name), getattr(torch.Tensor, name), A[:1] if name == "squeeze_" else A, *args)
    check_like_torch(lambda x: getattr(F, name)(x * 2.0, *args) * 3.0, lambda t: getattr(t * 2.0, name)(*args) * 3.0, A)


def test_transpose_in_place_keeps_identity_memory_and_views():
    x = wrap(M.copy())
    memory, row = x._array, F.select(x, 0, 1)
    version = x._counter.value
    assert F.t_(x) is x
    assert x._array.shape == (4, 3) and np.shares_memory(x._array, memory)
    assert x._counter.value == version + 1
    np.testing.assert_array_equal(row._array, M[1])


def test_transpose_in_place_of_a_view_and_its_base_are_recorded():
    def ours(x):
        base = x * 1.0
        row = F.select(base, 0, 1)
        F.unsqueeze_(row, 0)
        apply_in_place(mul, (base, 3.0), {})
        return F.cat([base, row], 0)

    def theirs(t):
        base = t * 1.0
        row = base.select(0, 1)
        row.unsqueeze_(0)
        base.mul_(3.0)
        return torch.cat([base, row], 0)

    check_like_torch(ours, theirs, M)


def test_shape_in_place_of_a_leaf_is_refused():
    x, t = leaf(np.array(M)), torch.tensor(M, requires_grad=True)
    assert_same_error(lambda: F.t_(x), lambda: t.t_())
    with no_grad():
        F.t_(x)
    assert x._array.shape == (4, 3)


# ----- Gradients -----


def test_gradients_of_views_are_views():
    g = np.ones((4, 6))
    for op, like, params in [
        (ops.view, np.empty((24,)), {"shape": (4, 6)}), (ops.transpose, np.empty((6, 4)), {"dim0": 0, "dim1": 1}),
        (ops.permute, np.empty((6, 4)), {"dims": (1, 0)}), (ops.unsqueeze, np.empty((24,)), {"dim": 0}),
        (ops.squeeze, np.empty((4, 1, 6)), {"dim": None}),
        (ops.diagonal_backward, np.empty(4), {"shape": (4, 6), "offset": 0, "dim1": 0, "dim2": 1}),
    ]:  # fmt: skip
        assert np.shares_memory(op.vjps[0](g, None, like, **params), g)


def test_expansion_is_undone_by_one_sum():
    x = leaf(np.ones((1, 3)))
    g = run_backward((F.expand(x, 4, 5, 3),), (None,), False, False, (x,), False)[0]
    np.testing.assert_array_equal(g._array, np.full((1, 3), 20.0))


# ----- Errors -----


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("view", (5,)), ("view", (-1, -1)), ("view", (-2, 12)), ("view", (-1, 5)), ("view", (2, -3)),
        ("reshape", (5,)), ("reshape", (-1, 7)), ("flatten", (2, 1)), ("flatten", (5,)), ("unflatten", (1, (2, 2))),
        ("unflatten", (1, ())),
        ("unflatten", (7, (2, 2))), ("unflatten", (1, (-1, 2))), ("squeeze", (3,)), ("squeeze", ((0, 0),)),
        ("unsqueeze", (4,)), ("unsqueeze", (-5,)), ("transpose", (0, 3)), ("t", ()), ("permute", (0, 1)),
        ("permute", (0, 0, 1)), ("permute", (0, 1, 3)), ("movedim", ((0, 1), (1,))), ("movedim", ((0, 0), (1, 2))),
        ("movedim", (0, 5)), ("expand", (3,)), ("expand", (2, 3, 5)), ("expand", (-1, 2, 3, 4)),
        ("expand", (2, 3, -2)), ("expand", (0, 3, 4)), ("narrow", (1, 2, 2)), ("narrow", (1, 0, -1)),
        ("narrow", (1, 5, 1)), ("narrow", (3, 0, 1)),
        ("select", (0, 2)), ("select", (3, 0)), ("diagonal", (0, 1, 1)), ("diagonal", (0, 0, 3)), ("unfold", (2, 5, 1)),
        ("unfold", (2, 2, 0)), ("unfold", (2, -1, 1)),
    ],
)  # fmt: skip
def test_refused_call_raises_pytorchs_error(name, args):
    actual, expected = call(name, *args)
    assert_same_error(lambda: actual(wrap(A)), lambda: expected(torch.tensor(A)))


def test_stride_of_no_dimension_is_refused_as_in_torch():
    assert_same_error(lambda: wrap(A).stride(3), lambda: torch.tensor(A).stride(3))


@pytest.mark.parametrize(
    ("name", "args"), [("narrow", (0, 0, 1)), ("select", (0, 0)), ("diagonal", ()), ("unfold", (0, 2, 1))]
)
def test_refused_call_on_0d_raises_pytorchs_error(name, args):
    actual, expected = call(name, *args)
    assert_same_error(lambda: actual(wrap(np.array(1.0))), lambda: expected(torch.tensor(1.0)))


def test_broadcast_errors_are_pytorchs():
    a, b = np.ones(3), np.ones((2, 4))
    s, t = torch.tensor(a), torch.tensor(b)
    assert_same_error(lambda: F.broadcast_tensors(wrap(a), wrap(b)), lambda: torch.broadcast_tensors(s, t))
    assert_same_error(lambda: F.broadcast_shapes((2, 3), (4,)), lambda: torch.broadcast_shapes((2, 3), (4,)))
    assert_same_error(lambda: F.reshape("a", 2), lambda: torch.reshape("a", (2,)))


def test_wrong_kind_of_size_is_a_type_error():
    for wrong in ((2.0, 12), ("a",), ()):
        with pytest.raises(TypeError):
            F.view(wrap(A), *wrong)
    with pytest.raises(TypeError):
        F.transpose(wrap(A), 0.5, 1)


def test_sizes_may_be_numpy_integers():
    assert F.view(wrap(A), np.int64(6), 4)._array.shape == (6, 4)
    assert F.reshape(wrap(A), (np.int32(6), -1))._array.shape == (6, 4)
    assert F.select(wrap(A), np.int64(1), 0)._array.shape == (2, 4)
    assert clone.name == "clone"


# ----- Layout of results that are not views -----

X = "lib.arange(1.0, 25.0, dtype=lib.float64).view(2, 3, 4).permute(2, 0, 1)"


@pytest.mark.parametrize(
    "call",
    [
        "sum(1)", "mean(-1)", "nansum(0)", "nanmean(1)", "var(0)", "std(1)", "amax(1)", "amin(0)", "max(0)[0]",
        "max(1)[1]", "min(0)[0]", "argmax(0)", "argmin(1)", "all(1)", "any(0)", "logsumexp(1)", "norm(dim=1)",
        "norm(1, dim=0)", "prod(1)", "cumsum(0)", "cumprod(1)", "cummax(0)[0]", "cummin(1)[1]", "logcumsumexp(0)",
        "count_nonzero(1)", "median(0)[0]", "median(1)[1]", "kthvalue(1, 0)[0]", "softmax(0)", "softmax(-1)",
        "log_softmax(1)", "tril()", "triu()", "roll(1, 0)", "topk(2, -1)[1]", "topk(2, 0)[0]",
        "sum(0, keepdim=True)[0]",
        "index_select(1, lib.tensor([0, 1]))", "index_select(0, lib.tensor([1, 0]))",
        "masked_fill(lib.tensor([True]), 1.0)", "contiguous()[:, [0, 1]]", "contiguous()[..., [0, 1]].view(-1)",
        "contiguous()[:, lib.tensor([[0, 1], [1, 0]]), 0]", "contiguous()[[0, 1]]",
        "std(0).view(-1)", "topk(2, 1)[1].view(-1)",
    ],
)  # fmt: skip
def test_result_lies_in_memory_as_torchs(call):
    for x in (X, f"{X}.transpose(0, 1)", f"{X}[1:, :, ::2]"):
        expression = f"{x}.{call}.stride()"
        assert evaluate(expression, npg) == evaluate(expression, torch), expression


@pytest.mark.parametrize(
    "call",
    [
        "cat([x, x])", "cat([x, x], -1)", "stack([x, x])", "stack([x, x], -1)", "where(x > 0, x, x)",
        "nn.functional.layer_norm(x, x.shape[-1:])", "nn.functional.logsigmoid(x)", "cat([x.t(), x.t()]).view(-1)",
        "ones(3, dtype=lib.float64).masked_fill(x.t() > 0, 1.0)",
    ],
)  # fmt: skip
def test_result_of_several_tensors_lies_in_memory_as_torchs(call):
    expression = f"x = {X}[0].t(); r = lib.{call}.stride()"
    assert evaluate(expression, npg) == evaluate(expression, torch)


@pytest.mark.parametrize(
    "call",
    [
        "squeeze(x, axis=0)", "squeeze(x, axis=(0, 2))", "unsqueeze(x, axis=1)", "unbind(x, axis=1)",
        "chunk(x, 2, axis=-1)", "narrow(x, axis=1, start=1, length=2)", "select(x, axis=1, index=-1)",
    ],
)  # fmt: skip
def test_axis_stands_for_dim(call):
    check(f"x = lib.arange(12.0).view(1, 3, 4); r = lib.{call}")
