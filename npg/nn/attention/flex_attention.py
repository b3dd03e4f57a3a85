"""Attention with scores and masks that functions of the user's make. Source: torch.nn.attention.flex_attention."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypedDict, get_args

from npg import dtypes
from npg._errors import warn
from npg.creation import arange, zeros
from npg.func import vmap
from npg.functional.masked import masked_fill
from npg.functional.nn.attention import attend
from npg.nn import functional as F
from npg.nn.attention._block_mask import (
    _DEFAULT_SPARSE_BLOCK_SIZE,
    _LARGE_SPARSE_BLOCK_SIZE as _LARGE_SPARSE_BLOCK_SIZE,
    BlockMask,
    _compute_dq_write_order_from_block_mask,
    _convert_mask_to_block_mask,
    _create_sparse_block_from_block_mask,
    _mask_mod_signature as _mask_mod_signature,
    _sliced_mask_mod_error,
    noop_mask,
)
from npg.nn.attention.bias import check_dimensions
from npg.tensor import Tensor

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "FlexKernelOptions",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

_score_mod_signature = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
_Backend = Literal["AUTO", "TRITON", "FLASH", "TRITON_DECODE"]
_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG = False  # scripts set it; nothing is compiled here


class FlexKernelOptions(TypedDict, total=False):
    """Settings of PyTorch's kernels: they are checked, and change nothing."""

    num_warps: int
    num_stages: int
    BLOCK_M: int
    BLOCK_N: int
    BLOCK_M1: int
    BLOCK_N1: int
    BLOCK_M2: int
    BLOCK_N2: int
    PRESCALE_QK: bool
    ROWS_GUARANTEED_SAFE: bool
    BLOCKS_ARE_CONTIGUOUS: bool
    WRITE_DQ: bool
    FORCE_USE_FLEX_ATTENTION: bool
    USE_TMA: bool
    kpack: int
    matrix_instr_nonkdim: int
    waves_per_eu: int
    BACKEND: _Backend


