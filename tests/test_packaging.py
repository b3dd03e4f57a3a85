"""What is published and what an import loads: the version, the sdist, a wheel without a compiler, sys.modules."""

import ast
import importlib.machinery
import itertools
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests import processes

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def run(code: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own that finds this repository's npg first."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default", **environment}
    command = [sys.executable, "-c", code, *arguments]
    return processes.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=500)


# ----- The version -----


def read_version() -> str:
    """Read npg/_version.py as text: it has to be a plain literal, which setuptools takes without importing npg."""
    (assignment,) = [
        node
        for node in ast.parse((ROOT / "npg" / "_version.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
    ]
    (target,) = assignment.targets
    assert isinstance(target, ast.Name) and target.id == "__version__"
    return ast.literal_eval(assignment.value)


def test_version_stands_in_one_place():
    assert "version" not in PYPROJECT["project"]
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "npg._version.__version__"}
    elsewhere = [
        path.relative_to(ROOT).as_posix()
        for path in [ROOT / "setup.py", *(ROOT / "npg").rglob("*.py"), *(ROOT / "csrc").rglob("*.pyx")]
        if path.name != "_version.py" and read_version() in path.read_text(encoding="utf-8")
    ]
    assert elsewhere == []


def test_version_is_what_npg_tells():
    import npg

    assert npg.__version__ == read_version()


def test_changelog_has_a_section_for_the_version():
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    newest = next(line for line in lines if line.startswith("## "))
    assert newest.split()[1] == read_version()


def test_numpy_is_the_only_dependency():
    assert PYPROJECT["project"]["dependencies"] == ["numpy>=2.0"]


# ----- The sdist and the wheel -----

PROJECT = (
    "npg", "csrc", "demo", "tests", "tools", "docs", ".ci", ".github",
    "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore",
)  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project to build in, with an extension and C code lying about as after a build in place."""
    copy = tmp_path_factory.mktemp("tree")
    leave = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.bin", "out", "out-*", "out_*")
    for name in PROJECT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=leave)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, copy / name)
    litter = ("npg/engine/_cython.so", "csrc/engine.c", "build/cython/csrc/old.c", "demo/nanogpt/data/x/train.bin")
    for name in litter:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(b"left from a build")
    return copy


def build(kind: str, tree: Path, to: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[Path]]:
    """Call the hook that pip calls, build_sdist or build_wheel. Returns: (the process, the files it made)."""
    code = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
    return run(code, kind, str(to), cwd=tree, PYTHONPATH="", **environment), sorted(to.iterdir())


@pytest.fixture(scope="module")
def sdist(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in the sdist, without the leading folder."""
    process, made = build("build_sdist", tree, tmp_path_factory.mktemp("sdist"))
    assert process.returncode == 0, process.stderr
    (archive,) = made
    assert archive.name == f"npg_autograd-{read_version()}.tar.gz"
    with tarfile.open(archive) as tar:
        return {name.partition("/")[2] for name in tar.getnames() if "/" in name}


def test_sdist_holds_all_that_is_written_by_hand(sdist, tree):
    patterns = (
        "npg/**/*.py",
        "npg/**/*.pyi",
        "npg/**/*.pxd",
        "csrc/**/*.pyx",
        "csrc/**/*.pxd",
        "csrc/**/*.pxi",
        "demo/**/*.py",
        "tests/**/*.py",
        "tools/*.py",
    )
    wanted = {path.relative_to(tree).as_posix() for pattern in patterns for path in tree.glob(pattern)}
    wanted |= {"npg/py.typed", "setup.py", "pyproject.toml", "LICENSE", "CHANGELOG.md", "README.md", "MANIFEST.in"}
    assert {"csrc/kernels.pyx", "npg/kernels/_cython.pxd", "npg/engine/_cython.pyi", "tests/conftest.py"} <= wanted
    assert wanted - sdist == set()


def test_sdist_holds_all_that_is_in_the_repository(sdist):
    listed = processes.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no repository here")
    assert set(listed.stdout.split()) - sdist == set()


def test_sdist_holds_nothing_generated(sdist):
    generated = (".c", ".cpp", ".so", ".pyd", ".pyc", ".bin", ".o")
    written = {"tests/guarded.c", "tests/kernels/pool.c"}
    assert [name for name in sdist - written if name.endswith(generated) or name.startswith("build")] == []


@pytest.fixture(scope="module")
def no_compiler() -> dict[str, str]:
    """The environment of a machine without a compiler."""
    if sys.platform == "win32":
        pytest.skip("takes the compiler away through CC, which Windows does not read")
    return {"CC": "/nonexistent/cc", "NPG_REQUIRE_EXTENSION": ""}


def test_wheel_without_compiler_warns_and_holds_the_python_engine(tree, tmp_path, no_compiler):
    process, made = build("build_wheel", tree, tmp_path, **no_compiler)
    assert process.returncode == 0, process.stderr
    assert "WARNING: the extensions npg.kernels._cython and npg.engine._cython were not built" in process.stderr
    assert "/nonexistent/cc" in process.stderr
    (wheel,) = made
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"npg/__init__.py", "npg/engine/_cython.pyi", "npg/kernels/_cython.pyi", "npg/py.typed"} <= names
    assert {"npg/engine/_python/__init__.py", "npg/kernels/_python.py"} <= names
    assert [name for name in names if name.endswith((".so", ".pyd", ".c", ".pyx"))] == []
    # demo/, tests/ and csrc/ stay in the sdist.
    assert {name.partition("/")[0] for name in names} == {"npg", f"npg_autograd-{read_version()}.dist-info"}


