"""profile as a whole, beside torch.profiler: what it finds in a script, and what it does on a schedule."""

import itertools
import warnings
from collections import Counter
from typing import Any

import pytest
import torch

import npg
from npg.profiler import ProfilerAction, ProfilerActivity, profile, schedule, tensorboard_trace_handler

EVALUATE = "autograd::engine::evaluate_function: "

# ----- A script -----


def top_level(events: Any) -> Counter[str]:
    return Counter(e.name for e in events if e.cpu_parent is None or e.cpu_parent.name == "forward")


def run_primitives(f: Any) -> Any:
    x = f.tensor([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]])
    w = [f.full((3, 3), 0.5, requires_grad=True) for _ in range(2)]
    g = f.tensor(1.0)
    with f.profiler.profile(record_shapes=True) as prof:
        with f.profiler.record_function("forward"):
            h = f.tanh(x @ w[0]) * 2
            y = (h @ w[1]).sigmoid().exp() + h - 1
            loss = (y**2).mean()
        loss.backward(g)
    return prof


def run_modules(f: Any) -> Any:
    f.manual_seed(0)
    model = f.nn.Sequential(f.nn.Linear(8, 16), f.nn.ReLU(), f.nn.Linear(16, 3))
    optimizer = f.optim.SGD(model.parameters(), lr=0.1)
    x, y, g = f.ones(4, 8), f.tensor([0, 1, 2, 0]), f.tensor(1.0)
    with f.profiler.profile() as prof:
        optimizer.zero_grad()
        loss = f.nn.functional.cross_entropy(model(x), y)
        loss.backward(g)
        optimizer.step()
    return prof


def test_script_of_primitives_has_the_keys_and_counts_of_torch() -> None:
    found, expected = run_primitives(npg), run_primitives(torch)
    rest = top_level(expected.events())
    rest.pop(EVALUATE + "torch::autograd::AccumulateGrad")  # a sum into .grad is no call of an op here
    rest["aten::mm"] = rest.pop("aten::matmul")  # which calls aten::mm
    assert top_level(found.events()) == rest
    ours = {e.key: e for e in found.key_averages()}
    theirs = {e.key: e for e in expected.key_averages()}
    for key in ours:
        if key.endswith("Backward0"):
            assert ours[key].count == theirs[key].count
            assert ours[key].scope == theirs[key].scope
    assert [e.key for e in found.key_averages() if e.is_user_annotation] == ["forward"]
    links = [{e.name: e.sequence_nr for e in p.events() if e.scope == 1} for p in (found, expected)]
    order = [sorted(link, key=link.__getitem__) for link in links]
    assert [name for name in order[1] if name in links[0]] == order[0]


def test_script_of_modules_has_keys_of_torch_with_its_counts() -> None:
    found, expected = top_level(run_modules(npg).events()), top_level(run_modules(torch).events())
    assert found["aten::linear"] == 2 and found[EVALUATE + "AddmmBackward0"] == 2
    assert {name: expected[name] for name in found} == found
    # What npg computes within another call, or not at all: a weight is not transposed, log_softmax is in cross_entropy.
    missing = {EVALUATE + name for name in ("torch::autograd::AccumulateGrad", "TBackward0", "LogSoftmaxBackward0")}
    assert {name for name in expected if name not in found} == missing


def test_shapes_of_a_script_are_those_of_torch() -> None:
    found, expected = run_primitives(npg), run_primitives(torch)
    for name in ("aten::tanh", "aten::sigmoid", "aten::exp", "TanhBackward0", "MeanBackward0", "AddBackward0"):
        shapes = [[e.input_shapes for e in p.events() if e.name == name] for p in (found, expected)]
        assert shapes[0] == [s[: len(shapes[0][0])] for s in shapes[1]]  # torch lists settings such as dtype, too


def test_attribute_of_npg_and_of_autograd() -> None:
    assert npg.profiler.profile is profile
    assert npg.autograd.profiler.record_function is npg.profiler.record_function
    assert npg.profiler.supported_activities() == {ProfilerActivity.CPU}
    assert set(npg.profiler.__all__) <= set(torch.profiler.__all__)
    assert [a.name for a in ProfilerActivity] == list(torch.profiler.ProfilerActivity.__members__)
    for action in ProfilerAction:
        assert torch.profiler.ProfilerAction[action.name].value == action.value


# ----- Arguments -----


def test_activities_of_other_devices_are_left_out_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="CUDA is not available, disabling CUDA profiling"):
        prof = profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA])
    assert prof.activities == {ProfilerActivity.CPU}
    with pytest.warns(UserWarning), pytest.raises(AssertionError, match="No activities specified for the profiler"):
        profile(activities=[ProfilerActivity.CUDA])
    for activities in ([], ["cpu"]):
        with pytest.raises(AssertionError, match="No valid profiler activities found"):
            profile(activities=activities)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        profile([ProfilerActivity.CPU])  # type: ignore[misc]


