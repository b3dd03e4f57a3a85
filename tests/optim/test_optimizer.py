"""What all optimizers share: groups, names, hooks, state, refusals; the same programs in torch."""

import copy
import importlib
import inspect
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import npg
from npg import optim
from tests.helpers import to_npg, to_torch
from tests.twins import agree, attempt, warned

NAMES = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "RAdam"]


def leaves(lib: Any, dtype: Any = None) -> list[Any]:
    rows = [[0.5, -1.5], [2.0, 0.25]]
    return [lib.tensor(rows, dtype=dtype, requires_grad=True), lib.tensor([1.0, -1.0], dtype=dtype, requires_grad=True)]


def required(lib: Any) -> Any:
    return importlib.import_module(lib.__name__ + ".optim.optimizer").required


def take(optimizer: Any, params: list[Any], steps: int = 3) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        ((params[0] @ params[1]) ** 2).sum().backward()
        optimizer.step()


# ----- Refusals -----

REFUSED: dict[str, Callable[[Any, list[Any]], Any]] = {
    "a tensor for params": lambda lib, p: lib.optim.SGD(p[0]),
    "no params": lambda lib, p: lib.optim.SGD([]),
    "a number for params": lambda lib, p: lib.optim.SGD(3),
    "numbers": lambda lib, p: lib.optim.SGD([3]),
    "a module": lambda lib, p: lib.optim.SGD([lib.nn.ReLU()]),
    "lists": lambda lib, p: lib.optim.SGD([[p[0]]]),
    "a non-leaf": lambda lib, p: lib.optim.SGD([p[0] * 1]),
    "a set": lambda lib, p: lib.optim.SGD([{"params": {p[0]}}]),
    "a dict for params": lambda lib, p: lib.optim.SGD({"params": p}),
    "a group and a parameter": lambda lib, p: lib.optim.SGD([{"params": p[:1]}, p[1]]),
    "a group without params": lambda lib, p: lib.optim.SGD([{"lr": 0.1}]),
    "a parameter in two groups": lambda lib, p: lib.optim.SGD([{"params": p}, {"params": p[:1]}]),
    "some names": lambda lib, p: lib.optim.SGD([("a", p[0]), p[1]]),
    "names in one group": lambda lib, p: lib.optim.SGD([{"params": [("a", p[0])]}, {"params": p[1:]}]),
    "names in the other group": lambda lib, p: lib.optim.SGD([{"params": p[1:]}, {"params": [("a", p[0])]}]),
    "group added that is a list": lambda lib, p: lib.optim.SGD(p[:1]).add_param_group(p[1:]),
    "group added twice": lambda lib, p: lib.optim.SGD(p).add_param_group({"params": p[:1]}),
    "a required setting": lambda lib, p: lib.optim.Optimizer(p, {"lr": required(lib)}),
    "the base class": lambda lib, p: take(lib.optim.Optimizer(p, {}), p),
    "lr": lambda lib, p: lib.optim.SGD(p, lr=-1),
    "lr of two elements": lambda lib, p: lib.optim.SGD(p, lr=lib.ones(2)),
    "momentum": lambda lib, p: lib.optim.SGD(p, momentum=-0.5),
    "weight_decay": lambda lib, p: lib.optim.SGD(p, weight_decay=-0.5),
    "nesterov": lambda lib, p: lib.optim.SGD(p, nesterov=True),
    "nesterov with dampening": lambda lib, p: lib.optim.SGD(p, momentum=0.5, dampening=0.1, nesterov=True),
    "fused and foreach": lambda lib, p: lib.optim.SGD(p, fused=True, foreach=True),
    "fused and foreach, Adam": lambda lib, p: lib.optim.Adam(p, fused=True, foreach=True),
    "fused and differentiable": lambda lib, p: lib.optim.Adagrad(p, fused=True, differentiable=True),
    "Adam's lr": lambda lib, p: lib.optim.Adam(p, lr=-1),
    "Adam's eps": lambda lib, p: lib.optim.Adam(p, eps=-1),
    "Adam's eps nan": lambda lib, p: lib.optim.Adam(p, eps=float("nan")),
    "Adam's beta1": lambda lib, p: lib.optim.Adam(p, betas=(1.0, 0.9)),
    "Adam's beta2": lambda lib, p: lib.optim.AdamW(p, betas=(0.9, -0.1)),
    "Adam's betas of two kinds": lambda lib, p: lib.optim.Adam(p, betas=(0, 0.9)),
    "Adam's betas of two elements": lambda lib, p: lib.optim.Adam(p, lr=lib.ones(2), capturable=True),
    "Adam's lr in a tensor": lambda lib, p: lib.optim.Adam(p, lr=lib.tensor(0.1), foreach=True),
    "Adam's betas in tensors": lambda lib, p: lib.optim.Adam(p, betas=(lib.tensor(0.9), lib.tensor(0.9)), foreach=True),
    "Adam's weight_decay": lambda lib, p: lib.optim.AdamW(p, weight_decay=-1),
    "alpha": lambda lib, p: lib.optim.RMSprop(p, alpha=-1),
    "RMSprop's momentum": lambda lib, p: lib.optim.RMSprop(p, momentum=-1),
    "lr_decay": lambda lib, p: lib.optim.Adagrad(p, lr_decay=-1),
    "accumulator": lambda lib, p: lib.optim.Adagrad(p, initial_accumulator_value=-1),
    "rho": lambda lib, p: lib.optim.Adadelta(p, rho=1.5),
    "RAdam's beta1": lambda lib, p: lib.optim.RAdam(p, betas=(1.0, 0.9)),
    "another number of groups": lambda lib, p: lib.optim.SGD(p).load_state_dict(
        lib.optim.SGD([{"params": p[:1]}, {"params": p[1:]}]).state_dict()
    ),
    "another number of parameters": lambda lib, p: lib.optim.SGD(p).load_state_dict(lib.optim.SGD(p[:1]).state_dict()),
    "no state_dict": lambda lib, p: lib.optim.SGD(p).load_state_dict({}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_are_torchs(what: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        p = leaves(lib)
        text = str(attempt(lambda: REFUSED[what](lib, p))).replace("nn.modules.activation.", "nn.activations.")
        yield text.replace("collections.OrderedDict", "dict")
        yield p

    agree(program)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, "0.1", None, [0.1]])
@pytest.mark.parametrize("name", NAMES)
def test_learning_rate_that_is_none_is_refused(name: str, value: Any) -> None:
    kind = ValueError if isinstance(value, float) else TypeError
    text = f"Invalid learning rate: {value}" if kind is ValueError else "expected lr to be a number, got"
    with pytest.raises(kind, match=text):
        getattr(optim, name)(leaves(npg), lr=value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), npg.tensor(float("nan"))], ids=["nan", "inf", "tensor"])
