"""Layers of transformers: blocks of attention and one of feed-forward. PyTorch has them beside the stacks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg.functional._public import public_function
from npg.functional.nn.multi_head_attention import additive_mask
from npg.nn import functional as F
from npg.nn.modules._draws import draws_all_or_nothing
from npg.nn.modules.activation import GELU, ReLU
from npg.nn.modules.dropout import Dropout
from npg.nn.modules.linear import Linear
from npg.nn.modules.module import Module
from npg.nn.modules.multi_head_attention import MultiheadAttention
from npg.nn.modules.normalization import LayerNorm
from npg.tensor import Tensor

Activation = str | Callable[[Tensor], Tensor]


def _get_activation_fn(activation: str) -> Callable[[Tensor], Tensor]:
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    function: Callable[[Tensor], Tensor] = getattr(F, activation)
    return function


class _Layer(Module):
    """Blocks of attention and one of feed-forward, each added to its input; see TransformerEncoderLayer."""

    attentions: tuple[str, ...]  # names of the attention blocks

    @public_function
    @draws_all_or_nothing
    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        settings: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        for name in self.attentions:
            self.add_module(name, MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **settings))
        self.linear1 = Linear(d_model, dim_feedforward, **settings)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **settings)
        self.norm_first = norm_first
        blocks = range(1, len(self.attentions) + 2)
        for i in blocks:
            self.add_module(f"norm{i}", LayerNorm(d_model, layer_norm_eps, **settings))
        for i in blocks:
            self.add_module(f"dropout{i}", Dropout(dropout))
        self.activation = _get_activation_fn(activation) if isinstance(activation, str) else activation
        if self.attentions == ("self_attn",):  # PyTorch's encoders ask; see _why_padding_is_kept
            kinds = ((F.relu, ReLU), (F.gelu, GELU))
            known = [self.activation is f or isinstance(self.activation, kind) for f, kind in kinds]
            self.activation_relu_or_gelu = known.index(True) + 1 if any(known) else 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not hasattr(self, "activation"):  # pickled before it was stored
            self.activation = F.relu

    def _added(self, x: Tensor, norm: Module, block: Callable[[Tensor], Tensor]) -> Tensor:
        """Return x with a block of it added, normalised before or after."""
        if self.norm_first:
            return x + block(norm(x))
        y: Tensor = norm(x + block(x))
        return y

    def _sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        y = self.self_attn(
            x,
            x,
            x,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            need_weights=False,
            is_causal=is_causal,
        )[0]
        dropped: Tensor = self.dropout1(y)
        return dropped

    def _ff_block(self, x: Tensor) -> Tensor:
        last = self.dropout2 if len(self.attentions) == 1 else self.dropout3
        y: Tensor = last(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        return y


class TransformerEncoderLayer(_Layer):
    """Attend to the input itself, then feed forward; what each of the two returns is added to what it read.

    Args:
        d_model: E, features of inputs and outputs. nhead: heads of each attention, a divisor of E.
        dim_feedforward: features between the two linear maps of the feed-forward block.
        dropout: the probability of every dropout, in the attention too.
        activation: "relu", "gelu" or a function of a tensor, between the two linear maps.
        layer_norm_eps: added to the variances.
        batch_first: whether inputs and outputs are (B, T, E), not (T, B, E).
        norm_first: normalise what a block reads, not what it and its input add up to.
        bias: whether linear maps and norms have one.
    Source: torch.nn.TransformerEncoderLayer. Its second path, for evaluation without gradients, gives nan for a query
        that may attend to no key, and takes a floating mask for a bool one, True where it is not 0. Here evaluation
        computes what training does: such a query reads 0, and a floating mask is added.
    """

    attentions = ("self_attn",)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Return src encoded.

        Args:
            src: (T, E), (T, B, E) or (B, T, E). src_mask, src_key_padding_mask, is_causal: see
                F.multi_head_attention_forward.
        Returns: the shape of src.
        """
        padding = additive_mask(src_key_padding_mask, "src_key_padding_mask", src, src_mask, "src_mask")
        mask = additive_mask(src_mask, "src_mask", src)
        x = self._added(src, self.norm1, lambda x: self._sa_block(x, mask, padding, is_causal=is_causal))
        return self._added(x, self.norm2, self._ff_block)


class TransformerDecoderLayer(_Layer):
    """Attend to the target itself, then to the memory that an encoder returned, then feed forward.

    Args as in TransformerEncoderLayer.
    Source: torch.nn.TransformerDecoderLayer.
    """

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return tgt decoded.

        Args:
            tgt: (T, E), (T, B, E) or (B, T, E). memory: with S in place of T. The masks of each, and whether they are
                causal: see F.multi_head_attention_forward.
        Returns: the shape of tgt.
        """
        x = self._added(tgt, self.norm1, lambda x: self._sa_block(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))
        x = self._added(
            x,
            self.norm2,
            lambda x: self._mha_block(x, memory, memory_mask, memory_key_padding_mask, memory_is_causal),
        )
        return self._added(x, self.norm3, self._ff_block)

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        y = self.multihead_attn(
            x,
            mem,
            mem,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            is_causal=is_causal,
            need_weights=False,
        )[0]
        dropped: Tensor = self.dropout2(y)
        return dropped
