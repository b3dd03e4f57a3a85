"""Programs: the steps give the bits of the function itself, in blocks of any size, in place and not."""

import itertools

import numpy as np
import pytest

from npg.kernels import core, programs
from npg.kernels.buffers import scratch
from npg.kernels.programs import Program, program


def _mixed(x, y, *, k):
    a = np.exp(-x) * k + y
    b = np.sqrt(np.absolute(a)) / (2.0 + x * x)
    return a - b, b, np.maximum(a, 0.25)


def _arrays(count, n, dtype):
    draw = np.random.default_rng(n)
    return [draw.standard_normal(n).astype(dtype) for _ in range(count)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [0, 1, 3, 2047, 2048, 2049, 5000, 100_000])
def test_program_bits_are_those_of_the_function(n, dtype):
    x, y = _arrays(2, n, dtype)
    actual = program(_mixed)(x, y, k=0.7)
    for result, expected in zip(actual, _mixed(x, y, k=0.7), strict=True):
        assert result.dtype == expected.dtype
        assert result.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_run_by_numpy_give_the_same_bits(dtype, monkeypatch):
    monkeypatch.setattr(programs, "BLOCK", 64)
    x, y = _arrays(2, 1000, dtype)
    p = program(_mixed)
    actual = p(x, y, k=0.7)
    again = tuple(np.empty_like(x) for _ in range(3))
    p._run((x, y), {"k": 0.7}, again)
    assert [a.tobytes() for a in actual] == [a.tobytes() for a in again]


@pytest.mark.parametrize("order", list(itertools.permutations(["p", "q"])))
def test_results_in_place_see_the_old_values(order):
    def step(p, q):
        first = p + q
        second = first * q - p
        return (first, second) if order == ("p", "q") else (second, first)

    p, q = _arrays(2, 5000, "float32")
    expected = step(p, q)
    actual = program(step, in_place=order)(p, q)
    arrays = {"p": p, "q": q}
    for name, result, right in zip(order, actual, expected, strict=True):
        assert result is arrays[name]
        assert result.tobytes() == right.tobytes()


def test_inputs_given_back_and_one_result_twice():
    def same(x):
        y = x * 2.0
        return x, y, y

    (x,) = _arrays(1, 3000, "float64")
    actual = program(same)(x)
    assert [a.tobytes() for a in actual] == [a.tobytes() for a in same(x)]
    assert actual[0] is not x
    assert actual[1] is not actual[2]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_arrays_that_no_loop_takes_as_they_are(dtype):
    x = np.random.default_rng(0).standard_normal((6, 8)).astype(dtype)

    @program
    def silu(x):
        return x / (np.exp(-x) + 1.0)

    for array in (x.T, x[:, ::2], x[::2].T, x[1], np.asarray(x[0, 0]), x.astype(np.dtype(dtype).newbyteorder())):
        actual = silu.of(array)
        assert np.array_equal(actual, silu.function(array))
        assert actual.strides == np.negative(array).strides


def test_temporaries_are_used_again():
    def long(x):
        for _ in range(20):
            x = x * 1.5 + 0.5
        return x

    p = program(long)
    (x,) = _arrays(1, 100, "float64")
    assert p(x).tobytes() == long(x).tobytes()
    assert p.temporaries <= 2


def test_out_is_written():
    x, y = _arrays(2, 3000, "float32")
    out = tuple(np.empty_like(x) for _ in range(3))
    actual = program(_mixed)(x, y, k=2.0, out=out)
    assert all(a is b for a, b in zip(actual, out, strict=True))


def test_numbers_are_given_at_each_call():
    p = program(_mixed)
    x, y = _arrays(2, 100, "float32")
    assert p(x, y, k=1.0)[0].tobytes() != p(x, y, k=2.0)[0].tobytes()


def test_function_that_decides_by_values_is_refused():
    p = program(lambda x: x if x else -x)
    with pytest.raises(TypeError, match="decides by values"):
        p(np.ones(3))


def test_compiled_kernels_run_programs_themselves():
    if core.name != "cython":
        pytest.skip("of the compiled kernels")
    p: Program = program(_mixed)
    p(*_arrays(2, 10, "float32"), k=1.0)
    assert type(p._runner).__name__ == "_Runner"
    assert core.compile_steps(program_of_strange_ufunc()) is None


def program_of_strange_ufunc():
    """Return a program with a step that has no loop for floats alone."""
    p = program(lambda x: x)
    place = ("out", 0)
    p.steps = [programs.Step(np.ldexp, [("in", 0), ("constant", 2)], ["full", "number"], place, "full", False)]
    p.outputs, p.results = 1, ["full"]
    return p


