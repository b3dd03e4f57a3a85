"""Products of vectors and matrices, contractions: against torch, in values, gradients of two orders, and errors."""

import math
import random
import warnings
from functools import partial

import numpy as np
import pytest
import torch

import npg
from npg.functional.matmul import _order
from npg.kernels import products
from npg.kernels.products import multiply
from npg.ops.einsum import contract
from tests.expressions import check
from tests.helpers import assert_like, assert_same_error, both, compare_calls, drawn, strided, to_npg

rng = np.random.default_rng(8)
r = partial(drawn, rng)


# ----- matmul -----

SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (1, 3, 4)), ((1, 2, 3), (5, 3, 4)),
    ((6, 5, 2, 3), (5, 3, 4)), ((6, 1, 2, 3), (5, 3, 4)), ((6, 5, 2, 3), (3, 4)), ((6, 5, 2, 3), (3,)),
    ((3,), (6, 5, 3, 4)), ((2, 3), (6, 5, 3, 4)), ((1, 1), (1, 1)), ((0, 3), (3, 4)), ((2, 0), (0, 4)),
    ((2, 3), (3, 0)),
    ((0,), (0,)), ((5, 2, 0), (0, 4)), ((0, 2, 3), (3, 4)), ((5, 0, 3), (5, 3, 4)), ((2, 0), (0,)), ((5, 2, 0), (0,)),
    ((0, 2, 3), (3,)), ((4, 2, 3), (4, 3, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), SHAPES, ids=str)
def test_matmul_is_like_torch(a, b):
    x, y = r(*a), r(*b)
    both(lambda m, x, y: m.matmul(x, y), x, y)
    both(lambda m, x, y: x @ y, strided(x), strided(y))
    both(lambda m, x, y: x @ y, x.astype(np.float32), y.astype(np.float32))


@pytest.mark.parametrize(
    ("a", "b"), [((70, 65), (65, 80)), ((4, 33, 40), (40, 50)), ((4, 33, 40), (4, 40, 50))], ids=str
)
def test_matmul_of_large_matrices_is_like_torch(a, b):
    # Above the size from which layouts are checked: every layout that BLAS can and cannot read.
    x, y = r(*a), r(*b)
    for change in (lambda z: z, strided, lambda z: z.mT.copy().mT, lambda z: np.broadcast_to(z[..., :1, :], z.shape)):
        both(lambda m, x, y: x @ y, change(x), y)
        both(lambda m, x, y: x @ y, x, change(y))
    both(lambda m, x, y: (x @ y).sum(), x, y)  # the gradient has strides of 0


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int16, np.int8, np.uint8, np.float16])
def test_matmul_of_other_dtypes_is_like_torch(dtype):
    for size in (3, 90):
        x, y = (rng.integers(0 if dtype == np.uint8 else -9, 9, (size, size)).astype(dtype) for _ in range(2))
        both(lambda m, x, y: x @ y, x, y, grad=False)
    both(lambda m, x, y: x @ y, np.full((1, 90), 100, dtype), np.full((90, 60), 3, dtype), grad=False)


def test_matmul_of_large_integers_is_exact():
    x = rng.integers(-(2**40), 2**40, (70, 70))
    np.testing.assert_array_equal((npg.tensor(x) @ npg.tensor(x)).numpy(), x @ x)


def test_matmul_node_is_torchs():
    for a, b in SHAPES[:2] + SHAPES[3:6] + SHAPES[8:9]:
        t = torch.from_numpy(r(*a)).requires_grad_(), torch.from_numpy(r(*b))
        x = [to_npg(k) for k in t]
        assert (x[0] @ x[1]).grad_fn.name() == (t[0] @ t[1]).grad_fn.name()


def test_matmul_batches_by_one_matrix_are_one_product(monkeypatch):
    a, b = (np.asarray(x) for x in (r(30, 40, 50), r(50, 60)))
    calls = []
    original = np.matmul
    monkeypatch.setattr(products, "_multiply", None)  # products that the engine does not compute itself
    monkeypatch.setattr(np, "matmul", lambda x, y, out: calls.append(math.prod(x.shape[:-1])) or original(x, y, out))
    a, b = a.astype(np.float32), b.astype(np.float32)
    multiply(a[:3, :4], b[:, :5])
    assert calls == [12]  # not cut: one call, of all rows
    calls.clear()
    multiply(a, b)
    assert sum(calls) in (0, 1200)  # in tiles of rows of all matrices; 0: by BLAS itself


