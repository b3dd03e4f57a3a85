"""The safe unpickler: the opcodes that checkpoints need, each as a method; none runs what a file chooses.

What it builds are numbers, strings, containers and tensors, and what users have added with add_safe_globals. Its loop
takes time and memory in proportion to the pickle: see `_COSTS` for the memory, and _safe_globals.Keys for the time.
Source: torch._weights_only_unpickler, whose opcodes and error texts these are, and the documentation of pickletools.
"""

from __future__ import annotations

import pickle
import struct
import warnings
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, NoReturn

from npg import _naming
from npg.nn.parameter import Parameter
from npg.serialization import _names
from npg.serialization._safe_globals import Keys, added_globals, known_calls, known_globals, without_keys
from npg.tensor import Tensor

# Never found, even if a user adds something of them.
_BLOCKED_MODULES = ("sys", "os", "posix", "nt")

# What CPython takes at most for an opcode's result, in bytes, with a place on the stack and one in a container.
# Objects are larger than their pickles: a list of small dicts by 30 times, empty sets by 250. What a file may take
# beyond twice its own size is ALLOWANCE.
ALLOWANCE = 256 << 20
_REFERENCE, _MARK = 20, 90
_COSTS = [_REFERENCE] * 256
for _opcode, _bytes_taken in (
    (pickle.EMPTY_LIST, 90), (pickle.EMPTY_DICT, 90), (pickle.EMPTY_SET, 240), (pickle.TUPLE, 60), (pickle.TUPLE1, 80),
    (pickle.TUPLE2, 90), (pickle.TUPLE3, 100), (pickle.MARK, _MARK), (pickle.BININT, 48), (pickle.BININT2, 48),
    (pickle.BINFLOAT, 44), (pickle.LONG1, 64), (pickle.BINUNICODE, 96), (pickle.SHORT_BINSTRING, 80),
    (pickle.GLOBAL, 400), (pickle.REDUCE, 700), (pickle.NEWOBJ, 700), (pickle.BINPERSID, 700), (pickle.BINPUT, 20),
    (pickle.LONG_BINPUT, 20), (pickle.SETITEM, 120), (pickle.SETITEMS, 60),
):  # fmt: skip
    _COSTS[_opcode[0]] = _REFERENCE + _bytes_taken


class Damaged(UnpicklingError):
    """A pickle that no pickler writes: what it says is wrong, whoever reads it."""


