"""Random tensors: the streams of npg/random.py, number for number PyTorch's, in PyTorch's functions."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from npg import dtypes, random
from npg.engine import TensorBase, apply, apply_in_place, bump_version, check_in_place, is_grad_enabled, wrap
from npg.functional._attributes import CPU, device
from npg.functional._factory import check_options, dtype_of, finish, leaf, like_array, parse_sizes
from npg.functional._public import as_tensor_input
from npg.ops import drawing as ops

__all__ = [
    "Generator",
    "bernoulli",
    "bernoulli_",
    "cauchy_",
    "default_generator",
    "exponential_",
    "geometric_",
    "get_rng_state",
    "initial_seed",
    "log_normal_",
    "manual_seed",
    "multinomial",
    "normal",
    "normal_",
    "poisson",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "random_",
    "randperm",
    "seed",
    "set_rng_state",
    "uniform_",
]

# ----- Generators -----


class Generator(random.Generator):
    """A stream of random numbers; its states are tensors.

    Args:
        device: the CPU.
    Raises: RuntimeError: for another device.
    Source: torch.Generator.
    """

    @property
    def device(self) -> device:  # type: ignore[override]
        """The CPU."""
        return CPU

    def get_state(self) -> Any:
        """Return the state: a (5056,) uint8 tensor, byte for byte PyTorch's."""
        return wrap(super().get_state())

    def set_state(self, new_state: Any) -> Generator:  # type: ignore[override]
        """Continue from a state.

        Raises: TypeError: when it is no uint8 tensor. RuntimeError: when it cannot be a state.
        """
        if not isinstance(new_state, TensorBase):
            raise TypeError(f"expected a npg.ByteTensor, but got {type(new_state).__name__}")
        if new_state._array.dtype != np.uint8:
            raise TypeError("RNG state must be a npg.ByteTensor")
        super().set_state(np.ascontiguousarray(new_state._array))
        return self


# The generator that npg/random.py falls back on gets a tensor's manners; its stream stays one and the same.
default_generator = random.default_generator
default_generator.__class__ = Generator


def manual_seed(seed: Any) -> Generator:
    """Restart the default generator from a seed, and return it. Source: torch.manual_seed."""
    random.manual_seed(seed)
    return default_generator  # type: ignore[return-value]


def seed() -> int:
    """Restart the default generator from a seed of the operating system, and return that. Source: torch.seed."""
    return random.seed()


def initial_seed() -> int:
    """Return the seed that the default generator started from. Source: torch.initial_seed."""
    return random.initial_seed()


def get_rng_state() -> Any:
    """Return the default generator's state, a uint8 tensor. Source: torch.get_rng_state."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Continue the default generator from a state. Source: torch.set_rng_state."""
    default_generator.set_state(new_state)


def _check_generator(name: str, generator: Any) -> None:
    if generator is not None and not isinstance(generator, random.Generator):
        raise TypeError(f"{name}(): argument 'generator' must be npg.Generator, not {type(generator).__name__}")


