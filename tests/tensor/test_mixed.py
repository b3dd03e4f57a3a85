"""Tensors combined with Python's builtins, NumPy's arrays and other libraries, as in programs.

With Python and NumPy, results and errors are those of PyTorch's tensors; with SciPy, pandas and scikit-learn those of
ndarrays.
"""

import array
import copy
import datetime
import decimal
import fractions
import functools
import io
import itertools
import json
import math
import operator
import random
import statistics
import struct
import warnings

import numpy as np
import pytest
import torch

import npg

NAMES = {
    m.__name__: m
    for m in (
        array, copy, datetime, decimal, fractions, functools, io, itertools, json, math, operator, random, statistics,
        struct,
    )
}  # fmt: skip

# ----- Python and NumPy -----

EXPRESSIONS = r"""
float(t0) || int(t0) || complex(t0) || bool(t0) || float(v) || int(v) || float(one) || int(one2)
operator.index(i0) || operator.index(t0) || operator.index(v) || operator.index(i1) || operator.index(b0)
range(i0) || list(range(i0)) || range(t0) || round(t0) || round(v) || round(t0,1) || round(v,2) || math.sqrt(t0)
math.floor(t0) || math.ceil(t0) || math.trunc(t0) || math.floor(v) || math.exp(v) || math.isnan(t0)
math.gcd(i0,4) || math.sqrt(w0) || math.factorial(i0) || math.comb(i0,2) || math.isclose(t0,2.5) || math.fsum(v)
math.prod(v) || math.hypot(*v) || math.dist(v,v) || "%d" % t0 || "%d" % i0 || "%.2f" % t0 || "%s" % t0 || "%s" % v
"%x" % i0 || "{}".format(t0) || "{:.3f}".format(t0) || f"{t0:.3f}" || f"{i0:d}" || f"{i0:x}" || f"{v:.3f}"
f"{v}" || f"{one:.2f}" || f"{w0:.1f}" || f"{t0!r}" || f"{t0:>10}" || f"{v:>10}" || f"{b0}" || str(i0)
json.dumps(t0) || json.dumps(v) || json.dumps(v.tolist()) || json.dumps({"a":t0.item()}) || 1.0 in v || 5.0 in v
t0 in v || v in v || "a" in v || None in v || np.float32(1) in v || t0 in [t0] || 2.5 in [t0] || i0 in {3:1}
sorted(v) || sorted(v,reverse=True) || sorted(m) || max(v) || min(v) || sum(v) || max(t0,i0) || min(m) || sum(m)
sum([t0,t0]) || sum(v,10) || any(v) || all(v) || any(m) || len(v) || len(t0) || list(v) || tuple(v)
dict(zip("ab",v)) || list(reversed(v)) || list(enumerate(v)) || list(zip(v,v)) || list(map(float,v)) || [*v]
a,b,c=v || v[i0-1] || L[i0-2] || L[t0] || "abc"[i0-2] || L[i0-3:i0] || np.asarray(v,dtype='f8') || np.asarray(v)
np.asarray(w) || np.array(v,dtype=object) || np.array([v,v]) || np.array([t0,t0]) || np.array([w0])
np.array([[v],[v]]) || np.array([v,[1,2,3]]) || np.array(t0) || np.asarray(b0) || np.float64(t0) || np.float32(v)
np.int64(i0) || np.bool_(b0) || arr[i0] || arr[i1] || arr[vi] || arr[mask] || arr[t0] || arr[i0:] || arr[:i0]
arr[::i0] || arr2[vi,vi] || arr2[:,vi] || arr2[i0-1,i0-2] || sa(arr,i0,5) || sa(arr,vi,v) || sa(arr,mask4,0)
sa(arr,slice(0,3),v) || sa(arr,0,t0) || sa(arr,slice(0,3),w) || sa(arr,mask4,vi.sum()) || st(np.array([0,1]),9)
st(np.array([True,False,True]),9) || st(0,np.float64(3)) || st(0,arr[0]) || v[np.int64(1)] || v[np.array(1)]
v[np.array([0,2])] || v[np.array([True,False,True])] || v[np.array([[0,1],[1,2]])] || v[[0,1]]
m[np.array([0,1]),np.array([1,0])] || m[:,np.array([1])] || v[np.uint8(1)] || v[np.float64(1)]
struct.pack("f",t0) || struct.pack("f",v) || struct.pack("i",i0) || memoryview(v) || bytes(v) || bytearray(v)
bytes(i0) || np.frombuffer(v,'f4') || io.BytesIO(v) || array.array('f',v) || array.array('f',v.tolist())
decimal.Decimal(t0) || fractions.Fraction(t0) || random.sample(list(v),0) || statistics.mean(v)
statistics.mean(v.tolist()) || functools.reduce(operator.add,v) || list(itertools.accumulate(v)) || divmod(t0,2)
divmod(v,2) || divmod(7,i0) || pow(t0,2) || pow(v,2) || pow(2,v) || abs(-v) || -v || +v || ~vi || not t0
t0 and 1 || v or 1 || hash(v)==hash(v) || v is v || v==v || v==None || v!=None || v=="a" || v==[1,2,3]
[1,2,3]==v || t0==2.5 || v<None || v+None || v+"a" || "a"+v || v+[1] || v*[1] || (1,)+v || v+(1,) || [1]*i0
"a"*i0 || [1]*v || datetime.timedelta(seconds=float(t0)) || datetime.timedelta(seconds=i0) || copy.copy(v)
isinstance(v,np.ndarray) || np.isscalar(t0) || np.ndim(v) || v.__array__().dtype
hasattr(v,'__array_interface__') || hasattr(v,'__cuda_array_interface__') || hasattr(v,'__iter__') || v.shape==(3,)
tuple(v.shape) || v.shape[0] || v.size() || v.size(0) || v.ndim || v.nbytes || v.itemsize || "%r" % (v,)
v.__len__() || v.__bool__() || one.__bool__() || bool(empty) || if1(empty) || int(empty) || i0.__index__()
chr(i0) || bin(i0) || hex(i0) || slice(i0) || np.arange(i0) || np.zeros(i0) || np.zeros((i0,i0)).shape
np.full(3,t0) || np.linspace(0,t0,3) || time_(t0) || list(itertools.islice([1,2,3,4],i0)) || v.__contains__(1)
[x for x in m] || m.tolist() || m[0].tolist() || t0.tolist() || t0.item() || v.item() || np.sqrt(t0)
np.array_equal(v,v) || np.allclose(v,v) || np.testing.assert_allclose(v,v) || np.testing.assert_array_equal(v,v)
np.testing.assert_almost_equal(t0,2.5) || np.testing.assert_equal(v,v) || np.vectorize(lambda x:x*2)(v)
np.fromiter(v,'f4') || np.fromiter((x for x in v),'f4') || np.array(list(v)) || np.array(tuple(v))
np.datetime64(0,'s') || np.savetxt(io.StringIO(),v) || np.save(io.BytesIO(),v) || np.random.normal(v).shape
np.random.permutation(i0).shape || np.take(arr,vi) || np.matrix(v) || np.ma.masked_where(v>1,v)
"""


