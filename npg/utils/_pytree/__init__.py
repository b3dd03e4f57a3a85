"""Trees of nested containers: taken apart into leaves, put together again, mapped. Source: torch.utils._pytree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import UnionType
from typing import Any, TypeAlias

from npg._errors import warn
from npg.utils._pytree._keys import GetAttrKey, KeyEntry, MappingKey, SequenceKey, key_get, keystr
from npg.utils._pytree._nodes import (
    BUILTIN_TYPES,
    SUPPORTED_NODES,
    NodeDef,
    _deregister_pytree_node,
    _register_namedtuple,
    _register_pytree_node,
    is_constant_class,
    is_namedtuple,
    is_namedtuple_class,
    is_namedtuple_instance,
    is_structseq,
    is_structseq_class,
    is_structseq_instance,
    node_type as _get_node_type,
    register_constant,
    register_dataclass,
    register_pytree_node,
)
from npg.utils._pytree._spec import (
    LEAF as _LEAF,
    LeafSpec,
    PyTreeSpec,
    TreeSpec,
    check_spec,
    treespec_dict,
    treespec_dumps,
    treespec_leaf,
    treespec_loads,
    treespec_pprint,
    treespec_tuple,
)

PyTree: TypeAlias = Any
Context: TypeAlias = Any
DumpableContext: TypeAlias = Any
FlattenFn: TypeAlias = Callable[[PyTree], tuple[list[Any], Context]]
UnflattenFn: TypeAlias = Callable[[Iterable[Any], Context], PyTree]
ToDumpableContextFn: TypeAlias = Callable[[Context], DumpableContext]
FromDumpableContextFn: TypeAlias = Callable[[DumpableContext], Context]
IsLeaf: TypeAlias = Callable[[PyTree], bool] | None

# What PyTorch calls the functions of Python's containers: _dict_flatten, _list_unflatten, ...
for _kind in BUILTIN_TYPES:
    _node = SUPPORTED_NODES[_kind]
    vars()[f"_{_kind.__name__.lower()}_flatten"] = _node.flatten_fn
    vars()[f"_{_kind.__name__.lower()}_unflatten"] = _node.unflatten_fn
    vars()[f"_{_kind.__name__.lower()}_flatten_with_keys"] = _node.flatten_with_keys_fn

# ----- Apart and together -----


def tree_is_leaf(tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Tell whether this is a leaf: no node, or one that is_leaf says is one."""
    return is_leaf is not None and is_leaf(tree) or _get_node_type(tree) not in SUPPORTED_NODES


