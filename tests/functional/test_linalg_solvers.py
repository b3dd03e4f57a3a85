"""Matrices that cannot be solved, inverted or factored: nan, infinite, singular, empty; errors equal PyTorch's."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import npg
import npg.linalg
from tests.helpers import assert_like, check_like_torch

NAN, INF = np.nan, np.inf
MATRICES = {
    "nan": np.full((2, 2), NAN),
    "one nan": np.array([[2.0, 1], [1, NAN]]),
    "nan above": np.array([[2.0, NAN], [1, 2]]),
    "nan in a batch": np.stack([np.eye(2), np.full((2, 2), NAN)]),
    "inf": np.array([[INF, 1], [1, 2.0]]),
    "zero": np.zeros((2, 2)),
    "singular": np.ones((2, 2)),
    "negative": -np.eye(2),
    "singular in a batch": np.stack([np.eye(2), np.zeros((2, 2))]),
    "tall nan": np.full((3, 2), NAN),
    "(0, 0)": np.zeros((0, 0)),
    "(0, 2, 2)": np.zeros((0, 2, 2)),
    "(2, 0, 0)": np.zeros((2, 0, 0)),
    "(0, 3)": np.zeros((0, 3)),
    "(3, 0)": np.zeros((3, 0)),
}


def _solved(lib, x):
    return lib.linalg.solve(x, lib.ones(x.shape[-2], 1, dtype=lib.float64))


FUNCTIONS = {
    **{n: lambda lib, x, n=n: getattr(lib.linalg, n)(x) for n in ("cholesky", "inv", "det", "slogdet", "svdvals")},
    "eigvalsh": lambda lib, x: lib.linalg.eigvalsh(x),
    **{f"norm {o}": lambda lib, x, o=o: lib.linalg.matrix_norm(x, o) for o in ("nuc", "fro", 2, 1, INF)},
    **{f"linalg.norm {o}": lambda lib, x, o=o: lib.linalg.norm(x, o) for o in ("nuc", 2)},
    "singular vectors": lambda lib, x: lib.linalg.svd(x)[1],
    "pinv": lambda lib, x: lib.linalg.pinv(x),
    "rank": lambda lib, x: lib.linalg.matrix_rank(x),
    "cond": lambda lib, x: lib.linalg.cond(x),
    "upper cholesky": lambda lib, x: lib.linalg.cholesky(x, upper=True),
    "solve": _solved,
    "power": lambda lib, x: lib.linalg.matrix_power(x, -2),
}  # fmt: skip
# LAPACKs differ in whether a singular value rounds to 0.
BY_LAPACK = {("cond", "singular")}


def _outcome(lib, function, array):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(lib, lib.from_numpy(array.copy())), None
        except Exception as error:
            return None, error


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_odd_matrices_as_torch(name, matrix):
    expected, torch_error = _outcome(torch, FUNCTIONS[name], MATRICES[matrix])
    actual, error = _outcome(npg, FUNCTIONS[name], MATRICES[matrix])
    assert (error is None) == (torch_error is None), (error, torch_error)
    if error is not None:
        assert isinstance(error, npg.linalg.LinAlgError) == isinstance(torch_error, torch.linalg.LinAlgError)
        assert str(error).split("\n")[0] == str(torch_error).split("\n")[0].replace("torch.", "npg.")
        return
    pairs = zip(actual, expected, strict=True) if isinstance(actual, tuple) else [(actual, expected)]
    for f, e in pairs:
        assert f.shape == tuple(e.shape)
        if (name, matrix.removesuffix(" in a batch")) not in BY_LAPACK:
            np.testing.assert_allclose(f.numpy(), e.numpy(), 1e-9, 1e-9)


@pytest.mark.parametrize("driver", ["gels", "gelsy", "gelsd", "gelss"])
def test_least_squares_of_nan_is_refused_without_a_word_from_lapack(driver, capfd):
    for array in (MATRICES["nan"], MATRICES["tall nan"], MATRICES["inf"]):
        a = npg.from_numpy(array)
        with pytest.raises(npg.linalg.LinAlgError, match="the input matrix contained non-finite values"):
            npg.linalg.lstsq(a, npg.ones(array.shape[0], 1, dtype=npg.float64), driver=driver)
    with pytest.raises(npg.linalg.LinAlgError, match="Batch element 1"):
        b = npg.ones(2, 2, 1, dtype=npg.float64)
        npg.linalg.lstsq(npg.from_numpy(MATRICES["nan in a batch"]), b, driver=driver)
    assert capfd.readouterr() == ("", "")


def test_gradient_of_a_norm_of_nan_is_refused_alike():
    x = npg.tensor(MATRICES["nan"], requires_grad=True)
    for function in (lambda x: npg.linalg.matrix_norm(x, "nuc"), npg.linalg.svdvals, npg.linalg.pinv):
        with pytest.raises(npg.linalg.LinAlgError, match="linalg.svd: The algorithm failed to converge"):
            function(x)


# ----- Medians and modes -----


def test_median_and_mode_of_nan_and_of_nothing():
    x = npg.tensor([NAN, 1.0, 1.0])
    assert np.isnan(x.median().item()) and x.nanmedian().item() == 1
    # nan equals nothing, so it is never the most frequent; PyTorch's result depends on its sort.
    assert x.mode().values.item() == 1 and npg.tensor([1.0, NAN, 1.0]).mode().indices.item() == 2
    assert np.isnan(npg.ones(0).median().item()) and npg.ones(0, 2).median(1).values.shape == (0,)
    for call in (lambda: npg.ones(0).mode(), lambda: npg.ones(0, 2).median(0)):
        with pytest.raises(IndexError, match="Expected reduction dim 0 to have non-zero size"):
            call()


# ----- Generated: matrices with zeros, infinities and nan -----

ENTRIES = [0.0, 1.0, -2.0, 3.0, 0.5]
ODD = [INF, -INF, NAN]
BY_ELIMINATION = {
    "solve": lambda lib, x: lib.linalg.solve(x, lib.ones(x.shape[-1], 1, dtype=lib.float64)),
    "inv": lambda lib, x: lib.linalg.inv(x),
    "det": lambda lib, x: lib.linalg.det(x),
    "slogdet": lambda lib, x: lib.stack(tuple(lib.linalg.slogdet(x))),
    "logdet": lambda lib, x: lib.logdet(x),
    "upper": lambda lib, x: lib.linalg.solve_triangular(x, lib.ones(x.shape[-1], 2, dtype=lib.float64), upper=True),
    "lower": lambda lib, x: lib.linalg.solve_triangular(x, lib.ones(x.shape[-1], 2, dtype=lib.float64), upper=False),
}


# On some processors PyTorch's LAPACK eliminates in an order of its own, which shows where numbers are infinite.
EXAMPLE = torch.tensor([[3.0, 1.0, 1.0], [3.0, 0.0, 1.0], [INF, 0.0, 0.0]], dtype=torch.float64)
IN_ORDER = bool(torch.linalg.slogdet(EXAMPLE)[1].isnan())


@st.composite
def matrices(draw):
    n = draw(st.integers(1, 5))
    x = np.array(draw(st.lists(st.sampled_from(ENTRIES), min_size=n * n, max_size=n * n)))
    for place in draw(st.lists(st.integers(0, n * n - 1), max_size=3)):
        x[place] = draw(st.sampled_from(ODD))
    return x.reshape(n, n)


@pytest.mark.parametrize("name", BY_ELIMINATION)
@given(x=matrices())
def test_matrix_with_odd_numbers_gives_torchs_result(name, x):
    # OpenBLAS may turn inf and nan into numbers where elimination gives nan.
    read = {"upper": np.triu, "lower": np.tril}.get(name, np.array)(x)
    if np.isfinite(read).all() and np.linalg.cond(read) > 1e10:
        return  # singular up to rounding
    (actual, error), (expected, refused) = (_outcome(lib, BY_ELIMINATION[name], x) for lib in (npg, torch))
    if not (IN_ORDER or np.isfinite(read).all()):
        assert error is None or isinstance(error, npg.linalg.LinAlgError)
        return
    if refused is not None:
        assert isinstance(error, npg.linalg.LinAlgError), (actual, refused)
        assert str(error).removeprefix("npg.") == str(refused).removeprefix("torch.")
    else:
        assert error is None, error
        assert np.allclose(actual.numpy(), expected.numpy(), 1e-9, 1e-9, equal_nan=True)


# ----- Vectors and batches -----


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("unitriangular", [True, False])
@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 2, 2), (2, 2)), ((3, 3), (2, 3, 3)), ((2, 3, 3), (3, 3)), ((4, 1, 2, 2), (3, 2, 2)), ((40, 40), (40, 40))]
    + [((0, 2, 2), (2, 2)), ((0, 0), (0, 0))],
)
def test_solve_triangular_takes_a_matrix_for_a_matrix(a, b, upper, left, unitriangular):
    rng = np.random.default_rng(0)
    n = a[-1]
    x = rng.standard_normal(a) / max(n, 1) + np.eye(n)
    y = rng.standard_normal(b)

    def call(lib):
        return lambda x, y: lib.linalg.solve_triangular(x, y, upper=upper, left=left, unitriangular=unitriangular)

    check_like_torch(call(npg), call(torch), x, y)


def test_solve_triangular_of_a_zero_on_the_diagonal_is_infinite():
    actual, expected = (
        lib.linalg.solve_triangular(lib.tensor([[0.0, 0], [1, 1]]), lib.tensor([[1.0, 2], [3, 4]]), upper=False)
        for lib in (npg, torch)
    )
    assert_like(actual, expected)


SHAPES_A = [(2, 2), (1, 2, 2), (2, 2, 2), (3, 2, 2), (1, 3, 2, 2), (3, 2)]
SHAPES_B = [(2,), (2, 2), (1, 2), (3, 2), (2, 2, 2), (3, 2, 2), (1, 2, 2), (3, 1, 2, 2), (2, 1), (3,), (1, 3, 2)]


@pytest.mark.parametrize("a", SHAPES_A)
@pytest.mark.parametrize("b", SHAPES_B)
def test_lstsq_takes_and_refuses_the_shapes_that_torch_does(a, b):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(a), rng.standard_normal(b)

    def outcome(lib):
        try:
            return lib.linalg.lstsq(lib.from_numpy(x), lib.from_numpy(y)).solution.numpy(), None
        except RuntimeError as error:
            return None, str(error).removeprefix(f"{lib.__name__}.")

    (actual, error), (expected, refused) = outcome(npg), outcome(torch)
    assert error == refused
    if refused is None:
        assert actual.shape == expected.shape and np.allclose(actual, expected, 1e-9)
