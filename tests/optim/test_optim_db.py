"""Every optimizer that npg offers over PyTorch's own settings: ten steps, state, resuming, refusals."""

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
# LBFGS has its own test: on this problem, after 150 of its iterations, 1e-15 more in a parameter makes 1e-3 in torch.
STEPPED = [info for info in OFFERED if info.optim_cls is not torch.optim.LBFGS]
CASES = [(info, given) for info in STEPPED for given in info.optim_inputs_func(device="cpu")]
NAMES = [f"{info.optim_cls.__name__}-{given.desc}" for info, given in CASES]


def problem(library: Any, dtype: str) -> tuple[list[Any], Any]:
    """Return two parameters and a function that gives the loss of them; the same in either library."""
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


def converted(params: Any, made: dict[int, Any]) -> Any:
    """Return a sample's parameters as npg's, each tensor once."""
    if isinstance(params, torch.Tensor):
        return made.setdefault(id(params), to_npg(params))
    if isinstance(params, dict):
        return {k: converted(v, made) for k, v in params.items()}
    if isinstance(params, tuple):
        return tuple(converted(p, made) for p in params)
    if isinstance(params, list) or hasattr(params, "__next__"):
        return [converted(p, made) for p in params]
    return params


def assert_same_state(ours: Any, theirs: Any) -> None:
    found, expected = ours.state_dict()["state"], theirs.state_dict()["state"]
    assert found.keys() == expected.keys()
    for i in expected:
        assert found[i].keys() == expected[i].keys()
        for name, value in expected[i].items():
            if isinstance(value, torch.Tensor):
                assert_like(found[i][name], value, name)
            else:
                assert found[i][name] == value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("info", "given"), CASES, ids=NAMES)
def test_ten_steps_agree_with_torch(info: Any, given: Any, dtype: str) -> None:
    (ours, our_loss), (theirs, their_loss) = problem(npg, dtype), problem(torch, dtype)
    first = getattr(optim, info.optim_cls.__name__)(ours, **to_npg(given.kwargs))
    second = info.optim_cls(theirs, **given.kwargs)
    train(first, our_loss)
    train(second, their_loss)
    for f, e in zip(ours, theirs, strict=True):
        assert_like(f.detach(), e.detach())
    assert_same_state(first, second)


@pytest.mark.parametrize(("info", "given"), CASES, ids=NAMES)
def test_state_dict_resumes_where_it_was(info: Any, given: Any) -> None:
    cls, kwargs = getattr(optim, info.optim_cls.__name__), to_npg(given.kwargs)
    params, loss = problem(npg, "float32")
    whole = cls(params, **kwargs)
    train(whole, loss, 6)
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
    ours, theirs = problem(npg, "float32")[0], problem(torch, "float32")[0]
    found = getattr(optim, info.optim_cls.__name__)(ours)
    expected = info.optim_cls(theirs)
    assert found.defaults == expected.defaults
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("info", OFFERED, ids=lambda info: info.optim_cls.__name__)
def test_refusals_agree_with_torch(info: Any) -> None:
    cls = getattr(optim, info.optim_cls.__name__)
    for case in info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
        given = case.optimizer_error_input
        settings = {k: v for k, v in given.kwargs.items() if not isinstance(v, torch.Tensor) or v.numel() != 1}
        if settings.keys() != given.kwargs.keys() or any(
            isinstance(v, tuple) and any(isinstance(x, torch.Tensor) for x in v) for v in settings.values()
        ):
            continue  # about PyTorch's choice between implementations, which npg does not have
        made: dict[int, Any] = {}  # a parameter that is listed twice must stay one
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(case.error_type, match=case.error_regex):
                cls(converted(given.params, made), **to_npg(given.kwargs))


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
    (ours, our_loss), (theirs, their_loss) = problem(npg, "float64"), problem(torch, "float64")
    first = optim.AdamW([{"params": ours[:1], "weight_decay": 0.5}, {"params": ours[1:], "lr": 0.1}], lr=0.01)
    second = torch.optim.AdamW(
        [{"params": theirs[:1], "weight_decay": 0.5}, {"params": theirs[1:], "lr": 0.1}], lr=0.01
    )
    train(first, our_loss)
    train(second, their_loss)
    for f, e in zip(ours, theirs, strict=True):
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
    seen: list[str] = []
    optimizer.register_step_pre_hook(lambda *a: seen.append("before"))
    handle = optimizer.register_step_post_hook(lambda *a: seen.append("after"))
    optimizer.step()
    handle.remove()
    optimizer.step()
    assert seen == ["before", "after", "before"]
