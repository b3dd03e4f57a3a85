"""Comparison of tensors, numbers and containers of them, and random tensors for tests. Source: torch.testing."""

from npg.testing._comparison import assert_allclose, assert_close
from npg.testing._creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
