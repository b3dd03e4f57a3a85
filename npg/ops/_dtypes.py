"""Which dtypes an op refuses, in PyTorch's words. See Op.refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg import dtypes


def _refuse(kernel: str, lowest: int) -> Callable[..., None]:
    def check(*operands: Any) -> None:
        dtype = dtypes.common_dtype(operands)
        if dtype.category < lowest:
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.scalar_name}'")

    return check


def no_bool(kernel: str) -> Callable[..., None]:
    """Return a check that refuses operands whose common dtype is bool; kernel is PyTorch's name in the message."""
    return _refuse(kernel, dtypes.INTEGER)


def no_integers(kernel: str) -> Callable[..., None]:
    """Return a check that refuses operands whose common dtype is bool or an integer."""
    return _refuse(kernel, dtypes.FLOATING)


def only_integers(kernel: str, bools: bool = True) -> Callable[..., None]:
    """Return a check that refuses floating operands, and with bools=False bools too."""

    def check(*operands: Any) -> None:
        dtype = dtypes.common_dtype(operands)
        if dtype.is_floating_point or (dtype is dtypes.bool_ and not bools):
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.scalar_name}'")

    return check


def refuse_floats(kernel: str, *operands: Any, bools: bool = True) -> None:
    """Refuse floating operands, and with bools=False bools, in a forward.

    Op.refuses does not see operands that are all of one floating dtype.

    Raises: NotImplementedError: for floats. ValueError: first, as in PyTorch, where the shapes do not broadcast.
    """
    np.broadcast(*operands)
    only_integers(kernel, bools)(*operands)
