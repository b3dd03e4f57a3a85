"""Public libraries, unedited from their wheels, print on npg what they print on PyTorch.

pins.txt and beyond.txt have the releases. A library that is not installed is skipped.
"""

import re
from importlib.metadata import PackageNotFoundError, version

import pytest
import torch  # noqa: F401  (what programs are compared with, in processes of their own)

from tests.as_torch.commands import run
from tests.as_torch.libraries.expected import HERE, LIBRARIES, pins, program

RELEASES = pins() | pins("beyond.txt")
RUNNING = [name for name, library in LIBRARIES.items() if not library.wall]
WITH_TORCHVISION = {"torchmetrics", "torchvision", "timm", "pytorch-lightning"}
WAITING = [name for name, library in LIBRARIES.items() if library.wall]


def needs(name):
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    if installed != RELEASES[name]:
        pytest.skip(f"{name} is {installed}, expected {RELEASES[name]}")


@pytest.mark.parametrize("name", RUNNING)
def test_program_prints_what_it_prints_on_torch(name, tmp_path):
    needs(name)
    before = [str(HERE / "without_extension.py")] if name in WITH_TORCHVISION else []
    code, out, error = run(*before, str(program(name)), folder=tmp_path, npg=False)
    assert code == 0, error
    assert run(str(program(name)), folder=tmp_path, npg=True)[:2] == (0, out)


@pytest.mark.parametrize("name", WAITING)
def test_library_that_waits_stops_at_a_name_that_npg_lacks(name, tmp_path):
    needs(name)
    code, _, error = run(str(program(name)), folder=tmp_path, npg=True)
    last = error.strip().splitlines()[-1]
    assert code == 1 and re.match(r"(ImportError|ModuleNotFoundError|AttributeError)\b", last)
    assert LIBRARIES[name].wall in last


def test_every_library_has_a_program_and_a_release():
    assert {path.name for path in (HERE / "programs").glob("*.py")} == {program(name).name for name in LIBRARIES}
    assert LIBRARIES.keys() <= RELEASES.keys()
