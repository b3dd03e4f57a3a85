"""npg.linalg against torch: inverse, equations, factorizations, norms; what is known up to signs by its properties."""

import math

import numpy as np
import pytest
import torch

import npg
from npg.functional import return_types
from tests.helpers import assert_like, assert_same_error, check_like_torch, strided

rng = np.random.default_rng(9)
inf = math.inf


def r(*shape):
    return rng.standard_normal(shape)


def regular(*shape):
    """Return matrices that are far from singular."""
    return r(*shape) + 4 * np.eye(shape[-1])


def positive(*shape):
    x = r(*shape)
    return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])


def symmetric(*shape):
    """Return symmetric matrices with well-separated eigenvalues."""
    x = r(*shape)
    return (x + np.swapaxes(x, -1, -2)) / 4 + np.diag(np.arange(shape[-1]) * 2.0)


def both(call, *arrays, **settings):
    settings = {"rtol": 1e-8, "atol": 1e-8, **settings}
    check_like_torch(lambda *a: call(npg, *a), lambda *a: call(torch, *a), *arrays, **settings)


# ----- Like torch, number for number -----

A3, BATCH, TALL, WIDE = regular(3, 3), regular(2, 3, 3), r(5, 3), r(2, 3, 5)
SPD, SYM = positive(2, 3, 3), symmetric(2, 4, 4)
CALLS = {
    "inv": (lambda m, a: m.linalg.inv(a), BATCH),
    "inverse": (lambda m, a: m.inverse(a), A3),
    "inv of transposed": (lambda m, a: m.linalg.inv(a.mT), BATCH),
    "det": (lambda m, a: m.linalg.det(a), BATCH),
    "det negative": (lambda m, a: m.det(-a), A3),
    "slogdet": (lambda m, a: m.linalg.slogdet(a), BATCH),
    "slogdet negative": (lambda m, a: m.slogdet(-a), A3),
    "logdet": (lambda m, a: m.logdet(a), BATCH),
    "power 3": (lambda m, a: m.matrix_power(a, 3), A3),
    "power 6": (lambda m, a: m.linalg.matrix_power(a, 6), r(2, 3, 3)),
    "power 0": (lambda m, a: m.matrix_power(a, 0), A3),
    "power -2": (lambda m, a: m.matrix_power(a, -2), BATCH),
    "solve": (lambda m, a, b: m.linalg.solve(a, b), BATCH, r(2, 3, 4)),
    "solve vector": (lambda m, a, b: m.linalg.solve(a, b), A3, r(3)),
    "solve vectors": (lambda m, a, b: m.linalg.solve(a, b), BATCH, r(2, 3)),
    "solve broadcast": (lambda m, a, b: m.linalg.solve(a, b), BATCH, r(3, 4)),
    "solve broadcast A": (lambda m, a, b: m.linalg.solve(a, b), A3, r(2, 3, 4)),
    "solve right": (lambda m, a, b: m.linalg.solve(a, b, left=False), BATCH, r(2, 4, 3)),
    "triangular": (lambda m, a, b: m.linalg.solve_triangular(a, b, upper=True), BATCH, r(2, 3, 4)),
    "triangular lower": (lambda m, a, b: m.linalg.solve_triangular(a, b, upper=False), A3, r(2, 3, 4)),
    "triangular right": (lambda m, a, b: m.linalg.solve_triangular(a, b, upper=True, left=False), A3, r(4, 3)),
    "triangular unit": (
        lambda m, a, b: m.linalg.solve_triangular(a, b, upper=False, unitriangular=True), A3 / 4, r(3, 2),
    ),
    "lstsq": (lambda m, a, b: m.linalg.lstsq(a, b)[0], TALL, r(5, 2)),
    "lstsq wide": (lambda m, a, b: m.linalg.lstsq(a, b).solution, WIDE, r(2, 3, 1)),
    "lstsq vectors": (lambda m, a, b: m.linalg.lstsq(a, b)[0], r(2, 5, 3), r(2, 5)),
    "lstsq residuals": (lambda m, a, b: m.linalg.lstsq(a, b, driver="gels")[1], TALL, r(5, 2)),
    "pinv": (lambda m, a: m.linalg.pinv(a), TALL),
    "pinv wide": (lambda m, a: m.pinverse(a), WIDE),
    "cholesky": (lambda m, a: m.linalg.cholesky(a), SPD),
    "cholesky upper": (lambda m, a: m.linalg.cholesky(a, upper=True), SPD),
    "qr": (lambda m, a: m.linalg.qr(a), TALL),
    "qr wide": (lambda m, a: m.linalg.qr(a), WIDE),
    "qr R only": (lambda m, a: m.linalg.qr(a).R, r(2, 5, 3)),
    "qr Q only": (lambda m, a: m.linalg.qr(a).Q, r(2, 3, 5)),
    "qr complete": (lambda m, a: m.linalg.qr(a, "complete"), r(3, 5)),
    "svdvals": (lambda m, a: m.linalg.svdvals(a), WIDE),
    "svd S": (lambda m, a: m.linalg.svd(a).S, TALL),
    "eigvalsh": (lambda m, a: m.linalg.eigvalsh(a), SYM),
    "eigh values": (lambda m, a: m.linalg.eigh(a, UPLO="U")[0], SYM),
    "tensorinv": (lambda m, a: m.linalg.tensorinv(a), regular(6, 6).reshape(2, 3, 3, 2)),
    "tensorsolve": (lambda m, a, b: m.linalg.tensorsolve(a, b), regular(6, 6).reshape(2, 3, 6), r(2, 3)),
    "tensorsolve dims": (lambda m, a, b: m.linalg.tensorsolve(a, b, dims=(0,)), r(6, 2, 3), r(2, 3)),
    "vander": (lambda m, a: m.linalg.vander(a, N=4), r(2, 3)),
    "diagonal": (lambda m, a: m.linalg.diagonal(a, offset=1), BATCH),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_linalg_is_like_torch(name):
    call, *arrays = CALLS[name]
    both(call, *arrays)
    both(call, *(strided(a) for a in arrays))
    both(call, *(a.astype(np.float32) for a in arrays), rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "eigvalsh", "svdvals", "pinv", "qr"])
