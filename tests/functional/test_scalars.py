"""Python numbers beside tensors of small dtypes: PyTorch's values, dtypes and refusals of numbers that do not fit."""

import warnings

import pytest
import torch
from hypothesis import given, strategies as st

import npg

DTYPES = ["uint8", "int8", "int16", "int32", "int64", "bool", "float32", "float64"]
EDGES = [
    0,
    1,
    -1,
    3,
    127,
    128,
    255,
    256,
    300,
    -128,
    -129,
    -300,
    2**15,
    2**31,
    2**40,
    2.5,
    -2.5,
    300.7,
    1e5,
    1e39,
    -1e300,
]
FUNCTIONS = {
    "where tensor": lambda lib, x, s: lib.where(mask(lib), x, s),
    "where number": lambda lib, x, s: lib.where(mask(lib), s, x),
    "where method": lambda lib, x, s: x.where(mask(lib), s),
    "full_like": lambda lib, x, s: lib.full_like(x, s),
    "full": lambda lib, x, s: lib.full((2,), s, dtype=x.dtype),
    "new_full": lambda lib, x, s: x.new_full((2,), s),
    "masked_fill": lambda lib, x, s: x.masked_fill(mask(lib), s),
    "masked_fill_": lambda lib, x, s: x.masked_fill_(mask(lib), s),
    "fill": lambda lib, x, s: lib.fill(x, s),
    "fill_": lambda lib, x, s: x.fill_(s),
    "clamp low": lambda lib, x, s: x.clamp(min=s),
    "clamp high": lambda lib, x, s: x.clamp(max=s),
    "clamp both": lambda lib, x, s: x.clamp(s, s),
    "add": lambda lib, x, s: x + s,
    "rsub": lambda lib, x, s: s - x,
    "add alpha": lambda lib, x, s: lib.add(x, x, alpha=s),
    "sub alpha": lambda lib, x, s: lib.sub(x, x, alpha=s),
    "index_fill": lambda lib, x, s: x.index_fill(0, places(lib), s),
    "pad": lambda lib, x, s: lib.nn.functional.pad(x, (1, 1), value=s),
    "scatter": lambda lib, x, s: x.scatter(0, places(lib), s),
    "setitem": lambda lib, x, s: written(x, 0, s),
    "setitem mask": lambda lib, x, s: written(x, mask(lib), s),
    "setitem slice": lambda lib, x, s: written(x, slice(0, 2), s),
    "threshold": lambda lib, x, s: lib.nn.functional.threshold(x, s, s),
    "hardtanh": lambda lib, x, s: lib.nn.functional.hardtanh(x, min(s, 0), s),
    "eq": lambda lib, x, s: x == s,
    "lt": lambda lib, x, s: x < s,
    "xor": lambda lib, x, s: x ^ s,
    "tensor": lambda lib, x, s: lib.tensor([s], dtype=x.dtype),
    "scalar_tensor": lambda lib, x, s: lib.scalar_tensor(s, dtype=x.dtype),
    "new_tensor": lambda lib, x, s: x.new_tensor([s]),
}


def mask(lib):
    return lib.tensor([True, False, True, False])


def places(lib):
    return lib.tensor([0, 2])


def written(x, index, value):
    x[index] = value
    return x


def outcome(lib, name, dtype, number):
    x = lib.tensor([0, 1, 1, 0] if dtype == "bool" else [0, 1, 5, 100]).to(getattr(lib, dtype))
    try:
        result = FUNCTIONS[name](lib, x, number)
    except Exception as error:
        return type(error).__name__, str(error).split("\n")[0].replace("torch", "npg")
    return str(result.dtype).split(".")[-1], result.tolist()


def check(name, dtype, number):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, actual = outcome(torch, name, dtype, number), outcome(npg, name, dtype, number)
    assert repr(actual) == repr(expected), f"{name} of {dtype} and {number}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_number_that_does_not_fit_is_refused_or_wraps_as_in_pytorch(name):
    for dtype in DTYPES:
        for number in EDGES:
            check(name, dtype, number)


numbers = st.one_of(
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.integers(-400, 400),
    st.floats(allow_nan=False, width=32).map(lambda f: f + 0.0),
    st.sampled_from(EDGES),
)


@given(st.sampled_from(sorted(FUNCTIONS)), st.sampled_from(DTYPES), numbers)
def test_any_number_beside_any_dtype_is_pytorchs(name, dtype, number):
    check(name, dtype, number)


# ----- Views of another width -----

VIEWS = {
    "whole": lambda x: x, "from row 1": lambda x: x[1:], "from column 1": lambda x: x[:, 1:],
    "column 2": lambda x: x[:, 2:],
    "steps": lambda x: x[:, ::2], "transposed": lambda x: x.t(), "row": lambda x: x[1], "0-d": lambda x: x[1, 1],
    "empty": lambda x: x[:0], "cut": lambda x: x[1:, :6], "expanded": lambda x: x[:, :1].expand(4, 8),
    "odd start": lambda x: x[3, 3:7], "flat from 3": lambda x: x.reshape(-1)[3:19], "one": lambda x: x[1, 1:2][None],
}  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
def test_view_of_another_dtype_looks_at_offset_and_strides_as_pytorch(view):
    def of(lib, source, target):
        x = VIEWS[view](lib.arange(32).to(getattr(lib, source)).reshape(4, 8))
        try:
            y = x.view(getattr(lib, target))
        except RuntimeError as error:
            return str(error).split("\n")[0]
        return y.stride(), y.storage_offset(), tuple(y.shape), repr(y.tolist())

    for source in DTYPES:
        for target in DTYPES:
            assert of(npg, source, target) == of(torch, source, target), (view, source, target)


# ----- Counted tensors of integers -----

BOUNDS = st.one_of(st.integers(-400, 400), st.floats(-300, 300, width=16))
KINDS = {
    "linspace": lambda lib, a, b, n, kind: lib.linspace(a, b, n, dtype=kind),
    "arange": lambda lib, a, b, n, kind: lib.arange(a, b, (n + 1) * (1 if a <= b else -1), dtype=kind),
    "range": lambda lib, a, b, n, kind: lib.range(a, b, (n + 1) * (1 if a <= b else -1), dtype=kind),
    "full": lambda lib, a, b, n, kind: lib.full((n,), a, dtype=kind),
    "logspace": lambda lib, a, b, n, kind: lib.logspace(int(a) % 7, int(b) % 7, n, 2.0, dtype=kind),
}


@pytest.mark.filterwarnings("ignore:torch.range is deprecated")
@given(st.sampled_from(sorted(KINDS)), st.sampled_from(DTYPES[:5]), BOUNDS, BOUNDS, st.integers(0, 12))
def test_counted_tensor_of_integers_is_pytorchs(name, dtype, a, b, n):
    def of(lib):
        try:
            return KINDS[name](lib, a, b, n, getattr(lib, dtype)).tolist()
        except Exception as error:
            return type(error).__name__, str(error).split("\n")[0]

    assert of(npg) == of(torch)


def test_linspace_from_below_zero_wraps_the_bound_first():
    assert npg.linspace(-5, 5, 5, dtype=npg.uint8).tolist() == torch.linspace(-5, 5, 5, dtype=torch.uint8).tolist()
    assert npg.linspace(-5, 5, 5, dtype=npg.uint8).tolist() == [251, 189, 128, 66, 5]
