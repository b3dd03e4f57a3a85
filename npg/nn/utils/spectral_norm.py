"""Spectral normalisation: a weight divided by its largest singular value."""

from __future__ import annotations

from typing import Any, TypeVar

from npg.autograd import no_grad
from npg.functional._attributes import contiguous_format
from npg.functional._public import exposed
from npg.functional.matmul import multi_dot
from npg.nn import functional as F
from npg.nn.modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from npg.nn.modules.module import Module
from npg.nn.parameter import Parameter
from npg.nn.utils import _weight_hooks
from npg.tensor import Tensor

M = TypeVar("M", bound=Module)


def rows_first(weight: Tensor, dim: int) -> Tensor:
    """Return a weight with the dimension of its matrix's rows in front."""
    return weight.permute(dim, *(d for d in range(weight.dim()) if d != dim)) if dim else weight


def improve(vector: Tensor, matrix: Tensor, other: Tensor, eps: float) -> None:
    """Write the direction of matrix @ other to a vector: half a step of the power method."""
    vector.copy_(F.normalize(matrix.mv(other), dim=0, eps=eps))


class SpectralNorm:
    """The forward pre-hook that computes the weight of a module from name_orig, name_u and name_v."""

    _version = 1

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        """Return the weight with a row for each index of dim."""
        return rows_first(weight, self.dim).reshape(weight.size(self.dim), -1)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """Return W / (u . W v), where u and v may come closer to the singular vectors first."""
        weight, u, v = (getattr(module, self.name + suffix) for suffix in ("_orig", "_u", "_v"))
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    improve(v, matrix.t(), u, self.eps)
                    improve(u, matrix, v, self.eps)
                # The next call changes the buffers; the graph keeps copies.
                u, v = u.clone(memory_format=contiguous_format), v.clone(memory_format=contiguous_format)
        normalized: Tensor = weight / u.dot(matrix.mv(v))
        return normalized

    @staticmethod
    def apply(module: Module, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Do what spectral_norm does, and return the hook."""
        _weight_hooks.refuse_second(module, SpectralNorm, "spectral_norm", name)
        fn = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        _weight_hooks.refuse_uninitialized(weight, SpectralNorm, "spectral normalization")
        with no_grad():
            sizes = fn.reshape_weight_to_matrix(weight).size()
            u, v = (F.normalize(weight.new_empty(n).normal_(0, 1), dim=0, eps=eps) for n in sizes)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.data)  # a plain attribute, which each forward sets anew
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(fn)
        module.register_state_dict_post_hook(SpectralNormStateDictHook(fn))
        module.register_load_state_dict_pre_hook(SpectralNormLoadStateDictPreHook(fn))
        return fn

    def remove(self, module: Module) -> None:
        """Make the parameter an ordinary one again, with its present value."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


class SpectralNormStateDictHook:
    """Writes the version of the normalisation into a state's metadata, where PyTorch reads it."""

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(self, module: Module, state_dict: Any, prefix: str, local_metadata: Any) -> None:
        versions, key = local_metadata.setdefault("spectral_norm", {}), self.fn.name + ".version"
        if key in versions:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        versions[key] = self.fn._version


class SpectralNormLoadStateDictPreHook:
    """Completes states of PyTorch before 1.0, which have the weight of their last forward instead of v."""

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(
        self,
        module: Module,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: Any,
        *_: Any,
    ) -> None:
        fn, key = self.fn, prefix + self.fn.name
        version = local_metadata.get("spectral_norm", {}).get(fn.name + ".version")
        if version is not None and version >= 1:
            return
        if version is None and key not in state_dict and all(key + s in state_dict for s in ("_orig", "_u", "_v")):
            return  # of today, only without metadata
        absent = [key + suffix for suffix in ("_orig", "", "_u") if key + suffix not in state_dict]
        if absent:
            missing_keys.extend(absent if strict else ())
            return
        with no_grad():
            original, u = state_dict[key + "_orig"], state_dict[key + "_u"]
            sigma = (original / state_dict.pop(key)).mean()
            matrix = fn.reshape_weight_to_matrix(original)
            # u is the direction of W v, so v is that of W^-1 u; its length such that u . W v is sigma.
            v = multi_dot([matrix.t().mm(matrix).pinverse(), matrix.t(), u.unsqueeze(1)]).squeeze(1)
            state_dict[key + "_v"] = v * (sigma / u.dot(matrix.mv(v)))


@exposed
def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Replace a module's parameter by name_orig; each forward divides it by its largest singular value.

    W / sigma, sigma = u . W v; in training each forward: v = W^T u / |W^T u|, u = W v / |W v|

    Args:
        name: the parameter, taken as a matrix.
        n_power_iterations: how often u and v are improved in a forward; at least 1.
        eps: the least length to divide by.
        dim: the dimension of the matrix's rows; None: 1 for transposed convolutions, otherwise 0.
    Returns: the module.
    Raises: RuntimeError: when the parameter is normalised already. ValueError: when it is None or not yet initialised,
        or for no iterations. KeyError: when there is no such parameter.
    Source: Miyato et al. 2018; torch.nn.utils.spectral_norm.
    """
    _weight_hooks.check_parameter_name(module, name)
    if not isinstance(n_power_iterations, int):
        raise TypeError(f"'n_power_iterations' must be int, not {type(n_power_iterations).__name__}")
    if not isinstance(eps, (int, float)):
        raise TypeError(f"'eps' must be float, not {type(eps).__name__}")
    SpectralNorm.apply(module, name, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    return module


def default_dim(module: Module) -> int:
    """Return the dimension of the rows of a module's weight: that of the outputs."""
    return int(isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)))


@exposed
def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the parameter an ordinary one again, with its present value.

    Raises: ValueError: when the parameter is not normalised.
    Source: torch.nn.utils.remove_spectral_norm. Unlike there, the hook that completes old states is removed too.
    """
    _weight_hooks.remove(module, SpectralNorm, "spectral_norm", name)
    for hooks, kind in (
        (module._state_dict_hooks, SpectralNormStateDictHook),
        (module._load_state_dict_pre_hooks, SpectralNormLoadStateDictPreHook),
    ):
        key = _weight_hooks.key_of(hooks, kind, name)
        if key is not None:
            del hooks[key]
    return module
