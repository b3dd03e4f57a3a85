"""LBFGS next to torch: parameters, losses, numbers of iterations and evaluations, state."""

import copy
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import npg
from npg import optim
from tests.twins import agree, attempt

SETTINGS: list[dict[str, Any]] = [
    {},
    {"lr": 0.3},
    {"lr": 0.5, "history_size": 2},
    {"lr": 0.5, "max_iter": 1},
    {"lr": 0.5, "max_eval": 3},
    {"lr": 0.5, "tolerance_change": 0.05},
    {"lr": 0.5, "tolerance_grad": 5.0},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 0.01, "max_iter": 4},
    {"line_search_fn": "strong_wolfe", "lr": 30.0, "max_iter": 6},
    {"line_search_fn": "strong_wolfe", "lr": 30.0, "max_eval": 4},
]


def problem(lib: Any, kind: str, dtype: str = "float64") -> tuple[list[Any], Any]:
    """Return parameters and a closure: a quadratic, or Rosenbrock's valley."""
    dtype = getattr(lib, dtype)
    if kind == "quadratic":
        params = [lib.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=dtype), lib.tensor([2.0], dtype=dtype)]
    else:
        params = [lib.tensor(-1.2, dtype=dtype), lib.tensor([1.0], dtype=dtype)]
    for p in params:
        p.requires_grad_()
    scale = lib.tensor([[1.0, 3.0], [0.5, 2.0]], dtype=dtype)

    def loss() -> Any:
        x, y = params
        if kind == "quadratic":
            return (scale * x**2).sum() + (x.sum() - y[0]) ** 2
        return (1 - x) ** 2 + 10 * (y[0] - x**2) ** 2

    return params, loss


def closure_of(optimizer: Any, loss: Any) -> Any:
    def closure() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


