"""Pruning: parameters of which a mask keeps some entries and makes the others zero, in every forward.

A pruned parameter `weight` becomes a parameter `weight_orig` and a buffer `weight_mask`; a forward pre-hook,
the pruning method, sets the attribute `weight` to their product.
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, TypeGuard, TypeVar

from npg import creation, functional as F
from npg.functional._attributes import contiguous_format
from npg.functional._public import exposed
from npg.nn.modules.module import Module
from npg.nn.utils.convert_parameters import parameters_to_vector
from npg.tensor import Tensor

M = TypeVar("M", bound=Module)

# ----- Amounts -----


def _check_amount(amount: Any) -> None:
    """Raise when an amount is neither a count nor a fraction."""
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if float(amount) < 0 or (not isinstance(amount, numbers.Integral) and float(amount) > 1):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _count(amount: Any, size: int) -> int:
    """Return how many of `size` entries or channels an amount is.

    Raises: ValueError: when there are fewer.
    """
    if not isinstance(amount, numbers.Integral):
        return int(round(amount * size))
    if int(amount) > size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
    return int(amount)


def _channels(t: Tensor, dim: int) -> int:
    """Return the size of the dimension whose channels are pruned.

    Raises: ValueError: when t has no channels. IndexError: when t has no such dimension.
    """
    if t.dim() <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
            f"{t.shape} with {t.dim()} dims"
        )
    if dim >= t.dim():
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")
    return t.shape[dim]


# ----- Methods -----


class BasePruningMethod(ABC):
    """The forward pre-hook of a pruned parameter; a subclass says in compute_mask which entries stay.

    Attributes:
        PRUNING_TYPE: of a subclass: what a second pruning sees of a parameter: "unstructured": the entries that are
            left; "structured": the channels that are left along the attribute dim; "global": everything.
    Source: torch.nn.utils.prune.BasePruningMethod.
    """

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str | None = None

    def __call__(self, module: Module, inputs: Any) -> None:
        """Set the module's attribute to the pruned tensor."""
        assert self._tensor_name is not None
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask for importances t, of t's shape; default_mask is the one of earlier prunings, or ones."""

    def apply_mask(self, module: Module) -> Tensor:
        """Return the product of the mask and the original parameter.

        Raises: AssertionError: when the method is not in use on a parameter.
        """
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        original: Tensor = getattr(module, self._tensor_name + "_orig")
        mask: Tensor = getattr(module, self._tensor_name + "_mask")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune a parameter of a module, on top of earlier prunings, and return the hook.

        Args:
            name: the parameter.
            args, kwargs: of the class.
            importance_scores: what decides instead of the parameter's values, of its shape.
        Raises: AssertionError: for another shape. AttributeError: when there is no such parameter. What the class and
            compute_mask raise. The module is then as it was.
        """
        hooks: dict[int, BasePruningMethod] = {
            key: hook for key, hook in module._forward_pre_hooks.items() if _is_for(hook, name)
        }
        if len(hooks) > 1:
            raise AssertionError(
                f"Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. Use a "
                "PruningContainer."
            )
        new = cls(*args, **kwargs)
        new._tensor_name = name
        parameter: Tensor = getattr(module, name)
        scores = parameter if importance_scores is None else importance_scores
        if scores.shape != parameter.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got {scores.shape} vs "
                f"{parameter.shape}"
            )
        if not hooks:
            mask = new.compute_mask(scores, default_mask=creation.ones_like(parameter))
            module.register_parameter(name + "_orig", parameter)  # type: ignore[arg-type]
            del module._parameters[name]
            method: BasePruningMethod = new
        else:
            ((key, old),) = hooks.items()
            container = old if isinstance(old, PruningContainer) else PruningContainer(old)
            earlier = container._pruning_methods
            container.add_pruning_method(new)
            try:
                mask = container.compute_mask(scores, getattr(module, name + "_mask").detach().clone())
            except BaseException:
                container._pruning_methods = earlier
                raise
            del module._forward_pre_hooks[key]
            method = container
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """Return t with the entries zero that the method prunes; no module is involved.

        Args:
            default_mask: of an earlier pruning, of t's shape.
            importance_scores: what decides instead of t, of its shape.
        Raises: AssertionError: for another shape.
        """
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {scores.shape} vs {t.shape}"
            )
        mask = creation.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=mask)

    def remove(self, module: Module) -> None:
        """Make the parameter an ordinary one again, with the pruned values; the hook stays.

        Raises: AssertionError: when the method is not in use on a parameter.
        """
        name = self._tensor_name
        if name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        pruned = self.apply_mask(module).data
        parameter: Any = module._parameters.pop(name + "_orig")
        del module._buffers[name + "_mask"]
        if hasattr(module, name):
            delattr(module, name)
        parameter.data = pruned
        setattr(module, name, parameter)


def _is_for(hook: Any, name: str) -> TypeGuard[BasePruningMethod]:
    return isinstance(hook, BasePruningMethod) and hook._tensor_name == name


class PruningContainer(BasePruningMethod):
    """Several prunings of one parameter, in their order.

    Source: torch.nn.utils.prune.PruningContainer.
    """

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if args and isinstance(args[0], BasePruningMethod):
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Add a method, which must be for the same parameter.

        Raises: TypeError: when it is none. ValueError: when it is for another parameter.
        """
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method._tensor_name != self._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to PruningContainer "
                f"{self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return default_mask without what the last method prunes of the rest.

        Raises: AttributeError: for a structured method without dim. ValueError: for an unknown PRUNING_TYPE.
        """
        method = self._pruning_methods[-1]
        where: Any
        if method.PRUNING_TYPE == "unstructured":
            where = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(
                    'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
                )
            dim = method.dim + t.dim() if method.dim < 0 else method.dim
            if dim < 0:
                raise IndexError(f"Index is out of bounds for tensor with dimensions {t.dim()}")
            left = default_mask.sum(dim=[d for d in range(t.dim()) if d != dim]) != 0
            where = (slice(None),) * dim + (left,)
        elif method.PRUNING_TYPE == "global":
            where = ...
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = default_mask.to(dtype=t.dtype, copy=True)
        mask[where] = method.compute_mask(t[where], default_mask=default_mask[where]).to(dtype=mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prune nothing: the parameter has a mask of ones. Source: torch.nn.utils.prune.Identity."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return default_mask."""
        return default_mask


