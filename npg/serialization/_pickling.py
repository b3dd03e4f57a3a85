"""The pickler of checkpoints: tensors as torch pickles them, and npg's classes under torch's names.

pickle writes a class or function by its module and name, and insists on finding it there. So that no module has to be
called torch for that, the pickler writes a number instead, a persistent id that is as long as the name, and puts the
name in its place when the pickle is written. The numbers are random: no data can hold them by chance or on purpose.
"""

from __future__ import annotations

import io
import secrets
import warnings
from bisect import bisect
from collections import OrderedDict
from operator import itemgetter
from typing import Any

import numpy as np

from npg import _utils, dtypes
from npg.functional._attributes import layout, memory_format
from npg.functional.generator import Generator
from npg.kernels.layouts import address
from npg.nn.parameter import Parameter
from npg.ops.strided import Window, contiguous_strides, root
from npg.serialization import _locations, _names
from npg.tensor import Tensor, memory
from npg.tensor.copies import own_attributes
from npg.tensor.storage import Storage, UntypedStorage

Array = np.ndarray[Any, Any]
_BYTE = np.dtype(np.uint8)
# Dtypes that PyTorch has had since it saves storages of bytes.
_NEW_DTYPES = frozenset(("uint16", "uint32", "uint64"))
_PLAIN = frozenset((str, int, float, bool, bytes, type(None), tuple, list, dict, OrderedDict))


# ----- Memory -----


def bounds(array: Array) -> tuple[int, int]:
    """Return the addresses of an array's first byte and of the one after its last."""
    first = address(array)
    if array.flags.c_contiguous:
        return first, first + array.nbytes
    return first, first + sum((n - 1) * step for n, step in zip(array.shape, array.strides)) + array.itemsize


def bytes_at(start: int, end: int, owner: Array) -> Array:
    """Return an array of the bytes between two addresses in the memory of another array."""
    if end <= start:
        return np.empty(0, np.uint8)
    interface = {"shape": (end - start,), "typestr": "|u1", "data": (start, True), "version": 3}
    return np.asarray(Window(interface, owner))


class Memories:
    """The memory behind the tensors that are saved: what each tensor's storage is in the file.

    A storage is the whole memory that a tensor is a view of, as in PyTorch. Where that is an ndarray of the user's, or
    a buffer of an optimizer's, the tensors that are saved may show some parts of it, and these are then the storages.
    Which they are is known when all tensors have been seen: `parts` tells it to a second pass.

    Attributes:
        storages: the bytes of each storage, by key, in the order in which they are met.
        dtypes: what each is first said to hold.
    """

    def __init__(self, parts: dict[int, list[tuple[int, int]]] | None = None) -> None:
        self.storages: dict[str, Array] = {}
        self.dtypes: dict[str, dtypes.dtype] = {}
        self._parts = parts or {}
        # For thousands of small tensors the garbage collector is what takes longest: nothing here is for it to visit.
        self._keys: dict[int, str] = {}  # by both addresses in one number
        self._needed: list[Any] = []  # of each tensor the ends of its memory, its own ends, and the dtype
        self._alive: list[Array] = []  # an address stays a memory's own

    def key_of(self, array: Array, own: Array, dtype: dtypes.dtype) -> tuple[str, int, int]:
        """Return the key of an array's storage, its size, and the place of the array in it, in bytes.

        Args:
            own: the array or, for a view that npg has made, the one that it is a view of: what is surely needed.
            dtype: what the storage is said to hold.
        """
        if not array.size:
            key = str(len(self.storages))
            self.storages[key], self.dtypes[key] = np.empty(0, np.uint8), dtype
            return key, 0, 0
        if array is own and array.base is None and array.flags.c_contiguous:  # most of them
            owner, at = array, address(array)
            low, high = mine = at, at + array.nbytes
        else:
            owner, mine, at = root(array), bounds(own), address(array)
            low, high = bounds(owner) if owner.size and all(step >= 0 for step in owner.strides) else mine
            if not low <= mine[0] < mine[1] <= high:
                low, high = mine
        self._needed += low, high, *mine, dtype
        start, end = low, high
        if self._parts:
            parts = self._parts[low]
            start, end = parts[bisect(parts, mine[0], key=itemgetter(0)) - 1]
        found = self._keys.get(start << 64 | end)
        if found is None:
            self._keys[start << 64 | end] = found = str(len(self.storages))
            is_whole = owner is array and end - start == array.nbytes
            self.storages[found] = array.reshape(-1).view(_BYTE) if is_whole else bytes_at(start, end, owner)
            self.dtypes[found] = dtype
            self._alive.append(array)
        return found, end - start, at - start

    def parts(self) -> dict[int, list[tuple[int, int]]]:
        """Return the parts of each memory that are needed, by its address; nothing where it is all of every one.

        Raises: RuntimeError: when tensors of two dtypes need the same part.
        """
        lows, highs, starts, ends, _ = (self._needed[i::5] for i in range(5))
        if lows == starts and highs == ends and len({*lows}) == len(lows):
            return {}
        memories: dict[int, tuple[int, list[tuple[int, int, Any]]]] = {}
        for low, high, *mine in zip(*[iter(self._needed)] * 5):
            memories.setdefault(low, (high, []))[1].append(tuple(mine))
        found, whole = {}, True
        for low, (high, needed) in memories.items():
            parts: list[tuple[int, int]] = []
            last: Any = None
            for start, end, dtype in sorted(needed, key=itemgetter(0, 1)):
                if not parts or start >= parts[-1][1]:
                    parts.append((start, end))
                elif dtype is not last:
                    raise RuntimeError(
                        "Cannot save multiple tensors or storages that view the same data as different types"
                    )
                else:
                    parts[-1] = parts[-1][0], max(end, parts[-1][1])
                last = dtype
            found[low] = parts
            whole = whole and parts == [(low, high)]
        return {} if whole else found


