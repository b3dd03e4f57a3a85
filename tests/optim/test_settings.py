"""Settings that choose between PyTorch's implementations, recorded steps, parameters that change their dtype."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import npg
from tests.twins import agree, attempt

NAMES = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "RAdam"]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "SGD": [{"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}, {"momentum": 0.9, "dampening": 0.1}],
    "Adam": [{"amsgrad": True}, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
    "AdamW": [{"amsgrad": True}],
    "RMSprop": [{"momentum": 0.9}, {"centered": True}, {"momentum": 0.5, "centered": True}],
    "Adagrad": [{"lr_decay": 0.1}, {"initial_accumulator_value": 0.5}],
    "Adadelta": [{"rho": 0.5}],
    "RAdam": [{"betas": (0.5, 0.6)}, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
}
CASES = [
    (name, {**options, **common})
    for name in NAMES
    for options in [{}, *OPTIONS[name]]
    for common in ({}, {"weight_decay": 0.1, "maximize": True})
]
each_case = pytest.mark.parametrize(("name", "options"), CASES, ids=lambda value: str(value).replace(" ", ""))


def states(optimizer: Any) -> list[Any]:
    return [[*state, *state.values()] for state in optimizer.state.values()]


# ----- Which go together, with rates in tensors and in groups -----


@pytest.mark.parametrize("name", NAMES)
def test_settings_of_implementations_are_refused_where_torch_refuses_them(name: str) -> None:
    keywords = [
        dict.fromkeys(keys, True)
        for count in range(3)
        for keys in itertools.combinations(("foreach", "fused", "capturable", "differentiable"), count)
    ]
    rates: list[tuple[Any, Any]] = [((), None), ([0.1], None), ([0.1, 0.2], None), (None, ()), (None, None)]

    def program(lib: Any) -> Iterator[Any]:
        for settings, (rate, own) in itertools.product(keywords, rates):
            p, other = lib.ones(3, requires_grad=True), lib.ones(3, requires_grad=True)

            def run() -> Any:
                lr = 0.1 if rate is None else lib.full((), 0.1) if rate == () else lib.tensor(rate)  # noqa: B023
                group = {"params": [p]} if own is None else {"params": [p], "lr": lib.full((), 0.1)}  # noqa: B023
                optimizer = getattr(lib.optim, name)([{"params": [other]}, group], lr=lr, **settings)  # noqa: B023
                optimizer.step()  # no gradients: nothing to refuse
                p.grad = lib.ones(3)  # noqa: B023
                optimizer.step()
                optimizer.step()
                return states(optimizer)

            try:
                found = run()
            except TypeError as error:  # of another text: torch names the class
                found = "unexpected keyword" in str(error)
            except Exception as error:
                found = type(error), str(error).replace("torch", "npg")
            yield settings, rate, own, found, p

    agree(program)


@pytest.mark.parametrize("keyword", ["capturable", "differentiable"])
@pytest.mark.parametrize("name", NAMES[1:5] + NAMES[5:])
def test_a_refused_step_changes_nothing(name: str, keyword: str) -> None:
    if name == "Adagrad" and keyword == "capturable":
        pytest.skip("has no such setting")
    p, q = npg.ones(3, requires_grad=True), npg.ones(2, requires_grad=True)
    optimizer = getattr(npg.optim, name)([{"params": [q], keyword: False}, {"params": [p]}], **{keyword: True})
    p.grad, q.grad = npg.ones(3), npg.ones(2)
    before = repr(optimizer.state_dict())
    with pytest.raises((AssertionError, RuntimeError)):
        optimizer.step()
    assert p.tolist() == [1, 1, 1] and q.tolist() == [1, 1] and repr(optimizer.state_dict()) == before


# ----- Steps that are recorded -----


@pytest.fixture
def exact_counts() -> Iterator[None]:
    """Make torch compute with counts of steps in float64; else it rounds beta ** step to float32."""
    for lib in (npg, torch):
        lib.set_default_dtype(lib.float64)
    yield
    for lib in (npg, torch):
        lib.set_default_dtype(lib.float32)


@pytest.mark.usefixtures("exact_counts")
@each_case
def test_differentiable_gradients_through_steps_are_torchs(name: str, options: dict[str, Any]) -> None:
    if options.get("centered") or options.get("amsgrad"):
        pytest.skip("torch changes in place what it needs for backward")

    def program(lib: Any) -> Iterator[Any]:
        start = lib.tensor([[0.5, -1.5], [2.0, 0.25]], dtype=lib.float64, requires_grad=True)
        x = lib.tensor([1.0, -2.0], dtype=lib.float64, requires_grad=True)
        p = start.clone()
        optimizer = getattr(lib.optim, name)([p], lr=0.1, differentiable=True, **options)
        for _ in range(6):
            q = p.clone()  # the step changes p in place
            loss = ((q @ x).tanh() ** 2).sum() + (q**4).mean()
            (p.grad,) = lib.autograd.grad(loss, p, create_graph=True)
            optimizer.step()
        yield p, p.grad_fn is not None, states(optimizer)
        yield lib.autograd.grad((p**2).sum(), [start, x])

    agree(program)


@pytest.mark.usefixtures("exact_counts")
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RAdam"])  # the others refuse such rates in torch
def test_differentiable_gradients_of_the_settings_are_torchs(name: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        def scalar(value: float) -> Any:
            return lib.tensor(value, dtype=lib.float64, requires_grad=True)

        settings = {"lr": scalar(0.1), "weight_decay": scalar(0.2)}
        if name in ("Adam", "AdamW"):
            settings["betas"] = scalar(0.8), scalar(0.9)  # type: ignore[assignment]
            if name == "Adam":
                settings["decoupled_weight_decay"] = True  # type: ignore[assignment]
        elif name == "RAdam":
            del settings["weight_decay"]
        start = lib.tensor([0.5, -1.5], dtype=lib.float64, requires_grad=True)
        p = start.clone()
        optimizer = getattr(lib.optim, name)([p], differentiable=True, **settings)
        for _ in range(3):
            (p.grad,) = lib.autograd.grad((p.clone() ** 4).sum(), p, create_graph=True)
            optimizer.step()
        wanted = [start, settings["lr"], *settings.get("betas", ())]
        yield p, lib.autograd.grad(p.sum(), wanted)

    agree(program)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Adam", {"amsgrad": True}),
        ("RMSprop", {}),
        ("RMSprop", {"momentum": 0.5, "centered": True}),
        ("Adagrad", {}),
        ("Adadelta", {}),
    ],
)
def test_differentiable_gradients_where_torch_refuses(name: str, options: dict[str, Any]) -> None:
    def end(start: Any, lr: Any) -> Any:
        p = start.clone()
        optimizer = getattr(npg.optim, name)([p], lr=lr, differentiable=True, **options)
        for _ in range(3):
            p.grad = 4 * p.clone() ** 3
            optimizer.step()
        return p

    start = npg.tensor([0.5, -1.5], dtype=npg.float64, requires_grad=True)
    assert npg.autograd.gradcheck(end, (start, npg.tensor(0.01, dtype=npg.float64, requires_grad=True)))


def test_differentiable_takes_parameters_that_are_no_leaves_and_leaves_that_require_no_grad() -> None:
    def program(lib: Any) -> Iterator[Any]:
        leaf = lib.ones(2, requires_grad=True)
        for p in (leaf * 2, lib.ones(2), leaf.detach()):
            optimizer = lib.optim.SGD([p], lr=0.5, differentiable=True)
            p.grad = lib.ones(2)
            with lib.no_grad():
                optimizer.step()  # recorded all the same
                yield p, p.requires_grad, lib.is_grad_enabled()
        yield attempt(lambda: lib.optim.SGD([leaf * 2], lr=0.5))

    agree(program)


# ----- Dtypes that change -----


@pytest.mark.parametrize("implementation", [{}, {"foreach": True}, {"fused": True}], ids=str)
@pytest.mark.parametrize("change", ["float32 float64", "float64 float32"])
@each_case
def test_parameter_that_changes_its_dtype_is_refused_or_stepped_as_in_torch(
    name: str, options: dict[str, Any], change: str, implementation: dict[str, Any]
) -> None:
    if "fused" in implementation and name not in ("SGD", "Adam", "AdamW", "Adagrad"):
        pytest.skip("has no such setting")

    def program(lib: Any) -> Iterator[Any]:
        first, second = (getattr(lib, word) for word in change.split())
        params = [lib.linspace(-1, 1, n, dtype=first).requires_grad_() for n in (3, 2)]
        optimizer = getattr(lib.optim, name)(params, lr=0.1, **options, **implementation)
        for dtype in (first, second):
            for p in params:
                p.data = p.data.to(dtype)
            for _ in range(3):
                optimizer.zero_grad()
                sum((p**2).sum() for p in params).backward()
                refused = attempt(optimizer.step)
                yield refused
                if refused is not None:
                    return  # torch has counted the step and decayed weights
                # What was float32 once is compared as that.
                yield [p.dtype for p in params], [p.detach().float().clone() for p in params]
                for row in states(optimizer):
                    yield [str(v.dtype) if lib.is_tensor(v) else v for v in row]
                    yield [v.float().clone() for v in row if lib.is_tensor(v)]

    agree(program)


@pytest.mark.parametrize("name", NAMES)
def test_parameter_that_changed_its_dtype_is_refused_before_anything_changes(name: str) -> None:
    params = [npg.ones(3, requires_grad=True), npg.ones(2, requires_grad=True)]
    optimizer = getattr(npg.optim, name)(params, **({"fused": True} if name in ("SGD", "Adagrad") else {}))
    if name == "SGD":
        optimizer.param_groups[0]["momentum"] = 0.9
    if name == "RMSprop":
        optimizer.param_groups[0]["centered"] = True
    if name == "Adadelta":
        pytest.skip("refuses no dtype")
    for p in params:
        p.grad = npg.ones(*p.shape)
    optimizer.step()
    last = params[1]
    last.data = last.data.double()
    last.grad = npg.ones(2, dtype=npg.float64)
    before = repr(optimizer.state_dict()), [p.tolist() for p in params]
    with pytest.raises(RuntimeError, match="expected (dtype float for `end` but got dtype double|scalar type Double)"):
        optimizer.step()
    assert (repr(optimizer.state_dict()), [p.tolist() for p in params]) == before


@pytest.mark.parametrize("name", NAMES)
def test_count_of_steps_has_the_default_dtype_or_float32_as_torchs(name: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        for dtype in (lib.float64, lib.float16, lib.float32):
            lib.set_default_dtype(dtype)
            try:
                params = [lib.ones(n, dtype=lib.float32, requires_grad=True) for n in (2, 3, 20000)]
                optimizer = getattr(lib.optim, name)(params)
                sum((p**2).sum() for p in params).backward()
                optimizer.step()
                yield [list(state.items()) for state in optimizer.state.values()]
            finally:
                lib.set_default_dtype(lib.float32)

    agree(program)


@pytest.mark.parametrize("name", NAMES)
def test_state_is_kept_in_the_order_of_the_parameters(name: str) -> None:
    """Small parameters are stepped together, and large ones alone."""

    def program(lib: Any) -> Iterator[Any]:
        params = [lib.ones(n, requires_grad=True) for n in (20000, 2, 30000, 3, 1)]
        optimizer = getattr(lib.optim, name)(params[:4])
        params[1].grad, params[2].grad = lib.ones(2), lib.ones(30000)
        optimizer.step()
        for p in params:
            p.grad = lib.ones(*p.shape)
        optimizer.add_param_group({"params": params[4:]})
        optimizer.step()
        yield list(optimizer.state_dict()["state"])

    agree(program)
