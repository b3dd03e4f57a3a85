"""npg under the name torch: scripts and libraries that import torch run on npg as they stand.

npg run script.py           # as python script.py, with npg for torch
import npg.as_torch         # a first line, or in conftest.py: from here on `import torch` is npg
%load_ext npg.as_torch      # in a notebook

Importing this module installs it for the whole process. `install(scope={"einops"})` gives npg to the named packages
only; `uninstall()` ends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from npg.as_torch import _serving

__all__ = ["install", "installed", "uninstall"]


def install(scope: Iterable[str] | None = None) -> None:
    """Let `import torch` be npg. A later call takes the place of an earlier one.

    Args:
        scope: None: for the whole process; a torch that is installed as well is hidden. Or the names of packages: these
            and what lies in them see npg, everything else keeps the torch that it has.
    """
    _serving.begin(scope)


def uninstall() -> None:
    """End what install() began: `import torch` finds the torch that is installed, if there is one."""
    _serving.end()


def installed() -> bool:
    """Tell whether `import torch` is npg for the whole process or for some packages."""
    return _serving.current is not None


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext npg.as_torch`."""
    install()


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext npg.as_torch`."""
    uninstall()


install()
