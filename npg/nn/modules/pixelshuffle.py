"""Modules that make places of channels, and channels of places."""

from __future__ import annotations

from npg.nn import functional as F
from npg.nn.modules.module import Module
from npg.tensor import Tensor


class PixelShuffle(Module):
    """Return images r times as high and wide: (..., C * r^2, H, W) gives (..., C, H * r, W * r).

    Args:
        upscale_factor: r.
    Source: torch.nn.PixelShuffle.
    """

    upscale_factor: int

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Return blocks of r x r pixels as channels: (..., C, H * r, W * r) gives (..., C * r^2, H, W).

    Args:
        downscale_factor: r.
    Source: torch.nn.PixelUnshuffle.
    """

    downscale_factor: int

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"
