"""The placeholder of a batched tensor's ndarray: it has a shape and a dtype, and no values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class Unbatchable(RuntimeError):
    """Raised on access to the values of a batched tensor. `level` is the number of its vmap."""

    def __init__(self, level: int, what: str) -> None:
        super().__init__(
            f"vmap: {what} needs the values of a batched tensor. Outside of the function given to vmap there are none."
        )
        self.level, self.what = level, what


UNBATCHED_SELF = (
    "vmap: {name}(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that has more "
    "elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over in a "
    "vmap. Please try to use out-of-place operators instead of {name}. If said operator is being called inside the "
    "PyTorch framework, please file a bug report instead."
)

# ----- The stand-in for the ndarray -----

_FLAGS = np.empty(1).flags


class Standin:
    """An object with the shape and dtype of an ndarray; any other access raises."""

    def __init__(self, level: int, shape_: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.level, self.shape, self.dtype = level, shape_, dtype

    __class__ = np.ndarray  # type: ignore[assignment]  # for isinstance(); NumPy itself looks at the type
    flags = _FLAGS  # those of a contiguous array
    base = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        return tuple(self.dtype.itemsize * math.prod(self.shape[i + 1 :]) for i in range(len(self.shape)))

    def __len__(self) -> int:
        return self.shape[0]

    def __getattr__(self, name: str) -> Any:
        raise Unbatchable(self.level, f"ndarray.{name}")

    def __array__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise Unbatchable(self.level, "a conversion to an ndarray")

    def __array_ufunc__(self, ufunc: Any, *_args: Any, **_kwargs: Any) -> Any:
        raise Unbatchable(self.level, f"np.{ufunc.__name__}")

    def __array_function__(self, function: Any, _types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.empty_like:  # for zeros_like and the like
            dtype = kwargs.get("dtype")
            return np.empty(self.shape, self.dtype if dtype is None else dtype).view(LikeArray)
        if function in (np.may_share_memory, np.shares_memory):
            return False
        if function is np.copyto and not isinstance(args[0], (LikeArray, Standin)):
            raise RuntimeError(UNBATCHED_SELF.format(name="copy_"))
        raise Unbatchable(self.level, f"np.{function.__name__}")


def _refusing(name: str) -> Any:
    def refuse(self: Any, *_args: Any) -> Any:
        raise Unbatchable(self.level, f"ndarray.{name}")

    return refuse


for _name in (
    "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift radd rsub rmul rtruediv rpow rand ror iadd "
    "isub imul itruediv lt le gt ge eq ne neg pos abs invert bool int float index complex getitem setitem iter contains"
).split():
    setattr(Standin, f"__{_name}__", _refusing(f"__{_name}__"))


class LikeArray(np.ndarray[Any, Any]):
    """The array of zeros_like(x) for a batched x: before an in-place write it is repeated for each example."""

    def __array_wrap__(self, array: Any, _context: Any = None, return_scalar: bool = False) -> Any:
        array = np.asarray(array)
        return array[()] if return_scalar else array


class _Guard(np.ndarray[Any, Any]):
    """The placeholder that the compiled engine holds: a nan, in an array that NumPy refuses to use."""

    def __array_ufunc__(self, ufunc: Any, *_args: Any, **_kwargs: Any) -> Any:
        raise Unbatchable(0, f"np.{ufunc.__name__}")

    def __array_function__(self, function: Any, *_args: Any, **_kwargs: Any) -> Any:  # type: ignore[override]
        raise Unbatchable(0, f"np.{function.__name__}")


def guard(shape_: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    one = np.full((), np.nan if dtype.kind == "f" else 1, dtype)
    return np.broadcast_to(one, shape_).view(_Guard)
