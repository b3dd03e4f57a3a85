"""torch._assert and torch._check: conditions that a program states, with the error to raise where they do not hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npg import dtypes
from npg.tensor import Tensor

_TEXT = (
    "Expected cond to be True, but got False. (Could this error message be improved? If so, please report an "
    "enhancement request to PyTorch.)"
)
_Message = Callable[[], object] | None


def _assert(condition: Any, message: Any) -> None:
    """Raise AssertionError with a message unless a condition, a bool or a tensor of one element, holds."""
    assert condition, message


def _text(message: _Message) -> str:
    if message is None:
        return _TEXT
    if not callable(message):
        raise TypeError("message must be a callable")
    return str(message())


def _check_with(error_type: type[Exception], cond: bool, message: _Message) -> None:
    """Raise an error of a type, whose text message() returns, unless cond is True.

    Raises: TypeError: when cond is no bool.
    """
    if not isinstance(cond, bool):
        if isinstance(cond, Tensor):
            raise TypeError(
                "cond must be a bool, but got a Tensor. For tensor conditions, use torch._check_tensor_all() to assert "
                "that all elements are true."
            )
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if not cond:
        raise error_type(_text(message))


def _check(cond: bool, message: _Message = None) -> None:
    """Raise RuntimeError unless cond is True. Source: torch._check."""
    _check_with(RuntimeError, cond, message)


def _check_index(cond: bool, message: _Message = None) -> None:
    """Raise IndexError unless cond is True. Source: torch._check_index."""
    _check_with(IndexError, cond, message)


def _check_value(cond: bool, message: _Message = None) -> None:
    """Raise ValueError unless cond is True. Source: torch._check_value."""
    _check_with(ValueError, cond, message)


def _check_type(cond: bool, message: _Message = None) -> None:
    """Raise TypeError unless cond is True. Source: torch._check_type."""
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond: bool, message: _Message = None) -> None:
    """Raise NotImplementedError unless cond is True. Source: torch._check_not_implemented."""
    _check_with(NotImplementedError, cond, message)


def _check_is_size(i: int, message: _Message = None, *, max: int | None = None) -> None:
    """Raise RuntimeError unless i is a size, at most max. Source: torch._check_is_size."""
    _check(i >= 0 and (max is None or i <= max), message)


def _check_tensor_all_with(error_type: type[Exception], cond: Any, message: _Message = None) -> None:
    """Raise an error of a type unless all elements of a tensor of bools are True."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype is not dtypes.bool_:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got torch.{cond.dtype.name}")
    _check_with(error_type, bool(cond.all()), message)


def _check_tensor_all(cond: Any, message: _Message = None) -> None:
    """Raise RuntimeError unless all elements of a tensor of bools are True. Source: torch._check_tensor_all."""
    _check_tensor_all_with(RuntimeError, cond, message)
