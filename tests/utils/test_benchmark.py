"""npg.utils.benchmark beside torch.utils.benchmark: the same raw times and the same clocks give the same texts."""

import copy
import itertools
import pickle
import sys
import textwrap

import numpy as np
import pytest
import torch.utils.benchmark as theirs

import npg
from npg.utils import benchmark as ours
from tests import processes

rng = np.random.default_rng(0)

SPECS = [
    {"stmt": "x + y", "setup": "pass"},
    {"stmt": "x + y", "setup": "", "sub_label": "4 x 8"},
    {"stmt": "x + y", "setup": "x = 1", "label": "add", "num_threads": 2},
    {"stmt": "x\ny", "setup": "x = 1\ny = 2", "description": "two lines"},
    {"stmt": "x\ny", "setup": "x = 1", "sub_label": "s", "description": "d\ne", "env": "here"},
    {"stmt": "", "setup": "pass", "label": "", "sub_label": ""},
]
TIMES = [
    [3.2e-6],
    [1e-3, 2e-3],
    [1.0, 1.1, 1.2],
    [1e-9, 1.01e-9, 1.02e-9, 1.05e-9],
    [5e-5, 5.5e-5, 6e-5, 9e-5, 4e-5],
    [1e-3] * 7,
    *(rng.lognormal(-9, sigma, n).tolist() for sigma in (0.001, 0.05, 0.12, 0.7) for n in (4, 5, 10, 33)),
]


def both(number, times, spec):
    return [m.Measurement(number, list(times), m.TaskSpec(**spec)) for m in (ours, theirs)]


def error_of(call):
    with pytest.raises(Exception) as caught:
        call()
    return caught.type, str(caught.value)


# ----- Numbers for people -----


def near_powers_of_ten():
    for k in range(-9, 4):
        x = np.float32(10.0**k)
        yield from (x, np.nextafter(x, np.float32(0)), np.nextafter(x, np.float32(np.inf)), x * np.float32(3))


def test_units_beside_powers_of_ten_equal_torch():
    for t in near_powers_of_ten():
        assert ours.select_unit(float(t)) == theirs.select_unit(float(t))
    assert ours.select_unit(1e-10) == theirs.select_unit(1e-10) == ("s", 1)
    assert [ours.unit_to_english(u) for u in ("ns", "us", "ms", "s")] == [
        theirs.unit_to_english(u) for u in ("ns", "us", "ms", "s")
    ]


def test_trim_sigfig_equals_torch():
    for x in [3.14159, -2.5, 12345.678, *map(float, near_powers_of_ten()), *rng.lognormal(0, 4, 200).tolist()]:
        for n in (1, 2, 3.0, 4):
            assert ours.trim_sigfig(x, n) == theirs.trim_sigfig(x, n)


def test_ordered_unique_keeps_the_first():
    assert ours.ordered_unique("banana") == theirs.ordered_unique("banana") == ["b", "a", "n"]


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.trim_sigfig(1.0, 1.5),
        lambda m: m.trim_sigfig(0.0, 2),
        lambda m: m.select_unit(0.0),
        lambda m: m.select_unit(-1.0),
        lambda m: m.unit_to_english("h"),
        lambda m: m.Compare([1]),
        lambda m: m.Compare(1),
        lambda m: m.Timer(1),
        lambda m: m.Timer(language="java"),
        lambda m: m.Timer(global_setup="#include"),
        lambda m: m.Timer().repeat(),
        lambda m: m.Timer().autorange(),
        lambda m: m.Timer("raise KeyError('k')").timeit(1),
        lambda m: m.Timer(num_threads=0).timeit(1),
        lambda m: m.Measurement(1, [1.0], m.TaskSpec("a", "b")).nothing,
        lambda m: hash(m.Measurement(1, [1.0], m.TaskSpec("a", "b"))),
        lambda m: repr(m.Measurement(1, [], m.TaskSpec("a", "b"))),
        lambda m: m.Measurement(0, [1.0], m.TaskSpec("a", "b")).median,
    ],
)
def test_errors_equal_torch(call):
    assert error_of(lambda: call(ours)) == error_of(lambda: call(theirs))