class AuxRequest(NamedTuple):
    """What flex_attention is to return beside the output."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What flex_attention returns beside the output."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


# ----- Attention -----


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: _score_mod_signature | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: FlexKernelOptions | None = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Any:
    """Return softmax(score_mod(query key^T scale)) value, over the keys that mask_mod of block_mask lets a query see.

    Without score_mod the scores are made tile by tile; with it they are one array, and so are its own results.

    Args:
        query: (B, H, T, E). key: (B, H, S, E). value: (B, H, S, Ev). With a block_mask, key and value may have B = 1.
        score_mod: of 0-d tensors, a score, its batch, head and the places of query and key: the new score.
        block_mask: None: every key is visible. scale: None means 1 / sqrt(E).
        enable_gqa: key and value may have fewer heads, each shared by a group of consecutive heads of query.
        return_lse: return the logarithms of the sums of exponentials too; superseded by return_aux.
        kernel_options: checked, without effect.
        return_aux: what is to be returned too.
    Returns: (B, H, T, Ev), in memory like query, 0 where a query sees no key; with return_aux also an AuxOutput, (B, H,
        T) each, with return_lse also lse.
    Raises: ValueError, RuntimeError, NotImplementedError: when shapes or settings do not fit.
    Source: torch.nn.attention.flex_attention.flex_attention as PyTorch computes it on a CPU, where it refuses gradients
        and max_scores, and warns that nothing is compiled.
    """
    check_dimensions(query, key, value)
    _check_shapes(query, key, value, block_mask, enable_gqa)
    scale = 1.0 / math.sqrt(query.size(-1)) if scale is None else scale
    if return_lse and return_aux is not None:
        raise ValueError(
            "Cannot specify both return_lse and return_aux. return_lse is deprecated, please use "
            "return_aux=AuxRequest(lse=True) instead."
        )
    if return_lse:
        _warn_of_lse()
    _check_options(kernel_options or {}, return_aux)
    wanted = AuxRequest(lse=return_lse) if return_aux is None else return_aux
    places = [arange(0, n) for n in (*query.shape[:3], key.shape[2])]
    mask_mod = noop_mask if block_mask is None else block_mask.mask_mod
    mask = None if mask_mod is noop_mask else _each(mask_mod, ())(*places)
    if score_mod is None and not any(wanted) and query.dtype == key.dtype == value.dtype:
        y = attend(query, key, value, mask, None, 0.0, False, scale, True, layout="query", keeps=True)
        return y if return_aux is None else (y, AuxOutput())
    y, aux = _attend_by_scores(query, key, value, score_mod, mask, places, scale, wanted)
    if return_aux is not None:
        return y, aux
    return (y, aux.lse) if return_lse else y


def _attend_by_scores(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: _score_mod_signature | None,
    mask: Tensor | None,
    places: list[Tensor],
    scale: float,
    wanted: AuxRequest,
) -> tuple[Tensor, AuxOutput]:
    precision = dtypes.float64 if query.dtype == dtypes.float64 else dtypes.float32
    groups = query.shape[1] // key.shape[1]
    key, value = (x if groups == 1 else x.repeat_interleave(groups, 1) for x in (key, value))
    scores = query.to(precision) @ key.to(precision).transpose(-2, -1) * scale  # (B, H, T, S)
    if score_mod is not None:
        scores = _each(score_mod, (0,))(scores, *places)
    if mask is not None:
        scores = masked_fill(scores, ~mask, -math.inf)
    sees_none = (scores == -math.inf).all(-1)  # (B, H, T)
    safe = masked_fill(scores, sees_none.unsqueeze(-1), 0.0)
    p = masked_fill(F.softmax(safe, -1), sees_none.unsqueeze(-1), 0.0)
    y = p.to(query.dtype) @ value.to(query.dtype)
    order = sorted(range(3), key=query.stride().__getitem__, reverse=True)
    y = y.permute(*order, 3).contiguous().permute(*sorted(range(3), key=order.__getitem__), 3)
    lse = masked_fill(safe.logsumexp(-1), sees_none, -math.inf) if wanted.lse else None
    return y, AuxOutput(lse, scores.amax(-1) if wanted.max_scores else None)


def _each(function: Callable[..., Any], score: tuple[int, ...]) -> Callable[..., Any]:
    """Return a function of 0-d tensors as one of all batches, heads, queries and keys.

    Args:
        score: (0,) where a score comes before them, else ().
    """
    for dims in ((None, None, None, 0), (None, None, 0, None), (None, 0, None, None), (0, None, None, None)):
        function = vmap(function, in_dims=score + dims)
    return function


@functools.cache
def _warn_of_lse() -> None:
    warn(
        "return_lse is deprecated and will be removed in v2.10. Please use return_aux=AuxRequest(lse=True) instead.",
        FutureWarning,
    )


# ----- Checks -----


def _check_shapes(query: Tensor, key: Tensor, value: Tensor, block_mask: BlockMask | None, enable_gqa: bool) -> None:
    """Raise when the three do not fit together or with the mask."""
    if query.size(-1) != key.size(-1):
        raise ValueError(
            f"Expect query and key/value to have the same embedding dimension but got E={query.size(-1)} and "
            f"E={key.size(-1)}."
        )
    if not query.dim() == key.dim() == value.dim() == 4:
        raise NotImplementedError("NYI: query, key, and value must be 4D tensors")
    (batch, heads, queries, _), (key_batch, key_heads, keys, _) = query.shape, key.shape
    if heads != key_heads and not enable_gqa:
        raise ValueError(
            f"Expect query and key/value to have the same number of heads but got Hq={heads} and Hkv={key_heads}. Try "
            "setting enable_gqa=True for GQA."
        )
    if heads % key_heads:
        raise ValueError(
            f"Expect number of query heads to be a multiple of kv heads for GQA but got Hq={heads} and Hkv={key_heads}."
        )
    if batch != key_batch:
        if block_mask is None:
            raise ValueError(
                "Expect query and key/value to have the same batch size, or non-none block_mask, but got "
                f"block_mask=None, Bq={batch}, and Bkv={key_batch}."
            )
        mask_batch = block_mask.kv_num_blocks.size(0)
        if mask_batch != batch:
            raise ValueError(
                "Expect query and key/value to have the same batch size, or block_mask and query to have the same "
                f"batch size, but got Bq={batch}, Bkv={key_batch}, B_block_mask={mask_batch}."
            )
    if block_mask is None:
        return
    if block_mask.mask_mod is _sliced_mask_mod_error:
        raise RuntimeError("Cannot use mask_mod from a sliced BlockMask")
    _check_lengths(block_mask, queries, keys)
    if batch != key_batch and not (batch > 1 and key_batch == 1):
        raise RuntimeError(f"Bq and Bkv must broadcast. Got Bq={batch} and Bkv={key_batch}")


def _check_lengths(block_mask: BlockMask, queries: int, keys: int) -> None:
    lengths = block_mask.shape[-2:]
    if block_mask.BLOCK_SIZE == (_LARGE_SPARSE_BLOCK_SIZE, _LARGE_SPARSE_BLOCK_SIZE) or lengths == (queries, keys):
        return
    text = (
        f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={queries} and kv_len={keys}. As "
        "the block mask was created for a {} length than you're using it for, you {}"
    )
    if queries > lengths[0] or keys > lengths[1]:
        raise ValueError(text.format("smaller", "likely need to create a new block mask."))
    raise ValueError(
        text.format(
            "larger",
            "can either 1. create a new block mask with the correct length, or 2. 'adjust' the existing block mask to "
            "the correct length by calling block_mask._adjust(q_len, kv_len). This essentially 'crops' the block mask "
            "to the upper left corner, which does not work for all mask_mods!",
        )
    )


def _check_options(options: Any, return_aux: AuxRequest | None) -> None:
    if "BACKEND" in options:
        if options.get("FORCE_USE_FLEX_ATTENTION", False):
            raise RuntimeError(
                "BACKEND cannot be combined with legacy FORCE_USE_FLEX_ATTENTION. BACKEND supersedes the legacy knob; "
                "please drop FORCE_USE_FLEX_ATTENTION and only specify the desired BACKEND."
            )
        if options["BACKEND"] not in get_args(_Backend):
            raise ValueError(f"Invalid BACKEND value '{options['BACKEND']}'. Must be one of {get_args(_Backend)}")
    for name in ("OUTPUT_LOGSUMEXP", "OUTPUT_MAX"):
        if name in options:
            raise AssertionError(f"{name} must not be in kernel_options")
    if options.get("BACKEND") == "FLASH" and return_aux is not None and return_aux.max_scores:
        raise NotImplementedError(
            "Returning max scores is not supported with BACKEND='FLASH'. Use return_aux=AuxRequest(lse=True) or omit "
            "max_scores."
        )


# ----- Masks -----


def or_masks(*mask_mods: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of a mask that is True where one of these is. Raises RuntimeError when one is no function."""
    _check_functions(mask_mods)

    def or_mask(b: Any, h: Any, q_idx: Any, kv_idx: Any) -> Any:
        result = b.new_zeros((), dtype=dtypes.bool_)
        for mask in mask_mods:
            result = result | mask(b, h, q_idx, kv_idx)
        return result

    return or_mask


