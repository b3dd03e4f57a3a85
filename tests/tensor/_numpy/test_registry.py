"""Every NumPy function with the protocol: NumPy's values, recorded, or a TypeError that names it."""

import inspect
import warnings

import numpy as np
import pytest

import npg
from npg.tensor._numpy import protocol
from npg.tensor._numpy.registry import FUNCTIONS, name_of

from . import test_protocol as basic
from .test_protocol import CUBE, SQUARE, A, B, assert_close, check_recorded, leaf, numeric_gradient

NAN = np.array([[0.3, np.nan, 0.7, 0.1], [np.nan, np.nan, 0.2, 0.9], [0.5, 0.8, 0.6, 0.4]])
V = np.array([0.3, 0.9, 0.1, 0.5, 0.7])
ZEROS = np.array([0.0, 0.0, 0.4, 0.0, 0.2, 0.0])
RISING = np.array([0.0, 0.5, 0.6, 1.0])
# Functions whose parameters have other names in npg, at the same positions.
RENAMED = (np.linalg.outer, np.linalg.tensordot, np.linalg.cross, np.real, np.real_if_close)
NAMES = {"np": np, "A": A, "B": B, "SQUARE": SQUARE, "V": V, "RISING": RISING, "NAN": NAN}


def names_in(module: object, prefix: str) -> dict[str, object]:
    return {
        f"{prefix}.{name}": getattr(module, name)
        for name in dir(module)
        if hasattr(getattr(module, name), "_implementation") and not name.startswith("_")
    }


ALL = {**names_in(np, "np"), **names_in(np.linalg, "np.linalg"), **names_in(np.fft, "np.fft")}

# ----- Recorded -----

