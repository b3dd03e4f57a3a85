"""Settings of oneDNN, which is not there: they are kept, and change nothing. Source: torch.backends.mkldnn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from npg._errors import warn
from npg.backends import _flags
from npg.backends._flags import Flag, Settings, put_flags

VERBOSE_OFF, VERBOSE_ON, VERBOSE_ON_CREATION = 0, 1, 2


def is_available() -> bool:
    """Return False: npg computes with NumPy and its BLAS."""
    return False


def is_acl_available() -> bool:
    """Return False: npg computes with NumPy and its BLAS."""
    return False


class _Mkldnn(Settings):
    enabled = Flag(True, "set_enabled_mkldnn expects a bool, but got {kind}")
    deterministic = Flag(False, "set_deterministic_mkldnn expects a bool, but got {kind}")
    allow_tf32 = Flag(True, "set_allow_tf32_mkldnn expects a bool, but got {kind}")
    fp32_precision = _flags.Precision("mkldnn", "all")


_module: Any = sys.modules[__name__]
_module.__class__ = _Mkldnn
matmul, conv, rnn = (_flags.of_op("mkldnn", op) for op in ("matmul", "conv", "rnn"))


def set_flags(
    _enabled: Any = None, _deterministic: Any = None, _allow_tf32: Any = None, _fp32_precision: str = "none"
) -> tuple[Any, ...]:
    """Set the flags that are given and return those before: they are kept, and change nothing."""
    values = {
        "enabled": _enabled,
        "deterministic": _deterministic,
        "allow_tf32": _allow_tf32,
        "fp32_precision": _fp32_precision,
    }
    before = tuple(getattr(_module, name) for name in values)
    if _allow_tf32:
        warn(
            "TF32 acceleration on top of oneDNN is available for Intel GPUs. The current Torch version does not have "
            "Intel GPU Support."
        )
    put_flags(_module, values)
    return before


@contextmanager
def flags(
    enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True, fp32_precision: str = "none"
) -> Iterator[None]:
    """Return a block with other flags: they are kept, and change nothing."""
    before = set_flags(enabled, deterministic, allow_tf32, fp32_precision)
    try:
        yield
    finally:
        put_flags(_module, dict(zip(("enabled", "deterministic", "allow_tf32", "fp32_precision"), before)))


class verbose:
    """A block in which oneDNN would print what it does; there is none, so it prints nothing."""

    def __init__(self, level: int) -> None:
        self.level = level

    def __enter__(self) -> verbose | None:
        return None if self.level == VERBOSE_OFF else self

    def __exit__(self, *exc: object) -> None:
        pass