def and_masks(*mask_mods: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of a mask that is True where all of these are. Raises RuntimeError when one is no function."""
    _check_functions(mask_mods)

    def and_mask(b: Any, h: Any, q_idx: Any, kv_idx: Any) -> Any:
        result = b.new_ones((), dtype=dtypes.bool_)
        for mask in mask_mods:
            result = result & mask(b, h, q_idx, kv_idx)
        return result

    return and_mask


def _check_functions(mask_mods: tuple[Any, ...]) -> None:
    if not all(callable(mask) for mask in mask_mods):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")


def create_mask(
    mod_fn: Callable[..., Any], B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None
) -> Tensor:
    """Return the mask of a function: True where a query sees a key.

    Args:
        mod_fn: of 0-d tensors, the batch, the head, the query's place and the key's, returns whether it does; or of the
            score and these, returns the score, -inf where it does not.
        B, H: batch and heads; None means 1.
        Q_LEN, KV_LEN: queries and keys.
    Returns: (B, H, Q_LEN, KV_LEN) bool.
    Raises: AssertionError: for a function of other arguments.
    Source: torch.nn.attention.flex_attention.create_mask.
    """
    shape = 1 if B is None else B, 1 if H is None else H, Q_LEN, KV_LEN
    places = [arange(0, n, device=device) for n in shape]
    if _takes_score(mod_fn):
        return ~_each(mod_fn, (0,))(zeros(shape, device=device), *places).isneginf()  # type: ignore[no-any-return]
    mask: Tensor = _each(mod_fn, ())(*places)
    return mask


def _takes_score(function: Callable[..., Any]) -> bool:
    """Tell whether a function takes a score before the four places. Raises: AssertionError: for other functions."""
    parameters = inspect.signature(function).parameters.values()
    count = sum(parameter.default is inspect.Parameter.empty for parameter in parameters)
    if count not in (4, 5):
        raise AssertionError(f"Expected 4 or 5 positional args, got {count}")
    return count == 5


def create_block_mask(
    mask_mod: _mask_mod_signature,
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
    _compile: bool = False,
    separate_full_blocks: bool = True,
    compute_dq_write_order: bool = False,
    dq_kv_order: bool = True,
) -> BlockMask:
    """Return the blocks of the mask of a function.

    Args:
        mask_mod: of 0-d tensors, the batch, the head and the places of query and key: whether it sees it.
        B, H: batch and heads; None means 1. Q_LEN, KV_LEN: queries and keys.
        BLOCK_SIZE: of queries and keys, or of both.
        separate_full_blocks: list blocks in which every key is visible apart.
        compute_dq_write_order, dq_kv_order: for kernels on devices; see BlockMask.
    Raises: AssertionError: for a function of other arguments or results. ValueError: for another dq_kv_order.
    Source: torch.nn.attention.flex_attention.create_block_mask.
    """
    if _takes_score(mask_mod):
        raise AssertionError(f"create-block_mask requires a mask_mod function! Got {mask_mod}")
    size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
    if _compile:
        warn(
            "_compile flag on create_block_mask was originally added to work around a torch.compile limitation. That "
            "limitation has since been addressed. So, to compile create_block_mask, we suggest doing "
            "torch.compile(create_block_mask). This still works for now, but will be removed in the future.",
            DeprecationWarning,
        )
    if not isinstance(dq_kv_order, bool):
        raise ValueError("dq_kv_order must be a bool when using create_block_mask")
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    blocks = _convert_mask_to_block_mask(mask, *size, separate_full_blocks)
    block_mask = _create_sparse_block_from_block_mask(blocks, mask_mod, (Q_LEN, KV_LEN), *size)
    if compute_dq_write_order:
        orders = _compute_dq_write_order_from_block_mask(block_mask, dq_kv_order)
        block_mask.dq_write_order, block_mask.dq_write_order_full = orders
        block_mask.dq_kv_order_spt = dq_kv_order
    return block_mask