# ----- New tensors -----


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
) -> Any:
    """Return a new leaf of uniform numbers from [0, 1): rand(2, 3), rand((2, 3)). Source: torch.rand."""
    check_options(layout, device, pin_memory)
    _check_generator("rand", generator)
    array = np.empty(parse_sizes("rand", args, size), dtype_of(dtype, out))
    return finish("rand", random.uniform_(array, generator=generator), out, requires_grad)


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
) -> Any:
    """Return a new leaf of standard normal numbers: randn(2, 3), randn((2, 3)). Source: torch.randn."""
    check_options(layout, device, pin_memory)
    _check_generator("randn", generator)
    array = np.empty(parse_sizes("randn", args, size), dtype_of(dtype, out))
    return finish("randn", random.normal_(array, generator=generator), out, requires_grad)


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
) -> Any:
    """Return whole numbers from [low, high), int64 by default: randint(high, size), randint(low, high, size).

    Raises: RuntimeError: when low >= high, or when either does not fit the dtype.
    Source: torch.randint.
    """
    check_options(layout, device, pin_memory)
    _check_generator("randint", generator)
    given = list(args)
    if size is None:
        if not given:
            raise TypeError('randint() missing 1 required positional arguments: "size"')
        size = given.pop()
    bounds = _bounds("randint", given, low, high)
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"randint(): argument 'size' (position {len(args)}) must be tuple of ints, not {type(size).__name__}"
        )
    kind = np.dtype(np.int64) if dtype is None and out is None else dtype_of(dtype, out)
    array = np.empty(parse_sizes("randint", (size,)), kind)
    return finish("randint", random.random_(array, *bounds, generator=generator), out, requires_grad)


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
) -> Any:
    """Return a random permutation of 0 to n - 1, int64 by default. Source: torch.randperm."""
    check_options(layout, device, pin_memory)
    _check_generator("randperm", generator)
    kind = np.dtype(np.int64) if dtype is None and out is None else dtype_of(dtype, out)
    return finish("randperm", random.randperm(_whole("randperm", "n", n), kind, generator), out, requires_grad)


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
) -> Any:
    """Return normally distributed numbers.

    Args:
        mean, std: tensors, which are broadcast, or a tensor and a number; or two numbers and a size.
        size: the shape, with two numbers only.
    Returns: where mean or std is a tensor, its dtype.
    Raises: RuntimeError: when std is negative, or when the shapes do not broadcast.
    Source: torch.normal; gradients to mean and std are zero, as there.
    """
    _check_generator("normal", generator)
    tensors = [isinstance(x, (TensorBase, np.ndarray)) for x in (mean, std)]
    if not any(tensors):
        if size is None:
            raise TypeError("normal(): expected size=(...) with two numbers for mean and std")
        check_options(layout, device, pin_memory)
        array = np.empty(parse_sizes("normal", (tuple(size),)), dtype_of(dtype, out))
        return finish("normal", random.normal_(array, mean, std, generator), out, requires_grad)
    if size is not None:
        raise TypeError("normal(): got a size beside tensors for mean and std; their shapes give the size")
    found = apply(ops.normal, (mean, std), {"generator": generator})
    return found if out is None else finish("normal", found._array, out)


# ----- New tensors like another -----


def _like(
    name: str, input: Any, dtype: Any, layout: Any, device: Any, memory_format: Any, pin_memory: bool, generator: Any
) -> np.ndarray[Any, Any]:
    check_options(layout, device, pin_memory)
    _check_generator(name, generator)
    x = as_tensor_input(name, input)
    array = x._array if isinstance(x, TensorBase) else x
    return like_array(array, array.dtype if dtype is None else dtypes.to_numpy(dtype), memory_format)


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
) -> Any:
    """Return a new leaf of uniform numbers from [0, 1) in the shape of input. Source: torch.rand_like."""
    array = _like("rand_like", input, dtype, layout, device, memory_format, pin_memory, generator)
    return leaf(random.uniform_(array, generator=generator), requires_grad)


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
) -> Any:
    """Return a new leaf of standard normal numbers in the shape of input. Source: torch.randn_like."""
    array = _like("randn_like", input, dtype, layout, device, memory_format, pin_memory, generator)
    return leaf(random.normal_(array, generator=generator), requires_grad)


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
) -> Any:
    """Return whole numbers in the shape of input: randint_like(x, high), randint_like(x, low, high).

    Source: torch.randint_like.
    """
    bounds = _bounds("randint_like", list(args), low, high)
    array = _like("randint_like", input, dtype, layout, device, memory_format, pin_memory, generator)
    return leaf(random.random_(array, *bounds, generator=generator), requires_grad)


# ----- In place -----


def _fill(name: str, input: Any, *args: Any, generator: Any) -> Any:
    """Fill a tensor by the function of npg/random.py of that name."""
    _check_generator(name, generator)
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
    """Return the bounds; PyTorch's names of them, `from` and `to`, come in `named`."""
    low, high = named.pop("from", low), named.pop("to", high)
    if named:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(named))}'")
    return low, high