def test_learning_rate_of_a_group_that_is_not_finite_is_refused(value: Any) -> None:
    p = leaves(npg)
    with pytest.raises(ValueError, match="Invalid learning rate"):
        optim.SGD([{"params": p, "lr": value}], lr=0.1)
    optimizer = optim.SGD(p[:1], lr=0.1)
    group = {"params": p[1:], "lr": value}
    with pytest.raises(ValueError, match="Invalid learning rate"):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1 and list(group) == ["params", "lr"]
    bad = optimizer.state_dict()
    bad["param_groups"][0]["lr"] = value
    with pytest.raises(ValueError, match="Invalid learning rate"):
        optimizer.load_state_dict(bad)
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_settings_of_npgs_own_refusals() -> None:
    p = leaves(npg)
    for betas in (0.9, (0.9,), (0.9, 0.99, 0.9)):
        with pytest.raises(ValueError, match="expected betas to be a pair of floats"):
            optim.Adam(p, betas=betas)


def test_state_of_another_shape_is_refused_and_changes_nothing() -> None:
    settings: dict[str, Any] = {"SGD": {"momentum": 0.9}, "RMSprop": {"momentum": 0.9, "centered": True}}
    for name in NAMES:
        p = leaves(npg)
        optimizer = getattr(optim, name)(p, lr=0.1, **settings.get(name, {}))
        take(optimizer, p)
        before = copy.deepcopy(optimizer.state_dict())
        for key in optimizer._parameter_like:
            bad = copy.deepcopy(before)
            if key not in bad["state"][1]:
                continue
            bad["state"][1][key] = npg.ones(3)
            bad["param_groups"][0]["lr"] = 5.0
            with pytest.raises(
                ValueError, match=rf"expected {key} of parameter 1 to have the parameter's shape \(2,\)"
            ):
                optimizer.load_state_dict(bad)
            assert repr(optimizer.state_dict()) == repr(before)


