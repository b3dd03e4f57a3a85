"""Indexing against torch: what every kind of index reads and writes, gradients, node names, errors."""

import random
import warnings

import numpy as np
import pytest
import torch

import npg
from npg.engine import run_backward
from npg.ops import indexing as ops
from tests.expressions import check, check_error
from tests.helpers import assert_like, assert_same_error, check_like_torch, compare_calls, to_npg

rng = np.random.default_rng(5)
X = rng.standard_normal((3, 4, 5))
L = torch.tensor


def npg_index(index):
    """Return the npg counterpart of an index made for torch."""
    if isinstance(index, torch.Tensor):
        return npg.from_numpy(index.numpy().copy())
    if isinstance(index, (tuple, list)):
        return type(index)(npg_index(i) for i in index)
    return index


BASIC = [
    0, -1, np.int64(1), L(2), np.array(1), slice(None), slice(1, None), slice(-2, 9, 2), slice(3, 1), None, ..., (),
    (0,), (0, 1), (0, 1, 2), (0, -1, slice(1, 3)), (slice(None), 1), (slice(None), slice(1, 3)), (..., 0), (..., None),
    (None, 0, None, ...), (0, ..., slice(0, 2)), (slice(None), None, slice(2)), (L(1), slice(None), L(-1)),
    (slice(L(0), L(2)),), (0, slice(None), slice(None)),
]  # fmt: skip

MASK = torch.from_numpy(X > 0)
ADVANCED = [
    L([0, 2]), L([0, 2], dtype=torch.int32), L([2, -1, 2]), L([[0, 1], [2, 2]]), [0, 2], [], [0, 0, 1], range(2),
    np.array([1, 2]), np.array([1, 2], np.int16), np.array([True, False, True]), MASK, MASK[:, :, 0], MASK[:, 0, 0],
    [True, False, True], True, False, L(True), (True, False), (0, True), (slice(None), True), (True, [0, 1]),
    (slice(None), [0, 3]), (slice(None), slice(None), L([4, 0, 0])), (..., L([1, 1])), ([0, 1], [1, 2]),
    ([0, 1], slice(None), [1, 2]), (slice(None), [0, 1], [1, 2]), ([[0], [2]], [1, 3]), (0, slice(None), [1, 2]),
    ([0, 1], 0, [1, 2]), (0, [1, 2]), ([1, 2], 0), ([0, 1], None, [1, 2]), (slice(None), [1], None, [2, 3]),
    (None, [1, 2]), (slice(1, 3), [0, 0]), (slice(None, None, 2), slice(1, 2), [3, 3, 1]), (MASK[:, 0, 0], [1]),
    (0, MASK[0]), (slice(None), MASK[0, :, 0], 2), (MASK[:, :, 0], 1), (MASK[:, 0, 0], slice(1, 2)),
    (slice(0, 0), [0, 1]), (torch.zeros(0, dtype=torch.int64),), (slice(None), torch.zeros((2, 0), dtype=torch.int64)),
]  # fmt: skip


# ----- Reading -----


@pytest.mark.parametrize("index", BASIC + ADVANCED, ids=str)
def test_getitem_is_like_torch(index):
    key = npg_index(index)
    check_like_torch(lambda x: x[key], lambda t: t[index], X)
    check_like_torch(lambda x: x[key], lambda t: t[index], X.transpose(2, 0, 1).astype(np.float32).transpose(1, 2, 0))
    check_like_torch(lambda x: x[key], lambda t: t[index], (X * 9).astype(np.int64))


@pytest.mark.parametrize("index", BASIC, ids=str)
def test_basic_index_is_a_view_with_torchs_node(index):
    t = torch.from_numpy(X.copy()).requires_grad_()
    x = npg.tensor(X, requires_grad=True)
    expected, actual = t[index], x[npg_index(index)]
    assert actual.grad_fn.name() == expected.grad_fn.name()
    assert actual._base is x
    with npg.no_grad():
        actual.fill_(7)
        expected.detach().fill_(7)
    assert_like(x, t)


