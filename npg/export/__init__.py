"""Export of a module as a graph: npg records none. Source: torch.export."""

from __future__ import annotations

from typing import Any

from npg._refusal import refusing, refusing_class

_NO_GRAPH = "npg exports no graph; save the state_dict with npg.save, and the module as Python code"
_refuses = refusing(NotImplementedError, _NO_GRAPH)


@_refuses
def export(mod: Any, args: Any, kwargs: Any = None, *, dynamic_shapes: Any = None, **others: Any) -> Any: ...


@_refuses
def save(ep: Any, f: Any, **others: Any) -> Any: ...


@_refuses
def load(f: Any, **others: Any) -> Any: ...


ExportedProgram = refusing_class("ExportedProgram", __name__, NotImplementedError, _NO_GRAPH)

__all__ = ["ExportedProgram", "export", "load", "save"]
