"""Splitting and joining: split, chunk, unbind, cat, stack and related functions, against torch."""

import itertools

import numpy as np
import pytest
import torch

import npg
from npg import functional as F
from npg.engine import apply_in_place, run_backward, wrap
from npg.ops import joining as ops
from npg.ops.elementwise import mul
from tests.helpers import assert_like, assert_same_error, check_like_torch, compare_calls, strided, to_npg
from tests.ops.fused import leaf
from tests.twins import agree, attempt

rng = np.random.default_rng(4)
A = rng.standard_normal((4, 6, 5))

SPLITS = [
    ("split", (2,)), ("split", (4, 1)), ("split", ([1, 2, 3], 1)), ("split", ((4,),)), ("split", (9, -1)),
    ("split_with_sizes", ([0, 5, 0], 2)), ("chunk", (2,)), ("chunk", (4, 1)), ("chunk", (5, 1)), ("chunk", (3, -1)),
    ("tensor_split", (3,)), ("tensor_split", (4, 1)), ("tensor_split", ((1, 3), 2)), ("tensor_split", ((0, 9, -1), 1)),
    ("unbind", ()), ("unbind", (1,)), ("unbind", (-1,)), ("hsplit", (3,)), ("hsplit", ((1, 2),)), ("vsplit", (2,)),
    ("dsplit", (5,)),
]  # fmt: skip


# ----- Splitting -----


@pytest.mark.parametrize(("name", "args"), SPLITS, ids=[f"{n}{a}" for n, a in SPLITS])
def test_parts_are_like_torch(name, args):
    npg_fn = lambda x: getattr(F, name)(x, *args)
    torch_fn = lambda t: getattr(torch, name)(t, *args)
    for a in (A, A.astype(np.float32), strided(A), A.transpose(1, 0, 2)[[0, 1, 2, 3]], rng.integers(0, 9, A.shape)):
        if a.shape == A.shape:
            check_like_torch(npg_fn, torch_fn, a)


@pytest.mark.parametrize(("name", "args"), SPLITS, ids=[f"{n}{a}" for n, a in SPLITS])
def test_parts_are_views_with_pytorchs_node(name, args):
    x, t = leaf(np.array(A)), torch.tensor(A, requires_grad=True)
    parts, expected = getattr(F, name)(x, *args), getattr(torch, name)(t, *args)
    assert isinstance(parts, tuple)
    for part, torch_part in zip(parts, expected, strict=True):
        assert part._base is x
        assert part.grad_fn.name() == torch_part.grad_fn.name()
        assert part._array.size == 0 or np.shares_memory(part._array, x._array)


@pytest.mark.parametrize(("name", "args"), [("split", (2,)), ("chunk", (2,)), ("unbind", ()), ("split", ([1, 3],))])
def test_all_parts_come_from_one_node(name, args):
    x = leaf(np.array(A))
    parts = getattr(F, name)(x, *args)
    assert len({id(p.grad_fn) for p in parts}) == 1
    assert [p.output_nr for p in parts] == list(range(len(parts)))


@pytest.mark.parametrize("used", [(0,), (2,), (0, 2), (0, 1, 2)])
def test_gradient_of_unused_parts_is_zero(used):
    def pick(parts):
        return tuple(parts[i] for i in used)

    check_like_torch(lambda x: pick(F.split(x, 2, 1)), lambda t: pick(torch.split(t, 2, 1)), A)
    check_like_torch(lambda x: pick(F.unbind(x, 0)), lambda t: pick(torch.unbind(t, 0)), A)
    check_like_torch(lambda x: pick(F.split(x, [1, 2, 3], 1)), lambda t: pick(torch.split(t, [1, 2, 3], 1)), A)


def test_split_backward_is_one_concatenation(monkeypatch):
    calls = []
    monkeypatch.setattr(ops, "cat", lambda *parts, dim: calls.append(len(parts)) or np.concatenate(parts, dim))
    x = leaf(np.array(A))
    q, k, v = F.split(x, 2, 1)
    g = run_backward((q, k, v), (None, None, None), False, False, (x,), False)[0]
    assert calls == [3]
    np.testing.assert_array_equal(g._array, np.ones(A.shape))


def test_split_takes_both_names_of_its_size():
    for kwargs in ({"split_size_or_sections": 2}, {"split_size": 2}, {"split_size": [1, 3]}):
        actual = F.split(wrap(A), **kwargs)
        assert_like(actual, torch.split(torch.tensor(A), next(iter(kwargs.values()))))
    assert_like(F.split(wrap(A), 3, dim=1), torch.split(torch.tensor(A), 3, dim=1))


def test_part_of_a_split_may_not_be_changed_in_place():
    base, other = leaf(np.array(A)), torch.tensor(A, requires_grad=True)
    part = F.split(base * 1.0, 2)[0]
    torch_part = (other * 1.0).split(2)[0]
    assert_same_error(lambda: apply_in_place(mul, (part, 2.0), {}), lambda: torch_part.mul_(2.0), text=False)


