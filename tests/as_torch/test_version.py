"""torch.__version__ and the distribution `torch`, as libraries ask for them."""

import itertools

import pytest
from packaging.version import Version
from torch.torch_version import TorchVersion as TheirVersion

from npg.torch_version import TorchVersion
from tests.as_torch.commands import run

TEXTS = ["2.13.0", "2.13", "2.13.0+npg", "2.13.0+cpu", "2.13.0+cpu.1", "2.13.1", "2.9.1", "2.13.0a0+git1", "v2.13",
         "2.13.0.dev20260101", "2.13.0rc1", "2.13.0.post1", "1!1.0", "10.0", "2.13.0a0.dev1", "2.13.0.post1.dev2",
         " 2.13 ", "2.13.0-1", "2.13.0beta2", "2.13.0_preview_3", "2.13.0+Ubuntu-1"]  # fmt: skip
NO_VERSIONS = ["parrot", "", "2.x", "2.13.0+", "nightly"]
COMPARISONS = ("__lt__", "__le__", "__eq__", "__ne__", "__ge__", "__gt__")


@pytest.mark.parametrize("text", TEXTS + NO_VERSIONS)
def test_version_compares_with_texts_as_torchs(text):
    for other, compare in itertools.product(TEXTS + NO_VERSIONS, COMPARISONS):
        ours, theirs = getattr(TorchVersion(text), compare)(other), getattr(TheirVersion(text), compare)(other)
        assert ours == theirs, (text, compare, other)


@pytest.mark.parametrize("other", [(2, 1), (2, 13), (2, 13, 0), (3,), ("2", "13")])
def test_version_compares_with_tuples_as_torchs(other):
    for text, compare in itertools.product(TEXTS, COMPARISONS):
        ours, theirs = getattr(TorchVersion(text), compare)(other), getattr(TheirVersion(text), compare)(other)
        assert ours == theirs, (text, compare, other)


def test_version_compares_with_those_of_packaging():  # torch compares with those of its own copy alone
    version = TorchVersion("2.13.0+npg")
    assert version > Version("2.13.0") > TorchVersion("2.12") and version < Version("3") and version == Version(version)


def test_version_is_a_text_and_refuses_what_is_none():
    version = TorchVersion("2.13.0+npg")
    assert isinstance(version, str) and version.split("+") == ["2.13.0", "npg"] and f"{version}" == "2.13.0+npg"
    assert {version: 1}["2.13.0+npg"] == 1 and repr(version) == "'2.13.0+npg'"
    for kind, other in itertools.product((TorchVersion, TheirVersion), (1, None, (None,), ([],))):
        with pytest.raises(TypeError, match="'<' not supported between instances of 'TorchVersion'"):
            _ = kind("2.13") < other


PROGRAM = """
import importlib.metadata as metadata, importlib.util
from packaging.requirements import Requirement
from packaging.version import Version
{first}
assert metadata.version("torch") == metadata.version("Torch") == "2.13.0+npg"
found = metadata.distribution("torch")
assert found.metadata["Name"] == "torch" and found.version == "2.13.0+npg" and found.files is None
assert any(text.startswith("numpy") for text in metadata.requires("torch")) and not found.entry_points
for text in ("torch>=1.10", "torch==2.13.0", "torch<3,>=2.4", "torch!=2.0.1"):
    assert metadata.version("torch") in Requirement(text).specifier
assert Version(metadata.version("torch")) >= Version("2.0")
assert importlib.util.find_spec("torch") is not None and importlib.util.find_spec("torch.nn") is not None
assert importlib.util.find_spec("torch.nothing") is None
import torch
assert torch.__version__ == "2.13.0+npg" and torch.version.__version__ == "2.13.0+npg" and torch.version.cuda is None
assert metadata.version("numpy")
assert any(d.metadata["Name"] == "torch" for d in metadata.distributions() if d.version == "2.13.0+npg")
"""


@pytest.mark.parametrize("npg", [False, True])
def test_distribution_is_torch(npg, tmp_path):
    program = PROGRAM.format(first="" if npg else "import npg.as_torch")
    assert run("-c", program, folder=tmp_path, npg=npg) == (0, "", "")
    asked = (
        "import sys, importlib.metadata as m\nm.version('numpy'), list(m.distributions())\nprint('npg' in sys.modules)"
    )
    assert run("-c", asked, folder=tmp_path, npg=True) == (0, "False\n", "")  # nobody asked for torch
