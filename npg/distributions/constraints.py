"""Where values may lie: the arguments of distributions, and what is drawn from them. Source: torch.distributions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from npg import dtypes
from npg._errors import LinAlgError
from npg.creation import full, tensor
from npg.functional.comparison import isclose
from npg.functional.joining import cat as _cat, stack as _stack
from npg.linalg import cholesky, eigvalsh, norm
from npg.tensor import Tensor

__all__ = [
    "Constraint",
    "MixtureSameFamilyConstraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]


class Constraint:
    """A region of values; subclasses say which.

    Attributes:
        is_discrete: whether it is one of single points.
        event_dim: the last dimensions of a value that are checked together, and are absent in what check() returns.
    Source: torch.distributions.constraints.Constraint.
    """

    is_discrete: Any = False
    event_dim: Any = 0
    _shown: tuple[str, ...] = ()  # the attributes in the repr

    def check(self, value: Any) -> Tensor:
        """Tell of each event of a tensor whether it lies in the region; a bool tensor."""
        raise NotImplementedError

    def _of_events(self, result: Tensor, kept: int, value: Any) -> Tensor:
        """Return whether all is true beyond the first `kept` dimensions."""
        if kept < 0:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        return result.reshape(*result.shape[:kept], -1).all(-1)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)}" for name in self._shown)
        return f"{self.__class__.__name__.removeprefix('_')}({shown})"


def _is_whole(value: Any) -> Any:
    return value % 1 == 0


def _check_constraint(constraint: Any) -> None:
    if not isinstance(constraint, Constraint):
        raise AssertionError(f"base_constraint must be a Constraint, got {type(constraint).__name__}")


# ----- That depend on other arguments -----


class _Dependent(Constraint):
    """A region that only an object says: is_discrete and event_dim may be known before."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete, self._event_dim = is_discrete, event_dim
        super().__init__()

    @property
    def is_discrete(self) -> bool:
        """Whether it is one of single points. Raises: NotImplementedError: when only an object says it."""
        if self._is_discrete is NotImplemented:
            raise NotImplementedError(".is_discrete cannot be determined statically")
        return bool(self._is_discrete)

    @property
    def event_dim(self) -> int:
        """The dimensions of an event. Raises: NotImplementedError: when only an object says it."""
        if self._event_dim is NotImplemented:
            raise NotImplementedError(".event_dim cannot be determined statically")
        return int(self._event_dim)

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> _Dependent:
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, value: Any) -> Tensor:
        """Raise ValueError: an object must be asked."""
        raise ValueError("Cannot determine validity of dependent constraint")


def is_dependent(constraint: Any) -> bool:
    """Tell whether only an object says where a value may lie."""
    return isinstance(constraint, _Dependent)


class _DependentProperty(property, _Dependent):
    """A property of objects that is a region, and of the class a dependent one."""

    def __init__(
        self,
        fn: Callable[..., Any] | None = None,
        *,
        is_discrete: Any = NotImplemented,
        event_dim: Any = NotImplemented,
    ) -> None:
        super().__init__(fn)
        self._is_discrete, self._event_dim = is_discrete, event_dim

    def __call__(self, fn: Callable[..., Any]) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


# ----- Made from another -----


