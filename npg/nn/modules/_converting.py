"""Changing the dtype of all that is in a module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from npg import dtypes
from npg.autograd import no_grad
from npg.creation import empty, empty_like
from npg.tensor import Tensor

__all__ = ["Converting"]

M = TypeVar("M", bound="Converting")


class Converting:
    """The part of Module that replaces the data of parameters, gradients and buffers."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    children: Callable[..., Any]

    def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
        """Replace the data of every parameter, gradient and buffer by fn of it; parameters and gradients stay the same.

        Args:
            recurse: also in all modules below this one.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is None:
                    continue
                grad = parameter.grad
                parameter.data = fn(parameter.data)
                if grad is not None:
                    grad.data = fn(grad.detach())
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Change the dtype of floating parameters and buffers; a device may only be the CPU. As Tensor.to otherwise."""
        dtype = empty(0).to(*args, **kwargs).dtype
        given = kwargs.get("dtype") is not None or any(isinstance(a, (dtypes.dtype, Tensor)) for a in args)
        if not given:
            return self
        if not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def type(self: M, dst_type: Any) -> M:
        """Change the dtype of all parameters and buffers."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self: M) -> M:
        """Change floating parameters and buffers to float32."""
        return self.to(dtypes.float32)

    def double(self: M) -> M:
        """Change floating parameters and buffers to float64."""
        return self.to(dtypes.float64)

    def half(self: M) -> M:
        """Change floating parameters and buffers to float16."""
        return self.to(dtypes.float16)

    def to_empty(self: M, *, device: Any, recurse: bool = True) -> M:
        """Give all parameters and buffers fresh memory whose values are arbitrary."""
        return self._apply(lambda t: empty_like(t, device=device), recurse)

    def cpu(self: M) -> M:
        """Return this module: everything is on the CPU."""
        return self

    def cuda(self: M, device: Any = None) -> M:
        """Raise, as PyTorch without CUDA does; a module without state is returned."""
        return self._apply(lambda t: t.cuda(device))

    def share_memory(self: M) -> M:
        """Return this module; there are no other devices to share with."""
        return self
