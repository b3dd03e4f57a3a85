"""Sums, means, variances, norms and extrema over dimensions, against torch."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch

from npg import dtypes, functional as F
from npg.engine import run_backward, wrap
from npg.functional import return_types
from npg.ops import reduction as ops
from tests.expressions import check, check_error
from tests.helpers import assert_like, assert_same_error, check_like_torch, strided, to_npg

INF, NAN = float("inf"), float("nan")
rng = np.random.default_rng(0)
A = rng.standard_normal((3, 4, 5))
DIMS = [None, 0, -1, 1, (0, 2), (-1, 0, 1), ()]


def leaf(values, dtype=np.float64):
    x = wrap(np.array(values, dtype))
    x._set_requires_grad(True)
    return x


def gradient(y, x):
    return run_backward((y,), (None,), True, False, (x,), False)[0]._array


def both_gradients(npg_fn, torch_fn, values):
    x, t = leaf(values), torch.tensor(values, dtype=torch.float64, requires_grad=True)
    y, u = npg_fn(x), torch_fn(t)
    return gradient(y, x), torch.autograd.grad(u.sum(), t)[0].numpy()


# ----- Sums and means -----


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "nansum", "nanmean", "amax", "amin", "logsumexp"])
def test_reduction_over_dims_is_like_torch(name, dim, keepdim):
    if name in ("logsumexp", "amax", "amin") and dim in (None, ()):
        dim = (0, 1, 2)
    grad = name not in ("var", "std") or dim != ()  # torch counts nothing there, and its gradient is inf
    for a in (A, A.astype(np.float32), strided(A), A.transpose(2, 0, 1)):
        check_like_torch(getattr(F, name), getattr(torch, name), a, dim=dim, keepdim=keepdim, grad=grad)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "amax", "amin", "median", "nansum"])
def test_reduction_of_everything_is_like_torch(name):
    for a in (A, A.astype(np.float32), strided(A), A[0, 0, 0], A[:1, :1, :1]):
        check_like_torch(getattr(F, name), getattr(torch, name), np.asarray(a))


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "amax", "logsumexp", "vector_norm"])
def test_reduction_of_0d_accepts_its_only_dim(name):
    torch_fn = torch.linalg.vector_norm if name == "vector_norm" else getattr(torch, name)
    for dim in (0, -1):
        for keepdim in (False, True):
            kwargs = {"dim": dim, "keepdim": keepdim} | ({"correction": 0} if name in ("var", "std") else {})
            # torch's second gradient of a standard deviation of 0 is nan, here it is 0
            check_like_torch(getattr(F, name), torch_fn, np.array(1.5), second=name != "std", **kwargs)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.parametrize(
    "name", ["sum", "mean", "prod", "logsumexp", "nansum", "nanmean", "count_nonzero", "all", "any"]
)
def test_reduction_of_nothing_is_like_torch(name, shape):
    for dim in [None, *range(len(shape))]:
        if dim is None and name == "logsumexp":
            continue
        args = () if dim is None else (dim,)
        check_like_torch(getattr(F, name), getattr(torch, name), np.empty(shape), *args)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64"])
def test_sum_of_integers_is_int64(dtype):
    a = rng.integers(0, 2 if dtype == "bool" else 100, (4, 50)).astype(dtype)
    for name in ("sum", "prod", "cumsum", "cumprod", "nansum"):
        args = (1,) if name.startswith("cum") else ()
        check_like_torch(getattr(F, name), getattr(torch, name), a, *args, grad=False)
    assert F.sum(wrap(a)).dtype is dtypes.int64


def test_sum_with_dtype_casts_first():
    a = np.full(300, 100, np.int8)
    for dtype in (torch.int8, torch.int32, torch.float32, torch.float16, torch.bool):
        check_like_torch(F.sum, torch.sum, a, dtype=dtype, grad=False)
    for name in ("sum", "mean", "prod", "nansum", "nanmean"):
        for args in ((), (1,)):
            call = (getattr(F, name), getattr(torch, name), A.astype(np.float32), *args)
            # gradients of gradients pass through float32
            check_like_torch(*call, dtype=torch.float64, rtol=1e-5, atol=1e-6)


def test_float32_results_and_gradients_stay_float32():
    for name in ("sum", "mean", "var", "std", "amax", "logsumexp", "vector_norm"):
        x = leaf(A, np.float32)
        y = getattr(F, name)(x, dim=1)
        assert y._array.dtype == np.float32
        assert run_backward((y,), (None,), False, False, (x,), False)[0]._array.dtype == np.float32


def test_float16_accumulates_in_float32():
    ones = np.ones(3000, np.float16)
    for name in ("sum", "mean", "nansum", "var", "std"):
        check_like_torch(getattr(F, name), getattr(torch, name), ones, grad=False)
    check_like_torch(F.sum, torch.sum, np.ones((3000, 2), np.float16), 0, grad=False)
    check_like_torch(F.sum, torch.sum, np.ones(70000, np.float16), grad=False)  # inf
    check_like_torch(F.mean, torch.mean, np.ones(70000, np.float16), second=False)
    check_like_torch(F.vector_norm, torch.linalg.vector_norm, np.full(3000, 8, np.float16), grad=False)


def test_std_of_float16_does_not_overflow_on_the_way():
    a = np.array([-400.0, 400.0], np.float16)  # the variance is 320,000
    check_like_torch(F.std, torch.std, a, grad=False)
    check_like_torch(F.std_mean, torch.std_mean, a, grad=False)


def test_sum_gradient_is_a_view():
    x = leaf(np.ones((50, 60)))
    node = F.sum(x, 0).grad_fn
    g = np.ones(60)
    assert np.shares_memory(ops.sum_.vjps[0](g, None, x._array, dim=(0,), keepdim=False), g)
    assert node.name() == "SumBackward1"


@pytest.mark.parametrize("name", ["all", "any"])
def test_truth_is_like_torch(name):
    a = rng.integers(0, 2, (3, 4, 5))
    for array in (a, a.astype(bool), a.astype(np.uint8), a.astype(np.float32)):
        check_like_torch(getattr(F, name), getattr(torch, name), array, grad=False)
        for dim in (0, (0, 2), ()):
            check_like_torch(getattr(F, name), getattr(torch, name), array, dim=dim, keepdim=True, grad=False)


def test_count_nonzero_is_like_torch():
    a = rng.integers(-1, 2, (3, 4, 5))
    for dim in (None, 0, -1, (0, 2)):
        check_like_torch(F.count_nonzero, torch.count_nonzero, a, dim, grad=False)


def test_nan_is_left_out_by_nansum_and_nanmean():
    a = A.copy()
    a[0], a[1, 2, 3] = NAN, NAN
    for name in ("nansum", "nanmean"):
        check_like_torch(getattr(F, name), getattr(torch, name), a, (1, 2), second=False)


# ----- Variance -----


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_variance_overloads_are_like_torch(name):
    npg_fn, torch_fn = getattr(F, name), getattr(torch, name)
    for args, kwargs in [
        ((), {}), ((False,), {}), ((True,), {}), ((0,), {}), ((1, False), {}), ((1, False, True), {}),
        (((0, 2), True, False), {}), ((), {"unbiased": False}), ((), {"correction": 0}), ((0,), {"correction": 2}),
        ((), {"dim": -1, "correction": 1.5, "keepdim": True}),
    ]:  # fmt: skip
        check_like_torch(npg_fn, torch_fn, A, *args, **kwargs)


def test_variance_without_freedom_warns_like_torch():
    for name, array, kwargs in [("var", [1.0], {}), ("std", [1.0, 2.0], {"correction": 3}), ("var_mean", [], {})]:
        with warnings.catch_warnings(record=True) as torch_warnings:
            warnings.simplefilter("always")
            expected = getattr(torch, name)(torch.tensor(array), **kwargs)
        with pytest.warns(UserWarning, match="degrees of freedom is <= 0") as npg_warnings:
            result = getattr(F, name)(wrap(np.array(array, np.float32)), **kwargs)
        assert str(torch_warnings[0].message).startswith(str(npg_warnings[0].message))
        assert_like(result, expected)


@pytest.mark.filterwarnings("ignore:.*degrees of freedom:UserWarning")
@pytest.mark.parametrize("values", [[1.0, 2.0, 4.0], [2.0, 2.0, 2.0]])
@pytest.mark.parametrize("dim", [None, 0, (0,)])
@pytest.mark.parametrize("correction", [0, 2.5, 3, 3.5, 5])
def test_gradients_of_variances_without_degrees_of_freedom_are_those_of_torch(correction, dim, values):
    for name in ("var", "std", "var_mean", "std_mean"):
        first = (lambda y: y[0]) if name.endswith("mean") else (lambda y: y)
        actual, expected = both_gradients(
            lambda x, name=name, first=first: F.sum(first(getattr(F, name)(x, dim, correction=correction))),
            lambda t, name=name, first=first: first(getattr(torch, name)(t, dim, correction=correction)),
            values,
        )
        np.testing.assert_allclose(actual, expected, err_msg=name)


@pytest.mark.parametrize("values", [[1e30, 2e30], [1e-30, 3e-30], [3e38, 3e38, -3e38], [1e38, 1e38, 1e38]])
@pytest.mark.parametrize("count", [1, 60_000])
def test_std_of_huge_and_tiny_numbers_is_that_of_float64(values, count):
    values = np.repeat(np.array(values, np.float32), count)  # of so many PyTorch's is inf where their sum is
    wide, x = values.astype(np.float64), wrap(values)
    with np.errstate(over="ignore"):
        std, var, mean = (np.float32(f) for f in (wide.std(ddof=1), wide.var(ddof=1), wide.mean()))
    for function, expected in ((F.std, std), (F.var, var)):
        np.testing.assert_allclose(function(x)._array, expected, 3e-7)
        np.testing.assert_allclose(function(wrap(values[:, None]), 0)._array, [expected], 3e-7)
    for actual, expected in zip(F.std_mean(x), (std, mean), strict=True):
        np.testing.assert_allclose(actual._array, expected, 3e-7)
    if count == 1:
        assert_like(F.std(x), torch.from_numpy(values).std())


def test_std_gradient_where_it_is_zero_is_zero():
    actual, expected = both_gradients(F.std, torch.std, [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(actual, expected)


def test_var_mean_with_one_gradient_only():
    for pick in (0, 1):
        check_like_torch(lambda x, i=pick: F.var_mean(x, 1)[i], lambda x, i=pick: torch.var_mean(x, 1)[i], A)
        check_like_torch(lambda x, i=pick: F.std_mean(x, 1)[i], lambda x, i=pick: torch.std_mean(x, 1)[i], A)


# ----- Extrema -----


@pytest.mark.parametrize("values", [[1.0, 2.0, 2.0], [2.0, 2.0, 2.0, 2.0], [-1.0], [1.0, NAN, 2.0, NAN]])
@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "median"])
def test_equal_extremes_share_the_gradient(name, values):
    actual, expected = both_gradients(getattr(F, name), getattr(torch, name), values)
    np.testing.assert_array_equal(actual, expected)


def test_amax_over_dims_shares_the_gradient_within_each_slice():
    a = np.round(A)
    for dim in (0, (0, 2), -1):
        for name in ("amax", "amin"):
            check_like_torch(getattr(F, name), getattr(torch, name), a, dim)


@pytest.mark.parametrize("kwargs", [{}, {"dim": 0}, {"dim": -1, "keepdim": True}, {"keepdim": True}])
def test_aminmax_is_like_torch(kwargs):
    for a in (A, np.round(A)):
        check_like_torch(F.aminmax, torch.aminmax, a, **kwargs)
        for i in (0, 1):
            check_like_torch(lambda x, i=i: F.aminmax(x, **kwargs)[i], lambda x, i=i: torch.aminmax(x, **kwargs)[i], a)


# ----- logsumexp and norms -----


@pytest.mark.parametrize("values", [[-INF, -INF], [-INF, 1.0], [INF, 1.0], [NAN, 1.0], [1000.0, 999.0], [-1e4, -1e4]])
def test_logsumexp_of_extremes_is_like_torch(values):
    check_like_torch(F.logsumexp, torch.logsumexp, np.array(values), 0, second=False)


def test_logsumexp_of_integers_is_float():
    check_like_torch(F.logsumexp, torch.logsumexp, np.arange(6).reshape(2, 3), (0, 1))


@pytest.mark.parametrize("dim", [None, 0, (0, 2)])
@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 2.5, 3, INF, -INF, -1, -2.5])
def test_vector_norm_is_like_torch(p, dim):
    for a in (A, strided(A)):
        check_like_torch(F.vector_norm, torch.linalg.vector_norm, a, p, dim, rtol=1e-10)
    check_like_torch(F.vector_norm, torch.linalg.vector_norm, A.astype(np.float32), p, dim, keepdim=True, second=False)


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, INF, -INF, -1])
@pytest.mark.parametrize("values", [[0.0, 0.0], [0.0, 2.0, -2.0], [3.0, -3.0]])
def test_norm_gradient_at_zeros_and_ties_is_like_torch(values, p):
    if p == 0:
        assert gradient_or_none(F.norm(x := leaf(values), p), x) is None
        return
    actual, expected = both_gradients(lambda x: F.norm(x, p), lambda x: torch.norm(x, p), values)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def gradient_or_none(y, x):
    return run_backward((y,), (None,), True, False, (x,), False)[0]


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}), (("fro",), {}), (("fro", 0), {}), ((2, 1, True), {}), ((1,), {}), ((INF, (0, 1)), {}),
        ((), {"dim": -1, "p": 3}), ((), {"dtype": torch.float64}),
    ],
)  # fmt: skip
def test_norm_overloads_are_like_torch(args, kwargs):
    check_like_torch(F.norm, torch.norm, A.astype(np.float32), *args, **kwargs, rtol=1e-4)


@pytest.mark.parametrize("p", [1, 2, 3.5, INF])
def test_dist_is_like_torch(p):
    check_like_torch(F.dist, torch.dist, A, A[0], p, rtol=1e-10)
    check_like_torch(F.dist, torch.dist, A, A, p, second=False)
    check_like_torch(F.dist, torch.dist, A.astype(np.float32), A[0], p, second=False, rtol=1e-6)


# ----- Names, results, errors -----


def test_node_names_are_pytorchs():
    def names(module, x):
        results = [
            module.sum(x), module.sum(x, 0), module.mean(x), module.mean(x, 0), module.var(x), module.std(x),
            module.prod(x), module.prod(x, 0), module.max(x), module.max(x, 0)[0], module.min(x), module.min(x, 0)[0],
            module.amax(x, 0), module.aminmax(x)[0], module.var_mean(x)[0], module.std_mean(x)[1], module.median(x),
            module.median(x, 0)[0], module.norm(x), module.logsumexp(x, 0), module.nansum(x), module.dist(x, x),
            module.cumsum(x, 0), module.cumprod(x, 0), module.logcumsumexp(x, 0), module.cummax(x, 0)[0],
            module.kthvalue(x, 1)[0], module.mode(x)[0], module.nanmedian(x), module.nanmedian(x, 0)[0],
        ]  # fmt: skip
        return [r.grad_fn.name() for r in results]

    assert names(F, leaf(A)) == names(torch, torch.tensor(A, requires_grad=True))


def test_return_types_behave_like_pytorchs():
    actual, expected = F.max(wrap(A), 0), torch.max(torch.tensor(A), 0)
    assert repr(actual).split("\n")[0] == repr(expected).split("\n")[0].replace("torch", "npg")
    assert "\nvalues=tensor(" in repr(actual) and ",\nindices=tensor(" in repr(actual)
    values, indices = actual
    assert actual.values is values is actual[0]
    assert actual.indices is indices
    assert isinstance(actual, tuple) and isinstance(actual, return_types.max)
    constructed = return_types.aminmax((1, 2))
    assert (constructed.min, constructed.max) == (1, 2)
    assert pickle.loads(pickle.dumps(constructed)) == constructed == copy.deepcopy(constructed)
    assert type(copy.copy(constructed)) is return_types.aminmax


def test_numpy_names_and_out():
    x = wrap(A)
    assert_like(F.sum(x, axis=(0, 1), keepdims=True), torch.tensor(A).sum((0, 1), True))
    out = wrap(np.empty((0,)))
    assert F.mean(x, dim=0, out=out) is out
    np.testing.assert_array_equal(out._array, A.mean(0))
    values, indices = wrap(np.empty(0)), wrap(np.empty(0, np.int64))
    actual = F.max(x, 1, out=(values, indices))
    assert actual.values is values and actual.indices is indices
    np.testing.assert_array_equal(indices._array, A.argmax(1))


@pytest.mark.parametrize(
    "call",
    [
        lambda m, x, i, e: m.sum(x, 3),
        lambda m, x, i, e: m.sum(x, (0, -3)),
        lambda m, x, i, e: m.sum(x.sum(), 1),
        lambda m, x, i, e: m.sum(3),
        lambda m, x, i, e: m.sum([1, 2]),
        lambda m, x, i, e: m.mean(i),
        lambda m, x, i, e: m.mean(i, dtype=i.dtype),
        lambda m, x, i, e: m.var(i),
        lambda m, x, i, e: m.std(i),
        lambda m, x, i, e: m.var_mean(i),
        lambda m, x, i, e: m.nanmean(i),
        lambda m, x, i, e: m.norm(i),
        lambda m, x, i, e: m.norm(x, "foo"),
        lambda m, x, i, e: m.norm(e, INF),
        lambda m, x, i, e: m.norm(e, -1),
        lambda m, x, i, e: m.norm(e, INF, 0),
        lambda m, x, i, e: m.amax(e),
        lambda m, x, i, e: m.amax(e, 0),
        lambda m, x, i, e: m.amin(x, 5),
        lambda m, x, i, e: m.aminmax(e),
        lambda m, x, i, e: m.aminmax(e, dim=0),
        lambda m, x, i, e: m.max(e),
        lambda m, x, i, e: m.max(e, 0),
        lambda m, x, i, e: m.min(e),
        lambda m, x, i, e: m.logsumexp(x, 3),
    ],
)
def test_refused_call_raises_pytorchs_error(call):
    arrays = [A, np.arange(3), np.empty((0, 3))]
    tensors = [wrap(a) for a in arrays]
    torch_tensors = [torch.tensor(a) for a in arrays]
    assert_same_error(lambda: call(F, *tensors), lambda: call(torch, *torch_tensors))


def test_nuclear_norm_is_like_torch():
    check_like_torch(F.norm, torch.norm, A[0], "nuc", rtol=1e-8)
    check_like_torch(F.norm, torch.norm, A, "nuc", (1, 2), True, rtol=1e-8)


def test_ndarray_is_taken_as_a_constant():
    assert_like(F.sum(A, 0), torch.tensor(A).sum(0))
    assert to_npg(torch.tensor(A)).sum is not None


# ----- dtype= and nan -----


@pytest.mark.parametrize("call", ["sum(dtype=lib.int64)", "prod(dtype=lib.int32)", "nansum(dtype=lib.int64)"])
def test_reduction_in_an_integer_dtype_is_torchs_where_nothing_is_recorded(call):
    check(f"lib.tensor([1.5, 2.5]).{call}")
    check_error(f"lib.tensor([1.5, 2.5], requires_grad=True).{call}")


@pytest.mark.parametrize("call", ["nanmean(dtype=lib.int64)", "norm(dtype=lib.int64)", "norm(dtype=lib.float16)"])
def test_reduction_in_a_dtype_that_does_not_fit_raises_torchs_error(call):
    check_error(f"lib.tensor([1.5, 2.5]).{call}")


@pytest.mark.parametrize("p", [0.5, 1, 3])
def test_gradient_of_a_norm_is_torchs_beside_nan(p):
    check_like_torch(lambda x: F.norm(x, p), lambda x: torch.norm(x, p), np.array([1.0, np.nan, -2.0]), second=False)


@pytest.mark.parametrize("shapes", [((), (3, 2)), ((3, 2), ()), ((2, 1), (3,))])
@pytest.mark.parametrize("p", [1, 2, 3])
def test_gradient_of_dist_is_summed_to_the_shapes_of_its_inputs(shapes, p):
    a, b = (rng.standard_normal(s) for s in shapes)
    check_like_torch(lambda x, y: F.dist(x, y, p), lambda x, y: torch.dist(x, y, p), np.array(a), np.array(b))


def test_gradient_of_std_of_equal_elements_is_a_positive_zero():
    check(
        "x = lib.ones(2, 3, requires_grad=True); x.std(1).backward(lib.tensor([-1.0, 1.0])); r = lib.signbit(x.grad), "
        "x.grad"
    )
