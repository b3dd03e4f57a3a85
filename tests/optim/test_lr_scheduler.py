"""Every schedule next to torch's: rates over many epochs, resuming, refusals."""

import itertools
import math
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import npg
from tests import processes
from tests.twins import agree, attempt, warned

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
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.001}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3, "step_size_down": 4}),
    ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": [0.5, 0.3], "step_size_up": 2, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3, "mode": "exp_range", "gamma": 0.9}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3, "scale_fn": lambda x: 0.5**x}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 40}),
    ("OneCycleLR", {"max_lr": [0.5, 0.1], "epochs": 8, "steps_per_epoch": 5, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 30, "anneal_strategy": "linear", "pct_start": 0.5}),
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
        assert [g["momentum"] for g in ours.param_groups] == pytest.approx([g["momentum"] for g in theirs.param_groups])
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


KEYS = [
    *SCHEDULES,
    ("ReduceLROnPlateau", {"patience": 2}),
    ("ReduceLROnPlateau", {"min_lr": [0.1, 0.2], "mode": "max"}),
]


def plain(value: Any) -> Any:
    """Return a state with functions left out."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if not callable(v)}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize(("name", "kwargs"), KEYS, ids=[f"{n}-{'-'.join(k)}" for n, k in KEYS])
def test_state_dict_has_what_torchs_has_in_its_order(name: str, kwargs: dict[str, Any]) -> None:
    found, expected = (
        plain(getattr(library.optim.lr_scheduler, name)(optimizer(library), **kwargs).state_dict())
        for library in (npg, torch)
    )
    assert repr(found) == repr(expected)


def test_state_dict_keeps_what_an_object_has() -> None:
    class Decay:
        rate = 0.5

        def __init__(self, rate: float) -> None:
            self.rate = rate

        def __call__(self, epoch: int) -> float:
            return self.rate**epoch

    def program(lib: Any) -> Iterator[Any]:
        s = lib.optim.lr_scheduler
        for make in (
            lambda opt, f: s.LambdaLR(opt, [f, lambda e: 1.0]),
            lambda opt, f: s.MultiplicativeLR(opt, f),
            lambda opt, f: s.CyclicLR(opt, 0.1, 0.5, scale_fn=f),
        ):
            state = make(optimizer(lib), Decay(0.25)).state_dict()
            yield state.get("lr_lambdas"), state.get("_scale_fn_custom")
            other = Decay(0.75)
            make(optimizer(lib), other).load_state_dict(state)
            yield other.rate

    agree(program)


def test_learning_rate_in_a_tensor_stays_that_tensor() -> None:
    def program(lib: Any) -> Iterator[Any]:
        s = lib.optim.lr_scheduler
        for make in (
            lambda opt: s.StepLR(opt, 2, 0.5),
            lambda opt: s.CosineAnnealingLR(opt, 4),
            lambda opt: s.LambdaLR(opt, lambda e: 0.5**e),
            lambda opt: s.ReduceLROnPlateau(opt, patience=0),
        ):
            rate = lib.tensor(0.5)
            opt = lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=rate)
            schedule = make(opt)
            opt.step()
            for _ in range(3):
                schedule.step(*([1.0] if isinstance(schedule, s.ReduceLROnPlateau) else []))
                yield rate.item(), opt.param_groups[0]["lr"] is rate, [float(x) for x in schedule.get_last_lr()]
                yield [float(x) for x in getattr(schedule, "base_lrs", [])]

    agree(program)


def test_chained_and_nested_schedules_agree_with_torch() -> None:
    def program(lib: Any) -> Iterator[Any]:
        s = lib.optim.lr_scheduler
        opt = optimizer(lib)
        chained = s.ChainedScheduler([s.ConstantLR(opt, 0.1, total_iters=2), s.ExponentialLR(opt, 0.9)], optimizer=opt)
        opt.step()
        for _ in range(5):
            yield rates(opt), chained.get_last_lr()
            chained.step()
        saved = chained.state_dict()
        yield len(saved["_schedulers"]), saved["_last_lr"]
        chained.load_state_dict(saved)
        opt = optimizer(lib)
        inner = s.SequentialLR(opt, [s.ConstantLR(opt, 0.5, 3), s.StepLR(opt, 1, 0.5)], [2])
        outer = s.SequentialLR(opt, [s.LinearLR(opt, 0.1, total_iters=3), s.ExponentialLR(opt, 0.5)], [3])
        opt.step()
        for _ in range(6):
            yield rates(opt), outer.get_last_lr(), inner.last_epoch
            outer.step()

    agree(program)


def test_epochs_given_agree_with_torch() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for name, kwargs in SCHEDULES:
            opt = optimizer(lib)
            schedule = getattr(lib.optim.lr_scheduler, name)(opt, **kwargs)
            opt.step()
            for epoch in (3, 7, 1, 0):
                yield warned(lambda: schedule.step(epoch)), rates(opt), schedule.last_epoch  # noqa: B023
        opt = optimizer(lib)
        schedule = lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, 3, 2)
        for epoch in (0.5, 2.75, 3.25, 9.5):
            schedule.step(epoch)
            yield rates(opt), schedule.last_epoch
        opt = optimizer(lib)
        plateau = lib.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=0)
        yield warned(lambda: plateau.step(1.0, 4)), plateau.last_epoch

    agree(program)


def test_resuming_with_last_epoch_agrees_with_torch() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for name, kwargs in SCHEDULES:
            if name in ("OneCycleLR", "CyclicLR"):
                continue  # their groups need more than initial_lr
            opt = optimizer(lib)
            for group in opt.param_groups:
                group["initial_lr"] = 0.4
            schedule = getattr(lib.optim.lr_scheduler, name)(opt, **kwargs, last_epoch=2)
            opt.step()
            for _ in range(4):
                yield rates(opt), schedule.last_epoch
                schedule.step()

    agree(program)


def test_warnings_are_torchs() -> None:
    def program(lib: Any) -> Iterator[Any]:
        s = lib.optim.lr_scheduler
        opt = optimizer(lib)
        schedule = s.StepLR(opt, 2)
        yield warned(lambda: schedule.get_lr())
        yield warned(schedule.step)
        yield warned(schedule.step)
        opt = optimizer(lib)
        s.StepLR(opt, 2)
        opt.step()
        later = s.ExponentialLR(opt, 0.5)
        yield warned(later.step)
        yield warned(lambda: s.LambdaLR(opt, lambda e: 1.0).get_lr())

    agree(program)


def test_subclass_with_its_own_rates() -> None:
    def program(lib: Any) -> Iterator[Any]:
        class Inverse(lib.optim.lr_scheduler._LRScheduler):  # type: ignore[name-defined,misc]
            def get_lr(self) -> Any:
                return [base / (1 + self.last_epoch) for base in self.base_lrs]

        opt = optimizer(lib)
        schedule = Inverse(opt)
        opt.step()
        for _ in range(4):
            yield rates(opt), schedule.get_last_lr()
            schedule.step()
        yield isinstance(schedule, lib.optim.lr_scheduler.LRScheduler)

    agree(program)


REFUSED: dict[str, Any] = {
    "no optimizer": lambda s, opt: s.StepLR(3, 1),
    "no optimizer for a plateau": lambda s, opt: s.ReduceLROnPlateau(3),
    "no optimizer for a cycle": lambda s, opt: s.OneCycleLR(3, 0.1, 10),
    "too few functions": lambda s, opt: s.LambdaLR(opt, [lambda e: 1.0]),
    "no function": lambda s, opt: s.MultiplicativeLR(opt, 3),
    "resuming a fresh optimizer": lambda s, opt: s.StepLR(opt, 1, last_epoch=3),
    "constant factor": lambda s, opt: s.ConstantLR(opt, 1.5),
    "linear start": lambda s, opt: s.LinearLR(opt, 0.0),
    "linear end": lambda s, opt: s.LinearLR(opt, 0.5, -0.1),
    "no schedule": lambda s, opt: s.SequentialLR(opt, [], []),
    "no schedule to chain": lambda s, opt: s.ChainedScheduler([]),
    "too many milestones": lambda s, opt: s.SequentialLR(opt, [s.StepLR(opt, 1)], [2]),
    "a number among schedules": lambda s, opt: s.SequentialLR(opt, [3], []),
    "a plateau in a sequence": lambda s, opt: s.SequentialLR(opt, [s.ReduceLROnPlateau(opt)], []),
    "a plateau in a chain": lambda s, opt: s.ChainedScheduler([s.ReduceLROnPlateau(opt)]),
    "factor": lambda s, opt: s.ReduceLROnPlateau(opt, factor=1.0),
    "mode": lambda s, opt: s.ReduceLROnPlateau(opt, mode="down"),
    "threshold mode": lambda s, opt: s.ReduceLROnPlateau(opt, threshold_mode="down"),
    "bounds": lambda s, opt: s.ReduceLROnPlateau(opt, min_lr=[0.1]),
    "metric": lambda s, opt: s.ReduceLROnPlateau(opt).step("x"),
    "restarts": lambda s, opt: s.CosineAnnealingWarmRestarts(opt, 0),
    "fractional restarts": lambda s, opt: s.CosineAnnealingWarmRestarts(opt, 2, 1.5),
    "eta_min": lambda s, opt: s.CosineAnnealingWarmRestarts(opt, 2, 1, "x"),
    "negative epoch": lambda s, opt: s.CosineAnnealingWarmRestarts(opt, 2).step(-1),
    "cyclic mode": lambda s, opt: s.CyclicLR(opt, 0.1, 0.2, mode="x"),
    "cyclic rates": lambda s, opt: s.CyclicLR(opt, [0.1], 0.2),
    "no length": lambda s, opt: s.OneCycleLR(opt, 0.1),
    "length": lambda s, opt: s.OneCycleLR(opt, 0.1, 0),
    "epochs": lambda s, opt: s.OneCycleLR(opt, 0.1, epochs=1.5, steps_per_epoch=3),
    "steps_per_epoch": lambda s, opt: s.OneCycleLR(opt, 0.1, epochs=1, steps_per_epoch=-3),
    "pct_start": lambda s, opt: s.OneCycleLR(opt, 0.1, 10, pct_start=1.5),
    "strategy": lambda s, opt: s.OneCycleLR(opt, 0.1, 10, anneal_strategy="x"),
    "too many steps": lambda s, opt: [schedule := s.OneCycleLR(opt, 0.1, 1), *[schedule.step() for _ in range(3)]],
    "base class": lambda s, opt: s.LRScheduler(opt),
}


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("what", REFUSED)
def test_refusals_are_torchs_and_change_no_rate(what: str) -> None:
    def program(lib: Any) -> Iterator[Any]:
        opt = optimizer(lib)
        yield attempt(lambda: REFUSED[what](lib.optim.lr_scheduler, opt))
        if lib is npg and what not in ("too many steps", "negative epoch", "a plateau in a sequence"):
            assert rates(opt) == [0.5, 0.02]

    expected = rates(optimizer(torch))
    assert expected == [0.5, 0.02]
    agree(program)


def test_cycle_of_an_optimizer_without_momentum_is_refused() -> None:
    def program(lib: Any) -> Iterator[Any]:
        s = lib.optim.lr_scheduler
        opt = lib.optim.Adagrad([lib.ones(1, requires_grad=True)])
        yield attempt(lambda: s.OneCycleLR(opt, 0.1, 10)), attempt(lambda: s.CyclicLR(opt, 0.1, 0.2))
        opt = lib.optim.Adam([lib.ones(1, requires_grad=True)])
        schedule = s.OneCycleLR(opt, 0.1, 10)
        opt.step()
        for _ in range(9):
            schedule.step()
            yield opt.param_groups[0]["betas"]

    agree(program)


def test_plateau_and_a_group_added_later() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for low in (0.1, [0.1, 0.1]):
            opt = optimizer(lib)
            plateau = lib.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=0, min_lr=low)
            opt.add_param_group({"params": [lib.ones(1, requires_grad=True)], "lr": 3.0})
            plateau.step(1.0)
            yield str(attempt(lambda: plateau.step(2.0))), rates(opt)  # noqa: B023

    agree(program)


def test_refusals_of_npgs_own() -> None:
    s, opt = npg.optim.lr_scheduler, optimizer(npg)
    with pytest.raises(ValueError, match="expected a positive step_size, got 0"):
        s.StepLR(opt, 0)
    with pytest.raises(ValueError, match="expected a positive T_max, got 0"):
        s.CosineAnnealingLR(opt, 0)
    chained = s.ChainedScheduler([s.StepLR(opt, 1)])
    with pytest.raises(ValueError, match="expected the state of 1 schedules, got 0"):
        chained.load_state_dict({"_schedulers": [], "_last_lr": [9.0]})
    assert chained.get_last_lr() == [0.5, 0.02] and rates(opt) == [0.5, 0.02]
    other = optimizer(npg)
    with pytest.raises(ValueError, match="expects all schedulers to belong to the same optimizer"):
        s.SequentialLR(other, [s.StepLR(opt, 1)], [])


def test_step_before_the_optimizer_warns_as_torch_wherever_the_schedule_was_made() -> None:
    def program(lib: Any) -> Iterator[Any]:
        for made_after, others, stepped in itertools.product((False, True), (0, 1, 2), (False, True)):
            p = lib.ones(2, requires_grad=True)
            p.grad = lib.ones(2)
            optimizer = lib.optim.SGD([p], lr=0.1)
            if others == 2:
                lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
            if made_after:
                optimizer.step()
            if others == 1:
                lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
            schedule = lib.optim.lr_scheduler.StepLR(optimizer, 1)
            if stepped:
                optimizer.step()
            yield warned(schedule.step)
            yield warned(schedule.step)

    agree(program)


def test_optimizer_whose_step_raised_counts_as_stepped_as_in_torch() -> None:
    def program(lib: Any) -> Iterator[Any]:
        optimizer = lib.optim.Adam([lib.ones(2, requires_grad=True)], lr=0.1)
        schedule = lib.optim.lr_scheduler.StepLR(optimizer, 1)
        yield attempt(lambda: optimizer.step(lambda: 1 / 0))
        yield warned(schedule.step)

    agree(program)


PLATEAU = """
import sys, warnings, importlib
lib = importlib.import_module(sys.argv[1])
x = lib.ones(1, requires_grad=True)
x.item(), int(x), bool(x), x.detach().__float__(), x.tolist(), f"{x.sum():.3f}"  # say nothing
optimizer = lib.optim.SGD([x], lr=0.1)
schedule = lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    schedule.step(x.sum())
    schedule.step(x.sum())
    complex(x)
for w in seen:
    print(w.category.__name__, str(w.message).split(" (Triggered")[0])
"""


def test_plateau_of_a_loss_with_history_warns_as_torch() -> None:
    found = [
        processes.run([sys.executable, "-c", PLATEAU, lib], capture_output=True, text=True, check=True).stdout
        for lib in ("npg", "torch")
    ]
    assert found[0] == found[1] and found[0].count("UserWarning") == 1