# ----- Other products of two factors -----

VECDOT = lambda m, a, b: m.linalg.vecdot(a, b)
V3, V4, M23, M34, B, C = r(3), r(4), r(2, 3), r(3, 4), r(5, 2, 3), r(5, 3, 4)
CALLS = [
    (lambda m, a, b: m.mm(a, b), M23, M34),
    (lambda m, a, b: m.bmm(a, b), B, C),
    (lambda m, a, b: m.mv(a, b), M23, V3),
    (lambda m, a, b: m.dot(a, b), V3, V3 + 1),
    (lambda m, a, b: m.vdot(a, b), V3, V3 + 1),
    (lambda m, a, b: m.outer(a, b), V3, V4),
    (lambda m, a, b: m.ger(a, b), V3, V4),
    (lambda m, a, b: m.inner(a, b), V3, V3 + 1),
    (lambda m, a, b: m.inner(a, b), B, M23),
    (lambda m, a, b: m.inner(a, b), M23, V3),
    (lambda m, a, b: m.inner(a, b), M23, np.array(2.0)),
    (lambda m, a, b: m.kron(a, b), M23, V4),
    (lambda m, a, b: m.kron(a, b), V3, M34),
    (lambda m, a, b: m.kron(a, b), B, C),
    (lambda m, a, b: m.kron(a, b), np.array(2.0), M23),
    (lambda m, a, b: m.linalg.cross(a, b), r(3), r(3)),
    (lambda m, a, b: m.cross(a, b, dim=-1), B, r(5, 2, 3)),
    (lambda m, a, b: m.cross(a, b, 1), r(5, 3, 1), C),
    (lambda m, a, b: m.linalg.cross(a, b), B, r(1, 2, 3)),
    (VECDOT, B, V3),
    (lambda m, a, b: m.tensordot(a, b, 2), r(2, 3, 4), r(3, 4, 5)),
    (lambda m, a, b: m.tensordot(a, b, dims=([1, 2], [1, 0])), r(2, 3, 4), r(4, 3, 5)),
    (lambda m, a, b: m.tensordot(a, b, 0), V3, M34),
    (lambda m, a, b: m.tensordot(a, b, 1), r(2, 1), M34),
    (lambda m, a, b: m.tensordot(a, b, 1), M23, r(1, 4)),
    (lambda m, a, b: m.tensordot(a, b, 3), B, r(5, 2, 3)),
    (lambda m, a, b: m.tensordot(a, b, ([-1], [0])), M23, M34),
]


@pytest.mark.parametrize("case", range(len(CALLS)))
def test_products_are_like_torch(case):
    call, a, b = CALLS[case]
    both(call, a, b)
    both(call, a.astype(np.float32), b.astype(np.float32))
    if call is not VECDOT:
        both(call, np.asarray(a * 9).astype(np.int64), np.asarray(b * 9).astype(np.int64), grad=False)
    if a.ndim and b.ndim and "kron" not in call.__code__.co_names:  # PyTorch's takes contiguous tensors only
        both(call, strided(a), strided(b))


def test_kron_of_strided_is_that_of_contiguous():
    a, b = npg.from_numpy(strided(M23)), npg.from_numpy(strided(M34))
    np.testing.assert_array_equal(npg.kron(a, b).numpy(), np.kron(M23, M34))


def test_outer_and_kron_promote():
    both(lambda m, a, b: m.outer(a, b), V3, V4.astype(np.float32))
    both(lambda m, a, b: m.outer(a, b), V3, np.arange(4))
    both(lambda m, a, b: m.kron(a, b), M23, np.arange(4))
    both(lambda m, a, b: m.outer(a, b), V3 > 0, V4 > 0, grad=False)


