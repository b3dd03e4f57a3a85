"""What Python says of a module or a name that npg lacks: its own words, and npg's where PyTorch has it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

_NOT_YET = "; npg does not have it yet"


def no_module(name: str) -> ModuleNotFoundError:
    """Return the error for a module of torch that cannot be imported."""
    from npg.as_torch._torch_names import MODULES  # here: only an error needs it

    return ModuleNotFoundError(f"No module named {name!r}{_NOT_YET if name in MODULES else ''}", name=name)


def no_attribute(module: str, name: str) -> AttributeError:
    """Return the error for a name that a module of torch has not."""
    from npg.as_torch._torch_names import MODULES, NAMES

    known = name in NAMES.get(module, "").split() or f"{module}.{name}" in MODULES
    return AttributeError(f"module {module!r} has no attribute {name!r}{_NOT_YET if known else ''}")


# Names that PyTorch has in these modules too, and npg in others.
_ELSEWHERE = {
    "torch.autograd.function": {"Tensor": "npg.tensor"},
    "torch.functional": {"Tensor": "npg.tensor"},
    "torch.nn.functional": {"Tensor": "npg.tensor"},
    "torch.nn.modules.container": {"Parameter": "npg.nn.parameter"},
    "torch.optim.lr_scheduler": {"Optimizer": "npg.optim.optimizer", "Tensor": "npg.tensor"},
    "torch.random": dict.fromkeys(("get_rng_state", "set_rng_state"), "npg.functional.generator"),
}


def getter(module: ModuleType, name_of: str, submodule: Callable[[str], bool]) -> Callable[[str], Any]:
    """Return a `__getattr__` for a module that is served as torch.

    It asks the module's own `__getattr__`, then looks for what PyTorch has there and npg elsewhere, then for a module
    below, which PyTorch has loaded and npg has not.

    Args:
        name_of: the module's name in torch.
        submodule: tells whether npg has a module of torch.
    """
    own = vars(module).get("__getattr__")

    def __getattr__(name: str) -> Any:
        if own is not None:
            try:
                return own(name)
            except AttributeError as error:
                if str(error) != f"module {name_of!r} has no attribute {name!r}":  # it says more
                    raise
        if name in _ELSEWHERE.get(name_of, ()):
            return getattr(import_module(_ELSEWHERE[name_of][name]), name)
        if name[:2] != "__" and hasattr(module, "__path__") and submodule(f"{name_of}.{name}"):
            return import_module(f"{name_of}.{name}")
        raise no_attribute(name_of, name) from None

    return __getattr__