def result(lib, expression):
    t0, i0, i1, v = lib.tensor(2.5), lib.tensor(3), lib.tensor([1]), lib.tensor([1.0, 3.0, 2.0])
    names = {
        "t0": t0, "i0": i0, "i1": i1, "v": v, "w": lib.tensor([1.0, 3.0, 2.0], requires_grad=True),
        "w0": lib.tensor(4.0, requires_grad=True), "one": lib.tensor([2.5]), "one2": lib.tensor([[7]]),
        "b0": lib.tensor(True), "vi": lib.tensor([0, 2]), "m": lib.tensor([[1.0, 2.0], [0.0, 5.0]]),
        "mask": lib.tensor([True, False, True, False]), "empty": lib.empty(0), "arr": np.arange(4.0),
        "arr2": np.arange(16.0).reshape(4, 4), "L": list("abcdef"), "np": np, **NAMES,
    }  # fmt: skip
    names["mask4"] = names["mask"]

    def write(target, index, value):
        target[index] = value
        return target

    names["sa"], names["st"] = write, lambda index, value: write(v, index, value)
    names["if1"] = lambda x: 1 if x else 0
    names["time_"] = lambda x: datetime.datetime.fromtimestamp(float(x)).second
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if expression.startswith("a,b,c="):
                exec(expression, names)
                return names["b"].item()
            actual = eval(expression, names)
        except Exception as error:
            return type(error).__name__, str(error).split("\n")[0].replace("torch", "npg")
    return type(actual).__name__, repr(actual).replace("torch", "npg")