class _IndependentConstraint(Constraint):
    """A region whose events are made of several of another region's."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        _check_constraint(base_constraint)
        n = reinterpreted_batch_ndims
        if not isinstance(n, int):
            raise AssertionError(f"reinterpreted_batch_ndims must be an int, got {type(n).__name__}")
        if n < 0:
            raise AssertionError(f"reinterpreted_batch_ndims must be >= 0, got {n}")
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, n
        super().__init__()

    @property
    def is_discrete(self) -> bool:
        """Whether it is one of single points."""
        return bool(self.base_constraint.is_discrete)

    @property
    def event_dim(self) -> int:
        """The dimensions of an event."""
        return int(self.base_constraint.event_dim) + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Tensor:
        """Tell of each event whether all its parts lie in the other region."""
        result = self.base_constraint.check(value)
        return self._of_events(result, result.dim() - self.reinterpreted_batch_ndims, value)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__[1:]}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """The region of a mixture: that of its components, whose batch has one dimension more."""

    def __init__(self, base_constraint: Constraint) -> None:
        _check_constraint(base_constraint)
        self.base_constraint = base_constraint
        super().__init__()

    @property
    def is_discrete(self) -> bool:
        """Whether it is one of single points."""
        return bool(self.base_constraint.is_discrete)

    @property
    def event_dim(self) -> int:
        """The dimensions of an event."""
        return int(self.base_constraint.event_dim)

    def check(self, value: Any) -> Tensor:
        """Tell of each event whether it lies in the region of every component."""
        result = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return self._of_events(result, value.dim() - self.event_dim, value)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.base_constraint!r})"


class _Joined(Constraint):
    """Regions that follow one another along a dimension."""

    def __init__(self, cseq: Iterable[Constraint], dim: int) -> None:
        self.cseq, self.dim = list(cseq), dim
        if not all(isinstance(constraint, Constraint) for constraint in self.cseq):
            raise AssertionError("All elements of cseq must be Constraint instances")
        super().__init__()

    @property
    def is_discrete(self) -> bool:
        """Whether one of them is one of single points."""
        return any(constraint.is_discrete for constraint in self.cseq)

    @property
    def event_dim(self) -> int:
        """The most dimensions of an event."""
        return max(int(constraint.event_dim) for constraint in self.cseq)

    def _check_dim(self, value: Any) -> None:
        if not -value.dim() <= self.dim < value.dim():
            raise AssertionError(f"dim {self.dim} out of range for value with {value.dim()} dimensions")

    def __repr__(self) -> str:
        return f"{self.__class__.__name__[1:]}()"


class _Cat(_Joined):
    """Regions of parts that torch.cat has put together, of lengths that default to 1."""

    def __init__(self, cseq: Iterable[Constraint], dim: int = 0, lengths: Iterable[int] | None = None) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise AssertionError(f"lengths ({len(self.lengths)}) must match cseq ({len(self.cseq)})")

    def check(self, value: Any) -> Tensor:
        """Tell of each part whether it lies in its region."""
        self._check_dim(value)
        checks, start = [], 0
        for constraint, length in zip(self.cseq, self.lengths, strict=True):
            checks.append(constraint.check(value.narrow(self.dim, start, length)))
            start += length
        return _cat(checks, self.dim)


class _Stack(_Joined):
    """Regions of parts that torch.stack has put together."""

    def __init__(self, cseq: Iterable[Constraint], dim: int = 0) -> None:
        super().__init__(cseq, dim)

    @property
    def event_dim(self) -> int:
        """The most dimensions of an event, and one for the parts where these lie in it."""
        dim = max(int(constraint.event_dim) for constraint in self.cseq)
        return dim + 1 if self.dim + dim < 0 else dim

    def check(self, value: Any) -> Tensor:
        """Tell of each part whether it lies in its region."""
        self._check_dim(value)
        parts = [value.select(self.dim, i) for i in range(value.size(self.dim))]
        checks = [constraint.check(part) for part, constraint in zip(parts, self.cseq, strict=False)]
        return _stack(checks, self.dim)


# ----- Numbers -----


class _Real(Constraint):
    """Every number but nan."""

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is none."""
        return value == value  # type: ignore[no-any-return]


class _Boolean(Constraint):
    """0 and 1."""

    is_discrete = True

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is 0 or 1."""
        return (value == 0) | (value == 1)  # type: ignore[no-any-return]


class _Above(Constraint):
    _shown = ("lower_bound",)

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound
        super().__init__()


class _Below(Constraint):
    _shown = ("upper_bound",)

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound
        super().__init__()


class _Between(Constraint):
    _shown = ("lower_bound", "upper_bound")

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound
        super().__init__()


class _GreaterThan(_Above):
    """The numbers above a bound."""

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is above the bound."""
        return self.lower_bound < value  # type: ignore[no-any-return]


class _GreaterThanEq(_Above):
    """The numbers from a bound."""

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is not below the bound."""
        return self.lower_bound <= value  # type: ignore[no-any-return]


class _LessThan(_Below):
    """The numbers below a bound."""

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is below the bound."""
        return value < self.upper_bound  # type: ignore[no-any-return]


class _Interval(_Between):
    """The numbers between two bounds, with both."""

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is between the bounds."""
        return (self.lower_bound <= value) & (value <= self.upper_bound)  # type: ignore[no-any-return]


class _HalfOpenInterval(_Between):
    """The numbers between two bounds, without the upper one."""

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is between the bounds."""
        return (self.lower_bound <= value) & (value < self.upper_bound)  # type: ignore[no-any-return]


class _IntegerInterval(_Between):
    """The whole numbers between two bounds, with both."""

    is_discrete = True

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is whole and between the bounds."""
        return _is_whole(value) & (self.lower_bound <= value) & (value <= self.upper_bound)  # type: ignore[no-any-return]


class _IntegerLessThan(_Below):
    """The whole numbers to a bound."""

    is_discrete = True

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is whole and not above the bound."""
        return _is_whole(value) & (value <= self.upper_bound)  # type: ignore[no-any-return]