def test_wheel_without_compiler_required_extension_fails(tree, tmp_path, no_compiler):
    process, made = build("build_wheel", tree, tmp_path, **{**no_compiler, "NPG_REQUIRE_EXTENSION": "1"})
    assert process.returncode != 0
    assert "/nonexistent/cc" in process.stderr
    assert made == []


def test_wheel_without_extension_fits_every_platform(tree, tmp_path):
    process, (wheel,) = build("build_wheel", tree, tmp_path, NPG_PURE_PYTHON="1")
    assert process.returncode == 0, process.stderr
    assert wheel.name == f"npg_autograd-{read_version()}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(f"npg_autograd-{read_version()}.dist-info/METADATA").decode()
    assert {"npg/__main__.py", "npg/py.typed", "npg/engine/_python/node.py"} <= set(names)
    assert [name for name in names if name.endswith((".so", ".pyd", ".c", ".pyx"))] == []
    assert f"\nVersion: {read_version()}\n" in metadata


def test_unknown_kind_of_build_is_refused(tree, tmp_path):
    process, made = build("build_wheel", tree, tmp_path, NPG_BUILD="fast", NPG_REQUIRE_EXTENSION="1")
    assert process.returncode != 0
    assert "expected NPG_BUILD to be trace, checks, sanitize, races or unset, got 'fast'" in process.stderr
    assert made == []


# ----- The engine of an installation that is not whole -----

BROKEN = {
    "no extension": (None, "it was not built for this Python and platform"),
    "not a library": (b"left from a build", "it is there, but cannot be imported: ImportError: "),
    "an error": ("raise ValueError('numpy.dtype size changed')", "imported: ValueError: numpy.dtype size changed"),
    "a crash": ("raise SystemError('bad call')", "it is there, but cannot be imported: SystemError: bad call"),
    "of another version": (
        "name = 'cython'",
        "it was built from another version of npg: it lacks ",
    ),
}


@pytest.fixture(params=itertools.product(("kernels", "engine"), BROKEN), ids=" ".join)
def damaged(request, tree, tmp_path):
    """A copy of npg with an extension that does not work. Returns: (its folder, what is told about it, whose it is)."""
    room, kind = request.param
    content, told = BROKEN[kind]
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    shutil.copytree(tree / "npg", tmp_path / "npg", ignore=ignored)
    if room == "engine":
        (built,) = (ROOT / "npg" / "kernels").glob(f"_cython*{importlib.machinery.EXTENSION_SUFFIXES[0]}")
        shutil.copy(built, tmp_path / "npg" / "kernels")
    if content is not None:
        name = "_cython" + (importlib.machinery.EXTENSION_SUFFIXES[-1] if isinstance(content, bytes) else ".py")
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "npg" / room / name).write_bytes(data)
    return tmp_path, told, room