# ----- Groups and names -----


def test_groups_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for name in NAMES:
            p = leaves(lib)
            given = {"params": p[0], "lr": 0.5}
            optimizer = getattr(lib.optim, name)([given, {"params": (q for q in p[1:]), "weight_decay": 0.1}], lr=0.1)
            yield repr(optimizer)
            yield [list(g) for g in optimizer.param_groups], optimizer.param_groups[0] is given
            more = lib.ones(1, requires_grad=True)
            optimizer.add_param_group({"params": more, "extra": "kept"})
            yield repr(optimizer), optimizer.param_groups[2]["params"][0] is more
            yield [g["params"] for g in optimizer.state_dict()["param_groups"]]
            given["lr"] = 0.25  # the group is the dict that was given
            take(optimizer, p)
            yield p

    agree(program)


def test_names_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        p = leaves(lib)
        optimizer = lib.optim.SGD([("a", p[0])], lr=0.1)
        optimizer.add_param_group({"params": [("b", p[1])], "lr": 0.2})
        yield repr(optimizer), [list(g) for g in optimizer.param_groups]
        state = optimizer.state_dict()
        yield [g["param_names"] for g in state["param_groups"]]
        yield attempt(lambda: optimizer.add_param_group({"params": [lib.ones(1)]}))
        yield len(optimizer.param_groups)
        plain = lib.optim.SGD([{"params": p[:1]}, {"params": p[1:]}], lr=0.3)
        optimizer.load_state_dict(plain.state_dict())  # keeps its names
        yield [(g["param_names"], g["lr"]) for g in optimizer.param_groups]
        plain.load_state_dict(state)
        yield [g["param_names"] for g in plain.param_groups]
        named = lib.optim.Adam(lib.nn.Linear(2, 2).named_parameters())
        yield named.param_groups[0]["param_names"]

    agree(program)


def test_duplicates_warn_as_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        p = leaves(lib)
        yield warned(lambda: len(lib.optim.SGD([p[0], p[0]], lr=0.1).param_groups))
        optimizer, _ = warned(lambda: lib.optim.SGD([p[0], p[0], p[1]], lr=0.1))
        yield optimizer.state_dict()["param_groups"][0]["params"]

    agree(program)


# ----- Steps -----


def test_closure_zero_grad_and_values_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for name in NAMES:
            p = leaves(lib)
            optimizer = getattr(lib.optim, name)(p, lr=0.1)
            yield optimizer.step()

            def closure() -> Any:
                optimizer.zero_grad()  # noqa: B023
                loss = (p[0] @ p[1]).sum() ** 2  # noqa: B023
                loss.backward()
                return loss

            with lib.no_grad():
                yield optimizer.step(closure).detach(), optimizer.step(closure=closure).requires_grad
            yield p
            grad = p[0].grad
            optimizer.zero_grad(set_to_none=False)
            yield p[0].grad is grad, grad
            optimizer.zero_grad()
            yield p[0].grad
            yield attempt(lambda: optimizer.step(3)), p  # noqa: B023

    agree(program)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("keyword", ["foreach", "fused"])