@pytest.mark.parametrize("shape", [(0, 0), (0, 3, 3), (2, 0, 0), (1, 1)], ids=str)
def test_linalg_of_nothing_is_like_torch(name, shape):
    call = CALLS[name][0]
    both(call, np.abs(r(*shape)) + 1, second=False)


def test_linalg_nodes_are_torchs():
    a, t = npg.tensor(SPD[0], requires_grad=True), torch.tensor(SPD[0], requires_grad=True)
    for f in ("inv", "det", "slogdet", "cholesky", "qr", "svd", "eigh", "pinv", "svdvals", "eigvalsh"):
        actual, expected = getattr(npg.linalg, f)(a), getattr(torch.linalg, f)(t)
        actual, expected = (x[0] if isinstance(x, tuple) else x for x in (actual, expected))
        if f not in ("cholesky",):
            assert actual.grad_fn.name() == expected.grad_fn.name(), f


# ----- Known up to signs -----


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (2, 4, 3), (0, 3), (2, 3, 0)], ids=str)
@pytest.mark.parametrize("full", [True, False])
def test_svd_multiplies_to_its_input(shape, full):
    a = r(*shape)
    u, s, vh = (x.numpy() for x in npg.linalg.svd(npg.tensor(a), full_matrices=full))
    expected = torch.linalg.svd(torch.tensor(a), full_matrices=full)
    assert (u.shape, s.shape, vh.shape) == tuple(tuple(x.shape) for x in expected)
    np.testing.assert_allclose(s, expected.S.numpy(), rtol=1e-12, atol=1e-12)
    k = s.shape[-1]
    np.testing.assert_allclose((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (2, 4, 3)], ids=str)
@pytest.mark.parametrize("full", [True, False])
def test_svd_gradient_is_torchs(shape, full):
    def call(m, a):
        u, s, vh = m.linalg.svd(a, full_matrices=full)
        k = min(shape[-2:])
        u, vh = u[..., :k], vh[..., :k, :]
        # Independent of the signs: products of columns with the same sign.
        return u * u * s.unsqueeze(-2), vh * vh, u @ (s.unsqueeze(-1) ** 2 * vh)

    both(call, r(*shape))


@pytest.mark.parametrize("uplo", ["L", "U"])
def test_eigh_gradient_is_torchs(uplo):
    def call(m, a):
        values, v = m.linalg.eigh((a + a.mT) / 2, uplo)
        return values, v * v, (v * values.unsqueeze(-2) ** 3) @ v.mT

    both(call, SYM)


