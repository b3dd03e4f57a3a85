"""The methods of Tensor that are functions of npg.functional: `x.exp()` is `npg.exp(x)`."""

from __future__ import annotations

from typing import Any

from npg import _lazy, _names
from npg.engine import TensorBase


class _Method:
    """A method that loads when it is first used, and is the function itself from then on."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __get__(self, tensor: Any, kind: type) -> Any:
        function = _lazy.load(self.module, self.name)
        if _lazy.is_own(function):
            for owner in kind.__mro__:
                if vars(owner).get(self.name) is self:  # and not a method that replaced this one
                    setattr(owner, self.name, function)
        return function.__get__(tensor, kind)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function: unittest.mock takes it from the class's dict."""
        return _lazy.load(self.module, self.name)(*args, **kwargs)


METHODS = {name: _Method(module, name) for name, module in _lazy.homes_of(_names.METHODS).items()}
Methods = TensorBase  # for type checkers a class of its own, with these methods: methods.pyi
