"""The random numbers of devices: there is none, so seeding it does nothing. Source: torch.cuda.random."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from npg._naming import named
from npg._refusal import refusing
from npg.engine import TensorBase
from npg.functional._attributes import NO_CUDA

_refuses = refusing(AssertionError, NO_CUDA)


def manual_seed(seed: int) -> None:
    """Do nothing: there is no device to seed. npg.manual_seed seeds the CPU."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Do nothing: there is no device to seed. npg.manual_seed seeds the CPU."""
    int(seed)


def seed() -> None:
    """Do nothing: there is no device to seed."""


def seed_all() -> None:
    """Do nothing: there is no device to seed."""


@_refuses
def initial_seed() -> Any: ...


@_refuses
def get_rng_state(device: Any = "cuda") -> Any: ...


def get_rng_state_all() -> list[Any]:
    """Return an empty list: there is no device."""
    return []


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Do nothing with a state: there is no device that could take it. Raises: TypeError: for what is no tensor."""
    if not isinstance(new_state, TensorBase):
        raise TypeError(named(f"expected a npg.ByteTensor, but got {type(new_state).__name__}"))


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    """Do nothing with states: there is no device that could take them."""
    for state in new_states:
        set_rng_state(state)


__all__ = [
    "get_rng_state",
    "get_rng_state_all",
    "initial_seed",
    "manual_seed",
    "manual_seed_all",
    "seed",
    "seed_all",
    "set_rng_state",
    "set_rng_state_all",
]
