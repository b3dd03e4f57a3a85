"""The names by which npg's modules, classes and functions go while it is served as torch.

`__name__` of a module, `__module__` of a class or function: what reprs, pickles and Python's own errors print. A module
is renamed when the serving begins, or once it is loaded; each name is put back when the serving ends.
"""

from __future__ import annotations

import sys
import threading
from types import FunctionType, ModuleType
from typing import Any

from npg import _naming
from npg.as_torch._finder import exists, own_name, torch_name
from npg.as_torch._homes import home_of
from npg.as_torch._missing import getter
from npg.engine import Function


def _has(name: str) -> bool:
    """Tell whether npg has a module of torch."""
    return exists(own_name(name))


class Renaming:
    """Names that are changed while it lasts.

    Attributes:
        modules: the names of torch under which modules stand in sys.modules.
    """

    def __init__(self) -> None:
        self.modules: dict[str, ModuleType] = {}
        self._objects: list[tuple[Any, str]] = []
        self._getters: list[tuple[ModuleType, Any]] = []
        self._lock = threading.RLock()
        self._ended = False

    def begin(self) -> None:
        _naming.library = "torch"
        for name in [name for name in sys.modules if name == "npg" or name.startswith("npg.")]:
            self.add(sys.modules[name])

    def add(self, module: ModuleType) -> None:
        """Rename a module of npg with what is defined in it, and let sys.modules have it under torch's name."""
        with self._lock:
            if not self._ended:  # while another thread was loading the module
                self._add(module)

    def _add(self, module: ModuleType) -> None:
        own = module.__name__
        name = torch_name(own) if own.partition(".")[0] == "npg" and getattr(module.__spec__, "loader", None) else None
        if name is not None:
            module.__name__ = name
            self.modules[name] = sys.modules[name] = module
            self._getters.append((module, vars(module).get("__getattr__")))
            vars(module)["__getattr__"] = getter(module, name, _has)
        for value in list(vars(module).values()):
            if isinstance(value, (type, FunctionType, Function)):
                self._rename(value)

    def _rename(self, value: Any) -> None:
        own, name = value.__module__, value.__name__
        if not isinstance(own, str) or own.partition(".")[0] != "npg" or name[0] == "_":
            return
        home = home_of(own, name, value)
        if home != own:
            try:
                value.__module__ = home
            except TypeError:  # a class in C
                return
            self._objects.append((value, own))

    def end(self) -> None:
        """Put every name back."""
        with self._lock:
            self._ended = True
            self._put_back()

    def _put_back(self) -> None:
        _naming.library = "npg"
        for value, own in self._objects:
            value.__module__ = own
        for module, getattr_ in self._getters:
            if getattr_ is None:
                del vars(module)["__getattr__"]
            else:
                vars(module)["__getattr__"] = getattr_
        overriding = sys.modules.get("npg.tensor.overriding")
        if overriding is not None:  # it may have wrapped what was taken away here
            overriding.wrap_loaders()
        for name, module in self.modules.items():
            module.__name__ = module.__spec__.name if module.__spec__ is not None else name
            if sys.modules.get(name) is module:
                del sys.modules[name]
        self._objects.clear()
        self._getters.clear()
        self.modules.clear()
