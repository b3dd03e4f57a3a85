"""Read by Python as it starts, under `npg run` and in every Python below it: `torch` is npg for who imports it.

Nothing is imported until somebody asks for torch. A sitecustomize.py that this one stands before is read too.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(_FOLDER)))


class _Later:
    """The finder that stands in for npg.as_torch until torch is asked for."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "torch" and not name.startswith("torch."):
            return None
        finder = self.replace()
        sys.modules.pop(name, None)  # else the import system takes npg's own spec, and loads it a second time
        return finder.find_spec(name, path, target)

    def find_distributions(self, context: Any) -> Any:
        if context.name is None or context.name.lower() != "torch":
            return ()
        return self.replace().find_distributions(context)

    def replace(self) -> Any:
        """Install npg.as_torch, whose finder takes the place of this one, and return it."""
        sys.path.insert(0, _ROOT)  # the npg that was started, wherever the script stands
        try:
            import npg.as_torch  # noqa: F401
        finally:
            sys.path.remove(_ROOT)
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        return sys.meta_path[0]


def _start() -> None:
    if "TORCHELASTIC_RUN_ID" in os.environ and hasattr(sys.stdout, "reconfigure"):
        # One of several processes, whose outputs are one: a line comes at once and whole, though through a pipe.
        sys.stdout.reconfigure(line_buffering=True, write_through=False)
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != _FOLDER]
    sys.meta_path.insert(0, _Later())
    own = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", own)  # the import system looks for it when this file is read


_start()
