"""Checks of arguments: tensors, dimensions, sizes, and shapes that must fit together."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from npg import _errors
from npg._naming import named
from npg._words import scalar_name, shape_text, type_name
from npg.engine import TensorBase


def checked_array(name: str, x: Any, argument: str = "input", position: int = 1) -> Any:
    """Return the ndarray of a tensor, or the ndarray itself.

    Raises: TypeError: for anything else, in PyTorch's words.
    """
    if isinstance(x, TensorBase):
        return x._array
    if isinstance(x, np.ndarray):
        return x
    called = name.replace(".", "_")  # linalg_inv
    raise TypeError(_errors.NOT_A_TENSOR.format(name=called, argument=argument, position=position, kind=type_name(x)))


def index_of(value: Any) -> int:
    """Return an integer. Raises: TypeError: for anything else, bools too: it says which argument; see explain."""
    no_bool: Any = None if isinstance(value, bool) else value
    return operator.index(no_bool)


def canonical_dim(dim: int, ndim: int) -> int:
    """Return dim as a non-negative index.

    Raises: IndexError: when it is out of range; a 0-d tensor takes -1 and 0.
    """
    bound = max(ndim, 1)
    if not -bound <= dim < bound:
        if not -(2**63) <= dim < 2**63:
            raise ValueError("Overflow when unpacking long long")
        raise IndexError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return dim % bound


def dim_index(name: str, dim: Any, ndim: int) -> int:
    """Return one dimension as a non-negative index.

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
    """Return dimensions (an int or a sequence of ints) as non-negative indices.

    Raises: IndexError: when one is out of range. RuntimeError: when one appears twice.
    """
    if not isinstance(dims, (tuple, list)):
        return (dim_index(name, dims, ndim),)
    result = tuple([dim_index(name, d, ndim) for d in dims])
    if len(set(result)) != len(result):
        twice = next(d for i, d in enumerate(result) if d in result[:i])
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return result


def dims_of(name: str, dim: Any, ndim: int) -> tuple[int, ...] | None:
    """Return the dimensions to reduce, None for all; None and an empty sequence stand for all.

    Raises: see dims_tuple.
    """
    if dim is None:
        return None
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim if dim >= 0 else dim + ndim,)
    dims = dims_tuple(name, dim, ndim)
    return dims if ndim and dims else None


def sizes_of(
    name: str, args: tuple[Any, ...], argument: str = "size", keyword: Any = None, position: int = 1
) -> tuple[int, ...]:
    """Return the sizes passed to a call one by one, as one sequence, or by keyword (`keyword`).

    Args: position: where the argument stands in the call.
    Raises: TypeError: when one is no integer, none was passed, or both ways were used.
    """
    if keyword is None and args:
        for n in args:  # nearly every call
            if type(n) is not int:
                break
        else:
            return args
    if keyword is not None:
        if args:
            raise TypeError(f"{name}() got multiple values for argument '{argument}'")
        args = (keyword,)
    if not args:
        raise TypeError(f'{name}() missing 1 required positional arguments: "{argument}"')
    first = args[0]
    is_sequence = isinstance(first, (tuple, list))
    if is_sequence and len(args) > 1:
        raise TypeError(f"{name}() takes 1 positional argument but {len(args)} were given")
    sizes = first if is_sequence else args
    if all(type(n) is int for n in sizes):
        return tuple(sizes)
    integers = []
    for i, n in enumerate(sizes):
        if not isinstance(n, (bool, np.bool_)):
            try:
                integers.append(operator.index(n))
                continue
            except TypeError:
                pass
        kind = type(n).__name__
        if i:
            why = f"type must be tuple of ints,but got {kind}"
            raise TypeError(
                f"{name}(): argument '{argument}' failed to unpack the object at pos {i + 1} with error \"{why}\""
            )
        reason = f"but found element of type {kind} at pos 0" if is_sequence else f"not {kind}"
        raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be tuple of ints, {reason}")
    return tuple(integers)


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


# ----- Shapes -----


def broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that two shapes broadcast to.

    Raises: RuntimeError: when they do not, in PyTorch's words.
    """
    try:
        return a if a == b else np.broadcast_shapes(a, b)
    except ValueError:
        for i in range(1, min(len(a), len(b)) + 1):
            if a[-i] != b[-i] and a[-i] != 1 and b[-i] != 1:
                dimension = max(len(a), len(b)) - i
                raise RuntimeError(_errors.SIZE_MISMATCH.format(a=a[-i], b=b[-i], dimension=dimension)) from None
        raise


def expanded_shape(array: np.ndarray[Any, Any], sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes to which an array is expanded, with -1 replaced by its own size.

    Raises: RuntimeError: when the array does not broadcast to them.
    """
    own, lead = array.shape, len(sizes) - array.ndim
    if lead < 0:
        raise RuntimeError(
            named(
                f"expand(npg.{scalar_name(array)}Tensor{{{shape_text(own)}}}, size={shape_text(sizes)}): the number of "
                f"sizes provided ({len(sizes)}) must be greater or equal to the number of dimensions in the tensor "
                f"({len(own)})"
            )
        )
    shape = list(sizes)
    for i in reversed(range(len(sizes))):
        n = sizes[i]
        if i < lead:
            if n < 0:
                raise RuntimeError(
                    f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}"
                )
        elif n == -1:
            shape[i] = own[i - lead]
        elif own[i - lead] not in (n, 1) or n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({own[i - lead]}) at "
                f"non-singleton dimension {i}.  Target sizes: {shape_text(sizes)}.  Tensor sizes: {shape_text(own)}"
            )
    return tuple(shape)


def without(sizes: tuple[int, ...], dim: int) -> tuple[int, ...]:
    """Return the sizes of all dimensions but one."""
    return sizes[:dim] + sizes[dim + 1 :]