# ----- The pickler -----


class Names:
    """The names that a pickle gets in the place of numbers."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._known: dict[int, tuple[Any, int | None]] = {}

    def number_of(self, thing: Any) -> int | None:
        """Return the persistent id of a class, function, dtype or memory format of npg, or None for another one."""
        known = self._known.get(id(thing))
        if known is None:
            path = _names.torch_path(thing)
            known = self._known[id(thing)] = thing, None if path is None else self._number(path)
        return known[1]

    def _number(self, path: tuple[str, str]) -> int:
        """Return the persistent id for a module and name: a random number that takes as many bytes as they."""
        number = self._numbers.get(path)
        if number is None:
            count = len(f"{path[0]}{path[1]}".encode())
            if count > 255:  # LONG4, whose length takes three bytes more
                count -= 3
            number = int.from_bytes(secrets.token_bytes(count - 1) + bytes([1 + secrets.randbelow(126)]), "little")
            self._numbers[path] = number
        return number

    def put(self, pickled: bytes) -> bytes:
        """Return a pickle with the names."""
        for (module, name), number in self._numbers.items():
            count = (number.bit_length() + 8) // 8
            digits = number.to_bytes(count, "little")
            head = b"\x8a" + bytes([count]) if count < 256 else b"\x8b" + count.to_bytes(4, "little")
            pickled = pickled.replace(head + digits + b"Q", f"c{module}\n{name}\n".encode())
        return pickled


def dumped(obj: object, pickle_module: Any, protocol: int) -> tuple[bytes, dict[str, Array]]:
    """Return the pickle of an object and the storages that it names.

    Raises: PicklingError: for what cannot be pickled. RuntimeError: for tensors of two dtypes on one memory.
    """
    pickled, memories = _dumped(obj, pickle_module, protocol, Memories())
    parts = memories.parts()
    if parts:
        pickled, memories = _dumped(obj, pickle_module, protocol, Memories(parts))
    return pickled, memories.storages


def _dumped(obj: object, pickle_module: Any, protocol: int, memories: Memories) -> tuple[bytes, Memories]:
    names, buffer = Names(), io.BytesIO()
    pickler_of(pickle_module, names, memories)(buffer, protocol=protocol).dump(obj)
    return names.put(buffer.getvalue()), memories


def pickler_of(pickle_module: Any, names: Names, memories: Memories, more: tuple[Any, ...] = ()) -> Any:
    """Return the class of picklers of a module such as pickle, that pickle as torch does.

    Args:
        more: what follows in the persistent id of a storage.
    """

    class Pickler(pickle_module.Pickler):  # type: ignore[misc]
        def persistent_id(self, obj: Any) -> Any:
            kind = type(obj)
            if kind in _PLAIN:
                return None
            if isinstance(obj, (_Stored, Storage)):
                return _stored(obj, memories).persistent_id() + more
            return names.number_of(obj) if isinstance(obj, _NAMED) or callable(obj) else None

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, Tensor) and type(obj).__reduce_ex__ is Tensor.__reduce_ex__:
                return _reduced(obj, memories)
            if type(obj) is Generator:
                return Generator, (obj.device,), (obj.initial_seed(), None, obj.get_state())
            if type(obj) is layout:
                return _names.layout_named, (f"torch.{obj._name}",)
            if type(obj) is _NoHooks:
                return OrderedDict, ()
            inherited = getattr(super(), "reducer_override", None)
            return NotImplemented if inherited is None else inherited(obj)

    return Pickler


_NAMED = (type, dtypes.dtype, memory_format, _names.StorageType)


class _Stored:
    """A tensor's storage, as a pickle names it.

    Attributes:
        offset: where the tensor starts in it, in bytes.
        is_whole: whether it is a number of elements, and the tensor starts at one.
    """

    def __init__(self, array: Array, own: Array, dtype: dtypes.dtype, memories: Memories) -> None:
        self.key, size, self.offset = memories.key_of(array, own, dtype)
        self.is_whole = not size % dtype.itemsize and not self.offset % dtype.itemsize
        self._dtype, self._count = dtype, size // dtype.itemsize
        self._location = _locations.tag_of(memories.storages[self.key])

    def persistent_id(self) -> tuple[Any, ...]:
        """Return what stands for the storage in a pickle: its kind, key, place and number of elements."""
        name = _names.STORAGE_OF.get(self._dtype.name, "UntypedStorage")
        return "storage", _names.STORAGE_TYPES[name], self.key, self._location, self._count


def _stored(storage: Any, memories: Memories) -> _Stored:
    if isinstance(storage, _Stored):
        return storage
    dtype = dtypes.uint8 if isinstance(storage, UntypedStorage) else storage.dtype
    return _Stored(storage._array, storage._array, dtype, memories)


def _reduced(tensor: Tensor, memories: Memories) -> tuple[Any, ...]:
    """Return the pickle of a tensor, in torch's terms."""
    for hook in (getattr(tensor, "_hooks", None) or {}).values():
        warnings.warn(
            f"backward hook {hook!r} on tensor will not be serialized.  Remove it before the tensor is pickled if this "
            "is expected",
            stacklevel=4,
        )
    state = own_attributes(tensor)
    function, args = _plain(tensor, memories)
    if type(tensor) is Parameter:
        data, hooks = tensor.detach(), _NoHooks()
        if state:
            return _utils._rebuild_parameter_with_state, (data, tensor.requires_grad, hooks, state)
        return _utils._rebuild_parameter, (data, tensor.requires_grad, hooks)
    if type(tensor) is Tensor and not state:
        return function, args
    return _utils._rebuild_from_type_v2, (function, type(tensor), args, state)


