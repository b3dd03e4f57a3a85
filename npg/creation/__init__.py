"""Creation of tensors: from data, filled, ranges, random; and predicates on tensors."""

from npg import _lazy, _names

_HOMES = _lazy.homes_of(_names.CREATION)
__all__ = list(_HOMES)
__getattr__ = _lazy.loader(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(_HOMES)
