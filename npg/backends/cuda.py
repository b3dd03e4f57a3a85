"""Settings of CUDA's libraries, which are not there: they are kept, and change nothing. Source: torch.backends.cuda."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from npg._errors import warn
from npg._refusal import refusing, refusing_class
from npg.backends import _flags
from npg.functional._attributes import NO_CUDA

_refuses = refusing(AssertionError, NO_CUDA)


def is_built() -> bool:
    """Return False: npg computes on the CPU."""
    return False


def is_ck_sdpa_available() -> bool:
    """Return False: there is no device."""
    return False


def is_flash_attention_available() -> bool:
    """Return False: there is no device."""
    return False


# ----- Products of matrices -----


class cuBLASModule:
    """The settings of matrix products on a device: they are kept, and change nothing."""

    def __getattr__(self, name: str) -> Any:
        if name == "allow_tf32":
            return _flags.matmul_precision != "highest"
        if name == "fp32_precision":
            return _flags.precision_of("cuda", "matmul")
        if name not in _matmul:
            raise AttributeError("Unknown attribute " + name)
        return _matmul[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "fp32_precision":
            _flags.set_precision("cuda", "matmul", value)
        elif name == "allow_tf32":
            _check(f"set_{name}_cublas", value)
            _flags.set_float32_matmul_precision("high" if value else "highest")
        elif name in _matmul:
            _check(f"set_{name}", value)
            _matmul[name] = value
        else:
            raise AttributeError("Unknown attribute " + name)


def _check(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise RuntimeError(f"{name} expects a bool, but got {type(value).__name__}")


_matmul = {
    "allow_fp16_reduced_precision_reduction": True,
    "allow_bf16_reduced_precision_reduction": True,
    "allow_fp16_accumulation": False,
}
matmul = cuBLASModule()

# ----- Plans of Fourier transforms -----


class cuFFTPlanCacheManager:
    """The plans of Fourier transforms on devices: there is no device, so to ask for one raises."""

    def __getitem__(self, device: Any) -> Any:
        index = getattr(device, "index", device)
        raise RuntimeError(f"cufft_plan_cache: expected 0 <= device index < 0, but got device with index {index}")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(NO_CUDA)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AssertionError(NO_CUDA)


cuFFTPlanCache = refusing_class("cuFFTPlanCache", __name__, AssertionError, NO_CUDA)
cufft_plan_cache = cuFFTPlanCacheManager()

# ----- Attention -----

_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True, "fp16_bf16": False}


def flash_sdp_enabled() -> bool:
    """Return what enable_flash_sdp was given; npg has one path of attention."""
    return _attention["flash"]


def mem_efficient_sdp_enabled() -> bool:
    """Return what enable_mem_efficient_sdp was given; npg has one path of attention."""
    return _attention["mem_efficient"]


def math_sdp_enabled() -> bool:
    """Return what enable_math_sdp was given; npg has one path of attention."""
    return _attention["math"]


def cudnn_sdp_enabled() -> bool:
    """Return what enable_cudnn_sdp was given; npg has one path of attention."""
    return _attention["cudnn"]


def fp16_bf16_reduction_math_sdp_allowed() -> bool:
    """Return what allow_fp16_bf16_reduction_math_sdp was given; it changes nothing."""
    return _attention["fp16_bf16"]


def _set(name: str, enabled: Any) -> None:
    _check("set_sdp_use_math", enabled)
    _attention[name] = enabled


def enable_flash_sdp(enabled: bool) -> None:
    """Permit a path of attention: it is kept, and npg has one path."""
    _set("flash", enabled)


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Permit a path of attention: it is kept, and npg has one path."""
    _set("mem_efficient", enabled)


def enable_math_sdp(enabled: bool) -> None:
    """Permit a path of attention: it is kept, and npg has one path."""
    _set("math", enabled)


def enable_cudnn_sdp(enabled: bool) -> None:
    """Permit a path of attention: it is kept, and npg has one path."""
    _set("cudnn", enabled)


def allow_fp16_bf16_reduction_math_sdp(enabled: bool) -> None:
    """Permit sums in half precision: it is kept, and changes nothing."""
    _set("fp16_bf16", enabled)


@contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> Iterator[dict[str, bool]]:
    """Return a block that permits other paths of attention: it is kept, and npg has one path."""
    warn(
        "`npg.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager will be removed. Please "
        "see `npg.nn.attention.sdpa_kernel()` for the new context manager, with updated signature.",
        FutureWarning,
    )
    before = dict(_attention)
    _attention.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn)
    try:
        yield {}
    finally:
        _attention.update(before)


def can_use_flash_attention(params: Any, debug: bool = False) -> bool:
    """Return False: there is no device."""
    return False


def can_use_efficient_attention(params: Any, debug: bool = False) -> bool:
    """Return False: there is no device."""
    return False


def can_use_cudnn_attention(params: Any, debug: bool = False) -> bool:
    """Return False: there is no device."""
    return False


SDPAParams = refusing_class("SDPAParams", __name__, AssertionError, NO_CUDA)

# ----- Which library -----


class _LinalgBackend(enum.Enum):
    Default = 0
    Cusolver = 1
    Magma = 2


class _BlasBackend(enum.Enum):
    Default = 0
    Cublas = 1


def preferred_linalg_library(backend: Any = None) -> Any:
    """Return the library that decompositions prefer: the default, as there is no other.

    Raises: RuntimeError: for another one.
    """
    if backend not in (None, "default", _LinalgBackend.Default):
        if backend == "magma":
            raise RuntimeError("Cannot set preferred backend to MAGMA if PyTorch has not been compiled with MAGMA.")
        if backend == "cusolver":
            raise RuntimeError(
                "Cannot set preferred backend to cuSOLVER if PyTorch has not been compiled with cuSOLVER."
            )
        raise RuntimeError("Unknown input value. Choose from: default, cusolver, magma.")
    return _LinalgBackend.Default


def preferred_blas_library(backend: Any = None) -> Any:
    """Return the library that matrix products prefer on a device, of which there is none.

    Raises: RuntimeError: for one that is to be set and is not the default.
    """
    if backend not in (None, "default", "cublas", _BlasBackend.Cublas):
        raise RuntimeError(f"Cannot set preferred blas backend to {backend}: {NO_CUDA}")
    return _BlasBackend.Cublas


@_refuses
def cublas_workspace_size(size: Any = None) -> Any: ...


@_refuses
def cublaslt_workspace_size(size: Any = None) -> Any: ...


@_refuses
def blas_workspace_size(size: Any = None, backend: Any = None) -> Any: ...
