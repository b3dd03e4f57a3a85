"""Masks of attention in blocks, of which most see nothing or everything: what flex_attention is given."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

from npg import dtypes
from npg.creation import arange, zeros
from npg.functional.selection import where
from npg.nn import functional as F
from npg.tensor import Tensor

_DEFAULT_SPARSE_BLOCK_SIZE = 128
_LARGE_SPARSE_BLOCK_SIZE = 1 << 30

_mask_mod_signature = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """Return True: every query sees every key."""
    return batch.new_ones((), dtype=dtypes.bool_)


def _sliced_mask_mod_error(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    raise RuntimeError(
        "Cannot use mask_mod from a sliced BlockMask. When you slice a BlockMask using [], the mask_mod attribute is "
        "reset. You must set it from the original BlockMask's mask_mod."
        "\n\nIncorrect usage:"
        "\n  base_mask = create_block_mask(my_mask_fn, ...)"
        "\n  sliced_mask = base_mask[:, :, block_idx]"
        "\n  sliced_mask.mask_mod = apply_offset(sliced_mask.mask_mod, offset)  # WRONG!"
        "\n\nCorrect usage:"
        "\n  base_mask = create_block_mask(my_mask_fn, ...)"
        "\n  sliced_mask = base_mask[:, :, block_idx]"
        "\n  sliced_mask.mask_mod = apply_offset(base_mask.mask_mod, offset)  # Use base_mask!"
    )


# ----- Rows of blocks as counts and places, and as a table of 0 and 1 -----


def _ordered_to_dense(num_blocks_in_row: Tensor, col_indices: Tensor, num_cols: int) -> Tensor:
    """Return (..., rows, num_cols) int32, 1 where a row has a block.

    Args:
        num_blocks_in_row: (..., rows), how many there are. col_indices: (..., rows, most), their columns, those first.
    """
    is_there = arange(col_indices.shape[-1]) < num_blocks_in_row.unsqueeze(-1)
    columns = where(is_there, col_indices, num_cols).long()  # the others go to one column more, which is cut off
    dense = zeros(*col_indices.shape[:-1], num_cols + 1, dtype=dtypes.int32).scatter(-1, columns, 1)
    return dense[..., :num_cols].contiguous()


def _dense_to_ordered(dense_mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return num_blocks_in_row and col_indices, int32, the columns without a block last."""
    dense = dense_mask.to(dtypes.int32)
    columns = dense.argsort(dim=-1, descending=True, stable=True)
    return dense.sum(-1).to(dtypes.int32).contiguous(), columns.to(dtypes.int32).contiguous()


def _transpose_ordered(num_blocks_in_row: Tensor, col_indices: Tensor) -> tuple[Tensor, Tensor]:
    dense = _ordered_to_dense(num_blocks_in_row, col_indices, col_indices.shape[-1])
    return _dense_to_ordered(dense.transpose(-2, -1))


def _adjust_num_blocks_and_indices(
    num_blocks: Tensor, indices: Tensor, new_num_rows: int, new_num_cols: int
) -> tuple[Tensor, Tensor]:
    """Return those of the upper left corner."""
    indices = indices[:, :, :new_num_rows, :new_num_cols]
    num_blocks = num_blocks[:, :, :new_num_rows].clamp(max=new_num_cols)
    return (indices < num_blocks.unsqueeze(-1)).sum(-1).to(dtypes.int32), indices


def _broadcast_to_dim(x: Tensor, dim: int) -> Tensor:
    return x[(None,) * (dim - x.dim())] if x.dim() < dim else x