def test_eigh_reads_one_triangle():
    a = r(4, 4)
    for uplo in ("L", "U"):
        values, v = npg.linalg.eigh(npg.tensor(a), uplo)
        half = np.tril(a) if uplo == "L" else np.triu(a)
        mirrored = half + half.T - np.diag(np.diag(a))
        np.testing.assert_allclose(mirrored @ v.numpy(), v.numpy() * values.numpy(), atol=1e-12)


# ----- Singular matrices -----


def test_det_of_singular_has_the_gradient_of_the_cofactors():
    # By expansion: the derivative of det by an element is its cofactor.
    for a in (np.diag([1.0, 2.0, 0.0]), np.diag([1.0, 0.0, 0.0]), np.zeros((2, 2)), np.ones((3, 3))):
        x = npg.tensor(a, requires_grad=True)
        npg.linalg.det(x).backward()
        n = len(a)
        expected = np.empty((n, n))
        for i in range(n):
            for j in range(n):
                minor = np.delete(np.delete(a, i, 0), j, 1)
                expected[i, j] = (-1) ** (i + j) * np.linalg.det(minor)
        np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-12)


def test_slogdet_and_logdet_of_singular_and_negative_are_torchs():
    both(lambda m, a: m.linalg.slogdet(a), np.zeros((2, 2)), grad=False)
    both(lambda m, a: m.logdet(-a), np.eye(3), grad=False)


@pytest.mark.parametrize("tolerances", [{}, {"rtol": 0.3}, {"atol": 0.5}], ids=str)
def test_pinv_of_a_hermitian_matrix_reads_the_lower_triangle(tolerances):
    a = r(2, 4, 4)
    both(lambda m, a: m.linalg.pinv(a, hermitian=True, **tolerances), a, rtol=1e-5, atol=1e-5, grad=False)
    both(lambda m, a: m.linalg.pinv(a + a.mT, hermitian=True, **tolerances), a, rtol=1e-4, atol=1e-4)


