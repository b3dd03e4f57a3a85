"""Extensions in C++: npg has no C++ API to compile them against. Source: torch.utils.cpp_extension."""

from __future__ import annotations

import sys
from typing import Any

from npg._refusal import refusing, refusing_class

IS_WINDOWS, IS_MACOS, IS_LINUX = sys.platform == "win32", sys.platform == "darwin", sys.platform.startswith("linux")
CUDA_HOME = CUDNN_HOME = ROCM_HOME = HIP_HOME = SYCL_HOME = None
ROCM_VERSION = None
IS_HIP_EXTENSION = False

_TEXT = (
    "npg has no C++ API to compile extensions against; write the operation in Python, on NumPy arrays or as a "
    "npg.autograd.Function"
)
_refuses = refusing(RuntimeError, _TEXT)


@_refuses
def load(name: str, sources: Any, *args: Any, **settings: Any) -> Any: ...


@_refuses
def load_inline(name: str, cpp_sources: Any, *args: Any, **settings: Any) -> Any: ...


@_refuses
def CppExtension(name: str, sources: Any, *args: Any, **settings: Any) -> Any: ...


@_refuses
def CUDAExtension(name: str, sources: Any, *args: Any, **settings: Any) -> Any: ...


@_refuses
def SyclExtension(name: str, sources: Any, *args: Any, **settings: Any) -> Any: ...


@_refuses
def include_paths(device_type: str = "cpu", torch_include_dirs: bool = True) -> Any: ...


@_refuses
def library_paths(
    device_type: str = "cpu", torch_include_dirs: bool = True, cross_target_platform: str | None = None
) -> Any: ...


@_refuses
def verify_ninja_availability() -> Any: ...


def is_ninja_available() -> bool:
    """Return False: there is nothing that ninja could build."""
    return False


BuildExtension = refusing_class("BuildExtension", __name__, RuntimeError, _TEXT)

__all__ = [
    "BuildExtension",
    "CUDAExtension",
    "CppExtension",
    "SyclExtension",
    "include_paths",
    "is_ninja_available",
    "library_paths",
    "load",
    "load_inline",
    "verify_ninja_availability",
]
