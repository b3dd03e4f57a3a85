"""Generators of random numbers with tensors as states, and the default generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from npg import random
from npg._naming import named
from npg.engine import TensorBase, wrap
from npg.functional._attributes import CPU, device
from npg.functional._public import exposed


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

        Raises: TypeError: when it is no uint8 tensor. RuntimeError: when it is not a valid state.
        """
        super().set_state(_state_array(new_state))
        return self


def _state_array(state: Any) -> np.ndarray[Any, Any]:
    if not isinstance(state, TensorBase):
        raise TypeError(named(f"expected a npg.ByteTensor, but got {type(state).__name__}"))
    if state._array.dtype != np.uint8:
        raise TypeError(named("RNG state must be a npg.ByteTensor"))
    return np.ascontiguousarray(state._array)


# The default generator of npg.random gets this class, whose states are tensors; its stream stays the same.
default_generator = random.default_generator
default_generator.__class__ = Generator


@exposed
def manual_seed(seed: Any) -> Generator:
    """Restart the default generator from a seed, and return it. Source: torch.manual_seed."""
    random.manual_seed(seed)
    return default_generator  # type: ignore[return-value]


@exposed
def seed() -> int:
    """Restart the default generator from a random seed of the operating system, and return the seed.

    Source: torch.seed.
    """
    return random.seed()


@exposed
def initial_seed() -> int:
    """Return the seed that the default generator started from. Source: torch.initial_seed."""
    return random.initial_seed()


@exposed
def get_rng_state() -> Any:
    """Return the default generator's state, a uint8 tensor. Source: torch.get_rng_state."""
    return wrap(random.get_state())


@exposed
def set_rng_state(new_state: Any) -> None:
    """Continue the default generator from a state. Source: torch.set_rng_state."""
    random.set_state(_state_array(new_state))


def check_generator(name: str, generator: Any) -> None:
    """Raise TypeError when an argument is neither a generator nor None."""
    if generator is not None and not isinstance(generator, random.Generator):
        raise TypeError(named(f"{name}(): argument 'generator' must be npg.Generator, not {type(generator).__name__}"))
