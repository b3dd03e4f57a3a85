"""Export to ONNX, which needs a graph: npg records none. Source: torch.onnx."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing

_refuses = refusing(
    NotImplementedError,
    "npg exports no graph; save the state_dict with npg.save and load it in PyTorch, whose torch.onnx.export writes it",
)


def is_in_onnx_export() -> bool:
    """Return False: nothing is exported."""
    return False


@_refuses
def export(model: Any, args: Any = (), f: Any = None, **others: Any) -> Any: ...


@_refuses
def _export(*args: Any, **others: Any) -> Any: ...


def register_custom_op_symbolic(symbolic_name: str, symbolic_fn: Any, opset_version: int) -> None:
    """Do nothing: only an export would call the function."""


def unregister_custom_op_symbolic(symbolic_name: str, opset_version: int) -> None:
    """Do nothing: npg keeps no functions for an export."""


class OnnxExporterError(RuntimeError):
    """Raised by PyTorch when an export fails; npg never raises it."""


__all__ = [
    "OnnxExporterError",
    "export",
    "is_in_onnx_export",
    "register_custom_op_symbolic",
    "unregister_custom_op_symbolic",
]