@pytest.mark.parametrize("kind", ["quadratic", "valley"])
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "-".join(f"{k}={v}" for k, v in s.items()) or "default")
def test_steps_agree_with_torch(settings: dict[str, Any], kind: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        params, loss = problem(lib, kind)
        optimizer = lib.optim.LBFGS(params, **{"max_iter": 5, **settings})
        for _ in range(2):
            yield optimizer.step(closure_of(optimizer, loss)).detach()
            state = optimizer.state[params[0]]
            yield params, state["n_iter"], state["func_evals"], sorted(state)
        yield repr(optimizer)

    agree(program)


def test_minimum_is_found_as_in_torch() -> None:
    for dtype in ("float32", "float64"):
        params, loss = problem(npg, "valley", dtype)
        optimizer = optim.LBFGS(params, line_search_fn="strong_wolfe", max_iter=50)
        optimizer.step(closure_of(optimizer, loss))
        assert loss().item() < 1e-9 and abs(params[0].item() - 1) < 1e-3


def test_parameters_without_gradient_stay() -> None:
    def program(lib: Any) -> Iterator[Any]:
        params, loss = problem(lib, "quadratic")
        idle = lib.ones(2, dtype=lib.float64, requires_grad=True)
        optimizer = lib.optim.LBFGS([*params, idle], lr=0.1)
        optimizer.step(closure_of(optimizer, loss))
        yield params, idle

    agree(program)


def test_state_goes_on_where_it_was() -> None:
    params, loss = problem(npg, "valley")
    optimizer = optim.LBFGS(params, lr=0.1, max_iter=3)
    optimizer.step(closure_of(optimizer, loss))
    twins, other_loss = problem(npg, "valley")
    for p, q in zip(twins, params, strict=True):
        p.data.copy_(q.data)
    other = optim.LBFGS(twins, lr=0.5)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    optimizer.step(closure_of(optimizer, loss))
    other.step(closure_of(other, other_loss))
    assert [p.tolist() for p in params] == [p.tolist() for p in twins]


def test_refusals() -> None:
    def program(lib: Any) -> Iterator[Any]:
        params, loss = problem(lib, "quadratic")
        yield attempt(lambda: lib.optim.LBFGS([{"params": params[:1]}, {"params": params[1:]}]))
        yield attempt(lambda: lib.optim.LBFGS(params, lr=-1.0))
        optimizer = lib.optim.LBFGS(params)
        yield attempt(lambda: optimizer.step(None)) is not None, params

        optimizer = lib.optim.LBFGS(params[:1])
        optimizer.add_param_group({"params": params[1:]})
        yield attempt(lambda: optimizer.step(closure_of(optimizer, loss))), dict(optimizer.state)

    agree(program)
    params, loss = problem(npg, "quadratic")
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optim.LBFGS(params, line_search_fn="armijo")


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("rate", ["number", "tensor"])
def test_state_has_torchs_order_and_types_after_every_step(search: str | None, rate: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        params, loss = problem(lib, "quadratic")
        lr = lib.tensor(0.1, dtype=lib.float64) if rate == "tensor" else 0.1
        optimizer = lib.optim.LBFGS(params, lr=lr, max_iter=2, history_size=3, line_search_fn=search)
        for _ in range(4):
            optimizer.step(closure_of(optimizer, loss))
            state = optimizer.state[params[0]]
            yield list(state), {k: type(v).__name__ for k, v in state.items()}
            yield [type(v).__name__ for k in ("old_dirs", "ro", "al") for v in state.get(k, ())]
            yield {k: v for k, v in state.items() if k in ("func_evals", "n_iter", "d", "t", "H_diag", "prev_loss")}
        yield optimizer.state_dict()["param_groups"]

    agree(program)


def test_closure_that_raises_leaves_what_is_remembered() -> None:
    """PyTorch has added to the steps that it remembers by then."""
    params, loss = problem(npg, "quadratic")
    optimizer = optim.LBFGS(params, lr=0.1, max_iter=3)
    optimizer.step(closure_of(optimizer, loss))
    calls = []

    def closure() -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise ZeroDivisionError
        return closure_of(optimizer, loss)()

    names = ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")
    before = copy.deepcopy({name: optimizer.state[params[0]][name] for name in names})
    with pytest.raises(ZeroDivisionError):
        optimizer.step(closure)
    assert repr({name: optimizer.state[params[0]][name] for name in names}) == repr(before)


@pytest.mark.parametrize("lr", [0.1, 1e-12])  # the second remembers no step
def test_previous_gradient_keeps_its_dtype_when_the_parameters_change_theirs(lr: float) -> None:
    def program(lib: Any) -> Iterator[Any]:
        layer = lib.nn.Linear(2, 1)
        optimizer = lib.optim.LBFGS(layer.parameters(), lr=lr, max_iter=1)
        x = lib.tensor([[1.0, 2.0], [0.5, -1.0]])

        def closure() -> Any:
            optimizer.zero_grad()
            loss = layer(x.to(layer.weight.dtype)).square().mean()
            loss.backward()
            return loss

        optimizer.step(closure)
        optimizer.step(closure)
        layer.half()
        for _ in range(3):
            yield attempt(lambda: optimizer.step(closure).dtype)
            state = optimizer.state[layer.weight]
            yield str(state["prev_flat_grad"].dtype).rpartition(".")[2], str(state["d"].dtype).rpartition(".")[2]

    agree(program)


def test_step_reads_the_loss_in_silence_though_it_requires_grad(monkeypatch):
    """PyTorch's warning of a tensor that becomes a number is said where gradients are recorded; a step records none."""
    monkeypatch.setattr(sys.modules["npg.tensor.conversion"], "_warned_of_history", False)
    params, loss = problem(npg, "valley")
    optimizer = optim.LBFGS(params, line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, loss))  # a warning is an error here
    with npg.no_grad():
        assert float(params[0]) == complex(params[0]).real
    with pytest.warns(UserWarning, match="Converting a tensor with requires_grad=True to a scalar"):
        float(params[0])
