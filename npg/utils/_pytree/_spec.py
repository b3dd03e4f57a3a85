"""The structure of a tree without its leaves, and the text of one. Source: torch.utils._pytree.TreeSpec."""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from npg._errors import warn
from npg.utils._pytree._nodes import BUILTIN_TYPES, DICTS, NAMED, SERIALS, SUPPORTED_NODES, node_type

# ----- Structures -----


class TreeSpec:
    """The structure of a tree: the type and the context of a node, and the structures of its children.

    Attributes:
        type: None for a leaf.
        context: what its flatten_fn returned beside the children.
        num_nodes, num_leaves, num_children: how many there are, leaves among the nodes.
    """

    __slots__ = ("_children", "context", "num_children", "num_leaves", "num_nodes", "type")

    def __init__(self, type: Any, context: Any, children_specs: list[TreeSpec]) -> None:
        self.type, self.context, self._children = type, context, list(children_specs)
        self.num_children = len(self._children)
        self.num_nodes: int = 1 + sum(child.num_nodes for child in self._children)
        self.num_leaves: int = sum(child.num_leaves for child in self._children) if type is not None else 1

    def is_leaf(self) -> bool:
        """Tell whether this is a leaf."""
        return self.type is None

    def children(self) -> list[TreeSpec]:
        """Return the structures of the children."""
        return list(self._children)

    def child(self, index: int) -> TreeSpec:
        """Return the structure of one child."""
        return self._children[index]

    @property
    def children_specs(self) -> list[TreeSpec]:
        """The structures of the children, with a warning: the old name of children()."""
        warn(
            "`treespec.children_specs` is deprecated. Use `treespec.child(index)` to access a single child, or "
            "`treespec.children()` to get all children.",
            FutureWarning,
        )
        return self._children

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeSpec):
            return NotImplemented
        same = self.type is other.type and self.context == other.context
        return same and self._children == other._children

    def __hash__(self) -> int:
        context = self.context
        if self.type in DICTS:  # lists, and equal ones must hash alike
            context = json.dumps(context, default=str)
        return hash((self.type, context, tuple(self._children)))

    def __repr__(self) -> str:
        return self._text(0)

    def _text(self, indent: int) -> str:
        if self.type is None:
            return "*"
        indent += 2
        children = (",\n" + " " * indent).join(child._text(indent) for child in self._children)
        return f"TreeSpec({self.type.__name__}, {self.context}, [{children}])"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.type, self.context, self._children)

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Return the tree of this structure with these leaves.

        Raises: ValueError: when there are more or fewer leaves than here.
        """
        values = leaves if isinstance(leaves, (list, tuple)) else list(leaves)
        if len(values) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(values)} but the spec refers to a pytree that "
                f"holds {self.num_leaves} items ({self})."
            )
        return self._build(iter(values))

    def _build(self, leaves: Any) -> Any:
        if self.type is None:
            return next(leaves)
        children = [child._build(leaves) for child in self._children]
        return SUPPORTED_NODES[self.type].unflatten_fn(children, self.context)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """Return what a tree has where this has leaves.

        Raises: ValueError: when the tree is not of this structure down to there.
        """
        parts: list[Any] = []
        self._flatten_up_to(tree, parts)
        return parts

    def _flatten_up_to(self, tree: Any, parts: list[Any]) -> None:
        if self.type is None:
            parts.append(tree)
            return
        kind = node_type(tree)
        if self.type in DICTS and kind in DICTS:
            children = self._values_of(tree)
        else:
            children = self._children_of(tree, kind)
        for child, own in zip(children, self._children, strict=True):
            own._flatten_up_to(child, parts)

    def _values_of(self, tree: Any) -> list[Any]:
        """Return the values of a dict in the order of this one's keys."""
        keys = self.context if self.type in (dict, *DICTS) and not _has_factory(self.type) else self.context[1]
        if set(keys) != set(tree):
            message = "Node keys mismatch"
            if missing := set(keys) - set(tree):
                message += f"; missing key(s): {missing}"
            if extra := set(tree) - set(keys):
                message += f"; extra key(s): {extra}"
            raise ValueError(message + ".")
        return [tree[key] for key in keys]

    def _children_of(self, tree: Any, kind: Any) -> list[Any]:
        if kind is not self.type:
            raise ValueError(f"Node type mismatch; expected {self.type!r}, but got {kind!r}.")
        children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
        if len(children) != self.num_children:
            raise ValueError(f"Node arity mismatch; expected {self.num_children}, but got {len(children)}.")
        if kind is namedtuple and context is not self.context:
            raise ValueError(
                f"Node context mismatch for node type {self.type!r}; expected {self.context!r}, but got {context!r}."
            )
        if kind not in BUILTIN_TYPES and context != self.context:
            raise ValueError(f"Node context mismatch for custom node type {self.type!r}.")
        return children


