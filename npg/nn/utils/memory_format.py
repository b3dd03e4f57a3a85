"""Weights of convolutions in another order of memory. Source: torch.nn.utils.memory_format."""

from __future__ import annotations

from typing import Any, TypeVar

from npg.functional._public import public_function
from npg.nn.modules.conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d
from npg.nn.modules.module import Module

M = TypeVar("M", bound=Module)


def _convert(module: M, memory_format: Any, kinds: tuple[type[Module], ...]) -> M:
    for each in module.modules():
        if isinstance(each, kinds):
            each.weight.data = each.weight.detach().clone(memory_format=memory_format)
    return module


@public_function
def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Lay out the weights of all Conv2d and ConvTranspose2d in a module, such as npg.channels_last; in place.

    Source: torch.nn.utils.convert_conv2d_weight_memory_format.
    """
    return _convert(module, memory_format, (Conv2d, ConvTranspose2d))


@public_function
def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Lay out the weights of all Conv3d and ConvTranspose3d in a module, such as npg.channels_last_3d; in place.

    Source: torch.nn.utils.convert_conv3d_weight_memory_format.
    """
    return _convert(module, memory_format, (Conv3d, ConvTranspose3d))