@pytest.mark.parametrize("expression", EXPRESSIONS.strip().replace("\n", " || ").split(" || "))
def test_expression_gives_what_pytorch_gives(expression):
    assert result(npg, expression) == result(torch, expression)


@pytest.mark.parametrize(
    "index", [np.uint8(1), np.int8(-1), np.uint8(200), np.float64(1), np.int64(2), np.array(1)], ids=repr
)
def test_numpys_number_is_an_index_or_refused(index):
    outcomes = []
    for lib in (torch, npg):
        try:
            outcomes.append(lib.arange(3.0)[index].item())
        except IndexError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


def test_from_numpy_takes_what_numpys_functions_give():
    x = npg.ones(2)
    t = npg.from_numpy(np.stack([x, x]))
    assert t.tolist() == [[1, 1], [1, 1]] and npg.from_numpy(x).data_ptr() == x.data_ptr()
    w = npg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        npg.from_numpy(np.stack([w, w]))
    with npg.no_grad():
        assert not npg.from_numpy(w).requires_grad


def test_astype_is_numpys_and_recorded():
    x = npg.tensor([1.5, 2.5])
    assert np.concatenate([x, x]).astype("f8").dtype is npg.float64
    assert x.astype(int).tolist() == [1, 2] and x.astype(npg.float16).dtype is npg.float16
    assert x.astype(np.float32, copy=False).data_ptr() == x.data_ptr() != x.astype(np.float32).data_ptr()
    assert isinstance(x.astype(complex), np.ndarray) and x.astype(str).dtype.kind == "U"
    with pytest.raises(TypeError, match="Cannot cast"):
        x.astype(int, casting="safe")
    w = npg.tensor([1.5, 2.5], requires_grad=True)
    w.astype("f8").sum().backward()
    assert w.grad.tolist() == [1, 1] and not w.astype(int).requires_grad
    for call in (lambda: w.astype(complex), lambda: w.astype(int, casting="safe")):
        with pytest.raises(TypeError, match=r"detach\(\)|Cannot cast"):
            call()
    assert x.copy().tolist() == x.tolist() and x.copy().data_ptr() != x.data_ptr() and w.copy().requires_grad
    assert x.tobytes() == x.numpy().tobytes() and x.strides == (4,) and x.to_numpy() is x.numpy()


# ----- A dtype that npg does not have -----

FOREIGN = [
    np.ones(2, complex), np.ones(2, np.longdouble), np.array(["a", "b"]), np.array([None, 1]), np.ones(2, ">f4"),
    np.array(["2020", "2021"], "M8[D]"), np.array([1, 2], "m8[s]"), np.zeros(2, [("a", "f4")]), np.array([b"a", b"b"]),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Casting complex values to real")  # copy_ takes the real part, as in PyTorch
@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda a: str(a.dtype))
def test_no_tensor_can_be_made_over_a_foreign_dtype(foreign, engine):
    x = npg.ones(2)
    bare = engine.TensorBase.__new__(engine.TensorBase)
    ways = [
        lambda: engine.wrap(foreign), lambda: bare._set_array(foreign), lambda: npg.from_numpy(foreign),
        lambda: npg.as_tensor(foreign), lambda: npg.Tensor(foreign[::1]), lambda: npg.asarray(foreign),
        lambda: engine.wrap(np.ones(2))._swap_array(foreign), lambda: npg.sum(foreign), lambda: npg.stack([x, foreign]),
        lambda: x.add(foreign), lambda: x.add_(foreign), lambda: x.copy_(foreign), lambda: x.__iadd__(foreign),
        lambda: npg.where(x > 0, x, foreign), lambda: npg.exp(foreign), lambda: npg.cat([foreign, foreign]),
        lambda: x.set_(foreign), lambda: npg.relu(foreign), lambda: x.view(foreign.dtype),
    ]  # fmt: skip
    for i, way in enumerate(ways):
        try:
            result = way()
        except (TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError):
            continue
        if isinstance(result, npg.Tensor):  # a copy of its values
            assert npg.dtypes.is_known(result._array.dtype), f"way {i} gives a Tensor over {result._array.dtype}"
    assert x.tolist() == [1, 1]


