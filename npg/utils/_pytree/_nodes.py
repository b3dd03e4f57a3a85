"""The types that are nodes of a tree: how an object of each is taken apart, and put together again."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable
from importlib import import_module
from operator import attrgetter
from typing import Any, NamedTuple

from npg._errors import warn
from npg.functional import return_types
from npg.functional._attributes import Size
from npg.utils._pytree._keys import GetAttrKey, MappingKey, SequenceKey


class NodeDef(NamedTuple):
    """How an object of a type is taken apart, and put together again."""

    type: Any
    flatten_fn: Callable[[Any], tuple[list[Any], Any]]
    unflatten_fn: Callable[[Iterable[Any], Any], Any]
    flatten_with_keys_fn: Callable[[Any], tuple[list[Any], Any]] | None


class Serial(NamedTuple):
    """The name of a type in a text, and its context there; without functions, as JSON."""

    name: str | None
    dump: Callable[[Any], Any] | None
    load: Callable[[Any], Any] | None


SUPPORTED_NODES: dict[Any, NodeDef] = {}
SERIALS: dict[Any, Serial] = {}
NAMED: dict[str, Any] = {}
CONSTANTS: set[type] = set()
DICTS = frozenset({dict, OrderedDict, defaultdict})

# ----- Which types are nodes -----


def is_namedtuple_class(cls: type) -> bool:
    """Tell whether a class was made by collections.namedtuple or typing.NamedTuple."""
    fields = getattr(cls, "_fields", None)
    return (
        isinstance(cls, type)
        and issubclass(cls, tuple)
        and isinstance(fields, tuple)
        and all(type(field) is str for field in fields)
        and callable(getattr(cls, "_make", None))
        and callable(getattr(cls, "_asdict", None))
    )


def is_namedtuple_instance(obj: object) -> bool:
    """Tell whether an object is of a class made by collections.namedtuple or typing.NamedTuple."""
    return is_namedtuple_class(type(obj))


def is_namedtuple(obj: object | type) -> bool:
    """Tell whether an object, or a class, is of those made by collections.namedtuple or typing.NamedTuple."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def is_structseq_class(cls: type) -> bool:
    """Tell whether a class is a tuple whose items have names, made in C, or the result of a function such as max."""
    if cls in return_types._types.values():
        return True
    counts = ("n_fields", "n_sequence_fields", "n_unnamed_fields")
    return (
        isinstance(cls, type)
        and cls.__bases__ == (tuple,)
        and all(isinstance(getattr(cls, count, None), int) for count in counts)
    )


def is_structseq_instance(obj: object) -> bool:
    """Tell whether an object is a tuple whose items have names, made in C, or the result of a function such as max."""
    return is_structseq_class(type(obj))


def is_structseq(obj: object | type) -> bool:
    """Tell whether an object, or a class, is a tuple whose items have names; see is_structseq_class."""
    return is_structseq_class(obj if isinstance(obj, type) else type(obj))


def node_type(tree: Any) -> Any:
    """Return the type under which an object is a node, collections.namedtuple for all of those; else its class."""
    kind = type(tree)
    if kind not in SUPPORTED_NODES and is_namedtuple_class(kind):
        return namedtuple
    return kind


# ----- Registering -----


def register_pytree_node(
    cls: type[Any],
    flatten_fn: Callable[[Any], tuple[list[Any], Any]],
    unflatten_fn: Callable[[Iterable[Any], Any], Any],
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Callable[[Any], Any] | None = None,
    from_dumpable_context: Callable[[Any], Any] | None = None,
    flatten_with_keys_fn: Callable[[Any], tuple[list[Any], Any]] | None = None,
) -> None:
    """Let objects of a class be nodes.

    Args:
        flatten_fn: returns (children, context) of an object.
        unflatten_fn: returns the object of (children, context).
        serialized_type_name: the class in treespec_dumps.
        to_dumpable_context, from_dumpable_context: its context there, both or none.
        flatten_with_keys_fn: returns ([(key, child), ...], context).
    Raises: ValueError: when the class is a node.
    Source: torch.utils._pytree.register_pytree_node.
    """
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _register(
        cls,
        flatten_fn,
        unflatten_fn,
        serialized_type_name=serialized_type_name,
        to_dumpable_context=to_dumpable_context,
        from_dumpable_context=from_dumpable_context,
        flatten_with_keys_fn=flatten_with_keys_fn,
    )


