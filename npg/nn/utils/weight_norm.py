"""Weight normalisation: a weight as a direction and a length."""

from __future__ import annotations

from typing import Any, TypeVar

from npg._errors import warn
from npg.functional._public import exposed
from npg.functional.norm import norm_except_dim
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter
from npg.nn.utils import _weight_hooks
from npg.tensor import Tensor

M = TypeVar("M", bound=Module)


def of_length(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """Return v g / |v|, with a length for each index of dim, or for -1 one in all."""
    weight: Tensor = v * (g / norm_except_dim(v, 2, dim))
    return weight


class WeightNorm:
    """The forward pre-hook that computes the weight of a module from name_g and name_v."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """Return v g / |v|."""
        return of_length(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Do what weight_norm does, and return the hook."""
        warn(
            "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
            FutureWarning,
        )
        _weight_hooks.check_parameter_name(module, name)
        _weight_hooks.refuse_second(module, WeightNorm, "weight_norm", name)
        fn = WeightNorm(name, dim)
        weight = getattr(module, name)
        _weight_hooks.refuse_uninitialized(weight, WeightNorm, "weight normalization")
        length = norm_except_dim(weight, 2, fn.dim).data
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(length))
        module.register_parameter(name + "_v", Parameter(weight.data))
        setattr(module, name, fn.compute_weight(module))
        module.register_forward_pre_hook(fn)
        return fn

    def remove(self, module: Module) -> None:
        """Make the parameter an ordinary one again, with its present value."""
        weight = self.compute_weight(module).data
        for suffix in ("", "_g", "_v"):
            delattr(module, self.name + suffix)
        setattr(module, self.name, Parameter(weight))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


@exposed
def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Replace a module's parameter by a length name_g and a direction name_v; each forward computes it from these.

    w = g v / |v|

    Args:
        name: the parameter.
        dim: one length for each index of this dimension; None: one length in all.
    Returns: the module.
    Raises: RuntimeError: when the parameter is normalised already. AttributeError: when there is no such parameter.
        IndexError: when dim is out of range. TypeError: for a module, name or dim of another type. ValueError: when the
        parameter is not yet initialised.
    Source: Salimans and Kingma 2016; torch.nn.utils.weight_norm. Like it, warns that it is deprecated.
    """
    WeightNorm.apply(module, name, dim)
    return module


@exposed
def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the parameter an ordinary one again, with its present value.

    Raises: ValueError: when the parameter is not normalised.
    Source: torch.nn.utils.remove_weight_norm.
    """
    _weight_hooks.remove(module, WeightNorm, "weight_norm", name)
    return module
