"""The recorder: nesting, times by a clock of the test's own, memory, threads, and that nothing of it stays."""

import itertools
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import npg
from npg.ops import elementwise
from npg.profiler import _recorder, profile, record_function
from npg.profiler._recorder import Options, Recorder
from tests import processes


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A clock that goes on by one microsecond whenever it is read, and by more when asked to."""
    ticks = itertools.count(0, 1000)

    def wait(us: int) -> None:
        for _ in range(us):
            next(ticks)

    monkeypatch.setattr(_recorder, "clock", lambda: next(ticks))
    return wait


@pytest.fixture
def observers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the engine was told to call, the last one last."""
    told: list[Any] = [None]
    switches = npg.engine.switches

    class Telling:
        def __getattr__(self, name: str) -> Any:
            return getattr(switches, name)

        def __setattr__(self, name: str, value: Any) -> None:
            if name == "observer":
                told.append(value)
            setattr(switches, name, value)

    monkeypatch.setattr(npg.engine, "switches", Telling())
    return told


def shape(e: Any) -> Any:
    return (e.name, [shape(child) for child in e.cpu_children]) if e.cpu_children else e.name


def tree(events: Any) -> Any:
    return [shape(e) for e in events if e.cpu_parent is None]


# ----- Times and nesting -----


def test_self_time_is_total_less_that_of_the_children(ticks: Any) -> None:
    with profile() as prof:
        with record_function("outer"):  # read when it begins ...
            ticks(100)
            with record_function("inner"):
                ticks(10)
            with record_function("inner"):
                ticks(20)
                with record_function("innermost"):
                    ticks(5)
    times = {(e.id, e.name): (e.cpu_time_total, e.self_cpu_time_total) for e in prof.events()}
    assert times == {  # ... and when it ends: a block takes one more than it waits, and each one within it one more
        (1, "outer"): (142, 103),
        (2, "inner"): (11, 11),
        (3, "inner"): (28, 22),
        (4, "innermost"): (6, 6),
    }
    inner = next(e for e in prof.key_averages() if e.key == "inner")
    assert (inner.count, inner.cpu_time_total, inner.self_cpu_time_total, inner.cpu_time) == (2, 39, 33, 19.5)
    assert prof.key_averages().self_cpu_time_total == 142
    starts = [e.time_range.start for e in prof.events()]
    assert starts == sorted(starts) and starts[0] >= 0


def test_ops_nest_in_ranges_and_rules_in_their_evaluation() -> None:
    with profile() as prof:
        x = npg.ones(2, requires_grad=True)
        with record_function("forward"):
            y = (x * 2).exp()
        y.sum().backward()
    evaluate = "autograd::engine::evaluate_function: "
    assert tree(prof.events()) == [
        ("forward", ["aten::mul", "aten::exp"]),
        "aten::sum",
        *((evaluate + name, [name]) for name in ("SumBackward0", "ExpBackward0", "MulBackward0")),
    ]
    assert [e.scope for e in prof.events()] == [7, 0, 0, 0, 0, 1, 0, 1, 0, 1]


def test_recorded_rules_show_their_ops() -> None:
    x = npg.ones(2, requires_grad=True)
    y = x.exp().sum()
    with profile() as prof:
        npg.autograd.grad(y, x, create_graph=True)
    (rule,) = [e for e in prof.events() if e.name == "ExpBackward0"]
    assert "aten::mul" in [child.name for child in rule.cpu_children]


def test_rule_is_linked_with_its_forward_call() -> None:
    with profile(with_stack=True) as prof:
        x = npg.ones(2, requires_grad=True)
        y = x * 2
        (y[:1] * y[1:]).sum().backward()
    calls = {e.sequence_nr: e for e in prof.events() if e.name.startswith("aten::")}
    rules = [e for e in prof.events() if e.scope == 1]
    assert len(rules) == len(calls) == 5 and -1 not in calls
    for rule in rules:
        assert rule.stack == calls[rule.sequence_nr].stack != []
        assert rule.fwd_thread == threading.get_native_id()
    assert {calls[e.sequence_nr].name for e in rules if e.name == "SliceBackward0"} == {"aten::slice"}
    assert __file__ in rules[0].stack[0] and rules[0].stack[0].endswith(": test_rule_is_linked_with_its_forward_call")
    assert not [line for line in rules[0].stack if "npg/profiler/_" in line]


