"""What the safe unpickler knows by itself, and what users add to it."""

from __future__ import annotations

import functools
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from pickle import UnpicklingError
from typing import Any

from npg import _utils, dtypes
from npg.functional._attributes import Size, device
from npg.nn.parameter import Parameter
from npg.serialization import _names
from npg.tensor import Tensor

# ----- What users add -----

_added: set[Any] = set()


def add_safe_globals(safe_globals: Sequence[Callable[..., Any] | tuple[Callable[..., Any], str]]) -> None:
    """Let npg.load call these functions, and make instances of these classes, when a file names them.

    Args:
        safe_globals: classes and functions, or (class or function, the path by which files name it).
    """
    global _added
    _added = _added | set(safe_globals)


def get_safe_globals() -> list[Any]:
    """Return the classes and functions that were added."""
    return list(_added)


def clear_safe_globals() -> None:
    """Forget the classes and functions that were added."""
    global _added
    _added = set()


class safe_globals:
    """Add classes and functions as add_safe_globals does, until the end of a `with` statement."""

    def __init__(self, safe_globals: Sequence[Callable[..., Any] | tuple[Callable[..., Any], str]]) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exc: Any) -> None:
        global _added
        _added = _added - set(self.safe_globals)


def added_globals() -> dict[str, Any]:
    """Return what users added, by path; torch's and npg's paths are the same.

    Raises: ValueError, TypeError: when a tuple that was added is not (object, path).
    """
    known = {}
    for entry in _added:
        if isinstance(entry, tuple):
            if len(entry) != 2:
                raise ValueError(
                    "Expected tuple of length 2 (global, str of callable full path), but got tuple of length: "
                    f"{len(entry)}"
                )
            entry, path = entry
            if type(path) is not str:
                raise TypeError(f"Expected second item in tuple to be str of callable full path, but got: {type(path)}")
        else:
            path = ".".join(_names.torch_path(entry) or (entry.__module__, entry.__qualname__))
        known[_names.in_torch(path)] = entry
    return known


# ----- Calls -----
# A file chooses the arguments: they are checked before a constructor sees them, which may take memory for them.

_MOST_IN_KEY = 256  # values in a tuple that is a key: one of tuples of tuples can take forever to hash
_MOST_ALIKE = 128  # keys of one hash in one dict: each is compared with all before it
_UNIQUE = 2**61 - 1  # the hashes of smaller ints are themselves


