"""The records of a checkpoint, one by one, for libraries that load them in their own way. Source: torch._C."""

from __future__ import annotations

import errno
import os
import weakref
from typing import Any

import numpy as np

from npg import dtypes
from npg._naming import named
from npg._words import type_name
from npg.functional._factory import leaf
from npg.serialization._files import is_path
from npg.serialization._zip_reading import ZipReader
from npg.tensor import Tensor

__all__ = ["PyTorchFileReader"]


class PyTorchFileReader:
    """The records of a file that torch.save wrote; every number in it is checked against the file.

    Args:
        name_or_buffer: a path, or an open binary file.
    Raises: RuntimeError: when there is no such file, or it is damaged or no checkpoint.
    Source: torch.PyTorchFileReader.
    """

    def __init__(self, name_or_buffer: Any) -> None:
        if not is_path(name_or_buffer):
            self._reader = ZipReader(name_or_buffer)
            return
        path = os.fspath(name_or_buffer)
        try:
            file = open(path, "rb", buffering=0)
        except OSError as error:
            number = error.errno or errno.EIO
            raise RuntimeError(
                f"open file failed because of errno {number} on fopen: {os.strerror(number)}, file path: {path}"
            ) from error
        weakref.finalize(self, file.close)
        self._reader = ZipReader(file)

    def get_all_records(self) -> list[str]:
        """Return the names of the records, in the file's order."""
        return [*self._reader.records]

    def has_record(self, name: str) -> bool:
        """Tell whether there is a record of this name."""
        return name in self._reader

    def get_record(self, name: str) -> bytes:
        """Return the bytes of a record. Raises: RuntimeError: when there is none, or it is damaged."""
        return self._reader.read(name)

    def get_record_size(self, name: str) -> int:
        """Return the number of bytes of a record."""
        return self._reader.find(name).size

    def get_record_offset(self, name: str) -> int:
        """Return where a record's bytes start in the file."""
        return self._reader.find(name).start

    def get_storage_from_record(self, name: str, numel: int, dtype: Any) -> Tensor:
        """Return a tensor without elements, whose storage has the elements of a record.

        Raises: RuntimeError: when there is no such record, or its size is not that of numel elements.
        """
        if not isinstance(dtype, dtypes.dtype):
            raise TypeError(named(f"expected a dtype such as npg.float32, got {type_name(dtype)}"))
        record, width = self._reader.find(name), dtype.itemsize
        if record.size != numel * width:
            raise RuntimeError(
                f"record size ({record.size} bytes) does not match expected size ({numel * width} bytes = {numel} "
                f"elements * {width} bytes/element) for dtype {dtype.scalar_name}"
            )
        memory = np.empty(numel, dtype.dtype)
        self._reader.fill(record, memory)
        tensor: Tensor = leaf(memory[:0])
        return tensor

    def serialization_id(self) -> str:
        """Return the number that torch.save gives a file, "" where it has none."""
        name = ".data/serialization_id"
        return self._reader.read(name).decode("ascii", "replace") if name in self._reader else ""
