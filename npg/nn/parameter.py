"""Parameter: a tensor that a module counts among its own."""

from __future__ import annotations

from typing import Any

from npg.creation import empty
from npg.tensor import Tensor

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A leaf tensor that requires grad; assigned to a module's attribute, it becomes one of the module's parameters.

    Args:
        data: the tensor to show; the buffer is shared. None gives an empty tensor.
        requires_grad: whether its gradient is wanted.
    Source: torch.nn.Parameter.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        source = empty(0) if data is None else data
        if not isinstance(source, Tensor):
            raise TypeError(f"expected a Tensor as the data of a Parameter, got {type(source).__name__}")
        made = Tensor.__new__(cls)
        made._set_array(source._array)
        made._share_version(source)
        made._set_requires_grad(requires_grad)
        return made

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        pass

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.detach(), self.requires_grad)


class Buffer(Tensor):
    """A tensor that, assigned to a module's attribute, becomes one of its buffers.

    Args:
        data: the tensor to show; the buffer is shared.
        persistent: whether it is part of the module's state_dict.
    Source: torch.nn.Buffer.
    """

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Buffer:
        source = empty(0) if data is None else data
        made = Tensor.__new__(cls)
        made._set_array(source._array)
        made._share_version(source)
        made.persistent = persistent
        return made

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        pass