@pytest.mark.parametrize("index", ADVANCED, ids=str)
def test_advanced_index_is_a_copy(index):
    x = npg.tensor(X, requires_grad=True)
    actual = x[npg_index(index)]
    assert actual._base is None
    assert actual.grad_fn.name() == "IndexBackward0"
    assert not np.shares_memory(actual.detach().numpy(), x.detach().numpy())


def test_getitem_uint8_is_a_mask_and_warns():
    x = npg.tensor(X)
    for mask in (npg.tensor([1, 0, 1], dtype=npg.uint8), np.array([1, 0, 1], np.uint8)):
        with pytest.warns(UserWarning, match="npg.uint8 is now deprecated"):
            assert x[mask].tolist() == x[[0, 2]].tolist()


def test_getitem_list_of_lists_is_a_tuple_and_warns():
    t, x = torch.from_numpy(X), npg.tensor(X)
    for index in ([[0, 1], [1, 2]], [0, slice(1, 2)], [0, None], [L(0), L(1)]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = t[index]
        with pytest.warns(UserWarning, match="non-tuple sequence"):
            actual = x[npg_index(index)]
        assert_like(actual, expected)


def test_getitem_index_changed_in_place_fails_backward():
    x = npg.tensor(X, requires_grad=True)
    index = npg.tensor([0, 1])
    y = x[index].sum()
    index += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_getitem_mask_changed_in_place_keeps_its_gradient():
    x = npg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    mask = npg.tensor([True, False, True])
    y = x[mask].sum()
    mask.fill_(False)
    y.backward()
    assert x.grad.tolist() == [1, 0, 1]


def test_getitem_rows_that_repeat_add_up():
    x = npg.tensor(np.zeros((3, 2)), requires_grad=True)
    x[npg.tensor([1, 1, -2, 0])].backward(npg.tensor([[1.0, 2], [3, 4], [5, 6], [7, 8]], dtype=npg.float64))
    assert x.grad.tolist() == [[7, 8], [9, 12], [0, 0]]


# ----- Random indices -----


def random_item(r, n):
    def part():
        return r.choice([None, None, r.randrange(-5, 5)])

    kind = r.randrange(12)
    if kind == 0 and n:
        return r.randrange(-n, n)
    if kind == 1:
        return slice(part(), part(), r.choice([None, 1, 2]))
    if kind == 2:
        return None
    if kind == 3:
        return r.choice([True, False, slice(None)])
    if kind == 4:
        return L([r.random() < 0.5 for _ in range(n)], dtype=torch.bool)
    if kind in (5, 6, 7) and n:
        size = r.choice([(2,), (1,), (3, 1), (1, 2)])
        t = L([r.randrange(-n, n) for _ in range(size[0] * size[-1] if len(size) > 1 else size[0])]).reshape(size)
        return r.choice([t, t.int(), t.tolist(), t.numpy()])
    if kind == 8 and n:
        return L(r.randrange(-n, n))
    return slice(None)


def random_case(r):
    shape = tuple(r.randrange(1 if r.random() < 0.9 else 0, 5) for _ in range(r.randrange(0, 5)))
    index = []
    rest = list(shape)
    while rest and r.random() < 0.8:
        item = random_item(r, rest[0])
        index.append(item)
        if not (item is None or isinstance(item, bool)):
            rest.pop(0)
    if r.random() < 0.3:
        index.insert(r.randrange(len(index) + 1), ...)
    return shape, tuple(index)


@pytest.mark.parametrize("seed", range(30))
def test_getitem_and_setitem_random_index_are_like_torch(seed):
    r = random.Random(seed)
    for _ in range(8):
        shape, index = random_case(r)
        key = npg_index(index)
        t = torch.from_numpy(rng.standard_normal(shape)).requires_grad_()
        try:
            expected = t[index]
        except IndexError:  # an index after an Ellipsis may be out of range
            with pytest.raises(IndexError):
                to_npg(t)[key]
            continue
        compare_calls(lambda x: x[key], lambda x: x[index], (t,), {})  # noqa: B023
        value = torch.from_numpy(rng.standard_normal(tuple(1 if r.random() < 0.3 else n for n in expected.shape)))
        if r.random() < 0.7:
            value.requires_grad_()

        def write(x, v, index):
            y = x * 1
            y[index] = v
            return y

        compare_calls(
            lambda x, v: write(x, v, key),  # noqa: B023
            lambda x, v: write(x, v, index),  # noqa: B023
            (t, value),
            {},
        )


# ----- Writing -----


def written(x, index, value):
    y = x * 1
    y[index] = value
    return y


UNIQUE = [i for i in ADVANCED if not isinstance(i, (list, tuple, torch.Tensor, np.ndarray))] + [
    L([0, 2]), L([[0], [2]]), MASK, MASK[:, :, 0], [2, 0], (slice(None), [0, 3]), ([0, 1], slice(None), [1, 2]),
    (0, slice(None), [1, 2]), (None, [1, 2]), (MASK[:, 0, 0], slice(1, 2)), (slice(1, 3), [0, 2]), (0, MASK[0]),
]  # fmt: skip


@pytest.mark.parametrize("index", BASIC + UNIQUE, ids=str)
@pytest.mark.parametrize("value", ["number", "0-d", "same", "rows", "leading"])
def test_setitem_is_like_torch(index, value):
    t = torch.from_numpy(X.copy())
    shape = tuple(t[index].shape)
    if value == "number":
        check_like_torch(lambda x: written(x, npg_index(index), 2.5), lambda x: written(x, index, 2.5), X)
        return
    sizes = {"0-d": (), "same": shape, "rows": shape[-1:], "leading": (1, 1, *shape)}[value]
    v = rng.standard_normal(sizes)
    check_like_torch(lambda x, v: written(x, npg_index(index), v), lambda x, v: written(x, index, v), X, v)


@pytest.mark.parametrize("index", BASIC + UNIQUE, ids=str)
def test_setitem_without_recording_is_like_torch_and_counts(index):
    t, x = torch.from_numpy(X.copy()), npg.tensor(X)
    version = x._version
    value = rng.standard_normal(tuple(t[index].shape))
    t[index] = torch.from_numpy(value)
    x[npg_index(index)] = npg.tensor(value)
    assert_like(x, t)
    now = x._version
    assert now == version + t._version


@pytest.mark.parametrize("index", [0, (slice(None), 1), [0, 2], MASK[:, 0, 0]], ids=str)
def test_setitem_node_is_torchs(index):
    t = torch.from_numpy(X.copy()).requires_grad_()
    x = npg.tensor(X, requires_grad=True)
    expected = written(t, index, torch.ones(()).double()) if not isinstance(index, list) else written(t, index, 1.0)
    assert written(x, npg_index(index), 1.0).grad_fn.name() == expected.grad_fn.name()


def test_setitem_values_are_cast():
    for index in (0, slice(None), [1, 2]):
        for dtype in (torch.int64, torch.uint8, torch.float16, torch.bool):
            t = torch.zeros(3, dtype=dtype)
            x = to_npg(t)
            t[index], x[index] = 1.9, 1.9
            assert_like(x, t)
    x = npg.zeros(3, dtype=npg.int64)
    x[0] = npg.tensor(3.9)
    x[1:] = npg.tensor([4.9, 5.9], dtype=npg.float64)
    assert x.tolist() == [3, 4, 5]
    x[x > 3] = npg.tensor(9.9)
    assert x.tolist() == [3, 9, 9]


@pytest.mark.parametrize("values", [[2**63 - 1, 300], [1, -300], [1.0, 1e9], [float("nan"), 1.0]])
def test_setitem_takes_of_a_list_only_what_fits(values):
    x = npg.tensor([5, 6], dtype=npg.uint8)
    with pytest.raises(RuntimeError, match="uint8_t without overflow"):
        x[:] = values
    assert x.tolist() == [5, 6]


@pytest.mark.parametrize("values", [[1, [2, 3]], [2**64, 1], ["a", 1]])
def test_setitem_refuses_a_list_of_something_else(values):
    x = npg.zeros(2)
    with pytest.raises(TypeError, match=r"can't assign a list to a npg\.FloatTensor"):
        x[:] = values


def test_setitem_takes_arrays_and_lists():
    x = npg.zeros(2, 3)
    x[0] = np.array([1.0, 2.0, 3.0])
    x[1] = [4, 5, 6]
    assert x.tolist() == [[1, 2, 3], [4, 5, 6]]
    x[[0, 1]] = np.float64(7)
    assert x.dtype is npg.float32
    assert x.tolist() == [[7] * 3] * 2


def test_setitem_last_of_repeated_indices_wins():
    x = npg.zeros(2)
    x[[0, 0, 1, 0]] = npg.tensor([1.0, 2, 3, 4])
    assert x.tolist() == [4, 3]


def test_setitem_overlapping_source_is_refused_as_in_torch():
    for lib in (npg, torch):
        x = lib.arange(5.0)
        with pytest.raises(RuntimeError, match="some elements of the input tensor and the written-to tensor"):
            x[1:] = x[:-1]
        assert x.tolist() == [0, 1, 2, 3, 4]
        x[[0, 1, 2]] = x[[2, 1, 0]]  # reading by integers copies
        assert x.tolist() == [2, 1, 0, 3, 4]


def test_setitem_on_a_view_changes_its_base():
    t = torch.from_numpy(X.copy()).requires_grad_()
    x = npg.tensor(X, requires_grad=True)

    def change(y):
        z = y * 1
        z[1][:, 2:][[0, 2]] = z[0, :2, :3] * 2
        return z

    compare_calls(change, change, (t,), {})
    assert change(x).grad_fn.name() == change(t).grad_fn.name()


@pytest.mark.parametrize("index", [0, [0], (None, [0]), slice(None), ..., MASK], ids=str)
def test_setitem_leaf_is_refused_and_unchanged(index):
    t = torch.from_numpy(X.copy()).requires_grad_()
    x = npg.tensor(X, requires_grad=True)

    def write(y, i):
        y[i] = 1.0

    assert_same_error(lambda: write(x, npg_index(index)), lambda: write(t, index))
    assert np.array_equal(x.detach().numpy(), X)
    with npg.no_grad():
        write(x, npg_index(index))
    assert (x.detach()[npg_index(index)] == 1).all()


# ----- Errors -----

READ_ERRORS = [
    3, -4, (0, 0, 0, 0), (slice(None), 5), slice(None, None, -1), slice(None, None, 0), 1.5, 1j,
    pytest.param(object(), id="object"), "a", L(1.5),
    L([1.5]), L([1], dtype=torch.int16), (L([0]),) * 4, L([0, 3]), L([0, -4]),
    L([1], dtype=torch.int8), (0, 0, 0, L([0])),
    L(3), (L([0, 1]), L([0, 1, 2])), L([True, False]), (slice(None), L([True])), torch.ones(1, 4, dtype=torch.bool),
    torch.ones(3, 4, 5, 1, dtype=torch.bool), (0, torch.ones(4, 5, 1, dtype=torch.bool)), slice(1.0, 2),
]  # fmt: skip


@pytest.mark.parametrize("index", READ_ERRORS, ids=str)
def test_getitem_error_is_torchs(index):
    t, x = torch.from_numpy(X), npg.tensor(X)
    assert_same_error(lambda: x[npg_index(index)], lambda: t[index])


@pytest.mark.parametrize("index", [0, slice(None), (0, 0), L([0]), L(0)], ids=str)
def test_getitem_of_a_number_error_is_torchs(index):
    assert_same_error(lambda: npg.tensor(1.0)[npg_index(index)], lambda: torch.tensor(1.0)[index])


@pytest.mark.parametrize("index", [[1.5], np.array([1.0]), "a"], ids=str)
def test_getitem_float_list_is_refused(index):
    with pytest.raises((IndexError, TypeError)):
        npg.tensor(X)[index]


def put(y, index, value):
    y[index] = value


WRITE_ERRORS = [
    (0, torch.ones(2)), (0, torch.ones(2, 4, 5)), ([0, 1], torch.ones(2).double()), ([0, 1], torch.ones(4, 5)),
    ([0, 1], torch.ones(4, 5).long()), (MASK, torch.ones(1000).double()), ([7], 1.0), (7, 1.0), ((0, 0, 0, 0), 1.0),
    (slice(None, None, -1), 1.0), (0, 1j), (MASK, torch.ones(3)),
]  # fmt: skip


@pytest.mark.parametrize(("index", "value"), WRITE_ERRORS, ids=str)
def test_setitem_error_is_torchs_and_changes_nothing(index, value):
    t, x = torch.from_numpy(X.copy()), npg.tensor(X)
    assert_same_error(lambda: put(x, npg_index(index), to_npg_value(value)), lambda: put(t, index, value))
    assert np.array_equal(x.numpy(), X)


def to_npg_value(value):
    return npg.from_numpy(value.numpy()) if isinstance(value, torch.Tensor) else value


@pytest.mark.parametrize("value", ["a", None, pytest.param(object(), id="object")])
def test_setitem_of_what_is_no_number_is_refused(value):
    x = npg.zeros(3)
    for index in (0, [0]):
        with pytest.raises(TypeError, match="can't assign a"):
            x[index] = value
    assert x.tolist() == [0, 0, 0]


# ----- index_put, copy_ -----


@pytest.mark.parametrize("accumulate", [False, True])
def test_index_put_is_like_torch(accumulate):
    cases = [
        ((L([0, 2]),), (2, 4, 5)),
        ((L([2]), L([1])), (1, 5)),
        ((L([[0], [1]]), L([1, 3])), (5,)),
        ((MASK[:, 0, 0],), (4, 5)),
        ((L(1),), (4, 5)),
    ]
    for indices, shape in cases:
        key = tuple(npg_index(i) for i in indices)
        v = rng.standard_normal(shape)
        check_like_torch(
            lambda x, v: npg.index_put(x, key, v, accumulate),  # noqa: B023
            lambda x, v: torch.index_put(x, indices, v, accumulate),  # noqa: B023
            X,
            v,
        )
        check_like_torch(
            lambda x, v: x.clone().index_put_(key, v, accumulate=accumulate),  # noqa: B023
            lambda x, v: x.clone().index_put_(indices, v, accumulate=accumulate),  # noqa: B023
            X,
            v,
        )


@pytest.mark.parametrize("view", [False, True])
def test_index_put_accumulates_what_repeats(view):
    def call(x, i, j, v):
        y = (x * 1).transpose(0, 2) if view else x * 1
        return y.index_put_((i, j), v, accumulate=True)

    i, j = L([0, 0, 2, 0]), L([1, 1, 0, -3])
    v = rng.standard_normal((4, 3 if view else 5))
    check_like_torch(call, call, X, i, j, v)


INDEX_PUT_ERRORS = [
    lambda m, x, i: x.index_put_((i,), m.ones(3, dtype=m.float64)),
    lambda m, x, i: x.index_put_((i,), m.ones(4, 5)),
    lambda m, x, i: x.index_put_((i,) * 4, m.ones(2, dtype=m.float64)),
    lambda m, x, i: x.index_put_(i, m.ones(2, dtype=m.float64)),
    lambda m, x, i: x.index_put_((None, i), m.ones(2, dtype=m.float64)),
    lambda m, x, i: x.index_put_((i.to(m.int16),), m.ones(2, dtype=m.float64)),
    lambda m, x, i: x.index_put_((i + 3,), m.ones(4, 5, dtype=m.float64)),
    lambda m, x, i: x.index_put_((i,), 1.0),
]


@pytest.mark.parametrize("call", INDEX_PUT_ERRORS)
def test_index_put_error_is_torchs_and_changes_nothing(call):
    t, x = torch.from_numpy(X.copy()), npg.tensor(X)
    assert_same_error(lambda: call(npg, x, npg.tensor([0, 1])), lambda: call(torch, t, torch.tensor([0, 1])))
    assert np.array_equal(x.numpy(), X)


def test_view_changed_in_place_and_used_again_has_its_gradient():
    def call(x, v):
        y = (x * 1).transpose(0, 2)
        y[0] = v  # the view itself is used afterwards, not its base
        y.add_(v)
        return y * y

    check_like_torch(call, call, X, rng.standard_normal((4, 3)))


def test_copy_is_like_torch():
    for shape in [(3, 4, 5), (5,), (4, 1), ()]:
        v = rng.standard_normal(shape)
        check_like_torch(lambda x, v: (x * 1).copy_(v), lambda x, v: (x * 1).copy_(v), X, v)
        check_like_torch(lambda x, v: (x * 1).copy_(v), lambda x, v: (x * 1).copy_(v), X, v.astype(np.float32))
    assert npg.zeros(2, dtype=npg.int64).copy_(npg.tensor([1.7, -1.7])).tolist() == [1, -1]
    assert npg.zeros(2).copy_(3).tolist() == [3, 3]
    x = npg.tensor([1.0], requires_grad=True)
    (x * 1).copy_(npg.tensor([2.0])).backward()
    assert x.grad.tolist() == [0]  # PyTorch sends zeros, too


COPY_ERRORS = [
    lambda m, x: x.copy_(m.ones(4)),
    lambda m, x: x.copy_(m.ones(1, 3, 4, 5)),
    lambda m, x: x.copy_("a"),
    lambda m, x: x[:, :1].copy_(x),
]


@pytest.mark.parametrize("call", COPY_ERRORS)
def test_copy_error_is_torchs(call):
    assert_same_error(lambda: call(npg, npg.tensor(X)), lambda: call(torch, torch.from_numpy(X.copy())))


# ----- Slices along a dimension -----

I2 = np.array([2, 0])
SLICES = [
    (lambda m, x, i: m.index_select(x, 1, i), X, I2),
    (lambda m, x, i: m.index_select(x, -1, i.int()), X, I2),
    (lambda m, x, i: m.index_select(x, 0, i), X, np.array([1, 1, 1])),
    (lambda m, x, i: m.index_select(x, 0, i), X, np.array(1)),
    (lambda m, x, i: m.index_select(x, 0, i), X[0, 0, 0:1].reshape(()), np.array([0])),
    (lambda m, x, i, s: m.index_add(x, 1, i, s), X, I2, X[:, :2] + 1),
    (lambda m, x, i, s: m.index_add(x, 0, i, s, alpha=2.5), X, np.array([1, 1]), X[:2] - 1),
    (lambda m, x, i, s: m.index_add(x, 0, i, s), X[0, 0], np.array(3), X[0, 0, :1]),
    (lambda m, x, i, s: (x * 1).index_add_(2, i, s), X, np.array([4, 4, 0]), X[..., :3] * 2),
    (lambda m, x, i, s: m.index_copy(x, 1, i, s), X, I2, X[:, :2] + 1),
    (lambda m, x, i, s: (x * 1).index_copy_(0, i, s), X, I2, X[:2] + 1),
    (lambda m, x, i: m.index_fill(x, 1, i, 2.5), X, I2),
    (lambda m, x, i: m.index_fill(x, 0, i, -3), X, np.array([-1, 0, 0])),
    (lambda m, x, i, v: m.index_fill(x, 2, i, v), X, np.array([1, 1, 4]), np.array(2.0)),
    (lambda m, x, i, v: (x * 1).index_fill_(0, i, v), X, np.array([1]), np.array(2.0)),
]


@pytest.mark.parametrize("case", range(len(SLICES)))
def test_slices_are_like_torch(case):
    call, *arrays = SLICES[case]
    check_like_torch(lambda *a: call(npg, *a), lambda *a: call(torch, *a), *arrays)
    single = [a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays]
    check_like_torch(lambda *a: call(npg, *a), lambda *a: call(torch, *a), *single)


SLICE_ERRORS = [
    lambda m, x, i: x.index_select(0, i.reshape(1, 2)),
    lambda m, x, i: x.index_select(0, i.float()),
    lambda m, x, i: x.index_select(0, i + 3),
    lambda m, x, i: x.index_select(0, i - 3),
    lambda m, x, i: x.index_select(0, i.to(m.int16)),
    lambda m, x, i: x.index_select(4, i),
    lambda m, x, i: x.index_add(0, i, x),
    lambda m, x, i: x.index_add(0, i, x[:2, :, :3]),
    lambda m, x, i: x.index_add(0, i, x[:2].float()),
    lambda m, x, i: x.index_add(0, i + 3, x[:2]),
    lambda m, x, i: x.index_add(0, i - 1, x[:2]),
    lambda m, x, i: x.index_add(0, i.reshape(1, 2), x[:2]),
    lambda m, x, i: x.index_add(0, i.to(m.int16), x[:2]),
    lambda m, x, i: x.index_copy(0, i, x),
    lambda m, x, i: x.index_copy(0, i, x[:2, :, :3]),
    lambda m, x, i: x.index_copy(0, i, x[:2].float()),
    lambda m, x, i: x.index_copy(0, i + 3, x[:2]),
    lambda m, x, i: x.index_copy(0, i.int(), x[:2]),
    lambda m, x, i: x.index_copy(0, i, x[0]),
    lambda m, x, i: x.index_copy(0, i.reshape(1, 2), x[:2]),
    lambda m, x, i: x.index_fill(0, i + 9, 5),
    lambda m, x, i: x.index_fill(0, i.int(), 5),
    lambda m, x, i: x.index_fill(0, i.reshape(1, 2), 5),
    lambda m, x, i: x.index_fill(0, i, m.ones(1)),
]


@pytest.mark.parametrize("call", SLICE_ERRORS)
def test_slices_error_is_torchs(call):
    index = [0, 1]
    assert_same_error(
        lambda: call(npg, npg.tensor(X), npg.tensor(index)),
        lambda: call(torch, torch.from_numpy(X.copy()), torch.tensor(index)),
    )


# ----- Sums of rows -----


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.int32])
@pytest.mark.parametrize("columns", [0, 1, 2, 3, 8])
def test_add_rows_is_add_at(dtype, columns):
    g = (rng.standard_normal((50, columns)) * 9).astype(dtype)
    for rows in (1, 4, 70):
        index = rng.integers(-rows, rows, 50)
        expected = np.zeros((rows, columns), dtype)
        np.add.at(expected, index, g)
        actual = ops.add_rows(g, index, rows)
        assert actual.dtype == dtype
        np.testing.assert_array_equal(actual, expected)  # bit for bit: added in the same order
        np.testing.assert_array_equal(ops.add_rows(g[:, ::-1], index.astype(np.int32), rows), expected[:, ::-1])


