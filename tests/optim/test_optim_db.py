"""Every optimizer of npg with PyTorch's own sample settings: ten steps, state, resuming, errors."""

import warnings
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="compares with torch")
from torch.testing._internal.common_optimizers import optim_db  # noqa: E402

import npg  # noqa: E402
from npg import optim  # noqa: E402
from tests.helpers import assert_like, to_npg  # noqa: E402

OFFERED = [info for info in optim_db if hasattr(optim, info.optim_cls.__name__)]
# LBFGS has its own test: on this problem a change of 1e-15 in a parameter grows to 1e-3 in 150 iterations in torch.
STEPPED = [info for info in OFFERED if info.optim_cls is not torch.optim.LBFGS]
CASES = [(info, case) for info in STEPPED for case in info.optim_inputs_func(device="cpu")]
NAMES = [f"{info.optim_cls.__name__}-{case.desc}" for info, case in CASES]


def problem(library: Any, dtype: str) -> tuple[list[Any], Any]:
    """Return two parameters and a function that computes their loss, the same in either library."""
    rng = np.random.default_rng(1)
    arrays = [rng.standard_normal(s).astype(dtype) for s in ((3, 2), (2,), (4, 3))]
    w, b, x = (library.tensor(a) for a in arrays)
    w.requires_grad_(True)
    b.requires_grad_(True)
    return [w, b], lambda: ((x @ w + b).tanh() ** 2).sum()


def train(optimizer: Any, loss: Any, steps: int = 10) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()


def converted(params: Any, result: dict[int, Any]) -> Any:
    """Return a sample's parameters as npg tensors, each converted once."""
    if isinstance(params, torch.Tensor):
        return result.setdefault(id(params), to_npg(params))
    if isinstance(params, dict):
        return {k: converted(v, result) for k, v in params.items()}
    if isinstance(params, tuple):
        return tuple(converted(p, result) for p in params)
    if isinstance(params, list) or hasattr(params, "__next__"):
        return [converted(p, result) for p in params]
    return params


def assert_same_state(npg_optimizer: Any, torch_optimizer: Any) -> None:
    actual, expected = npg_optimizer.state_dict()["state"], torch_optimizer.state_dict()["state"]
    assert actual.keys() == expected.keys()
    for i in expected:
        assert actual[i].keys() == expected[i].keys()
        for name, value in expected[i].items():
            if isinstance(value, torch.Tensor):
                assert_like(actual[i][name], value, name)
            else:
                assert actual[i][name] == value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("info", "case"), CASES, ids=NAMES)
def test_ten_steps_agree_with_torch(info: Any, case: Any, dtype: str) -> None:
    (npg_params, our_loss), (torch_params, their_loss) = problem(npg, dtype), problem(torch, dtype)
    first = getattr(optim, info.optim_cls.__name__)(npg_params, **to_npg(case.kwargs))
    second = info.optim_cls(torch_params, **case.kwargs)
    train(first, our_loss)
    train(second, their_loss)
    for f, e in zip(npg_params, torch_params, strict=True):
        assert_like(f.detach(), e.detach())
    assert_same_state(first, second)


@pytest.mark.parametrize(("info", "case"), CASES, ids=NAMES)
def test_state_dict_resumes_where_it_was(info: Any, case: Any) -> None:
    cls, kwargs = getattr(optim, info.optim_cls.__name__), to_npg(case.kwargs)
    params, loss = problem(npg, "float32")
    uninterrupted = cls(params, **kwargs)
    train(uninterrupted, loss, 6)
    again, again_loss = problem(npg, "float32")
    before = cls(again, **kwargs)
    train(before, again_loss, 3)
    after = cls(again, **kwargs)
    after.load_state_dict(before.state_dict())
    train(after, again_loss, 3)
    for f, e in zip(again, params, strict=True):
        assert f.tolist() == e.tolist()


@pytest.mark.parametrize("info", OFFERED, ids=lambda info: info.optim_cls.__name__)
def test_defaults_agree_with_torch(info: Any) -> None:
    npg_params, torch_params = problem(npg, "float32")[0], problem(torch, "float32")[0]
    actual = getattr(optim, info.optim_cls.__name__)(npg_params)
    expected = info.optim_cls(torch_params)
    assert actual.defaults == expected.defaults
    assert repr(actual) == repr(expected)


