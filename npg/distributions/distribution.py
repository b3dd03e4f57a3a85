"""The base class of distributions."""

from __future__ import annotations

import warnings
from typing import Any

from npg._naming import named
from npg.distributions.constraints import is_dependent
from npg.engine import no_grad
from npg.functional._attributes import Size
from npg.tensor import Tensor

__all__ = ["Distribution"]

_ONE = Size()


class Distribution:
    """A probability distribution; subclasses say what it is.

    Args:
        batch_shape: the shape of a batch of distributions.
        event_shape: the shape of one draw.
        validate_args: whether arguments and values are checked; None as set_default_validate_args says.
    Source: torch.distributions.Distribution.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Set whether distributions check their arguments.

        Raises: ValueError: when value is neither True nor False.
        """
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: tuple[int, ...] = _ONE,
        event_shape: tuple[int, ...] = _ONE,
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape, self._event_shape = batch_shape, event_shape
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_arguments()
        super().__init__()

    def _check_arguments(self) -> None:
        try:
            constraints = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or "
                "initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        for name, constraint in constraints.items():
            if is_dependent(constraint) or name not in self.__dict__:
                continue
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    # ----- Shapes -----

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch."""
        return Size(self._batch_shape)

    @property
    def event_shape(self) -> Size:
        """The shape of one draw."""
        return Size(self._event_shape)

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Distribution:
        """Return the distribution with a batch of another shape."""
        raise NotImplementedError

    # ----- What subclasses give -----

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """The constraints of the arguments, by their names."""
        raise NotImplementedError

    @property
    def support(self) -> Any:
        """The constraint that values satisfy."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The mode."""
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = _ONE) -> Tensor:
        """Return draws, (*sample_shape, *batch_shape, *event_shape), without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = _ONE) -> Tensor:
        """Return draws that gradients flow through to the arguments."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """Return n draws; sample((n,)) is today's name."""
        warnings.warn("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning, stacklevel=2)
        return self.sample(Size((n,)))

    def log_prob(self, value: Any) -> Tensor:
        """Return the logarithm of the density, or of the probability, at a value."""
        raise NotImplementedError

    def cdf(self, value: Any) -> Tensor:
        """Return the cumulative distribution function at a value."""
        raise NotImplementedError

    def icdf(self, value: Any) -> Tensor:
        """Return the inverse of the cumulative distribution function."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return all values that can be drawn."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """Return the entropy, of the shape of the batch."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """Return exp(entropy)."""
        return self.entropy().exp()

    # ----- For subclasses -----

    def _validate_sample(self, value: Any) -> None:
        """Raise ValueError for a value that is no tensor, of another shape, or outside the support."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        n = len(self._event_shape)
        event = value.shape[len(value.shape) - n :]
        if event != self._event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        expected = self._extended_shape()
        for i, j in zip(reversed(value.shape), reversed(expected), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {expected}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `support` to enable sample validation. Please initialize the "
                "distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if not support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """Return an instance for expand(), without __init__; a class with its own __init__ must have its own expand."""
        if _instance is None and type(self).__init__ != cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method must also "
                "define a custom .expand() method."
            )
        return self.__new__(type(self)) if _instance is None else _instance

    def __repr__(self) -> str:
        names = [name for name in self._shown() if name in self.__dict__]
        parts = [f"{n}: {v if v.numel() == 1 else v.size()}" for n, v in ((n, self.__dict__[n]) for n in names)]
        return named(f"{self.__class__.__name__}({', '.join(parts)})")

    def _shown(self) -> Any:
        try:
            return self.arg_constraints
        except NotImplementedError:
            return ()
