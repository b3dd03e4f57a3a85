"""Atomic writing of files, checkpoints, and the error that a user sees in one line."""

import contextlib
import os
import pickle
from pathlib import Path

import torch


class DemoError(ValueError):
    """An error of the user's; the text names the value and the remedy."""


@contextlib.contextmanager
def replacing(path):
    """Open a temporary file beside `path`, which replaces it when the block ends without an error.

    A reader sees the old file or the new one, never a part; after an error the old one is unchanged.

    Args:
        path: the file to write; its folder must exist.
    Raises: DemoError: when the disk is full or the folder cannot be written to.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # the name must not reach the disk before the bytes do
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise DemoError(
                f"cannot write {path} ({error.strerror or error}); make room or take another folder"
            ) from error
        raise


def make_folder(path, option):
    """Make a folder where there is none, and return its Path; DemoError names the option when that cannot be."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoError(f"--{option}: cannot make the folder {path} ({error.strerror}); give another one") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise DemoError(f"--{option}: cannot write to {path} (Permission denied); give another folder")
    return Path(path)


def save_checkpoint(path, state):
    """Write a checkpoint, a dict."""
    with replacing(path) as file:
        torch.save(state, file)


def load_checkpoint(path, keys, demo):
    """Return the dict that save_checkpoint has written.

    Args:
        keys: those of the dict.
        demo: the name of the folder of demo/ that writes such checkpoints.
    Raises: DemoError: when there is no such file, or it is damaged or no checkpoint of this demo.
    """
    try:
        state = torch.load(path)
    except FileNotFoundError as error:
        raise DemoError(f"--resume: there is no {path}; train without --resume first") from error
    except OSError as error:
        raise DemoError(f"--resume: cannot read {path} ({error.strerror})") from error
    except (EOFError, LookupError, ValueError, RuntimeError, pickle.UnpicklingError) as error:
        raise DemoError(f"{path}: expected a checkpoint of demo/{demo}, got a damaged or other file") from error
    if not isinstance(state, dict) or state.keys() != set(keys):
        raise DemoError(f"{path}: expected a checkpoint of demo/{demo}, got another file that torch.save wrote")
    return state


def resume(run, stored, path):
    """Let a run go on from what load_checkpoint returned, and say so; DemoError where it is of another model.

    Args:
        run: has restore(stored), and losses, one for each iteration.
    """
    try:
        run.restore(stored)
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise DemoError(f"{path}: expected a checkpoint of this model; {' '.join(str(error).split())}") from error
    print(f"resumed at iteration {len(run.losses)} from {path}")
