"""Begin and end of serving npg as torch."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from npg.as_torch import _operators
from npg.as_torch._finder import Finder
from npg.as_torch._renaming import Renaming
from npg.torch_version import __version__ as _version

_NPG: Any = sys.modules["npg"]  # not imported: npg stands above this room, and is loaded


class Whole:
    """npg is torch for the whole process; a torch that is installed as well waits outside sys.modules."""

    def __init__(self) -> None:
        self.renaming = Renaming()
        self.finder = Finder(self.renaming.add, {"multiprocessing.process": _mark_children})
        self.version = _NPG.__version__
        names = [name for name in sys.modules if name == "torch" or name.startswith("torch.")]
        self.hidden: dict[str, ModuleType] = {name: sys.modules.pop(name) for name in names}
        vars(_NPG)["__version__"] = _version
        self.renaming.begin()
        _operators.begin()
        sys.meta_path.insert(0, self.finder)
        if (process := sys.modules.get("multiprocessing.process")) is not None:
            _mark_children(process)

    def end(self) -> None:
        if self.finder in sys.meta_path:
            sys.meta_path.remove(self.finder)
        self.renaming.end()
        _operators.end()
        vars(_NPG)["__version__"] = self.version
        for name in [name for name in sys.modules if name == "torch" or name.startswith("torch.")]:
            del sys.modules[name]
        sys.modules.update(self.hidden)
        if (process := sys.modules.get("multiprocessing.process")) is not None:
            process.current_process()._config.pop(_KEY, None)


current: Whole | None = None


def begin(scope: Iterable[str] | None) -> None:
    global current
    if scope is None and isinstance(current, Whole):
        return
    end()
    current = Whole()


def end() -> None:
    global current
    if current is not None:
        current.end()
        current = None


# ----- Children -----
# A process that multiprocessing spawns gets the settings of its parent's by pickle, before the function that it runs.

_KEY = "npg_as_torch"


class _Marker:
    def __reduce__(self) -> tuple[Any, ...]:
        return _marked, ()


def _marked() -> _Marker:
    begin(None)
    return _Marker()


def _mark_children(process: ModuleType) -> None:
    process.current_process()._config[_KEY] = _Marker()
