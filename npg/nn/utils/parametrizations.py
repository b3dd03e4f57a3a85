"""Parametrizations of weights: orthogonal matrices, weight and spectral normalisation; see parametrize.py."""

from __future__ import annotations

from typing import Any, TypeVar

from npg.autograd import no_grad
from npg.creation import eye, randn
from npg.dtypes import finfo
from npg.functional._attributes import contiguous_format
from npg.functional._public import exposed
from npg.functional.comparison import allclose
from npg.functional.householder import geqrf, householder_product
from npg.functional.joining import cat
from npg.functional.linalg_solvers import solve
from npg.functional.matrix_exp import matrix_exp
from npg.functional.norm import norm_except_dim
from npg.nn import functional as F
from npg.nn.modules.module import Module
from npg.nn.utils.parametrize import register_parametrization
from npg.nn.utils.spectral_norm import default_dim, improve, rows_first
from npg.nn.utils.weight_norm import of_length
from npg.tensor import Tensor

M = TypeVar("M", bound=Module)

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _weight_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


# ----- Orthogonal matrices -----
# A map takes a matrix X (..., n, k), n >= k, to one with orthonormal columns.


def _skew(X: Tensor) -> Tensor:
    """Return a skew-symmetric matrix (..., n, n) of the lower triangle of X, filled up with zeros."""
    n, k = X.shape[-2:]
    lower: Tensor = F.pad(X.tril(), (0, n - k)) if n > k else X.tril()
    return lower - lower.mT


def _exponential(X: Tensor) -> Tensor:
    return matrix_exp(_skew(X))[..., : X.size(-1)]


def _cayley(X: Tensor) -> Tensor:
    half = _skew(X) / 2
    unit = eye(half.size(-1), dtype=half.dtype)
    return solve(unit - half, unit + half)[..., : X.size(-1)]


def _reflections(X: Tensor) -> Tensor:
    """Return the product of reflections, their vectors below the diagonal of X, which has signs of the columns."""
    vectors = X.tril(-1)
    tau = 2.0 / (1.0 + (vectors * vectors).sum(-2))
    signs = X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
    product: Tensor = householder_product(vectors, tau) * signs
    return product


_MAPS = {"matrix_exp": _exponential, "cayley": _cayley, "householder": _reflections}


def _orthogonalized(X: Tensor) -> Tensor:
    """Return the Q of X = Q R for which the diagonal of R is not negative."""
    a, tau = geqrf(X)
    q: Tensor = householder_product(a, tau) * a.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)
    return q


def _is_orthogonal(Q: Tensor) -> bool:
    n, k = Q.shape[-2:]
    return allclose(Q.mT @ Q, eye(k, dtype=Q.dtype), atol=10.0 * n * finfo(Q.dtype).eps)


class _Orthogonal(Module):
    """An orthogonal matrix: base @ map(X), or map(X) without a base.

    Attributes:
        base: (..., n, n) orthogonal, set when a value is assigned; it exists only with use_trivialization.
    """

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        is_wide = X.size(-2) < X.size(-1)
        q = _MAPS[self.orthogonal_map](X.mT if is_wide else X)
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if is_wide else q

    @no_grad()
    def right_inverse(self, Q: Tensor) -> Tensor:
        """Return an X of a matrix, which is made orthogonal if it is not."""
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        is_wide = Q.size(-2) < Q.size(-1)
        tall = Q.mT if is_wide else Q
        if not hasattr(self, "base"):
            x = self._vectors(tall)
            return x.mT if is_wide else x
        n, k = tall.shape[-2:]
        if n > k:
            self.base = _orthogonalized(cat([tall, randn(*tall.shape[:-1], n - k, dtype=Q.dtype)], -1))
        else:
            self.base = tall.clone() if _is_orthogonal(tall) else _orthogonalized(tall)
        # Every map takes it to the unit matrix: the diagonal counts for reflections alone, where -1 makes them that.
        x = Q.new_zeros(Q.shape)
        x.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return x

    def _vectors(self, Q: Tensor) -> Tensor:
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        a, tau = geqrf(Q)
        diagonal = a.diagonal(dim1=-2, dim2=-1)
        diagonal.sign_()
        diagonal[tau == 0.0] *= -1  # where LAPACK does not reflect; the map always does
        return a


