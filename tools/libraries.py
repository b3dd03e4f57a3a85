"""Run public libraries on npg, our programs and the libraries' own tests, and print how far each gets.

python tools/libraries.py [library ...]       # those of tests/as_torch/libraries that are installed
python tools/libraries.py --quick             # of the large suites a fixed part
python tools/libraries.py --write FILE        # the table, into a page of the documentation

The own tests are those in the wheels. What is expected stands in tests/as_torch/libraries/expected.py; the exit status
is 1 when something is worse: a program that ran does not, a test fails that is not known to, too few pass.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.as_torch.libraries.expected import LIBRARIES, Library, pins, program  # noqa: E402

BEGIN, END = "<!-- libraries: written by tools/libraries.py -->", "<!-- end of libraries -->"


class Result(NamedTuple):
    """What came out for a library: our program's end, and its own tests."""

    library: str
    version: str
    program: str  # "" where it runs, else the last line of its error
    passed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()


# ----- As a plugin of pytest -----


def pytest_collection_modifyitems(items: list[Any], config: Any) -> None:
    """Keep every n-th test, as the parent process says."""
    n = int(os.environ["NPG_LIBRARIES_EVERY"])
    if n > 1:
        config.hook.pytest_deselected(items=[item for i, item in enumerate(items) if i % n])
        items[:] = items[::n]


# ----- Running -----


def _on_npg(*arguments: str, folder: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(ROOT), str(ROOT / "tools"), os.environ.get("PYTHONPATH"))))
    programs = os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", "")))
    command = [sys.executable, "-m", "npg", "run", *arguments]
    environment = {**os.environ, "PYTHONPATH": path, "PATH": programs, **settings}
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)


def program_result(library: str) -> str:
    """Run our program, and return "" or the last line of its error."""
    with tempfile.TemporaryDirectory() as folder:
        done = _on_npg(str(program(library)), folder=folder, settings={})
    if done.returncode == 0:
        return ""
    return re.sub(r" \([^()]*\.py\)$", "", done.stderr.strip().splitlines()[-1])  # without the path of the module


def _folder(package: str) -> Path:
    """Return where a package lies; only the one at its top is looked for, since to import it would need torch."""
    top, *parts = package.split(".")
    spec = importlib.util.find_spec(top)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent.joinpath(*parts)


def suite_result(library: Library, every: int) -> tuple[int, int, tuple[str, ...]]:
    """Run one of every so many tests of a library, and return how many passed and were skipped, and what failed."""
    assert library.tests is not None
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "libraries", f"--junitxml={report}"]
        arguments += [f"--ignore={_folder(library.tests) / name}" for name in library.files]
        if library.names:
            arguments += ["-k", " and ".join(f"not {name}" for name in library.names)]
        settings = {**library.settings, "NPG_LIBRARIES_EVERY": str(every)}
        done = _on_npg(*arguments, "--pyargs", library.tests, folder=folder, settings=settings)
        if not os.path.exists(report):
            raise RuntimeError(f"the tests of {library.package} did not run:\n{done.stdout}{done.stderr}")
        cases = ElementTree.parse(report).getroot().findall(".//testcase")
    failures, skipped = [], 0
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(f"{case.get('classname')}::{case.get('name')}")
        elif case.find("skipped") is not None:
            skipped += 1
    return len(cases) - len(failures) - skipped, skipped, tuple(failures)


def result_of(name: str, quick: bool) -> Result:
    """Run what there is for a library."""
    library = LIBRARIES[name]
    result = Result(name, version(name), program_result(name))
    if library.tests is None or result.program:
        return result
    passed, skipped, failures = suite_result(library, library.every if quick else 1)
    return result._replace(passed=passed, skipped=skipped, failures=failures)


# ----- What is expected -----


def unexpected(result: Result, quick: bool) -> list[str]:
    """Return what is worse than expected, in words."""
    library, found = LIBRARIES[result.library], []
    if result.program and not (library.wall and library.wall in result.program):
        found.append(f"our program: {result.program}")
    for failure in result.failures:
        if not any(name in failure for name in library.known):
            found.append(f"a test failed: {failure}")
    least = library.passed // library.every * 9 // 10 if quick and library.every > 1 else library.passed
    if result.passed < least:
        found.append(f"{result.passed} tests passed, expected {least} at least")
    return found


# ----- As text -----


def table(results: list[Result]) -> str:
    """Return the results as a table in Markdown, and the tests that fail with the reasons."""
    lines = [
        "| library | our program | own tests: passed | failed | skipped by themselves | left out: what they need |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    remarks = []
    for r in results:
        library = LIBRARIES[r.library]
        program_end = f"stops: `{r.program.replace('|', chr(92) + '|')}`" if r.program else "runs"
        left_out = ", ".join(sorted({*library.files.values(), *library.names.values()}))
        counts = f"{r.passed} | {len(r.failures)} | {r.skipped} | {left_out}"
        if library.tests is None or r.program:
            counts = "– | – | – | " + ("no tests in the wheel" if library.tests is None else "")
        lines.append(f"| {r.library} {r.version} | {program_end} | {counts} |")
        remarks += [f"* {r.library}, `{name}`: {why}." for name, why in library.known.items()]
    return "\n".join([*lines, "", "Tests that fail:", "", *remarks, ""]) if remarks else "\n".join([*lines, ""])


def with_table(page: str, results: list[Result]) -> str:
    """Return a page in which what stands between the marks is the table."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected {BEGIN!r} and {END!r} in the page")
    return f"{before}{BEGIN}\n\n{table(results)}\n{END}{after}"


def main() -> int:
    """Run the libraries and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("libraries", nargs="*", choices=[*LIBRARIES, []], metavar="library")
    parser.add_argument("--quick", action="store_true", help="of the large suites a fixed part")
    parser.add_argument("--write", metavar="FILE", type=Path)
    options = parser.parse_args()
    results, wrong = [], []
    for name in options.libraries or LIBRARIES:
        try:
            version(name)
        except PackageNotFoundError:
            # Of those in pins.txt none may be missing where the others are expected.
            print(f"{name}: not installed", file=sys.stderr)
            if name in pins() and not options.libraries:
                wrong.append(f"{name}: not installed")
            continue
        results.append(result_of(name, options.quick))
        wrong += [f"{name}: {what}" for what in unexpected(results[-1], options.quick)]
    print(table(results), end="")
    for line in wrong:
        print(f"worse than expected: {line}", file=sys.stderr)
    if options.write is not None:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(with_table(page, results), encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
