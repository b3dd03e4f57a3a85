"""New random tensors: rand, randn, randint, randperm, normal, and their _like forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import random
from npg.engine import TensorBase, apply
from npg.functional._factory import (
    check_options,
    drawn,
    dtype_of,
    empty_array_like,
    finish,
    leaf,
    new_array,
    parse_sizes,
)
from npg.functional._public import new_function
from npg.functional.generator import check_generator
from npg.ops import random as ops
from npg.tensor import Tensor

# ----- Of a given size -----


@new_function
def rand(
    *args: Any,
    size: Any = None,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new leaf of uniform numbers from [0, 1): rand(2, 3), rand((2, 3)). Source: torch.rand."""
    place = check_options(layout, device, pin_memory)
    check_generator("rand", generator)
    shape, kind = parse_sizes("rand", args, size), dtype_of(dtype, out)
    requires_grad = bool(requires_grad)  # before anything is drawn
    draw = lambda array: random.uniform_(array, generator=generator)
    return drawn("rand", draw, shape, kind, out, requires_grad, place=place)


@new_function
def randn(
    *args: Any,
    size: Any = None,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new leaf of standard normal numbers: randn(2, 3), randn((2, 3)). Source: torch.randn."""
    place = check_options(layout, device, pin_memory)
    check_generator("randn", generator)
    shape, kind = parse_sizes("randn", args, size), dtype_of(dtype, out)
    requires_grad = bool(requires_grad)  # before anything is drawn
    draw = lambda array: random.normal_(array, generator=generator)
    return drawn("randn", draw, shape, kind, out, requires_grad, place=place)


@new_function
def randint(
    *args: Any,
    low: Any = None,
    high: Any = None,
    size: Any = None,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return whole numbers from [low, high), int64 by default: randint(high, size), randint(low, high, size).

    Raises: RuntimeError: when low >= high, or when either does not fit the dtype.
    Source: torch.randint.
    """
    place = check_options(layout, device, pin_memory)
    check_generator("randint", generator)
    positional = list(args)
    if size is None:
        if not positional:
            raise TypeError('randint() missing 1 required positional arguments: "size"')
        size = positional.pop()
    bounds = _bounds("randint", positional, low, high)
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"randint(): argument 'size' (position {len(args)}) must be tuple of ints, not {type(size).__name__}"
        )
    kind = np.dtype(np.int64) if dtype is None and out is None else dtype_of(dtype, out)
    shape = parse_sizes("randint", (size,))
    requires_grad = bool(requires_grad)  # before anything is drawn
    draw = lambda array: random.random_(array, *bounds, generator=generator)
    return drawn("randint", draw, shape, kind, out, requires_grad, place=place)


def _bounds(name: str, args: list[Any], low: Any, high: Any) -> tuple[int, int]:
    """Return (low, high) of the calls f(high), f(low, high) and their keywords."""
    if len(args) > 2:
        raise TypeError(f"{name}() takes at most 2 bounds, got {len(args)}")
    if len(args) == 2:
        low, high = args
    elif args and high is None:
        high = args[0]
    elif args:
        low = args[0]
    if high is None:
        raise TypeError(f'{name}() missing 1 required positional arguments: "high"')
    return _whole(name, "low", 0 if low is None else low), _whole(name, "high", high)


def _whole(name: str, argument: str, value: Any) -> int:
    if isinstance(value, (bool, float)) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}(): argument '{argument}' (position 1) must be int, not {type(value).__name__}")
    return value.__index__()


@new_function
def randperm(
    n: int,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a random permutation of 0 to n - 1, int64 by default. Source: torch.randperm."""
    place = check_options(layout, device, pin_memory)
    check_generator("randperm", generator)
    kind = np.dtype(np.int64) if dtype is None and out is None else dtype_of(dtype, out)
    requires_grad = bool(requires_grad)  # before anything is drawn
    count = _whole("randperm", "n", n)
    make = lambda _shape, kind: random.randperm(count, kind, generator)
    return finish("randperm", new_array(place, (count,), kind, make), out, requires_grad)


@new_function
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return normally distributed numbers.

    Args:
        mean, std: tensors, which are broadcast, or a tensor and a number; or two numbers and a size.
        size: the shape, with two numbers only.
    Returns: the dtype of mean or std if one is a tensor, else the default.
    Raises: RuntimeError: when std is negative, or when the shapes do not broadcast.
    Source: torch.normal; gradients to mean and std are zero, as there.
    """
    check_generator("normal", generator)
    tensors = [isinstance(x, (TensorBase, np.ndarray)) for x in (mean, std)]
    if not any(tensors):
        if size is None:
            raise TypeError("normal(): expected size=(...) with two numbers for mean and std")
        place = check_options(layout, device, pin_memory)
        shape, kind = parse_sizes("normal", (tuple(size),)), dtype_of(dtype, out)
        requires_grad = bool(requires_grad)  # before anything is drawn
        draw = lambda array: random.normal_(array, mean, std, generator)
        return drawn("normal", draw, shape, kind, out, requires_grad, place=place)
    if size is not None:
        raise TypeError("normal(): got a size beside tensors for mean and std; their shapes give the size")
    if out is None:
        return apply(ops.normal, (mean, std), {"generator": generator})
    draws = lambda array, mean, std: random.normal(mean, std, generator, array)
    return drawn("normal", draws, None, None, out, inputs=(mean, std))


# ----- Like another -----


def _like(name: str, input: Any, generator: Any, *options: Any) -> np.ndarray[Any, Any]:
    check_generator(name, generator)
    return empty_array_like(name, input, *options)


@new_function
def rand_like(
    input: Any,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new leaf of uniform numbers from [0, 1) in the shape of input. Source: torch.rand_like."""
    array = _like("rand_like", input, generator, dtype, layout, device, memory_format, pin_memory)
    requires_grad = bool(requires_grad)  # before anything is drawn
    return leaf(random.uniform_(array, generator=generator), requires_grad)


@new_function
def randn_like(
    input: Any,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new leaf of standard normal numbers in the shape of input. Source: torch.randn_like."""
    array = _like("randn_like", input, generator, dtype, layout, device, memory_format, pin_memory)
    requires_grad = bool(requires_grad)  # before anything is drawn
    return leaf(random.normal_(array, generator=generator), requires_grad)


@new_function
def randint_like(
    input: Any,
    *args: Any,
    low: Any = None,
    high: Any = None,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return whole numbers in the shape of input: randint_like(x, high), randint_like(x, low, high).

    Source: torch.randint_like.
    """
    bounds = _bounds("randint_like", list(args), low, high)
    array = _like("randint_like", input, generator, dtype, layout, device, memory_format, pin_memory)
    requires_grad = bool(requires_grad)  # before anything is drawn
    return leaf(random.random_(array, *bounds, generator=generator), requires_grad)
