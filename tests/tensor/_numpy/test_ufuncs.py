"""Every ufunc of NumPy and each of its methods on tensors: NumPy's values, recorded, or a clear refusal."""

import sys
import warnings

import numpy as np
import pytest

import npg
from tests import processes

from .test_protocol import SQUARE, A, B, check_recorded, leaf

UFUNCS = {f.__name__: f for f in vars(np).values() if isinstance(f, np.ufunc)}

# ----- Values -----

INTS = np.array([[1, 12, 7], [3, 2, 5]])
OTHERS = np.array([[2, 3, 1], [1, 4, 2]])
BITS = np.array([[True, False, True], [False, False, True]])
OPERANDS = [(A, B), (INTS, OTHERS), (BITS, ~BITS)]
METHODS = {
    "reduce": lambda f, x: f.reduce(x),
    "reduce axis": lambda f, x: f.reduce(x, axis=1),
    "reduce keepdims": lambda f, x: f.reduce(x, -1, keepdims=True),
    "reduce axes": lambda f, x: f.reduce(x, axis=(0, 1)),
    "reduce all": lambda f, x: f.reduce(x, axis=None),
    "reduce initial": lambda f, x: f.reduce(x, axis=1, initial=x.dtype.type(1) if isinstance(x, np.ndarray) else 1),
    "reduce where": lambda f, x: f.reduce(x, axis=1, where=BITS),
    "reduce none": lambda f, x: f.reduce(x[:, :0], axis=1),
    "accumulate": lambda f, x: f.accumulate(x),
    "accumulate axis": lambda f, x: f.accumulate(x, axis=1),
    "reduceat": lambda f, x: f.reduceat(x, [0, 2, 1], axis=1),
    "outer": lambda f, x: f.outer(x, x[0]),
    "outer array": lambda f, x: f.outer(np.asarray([1, 2]).astype(INTS.dtype if f.nin == 2 else float), x),
}


