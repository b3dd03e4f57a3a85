"""Models of repositories with a hubconf.py, and files of weights: what is on this machine. Source: torch.hub.

A repository is a folder here, or one that PyTorch has downloaded into its cache; npg downloads no code. A file is taken
from the cache, or from its address.
"""

from __future__ import annotations

import errno
import hashlib
import importlib
import importlib.util
import os
import re
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urlparse as urlparse
from urllib.request import Request, urlopen

from npg._naming import named

__all__ = [
    "download_url_to_file",
    "get_dir",
    "help",
    "list",
    "load",
    "load_state_dict_from_url",
    "set_dir",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "tqdm":  # libraries take the bar of their downloads from here
            return _bar()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
_dir: str | None = None

# ----- The cache -----


def get_dir() -> str:
    """Return the folder of downloads: of set_dir, $TORCH_HOME/hub, or ~/.cache/torch/hub as PyTorch's."""
    if _dir is not None:
        return _dir
    return os.path.join(_get_torch_home(), "hub")


def _get_torch_home() -> str:
    """Return the folder of PyTorch's downloads, in which other libraries keep theirs."""
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.getenv("TORCH_HOME", os.path.join(cache, "torch")))


def set_dir(d: str | os.PathLike[str]) -> None:
    """Set the folder of downloads."""
    global _dir
    _dir = os.path.expanduser(os.fspath(d))


# ----- Repositories -----


def list(
    github: str,
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: Any = "check",
    verbose: bool = True,
) -> Any:
    """Return the names of the functions of a repository's hubconf.py."""
    module = _hubconf(_folder(github, "github"))
    return [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]


def help(
    github: str, model: str, force_reload: bool = False, skip_validation: bool = False, trust_repo: Any = "check"
) -> Any:
    """Return the docstring of a function of a repository's hubconf.py."""
    return _entry(_hubconf(_folder(github, "github")), model).__doc__


def load(
    repo_or_dir: str,
    model: str,
    *args: Any,
    source: str = "github",
    trust_repo: Any = "check",
    force_reload: bool = False,
    verbose: bool = True,
    skip_validation: bool = False,
    **kwargs: Any,
) -> Any:
    """Call a function of a repository's hubconf.py and return what it returns.

    Args:
        repo_or_dir: a folder (source="local"), or "owner/name:branch", which must be in the cache.
        model: the function; args, kwargs: its arguments.
        trust_repo, force_reload, verbose, skip_validation: of a download, of which npg makes none.
    Raises: ValueError: for another source. FileNotFoundError: when the repository is not on this machine.
        RuntimeError: when there is no such function, or packages that it needs are absent.
    Source: torch.hub.load.
    """
    source = source.lower()
    if source not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    return _entry(_hubconf(_folder(repo_or_dir, source)), model)(*args, **kwargs)


def _folder(repository: str, source: str) -> str:
    """Return the folder of a repository."""
    if source == "local" or os.path.isdir(repository):
        return os.path.expanduser(repository)
    name, _, branch = repository.partition(":")
    stem = name.replace("/", "_") + "_"
    found = sorted(Path(get_dir()).glob(stem + (branch.replace("/", "_") or "*")))
    if branch == "":
        usual = [path for path in found if path.name in (stem + "main", stem + "master")]
        found = usual or found
    if not found:
        raise FileNotFoundError(
            errno.ENOENT,
            named("npg downloads no code; clone the repository and call npg.hub.load(folder, ..., source='local')"),
            repository,
        )
    return str(found[0])


def _hubconf(folder: str) -> ModuleType:
    """Import the hubconf.py of a folder, which may import what lies beside it."""
    path = os.path.join(folder, "hubconf.py")
    spec: Any = importlib.util.spec_from_file_location("hubconf", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    missing = [name for name in getattr(module, "dependencies", ()) if not _is_there(name)]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    return module


def _is_there(package: str) -> bool:
    return package in sys.modules or importlib.util.find_spec(package) is not None


def _entry(module: ModuleType, name: Any) -> Any:
    if not isinstance(name, str):
        raise ValueError("Invalid input: model should be a string of function name")
    function = getattr(module, name, None)
    if not callable(function):
        raise RuntimeError(f"Cannot find callable {name} in hubconf")
    return function


# ----- Files -----


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Write what an address has to a file, which is there whole or not at all.

    Args:
        url: of a server, or file:///....
        dst: the file.
        hash_prefix: the beginning of its SHA-256.
        progress: accepted; npg shows none.
    Raises: RuntimeError: when it cannot be had, or is another than hash_prefix says.
    Source: torch.hub.download_url_to_file.
    """
    dst = os.path.expanduser(dst)
    digest = hashlib.sha256()
    handle, unfinished = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(dst)), suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            for block in _blocks(url, dst):
                file.write(block)
                digest.update(block)
        if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
            raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}")')
        os.replace(unfinished, dst)
    except BaseException:
        os.unlink(unfinished)
        raise


def _blocks(url: str, dst: str) -> Any:
    try:
        with urlopen(Request(url, headers={"User-Agent": "npg.hub"})) as response:
            while block := response.read(1 << 20):
                yield block
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise RuntimeError(f"cannot download {url}: {reason}; put the file at {dst}") from error


class _Bar:
    """A bar of progress that counts and shows nothing, where tqdm is not installed."""

    def __init__(self, total: float | None = None, disable: bool = False, *others: Any, **settings: Any) -> None:
        self.total, self.disable, self.n = total, disable, 0

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def update(self, n: int = 1) -> None:
        """Count."""
        if not self.disable:
            self.n += n

    def set_description(self, *words: Any, **settings: Any) -> None:
        """Do nothing: the bar is not shown."""

    def write(self, s: str) -> None:
        """Write a line to the standard error."""
        sys.stderr.write(f"{s}\n")

    def close(self) -> None:
        """End the counting."""
        self.disable = True


def _bar() -> Any:
    """Return tqdm's bar, or one that shows nothing where tqdm is not installed."""
    try:
        return importlib.import_module("tqdm").tqdm
    except ImportError:
        return _Bar


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """Load the weights that an address has, from the cache where they are there.

    Args:
        url: the address; the end of its path is the file's name.
        model_dir: the folder instead of the cache's `checkpoints`.
        map_location, weights_only: of npg.load.
        progress: accepted; npg shows none.
        check_hash: the name ends in the beginning of the file's SHA-256: name-0123abcd.pt.
        file_name: the file's name in the folder.
    Raises: RuntimeError: when it cannot be had. Others: as npg.load.
    Source: torch.hub.load_state_dict_from_url.
    """
    load_file: Any = importlib.import_module("npg.serialization").load
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(folder, exist_ok=True)
    name = os.path.basename(urlparse(url).path)
    path = os.path.join(folder, file_name or name)
    if not os.path.exists(path):
        sys.stderr.write(f'Downloading: "{url}" to {path}\n')
        match = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, path, match[1] if match else None, progress)
    return load_file(path, map_location=map_location, weights_only=weights_only)
