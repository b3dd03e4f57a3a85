"""Probability distributions: so far what they are made from, the base class and the constraints."""

from npg.distributions import constraints as constraints
from npg.distributions.distribution import Distribution

__all__ = ["Distribution"]
