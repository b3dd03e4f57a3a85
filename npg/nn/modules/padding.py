"""Padding modules: each calls `pad` with stored amounts and a mode."""

from __future__ import annotations

from typing import Any

from npg.nn import functional as F
from npg.nn.modules.module import Module
from npg.tensor import Tensor


class _Pad(Module):
    """Pads the last `dims` dimensions."""

    mode = "constant"
    dims = 0

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,) * (2 * self.dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


# ----- With one value -----


class _ConstantPadNd(_Pad):
    """Args: padding: an int, or the amounts before and after each dimension, last one first. value: the fill value."""

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Pad the last dimension with a value. Source: torch.nn.ConstantPad1d."""

    dims = 1


class ConstantPad2d(_ConstantPadNd):
    """Pad the last two dimensions with a value. Source: torch.nn.ConstantPad2d."""

    dims = 2


class ConstantPad3d(_ConstantPadNd):
    """Pad the last three dimensions with a value. Source: torch.nn.ConstantPad3d."""

    dims = 3


class ZeroPad1d(ConstantPad1d):
    """Pad the last dimension with zeros. Source: torch.nn.ZeroPad1d."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Pad the last two dimensions with zeros. Source: torch.nn.ZeroPad2d."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Pad the last three dimensions with zeros. Source: torch.nn.ZeroPad3d."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


# ----- With what is there -----


class _ReflectionPadNd(_Pad):
    mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """Pad the last dimension with values mirrored at the edge. Source: torch.nn.ReflectionPad1d."""

    dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Pad the last two dimensions with values mirrored at the edge. Source: torch.nn.ReflectionPad2d."""

    dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Pad the last three dimensions with values mirrored at the edge. Source: torch.nn.ReflectionPad3d."""

    dims = 3


class _ReplicationPadNd(_Pad):
    mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """Pad the last dimension with the value at the edge. Source: torch.nn.ReplicationPad1d."""

    dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Pad the last two dimensions with the value at the edge. Source: torch.nn.ReplicationPad2d."""

    dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Pad the last three dimensions with the value at the edge. Source: torch.nn.ReplicationPad3d."""

    dims = 3


class _CircularPadNd(_Pad):
    mode = "circular"

    def _check_input_dim(self, input: Tensor) -> None:
        least = self.dims + 1
        if input.dim() not in (least, least + 1):
            raise ValueError(f"expected {least}D or {least + 1}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return super().forward(input)


class CircularPad1d(_CircularPadNd):
    """Pad the last dimension with values from the opposite end. Source: torch.nn.CircularPad1d."""

    dims = 1


class CircularPad2d(_CircularPadNd):
    """Pad the last two dimensions with values from the opposite end. Source: torch.nn.CircularPad2d."""

    dims = 2


class CircularPad3d(_CircularPadNd):
    """Pad the last three dimensions with values from the opposite end. Source: torch.nn.CircularPad3d."""

    dims = 3
