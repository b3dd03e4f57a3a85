"""Modules that change the size of images."""

from __future__ import annotations

from typing import Any

from npg.functional._public import public_function
from npg.nn import functional as F
from npg.nn.common_types import _ratio_2_t, _ratio_any_t, _size_2_t, _size_any_t
from npg.nn.modules.module import Module
from npg.tensor import Tensor


class Upsample(Module):
    """Return images of another size: F.interpolate.

    Args:
        size, scale_factor, mode, align_corners, recompute_scale_factor: as of F.interpolate.
    Source: torch.nn.Upsample.
    """

    name: str
    size: _size_any_t | None
    scale_factor: _ratio_any_t | None
    mode: str
    align_corners: bool | None
    recompute_scale_factor: bool | None

    @public_function
    def __init__(
        self,
        size: _size_any_t | None = None,
        scale_factor: _ratio_any_t | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode, self.align_corners, self.recompute_scale_factor = mode, align_corners, recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({"recompute_scale_factor": True, **state})

    def extra_repr(self) -> str:
        sizes = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{sizes}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Return images of another size in mode nearest.

    Source: torch.nn.UpsamplingNearest2d.
    """

    @public_function
    def __init__(self, size: _size_2_t | None = None, scale_factor: _ratio_2_t | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Return images of another size in mode bilinear with aligned corners.

    Source: torch.nn.UpsamplingBilinear2d.
    """

    @public_function
    def __init__(self, size: _size_2_t | None = None, scale_factor: _ratio_2_t | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
