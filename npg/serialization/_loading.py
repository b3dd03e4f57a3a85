"""npg.load."""

from __future__ import annotations

import io
import os
import pickle
import re
import warnings
from collections.abc import Callable
from typing import Any

from npg._naming import named
from npg.functional._attributes import device
from npg.serialization import _files, _legacy, _names, _storages
from npg.serialization._locations import Location, restorer
from npg.serialization._safe_globals import added_globals, known_globals
from npg.serialization._scanning import globals_of
from npg.serialization._unpickler import Damaged, Unpickler
from npg.serialization._zip_reading import ZipReader
from npg.utils.serialization import config

_NEWEST = 10  # version of the format

# ----- Texts -----

_UNSAFE = (
    "In PyTorch 2.6, we changed the default value of the `weights_only` argument in `npg.load` from `False` to `True`. "
    "Re-running `npg.load` with `weights_only` set to `False` will likely succeed, but it can result in arbitrary code "
    "execution. Do it only if you got the file from a trusted source."
)


def _unsafe() -> str:
    return named(_UNSAFE)


def _explained(message: str) -> str:
    """Return what to do about a file that the safe unpickler refuses."""
    if re.search(r"GLOBAL (\S+) was not an allowed global by default.", message):
        text = (
            "Weights only load failed. This file can still be loaded, to do so you have two options, \033[1mdo those "
            f"steps only if you trust the source of the checkpoint\033[0m. \n\t(1) {_unsafe()}\n\t(2) "
            "Alternatively, to load with `weights_only=True` please check the recommended steps in the following error "
            f"message.\n\tWeightsUnpickler error: {message}"
        )
    else:
        text = f"Weights only load failed. {_unsafe()}\n"
        if not re.search(r"whose module (\S+) is blocked", message):
            text += (
                "Please file an issue with the following so that we can make `weights_only=True` compatible with your "
                "use case: WeightsUnpickler error: "
            )
        text += f"\n\n{message}"
    return text + named(
        "\n\nCheck the documentation of npg.load to learn more about types accepted by default with weights_only "
        "https://pytorch.org/docs/stable/generated/torch.load.html."
    )


def _safely(load: Callable[[], Any]) -> Any:
    try:
        return load()
    except Damaged as error:
        raise pickle.UnpicklingError(f"Weights only load failed. {error}") from None
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(_explained(str(error))) from None


# ----- Arguments -----


def _is_safe(weights_only: bool | None, pickle_module: Any) -> bool:
    """Return whether to load safely: what the argument says, or the environment."""
    true_values = ("1", "y", "yes", "true")
    force = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "0").lower() in true_values
    force_not = os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "0").lower() in true_values
    if force and force_not:
        raise RuntimeError(
            "Only one of `TORCH_FORCE_WEIGHTS_ONLY_LOAD` or `TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD` should be set, but both "
            "were set."
        )
    safe = pickle_module is None if weights_only is None else bool(weights_only)
    if force:
        safe = True
    elif force_not and weights_only is None:
        warnings.warn(
            named(
                "Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected, since the`weights_only` argument was "
                "not explicitly passed to `npg.load`, forcing weights_only=False."
            ),
            UserWarning,
            stacklevel=3,
        )
        safe = False
    if safe and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    return safe


