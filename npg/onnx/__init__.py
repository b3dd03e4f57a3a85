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


class OnnxExporterError(RuntimeError):
    """Raised by PyTorch when an export fails; npg never raises it."""


__all__ = ["OnnxExporterError", "export", "is_in_onnx_export"]