# ----- On rows -----


@program(rows=("ones", "weight"), columns=("shift",))
def _on_rows(x, ones, weight, shift, *, n):
    top = np.maximum.reduce(x, axis=-1, keepdims=True)
    e = np.exp(x - top)
    total = np.vecdot(e, ones)
    inverse = 1.0 / (total * n)  # a column from columns and numbers
    return e * inverse * weight + shift, inverse, e - x, weight + ones + shift


def _given_on_rows(rows, n, dtype):
    x, weight, shift = (a.reshape(s) for a, s in zip(_arrays(3, rows * n, dtype), [(rows, n)] * 3, strict=True))
    return x, np.ones(n, dtype), weight[0].copy(), shift[:, :1].copy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("rows", "n"), [(1, 1), (1, 5), (5, 1), (3, 7), (100, 65), (2, 3000), (3, 4096), (2, 9001), (700, 130)]
)
def test_program_on_rows_is_the_function_and_the_same_on_both_ways_to_run(rows, n, dtype, monkeypatch):
    x, ones, weight, shift = _given_on_rows(rows, n, dtype)
    actual = _on_rows(x, ones, weight, shift, n=n)
    e = np.exp(x - x.max(-1, keepdims=True))
    inverse = 1 / (e.sum(-1, keepdims=True) * n)
    formulas = e * inverse * weight + shift, inverse, e - x, weight + ones + shift
    for result, expected in zip(actual, formulas, strict=True):
        assert result.shape == expected.shape
        assert result.dtype == dtype
        np.testing.assert_allclose(result, expected, 1e-5 if dtype == "float32" else 1e-13)
    monkeypatch.setattr(programs, "BLOCK", 300)
    again = tuple([np.empty_like(a) for a in actual])
    _on_rows._run((x, ones, weight, shift), {"n": n}, again)
    assert [a.tobytes() for a in actual] == [a.tobytes() for a in again]


def test_program_with_a_column_is_one_on_rows():
    @program
    def shares(x, y):
        return y - x * np.vecdot(x, y)

    x, y = (a.reshape(8, 50) for a in _arrays(2, 400, "float64"))
    np.testing.assert_allclose(shares(x, y), y - x * (x * y).sum(-1, keepdims=True), 1e-12, 1e-12)


def test_program_on_rows_takes_arrays_of_its_shapes_only():
    x, ones, weight, shift = _given_on_rows(4, 6, "float32")
    with pytest.raises(ValueError, match="reshape|broadcast|shape"):
        _on_rows(x, ones, weight[:5], shift, n=6.0)
    with pytest.raises(ValueError, match="reshape|broadcast|shape"):
        _on_rows(x, ones, weight, shift[:3], n=6.0)


def test_column_does_not_lie_where_its_matrix_is_still_read():
    @program(rows=("ones",))
    def differences(x, ones):
        a = x * 2.0
        return a * np.vecdot(a, ones) - np.maximum.reduce(a, axis=-1, keepdims=True)

    x = _arrays(1, 4000, "float64")[0].reshape(80, 50)
    a = x * 2
    expected = a * a.sum(-1, keepdims=True) - a.max(-1, keepdims=True)
    np.testing.assert_allclose(differences(x, np.ones(50)), expected, 1e-12, 1e-12)


def test_sum_of_a_column_is_refused():
    with pytest.raises(TypeError, match="vecdot"):
        program(rows=("ones",))(lambda x, ones: np.vecdot(np.vecdot(x, ones), ones))(np.ones((2, 3)), np.ones(3))


def test_long_rows_are_summed_in_runs_and_keep_their_digits():
    @program(rows=("ones",))
    def means(x, ones, *, n):
        return np.vecdot(x, ones) / n

    x = np.random.default_rng(0).random((60, 20_000), np.float32) + np.float32(1000)
    actual = means(x, np.ones(20_000, np.float32), n=20_000.0)
    np.testing.assert_allclose(actual, x.mean(-1, dtype=np.float64, keepdims=True), rtol=2e-7)


def test_result_in_scratch_is_not_where_temporaries_are():
    # An op's kernel uses the first slots itself, and may let a program write there.
    x, y = _arrays(2, 30_000, "float64")
    p = program(_mixed)
    expected = _mixed(x, y, k=0.5)
    out = tuple([scratch(i, x.shape, x.dtype) for i in range(3)])
    p(x, y, k=0.5, out=out)
    assert [a.tobytes() for a in out] == [a.tobytes() for a in expected]
    p._run((x, y), {"k": 0.5}, out)
    assert [a.tobytes() for a in out] == [a.tobytes() for a in expected]
