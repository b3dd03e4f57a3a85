"""The methods of Tensor that are functions of npg.functional: `x.exp()` is `npg.exp(x)`."""

from __future__ import annotations

from npg import _lazy, _names
from npg.engine import TensorBase

METHODS = {name: _lazy.LateMethod(module, name) for name, module in _lazy.homes_of(_names.METHODS).items()}
Methods = TensorBase  # for type checkers a class of its own, with these methods: methods.pyi