def test_in_place_ops_have_an_underscore() -> None:
    x = npg.ones(3)
    with profile() as prof:
        x.mul_(2)
        x += 1
        x * 1
    assert [e.name for e in prof.events()] == ["aten::mul_", "aten::add_", "aten::mul"]


def test_changed_view_of_a_leaf_is_the_same_with_and_without_a_profiler() -> None:
    def gradient() -> Any:
        x = npg.arange(6.0, requires_grad=True)
        y = x * 1
        view = y[2:4]
        view.mul_(3)
        (view.exp() * y[:2]).sum().backward()
        return x.grad.tolist()

    expected = gradient()
    with profile(record_shapes=True, profile_memory=True, with_stack=True, with_flops=True, with_modules=True):
        found = gradient()
    assert found == expected


# ----- Ranges -----


def test_record_function_as_decorator_and_within_itself() -> None:
    @record_function("down")
    def down(n: int) -> int:
        """Count down."""
        return n and down(n - 1) + down(0)

    assert down.__doc__ == "Count down."
    with profile() as prof:
        down(2)
    assert [e.name for e in prof.events()] == ["down"] * 5
    assert all(e.is_user_annotation and e.scope == 7 for e in prof.events())


def test_record_function_without_a_profiler_does_nothing() -> None:
    with record_function("a") as range_, profile() as prof:
        with record_function("b", "args"):
            pass
    assert range_.name == "a"
    assert [(e.name, e.concrete_inputs) for e in prof.events()] == [("b", ["args"])]


def test_range_that_outlives_the_recording_is_dropped() -> None:
    range_ = record_function("too long")
    with profile() as prof:
        range_.__enter__()
        npg.ones(2) + 1
    range_.__exit__(None, None, None)
    assert tree(prof.events()) == ["aten::add"]


def test_range_left_before_one_within_it_ends_both() -> None:
    with profile() as prof:
        outer, inner = record_function("outer"), record_function("inner")
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        npg.ones(2) + 1
        inner.__exit__(None, None, None)
    assert [e.name for e in prof.events() if e.cpu_parent is None] == ["outer", "aten::add"]


@pytest.mark.parametrize("name", ["SGD", "AdamW", "LBFGS"])
def test_optimizers_and_modules_are_ranges(name: str) -> None:
    model = npg.nn.Sequential(npg.nn.Linear(2, 3), npg.nn.ReLU(), npg.nn.Linear(3, 1))
    optimizer = getattr(npg.optim, name)(model.parameters(), lr=0.1)
    calls = npg.nn.Module.__call__, type(optimizer).step, npg.optim.Optimizer.zero_grad

    def closure() -> Any:
        optimizer.zero_grad()
        loss = model(npg.ones(4, 2)).sum()
        loss.backward()
        return loss

    with profile(with_modules=True) as prof:
        optimizer.step(closure)
    assert calls == (npg.nn.Module.__call__, type(optimizer).step, npg.optim.Optimizer.zero_grad)
    (step,) = [e for e in prof.events() if e.cpu_parent is None]
    assert step.name == f"Optimizer.step#{name}.step"
    assert step.cpu_children[0].name == f"Optimizer.zero_grad#{name}.zero_grad"
    assert shape(step.cpu_children[1]) == (
        "nn.Module: Sequential_0",
        [
            ("nn.Module: Linear_0", ["aten::linear"]),
            ("nn.Module: ReLU_0", ["aten::relu"]),
            ("nn.Module: Linear_1", ["aten::linear"]),
        ],
    )
    with profile() as prof:
        model(npg.ones(4, 2))
    assert [e.name for e in prof.events()] == ["aten::linear", "aten::relu", "aten::linear"]


# ----- Memory, shapes, arithmetic -----


def names_and(attribute: str, events: Any) -> list[tuple[str, Any]]:
    return [(e.name, getattr(e, attribute)) for e in events if not e.name.startswith("autograd::")]


