"""Run the own tests of public libraries on npg, and print a table: passed, failed, left out with the reasons.

python tools/libraries.py [library ...]      # those of tests/as_torch/libraries/pins.txt that are installed
python tools/libraries.py --write FILE       # the table, into a page of the documentation

The tests are those in the libraries' wheels; a library without any is shown with our program alone
(tests/as_torch/libraries/programs).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = ROOT / "tests" / "as_torch" / "libraries"


class Suite(NamedTuple):
    """The tests of a library: where they are, and what is left out, by reason."""

    package: str | None
    files: dict[str, str] = {}  # names of files, and why they are left out
    tests: dict[str, str] = {}  # parts of names, and why
    settings: dict[str, str] = {}


SUITES = {
    "einops": Suite(
        "einops.tests",
        tests={"test_torch_layer": "convolution", "test_notebook": "notebooks"},
        settings={"EINOPS_TEST_BACKENDS": "numpy,torch"},
    ),
    "opt_einsum": Suite("opt_einsum.tests"),
    "skorch": Suite(
        "skorch.tests",
        files={
            "test_cli.py": "fire",
            "test_hf.py": "transformers",
            "test_history.py": "torch.distributed",
            "test_probabilistic.py": "gpytorch",
            "llm": "transformers",
        },
        tests={"test_sparse_tensor": "sparse tensors"},
    ),
    "torchdiffeq": Suite(None),
    "torchinfo": Suite(None),
    "torchmetrics": Suite(None),
    "torchvision": Suite(None),
}


class Result(NamedTuple):
    library: str
    version: str
    program: str
    passed: int
    failed: int
    skipped: int
    left_out: str
    failures: list[str]


def _environment(more: dict[str, str]) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    programs = os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", "")))
    return {**os.environ, "PYTHONPATH": path, "PATH": programs, **more}


def _on_npg(*arguments: str, folder: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "npg", "run", *arguments]
    return subprocess.run(command, cwd=folder, env=_environment(settings), text=True, capture_output=True)


def program_result(library: str) -> str:
    """Run our program, and return "runs" or the last line of its error."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(LIBRARIES / "programs" / f"{library}_program.py")
        done = _on_npg(path, folder=folder, settings={})
    return "runs" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def _folder(package: str) -> Path:
    """Return where a package lies; only the one at its top is looked for, since to import it would need torch."""
    top, *parts = package.split(".")
    spec = importlib.util.find_spec(top)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent.joinpath(*parts)


def suite_result(suite: Suite) -> tuple[int, int, int, list[str]]:
    """Run the tests of a library, and return how many passed, failed and were skipped, and the names that failed."""
    if suite.package is None:
        return 0, 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "--pyargs", suite.package]
        arguments += [f"--ignore={_folder(suite.package) / name}" for name in suite.files]
        if suite.tests:
            arguments += ["-k", " and ".join(f"not {name}" for name in suite.tests)]
        done = _on_npg(*arguments, folder=folder, settings=suite.settings)
        if not os.path.exists(report):
            raise RuntimeError(f"the tests of {suite.package} did not run:\n{done.stdout}{done.stderr}")
        cases = ElementTree.parse(report).getroot().findall(".//testcase")
    failures, skipped = [], 0
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(f"{case.get('classname')}::{case.get('name')}")
        elif case.find("skipped") is not None:
            skipped += 1
    return len(cases) - len(failures) - skipped, len(failures), skipped, failures


def result_of(library: str) -> Result:
    """Run what there is for a library."""
    suite = SUITES[library]
    left_out = sorted({*suite.files.values(), *suite.tests.values()})
    program = program_result(library)
    passed, failed, skipped, failures = suite_result(suite)
    reasons = ", ".join(left_out) if suite.package is not None else "no tests in the wheel"
    return Result(library, version(library), program, passed, failed, skipped, reasons, failures)


def table(results: list[Result]) -> str:
    """Return the results as a table in Markdown."""
    lines = [
        "| library | our program | own tests: passed | failed | skipped by themselves | left out: what they need |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for r in results:
        counts = f"{r.passed} | {r.failed} | {r.skipped}" if r.passed or r.failed else "– | – | –"
        lines.append(f"| {r.library} {r.version} | {r.program} | {counts} | {r.left_out} |")
    return "\n".join(lines) + "\n"


def page(results: list[Result]) -> str:
    """Return the page of the documentation."""
    return (
        "# Public libraries on npg\n\n"
        "Each library is as its wheel has it, without PyTorch beside it; tests/as_torch/libraries compares what our\n"
        "programs print with PyTorch. Written by `python tools/libraries.py --write docs/libraries.md`.\n\n"
        f"{table(results)}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("libraries", nargs="*", choices=[*SUITES, []], metavar="library")
    parser.add_argument("--write", metavar="FILE", type=Path)
    options = parser.parse_args()
    results = []
    for library in options.libraries or SUITES:
        try:
            version(library)
        except PackageNotFoundError:
            print(f"{library}: not installed", file=sys.stderr)
            continue
        if importlib.util.find_spec("pytest") is None:
            parser.error("pytest is not installed")
        results.append(result_of(library))
        for name in results[-1].failures:
            print(f"{library}: failed: {name}", file=sys.stderr)
    print(table(results), end="")
    if options.write is not None:
        options.write.write_text(page(results), encoding="utf-8")
    return int(any(r.failed for r in results))


if __name__ == "__main__":
    sys.exit(main())
