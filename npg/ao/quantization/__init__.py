"""The places where PyTorch turns floats into small integers and back: npg has none of those. Source: torch.ao."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing
from npg.nn import Module

__all__ = [
    "DeQuantStub",
    "QuantStub",
    "convert",
    "fuse_modules",
    "fuse_modules_qat",
    "get_default_qat_qconfig",
    "get_default_qconfig",
    "prepare",
    "prepare_qat",
    "quantize",
    "quantize_dynamic",
]

_refuses = refusing(NotImplementedError, "npg has no quantized tensors; compute in float32")


class _Stub(Module):
    """A module that gives what it gets, until PyTorch's convert() puts another in its place.

    Args:
        qconfig: how its place is to be quantized.
    """

    def __init__(self, qconfig: Any = None) -> None:
        super().__init__()
        if qconfig:
            self.qconfig = qconfig

    def forward(self, x: Any) -> Any:
        """Return the argument."""
        return x


class QuantStub(_Stub):
    """The place where floats are to be quantized. Source: torch.ao.quantization.QuantStub."""


class DeQuantStub(_Stub):
    """The place where quantized numbers are to be floats again. Source: torch.ao.quantization.DeQuantStub."""


@_refuses
def prepare(model: Any, inplace: bool = False, *args: Any, **kwargs: Any) -> Any: ...


@_refuses
def prepare_qat(model: Any, mapping: Any = None, inplace: bool = False) -> Any: ...


@_refuses
def convert(module: Any, mapping: Any = None, inplace: bool = False, *args: Any, **kwargs: Any) -> Any: ...


@_refuses
def quantize(model: Any, run_fn: Any, run_args: Any, mapping: Any = None, inplace: bool = False) -> Any: ...


@_refuses
def quantize_dynamic(model: Any, qconfig_spec: Any = None, *args: Any, **kwargs: Any) -> Any: ...


@_refuses
def fuse_modules(model: Any, modules_to_fuse: Any, inplace: bool = False, *args: Any, **kwargs: Any) -> Any: ...


@_refuses
def fuse_modules_qat(model: Any, modules_to_fuse: Any, inplace: bool = False, *args: Any, **kwargs: Any) -> Any: ...


@_refuses
def get_default_qconfig(backend: str = "x86", version: int = 0) -> Any: ...


@_refuses
def get_default_qat_qconfig(backend: str = "x86", version: int = 1) -> Any: ...