class _Unstructured(BasePruningMethod):
    """Entries, as many as `amount` says: a count, or a fraction of all."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        _check_amount(amount)
        self.amount = amount

    def _pruned(self, t: Tensor, count: int) -> Tensor:
        """Return the flat indices of the entries to prune."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return default_mask with zeros at the entries to prune.

        Raises: ValueError: when there are fewer entries than are to be pruned.
        """
        count = _count(self.amount, t.numel())
        mask = default_mask.clone(memory_format=contiguous_format)
        if count:
            mask.view(-1)[self._pruned(t, count)] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prune entries at random; amount: a count, or a fraction of all.

    Source: torch.nn.utils.prune.RandomUnstructured.
    """

    def _pruned(self, t: Tensor, count: int) -> Tensor:
        return F.topk(creation.rand_like(t).view(-1), count).indices


class L1Unstructured(_Unstructured):
    """Prune the entries nearest zero; amount: a count, or a fraction of all.

    Source: torch.nn.utils.prune.L1Unstructured.
    """

    def _pruned(self, t: Tensor, count: int) -> Tensor:
        return F.topk(t.abs().reshape(-1), count, largest=False).indices


class _Structured(BasePruningMethod):
    """Channels along a dimension, as many as `amount` says: a count, or a fraction of all."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int) -> None:
        _check_amount(amount)
        self.amount, self.dim = amount, dim

    def _kept(self, t: Tensor, channels: int, count: int) -> Tensor:
        """Return the channels to keep when `count` are pruned, as an index."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return default_mask with zeros in the channels to prune.

        Raises: ValueError: when t has fewer than two dimensions, or fewer channels than are to be pruned. IndexError:
            when t has no such dimension.
        """
        channels = _channels(t, self.dim)
        count = _count(self.amount, channels)
        if not count:
            return default_mask
        mask = creation.zeros_like(t)
        mask.movedim(self.dim, 0)[self._kept(t, channels, count)] = 1
        return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_Structured):
    """Prune channels along dim at random; amount: a count, or a fraction of all.

    Source: torch.nn.utils.prune.RandomStructured.
    """

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount, dim)

    def _kept(self, t: Tensor, channels: int, count: int) -> Tensor:
        chance = creation.rand(channels)
        return chance > F.kthvalue(chance, count).values


class LnStructured(_Structured):
    """Prune the channels along dim with the smallest norms; amount: a count, or a fraction of all; n: see npg.norm.

    Source: torch.nn.utils.prune.LnStructured.
    """

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _kept(self, t: Tensor, channels: int, count: int) -> Tensor:
        others = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        return F.topk(F.norm(t, p=self.n, dim=others), channels - count).indices


class CustomFromMask(BasePruningMethod):
    """Prune where a given mask is zero. Source: torch.nn.utils.prune.CustomFromMask."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the product of the masks.

        Raises: AssertionError: when their shapes differ.
        """
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)


# ----- Functions -----


@exposed
def identity(module: M, name: str) -> M:
    """Give a parameter a mask of ones, and return the module. Source: torch.nn.utils.prune.identity."""
    Identity.apply(module, name)
    return module


@exposed
def random_unstructured(module: M, name: str, amount: float) -> M:
    """Prune entries of a parameter at random, and return the module.

    Args:
        name: the parameter.
        amount: an int: how many; a float from 0 to 1: this fraction of those that are left.
    Raises: TypeError, ValueError: for another amount, or more than there are.
    Source: torch.nn.utils.prune.random_unstructured.
    """
    RandomUnstructured.apply(module, name, amount)
    return module


@exposed
def l1_unstructured(module: M, name: str, amount: float, importance_scores: Tensor | None = None) -> M:
    """Prune the entries of a parameter that are nearest zero, and return the module.

    Args:
        name, amount: see random_unstructured.
        importance_scores: of the parameter's shape; these are compared instead of its entries.
    Source: torch.nn.utils.prune.l1_unstructured.
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


