"""Transformers: stacks of layers that encode and decode. The layers: transformer_layers.py."""

from __future__ import annotations

import copy
import math
from typing import Any

from npg._errors import warn
from npg.autograd import is_grad_enabled
from npg.backends import mha
from npg.creation import full
from npg.functional._public import public_function
from npg.functional.nn.multi_head_attention import additive_mask
from npg.nn import functional as F
from npg.nn.init import xavier_uniform_
from npg.nn.modules._draws import draws_all_or_nothing
from npg.nn.modules.container import ModuleList
from npg.nn.modules.module import Module
from npg.nn.modules.normalization import LayerNorm
from npg.nn.modules.transformer_layers import (
    Activation,
    TransformerDecoderLayer as TransformerDecoderLayer,
    TransformerEncoderLayer as TransformerEncoderLayer,
    _get_activation_fn as _get_activation_fn,
)
from npg.tensor import Tensor

# ----- Masks and copies -----


def _generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
    """Return the causal mask, (sz, sz): 0.0, and -inf where the key is later than the query."""
    mask: Tensor = full((sz, sz), -math.inf, dtype=dtype, device=device).triu(1)
    return mask


def _get_seq_len(src: Tensor, batch_first: bool) -> int:
    """Return T of (T, E), (T, B, E) or, with batch_first, (B, T, E)."""
    return src.shape[1 if batch_first and src.dim() != 2 else 0]


def _detect_is_causal_mask(mask: Tensor | None, is_causal: bool | None = None, size: int | None = None) -> bool:
    """Return is_causal, or, where that is None, whether the mask is the causal one for this size."""
    if is_causal is not None or mask is None:
        return is_causal is True
    causal = _generate_square_subsequent_mask(mask.shape[-2] if size is None else size, mask.device, mask.dtype)
    return mask.shape == causal.shape and bool((mask == causal).all())


def _get_clones(module: Module, N: int) -> ModuleList:
    """Return N deep copies of a module. Raises: RuntimeError: for more than fit into any memory."""
    if len(range(N)) > 2**32:
        raise RuntimeError(f"{N} layers are more than fit into memory")
    return ModuleList([copy.deepcopy(module) for _ in range(N)])


# ----- Stacks -----