RECORDED = [
    ("x", A, [
        "np.angle(x)", "np.angle(x, deg=True)", "np.apply_along_axis(np.sum, 0, x)",
        "np.apply_along_axis(lambda r: r * 2, 1, x)", "np.apply_along_axis(lambda r: r[:, None] * r, 0, x)",
        "np.apply_over_axes(np.sum, x, [0, 1])", "np.astype(x, np.float64)", "np.block([[x, B], [B, x]])",
        "np.block([x, B])", "np.block(x)", "np.block([[x], [np.ones((1, 3))]])",
        "np.choose(np.array([[0, 1, 0], [1, 0, 1]]), [x, B])", "np.choose([3, -1, 0], [x, B], mode='wrap')",
        "np.choose([3, -1, 0], [x, B], mode='clip')", "np.compress([True, False, True], x, axis=1)",
        "np.compress([False, True], x)", "np.cov(x)", "np.cov(x, B)", "np.cov(x, rowvar=False)", "np.cov(x, bias=True)",
        "np.cov(x, ddof=0, aweights=[1.0, 2.0, 3.0])", "np.cov(x, fweights=[1, 2, 1])",
        "np.cov(x, fweights=[1, 2, 1], aweights=[1.0, 2.0, 3.0])", "np.corrcoef(x)[0, 1]",
        "np.corrcoef(x, rowvar=False) * SQUARE", "np.cumulative_sum(x, axis=1)", "np.cumulative_prod(x, axis=0)",
        "np.cumulative_sum(x, axis=1, include_initial=True)", "np.cumulative_prod(x, axis=-1, include_initial=True)",
        "np.delete(x, 1, axis=1)", "np.delete(x, [0, 2], axis=1)", "np.delete(x, slice(0, 2))", "np.delete(x, -1)",
        "np.diff(x, prepend=0.0)", "np.ediff1d(x)", "np.ediff1d(x, to_begin=[1.0, 2.0], to_end=9.0)",
        "np.extract(B > 0.5, x)", "np.gradient(x)", "np.gradient(x, 0.5)", "np.gradient(x, 2.0, axis=1)",
        "np.gradient(x, 1.0, [0.0, 1.0, 4.0])", "np.gradient(x, [0.0, 1.0, 4.0], axis=1, edge_order=2)",
        "np.insert(x, 1, 5.0)", "np.insert(x, 1, 5.0, axis=1)", "np.insert(x, [0, 2], 5.0, axis=1)",
        "np.insert(x, 1, [5.0, 6.0], axis=1)", "np.insert(x, [1], [[5.0], [6.0]], axis=1)",
        "np.insert(x, slice(0, 2), B[:, :2], axis=1)", "np.insert(x, 2, x[0], axis=0)", "np.insert(x, 0, B, axis=0)",
        "np.linspace(x, B, 5)", "np.linspace(x, 2.0, 4, endpoint=False, axis=-1)",
        "np.linspace(0.0, x, 3, retstep=True)",
        "np.logspace(x, B, 4)", "np.logspace(x, 1.0, 3, base=2.0)", "np.geomspace(x, B, 4)",
        "np.percentile(x, 30)", "np.percentile(x, [10, 50, 90], axis=1)", "np.quantile(x, 0.4, axis=0, keepdims=True)",
        "np.quantile(x, [0.0, 1.0])", "np.quantile(x, 0.4, axis=(0, 1), method='nearest')",
        "np.quantile(x, [0.2, 0.7], axis=1, method='lower')", "np.quantile(x, 0.7, axis=1, method='higher')",
        "np.quantile(x, 0.7, axis=1, method='midpoint')", "np.quantile(x, [[0.1, 0.2], [0.3, 0.4]], axis=0)",
        "np.partition(x, 0, axis=1)[:, :1]", "np.partition(x, 3, axis=None)[3]", "np.nanprod(x, axis=0)",
        "np.piecewise(x, [x < 0.3, x >= 0.3], [lambda v: v * v, lambda v: 2 * v])",
        "np.piecewise(x, [x < 0.3], [0.0, np.exp])", "np.piecewise(x, [x > 0.5], [np.sin, np.cos])",
        "np.polyval([1.0, 2.0, 3.0], x)", "np.resize(x, (4, 4))", "np.resize(x, 3)", "np.trapezoid(x)",
        "np.trapezoid(x, dx=0.5, axis=0)", "np.trapezoid(x, [0.0, 1.0, 3.0])", "np.trapezoid(x, B)",
        "np.unwrap(x * 20)", "np.unwrap(x * 20, axis=0, period=3.0)", "np.interp(x, RISING, [0.0, 1.0, 5.0, 2.0])",
        "np.linalg.trace(x)", "np.linalg.trace(x, offset=1)", "np.linalg.lstsq(x.T, B[0])[0]",
        "np.linalg.lstsq(x.T, B.T)[:2]", "np.linalg.lstsq(x.T, B[0])[3]", "np.isclose(x, 0.5, atol=0.2)",
        "np.bincount([2, 0, 2], x[0], minlength=5)", "np.max(x, initial=x[0, 0])", "np.sum(x, initial=2.0)",
        "np.sum(x, axis=1, where=B > 0.5)",
        "np.prod(x, initial=2.0, where=B > 0.5)", "np.max(x, axis=1, initial=0.5)",
        "np.min(x, initial=0.5, where=B > 0.5)",
        "np.mean(x, axis=0, where=np.array([[True, False, True], [True, True, False]]))",
        "np.any(x > 0.5, where=B > 0.5)",
        "np.all(x > 0.5, axis=0, where=B > 0.5)", "np.nanmax(x)", "np.nanvar(x, ddof=1)", "np.isrealobj(x)",
        "np.amax(x, axis=0)", "np.around(x, 1)", "np.real_if_close(x)", "np.linalg.cross(x, B)",
        "np.linalg.matrix_transpose(x)",
        # NumPy's positional out=None does not shift the arguments after it.
        "np.sum(x, 0, None, None, True)", "np.prod(x, 1, None, None, True, 2.0)", "np.mean(x, 0, None, None, True)",
        "np.max(x, 0, None, True, 0.5)", "np.var(x, 0, None, None, 1, True)", "np.std(x, None, None, None, 1)",
        "np.median(x, 0, None, False, True)", "np.quantile(x, 0.3, 0, None, False, 'lower', True)",
        "np.take(x, [0, 1], 1, None, 'wrap')", "np.choose([0, 1, 0], [x, B], None, 'wrap')",
        "np.cumsum(x, 1, None, None)",
        "np.clip(x, 0.2, 0.6, None)", "np.any(x > 0.5, 0, None, True)",
        # With no dimension to reduce, every element is its own result.
        "np.sum(x, axis=())", "np.var(x, axis=())", "np.std(x, axis=(), keepdims=True)", "np.any(x, axis=())",
        "np.all(x > 0.5, axis=())", "np.sum(x > 0.5, axis=())", "np.add.reduce(x > 0.5, axis=())",
        "np.add.reduce(x, axis=(), initial=2.0)", "np.subtract.reduce(x, axis=())",
        "np.var(x, axis=1, where=B > 0.3)", "np.std(x, where=B > 0.3, ddof=1)",
        "np.std(x, axis=0, where=B > 0.0, ddof=-1)",
        "np.var(x, axis=0, keepdims=True, mean=np.mean(x, axis=0, keepdims=True))",
        "np.std(x, axis=1, mean=np.full((2, 1), 0.5), correction=1)",
        "np.take(x, [-1, 0, 1])", "np.take(x, -1, axis=1)", "np.take(x, [5, -7], mode='wrap')",
        "np.take(x, [5, -7], mode='clip')", "np.roll(x, (1, 2), axis=0)", "np.roll(x, 1, axis=(0, 1))",
        "np.roll(x, (1, 2))", "np.roll(x, (1, 2), axis=(1, 1))", "np.einsum(x, [0, 1], B, [2, 1], [0, 2])",
        "np.einsum(x, [0, 1])", "np.einsum(x, [0, 1], B, [0, 1])", "np.linalg.qr(x, 'r')",
    ]),
    ("x", V, [
        "np.convolve(x, [1.0, 2.0, 3.0])", "np.convolve(x, [1.0, 2.0, 3.0], 'same')",
        "np.convolve(x, [1.0, 2.0], 'same')",
        "np.convolve([1.0, 2.0], x, 'valid')", "np.convolve([1.0, 2.0], x, 'same')", "np.convolve(x, x)",
        "np.correlate(x, [1.0, 2.0])", "np.correlate(x, [1.0, 2.0, 4.0], 'same')",
        "np.correlate(x, [1.0, 2.0], 'full')",
        "np.correlate([1.0, 2.0], x, 'same')", "np.correlate([1.0, 2.0, 5.0], x, 'full')",
        "np.correlate([1.0, 2.0, 5.0], x)", "np.correlate(x, x[:4], 'same')", "np.correlate(x[:2], x, 'same')",
        "np.cumulative_sum(x)", "np.interp(0.35, RISING, x[:4])", "np.interp([-1.0, 0.55, 3.0], RISING, x[:4])",
        "np.interp([-1.0, 0.55, 3.0], RISING, x[:4], left=-5.0, right=7.0)", "np.poly(x)", "np.polyadd(x, [1.0, 2.0])",
        "np.polysub([1.0, 2.0], x)", "np.polymul(x, [1.0, 2.0])", "np.polyder(x)", "np.polyder(x, 2)", "np.polyint(x)",
        "np.polyint(x, 2, k=[1.0, 2.0])", "np.polyint(x, k=3.0)", "np.polyval(x, [0.5, 2.0])", "np.polyval(x, x)",
        "np.vander(x)", "np.vander(x, 3, increasing=True)", "np.trapezoid(x, x * x)", "np.cov(x)",
        "np.gradient(x, edge_order=2)", "np.gradient(x, [0.0, 1.0, 3.0, 4.0, 8.0])",
        "np.insert(x, [1, 1, 3], [7.0, 8.0, 9.0])",
        "np.delete(x, [True, False, False, True, False])", "np.trim_zeros(x)", "np.quantile(x, 0.3)", "np.nanmedian(x)",
    ]),
    ("x", NAN, [
        "np.nanmax(x, axis=1)", "np.nanmin(x)", "np.nanmin(x, axis=0, keepdims=True)", "np.nanvar(x, axis=0)",
        "np.nanvar(x, axis=1, keepdims=True)", "np.nanstd(x)", "np.nanstd(x, axis=1, ddof=1)", "np.nanprod(x, axis=1)",
        "np.nanprod(x)", "np.nancumsum(x, axis=1)", "np.nancumsum(x)", "np.nancumprod(x, axis=0)",
        "np.nanmedian(x, axis=1)",
        "np.nanmedian(x)", "np.nanpercentile(x, 30, axis=0)", "np.nanquantile(x, [0.2, 0.6], axis=1, keepdims=True)",
        "np.nansum(x, axis=0)", "np.nanmean(x, axis=1)", "np.nan_to_num(x)",
        "np.nansum(x, axis=1, initial=2.0, where=NAN != 0.7)", "np.nanmean(x, axis=1, where=NAN != 0.7)",
        "np.nanprod(x, axis=0, initial=2.0, where=NAN != 0.7)", "np.nanmax(x, axis=1, initial=0.5, where=NAN != 0.7)",
        "np.nanmin(x, initial=0.15)", "np.nanvar(x, axis=1, where=NAN != 0.1)", "np.nanstd(x, where=NAN != 0.7)",
        "np.nanstd(x, axis=1, mean=np.full((3, 1), 0.4))", "np.nanmax(x, 1, None, True)",
    ]),
    ("x", CUBE, [
        "np.linalg.trace(x)", "np.gradient(x, axis=(0, 2))", "np.quantile(x, 0.3, axis=(0, 2))",
        "np.insert(x, 1, 2.0, axis=1)",
        "np.linalg.tensorinv(np.reshape(x, (24,))[:16].reshape(4, 2, 2) + np.eye(4).reshape(4, 2, 2) * 9, ind=1)",
        "np.linalg.tensorsolve(np.reshape(x, (24,))[:16].reshape(2, 2, 4) + np.eye(4).reshape(2, 2, 4) * 9, A[:, :2])",
        "np.apply_along_axis(lambda r: r[:2], 1, x)", "np.trapezoid(x, axis=1)", "np.permute_dims(x, (2, 0, 1))",
        "np.delete(x, 0, axis=-1)", "np.nanvar(x, axis=(0, 2))", "np.partition(x, 1, axis=0)[1]",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "array", "call"), [(n, a, c) for n, a, cs in RECORDED for c in cs], ids=str)
def test_numpy_function_is_recorded(name, array, call):
    if call.startswith("np.cumulative") and not hasattr(np, "cumulative_sum"):
        pytest.skip("NumPy 2.1")
    check(eval(f"lambda x: {call}", {**NAMES}), array)


def check(function, array):
    actual = function(npg.tensor(array))
    if not isinstance(actual, (npg.Tensor, tuple, list)):
        assert actual == function(array)
        return
    if not np.isnan(array).any():
        check_recorded(function, array)
        return
    x = leaf(array)
    actual = function(x)
    assert_close(actual, function(array))
    w = np.random.default_rng(1).standard_normal(tuple(actual.shape))
    actual.backward(npg.tensor(w))
    there = array[~np.isnan(array)]

    def of_numbers(numbers):
        full = array.copy()
        full[~np.isnan(array)] = numbers
        return function(full)

    expected = numeric_gradient(of_numbers, [there], [w])[0]
    np.testing.assert_allclose(x.grad.numpy()[~np.isnan(array)], expected, rtol=1e-5, atol=1e-8)
    assert not np.isnan(x.grad.numpy()).any()


# ----- Integers, bools, questions; floats of constants -----

COUNTED = [
    "np.argpartition(x, 1, axis=None).shape", "np.digitize(x, [0.2, 0.5])", "np.isin(x, [x[0, 0], 2.0])",
    "np.isreal(x)",
    "np.iscomplex(x)", "np.isneginf(x)", "np.isposinf(x)", "np.lexsort((x[0], x[1]))", "np.nanargmax(x, axis=1)",
    "np.nanargmin(x)", "np.packbits(x > 0.5)", "np.unpackbits(np.packbits(x > 0.5))",
    "np.ravel_multi_index((x > 0.5) * 1, (2, 2, 2)[:2])", "np.unravel_index(np.argmax(x), (2, 3))",
    "np.ix_(x[0] > 0.5, x[0] > 0.1)", "np.diag_indices_from(x[:, :2])", "np.tril_indices_from(x)",
    "np.triu_indices_from(x)",
    "np.array_equiv(x, x[None])", "np.common_type(x)", "np.min_scalar_type(x)", "np.einsum_path('ij,kj', x, B)[0]",
    "np.searchsorted(x[0], 0.5)", "np.bincount((x[0] > 0.5) * 1)", "np.array_equal(x, x)", "np.shape(x)",
]  # fmt: skip
CONSTANT = [
    "np.histogram(x, 4)", "np.histogram(x, [0.0, 0.5, 1.0], density=True)", "np.histogram2d(x[0], x[1], 3)",
    "np.histogramdd(x, 2)", "np.histogram_bin_edges(x)", "np.i0(x)", "np.intersect1d(x, x[0])", "np.setdiff1d(x, x[0])",
    "np.setxor1d(x, x[0])", "np.union1d(x, B)", "np.unique(x)", "np.unique(x, return_index=True)", "np.unique_all(x)",
    "np.unique_counts(x)", "np.unique_inverse(x)", "np.unique_values(x)", "np.polyfit(x[0], x[1], 1)",
    "np.polydiv(x[0], x[1, :2])", "np.spacing(x)",
]  # fmt: skip


def plain(result):
    if isinstance(result, (tuple, list)):
        return [plain(f) for f in result]
    return result.numpy() if isinstance(result, npg.Tensor) else result


def assert_same(actual, expected):
    if isinstance(expected, (tuple, list)):
        assert len(actual) == len(expected)
        for f, e in zip(actual, expected, strict=True):
            assert_same(f, e)
    elif isinstance(expected, np.ndarray):
        assert isinstance(actual, npg.Tensor)
        np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-12)
    else:
        assert plain(actual) == expected