def test_keywords_of_other_implementations_change_nothing(name: str, keyword: str) -> None:
    cls = getattr(optim, name)
    if keyword not in inspect.signature(cls).parameters:
        with pytest.raises(TypeError, match=keyword):
            cls(leaves(npg), **{keyword: True})
        return
    p, q = leaves(npg), leaves(npg)
    take(cls(p, lr=0.1), p)
    take(cls(q, lr=0.1, **{keyword: True}), q)
    assert all(npg.equal(a, b) for a, b in zip(p, q, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_shapes_strides_and_dtypes_are_torchs(name: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        for make in (
            lambda: lib.tensor(0.5),
            lambda: lib.ones(2, 0),
            lambda: lib.arange(6.0).view(2, 3).t(),
            lambda: lib.arange(6.0, dtype=lib.float64).view(2, 3)[:, ::2],
        ):
            p = make().detach().requires_grad_()
            optimizer = getattr(lib.optim, name)([p], lr=0.1, weight_decay=0.01)
            for _ in range(3):
                optimizer.zero_grad()
                (p**2).sum().backward()
                optimizer.step()
            state = optimizer.state_dict()["state"]
            yield p, {k: v for k, v in state.get(0, {}).items() if v is not None}

    agree(program)


def test_rate_in_a_tensor_and_betas_in_tensors_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for name in NAMES:
            p = leaves(lib)
            rate = lib.tensor(0.1)
            optimizer = getattr(lib.optim, name)(p, lr=rate)
            take(optimizer, p, 1)
            rate.fill_(0.2)
            take(optimizer, p, 1)
            yield p, optimizer.param_groups[0]["lr"] is rate
        p = leaves(lib)
        optimizer = lib.optim.Adam(p, betas=(lib.tensor(0.5), lib.tensor(0.25)), foreach=False)
        take(optimizer, p)
        yield p, [float(b) for b in optimizer.defaults["betas"]]

    agree(program)


def test_step_hooks_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        p = leaves(lib)
        optimizer = lib.optim.SGD(p, lr=0.1)
        seen: list[Any] = []
        optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("pre", args[0] is o, len(args), kwargs)))
        handle = optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("post", len(args), kwargs)))
        optimizer.step(closure=None)
        handle.remove()
        optimizer.step(None)
        yield seen
        replace = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: "replaced"), {}))
        yield optimizer.step()
        replace.remove()
        optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
        yield attempt(optimizer.step).split(" must return ")[1]

    agree(program)


def test_own_optimizer_is_used_as_in_torch() -> None:
    def program(lib: Any) -> Iterator[Any]:
        class Signs(lib.optim.Optimizer):  # type: ignore[name-defined,misc]
            def __init__(self, params: Any, lr: float) -> None:
                super().__init__(params, {"lr": lr})

            @lib.no_grad()  # type: ignore[untyped-decorator]
            def step(self, closure: Any = None) -> Any:
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is None:
                            continue
                        state = self.state[p]
                        state["count"] = state.get("count", 0) + 1
                        p.data.add_(p.grad.data.sign(), alpha=-group["lr"])

        p = leaves(lib)
        optimizer = Signs(p, 0.1)
        seen: list[Any] = []
        optimizer.register_step_post_hook(lambda *given: seen.append(len(given)))
        schedule = lib.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
        for _ in range(3):
            take(optimizer, p, 1)
            yield warned(schedule.step)
        yield p, seen, repr(optimizer), optimizer.state_dict()["state"]
        other = Signs(p, 0.3)
        other.load_state_dict(optimizer.state_dict())
        yield other.state[p[0]]["count"], other.param_groups[0]["lr"]

    agree(program)


