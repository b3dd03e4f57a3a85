"""RemovableHandle, returned wherever a hook is registered."""

from npg.engine import RemovableHandle

__all__ = ["RemovableHandle"]
