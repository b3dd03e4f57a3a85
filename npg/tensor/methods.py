"""The methods of Tensor that are functions of npg.functional: `x.exp()` is `npg.exp(x)`."""

from __future__ import annotations

from typing import Any

from npg._signatures import parameters_of
from npg.engine import Function, TensorBase
from npg.functional._tensors import FUNCTIONS

# Functions on one tensor that are no methods.
_NO_METHODS = {
    # Functions only, in PyTorch as well.
    "celu", "celu_", "fill", "poisson", "rsub", "selu", "selu_", "std_mean", "threshold", "threshold_", "var_mean",
    "vector_norm",
    # Tensor has its own: an attribute, an operator, or a method that asks less.
    "contiguous", "getitem", "numel", "real", "setitem",
}  # fmt: skip
# How a function calls the tensor whose method it is; the others take none, several, or another one first.
_SELF = {("input",), ("A",), ("tensor",), ("sorted_sequence",)}


def _is_method(name: str, function: Any) -> bool:
    names = function._names if type(function) is Function else parameters_of(function)[0]
    return names[:1] in _SELF and name not in _NO_METHODS


METHODS = {name: function for name, function in FUNCTIONS.items() if _is_method(name, function)}
Methods = TensorBase  # for type checkers a class of its own, with these methods: methods.pyi