class TransformerEncoder(Module):
    """Encode by copies of a layer, one after the other, and normalise at the end.

    Args:
        encoder_layer: the layer; all copies start from its parameters.
        num_layers: how many copies.
        norm: a module for the end, or None.
        enable_nested_tensor: in evaluation without gradients, set what is returned at padding to 0, as PyTorch does,
            which then computes on the other positions only.
        mask_check: do so only where the padding is at the end of each sequence.
    Source: torch.nn.TransformerEncoder.
    """

    @public_function
    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers, self.norm, self.mask_check = num_layers, norm, mask_check
        self.enable_nested_tensor = self.use_nested_tensor = enable_nested_tensor
        reason = _why_padding_is_kept(encoder_layer)
        if enable_nested_tensor and reason:
            warn(f"enable_nested_tensor is True, but self.use_nested_tensor is False because {reason}")
            self.use_nested_tensor = False

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Return src encoded; see TransformerEncoderLayer.forward.

        Args:
            is_causal: None: whether the mask is causal is looked at.
        """
        padding = additive_mask(src_key_padding_mask, "src_key_padding_mask", src, mask, "mask")
        mask = additive_mask(mask, "mask", src)
        hidden: Any = None if padding is None or mask is not None else padding == -math.inf
        if hidden is not None and not self._drops_padding(src, hidden):
            hidden = None
        is_causal = _detect_is_causal_mask(mask, is_causal, _get_seq_len(src, self.layers[0].self_attn.batch_first))
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, is_causal=is_causal, src_key_padding_mask=padding)
        if hidden is not None:
            output = output.masked_fill(hidden.unsqueeze(-1), 0.0)
        if self.norm is not None:
            output = self.norm(output)
        return output

    def _drops_padding(self, src: Tensor, hidden: Tensor) -> bool:
        """Tell whether PyTorch would make a nested tensor of src, of which the padding comes back as 0."""
        layer = self.layers[0]
        if not mha.get_fastpath_enabled() or not getattr(self, "use_nested_tensor", False):
            return False
        if layer.training or src.dim() != 3:
            return False
        if is_grad_enabled() and any(x.requires_grad for x in (src, *layer.parameters())):
            return False
        return not getattr(self, "mask_check", True) or not bool((hidden[:, :-1] & ~hidden[:, 1:]).any())


def _why_padding_is_kept(layer: Module) -> str:
    """Return why PyTorch makes no nested tensor for an encoder of such layers, or an empty text."""
    name = "encoder_layer"
    if not isinstance(layer, TransformerEncoderLayer):
        return f"{name} was not TransformerEncoderLayer"
    attention = layer.self_attn
    if layer.norm_first:
        return f"{name}.norm_first was True"
    if not attention.batch_first:
        return f"{name}.self_attn.batch_first was not True(use batch_first for better inference performance)"
    if not attention._qkv_same_embed_dim:
        return f"{name}.self_attn._qkv_same_embed_dim was not True"
    if attention.in_proj_bias is None:
        return f"{name}.self_attn was passed bias=False"
    if not layer.activation_relu_or_gelu:
        return f"{name}.activation_relu_or_gelu was not True"
    if layer.norm1.eps != layer.norm2.eps:
        return f"{name}.norm1.eps was not equal to {name}.norm2.eps"
    return f"{name}.self_attn.num_heads is odd" if attention.num_heads % 2 else ""


class TransformerDecoder(Module):
    """Decode by copies of a layer, one after the other, and normalise at the end.

    Args:
        decoder_layer: the layer; all copies start from its parameters.
        num_layers: how many copies.
        norm: a module for the end, or None.
    Source: torch.nn.TransformerDecoder.
    """

    @public_function
    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return tgt decoded; see TransformerDecoderLayer.forward.

        Args:
            tgt_is_causal: None: whether tgt_mask is causal is looked at.
        """
        length = _get_seq_len(tgt, self.layers[0].self_attn.batch_first)
        tgt_is_causal = _detect_is_causal_mask(tgt_mask, tgt_is_causal, length)
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=tgt_is_causal,
                memory_is_causal=memory_is_causal,
            )
        if self.norm is not None:
            output = self.norm(output)
        return output


class Transformer(Module):
    """Encode a source, and decode a target that attends to it.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias: of every
            layer; see TransformerEncoderLayer.
        num_encoder_layers, num_decoder_layers: how many layers.
        custom_encoder, custom_decoder: modules in place of the two stacks, or None.
    Attributes: every parameter of two or more dimensions is Xavier uniform, PyTorch's numbers for the same seed.
    Source: Vaswani et al., Attention Is All You Need, 2017; torch.nn.Transformer.
    """

    @public_function
    @draws_all_or_nothing
    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*settings, **factory)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **factory)
            custom_encoder = TransformerEncoder(encoder_layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*settings, **factory)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **factory)
            custom_decoder = TransformerDecoder(decoder_layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return the decoded target.

        Args:
            src: (S, E), (S, B, E) or (B, S, E). tgt: with T in place of S.
            The masks of source, target and memory (which is the encoded source): see F.multi_head_attention_forward.
            src_is_causal, tgt_is_causal: None: whether the masks are causal is looked at.
        Returns: the shape of tgt.
        Raises: RuntimeError: when src and tgt do not fit.
        """
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(batch) != tgt.size(batch):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        output: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return output

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """Return the causal mask, (sz, sz): 0.0, and -inf where the key is later than the query."""
        return _generate_square_subsequent_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.dim() > 1:
                xavier_uniform_(p)
