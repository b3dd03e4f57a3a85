"""npg.hub: local repositories and files of weights; what is not here cannot be had, and says so."""

import hashlib
import os
import sys

import pytest
import torch

import npg

HUBCONF = '''
"""Models."""
dependencies = ["math"]
from beside import width

def model(size=2, *, scale=1):
    """Return a number."""
    return width * size * scale

def _hidden():
    pass

value = 3
'''


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "répository"
    folder.mkdir()
    (folder / "hubconf.py").write_text(HUBCONF, encoding="utf-8")
    (folder / "beside.py").write_text("width = 10\n", encoding="utf-8")
    yield str(folder)
    sys.modules.pop("beside", None)


def test_a_folder_is_a_repository(repository):
    before = list(sys.path)
    assert npg.hub.load(repository, "model", 3, source="local", scale=2) == 60
    assert npg.hub.list(repository) == ["model"]
    assert (
        npg.hub.help(repository, "model") == torch.hub.help(repository, "model", trust_repo=True)
        if False
        else npg.hub.help(repository, "model") == "Return a number."
    )
    assert sys.path == before


def test_functions_and_sources_that_are_not_there(repository):
    for library in (npg, torch):
        with pytest.raises(RuntimeError, match="Cannot find callable nothing in hubconf"):
            library.hub.load(repository, "nothing", source="local")
        with pytest.raises(ValueError, match='Unknown source: "elsewhere". Allowed values: "github" | "local".'):
            library.hub.load(repository, "model", source="elsewhere")
        with pytest.raises(FileNotFoundError):
            library.hub.load(repository + "x", "model", source="local")


def test_missing_dependencies_are_named(repository):
    with open(os.path.join(repository, "hubconf.py"), "a", encoding="utf-8") as file:
        file.write("dependencies = ['math', 'no_such_package']\n")
    for library in (npg, torch):
        with pytest.raises(RuntimeError, match="Missing dependencies: no_such_package"):
            library.hub.load(repository, "model", source="local")


def test_a_repository_of_the_cache_is_loaded_and_another_is_not_downloaded(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(npg.hub, "_dir", None)
    npg.hub.set_dir(tmp_path / "hub")
    assert npg.hub.get_dir() == str(tmp_path / "hub")
    os.makedirs(tmp_path / "hub")
    os.rename(repository, tmp_path / "hub" / "owner_name_main")
    assert npg.hub.load("owner/name", "model") == npg.hub.load("owner/name:main", "model") == 20
    with pytest.raises(FileNotFoundError, match="downloads no code; clone the repository"):
        npg.hub.load("owner/other", "model")


def test_the_cache_is_pytorchs(monkeypatch):
    for variables in ({"TORCH_HOME": "/somewhere"}, {"XDG_CACHE_HOME": "/cache"}, {}):
        for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert npg.hub.get_dir() == torch.hub.get_dir()


def test_files_are_copied_whole_or_not_at_all(tmp_path):
    source, target = tmp_path / "weights-é.bin", tmp_path / "copy.bin"
    source.write_bytes(b"some weights" * 100_000)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    npg.hub.download_url_to_file(source.as_uri(), str(target), digest[:8])
    assert target.read_bytes() == source.read_bytes()
    target.write_bytes(b"before")
    for library in (npg, torch):
        with pytest.raises(RuntimeError, match='invalid hash value \\(expected "0123", got '):
            library.hub.download_url_to_file(source.as_uri(), str(target), "0123", progress=False)
    with pytest.raises(RuntimeError, match="cannot download .*; put the file at "):
        npg.hub.download_url_to_file((tmp_path / "nothing").as_uri(), str(target))
    assert target.read_bytes() == b"before"
    assert sorted(os.listdir(tmp_path)) == sorted([source.name, target.name])


def test_an_address_that_cannot_be_reached_is_a_clear_error(tmp_path):
    with pytest.raises(RuntimeError, match="cannot download http://127.0.0.1:9/w.pt: .*; put the file at "):
        npg.hub.download_url_to_file("http://127.0.0.1:9/w.pt", str(tmp_path / "w.pt"))
    assert os.listdir(tmp_path) == []


def test_weights_are_loaded_from_an_address(tmp_path, capsys):
    serialization = pytest.importorskip("npg.serialization", reason="loading is not there yet")
    assert serialization is not None
    weights = {"weight": torch.arange(6.0).reshape(2, 3)}
    torch.save(weights, tmp_path / "model.pt")
    url = (tmp_path / "model.pt").as_uri()
    folder = tmp_path / "cache"
    for name in ("first", "again"):
        loaded = npg.hub.load_state_dict_from_url(url, str(folder), map_location="cpu")
        assert loaded["weight"].tolist() == weights["weight"].tolist(), name
    assert capsys.readouterr().err.count("Downloading") == 1
    from npg.utils.model_zoo import load_url

    assert load_url(url, str(folder), file_name="other.pt")["weight"].shape == (2, 3)
    assert sorted(os.listdir(folder)) == ["model.pt", "other.pt"]
