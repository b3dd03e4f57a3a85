"""NumPy's functions on tensors: NumPy's values, recorded, and a TypeError if npg has no counterpart."""

import numpy as np
import pytest
import torch

import npg

rng = np.random.default_rng(0)
A = rng.uniform(0.1, 0.9, (2, 3))
B = rng.uniform(0.1, 0.9, (2, 3))
SQUARE = rng.uniform(-1, 1, (3, 3))
CUBE = rng.uniform(-1, 1, (2, 3, 4))
INDEX = np.array([[0, 2, 1], [1, 0, 0]])


def leaf(a: np.ndarray) -> npg.Tensor:
    return npg.tensor(a, requires_grad=a.dtype.kind == "f")


def assert_close(actual, expected) -> None:
    if isinstance(expected, (list, tuple)):
        assert len(actual) == len(expected)
        for f, e in zip(actual, expected, strict=True):
            assert_close(f, e)
        return
    assert isinstance(actual, npg.Tensor), f"expected a Tensor, got {actual!r}"
    assert tuple(actual.shape) == np.shape(expected), f"{actual.shape}, NumPy has {np.shape(expected)}"
    np.testing.assert_allclose(actual.detach().numpy(), expected, rtol=1e-12, atol=1e-13)


def numeric_gradient(function, arrays: list[np.ndarray], weights: list[np.ndarray]) -> list[np.ndarray]:
    """Return the gradients of the weighted sum of the results by central differences."""

    def total() -> float:
        results = function(*arrays)
        results = results if isinstance(results, (list, tuple)) else [results]
        return sum(float(np.sum(w * f)) for w, f in zip(weights, results, strict=True))

    gradients = []
    for a in arrays:
        g = np.zeros_like(a)
        for i in np.ndindex(a.shape):
            before = a[i]
            a[i] = before + 1e-6
            up = total()
            a[i] = before - 1e-6
            g[i] = (up - total()) / 2e-6
            a[i] = before
        gradients.append(g)
    return gradients


def check_recorded(function, *arrays: np.ndarray) -> None:
    """Check the value of function(*tensors) against NumPy, and its gradient against central differences."""
    arrays = [np.array(a) for a in arrays]
    expected = function(*arrays)
    xs = [leaf(a) for a in arrays]
    actual = function(*xs)
    assert_close(actual, expected)
    founds = list(actual) if isinstance(actual, (list, tuple)) else [actual]
    if not any(f.dtype.is_floating_point for f in founds):
        return
    weights = [rng.standard_normal(tuple(f.shape)) for f in founds]
    assert all(f.requires_grad for f in founds), "the result has lost its history"
    npg.autograd.backward(founds, [npg.tensor(w) for w in weights])
    floating = [a for a in arrays if a.dtype.kind == "f"]
    if len(floating) == len(arrays):
        for x, g in zip(xs, numeric_gradient(function, arrays, weights), strict=True):
            np.testing.assert_allclose(x.grad.numpy(), g, rtol=1e-5, atol=1e-8)


# ----- ufuncs -----

UNARY = (
    "absolute arccos arcsin arcsinh arctan arctanh cos cosh deg2rad degrees exp exp2 expm1 fabs log log10 log1p log2 "
    "negative positive rad2deg radians reciprocal sin sinh sqrt square tan tanh"
).split()
STEPS = "ceil floor rint sign trunc isfinite isinf isnan signbit logical_not conjugate".split()
BINARY = (
    "add arctan2 copysign divide fmax fmin fmod hypot logaddexp logaddexp2 maximum minimum multiply power remainder "
    "subtract float_power"
).split()
COMPARISONS = (
    "equal greater greater_equal less less_equal not_equal logical_and logical_or logical_xor floor_divide heaviside"
).split()
INTEGERS = "bitwise_and bitwise_or bitwise_xor gcd lcm left_shift right_shift".split()


@pytest.mark.parametrize("name", UNARY)
def test_ufunc_of_one_tensor_is_recorded(name):
    check_recorded(getattr(np, name), A)


