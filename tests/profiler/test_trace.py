"""Files: Chrome traces with the fields of the trace-event format, and stacks for flame graphs."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import npg
from npg.profiler import profile, record_function, schedule


def run(f: Any, name: str = "block", **settings: Any) -> Any:
    x = f.ones(2, 3, requires_grad=True)
    with f.profiler.profile(record_shapes=True, **settings) as prof:
        with f.profiler.record_function(name):
            y = (x * 2).exp().sum()
        y.backward()
    return prof


def read(prof: Any, path: Path) -> Any:
    prof.export_chrome_trace(str(path))
    return json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_text())


@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
def test_trace_is_json_with_the_fields_of_its_events(tmp_path: Path, name: str) -> None:
    prof = run(npg, 'block "a"\n', profile_memory=True, with_stack=True, with_flops=True)
    trace = read(prof, tmp_path / name)
    assert trace["displayTimeUnit"] == "ms" and trace["schemaVersion"] == 1
    assert trace["record_shapes"] == trace["profile_memory"] == trace["with_stack"] == trace["with_flops"] == 1
    assert "with_modules" not in trace
    for e in trace["traceEvents"]:
        assert {"ph", "name", "pid", "tid", "ts"} <= e.keys()
        assert e["ph"] in "MXsf"
    calls = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    events = prof.events()
    assert [e["name"] for e in calls] == [e.name for e in events]
    assert [(e["ts"], e["dur"]) for e in calls] == [(e.time_range.start, e.cpu_time_total) for e in events]
    assert [e["tid"] for e in calls] == [e.thread for e in events]
    mul = next(e for e in calls if e["name"] == "aten::mul")
    assert mul["cat"] == "cpu_op" and calls[0]["cat"] == "user_annotation"
    assert mul["args"]["Input Dims"] == [[2, 3], []]
    assert mul["args"]["Bytes"] == 24 and mul["args"]["Flops"] == 6
    assert __file__ in mul["args"]["Call stack"]


def test_trace_has_the_names_and_fields_of_torch(tmp_path: Path) -> None:
    ours, theirs = read(run(npg), tmp_path / "ours.json"), read(run(torch), tmp_path / "theirs.json")
    assert ours.keys() <= theirs.keys()
    for name in ("aten::mul", "MulBackward0", "block"):
        one, other = (
            next(e for e in trace["traceEvents"] if e.get("name") == name and e["ph"] == "X")
            for trace in (ours, theirs)
        )
        assert one.keys() <= other.keys()
        assert one["args"].keys() <= other["args"].keys()
        assert one["cat"] == other["cat"]


def test_trace_has_an_arrow_from_each_call_to_its_rule(tmp_path: Path) -> None:
    trace = read(run(npg), tmp_path / "trace.json")["traceEvents"]
    calls = {e["args"].get("Sequence number"): e for e in trace if e["ph"] == "X" and e["name"].startswith("aten::")}
    rules = {e["args"]["Sequence number"]: e for e in trace if e["ph"] == "X" and "Fwd thread id" in e["args"]}
    starts = {e["id"]: e["ts"] for e in trace if e["ph"] == "s"}
    ends = {e["id"]: e["ts"] for e in trace if e["ph"] == "f"}
    assert starts == {number: calls[number]["ts"] for number in rules}
    assert ends == {number: rules[number]["ts"] for number in rules}
    assert len(starts) == 3


def test_trace_has_steps_with_their_numbers_and_metadata(tmp_path: Path) -> None:
    with profile(schedule=schedule(wait=1, warmup=1, active=2, repeat=1)) as prof:
        for _ in range(4):
            npg.ones(2) + 1
            prof.step()
    prof.add_metadata("who", 'a "quoted" name')
    prof.add_metadata_json("sizes", "[1, 2]")
    with pytest.raises(ValueError):
        prof.preset_metadata_json("bad", "[1,")
    trace = read(prof, tmp_path / "trace.json")
    steps = [e["name"] for e in trace["traceEvents"] if e["name"].startswith("ProfilerStep")]
    assert steps == ["ProfilerStep#2", "ProfilerStep#3"]
    assert trace["who"] == 'a "quoted" name' and trace["sizes"] == [1, 2]


def test_list_of_events_writes_itself(tmp_path: Path) -> None:
    events = run(npg).events()
    trace = read(events, tmp_path / "trace.json")
    assert len([e for e in trace["traceEvents"] if e["ph"] == "X"]) == len(events)


def test_stacks_have_a_line_for_each_event_with_time(tmp_path: Path) -> None:
    path = tmp_path / "stacks"
    prof = run(npg, with_stack=True)
    prof.export_stacks(str(path))
    lines = path.read_text().splitlines()
    timed = [e for e in prof.events() if e.stack and int(e.self_cpu_time_total) > 0]
    assert len(lines) == len(timed)
    for line, event in zip(lines, timed):
        stack, _, time = line.rpartition(" ")
        assert int(time) == int(event.self_cpu_time_total)
        assert " " not in stack and stack.split(";")[-1].endswith(":_run")
    with pytest.raises(ValueError, match="metric should be one of"):
        prof.events().export_stacks(str(path), "count")
    with pytest.raises(AssertionError, match=r"export_stacks\(\) requires with_stack=True"):
        run(npg).export_stacks(str(path))


def test_module_is_a_python_function_in_traces(tmp_path: Path) -> None:
    with profile(with_modules=True) as prof, record_function("all"):
        npg.nn.Linear(2, 3)(npg.ones(1, 2))
    trace = read(prof, tmp_path / "trace.json")
    (module,) = [e for e in trace["traceEvents"] if e["name"] == "nn.Module: Linear_0"]
    assert module["cat"] == "python_function"