def test_pinv_of_a_product_is_like_torch():
    both(lambda m, a, b: m.linalg.pinv(a @ b.mT), r(2, 4, 2), r(2, 5, 2), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("tolerances", [{"atol": 0.1}, {"rtol": 0.1}, {"atol": 0.05, "rtol": 0.001}, {"rcond": 1e-3}])
def test_pinv_tolerances_are_torchs(tolerances):
    a = np.stack([np.diag([1.0, 0.01]), np.diag([5.0, 0.07])])
    both(lambda m, a: m.linalg.pinv(a, **tolerances), a, grad=False)
    settings = {k: v for k, v in tolerances.items() if k != "rcond"}
    both(lambda m, a: m.linalg.matrix_rank(a, **settings), a, grad=False)
    both(lambda m, a: m.linalg.matrix_rank(a, hermitian=True, **settings), a, grad=False)


def test_matrix_rank_is_like_torch():
    low = r(5, 2) @ r(2, 4)
    for a in (low, low.astype(np.float32), np.zeros((3, 3)), np.eye(3), r(2, 3, 5), np.zeros((0, 3))):
        both(lambda m, a: m.linalg.matrix_rank(a), a, grad=False)
    both(lambda m, a: m.linalg.matrix_rank(a, tol=100.0), low, grad=False)
    both(lambda m, a, t: m.linalg.matrix_rank(a, rtol=t), np.stack([low, low]), np.array([1e-6, 0.99]), grad=False)


@pytest.mark.parametrize("driver", [None, "gels", "gelsy", "gelsd", "gelss"])
def test_lstsq_results_are_torchs(driver):
    both(lambda m, a, b: list(m.linalg.lstsq(a, b, driver=driver)), r(2, 5, 3), r(2, 5, 2), grad=False)
    both(lambda m, a, b: list(m.linalg.lstsq(a, b, driver=driver)), r(3, 5), r(3, 2), grad=False)


# ----- Norms -----


@pytest.mark.parametrize("p", ["fro", "nuc", 1, -1, 2, -2, inf, -inf])
def test_matrix_norm_is_like_torch(p):
    for keepdim in (False, True):
        both(lambda m, a: m.linalg.matrix_norm(a, p, keepdim=keepdim), WIDE, second=p not in (2, -2))  # noqa: B023
        both(lambda m, a: m.linalg.matrix_norm(a, p, (0, 2), keepdim), r(3, 2, 4), second=p not in (2, -2))  # noqa: B023
    both(lambda m, a: m.linalg.norm(a, p), TALL, second=p not in (2, -2))
    both(lambda m, a: m.linalg.norm(a, p, dim=(1, 0)), TALL, second=p not in (2, -2))
    if p in ("fro", 1, inf):
        both(lambda m, a: m.linalg.matrix_norm(a, p, dtype=m.float64), TALL.astype(np.float32))


@pytest.mark.parametrize("p", [None, 0, 1, 2, 3.5, inf, -inf])
def test_norm_of_vectors_is_like_torch(p):
    both(lambda m, a: m.linalg.norm(a, p), r(5))
    both(lambda m, a: m.linalg.norm(a, p, dim=1), TALL)
    both(lambda m, a: m.linalg.norm(a, p, 0, True), TALL)
    both(lambda m, a: m.linalg.norm(a), WIDE)


@pytest.mark.parametrize("p", [None, 1, -1, 2, -2, inf, -inf, "fro", "nuc"])
def test_cond_is_like_torch(p):
    both(lambda m, a: m.linalg.cond(a, p), BATCH, grad=False)
    if p in (None, 2, -2):
        both(lambda m, a: m.linalg.cond(a, p), BATCH, second=False)
        return
    if p == "nuc":  # PyTorch gives nan for zeros, and for ones inf or, with another LAPACK, a large number
        assert npg.linalg.cond(npg.ones(2, 2), p) == inf == npg.linalg.cond(npg.zeros(2, 2), p)
        assert torch.linalg.cond(torch.ones(2, 2, dtype=torch.float64), p) > 1e15
    else:
        both(lambda m, a: m.linalg.cond(a, p), np.stack([np.eye(2), np.ones((2, 2)), np.zeros((2, 2))]), grad=False)
    # PyTorch's backward of these fails, so here are its parts.
    check_like_torch(
        lambda a: npg.linalg.cond(a, p),
        lambda a: torch.linalg.matrix_norm(a, p) * torch.linalg.matrix_norm(torch.linalg.inv(a), p),
        BATCH,
        rtol=1e-8,
        second=False,
    )


# ----- Errors -----

ERRORS = {
    f"{name} {i}": call
    for name in ("inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh")
    for i, call in enumerate(
        [
            lambda m, n=name: getattr(m.linalg, n)(m.ones(2, 3)),
            lambda m, n=name: getattr(m.linalg, n)(m.ones(2)),
            lambda m, n=name: getattr(m.linalg, n)(m.ones(2, 2).long()),
        ]
    )
}
ERRORS |= {
    f"{name} {i}": call
    for name in ("qr", "svd", "pinv", "matrix_rank", "svdvals", "cond", "matrix_norm")
    for i, call in enumerate(
        [
            lambda m, n=name: getattr(m.linalg, n)(m.ones(2)),
            lambda m, n=name: getattr(m.linalg, n)(m.ones(2, 2).long()),
        ]
    )
}
ERRORS |= {
    "inv singular": lambda m: m.linalg.inv(m.zeros(2, 2)),
    "inv singular later": lambda m: m.linalg.inv(m.tensor([[1.0, 2, 3], [0, 1, 1], [0, 2, 2]])),
    "inv singular batch": lambda m: m.linalg.inv(m.stack([m.eye(3), m.zeros(3, 3)])),
    "power singular": lambda m: m.matrix_power(m.zeros(2, 2), -1),
    "power of ints": lambda m: m.matrix_power(m.ones(2, 2).long(), -1),
    "solve shapes": lambda m: m.linalg.solve(m.eye(2), m.ones(3)),
    "solve matrices": lambda m: m.linalg.solve(m.eye(2), m.ones(3, 1)),
    "solve right": lambda m: m.linalg.solve(m.eye(2), m.ones(3, 3), left=False),
    "solve singular": lambda m: m.linalg.solve(m.zeros(2, 2), m.ones(2)),
    "solve singular batch": lambda m: m.linalg.solve(m.stack([m.eye(2), m.zeros(2, 2)]), m.ones(2, 2)),
    "solve dtypes": lambda m: m.linalg.solve(m.eye(2), m.ones(2).double()),
    "solve not square": lambda m: m.linalg.solve(m.ones(2, 3), m.ones(2)),
    "cholesky negative": lambda m: m.linalg.cholesky(-m.eye(3)),
    "cholesky later": lambda m: m.linalg.cholesky(m.diag(m.tensor([1.0, 1.0, -1.0]))),
    "cholesky batch": lambda m: m.linalg.cholesky(m.stack([m.eye(2), -m.eye(2)])),
    "qr mode": lambda m: m.linalg.qr(m.eye(2), "foo"),
    "eigh uplo": lambda m: m.linalg.eigh(m.eye(2), "X"),
    "triangular vector": lambda m: m.linalg.solve_triangular(m.eye(2), m.ones(2), upper=True),
    "triangular shapes": lambda m: m.linalg.solve_triangular(m.eye(2), m.ones(3, 2), upper=True),
    "lstsq shapes": lambda m: m.linalg.lstsq(m.ones(3, 2), m.ones(4, 1)),
    "lstsq driver": lambda m: m.linalg.lstsq(m.ones(3, 2), m.ones(3, 1), driver="foo"),
    "lstsq dtypes": lambda m: m.linalg.lstsq(m.ones(3, 2), m.ones(3, 1).double()),
    "norm order": lambda m: m.linalg.norm(m.ones(3, 2), 3),
    "norm 3d": lambda m: m.linalg.norm(m.ones(3, 2, 2), 2),
    "norm dims": lambda m: m.linalg.norm(m.ones(3, 2, 2), 2, (0, 1, 2)),
    "norm fro of a vector": lambda m: m.linalg.norm(m.ones(3), "fro"),
    "norm fro of one dim": lambda m: m.linalg.norm(m.ones(3, 2, 2), "fro", dim=1),
    "norm of ints": lambda m: m.linalg.norm(m.ones(3).long()),
    "matrix norm order": lambda m: m.linalg.matrix_norm(m.ones(3, 2), 3),
    "matrix norm name": lambda m: m.linalg.matrix_norm(m.ones(3, 2), "foo"),
    "matrix norm same dims": lambda m: m.linalg.matrix_norm(m.ones(3, 2), "fro", (0, 0)),
    "cond order": lambda m: m.linalg.cond(m.eye(2), 3),
    "cond not square": lambda m: m.linalg.cond(m.ones(2, 3), 1),
    "rank hermitian": lambda m: m.linalg.matrix_rank(m.ones(2, 3), hermitian=True),
    "tensorinv": lambda m: m.linalg.tensorinv(m.ones(4, 6, 8, 2)),
    "tensorinv ind": lambda m: m.linalg.tensorinv(m.ones(4, 4), 0),
    "tensorsolve": lambda m: m.linalg.tensorsolve(m.ones(6, 4, 2, 3, 2), m.ones(6, 4)),
    "vander": lambda m: m.linalg.vander(m.ones(3), N=1),
    "qr complete backward": lambda m: m.linalg.qr(m.ones(3, 2).requires_grad_(), "complete")[1].sum().backward(),
    "qr r backward": lambda m: m.linalg.qr(m.ones(3, 2).requires_grad_(), "r")[1].sum().backward(),
}


@pytest.mark.parametrize("name", ERRORS)
def test_linalg_error_is_torchs(name):
    call = ERRORS[name]
    if "singular" in name or "cholesky" in name and not name[-1].isdigit():
        with pytest.raises(npg.linalg.LinAlgError) as actual:
            call(npg)
        with pytest.raises(torch.linalg.LinAlgError) as expected:
            call(torch)
        assert str(actual.value) == str(expected.value).replace("torch", "npg")
        return
    assert_same_error(lambda: call(npg), lambda: call(torch))


def test_cholesky_is_at_the_top_too():
    assert_like(npg.cholesky(npg.tensor(SPD)), torch.linalg.cholesky(torch.tensor(SPD)))


def test_linalg_results_have_torchs_names():
    a = npg.eye(2)
    assert npg.linalg.svd(a).Vh.shape == (2, 2)
    assert isinstance(npg.linalg.eigh(a), return_types.linalg_eigh)
    assert npg.linalg.eigh(a).eigenvectors.shape == (2, 2)
    assert npg.linalg.slogdet(a).logabsdet.item() == 0
    assert npg.linalg.qr(a).R.shape == (2, 2)
    assert npg.linalg.lstsq(a, a).rank.item() == 2
    assert repr(npg.linalg.slogdet(a)) == repr(torch.linalg.slogdet(torch.eye(2))).replace("torch", "npg")


def test_linalg_error_is_a_runtime_error():
    assert issubclass(npg.linalg.LinAlgError, RuntimeError)
    assert_like(npg.linalg.solve(npg.eye(2), npg.ones(2)), torch.ones(2))
