"""The methods of Tensor that are functions of npg.functional: `x.exp()` is `npg.exp(x)`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from npg import _lazy, _names
from npg.engine import TensorBase


class _Method:
    """A method that loads when it is first used, and then is the function itself."""

    __slots__ = ("module", "name", "owner")

    def __init__(self, module: str) -> None:
        self.module = module

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    def __get__(self, tensor: Any, kind: type | None = None) -> Any:
        function = getattr(import_module(self.module), self.name)
        if vars(self.owner).get(self.name) is self:  # and not what somebody has put there
            setattr(self.owner, self.name, function)
        return function.__get__(tensor, kind)


METHODS = {name: _Method(module) for name, module in _lazy.homes_of(_names.METHODS).items()}
Methods = TensorBase  # for type checkers a class of its own, with these methods: methods.pyi