def test_arccosh_is_recorded():
    check_recorded(np.arccosh, A + 1)


@pytest.mark.parametrize("name", STEPS)
def test_ufunc_with_steps_is_numpys(name):
    a = np.array([-1.5, -0.2, 0.3, 2.5])
    actual = getattr(np, name)(npg.tensor(a))
    assert_close(actual, getattr(np, name)(a))


@pytest.mark.parametrize("name", BINARY)
def test_ufunc_of_two_tensors_is_recorded(name):
    check_recorded(getattr(np, name), A, B)


@pytest.mark.parametrize("name", [n for n in BINARY if n != "float_power"])
@pytest.mark.parametrize("other", [A[0], 0.5, np.float64(0.5), 2], ids=["row", "float", "scalar", "int"])
def test_ufunc_of_tensor_and_other_is_recorded(name, other):
    f = getattr(np, name)
    check_recorded(lambda x: f(x, other), B)
    if name != "copysign":
        check_recorded(lambda x: f(other, x), B)


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparing_ufunc_is_numpys(name):
    a, b = np.array([1.0, 2.0, 0.0]), np.array([2.0, 2.0, 1.0])
    f = getattr(np, name)
    assert_close(f(npg.tensor(a), npg.tensor(b)), f(a, b))
    assert_close(f(npg.tensor(a), b), f(a, b))
    assert_close(f(a, npg.tensor(b)), f(a, b))


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_ufunc_is_numpys(name):
    a, b = np.array([1, 12, 7]), np.array([2, 3, 1])
    assert_close(getattr(np, name)(npg.tensor(a), npg.tensor(b)), getattr(np, name)(a, b))
    assert_close(np.invert(npg.tensor(a)), np.invert(a))


def test_matmul_and_divmod_are_numpys():
    check_recorded(np.matmul, A, SQUARE)
    check_recorded(lambda a, b: a @ b, CUBE, rng.standard_normal((4, 2)))
    assert_close(np.divmod(npg.tensor([7.0, -7.0]), 2), np.divmod(np.array([7.0, -7.0]), 2))


def test_ufunc_of_float32_stays_float32():
    x = npg.ones(2)
    for y in (np.multiply(x, 2.5), np.float64(2.5) * x, np.maximum(x, 0.5), np.exp(x), 2.5 + x, np.add(1, x)):
        assert y.dtype is npg.float32
    assert np.multiply(x, np.ones(2)).dtype is npg.float64
    assert np.exp(npg.tensor([1, 2])).dtype is npg.float64  # NumPy's dtype, as with PyTorch
    w = npg.ones(2, requires_grad=True)
    for y in (np.multiply(w, 2.5), np.float64(2.5) * w, np.maximum(w, 0.5), np.exp(w), np.longdouble(2) * w):
        assert y.dtype is npg.float32 and y.requires_grad
    assert np.maximum(w, np.float64(0.5)).dtype is np.maximum(x, np.float64(0.5)).dtype is npg.float64


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.add.reduce(x),
        lambda x: np.add.reduce(x, axis=1, keepdims=True),
        lambda x: np.add.reduce(x, axis=None),
        lambda x: np.add.reduce(x, (0, 1)),
        lambda x: np.add.reduce(x, axis=()),
        lambda x: np.multiply.reduce(x, axis=(0, 1)),
        lambda x: np.multiply.reduce(x),
        lambda x: np.maximum.reduce(x, axis=1),
        lambda x: np.minimum.reduce(x, axis=None),
        lambda x: np.logaddexp.reduce(x, axis=1),
        lambda x: np.add.accumulate(x, axis=1),
        lambda x: np.multiply.accumulate(x),
        lambda x: np.maximum.accumulate(x, axis=1),
        lambda x: np.multiply.outer(x, np.arange(3.0)),
        lambda x: np.add.outer(np.arange(3.0), x),
    ],
)
def test_ufunc_method_is_recorded(function):
    check_recorded(function, A)