@pytest.mark.parametrize("foreign", FOREIGN[:2], ids=lambda a: str(a.dtype))
def test_operator_with_a_foreign_array_is_numpys(foreign):
    x, w = npg.ones(2), npg.ones(2, requires_grad=True)
    for f in (operator.add, operator.mul, operator.sub, operator.truediv, operator.pow):
        for actual, expected in ((f(x, foreign), f(x.numpy(), foreign)), (f(foreign, x), f(foreign, x.numpy()))):
            assert type(actual) is np.ndarray and actual.dtype == expected.dtype and (actual == expected).all()
        for call in (lambda f=f: f(w, foreign), lambda f=f: f(foreign, w)):
            with pytest.raises(TypeError, match=r"requires grad .*detach\(\)"):
                call()
    for scalar in (np.complex64(1), np.complex128(1j)):
        assert (x + scalar).dtype == np.dtype(np.complex64) or scalar.dtype == np.complex128
        with pytest.raises(TypeError):
            x += scalar
    assert x.tolist() == [1, 1]
    for big in (np.longdouble(2), np.float64(2)):
        assert (x * big).dtype is (big * x).dtype is npg.float32 and (w * big).requires_grad
        assert x.clone().mul_(big).tolist() == [2, 2]


@pytest.mark.parametrize("number", [np.datetime64(0, "s"), np.str_("a"), np.bytes_(b"a"), np.void(b"a")], ids=repr)
def test_what_is_no_number_is_no_operand(number):
    with pytest.raises(TypeError):
        npg.ones(2) + number
    with pytest.raises(TypeError, match="must be Tensor"):
        npg.ones(2).add(number)


# ----- Other libraries -----