PyTreeSpec = TreeSpec
LEAF = TreeSpec(None, None, [])


def _has_factory(kind: Any) -> bool:
    return hasattr(kind, "default_factory")


def _restored(kind: Any, context: Any, children: list[TreeSpec]) -> TreeSpec:
    return LEAF if kind is None else TreeSpec(kind, context, children)


class _LeafSpec(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, TreeSpec) and instance.is_leaf()

    def __call__(cls) -> TreeSpec:
        warn(
            "`isinstance(treespec, LeafSpec)` is deprecated, use `isinstance(treespec, TreeSpec) and "
            "treespec.is_leaf()` instead.",
            FutureWarning,
        )
        return LEAF


class LeafSpec(metaclass=_LeafSpec):
    """The structure of a leaf, with a warning: the old name of treespec_leaf()."""


# ----- Structures by hand -----


def treespec_leaf() -> TreeSpec:
    """Return the structure of a leaf."""
    return LEAF


def treespec_tuple(iterable: Iterable[TreeSpec] = (), /) -> TreeSpec:
    """Return the structure of a tuple of these structures."""
    children = list(iterable)
    if any(not isinstance(child, TreeSpec) for child in children):
        raise ValueError(f"Expected a tuple of TreeSpec values, got: {children}.")
    return TreeSpec(tuple, None, children)


def treespec_dict(mapping: Any = (), /, **kwargs: TreeSpec) -> TreeSpec:
    """Return the structure of a dict of these structures."""
    items = dict(mapping, **kwargs)
    if any(not isinstance(child, TreeSpec) for child in items.values()):
        raise ValueError(f"Expected a dictionary of TreeSpec values, got: {items}.")
    return TreeSpec(dict, list(items), list(items.values()))


# ----- As text -----

_PROTOCOL = 1


def check_spec(treespec: Any) -> None:
    """Raise TypeError for what is no structure."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"Expected `treespec` to be an instance of PyTreeSpec but got item of type {type(treespec)}.")


def treespec_dumps(treespec: TreeSpec, protocol: int | None = None) -> str:
    """Return a structure as JSON.

    Raises: NotImplementedError: when one of its types has no name for that. ValueError: for an unknown protocol.
    """
    check_spec(treespec)
    if protocol not in (None, _PROTOCOL):
        raise ValueError(f"Unknown protocol {protocol}. Available protocols: [{_PROTOCOL}]")
    return json.dumps((_PROTOCOL, _dumpable(treespec)))


def _dumpable(spec: TreeSpec) -> dict[str, Any]:
    if spec.type is None:
        return {"type": None, "context": None, "children_spec": []}
    serial = SERIALS[spec.type]
    if serial.name is None:
        raise NotImplementedError(
            f"No registered serialization name for {spec.type} found. Please update your _register_pytree_node call "
            "with a `serialized_type_name` kwarg."
        )
    if spec.type is namedtuple and spec.context not in SERIALS:
        raise NotImplementedError(
            f"Can't serialize TreeSpec of namedtuple class {spec.context} because we didn't register a "
            "serializated_type_name. Please register using `_register_namedtuple`."
        )
    context = json.dumps(spec.context) if serial.dump is None else serial.dump(spec.context)
    children = [_dumpable(child) for child in spec.children()]
    return {"type": serial.name, "context": context, "children_spec": children}


@lru_cache
def treespec_loads(serialized: str) -> TreeSpec:
    """Return the structure that treespec_dumps wrote.

    Raises: NotImplementedError: for a type that is not registered. ValueError: for an unknown protocol.
    """
    protocol, dumped = json.loads(serialized)
    if protocol != _PROTOCOL:
        raise ValueError(f"Unknown protocol {protocol}. Available protocols: [{_PROTOCOL}]")
    return _loaded(dumped)


def _loaded(dumped: dict[str, Any]) -> TreeSpec:
    name = dumped["type"]
    if name is None:
        return LEAF
    if name not in NAMED:
        raise NotImplementedError(f"Deserializing {name} in pytree is not registered.")
    kind = NAMED[name]
    load: Callable[[Any], Any] = SERIALS[kind].load or json.loads
    return TreeSpec(kind, load(dumped["context"]), [_loaded(child) for child in dumped["children_spec"]])


class _Star:
    def __repr__(self) -> str:
        return "*"


def treespec_pprint(treespec: TreeSpec) -> str:
    """Return the tree of a structure with a star for every leaf."""
    return repr(treespec.unflatten([_Star()] * treespec.num_leaves))