def numpys(call, raises=False):
    """Return the result of a call without NumPy's warnings, or its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call()
        except (TypeError, ValueError) as error:
            if raises:
                raise
            return error


def compare(name, actual, expected, recorded):
    """Compare a ufunc's result with NumPy's: equal, or a clear TypeError; history is never lost."""
    if isinstance(expected, tuple):
        assert isinstance(actual, tuple) and len(actual) == len(expected)
        for f, e in zip(actual, expected, strict=True):
            compare(name, f, e, recorded)
        return
    assert isinstance(actual, npg.Tensor), f"np.{name} gives {actual!r}"
    assert tuple(actual.shape) == np.shape(expected), f"np.{name}: {actual.shape}, NumPy has {np.shape(expected)}"
    kinds = (actual.numpy(force=True).dtype, np.asarray(expected).dtype)
    rtol = 2e-3 if np.float16 in kinds else 2e-6 if np.float32 in kinds else 1e-12
    np.testing.assert_allclose(actual.detach().numpy().astype(float), np.asarray(expected, float), rtol, 1e-13)
    if recorded and actual.dtype.is_floating_point and np.asarray(expected).dtype.kind == "f":
        assert actual.requires_grad, f"np.{name} has lost its history"


def named_refusal(name, error):
    words = f"np.{name}" in str(error) and "use" in str(error)
    return words or isinstance(error, (RuntimeError, NotImplementedError, ValueError)) or "takes" in str(error)


@pytest.mark.parametrize("name", UFUNCS)
def test_every_ufunc_is_numpys_or_refused(name):
    f = UFUNCS[name]
    accepted = 0
    for a, b in OPERANDS:
        if name == "reciprocal" and a.dtype.kind in "ib":
            continue  # NumPy divides integers here, npg always gives floats
        operands = (a, b)[: f.nin] if name not in ("matvec", "vecmat", "matmul") else {
            "matvec": (SQUARE, b[0]), "vecmat": (b[0], SQUARE), "matmul": (a, b.T)
        }[name]  # fmt: skip
        if name == "clip":
            operands = (a, b[0], a[0])
        if name in ("arccosh",):
            operands = (a + 1,)
        expected = numpys(lambda operands=operands: f(*operands))
        if isinstance(expected, Exception):
            continue
        xs = [leaf(x) for x in operands]
        try:
            actual = numpys(lambda xs=xs: f(*xs), raises=True)
        except TypeError as error:
            assert named_refusal(name, error), error
            continue
        except (RuntimeError, NotImplementedError) as error:
            assert a.dtype.kind == "b" or name == "nextafter", (name, error)
            continue
        accepted += 1
        compare(name, actual, expected, any(x.requires_grad for x in xs))
    if name not in ("isnat", "spacing"):
        assert accepted, f"np.{name} takes no kind of tensor"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", [n for n, f in UFUNCS.items() if f.nin == 2 and f.nout == 1 and f.signature is None])
def test_every_method_of_a_binary_ufunc_is_numpys_or_refused(name, method):
    f = UFUNCS[name]
    if name in ("power", "arctan2") and method in ("reduce axis", "reduce keepdims", "reduce initial"):
        pytest.skip("NumPy 2.4's own result is wrong where its loop is vectorised: it loses the elements between")
    for a, _ in OPERANDS:
        expected = numpys(lambda a=a: METHODS[method](f, a))
        if isinstance(expected, Exception):
            continue
        x = leaf(a)
        try:
            actual = numpys(lambda x=x: METHODS[method](f, x), raises=True)
        except (TypeError, RuntimeError, NotImplementedError, ValueError) as error:
            assert a.dtype.kind in "ib", (name, method, error)
            continue
        compare(f"{name}.{method}", actual, expected, x.requires_grad and method != "reduce none")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "name", ["add", "multiply", "subtract", "divide", "maximum", "fmin", "hypot", "power", "logaddexp"]
)
def test_method_of_ufunc_has_the_gradient_of_its_values(name, method):
    f = UFUNCS[name]
    if name == "power" and method.startswith("reduce "):
        method = "reduce"
    if name in ("hypot", "logaddexp") and method == "reduce none":
        return  # a constant
    if not isinstance(numpys(lambda: METHODS[method](f, A)), Exception):
        check_recorded(lambda x: METHODS[method](f, x), A)


@pytest.mark.parametrize("name", [n for n, f in UFUNCS.items() if f.nin == 2 and f.nout == 1 and f.signature is None])
def test_masked_reduce_with_an_initial_value_is_numpys(name):
    f, mask = UFUNCS[name], np.array([[True, False, True], [False, False, True]])
    for a, _ in OPERANDS:
        call = lambda x: f.reduce(x, axis=0, initial=1, where=mask)
        expected = numpys(lambda a=a, call=call: call(a))
        if isinstance(expected, Exception) or expected.shape != (3,):
            continue
        try:
            actual = numpys(lambda a=a, call=call: call(leaf(a)), raises=True)
        except (TypeError, RuntimeError, NotImplementedError) as error:
            assert a.dtype.kind in "ib", (name, error)
            continue
        compare(f"{name}.reduce", actual, expected, leaf(a).requires_grad)


def test_where_with_out_writes_the_rest_from_out():
    def masked(x, y):
        out = np.log(y) if isinstance(y, np.ndarray) else npg.log(y) * 1
        return np.log(x, out=out, where=A > 0.5)

    check_recorded(masked, A, B)
    x = npg.tensor([4.0, 0.0], requires_grad=True)
    np.sqrt(x, out=npg.zeros(2) * 1, where=np.array([True, False])).sum().backward()
    assert x.grad.tolist() == [0.25, 0.0]  # nothing was computed at 0, where the slope is infinite
    array = np.zeros(2, np.float32)
    assert np.add(npg.ones(2), [1.0, 2.0], out=array, where=[True, False]) is array and array.tolist() == [2, 0]
    with pytest.raises(TypeError, match="only together with one out="):
        np.add(x, 1, where=[True, False])
    with pytest.raises(TypeError, match="requires grad into an array"):
        np.add(x, 1, out=array, where=[True, False])


def test_results_of_several_outputs_are_written_to_their_outs():
    a, b = npg.zeros(2), npg.zeros(2)
    results = np.divmod(npg.tensor([7.0, -7.0]), 2, out=(a, b))
    assert results[0] is a and results[1] is b and a.tolist() == [3, -4] and b.tolist() == [1, 1]


FLOATING = [
    n
    for n, f in UFUNCS.items()
    if f.signature is None and n != "clip" and not isinstance(numpys(lambda f=f: f(*(A, B)[: f.nin])), Exception)
]


@pytest.mark.parametrize("name", FLOATING)
def test_every_ufunc_takes_out_and_where_and_never_drops_history(name):
    f = UFUNCS[name]
    arrays = (A / 2, B / 2)[: f.nin] if name.startswith("arc") and name != "arccosh" else (A + 1, B + 1)[: f.nin]
    expected = f(*arrays)
    if isinstance(expected, tuple):
        outs = tuple(npg.zeros(2, 3, dtype=npg.from_numpy(np.empty_like(e)).dtype) for e in expected)
        assert f(*map(npg.tensor, arrays), out=outs) == outs
        return
    out, target = npg.from_numpy(np.zeros_like(expected)), np.zeros_like(expected)
    assert f(*map(npg.tensor, arrays), out=out) is out and f(*map(npg.tensor, arrays), out=target) is target
    np.testing.assert_allclose(out.numpy(), expected, 1e-12)
    np.testing.assert_allclose(target, expected, 1e-12)
    mask = A > 0.5
    by_numpy, part = np.full_like(expected, 1), npg.from_numpy(np.full_like(expected, 1))
    f(*arrays, out=by_numpy, where=mask)
    assert f(*map(npg.tensor, arrays), out=part, where=mask) is part
    np.testing.assert_allclose(part.numpy(), by_numpy, 1e-12)
    xs = [leaf(a) for a in arrays]
    if expected.dtype.kind != "f":
        return
    before = target.copy()
    for keywords in ({}, {"where": mask}):
        with pytest.raises(TypeError, match="requires? grad"):
            f(*xs, out=target, **keywords)
    assert np.array_equal(target, before)
    if name != "spacing":
        recorded = npg.from_numpy(np.zeros_like(expected))
        f(*xs, out=recorded)
        assert recorded.requires_grad


@pytest.mark.parametrize("name", FLOATING)
def test_every_ufunc_computes_in_the_dtype_asked_for(name):
    f = UFUNCS[name]
    arrays = tuple(a.astype(np.float32) for a in (A + 1, B + 1)[: f.nin])
    expected = numpys(lambda: f(*arrays, dtype=np.float64))
    if isinstance(expected, (Exception, tuple)) or expected.dtype != np.float64:
        return
    actual = numpys(lambda: f(*map(npg.tensor, arrays), dtype=np.float64))
    assert actual.dtype is npg.float64
    np.testing.assert_allclose(actual.numpy(), expected, 1e-12)


def test_table_has_the_ufuncs_of_all_ops_before_their_functions_are_used():
    code = (
        "from npg.tensor._numpy import ufuncs\n"
        "import npg.functional._namespaces\n"
        "from npg.ops._op import OPS\n"
        "declared = {f for op in OPS for f in op.numpy}\n"
        "assert declared and not declared - {*ufuncs._FUNCTIONS}, declared - {*ufuncs._FUNCTIONS}\n"
        "assert {op.scipy for op in OPS if op.scipy} == {*ufuncs._SCIPYS}\n"
    )
    processes.run([sys.executable, "-c", code], check=True)
