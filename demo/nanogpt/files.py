"""Atomic writing of files, and the safetensors format.

The format (https://github.com/huggingface/safetensors#format) is eight bytes with the header's length, a JSON header,
and the raw little-endian arrays. It is simple enough to read and write here, so that checkpoints need only NumPy and
published GPT-2 weights can be read; the header is fully checked before a byte is used.
"""

import contextlib
import json
import os
from pathlib import Path

import numpy as np

from config import DemoError

# ----- Atomic writing -----


@contextlib.contextmanager
def replacing(path):
    """Open a temporary file beside `path`, which replaces it when the block ends without an error.

    Args:
        path: the file to write or replace; its folder must exist.
    Returns: a context manager for a binary file object. A reader sees the old file or the new one, never a part.
    Raises: DemoError: when the block or the final write raises OSError, as on a full disk.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            sync(file)  # the name must not reach the disk before the bytes do
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            unchanged = "; the file that was there is unchanged" if path.is_file() else ""
            raise DemoError(
                f"cannot write {path} ({error.strerror or error}){unchanged}; make room or take another folder"
            ) from error
        raise


def sync(file):
    """Flush a file to disk, so that a full disk raises now."""
    file.flush()
    os.fsync(file.fileno())


def check_folder(path, option):
    """Raise DemoError unless a folder exists or can be created, and is writable; nothing is created.

    Args:
        path: the folder.
        option: its key on the command line, for the message.
    """
    path = Path(path).absolute()
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    if not there.is_dir():
        obstacle = f"the file {path}" if there == path else f"{path} below the file {there}"
        raise DemoError(f"--{option}: expected a folder, got {obstacle}; give another --{option}")
    if not os.access(there, os.W_OK | os.X_OK):
        raise DemoError(f"--{option}: cannot write to {there} (Permission denied); give another --{option}")


# ----- Safetensors -----

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U8": "|u1",
    "BOOL": "|b1",
}
_CODES = {np.dtype(dtype): code for code, dtype in _DTYPES.items()}


def save_safetensors(path, arrays, metadata):
    """Write named arrays and string metadata to one safetensors file, atomically.

    Args:
        path: the file to write; its folder must exist.
        arrays: dict of name to ndarray.
        metadata: dict of str to str.
    Raises: DemoError: when the format does not have an array's dtype; nothing is written then.
    """
    header, offset, chunks = {"__metadata__": metadata}, 0, []
    for name, array in arrays.items():
        array = np.asarray(array)
        code = _CODES.get(array.dtype)
        if code is None:
            raise DemoError(f"{path}: expected one of {', '.join(_DTYPES)}, got dtype {array.dtype} for {name!r}")
        chunks.append(np.ascontiguousarray(array))  # makes 0-d 1-d, so the shape is taken from `array`
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the arrays start aligned to eight bytes
    with replacing(path) as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for chunk in chunks:
            file.write(chunk.data)


def load_safetensors(path):
    """Read a safetensors file and check everything in it.

    Args:
        path: the file. BF16 arrays are widened to float32, exactly.
    Returns: (arrays, metadata): dict of name to ndarray that owns its memory, dict of str to str.
    Raises: DemoError: when the file is missing, truncated, of another format, or holds an unknown dtype.
    """
    path = Path(path)
    if not path.is_file():
        raise DemoError(f"{path}: {'expected a file, got a folder' if path.is_dir() else 'no such file'}")
    try:
        buffer = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DemoError(f"cannot read {path} ({error.strerror or error})") from error
    foreign = f"{path}: expected a safetensors file"
    if buffer.size < 8:
        raise DemoError(
            f"{foreign}, got {buffer.size} bytes; it is truncated or of another format, get or make it anew"
        )
    length = int.from_bytes(buffer[:8].tobytes(), "little")
    if length > buffer.size - 8:
        raise DemoError(
            f"{foreign}, got a header of {length} bytes in {buffer.size}; it is truncated or of another format, "
            "get or make it anew"
        )
    try:
        header = json.loads(buffer[8 : 8 + length].tobytes())
        metadata = header.pop("__metadata__", {})
        entries = {
            name: (entry["dtype"], tuple(map(int, entry["shape"])), *map(int, entry["data_offsets"]))
            for name, entry in header.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise DemoError(f"{foreign}, got a header that cannot be read ({error}); it is of another format") from error
    data = buffer[8 + length :]
    expected = max((stop for _, _, _, stop in entries.values()), default=0)
    if data.size != expected:
        raise DemoError(
            f"{path}: expected {expected} bytes of data, got {data.size}; "
            "it is truncated or damaged, get or make it anew"
        )
    return {name: _array(path, name, data, *entry) for name, entry in entries.items()}, metadata


def listed(names):
    """Return names as text for a message, at most the first four."""
    return f"{names[:4]} and {len(names) - 4} more" if len(names) > 4 else str(names)


def _array(path, name, data, code, shape, start, stop):
    """Return one array of the file as a copy that owns its memory."""
    if code != "BF16" and code not in _DTYPES:
        raise DemoError(f"{path}: expected one of {', '.join(_DTYPES)}, BF16, got dtype {code!r} for {name!r}")
    dtype = np.dtype("<u2" if code == "BF16" else _DTYPES[code])
    count = 1
    for size in shape:
        count *= size
    if min(shape, default=0) < 0 or not 0 <= start <= stop or stop - start != count * dtype.itemsize:
        raise DemoError(f"{path}: expected {count} values of {code} for {name!r}, got bytes {start} to {stop}")
    array = data[start:stop].view(dtype).reshape(shape)
    if code == "BF16":  # the upper half of a float32
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.copy()
