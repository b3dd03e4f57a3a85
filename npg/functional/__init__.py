"""The functions of torch.* and of Tensor, loaded when they are first used; see npg/_names.py.

Those of torch.nn.functional stand in `npg.functional.nn`.
"""

import sys as _sys
from types import ModuleType as _ModuleType

from npg import _lazy, _names

__all__ = list(_lazy.homes_of(_names.TORCH))  # what a star import takes: functions of torch
# The functions of networks stood here once, and pickles name them here.
_HOMES = _lazy.homes_of(_names.NETWORKS, _names.METHODS, _names.OTHERS, _names.TORCH)
_MODULES = {name: f"npg.functional.{name}" for name in ("nn", "return_types")}
__getattr__ = _lazy.loader(__name__, _HOMES, _MODULES)


def __dir__() -> list[str]:
    return sorted(_lazy.homes_of(_names.METHODS, _names.OTHERS, _names.TORCH))


class _Functions(_ModuleType):
    """A package in which a file does not hide the function of its own name, when it is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, _ModuleType)):
            super().__setattr__(name, value)


_sys.modules[__name__].__class__ = _Functions
