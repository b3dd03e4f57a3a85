"""npg as torch for some packages only: everything else keeps the torch that it has, or has none.

Python looks up `__import__` in the builtins of the module whose code runs, so a module of the packages gets builtins of
its own before its code runs: there, `import torch` is npg. Nothing of the process is changed, sys.modules least of all.
Where these modules look for torch by other ways than the statement, they find it too: `sys.modules`,
`importlib.import_module`, `importlib.util.find_spec` and importlib.metadata.

Limits: a package that is imported already keeps what it has, and is refused. Tensors that a package hands on to one
outside the scope are npg's. Names and texts say npg, as without this module.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from npg.as_torch._finder import exists, followed, own_name
from npg.as_torch._missing import no_module
from npg.torch_version import __version__ as _version


def _is_torch(name: str) -> bool:
    return name == "torch" or name.startswith("torch.")


# ----- What modules in the scope see -----


class _View(ModuleType):
    """A module with some names of its own; all others are those of the module behind it, to read and to write."""

    def __init__(self, behind: Any, **own: Any) -> None:
        super().__init__(behind.__name__, behind.__doc__)
        vars(self).update(own, _behind=behind)

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["_behind"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(vars(self)["_behind"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(vars(self)["_behind"], name)

    def __dir__(self) -> list[str]:
        return dir(vars(self)["_behind"])


class _Modules(MutableMapping[str, ModuleType]):
    """sys.modules, in which torch's names lead to npg's modules.

    Attributes:
        own: what the packages themselves have put there under torch's names, such as a stand-in for what is missing.
    """

    def __init__(self, torch: ModuleType) -> None:
        self.torch = torch
        self.own: dict[str, ModuleType] = {}

    def __getitem__(self, name: str) -> ModuleType:
        if not _is_torch(name):
            return sys.modules[name]
        if name in self.own:
            return self.own[name]
        return self.torch if name == "torch" else sys.modules[own_name(name) or name]

    def __setitem__(self, name: str, module: ModuleType) -> None:
        (self.own if _is_torch(name) else sys.modules)[name] = module

    def __delitem__(self, name: str) -> None:
        """Remove a module; one of torch's comes again with the next import, and is npg's."""
        if _is_torch(name):
            self[name]  # KeyError where it is not
            self.own.pop(name, None)
        else:
            del sys.modules[name]

    def __iter__(self) -> Iterator[str]:
        names = [name for name in list(sys.modules) if not _is_torch(name)]
        return iter(["torch", *(name for name in self.own if name != "torch"), *names])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def copy(self) -> dict[str, ModuleType]:
        return dict(self)


# ----- The scope -----


class Scope:
    """npg is torch for these packages and what lies in them.

    Raises: TypeError: when it is a text or holds anything but texts. ValueError: for an empty scope, or one with torch
        or npg. RuntimeError: when a package was imported before.
    """

    def __init__(self, packages: Iterable[str]) -> None:
        names = [packages] if isinstance(packages, str) else list(packages)
        if isinstance(packages, str) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"expected scope to be names of packages, such as {{'einops'}}, got {packages!r}")
        if not names or any(name.partition(".")[0] in ("", "torch", "npg") for name in names):
            raise ValueError(f"expected scope to name packages that import torch, got {packages!r}")
        for name in names:
            if name in sys.modules:
                raise RuntimeError(
                    f"{name} is imported already, and keeps the torch that it has; call install(scope=...) before"
                )
        self.scope = frozenset(names)
        npg = sys.modules["npg"]
        self.torch = _View(npg, __name__="torch", __version__=_version, __path__=[], __spec__=npg.__spec__)
        util = _View(importlib.util, find_spec=self.find)
        self.modules = _Modules(self.torch)
        self.views: Mapping[str, ModuleType] = {
            "sys": _View(sys, modules=self.modules),
            "importlib": _View(importlib, import_module=self.import_module, reload=self.reload, util=util),
            "importlib.util": util,
        }
        self.builtins = {**vars(builtins), "__import__": self.import_}

    def has(self, module: str) -> bool:
        return any(module == name or module.startswith(name + ".") for name in self.scope)

    # ----- Importing -----

    def module(self, name: str) -> ModuleType:
        """Import what npg has for a module of torch, or what the packages have put in its place."""
        if name in self.modules.own:
            return self.modules.own[name]
        own = own_name(name)
        if own is None or not exists(own):
            raise no_module(name)
        return self.torch if name == "torch" else importlib.import_module(own)

    def import_(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Do what the statement does in a module of the scope."""
        if level == 0 and _is_torch(name):
            module = self.module(name)
            for part in fromlist or ():
                if part != "*" and not hasattr(module, part) and exists(own_name(f"{name}.{part}")):
                    self.module(f"{name}.{part}")
            return module if fromlist else self.module("torch")
        module = builtins.__import__(name, globals, locals, fromlist or (), level)
        return self.views.get(getattr(module, "__name__", ""), module) if level == 0 else module

    def import_module(self, name: str, package: str | None = None) -> ModuleType:
        return self.module(name) if _is_torch(name) else importlib.import_module(name, package)

    def reload(self, module: ModuleType) -> ModuleType:
        if module is not self.torch:
            return importlib.reload(module)
        importlib.reload(sys.modules["npg"])
        return module

    def find(self, name: str, package: str | None = None) -> ModuleSpec | None:
        if not _is_torch(name):
            return importlib.util.find_spec(name, package)
        own = own_name(name)
        return importlib.util.find_spec(own) if own is not None and exists(own) else None

    # ----- The finder -----

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if not self.has(name):
            return None
        return followed(self, name, path, target, lambda module: None, before=self._enter)

    def _enter(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self.builtins

    def find_distributions(self, context: Any) -> list[Any]:
        from npg.as_torch import _distribution

        frame: Any = sys._getframe(1)
        while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "importlib":
            frame = frame.f_back
        inside = frame is not None and self.has(frame.f_globals.get("__name__", ""))
        return _distribution.found(context) if inside else []

    # ----- Begin and end -----

    def begin(self) -> None:
        sys.meta_path.insert(0, self)

    def end(self) -> None:
        """Modules that were imported in the scope keep npg; those imported from now on do not see it."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