def _convert_mask_to_block_mask(
    mask: Tensor,
    Q_BLOCK_SIZE: int = _DEFAULT_SPARSE_BLOCK_SIZE,
    KV_BLOCK_SIZE: int = _DEFAULT_SPARSE_BLOCK_SIZE,
    separate_full_blocks: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return (B, H, rows, columns) int8, 1 where a block has visible keys; full ones apart, with separate_full_blocks.

    Raises: AssertionError: when the mask is not bool.
    """
    if mask.dtype != dtypes.bool_:
        raise AssertionError(f"mask.dtype must be {dtypes.bool_}, got {mask.dtype}")
    mask = _broadcast_to_dim(mask, 4)
    *lead, queries, keys = mask.shape
    rows, columns = -(-queries // Q_BLOCK_SIZE), -(-keys // KV_BLOCK_SIZE)
    mask = F.pad(mask, (0, columns * KV_BLOCK_SIZE - keys, 0, rows * Q_BLOCK_SIZE - queries))
    visible = mask.view(*lead, rows, Q_BLOCK_SIZE, columns, KV_BLOCK_SIZE).sum((-3, -1))
    if not separate_full_blocks:
        return (visible > 0).to(dtypes.int8), None
    full = visible == Q_BLOCK_SIZE * KV_BLOCK_SIZE
    return ((visible > 0) & ~full).to(dtypes.int8), full.to(dtypes.int8)


def _create_sparse_block_from_block_mask(
    block_mask: tuple[Tensor, Tensor | None],
    mask_mod: _mask_mod_signature | None,
    seq_lengths: tuple[int, int],
    Q_BLOCK_SIZE: int = _DEFAULT_SPARSE_BLOCK_SIZE,
    KV_BLOCK_SIZE: int = _DEFAULT_SPARSE_BLOCK_SIZE,
) -> BlockMask:
    """Return the BlockMask of what _convert_mask_to_block_mask returns."""
    partial, full = block_mask
    blocks: tuple[Any, Any] = (None, None) if full is None else _dense_to_ordered(full)
    num_blocks, indices = _dense_to_ordered(partial)
    return BlockMask.from_kv_blocks(
        num_blocks,
        indices,
        *blocks,
        BLOCK_SIZE=(Q_BLOCK_SIZE, KV_BLOCK_SIZE),
        mask_mod=mask_mod,
        seq_lengths=seq_lengths,
    )


def _compute_dq_write_order_from_block_mask(
    block_mask: BlockMask, dq_kv_order: bool | None = False
) -> tuple[Tensor, Tensor | None]:
    """Return for each block, in the order of q_indices, how many blocks of its row are added to dQ before it.

    Args:
        dq_kv_order: from the last block of a row on.
    Raises: ValueError: when block_mask has no q_indices.
    """
    m = block_mask
    if m.q_num_blocks is None or m.q_indices is None:
        raise ValueError("BlockMask must have q_num_blocks and q_indices to compute dq_write_order")
    columns = m.q_indices.shape[2]
    dense = _ordered_to_dense(m.kv_num_blocks, m.kv_indices, columns)
    if m.full_kv_num_blocks is not None and m.full_kv_indices is not None:
        dense = (dense + _ordered_to_dense(m.full_kv_num_blocks, m.full_kv_indices, columns)).clamp(max=1)
    until = dense.cumsum(-1)
    rank = until - dense
    if dq_kv_order:
        rank = until[..., -1:] - 1 - rank

    def ordered(q_indices: Tensor) -> Tensor:
        rows = q_indices.long().clamp(0, rank.shape[-2] - 1)  # (B, H, columns, rows)
        by_column = rank.transpose(-2, -1).expand(*q_indices.shape[:2], -1, -1)
        return by_column.gather(-1, rows).to(dtypes.int32)

    return ordered(m.q_indices), None if m.full_q_indices is None else ordered(m.full_q_indices)


# ----- The mask -----


class BlockMask:
    """A mask of blocks: for each row of blocks, how many have visible keys and which, and a function for the rest.

    Attributes:
        kv_num_blocks, kv_indices: (B, H, rows) and (B, H, rows, columns) int32: how many blocks mask_mod decides in
            each row of queries, and which; what follows those is of no meaning.
        full_kv_num_blocks, full_kv_indices: the same for blocks in which every key is visible, or None.
        q_num_blocks, q_indices, full_q_num_blocks, full_q_indices: the same for each column of keys, or None.
        BLOCK_SIZE: queries and keys of a block. seq_lengths: T and S.
        mask_mod: of 0-d tensors, the batch, the head and the places of query and key: whether it sees it.
        dq_write_order, dq_write_order_full, dq_kv_order, dq_kv_order_spt: for kernels on devices; they are kept.
    Source: torch.nn.attention.flex_attention.BlockMask. As on a CPU there, flex_attention asks mask_mod alone.
    """

    _TENSOR_ATTRS = [  # a list in torch too
        *(f"{kind}_{what}" for kind in ("kv", "full_kv", "q", "full_q") for what in ("num_blocks", "indices")),
        "dq_write_order",
        "dq_write_order_full",
        "dq_kv_order",
    ]
    _CONTEXT_ATTRS = ["seq_lengths", "BLOCK_SIZE", "mask_mod", "dq_kv_order_spt"]

    def __init__(
        self,
        seq_lengths: tuple[int, int],
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None,
        full_kv_indices: Tensor | None,
        q_num_blocks: Tensor | None,
        q_indices: Tensor | None,
        full_q_num_blocks: Tensor | None,
        full_q_indices: Tensor | None,
        BLOCK_SIZE: tuple[int, int] = (_DEFAULT_SPARSE_BLOCK_SIZE, _DEFAULT_SPARSE_BLOCK_SIZE),
        mask_mod: _mask_mod_signature = noop_mask,
        *,
        dq_write_order: Tensor | None = None,
        dq_write_order_full: Tensor | None = None,
        dq_kv_order: Tensor | None = None,
        dq_kv_order_spt: bool | None = None,
    ) -> None:
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        if kv_num_blocks is None:
            raise AssertionError("kv_num_blocks must be provided")
        _check_pair("kv", full_kv_num_blocks, full_kv_indices)
        _check_pair("q", full_q_num_blocks, full_q_indices)
        if dq_write_order_full is not None and dq_write_order is None:
            raise ValueError("dq_write_order_full requires dq_write_order")
        self.seq_lengths, self.BLOCK_SIZE, self.mask_mod = seq_lengths, BLOCK_SIZE, mask_mod
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.q_num_blocks, self.q_indices = q_num_blocks, q_indices
        self.full_q_num_blocks, self.full_q_indices = full_q_num_blocks, full_q_indices
        self.dq_write_order, self.dq_write_order_full = dq_write_order, dq_write_order_full
        self.dq_kv_order, self.dq_kv_order_spt = dq_kv_order, dq_kv_order_spt

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None = None,
        full_kv_indices: Tensor | None = None,
        BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
        mask_mod: _mask_mod_signature | None = None,
        seq_lengths: tuple[int, int] | None = None,
        compute_q_blocks: bool = True,
        *,
        dq_write_order: Tensor | None = None,
        dq_write_order_full: Tensor | None = None,
        dq_kv_order: Tensor | bool | None = None,
    ) -> BlockMask:
        """Return the mask of these rows of blocks; those of its columns are found.

        Args:
            BLOCK_SIZE: of queries and keys, or of both. mask_mod: None: all keys of these blocks are visible.
            seq_lengths: None: as many as the blocks have. compute_q_blocks: whether to find the columns.
            The others: as of the class.
        Raises: RuntimeError, AssertionError, ValueError: for arguments that do not fit.
        """
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        _check_pair("kv", full_kv_num_blocks, full_kv_indices)
        q: tuple[Any, Any] = (None, None)
        full_q = q
        if compute_q_blocks:
            q = _transpose_ordered(kv_num_blocks, kv_indices)
            if full_kv_num_blocks is not None and full_kv_indices is not None:
                full_q = _transpose_ordered(full_kv_num_blocks, full_kv_indices)
        size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
        if dq_kv_order is not None and not isinstance(dq_kv_order, (bool, Tensor)):
            raise ValueError("dq_kv_order must be a bool, Tensor, or None")
        rows, columns = kv_indices.shape[-2:]
        return cls(
            (rows * size[0], columns * size[1]) if seq_lengths is None else seq_lengths,
            kv_num_blocks,
            kv_indices,
            full_kv_num_blocks,
            full_kv_indices,
            *q,
            *full_q,
            size,
            noop_mask if mask_mod is None else mask_mod,
            dq_write_order=dq_write_order,
            dq_write_order_full=dq_write_order_full,
            dq_kv_order=dq_kv_order if isinstance(dq_kv_order, Tensor) else None,
            dq_kv_order_spt=dq_kv_order if isinstance(dq_kv_order, bool) else None,
        )

    def as_tuple(self, flatten: bool = True) -> tuple[Any, ...]:
        """Return all attributes; flatten: the two lengths and the two sizes of a block one by one."""
        tensors = (getattr(self, name) for name in self._TENSOR_ATTRS)
        lengths, size = (self.seq_lengths, self.BLOCK_SIZE) if flatten else ((self.seq_lengths,), (self.BLOCK_SIZE,))
        return (*lengths, *tensors, self.dq_kv_order_spt, *size, self.mask_mod)

    @property
    def shape(self) -> tuple[int, ...]:
        """(B, H, T, S)."""
        return (*self.kv_indices.shape[:-2], *self.seq_lengths)

    def numel(self) -> int:
        """Return the number of pairs of a query and a key."""
        return math.prod(self.shape)

    def sparsity(self) -> float:
        """Return how many percent of the pairs lie in no block."""
        blocks = self.kv_num_blocks.sum()
        if self.full_kv_num_blocks is not None:
            blocks = blocks + self.full_kv_num_blocks.sum()
        return 100.0 * (1.0 - float(blocks.item()) * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1] / self.numel())

    def to(self, device: Any) -> BlockMask:
        """Return a mask with its tensors on the device."""
        tensors = {name: getattr(self, name) for name in self._TENSOR_ATTRS}
        tensors = {name: None if x is None else x.to(device) for name, x in tensors.items()}
        others = {name: getattr(self, name) for name in self._CONTEXT_ATTRS}
        return BlockMask(**tensors, **others)

    def to_dense(self) -> Tensor:
        """Return (B, H, rows, columns) int32, 1 where there is a block."""
        columns = self.kv_indices.shape[-1]
        dense = _ordered_to_dense(self.kv_num_blocks, self.kv_indices, columns)
        if self.full_kv_num_blocks is None or self.full_kv_indices is None:
            return dense
        full: Tensor = dense | _ordered_to_dense(self.full_kv_num_blocks, self.full_kv_indices, columns)
        return full

    # ----- Parts -----

    def __getitem__(self, index: Any) -> BlockMask:
        """Return the mask of some batches, heads and rows of blocks; its mask_mod must be set anew."""
        self._refuse_order("Slicing")
        given = index if isinstance(index, tuple) else (index,)
        sizes = self.kv_num_blocks.shape[:3]
        places = tuple(
            (slice(i + n, i + n + 1) if -n <= i < 0 else slice(i, i + 1)) if isinstance(i, int) else i
            for i, n in zip((*given, slice(None), slice(None), slice(None))[:3], sizes, strict=True)
        )
        return self._of(
            tuple(None if x is None else x[places] for x in self._kv_blocks()), _sliced_mask_mod_error, self.seq_lengths
        )

    def _adjust(self, new_q_len: int, new_kv_len: int) -> BlockMask:
        """Return the mask of the upper left corner, of these lengths."""
        self._refuse_order("Adjusting")
        corner = -(-new_q_len // self.BLOCK_SIZE[0]), -(-new_kv_len // self.BLOCK_SIZE[1])
        blocks: Any = self._kv_blocks()
        parts = [(None, None) if n is None else _adjust_num_blocks_and_indices(n, i, *corner)
                 for n, i in (blocks[:2], blocks[2:])]  # fmt: skip
        return self._of((*parts[0], *parts[1]), self.mask_mod, (new_q_len, new_kv_len))

    def _kv_blocks(self) -> tuple[Tensor | None, ...]:
        return self.kv_num_blocks, self.kv_indices, self.full_kv_num_blocks, self.full_kv_indices

    def _refuse_order(self, what: str) -> None:
        if self.dq_kv_order is not None:
            raise NotImplementedError(
                f"{what} BlockMask with tensor dq_kv_order is not supported yet. Construct a new BlockMask with "
                "matching precomputed dq_write_order metadata."
            )

    def _of(self, blocks: Any, mask_mod: _mask_mod_signature, seq_lengths: tuple[int, int]) -> BlockMask:
        """Return a mask of other blocks of the same size, with its order of writing where this has one."""
        num_blocks, indices, full_num_blocks, full_indices = blocks
        mask = BlockMask.from_kv_blocks(
            num_blocks,
            indices,
            full_num_blocks,
            full_indices,
            BLOCK_SIZE=self.BLOCK_SIZE,
            mask_mod=mask_mod,
            seq_lengths=seq_lengths,
            compute_q_blocks=self.q_indices is not None,
        )
        mask.dq_kv_order_spt = self.dq_kv_order_spt
        if self.dq_write_order is not None:
            mask.dq_write_order, mask.dq_write_order_full = _compute_dq_write_order_from_block_mask(
                mask, self.dq_kv_order_spt
            )
        return mask

    # ----- As text -----

    def to_string(self, grid_size: int | tuple[int, int] = (20, 20), limit: int = 4) -> str:
        """Return a picture of the blocks, one for each batch and head.

        Args:
            grid_size: into how many lines and columns it is pressed; -1: one for each block.
            limit: how many pictures.
        """
        dense = self.to_dense()
        *lead, rows, columns = dense.shape
        most = (grid_size, grid_size) if isinstance(grid_size, int) else grid_size
        down, right = (max(1, -(-n // m)) for n, m in zip((rows, columns), most, strict=True))
        pictures = []
        for count, place in enumerate(itertools.product(*[range(n) for n in lead])):
            if count == limit:
                pictures += [
                    "...",
                    "To print out more, set BlockMask.to_string(limit=N)",
                    "You can also index (BlockMask[batch, head]) to choose a specific batch or head",
                ]
                break
            shares = [
                [dense[place][r : r + down, c : c + right].float().mean().item() for c in range(0, columns, right)]
                for r in range(0, rows, down)
            ]
            lines = ["".join(2 * ("█" if s == 1 else "░" if s else " ") for s in line) for line in shares]
            pictures.append("\n".join([f"{place}", *lines, ""]))
        return "\n".join(pictures)

    def __str__(self) -> str:
        head = f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%, \n"
        return f"{head}{self.to_string().strip()}\n)"

    def __repr__(self) -> str:
        shapes = {name: getattr(self, name) for name in self._TENSOR_ATTRS[:8]}
        shown = {name: None if x is None else x.shape for name, x in shapes.items()}
        shown |= {"BLOCK_SIZE": self.BLOCK_SIZE, "shape": self.shape, "sparsity": f"{self.sparsity():.2f}%"}
        shown["mask_mod"] = getattr(self.mask_mod, "__name__", self.mask_mod)
        return "BlockMask(\n" + ",\n".join(f"    {name}={value}" for name, value in shown.items()) + "\n)"


def _check_pair(kind: str, num_blocks: Tensor | None, indices: Tensor | None) -> None:
    if (num_blocks is None) != (indices is None):
        raise AssertionError(f"full_{kind}_num_blocks and full_{kind}_indices must be both provided or omitted")