@pytest.mark.parametrize("call", COUNTED)
def test_function_without_gradient_is_numpys(call):
    f = eval(f"lambda x: {call}", {**NAMES})
    assert_same(f(npg.tensor(A, requires_grad=True)), f(A))


@pytest.mark.parametrize("call", CONSTANT)
def test_function_of_constants_is_numpys_and_refuses_what_requires_grad(call):
    f = eval(f"lambda x: {call}", {**NAMES})
    assert_same(f(npg.tensor(A)), f(A))
    name = call.split("(")[0].replace(".", r"\.")
    with pytest.raises(TypeError, match=f"{name} of a Tensor that requires grad is not supported; use"):
        f(npg.tensor(A, requires_grad=True))
    with npg.no_grad():
        assert_same(f(npg.tensor(A, requires_grad=True)), f(A))


# ----- Written in place -----

WRITES = [
    "np.place(x, x > 0.5, [1.0, 2.0])", "np.putmask(x, x > 0.5, [1.0, 2.0, 3.0, 4.0])",
    "np.put(x, [0, -1], [1.0, 2.0])",
    "np.put(x, [7, 2], 9.0, mode='wrap')", "np.put(x, [7, -3], [8.0, 9.0], mode='clip')", "np.fill_diagonal(x, 3.0)",
    "np.fill_diagonal(x, [3.0, 4.0])", "np.copyto(x, B)", "np.copyto(x, 7.0, where=B > 0.5)",
    "np.copyto(x, B[0], where=[True, False, True])", "np.put_along_axis(x, np.array([[0], [1]]), 7.0, axis=1)",
    "np.add.at(x, [0, 0, 1], B[:1])", "np.subtract.at(x, ([0, 0], [1, 1]), [0.5, 0.25])", "np.multiply.at(x, [1], 3.0)",
    "np.negative.at(x, [0])", "np.maximum.at(x, (slice(None), [0, 2]), 0.5)",
]  # fmt: skip