def test_results_before_the_start_are_refused() -> None:
    prof = profile()
    for ask, what in (
        (prof.events, "accessing events"),
        (prof.key_averages, "getting key averages"),
        (lambda: prof.export_chrome_trace("never"), "exporting chrome trace"),
        (lambda: prof.export_stacks("never"), "exporting stacks"),
        (prof.stop, "stopping trace"),
    ):
        with pytest.raises(AssertionError, match=f"Profiler must be initialized before {what}"):
            ask()


def test_results_while_it_runs_are_empty() -> None:
    with profile() as prof:
        npg.ones(2) + 1
        assert prof.events() == [] and prof.key_averages().table() == ""
        with pytest.raises(RuntimeError, match="didn't finish running"):
            prof.export_chrome_trace("never")


# ----- Schedules -----

SCHEDULES = [
    {"wait": 0, "warmup": 1, "active": 1},
    {"wait": 1, "warmup": 1, "active": 2, "repeat": 1},
    {"wait": 2, "warmup": 1, "active": 3, "repeat": 2, "skip_first": 3},
    {"wait": 0, "warmup": 2, "active": 1, "repeat": 3},
    {"wait": 3, "warmup": 1, "active": 2, "skip_first": 2, "skip_first_wait": 1},
    {"wait": 0, "warmup": 0, "active": 1},
    {"wait": 1, "warmup": 0, "active": 2},
    {"wait": 2, "warmup": 2, "active": 2, "repeat": 1, "skip_first_wait": 1},
]