def test_engine_that_does_not_work_is_told_once_with_the_reason(damaged):
    folder, told, room = damaged
    code = "import npg; import npg.nn; print(npg.engine.name, npg.engine._select.why, npg.kernels.core.name)"
    done = run(code, cwd=folder, PYTHONPATH=str(folder), NPG_ENGINE="")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("RuntimeWarning: npg runs on its pure-Python engine: the same results, slower.") == 1
    assert told in done.stderr
    assert done.stdout.startswith("python the compiled one cannot be used: ")
    assert told in done.stdout
    assert done.stdout.split()[-1] == ("python" if room == "kernels" else "cython")  # the engine's C needs the kernels'


def test_engine_that_does_not_work_is_an_error_where_it_was_asked_for(damaged):
    folder, told, _ = damaged
    done = run("import npg", cwd=folder, PYTHONPATH=str(folder), NPG_ENGINE="cython")
    assert done.returncode != 0
    assert "ImportError: NPG_ENGINE=cython, but npg's compiled engine cannot be used: " in done.stderr
    assert told in done.stderr


def test_python_engine_that_was_asked_for_says_nothing(damaged):
    folder, *_ = damaged
    done = run("import npg; print(npg.engine.name)", cwd=folder, PYTHONPATH=str(folder), NPG_ENGINE="python")
    assert (done.stdout.strip(), done.stderr) == ("python", "")


# ----- The engine under test -----


def test_suite_runs_on_the_extension_unless_python_was_asked_for():
    import npg

    assert npg.engine.name == (os.environ.get("NPG_ENGINE", "").strip().lower() or "cython")


# ----- What an import loads -----

# Costly, or with effects of their own; a library for arrays has no use for them at import. What `import numpy` loads
# itself is not counted.
HEAVY = {
    "asyncio", "concurrent", "ctypes", "curses", "distutils", "email", "ensurepip", "http", "idlelib", "lib2to3",
    "multiprocessing", "pydoc", "pydoc_data", "selectors", "smtplib", "socket", "socketserver", "sqlite3", "ssl",
    "subprocess", "tkinter", "unittest", "urllib", "venv", "xml", "xmlrpc",
}  # fmt: skip


def loaded_by(module: str, cwd: Path) -> set[str]:
    """Return the top-level names in sys.modules that importing a module adds in a fresh interpreter."""
    code = f"import sys; before = set(sys.modules); import {module}; print(*sorted(set(sys.modules) - before))"
    process = run(code, cwd=cwd)
    assert process.returncode == 0, process.stderr
    return {name.partition(".")[0] for name in process.stdout.split()}


def test_import_loads_numpy_and_nothing_else_from_outside(tmp_path):
    loaded = loaded_by("npg", tmp_path)
    assert {"npg", "numpy"} <= loaded
    # Every module that Cython makes registers its shared types as _cython_<version>; a cimport, as cython_runtime.
    outside = {name for name in loaded - sys.stdlib_module_names if not name.startswith(("_cython_", "cython_runtime"))}
    # CPython's own, which alone tells a subinterpreter before Python 3.13; sys.stdlib_module_names leaves it out.
    outside.discard("_xxsubinterpreters")
    assert outside == {"npg", "numpy"}


def test_import_loads_no_heavy_standard_module(tmp_path):
    assert (loaded_by("npg", tmp_path) - loaded_by("numpy", tmp_path)) & HEAVY == set()


def test_import_check_notices_a_heavy_module(tmp_path):
    # The two tests above would also pass if loaded_by saw nothing.
    assert "unittest" in loaded_by("unittest.mock", tmp_path)
    assert "pytest" in loaded_by("pytest", tmp_path)
