"""Error functions, the logistic function and logarithms of sums, and their in-place forms."""

from __future__ import annotations

from typing import Any

from npg.functional._forms import both, run
from npg.functional._public import (
    public,
    public_function,
)
from npg.functional._types import T
from npg.ops import special

__all__ = [
    "erf",
    "erf_",
    "erfc",
    "erfc_",
    "erfinv",
    "erfinv_",
    "logaddexp",
    "logaddexp2",
    "logit",
    "logit_",
    "sigmoid",
    "sigmoid_",
    "xlogy",
    "xlogy_",
]

logaddexp = public(special.logaddexp)
logaddexp2 = public(special.logaddexp2)
xlogy, xlogy_ = both(special.xlogy)


# ----- Special functions -----

erf, erf_ = both(special.erf)
erfc, erfc_ = both(special.erfc)
erfinv, erfinv_ = both(special.erfinv)
sigmoid, sigmoid_ = both(special.sigmoid)


@public_function
def logit(input: T, eps: float | None = None, *, out: Any = None) -> T:
    """Return log(x / (1 - x)).

    Args:
        input: any shape; integers give the default floating dtype.
        eps: cut the input to [eps, 1 - eps] first; with None or below 0, what is outside [0, 1] gives nan.
    Source: torch.logit.
    """
    return run(special.logit, (input,), eps=None if eps is not None and eps < 0 else eps)


@public_function
def logit_(input: T, eps: float | None = None) -> T:
    """Replace the input by its logit in place. Source: torch.Tensor.logit_."""
    return run(special.logit, (input,), True, eps=None if eps is not None and eps < 0 else eps)
