"""A NumPy scalar where a number is meant: the result is that of the Python number, as PyTorch has it.

Calls are PyTorch's samples of its ops, each number in them replaced by NumPy's scalars of several dtypes in turn; and
the hyperparameters of optimizers.
"""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import npg

from .helpers import Unsupported, tensors_in, to_npg
from .op_samples import name_of
from .test_op_db import UNDEFINED, forms

pytestmark = pytest.mark.usefixtures("quick_samples")

KINDS = (np.float32, np.float64, np.int64, np.int8, np.bool_)
TIES = {"argsort", "sort", "topk", "kthvalue"}
SAMPLES = 6


def _value(number: Any, kind: type) -> Any:
    """Return a scalar of the kind, near a number; None where it has none."""
    if kind is np.bool_:
        return kind(number) if type(number) is bool else None
    if not -128 < number < 128:
        return None
    if issubclass(kind, np.integer) and number:
        number = round(number) or 1
    return kind(number)


def _calls(op: Any, dtype: torch.dtype) -> Any:
    """Yield (form, args, kwargs, where, scalar) for each argument that is a number, and each kind of scalar."""
    for form in [f for f in forms(op) if f.name in ("function", "in place")]:
        seen = set()
        for s in itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=False), SAMPLES):
            if form.in_place and s.broadcasts_input:
                continue
            given = {**dict(enumerate((s.input, *s.args))), **s.kwargs}
            for where, number in given.items():
                if type(number) not in (bool, int, float):
                    continue
                for kind in KINDS[:2] if op.name == "logit" else KINDS:  # of which 1 is no sensible eps
                    scalar = _value(number, kind)
                    if scalar is not None and (where, kind) not in seen:
                        seen.add((where, kind))
                        yield form, given, where, scalar


def _run(lib: Any, function: Any, given: dict[Any, Any], where: Any, scalar: Any) -> list[Any]:
    given = {k: x.clone() if isinstance(x, (torch.Tensor, npg.Tensor)) else x for k, x in given.items()}
    given[where] = scalar
    args = [x for k, x in given.items() if type(k) is int]
    kwargs = {k: x for k, x in given.items() if type(k) is str}
    lib.default_generator.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [x.detach() for x in tensors_in(function(*args, **kwargs))]


def _word(x: Any) -> str:
    return str(list(x.shape)) if isinstance(x, torch.Tensor) else repr(x)


OPS = [op for op in op_db if op.name not in UNDEFINED | TIES and forms(op)]


@pytest.mark.filterwarnings("ignore:torch:UserWarning")  # PyTorch's, while it makes samples
@pytest.mark.parametrize("part", range(8))
def test_numpy_scalars_for_numbers_of_every_op(part):
    wrong = []
    for op in OPS[part::8]:
        for dtype in (torch.float32, torch.int64):
            if dtype not in op.dtypes:
                continue
            for form, given, where, scalar in _calls(op, dtype):
                try:
                    ours = to_npg(given)
                except Unsupported:
                    continue
                text = ", ".join(f"{k}: {_word(x)}" for k, x in given.items())
                case = f"{name_of(op)}, {form.name}, {dtype}, ({text}) with {scalar!r} for {where}"
                try:
                    if type(scalar) is np.bool_:  # PyTorch takes it for a float
                        theirs = _run(npg, form.npg_fn, ours, where, bool(scalar))
                    else:
                        theirs = _run(torch, form.torch_fn, given, where, scalar)
                except Exception:
                    continue  # refused
                try:
                    found = _run(npg, form.npg_fn, ours, where, scalar)
                except Exception as error:
                    wrong.append(f"{case}: {error!r}")
                    continue
                for a, b in zip(found, theirs, strict=True):
                    x, y = a.numpy(), b.numpy()
                    if x.dtype != y.dtype or x.shape != y.shape or not np.allclose(x, y, 1e-4, 1e-5, equal_nan=True):
                        wrong.append(f"{case}: {x.dtype} {x}, expected {y.dtype} {y}")
                        break
    assert not wrong, "\n".join(wrong[:40]) + f"\n{len(wrong)} are wrong"


# ----- Optimizers -----

OPTIMIZERS = {
    "SGD": {"momentum": 0.5, "weight_decay": 0.1},
    "Adam": {"weight_decay": 0.1},
    "AdamW": {"weight_decay": 0.1},
    "RMSprop": {"momentum": 0.5, "weight_decay": 0.1, "alpha": 0.9},
    "Adagrad": {"weight_decay": 0.1, "lr_decay": 0.1},
    "Adadelta": {"weight_decay": 0.1},
    "RAdam": {"weight_decay": 0.1},
    "LBFGS": {},
}


def _stepped(name: str, dtype: Any, settings: dict[str, Any]) -> list[Any]:
    ps = [npg.nn.Parameter(npg.arange(1.0, 1.0 + n, dtype=dtype)) for n in (3, 5)]
    optimizer = getattr(npg.optim, name)(ps, **settings)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = sum((p * p).sum() for p in ps)
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return [p.detach().numpy() for p in ps]


@pytest.mark.parametrize("dtype", [npg.float16, npg.float32, npg.float64], ids=str)
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_numpy_scalars_in_optimizers_are_python_numbers(name, kind, dtype):
    settings = {"lr": kind(0.1), **{k: kind(x) for k, x in OPTIMIZERS[name].items()}}
    if name == "RAdam" or (kind is np.float64 and name.startswith("Adam")):  # as PyTorch refuses the others
        settings["betas"] = (kind(0.5), kind(0.75))
    plain = {k: tuple(map(float, x)) if isinstance(x, tuple) else float(x) for k, x in settings.items()}
    for ours, expected in zip(_stepped(name, dtype, settings), _stepped(name, dtype, plain), strict=True):
        assert ours.dtype == dtype.dtype
        assert np.array_equal(ours, expected, equal_nan=True)


def test_numpy_scalars_as_alpha_in_the_old_order():
    x = npg.ones(2)
    with pytest.warns(UserWarning, match="deprecated"):
        found = npg.add(x, np.float64(0.5), x)
    assert found.dtype is npg.float32
    assert found.tolist() == [1.5, 1.5]