def test_logical_reductions_are_numpys():
    a = np.array([[True, False], [True, True]])
    assert_close(np.logical_and.reduce(npg.tensor(a), axis=1), np.logical_and.reduce(a, axis=1))
    assert_close(np.logical_or.reduce(npg.tensor(a)), np.logical_or.reduce(a))


def test_ufunc_with_dtype_computes_in_it():
    actual = np.add(npg.ones(2), 1, dtype=np.float64)
    assert actual.dtype is npg.float64
    assert np.add.reduce(npg.ones(2), dtype=np.float64).dtype is npg.float64


def test_ufunc_with_out_writes_or_refuses():
    x, target = npg.ones(2), npg.zeros(2)
    assert np.add(x, 2, out=target) is target and target.tolist() == [3, 3]
    array = np.zeros(2, np.float32)
    assert np.add(x, 2, out=array) is array and array.tolist() == [3, 3]
    array += x
    assert array.tolist() == [4, 4]
    np.exp(np.zeros(2), out=target)
    assert target.tolist() == [1, 1]
    np.sum(npg.ones(2, 2), axis=0, out=target)
    assert target.tolist() == [2, 2]
    y = npg.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="requires grad into an array"):
        np.add(y, 2, out=array)
    with pytest.raises(TypeError, match="requires grad into an array"):
        array += y
    with pytest.raises(ValueError, match=r"could not be broadcast together with shapes \(2,\) \(\) \(3,\)"):
        np.add(x, 2, out=npg.zeros(3))
    with pytest.raises(ValueError, match=r"np.add: expected out of shape \(2,\), got \(3,\)"):
        np.add(y, 2, out=npg.zeros(3))
    assert np.add(y, 2, out=npg.zeros(3, 2)).tolist() == np.add(x, 2, out=npg.zeros(3, 2)).tolist() == [[3, 3]] * 3
    recorded = npg.zeros(2)
    np.multiply(y, 3, out=recorded)
    assert recorded.requires_grad
    assert array.tolist() == [4, 4]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.add(x, 1, where=np.array([True, False])), "where"),
        (lambda x: np.spacing(x), "np.spacing"),
        (lambda x: np.multiply.at(x, [0, 0], 1), "np.multiply.at"),
        (lambda x: np.fft.fft(x), "np.fft.fft"),
        (lambda x: np.linalg.eig(np.outer(x, x)), "np.linalg.eig"),
        (lambda x: np.interp(x, [0, 1], [0, 1], period=1), "np.interp"),
        (lambda x: np.reshape(x, (1, 2), order="F"), "order"),
        (lambda x: np.unique(x), "np.unique"),
        (lambda x: np.cross(np.tile(x, 3).reshape(3, 2), np.ones((3, 2)), 0, 0), "np.cross"),
        (lambda x: np.copyto(np.zeros(2), x), "requires grad into an array"),
    ],
)
def test_what_npg_lacks_raises_type_error(call, name):
    with pytest.raises(TypeError, match=name.replace(".", r"\.")):
        call(npg.ones(2, requires_grad=True))


# ----- Functions -----


def gram(x):
    return x @ x.T + np.eye(2)


