"""Weight normalisation: a weight as a direction and a length."""

from __future__ import annotations

from typing import Any, TypeVar

from npg import functional as F
from npg._errors import warn
from npg.functional._public import public_function
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter
from npg.tensor import Tensor

M = TypeVar("M", bound=Module)


def _norm_except(v: Tensor, dim: int) -> Tensor:
    """Return the norms of v over all dimensions except dim, or over all for -1."""
    if dim == -1:
        return F.vector_norm(v)
    return F.vector_norm(v, dim=tuple(d for d in range(v.dim()) if d != dim % v.dim()), keepdim=True)


class WeightNorm:
    """The forward pre-hook that computes the weight of a module from name_g and name_v."""

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def compute_weight(self, module: Module) -> Tensor:
        """Return v g / |v|."""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        weight: Tensor = v * (g / _norm_except(v, self.dim))
        return weight

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


@public_function
def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Replace a module's parameter by a length name_g and a direction name_v; each forward computes it from these.

    w = g v / |v|

    Args:
        name: the parameter.
        dim: one length for each index of this dimension; None: one length in all.
    Returns: the module.
    Raises: RuntimeError: when the parameter is normalised already. AttributeError: when there is no such parameter.
    Source: Salimans and Kingma 2016; torch.nn.utils.weight_norm. Like it, warns that it is deprecated.
    """
    warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
    )
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm) and hook.name == name:
            raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, -1 if dim is None else dim)
    weight = getattr(module, name)
    length = _norm_except(weight, hook.dim).data
    del module._parameters[name]
    module.register_parameter(name + "_g", Parameter(length))
    module.register_parameter(name + "_v", Parameter(weight.data))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


@public_function
def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the parameter an ordinary one again, with its present value.

    Raises: ValueError: when the parameter is not normalised.
    Source: torch.nn.utils.remove_weight_norm.
    """
    for key, hook in list(module._forward_pre_hooks.items()):
        if isinstance(hook, WeightNorm) and hook.name == name:
            weight = hook.compute_weight(module).data
            delattr(module, name)
            del module._parameters[name + "_g"], module._parameters[name + "_v"]
            setattr(module, name, Parameter(weight))
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