@pytest.mark.parametrize("call", WRITES)
def test_function_that_writes_is_recorded(call):
    def changed(x):
        x = x * 1
        exec(call, {**NAMES, "x": x})
        return x

    check_recorded(changed, A)


@pytest.mark.parametrize("name", ["place", "putmask"])
def test_array_takes_constants_and_no_history(name):
    a = A.copy()
    getattr(np, name)(a, A > 0.5, npg.tensor([1.0, 2.0]))
    b = A.copy()
    getattr(np, name)(b, A > 0.5, [1.0, 2.0])
    assert a.tolist() == b.tolist()
    with pytest.raises(TypeError, match=f"np.{name} cannot write a Tensor that requires grad into an array"):
        getattr(np, name)(a, A > 0.5, npg.ones(2, requires_grad=True))


# NumPy uses no protocol here, but converts to an array.
CONVERTING = [
    "np.mean([x, x])", "np.ones(2).dot(x)", "np.ones(2).__setitem__(slice(None), x)", "np.vectorize(float)(x)",
    "np.full(2, x)", "np.arange(x[0])", "np.random.normal(x)", "np.nditer(x)", "np.broadcast(x, x)", "np.r_[x, x]",
    "np.ascontiguousarray(x)", "np.ma.array(x)", "np.array([x, x], dtype=object)",
    "np.kaiser(3, x[0])",
    "np.quantile(np.ones(2), [x[0]])", "np.lib.stride_tricks.as_strided(x)",
    "np.piecewise(np.ones(2), [[True, False]], [x[0]])",
    "np.fill_diagonal(np.eye(2), x[0])", "np.full_like(np.ones(2), x[0])", "np.copyto(np.ones(2), x)",
    "np.put(np.ones(2), [0], x[0])",
    "np.put_along_axis(np.ones(2), np.array([0]), x[:1], 0)", "np.add.at(np.ones(2), [0], x[0])",
    "np.histogram([1, 2], weights=x)",
    "np.lib.stride_tricks.sliding_window_view(x, 2)", "np.frompyfunc(float, 1, 1)(x)", "np.quantile(np.ones(2), x)",
]  # fmt: skip


