"""Files to read and to write: paths, file objects, and the replacement of a file at once."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from collections.abc import Iterator
from typing import Any

from npg._naming import named

Path = str | os.PathLike[str]


def is_path(f: object) -> bool:
    """Tell whether an argument is a path, and no file object."""
    return isinstance(f, (str, os.PathLike))


# ----- Reading -----


@contextlib.contextmanager
def reading(f: Any) -> Iterator[Any]:
    """Give a file to read: a path is opened without a buffer, a file object is checked."""
    if is_path(f):
        with open(f, "rb", buffering=0) as file:
            yield file
        return
    _check_seekable(f)
    yield f


def _check_seekable(f: Any) -> None:
    try:
        f.seek(f.tell())
    except (OSError, AttributeError) as error:
        if "seek" not in str(error) and "tell" not in str(error):
            raise
        kind = AttributeError if isinstance(error, AttributeError) else io.UnsupportedOperation  # a pipe
        raise kind(
            named(
                f"{error}. You can only npg.load from a file that is seekable. Please pre-load the data into a buffer "
                "like io.BytesIO and try to load from it instead."
            )
        ) from None


# ----- Writing -----


def check_writable(f: Any) -> None:
    """Raise AttributeError when an argument is neither a path nor a file to write."""
    if not is_path(f) and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")


_SMALL, _MANY = 1 << 14, 1 << 20


class Output:
    """A file that is being written: all of what it is given, however much the file takes at once.

    Small pieces are gathered: `finish` writes what is left.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._gathered = bytearray()

    def write(self, data: Any) -> None:
        """Write all of bytes or a memoryview."""
        if len(data) < _SMALL:
            self._gathered += data
            if len(self._gathered) > _MANY:
                self.finish()
            return
        self.finish()
        self._write(data)

    def finish(self) -> None:
        """Write what has been gathered."""
        if self._gathered:
            gathered, self._gathered = self._gathered, bytearray()
            self._write(gathered)

    def _write(self, data: Any) -> None:
        done = 0
        with memoryview(data) as view:
            while done < len(view):
                taken = self._file.write(view[done:])
                if taken is None:
                    if isinstance(self._file, io.RawIOBase):  # it has taken nothing: a pipe that is not to block
                        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), done)
                    return  # a file object that does not count
                if taken <= 0:
                    raise OSError(errno.EIO, f"the file takes no more bytes, {len(view) - done} are left")
                done += taken

    def skip(self, count: int) -> None:
        """Write zeros: as a hole where the file allows it."""
        seekable = getattr(self._file, "seekable", None)
        self.finish()
        if count and seekable is not None and seekable():
            self._file.seek(count - 1, 1)
            self._write(b"\0")
            return
        for at in range(0, count, _MANY):
            self._write(bytes(min(_MANY, count - at)))


@contextlib.contextmanager
def writing(f: Any) -> Iterator[Output]:
    """Give a file to write. One with a path is replaced at once when all is written, or stays as it is."""
    if not is_path(f):
        yield from _through(f)
        if hasattr(f, "flush"):
            f.flush()
        return
    path = os.fsdecode(f)
    if not path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    target = os.path.realpath(path)  # a symlink stays, the file that it names is replaced
    before = _found(target)
    for folder in (os.path.dirname(path), os.path.dirname(target)):
        if folder and not os.path.isdir(folder):
            raise RuntimeError(f"Parent directory {folder} does not exist.")
    if before is not None and not stat.S_ISREG(before.st_mode):
        with _naming(target), open(target, "wb", buffering=0) as file:  # a pipe or a device; a folder raises here
            yield from _through(file)
        return
    with _naming(target), _replacing(target, before) as file:
        yield from _through(file)


def _through(file: Any) -> Iterator[Output]:
    output = Output(file)
    yield output
    output.finish()


@contextlib.contextmanager
def _naming(target: str) -> Iterator[None]:
    """Put the path into the errors of a file that has none, such as that the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = target
        raise


def _found(target: str) -> os.stat_result | None:
    """Return what is at a path, or None. Raises PermissionError when there is a file that may not be written."""
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISREG(found.st_mode):
        os.close(os.open(target, os.O_WRONLY))  # it will be replaced, which asks the folder only
    return found


@contextlib.contextmanager
def _replacing(target: str, before: os.stat_result | None) -> Iterator[Any]:
    """Give a new file, and put it in the place of the target when it is written and on the disk.

    Whoever reads the target meanwhile, or is killed at any moment, sees the old file or the new one. Where the system
    can make a file without a name (Linux), nothing is left behind by a kill.
    """
    folder = os.path.dirname(target)
    spare = os.path.join(folder, f".npg-save-{secrets.token_hex(8)}.tmp")
    descriptor, named = _new_file(folder, spare)
    try:
        with open(descriptor, "wb", buffering=0) as file:
            yield file
            if before is not None:
                _keep_attributes(file.fileno(), target, before)
            os.fsync(file.fileno())
            if not named:
                _name(file.fileno(), spare)
                named = True
        os.replace(spare, target)
        named = False
    finally:
        if named:
            with contextlib.suppress(OSError):
                os.unlink(spare)
    _sync_folder(folder)


def _new_file(folder: str, spare: str) -> tuple[int, bool]:
    """Return a descriptor of a new file in a folder, and whether it has the spare name."""
    flags = os.O_WRONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    unnamed = getattr(os, "O_TMPFILE", None)
    try:
        if unnamed is not None and os.path.exists("/proc/self/fd"):
            with contextlib.suppress(OSError):  # many file systems cannot
                return os.open(folder, flags | unnamed, 0o666), False
        return os.open(spare, flags | os.O_CREAT | os.O_EXCL, 0o666), True
    except PermissionError as error:
        raise PermissionError(
            error.errno,
            named(
                "npg.save writes a new file beside the old one and needs a folder that can be written; pass an open "
                "file to write without that"
            ),
            folder,
        ) from None


def _name(descriptor: int, spare: str) -> None:
    """Give an unnamed file a name. With folders given, os.link follows /proc's link to the file."""
    here = os.open(os.path.dirname(spare), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.link(
            f"/proc/self/fd/{descriptor}", os.path.basename(spare), src_dir_fd=here, dst_dir_fd=here,
            follow_symlinks=True,
        )  # fmt: skip
    finally:
        os.close(here)


def _keep_attributes(descriptor: int, target: str, before: os.stat_result) -> None:
    """Give the new file the mode, the owner and the attributes of the old one, as writing into it would keep them."""
    if not hasattr(os, "fchmod"):
        return
    if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(OSError):  # another's file in a shared folder
            os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
    with contextlib.suppress(OSError, AttributeError):
        for name in os.listxattr(target):
            with contextlib.suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(target, name))


def _sync_folder(folder: str) -> None:
    """Write a folder's names to the disk; Windows cannot."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