DATA = {
    "X": np.random.default_rng(0).normal(size=(20, 3)), "y": np.random.default_rng(1).normal(size=20),
    "c": np.arange(20) % 2, "v": np.array([0.5, 1.5, 2.5]), "A": np.eye(3) * 2 + 0.1, "p": np.array([0.2, 0.5, 0.3]),
}  # fmt: skip
PROGRAMS = {
    "scipy": """
        scipy.sparse.eye(3) @ v || scipy.sparse.eye(3) @ A || scipy.sparse.csr_matrix(A) @ X.T
        scipy.sparse.csr_matrix(A).sum() || scipy.sparse.csr_array(A).dot(v)
        scipy.sparse.coo_matrix((v, ([0, 1, 2], [0, 1, 2]))).toarray() || scipy.stats.norm.pdf(v)
        scipy.stats.zscore(y) || scipy.stats.pearsonr(y, X[:, 0]).statistic
        scipy.stats.ttest_ind(y, X[:, 1]).pvalue || scipy.stats.describe(y).mean || scipy.stats.norm(v, 1).cdf(v)
        scipy.stats.rankdata(y) || scipy.stats.entropy(p)
        scipy.optimize.minimize(lambda z: ((z - 1) ** 2).sum(), v).x
        scipy.optimize.curve_fit(lambda z, a: a * z, v, v)[0] || scipy.optimize.linear_sum_assignment(A)[1]
        scipy.optimize.nnls(A, v)[0] || scipy.optimize.root(lambda z: z - 1, v).x || scipy.linalg.inv(A)
        scipy.linalg.solve(A, v) || scipy.linalg.expm(A) || scipy.linalg.lu(A)[2] || scipy.linalg.eigvalsh(A)
        scipy.signal.convolve(y, v) || scipy.signal.lfilter(v, [1.0], y) || scipy.signal.find_peaks(y)[0]
        scipy.ndimage.gaussian_filter(X, 1) || scipy.fft.fft(y) || scipy.interpolate.interp1d(v, v)(v)
        scipy.interpolate.CubicSpline(v, v)(v) || scipy.integrate.simpson(y) || scipy.spatial.distance.cdist(X, X)
        scipy.spatial.KDTree(X).query(X[0])[1] || scipy.cluster.vq.whiten(X) || scipy.special.softmax(v)
        scipy.special.logsumexp(X, axis=0) || scipy.special.gammaln(v) || scipy.io.savemat(io.BytesIO(), {'v': v})
    """,
    "pandas": """
        pandas.Series(v).sum() || pandas.DataFrame(X).mean().to_numpy()
        pandas.DataFrame({'a': v, 'b': v}).to_numpy() || pandas.Series(v) * v || v * pandas.Series([1.0, 2.0, 3.0])
        pandas.Series(y).rolling(3).mean().to_numpy() || pandas.cut(y, 3).codes
        pandas.DataFrame(X, index=y).shape || pandas.Series([1.0, 2.0, 3.0]).isin(v).to_numpy()
        pandas.DataFrame(X)[0].corr(pandas.Series(y)) || pandas.Series(c).value_counts()[0]
        pandas.Series([1.0, 2.0, 3.0]).where(v > 1, 0).to_numpy() || pandas.Index(c).size || pandas.isna(v)
        pandas.get_dummies(c).to_numpy() || pandas.concat([pandas.Series(v)] * 2).size
    """,
    "sklearn": """
        sklearn.linear_model.LinearRegression().fit(X, y).predict(X)
        sklearn.linear_model.LogisticRegression().fit(X, c).predict_proba(X)
        sklearn.decomposition.PCA(2).fit_transform(X) || sklearn.preprocessing.StandardScaler().fit_transform(X)
        sklearn.metrics.accuracy_score(c, c) || sklearn.metrics.mean_squared_error(y, X[:, 0])
        sklearn.model_selection.train_test_split(X, y, random_state=0)[0]
        sklearn.cluster.KMeans(2, n_init=1, random_state=0).fit(X).labels_
        sklearn.tree.DecisionTreeClassifier(random_state=0).fit(X, c).predict(X)
        sklearn.neighbors.KNeighborsClassifier().fit(X, c).predict(X) || sklearn.svm.SVC().fit(X, c).predict(X)
        sklearn.metrics.confusion_matrix(c, c) || sklearn.metrics.roc_auc_score(c, y)
        sklearn.metrics.pairwise.cosine_similarity(X)
    """,
}
SUBMODULES = {
    "scipy": "sparse stats optimize linalg signal ndimage fft interpolate integrate spatial cluster.vq special io",
    "pandas": "",
    "sklearn": "linear_model decomposition preprocessing metrics model_selection cluster tree neighbors svm "
    "metrics.pairwise",
}


@pytest.mark.filterwarnings("ignore")  # the library's own
@pytest.mark.parametrize("library", PROGRAMS)
def test_programs_of_other_libraries_take_tensors(library):
    module = pytest.importorskip(library, reason=f"{library} is not installed")
    for name in SUBMODULES[library].split():
        pytest.importorskip(f"{library}.{name}")
    for program in PROGRAMS[library].strip().replace("\n", " || ").split(" || "):
        names = {library: module, "io": io, "np": np}
        expected = eval(program.strip(), {**names, **{k: a.copy() for k, a in DATA.items()}})
        actual = eval(program.strip(), {**names, **{k: npg.tensor(a) for k, a in DATA.items()}})
        if expected is not None and not isinstance(expected, tuple):
            np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), 1e-6, 1e-9, err_msg=program)
        elif isinstance(expected, tuple):
            assert actual == expected, program
