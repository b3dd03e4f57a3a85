"""Settings of the libraries below PyTorch, none of which npg has: they are kept, and change nothing.

npg computes float32 in float32, always in the same order, so what a script asks for here (deterministic algorithms, no
TF32) holds anyway, and what it permits is not made use of. Source: torch.backends.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from npg import _lazy
from npg.backends import _flags

if TYPE_CHECKING:
    from npg.backends import (
        cpu as cpu,
        cuda as cuda,
        cudnn as cudnn,
        cusparselt as cusparselt,
        kleidiai as kleidiai,
        mha as mha,
        miopen as miopen,
        mkl as mkl,
        mkldnn as mkldnn,
        mps as mps,
        nnpack as nnpack,
        openmp as openmp,
        opt_einsum as opt_einsum,
        quantized as quantized,
        xnnpack as xnnpack,
    )
else:
    _NAMES = (
        "cpu", "cuda", "cudnn", "cusparselt", "kleidiai", "mha", "miopen", "mkl", "mkldnn", "mps", "nnpack", "openmp",
        "opt_einsum", "quantized", "xnnpack",
    )  # fmt: skip
    __getattr__ = _lazy.loader(__name__, {}, {name: f"npg.backends.{name}" for name in _NAMES})


def disable_global_flags() -> None:
    """Refuse from now on that a setting is assigned; blocks of flags() may still change it."""
    _flags.frozen = True


def flags_frozen() -> bool:
    """Tell whether settings may not be assigned."""
    return _flags.frozen


def set_flags(_fp32_precision: str = "none") -> tuple[str]:
    """Set the precision of float32 and return the one before: it is kept, and changes nothing."""
    before = _flags.precision_of("generic", "all")
    _flags.set_precision("generic", "all", _fp32_precision)
    return (before,)


@contextmanager
def flags(fp32_precision: str = "none") -> Iterator[None]:
    """Return a block with another precision of float32: it is kept, and changes nothing."""
    (before,) = set_flags(fp32_precision)
    try:
        yield
    finally:
        set_flags(before)


class _Backends(_flags.Settings):
    fp32_precision = _flags.Precision("generic", "all")


sys.modules[__name__].__class__ = _Backends