def test_add_rows_of_nothing_is_zero():
    assert not ops.add_rows(np.ones((0, 4)), np.zeros(0, np.int64), 3).any()


def test_add_rows_out_of_range_raises():
    for index in ([3], [0, 99], [-4]):
        with pytest.raises(IndexError):
            ops.add_rows(np.ones((len(index), 4)), np.array(index), 3)


def test_index_backward_is_transpose_of_index():
    # <index(x), g> = <x, index_backward(g)>, for arrays in any dimensions
    for at, sizes in [((0,), (3,)), ((1,), (4,)), ((0, 2), (3, 5)), ((1, 2), (4, 5))]:
        indices = [rng.integers(-n, n, (2, 3)) for n in sizes]
        y = ops.index(X, *indices, at=at)
        g = rng.standard_normal(y.shape)
        back = ops.index_backward(g, *indices, shape=X.shape, at=at)
        assert back.shape == X.shape
        np.testing.assert_allclose((y * g).sum(), (X * back).sum(), rtol=1e-12)


def test_getitem_second_order_through_run_backward():
    x = npg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = (x[[0, 0, 2]] ** 3).sum()
    (g,) = run_backward((y,), (None,), True, True, (x,), False)
    (h,) = run_backward((g.sum(),), (None,), True, False, (x,), False)
    assert g.tolist() == [6, 0, 27]
    assert h.tolist() == [12, 0, 18]


