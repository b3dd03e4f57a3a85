"""Where torch has what npg defines elsewhere: the `__module__` that classes and functions have under its name."""

from __future__ import annotations

import functools
import sys
from typing import Any

from npg import _lazy, _names
from npg.as_torch._finder import torch_name

# Where torch says that things stand which npg defines elsewhere: by the beginning of npg's name, the longest first;
# with a colon, for one name of a module.
_HOMES = {
    "npg._errors": "torch",
    "npg.autograd:Variable": "torch.autograd.variable",
    "npg.creation": "torch",
    "npg.dtypes": "torch",
    "npg.engine._hooks:RemovableHandle": "torch.utils.hooks",
    "npg.engine._modes": "torch.autograd.grad_mode",
    "npg.func": "torch.func",
    "npg.functional": "torch.functional",
    "npg.functional.linalg": "torch.linalg",
    "npg.functional.linalg_norms": "torch.linalg",
    "npg.functional.linalg_solvers": "torch.linalg",
    "npg.functional._attributes": "torch",
    "npg.functional.generator": "torch",
    "npg.functional.nn": "torch.nn.functional",
    "npg.nn.modules.parameter_container": "torch.nn.modules.container",
    "npg.optim.adam:AdamW": "torch.optim.adamw",
    "npg.optim.lr_scheduler": "torch.optim.lr_scheduler",
    "npg.profiler._events": "torch.autograd.profiler_util",
    "npg.profiler._recorder:record_function": "torch.autograd.profiler",
    "npg.random._standing_in:fork_rng": "torch.random",
    "npg.tensor.gradients:GradientEdge": "torch.autograd.graph",
    "npg.tensor.gradients:backward": "torch.autograd",
    "npg.tensor.gradients:grad": "torch.autograd",
    "npg.utils.benchmark.compare": "torch.utils.benchmark.utils.compare",
    "npg.utils.benchmark.measurement": "torch.utils.benchmark.utils.common",
    "npg.utils.benchmark.timing": "torch.utils.benchmark.utils.timer",
}
_FUNC = frozenset("functional_call grad grad_and_value hessian jacfwd jacrev jvp stack_module_state vjp vmap".split())
_NETWORKS = _lazy.homes_of(_names.NETWORKS)


def home_of(module: str, name: str, value: Any) -> str:
    """Return the name of torch's module in which an object of npg's module is shown to stand.

    Args:
        value: the object. A function is shown where it can be found: what npg's files share among themselves stands in
            none of torch's modules, and keeps its name.
    """
    if f"{module}:{name}" in _HOMES:
        return _HOMES[f"{module}:{name}"]
    part, own = _part_of(module)
    if not part:
        return own
    home = _HOMES[part]
    if isinstance(value, type) and part not in ("npg.func", "npg.functional"):
        return home
    if home == "torch.linalg" and getattr(value, "namespace", None) != "linalg":
        home = "torch.functional"
    return home if home == "torch.linalg" or _is_at(home, module, name, value) else module


@functools.cache
def _part_of(module: str) -> tuple[str, str]:
    """Return the longest beginning of a module's name that has a home, or none, and the name by which it goes."""
    part = module
    while part and part not in _HOMES:
        part = part.rpartition(".")[0]
    return part, torch_name(module) or module


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
