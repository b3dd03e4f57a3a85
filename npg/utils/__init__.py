"""Utilities: checkpoint, benchmark, memory, threads, environment reports and others."""

import typing as _typing

from npg import _lazy
from npg.utils import hooks

__all__ = ["benchmark", "checkpoint", "collect_env", "data", "dlpack", "hooks", "serialization"]

if _typing.TYPE_CHECKING:
    from npg.utils import data as data
else:  # for type checkers, the names above are all
    # Loaded on first use, since they import more than nn needs of this package.
    _MODULES = {
        name: f"npg.utils.{name}"
        for name in (
            "_pytree",
            "backcompat",
            "benchmark",
            "checkpoint",
            "collect_env",
            "cpp_extension",
            "data",
            "deterministic",
            "dlpack",
            "mobile_optimizer",
            "model_zoo",
            "serialization",
            "tensorboard",
            "weak",
        )  # fmt: skip
    }
    __getattr__ = _lazy.loader(__name__, {}, _MODULES)


def set_module(obj: _typing.Any, mod: str) -> None:
    """Set the name of the module in which a class or function says that it stands."""
    if not isinstance(mod, str):
        raise TypeError("The mod argument should be a string")
    obj.__module__ = mod


def __dir__() -> list[str]:
    return __all__
