"""Arguments that name dimensions and sizes."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from npg import _errors
from npg.engine import TensorBase
from npg.engine._common import type_name
from npg.functional._public import canonical_dim

__all__ = ["array_of", "dim_index", "dims_of", "dims_tuple", "sizes_of", "tensor_list"]


def array_of(name: str, x: Any, argument: str = "input", position: int = 1) -> Any:
    """Return the ndarray of a tensor, or the ndarray itself.

    Raises: TypeError: for anything else, in PyTorch's words.
    """
    if isinstance(x, TensorBase):
        return x._array
    if isinstance(x, np.ndarray):
        return x
    raise TypeError(_errors.NOT_A_TENSOR.format(name=name, argument=argument, position=position, kind=type_name(x)))


def dim_index(name: str, dim: Any, ndim: int) -> int:
    """Return one dimension counted from the front.

    Raises: TypeError: when it is no int. IndexError: when it is out of range.
    """
    if type(dim) is int and -ndim <= dim < ndim:
        return dim if dim >= 0 else dim + ndim
    if type(dim) is not int:
        if isinstance(dim, (bool, float)) or not hasattr(dim, "__index__"):
            raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
        dim = operator.index(dim)
    return canonical_dim(dim, ndim)


def dims_tuple(name: str, dims: Any, ndim: int) -> tuple[int, ...]:
    """Return dimensions (an int or a sequence of ints) counted from the front.

    Raises: IndexError: when one is out of range. RuntimeError: when one appears twice.
    """
    if not isinstance(dims, (tuple, list)):
        return (dim_index(name, dims, ndim),)
    found = tuple([dim_index(name, d, ndim) for d in dims])
    if len(set(found)) != len(found):
        twice = next(d for i, d in enumerate(found) if d in found[:i])
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return found


def dims_of(name: str, dim: Any, ndim: int) -> tuple[int, ...] | None:
    """Return the dimensions to reduce: None for all, which None and an empty sequence stand for.

    Raises: see dims_tuple.
    """
    if dim is None:
        return None
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim if dim >= 0 else dim + ndim,)
    found = dims_tuple(name, dim, ndim)
    return found if ndim and found else None


def sizes_of(name: str, given: Any, argument: str = "size", named: Any = None) -> tuple[int, ...]:
    """Return sizes given one by one, as one sequence, or `named`, the sequence given by keyword.

    Raises: TypeError: when one is no integer, or none was given.
    """
    if named is not None and not given:
        given = named if isinstance(named, (tuple, list)) else (named,)
    elif len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = given[0]
    elif not given:
        raise TypeError(f'{name}() missing 1 required positional arguments: "{argument}"')
    for i, n in enumerate(given):
        if type(n) is not int:
            if isinstance(n, (bool, float)) or not hasattr(n, "__index__"):
                raise TypeError(
                    f"{name}(): argument '{argument}' (position 1) must be tuple of ints, "
                    f"but found element of type {type(n).__name__} at pos {i}"
                )
            return tuple([operator.index(k) for k in given])
    return tuple(given)


def tensor_list(name: str, tensors: Any) -> tuple[Any, ...]:
    """Return a sequence of tensors (or ndarrays) as a tuple.

    Raises: TypeError: for anything else, in PyTorch's words.
    """
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    for i, x in enumerate(tensors):
        if not isinstance(x, (TensorBase, np.ndarray)):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type_name(x)}")
    return tuple(tensors)
