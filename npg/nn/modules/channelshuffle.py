"""The module that interleaves groups of channels."""

from __future__ import annotations

from npg.nn import functional as F
from npg.nn.modules.module import Module
from npg.tensor import Tensor


class ChannelShuffle(Module):
    """Return images (N, C, ...) with the channels of several groups interleaved.

    Args:
        groups: how many groups of consecutive channels there are.
    Source: torch.nn.ChannelShuffle.
    """

    groups: int

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