def _register_pytree_node(
    cls: type[Any],
    flatten_fn: Callable[[Any], tuple[list[Any], Any]],
    unflatten_fn: Callable[[Iterable[Any], Any], Any],
    to_str_fn: Any = None,
    maybe_from_str_fn: Any = None,
    **keywords: Any,
) -> None:
    """Let objects of a class be nodes, with a warning: the old form of register_pytree_node, which replaces one."""
    warn(
        "`npg.utils._pytree._register_pytree_node` is deprecated. Please use "
        "`npg.utils._pytree.register_pytree_node` instead.",
        FutureWarning,
    )
    if cls in SUPPORTED_NODES:
        warn(f"{cls} is already registered as pytree node. Overwriting the previous registration.")
    _register(cls, flatten_fn, unflatten_fn, **keywords)


def _register(
    cls: Any,
    flatten_fn: Any,
    unflatten_fn: Any,
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Any = None,
    from_dumpable_context: Any = None,
    flatten_with_keys_fn: Any = None,
) -> None:
    if (to_dumpable_context is None) != (from_dumpable_context is None):
        raise ValueError(f"Both to_dumpable_context and from_dumpable_context for {cls} must be None or registered.")
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)
    SERIALS[cls] = Serial(serialized_type_name, to_dumpable_context, from_dumpable_context)
    if serialized_type_name is not None:
        NAMED[serialized_type_name] = cls


def _deregister_pytree_node(cls: type[Any]) -> None:
    """Let objects of a class be leaves again."""
    del SUPPORTED_NODES[cls]
    NAMED.pop(SERIALS.pop(cls).name or "", None)
    CONSTANTS.discard(cls)


def register_dataclass(
    cls: type[Any],
    *,
    field_names: list[str] | None = None,
    drop_field_names: list[str] | None = None,
    serialized_type_name: str | None = None,
) -> None:
    """Let objects of a dataclass be nodes whose children are the fields.

    Args:
        field_names: the fields, which a class that is no dataclass must give.
        drop_field_names: fields that are not kept.
    Raises: ValueError: when fields are missing or unknown.
    Source: torch.utils._pytree.register_dataclass.
    """
    if dataclasses.is_dataclass(cls):
        own = {field.name for field in dataclasses.fields(cls) if field.init}
        names = [field.name for field in dataclasses.fields(cls) if field.init] if field_names is None else field_names
        dropped = set(drop_field_names or ())
        if missing := own - set(names) - dropped:
            raise ValueError(
                "field_names does not include all dataclass fields.\n"
                f"Missing fields in `field_names`: {missing}. If you want to include these fields in the pytree, "
                "please add them to `field_names`, otherwise please add them to `drop_field_names`.\n"
            )
        if unknown := set(names) - own:
            raise ValueError(f"field_names includes fields that are no dataclass fields: {unknown}.")
        names = [name for name in names if name not in dropped]
    elif field_names is None:
        raise ValueError(
            f"field_names must be specified with a list of all fields used to initialize {cls}, as it is not a "
            "dataclass."
        )
    else:
        names = field_names

    def flatten(obj: Any) -> tuple[list[Any], Any]:
        present = [name for name in names if getattr(obj, name, None) is not None]
        absent = [name for name in names if name not in present]
        return [getattr(obj, name) for name in present], [present, absent]

    def unflatten(values: Iterable[Any], context: Any) -> Any:
        present, absent = context
        return cls(**dict(zip(present, values, strict=True)), **dict.fromkeys(absent))

    def flatten_with_keys(obj: Any) -> tuple[list[Any], Any]:
        values, context = flatten(obj)
        return [(GetAttrKey(name), value) for name, value in zip(context[0], values, strict=True)], context

    _register(
        cls,
        flatten,
        unflatten,
        serialized_type_name=serialized_type_name,
        flatten_with_keys_fn=flatten_with_keys,
    )


class ConstantNode(NamedTuple):
    """The context of a node that is a constant."""

    value: Any


