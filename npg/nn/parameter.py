"""Parameter and Buffer: tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from typing import Any

from npg._words import type_name
from npg.creation import empty
from npg.tensor import Tensor

__all__ = ["Buffer", "Parameter"]


def _given(data: Any, kind: str) -> Tensor:
    source = empty(0) if data is None else data
    if not isinstance(source, Tensor):
        raise TypeError(f"expected a Tensor as the data of a {kind}, got {type_name(source)}")
    return source


class Parameter(Tensor):
    """A leaf tensor that requires grad; assigned to a module's attribute, it becomes one of the module's parameters.

    Args:
        data: the tensor to show; the buffer is shared. None gives an empty tensor.
        requires_grad: whether to compute its gradient.
    Raises: TypeError: for data that is no tensor. RuntimeError: when integers are to require grad, or, outside
        inference mode, a tensor made in it.
    Source: torch.nn.Parameter.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        source = _given(data, "Parameter")
        if not isinstance(requires_grad, bool):
            raise TypeError(f"expected requires_grad to be bool, got {type(requires_grad).__name__}")
        if requires_grad and not source.is_floating_point():
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        parameter = Tensor.__new__(cls)
        parameter._set_array(source._array)
        parameter._share_version(source)
        parameter._inference = source._inference
        parameter._set_requires_grad(requires_grad)
        return parameter

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        pass

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        copied: Parameter = memo[id(self)]
        return copied


class _BufferMeta(type(Tensor)):  # type: ignore[misc]
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_BufferMeta):
    """Return a tensor that, assigned to a module's attribute, becomes one of its buffers.

    It is a plain Tensor with a mark, which is kept by copies and pickles.

    Args:
        data: the tensor to show; the buffer is shared. None gives an empty tensor.
        persistent: whether it is part of the module's state_dict.
    Raises: TypeError: for data that is no tensor.
    Source: torch.nn.Buffer.
    """

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        source = _given(data, "Buffer")
        buffer: Any = source.detach().requires_grad_(source.requires_grad)
        buffer.persistent, buffer._is_buffer = persistent, True
        return buffer
