"""Public libraries, unedited from their wheels, print on npg what they print on PyTorch.

pins.txt has the releases. A library that is not installed is skipped: `pip install --no-deps -r pins.txt`.
"""

import importlib.util
import re
from importlib.metadata import version
from pathlib import Path

import pytest
import torch  # noqa: F401  (what scripts are compared with, in processes of their own)

from tests.as_torch.commands import run

HERE = Path(__file__).resolve().parent
PINS = dict(line.strip().split("==") for line in (HERE / "pins.txt").read_text().splitlines() if "==" in line)

# Libraries that do not run yet: the name of torch at which they stop.
WAITING = {
    "torchinfo": "MultiheadAttention",
    "torchmetrics": "conv2d",
    "torchvision": "conv2d",
}


def needs(library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    if version(library) != PINS[library]:
        pytest.skip(f"{library} is {version(library)}, expected {PINS[library]}")


@pytest.mark.parametrize("library", [library for library in PINS if library not in WAITING])
def test_program_prints_what_it_prints_on_torch(library, tmp_path):
    needs(library)
    program = str(HERE / "programs" / f"{library}_program.py")
    code, out, error = run(program, folder=tmp_path, npg=False)
    assert code == 0, error
    assert run(program, folder=tmp_path, npg=True)[:2] == (0, out)


@pytest.mark.parametrize("library", WAITING)
def test_library_that_waits_stops_at_a_name_that_npg_lacks(library, tmp_path):
    needs(library)
    code, _, error = run(str(HERE / "programs" / f"{library}_program.py"), folder=tmp_path, npg=True)
    last = error.strip().splitlines()[-1]
    assert code == 1 and re.match(r"(ImportError|AttributeError)\b", last) and WAITING[library] in last


def test_every_library_has_a_program():
    programs = {path.name.removesuffix("_program.py") for path in (HERE / "programs").glob("*.py")}
    assert programs == set(PINS)