class Unpickler:
    """Reads one pickle from memory.

    Args:
        data: the bytes; what follows the pickle is left alone.
        persistent_load: returns the storage of a persistent id.
        file_size: of the whole file, which bounds the memory that is taken.
        encoding: of the byte strings of Python 2, or "bytes".
    """

    def __init__(
        self, data: bytes, persistent_load: Callable[[Any], Any], file_size: int, encoding: str = "utf-8"
    ) -> None:
        self.data, self.at = data, 0
        self._persistent_load = persistent_load
        self._budget = 2 * file_size + ALLOWANCE
        self._encoding = encoding
        self._added = added_globals()
        self._calls = known_calls() | {id(thing): without_keys(thing) for thing in self._added.values()}
        self._keys = Keys()
        self._spent = 0

    def load(self) -> Any:
        """Return the object.

        Raises: UnpicklingError: when the pickle is damaged, or holds anything but what is known and added.
        """
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: list[Any] = []  # picklers number what they keep one by one
        data, budget = self.data, self._budget
        stop = pickle.STOP[0]
        while True:
            if self.at >= len(data):
                raise Damaged("the pickle ends before its STOP: the file is truncated")
            opcode = data[self.at]
            self.at += 1
            if opcode == stop:
                return self._pop()
            self._spent += _COSTS[opcode]
            if self._spent > budget:
                self._take_more(0)
            method = METHODS[opcode]
            if method is None:
                raise UnpicklingError(f"Unsupported operand {opcode}")
            method(self)

    def _take_more(self, count: int) -> None:
        """Count bytes that an opcode takes beside its usual ones, before they are taken."""
        self._spent += count
        if self._spent > self._budget:
            raise Damaged(
                f"expected a pickle that takes at most {self._budget} bytes of memory, got one that takes more; no "
                "checkpoint is like this; load it with weights_only=False if you trust its source"
            )

    # ----- Bytes and the stack -----

    def _bytes(self, count: int) -> bytes:
        start = self.at
        self.at += count
        if self.at > len(self.data):
            raise Damaged(f"pickle data was truncated: {count} bytes are missing from {len(self.data)} on")
        return self.data[start : self.at]

    def _number(self, form: struct.Struct) -> Any:
        return form.unpack(self._bytes(form.size))[0]

    def _line(self) -> str:
        end = self.data.find(b"\n", self.at, self.at + 1024)
        if end < 0:
            raise Damaged("pickle data was truncated: a name has no end")
        line, self.at = self.data[self.at : end], end + 1
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            raise Damaged(f"expected a name in UTF-8, got {line!r}") from None

    def _pop(self) -> Any:
        if not self._stack:
            self._underflow()
        return self._stack.pop()

    def _top(self) -> Any:
        if not self._stack:
            self._underflow()
        return self._stack[-1]

    def _pop_mark(self) -> list[Any]:
        if not self._marked:
            raise Damaged(f"unexpected MARK found: the opcode before byte {self.at} has none")
        items, self._stack = self._stack, self._marked.pop()
        self._spent -= _MARK
        return items

    def _underflow(self) -> NoReturn:
        raise Damaged(f"pickle stack underflow: the opcode before byte {self.at} has too few values")

    # ----- Constants -----

    def _none(self) -> None:
        self._stack.append(None)

    def _false(self) -> None:
        self._stack.append(False)

    def _true(self) -> None:
        self._stack.append(True)

    def _int(self) -> None:
        self._stack.append(self._number(_INT))

    def _int1(self) -> None:
        self._stack.append(self._bytes(1)[0])

    def _int2(self) -> None:
        self._stack.append(self._number(_USHORT))

    def _long(self) -> None:
        self._stack.append(pickle.decode_long(self._bytes(self._bytes(1)[0])))

    def _float(self) -> None:
        self._stack.append(self._number(_DOUBLE))

    def _text(self) -> None:
        count = self._number(_UINT)
        raw = self._bytes(count)
        self._take_more(count if raw.isascii() else 4 * count)
        try:
            self._stack.append(str(raw, "utf-8", "surrogatepass"))
        except UnicodeDecodeError as error:
            raise Damaged(f"expected a string in UTF-8, got other bytes before byte {self.at}: {error}") from None

    def _string(self) -> None:
        raw = self._bytes(self._bytes(1)[0])
        if self._encoding == "bytes":
            self._stack.append(raw)
            return
        try:
            self._stack.append(raw.decode(self._encoding, "strict"))
        except UnicodeDecodeError as error:
            raise Damaged(f"expected a string in {self._encoding}, got other bytes: {error}") from None

    def _empty_tuple(self) -> None:
        self._stack.append(())

    def _empty_list(self) -> None:
        self._stack.append([])

    def _empty_dict(self) -> None:
        self._stack.append({})

    def _empty_set(self) -> None:
        self._stack.append(set())

    # ----- Containers -----

    def _mark(self) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _tuple(self) -> None:
        items = self._pop_mark()
        self._stack.append(tuple(items))

    def _tuple1(self) -> None:
        self._stack.append((self._pop(),))

    def _tuple2(self) -> None:
        second = self._pop()
        self._stack.append((self._pop(), second))

    def _tuple3(self) -> None:
        third, second = self._pop(), self._pop()
        self._stack.append((self._pop(), second, third))

    def _append(self) -> None:
        item, target = self._pop(), self._top()
        if type(target) is not list:
            raise UnpicklingError(f"Can only append to lists, but got {type(target)}")
        target.append(item)

    def _appends(self) -> None:
        items, target = self._pop_mark(), self._top()
        if type(target) is not list:
            raise UnpicklingError(f"Can only extend lists, but got {type(target)}")
        target.extend(items)

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._put("SETITEM", [key, value])

    def _set_items(self) -> None:
        items = self._pop_mark()
        self._take_more(60 * len(items))
        self._put("SETITEMS", items)

    def _put(self, opcode: str, items: list[Any]) -> None:
        target = self._top()
        if type(target) not in (dict, OrderedDict, Counter, defaultdict):
            raise UnpicklingError(
                f"Can only {opcode} for dict, collections.OrderedDict, collections.Counter, but got {type(target)}"
            )
        if len(items) % 2:
            raise Damaged(f"odd number of items for {opcode}")
        for i in range(0, len(items), 2):
            key = items[i]
            if type(key) is not str:
                self._keys.check(target, key)
            target[key] = items[i + 1]

    # ----- Memo -----

    def _put1(self) -> None:
        self._keep(self._bytes(1)[0])

    def _put4(self) -> None:
        self._keep(self._number(_UINT))

    def _keep(self, index: int) -> None:
        memo, value = self._memo, self._top()
        if index == len(memo):
            memo.append(value)
        elif index < len(memo):
            memo[index] = value
        else:
            if index > len(self.data):
                raise Damaged(f"expected at most {len(self.data)} values in the memo, got one at {index}")
            gap = index - len(memo)
            self._take_more(10 * gap)
            memo += [_NOTHING] * gap
            memo.append(value)

    def _get1(self) -> None:
        self._get(self._bytes(1)[0])

    def _get4(self) -> None:
        self._get(self._number(_UINT))

    def _get(self, index: int) -> None:
        value = self._memo[index] if index < len(self._memo) else _NOTHING
        if value is _NOTHING:
            raise Damaged(f"Memo value not found at index {index}")
        self._stack.append(value)

    # ----- What runs something -----

    def _global(self) -> None:
        module, name = as_python3(self._line(), self._line())
        path = f"{_names.in_torch(module)}.{name}"
        if module in _BLOCKED_MODULES:
            raise UnpicklingError(f"Trying to load unsupported GLOBAL {path} whose module {module} is blocked.")
        known = known_globals()
        if path in known:
            self._stack.append(known[path])
        elif path in self._added:
            self._stack.append(self._added[path])
        elif module == "torch" and _names.is_dtype_of_torch(name):
            _names.dtype_named(name)  # raises
        else:
            shown, library = _shown(path), _naming.library
            raise UnpicklingError(
                f"Unsupported global: GLOBAL {shown} was not an allowed global by default. Please use "
                f"`{library}.serialization.add_safe_globals([{shown}])` or the "
                f"`{library}.serialization.safe_globals([{shown}])` context manager to allowlist this global if you "
                "trust this class/function."
            )

    def _reduce(self) -> None:
        args, function = self._pop(), self._pop()
        call = self._calls.get(id(function))
        if call is None:
            raise UnpicklingError(f"Trying to call reduce for unrecognized function {_text_of(function)}")
        if type(args) is not tuple:
            raise Damaged(f"expected the arguments of a call as a tuple, got a {type(args).__name__}")
        self._stack.append(self._called(call, args))

    def _new_object(self) -> None:
        args, cls = self._pop(), self._pop()
        if type(args) is not tuple:
            raise Damaged(f"expected the arguments of a class as a tuple, got a {type(args).__name__}")
        if isinstance(cls, type) and any(cls is thing for thing in self._added.values()):
            self._stack.append(cls.__new__(cls, *args))
        elif isinstance(cls, type) and id(cls) in known_calls():
            self._stack.append(self._called(known_calls()[id(cls)], args))
        else:
            raise UnpicklingError(
                "Can only create new object for nn.Parameter or classes allowlisted via `add_safe_globals` but got "
                f"{_text_of(cls)}"
            )

    def _called(self, call: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        # Arguments of torch's functions can be as large as the pickle; their containers are made once more.
        for x in args:
            if isinstance(x, (list, dict, tuple)):
                self._take_more(100 * len(x))
            elif isinstance(x, (str, bytes)):
                self._take_more(len(x))
        return call(self._keys, *args)

    def _build(self) -> None:
        state, thing = self._pop(), self._top()
        kind = type(thing)
        if any(kind is added for added in self._added.values()):
            _set_state(thing, state)
        elif kind is OrderedDict:
            if type(state) not in (dict, OrderedDict) or not all(type(name) is str for name in state):
                raise Damaged(f"expected the attributes of an OrderedDict as a dict, got a {type(state).__name__}")
            vars(thing).update(state)
        elif kind in (Tensor, Parameter):
            # Files of 2017 say it like this. Their storages and sizes are not checked here, so nothing is built.
            raise UnpicklingError(f"Files of PyTorch before 0.4 with a pickled {kind.__name__} are not supported")
        else:
            raise UnpicklingError(
                "Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got "
                f"{kind}"
            )

    def _persistent(self) -> None:
        pid = self._pop()
        if type(pid) not in (tuple, int):
            raise UnpicklingError(f"persistent_load id must be tuple or int, but got {type(pid)}")
        if type(pid) is tuple and pid and (type(pid[0]) not in (str, bytes) or pid[0] not in ("storage", b"storage")):
            raise UnpicklingError(f"Only persistent_load of storage is allowed, but got {type(pid[0])}")
        self._stack.append(self._persistent_load(pid))

    def _protocol(self) -> None:
        protocol, first = self._bytes(1)[0], self.at == 2
        if protocol != 2 and first:
            warnings.warn(
                f"Detected pickle protocol {protocol} in the checkpoint, which was not the default pickle protocol "
                f"used by `{_naming.library}.load` (2). The weights_only Unpickler might not support all instructions "
                "implemented by this protocol, please file an issue for adding support if you encounter this.",
                stacklevel=2,
            )


_NOTHING = object()
_INT, _UINT, _USHORT, _DOUBLE = map(struct.Struct, ("<i", "<I", "<H", ">d"))

METHODS: list[Callable[[Unpickler], None] | None] = [None] * 256
for _opcode, _method in (
    (pickle.NONE, Unpickler._none), (pickle.NEWFALSE, Unpickler._false), (pickle.NEWTRUE, Unpickler._true),
    (pickle.BININT, Unpickler._int), (pickle.BININT1, Unpickler._int1), (pickle.BININT2, Unpickler._int2),
    (pickle.LONG1, Unpickler._long), (pickle.BINFLOAT, Unpickler._float), (pickle.BINUNICODE, Unpickler._text),
    (pickle.SHORT_BINSTRING, Unpickler._string), (pickle.EMPTY_TUPLE, Unpickler._empty_tuple),
    (pickle.EMPTY_LIST, Unpickler._empty_list), (pickle.EMPTY_DICT, Unpickler._empty_dict),
    (pickle.EMPTY_SET, Unpickler._empty_set), (pickle.MARK, Unpickler._mark), (pickle.TUPLE, Unpickler._tuple),
    (pickle.TUPLE1, Unpickler._tuple1), (pickle.TUPLE2, Unpickler._tuple2), (pickle.TUPLE3, Unpickler._tuple3),
    (pickle.APPEND, Unpickler._append), (pickle.APPENDS, Unpickler._appends), (pickle.SETITEM, Unpickler._set_item),
    (pickle.SETITEMS, Unpickler._set_items), (pickle.BINPUT, Unpickler._put1), (pickle.LONG_BINPUT, Unpickler._put4),
    (pickle.BINGET, Unpickler._get1), (pickle.LONG_BINGET, Unpickler._get4), (pickle.GLOBAL, Unpickler._global),
    (pickle.REDUCE, Unpickler._reduce), (pickle.NEWOBJ, Unpickler._new_object), (pickle.BUILD, Unpickler._build),
    (pickle.BINPERSID, Unpickler._persistent), (pickle.PROTO, Unpickler._protocol),
):  # fmt: skip
    METHODS[_opcode[0]] = _method


# ----- Parts -----


def _set_state(thing: Any, state: Any) -> None:
    """Set the state of an instance of a class that a user has added, as pickle does."""
    if hasattr(thing, "__setstate__"):
        thing.__setstate__(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        vars(thing).update(state)
    for name, value in (slots or {}).items():
        setattr(thing, name, value)


def as_python3(module: str, name: str) -> tuple[str, str]:
    """Return what Python 3 calls a class or function; protocol 2 says it in Python 2's words."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name


def _shown(path: str) -> str:
    """Return a path as messages show it: builtins without their module."""
    return path[len("builtins") :].lstrip(".") or path if path.startswith("builtins") else path


def _text_of(thing: Any) -> str:
    """Return a function or class as messages show it, and of anything else the kind: its text may never end."""
    return str(thing) if callable(thing) else f"a {type(thing).__name__}"