# ----- Writing through a mask; errors of the value -----


@pytest.mark.parametrize(
    "index",
    [
        "x > 5", "(slice(None), lib.tensor([True, False, True, False]))", "lib.tensor([True, False, True])", "True",
        "(lib.tensor([True, False, True]), 0)", "(..., lib.tensor([True, False, True, False]))",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["lib.tensor(7)", "lib.tensor([2.5])", "lib.tensor(True)", "3", "2.5"])
@pytest.mark.parametrize("dtype", ["lib.float32", "lib.float64", "lib.int64"])
def test_one_number_written_through_a_mask_is_cast(index, value, dtype):
    check(f"x = lib.arange(12, dtype={dtype}).view(3, 4); x[{index}] = {value}; r = x")


@pytest.mark.parametrize("value", ["lib.tensor([1, 2, 3, 4])", "lib.ones(2, 4)", "lib.tensor(7)"])
def test_writing_at_false_changes_nothing(value):
    check(f"x = lib.arange(12.0).view(3, 4); x[False] = {value}; r = x")


def test_value_of_another_dtype_written_at_true_is_cast():
    check("x = lib.arange(12.0).view(3, 4); x[True] = lib.tensor([1, 2, 3, 4]); r = x")


def test_number_that_requires_grad_written_through_a_mask_gets_a_gradient():
    check(
        "v = lib.tensor(2.0, requires_grad=True); x = lib.zeros(3, 4).double(); x[:, lib.tensor([True] * 4)] = v; "
        "x.sum().backward(); r = v.grad"
    )


@pytest.mark.parametrize(
    "call",
    [
        "x[x > 3] = lib.ones(2, 4)",
        "x[lib.tensor([True, False, True])] = lib.ones(3, 4)",
        "x[lib.tensor([0, 1]), lib.tensor([0, 1, 2])] = 1.0",
        "x[lib.tensor([0, 1]), lib.tensor([0, 1, 2])] = lib.tensor(7)",
        "x[lib.tensor([0, 1])] = lib.tensor([1, 2, 3, 4])",
        "x[lib.tensor([0, 1])] = lib.tensor(7)",
        "x[lib.tensor(True)] = lib.tensor(7)",
        "x[True, 0] = lib.tensor(7)",
        "x[True] = lib.ones(2)",
        "x[lib.tensor([True, False, True]), lib.tensor([0, 1])] = lib.tensor(7)",
    ],
)
def test_value_that_does_not_fit_raises_torchs_error(call):
    check_error(f"x = lib.arange(12.0).view(3, 4); {call}")
