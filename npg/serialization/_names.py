"""What checkpoints call things: torch's paths for npg's objects, and npg's objects under torch's paths."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from npg import _naming, dtypes, functional
from npg._homes import PLACES, home_of_class
from npg.functional._attributes import Size, device, layout, memory_format
from npg.functional.generator import Generator
from npg.tensor import Tensor
from npg.tensor.storage import TypedStorage, UntypedStorage

# ----- Storages and dtypes -----

# The classes of storages that PyTorch had for each dtype; checkpoints still name them.
_STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "LongStorage": "int64",
    "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8",
    "BoolStorage": "bool", "UntypedStorage": "uint8", "BFloat16Storage": "bfloat16",
    "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128", "QUInt8Storage": "quint8",
    "QInt8Storage": "qint8", "QInt32Storage": "qint32", "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
}  # fmt: skip
STORAGE_OF = {kind: name for name, kind in _STORAGES.items() if name != "UntypedStorage"}
# Dtypes of PyTorch that npg lacks; a file that uses one is refused by its name.
_ABSENT = dtypes.NAMES_ONLY


def dtype_named(name: str) -> dtypes.dtype:
    """Return the dtype of this name.

    Raises: TypeError: when npg has no such dtype.
    """
    try:
        return dtypes.by_name(name)
    except ValueError:
        raise TypeError(
            f"npg has no dtype {name}, which the file uses; where PyTorch is installed, convert the file's tensors "
            "to another dtype, such as float32, and save them again"
        ) from None


class StorageType:
    """A class of storages as checkpoints name it.

    Args:
        name: such as "FloatStorage".
    Raises: KeyError: when PyTorch has no storage of this name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._kind = _STORAGES[name]

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type. Raises TypeError for one that npg does not have."""
        return dtype_named(self._kind)

    def __str__(self) -> str:
        return f"StorageType(dtype={self.dtype})"


STORAGE_TYPES = {name: StorageType(name) for name in _STORAGES}


def is_dtype_of_torch(name: str) -> bool:
    """Tell whether PyTorch has a dtype of this name."""
    return name in _ABSENT or any(d.name == name for d in dtypes.ALL)


# ----- To torch's paths -----

_PATHS: dict[Any, tuple[str, str]] = {
    Size: ("torch", "Size"),
    device: ("torch", "device"),
    Tensor: ("torch", "Tensor"),
    Generator: ("torch._C", "Generator"),
    UntypedStorage: ("torch.storage", "UntypedStorage"),
    TypedStorage: ("torch.storage", "TypedStorage"),
}
_ROOMS = ("npg", "npg.nn.functional", "npg.linalg", "npg.nn", "npg.optim")


def is_ours(module: Any) -> bool:
    """Tell whether a module's name is npg's: torch's, too, while npg is served as torch."""
    return isinstance(module, str) and _naming.is_own(module)


def torch_path(thing: Any) -> tuple[str, str] | None:
    """Return the module and name under which PyTorch has a class, function, dtype or memory format of npg.

    Returns: None for what is not npg's.
    """
    kind = type(thing)
    if kind is dtypes.dtype:
        return "torch", thing.name
    if kind is memory_format:
        return "torch", thing._name
    if kind is StorageType:
        return ("torch.storage" if thing.name == "UntypedStorage" else "torch"), thing.name
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not is_ours(module) or not isinstance(name, str) or not callable(thing):
        return None
    known = _PATHS.get(thing)
    if known is not None:
        return known
    path = in_torch(str(module))
    own = "npg" + path.removeprefix("torch")
    if all(_at(sys.modules.get(home), name) is not thing for home in (str(module), own)):
        return None  # a lambda, a function in another one: pickle says what is wrong
    if name in _rebuilding():
        return "torch._tensor" if name == "_rebuild_from_type_v2" else "torch._utils", name
    if not isinstance(thing, type):  # functions lie in other files than PyTorch's: a public name is in both
        for room in _ROOMS:
            loaded = sys.modules.get(room)
            if loaded is not None and getattr(loaded, name, None) is thing:
                return in_torch(room), name
    home = home_of_class(own, name) if isinstance(thing, type) and name[0] != "_" else None
    return home or path, name


def _rebuilding() -> Any:
    from npg import _utils

    return {**_utils.REBUILDING, "_rebuild_from_type_v2": None}


def in_torch(path: str) -> str:
    """Return a dotted path with torch for npg at its start."""
    return "torch" + path[3:] if path == "npg" or path.startswith("npg.") else path


# ----- From torch's paths -----


def is_torchs(module: str) -> bool:
    """Tell whether a module's name is torch's or npg's, or below."""
    return module.partition(".")[0] in ("torch", "npg")


def find(module: str, name: str) -> Any:
    """Return what npg has for a class or function that a checkpoint names by torch's path or npg's.

    Raises: AttributeError: when npg has nothing of this name.
    """
    path = in_torch(module)
    storage = name.rpartition(".")[2]
    if storage in _STORAGES and path in ("torch", "torch.storage", "torch.cuda"):
        return {"UntypedStorage": UntypedStorage}.get(storage, STORAGE_TYPES[storage])
    if path == "torch" and is_dtype_of_torch(name):
        return dtype_named(name)
    if path == "torch.serialization" and name == "_get_layout":
        return layout_named
    ours = _MOVED.get(path) or PLACES.get(path, "npg" + path[5:])
    if path == "torch._C" and name in _CLASSES_OF_C:
        return _CLASSES_OF_C[name]
    while ours:  # a class that npg has in another file is public in a package above
        try:
            found = _at(import_module(ours), name)
        except ImportError:
            found = None
        if found is not None:
            return found
        ours = ours.rpartition(".")[0] if ours.count(".") > 1 else ""
    raise AttributeError(f"npg has no {path}.{name}, which the file names")


def _at(thing: Any, name: str) -> Any:
    """Return the attribute of a dotted name, or None."""
    for part in name.split("."):
        thing = getattr(thing, part, None)
    return thing


_MOVED = {"torch.tensor": "npg.tensor", "torch._tensor": "npg._utils", "torch._C._nn": "npg.nn.functional"}


class _LoadedGenerator(Generator):
    """A generator of a file, until its state is set: torch's files say it in two steps."""

    def __setstate__(self, state: tuple[int, int | None, Tensor]) -> None:
        self.set_state(state[2])
        self.__class__ = Generator  # type: ignore[assignment]


_CLASSES_OF_C: dict[str, Any] = {
    # torch.relu and its like are pickled as attributes of a class.
    "_VariableFunctionsClass": functional,
    "_VariableFunctions": functional,
    "TensorBase": Tensor,
    "Generator": _LoadedGenerator,
}


def layout_named(name: Any) -> layout:
    """Return the layout of this name.

    Raises: RuntimeError: for any but torch.strided.
    """
    from npg.functional._attributes import strided

    if name not in ("torch.strided", "npg.strided"):
        raise RuntimeError(f"npg has strided tensors only, the file names the layout {name!r:.100}")
    return strided