def quietly(make: Any, **arguments: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(**arguments)


@pytest.mark.parametrize("arguments", SCHEDULES, ids=str)
def test_schedule_is_that_of_torch(arguments: dict[str, int]) -> None:
    ours, theirs = quietly(schedule, **arguments), quietly(torch.profiler.schedule, **arguments)
    assert [ours(step).name for step in range(100)] == [theirs(step).name for step in range(100)]


def test_schedule_refuses_what_torch_refuses() -> None:
    for arguments in ({"wait": -1}, {"active": 0}, {"repeat": -1}, {"skip_first": -1}, {"warmup": -2}):
        texts = []
        for make in (schedule, torch.profiler.schedule):
            with pytest.raises(AssertionError) as caught:
                make(**{"wait": 1, "warmup": 1, "active": 1, **arguments})
            texts.append(str(caught.value))
        assert texts[0] == texts[1]
    with pytest.raises(AssertionError, match="Step must be non-negative. Got -1."):
        schedule(wait=1, warmup=1, active=1)(-1)
    with pytest.warns(UserWarning, match="Profiler won't be using warmup"):
        schedule(wait=1, warmup=0, active=1)


def protocol(f: Any, plan: Any, steps: int, acc_events: bool) -> tuple[list[Any], list[str]]:
    """Return what on_trace_ready saw in each recording, and what stood there in the end; and the warnings."""
    seen: list[Any] = []

    def look(prof: Any) -> None:
        events = prof.events()
        marks = [(e.name, e.trace_name) for e in events if e.name.startswith("ProfilerStep")]
        seen.append((prof.step_num, sorted(marks), sum(e.name == "aten::exp" for e in events)))

    x = f.ones(2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with f.profiler.profile(schedule=plan, on_trace_ready=look, acc_events=acc_events) as prof:
            for step in range(steps):
                for _ in range(step + 1):
                    x.exp()
                prof.step()
        if prof.profiler is not None:
            look(prof)
    texts = [str(w.message) for w in caught if str(w.message).startswith("Incorrect schedule")]
    return seen, texts


@pytest.mark.parametrize("acc_events", [False, True])
@pytest.mark.parametrize("steps", [1, 5, 12])
@pytest.mark.parametrize("arguments", SCHEDULES, ids=str)
def test_recordings_on_a_schedule_are_those_of_torch(arguments: dict[str, int], steps: int, acc_events: bool) -> None:
    ours, _ = protocol(npg, quietly(schedule, **arguments), steps, acc_events)
    theirs, _ = protocol(torch, quietly(torch.profiler.schedule, **arguments), steps, acc_events)
    assert ours == theirs


def transitions(f: Any, actions: str, steps: int) -> list[Any]:
    """Return what a profile does on a schedule that repeats these actions, without doing it, and its warnings."""
    done: list[Any] = []

    class Logged(f.profiler.profile):  # type: ignore[misc,name-defined]
        def prepare_trace(self) -> None:
            done.append("prepare")

        def start_trace(self) -> None:
            done.append("start")

        def stop_trace(self) -> None:
            done.append("stop")

    names = {"N": "NONE", "W": "WARMUP", "R": "RECORD", "S": "RECORD_AND_SAVE"}

    def plan(step: int) -> Any:
        return f.profiler.ProfilerAction[names[actions[step % len(actions)]]]

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with Logged(schedule=plan, on_trace_ready=lambda prof: done.append("ready")) as prof:
            for _ in range(steps):
                done.append(prof.step_num)
                prof.step()
    return [*done, *(str(w.message) for w in caught)]


CYCLES = ["".join(actions) for actions in itertools.product("NWRS", repeat=3)]


@pytest.mark.parametrize("actions", [cycle for cycle in CYCLES if "RW" not in cycle + cycle])
def test_transitions_are_those_of_torch(actions: str) -> None:
    for steps in range(8):
        assert transitions(npg, actions, steps) == transitions(torch, actions, steps)


def test_warmup_after_record_prepares_the_next_recording() -> None:
    warned = "Incorrect schedule: RECORD followed by WARMUP"  # PyTorch, too; it starts then without having prepared
    expected = ["prepare", "start", 0, "stop", "prepare", 1, "start", "stop", "ready", warned]
    assert transitions(npg, "RW", 2) == expected


def test_start_and_stop_by_hand_record_anew() -> None:
    prof = profile()
    prof.start()
    npg.ones(2) + 1
    prof.stop()
    assert [e.name for e in prof.events()] == ["aten::add"]
    with pytest.warns(UserWarning, match="Profiler clears events at the end of each cycle"):
        prof.start()
    prof.stop()
    assert prof.events() == []


def test_exception_in_the_handler_leaves_nothing_running() -> None:
    def fail(prof: Any) -> None:
        raise KeyError("no")

    with pytest.raises(KeyError):
        with profile(schedule=schedule(wait=0, warmup=1, active=1), on_trace_ready=fail) as prof:
            for _ in range(3):
                npg.ones(2) + 1
                prof.step()
    with profile() as prof:
        npg.ones(2) + 1
    assert len(prof.events()) == 1


def test_exception_in_the_schedule_changes_nothing() -> None:
    def plan(step: int) -> ProfilerAction:
        if step:
            raise KeyError("no")
        return ProfilerAction.RECORD

    with profile(schedule=plan) as prof:
        npg.ones(2) + 1
        with pytest.raises(KeyError):
            prof.step()
        assert prof.step_num == 0
    assert [e.name for e in prof.events()] == ["ProfilerStep*", "aten::add"]


def test_tensorboard_handler_writes_a_file_for_each_recording(tmp_path: Any) -> None:
    for use_gzip, ending in ((False, ".pt.trace.json"), (True, ".pt.trace.json.gz")):
        folder = tmp_path / "runs" / str(use_gzip)
        handler = tensorboard_trace_handler(str(folder), "me", use_gzip=use_gzip)
        plan = schedule(wait=0, warmup=1, active=1, repeat=2)
        with profile(schedule=plan, on_trace_ready=handler, acc_events=True) as prof:
            for _ in range(6):
                prof.step()
        names = [path.name for path in folder.iterdir()]
        assert len(names) == 2
        assert all(name.startswith("me.") and name.endswith(ending) for name in names)
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeError, match="Can't create directory: "):
        tensorboard_trace_handler(str(tmp_path / "file"))(prof)


# ----- Without a schedule -----


def test_autograd_profile_has_its_events_at_hand(tmp_path: Any) -> None:
    prof = npg.autograd.profiler.profile(record_shapes=True, with_stack=True)
    assert str(prof) == repr(prof) == "<unfinished npg.autograd.profile>"
    with prof as entered:
        npg.ones(2) + 1
        (npg.ones(2) + 1).exp()
    assert entered is prof
    assert [e.name for e in prof.function_events] == ["aten::add", "aten::add", "aten::exp"]
    assert [(e.key, e.count) for e in prof.key_averages()] == [("aten::add", 2), ("aten::exp", 1)]
    assert prof.total_average().count == 3
    assert prof.self_cpu_time_total == prof.function_events.self_cpu_time_total > 0
    assert str(prof) == prof.table() and "Input Shapes" in prof.table() and "<FunctionEvent" in repr(prof)
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    prof.export_stacks(str(tmp_path / "stacks"))
    with pytest.raises(RuntimeError, match="Profiler context manager is not reentrant"):
        prof.__enter__()


def test_autograd_profile_that_is_not_enabled_records_nothing() -> None:
    with npg.autograd.profiler.profile(enabled=False) as prof, profile() as other:
        npg.ones(2) + 1
    assert prof.function_events == [] and len(other.events()) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_cuda": True},
        {"use_device": "cuda"},
        {"use_device": "xpu"},
        {"use_device": "cpu"},
        {"use_kineto": True},
    ],
    ids=str,
)
def test_autograd_profile_of_a_device_warns_as_torch(settings: dict[str, Any]) -> None:
    given = []
    for library in (npg, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            library.autograd.profiler.profile(**settings)
            library.autograd.profiler.profile(enabled=False, **settings)
        given.append([(w.category, str(w.message)) for w in caught])
    assert given[0] == given[1]
