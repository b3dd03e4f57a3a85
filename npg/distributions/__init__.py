"""Probability distributions: so far what they are made from, the base class."""

from npg.distributions.distribution import Distribution

__all__ = ["Distribution"]
