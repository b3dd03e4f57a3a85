"""Causal masks that scaled_dot_product_attention knows without their numbers. Source: torch.nn.attention.bias."""

from __future__ import annotations

import enum
from typing import Any

from npg import dtypes
from npg._errors import warn
from npg.creation import ones
from npg.functional.nn.attention import _AttentionBias
from npg.nn import functional as F
from npg.tensor import Tensor

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Where the triangle of visible keys lies in a mask that is not square.

    UPPER_LEFT: the first query sees the first key alone, as with is_causal.
    LOWER_RIGHT: the last query sees all keys, as when queries go on where a cache of keys ends.
    """

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(_AttentionBias, Tensor):
    """A causal mask, given to scaled_dot_product_attention as attn_mask.

    Args:
        variant: see CausalVariant. seq_len_q, seq_len_kv: T and S.
    Raises: AssertionError: when variant is no CausalVariant.
    Source: torch.nn.attention.bias.CausalBias.
    """

    def __init__(self, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> None:
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        super().__init__()
        self.variant, self.seq_len_q, self.seq_len_kv = variant, seq_len_q, seq_len_kv
        if seq_len_q > seq_len_kv and variant == CausalVariant.LOWER_RIGHT:
            warn("Lower right causal bias will produce NaNs in the output when seq_len_q > seq_len_kv!")

    def _materialize(self, device: Any = None) -> Tensor:
        """Return the mask, (T, S) bool."""
        later = self.seq_len_kv - self.seq_len_q if self.variant == CausalVariant.LOWER_RIGHT else 0
        mask: Tensor = ones(self.seq_len_q, self.seq_len_kv, dtype=dtypes.bool_, device=device).tril(later)
        return mask

    def _dispatch(self, query: Any, key: Any, value: Any, *settings: Any) -> Any:
        """Return scaled_dot_product_attention with this mask. Raises: ValueError: when is_causal is given too."""
        dropout_p, is_causal, scale, enable_gqa = settings
        if is_causal:
            raise ValueError("CausalBias should not be used with causal=True")
        is_plain = self.variant == CausalVariant.UPPER_LEFT or self.seq_len_q == self.seq_len_kv
        if not is_plain:
            _check(query, key, value)
        return F.scaled_dot_product_attention(
            query,
            key,
            value,
            None if is_plain else self._materialize(query.device),
            dropout_p,
            is_plain,
            scale=scale,
            enable_gqa=enable_gqa,
        )

    def __repr__(self, **_settings: Any) -> str:
        return repr(self._materialize())


def _check(query: Tensor, key: Tensor, value: Tensor) -> None:
    if query.dtype != key.dtype or query.dtype != value.dtype:
        raise ValueError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {query.dtype}, "
            f"key.dtype: {key.dtype}, and value.dtype: {value.dtype} instead."
        )
    check_dimensions(query, key, value)


def check_dimensions(query: Tensor, key: Tensor, value: Tensor) -> None:
    """Raise ValueError when one has less than two dimensions."""
    if min(query.dim(), key.dim(), value.dim()) < 2:
        raise ValueError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.dim()}, key.dim: {key.dim()} and value.dim: {value.dim()} instead."
        )


def causal_upper_left(*size: int) -> CausalBias:
    """Return the mask of (T, S) that is_causal stands for. Raises: AssertionError: for another number of sizes."""
    return _causal("causal_upper_left", CausalVariant.UPPER_LEFT, size)


def causal_lower_right(*size: int) -> CausalBias:
    """Return the mask of (T, S) of which the last query sees all keys, the one before all but one, and so on.

    Raises: AssertionError: for another number of sizes.
    """
    return _causal("causal_lower_right", CausalVariant.LOWER_RIGHT, size)


def _causal(name: str, variant: CausalVariant, size: tuple[int, ...]) -> CausalBias:
    if len(size) != 2:
        raise AssertionError(f"{name} only supports 2D tensors")
    return CausalBias(variant, *size)
