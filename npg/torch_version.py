"""A version that is text and compares as a version. Source: torch.torch_version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from npg.version import __version__ as _version

__all__ = ["TorchVersion"]

_VERSION = re.compile(
    r"\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<phase>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<phase_number>\d*))?"
    r"(?:-(?P<implicit_post>\d+)|(?P<post>[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>\d*)))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_number>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*",
    re.IGNORECASE,
)
_PHASES = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_FIRST, _LAST = (-1,), (1,)  # below and above every (0, ...)


def _key(text: str) -> tuple[Any, ...] | None:
    """Return what versions are ordered by (PEP 440), None for a text that is no version."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    numbers = [int(n) for n in match["release"].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    phase = (match["phase"] or "").lower()
    is_post = match["post"] is not None or match["implicit_post"] is not None
    if phase:
        before: tuple[Any, ...] = (0, _PHASES.get(phase, phase), int(match["phase_number"] or 0))
    else:
        before = _FIRST if match["dev"] is not None and not is_post else _LAST
    after = (0, int(match["post_number"] or match["implicit_post"] or 0)) if is_post else _FIRST
    dev = (0, int(match["dev_number"] or 0)) if match["dev"] is not None else _LAST
    parts = re.split("[-_.]", match["local"].lower()) if match["local"] else []
    local = (0, *((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)) if parts else _FIRST
    return int(match["epoch"] or 0), tuple(numbers), before, after, dev, local


def _text(other: Any) -> str | None:
    """Return the text of a text, a packaging.version.Version, or a tuple of texts and numbers; None for all else."""
    if isinstance(other, str):
        return other
    if isinstance(other, Iterable):
        parts = list(other)
        return ".".join(map(str, parts)) if all(isinstance(part, (str, int, float)) for part in parts) else None
    return str(other) if hasattr(other, "release") else None


class TorchVersion(str):
    """A text that compares with texts, tuples of numbers and versions as a version does: "2.13.0" > (2, 9).

    Compared with a text that is no version, it is a text. `!=` compares texts, as PyTorch's does.

    Source: torch.torch_version.TorchVersion.
    """

    def _compared(self, other: Any, compare: str) -> Any:
        text = _text(other)
        if text is None:
            return NotImplemented
        own, others = _key(self), _key(text)
        if own is None or others is None:
            return getattr(str, compare)(self, text)
        return getattr(own, compare)(others)

    def __lt__(self, other: Any) -> Any:
        return self._compared(other, "__lt__")

    def __le__(self, other: Any) -> Any:
        return self._compared(other, "__le__")

    def __eq__(self, other: Any) -> Any:
        return self._compared(other, "__eq__")

    def __ge__(self, other: Any) -> Any:
        return self._compared(other, "__ge__")

    def __gt__(self, other: Any) -> Any:
        return self._compared(other, "__gt__")

    __hash__ = str.__hash__


__version__ = TorchVersion(_version)