class _IntegerGreaterThan(_Above):
    """The whole numbers from a bound."""

    is_discrete = True

    def check(self, value: Any) -> Tensor:
        """Tell of each number whether it is whole and not below the bound."""
        return _is_whole(value) & (value >= self.lower_bound)  # type: ignore[no-any-return]


# ----- Vectors -----


class _OneHot(Constraint):
    """Vectors of zeros with one 1."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Any) -> Tensor:
        """Tell of each vector whether it is one of zeros with one 1."""
        return boolean.check(value).all(-1) & value.sum(-1).eq(1)  # type: ignore[no-any-return]


class _Simplex(Constraint):
    """Vectors of numbers from 0 whose sum is 1, within 1e-6."""

    event_dim = 1

    def check(self, value: Any) -> Tensor:
        """Tell of each vector whether it is one of shares."""
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)  # type: ignore[no-any-return]


class _Multinomial(Constraint):
    """Vectors of numbers from 0 whose sum is not above a bound."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Tensor:
        """Tell of each vector whether it is one of counts."""
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)  # type: ignore[no-any-return]


# ----- Matrices -----


def _whole(checks: Any) -> Tensor:
    """Return whether all elements of each matrix are True."""
    return checks.reshape(*checks.shape[:-2], -1).all(-1)  # type: ignore[no-any-return]


class _LowerTriangular(Constraint):
    """Square matrices with zeros above the diagonal."""

    event_dim = 2

    def check(self, value: Any) -> Tensor:
        """Tell of each matrix whether it is lower triangular."""
        return _whole(value.tril() == value)


class _LowerCholesky(_LowerTriangular):
    """Lower triangular matrices with a positive diagonal."""

    def check(self, value: Any) -> Tensor:
        """Tell of each matrix whether it is lower triangular with a positive diagonal."""
        return super().check(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)  # type: ignore[no-any-return]


class _CorrCholesky(_LowerCholesky):
    """Lower triangular matrices with a positive diagonal and rows of length 1."""

    def check(self, value: Any) -> Tensor:
        """Tell of each matrix whether it is the factor of one of correlations."""
        tolerance = dtypes.finfo(value.dtype).eps * value.size(-1) * 10
        lengths = norm(value.detach(), dim=-1)
        return super().check(value) & (lengths - 1).abs().le(tolerance).all(-1)  # type: ignore[no-any-return]


class _Square(Constraint):
    """Square matrices."""

    event_dim = 2

    def check(self, value: Any) -> Tensor:
        """Tell of each matrix whether it is square."""
        return full(value.shape[:-2], value.shape[-2] == value.shape[-1], dtype=dtypes.bool_)


class _Symmetric(_Square):
    """Symmetric matrices, within 1e-6."""

    def check(self, value: Any) -> Tensor:
        """Tell of each matrix whether it is symmetric."""
        is_square = super().check(value)
        return _whole(isclose(value, value.mT, atol=1e-6)) if is_square.all() else is_square


class _PositiveSemidefinite(_Symmetric):
    """Symmetric matrices without a negative eigenvalue."""

    def check(self, value: Any) -> Tensor:
        """Tell of each matrix whether it is symmetric and positive semidefinite."""
        is_symmetric = super().check(value)
        return eigvalsh(value).ge(0).all(-1) if is_symmetric.all() else is_symmetric


class _PositiveDefinite(_Symmetric):
    """Symmetric matrices that have a Cholesky factor."""

    def check(self, value: Any) -> Tensor:
        """Tell of each matrix whether it is symmetric and positive definite."""
        is_symmetric = super().check(value)
        if not is_symmetric.all():
            return is_symmetric
        matrices = value.detach().reshape(-1, *value.shape[-2:])
        found = tensor([_has_factor(matrix) for matrix in matrices], dtype=dtypes.bool_)
        return found.reshape(value.shape[:-2])


def _has_factor(matrix: Tensor) -> bool:
    try:
        cholesky(matrix)
    except LinAlgError:
        return False
    return True


dependent = _Dependent()
dependent_property = _DependentProperty
independent = _IndependentConstraint
boolean = _Boolean()
one_hot = _OneHot()
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
integer_interval = _IntegerInterval
real = _Real()
real_vector = independent(real, 1)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
multinomial = _Multinomial
unit_interval = _Interval(0.0, 1.0)
interval = _Interval
half_open_interval = _HalfOpenInterval
simplex = _Simplex()
lower_triangular = _LowerTriangular()
lower_cholesky = _LowerCholesky()
corr_cholesky = _CorrCholesky()
square = _Square()
symmetric = _Symmetric()
positive_semidefinite = _PositiveSemidefinite()
positive_definite = _PositiveDefinite()
cat = _Cat
stack = _Stack
