"""What importlib.metadata says of the distribution `torch` while npg serves it: libraries ask for its version."""

from __future__ import annotations

import os
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from npg.version import __version__

_METADATA = f"""\
Metadata-Version: 2.1
Name: torch
Version: {__version__}
Summary: npg under the name torch
Requires-Dist: numpy>=2.0

"""


class Torch(Distribution):
    """The distribution of which npg is the content."""

    def read_text(self, filename: str) -> str | None:
        return {"METADATA": _METADATA, "PKG-INFO": _METADATA, "top_level.txt": "torch\n"}.get(filename)

    def locate_file(self, path: str | os.PathLike[str]) -> Any:
        return Path(__file__).resolve().parent.parent.parent / path


def found(context: Any) -> list[Distribution]:
    """Return the distribution for those who ask for it by name, or for all."""
    return [Torch()] if context.name is None or context.name.lower() == "torch" else []
