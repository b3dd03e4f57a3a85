"""Creation of tensors: from data, filled, ranges, random; and predicates on tensors."""

from npg.creation import data, filled, predicates, random, ranges
from npg.functional._public import functions_of as _functions_of

FUNCTIONS = {
    name: function
    for module in (data, filled, predicates, random, ranges)
    for name, function in _functions_of(module).items()
}
globals().update(FUNCTIONS)
__all__ = list(FUNCTIONS)
