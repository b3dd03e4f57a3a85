"""Containers of modules: Sequential, ModuleList, ModuleDict. A change that raises leaves them as they were."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from npg import _lazy
from npg._errors import warn
from npg.nn.modules.module import Module
from npg.utils._typename import typename


def _checked(modules: Any, called: str) -> list[Module]:
    """Return modules as a list.

    Raises: TypeError: for something that is not an iterable of modules.
    """
    if not isinstance(modules, Iterable):
        raise TypeError(f"{called} should be called with an iterable, but got {type(modules).__name__}")
    checked = list(modules)
    for module in checked:
        if not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
    return checked


def pairs_of(source: Any, kind: str) -> list[tuple[Any, Any]]:
    """Return the (key, value) pairs of a mapping or of an iterable of pairs.

    Raises: TypeError, ValueError: for anything else; the message names kind.
    """
    if not isinstance(source, Iterable):
        raise TypeError(
            f"{kind}.update should be called with an iterable of key/value pairs, but got {type(source).__name__}"
        )
    if hasattr(source, "items"):
        return list(source.items())
    kind = kind.replace("ParametersDict", "ParameterDict")
    pairs = []
    for i, pair in enumerate(source):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{kind} update sequence element #{i} should be Iterable; is{type(pair).__name__}")
        if len(pair) != 2:  # type: ignore[arg-type]
            raise ValueError(f"{kind} update sequence element #{i} has length {len(pair)}; 2 is required")  # type: ignore[arg-type]
        key, value = pair
        pairs.append((key, value))
    return pairs


def position(index: Any, size: int) -> int:
    i = operator.index(index)
    if not -size <= i < size:
        raise IndexError(f"index {i} is out of range")
    return i % size


class Container(Module):
    """Modules by name, given as keywords; PyTorch's warning says to write a class. Source: torch.nn.Container."""

    def __init__(self, **kwargs: Any) -> None:
        warn(
            "`nn.Container` is deprecated. All of its functionality is now implemented in `nn.Module`. Subclass that "
            "instead.",
            FutureWarning,
        )
        super().__init__()
        for name, module in kwargs.items():
            self.add_module(name, module)


class _Indexed(Module):
    """Children under the names "0", "1", ..., by position."""

    def _key(self, index: Any) -> str:
        return list(self._modules)[position(index, len(self))]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._of(list(self._modules.items())[index])
        return self._modules[self._key(index)]

    def _of(self, items: list[tuple[str, Module]]) -> Any:
        return type(self)([module for _, module in items])  # type: ignore[call-arg]

    def __setitem__(self, index: Any, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: Any) -> None:
        keys = list(self._modules)
        doomed = keys[index] if isinstance(index, slice) else [self._key(index)]
        self._number([m for k, m in self._modules.items() if k not in doomed])

    def _number(self, modules: list[Any]) -> None:
        self._modules.clear()
        self._modules.update((str(i), m) for i, m in enumerate(modules))

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __contains__(self, module: object) -> bool:
        return any(m is module for m in self._modules.values())

    def append(self, module: Module) -> Any:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end."""
        for module in _checked(modules, f"{type(self).__name__}.extend"):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Insert a module before position index and renumber those after it."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        size = len(self)
        if not -size <= index <= size:
            raise IndexError(f"Index out of range: {index}")
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._number(modules)
        return self

    def pop(self, key: Any) -> Any:
        """Remove and return the module at a position."""
        module = self[key]
        del self[key]
        return module


class Sequential(_Indexed):
    """A chain of modules: the output of each is the input of the next.

    Args:
        args: the modules, or one OrderedDict of names to modules.
    Source: torch.nn.Sequential.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def _of(self, items: list[tuple[str, Module]]) -> Sequential:
        return type(self)(OrderedDict(items))

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        self.extend(list(other))
        return self

    def _check_factor(self, other: Any) -> None:
        if not isinstance(other, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise ValueError(f"Non-positive multiplication factor {other} for {type(self)}")

    def __mul__(self, other: int) -> Sequential:
        self._check_factor(other)
        return Sequential(*(list(self) * other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Sequential:
        self._check_factor(other)
        self.extend(list(self) * (other - 1))
        return self

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)
        return input


class ModuleList(_Indexed):
    """A list of modules.

    Args:
        modules: the modules, or None.
    Source: torch.nn.ModuleList.
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __iadd__(self, other: Iterable[Module]) -> ModuleList:
        self.extend(other)
        return self

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        # Equal neighbours are printed once, as in PyTorch: (0-3): 4 x Block(...)
        texts = [repr(m) for m in self]
        if not texts:
            return self._get_name() + "()"
        lines = []
        start = 0
        for i in range(1, len(texts) + 1):
            if i < len(texts) and texts[i] == texts[start]:
                continue
            count = i - start
            label = f"({start}): " if count == 1 else f"({start}-{i - 1}): {count} x "
            lines.append("  " + (label + texts[start]).replace("\n", "\n  "))
            start = i
        return self._get_name() + "(\n" + "\n".join(lines) + "\n)"


class ModuleDict(Module):
    """A dict of modules, in insertion order.

    Args:
        modules: a mapping or pairs of names and modules, or None.
    Source: torch.nn.ModuleDict.
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Remove and return a module."""
        return self._modules.pop(key)

    def keys(self) -> Any:
        """Return the names."""
        return self._modules.keys()

    def items(self) -> Any:
        """Return (name, module) pairs."""
        return self._modules.items()

    def values(self) -> Any:
        """Return the modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add or replace modules from a mapping or from pairs."""
        pairs = pairs_of(modules, "ModuleDict")
        _checked([module for _, module in pairs], "ModuleDict.update")
        for name, module in pairs:
            self[name] = module


if not TYPE_CHECKING:  # torch.nn.modules.container has these too; they are made of what stands here
    __getattr__ = _lazy.loader(
        __name__, dict.fromkeys(("ParameterDict", "ParameterList"), "npg.nn.modules.parameter_container")
    )
