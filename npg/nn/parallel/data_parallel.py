"""DataParallel, for programs written for several devices; npg has one."""

from __future__ import annotations

from typing import Any

from npg.nn.modules.module import Module

__all__ = ["DataParallel"]


class DataParallel(Module):
    """Run the module unchanged; its parameters' names get the prefix "module.".

    Args:
        module: the module.
        device_ids, output_device, dim: accepted and ignored, as in PyTorch without other devices.
    Source: torch.nn.DataParallel.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
