"""The exponential of matrices."""

from __future__ import annotations

from npg.engine import apply
from npg.functional._arguments import checked_array
from npg.functional._public import public_function
from npg.functional._square import square_of
from npg.functional._types import T
from npg.ops import matrix_exp as ops


@public_function
def matrix_exp(input: T) -> T:
    """Return the exponential of a square matrix, 1 + A + A^2 / 2! + A^3 / 3! + ...

    Args:
        input: (..., n, n) float16, float32 or float64.
    Raises: RuntimeError: when it is no square floating matrix.
    Source: torch.matrix_exp, torch.linalg.matrix_exp.
    """
    checked_array("matrix_exp", input)
    square_of("linalg.matrix_exp", input, low=False)
    return apply(ops.matrix_exp, (input,), {})
