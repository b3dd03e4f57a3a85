"""torch.nn.functional: the functions of it that npg has, and no others; npg/functional/nn defines them."""

import typing as _typing
from importlib import import_module as _import_module

from npg.functional.nn import MODULES as _MODULES

__all__ = list(_MODULES)


def __getattr__(name: str) -> _typing.Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'npg.nn.functional' has no attribute {name!r}")
    function = globals()[name] = getattr(_import_module(_MODULES[name]), name)
    return function


def __dir__() -> list[str]:
    return sorted(_MODULES)