@exposed
def orthogonal(
    module: M, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> M:
    """Parametrize a weight (..., m, n) to be orthogonal: orthonormal columns, or rows if there are fewer.

    Args:
        name: a parameter or buffer.
        orthogonal_map: of what the weight is a function. "matrix_exp": exp(A) of a skew-symmetric A; "cayley":
            (1 + A / 2) (1 - A / 2)^-1; "householder": a product of reflections. None: the first for square matrices,
            otherwise the last.
        use_trivialization: multiply by a matrix, the buffer `base` of the parametrization, so that the weight starts
            from its present value, made orthogonal by a QR factorization (and completed to a square by numbers drawn
            at random). Otherwise the first two maps start from the weight as it is.
    Returns: the module.
    Raises: ValueError: when there is no such tensor, it has fewer than two dimensions, or for another map.
    Source: Lezcano-Casado 2019; torch.nn.utils.parametrizations.orthogonal.
    """
    weight = _weight_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.size(-2) == weight.size(-1) else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    parametrization = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, parametrization, unsafe=True)


# ----- Weight normalisation -----


class _WeightNorm(Module):
    """A weight as a length and a direction."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return of_length(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the lengths of a weight, and itself as the direction."""
        return norm_except_dim(weight, 2, self.dim), weight


@exposed
def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Parametrize a weight by a length, original0, and a direction, original1.

    w = g v / |v|

    Args:
        name: a parameter or buffer.
        dim: one length for each index of this dimension; None: one length in all.
    Returns: the module, which also takes states of nn.utils.weight_norm.
    Raises: ValueError: when there is no such tensor. IndexError: when dim is out of range.
    Source: Salimans and Kingma 2016; torch.nn.utils.parametrizations.weight_norm.
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: Any, prefix: str, *_: Any) -> None:
        old = [f"{prefix}{name}_{part}" for part in "gv"]
        if all(key in state_dict for key in old):
            values = [state_dict.pop(key) for key in old]
            for i, value in enumerate(values):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = value

    module._register_load_state_dict_pre_hook(rename)
    return module


# ----- Spectral normalisation -----


class _SpectralNorm(Module):
    """A weight divided by its largest singular value, which is u . W v by the buffers _u and _v."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps = dim % ndim, eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._matrix(weight)
            for name, size in zip(("_u", "_v"), matrix.shape):
                self.register_buffer(name, F.normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        return rows_first(weight, self.dim).flatten(1)

    @no_grad()
    def _power_method(self, matrix: Tensor, n_power_iterations: int) -> None:
        for _ in range(n_power_iterations):
            improve(self._u, matrix, self._v, self.eps)
            improve(self._v, matrix.mT, self._u, self.eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # The next call changes the buffers; the graph keeps copies.
        u, v = (x.clone(memory_format=contiguous_format) for x in (self._u, self._v))
        normalized: Tensor = weight / u.dot(matrix.mv(v))
        return normalized

    def right_inverse(self, value: Tensor) -> Tensor:
        """Return the value."""
        return value


@exposed
def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Parametrize a weight to be the original one divided by its largest singular value; a vector, by its length.

    Args:
        name: a parameter or buffer, taken as a matrix.
        n_power_iterations: how often the singular vectors are improved whenever the weight is read in training; at
            least 1.
        eps: the least length to divide by.
        dim: the dimension of the matrix's rows; None: 1 for transposed convolutions, otherwise 0.
    Returns: the module.
    Raises: ValueError: when there is no such tensor, or for no iterations. IndexError: when dim is out of range.
    Source: Miyato et al. 2018; torch.nn.utils.parametrizations.spectral_norm.
    """
    weight = _weight_of(module, name)
    dim = default_dim(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
