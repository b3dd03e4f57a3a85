"""Nested tuples, lists and dicts: flattened into leaves and unflattened."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from npg._naming import named
from npg.functional._attributes import Size


def _is_namedtuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def _is_sequence(kind: type) -> bool:
    # The result types of functions with several results take one sequence, as tuple does.
    return kind in (tuple, list, Size) or (issubclass(kind, tuple) and kind.__module__ == named("npg.return_types"))


_DICTS = (dict, OrderedDict, defaultdict)


class Spec:
    """The structure of a tree: the type of a container, the names of its entries, and the specs of its children.

    Source: torch.utils._pytree.TreeSpec, with its repr and its equality: dicts are equal in any order of their keys.
    """

    __slots__ = ("children", "context", "count", "kind")

    def __init__(self, kind: Any, context: Any, children: list[Spec]) -> None:
        self.kind, self.context, self.children = kind, context, children
        self.count: int = sum(c.count for c in children) if kind is not None else 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spec) or self.kind is not other.kind:
            return False
        if self.kind in _DICTS:
            mine = dict(zip(_keys(self), self.children, strict=True))
            same = self.kind is not defaultdict or self.context[0] is other.context[0]
            return same and mine == dict(zip(_keys(other), other.children, strict=True))
        return self.context == other.context and self.children == other.children

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return self._text(0)

    def short(self) -> str:
        """Return the tree as text, with a star for every leaf."""
        return repr(unflatten([_Star()] * self.count, self))

    def _text(self, indent: int) -> str:
        if self.kind is None:
            return "*"
        start = f"TreeSpec({self.kind.__name__}, {self.context}, ["
        inner = indent + 2
        texts = [c._text(inner) for c in self.children]
        return start + (",\n" + " " * inner).join(texts) + "])"


class _Star:
    def __repr__(self) -> str:
        return "*"


LEAF = Spec(None, None, [])


def _keys(spec: Spec) -> list[Any]:
    keys: list[Any] = spec.context[1] if spec.kind is defaultdict else spec.context
    return keys


def _parts(tree: Any) -> tuple[Any, list[Any]] | None:
    """Return (context, children) of a container, None for a leaf."""
    kind = type(tree)
    if _is_sequence(kind):
        return None, list(tree)
    if kind in _DICTS:
        keys = list(tree)
        return [tree.default_factory, keys] if kind is defaultdict else keys, list(tree.values())
    if kind is deque:
        return tree.maxlen, list(tree)
    if _is_namedtuple(kind):
        return kind, list(tree)
    return None


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """Return the leaves of a tree from left to right, and its structure.

    Anything but a tuple, list, dict, deque or named tuple is a leaf; so is None.
    """
    node = _parts(tree)
    if node is None:
        return [tree], LEAF
    context, children = node
    leaves: list[Any] = []
    specs = []
    for child in children:
        own, spec = flatten(child)
        leaves += own
        specs.append(spec)
    return leaves, Spec(type(tree), context, specs)


def unflatten(leaves: Any, spec: Spec) -> Any:
    """Return the tree of this structure with these leaves."""
    return _build(iter(leaves), spec)


def _build(leaves: Any, spec: Spec) -> Any:
    if spec.kind is None:
        return next(leaves)
    children = [_build(leaves, c) for c in spec.children]
    kind = spec.kind
    if kind in _DICTS:
        items = zip(_keys(spec), children, strict=True)
        return defaultdict(spec.context[0], items) if kind is defaultdict else kind(items)
    if kind is deque:
        return deque(children, spec.context)
    return kind(*children) if _is_namedtuple(kind) else kind(children)


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return the tree with function(leaf) for every leaf."""
    leaves, spec = flatten(tree)
    return unflatten([function(x) for x in leaves], spec)


def broadcast_prefix(tree: Any, spec: Spec) -> list[Any] | None:
    """Return one leaf for each leaf of `spec`, a leaf of `tree` repeated for all below it; None if it does not fit.

    Source: torch.utils._pytree._broadcast_to_and_flatten.
    """
    node = _parts(tree)
    if node is None:
        return [tree] * spec.count
    context, children = node
    if spec.kind is not type(tree):
        return None
    if spec.kind in _DICTS:
        if set(tree) != set(_keys(spec)):
            return None
        children = [tree[key] for key in _keys(spec)]
    elif context != spec.context:
        return None
    if len(children) != len(spec.children):
        return None
    leaves: list[Any] = []
    for child, own in zip(children, spec.children, strict=True):
        part = broadcast_prefix(child, own)
        if part is None:
            return None
        leaves += part
    return leaves
