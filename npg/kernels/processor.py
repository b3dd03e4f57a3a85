"""What the processor can do, as far as NumPy uses it: NPY_DISABLE_CPU_FEATURES counts."""

from __future__ import annotations

import importlib
from typing import Any

_umath: Any = importlib.import_module("numpy._core._multiarray_umath")
FEATURES: dict[str, bool] = _umath.__cpu_features__
HAS_AVX512 = FEATURES.get("AVX512_SKX", False) or FEATURES.get("X86_V4", False)  # the second name since NumPy 2.4
