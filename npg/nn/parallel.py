"""DataParallel, for programs that were written for several devices: here there is one."""

from __future__ import annotations

from typing import Any

from npg.nn.modules.module import Module

__all__ = ["DataParallel"]


class DataParallel(Module):
    """Run the module as it is; its parameters get "module." before their names.

    Args:
        module: the module.
        device_ids, output_device, dim: accepted and ignored, as PyTorch does where there is no other device.
    Source: torch.nn.DataParallel.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