FUNCTIONS = {
    "sum": lambda x: np.sum(x),
    "sum axis": lambda x: np.sum(x, axis=0),
    "sum axes": lambda x: np.sum(x, axis=(0, 1), keepdims=True),
    "sum no axes": lambda x: np.sum(x, axis=()),
    "mean": lambda x: np.mean(x),
    "mean axis": lambda x: np.mean(x, axis=-1, keepdims=True),
    "var": lambda x: np.var(x),
    "var ddof": lambda x: np.var(x, axis=1, ddof=1),
    "std": lambda x: np.std(x, axis=0),
    "std correction": lambda x: np.std(x, axis=1, correction=1, keepdims=True),
    "prod": lambda x: np.prod(x),
    "prod axis": lambda x: np.prod(x, axis=1),
    "prod axes": lambda x: np.prod(x, axis=(0, 1), keepdims=True),
    "prod keepdims": lambda x: np.prod(x, keepdims=True),
    "max": lambda x: np.max(x),
    "max axis": lambda x: np.max(x, axis=1, keepdims=True),
    "amin axes": lambda x: np.amin(x, axis=(0, 1)),
    "ptp": lambda x: np.ptp(x, axis=1),
    "median": lambda x: np.median(x),
    "median axis": lambda x: np.median(x, axis=0, keepdims=True),
    "nansum": lambda x: np.nansum(x, axis=1),
    "nanmean": lambda x: np.nanmean(x),
    "average": lambda x: np.average(x, axis=0),
    "average weights": lambda x: np.average(x, axis=0, weights=B),
    "cumsum": lambda x: np.cumsum(x),
    "cumsum axis": lambda x: np.cumsum(x, axis=1),
    "cumprod axis": lambda x: np.cumprod(x, axis=0),
    "diff": lambda x: np.diff(x),
    "diff twice": lambda x: np.diff(x, n=2, axis=1),
    "argmax": lambda x: np.argmax(x),
    "argmin axis": lambda x: np.argmin(x, axis=1, keepdims=True),
    "any": lambda x: np.any(x > 0.5, axis=0),
    "all": lambda x: np.all(x > 0.5),
    "count_nonzero": lambda x: np.count_nonzero(x > 0.5, axis=1),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "reshape flat": lambda x: np.reshape(x, -1),
    "ravel": lambda x: np.ravel(x),
    "transpose": lambda x: np.transpose(x),
    "transpose axes": lambda x: np.transpose(x, (1, 0)),
    "permute_dims": lambda x: np.permute_dims(x, (1, 0)),
    "matrix_transpose": lambda x: np.matrix_transpose(x),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "rollaxis": lambda x: np.rollaxis(x, 1),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, (0, 3))),
    "squeeze axis": lambda x: np.squeeze(np.expand_dims(x, 1), axis=1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3)),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, np.ones((2, 1, 1)))[0],
    "atleast_1d": lambda x: np.atleast_1d(np.sum(x)),
    "atleast_2d": lambda x: np.atleast_2d(np.reshape(x, -1)),
    "flip": lambda x: np.flip(x),
    "flip axis": lambda x: np.flip(x, 1),
    "fliplr": lambda x: np.fliplr(x),
    "flipud": lambda x: np.flipud(x),
    "roll": lambda x: np.roll(x, 1),
    "roll axis": lambda x: np.roll(x, (1, 2), axis=(0, 1)),
    "rot90": lambda x: np.rot90(x),
    "tile": lambda x: np.tile(x, (2, 1)),
    "repeat": lambda x: np.repeat(x, 2),
    "repeat axis": lambda x: np.repeat(x, [1, 2, 0], axis=1),
    "tril": lambda x: np.tril(x),
    "triu": lambda x: np.triu(x, k=1),
    "diag": lambda x: np.diag(x),
    "diag of row": lambda x: np.diag(x[0], k=1),
    "diagflat": lambda x: np.diagflat(x),
    "diagonal": lambda x: np.diagonal(x, offset=1),
    "linalg.diagonal": lambda x: np.linalg.diagonal(x, offset=1),
    "trace": lambda x: np.trace(x),
    "copy": lambda x: np.copy(x),
    "concatenate": lambda x: np.concatenate([x, B, x], axis=1),
    "concatenate flat": lambda x: np.concatenate((x, B), axis=None),
    "stack": lambda x: np.stack([x, B], axis=-1),
    "vstack": lambda x: np.vstack([x, x[0]]),
    "hstack": lambda x: np.hstack([x, B]),
    "append": lambda x: np.append(x, B, axis=0),
    "split": lambda x: np.split(x, 3, axis=1),
    "split at": lambda x: np.split(x, [1], axis=1),
    "array_split": lambda x: np.array_split(x, 2, axis=1),
    "where": lambda x: np.where(B > 0.5, x, 0.0),
    "where tensor": lambda x: np.where(x > 0.5, x, B),
    "where number": lambda x: np.where(x > 0.5, 1.0, x),
    "clip": lambda x: np.clip(x, 0.3, 0.6),
    "clip low": lambda x: np.clip(x, 0.3, None),
    "round": lambda x: np.round(x * 1.0) + x,
    "nan_to_num": lambda x: np.nan_to_num(x),
    "sinc": lambda x: np.sinc(x),
    "real": lambda x: np.real(x),
    "isclose": lambda x: np.isclose(x, B),
    "dot": lambda x: np.dot(x, SQUARE),
    "dot vector": lambda x: np.dot(x, np.arange(3.0)),
    "dot cubes": lambda x: np.dot(x, CUBE),
    "dot number": lambda x: np.dot(x, 2.0),
    "inner": lambda x: np.inner(x, B),
    "vdot": lambda x: np.vdot(x, B),
    "outer": lambda x: np.outer(x, B),
    "tensordot": lambda x: np.tensordot(x, SQUARE, axes=1),
    "tensordot axes": lambda x: np.tensordot(x, B, axes=([0, 1], [0, 1])),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, B),
    "kron": lambda x: np.kron(x, np.ones((1, 2))),
    "linalg.matmul": lambda x: np.linalg.matmul(x, SQUARE),
    "linalg.norm fro": lambda x: np.linalg.norm(x, "fro"),
    "linalg.norm nuc": lambda x: np.linalg.norm(x, "nuc"),
    "linalg.vector_norm": lambda x: np.linalg.vector_norm(x, axis=1),
    "linalg.matrix_norm": lambda x: np.linalg.matrix_norm(x),
    "linalg.vecdot": lambda x: np.linalg.vecdot(x, B),
    "linalg.multi_dot": lambda x: np.linalg.multi_dot([x, SQUARE, SQUARE]),
    "linalg.outer": lambda x: np.linalg.outer(x[0], B[0]),
    "linalg.tensordot": lambda x: np.linalg.tensordot(x, SQUARE, axes=1),
    "cross": lambda x: np.cross(x, B),
    "linalg.cond": lambda x: np.linalg.cond(gram(x)),
    "linalg.det": lambda x: np.linalg.det(gram(x)),
    "linalg.slogdet": lambda x: np.linalg.slogdet(gram(x))[1],
    "linalg.inv": lambda x: np.linalg.inv(gram(x)),
    "linalg.pinv": lambda x: np.linalg.pinv(x),
    "linalg.solve": lambda x: np.linalg.solve(gram(x), x[:, 0]),
    "linalg.matrix_power": lambda x: np.linalg.matrix_power(gram(x), 3),
    "linalg.matrix_rank": lambda x: np.linalg.matrix_rank(x),
    "linalg.cholesky": lambda x: np.linalg.cholesky(gram(x)),
    "linalg.svd": lambda x: np.linalg.svd(x, compute_uv=False),
    "linalg.svdvals": lambda x: np.linalg.svdvals(x),
    "linalg.eigvalsh": lambda x: np.linalg.eigvalsh(gram(x)),
    "dstack": lambda x: np.dstack([x, B]),
    "column_stack": lambda x: np.column_stack([x[:, 0], x]),
    "searchsorted": lambda x: np.searchsorted(np.array([0.2, 0.5, 0.7]), x),
    "linalg.norm": lambda x: np.linalg.norm(x),
    "linalg.norm axis": lambda x: np.linalg.norm(x, axis=1, keepdims=True),
    "linalg.norm 1": lambda x: np.linalg.norm(x, 1, axis=0),
    "take": lambda x: np.take(x, INDEX, axis=1),
    "take flat": lambda x: np.take(x, [0, 5]),
    "take_along_axis": lambda x: np.take_along_axis(x, INDEX, axis=1),
    "nonzero": lambda x: np.nonzero(x > 0.5),
    "argwhere": lambda x: np.argwhere(x > 0.5),
    "flatnonzero": lambda x: np.flatnonzero(x > 0.5),
    "where indices": lambda x: np.where(x > 0.5),
    "sort": lambda x: np.sort(x, axis=0),
    "sort flat": lambda x: np.sort(x, axis=None),
    "argsort": lambda x: np.argsort(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_recorded(name):
    check_recorded(FUNCTIONS[name], A)


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "empty_like"])
def test_like_function_makes_a_new_leaf(name):
    x = npg.ones(2, 3, requires_grad=True).t()
    y = getattr(np, name)(x)
    assert isinstance(y, npg.Tensor) and not y.requires_grad and y.stride() == x.stride()
    assert getattr(np, name)(x, dtype=np.int64).dtype is npg.int64
    assert tuple(getattr(np, name)(x, shape=(4,)).shape) == (4,)
    assert np.full_like(x, 3).tolist() == [[3.0] * 2] * 3
    assert np.full_like(x, npg.tensor(2.0, requires_grad=True)).requires_grad