def _plain(tensor: Tensor, memories: Memories) -> tuple[Any, tuple[Any, ...]]:
    """Return the function that rebuilds a plain tensor of these values, and its arguments."""
    dtype, array, hooks = tensor.dtype, tensor._array, _NoHooks()
    if tensor.is_meta:
        layout = tuple(array.shape), memory.stride(tensor)
        return _utils._rebuild_meta_tensor_no_storage, (dtype, *layout, tensor.requires_grad)
    own = array if tensor._base is None else tensor._base._array
    if _runs_backwards(array) or _runs_backwards(own):
        array = own = np.ascontiguousarray(array)
    new = dtype.name in _NEW_DTYPES
    stored = _Stored(array, own, dtypes.uint8 if new else dtype, memories)
    if not stored.is_whole or stored.offset % dtype.itemsize:  # elements between bytes of another size
        array = np.array(array, order="C")
        stored = _Stored(array, array, dtypes.uint8 if new else dtype, memories)
    steps = memory.stride(tensor) if array is tensor._array else contiguous_strides(array.shape)
    place = stored, stored.offset // dtype.itemsize, tuple(array.shape), steps
    if new:
        return _utils._rebuild_tensor_v3, (*place, tensor.requires_grad, hooks, dtype)
    return _utils._rebuild_tensor_v2, (*place, tensor.requires_grad, hooks)


class _NoHooks:
    """Pickled as the empty OrderedDict that torch has for a tensor's hooks."""

    __slots__ = ()


def _runs_backwards(array: Array) -> bool:
    """Tell whether an array has strides that a file cannot say: backwards, or between elements."""
    if array.flags.c_contiguous:
        return False
    return array.size > 0 and any(step < 0 or step % array.itemsize for step in array.strides)
