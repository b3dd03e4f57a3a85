"""Error functions, the logistic function and logarithms of sums, and their in-place forms."""

from __future__ import annotations

from typing import Any

from npg.functional._forms import expose, run
from npg.functional._public import public_function
from npg.functional._types import T
from npg.ops import special

logaddexp = expose(special.logaddexp)
logaddexp2 = expose(special.logaddexp2)
xlogy, xlogy_ = expose(special.xlogy)


# ----- Special functions -----

erf, erf_ = expose(special.erf)
erfc, erfc_ = expose(special.erfc)
erfinv, erfinv_ = expose(special.erfinv)
sigmoid, sigmoid_ = expose(special.sigmoid)


@public_function
def logit(input: T, eps: float | None = None, *, out: Any = None) -> T:
    """Return log(x / (1 - x)).

    Args:
        input: any shape; integers give the default floating dtype.
        eps: clamp the input to [eps, 1 - eps] first; None or negative: elements outside [0, 1] give nan.
    Source: torch.logit.
    """
    return run(special.logit, (input,), eps=None if eps is not None and eps < 0 else eps)


@public_function
def logit_(input: T, eps: float | None = None) -> T:
    """Replace the input by its logit in place. Source: torch.Tensor.logit_."""
    return run(special.logit, (input,), True, eps=None if eps is not None and eps < 0 else eps)
