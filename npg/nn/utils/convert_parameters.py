"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from npg import functional as F
from npg._naming import named
from npg.functional._public import public_function
from npg.tensor import Tensor


@public_function
def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return all parameters as one vector. Source: torch.nn.utils.parameters_to_vector."""
    return F.cat([p.view(-1) for p in parameters])


@public_function
def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make the parameters views of consecutive parts of one vector.

    Raises: TypeError: when vec is no tensor. RuntimeError: when it is too short; no parameter has changed then.
    Source: torch.nn.utils.vector_to_parameters.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(named(f"expected npg.Tensor, but got: {type(vec).__name__}"))
    parts = []
    at = 0
    for p in parameters:
        parts.append((p, vec[at : at + p.numel()].view_as(p).data))
        at += p.numel()
    for p, part in parts:
        p.data = part
