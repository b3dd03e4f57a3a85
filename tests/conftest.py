"""What all tests share: the two engines, the data directory, hypothesis profiles, thread counts.

Environment:
    NPG_ENGINE: unset, everything runs on the extension and the engine tests on both engines; "python", all of it on the
        pure-Python engine alone.
    NPG_HYPOTHESIS_PROFILE: "default" or "ci" (at least 2,000 examples, and more samples of each op); CI=true stands for
        "ci".
    NPG_DATA: a directory with real data sets; tests that need one are skipped without it.
"""

import ast
import functools
import gc
import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Two threads a process, set before NumPy loads: users have several, and what is shared must be right. PyTorch has one,
# see pytest_collection_finish.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "2"
os.environ["MKL_NUM_THREADS"] = "1"

ROOT = Path(__file__).resolve().parent.parent

# ----- Engines -----

ENGINES = ("python",) if os.environ.get("NPG_ENGINE", "").strip().lower() == "python" else ("python", "cython")


def load_engine(name: str) -> ModuleType:
    """Import npg.engine._<name>; one that cannot be imported fails the test, whatever the reason."""
    try:
        return importlib.import_module(f"npg.engine._{name}")
    except (ImportError, RuntimeWarning) as error:  # the warning: npg.engine falls back, which is an error here
        pytest.fail(
            f"the {name} engine cannot be imported: {error}; build it with `python setup.py build_ext --inplace`, "
            "or set NPG_ENGINE=python to test the pure-Python engine alone",
            pytrace=False,
        )


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> ModuleType:
    """The module of one engine, npg.engine._python or npg.engine._cython: the test runs once for each."""
    return load_engine(request.param)


@pytest.fixture
def engines() -> dict[str, ModuleType]:
    """Both engine modules by name, for tests that compare them; skipped when NPG_ENGINE=python leaves only one."""
    if len(ENGINES) == 1:
        pytest.skip("compares the engines, and NPG_ENGINE=python leaves only one")
    return {name: load_engine(name) for name in ENGINES}


