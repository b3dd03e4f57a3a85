"""Gradient clipping and parameter vectors, next to torch."""

import importlib
import inspect
import math
import pkgutil
from typing import Any

import numpy as np
import pytest

import npg
from npg import nn
from npg.functional.norm import norms
from tests.helpers import assert_like

torch = pytest.importorskip("torch", reason="compares with torch")


def parameters(library: Any, scale: float = 1.0) -> list[Any]:
    rng = np.random.default_rng(0)
    made = []
    for shape in ((3, 4), (5,), (2, 2)):
        p = library.nn.Parameter(library.tensor(rng.standard_normal(shape)))
        p.grad = library.tensor(rng.standard_normal(shape) * scale)
        made.append(p)
    made.append(library.nn.Parameter(library.ones(2)))  # has no gradient
    return made


@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf, 3.0])
@pytest.mark.parametrize("max_norm", [0.1, 100.0])
def test_clip_grad_norm_agrees_with_torch(max_norm: float, norm_type: float) -> None:
    ours, theirs = parameters(npg), parameters(torch)
    found = nn.utils.clip_grad_norm_(ours, max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert_like(found, expected)
    for f, e in zip(ours[:3], theirs[:3], strict=True):
        assert_like(f.grad, e.grad)
    assert ours[3].grad is None


def test_clip_grad_norm_of_a_generator_and_of_nothing() -> None:
    ours = parameters(npg)
    nn.utils.clip_grad_norm_((p for p in ours), 0.1)
    assert math.isclose(nn.utils.get_total_norm([p.grad for p in ours[:3]]).item(), 0.1, rel_tol=1e-4)
    assert nn.utils.clip_grad_norm_([ours[3]], 1.0).item() == 0.0


@pytest.mark.parametrize("p", [2.0, 1.0, math.inf, -math.inf, 0.0, 3.0])
@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "mixed", "parameters", "empty"])
def test_norms_of_many_are_those_of_each(kind: str, p: float) -> None:
    rng = np.random.default_rng(1)
    dtype = "float32" if kind in ("mixed", "parameters", "empty") else kind
    arrays = [
        rng.standard_normal((3, 4)), rng.standard_normal((4, 5))[:, ::2].T, rng.standard_normal(5000),
        np.array(2.5), np.full((1, 1), -3.0), np.array([1e30, math.nan]), np.full(70, 1e25), np.zeros((0, 2)),
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        tensors: list[Any] = [npg.from_numpy(x.astype(dtype)) for x in (arrays if kind == "empty" else arrays[:-1])]
    if kind == "mixed":
        tensors[1] = tensors[1].double()
    if kind == "parameters":
        tensors[0] = nn.Parameter(tensors[0])
    with npg.no_grad():
        if kind == "empty" and math.isinf(p):
            with pytest.raises(RuntimeError, match="cannot compute the"):
                norms(tensors, p)
            return
        expected = npg.stack([npg.linalg.vector_norm(t, p) for t in tensors])
        found = norms(tensors, p)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_clip_grad_norm_nonfinite() -> None:
    ours = parameters(npg)
    ours[0].grad[0, 0] = math.inf
    before = ours[1].grad.clone()
    with pytest.raises(RuntimeError, match="The total norm of order 2.0 for gradients from `parameters` is non-finite"):
        nn.utils.clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    assert npg.equal(ours[1].grad, before)
    theirs = parameters(torch)
    theirs[0].grad[0, 0] = math.inf
    assert_like(nn.utils.clip_grad_norm_(ours, 1.0), torch.nn.utils.clip_grad_norm_(theirs, 1.0))
    for f, e in zip(ours[:3], theirs[:3], strict=True):
        assert_like(f.grad, e.grad)


def test_clip_grad_value_agrees_with_torch() -> None:
    ours, theirs = parameters(npg), parameters(torch)
    nn.utils.clip_grad_value_(ours, 0.3)
    torch.nn.utils.clip_grad_value_(theirs, 0.3)
    for f, e in zip(ours[:3], theirs[:3], strict=True):
        assert_like(f.grad, e.grad)


def test_parameters_to_vector_and_back() -> None:
    m = nn.Linear(3, 2)
    vector = nn.utils.parameters_to_vector(m.parameters())
    assert vector.shape == (8,)
    nn.utils.vector_to_parameters(npg.arange(8.0), m.parameters())
    assert m.bias.tolist() == [6.0, 7.0] and m.weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


# ----- Without initial values -----


def test_skip_init_draws_nothing() -> None:
    npg.manual_seed(0)
    layer = nn.utils.skip_init(nn.Linear, 3, 2, bias=False, dtype=npg.float64)
    drawn = npg.rand(1)
    npg.manual_seed(0)
    assert drawn == npg.rand(1)
    assert layer.weight.shape == (2, 3) and layer.weight.dtype is npg.float64 and layer.weight.requires_grad


@pytest.mark.parametrize("lib", [npg, torch])
def test_skip_init_refuses_what_is_no_module_or_has_no_device(lib: Any) -> None:
    with pytest.raises(RuntimeError, match="Expected a Module; got <class 'int'>"):
        lib.nn.utils.skip_init(int)
    with pytest.raises(RuntimeError, match="Module must support a 'device' arg to skip initialization"):
        lib.nn.utils.skip_init(lib.nn.ReLU)


def public_functions(lib):
    """Yield the name and the signature of each function of torch.nn.utils and its modules."""
    package = lib.nn.utils
    for file in pkgutil.iter_modules(package.__path__):
        if file.name[0] != "_":
            module = importlib.import_module(f"{package.__name__}.{file.name}")
            for name, value in vars(module).items():
                if inspect.isfunction(value) and name[0] != "_" and value.__module__ == module.__name__:
                    parameters = inspect.signature(value).parameters.values()
                    yield f"{file.name}.{name}", [(p.name, p.kind, p.default) for p in parameters]


def test_functions_have_torchs_names_and_signatures():
    theirs, ours = dict(public_functions(torch)), dict(public_functions(npg))
    assert len(theirs) > 40
    assert {name: ours.get(name) for name in theirs} == theirs
    assert set(torch.nn.utils.__all__) <= set(npg.nn.utils.__all__)