def register_constant(cls: type[Any]) -> None:
    """Let objects of a class be nodes without children: they are part of a tree's structure, and no leaves.

    Raises: TypeError: when the class does not say which of its objects are equal.
    Source: torch.utils._pytree.register_constant.
    """
    for name in ("__eq__", "__hash__"):
        if getattr(cls, name) in (None, getattr(object, name)):
            raise TypeError(f"register_constant(cls) expects `cls` to have a non-default `{name}` implementation.")
    _register(
        cls,
        lambda obj: ([], ConstantNode(obj)),
        lambda _, context: context.value,
        flatten_with_keys_fn=lambda obj: ([], ConstantNode(obj)),
    )
    CONSTANTS.add(cls)


def is_constant_class(cls: type[Any]) -> bool:
    """Tell whether a class was given to register_constant."""
    return cls in CONSTANTS


def _register_namedtuple(cls: type[Any], *, serialized_type_name: str) -> None:
    """Give a class made by namedtuple a name in treespec_dumps."""
    SERIALS[cls] = Serial(serialized_type_name, None, None)
    NAMED[serialized_type_name] = cls


# ----- Python's containers and npg's -----


def _of_sequence(build: Callable[[Iterable[Any], Any], Any], context: Any = lambda tree: None) -> Any:
    """Return the functions of a sequence: flatten, unflatten, flatten_with_keys."""

    def with_keys(tree: Any) -> tuple[list[Any], Any]:
        return [(SequenceKey(i), child) for i, child in enumerate(tree)], context(tree)

    return lambda tree: (list(tree), context(tree)), build, with_keys


def _of_dict(build: Callable[[Iterable[tuple[Any, Any]], Any], Any], context: Any, keys: Any) -> Any:
    """Return the functions of a dict: flatten, unflatten, flatten_with_keys."""

    def unflatten(values: Iterable[Any], c: Any) -> Any:
        return build(zip(keys(c), values, strict=True), c)

    def with_keys(tree: Any) -> tuple[list[Any], Any]:
        return [(MappingKey(key), value) for key, value in tree.items()], context(tree)

    return lambda tree: (list(tree.values()), context(tree)), unflatten, with_keys


def _fields_with_keys(tree: Any) -> tuple[list[Any], Any]:
    return [(GetAttrKey(name), child) for name, child in zip(tree._fields, tree, strict=True)], type(tree)


def _dump_default_dict(context: Any) -> dict[str, Any]:
    factory, keys = context
    return {
        "default_factory_module": factory.__module__,
        "default_factory_name": factory.__qualname__,
        "dict_context": keys,
    }


def _load_default_dict(dumped: dict[str, Any]) -> list[Any]:
    module = import_module(dumped["default_factory_module"])
    return [attrgetter(dumped["default_factory_name"])(module), dumped["dict_context"]]


def _add(cls: Any, name: str, functions: Any, **serial: Any) -> None:
    flatten, unflatten, with_keys = functions
    _register(cls, flatten, unflatten, serialized_type_name=name, flatten_with_keys_fn=with_keys, **serial)


_keys_of = list
_add(tuple, "builtins.tuple", _of_sequence(lambda values, _: tuple(values)))
_add(list, "builtins.list", _of_sequence(lambda values, _: list(values)))
_add(dict, "builtins.dict", _of_dict(lambda items, _: dict(items), _keys_of, list))
_add(
    namedtuple,
    "collections.namedtuple",
    (lambda tree: (list(tree), type(tree)), lambda values, cls: cls(*values), _fields_with_keys),
    to_dumpable_context=lambda cls: SERIALS[cls].name,
    from_dumpable_context=lambda name: NAMED[name],
)
_add(OrderedDict, "collections.OrderedDict", _of_dict(lambda items, _: OrderedDict(items), _keys_of, list))
_add(
    defaultdict,
    "collections.defaultdict",
    _of_dict(
        lambda items, context: defaultdict(context[0], items),
        lambda tree: [tree.default_factory, list(tree)],
        lambda context: context[1],
    ),
    to_dumpable_context=_dump_default_dict,
    from_dumpable_context=_load_default_dict,
)
_add(deque, "collections.deque", _of_sequence(deque, lambda tree: tree.maxlen))
BUILTIN_TYPES = frozenset(SUPPORTED_NODES)
_add(Size, "torch.Size", _of_sequence(lambda values, _: tuple(values)))


def _of_results(cls: Any) -> Any:
    return _of_sequence(lambda values, _: cls(tuple(values)))


for _name, _cls in return_types._types.items():
    _add(_cls, f"torch.return_types.{_name}", _of_results(_cls))
