"""What publishes npg: the wheels that cibuildwheel will build, and workflows that name every action by its hash."""

import importlib.util
import os
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests import processes

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PYTHONS = ("311", "312", "313", "314", "314t")
TAGS = {
    "linux": ("manylinux_x86_64", "manylinux_aarch64", "musllinux_x86_64", "musllinux_aarch64"),
    "macos": ("macosx_x86_64", "macosx_arm64"),
    "windows": ("win_amd64", "win_arm64"),
}


@pytest.mark.skipif(importlib.util.find_spec("cibuildwheel") is None, reason="needs cibuildwheel, of the extra dev")
@pytest.mark.parametrize("platform", TAGS)
def test_wheels_are_built_for_every_python_and_processor(platform):
    command = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers", "--platform", platform, str(ROOT)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CIBW_")}
    done = processes.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {f"cp{python}-{tag}" for python in PYTHONS for tag in TAGS[platform]}


def test_classifiers_name_the_pythons_that_have_wheels():
    named = {c.rpartition(" ")[2] for c in PYPROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", c)}
    assert named == {f"3.{python.strip('t')[1:]}" for python in PYTHONS}


def test_workflows_are_there():
    assert {path.name for path in WORKFLOWS} == {"nightly.yml", "publish.yml", "test.yml", "wheels.yml"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_named_by_hash_and_version(path):
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.+)", text)
    assert used
    for action in used:
        assert action.startswith("./") or re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_do_nothing_by_default(path):
    text = path.read_text(encoding="utf-8")
    assert "\npermissions: {}\n" in text
    assert "secrets." not in text
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")


def test_only_publishing_may_ask_for_an_identity():
    asking = [path.name for path in WORKFLOWS if "id-token: write" in path.read_text(encoding="utf-8")]
    assert asking == ["publish.yml"]


def test_a_wheel_is_tested_where_no_source_lies():
    settings = PYPROJECT["tool"]["cibuildwheel"]
    assert "npg" not in settings["test-sources"]
    assert any("engine.name == 'cython'" in command for command in settings["test-command"])
    assert settings["test-extras"] == ["test-base"]
    assert not any(word.startswith("torch") for word in PYPROJECT["project"]["optional-dependencies"]["test-base"])


def test_no_build_asks_for_this_machines_processor():
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("setup.py", "pyproject.toml")]
    assert not any(re.search(r"-march=|-mtune=|/arch:", text) for text in texts)
