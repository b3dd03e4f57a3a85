"""Turn a text into the token files that train.py reads: one token per character.

    python demo/nanogpt/data/prepare.py                   Tiny Shakespeare, downloaded
    python demo/nanogpt/data/prepare.py --input=FILE      any text file in UTF-8

Without a network it says so and uses a text that comes with every Python. Writes data/<dataset>/train.bin and val.bin
(uint16, the first 90 % and the last 10 %) and meta.json: the vocabulary, the sizes, the source of the text and its
checksum. All three are complete on disk before the first is renamed into place; meta.json comes last and holds the
checksums of the other two, so that even a power cut in between is detected.
"""

import contextlib
import dataclasses
import hashlib
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for the modules one level up, when run as a script

from config import DemoError, one_line, parse
from files import check_folder, replacing, sync

DATA = Path(__file__).resolve().parent
URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
SIZE = 1_115_394  # bytes of that text
TIMEOUT = 10.0  # seconds without an answer
LIMIT = 120.0  # seconds in total
FALLBACK = "pydoc_data.topics"
FORMAT = "nanogpt characters"


@dataclasses.dataclass
class PrepareConfig:
    """Make train.bin, val.bin and meta.json. Without --input, Tiny Shakespeare is downloaded."""

    input: str = ""
    dataset: str = "shakespeare_char"  # a folder of data/, or a path


def folder(dataset):
    """Return the folder of a dataset: a name is one in data/, anything with a separator a path."""
    return Path(dataset) if Path(dataset).name != dataset else DATA / dataset


# ----- Where the text comes from -----


def download(url=URL, timeout=TIMEOUT, limit=LIMIT):
    """Download Tiny Shakespeare.

    Returns: the bytes, their checksum verified.
    Raises: OSError: when there is no network, no answer within `timeout` seconds, no end within `limit` seconds, or the
        checksum differs; the text tells which.
    """
    content, ends = bytearray(), time.monotonic() + limit
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            while len(content) <= SIZE and (piece := answer.read1(1 << 16)):  # a longer answer fails the checksum
                content += piece
                if time.monotonic() > ends:
                    raise TimeoutError(f"{len(content)} of {SIZE} bytes after {limit:g} seconds")
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"the server answered {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise OSError(str(getattr(reason, "strerror", None) or reason or type(reason).__name__)) from error
    checksum = hashlib.sha256(content).hexdigest()
    if checksum != SHA256:
        raise OSError(f"expected {SIZE} bytes with SHA-256 {SHA256}, got {len(content)} with {checksum}")
    return bytes(content)


def bundled():
    """Return the prose of the language reference, which comes with every Python for help(), as bytes."""
    try:
        from pydoc_data.topics import topics
    except ImportError as error:  # some distributions leave out parts of the standard library
        raise DemoError(
            f"no text: this Python has no {FALLBACK} and there was no download; give --input=FILE"
        ) from error
    return "\n".join(topics[name] for name in sorted(topics)).encode()


def fetch(say=print):
    """Return (bytes, source): Tiny Shakespeare if available, otherwise Python's own prose, and report which."""
    say(f"downloading {URL}")
    try:
        return download(URL), URL
    except OSError as error:
        say(f"no download: {error}")
        say(
            f"using the prose of {FALLBACK} instead, which every Python has; if you have a text: --input=FILE; "
            "to try again: python demo/nanogpt/data/prepare.py"
        )
        return bundled(), FALLBACK


# ----- From text to tokens -----


def tokenize(content, source):
    """Turn a text into tokens.

    Args:
        content: the text in UTF-8, bytes.
        source: its source, for messages and meta.json.
    Returns: (meta, splits): the content of meta.json, and dict of "train" and "val" to uint16 arrays.
    Raises: DemoError: when it is empty, not UTF-8, or has more than 65,536 distinct characters.
    """
    if (at := content.find(b"\0")) >= 0:
        raise DemoError(f"{source}: expected text, got a zero byte at {at}; save it as text in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"got byte {content[error.start]:#04x} at {error.start}"
        raise DemoError(f"{source}: expected text in UTF-8, {problem}; save it as text in UTF-8") from error
    if len(text) < 2:
        raise DemoError(
            f"{source}: expected at least 2 characters (one to train, one to validate), got {len(text)}; "
            "give a longer text"
        )
    codes = np.frombuffer(text.encode("utf-32-le"), "<u4")
    distinct, tokens = np.unique(codes, return_inverse=True)
    if distinct.size > 1 << 16:
        raise DemoError(
            f"{source}: expected at most 65536 distinct characters (tokens are uint16), got {distinct.size}"
        )
    tokens = tokens.astype("<u2")
    cut = max(1, int(0.9 * tokens.size))
    splits = {"train": tokens[:cut], "val": tokens[cut:]}
    meta = {
        "format": FORMAT,
        "version": 1,
        "source": source,
        "sha256": hashlib.sha256(content).hexdigest(),
        "characters": int(tokens.size),
        "vocab_size": int(distinct.size),
        "vocabulary": "".join(map(chr, distinct)),
        "dtype": "uint16",
        "splits": {
            name: {"tokens": len(part), "sha256": hashlib.sha256(part).hexdigest()} for name, part in splits.items()
        },
    }
    return meta, splits


def write(target, meta, splits, say=print):
    """Write all token files or, on failure, none.

    Args:
        target: the folder; created if missing.
        meta, splits: as tokenize returns them.
        say: called with messages.
    Raises: DemoError: when the disk is full or the folder cannot be written to.
    """
    target = Path(target)
    check_folder(target, "dataset")
    files = {"meta.json": (json.dumps(meta, indent=1) + "\n").encode()}
    files |= {f"{name}.bin": part.tobytes() for name, part in splits.items()}
    is_new = not target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:  # files are renamed in reverse order, once all are on disk
            for name, content in files.items():
                file = stack.enter_context(replacing(target / name))
                file.write(content)
                sync(file)
    except BaseException as error:
        if is_new:
            with contextlib.suppress(OSError):
                target.rmdir()
        if isinstance(error, OSError):
            raise DemoError(f"--dataset: cannot write to {target} ({error.strerror})") from error
        raise
    train, val = (len(part) for part in splits.values())
    say(f"{target}: {meta['characters']:,} characters, {train:,} to train, {val:,} to validate")


def prepare(dataset, input="", say=print):
    """Create the token files of a dataset.

    Args:
        dataset: a name under data/, or a path; the folder is created if missing.
        input: a text file; empty for the download.
        say: called with messages.
    Returns: the folder.
    Raises: DemoError: when the input cannot be read or used. Nothing is written then.
    """
    target = folder(dataset)
    check_folder(target, "dataset")
    content, source = (read(input), str(Path(input).resolve())) if input else fetch(say)
    write(target, *tokenize(content, source), say)
    return target


def read(path):
    """Return the bytes of a text file; DemoError when there is none."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DemoError(f"--input: cannot read {path} ({error.strerror}); give a text file") from error


if __name__ == "__main__":
    with one_line("prepare.py"):
        config, _ = parse(PrepareConfig, sys.argv[1:], "prepare.py")
        prepare(config.dataset, config.input)