def test_unique_is_numpys():
    a = np.array([3, 1, 3, 2])
    assert_close(np.unique(npg.tensor(a)), np.unique(a))
    assert_close(np.unique(npg.tensor(a), return_inverse=True, return_counts=True), np.unique(a, False, True, True))


def test_question_about_tensor_is_answered():
    x = npg.ones(2, 3, requires_grad=True)
    assert np.shape(x) == (2, 3) and np.ndim(x) == 2 and np.size(x) == 6 and np.size(x, 0) == 2
    assert np.result_type(x, np.float64) == np.float64 and np.can_cast(x, np.float64)
    assert np.allclose(x, np.ones((2, 3))) and np.array_equal(x, x) and not np.iscomplexobj(x) and np.isrealobj(x)
    assert np.shares_memory(x, x.detach()) and not np.may_share_memory(x, npg.ones(2))
    assert np.array_repr(x) == np.array_repr(x.detach().numpy())


def test_copyto_writes_into_tensor():
    x = npg.zeros(2)
    np.copyto(x, np.array([1.0, 2.0], np.float32))
    assert x.tolist() == [1, 2] and x._array.base is None
    a = np.zeros(2)
    np.copyto(a, x)
    assert a.tolist() == [1, 2]


def test_put_along_axis_writes_into_tensor():
    a = np.zeros((2, 3))
    x = npg.zeros(2, 3, dtype=npg.float64)
    np.put_along_axis(a, INDEX[:, :1], 7.0, axis=1)
    np.put_along_axis(x, INDEX[:, :1], 7.0, axis=1)
    assert_close(x, a)
    np.put_along_axis(a, npg.tensor(INDEX), 8.0, axis=1)
    assert a.tolist() == [[8, 8, 8], [8, 8, 0]]
    with pytest.raises(TypeError, match="cannot write a Tensor into an array"):
        np.put_along_axis(a, npg.tensor(INDEX), npg.ones(2, 3, requires_grad=True), axis=1)


