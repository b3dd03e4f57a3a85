"""FloatStorage and the like: the classes of storages that PyTorch had for each dtype, and still has the names of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from npg import dtypes
from npg.tensor.storage import LEGACY_NAMES, TypedStorage, UntypedStorage, shared_array


class _LegacyStorageMeta(type):
    dtype: dtypes.dtype

    def __instancecheck__(cls, instance: object) -> bool:
        return type(instance) is TypedStorage and instance.dtype is cls.dtype


class _LegacyStorage(TypedStorage, metaclass=_LegacyStorageMeta):
    """What makes a TypedStorage of the class's dtype.

    Source: torch.storage._LegacyStorage.
    """

    _WORDS: ClassVar[str] = (
        ".__new__ received an invalid combination of arguments. Expected one of:\n * no arguments\n * (int size)\n"
        " * (Sequence data)\n * (*, UntypedStorage wrap_storage)\n"
    )

    def __new__(cls, *args: Any, wrap_storage: Any = None, dtype: Any = None, device: Any = None) -> Any:
        if cls is _LegacyStorage:
            raise RuntimeError("Only child classes of _LegacyStorage can be instantiated")
        for word, given in (("device", device), ("dtype", dtype)):
            if given is not None:
                raise RuntimeError(f"{cls}{cls._WORDS}Keyword argument '{word}' cannot be specified")
        if len(args) > 1:
            raise RuntimeError(f"{cls}{cls._WORDS}Too many positional arguments")
        if args and wrap_storage is not None:
            raise RuntimeError(f"{cls}{cls._WORDS}No positional arguments should be given when using 'wrap_storage'")
        if args and not isinstance(args[0], (int, np.integer, Sequence)):
            raise TypeError(f"{cls}{cls._WORDS}Argument type not recognized: {type(args[0])}")
        return TypedStorage(*args, wrap_storage=wrap_storage, dtype=cls.dtype)

    @classmethod
    def from_buffer(
        cls, buffer: Any, byte_order: str | None = None, count: int = -1, offset: int = 0, dtype: Any = None
    ) -> TypedStorage:
        """Return a copy of elements in a buffer of bytes; see UntypedStorage.from_buffer."""
        if dtype is not None:
            raise RuntimeError(
                "from_buffer: 'dtype' can only be specified in UntypedStorage.from_buffer and TypedStorage.from_buffer"
            )
        return TypedStorage.from_buffer(buffer, byte_order, count, offset, cls.dtype)

    @classmethod
    def from_file(cls, filename: Any, shared: bool = False, size: int = 0) -> TypedStorage:
        """Return a storage on the map of a file, of `size` elements; see UntypedStorage.from_file."""
        kind: Any = cls.dtype
        return cls(wrap_storage=UntypedStorage.from_file(filename, shared, size * kind.itemsize))

    @classmethod
    def _new_shared(cls, size: int, *, device: Any = None) -> TypedStorage:
        kind: Any = cls.dtype
        return TypedStorage._over(shared_array(size, kind.dtype))


def legacy_class(kind: str) -> Any:
    """Return the class of storages of a dtype's name."""
    dtype = dtypes.by_name(kind)
    members = {"dtype": dtype, "_dtype": dtype, "__module__": "npg", "__doc__": f"Storages of {kind}."}
    return _LegacyStorageMeta(LEGACY_NAMES[kind], (_LegacyStorage,), members)


DoubleStorage, FloatStorage, HalfStorage = map(legacy_class, ("float64", "float32", "float16"))
LongStorage, IntStorage, ShortStorage = map(legacy_class, ("int64", "int32", "int16"))
CharStorage, ByteStorage, BoolStorage = map(legacy_class, ("int8", "uint8", "bool"))
