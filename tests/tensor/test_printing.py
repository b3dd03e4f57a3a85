"""Printing: torch's text, character by character, with npg's dtype names."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import npg

DTYPES = ["float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool"]
SHAPES = [
    (), (0,), (0, 3), (3, 0), (1,), (5,), (2, 3), (2, 3, 4), (30,), (1000,), (1001,), (40, 40), (3, 400), (11, 11, 11),
    (7, 2, 90), (2, 0, 3), (1, 1, 1, 1, 1, 1, 30), (4, 5, 6, 10),
]  # fmt: skip
KINDS = ["normal", "large", "small", "mixed", "nan", "inf", "whole", "zero", "sparse"]
OPTIONS = [
    {},
    {"precision": 2},
    {"precision": 0},
    {"precision": 8, "linewidth": 200},
    {"sci_mode": True},
    {"sci_mode": False},
    {"linewidth": 40},
    {"edgeitems": 1, "threshold": 5},
    {"edgeitems": 0, "threshold": 5},
    {"threshold": 0},
    {"profile": "short"},
    {"profile": "full"},
]


@pytest.fixture(autouse=True)
def default_options():
    yield
    torch.set_printoptions(profile="default")
    npg.set_printoptions(profile="default")


def assert_prints_alike(array: np.ndarray, requires_grad: bool = False) -> None:
    x, y = npg.tensor(array), torch.from_numpy(np.array(array))
    if requires_grad and array.dtype.kind == "f":
        x.requires_grad_()
        y.requires_grad_()
    assert repr(x) == repr(y).replace("torch.", "npg.")
    assert str(x) == repr(x)


def floats(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    a = rng.standard_normal(shape)
    chosen = rng.random(shape) < 0.5
    return np.asarray(
        {
            "normal": a,
            "large": a * 10.0 ** rng.integers(0, 12),
            "small": a * 10.0 ** -rng.integers(0, 12),
            "mixed": a * 10.0 ** rng.integers(-9, 9, shape),
            "nan": np.where(chosen, np.nan, a),
            "inf": np.where(chosen, np.inf, np.where(rng.random(shape) < 0.5, -np.inf, np.round(a))),
            "whole": np.round(a * 10.0 ** rng.integers(0, 10)),
            "zero": a * 0.0,
            "sparse": np.where(chosen, 0.0, a),
        }[kind]
    )


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_repr_of_random_tensors_is_torchs(dtype, options):
    rng = np.random.default_rng(DTYPES.index(dtype))
    torch.set_printoptions(**options)
    npg.set_printoptions(**options)
    for shape in SHAPES:
        for kind in rng.choice(KINDS, 2 if np.prod(shape) > 100 else 4, replace=False):
            with np.errstate(all="ignore"):
                if dtype.startswith("float"):
                    array = floats(kind, shape, rng).astype(dtype)
                else:
                    array = np.asarray(rng.integers(-(10 ** rng.integers(0, 10)), 10 ** rng.integers(1, 10), shape))
                    array = array.astype(dtype)
            assert_prints_alike(array, requires_grad=bool(rng.integers(0, 2)))
            if not dtype.startswith("float"):
                break


@given(st.lists(st.floats(width=32), max_size=12), st.sampled_from([np.float32, np.float64]))
def test_repr_of_any_floats_is_torchs(values, dtype):
    assert_prints_alike(np.array(values, dtype))


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=12))
def test_repr_of_any_integers_is_torchs(values):
    assert_prints_alike(np.array(values, np.int64))


@pytest.mark.parametrize(
    "source",
    [
        "x * 2",
        "x + 1",
        "(x * 2).sum()",
        "x.double() * 2",
        "x[0]",
        "x.view(3, 1)",
        "x.t()",
        "x.exp()",
        "x.clone()",
        "x.detach()",
        "x.max()",
        "-x",
        "x / 2",
        "x ** 2",
        "x == x",
    ],
)
def test_repr_of_recorded_tensor_names_its_node(source):
    x, y = npg.tensor([1.5, 2.0, 3.0], requires_grad=True), torch.tensor([1.5, 2.0, 3.0], requires_grad=True)
    assert repr(eval(source, {"x": x})) == repr(eval(source, {"x": y})).replace("torch.", "npg.")


def test_repr_of_other_default_dtype_names_float32():
    try:
        npg.set_default_dtype(npg.float64)
        assert repr(npg.ones(1)) == "tensor([1.])"
        assert repr(npg.ones(1, dtype=npg.float32)) == "tensor([1.], dtype=npg.float32)"
        assert repr(npg.ones(0, dtype=npg.int64)) == "tensor([], dtype=npg.int64)"
    finally:
        npg.set_default_dtype(npg.float32)


def test_repr_of_view_with_gaps_prints_its_elements():
    assert repr(npg.arange(6.0).view(2, 3).t()[::2]) == repr(torch.arange(6.0).view(2, 3).t()[::2])


def test_printoptions_are_set_and_restored():
    before = npg.get_printoptions()
    with npg.printoptions(precision=1):
        assert repr(npg.tensor([1.25])) == "tensor([1.2])"
        assert npg.get_printoptions()["precision"] == 1
    assert npg.get_printoptions() == before
    with pytest.raises(KeyError):
        npg.set_printoptions(profile="none such")