@pytest.mark.parametrize("call", CONVERTING)
def test_what_numpy_would_convert_by_itself_raises(call):
    with pytest.raises(
        (TypeError, RuntimeError), match="requires? grad|is not supported on a Tensor|cannot write a Tensor"
    ):
        eval(call, {"np": np, "x": npg.tensor([0.3, 0.6], requires_grad=True)})


# ----- All of them -----


class Seen(dict):
    """The table, which notes the functions looked up."""

    def __init__(self, table):
        super().__init__(table)
        self.asked = set()

    def get(self, key, default=None):
        self.asked.add(key)
        return super().get(key, default)


# Tested in test_protocol.py, outside the table.
ELSEWHERE = set(
    "array_split array2string array_repr array_str hsplit vsplit dsplit unstack save savez savez_compressed savetxt "
    "pad meshgrid select can_cast iscomplexobj may_share_memory shares_memory empty_like full_like ones_like "
    "zeros_like ndim size result_type atleast_3d allclose qr eigh trace fix".split()
)


def test_every_function_of_the_table_has_a_case(monkeypatch):
    table = Seen(FUNCTIONS)
    monkeypatch.setattr(protocol, "FUNCTIONS", table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _, array, calls in RECORDED:
            for call in calls:
                eval(call, {**NAMES, "x": npg.tensor(array)})
        for call in WRITES:
            exec(call, {**NAMES, "x": npg.tensor(A)})
        for case in basic.FUNCTIONS.values():
            case(npg.tensor(A))
    untested = {
        name for name, f in ALL.items() if f in FUNCTIONS and f not in table.asked and f.__name__ not in ELSEWHERE
    }
    assert not untested, f"no test calls {sorted(untested)}"


def test_positional_parameters_stand_where_numpys_do():
    for function, implementation in FUNCTIONS.items():
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
        names, numpy_names = (
            [p.name for p in inspect.signature(f).parameters.values() if p.kind in kinds] if has_signature(f) else None
            for f in (implementation, function)
        )
        if names is None or numpy_names is None or function in RENAMED:
            continue
        before = numpy_names[: numpy_names.index("out")] if "out" in numpy_names else numpy_names
        assert names[: len(before)] == before[: len(names)], name_of(function)


def has_signature(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return False
    return not any(p.kind is p.VAR_POSITIONAL for p in parameters)


def test_out_given_by_position_is_written():
    x, out, array = leaf(A), npg.zeros(3, dtype=npg.float64), np.zeros(3)
    assert np.sum(x, 0, None, out) is out and out.requires_grad
    assert np.sum(x.detach(), 0, None, array) is array
    np.testing.assert_array_equal(array, A.sum(0))
    with pytest.raises(TypeError, match="np.sum cannot write a Tensor that requires grad into an array"):
        np.sum(x, 0, None, array)


@pytest.mark.parametrize("index", [3, -4, [0, 9]])
def test_take_out_of_bounds_raises_numpys_error(index):
    with pytest.raises(IndexError) as expected:
        np.take(A, index, axis=1)
    with pytest.raises(IndexError) as raised:
        np.take(npg.tensor(A), index, axis=1)
    assert str(raised.value) == str(expected.value)


@pytest.mark.parametrize("weights", [None, [1, 2, 3], [0.5, 0.25, 1.0]])
@pytest.mark.parametrize("axis", [1, None])
def test_average_returns_the_sum_of_weights_too(axis, weights):
    weights = weights and np.broadcast_to(weights, A.shape)
    (average, total), expected = (np.average(x, axis, weights, True) for x in (npg.tensor(A), A))
    assert_close((average, total), expected)


def test_std_of_equal_elements_has_the_gradient_zero():
    for call in (np.nanstd, lambda x: np.std(x, where=[True, True, False])):
        x = leaf(np.array([0.5, 0.5, 0.5]))
        call(x).backward()
        assert x.grad.tolist() == [0, 0, 0]


def test_keyword_that_npg_lacks_raises_type_error_that_names_numpys_function():
    x = npg.ones(2, 3, requires_grad=True)
    with pytest.raises(TypeError, match=r"np\.interp of a Tensor .*takes no period="):
        np.interp(x, [0, 1], [0, 1], period=1)
    assert name_of(np.linalg.eig) == "np.linalg.eig"


@pytest.mark.parametrize("trim", ["fb", "f", "b"])
def test_trim_zeros_is_numpys(trim):
    assert_close(np.trim_zeros(npg.tensor(ZEROS), trim), np.trim_zeros(ZEROS, trim))
    assert np.trim_zeros(npg.tensor(ZEROS, requires_grad=True), trim).requires_grad


@pytest.mark.parametrize(
    "call", ["np.piecewise(x, x > 0.5, [np.sin, np.cos])", "np.piecewise(x, [x > 0.5, x < 0.1], [1])"]
)
def test_piecewise_of_vectors_takes_and_refuses_what_numpy_does(call):
    f = eval(f"lambda x: {call}", {**NAMES})
    try:
        expected = f(V)
    except ValueError:
        with pytest.raises(ValueError, match="functions are expected"):
            f(npg.tensor(V))
        return
    assert_close(f(npg.tensor(V)), expected)


OF_X_ALONE = [(a, c) for _, a, cs in RECORDED for c in cs if not any(n in c for n in ("B", "A[", "RISING", "float64"))]


@pytest.mark.parametrize(("array", "call"), OF_X_ALONE, ids=str)
def test_float32_stays_float32_unless_numpy_promotes_it(array, call):
    single = array.astype(np.float32)
    f = eval(f"lambda x: {call}", {**NAMES})
    actual, expected = (r if isinstance(r, (tuple, list)) else (r,) for r in (f(npg.tensor(single)), f(single)))
    for a, b in zip(actual, expected, strict=True):
        if isinstance(a, npg.Tensor) and a.dtype.is_floating_point:
            assert a.dtype is npg.float32 or a.numpy().dtype == np.asarray(b).dtype
