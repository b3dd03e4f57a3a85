"""RemovableHandle, the result of registering a hook."""

from npg.engine import RemovableHandle

__all__ = ["RemovableHandle"]