class Keys:
    """The keys that a file puts into its dicts and sets, refused where their hashes would take forever."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Any, Counter[int]]] = {}

    def check(self, target: Any, key: Any) -> None:
        """Raise UnpicklingError when a key is too large to hash, cannot be, or is one of many of one hash."""
        kind = type(key)
        if kind is str or kind is int and -_UNIQUE < key < _UNIQUE or kind in (float, bool, bytes, type(None)):
            return
        if isinstance(key, tuple) and _weight(key) > _MOST_IN_KEY:
            raise UnpicklingError(f"expected keys of at most {_MOST_IN_KEY} values, got a larger tuple")
        try:
            hashed = hash(key)
        except TypeError:
            raise UnpicklingError(f"unhashable type: '{kind.__name__}'") from None
        _, counts = self._seen.setdefault(id(target), (target, Counter()))  # the target is kept: its id stays its own
        counts[hashed] += 1
        if counts[hashed] > _MOST_ALIKE:
            raise UnpicklingError(f"expected at most {_MOST_ALIKE} keys of one hash, got more")


def _weight(key: tuple[Any, ...]) -> int:
    """Return how many values a tuple holds, with those of its tuples; beyond the limit, any number above it."""
    count, open_tuples = 0, [key]
    while open_tuples and count <= _MOST_IN_KEY:
        inner = open_tuples.pop()
        count += len(inner) + 1
        if count <= _MOST_IN_KEY:
            open_tuples += [value for value in inner if isinstance(value, tuple)]
    return count


def _refuse(name: str, args: tuple[Any, ...]) -> UnpicklingError:
    kinds = ", ".join(type(value).__name__ for value in args[:5])
    return UnpicklingError(f"expected the arguments that a pickle gives {name}, got ({kinds})")


def _filled(target: Any, pairs: Any, keys: Keys) -> Any:
    if isinstance(pairs, dict):
        pairs = list(pairs.items())
    if not isinstance(pairs, (list, tuple)):
        raise _refuse(type(target).__name__, (pairs,))
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise _refuse(type(target).__name__, (pair,))
        keys.check(target, pair[0])
        target[pair[0]] = pair[1]
    return target


def _dict_of(kind: Any) -> Callable[..., Any]:
    def call(keys: Keys, *args: Any) -> Any:
        if len(args) > 1:
            raise _refuse(kind.__name__, args)
        return _filled(kind(), args[0], keys) if args else kind()

    return call


def _defaultdict(keys: Keys, *args: Any) -> Any:
    if len(args) > 2 or args and args[0] is not None and args[0] not in FACTORIES:
        raise _refuse("defaultdict", args)
    made: defaultdict[Any, Any] = defaultdict(args[0] if args else None)
    return _filled(made, args[1], keys) if len(args) == 2 else made


def _set(keys: Keys, *args: Any) -> Any:
    if len(args) > 1 or args and type(args[0]) not in (list, tuple):
        raise _refuse("set", args)
    made: set[Any] = set()
    for value in args[0] if args else ():
        keys.check(made, value)
        made.add(value)
    return made


def _encode(keys: Keys, *args: Any) -> bytes:
    # Pickles before protocol 3 hold bytes as text. Another codec could run a module or unpack a bomb.
    if not 1 <= len(args) <= 2 or type(args[0]) is not str or args[1:] not in ((), ("latin1",), ("latin-1",)):
        raise _refuse("_codecs.encode", args)
    return args[0].encode("latin1" if len(args) == 2 else "utf-8")


def _bytes(keys: Keys, *args: Any) -> bytes:
    if args:
        raise _refuse("bytes", args)
    return b""


def _bytearray(keys: Keys, *args: Any) -> bytearray:
    if len(args) == 2 and type(args[0]) is str and args[1] in ("latin1", "latin-1"):
        return bytearray(args[0].encode("latin1"))
    if len(args) > 1 or args and type(args[0]) is not bytes:  # an int would be a length
        raise _refuse("bytearray", args)
    return bytearray(*args)


def _complex(keys: Keys, *args: Any) -> complex:
    if len(args) != 2 or not all(type(x) in (float, int) for x in args):
        raise _refuse("complex", args)
    return complex(*args)


def _size(keys: Keys, *args: Any) -> Size:
    if len(args) != 1 or not isinstance(args[0], (tuple, list)) or not all(type(n) is int for n in args[0]):
        raise _refuse("Size", args)
    return Size(args[0])


def _device(keys: Keys, *args: Any) -> device:
    if not 1 <= len(args) <= 2 or type(args[0]) is not str or type(args[-1]) not in (str, int, type(None)):
        raise _refuse("device", args)
    return device(*args)


def _tensor(keys: Keys, *args: Any) -> Tensor:
    if args:  # sizes would take memory for them
        raise _refuse("Tensor", args)
    return Tensor()


def _parameter(keys: Keys, *args: Any) -> Parameter:
    if len(args) > 2:
        raise _refuse("Parameter", args)
    return Parameter(*args)


def without_keys(function: Any) -> Callable[..., Any]:
    """Return a function that takes the keys as all these do, and has no use for them."""
    return lambda keys, *args: function(*args)


# ----- What the unpickler knows -----

FACTORIES = (list, dict, int, float, str, tuple, set, bool, OrderedDict, Counter)


@functools.cache
def known_globals() -> dict[str, Any]:
    """Return what files may name by themselves, by path: none of it runs anything that a file chooses."""
    from collections import Counter, OrderedDict

    known: dict[str, Any] = {
        "collections.OrderedDict": OrderedDict,
        "collections.Counter": Counter,
        "collections.defaultdict": defaultdict,
        "torch.nn.parameter.Parameter": Parameter,
        "torch.serialization._get_layout": _names.layout_named,
        "torch.Size": Size,
        "torch.Tensor": Tensor,
        "torch.device": device,
        "_codecs.encode": _encode,
        **{f"builtins.{kind.__name__}": kind for kind in (bytes, bytearray, complex, *FACTORIES[:8])},
        "torch._tensor._rebuild_from_type_v2": _utils._rebuild_from_type_v2,
    }
    known |= {f"torch.{d.name}": d for d in dtypes.ALL}
    for name, kind in _names.STORAGE_TYPES.items():
        known |= {f"torch.{name}": kind, f"torch.cuda.{name}": kind, f"torch.storage.{name}": kind}
    known |= {f"torch._utils.{name}": function for name, function in _utils.REBUILDING.items()}
    return known


@functools.cache
def known_calls() -> dict[int, Callable[..., Any]]:
    """Return what a file may call of it, by the id of what it names: with the arguments, checked."""
    rebuilding = (*_utils.REBUILDING.values(), _utils._rebuild_from_type_v2, _names.layout_named)
    calls: list[tuple[Any, Callable[..., Any]]] = [
        (OrderedDict, _dict_of(OrderedDict)), (Counter, _dict_of(Counter)), (defaultdict, _defaultdict),
        (set, _set), (_encode, _encode), (bytes, _bytes), (bytearray, _bytearray), (complex, _complex),
        (Size, _size), (device, _device), (Tensor, _tensor), (Parameter, _parameter),
        *((function, without_keys(function)) for function in rebuilding),
    ]  # fmt: skip
    return {id(named): call for named, call in calls}