def test_part_of_a_tensor_split_may_be_changed_in_place():
    def ours(x):
        y = x * 1.0
        apply_in_place(mul, (F.tensor_split(y, 2)[0], 2.0), {})
        return y

    def theirs(t):
        y = t * 1.0
        y.tensor_split(2)[0].mul_(2.0)
        return y

    check_like_torch(ours, theirs, A)


def test_parts_of_nothing_are_like_torch():
    e = np.empty((0, 3))
    for name, args in [
        ("split", (2,)),
        ("split", (0,)),
        ("chunk", (3,)),
        ("tensor_split", (2,)),
        ("unbind", ()),
        ("unbind", (1,)),
    ]:
        check_like_torch(lambda x: getattr(F, name)(x, *args), lambda t: getattr(torch, name)(t, *args), e)  # noqa: B023


def test_tensor_split_takes_a_tensor():
    for sections in (torch.tensor([1, 3]), torch.tensor(3)):
        check_like_torch(F.tensor_split, torch.tensor_split, A, sections, 1)


def test_places_to_split_at_have_the_names_of_their_kinds():
    for name, where in [
        ("tensor_split", {"indices": (1, 3), "dim": 1}),
        ("tensor_split", {"sections": 2}),
        ("tensor_split", {"tensor_indices_or_sections": torch.tensor([1]), "dim": -1}),
        ("hsplit", {"sections": 3}),
        ("vsplit", {"indices": [1]}),
        ("dsplit", {"sections": 5}),
    ]:
        ours = {k: npg.from_dlpack(v) if isinstance(v, torch.Tensor) else v for k, v in where.items()}
        check_like_torch(lambda x: getattr(F, name)(x, **ours), lambda t: getattr(torch, name)(t, **where), A)  # noqa: B023


@pytest.mark.parametrize("where", [{"sections": [2]}, {"indices": 2}, {"indices": [1], "sections": 2}, {}])
def test_places_to_split_at_of_another_kind_are_refused(where):
    for lib in (npg, torch):
        with pytest.raises(TypeError):
            lib.tensor_split(lib.ones(4), **where)


# ----- Joining -----


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("name", ["cat", "concat", "concatenate", "stack"])
def test_joining_is_like_torch(name, dim):
    for arrays in ([A, A * 2], [A], [A, strided(A), A.astype(np.float32)], [A, rng.integers(0, 9, A.shape)]):
        check_like_torch(getattr(F, name), getattr(torch, name), arrays, dim)
    check_like_torch(getattr(F, name), getattr(torch, name), tuple(a[:0] for a in (A, A)), dim)


def test_cat_of_different_sizes_is_like_torch():
    check_like_torch(F.cat, torch.cat, [A, A[:, :2], A[:, :0]], 1)


@pytest.mark.parametrize("call", ["split(2.0)", "split(True)", "chunk(2.5)", "chunk('a')", "split(None)"])
@pytest.mark.parametrize("shape", [(4,), (2, 6), (2, 3, 4)])
def test_sizes_of_parts_are_integers_whatever_the_shape(call, shape):
    for lib in (npg, torch):
        with pytest.raises(TypeError, match="split|chunk"):
            eval(f"lib.ones(shape).{call}", {"lib": lib, "shape": shape})


def test_sizes_of_parts_may_be_tensors():
    x = npg.arange(24).view(4, 6).T
    assert [p.shape for p in x.split(npg.tensor(4))] == [(4, 4), (2, 4)]
    assert [p.shape for p in x.chunk(npg.tensor(2))] == [(3, 4), (3, 4)]


def test_cat_of_any_two_shapes_is_like_torch():
    shapes = [(), (0,), (1,), (2,), (0, 3), (2, 1), (2, 3), (3, 2), (2, 3, 1), (1, 2, 3)]

    def program(lib):
        for a, b in itertools.product(shapes, repeat=2):
            for dim in range(-4, 4):
                yield attempt(lambda: lib.cat([lib.ones(a), lib.zeros(b)], dim))  # noqa: B023

    agree(program)


@pytest.mark.parametrize("name", ["hstack", "vstack", "row_stack", "dstack", "column_stack"])
def test_stacking_is_like_torch(name):
    for arrays in ([np.array(1.0), np.array(2.0)], [np.arange(3.0)] * 2, [A[0], A[1]], [A, A]):
        check_like_torch(getattr(F, name), getattr(torch, name), arrays)
    if name == "column_stack":
        check_like_torch(F.column_stack, torch.column_stack, [np.arange(4.0), A[:, :, 0]])