def _is_leaf(tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Tell whether this is a leaf, with a warning: the old name of tree_is_leaf."""
    warn(
        "npg.utils._pytree._is_leaf is private and will be removed in a future release. Please use "
        "npg.utils._pytree.tree_is_leaf instead.",
        FutureWarning,
    )
    return tree_is_leaf(tree, is_leaf)


def tree_flatten(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """Return the leaves from left to right, and the structure.

    Args:
        is_leaf: says of a node whether it is a leaf.
    """
    leaves: list[Any] = []
    return leaves, _flattened(tree, leaves, is_leaf)


def _flattened(tree: PyTree, leaves: list[Any], is_leaf: IsLeaf) -> TreeSpec:
    if tree_is_leaf(tree, is_leaf):
        leaves.append(tree)
        return _LEAF
    kind = _get_node_type(tree)
    children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
    return TreeSpec(kind, context, [_flattened(child, leaves, is_leaf) for child in children])


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """Return the tree of a structure with these leaves.

    Raises: TypeError: for what is no structure. ValueError: when there are more or fewer leaves than there.
    """
    check_spec(treespec)
    return treespec.unflatten(leaves)


def tree_iter(tree: PyTree, is_leaf: IsLeaf = None) -> Iterator[Any]:
    """Yield the leaves from left to right."""
    if tree_is_leaf(tree, is_leaf):
        yield tree
        return
    for child in SUPPORTED_NODES[_get_node_type(tree)].flatten_fn(tree)[0]:
        yield from tree_iter(child, is_leaf)


def tree_leaves(tree: PyTree, is_leaf: IsLeaf = None) -> list[Any]:
    """Return the leaves from left to right."""
    return list(tree_iter(tree, is_leaf))


def tree_structure(tree: PyTree, is_leaf: IsLeaf = None) -> TreeSpec:
    """Return the structure."""
    return tree_flatten(tree, is_leaf)[1]


def arg_tree_leaves(*args: PyTree, **kwargs: PyTree) -> list[Any]:
    """Return the leaves of all arguments."""
    return tree_leaves((args, kwargs))


def _broadcast_to_and_flatten(tree: PyTree, treespec: TreeSpec, is_leaf: IsLeaf = None) -> list[Any] | None:
    """Return a leaf for each leaf of a structure, where one of the tree may stand for many; None if it cannot."""
    if tree_is_leaf(tree, is_leaf):
        return [tree] * treespec.num_leaves
    kind = _get_node_type(tree)
    if treespec.is_leaf() or kind is not treespec.type:
        return None
    children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
    if len(children) != treespec.num_children or context != treespec.context:
        if kind is not dict or set(tree) != set(treespec.context):
            return None
        children = [tree[key] for key in treespec.context]
    leaves: list[Any] = []
    for child, own in zip(children, treespec.children(), strict=True):
        part = _broadcast_to_and_flatten(child, own, is_leaf)
        if part is None:
            return None
        leaves += part
    return leaves


# ----- Maps -----


def tree_map(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """Return the tree of func(leaf, what the other trees have there, ...).

    Raises: ValueError: when another tree is not of this one's structure.
    """
    leaves, treespec = tree_flatten(tree, is_leaf)
    columns = [leaves, *(treespec.flatten_up_to(rest) for rest in rests)]
    return treespec.unflatten(list(map(func, *columns)))


def tree_map_(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """Call func(leaf, what the other trees have there, ...) for each leaf, and return the tree as it is."""
    leaves, treespec = tree_flatten(tree, is_leaf)
    columns = [leaves, *(treespec.flatten_up_to(rest) for rest in rests)]
    for arguments in zip(*columns, strict=True):
        func(*arguments)
    return tree


def map_only(type_or_types_or_pred: Any, /) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Return a decorator: a function is called with values of some types only, and others are as they are.

    Args:
        type_or_types_or_pred: a type, a tuple or a union of types, or a function that says which values.
    Raises: TypeError: for anything else.
    """
    if isinstance(type_or_types_or_pred, (type, tuple, UnionType)):

        def chosen(value: Any) -> bool:
            return isinstance(value, type_or_types_or_pred)
    elif callable(type_or_types_or_pred):
        chosen = type_or_types_or_pred
    else:
        raise TypeError("Argument must be a type, a tuple of types, or a callable.")
    return lambda func: lambda value: func(value) if chosen(value) else value


def tree_map_only(
    type_or_types_or_pred: Any, /, func: Callable[[Any], Any], tree: PyTree, is_leaf: IsLeaf = None
) -> PyTree:
    """Return the tree with func(leaf) for the leaves of some types; see map_only."""
    return tree_map(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_map_only_(
    type_or_types_or_pred: Any, /, func: Callable[[Any], Any], tree: PyTree, is_leaf: IsLeaf = None
) -> PyTree:
    """Call func(leaf) for the leaves of some types, and return the tree as it is; see map_only."""
    return tree_map_(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Tell whether pred(leaf) is true of all leaves."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Tell whether pred(leaf) is true of a leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(type_or_types: Any, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Tell whether pred(leaf) is true of all leaves of some types."""
    return all(pred(leaf) for leaf in tree_iter(tree, is_leaf) if isinstance(leaf, type_or_types))


def tree_any_only(type_or_types: Any, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Tell whether pred(leaf) is true of a leaf of some types."""
    return any(pred(leaf) for leaf in tree_iter(tree, is_leaf) if isinstance(leaf, type_or_types))


# ----- Paths -----


def tree_leaves_with_path(tree: PyTree, is_leaf: IsLeaf = None) -> list[tuple[tuple[Any, ...], Any]]:
    """Return (path, leaf) for each leaf, where a path is a tuple of keys.

    Raises: ValueError: for a node whose type was registered without them.
    """
    return list(_leaves_with_path((), tree, is_leaf))


def _leaves_with_path(path: tuple[Any, ...], tree: PyTree, is_leaf: IsLeaf) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if tree_is_leaf(tree, is_leaf):
        yield path, tree
        return
    kind = _get_node_type(tree)
    with_keys = SUPPORTED_NODES[kind].flatten_with_keys_fn
    if with_keys is None:
        raise ValueError(
            f"Did not find a flatten_with_keys_fn for type: {kind}. Please pass a flatten_with_keys_fn argument to "
            "register_pytree_node."
        )
    for key, child in with_keys(tree)[0]:
        yield from _leaves_with_path((*path, key), child, is_leaf)


def tree_flatten_with_path(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[tuple[tuple[Any, ...], Any]], TreeSpec]:
    """Return (path, leaf) for each leaf, and the structure."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_map_with_path(func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None) -> PyTree:
    """Return the tree of func(path, leaf, what the other trees have there, ...)."""
    pairs, treespec = tree_flatten_with_path(tree, is_leaf)
    paths, leaves = [path for path, _ in pairs], [leaf for _, leaf in pairs]
    columns = [paths, leaves, *(treespec.flatten_up_to(rest) for rest in rests)]
    return treespec.unflatten(list(map(func, *columns)))


__all__ = [
    "BUILTIN_TYPES",
    "Context",
    "DumpableContext",
    "FlattenFn",
    "FromDumpableContextFn",
    "GetAttrKey",
    "KeyEntry",
    "LeafSpec",
    "MappingKey",
    "NodeDef",
    "PyTree",
    "PyTreeSpec",
    "SUPPORTED_NODES",
    "SequenceKey",
    "ToDumpableContextFn",
    "TreeSpec",
    "UnflattenFn",
    "_deregister_pytree_node",
    "_register_namedtuple",
    "_register_pytree_node",
    "arg_tree_leaves",
    "is_constant_class",
    "is_namedtuple",
    "is_namedtuple_class",
    "is_namedtuple_instance",
    "is_structseq",
    "is_structseq_class",
    "is_structseq_instance",
    "key_get",
    "keystr",
    "map_only",
    "register_constant",
    "register_dataclass",
    "register_pytree_node",
    "tree_all",
    "tree_all_only",
    "tree_any",
    "tree_any_only",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_is_leaf",
    "tree_iter",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_map_only_",
    "tree_map_with_path",
    "tree_structure",
    "tree_unflatten",
    "treespec_dict",
    "treespec_dumps",
    "treespec_leaf",
    "treespec_loads",
    "treespec_pprint",
    "treespec_tuple",
]
