"""Random numbers as ops: the numbers do not depend on the input's values, so every gradient is zero.

The in-place ops write into their first input themselves, because the order of filling depends on its strides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npg import random
from npg.ops._kinds import ELEMENTWISE
from npg.ops._op import movement
from npg.ops.indexing import like_dtype
from npg.ops.shape import overload


@movement(lambda g, _y, _x, *, draw: np.zeros_like(g), node="Random", aten=None)
def fill_by(input: Any, *, draw: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Any:
    """Return the input after draw(input) has filled it."""
    return draw(input)


NAMED = {
    name: overload(fill_by, node)
    for name, node in (
        ("bernoulli_", "BernoulliBackward2"),
        ("cauchy_", "CauchyBackward0"),
        ("exponential_", "ExponentialBackward0"),
        ("geometric_", "GeometricBackward0"),
        ("log_normal_", "LogNormalBackward0"),
        ("normal_", "NormalBackward0"),
        ("random_", "RandomBackward0"),
        ("uniform_", "UniformBackward0"),
    )
}


@movement(
    lambda g, _y, _x, _p, *, generator: np.zeros_like(g),
    lambda g, _y, _x, p_like, *, generator: like_dtype(np.zeros_like(g), p_like.dtype),
    broadcasts=True,
    kind=ELEMENTWISE,
    aten="bernoulli",
)
def bernoulli_each(input: Any, p: Any, *, generator: random.Generator | None) -> Any:
    """Return the input, each element drawn as 1 with the probability in p, else 0."""
    return random.bernoulli_(input, p, generator)


bernoulli_each.node_name = "BernoulliBackward1"


@movement(lambda g, _y, _p, *, generator: np.zeros_like(g))
def bernoulli(input: Any, *, generator: random.Generator | None) -> Any:
    """Return 1 with the probability in input, else 0."""
    return random.bernoulli(input, generator)


@movement(
    lambda g, _y, mean_like, _std, *, generator: like_dtype(np.zeros_like(g), mean_like.dtype),
    lambda g, _y, _mean, std_like, *, generator: like_dtype(np.zeros_like(g), std_like.dtype),
    broadcasts=True,
    kind=ELEMENTWISE,
)
def normal(mean: Any, std: Any, *, generator: random.Generator | None) -> Any:
    """Return normally distributed numbers with these means and standard deviations."""
    return random.normal(mean, std, generator)


@movement(lambda g, _y, _rate, *, generator: np.zeros_like(g))
def poisson(input: Any, *, generator: random.Generator | None) -> Any:
    """Return Poisson-distributed counts with these means."""
    return random.poisson(input, generator)


@movement(aten=None)
def rrelu_slopes(input: Any, *, lower: float, upper: float, generator: random.Generator | None) -> Any:
    """Return 1 where the input is positive, else a slope drawn between lower and upper."""
    return random.rrelu_slopes(input, lower, upper, generator)
