"""What is published and what an import loads: the version, the sdist, a wheel without a compiler, sys.modules."""

import ast
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def run(code: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own that finds this repository's npg first."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default", **environment}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=500)


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
    "npg", "csrc", "demo", "tests", "docs", ".ci",
    "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md",
)  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project to build in, with an extension and C code lying about as after a build in place."""
    copy = tmp_path_factory.mktemp("tree")
    leave = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.bin", "out*")
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
        "csrc/**/*.pyx",
        "csrc/**/*.pxd",
        "csrc/**/*.pxi",
        "demo/**/*.py",
        "tests/**/*.py",
    )
    wanted = {path.relative_to(tree).as_posix() for pattern in patterns for path in tree.glob(pattern)}
    wanted |= {"npg/py.typed", "setup.py", "pyproject.toml", "LICENSE", "CHANGELOG.md", "README.md", "MANIFEST.in"}
    assert {"csrc/engine.pyx", "npg/engine/_cython.pyi", "tests/conftest.py"} <= wanted
    assert wanted - sdist == set()


def test_sdist_holds_nothing_generated(sdist):
    generated = (".c", ".cpp", ".so", ".pyd", ".pyc", ".bin", ".o")
    assert [name for name in sdist if name.endswith(generated) or name.startswith("build")] == []


@pytest.fixture(scope="module")
def no_compiler() -> dict[str, str]:
    """The environment of a machine without a compiler."""
    if sys.platform == "win32":
        pytest.skip("takes the compiler away through CC, which Windows does not read")
    return {"CC": "/nonexistent/cc", "NPG_REQUIRE_EXTENSION": ""}


def test_wheel_without_compiler_warns_and_holds_the_python_engine(tree, tmp_path, no_compiler):
    process, made = build("build_wheel", tree, tmp_path, **no_compiler)
    assert process.returncode == 0, process.stderr
    assert "WARNING: the extension npg.engine._cython was not built" in process.stderr
    assert "/nonexistent/cc" in process.stderr
    (wheel,) = made
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"npg/__init__.py", "npg/engine/_cython.pyi", "npg/py.typed"} <= names
    assert [name for name in names if name.startswith("npg/engine/_python")] != []
    assert [name for name in names if name.endswith((".so", ".pyd", ".c", ".pyx"))] == []
    # demo/, tests/ and csrc/ stay in the sdist.
    assert {name.partition("/")[0] for name in names} == {"npg", f"npg_autograd-{read_version()}.dist-info"}


def test_wheel_without_compiler_required_extension_fails(tree, tmp_path, no_compiler):
    process, made = build("build_wheel", tree, tmp_path, **{**no_compiler, "NPG_REQUIRE_EXTENSION": "1"})
    assert process.returncode != 0
    assert "/nonexistent/cc" in process.stderr
    assert made == []


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
    assert outside == {"npg", "numpy"}


def test_import_loads_no_heavy_standard_module(tmp_path):
    assert (loaded_by("npg", tmp_path) - loaded_by("numpy", tmp_path)) & HEAVY == set()


def test_import_check_notices_a_heavy_module(tmp_path):
    # The two tests above would also pass if loaded_by saw nothing.
    assert "unittest" in loaded_by("unittest.mock", tmp_path)
    assert "pytest" in loaded_by("pytest", tmp_path)
