"""Models for telephones, which PyTorch makes from its compiled code. Source: torch.utils.mobile_optimizer."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing

_refuses = refusing(
    NotImplementedError,
    "npg compiles nothing, so there is no script module to optimise; npg itself runs where Python and NumPy run",
)


@_refuses
def optimize_for_mobile(
    script_module: Any, optimization_blocklist: Any = None, preserved_methods: Any = None, backend: str = "CPU"
) -> Any: ...


@_refuses
def generate_mobile_module_lints(script_module: Any) -> Any: ...


__all__ = ["generate_mobile_module_lints", "optimize_for_mobile"]