# Tests of files, processes, texts and tools, which do not depend on the engine, and long programs, whose parts others
# test. .ci/run leaves them out where it runs all others once more on the pure-Python engine.
ONCE = (
    "as_torch/libraries", "as_torch/test_modules.py", "as_torch/test_names.py", "as_torch/test_table.py",
    "as_torch/test_texts.py", "benchmarks", "demo/test_bench.py", "demo/test_charrnn.py",
    "demo/test_mnist.py", "demo/test_translate.py", "distributed/test_collectives.py", "distributed/test_rendezvous.py",
    "distributed/test_stores.py", "functional/test_names.py", "kernels/test_pool.py",
    "serialization/test_archives.py", "serialization/test_attacks.py", "serialization/test_file_reader.py",
    "serialization/test_fuzz.py", "serialization/test_writing.py", "tensor/test_pickles.py", "tensor/test_sharing.py",
    "test_guest.py", "test_launch.py", "test_layering.py", "test_multiprocessing.py", "test_packaging.py",
    "test_types.py", "test_workflows.py", "utils/data",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = tuple([f"{(ROOT / 'tests' / place).as_posix()}/" for place in ONCE])
    for item in items:
        if f"{item.path.as_posix()}/".startswith(places):
            item.add_marker("once")


@pytest.fixture(autouse=True)
def _interrupts_are_left_as_they_were() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


# ----- Without PyTorch -----

HAS_TORCH = importlib.util.find_spec("torch") is not None


@functools.cache
def needs_torch(file: Path) -> bool:
    """Tell whether a file of tests/ imports torch, itself or by way of another one."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = file.relative_to(ROOT).parts[: -node.level] if node.level else ()
            module = ".".join([*package, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    if any(name == "torch" or name.startswith("torch.") for name in names):
        return True
    others = [ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in names if name.startswith("tests.")]
    return any(needs_torch(other) for other in others if other.exists() and other != file)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Without PyTorch leave out what compares with it: a wheel is tested on machines that have none."""
    is_test = collection_path.suffix == ".py" and collection_path.name.startswith("test_")
    return True if not HAS_TORCH and is_test and needs_torch(collection_path) else None


def pytest_collection_finish() -> None:
    # Tests look for what is never freed: a collection that also goes through PyTorch and all tests takes a second.
    gc.collect()
    gc.freeze()
    if "torch" in sys.modules:  # how it splits a sum must not depend on the machine, and workers share the cores
        sys.modules["torch"].set_num_threads(1)


def pytest_report_header() -> list[str]:
    lines = [f"npg: engine tests on {', '.join(ENGINES)}; hypothesis profile {PROFILE}"]
    if not HAS_TORCH:
        files = list((ROOT / "tests").rglob("test_*.py"))
        lines.append(f"no PyTorch: {sum(map(needs_torch, files))} of {len(files)} files that compare with it left out")
    return lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up what tests/test_op_db.py noted for each op; with xdist the notes come with the workers' reports."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, ()) if r.when == "call"]
    tallies = [value for r in reports for name, value in r.user_properties if name == "op_db"]
    if tallies:
        right, wrong, known, left_out = (sum(column) for column in zip(*tallies, strict=True))
        bad = sum(1 for tally in tallies if tally[1])
        terminalreporter.write_line(
            f"op_db: {len(tallies)} ops offered, {len(tallies) - bad} right, {bad} wrong; samples: {right} right, "
            f"{wrong} wrong, {known} known to differ, {left_out} left out"
        )


# ----- Hypothesis -----

# No deadline: a shared machine makes any example slow now and then, and speed is not what these tests look at.
_common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
_in_ci = os.environ.get("CI", "").strip().lower() in ("1", "true")
settings.register_profile("default", max_examples=100, derandomize=_in_ci, **_common)
# The same examples on every run and no database: a red run can be repeated, and two workers do not race for files.
settings.register_profile("ci", max_examples=2000, derandomize=True, database=None, **_common)
PROFILE = os.environ.get("NPG_HYPOTHESIS_PROFILE") or ("ci" if _in_ci else "default")
settings.load_profile(PROFILE)

# ----- Data and threads -----


@pytest.fixture
def quick_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make PyTorch's samples of ops without what takes most of the time.

    torch.manual_seed, called for every sample, formats a traceback for each kind of GPU that might yet be used; and
    op_db looks for a TestCase in every frame.
    """
    import torch
    from torch.testing._internal import common_utils
    from torch.testing._internal.opinfo import core

    monkeypatch.setattr(torch, "manual_seed", torch.default_generator.manual_seed)
    for module in (common_utils, core):  # the second has imported the function by name
        monkeypatch.setattr(module, "extract_test_fn", lambda: None)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """A directory with real data sets, see NPG_DATA; the test is skipped where there is none."""
    given = os.environ.get("NPG_DATA")
    if given:
        if not Path(given).is_dir():
            pytest.fail(f"NPG_DATA={given!r} is not a directory", pytrace=False)
        return Path(given)
    beside = ROOT.parent / "shared" / "data"
    if not beside.is_dir():
        pytest.skip("needs real data sets; NPG_DATA names the directory")
    return beside


@pytest.fixture
def torch_threads() -> Iterator[Callable[[int], None]]:
    """A function that sets the number of torch's threads, 1 or 2, for the rest of the test; undone after it."""
    import torch

    before = torch.get_num_threads()

    def set_threads(count: int) -> None:
        if count not in (1, 2):
            raise ValueError(f"expected 1 or 2 threads, got {count}; tests share two cores")
        torch.set_num_threads(count)

    yield set_threads
    torch.set_num_threads(before)


# ----- What no test may leave behind -----

_BEFORE = pytest.StashKey[dict[str, Any]]()


def _modes() -> dict[str, Any]:
    """Return what npg and NumPy are switched to in this thread; nothing before npg was imported."""
    npg = sys.modules.get("npg")
    if npg is None:
        return {}
    return {
        "grad": npg.is_grad_enabled(),
        "inference": npg.is_inference_mode_enabled(),
        "anomaly": npg.is_anomaly_enabled(),
        "default dtype": npg.get_default_dtype(),
        "threads": npg.get_num_threads(),
        "NumPy's warnings": sys.modules["numpy"].geterr(),
    }


def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_BEFORE] = _modes()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[Any]:
    """Fail the test that leaves something switched, and switch it back: else those after it fail for no reason."""
    done = yield
    before = item.stash.get(_BEFORE, {})
    after = _modes() if before else {}
    changed = {name: value for name, value in after.items() if value != before[name]}
    if changed:
        npg, np = sys.modules["npg"], sys.modules["numpy"]
        npg.set_grad_enabled(before["grad"])
        npg.set_default_dtype(before["default dtype"])
        npg.set_num_threads(before["threads"])
        np.seterr(**before["NumPy's warnings"])
    assert not changed, f"the test leaves {changed}; before it there was {before}"
    return done
