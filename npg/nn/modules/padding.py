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


class _ConstantPad(_Pad):
    """Args: padding: an int, or the amounts before and after each dimension, last one first. value: the fill value."""

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Pad the last dimension with a value. Source: torch.nn.ConstantPad1d."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """Pad the last two dimensions with a value. Source: torch.nn.ConstantPad2d."""

    dims = 2


class ConstantPad3d(_ConstantPad):
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


class ReflectionPad1d(_Pad):
    """Pad the last dimension with values mirrored at the edge. Source: torch.nn.ReflectionPad1d."""

    mode, dims = "reflect", 1


class ReflectionPad2d(_Pad):
    """Pad the last two dimensions with values mirrored at the edge. Source: torch.nn.ReflectionPad2d."""

    mode, dims = "reflect", 2


class ReflectionPad3d(_Pad):
    """Pad the last three dimensions with values mirrored at the edge. Source: torch.nn.ReflectionPad3d."""

    mode, dims = "reflect", 3


class ReplicationPad1d(_Pad):
    """Pad the last dimension with the value at the edge. Source: torch.nn.ReplicationPad1d."""

    mode, dims = "replicate", 1


class ReplicationPad2d(_Pad):
    """Pad the last two dimensions with the value at the edge. Source: torch.nn.ReplicationPad2d."""

    mode, dims = "replicate", 2


class ReplicationPad3d(_Pad):
    """Pad the last three dimensions with the value at the edge. Source: torch.nn.ReplicationPad3d."""

    mode, dims = "replicate", 3


class CircularPad1d(_Pad):
    """Pad the last dimension with values from the opposite end. Source: torch.nn.CircularPad1d."""

    mode, dims = "circular", 1


class CircularPad2d(_Pad):
    """Pad the last two dimensions with values from the opposite end. Source: torch.nn.CircularPad2d."""

    mode, dims = "circular", 2


class CircularPad3d(_Pad):
    """Pad the last three dimensions with values from the opposite end. Source: torch.nn.CircularPad3d."""

    mode, dims = "circular", 3