def test_bincount_is_numpys():
    assert_close(np.bincount(npg.tensor([0, 2, 2])), np.bincount([0, 2, 2]))


def test_decompositions_multiply_to_the_matrix():
    x = npg.tensor(A, requires_grad=True)
    q, r = np.linalg.qr(x)
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    w, v = np.linalg.eigh(gram(x))
    for product in (q @ r, u * s @ vh):
        np.testing.assert_allclose(product.detach().numpy(), A, rtol=1e-10)
        assert product.requires_grad
    np.testing.assert_allclose((v * w @ v.T).detach().numpy(), gram(A), rtol=1e-10)


def test_save_takes_a_tensor(tmp_path):
    np.save(tmp_path / "x.npy", npg.arange(3.0))
    assert np.load(tmp_path / "x.npy").tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match="Can't call numpy"):
        np.save(tmp_path / "x.npy", npg.ones(2, requires_grad=True))


def test_mean_of_integers_has_the_default_dtype():
    assert np.mean(npg.tensor([1, 2])).item() == 1.5 and np.var(npg.tensor([1, 3])).item() == 1.0


def test_wrong_division_and_shapes_raise_numpys_errors():
    x = npg.ones(2, 3, requires_grad=True)
    with pytest.raises(ValueError, match="array split does not result in an equal division"):
        np.split(x, 2, axis=1)
    with pytest.raises(ValueError, match="cannot select an axis to squeeze out"):
        np.squeeze(x, axis=0)
    with pytest.raises(TypeError, match="Axis must be specified when shapes of a and weights differ"):
        np.average(x, weights=np.ones(3))