def test_cross_without_dim_warns_and_takes_the_first_of_size_three():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = torch.cross(torch.tensor(C), torch.tensor(C) + 1)
    with pytest.warns(UserWarning, match="without specifying the dim arg"):
        assert_like(npg.cross(npg.tensor(C), npg.tensor(C) + 1), expected)


# ----- Products added to an input -----

ADDED = [
    ("addmm", (2, 4), (2, 3), (3, 4)), ("addmm", (4,), (2, 3), (3, 4)), ("addmm", (2, 1), (2, 3), (3, 4)),
    ("addmm", (), (2, 3), (3, 4)), ("addmm", (2, 4), (2, 0), (0, 4)), ("addmv", (2,), (2, 3), (3,)),
    ("addmv", (1,), (2, 3), (3,)), ("addmv", (), (2, 3), (3,)), ("addr", (3, 4), (3,), (4,)),
    ("addr", (4,), (3,), (4,)),
    ("baddbmm", (5, 2, 4), (5, 2, 3), (5, 3, 4)), ("baddbmm", (2, 1), (5, 2, 3), (5, 3, 4)),
    ("addbmm", (2, 4), (5, 2, 3), (5, 3, 4)), ("addbmm", (4,), (5, 2, 3), (5, 3, 4)),
    ("addbmm", (2, 4), (5, 2, 0), (5, 0, 4)), ("addbmm", (2, 4), (0, 2, 3), (0, 3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "x", "a", "b"), ADDED, ids=str)
@pytest.mark.parametrize(("beta", "alpha"), [(1, 1), (0.5, 2.0), (0, 1), (-1, 0)])
def test_added_product_is_like_torch(name, x, a, b, beta, alpha):
    arrays = r(*x), r(*a), r(*b)
    both(lambda m, *t: getattr(m, name)(*t, beta=beta, alpha=alpha), *arrays)
    both(lambda m, *t: getattr(m, name)(*t, beta=beta, alpha=alpha), *(k.astype(np.float32) for k in arrays))
    full = np.ones(getattr(torch, name)(*map(torch.from_numpy, arrays)).shape)
    both(lambda m, x, *t: getattr(x * 1, name + "_")(*t, beta=beta, alpha=alpha), full, *arrays[1:])


def test_added_product_of_integers_is_like_torch():
    for name, x, a, b in ADDED[:1] + ADDED[5:6] + ADDED[8:9] + ADDED[10:11]:
        arrays = [rng.integers(-9, 9, s) for s in (x, a, b)]
        both(lambda m, *t: getattr(m, name)(*t, beta=2, alpha=3), *arrays, grad=False)  # noqa: B023
    both(lambda m, *t: m.addmm(*t, alpha=1.9), *(rng.integers(-9, 9, s) for s in ((4,), (2, 3), (3, 4))), grad=False)


def test_addmm_beta_zero_ignores_nan():
    x = npg.tensor(np.full((2, 4), np.nan))
    assert not npg.addmm(x, npg.tensor(M23), npg.tensor(M34), beta=0).isnan().any()


def test_addr_promotes():
    both(lambda m, x, a, b: m.addr(x, a, b), M34.astype(np.float32), V3, V4.astype(np.float32), grad=False)


# ----- Many factors -----


@pytest.mark.parametrize("sizes", [(2, 3), (2, 3, 4), (5, 1, 6, 2, 3), (4, 2, 5, 1, 3, 2)])
def test_multi_dot_is_like_torch(sizes):
    matrices = [r(n, m) for n, m in zip(sizes, sizes[1:], strict=False)] + [r(sizes[-1], 3)]
    both(lambda m, *t: m.linalg.multi_dot(list(t)), *matrices)
    both(lambda m, *t: m.linalg.multi_dot(list(t)), matrices[0][0], *matrices[1:])
    both(lambda m, *t: m.linalg.multi_dot(list(t)), *matrices[:-1], matrices[-1][:, 0])
    both(lambda m, *t: m.linalg.multi_dot(list(t)), matrices[0][0], *matrices[1:-1], matrices[-1][:, 0])


def test_chain_matmul_is_the_product():
    a, b, c = (npg.tensor(k) for k in (M23, M34, r(4, 2)))
    np.testing.assert_allclose(npg.chain_matmul(a, b, c).numpy(), M23 @ M34 @ c.numpy(), rtol=1e-12)
    alone = npg.chain_matmul(a)  # a copy, as torch's
    assert alone.data_ptr() != a.data_ptr() and alone.tolist() == a.tolist()


def test_multi_dot_takes_the_cheapest_order():
    # (10, 100) (100, 5) (5, 50): first the left product, 7,500 multiplications instead of 75,000.
    assert _order([10, 100, 5, 50])[0][2] == 1
    assert _order([50, 5, 100, 10])[0][2] == 0


# ----- Errors -----


def ones(m, *shape):
    return m.ones(shape)


ERRORS = [
    lambda m, o: o(2, 3).mm(o(4, 5)),
    lambda m, o: o(2, 3).mm(o(4)),
    lambda m, o: o(2, 3, 4).mm(o(4, 4)),
    lambda m, o: o(2, 3).mm(o(3, 4).double()),
    lambda m, o: o(2, 3) @ o(4, 5),
    lambda m, o: o(2, 3) @ o(3, 4).double(),
    lambda m, o: o(2, 3).long() @ o(3, 2),
    lambda m, o: (o(2, 3) > 0) @ (o(3, 2) > 0),
    lambda m, o: m.tensor(1.0) @ o(2),
    lambda m, o: o(2, 2) @ m.tensor(1.0),
    lambda m, o: o(2, 3) @ o(4),
    lambda m, o: o(3) @ o(4, 5),
    lambda m, o: o(3) @ o(4),
    lambda m, o: o(3) @ o(3).double(),
    lambda m, o: o(2, 3) @ o(3).double(),
    lambda m, o: o(2, 3, 4) @ o(5, 6),
    lambda m, o: o(2, 3, 4) @ o(2, 5, 6),
    lambda m, o: o(2, 3, 4) @ o(3, 4, 6),
    lambda m, o: o(5, 2, 3, 4) @ o(3, 4, 6),
    lambda m, o: o(2, 3, 4) @ o(5),
    lambda m, o: o(4) @ o(2, 5, 3),
    lambda m, o: o(2, 3, 4) @ o(2, 4, 6).double(),
    lambda m, o: o(2, 3, 4) @ o(4, 6).double(),
    lambda m, o: o(2, 3) @ 2,
    lambda m, o: o(2, 3).mv(o(4)),
    lambda m, o: o(2, 3).mv(o(3, 1)),
    lambda m, o: o(2).mv(o(2)),
    lambda m, o: (o(2, 2) > 0).mv(o(2) > 0),
    lambda m, o: o(3).dot(o(4)),
    lambda m, o: o(3, 1).dot(o(3)),
    lambda m, o: o(3).dot(o(3).double()),
    lambda m, o: (o(2) > 0).dot(o(2) > 0),
    lambda m, o: m.vdot(o(2), o(3)),
    lambda m, o: o(2, 3, 4).bmm(o(2, 5, 6)),
    lambda m, o: o(2, 3, 4).bmm(o(3, 4, 6)),
    lambda m, o: o(2, 3, 4).bmm(o(4, 6)),
    lambda m, o: o(2, 2).bmm(o(2, 2, 2)),
    lambda m, o: o(2, 3, 4).bmm(o(2, 4, 6).double()),
    lambda m, o: (o(2, 2, 2) > 0).bmm(o(2, 2, 2) > 0),
    lambda m, o: o(3, 1).outer(o(4)),
    lambda m, o: m.inner(o(2, 3), o(4, 2)),
    lambda m, o: m.inner(o(2, 3), o(4, 3).double()),
    lambda m, o: m.cross(o(2, 3), o(2, 3), 0),
    lambda m, o: m.linalg.cross(o(2, 2), o(2, 2)),
    lambda m, o: m.linalg.cross(o(3), o(2, 3)),
    lambda m, o: m.cross(o(2, 3), o(2, 3).double(), 1),
    lambda m, o: m.tensordot(o(2, 3), o(4, 5), 1),
    lambda m, o: m.tensordot(o(2), o(3), -1),
    lambda m, o: m.tensordot(o(2, 3), o(3, 5), ([1], [0, 1])),
    lambda m, o: m.tensordot(o(2), o(2), 3),
    lambda m, o: m.tensordot(o(2), o(2).double(), 1),
    lambda m, o: m.addmm(o(2, 5), o(2, 3), o(3, 4)),
    lambda m, o: m.addmm(o(2, 4), o(2, 3), o(4, 4)),
    lambda m, o: m.addmm(o(2, 4).double(), o(2, 3), o(3, 4)),
    lambda m, o: m.addmm(o(2, 4), o(2, 3).double(), o(3, 4)),
    lambda m, o: m.addmm(o(4), o(2, 3), o(4)),
    lambda m, o: m.addmm(o(4), o(2), o(2, 4)),
    lambda m, o: m.addmm(o(1, 2, 4), o(2, 3), o(3, 4)),
    lambda m, o: o(2).addmm_(o(2, 3), o(3, 2)),
    lambda m, o: m.addmv(o(2), o(2, 3), o(4)),
    lambda m, o: m.addmv(o(7), o(2, 3), o(3)),
    lambda m, o: m.addmv(o(2).double(), o(2, 3), o(3)),
    lambda m, o: m.addr(o(2, 2), o(2, 2), o(2)),
    lambda m, o: m.addr(o(7, 2), o(2), o(2)),
    lambda m, o: m.addr(o(2, 2).long(), o(2).long(), o(2).long(), beta=1.5),
    lambda m, o: m.baddbmm(o(3, 5), o(2, 3, 4), o(2, 3, 5)),
    lambda m, o: m.baddbmm(o(7), o(2, 2, 3), o(2, 3, 2)),
    lambda m, o: m.baddbmm(o(2).double(), o(2, 2, 3), o(2, 3, 2)),
    lambda m, o: m.baddbmm(o(2), o(2, 3), o(2, 3, 2)),
    lambda m, o: o(2).baddbmm_(o(2, 2, 3), o(2, 3, 2)),
    lambda m, o: m.addbmm(o(3, 5), o(2, 3, 4), o(3, 4, 5)),
    lambda m, o: m.addbmm(o(2), o(2, 2, 3), o(2, 2, 2)),
    lambda m, o: m.addbmm(o(7), o(2, 2, 3), o(2, 3, 2)),
    lambda m, o: m.addbmm(o(2), o(2, 2), o(2, 2, 2)),
    lambda m, o: m.linalg.multi_dot([o(2, 3)]),
    lambda m, o: m.linalg.multi_dot([o(2, 3), o(4, 5)]),
    lambda m, o: m.linalg.multi_dot([o(2, 3), o(3), o(4, 5)]),
    lambda m, o: m.matrix_power(o(3, 2), 2),
    lambda m, o: m.matrix_power(o(3), 2),
    lambda m, o: m.linalg.vecdot(o(2, 3), o(2, 2)),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_product_error_is_torchs(case):
    call = ERRORS[case]
    assert_same_error(
        lambda: call(npg, lambda *s: npg.ones(*s)), lambda: call(torch, lambda *s: torch.ones(*s)), text=True
    )


def test_in_place_product_refused_changes_nothing():
    x = npg.ones(2, 4)
    for call in (x.addmm_, x.addbmm_):
        with pytest.raises(RuntimeError):
            call(npg.ones(3, 3), npg.ones(3, 4))
    assert (x == 1).all()


# ----- einsum -----

EQUATIONS = [
    ("bhid,bhjd->bhij", (2, 3, 4, 5), (2, 3, 6, 5)), ("bhij,bhjd->bhid", (2, 3, 4, 5), (2, 3, 5, 6)),
    ("bthd,bshd->bhts", (2, 4, 3, 5), (2, 6, 3, 5)), ("btc,cd->btd", (2, 3, 4), (4, 5)),
    ("btc,btd->cd", (2, 3, 4), (2, 3, 5)),
    ("ij,jk->ki", (2, 3), (3, 4)), ("ij,kj", (2, 3), (4, 3)), ("i,i->", (3,), (3,)), ("i,i->i", (3,), (3,)),
    ("i,j->ij", (3,), (4,)), ("i,j->ji", (3,), (4,)), ("bi,bi->b", (2, 3), (2, 3)), ("bi,bj->bij", (2, 3), (2, 4)),
    ("ii", (3, 3)), ("ii->i", (3, 3)), ("iij->j", (3, 3, 4)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("ij->i", (2, 3)),
    ("iji->ij", (3, 2, 3)), ("ii,jj->ij", (3, 3), (4, 4)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("i,j,k,l->lkji", (2,), (3,), (4,), (5,)), ("bi,bi,bi->b", (2, 3), (2, 3), (2, 3)),
    ("ijk,jil->kl", (2, 3, 4), (3, 2, 5)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)), ("...ij,...jk->...ik", (5, 2, 3), (1, 3, 4)),
    ("...i,...i", (5, 3), (5, 3)),
    ("i...,...->i...", (3, 4), (4,)), ("...->...", (2, 3)), ("a...b->b...a", (2, 3, 4)), ("ij,ij->ij", (2, 1), (2, 3)),
    ("ij,jk->ik", (2, 1), (3, 4)), (",i->i", (), (3,)), ("ij,k->", (2, 3), (4,)), ("aB,Bc", (2, 3), (3, 4)),
    (" i j , j k -> i k ", (2, 3), (3, 4)), ("ij,jk->ik", (2, 0), (0, 4)), ("bij,jk->bik", (0, 2, 3), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize("case", EQUATIONS, ids=str)
def test_einsum_is_like_torch(case):
    equation, *shapes = case
    arrays = [r(*s) for s in shapes]
    both(lambda m, *t: m.einsum(equation, *t), *arrays)
    both(lambda m, *t: m.einsum(equation, *t), *(strided(a) if a.ndim else a for a in arrays))
    both(lambda m, *t: m.einsum(equation, list(t)), *(a.astype(np.float32) for a in arrays))
    both(lambda m, *t: m.einsum(equation, *t), *(np.asarray(a * 9).astype(np.int64) for a in arrays), grad=False)


def test_einsum_sublists_are_like_torch():
    both(lambda m, a, b: m.einsum(a, [0, 1], b, [1, 2], [0, 2]), M23, M34)
    both(lambda m, a, b: m.einsum(a, [0, 1], b, [1, 2]), M23, M34)
    both(lambda m, a, b: m.einsum(a, [..., 1], b, [1, 51], [..., 51]), B, M34)
    both(lambda m, a: m.einsum(a, [1, 0]), M23)
    both(lambda m, a: m.einsum(a, [1, 0], [1]), M23)


def random_equation(rand):
    letters = "abcdeF"
    size = {c: rand.choice([1, 2, 3]) for c in letters}
    terms, shapes = [], []
    for _ in range(rand.choice([1, 2, 2, 2, 3, 4])):
        labels = [rand.choice(letters) for _ in range(rand.randrange(4))]
        if rand.random() < 0.8:
            labels = list(dict.fromkeys(labels))
        own = {}
        shape = [own.setdefault(c, size[c] if rand.random() < 0.9 else 1) for c in labels]
        if rand.random() < 0.25:
            at = rand.randrange(len(labels) + 1)
            labels.insert(at, "...")
            shape[at:at] = [3, 2][rand.randrange(3) :]
        terms.append("".join(labels))
        shapes.append(tuple(shape))
    equation = ",".join(terms)
    if rand.random() < 0.75:
        out = [c for c in letters if c in equation]
        rand.shuffle(out)
        out = out[: rand.randrange(len(out) + 1)]
        if "..." in equation:
            out.insert(rand.randrange(len(out) + 1), "...")
        equation += "->" + "".join(out)
    return equation, shapes


@pytest.mark.parametrize("seed", range(25))
def test_einsum_random_equation_is_like_torch(seed):
    rand = random.Random(seed)
    for _ in range(6):
        equation, shapes = random_equation(rand)
        tensors = tuple(torch.from_numpy(r(*s)).requires_grad_() for s in shapes)
        try:
            torch.einsum(equation, *tensors)
        except RuntimeError:  # sizes that do not broadcast
            assert_same_error(
                lambda: npg.einsum(equation, *to_npg(tensors)),  # noqa: B023
                lambda: torch.einsum(equation, *tensors),  # noqa: B023
            )
            continue
        compare_calls(
            lambda *t: npg.einsum(equation, *t),  # noqa: B023
            lambda *t: torch.einsum(equation, *t),  # noqa: B023
            tensors,
            {},
            rtol=1e-9,
            atol=1e-9,
        )


EINSUM_ERRORS = [
    ("ij,jk->ik", (2, 3), (4, 5)), ("ij,jk->ik", (2, 3)), ("ij->ij", (2, 3), (2, 3)), ("ijk->ij", (2, 3)),
    ("ij->ik", (2, 3)), ("ij->ii", (2, 3)), ("ii", (2, 3)), ("i1->i", (2, 3)), ("...i...->i", (2,)), ("i->.i", (2,)),
    ("...,...->...", (2,), (3,)), ("i,", (2,)), ("i->i", (2, 3)), ("...ijk->i", (2, 3)), ("ij->1", (2, 3)),
]  # fmt: skip


@pytest.mark.parametrize("case", EINSUM_ERRORS, ids=str)
def test_einsum_error_is_torchs(case):
    equation, *shapes = case
    tensors = [torch.ones(s) for s in shapes]
    assert_same_error(lambda: npg.einsum(equation, *to_npg(tensors)), lambda: torch.einsum(equation, *tensors))


MORE_EINSUM_ERRORS = [
    lambda m: m.einsum("->"),
    lambda m: m.einsum("i->i", 3),
    lambda m: m.einsum(m.ones(2, 3), [0, 60], [0]),
    lambda m: m.einsum("ij,jk->ik", m.ones(2, 2), m.ones(2, 2).double()),
    lambda m: m.einsum("ij,jk->ik", m.ones(2, 2) > 0, m.ones(2, 2) > 0),
]


@pytest.mark.parametrize("call", MORE_EINSUM_ERRORS)
def test_einsum_call_error_is_torchs(call):
    assert_same_error(lambda: call(npg), lambda: call(torch))


def test_einsum_promotes_where_nothing_is_summed():
    both(lambda m, a, b: m.einsum("i,i->i", a, b), V3, (V3 * 2).astype(np.float32))


@pytest.mark.parametrize(
    ("equation", "calls"),
    [("bhid,bhjd->bhij", 1), ("btc,cd->btd", 1), ("btc,btd->cd", 1), ("ij,kj->ki", 1), ("i,j->ij", 0)],
)
def test_contract_is_one_matrix_product(equation, calls, monkeypatch):
    left, right, out = (tuple(map(ord, part)) for part in equation.replace("->", ",").split(","))
    size = {c: 3 + i for i, c in enumerate(sorted({*left, *right}))}
    a, b = r(*(size[c] for c in left)), r(*(size[c] for c in right))
    multiplied = []
    original = np.matmul
    monkeypatch.setattr(products, "_multiply", None)
    monkeypatch.setattr(np, "matmul", lambda x, y, out: multiplied.append(1) or original(x, y, out))
    monkeypatch.setattr(np, "einsum", None)  # not by way of NumPy's loops
    y = contract.forward(a, b, left=left, right=right, out=out)
    monkeypatch.undo()
    assert len(multiplied) == calls
    np.testing.assert_allclose(y, np.einsum(equation, a, b), rtol=1e-12)
    assert y.flags.c_contiguous


@pytest.mark.parametrize(
    "shapes", [((3, 3), (3, 3)), ((3, 3), (3,)), ((3,), (3, 3)), ((3,), (3,)), ((2, 3, 3), (3, 3))]
)
def test_matmul_node_is_named_after_torchs_last_step(shapes):
    check(f"x, y = (lib.ones(s, requires_grad=True) for s in {shapes}); r = repr(x @ y)")
