"""npg.save."""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

import numpy as np

from npg.serialization import _files, _legacy, _options
from npg.serialization._pickling import dumped
from npg.serialization._zip_writing import FORMAT_VERSION, ZipWriter
from npg.utils.serialization import config

DEFAULT_PROTOCOL = 2


def save(
    obj: object,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Save an object in torch's format; npg.load and torch.load open it.

    A file with a path is replaced at once, when all of it is written and on the disk: an error, or a kill at any
    moment, leaves the file that was there before. Its mode and owner stay; a symlink stays, and its target is replaced.

    Args:
        obj: anything that pickle can save. Tensors that share memory still do so when they are loaded.
        f: a path, or a file to write.
        pickle_module: has a Pickler, such as dill.
        pickle_protocol: 2 or higher; with weights_only, npg.load and torch.load read 2 and 3.
    Raises: AttributeError: when f is neither a path nor a file. RuntimeError: when the folder does not exist, or
        tensors of two dtypes are on one memory. PicklingError: for what cannot be pickled. OSError: when the file
        cannot be written. In each case a file with a path stays as it was.
    Source: torch.save, which writes into the file as it goes.
    """
    _files.check_writable(f)
    if pickle_protocol < 2:
        raise ValueError(f"expected a pickle_protocol of 2 or higher, got {pickle_protocol}; tensors need it")
    if not _use_new_zipfile_serialization:
        _legacy.save(obj, f, pickle_module, pickle_protocol)
        return
    pickled, storages = dumped(obj, pickle_module, pickle_protocol)
    with _files.writing(f) as file:
        alignment = config.save.storage_alignment
        writer = ZipWriter(file.write, file.skip, _folder_of(f), config.save.compute_crc32, alignment)
        writer.add("data.pkl", pickled)
        writer.add(".format_version", FORMAT_VERSION)
        writer.add(".storage_alignment", str(alignment).encode())
        if not _disable_byteorder_record:
            writer.add("byteorder", sys.byteorder.encode())
        for key, memory in storages.items():
            if _options.local.skip_data:
                writer.leave_room(f"data/{key}", memory.nbytes)
            else:
                writer.add(f"data/{key}", _bytes_of(memory))
        writer.finish()


def _bytes_of(memory: np.ndarray[Any, Any]) -> Any:
    return memory.data if memory.size else b""


def _folder_of(f: Any) -> str:
    """Return the name of the folder in the archive: the file's name without its suffix, as in PyTorch."""
    if not _files.is_path(f):
        return "archive"
    name = os.path.basename(os.fsdecode(f))
    name = name[: name.rindex(".")] if "." in name else name
    return name if name.isascii() and name.isprintable() and name.strip(". ") and "\\" not in name else "archive"
