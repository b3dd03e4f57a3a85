"""Where torch has what npg defines elsewhere: the `__module__` that classes and functions have under its name."""

from __future__ import annotations

import sys
from typing import Any

from npg import _homes, _lazy, _names
from npg.as_torch._finder import torch_name

_FUNC = frozenset("functional_call grad grad_and_value hessian jacfwd jacrev jvp stack_module_state vjp vmap".split())
_NETWORKS = _lazy.homes_of(_names.NETWORKS)


def home_of(module: str, name: str, value: Any) -> str:
    """Return the name of torch's module in which an object of npg's module is shown to stand.

    Args:
        value: the object. A function is shown where it can be found: what npg's files share among themselves stands in
            none of torch's modules, and keeps its name.
    """
    if (module, name) in _homes.NAMES:
        return _homes.NAMES[module, name]
    part = _homes.part_of(module)
    if not part:
        return torch_name(module) or module
    home = _homes.FILES[part]
    if isinstance(value, type) and part not in _homes.FUNCTIONS:
        return home
    if home == "torch.linalg" and getattr(value, "namespace", None) != "linalg":
        home = "torch.functional"
    return home if home == "torch.linalg" or _is_at(home, module, name, value) else module


def _is_at(home: str, module: str, name: str, value: Any) -> bool:
    """Tell whether npg has an object of a module under its name in one of torch's modules."""
    if home == "torch.nn.functional":
        return _NETWORKS.get(name) == module
    if home == "torch.func":
        return name in _FUNC
    if home not in ("torch", "torch.functional"):
        return False
    namespace = vars(sys.modules["npg" + home.removeprefix("torch")])
    return namespace[name] is value if name in namespace else namespace["_HOMES"].get(name) == module
