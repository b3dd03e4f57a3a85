"""What npg calls itself in texts and names: `npg`, or `torch` while npg.as_torch serves that name."""

from __future__ import annotations

import re
from typing import Any

library = "npg"  # npg.as_torch writes here


def named(text: str) -> str:
    """Return a text in which `npg.name` reads `torch.name` while npg is served as torch.

    Whatever a user sees of npg's names goes through here: error texts, warnings, reprs.
    """
    return text if library == "npg" else re.sub(r"\bnpg(?=\.\w|'(?!s\b))", library, text)


def is_own(module: str) -> bool:
    """Tell whether a module of this name (`__module__` of a class, `__name__` of a frame's globals) is npg's."""
    package = module.partition(".")[0]
    return package == "npg" or package == library


def home(names: dict[str, Any]) -> str:
    """Return a module's own name from its globals, also while npg.as_torch has renamed the module."""
    spec = names.get("__spec__")
    return str(names.get("__name__", "") if spec is None else spec.name)
