"""Begin and end of serving npg as torch."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from npg._homes import PLACES
from npg.as_torch import _operators
from npg.as_torch._finder import Call, Finder, own_name
from npg.as_torch._renaming import Renaming
from npg.as_torch._scope import Scope
from npg.torch_version import __version__ as _version

_NPG: Any = sys.modules["npg"]  # not imported: npg stands above this room, and is loaded


class Whole:
    """npg is torch for the whole process; a torch that is installed as well waits outside sys.modules."""

    scope = None

    def begin(self) -> None:
        self.renaming = Renaming()
        self.finder = Finder(self._loaded, FOLLOWED)
        self.version = _NPG.__version__
        self.hidden = {name: sys.modules.pop(name) for name in _torchs()}
        vars(_NPG)["__version__"] = _version
        self.renaming.begin()
        _operators.begin()
        sys.meta_path.insert(0, self.finder)

    def _loaded(self, module: ModuleType) -> None:
        self.renaming.add(module)
        if module is _NPG and current is self:  # importlib.reload
            vars(_NPG)["__version__"] = _version

    def end(self) -> None:
        if self.finder in sys.meta_path:
            sys.meta_path.remove(self.finder)
        self._forget_aliases()
        self.renaming.end()
        _operators.end()
        vars(_NPG)["__version__"] = self.version
        for name in _torchs():
            del sys.modules[name]
        sys.modules.update(self.hidden)

    def _forget_aliases(self) -> None:
        """Undo what the import system has done: it makes a module of PLACES an attribute of the package above it."""
        for name in PLACES:
            above, _, below = name.rpartition(".")
            package = sys.modules.get(own_name(above) or "")
            if name in sys.modules and f"{own_name(above)}.{below}" not in sys.modules:
                vars(package).pop(below, None)


def _torchs() -> list[str]:
    return [name for name in sys.modules if name == "torch" or name.startswith("torch.")]


current: Whole | Scope | None = None
_lock = threading.RLock()


def begin(scope: Iterable[str] | None) -> None:
    """Serve npg as torch, in the place of what was served before."""
    global current
    if scope is None and isinstance(current, Whole):
        return
    if isinstance(current, Scope) and scope is not None and not isinstance(scope, str) and set(scope) == current.scope:
        return
    following: Whole | Scope = Whole() if scope is None else Scope(scope)
    with _lock:
        end()
        following.begin()
        current = following
        _mark_children()


def end() -> None:
    """Serve it no longer."""
    global current
    with _lock:
        if current is not None:
            current.end()
            current = None
            _mark_children()


# ----- Children -----
# A process that multiprocessing spawns gets the settings of its parent's by pickle, before the function that it runs.

_KEY = "npg_as_torch"


class _Marker:
    """What installs npg as torch where it is unpickled."""

    def __init__(self, scope: frozenset[str] | None) -> None:
        self.scope = scope

    def __reduce__(self) -> tuple[Any, ...]:
        return _marked, (self.scope,)


def _marked(scope: frozenset[str] | None) -> _Marker:
    begin(scope)
    return _Marker(scope)


def _mark_children(process: ModuleType | None = None) -> None:
    process = process or sys.modules.get("multiprocessing.process")
    if process is not None and hasattr(process, "_current_process"):  # not one that another thread is loading
        settings = process.current_process()._config
        settings.pop(_KEY, None)
        if current is not None:
            settings[_KEY] = _Marker(current.scope)


FOLLOWED: dict[str, Call] = {"multiprocessing.process": _mark_children}