def uniform_(input, low=0.0, high=1.0, *, generator=None, **named):
    """Fill input with uniform numbers from [low, high); PyTorch's names are `from` and `to`.

    Source: torch.Tensor.uniform_.
    """
    low, high = _from_to("uniform_", low, high, named)
    return _fill("uniform_", input, low, high, generator=generator)


def normal_(input, mean=0.0, std=1.0, *, generator=None):
    """Fill input with normally distributed numbers. Source: torch.Tensor.normal_."""
    return _fill("normal_", input, mean, std, generator=generator)


def random_(input, *args, generator=None, **named):
    """Fill input with whole numbers: random_(to), random_(from, to), or random_() over the dtype's range.

    Source: torch.Tensor.random_.
    """
    if len(args) > 2:
        raise TypeError(f"random_() takes at most 2 positional arguments, got {len(args)}")
    low, high = args if len(args) == 2 else (None, args[0]) if args else (None, None)
    low, high = _from_to("random_", low, high, named)
    return _fill("random_", input, low, high, generator=generator)


def exponential_(input, lambd=1.0, *, generator=None):
    """Fill input with exponentially distributed numbers of rate lambd. Source: torch.Tensor.exponential_."""
    return _fill("exponential_", input, lambd, generator=generator)


def cauchy_(input, median=0.0, sigma=1.0, *, generator=None):
    """Fill input with Cauchy-distributed numbers. Source: torch.Tensor.cauchy_."""
    return _fill("cauchy_", input, median, sigma, generator=generator)


def log_normal_(input, mean=1.0, std=2.0, *, generator=None):
    """Fill input with numbers whose logarithm is normally distributed. Source: torch.Tensor.log_normal_."""
    return _fill("log_normal_", input, mean, std, generator=generator)


def geometric_(input, p, *, generator=None):
    """Fill input with the numbers of trials up to the first success. Source: torch.Tensor.geometric_."""
    return _fill("geometric_", input, p, generator=generator)


def bernoulli_(input, p=0.5, *, generator=None):
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
    _check_generator("bernoulli_", generator)
    if is_grad_enabled() and (input.requires_grad or isinstance(p, TensorBase) and p.requires_grad):
        return apply_in_place(ops.bernoulli_each, (input, p), {"generator": generator})
    check_in_place(input)
    random.bernoulli_(input._array, p._array if isinstance(p, TensorBase) else p, generator)
    bump_version(input)
    return input


# ----- From probabilities -----


def bernoulli(input, p=None, *, generator=None, out=None):
    """Return 1 with the probability in input (or with probability p everywhere), else 0.

    Returns: the shape and dtype of input.
    Raises: RuntimeError: when a probability is outside [0, 1].
    Source: torch.bernoulli; the gradient is zero.
    """
    x = as_tensor_input("bernoulli", input)
    _check_generator("bernoulli", generator)
    if p is None:
        found = apply(ops.bernoulli, (x,), {"generator": generator})
    else:
        array = x._array if isinstance(x, TensorBase) else x
        found = bernoulli_(wrap(like_array(array, array.dtype)), p, generator=generator)
    return found if out is None else finish("bernoulli", found._array, out)


def poisson(input, generator=None):
    """Return Poisson-distributed counts, the means of which are in input.

    Source: torch.poisson; the gradient is zero.
    """
    _check_generator("poisson", generator)
    return apply(ops.poisson, (as_tensor_input("poisson", input),), {"generator": generator})


def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """Draw indices with the weights in input.

    Args:
        input: (K,) or (B, K) floating; weights >= 0, finite, not all zero.
        num_samples: how many of each row.
        replacement: whether an index may come twice.
    Returns: (num_samples,) or (B, num_samples) int64.
    Raises: RuntimeError: when a weight is negative or not finite, or when there are too few for the samples.
    Source: torch.multinomial.
    """
    x = as_tensor_input("multinomial", input)
    _check_generator("multinomial", generator)
    array = x._array if isinstance(x, TensorBase) else x
    found = random.multinomial(array, num_samples, replacement, generator)
    return leaf(found) if out is None else finish("multinomial", found, out)
