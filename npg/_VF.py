"""The functions of torch that PyTorch's modules call, which type checkers find nowhere else. Source: torch._VF."""

from npg import _lazy, _names

_OF_PACKING = {"npg.functional.packing": "_pack_padded_sequence _pad_packed_sequence"}
__getattr__ = _lazy.loader(__name__, _lazy.homes_of(_names.TORCH, _names.CREATION, _OF_PACKING))
