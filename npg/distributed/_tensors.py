"""Tensors as memory for MPI, and what all collectives check.

Source: torch.distributed.distributed_c10d.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npg.distributed import _check
from npg.distributed._groups import ProcessGroup
from npg.distributed._mpi import buffer_of
from npg.distributed._work import Operation, carry_out
from npg.tensor import Tensor

Array = np.ndarray[Any, Any]


def check_tensor(x: Any, name: str) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type torch.Tensor\n"
            f"             but got {type(x)} instead."
        )


def check_tensors(xs: Any, name: str) -> None:
    if not isinstance(xs, list):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type List[torch.Tensor]\n"
            f"             but got {type(xs)} instead."
        )
    if not all(isinstance(x, Tensor) for x in xs):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type List[torch.Tensor]\n"
            f"             but got {type(xs)} with elements of type {[type(x) for x in xs]}."
        )


def check_dtypes(*tensors: Tensor) -> None:
    for x in tensors[1:]:
        if x.dtype != tensors[0].dtype:
            raise ValueError(f"Invalid usage of tensors with different dtypesFound {tensors[0].dtype} and  {x.dtype}")


def numbers_of(x: Tensor) -> Array:
    """Return the numbers of a tensor, C-contiguous, to be read."""
    return np.ascontiguousarray(x._array)


class Taken:
    """Memory that results are written to: that of a tensor where it is contiguous."""

    def __init__(self, x: Tensor) -> None:
        self.tensor, array = x, x._array
        self.is_own = array.flags.c_contiguous and array.flags.writeable
        self.array = array if self.is_own else array.copy("C")

    def put(self) -> None:
        """Give the tensor the results."""
        if not self.is_own:
            self.tensor._array[...] = self.array
        self.tensor._counter.value += 1


def flat_of(tensors: Sequence[Tensor]) -> Array:
    """Return the numbers of tensors, one after the other."""
    arrays = [x._array.reshape(-1) for x in tensors]
    return np.concatenate(arrays) if arrays else np.empty(0)


def spread(flat: Array, tensors: Sequence[Tensor]) -> None:
    """Give each tensor its numbers of those that lie one after the other."""
    start = 0
    for x in tensors:
        x._array[...] = flat[start : start + x._array.size].reshape(x._array.shape)
        x._counter.value += 1
        start += x._array.size


def parts_of(array: Array, sizes: Sequence[int]) -> list[Any]:
    """Return what mpi4py takes for parts of so many numbers each, one after the other."""
    memory, kind = buffer_of(array)
    return [memory, list(sizes), None, kind]


def announce(chosen: ProcessGroup, name: str, same: Any) -> None:
    chosen.count += 1
    if _check.get_debug_level() is _check.DebugLevel.DETAIL:
        _check.compare(chosen, name, same)


def like(*tensors: Tensor) -> str:
    return "; ".join(f"TensorShape={list(x.shape)}, TensorDtypes={x.dtype}" for x in tensors)


def begin(
    chosen: ProcessGroup, name: str, request: Any, tensors: Sequence[Tensor], finish: Callable[[], object], keep: Any,
    async_op: bool, result: Any = None,
) -> Any:  # fmt: skip
    operation = Operation(chosen, [request], _check.describe(name, tensors), finish, keep)
    return carry_out(operation, chosen, async_op, list(tensors) if result is None else result)


def check_count(tensors: Sequence[Any], chosen: ProcessGroup, name: str) -> None:
    if len(tensors) != chosen.size():
        raise ValueError(f"{name} has {len(tensors)} tensors, the group has {chosen.size()} ranks")


def check_shapes(tensors: Sequence[Tensor], like: Tensor, name: str) -> None:
    for i, x in enumerate(tensors):
        if x._array.size != like._array.size:
            raise ValueError(
                f"{name}: tensor {i} has the shape {tuple(x.shape)}, the tensor of this rank {tuple(like.shape)}"
            )


def is_given_in_root(given: Any, chosen: ProcessGroup, root: int, name: str, kind: str) -> bool:
    """Tell whether this is the root, the only rank that gives the list.

    Raises: ValueError: where it does not, or another one does.
    """
    is_root = root == chosen.rank()
    if is_root and not given:
        raise ValueError(f"Argument ``{name}`` must be specified on {kind} rank.")
    if not is_root and given:
        raise ValueError(f"Argument ``{name}`` must NOT be specified on non-{kind} ranks.")
    return is_root
