"""torch.nn.functional: the functions of it that npg has, and no others; npg/_names.py says where they stand."""

from npg import _lazy, _names

_HOMES = _lazy.homes_of(_names.NETWORKS)
__all__ = list(_HOMES)
__getattr__ = _lazy.loader(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(_HOMES)
