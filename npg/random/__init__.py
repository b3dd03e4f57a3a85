"""PyTorch's CPU random streams, number for number, on ndarrays.

A Generator holds a stream. Functions whose names end in an underscore fill a given array, in the order in which PyTorch
fills a tensor with the same strides; the others return a new array. All take `generator=None`, which stands for
`default_generator`, the one that `manual_seed` seeds.

Results are equal bit for bit where PyTorch runs its kernels with fused multiply-add (any x86 processor with AVX2) and
calls the same C library as Python; elsewhere normal numbers, and uniform ones between bounds, may differ in the last
place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from npg import _lazy
from npg.kernels.layouts import empty_like, memory_order
from npg.random._generator import (
    Generator,
    default_generator,
    get_state,
    initial_seed,
    manual_seed,
    seed,
    set_state,
)
from npg.random._standing_in import fork_rng

if TYPE_CHECKING:
    from npg.random._continuous import cauchy_, exponential_, rand, uniform_
    from npg.random._discrete import (
        bernoulli,
        bernoulli_,
        dropout_bits,
        dropout_mask,
        geometric_,
        multinomial,
        poisson,
        rrelu_slopes,
    )
    from npg.random._integers import randint, random_, randperm
    from npg.random._normal import log_normal_, normal, normal_, randn
else:  # what draws loads when it is first used
    __getattr__ = _lazy.loader(
        __name__,
        _lazy.homes_of(
            {
                "npg.random._continuous": "cauchy_ exponential_ rand uniform_",
                "npg.random._discrete": (
                    "bernoulli bernoulli_ dropout_bits dropout_mask geometric_ multinomial poisson rrelu_slopes"
                ),
                "npg.random._integers": "randint random_ randperm",
                "npg.random._normal": "log_normal_ normal normal_ randn",
                # torch.random has them too, on tensors, which are made to the right of here.
                "npg.functional.generator": "get_rng_state set_rng_state",
            }
        ),
    )

__all__ = [
    "Generator",
    "bernoulli",
    "bernoulli_",
    "cauchy_",
    "default_generator",
    "dropout_bits",
    "dropout_mask",
    "empty_like",
    "exponential_",
    "fork_rng",
    "geometric_",
    "get_state",
    "initial_seed",
    "log_normal_",
    "manual_seed",
    "memory_order",
    "multinomial",
    "normal",
    "normal_",
    "poisson",
    "rand",
    "randint",
    "randn",
    "random_",
    "randperm",
    "rrelu_slopes",
    "seed",
    "set_state",
    "thread_safe_generator",
    "uniform_",
]


def thread_safe_generator() -> Generator | None:
    """Return None: outside a worker of a DataLoader, as PyTorch, a thread draws from the default generator."""
    return None


def __dir__() -> list[str]:
    return sorted(__all__)