# ----- Measurement -----


@pytest.mark.parametrize("spec", SPECS)
def test_task_spec_texts_equal_torch(spec):
    a, b = ours.TaskSpec(**spec), theirs.TaskSpec(**spec)
    assert (a.title, a.setup_str(), a.summarize()) == (b.title, b.setup_str(), b.summarize())
    assert a == ours.TaskSpec(**spec) and hash(a) == hash(ours.TaskSpec(**spec))


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("number", [1, 3, 1000])
def test_measurement_statistics_equal_torch(number, times):
    a, b = both(number, times, SPECS[0])
    for name in ("times", "median", "iqr", "significant_figures", "has_warnings"):
        assert getattr(a, name) == getattr(b, name), name
    assert a.mean == pytest.approx(b.mean, rel=1e-15)
    for threshold in (0.01, 0.1, 0.5):
        assert a.meets_confidence(threshold) == b.meets_confidence(threshold)


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("spec", SPECS)
def test_measurement_repr_equals_torch(spec, times):
    a, b = both(10, times, spec)
    first, *lines = repr(a).split("\n")
    assert first.startswith("<npg.utils.benchmark.") and " object at 0x" in first
    assert lines == repr(b).split("\n")[1:]
    for name in ("title", "as_row_name", *spec):
        assert getattr(a, name) == getattr(b, name)


def test_measurement_without_times_equals_torch():
    a, b = both(1, [], SPECS[0])
    assert (a.median, a.mean, a.iqr, a.has_warnings) == (b.median, b.mean, b.iqr, b.has_warnings)


def test_measurement_merges_replicates_as_torch_does():
    cases = [(n, times, spec) for n, times in ((1, TIMES[4]), (10, TIMES[1])) for spec in (*SPECS, SPECS[0])]
    a, b = zip(*(both(*case) for case in cases), strict=True)
    found, expected = ours.Measurement.merge(iter(a)), theirs.Measurement.merge(iter(b))
    assert len(found) == len(expected) == len(SPECS)
    for one, other in zip(found, expected, strict=True):
        assert (one.number_per_run, one.raw_times, one.metadata) == (1, other.raw_times, None)
        assert vars(one.task_spec) == vars(other.task_spec)


def test_measurement_is_copied_and_pickled():
    a = ours.Measurement(2, TIMES[4], ours.TaskSpec(**SPECS[2]), metadata={"commit": 1})
    assert a.median > 0
    for again in (copy.deepcopy(a), pickle.loads(pickle.dumps(a))):
        assert again == a and again.label == "add" and again.iqr == a.iqr


# ----- Compare -----


def table(of, columns, labels=("op",), envs=(None,), threads=(1,), missing=(), **look):
    """Return the text of a table of made-up measurements; the same for npg and torch."""
    made = np.random.default_rng(7)
    results = []
    for label, env, n, row, column in itertools.product(labels, envs, threads, ("a", "longer name", "c"), columns):
        times = made.lognormal(made.uniform(-11, -8), made.choice([0.01, 0.08, 0.4]), 8).tolist()
        if (row, column) not in missing:
            spec = of.TaskSpec("x", "pass", "", label, row, column, env, n)
            results += [of.Measurement(1, times[:5], spec), of.Measurement(2, times[5:], spec)]
    compare = of.Compare(results[:2])
    compare.extend_results(results[2:])
    for name, value in look.items():
        getattr(compare, name)(*([] if value is None else [value]))
    return str(compare)


LOOKS = [
    {},
    {"trim_significant_figures": None},
    {"highlight_warnings": None},
    {"colorize": None},
    {"colorize": True},
    {"trim_significant_figures": None, "highlight_warnings": None, "colorize": None},
]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    "case",
    [
        {"columns": ["x"]},
        {"columns": ["x", "", "a long description"]},
        {"columns": ["x", "y"], "labels": ("op", None, "")},
        {"columns": ["x", "y"], "envs": ("old", "new one")},
        {"columns": ["x", "y"], "threads": (2, 1, 16), "envs": ("old", "new one")},
        {"columns": ["x", "y", "z"], "threads": (1, 2), "missing": {("a", "y"), ("c", "y"), ("c", "z")}},
    ],
)
def test_compare_tables_equal_torch(case, look):
    assert table(ours, **case, **look) == table(theirs, **case, **look)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("scale", [1e-12, 1e-10, 1e-9, 1e-7, 1e-4, 1.0, 1e3])
