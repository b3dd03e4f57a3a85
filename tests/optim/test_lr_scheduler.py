"""Every schedule next to torch's: rates over many epochs, resuming, refusals."""

import math
from typing import Any

import pytest

import npg

torch = pytest.importorskip("torch", reason="compares with torch")

SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": lambda e: 0.9**e}),
    ("LambdaLR", {"lr_lambda": [lambda e: 0.9**e, lambda e: 1.0 / (1 + e)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda e: 0.95}),
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.8}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.9, "total_iters": 6}),
    ("LinearLR", {}),
    ("PolynomialLR", {"total_iters": 7, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 5, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 10}),
]
IDS = [f"{n}-{'-'.join(k)}" for n, k in SCHEDULES]


def optimizer(library: Any) -> Any:
    groups = [{"params": [library.ones(1, requires_grad=True)], "lr": lr} for lr in (0.5, 0.02)]
    return library.optim.SGD(groups, lr=0.1)


def rates(opt: Any) -> list[float]:
    return [g["lr"] for g in opt.param_groups]


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULES, ids=IDS)
def test_rates_agree_with_torch(name: str, kwargs: dict[str, Any]) -> None:
    ours, theirs = optimizer(npg), optimizer(torch)
    first = getattr(npg.optim.lr_scheduler, name)(ours, **kwargs)
    second = getattr(torch.optim.lr_scheduler, name)(theirs, **kwargs)
    ours.step()
    theirs.step()
    for _ in range(25):
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-12, abs=1e-15)
        assert first.get_last_lr() == rates(ours)
        first.step()
        second.step()


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULES, ids=IDS)
def test_state_dict_resumes(name: str, kwargs: dict[str, Any]) -> None:
    whole, parts = optimizer(npg), optimizer(npg)
    cls = getattr(npg.optim.lr_scheduler, name)
    reference = cls(whole, **kwargs)
    first = cls(parts, **kwargs)
    whole.step()
    parts.step()
    for _ in range(4):
        reference.step()
        first.step()
    resumed = cls(optimizer(npg), **kwargs)
    resumed.optimizer.load_state_dict(parts.state_dict())
    resumed.load_state_dict(first.state_dict())
    resumed.optimizer.step()
    for _ in range(6):
        reference.step()
        resumed.step()
    assert rates(resumed.optimizer) == rates(whole)


def sequential(library: Any) -> Any:
    opt = optimizer(library)
    s = library.optim.lr_scheduler
    parts = [
        s.LinearLR(opt, 0.1, total_iters=4),
        s.CosineAnnealingLR(opt, T_max=6),
        s.ExponentialLR(opt, 0.5),
    ]
    return opt, s.SequentialLR(opt, parts, milestones=[4, 10])


def test_sequential_agrees_with_torch() -> None:
    (ours, first), (theirs, second) = sequential(npg), sequential(torch)
    ours.step()
    theirs.step()
    for _ in range(20):
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-12, abs=1e-15)
        assert first.get_last_lr() == pytest.approx(second.get_last_lr(), rel=1e-12, abs=1e-15)
        first.step()
        second.step()


def test_chained_schedules_agree_with_torch() -> None:
    found = []
    for library in (npg, torch):
        opt = optimizer(library)
        s = library.optim.lr_scheduler
        both = [s.StepLR(opt, 2, 0.5), s.LinearLR(opt, 0.5, total_iters=5)]
        opt.step()
        seen = []
        for _ in range(10):
            seen += rates(opt)
            for one in both:
                one.step()
        found.append(seen)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"patience": 1, "factor": 0.5},
        {"patience": 0, "mode": "max", "threshold": 0.1, "threshold_mode": "abs"},
        {"patience": 1, "cooldown": 2, "min_lr": 0.1},
        {"patience": 0, "min_lr": [0.2, 0.001], "mode": "max"},
    ],
)
def test_reduce_on_plateau_agrees_with_torch(kwargs: dict[str, Any]) -> None:
    ours, theirs = optimizer(npg), optimizer(torch)
    first = npg.optim.lr_scheduler.ReduceLROnPlateau(ours, **kwargs)
    second = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **kwargs)
    for i in range(30):
        metric = 1.0 + math.sin(i) / (1 + i // 10)
        first.step(npg.tensor(metric))
        second.step(metric)
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-12)
        assert (first.num_bad_epochs, first.cooldown_counter) == (second.num_bad_epochs, second.cooldown_counter)


def test_step_before_the_optimizer_warns() -> None:
    opt = npg.optim.SGD([npg.ones(1, requires_grad=True)], lr=0.1)
    schedule = npg.optim.lr_scheduler.StepLR(opt, 1)
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`"):
        schedule.step()


def test_refusals() -> None:
    s, opt = npg.optim.lr_scheduler, optimizer(npg)
    with pytest.raises(TypeError, match="int is not an Optimizer"):
        s.StepLR(3, 1)
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas, but got 1"):
        s.LambdaLR(opt, [lambda e: 1.0])
    with pytest.raises(KeyError, match="initial_lr"):
        s.StepLR(optimizer(npg), 1, last_epoch=3)
    with pytest.raises(ValueError, match="one more than the number of milestone"):
        s.SequentialLR(opt, [s.StepLR(opt, 1)], [2])
    with pytest.raises(ValueError, match=r"Factor should be < 1.0"):
        s.ReduceLROnPlateau(opt, factor=1.0)
    with pytest.raises(ValueError, match="mode down is unknown"):
        s.ReduceLROnPlateau(opt, mode="down")
