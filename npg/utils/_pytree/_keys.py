"""Paths to the leaves of a tree: a key for each step. Source: torch.utils._pytree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class KeyEntry(Protocol):
    """A step of a path."""

    def get(self, parent: Any) -> Any:
        """Return the child of a node at this step."""


@dataclass(frozen=True)
class SequenceKey:
    """The step to an item of a sequence."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        """Return the item."""
        return sequence[self.idx]


@dataclass(frozen=True)
class MappingKey:
    """The step to a value of a dict."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        """Return the value."""
        return mapping[self.key]


@dataclass(frozen=True)
class GetAttrKey:
    """The step to an attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        """Return the attribute."""
        return getattr(obj, self.name)


def keystr(kp: tuple[Any, ...]) -> str:
    """Return a path as text, such as "[0]['a'].b"."""
    return "".join(str(key) for key in kp)


def key_get(obj: Any, kp: tuple[Any, ...]) -> Any:
    """Return what stands at a path of a tree."""
    for key in kp:
        obj = key.get(obj)
    return obj