def test_compare_magnitudes_equal_torch(scale, look):
    def text(of):
        made = [scale * t for t in (1.0, 1.005, 1.05, 1.5, 3.0, 7.0, 123.0)]
        compare = of.Compare(
            [of.Measurement(1, [t, t, t * 1.02, t * 1.1], of.TaskSpec(str(t), "", description="d")) for t in made]
        )
        for name, value in look.items():
            getattr(compare, name)(*([] if value is None else [value]))
        return str(compare)

    assert text(ours) == text(theirs)


def test_compare_of_the_same_place_shows_the_last_as_torch_does():
    def text(of):
        specs = [of.TaskSpec("x", setup, label="l", description="d") for setup in ("first", "second")]
        return str(of.Compare([of.Measurement(1, [t], s) for t, s in zip((1.0, 2.0), specs, strict=True)]))

    assert text(ours) == text(theirs)


def test_compare_prints_and_may_be_empty(capsys):
    compare = ours.Compare([])
    compare.print()
    assert capsys.readouterr().out == "\n"
    compare.extend_results(m for m in [ours.Measurement(1, [1e-3], ours.TaskSpec("x", "", description="d"))])
    compare.print()
    assert capsys.readouterr().out == str(compare) + "\n"


def test_compare_with_missing_descriptions_and_envs_shows_them():
    """PyTorch fails in both."""
    made = [ours.TaskSpec("x", "", env=env, description=d) for env, d in ((None, None), ("new", None), ("new", "d"))]
    text = str(ours.Compare([ours.Measurement(1, [1e-3], spec) for spec in made]))
    assert text == textwrap.dedent("""\
        [-----------------  -----------------]
                                |       |   d 
        1 threads: ---------------------------
          (Unspecified env)  x  |  1.0  |     
          (new)              x  |  1.0  |  1.0

        Times are in milliseconds (ms).
        """)  # noqa: W291


def test_compare_refused_results_change_nothing():
    compare = ours.Compare([])
    with pytest.raises(ValueError, match="Expected an instance of `Measurement`"):
        compare.extend_results([ours.Measurement(1, [1.0], ours.TaskSpec("x", "", description="d")), "no"])
    assert str(compare) == ""


# ----- Timer -----


class Clock:
    """A clock on which only statements take time: run() goes on by what `times` says, a call of the clock by `tick`."""

    def __init__(self, times, tick):
        self.now, self.tick, self.calls, self.runs = 0.0, tick, 0, 0
        self._times = itertools.cycle(times)

    def __call__(self):
        self.calls += 1
        self.now += self.tick
        return self.now

    def run(self):
        self.runs += 1
        self.now += next(self._times)


CLOCKS = [
    ([1e-3], 1e-7),
    ([1e-4, 2e-4], 1e-6),
    ([1e-4, 3e-4, 9e-4], 1e-7),
    ([0.3, 0.9, 0.1], 1e-6),
    ([0.02], 0.0),
    ([3e-4], 1e-6),
    ([1e-2] * 5 + [2e-2], 1e-6),  # the clock takes a 10,000th of a run
    ([4.0, 1.0, 9.0], 1e-3),
]


