"""The names by which npg's modules, classes and functions go while it is served as torch.

`__name__` of a module, `__module__` of a class or function: what reprs, pickles and Python's own errors print. A module
is renamed when the serving begins, or once it is loaded; each name is put back when the serving ends.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any

from npg import _naming
from npg.as_torch._finder import torch_name
from npg.engine import Function

# Where torch says that things stand which npg defines elsewhere: by the beginning of npg's name, the longest first.
_HOMES = {
    "npg.functional.nn": "torch.nn.functional",
    "npg.functional._attributes": "torch",
    "npg.functional.generator": "torch",
    "npg.functional": "torch.functional",
    "npg.creation": "torch",
    "npg.dtypes": "torch",
    "npg.engine": "torch.autograd.grad_mode",
    "npg.optim.lr_scheduler": "torch.optim.lr_scheduler",
    "npg.tensor": "torch._tensor",
}


def home_of(module: str) -> str:
    """Return the name of torch's module in which an object of npg's module is shown to stand."""
    name = module
    while name:
        if name in _HOMES:
            return _HOMES[name]
        name = name.rpartition(".")[0]
    return torch_name(module) or module


class Renaming:
    """Names that are changed while it lasts.

    Attributes:
        modules: the names of torch under which modules stand in sys.modules.
    """

    def __init__(self) -> None:
        self.modules: dict[str, ModuleType] = {}
        self._objects: list[tuple[Any, str]] = []
        self._homes: dict[str, str] = {}

    def begin(self) -> None:
        _naming.library = "torch"
        for name in [name for name in sys.modules if name == "npg" or name.startswith("npg.")]:
            self.add(sys.modules[name])

    def add(self, module: ModuleType) -> None:
        """Rename a module of npg with what is defined in it, and let sys.modules have it under torch's name."""
        own = module.__name__
        name = torch_name(own) if own.partition(".")[0] == "npg" and type(module) is ModuleType else None
        if name is not None:
            module.__name__ = name
            self.modules[name] = sys.modules[name] = module
        for value in list(vars(module).values()):
            if isinstance(value, (type, FunctionType, Function)):
                self._rename(value)

    def _rename(self, value: Any) -> None:
        own = value.__module__
        if not isinstance(own, str) or own.partition(".")[0] != "npg":
            return
        home = self._homes.get(own)
        if home is None:
            home = self._homes[own] = home_of(own)
        if home != own:
            try:
                value.__module__ = home
            except TypeError:  # a class in C
                return
            self._objects.append((value, own))

    def end(self) -> None:
        """Put every name back."""
        _naming.library = "npg"
        for value, own in self._objects:
            value.__module__ = own
        for name, module in self.modules.items():
            module.__name__ = module.__spec__.name if module.__spec__ is not None else name
            if sys.modules.get(name) is module:
                del sys.modules[name]
        self._objects.clear()
        self.modules.clear()
