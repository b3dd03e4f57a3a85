"""Multi-head attention as a module. PyTorch has it among the activations."""

from __future__ import annotations

from typing import Any

from npg.creation import empty
from npg.functional._public import public_function
from npg.nn import functional as F
from npg.nn.init import constant_, xavier_normal_, xavier_uniform_
from npg.nn.modules._draws import draws_all_or_nothing
from npg.nn.modules.linear import NonDynamicallyQuantizableLinear
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter
from npg.tensor import Tensor


class MultiheadAttention(Module):
    """Let each of several heads attend to projections of the inputs, and project what they return.

    Args:
        embed_dim: E, features of the queries and the outputs. num_heads: nh, a divisor of E.
        dropout: the probability of zeroing an attention weight, while training.
        bias: whether the projections have one.
        add_bias_kv: learn one more key and value. add_zero_attn: append a key and a value of zeros.
        kdim, vdim: features of keys and values; None means E.
        batch_first: whether inputs and outputs are (B, T, E), not (T, B, E).
    Attributes:
        in_proj_weight: (3 E, E) for queries, keys and values, Xavier uniform, PyTorch's numbers for the same seed; or,
            where kdim or vdim differ from E, q_proj_weight, k_proj_weight and v_proj_weight.
        in_proj_bias: (3 E,), zeros, or None. out_proj: a Linear. bias_k, bias_v: (1, 1, E), or None.
    Raises: ValueError, AssertionError: when embed_dim and num_heads do not fit.
    Source: torch.nn.MultiheadAttention. PyTorch has a second path for evaluation without gradients, in which a query
        that may attend to no key gives nan; here it gives what it gives in training: 0 without need_weights, else nan.
    """

    bias_k: Any
    bias_v: Any

    @public_function
    @draws_all_or_nothing
    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, "
                f"got embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim == self.vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        factory = {"device": device, "dtype": dtype}
        shapes: dict[str, Any] = dict.fromkeys(("q_proj_weight", "k_proj_weight", "v_proj_weight"))
        if self._qkv_same_embed_dim:
            shapes = {"in_proj_weight": (3 * embed_dim, embed_dim), **shapes}
        else:
            widths = (embed_dim, self.kdim, self.vdim)
            shapes = {name: (embed_dim, n) for name, n in zip(shapes, widths, strict=True)} | {"in_proj_weight": None}
        shapes["in_proj_bias"] = (3 * embed_dim,) if bias else None
        for name, shape in shapes.items():
            self.register_parameter(name, None if shape is None else Parameter(empty(shape, **factory)))
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **factory)
        self.bias_k = Parameter(empty((1, 1, embed_dim), **factory)) if add_bias_kv else None
        self.bias_v = Parameter(empty((1, 1, embed_dim), **factory)) if add_bias_kv else None
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            constant_(self.in_proj_bias, 0.0)
            constant_(self.out_proj.bias, 0.0)
        for row in (self.bias_k, self.bias_v):
            if row is not None:
                xavier_normal_(row)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({"_qkv_same_embed_dim": True} | state)  # absent before PyTorch 1.2

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the output, like query, and the weights or None; see F.multi_head_attention_forward."""
        is_swapped = self.batch_first and query.dim() == 3
        if is_swapped:
            # What was one tensor stays one: it is then projected in one product.
            swapped = {id(x): x.transpose(1, 0) for x in (query, key, value)}
            query, key, value = (swapped[id(x)] for x in (query, key, value))
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return output.transpose(1, 0) if is_swapped else output, weights

    def merge_masks(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor
    ) -> tuple[Tensor | None, int | None]:
        """Return the sum of both masks and its type.

        Args:
            attn_mask: (T, T) or (B nh, T, T), floating, or None. key_padding_mask: (B, T), floating, or None.
            query: (B, T, E).
        Returns: None, None; key_padding_mask, 1; or (B, nh, T, T), 2 where attn_mask is given.
        """
        if attn_mask is None:
            return key_padding_mask, None if key_padding_mask is None else 1
        batch, length, _ = query.shape
        if attn_mask.dim() == 3:
            mask = attn_mask.view(batch, -1, length, length)
        else:
            mask = attn_mask.view(1, 1, length, length).expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            mask = mask + key_padding_mask.view(batch, 1, 1, length).expand(-1, self.num_heads, -1, -1)
        return mask, 2
