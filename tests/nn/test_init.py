"""nn.init: the numbers are torch's, seed for seed."""

from typing import Any

import pytest

import npg
from npg.nn import init
from tests.helpers import assert_like

torch = pytest.importorskip("torch", reason="compares with torch")

CALLS = [
    ("uniform_", {"a": -2.0, "b": 3.0}),
    ("normal_", {"mean": 1.0, "std": 0.5}),
    ("trunc_normal_", {"std": 0.7, "a": -1.0, "b": 1.5}),
    ("trunc_normal_", {"mean": 0.5, "std": 2.0, "a": 0.1, "b": 0.9}),
    ("constant_", {"val": 2.5}),
    ("ones_", {}),
    ("zeros_", {}),
    ("xavier_uniform_", {"gain": 1.3}),
    ("xavier_normal_", {"gain": 0.7}),
    ("kaiming_uniform_", {"a": 0.3}),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}),
    ("kaiming_normal_", {}),
    ("orthogonal_", {"gain": 1.5}),
    ("eye_", {}),
    ("sparse_", {"sparsity": 0.4}),
]
SHAPES = [(3, 4), (5, 2), (16, 17), (6, 3, 2)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "kwargs"), CALLS, ids=lambda v: v if isinstance(v, str) else "-".join(v) or "plain")
def test_init_numbers_agree_with_torch(name: str, kwargs: dict[str, Any], shape: tuple[int, ...], dtype: str) -> None:
    if name in ("eye_", "sparse_") and len(shape) != 2:
        with pytest.raises(ValueError, match="Only tensors with 2 dimensions"):
            getattr(init, name)(npg.empty(shape), **kwargs)
        return
    ours = npg.empty(shape, dtype=getattr(npg, dtype), requires_grad=True)
    theirs = torch.empty(shape, dtype=getattr(torch, dtype), requires_grad=True)
    npg.manual_seed(4)
    torch.manual_seed(4)
    found = getattr(init, name)(ours, **kwargs)
    expected = getattr(torch.nn.init, name)(theirs, **kwargs)
    assert found is ours and found.requires_grad and found.is_leaf
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {}
    assert_like(found.detach(), expected.detach(), name, **tolerance)
    assert npg.get_rng_state().tolist() == torch.get_rng_state().tolist()


def test_dirac_agrees_with_torch() -> None:
    for shape, groups in (((4, 2, 3), 1), ((4, 2, 3, 3), 2)):
        assert_like(init.dirac_(npg.empty(shape), groups), torch.nn.init.dirac_(torch.empty(shape), groups))


@pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"])
def test_calculate_gain_agrees_with_torch(name: str) -> None:
    assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert init.calculate_gain("leaky_relu", 0.2) == torch.nn.init.calculate_gain("leaky_relu", 0.2)


def test_init_refusals() -> None:
    with pytest.raises(ValueError, match="Unsupported nonlinearity softplus"):
        init.calculate_gain("softplus")
    with pytest.raises(ValueError, match="Fan in and fan out can not be computed"):
        init.xavier_uniform_(npg.empty(3))
    with pytest.raises(ValueError, match="Mode fan not supported"):
        init.kaiming_normal_(npg.empty(2, 2), mode="fan")
    with pytest.raises(ValueError, match="2 or more dimensions"):
        init.orthogonal_(npg.empty(3))