def load(
    f: Any,
    map_location: Location = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Load an object that npg.save or torch.save has written.

    By default nothing of a file runs: it holds numbers, strings, containers and tensors, and what add_safe_globals
    names. Every number in it is checked before memory is taken, and the checksum of every record.

    Args:
        f: a path, or a file to read from where it stands.
        map_location: where storages go, by their tags in the file: a device, its name, a dict of tags, or a function of
            (storage, tag). npg has the CPU, so a file of another device needs map_location="cpu".
        pickle_module: has an Unpickler, such as dill; with weights_only=False.
        weights_only: False to unpickle anything, which runs what the file says. Only for files that you trust.
        mmap: whether to map the file, which must have a path: the tensors are read when they are used, and their
            checksums are not checked.
        pickle_load_args: for the Unpickler, such as encoding="latin1" for strings of Python 2.
    Raises: UnpicklingError: when the file holds more than is known. RuntimeError: when it is damaged or foreign, or of
        a device that is not there. TypeError: for dtypes that npg lacks. OSError: when it cannot be read.
    Source: torch.load.
    """
    safe = _is_safe(weights_only, pickle_module)
    if pickle_load_args and safe:
        warnings.warn("pickle_load_args only works if `weights_only=False`.", stacklevel=2)
    mapping = config.load.mmap if mmap is None else mmap
    options = {"encoding": "utf-8", **pickle_load_args}
    if _files.is_path(f) and os.fsdecode(f).endswith(".safetensors"):
        return _load_safetensors(f, map_location)
    restore = restorer(map_location)
    with _files.reading(f) as file:
        if _is_zip(file):
            return _load_zip(file, f, restore, safe, mapping, pickle_module or pickle, options)
        if mapping:
            name = f"{f}, " if isinstance(f, str) else ""
            raise RuntimeError(
                named("mmap can only be used with files saved with `npg.save(")
                + f"{name}_use_new_zipfile_serialization=True), "
                + named("please npg.save your checkpoint with this option in order to use mmap.")
            )
        start = file.tell()
        head = file.read(512)
        file.seek(start)
        if _legacy.is_tar(head):
            if safe:
                raise RuntimeError(
                    "Cannot use ``weights_only=True`` with files saved in the legacy .tar format. " + _unsafe()
                )
            raise RuntimeError(
                "npg cannot read the .tar format of PyTorch before 0.1.10; save the file anew with PyTorch"
            )
        if safe:
            return _safely(lambda: _legacy.load_safely(file, restore, options["encoding"]))
        module = pickle_module or pickle

        def unpickler_of(file: Any, persistent_load: Callable[[Any], Any]) -> Any:
            return _unpickler_of(module, file, persistent_load, options)

        return _legacy.load_any(file, restore, module, unpickler_of, options)


def _is_zip(file: Any) -> bool:
    start = file.tell()
    found = file.read(4)
    file.seek(start)
    return bool(found == b"PK\3\4")


# ----- Archives -----


def _load_zip(
    file: Any,
    f: Any,
    restore: Callable[[Any, str], Any],
    safe: bool,
    mapping: bool,
    pickle_module: Any,
    options: dict[str, Any],
) -> Any:
    reader = ZipReader(file)
    if "constants.pkl" in reader:
        if safe:
            raise RuntimeError(
                named("Cannot use ``weights_only=True`` with TorchScript archives passed to ``npg.load``. ") + _unsafe()
            )
        raise RuntimeError("npg cannot run TorchScript archives; save the module's state_dict() with PyTorch instead")
    _check_version(reader)
    if mapping and not _files.is_path(f):
        raise ValueError("f must be a file path in order to use the mmap argument")
    storages = _storages.Storages(reader, restore, _storages.map_of(f) if mapping else None)
    pickled = reader.read("data.pkl")
    if safe:
        size, encoding = reader.source.size, options["encoding"]
        return _safely(Unpickler(pickled, storages.load, size, encoding).load)
    return _unpickler_of(pickle_module, io.BytesIO(pickled), storages.load, options).load()


def _check_version(reader: ZipReader) -> None:
    for name in (".data/version", "version"):
        if name in reader:
            text = reader.read(name) if reader.find(name).size < 32 else b"?"
            if not text.strip().isdigit():
                raise RuntimeError(f"expected the version of the format in record {name!r}, got {text!r}")
            if int(text) > _NEWEST:
                raise RuntimeError(
                    f"Attempted to read a PyTorch file with version {int(text)}, but the maximum supported version for "
                    f"reading is {_NEWEST}. Your PyTorch installation may be too old."
                )


def _unpickler_of(module: Any, file: Any, persistent_load: Callable[[Any], Any], options: dict[str, Any]) -> Any:
    """Return an unpickler of a module such as pickle, that finds torch's classes in npg."""

    class Unpickler(module.Unpickler):  # type: ignore[misc]
        def find_class(self, module_name: str, name: str) -> Any:
            if _names.is_torchs(module_name):
                return _names.find(module_name, name)
            return super().find_class(module_name, name)

        def persistent_load(self, pid: Any) -> Any:
            return persistent_load(pid)

    return Unpickler(file, **options)


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """Return the classes and functions that a file names and npg.load would refuse, without running it.

    Raises: ValueError: when the file is no checkpoint in the zip format.
    """
    with _files.reading(f) as file:
        if not _is_zip(file):
            raise ValueError(named("Expected input to be a checkpoint returned by npg.save"))
        reader = ZipReader(file)
        if "constants.pkl" in reader:
            raise ValueError(
                named("Expected input to be a checkpoint returned by npg.save but got a torchscript checkpoint")
            )
        return list(globals_of(reader.read("data.pkl")) - known_globals().keys() - added_globals().keys())


# ----- Other formats -----


def _load_safetensors(f: Any, map_location: Any) -> dict[str, Any]:
    if isinstance(map_location, dict) or callable(map_location):
        kind = "dict" if isinstance(map_location, dict) else "callable"
        raise RuntimeError(
            f"Loading safetensors file with {kind} map_location is not supported. Use a device string or "
            + named("npg.device instead.")
        )
    target = device("cpu" if map_location is None else map_location)
    if target.type not in ("cpu", "meta"):
        restorer(target)(None, str(target))
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise RuntimeError(
            "Attempting to load a safetensors file but safetensors is not installed. Please install safetensors with: "
            "pip install safetensors"
        ) from error
    from npg.creation import from_numpy

    return {name: from_numpy(array).to(target) for name, array in load_file(os.fsdecode(f)).items()}