def test_cat_lets_empty_vectors_through():
    e = np.empty(0)
    for arrays in ([A, e], [e, A], [e, e], [e, A, e, A], [e.astype(np.float32), A], [A.astype(np.float32), e]):
        tensors = [torch.tensor(a) for a in arrays]
        assert_like(F.cat(to_npg(tensors)), torch.cat(tensors))
    check_like_torch(lambda a, b: F.cat([a, b], 1), lambda a, b: torch.cat([a, b], 1), A, e, second=False)
    for lib in (npg, torch):  # one of them may be all that has a history
        x = lib.empty(0, requires_grad=True)
        (lib.cat([lib.ones(2, 3), x], 1) * 2).sum().backward()
        assert x.grad.shape == (0,), lib


@pytest.mark.parametrize("name", ["cat", "stack"])
def test_joining_promotes_like_torch(name):
    dtypes = [
        torch.float16,
        torch.float32,
        torch.float64,
        torch.int8,
        torch.int32,
        torch.int64,
        torch.uint8,
        torch.bool,
    ]
    for a in dtypes:
        for b in dtypes:
            tensors = [torch.ones(2, dtype=a), torch.zeros(2, dtype=b)]
            assert_like(getattr(F, name)(to_npg(tensors)), getattr(torch, name)(tensors))
    mixed = [torch.ones(2, requires_grad=True), torch.ones(2, dtype=torch.float64, requires_grad=True)]
    compare_calls(getattr(F, name), getattr(torch, name), (mixed,), {}, rtol=1e-6)


def test_gradients_of_cat_are_views():
    g = np.ones((6, 4))
    parts = ops.cat.joint(g, None, np.empty((2, 4)), np.empty((4, 4)), needs=(True, True), dim=0)
    assert all(np.shares_memory(p, g) for p in parts)
    assert [p.shape for p in parts] == [(2, 4), (4, 4)]
    slices = ops.stack.joint(g, None, None, None, None, None, None, None, needs=(True,) * 6, dim=0)
    assert all(np.shares_memory(p, g) for p in slices)


def test_cat_takes_axis_and_out():
    out = wrap(np.empty(0))
    assert F.cat([wrap(A), wrap(A)], axis=1, out=out) is out
    np.testing.assert_array_equal(out._array, np.concatenate([A, A], 1))


@pytest.mark.parametrize("name", ["atleast_1d", "atleast_2d", "atleast_3d"])
def test_atleast_is_like_torch(name):
    npg_fn, torch_fn = getattr(F, name), getattr(torch, name)
    for a in (np.array(1.0), np.arange(3.0), A[0], A):
        check_like_torch(npg_fn, torch_fn, a)
    check_like_torch(npg_fn, torch_fn, np.array(1.0), A[0])
    check_like_torch(npg_fn, torch_fn, [np.arange(3.0), A])


# ----- Errors -----


@pytest.mark.parametrize(
    "call",
    [
        lambda m, x, s: m.split(x, 0, 1),
        lambda m, x, s: m.split(x, -1),
        lambda m, x, s: m.split(x, 2, 3),
        lambda m, x, s: m.split(x, [1, 1]),
        lambda m, x, s: m.split(x, [5, -1]),
        lambda m, x, s: m.split(s, 1),
        lambda m, x, s: m.chunk(x, 0),
        lambda m, x, s: m.chunk(s, 1),
        lambda m, x, s: m.tensor_split(x, 0),
        lambda m, x, s: m.tensor_split(s, 2),
        lambda m, x, s: m.unbind(s),
        lambda m, x, s: m.unbind(x, 3),
        lambda m, x, s: m.hsplit(x, 4),
        lambda m, x, s: m.hsplit(s, 1),
        lambda m, x, s: m.vsplit(x[0, 0], 1),
        lambda m, x, s: m.dsplit(x[0], 1),
        lambda m, x, s: m.cat([]),
        lambda m, x, s: m.cat(x),
        lambda m, x, s: m.cat([x, 3]),
        lambda m, x, s: m.cat([x, s]),
        lambda m, x, s: m.cat([x, x[0]]),
        lambda m, x, s: m.cat([x, x[:, :2]]),
        lambda m, x, s: m.cat([x, x], 3),
        lambda m, x, s: m.stack([]),
        lambda m, x, s: m.stack([x, x[0]]),
        lambda m, x, s: m.stack([x, x], 5),
        lambda m, x, s: m.hstack([]),
        lambda m, x, s: m.vstack([]),
    ],
)
def test_refused_call_raises_pytorchs_error(call):
    a, s = A, np.array(1.0)
    assert_same_error(lambda: call(F, wrap(a), wrap(s)), lambda: call(torch, torch.tensor(a), torch.tensor(s)))


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3, 4, 4, 5)])
def test_cat_keeps_channels_innermost_where_all_have_them_so(shape, dim):
    strides = []
    for lib in (npg, torch):
        order = lib.channels_last if len(shape) == 4 else lib.channels_last_3d
        x, y = lib.ones(shape).to(memory_format=order), lib.ones(shape)
        strides.append([lib.cat(list(parts), dim).stride() for parts in ((x, x), (x, y), (y, x), (x,), (y, y))])
    assert strides[0] == strides[1]