def measured(of, clock, method, kwargs):
    """Return everything that can be seen of a measurement."""
    clock = Clock(*clock)
    blocks = []
    if method != "timeit":
        kwargs = {**kwargs, "callback": lambda number, taken: blocks.append((number, taken))}
    timer = of.Timer("run()", "n = 0", timer=clock, globals={"run": clock.run}, label="l", description="d")
    found = getattr(timer, method)(**kwargs)
    return found.number_per_run, found.raw_times, blocks, clock.calls, clock.runs, vars(found.task_spec)


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize(
    ("method", "kwargs"),
    [
        ("timeit", {"number": 1}),
        ("timeit", {"number": 512}),
        ("blocked_autorange", {}),
        ("blocked_autorange", {"min_run_time": 3.0}),
        ("adaptive_autorange", {}),
        ("adaptive_autorange", {"threshold": 0.9, "min_run_time": 1.0}),
        ("adaptive_autorange", {"threshold": 1e-9, "max_run_time": 2.0}),
    ],
)
def test_timer_calls_and_blocks_equal_torch(clock, method, kwargs):
    assert measured(ours, clock, method, kwargs) == measured(theirs, clock, method, kwargs)


def test_timer_of_a_clock_that_stands_still_ends_as_in_torch(monkeypatch):
    """Blocks grow to the largest there is; each then takes 1 ns, the least that is believed."""

    def sizes(of):
        asked = []

        class Still:
            def __init__(self, *_args, **_kwargs):
                pass

            def timeit(self, number):
                asked.append(number)
                return 0.0

        timer = of.Timer()
        timer._timer = Still()
        found = timer.blocked_autorange(min_run_time=5e-9)
        return asked, found.number_per_run, found.raw_times

    assert sizes(ours) == sizes(theirs)
    assert sizes(ours)[1] == 10**9


def test_timer_code_is_dedented_as_in_torch():
    stmt = """
        y = x + 1
        z = y
    """
    a, b = (of.Timer(stmt, setup="\n    x = 1\n", sub_label="s")._task_spec for of in (ours, theirs))
    assert vars(a) == vars(b)


def test_timer_sees_npg_its_globals_and_its_setup():
    found = []
    given = {"found": found}
    ours.Timer("found.append(npg.full((), k).item())", "k = 3", globals=given).timeit(1)
    assert found == [3] * 3 and list(given) == ["found"]
    ours.Timer("found.append(npg)", globals={"found": found, "npg": "mine"}).timeit(1)
    assert found[-1] == "mine"


def test_timer_really_measures():
    x = npg.ones(8, 8)
    found = ours.Timer("x @ x", globals={"x": x}).blocked_autorange(min_run_time=0.1)
    assert len(found.raw_times) > 1 and 0 < found.median < 1
    assert ours.Timer().timeit(100).number_per_run == 100


@pytest.mark.parametrize("method", ["timeit", "blocked_autorange", "adaptive_autorange"])
def test_timer_sets_threads_and_restores_them(method):
    before = npg.get_num_threads()
    for count in (1, 2):
        clock, seen = Clock([0.5], 0.0), []

        def run(clock=clock, seen=seen):
            clock.run()
            seen.append(npg.get_num_threads())

        timer = ours.Timer("run()", timer=clock, globals={"run": run}, num_threads=count)
        getattr(timer, method)(**({"number": 1} if method == "timeit" else {}))
        assert set(seen) == {count}
        assert npg.get_num_threads() == before
    with pytest.raises(ZeroDivisionError):
        getattr(ours.Timer("1 / 0", num_threads=2), method)()
    assert npg.get_num_threads() == before


@pytest.mark.parametrize("language", ["c++", "cpp", ours.Language.CPP])
def test_timer_of_other_languages_is_refused(language):
    with pytest.raises(NotImplementedError, match="npg has no compiler"):
        ours.Timer("int x = 1;", language=language)


def test_timer_instruction_counts_are_refused():
    with pytest.raises(NotImplementedError, match="npg has no compiler"):
        ours.Timer("1").collect_callgrind()


def test_timer_takes_python_by_all_its_names():
    for language in ("py", "python", ours.Language.PYTHON):
        ours.Timer("1", language=language).timeit(1)


# ----- The module -----


def test_benchmark_is_loaded_when_used():
    code = "import sys, npg; assert 'npg.utils.benchmark' not in sys.modules; npg.utils.benchmark.Timer('1').timeit(1)"
    processes.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_benchmark_names_are_torchs():
    assert set(ours.__all__) <= set(dir(theirs))