# ----- State -----

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("AdamW", {"lr": 0.1}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.9, "centered": True}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5}),
    ("Adadelta", {"lr": 0.5}),
    ("RAdam", {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1}),
]
IDS = [f"{name}-{'-'.join(settings)}" for name, settings in SETTINGS]


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=IDS)
def test_state_dict_has_torchs_layout_and_crosses_over(name: str, settings: dict[str, Any]) -> None:
    import torch

    p, q = leaves(npg), leaves(torch)
    ours, theirs = getattr(optim, name)(p, **settings), getattr(torch.optim, name)(q, **settings)
    take(ours, p)
    take(theirs, q)
    found, expected = ours.state_dict(), theirs.state_dict()
    assert found["param_groups"] == expected["param_groups"]
    assert [list(s) for s in found["state"].values()] == [list(s) for s in expected["state"].values()]
    # Each goes on from the other's state.
    again, theirs_again = getattr(optim, name)(p, **settings), getattr(torch.optim, name)(q, **settings)
    again.load_state_dict(to_npg(expected))
    theirs_again.load_state_dict(to_torch(found))

    def program(lib: Any) -> Iterator[Any]:
        params, optimizer = (p, again) if lib is npg else (q, theirs_again)
        take(optimizer, params)
        yield params, optimizer.state_dict()["state"]

    agree(program)


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=IDS)
def test_copies_and_pickles_go_on_alike(name: str, settings: dict[str, Any]) -> None:
    p = leaves(npg)
    optimizer = getattr(optim, name)(p, **settings)
    take(optimizer, p)
    for copied in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        q, twin = copied((p, optimizer))
        assert twin.param_groups[0]["params"][0] is q[0] and q[0] is not p[0]
        r, reference = copy.deepcopy((p, optimizer))
        take(twin, q)
        take(reference, r)
        assert all(npg.equal(a, b) for a, b in zip(q, r, strict=True))


def test_load_state_dict_copies_casts_and_fills_in() -> None:
    p, wide = leaves(npg), leaves(npg, npg.float64)
    first = optim.Adam(wide, lr=0.1)
    take(first, wide)
    state = first.state_dict()
    del state["param_groups"][0]["decoupled_weight_decay"]  # as older versions
    second = optim.Adam(p, lr=0.5)
    second.load_state_dict(state)
    kept = second.state[p[0]]
    assert kept["exp_avg"].dtype is npg.float32 and kept["step"].dtype is npg.float32
    assert second.param_groups[0]["lr"] == 0.1 and second.param_groups[0]["decoupled_weight_decay"] is False
    take(second, p)
    assert state["state"][0]["step"].item() == 3.0  # a copy went on


def test_state_hooks_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        p = leaves(lib)
        optimizer = lib.optim.SGD(p, lr=0.1)
        seen: list[Any] = []
        optimizer.register_state_dict_pre_hook(lambda o: seen.append("pre"))
        optimizer.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True)
        optimizer.register_state_dict_post_hook(lambda o, state: state.update(more=1))
        handle = optimizer.register_state_dict_post_hook(lambda o, state: {**state, "other": 2})
        yield list(optimizer.state_dict()), seen
        handle.remove()
        state = optimizer.state_dict()
        yield list(state)

        def raise_rate(o: Any, given: Any) -> Any:
            groups = [{**g, "lr": 0.7} for g in given["param_groups"]]
            return {**given, "param_groups": groups}

        optimizer.register_load_state_dict_pre_hook(raise_rate)
        optimizer.register_load_state_dict_post_hook(lambda o: seen.append(o.param_groups[0]["lr"]))
        optimizer.load_state_dict(state)
        yield seen, state["param_groups"][0]["lr"]

    agree(program)


@pytest.mark.parametrize("keep", [0.0, 0.5])  # of others the last bit depends on the processor's fused multiply-add
@pytest.mark.parametrize("name", ["Adam", "AdamW", "RAdam", "RMSprop"])
@pytest.mark.parametrize("count", [1, 2])  # two small parameters are stepped as one
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_average_gradient_is_counted_from_the_nearer_end(name: str, keep: float, count: int, dtype: str) -> None:
    gradients = np.random.default_rng(0).standard_normal((3, 50)).astype(dtype)
    gradients[:, 0] = np.inf  # of which the average is nan from here, infinite from there
    found = []
    for lib in (npg, torch):
        params = [lib.ones(50, dtype=getattr(lib, dtype), requires_grad=True) for _ in range(count)]
        options = {"alpha": keep, "centered": True} if name == "RMSprop" else {"betas": (keep, 0.9)}
        optimizer = getattr(lib.optim, name)(params, foreach=False, **options)
        for g in gradients:
            for p in params:
                p.grad = lib.from_numpy(g.copy())
            optimizer.step()
        state = optimizer.state[params[-1]]
        found.append(state["grad_avg" if name == "RMSprop" else "exp_avg"].numpy())
    np.testing.assert_array_equal(*found)