def test_modules_and_optimizers_that_are_imported_while_it_records_are_ranges() -> None:
    code = (
        "import sys, npg\n"
        "from npg.profiler import profile\n"
        "assert not {'npg.nn', 'npg.optim'} & set(sys.modules)\n"
        "with profile(with_modules=True) as prof:\n"
        "    model = npg.nn.Linear(2, 1)\n"
        "    optimizer = npg.optim.SGD(model.parameters(), 0.1)\n"
        "    model(npg.ones(1, 2)).sum().backward()\n"
        "    optimizer.step()\n"
        "print(*sorted({e.name for e in prof.events() if not e.name.startswith(('aten', 'autograd'))}), sep='\\n')\n"
    )
    output = processes.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {"Optimizer.step#SGD.step", "nn.Module: Linear_0"} <= set(output.splitlines())


def test_memory_is_that_of_new_arrays() -> None:
    x = npg.ones(4, 8, requires_grad=True)
    with profile(profile_memory=True) as prof:
        with record_function("all"):
            y = x * 2  # 128 bytes
            y.t()  # a view
            y.view(32).expand(3, 32)
            y.add_(1)  # in place
            z = y.sum(0)  # 32
            z.double()  # 64
    assert names_and("cpu_memory_usage", prof.events()) == [
        ("all", 224),
        ("aten::mul", 128),
        ("aten::t", 0),
        ("aten::view", 0),
        ("aten::expand", 0),
        ("aten::add_", 0),
        ("aten::sum", 32),
        ("aten::_to_copy", 64),
    ]
    assert prof.events()[0].self_cpu_memory_usage == 0
    assert "CPU Mem" in prof.key_averages().table()


def test_memory_of_a_rule_counts_once() -> None:
    x = npg.ones(4, 8, requires_grad=True)
    y = (x * 2).exp()
    with profile(profile_memory=True) as prof:
        y.backward(npg.ones(4, 8))
    averages = {e.key: (e.cpu_memory_usage, e.self_cpu_memory_usage) for e in prof.key_averages()}
    assert averages["ExpBackward0"] == averages["MulBackward0"] == (128, 128)
    assert averages["autograd::engine::evaluate_function: ExpBackward0"] == (128, 0)


def test_memory_that_an_op_within_an_op_made_counts_once() -> None:
    with profile(profile_memory=True) as prof:
        npg.vmap(lambda a: a * 2)(npg.ones(4, 8))
    assert [(e.name, e.cpu_memory_usage) for e in prof.events() if e.name == "aten::mul"] == [("aten::mul", 128)]


def test_shapes_are_those_of_the_inputs() -> None:
    x = npg.ones(4, 8, requires_grad=True)
    with profile(record_shapes=True) as prof:
        (x * 2 + npg.ones(8)).sum().backward()
    assert names_and("input_shapes", prof.events()) == [
        ("aten::mul", [[4, 8], []]),
        ("aten::add", [[4, 8], [8]]),
        ("aten::sum", [[4, 8]]),
        ("SumBackward0", [[]]),
        ("AddBackward0", [[4, 8]]),
        ("MulBackward0", [[4, 8]]),
    ]
    assert all(e.input_shapes == [] for e in prof.events() if e.name.startswith("autograd::"))
    assert len(prof.key_averages(group_by_input_shape=True)) == len(prof.key_averages())


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: npg.ones(3, 4) + 1, 12),
        (lambda: npg.ones(3, 4) @ npg.ones(4, 5), 120),
        (lambda: npg.ones(2, 3, 4) @ npg.ones(4, 5), 240),
        (lambda: npg.ones(4) @ npg.ones(4, 5), 40),
        (lambda: npg.ones(3, 4) @ npg.ones(4), 24),
        (lambda: npg.nn.functional.linear(npg.ones(3, 4), npg.ones(5, 4), npg.ones(5)), 120),
        (lambda: npg.addmm(npg.ones(5), npg.ones(3, 4), npg.ones(4, 5)), 120),
        (lambda: npg.bmm(npg.ones(2, 3, 4), npg.ones(2, 4, 5)), 240),
        (lambda: npg.ones(3).exp(), 0),
    ],
)
def test_arithmetic_is_counted(call: Any, expected: int) -> None:
    with profile(with_flops=True) as prof:
        call()
    assert prof.key_averages().total_average().flops == expected
    assert ("FLOPs" in prof.key_averages().table()) == bool(expected)


# ----- What is around it -----


def test_nothing_stays_after_the_block(observers: list[Any]) -> None:
    with profile() as prof:
        npg.ones(2) + 1
        assert observers[-1] is not None
    assert observers[-1] is None
    npg.ones(2) + 1
    assert len(prof.events()) == 1


