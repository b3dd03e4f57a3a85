"""The finder that answers `import torch` and `import torch.a.b` with the modules of npg.

`torch.a.b` is `npg.a.b`, the same module object. Two kinds of names differ, both listed here.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from npg._homes import PLACES
from npg.as_torch._missing import no_module

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    Loader = object  # importlib.abc loads tempfile, shutil and the like

Call = Callable[[ModuleType], object]

# Rooms of npg's own, of which torch has none, or another thing under this name.
_ROOMS = frozenset(
    """
    __main__ _checks _compiled _contextlib _dtype_names _errors _floating _homes _interpreter _launch _launch_processes
    _launchers _lazy _names _naming _refusal _run _signatures _symbolic _version _words as_torch creation dtypes engine
    kernels ops tensor torch
""".split()
)


def own_name(name: str) -> str | None:
    """Return where npg has what a module of torch holds, None where it has nothing under this name."""
    if name in PLACES:
        return PLACES[name]
    room = name.split(".")[1] if "." in name else ""
    return None if room in _ROOMS else "npg" + name.removeprefix("torch")


def torch_name(own: str) -> str | None:
    """Return the name of torch by which a module of npg goes, None for a module that goes by its own."""
    room = own.split(".")[1] if "." in own else ""
    return None if room in _ROOMS else "torch" + own.removeprefix("npg")


def exists(own: str | None) -> bool:
    """Tell whether npg has a module."""
    try:
        return own is not None and (own in sys.modules or importlib.util.find_spec(own) is not None)
    except (ModuleNotFoundError, ValueError):  # no such parent; one that has no spec
        return False


def _file_of(own: str) -> str | None:
    if own in sys.modules:
        return getattr(sys.modules[own], "__file__", None)
    spec = importlib.util.find_spec(own)
    return None if spec is None else spec.origin


class _Alias(Loader):
    """Load a module of torch: import npg's, and leave it as it is."""

    def __init__(self, own: str) -> None:
        self.own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self.own)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import system has put that of the alias there

    def get_code(self, _name: str) -> Any:
        """Return the code of the module, which `python -m` runs as a script of its own; None for a package."""
        spec = importlib.util.find_spec(self.own)
        if spec is None or spec.submodule_search_locations is not None:
            return None
        return cast("Any", spec.loader).get_code(self.own)


class _Followed(Loader):
    """Load a module as its own loader does, and call a function with it before and one after that."""

    def __init__(self, loader: Any, then: Call, before: Call | None) -> None:
        self.loader, self.then, self.before = loader, then, before

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def create_module(self, spec: ModuleSpec) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        if self.before is not None:
            self.before(module)
        self.loader.exec_module(module)
        self.then(module)


def followed(
    finder: Any, name: str, path: Any, target: Any, then: Call, before: Call | None = None
) -> ModuleSpec | None:
    """Return the spec that the finders behind this one have for a module, with calls before and after it is loaded."""
    for other in sys.meta_path[sys.meta_path.index(finder) + 1 :] if finder in sys.meta_path else ():
        find = getattr(other, "find_spec", None)
        spec: ModuleSpec | None = None if find is None else find(name, path, target)
        if spec is not None:
            if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                spec.loader = _Followed(spec.loader, then, before)
            return spec
    return None


class Finder:
    """Serve `torch` to the whole process.

    Args:
        then: called with every module of npg that is loaded from now on.
        follow: functions by the name of a module outside npg, called once it is loaded.
    """

    def __init__(self, then: Call, follow: dict[str, Call]) -> None:
        self.then, self.follow = then, follow

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        package = name.partition(".")[0]
        if package == "npg":
            return followed(self, name, path, target, self.then)
        if name in self.follow:
            return followed(self, name, path, target, self.follow[name])
        return self.alias(name) if package == "torch" else None

    def alias(self, name: str) -> ModuleSpec | None:
        own, loaded = own_name(name), name in sys.modules
        if own is not None and exists(own):
            if not loaded:  # to look for it may have loaded it; the import system would load it a second time
                sys.modules.pop(name, None)
            return ModuleSpec(name, _Alias(own), origin=_file_of(own))
        # An import says what is missing; importlib.util.find_spec returns None. The other finders would look for the
        # file below npg's path, and make a second module of it.
        asked = sys._getframe(3).f_code.co_name  # above: find_spec of this class, and the import system's _find_spec
        if asked == "find_spec" and not (own is None and name.count(".") == 1):
            return None
        raise no_module(name)

    def find_distributions(self, context: Any) -> list[Any]:
        from npg.as_torch import _distribution  # here: importlib.metadata is slow to load, and loaded by those who ask

        return _distribution.found(context)
