"""XNNPACK, which is not there. Source: torch.backends.xnnpack."""

from __future__ import annotations

enabled = False