class Foreign:
    """Another class that implements NumPy's protocols."""

    def __array_function__(self, function, types, args, kwargs):
        return "mine"


def test_foreign_class_is_asked_too():
    assert np.correlate(npg.ones(3), Foreign()) == "mine"


def test_second_order_gradient_through_numpy_functions():
    x = npg.tensor(A, requires_grad=True)
    y = torch.tensor(A, requires_grad=True)
    loss = np.sum(np.exp(x) * np.tanh(x) / np.sqrt(x) - np.log(x) ** 2)
    expected = (y.exp() * y.tanh() / y.sqrt() - y.log() ** 2).sum()
    (g,) = npg.autograd.grad(loss, x, create_graph=True)
    (h,) = torch.autograd.grad(expected, y, create_graph=True)
    (gg,) = npg.autograd.grad(np.sum(g * g), x)
    (hh,) = torch.autograd.grad((h * h).sum(), y)
    np.testing.assert_allclose(gg.numpy(), hh.numpy(), rtol=1e-10)


# ----- Padding, grids, parts -----


@pytest.mark.parametrize("width", [1, (1, 2), ((1, 0), (0, 2)), ((1,), (2,))])
@pytest.mark.parametrize("value", [0, 2.5])
def test_pad_is_recorded(width, value):
    check_recorded(lambda x: np.pad(x, width, constant_values=value), A)


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
def test_pad_with_own_elements_is_recorded(mode):
    check_recorded(lambda x: np.pad(x, ((1, 2), (3, 0)), mode), A)


def test_pad_in_another_mode_is_refused():
    with pytest.raises(TypeError, match="np.pad of a Tensor .*has the modes edge, .*, got 'linear_ramp'"):
        np.pad(npg.tensor(A, requires_grad=True), 1, mode="linear_ramp")


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("sparse", [False, True])
def test_meshgrid_is_recorded(indexing, sparse):
    check_recorded(lambda x, y: np.meshgrid(x, y, indexing=indexing, sparse=sparse), A[0], B[1, :2])
    check_recorded(lambda x, y, z: np.meshgrid(x, y, z, indexing=indexing, sparse=sparse), A[0], B[1, :2], A[1])


@pytest.mark.parametrize("function", [np.hsplit, np.vsplit, np.dsplit])
def test_split_along_a_named_dimension_is_recorded(function):
    check_recorded(lambda x: function(x, 2), rng.standard_normal((2, 4, 6)))
    with pytest.raises(ValueError, match="only works on arrays of|equal division"):
        function(npg.tensor(A[0]) if function is not np.hsplit else npg.tensor(A), 2)


def test_other_parts_and_choices_are_recorded():
    check_recorded(np.atleast_3d, A)
    check_recorded(lambda x: np.average(x, axis=1, weights=np.array([1.0, 2.0, 4.0])), A)
    check_recorded(lambda x, w: np.average(x, axis=0, weights=w), A, B[:, 0])
    check_recorded(lambda x, y: np.select([x > 0.7, x > 0.3], [x, y], 2.0), A, B)
    if hasattr(np, "unstack"):
        check_recorded(lambda x: np.unstack(x, axis=1), A)


def test_ufunc_of_two_tensors_takes_a_number():
    assert_close(np.heaviside(npg.tensor(A), 0.5), np.heaviside(A, 0.5))
    check_recorded(lambda x: np.ldexp(x, 2), A)
