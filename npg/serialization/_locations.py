"""Where storages lie: their tags in a file, and what restores them on a device."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

import numpy as np

from npg import _naming
from npg._naming import named
from npg.functional._attributes import device as device_type
from npg.tensor.storage import Storage, UntypedStorage

Location: TypeAlias = Callable[[Any, str], Any] | device_type | str | dict[str, str] | None
MAP_LOCATION = Location

_registry: list[tuple[int, Callable[[Any], str | None], Callable[[Any, str], Any]]] = []


def register_package(
    priority: int, tagger: Callable[[Any], str | None], deserializer: Callable[[Any, str], Any]
) -> None:
    """Register how storages are tagged when they are saved, and restored when they are loaded.

    Args:
        priority: lower ones are asked first; the CPU's is 10.
        tagger: returns the tag of a storage, or None.
        deserializer: returns the restored storage of (storage, tag), or None.
    """
    _registry.append((priority, tagger, deserializer))
    _registry.sort(key=lambda entry: entry[0])


def location_tag(storage: Any) -> str:
    """Return the tag of a storage: "cpu", unless a registered package says otherwise.

    Raises: RuntimeError: when no package knows the storage.
    """
    for _, tagger, _ in _registry:
        location = tagger(storage)
        if location:
            return location
    raise RuntimeError(f"don't know how to determine data location of {_name(storage)}")


def tag_of(memory: np.ndarray[Any, Any]) -> str:
    """Return the tag of the storage of some bytes."""
    if _registry[0][1] is _tag:  # no package is asked before
        return "cpu"
    return location_tag(UntypedStorage._over(memory))


def default_restore_location(storage: Any, location: str) -> Any:
    """Return a storage where its tag says.

    Raises: RuntimeError: when that place does not exist here, or no package knows the tag.
    """
    for _, _, deserializer in _registry:
        result = deserializer(storage, location)
        if result is not None:
            return result
    raise RuntimeError(f"don't know how to restore data location of {_name(storage)} (tagged with {location})")


def _name(storage: Any) -> str:
    return f"{type(storage).__module__}.{type(storage).__name__}"


def restorer(map_location: Location) -> Callable[[Any, str], Any]:
    """Return the function that places a storage, from the argument map_location of npg.load."""
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda storage, location: default_restore_location(storage, map_location.get(location, location))
    if isinstance(map_location, (str, bytes)):
        where: Any = map_location
        return lambda storage, location: default_restore_location(storage, where)
    if isinstance(map_location, device_type):
        return lambda storage, location: default_restore_location(storage, str(map_location))

    def restore(storage: Any, location: str) -> Any:
        result = map_location(storage, location)
        return default_restore_location(storage, location) if result is None else result

    return restore


# ----- What is known -----


def _absent(backend: str, storage: Any, location: str) -> None:
    if location == backend or re.match(f"{backend}(:|[0-9]+)", location):
        _refuse(backend)


def _refuse(backend: str) -> NoReturn:
    remedy = (
        "If you are running on a CPU-only machine, please use npg.load with map_location=npg.device('cpu') to map "
        "your storages to the CPU."
    )
    remedy = named(remedy)
    if backend == "hpu":
        raise RuntimeError(f"The HPU device module is not registered. {remedy}")
    raise RuntimeError(
        f"Attempting to deserialize object on a {backend.upper()} device but "
        f"{_naming.library}.{backend}.is_available() is False. {remedy}"
    )


def _elsewhere(storage: Any, location: str) -> None:
    if location.startswith("mps"):
        raise RuntimeError(named("npg.UntypedStorage(): ") + f"Storage device not recognized: {location}")


def _on_meta(storage: Any, location: str) -> Any:
    return UntypedStorage(storage.nbytes(), device="meta") if location == "meta" else None


def _on_cpu(storage: Any, location: str) -> Any:
    return storage if location == "cpu" else None


def _tag(storage: Any) -> str | None:
    return storage.device.type if isinstance(storage, Storage) else None


def _no_tag(storage: Any) -> None:
    return None


def _backend(backend: str) -> Callable[[Any, str], None]:
    return lambda storage, location: _absent(backend, storage, location)


register_package(10, _tag, _on_cpu)
register_package(20, _no_tag, _backend("cuda"))
register_package(21, _no_tag, _elsewhere)
register_package(22, _no_tag, _on_meta)
for _priority, _absent_backend in ((24, "hpu"), (25, "xpu"), (26, "mtia")):
    register_package(_priority, _no_tag, _backend(_absent_backend))


def validate_cuda_device(location: str) -> int:
    """Raise RuntimeError: npg computes on the CPU."""
    _refuse("cuda")


def validate_hpu_device(location: str) -> int:
    """Raise RuntimeError: npg computes on the CPU."""
    _refuse("hpu")