def test_nothing_stays_after_an_exception(observers: list[Any]) -> None:
    step = vars(npg.optim.SGD).get("step"), npg.optim.Optimizer.step
    with pytest.raises(RuntimeError, match="must match"):
        with profile() as prof:
            with record_function("fails"):
                npg.ones(2) + npg.ones(3)
    assert observers[-1] is None
    assert tree(prof.events()) == [("fails", ["aten::add"])]
    assert step == (vars(npg.optim.SGD).get("step"), npg.optim.Optimizer.step)
    with profile():  # the next one can begin
        pass


def test_error_within_a_rule_leaves_no_open_event() -> None:
    class Fails(npg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise KeyError("no")

    with profile() as prof:
        with pytest.raises(KeyError):
            Fails.apply(npg.ones(2, requires_grad=True)).sum().backward()
        npg.ones(2) + 1
    assert tree(prof.events())[-1] == "aten::add"
    assert "FailsBackward" in [e.name for e in prof.events()]


def test_only_one_records_at_a_time() -> None:
    with profile() as outer:
        with pytest.raises(RuntimeError, match="already enabled"):
            with profile():
                pass
        with pytest.raises(RuntimeError, match="already enabled"):
            with npg.autograd.profiler.profile():
                pass
        npg.ones(2) + 1
    assert len(outer.events()) == 1


def test_threads_have_stacks_of_their_own() -> None:
    ready = threading.Barrier(2)

    def work(name: str) -> None:
        with record_function(name):
            ready.wait(10)
            x = npg.ones(3, requires_grad=True)
            (x * 2).sum().backward()
            ready.wait(10)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    with profile() as prof:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    top = [e for e in prof.events() if e.cpu_parent is None]
    assert sorted(e.name for e in top) == ["a", "b"]
    assert len({e.thread for e in top}) == 2
    for e in top:
        assert [child.thread for child in e.cpu_children] == [e.thread] * 4


def test_range_that_ends_in_another_thread_has_no_time_of_its_own() -> None:
    range_ = record_function("wanders")
    with profile() as prof:
        range_.__enter__()
        npg.ones(2) + 1
        thread = threading.Thread(target=range_.__exit__, args=(None, None, None))
        thread.start()
        thread.join()
    wandering, op = prof.events()
    assert wandering.is_async and wandering.self_cpu_time_total == 0 < wandering.cpu_time_total
    assert op.cpu_parent is None and wandering.cpu_children == []


def test_call_that_outlives_the_recording_is_harmless() -> None:
    recorder = Recorder(Options(profile_memory=True))
    recorder.start()
    results = []

    def run() -> str:
        results.append(recorder.stop())
        return "done"

    assert recorder._observe("forward", elementwise.add, (1, 2), run) == "done"
    assert list(results[0]) == []


def test_transforms_work_under_a_profiler() -> None:
    def f(x: Any) -> Any:
        return (x.sin() * x).sum()

    def results() -> list[Any]:
        x = npg.tensor([[0.5, 1.0], [1.5, 2.0]])
        func = npg.func
        return [
            npg.vmap(f)(x),
            func.grad(f)(x),
            npg.vmap(func.grad(f))(x),
            func.jacrev(func.grad(f))(x),
            func.jvp(f, (x,), (x,))[1],
            npg.vmap(lambda a: a.clone().mul_(2))(x),
        ]

    expected = results()
    with profile(record_shapes=True, profile_memory=True, with_stack=True, with_flops=True, with_modules=True) as prof:
        found = results()
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert all(e.self_cpu_memory_usage >= 0 for e in prof.events())


def test_checkpoint_and_hooks_work_under_a_profiler() -> None:
    from npg.utils.checkpoint import checkpoint

    x = npg.ones(3, requires_grad=True)
    seen = []
    with profile() as prof:
        y = checkpoint(lambda a: a.exp().sin(), x, use_reentrant=False)
        y.register_hook(seen.append)
        y.sum().backward()
    assert len(seen) == 1
    assert [e.name for e in prof.events()].count("aten::exp") == 2  # the second time in backward


def test_forked_process_records_nothing(observers: list[Any]) -> None:
    recorder = Recorder(Options())
    recorder.start()
    _recorder._after_fork()  # what a child process does first
    assert observers[-1] is None
    with profile() as prof:
        npg.ones(2) + 1
    assert len(prof.events()) == 1
