"""The functions of torch and of Tensor that are there from the start: all but those that npg loads later."""

from importlib import import_module as _import_module

from npg.functional._public import functions_of as _functions_of
from npg.functional.generator import Generator as Generator, default_generator as default_generator

FUNCTIONS = {
    name: function
    for module in (
        "activation", "addmm", "comparison", "copy", "cumulative", "division", "elementwise", "extrema", "fill",
        "generator", "index_select", "indexing", "joining", "linalg", "linalg_solvers", "masked", "matmul", "norm",
        "random", "rearrange", "reduction", "rounding", "scatter", "search", "selection", "shape", "softmax", "sort",
        "special", "split", "transpose", "trigonometry",
    )
    for name, function in _functions_of(_import_module(f"npg.functional.{module}")).items()
}  # fmt: skip
globals().update(FUNCTIONS)
__all__ = ["Generator", "default_generator"]
__all__ += list(FUNCTIONS)
