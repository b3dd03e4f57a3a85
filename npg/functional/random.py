"""Random numbers drawn into a tensor, or with probabilities from one; for the same seed they equal
PyTorch's, see npg/random."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from npg import random
from npg.engine import TensorBase, apply, apply_in_place, array_of, bump_version, check_in_place, is_grad_enabled, wrap
from npg.functional._factory import drawn, finish, leaf
from npg.functional._public import as_tensor_input, new_function, public_function
from npg.functional._types import T
from npg.functional.generator import check_generator
from npg.ops import random as ops
from npg.ops.elementwise import clone

# ----- In place -----


def _fill(name: str, input: Any, *args: Any, generator: Any) -> Any:
    """Fill a tensor with the function of npg.random of this name."""
    check_generator(name, generator)
    draw = functools.partial(_draw, getattr(random, name), args, generator)
    if is_grad_enabled() and input.requires_grad:
        return apply_in_place(ops.NAMED[name], (input,), {"draw": draw})
    check_in_place(input)
    draw(input._array)
    bump_version(input)
    return input


def _draw(function: Any, args: tuple[Any, ...], generator: Any, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return function(array, *args, generator=generator)


def _from_to(name: str, low: Any, high: Any, named: dict[str, Any]) -> tuple[Any, Any]:
    """Return the bounds, which `named` may hold under PyTorch's names `from` and `to`."""
    low, high = named.pop("from", low), named.pop("to", high)
    if named:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(named))}'")
    return low, high


@public_function
def uniform_(input: T, low: float = 0.0, high: float = 1.0, *, generator: Any = None, **named: Any) -> T:
    """Fill input with uniform numbers from [low, high); PyTorch's names are `from` and `to`.

    Source: torch.Tensor.uniform_.
    """
    low, high = _from_to("uniform_", low, high, named)
    return _fill("uniform_", input, low, high, generator=generator)


@public_function
def normal_(input: T, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> T:
    """Fill input with normally distributed numbers. Source: torch.Tensor.normal_."""
    return _fill("normal_", input, mean, std, generator=generator)


@public_function
def random_(input: T, *args: Any, generator: Any = None, **named: Any) -> T:
    """Fill input with whole numbers: random_(to), random_(from, to), or random_() over the dtype's range.

    Source: torch.Tensor.random_.
    """
    if len(args) > 2:
        raise TypeError(f"random_() takes at most 2 positional arguments, got {len(args)}")
    low, high = args if len(args) == 2 else (None, args[0]) if args else (None, None)
    low, high = _from_to("random_", low, high, named)
    return _fill("random_", input, low, high, generator=generator)


@public_function
def exponential_(input: T, lambd: float = 1.0, *, generator: Any = None) -> T:
    """Fill input with exponentially distributed numbers of rate lambd. Source: torch.Tensor.exponential_."""
    return _fill("exponential_", input, lambd, generator=generator)


@public_function
def cauchy_(input: T, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> T:
    """Fill input with Cauchy-distributed numbers. Source: torch.Tensor.cauchy_."""
    return _fill("cauchy_", input, median, sigma, generator=generator)


@public_function
def log_normal_(input: T, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> T:
    """Fill input with numbers whose logarithm is normally distributed. Source: torch.Tensor.log_normal_."""
    return _fill("log_normal_", input, mean, std, generator=generator)


@public_function
def geometric_(input: T, p: float, *, generator: Any = None) -> T:
    """Fill input with the number of trials up to the first success. Source: torch.Tensor.geometric_."""
    return _fill("geometric_", input, p, generator=generator)


@public_function
def bernoulli_(input: T, p: Any = 0.5, *, generator: Any = None) -> T:
    """Fill input with 1 where a trial succeeds, else 0.

    Args:
        p: the probability, a number or a tensor that broadcasts to input's shape.
    Raises: RuntimeError: when a probability is outside [0, 1].
    Source: torch.Tensor.bernoulli_.
    """
    if not isinstance(p, (TensorBase, np.ndarray)):
        if not isinstance(p, (bool, int, float, np.generic)):
            kind = type(p).__name__
            raise TypeError(f"bernoulli_(): argument 'p' (position 1) must be Tensor or float, not {kind}")
        return _fill("bernoulli_", input, p, generator=generator)
    check_generator("bernoulli_", generator)
    if is_grad_enabled() and (input.requires_grad or isinstance(p, TensorBase) and p.requires_grad):
        return apply_in_place(ops.bernoulli_each, (input, p), {"generator": generator})
    check_in_place(input)
    random.bernoulli_(input._array, array_of(p), generator)
    bump_version(input)
    return input


# ----- From probabilities -----


@new_function
def bernoulli(input: T, p: Any = None, *, generator: Any = None, out: T | None = None) -> T:
    """Return 1 with the probability in input (or with probability p everywhere), else 0.

    Returns: the shape and dtype of input.
    Raises: RuntimeError: when a probability is outside [0, 1].
    Source: torch.bernoulli; the gradient is zero.
    """
    x = as_tensor_input("bernoulli", input)
    check_generator("bernoulli", generator)
    if out is not None and p is None:
        draw = lambda array, p: random.bernoulli_(array, p, generator)
        return drawn("bernoulli", draw, x.shape, None, out, inputs=(x,))
    if p is None:
        draws = apply(ops.bernoulli, (x,), {"generator": generator})
    else:
        array = array_of(x)
        recorded = is_grad_enabled() and getattr(x, "requires_grad", False)
        place = apply(clone, (x,), {}) if recorded else wrap(np.empty(array.shape, array.dtype))
        draws = bernoulli_(place, p, generator=generator)
    return draws if out is None else finish("bernoulli", draws._array, out)


@public_function
def poisson(input: T, generator: Any = None) -> T:
    """Return Poisson-distributed counts with the means in input.

    Source: torch.poisson; the gradient is zero.
    """
    check_generator("poisson", generator)
    return apply(ops.poisson, (as_tensor_input("poisson", input),), {"generator": generator})


@new_function
def multinomial(
    input: T, num_samples: int, replacement: bool = False, *, generator: Any = None, out: T | None = None
) -> T:
    """Draw indices with the weights in input.

    Args:
        input: (K,) or (B, K) floating; weights >= 0, finite, not all zero.
        num_samples: the number of indices per row.
        replacement: whether an index may be drawn twice.
    Returns: (num_samples,) or (B, num_samples) int64.
    Raises: RuntimeError: when a weight is negative or not finite, or when too few are nonzero for the samples.
    Source: torch.multinomial.
    """
    x = as_tensor_input("multinomial", input)
    check_generator("multinomial", generator)
    array = array_of(x)
    if out is not None:
        as_tensor_input("multinomial", out, "out", 4)  # before anything is drawn
    indices = random.multinomial(array, num_samples, replacement, generator)
    return leaf(indices) if out is None else finish("multinomial", indices, out)
