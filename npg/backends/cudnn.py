"""Settings of cuDNN, which is not there: they are kept, and change nothing. Source: torch.backends.cudnn."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any

from npg import dtypes
from npg.backends import _flags
from npg.backends._flags import Flag, Settings, precision_of, put_flags, restoring, set_precision

CUDNN_TENSOR_DTYPES = {dtypes.float16, dtypes.float32, dtypes.float64}


def is_available() -> bool:
    """Return False: there is no cuDNN."""
    return False


def version() -> None:
    """Return None: there is no cuDNN."""


def is_acceptable(tensor: Any) -> bool:
    """Return False: cuDNN takes no tensor that is on the CPU."""
    return False


class _AllowTF32:
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else "tf32" in (precision_of("cuda", "conv"), precision_of("cuda", "rnn"))

    def __set__(self, instance: Any, value: Any) -> None:
        _flags.check_assignable()
        self.put(value)

    def put(self, value: Any) -> None:
        if not isinstance(value, bool):
            raise RuntimeError(f"set_allow_tf32_cublas expects a bool, but got {type(value).__name__}")
        for op in ("conv", "rnn"):
            set_precision("cuda", op, "tf32" if value else "none")


class _BenchmarkLimit:
    """None without cuDNN, whatever is assigned."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else None

    def __set__(self, instance: Any, value: int) -> None:
        _flags.check_assignable()


class _Cudnn(Settings):
    enabled = Flag(True, "set_enabled_cudnn expects a bool, but got {kind}")
    benchmark = Flag(False, "set_benchmark_cudnn expects a bool, but got {kind}")
    deterministic = Flag(False, "set_deterministic_cudnn expects a bool, but got {kind}")
    depthwise_kernel = Flag("auto")
    allow_tf32 = _AllowTF32()
    benchmark_limit = _BenchmarkLimit()
    fp32_precision = _flags.Precision("cuda", "all")


_module: Any = sys.modules[__name__]
_module.__class__ = _Cudnn
conv, rnn = _flags.of_op("cuda", "conv"), _flags.of_op("cuda", "rnn")


def set_flags(
    _enabled: Any = None,
    _benchmark: Any = None,
    _benchmark_limit: Any = None,
    _deterministic: Any = None,
    _allow_tf32: Any = None,
    _fp32_precision: str = "none",
    _depthwise_kernel: Any = None,
) -> tuple[Any, ...]:
    """Set the flags that are given and return those before: they are kept, and change nothing."""
    names = ("enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32", "fp32_precision")
    before = tuple(getattr(_module, name) for name in (*names, "depthwise_kernel"))
    put_flags(
        _module,
        {
            "enabled": _enabled,
            "benchmark": _benchmark,
            "deterministic": _deterministic,
            "allow_tf32": _allow_tf32,
            "fp32_precision": _fp32_precision,
            "depthwise_kernel": _depthwise_kernel,
        },
    )
    return before


def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
    fp32_precision: str = "none",
    depthwise_kernel: str = "auto",
) -> AbstractContextManager[None]:
    """Return a block with other flags: they are kept, and change nothing."""
    return restoring(
        set_flags, enabled, benchmark, benchmark_limit, deterministic, allow_tf32, fp32_precision, depthwise_kernel
    )