@pytest.mark.parametrize("info", OFFERED, ids=lambda info: info.optim_cls.__name__)
def test_refusals_agree_with_torch(info: Any) -> None:
    cls = getattr(optim, info.optim_cls.__name__)
    for case in info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
        error_input = case.optimizer_error_input
        settings = {k: v for k, v in error_input.kwargs.items() if not isinstance(v, torch.Tensor) or v.numel() != 1}
        if settings.keys() != error_input.kwargs.keys() or any(
            isinstance(v, tuple) and any(isinstance(x, torch.Tensor) for x in v) for v in settings.values()
        ):
            continue  # concerns the choice among PyTorch's implementations
        result: dict[int, Any] = {}  # a parameter that is listed twice must stay one
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(case.error_type, match=case.error_regex):
                cls(converted(error_input.params, result), **to_npg(error_input.kwargs))


# ----- Beyond the samples -----


def test_empty_and_foreign_parameters_raise() -> None:
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        optim.SGD([], lr=0.1)
    with pytest.raises(TypeError, match="can only optimize Tensors, but one of the params is int"):
        optim.SGD([3], lr=0.1)
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        optim.SGD([npg.ones(1, requires_grad=True) * 2], lr=0.1)
    with pytest.raises(TypeError, match="ordered collections"):
        optim.SGD([{"params": {npg.ones(1, requires_grad=True)}}], lr=0.1)


def test_groups_have_their_own_settings() -> None:
    (npg_params, our_loss), (torch_params, their_loss) = problem(npg, "float64"), problem(torch, "float64")
    first = optim.AdamW(
        [{"params": npg_params[:1], "weight_decay": 0.5}, {"params": npg_params[1:], "lr": 0.1}], lr=0.01
    )
    second = torch.optim.AdamW(
        [{"params": torch_params[:1], "weight_decay": 0.5}, {"params": torch_params[1:], "lr": 0.1}], lr=0.01
    )
    train(first, our_loss)
    train(second, their_loss)
    for f, e in zip(npg_params, torch_params, strict=True):
        assert_like(f.detach(), e.detach())


def test_closure_is_called_with_recording_on() -> None:
    params, loss = problem(npg, "float32")
    optimizer = optim.SGD(params, lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    with npg.no_grad():
        assert optimizer.step(closure).requires_grad


def test_parameter_listed_twice_is_stepped_once() -> None:
    p, q = npg.ones(1, requires_grad=True), npg.ones(1, requires_grad=True)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        twice = optim.SGD([p, p], lr=0.1)
    p.grad, q.grad = npg.ones(1), npg.ones(1)
    twice.step()
    optim.SGD([q], lr=0.1).step()
    assert p.tolist() == q.tolist()


def test_step_bumps_the_version_so_that_an_old_graph_is_refused() -> None:
    w = npg.ones(2, requires_grad=True)
    y = (w * w).sum()
    y.backward(retain_graph=True)
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_step_never_writes_the_gradient() -> None:
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "RAdam"):
        w = npg.ones(2, requires_grad=True)
        w.grad = npg.tensor([1.0, 2.0])
        optimizer = getattr(optim, name)([w], lr=0.1, weight_decay=0.1, maximize=True)
        optimizer.step()
        optimizer.step()
        assert w.grad.tolist() == [1.0, 2.0]


def test_load_state_dict_of_other_groups_raises() -> None:
    optimizer = optim.SGD([npg.ones(1, requires_grad=True)], lr=0.1)
    two = optim.SGD([npg.ones(1, requires_grad=True), npg.ones(1, requires_grad=True)], lr=0.1)
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optimizer.load_state_dict(two.state_dict())


def test_step_hooks_run_around_the_step() -> None:
    optimizer = optim.SGD([npg.ones(1, requires_grad=True)], lr=0.1)
    log: list[str] = []
    optimizer.register_step_pre_hook(lambda *a: log.append("before"))
    handle = optimizer.register_step_post_hook(lambda *a: log.append("after"))
    optimizer.step()
    handle.remove()
    optimizer.step()
    assert log == ["before", "after", "before"]
