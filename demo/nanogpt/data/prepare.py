"""Turn a text into the token files that train.py reads: one token per character.

    python demo/nanogpt/data/prepare.py                   Tiny Shakespeare, downloaded
    python demo/nanogpt/data/prepare.py --input=FILE      any text file in UTF-8

Without a network it says so and takes a text that every Python brings along. Writes data/<dataset>/train.bin and
val.bin (uint16, the first 90 % and the last 10 %) and meta.json: the vocabulary, the sizes, where the text is from and
its checksum. meta.json is written last and holds the checksums of the two others, so an interrupted run is noticed.
"""

import dataclasses
import hashlib
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script, it finds the modules one level up

from config import DemoError, parse
from files import replacing

DATA = Path(__file__).resolve().parent
URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
SIZE = 1_115_394  # bytes of that text
TIMEOUT = 10.0  # seconds without an answer
FALLBACK = "pydoc_data.topics"


@dataclasses.dataclass
class PrepareConfig:
    """Make train.bin, val.bin and meta.json. Without --input, Tiny Shakespeare is downloaded."""

    input: str = ""
    dataset: str = "shakespeare_char"  # a folder of data/, or a path


def folder(dataset):
    """Return the folder of a dataset: a name lives in data/, anything with a separator is a path."""
    return Path(dataset) if Path(dataset).name != dataset else DATA / dataset


# ----- Where the text comes from -----


def download(url=URL, timeout=TIMEOUT):
    """Download Tiny Shakespeare.

    Returns: the bytes, their checksum verified.
    Raises: OSError: when there is no network, no answer within `timeout` seconds, or the bytes are other ones.
    """
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            content = answer.read(SIZE + 1)  # one more than expected, so that a longer answer shows
    except (urllib.error.URLError, ValueError) as error:
        raise OSError(str(getattr(error, "reason", error))) from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise OSError(f"expected {SIZE} bytes with SHA-256 {SHA256}, got {len(content)} with {found}")
    return content


def bundled():
    """Return the prose of the language reference, which every Python carries for help(), as bytes."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics)).encode()


def fetch(say=print):
    """Return (bytes, source): Tiny Shakespeare if it can be had, otherwise Python's own prose, and say which."""
    say(f"downloading {URL}")
    try:
        return download(), URL
    except OSError as error:
        say(f"no download: {error}")
        say(f"using the prose of {FALLBACK} instead, which every Python has; if you have the text: --input=FILE")
        return bundled(), FALLBACK


# ----- From text to tokens -----


def prepare(dataset, input="", say=print):
    """Make the token files of a dataset.

    Args:
        dataset: a name under data/, or a path; the folder is made when missing.
        input: a text file; empty for the download.
        say: takes the messages.
    Returns: the folder.
    Raises: DemoError: when the input is missing, empty, not UTF-8, or has more than 65,536 distinct characters.
        Nothing is written then.
    """
    if input:
        content, source = read(input), str(Path(input).resolve())
    else:
        content, source = fetch(say)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DemoError(
            f"{source}: expected text in UTF-8, got byte {content[error.start]:#04x} at {error.start}"
        ) from error
    if len(text) < 2:
        raise DemoError(f"{source}: expected at least 2 characters (one to train, one to validate), got {len(text)}")
    codes = np.frombuffer(text.encode("utf-32-le"), "<u4")
    distinct, tokens = np.unique(codes, return_inverse=True)
    if distinct.size > 1 << 16:
        raise DemoError(
            f"{source}: expected at most 65536 distinct characters (tokens are uint16), got {distinct.size}"
        )
    tokens = tokens.astype("<u2")
    cut = max(1, int(0.9 * tokens.size))
    splits = {"train": tokens[:cut].tobytes(), "val": tokens[cut:].tobytes()}
    meta = {
        "format": "nanogpt characters",
        "version": 1,
        "source": source,
        "sha256": hashlib.sha256(content).hexdigest(),
        "characters": int(tokens.size),
        "vocab_size": int(distinct.size),
        "vocabulary": "".join(map(chr, distinct)),
        "dtype": "uint16",
        "splits": {
            name: {"tokens": len(part) // 2, "sha256": hashlib.sha256(part).hexdigest()}
            for name, part in splits.items()
        },
    }
    target = folder(dataset)
    target.mkdir(parents=True, exist_ok=True)
    for name, part in splits.items():
        with replacing(target / f"{name}.bin") as file:
            file.write(part)
    with replacing(target / "meta.json") as file:
        file.write((json.dumps(meta, indent=1) + "\n").encode())
    parts = f"{cut:,} to train, {tokens.size - cut:,} to validate"
    say(f"{target}: {tokens.size:,} characters, {distinct.size} distinct; {parts}")
    return target


def read(path):
    """Return the bytes of a text file; DemoError when there is none."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DemoError(f"--input: cannot read {path} ({error.strerror})") from error


if __name__ == "__main__":
    try:
        config, _ = parse(PrepareConfig, sys.argv[1:], "prepare.py")
        prepare(config.dataset, config.input)
    except DemoError as error:
        sys.exit(f"prepare.py: error: {error}")