@exposed
def random_structured(module: M, name: str, amount: float, dim: int) -> M:
    """Prune channels of a parameter at random, and return the module.

    Args:
        name, amount: see random_unstructured; the amount is of channels.
        dim: the dimension of the channels.
    Source: torch.nn.utils.prune.random_structured.
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


@exposed
def ln_structured(module: M, name: str, amount: float, n: Any, dim: int, importance_scores: Tensor | None = None) -> M:
    """Prune the channels of a parameter that have the smallest norms, and return the module.

    Args:
        name, amount, dim: see random_structured.
        n: the norm's p; see npg.norm.
        importance_scores: of the parameter's shape; these are compared instead of its entries.
    Source: torch.nn.utils.prune.ln_structured.
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


@exposed
def custom_from_mask(module: M, name: str, mask: Tensor) -> M:
    """Prune a parameter where a mask of its shape is zero, and return the module.

    Source: torch.nn.utils.prune.custom_from_mask.
    """
    CustomFromMask.apply(module, name, mask)
    return module


@exposed
def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune several parameters as if they were one.

    Args:
        parameters: the modules and the names of their parameters.
        pruning_method: an unstructured one.
        importance_scores: by module and name; what decides instead of the parameter's values.
        kwargs: of the method: amount.
    Raises: TypeError: for a method of another type, or what is no iterable or no dict.
    Source: torch.nn.utils.prune.global_unstructured.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    given = {} if importance_scores is None else importance_scores
    if not isinstance(given, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    places = list(parameters)
    tensors: list[Tensor] = [getattr(module, name) for module, name in places]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    scores = parameters_to_vector([given.get(place, t) for place, t in zip(places, tensors, strict=True)])
    masks = [getattr(m, n + "_mask", creation.ones_like(t)) for (m, n), t in zip(places, tensors, strict=True)]
    mask = PruningContainer(method).compute_mask(scores, parameters_to_vector(masks))
    sizes = [t.numel() for t in tensors]
    for (module, name), t, part in zip(places, tensors, mask.split(sizes), strict=True):
        custom_from_mask(module, name, part.view_as(t))


@exposed
def remove(module: M, name: str) -> M:
    """Make a pruned parameter an ordinary one again, with the pruned values, and return the module.

    Raises: ValueError: when it is not pruned.
    Source: torch.nn.utils.prune.remove.
    """
    for key, hook in module._forward_pre_hooks.items():
        if _is_for(hook, name):
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


@exposed
def is_pruned(module: Module) -> bool:
    """Tell whether a parameter of a module or of one in it is pruned. Source: torch.nn.utils.prune.is_pruned."""
    hooks = (hook for part in module.modules() for hook in part._forward_pre_hooks.values())
    return any(isinstance(hook, BasePruningMethod) for hook in hooks)
