"""The choice among a device's matrix products, of which there is none. Source: torch.cuda.tunable."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing
from npg.functional._attributes import NO_CUDA

_refuses = refusing(AssertionError, NO_CUDA)


@_refuses
def is_enabled() -> Any: ...


@_refuses
def tuning_is_enabled() -> Any: ...


@_refuses
def enable(val: bool = True) -> Any: ...


@_refuses
def tuning_enable(val: bool = True) -> Any: ...


@_refuses
def record_untuned_enable(val: bool = True) -> Any: ...


@_refuses
def record_untuned_is_enabled() -> Any: ...


@_refuses
def set_max_tuning_duration(duration: int) -> Any: ...


@_refuses
def get_max_tuning_duration() -> Any: ...


@_refuses
def set_max_tuning_iterations(iterations: int) -> Any: ...


@_refuses
def get_max_tuning_iterations() -> Any: ...


@_refuses
def set_filename(filename: str, insert_device_ordinal: bool = False) -> Any: ...


@_refuses
def get_filename() -> Any: ...


@_refuses
def get_results() -> Any: ...


@_refuses
def get_validators() -> Any: ...


@_refuses
def read_file(filename: str | None = None) -> Any: ...


@_refuses
def tune_gemm_in_file(filename: str) -> Any: ...


@_refuses
def mgpu_tune_gemm_in_file(filename_pattern: str, num_gpus: int) -> Any: ...


@_refuses
def set_rotating_buffer_size(buffer_size: int) -> Any: ...


@_refuses
def get_rotating_buffer_size() -> Any: ...


@_refuses
def set_numerical_check_tolerances(enable: bool, atol: float = 1e-05, rtol: float = 1e-05) -> Any: ...


__all__ = [
    "enable",
    "get_filename",
    "get_max_tuning_duration",
    "get_max_tuning_iterations",
    "get_results",
    "get_rotating_buffer_size",
    "get_validators",
    "is_enabled",
    "mgpu_tune_gemm_in_file",
    "read_file",
    "record_untuned_enable",
    "record_untuned_is_enabled",
    "set_filename",
    "set_max_tuning_duration",
    "set_max_tuning_iterations",
    "set_numerical_check_tolerances",
    "set_rotating_buffer_size",
    "tune_gemm_in_file",
    "tuning_enable",
    "tuning_is_enabled",
]
